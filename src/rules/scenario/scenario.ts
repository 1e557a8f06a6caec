import type { Weekday } from '../business-days';
import type { LocalDate } from '../calendar';
import type { CancelReason, InstallmentStatus, PromiseStatus } from '../facts';
import type { Refusal } from '../limits';
import type { Cents } from '../money';
import type { PolicyOptions } from '../policy';
import type { PresetName } from '../presets';
import type { Frequency } from '../schedules/schedule';

/**
 * A scenario (rule book, section 8): a policy, promises, dated events, and what must be true on given days. Plain data, as
 * its file says it, with the frequency and the policy understood.
 */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly tenant: {
    readonly timeZone: string;
    readonly weekend: readonly Weekday[];
    readonly closedDays: readonly LocalDate[];
    readonly cutoff: string | null;
  };
  readonly preset: PresetName;
  readonly policy: PolicyOptions;
  readonly transactions: readonly ScenarioTransaction[];
  /** The aged debt of the debt class from a day on; null where the story does not tell. */
  readonly arrears: readonly { readonly from: LocalDate; readonly cents: Cents }[] | null;
  readonly promises: readonly ScenarioPromise[];
  readonly events: readonly ScenarioEvent[];
  readonly expect: readonly Expectation[];
}

export interface ScenarioTransaction {
  readonly id: string;
  readonly amountCents: Cents;
  readonly dueDate: LocalDate;
  /** R26: when the bill was issued; null where the story does not tell. */
  readonly issued: LocalDate | null;
}

export interface ScenarioPart {
  readonly dueDate: LocalDate;
  readonly amountCents: Cents;
  readonly transactionId?: string;
}

export interface ScenarioPromise {
  readonly id: string;
  readonly payor: string;
  readonly startDate: LocalDate;
  /** Either installments or a repeat. */
  readonly parts: readonly ScenarioPart[];
  readonly repeat: {
    readonly firstDueDate: LocalDate;
    readonly amountCents: Cents;
    readonly frequency: Frequency;
    readonly count: number | null;
    readonly untilDate: LocalDate | null;
    readonly autoManaged: boolean;
  } | null;
  readonly accepted: boolean;
  readonly refusal: string | null;
  /** What is impossible about it, where the file says that it must be refused. */
  readonly faults: readonly Refusal[];
}

/** A date, which means noon, or a local time `YYYY-MM-DDTHH:MM`. */
export type Moment = string;

interface EventBase {
  readonly at: Moment;
  readonly accepted: boolean;
  readonly refusal: string | null;
}

export type ScenarioEvent =
  | (EventBase & {
      readonly type: 'payment';
      readonly id: string;
      readonly amountCents: Cents;
      readonly tenders: readonly { readonly payor: string; readonly amountCents: Cents }[];
      readonly applied: Readonly<Record<string, Cents>>;
      readonly postedAt: Moment;
    })
  | (EventBase & {
      readonly type: 'reversal';
      readonly payment: string;
      readonly reason: string;
      readonly postedAt: Moment;
    })
  | (EventBase & { readonly type: 'cancel'; readonly promise: string; readonly reason: CancelReason })
  | (EventBase & {
      readonly type: 'amend';
      readonly promise: string;
      readonly parts: readonly ScenarioPart[];
    })
  | (EventBase & { readonly type: 'approve' | 'reject'; readonly promise: string })
  | (EventBase & {
      readonly type: 'balance-cleared' | 'service-stopped' | 'account-closed' | 'collection-event';
    });

/** What must be true; only what it names is asked. */
export interface Expectation {
  readonly on: Moment;
  readonly promise: string;
  readonly status?: PromiseStatus;
  readonly reason?: string;
  readonly unpaidCents?: number;
  readonly pastDueCents?: number;
  readonly nextDueDate?: LocalDate;
  readonly collectibleCents?: number;
  readonly forgivenCents?: number;
  readonly installments?: readonly {
    readonly seq: number;
    readonly status?: InstallmentStatus;
    readonly countedCents?: number;
  }[];
}
