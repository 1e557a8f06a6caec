/** What a scenario file says (test/facts/scenario.schema.json), as types. The interpreter's own: nothing of src/ is used. */

/** A day in the tenant's calendar, `2025-01-31`. */
export type LocalDate = string;
/** A day (then noon is meant) or a local time, `2025-01-31T17:00`. */
export type Moment = string;

export const PRESETS = [
  'default',
  'oracle-ccb',
  'oracle-ccb-eu',
  'oracle-collections',
  'collect',
  'sap-fica',
] as const;
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export type Preset = (typeof PRESETS)[number];
export type Weekday = (typeof WEEKDAYS)[number];

export interface Limits {
  maxOpenPromises?: number;
  maxInstallments?: number;
  maxDaysToFirstPayment?: number;
  maxHorizonDays?: number;
  minInstallmentCents?: number;
  minInstallmentPercent?: number;
  downPaymentCents?: number;
  downPaymentPercent?: number;
  downPaymentUse?: 'max' | 'min';
  downPaymentWithinDays?: number;
  downPaymentMissed?: 'cancel' | 'break';
  totalVersusArrears?: 'equal' | 'at-most' | 'any';
  lockOutDays?: number;
  maxBroken?: number;
  maxBrokenWithinDays?: number;
  approvalAboveCents?: number;
  approvalWithinDays?: number;
}

export interface ScenarioPolicy {
  preset: Preset;
  graceDays?: number;
  graceUnit?: 'calendar' | 'business';
  dueDateRoll?: 'none' | 'following' | 'modified-following' | 'preceding';
  postingLagHours?: number;
  windowStart?: 'inclusive' | 'exclusive';
  payor?: 'anyone' | 'promise-payor' | 'promise-payor-whole';
  overpayment?: 'pool' | 'current' | 'advance' | 'ignore-excess';
  completion?: 'early' | 'after-last-due-date';
  missesAllowed?: number;
  finalMiss?: 'wait' | 'break';
  onMiss?: 'break' | 'stay-past-due';
  lateEvidence?: 'stay' | 'rejudge';
  toleranceCents?: number;
  tolerancePercent?: number;
  toleranceUse?: 'max' | 'min';
  balanceCleared?: 'keep' | 'cancel' | 'ignore';
  cancelUntil?: 'any-time' | 'before-due';
  reversalAfterKept?: 'stay-kept' | 'reopen' | 'break';
  reversalGraceDays?: number;
  shield?: 'net-amount' | 'pause-all' | 'none';
  shieldCap?: 'promise-remaining' | 'none';
  limits?: Limits;
  remainder?: 'last' | 'first' | 'spread';
  stayCurrent?: boolean;
  downPaymentMissed?: 'cancel' | 'break';
}

export interface ScenarioTenant {
  timeZone?: string;
  closedDays?: LocalDate[];
  weekend?: Weekday[];
  cutoff?: string;
}

export interface ScenarioTransaction {
  id: string;
  amountCents: number;
  dueDate: LocalDate;
  issued?: LocalDate;
}

export interface ScenarioInstallment {
  dueDate: LocalDate;
  amountCents: number;
  transaction?: string;
}

export interface ScenarioRepeat {
  firstDueDate: LocalDate;
  amountCents: number;
  /** week, two-weeks, half-month, month, 10-days, 3-months, mon+thu, 5+20 */
  every: string;
  count?: number;
  autoManage?: boolean;
  until?: LocalDate;
}

export interface ScenarioPromise {
  id: string;
  payor?: string;
  startDate: LocalDate;
  installments?: ScenarioInstallment[];
  repeat?: ScenarioRepeat;
  accepted?: boolean;
  refusal?: string;
}

export interface ScenarioTender {
  payor: string;
  amountCents: number;
}

export const EVENT_TYPES = [
  'payment',
  'reversal',
  'cancel',
  'amend',
  'balance-cleared',
  'service-stopped',
  'collection-event',
  'approve',
  'reject',
  'account-closed',
] as const;

export interface ScenarioEvent {
  at: Moment;
  type: (typeof EVENT_TYPES)[number];
  id?: string;
  amountCents?: number;
  payor?: string;
  tenders?: ScenarioTender[];
  postedAt?: Moment;
  applied?: Record<string, number>;
  payment?: string;
  reason?: string;
  promise?: string;
  installments?: ScenarioInstallment[];
  accepted?: boolean;
  refusal?: string;
}

export interface ScenarioExpectation {
  on: Moment;
  promise?: string;
  status?: string;
  reason?: string;
  unpaidCents?: number;
  pastDueCents?: number;
  nextDueDate?: LocalDate;
  collectibleCents?: number;
  forgivenCents?: number;
  installments?: { seq: number; status?: string; countedCents?: number }[];
}

/** A story without its expectations: what is played. */
export interface Scenario {
  id: string;
  title: string;
  source: string;
  rules?: string[];
  tenant?: ScenarioTenant;
  policy: ScenarioPolicy;
  transactions?: ScenarioTransaction[];
  arrears?: { from: LocalDate; cents: number }[];
  promises: ScenarioPromise[];
  events?: ScenarioEvent[];
}

/** A scenario file as it lies on disk. */
export interface ScenarioFile extends Scenario {
  $schema?: string;
  expect: ScenarioExpectation[];
}
