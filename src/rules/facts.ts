import type { Deadline, EpochMs, LocalDate } from './calendar';
import type { Cents } from './money';
import type { Policy } from './policy';

/** R21: why a promise ended. */
export const KEPT_REASONS = ['paid_in_full', 'paid_within_tolerance'] as const;
export const BROKEN_REASONS = ['installment_missed', 'reversal'] as const;
export const CANCEL_REASONS = [
  'customer_request',
  'staff_error',
  'superseded',
  'account_closed',
  'service_stopped',
  'collection_event',
  'no_engagement',
  'other',
] as const;
export type CancelReason = (typeof CANCEL_REASONS)[number];
export type Reason = (typeof KEPT_REASONS)[number] | (typeof BROKEN_REASONS)[number] | CancelReason;

export type FinalStatus = 'kept' | 'broken' | 'cancelled';
export type PromiseStatus = 'active' | FinalStatus;
export type InstallmentStatus = 'due' | 'kept' | 'broken' | 'excused';

/** The payor of a promise that the account itself pays. */
export const SELF = 'self';

/** One installment with the instants stored beside its date. */
export interface Line extends Deadline {
  readonly seq: number;
  readonly dueDate: LocalDate;
  readonly amountCents: Cents;
}

/** Who paid, with how much of a payment. */
export interface Tender {
  readonly payor: string;
  readonly amountCents: Cents;
}

export interface Reversal {
  /** The date from which the money is gone. */
  readonly effectiveDate: LocalDate;
  /** When the ledger learned of it. */
  readonly postedAtMs: EpochMs;
  readonly reason: string;
}

/** Money received on the account. */
export interface Payment {
  readonly paymentId: string;
  readonly debtClass: string;
  readonly currency: string;
  readonly amountCents: Cents;
  readonly effectiveDate: LocalDate;
  /** When the ledger learned of it; a verdict knows only what was posted before it. */
  readonly postedAtMs: EpochMs;
  readonly tenders: readonly Tender[];
  /** Cents that another promise of this payor has already been credited with; a cent counts once (R11). */
  readonly spentCents: Cents;
  readonly reversal: Reversal | null;
}

/** A cancel that was accepted while the promise was active. */
export interface Cancellation {
  readonly atMs: EpochMs;
  readonly reason: CancelReason;
}

/** Another promise on the same account and debt class, for as long as it was active (R9, R11, R15, R19). */
export interface RivalPromise {
  readonly payor: string;
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs | null;
}

/** Everything that decides one promise: plain data, loaded by the ledger, judged by `evaluate`. */
export interface PromiseFacts {
  readonly promiseId: string;
  readonly debtClass: string;
  readonly currency: string;
  readonly payor: string;
  readonly startDate: LocalDate;
  readonly timeZone: string;
  readonly calendarVersion: string;
  readonly policy: Policy;
  /** In order of due date. */
  readonly lines: readonly Line[];
  readonly payments: readonly Payment[];
  readonly rivals: readonly RivalPromise[];
  readonly cancellation: Cancellation | null;
}

/** Whether a payor has another promise on this debt that is active at an instant (R9, R15, R19). */
export function hasOtherPromise(facts: PromiseFacts, payor: string, atMs: EpochMs): boolean {
  return facts.rivals.some(
    (rival) =>
      rival.payor === payor && rival.fromMs <= atMs && (rival.untilMs === null || atMs < rival.untilMs),
  );
}
