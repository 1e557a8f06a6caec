/** What a story is made of: the world, which never changes, and its state, which is stepped from instant to instant. */
import { addDays, latest } from './dates';
import { type Calendar, calendarOf, effectiveDate, lastDayOf, type Periods } from './calendar';
import { type Policy, policyOf } from './policy';
import {
  type LocalDate,
  type Scenario,
  type ScenarioEvent,
  type ScenarioPromise,
  type ScenarioTender,
} from './scenario';

/** The account itself, as a payor. */
export const SELF = 'self';

export interface Payment {
  index: number;
  id: string;
  effective: LocalDate;
  postedMs: number;
  amountCents: number;
  tenders: ScenarioTender[];
  applied: Record<string, number>;
  /** `date` is when it bounced, `postedMs` when the ledger learned of it. */
  reversal: { date: LocalDate; postedMs: number } | null;
}

/** R26: an open item that was issued on a known day. */
export interface Bill {
  id: string;
  amountCents: number;
  issued: LocalDate;
  lastDay: LocalDate;
}

export interface FileEvent {
  index: number;
  atMs: number;
  event: ScenarioEvent;
}

export interface World {
  scenario: Scenario;
  policy: Policy;
  calendar: Calendar;
  /** In the order of counting: effective date, then id (S9). */
  payments: Payment[];
  bills: Bill[];
  /** All but payments and reversals, in file order. */
  events: FileEvent[];
}

export interface Line {
  dueDate: LocalDate;
  amountCents: number;
  transaction: string | null;
  /** Its deadline is the end of this day (R4); a bounce may move it (R19). */
  lastDay: LocalDate;
  judged: boolean;
  /** Found missed when lines were judged last (S15). */
  missed: boolean;
}

export type Status = 'pending' | 'active' | 'kept' | 'broken' | 'cancelled';
export type LineStatus = 'due' | 'kept' | 'broken' | 'excused';

/** What was counted: by line, and the cents taken of each payment. */
export interface Count {
  counted: number[];
  taken: ReadonlyMap<number, number>;
}

export interface Outcome {
  revision: number;
  status: 'kept' | 'broken' | 'cancelled';
  reason: string;
  atMs: number;
}

/** The judgement that broke a promise, so that late evidence can be heard at it (S18). */
export interface Breaking {
  before: PromiseState;
  known: ReadonlySet<number>;
  lastDay: LocalDate;
  /** When it was decided; later than the judge time where the ledger learned of that late (S3). */
  atMs: number;
  judgedMs: number;
  /** Whether the postings of that very instant were already seen. */
  postingsSeen: boolean;
}

export interface PromiseState {
  id: string;
  payor: string;
  startDate: LocalDate;
  enrolledMs: number;
  autoManage: boolean;
  /** An open-ended promise always has a next period (S28). */
  endless: { dueDateOf: Periods; amountCents: number } | null;
  lines: Line[];
  /** As it was agreed first (S21). */
  firstJudgeMs: number;
  status: Status;
  reason: string | null;
  revision: number;
  approved: boolean;
  downPaid: boolean;
  judgedBills: Set<string>;
  forgivenCents: number;
  /** While it is ended: what was counted, and the status of its lines (S6, S17). */
  frozen: { count: Count; lines: LineStatus[] } | null;
  breaking: Breaking | null;
  outcomes: Outcome[];
  /** R11: by each end, the cents that it had counted of each payment. */
  uses: Use[];
}

export interface Use {
  atMs: number;
  taken: ReadonlyMap<number, number>;
}

export interface State {
  promises: PromiseState[];
  refusals: Map<string, string>;
  /** Events accepted and refused, by index in the file. */
  answers: Map<number, boolean>;
  /** Payments posted and not reversed. */
  known: ReadonlySet<number>;
  /** R9, S10: by payment, the payors who had a promise of their own when it was posted. */
  promisedPayors: ReadonlyMap<number, ReadonlySet<string>>;
  /** Set while a question is answered: time stands still, and judge times from here on have not passed (section 8). */
  clockMs: number | null;
}

export function clonePromise(promise: PromiseState): PromiseState {
  return {
    ...promise,
    lines: promise.lines.map((line) => ({ ...line })),
    judgedBills: new Set(promise.judgedBills),
    outcomes: [...promise.outcomes],
    uses: [...promise.uses],
  };
}

export function cloneState(state: State): State {
  return {
    ...state,
    promises: state.promises.map(clonePromise),
    refusals: new Map(state.refusals),
    answers: new Map(state.answers),
  };
}

export const isLive = (promise: PromiseState): boolean =>
  promise.status === 'pending' || promise.status === 'active';

/** Calendar-wise instants of a line or bill. */
export const deadlineMs = (world: World, item: { lastDay: LocalDate }): number =>
  world.calendar.zone.endOfDay(item.lastDay);

/** R5 */
export const judgeMs = (world: World, item: { lastDay: LocalDate }): number =>
  deadlineMs(world, item) + world.policy.postingLagHours * 3_600_000;

/** Whether something that time brings at `ms` has come by `atMs`; a clock that stands still keeps it away. */
export const hasCome = (state: State, ms: number, atMs: number): boolean =>
  ms <= atMs && (state.clockMs === null || ms < state.clockMs);

/** S32: the bills that this promise must keep current. */
export const currentBills = (world: World, promise: PromiseState): Bill[] =>
  world.policy.stayCurrent && promise.autoManage
    ? world.bills.filter((bill) => bill.issued > promise.startDate)
    : [];

export function worldOf(scenario: Scenario): World {
  const policy = policyOf(scenario.policy);
  const calendar = calendarOf(scenario.tenant);
  const events = (scenario.events ?? []).map((event, index) => ({
    index,
    event,
    atMs: calendar.zone.instant(event.at),
  }));
  return {
    scenario,
    policy,
    calendar,
    payments: paymentsOf(calendar, events),
    bills: (scenario.transactions ?? []).flatMap(({ id, amountCents, issued, dueDate }) =>
      issued === undefined
        ? []
        : [{ id, amountCents, issued, lastDay: lastDayOf(calendar, policy, dueDate) }],
    ),
    events: events.filter(({ event }) => event.type !== 'payment' && event.type !== 'reversal'),
  };
}

function paymentsOf(calendar: Calendar, events: FileEvent[]): Payment[] {
  const postedMs = ({ at, postedAt }: ScenarioEvent): number => calendar.zone.instant(postedAt ?? at);
  const payments = events
    .filter(({ event }) => event.type === 'payment')
    .map(({ event, index }): Payment => {
      const amountCents =
        event.amountCents ?? (event.tenders ?? []).reduce((sum, t) => sum + t.amountCents, 0);
      return {
        index,
        id: event.id ?? `payment-${String(index).padStart(4, '0')}`,
        effective: effectiveDate(calendar, event.at),
        postedMs: postedMs(event),
        amountCents,
        tenders: event.tenders ?? [{ payor: event.payor ?? SELF, amountCents }],
        applied: event.applied ?? {},
        reversal: null,
      };
    });
  const bounces = events
    .filter(({ event }) => event.type === 'reversal')
    .sort((a, b) => postedMs(a.event) - postedMs(b.event));
  for (const { event } of bounces) {
    const payment = payments.find(({ id }) => id === event.payment);
    // Money bounces once, and not before it was posted.
    if (payment === undefined || payment.reversal !== null) continue;
    const learnedMs = Math.max(postedMs(event), payment.postedMs);
    payment.reversal = { date: event.at.slice(0, 10), postedMs: learnedMs };
  }
  return payments.sort((a, b) =>
    a.effective === b.effective ? compare(a.id, b.id) : compare(a.effective, b.effective),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A new line, judged by the rules of the calendar; a down payment has no grace (S22). */
export function newLine(
  world: World,
  from: { dueDate: LocalDate; amountCents: number; transaction?: string },
): Line {
  return {
    dueDate: from.dueDate,
    amountCents: from.amountCents,
    transaction: from.transaction ?? null,
    lastDay: lastDayOf(world.calendar, world.policy, from.dueDate),
    judged: false,
    missed: false,
  };
}

/**
 * Lines in order of due date; the first one has no grace while a down payment is waited for (S22), unless it is paid: then
 * it keeps its deadline (S27).
 */
export function inOrder(
  world: World,
  lines: Line[],
  downPaymentFirst: boolean,
  paid: ReadonlySet<Line> = new Set(),
): Line[] {
  const sorted = [...lines].sort((a, b) => compare(a.dueDate, b.dueDate));
  const first = sorted[0];
  if (downPaymentFirst && first !== undefined && !paid.has(first)) {
    first.lastDay = lastDayOf(world.calendar, world.policy, first.dueDate, 0);
  }
  return sorted;
}

/** S28: an open-ended promise gets lines beyond any money and well beyond a day. */
export function extend(world: World, promise: PromiseState, day: LocalDate): void {
  if (promise.endless === null || !isLive(promise)) return;
  const { dueDateOf, amountCents } = promise.endless;
  const moneyCents = world.payments.reduce((sum, payment) => sum + payment.amountCents, 0);
  const atLeast = Math.floor(moneyCents / Math.max(1, amountCents)) + 2;
  const beyond = addDays(day, 40);
  while (promise.lines.length < atLeast || (promise.lines.at(-1)?.dueDate ?? '') <= beyond) {
    promise.lines.push(newLine(world, { dueDate: dueDateOf(promise.lines.length), amountCents }));
  }
}

/** S28: the lines that an open-ended promise shows on a day: through the earliest not full one, and all due before. */
export function shown(promise: PromiseState, counted: number[], today: LocalDate): Line[] {
  if (promise.endless === null || !isLive(promise)) return promise.lines;
  const firstOpen = promise.lines.findIndex((line, i) => (counted[i] ?? 0) < line.amountCents);
  return promise.lines.filter((line, i) => i <= firstOpen || line.dueDate < today);
}

/** The lines that a promise of the file asks for; of an open-ended one none yet. */
export function agreedLines(world: World, promise: ScenarioPromise): Line[] {
  if (promise.installments !== undefined) {
    return promise.installments.map((installment) => newLine(world, installment));
  }
  return [];
}

export const totalOf = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => sum + line.amountCents, 0);

export const lastDueDate = (lines: readonly Line[]): LocalDate | null =>
  latest(lines.map(({ dueDate }) => dueDate));
