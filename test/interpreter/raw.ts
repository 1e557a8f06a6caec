/** A raw story: what fast-check draws, all of it relative to the dates and amounts of its promises. */
import { addDays, type Zone } from './dates';
import { type Calendar } from './calendar';
import { type Policy } from './policy';
import {
  type Limits,
  type LocalDate,
  type ScenarioInstallment,
  type ScenarioPolicy,
  type ScenarioPromise,
  type ScenarioTransaction,
  type Weekday,
} from './scenario';

export interface When {
  promise: number;
  line: number;
  near: 'start' | 'due' | 'last-day' | 'judge';
  days: number;
  /** Beside the judge time. */
  minutes: number;
  time: string | undefined;
}

export interface RawAmount {
  of: 'line' | 'total' | 'first-lines' | 'half-line' | 'rest';
  more: number;
}

export interface RawPayment {
  kind: 'payment';
  when: When;
  amount: RawAmount;
  posted:
    | { how: 'at-once' }
    | { how: 'judge'; minutes: number; line: number }
    | { how: 'later'; days: number; time: string | undefined }
    | { how: 'ahead'; days: number };
  payor: 'promise' | 'self' | 'agency' | 'church' | 'split';
  applied: 'right' | 'one' | 'none' | 'swapped';
  bill: number | undefined;
}

export interface RawLine {
  gapDays: number;
  cents: number;
  transaction: number;
}

export type RawEvent =
  | RawPayment
  | {
      kind: 'reversal';
      payment: number;
      afterDays: number;
      time: string | undefined;
      learnedDays: number;
      learnedWith: number | undefined;
    }
  | { kind: 'amend'; when: When; lines: RawLine[]; sameTotal: boolean }
  | { kind: 'cancel'; when: When; reason: string }
  | {
      kind:
        'balance-cleared' | 'service-stopped' | 'collection-event' | 'account-closed' | 'approve' | 'reject';
      when: When;
    };

export interface RawPromise {
  payor: 'self' | 'agency' | 'church';
  startsAfterDays: number;
  firstDueDays: number;
  terms:
    | { kind: 'list'; lines: RawLine[]; bound: true | undefined }
    | {
        kind: 'repeat';
        cents: number;
        every: string;
        ends: { by: 'count'; count: number } | { by: 'until'; days: number } | { by: 'never' };
        autoManage: boolean;
      };
}

export type Undefinable<T> = { [K in keyof T]?: T[K] | undefined };

/** Relative ones: more or less than what the first promise asks for. */
export type RawLimits = Undefinable<Omit<Limits, 'approvalAboveCents'>> & {
  approvalAbove?: number | undefined;
};

export interface RawStory {
  place: readonly [timeZone: string, day: LocalDate];
  closedDays: number[];
  weekend: readonly Weekday[] | undefined;
  cutoff: string | undefined;
  policy: Undefinable<ScenarioPolicy> & Pick<ScenarioPolicy, 'preset'>;
  limits: RawLimits;
  promises: RawPromise[];
  /** Payments of one line each, in turn; told before the other events. */
  regular: RawPayment[];
  events: RawEvent[];
  bills: { issuedDays: number; dueDays: number; cents: number }[];
  arrears: { more: number; changes: { days: number; cents: number }[] } | undefined;
}

/** What a story is told from. */
export interface Setting {
  day: LocalDate;
  zone: Zone;
  calendar: Calendar;
  policy: Policy;
  promises: ScenarioPromise[];
  /** The lines of each promise; of an endless one the first few. */
  lines: ScenarioInstallment[][];
  bills: ScenarioTransaction[];
}

/** Leaves out what is undefined, as JSON does. */
export function defined<T extends object>(from: Undefinable<T>): T {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined)) as T;
}

export function installmentsOf(lines: RawLine[], first: LocalDate, bound: boolean): ScenarioInstallment[] {
  let dueDate = first;
  return lines.map((line, i) => {
    if (i > 0) dueDate = addDays(dueDate, line.gapDays);
    const transaction = bound ? { transaction: `INV-${line.transaction + 1}` } : {};
    return { dueDate, amountCents: line.cents, ...transaction };
  });
}

export const sumOf = (lines: readonly { amountCents: number }[]): number =>
  lines.reduce((sum, { amountCents }) => sum + amountCents, 0);
