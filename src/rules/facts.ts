import type { Deadline, EpochMs, LocalDate } from './calendar';
import type { BusinessCalendar } from './business-days';
import type { DeadlineTerms } from './schedules/deadline';
import type { Cents } from './money';
import type { Policy } from './policy';
import type { Frequency } from './schedules/schedule';

/** R21: why a promise ended. */
export const KEPT_REASONS = ['paid_in_full', 'paid_within_tolerance', 'balance_cleared'] as const;
export const BROKEN_REASONS = [
  'installment_missed',
  'down_payment_missed',
  'reversal',
  'current_bill_unpaid',
] as const;
/** Those that a person or a system may give; the others follow from the rules. */
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
export type Reason =
  (typeof KEPT_REASONS)[number] | (typeof BROKEN_REASONS)[number] | CancelReason | 'not_approved';

export type FinalStatus = 'kept' | 'broken' | 'cancelled';
export type PromiseStatus = 'pending' | 'active' | FinalStatus;
export type InstallmentStatus = 'due' | 'kept' | 'broken' | 'excused';

/** The payor of a promise that the account itself pays. */
export const SELF = 'self';

/** One installment with the instants stored beside its date. */
export interface Line extends Deadline {
  readonly seq: number;
  readonly dueDate: LocalDate;
  readonly amountCents: Cents;
  /** R24: the open item that this installment pays; absent where any money on the debt counts. */
  readonly transactionId?: string;
}

/** R22: installments that go on. The first ones are in `lines`; the next follow from these terms. */
export interface Repeat {
  readonly amountCents: Cents;
  readonly frequency: Frequency;
  readonly firstDueDate: LocalDate;
  /** How many periods in all; null where `untilDate` or nothing ends them. */
  readonly count: number | null;
  readonly untilDate: LocalDate | null;
  readonly terms: DeadlineTerms;
  readonly calendar: BusinessCalendar;
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

/** R11: cents of a payment that an ended promise had counted. */
export interface Spend {
  readonly promiseId: string;
  readonly payor: string;
  readonly cents: Cents;
  /** When that promise ended. */
  readonly atMs: EpochMs;
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
  /** Cents by the open item they were applied to, where the CIS says so (R9, R24, R26). */
  readonly applied?: Readonly<Record<string, Cents>>;
  /** R11: what other promises on this debt have been credited with, as each of them ended; a cent counts once. */
  readonly spent: readonly Spend[];
  readonly reversal: Reversal | null;
}

/** A cancel that was accepted while the promise was pending or active (R17). */
export interface Cancellation {
  readonly atMs: EpochMs;
  readonly reason: CancelReason;
}

/** R25: what became of the approval that a promise needs. */
export interface Approval {
  /** Until when it may be given. */
  readonly deadlineMs: EpochMs;
  readonly decision: { readonly atMs: EpochMs; readonly approved: boolean } | null;
}

/** R18: the installments that replaced all but the fully paid ones. */
export interface Amendment {
  readonly atMs: EpochMs;
  readonly lines: readonly Line[];
}

/** R26: a bill issued after the start of a promise that asks the customer to stay current. */
export interface Bill extends Deadline {
  readonly transactionId: string;
  readonly amountCents: Cents;
  readonly dueDate: LocalDate;
  /** When it was settled otherwise than by payment, such as corrected; null while it stands. */
  readonly closedAtMs: EpochMs | null;
}

/** Another promise on the same account and debt class, for as long as it was open (R9, R11, R15, R19). */
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
  /** Nothing is decided before; absent: from the beginning of time. */
  readonly enrolledAtMs?: EpochMs;
  readonly timeZone: string;
  readonly calendarVersion: string;
  readonly policy: Policy;
  /** As first agreed, in order of due date; of a repeating promise, the periods so far (one at least). */
  readonly lines: readonly Line[];
  /** R22 */
  readonly repeat: Repeat | null;
  /** R22: off means that nothing changes by itself. */
  readonly autoManaged: boolean;
  /** R25: whether the first installment is a down payment. */
  readonly hasDownPayment: boolean;
  /** R25: null where none is needed. */
  readonly approval: Approval | null;
  /** In order of time. */
  readonly amendments: readonly Amendment[];
  /** R13: when the debt was found gone. */
  readonly clearings: readonly EpochMs[];
  /** R26 */
  readonly bills: readonly Bill[];
  readonly payments: readonly Payment[];
  readonly rivals: readonly RivalPromise[];
  readonly cancellation: Cancellation | null;
}

/**
 * Whether a payor has another promise on this debt that is open at an instant (R9, R15, R19). One that begins or ends at
 * that very instant counts: what an instant brings is seen together.
 */
export function hasOtherPromise(facts: PromiseFacts, payor: string, atMs: EpochMs): boolean {
  return facts.rivals.some(
    (rival) =>
      rival.payor === payor && rival.fromMs <= atMs && (rival.untilMs === null || atMs <= rival.untilMs),
  );
}
