import { formatDate, formatLocalTime, type EpochMs, type LocalDate } from './calendar';
import type { Evaluation } from './decide';
import { SELF, type PromiseFacts, type Repeat } from './facts';
import { formatFrequency } from './schedules/frequency';
import { formatMoney, type Cents } from './money';

/** R22: what goes on, as it was agreed. */
export type RepeatTerms = Pick<Repeat, 'amountCents' | 'frequency' | 'firstDueDate' | 'count' | 'untilDate'>;

/** What kind of promise this is: what was agreed beside the dates and amounts of its installments. */
export interface Terms {
  readonly payor: string;
  readonly currency: string;
  readonly policyName: string;
  readonly policyVersion: number;
  readonly autoManaged: boolean;
  readonly stayCurrent: boolean;
  readonly repeat: RepeatTerms | null;
}

/** What a pending promise waits for (R25). */
export interface Gates {
  readonly currency: string;
  readonly timeZone: string;
  readonly approvalUntilMs: EpochMs | null;
  readonly downPayment: { readonly amountCents: Cents; readonly lastDay: LocalDate } | null;
}

/** R22: managed by hand. */
export const BY_HAND = 'Nothing changes by itself; staff end it.';

/** R22: `$25.00 monthly from 31 Jan 2026, until the debt is paid`. */
export function repeatWords(repeat: RepeatTerms, { currency, autoManaged }: Terms): string {
  const { amountCents, frequency, firstDueDate, count, untilDate } = repeat;
  const ends = [
    ...(count === null ? [] : [`${count} times`]),
    ...(untilDate === null ? [] : [`through ${formatDate(untilDate)}`]),
  ];
  const goesOn = autoManaged ? 'until the debt is paid' : 'until staff end it';
  const terms = `${formatMoney(amountCents, currency)} ${formatFrequency(frequency)} from ${formatDate(firstDueDate)}`;
  return `${terms}, ${ends.length === 0 ? goesOn : ends.join(' and ')}`;
}

/** The terms in sentences, one each: how it repeats, who pays, by which policy, what is special. */
export function termsWords(terms: Terms): string[] {
  const { payor, policyName, policyVersion, repeat, autoManaged, stayCurrent } = terms;
  return [
    ...(repeat === null ? [] : [`${repeatWords(repeat, terms)}.`]),
    ...(payor === SELF ? [] : [`Paid by ${payor}, a third party.`]),
    ...(autoManaged ? [] : [BY_HAND]),
    ...(stayCurrent ? ['New bills must be paid, too.'] : []),
    `Policy ${policyName}@${policyVersion}.`,
  ];
}

/** The terms of a promise as its facts have them. */
export function termsOf({ payor, currency, policy, autoManaged, repeat, amendments }: PromiseFacts): Terms {
  return {
    ...{ payor, currency, autoManaged, policyName: policy.name, policyVersion: policy.version },
    stayCurrent: policy.stayCurrent,
    // An amendment lists its installments; from then on nothing repeats (R18).
    repeat: amendments.length > 0 ? null : repeat,
  };
}

/** R25: `approval by 2026-01-09 00:00 and down payment of $30.00 by 20 Jan 2026`; null where it waits for nothing. */
export function gatesWords({ currency, timeZone, approvalUntilMs, downPayment }: Gates): string | null {
  const gates = [
    ...(approvalUntilMs === null ? [] : [`approval by ${formatLocalTime(approvalUntilMs, timeZone)}`]),
    ...(downPayment === null
      ? []
      : [
          `down payment of ${formatMoney(downPayment.amountCents, currency)} by ${formatDate(downPayment.lastDay)}`,
        ]),
  ];
  return gates.length === 0 ? null : gates.join(' and ');
}

/** The gates that are still shut. */
export function gatesOf({ approval, currency, timeZone }: PromiseFacts, evaluation: Evaluation): Gates {
  const { awaitsApproval, awaitsDownPayment, lines } = evaluation;
  return {
    ...{ currency, timeZone },
    approvalUntilMs: awaitsApproval && approval !== null ? approval.deadlineMs : null,
    downPayment: awaitsDownPayment ? (lines[0]?.line ?? null) : null,
  };
}
