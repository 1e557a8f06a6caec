/** Builds facts for the engine from as little as a test needs to say, and from the oracle's stories. */
import {
  businessCalendar,
  cents,
  deadlineOf,
  DEFAULT_POLICY_OPTIONS,
  epochMs,
  localDate,
  localDateAt,
  localTimeMs,
  SELF,
  type EpochMs,
  type LocalDate,
  type Payment,
  type PolicyOptions,
  type PromiseFacts,
} from '../../src/rules';
import type { CancelReason, Line, OpenLine, Reversal } from '../../src/rules';
import type { OraclePayment, OracleStory } from '../oracle/oracle';

export const NEW_YORK = 'America/New_York';

/** A local time as an instant; a bare date is noon. */
export function at(text: string, timeZone = NEW_YORK): EpochMs {
  const instant = localTimeMs(text, timeZone);
  if (instant === undefined) throw new Error(`${text} is no local time`);
  return instant;
}

export interface Told {
  readonly start: string;
  readonly parts: readonly (readonly [due: string, amountCents: number])[];
  readonly payments?: readonly Payment[];
  readonly policy?: Partial<PolicyOptions>;
  readonly timeZone?: string;
  readonly more?: Partial<PromiseFacts>;
}

/** A promise of the account itself, by the preset `default` unless told otherwise. */
export function promise({
  start,
  parts,
  payments = [],
  policy = {},
  timeZone = NEW_YORK,
  more,
}: Told): PromiseFacts {
  const options = { ...DEFAULT_POLICY_OPTIONS, ...policy };
  return {
    promiseId: 'P1',
    debtClass: 'water',
    currency: 'USD',
    payor: SELF,
    startDate: localDate(start),
    timeZone,
    calendarVersion: 'test',
    policy: { name: 'test', version: 1, ...options },
    lines: linesOf(parts, options, timeZone),
    payments,
    rivals: [],
    cancellation: null,
    repeat: null,
    autoManaged: true,
    hasDownPayment: false,
    approval: null,
    amendments: [],
    clearings: [],
    bills: [],
    ...more,
  };
}

function linesOf(parts: Told['parts'], policy: PolicyOptions, timeZone: string): Line[] {
  return parts.map(([due, amountCents], index) => {
    const dueDate = localDate(due);
    return {
      seq: index + 1,
      dueDate,
      amountCents: cents(amountCents),
      ...deadlineOf(dueDate, policy, businessCalendar(timeZone)),
    };
  });
}

/** The lines of a promise on its first day, ready to be counted. */
export function unjudged({ lines }: PromiseFacts): OpenLine[] {
  return lines.map((line) => ({ line, judged: false }));
}

/** A payment of the account itself, posted when it was received unless told otherwise. */
export function payment(
  paymentId: string,
  received: string,
  amount: number,
  more: Partial<Payment> = {},
): Payment {
  return {
    paymentId,
    debtClass: 'water',
    currency: 'USD',
    amountCents: cents(amount),
    effectiveDate: received.slice(0, 10) as LocalDate,
    postedAtMs: at(received),
    tenders: [{ payor: SELF, amountCents: cents(amount) }],
    spent: [],
    reversal: null,
    ...more,
  };
}

/** What an older promise of the account itself had counted. */
export function spent(amount: number): Payment['spent'] {
  return [{ promiseId: 'P0', payor: SELF, cents: cents(amount), atMs: epochMs(0) }];
}

/** A bounce dated the day it was posted. */
export function bounce(posted: string, reason = 'nsf'): Reversal {
  return { effectiveDate: posted.slice(0, 10) as LocalDate, postedAtMs: at(posted), reason };
}

/** What the engine is told of a story of the oracle. */
export function factsOf(story: OracleStory): PromiseFacts {
  const { timeZone } = story;
  return promise({
    start: story.startDate,
    parts: story.installments.map(({ dueDate, amountCents }) => [dueDate, amountCents]),
    timeZone,
    policy: {
      graceDays: story.graceDays,
      postingLagHours: story.postingLagHours,
      windowStart: story.windowStart ?? 'inclusive',
      lateEvidence: story.lateEvidence,
      reversalAfterKept: story.reversalAfterKept,
      reversalGraceDays: story.reversalGraceDays,
      toleranceCents: story.toleranceCents === 0 ? null : cents(story.toleranceCents),
    },
    payments: story.payments.map((told) => paymentOf(told, timeZone)),
    more:
      story.cancelAtMs === undefined
        ? {}
        : {
            cancellation: {
              atMs: epochMs(story.cancelAtMs),
              reason: (story.cancelReason ?? 'customer_request') as CancelReason,
            },
          },
  });
}

function paymentOf(told: OraclePayment, timeZone: string): Payment {
  const amountCents = cents(told.amountCents);
  return {
    paymentId: told.id,
    debtClass: 'water',
    currency: 'USD',
    amountCents,
    effectiveDate: localDateAt(epochMs(told.receivedAtMs), timeZone),
    postedAtMs: epochMs(told.postedAtMs),
    tenders: [{ payor: SELF, amountCents }],
    spent: [],
    reversal:
      told.reversal === undefined
        ? null
        : {
            effectiveDate: localDateAt(epochMs(told.reversal.effectiveAtMs), timeZone),
            postedAtMs: epochMs(told.reversal.postedAtMs),
            reason: 'nsf',
          },
  };
}
