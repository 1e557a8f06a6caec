import { messageOf } from '../../platform/errors';
import { termsFor } from '../../rules/agreement';
import type { BusinessCalendar } from '../../rules/business-days';
import { formatLocalTime, type EpochMs } from '../../rules/calendar';
import { deadlineOf, type DeadlineTerms } from '../../rules/schedules/deadline';
import { evaluate, type Evaluation } from '../../rules/decide';
import { explain } from '../../rules/explain';
import type { FinalStatus, Line, PromiseFacts, Reason } from '../../rules/facts';
import { cents, formatMoney, sum, type Cents } from '../../rules/money';
import type { Policy } from '../../rules/policy';
import { rows, type Ledger, type Tx } from '../connection';
import { decidedBy } from '../promises/decided-by';
import { promisePages, type LoadedPromise, type StoredPromise } from './facts-batch';

export const RECORDED = ['kept', 'broken', 'cancelled'] as const satisfies readonly FinalStatus[];
/** What a promise can come to when it is replayed; `open`: by now it would not have ended. */
export const REPLAYED = [...RECORDED, 'open'] as const;
export type ReplayedStatus = (typeof REPLAYED)[number];

/** What a promise came to, recorded or replayed. */
interface End<Status> {
  readonly status: Status;
  readonly reason: Reason | null;
  readonly sentence: string;
}

/** A promise that ended, and what would have become of it under another policy. */
export interface Replay {
  readonly promiseId: string;
  readonly accountId: string;
  readonly promisedCents: Cents;
  readonly isAmended: boolean;
  readonly recorded: End<FinalStatus>;
  readonly replayed: End<ReplayedStatus>;
}

/** A part of a backtest. */
export interface BacktestPart {
  readonly replays: readonly Replay[];
  /** Promises whose facts cannot be. */
  readonly failures: readonly { readonly promiseId: string; readonly message: string }[];
}

export interface Backtest {
  readonly tenantId: string;
  readonly policy: Policy;
  /** Deadlines are counted anew with it: the tenant's newest. */
  readonly calendar: BusinessCalendar;
  /** Promises that ended from this instant … */
  readonly fromMs: EpochMs;
  /** … to just before this one. */
  readonly toMs: EpochMs;
  /** Replayed promises are judged up to this instant, the tenant's present. */
  readonly nowMs: EpochMs;
  /** The most promises to replay. */
  readonly limit: number;
}

/**
 * Replays promises that have ended under another policy, with the payments that came: each line gets its deadline anew from
 * that policy's grace and rolls; schedule, cancel, approval and what other promises had counted stay as they were. An
 * amended promise is amended at the same instant to the same new lines, if it is open then. Reads only.
 */
export async function* replayAll(ledger: Ledger, test: Backtest): AsyncGenerator<BacktestPart, void, void> {
  const { tenantId, fromMs, toMs, limit } = test;
  const also = (tx: Tx, promiseIds: readonly string[]): Promise<Sentences> =>
    sentencesOf(tx, tenantId, promiseIds);
  let left = limit;
  for await (const { promises, extra } of promisePages(
    ledger,
    tenantId,
    { kind: 'ended', fromMs, toMs },
    { also },
  )) {
    yield partOf(promises.slice(0, left), extra, test);
    left -= promises.length;
    if (left <= 0) return;
  }
}

type Sentences = ReadonlyMap<string, string>;

async function sentencesOf(tx: Tx, tenantId: string, promiseIds: readonly string[]): Promise<Sentences> {
  const found = await rows<{ promiseId: string; sentence: string }>(
    tx,
    `select v.promise_id as "promiseId", v.sentence
       from verdict v
       join promise p on p.tenant_id = v.tenant_id and p.promise_id = v.promise_id and p.revision = v.revision
      where v.tenant_id = :tenantId and v.promise_id = any(:promiseIds) and v.seq = 0 and v.kind = 'promise'`,
    { tenantId, promiseIds },
  );
  return new Map(found.map(({ promiseId, sentence }) => [promiseId, sentence]));
}

function partOf(promises: readonly LoadedPromise[], sentences: Sentences, test: Backtest): BacktestPart {
  const replays: Replay[] = [];
  const failures: { promiseId: string; message: string }[] = [];
  for (const { stored, facts, problem } of promises) {
    const { promiseId } = stored;
    if (facts === null) failures.push({ promiseId, message: problem });
    else {
      try {
        replays.push(replay(stored, facts, sentences.get(promiseId) ?? '', test));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        failures.push({ promiseId, message: messageOf(error) });
      }
    }
  }
  return { replays, failures };
}

function replay(stored: StoredPromise, facts: PromiseFacts, sentence: string, test: Backtest): Replay {
  const { promiseId, accountId, totalCents, status, reason, scheduleNo } = stored;
  const other = underPolicy(facts, test.policy, test.calendar, stored.payMethod);
  const life = evaluate(other, test.nowMs);
  return {
    promiseId,
    accountId,
    promisedCents: cents(totalCents),
    isAmended: scheduleNo > 1,
    recorded: { status: status as FinalStatus, reason, sentence },
    replayed: endOf(other, life, stored),
  };
}

/** The facts of a promise as if it had been made under another policy (R4, R5, R7). */
export function underPolicy(
  facts: PromiseFacts,
  policy: Policy,
  calendar: BusinessCalendar,
  payMethod: string | null,
): PromiseFacts {
  const terms = termsFor(policy, payMethod);
  const { lines, repeat, hasDownPayment, amendments, bills } = facts;
  return {
    ...facts,
    policy,
    calendarVersion: calendar.version,
    // R25: a down payment has no grace.
    lines: lines.map((line, index) =>
      anew(line, hasDownPayment && index === 0 ? { ...terms, graceDays: 0 } : terms, calendar),
    ),
    repeat: repeat === null ? null : { ...repeat, terms, calendar },
    amendments: amendments.map((amendment) => ({
      ...amendment,
      lines: amendment.lines.map((line) => anew(line, terms, calendar)),
    })),
    bills: bills.map((bill) => ({ ...bill, ...deadlineOf(bill.dueDate, terms, calendar) })),
  };
}

function anew(line: Line, terms: DeadlineTerms, calendar: BusinessCalendar): Line {
  return { ...line, ...deadlineOf(line.dueDate, terms, calendar) };
}

function endOf(facts: PromiseFacts, life: Evaluation, stored: StoredPromise): End<ReplayedStatus> {
  const { status } = life;
  const last = life.outcomes.at(-1);
  if (status !== 'active' && status !== 'pending' && last !== undefined) {
    const { sentence } = explain(facts, last, decidedBy(stored, last));
    return { status, reason: last.reason, sentence };
  }
  const money = (amount: Cents): string => formatMoney(amount, facts.currency);
  const total = sum(life.lines.map(({ line }) => line.amountCents));
  const next =
    life.nextJudgeAtMs === null
      ? 'it waits for money'
      : `next judged ${formatLocalTime(life.nextJudgeAtMs, facts.timeZone)}`;
  const sentence = `Still open: ${money(life.countedCents)} of ${money(total)} counted; ${next}.`;
  return { status: 'open', reason: null, sentence };
}

/** How much better one end is for the customer than another. */
const RANK: Readonly<Record<ReplayedStatus, number>> = { broken: 0, cancelled: 1, open: 2, kept: 3 };

export type Direction = 'same' | 'in favor' | 'against';

/** Whether a replay ends better for the customer: kept before open before cancelled before broken. */
export function directionOf({ recorded, replayed }: Replay): Direction {
  const better = RANK[replayed.status] - RANK[recorded.status];
  return better === 0 ? 'same' : better > 0 ? 'in favor' : 'against';
}

/** Promises, and what was promised on them. */
export interface Amount {
  readonly promises: number;
  readonly cents: Cents;
}

const NONE: Amount = { promises: 0, cents: cents(0) };

/** What a backtest comes to. */
export class BacktestTally {
  readonly #cells = new Map<string, Amount>();
  readonly #reasons = new Map<string, Amount>();
  readonly #directions = new Map<Direction, Amount>();
  all: Amount = NONE;
  amended = 0;

  add(one: Replay): void {
    const { recorded, replayed, promisedCents } = one;
    const more = (amount: Amount | undefined = NONE): Amount => ({
      promises: amount.promises + 1,
      cents: cents(amount.cents + promisedCents),
    });
    this.all = more(this.all);
    if (one.isAmended) this.amended += 1;
    const cell = `${recorded.status} ${replayed.status}`;
    this.#cells.set(cell, more(this.#cells.get(cell)));
    const direction = directionOf(one);
    this.#directions.set(direction, more(this.#directions.get(direction)));
    if (direction === 'same') return;
    const why = JSON.stringify([recorded, replayed].map(({ status, reason }) => ({ status, reason })));
    this.#reasons.set(why, more(this.#reasons.get(why)));
  }

  /** How many that ended one way would have ended another. */
  cell(recorded: FinalStatus, replayed: ReplayedStatus): Amount {
    return this.#cells.get(`${recorded} ${replayed}`) ?? NONE;
  }

  towards(direction: Direction): Amount {
    return this.#directions.get(direction) ?? NONE;
  }

  /** Flips by the reasons of both ends, the most frequent first. */
  get byReason(): readonly (Amount & {
    readonly recorded: Omit<End<FinalStatus>, 'sentence'>;
    readonly replayed: Omit<End<ReplayedStatus>, 'sentence'>;
  })[] {
    return [...this.#reasons]
      .map(([why, amount]) => {
        const [recorded, replayed] = JSON.parse(why) as [
          Omit<End<FinalStatus>, 'sentence'>,
          Omit<End<ReplayedStatus>, 'sentence'>,
        ];
        return { ...amount, recorded, replayed };
      })
      .sort((a, b) => b.promises - a.promises || b.cents - a.cents);
  }
}
