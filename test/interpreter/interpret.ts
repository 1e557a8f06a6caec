/**
 * A second, independent implementation of the rules (rules.md) for tests: slow and obvious. A story is stepped from
 * instant to instant, and at each instant everything is counted anew, in the order of S1.
 */
import { periodsOf } from './calendar';
import { downPaymentOf } from './policy';
import { type Moment, type Scenario, type ScenarioEvent, type ScenarioPromise } from './scenario';
import { type Answer, describe } from './answer';
import { countNow, isFull } from './count';
import {
  completeIfPaid,
  endOtherwise,
  nextDueDate,
  nextInstants,
  tellingNow,
  timePasses,
  wasLive,
} from './decide';
import { bounceAfterKept, postingsArrive } from './bounce';
import { approveOrReject, clearBalance, hearLateEvidence } from './late';
import { daysBetween } from './dates';
import { refusalOf, refusalOfDownPayment, refusalOfLines } from './limits';
import {
  agreedLines,
  cloneState,
  inOrder,
  isLive,
  judgeMs,
  newLine,
  type Payment,
  type PromiseState,
  SELF,
  type State,
  totalOf,
  type World,
  worldOf,
} from './world';

export type { Answer };

export interface Played {
  /** By promise id: null when it was accepted, else why not. */
  refusals: ReadonlyMap<string, string | null>;
  /** By index in the file: whether a cancel or an amendment was accepted. */
  accepted: ReadonlyMap<number, boolean>;
  /** What stands at a moment (rules.md section 8); null for a promise that is not enrolled then. */
  answer: (on: Moment, promiseId: string) => Answer | null;
}

/** A promise that never ends is not followed further than this past the last thing that happens. */
const MOST_INSTANTS = 20_000;

export function interpret(scenario: Scenario): Played {
  const world = worldOf(scenario);
  const story = new Story(world);
  const last = Math.max(...story.fileInstants);
  const final = story.stateBefore(last + 1);
  return {
    refusals: new Map(scenario.promises.map(({ id }) => [id, final.refusals.get(id) ?? null])),
    accepted: final.answers,
    answer: (on, promiseId) => answerOn(world, story, on, promiseId),
  };
}

/** The main line of a story: the state after each instant, told as far as it was asked for. */
class Story {
  /** Instants that the file itself names: postings, events, enrollments. */
  readonly fileInstants: number[];
  private readonly told: { atMs: number; state: State }[] = [];
  private readonly atFirst: State = {
    promises: [],
    refusals: new Map(),
    answers: new Map(),
    known: new Set(),
    promisedPayors: new Map(),
    clockMs: null,
  };

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
    const { payments, events, scenario, calendar } = world;
    const instants = [
      ...payments.flatMap(({ postedMs, reversal }) => [postedMs, reversal?.postedMs ?? postedMs]),
      ...events.map(({ atMs }) => atMs),
      ...scenario.promises.map(({ startDate }) => calendar.zone.startOfDay(startDate)),
    ];
    this.fileInstants = [...new Set(instants)].sort((a, b) => a - b);
  }

  /** The state after everything that happened before an instant. */
  stateBefore(ms: number): State {
    for (let steps = 0; steps < MOST_INSTANTS; steps++) {
      const latest = this.told.at(-1);
      const state = latest?.state ?? this.atFirst;
      const next = this.nextInstant(state, latest?.atMs ?? -Infinity);
      if (next >= ms) break;
      const after = cloneState(state);
      instant(this.world, after, next);
      this.told.push({ atMs: next, state: after });
    }
    return this.told.findLast(({ atMs }) => atMs < ms)?.state ?? this.atFirst;
  }

  private nextInstant(state: State, afterMs: number): number {
    const inFile = this.fileInstants.find((ms) => ms > afterMs) ?? Infinity;
    const byTime = state.promises.flatMap((promise) => nextInstants(this.world, promise, afterMs));
    return Math.min(inFile, ...byTime);
  }
}

/** One instant, in the order of S1. */
function instant(world: World, state: State, atMs: number): void {
  for (const promise of thirdPartiesFirst(state.promises)) {
    timePasses(tellingNow(world, state), promise, atMs);
  }
  whatPeopleDo(world, state, atMs);
}

/** Of one instant the account's own promise comes last: it counts what third parties left (R9, R11). */
const thirdPartiesFirst = (promises: readonly PromiseState[]): PromiseState[] =>
  [false, true].flatMap((ofAccount) => promises.filter(({ payor }) => (payor === SELF) === ofAccount));

/** All of an instant that time itself does not bring: S1 (2) to (6). */
function whatPeopleDo(world: World, state: State, atMs: number): void {
  const enrolled = new Set(enroll(world, state, atMs));
  const posted = learn(world, state, atMs);
  for (const ofAccount of [false, true]) {
    const isOurs = ({ payor }: PromiseState): boolean => (payor === SELF) === ofAccount;
    if (posted !== null) take(world, state, posted, isOurs);
    // What had come before the ledger learned of a promise is judged then, with all that was posted by then (as S3).
    for (const promise of enrolled) {
      if (isOurs(promise)) timePasses(tellingNow(world, state), promise, atMs);
    }
  }
  const now = world.events.filter((event) => event.atMs === atMs);
  const telling = tellingNow(world, state);
  for (const { event } of now) {
    if (event.type !== 'balance-cleared') continue;
    for (const promise of thirdPartiesFirst(state.promises)) clearBalance(telling, promise, atMs);
  }
  for (const { event } of now) {
    if (event.type !== 'approve' && event.type !== 'reject') continue;
    const promise = promiseNamed(world, state, event);
    if (promise !== undefined) approveOrReject(telling, promise, event.type, atMs);
  }
  for (const { event, index } of now) {
    if (event.type === 'amend') state.answers.set(index, amend(world, state, event, atMs));
  }
  for (const { event, index } of now) {
    if (event.type === 'cancel') state.answers.set(index, cancelByStaff(world, state, event, atMs));
    else cancelBySystem(world, state, event.type, atMs);
  }
}

function promiseNamed(world: World, state: State, event: ScenarioEvent): PromiseState | undefined {
  const id = event.promise ?? world.scenario.promises[0]?.id;
  return state.promises.find((promise) => promise.id === id);
}

// ---------------------------------------------------------------- enrollment

/** A promise is enrolled at the start of its start date, after what time brings and before what is posted then. */
function enroll(world: World, state: State, atMs: number): PromiseState[] {
  const enrolled: PromiseState[] = [];
  for (const wanted of world.scenario.promises) {
    if (world.calendar.zone.startOfDay(wanted.startDate) !== atMs) continue;
    const never = impossible(wanted);
    if (never !== null) {
      state.refusals.set(wanted.id, never);
      continue;
    }
    const promise = proposed(world, wanted, atMs);
    const { payor, startDate, lines, endless } = promise;
    const refusal = refusalOf(world, state, { payor, startDate, lines, endless: endless !== null });
    if (refusal !== null) {
      state.refusals.set(wanted.id, refusal);
      continue;
    }
    state.promises.push(promise);
    enrolled.push(promise);
  }
  return enrolled;
}

/** What no promise can be; R3: half-months are those of the 1st and the 15th. */
function impossible({ startDate, installments = [], repeat }: ScenarioPromise): string | null {
  const all = [
    ...installments,
    ...(repeat === undefined ? [] : [{ ...repeat, dueDate: repeat.firstDueDate }]),
  ];
  if (all.some(({ amountCents }) => amountCents === 0)) return 'an amount of nothing';
  if (all.some(({ dueDate }) => dueDate < startDate)) return 'due before the start date';
  const isHalf = repeat?.every === 'half-month' && !/-(01|15)$/.test(repeat.firstDueDate);
  return isHalf ? 'a half-month begins on the 1st or the 15th' : null;
}

function proposed(world: World, wanted: ScenarioPromise, atMs: number): PromiseState {
  const { repeat } = wanted;
  const endless = repeat !== undefined && repeat.count === undefined && repeat.until === undefined;
  const lines = repeat === undefined ? agreedLines(world, wanted) : repeatedLines(world, repeat);
  const { limits } = world.policy;
  const totalCents = endless ? Infinity : totalOf(lines);
  const downPaid = downPaymentOf(limits, endless ? 0 : totalCents) === null;
  const inDueOrder = inOrder(world, lines, !downPaid);
  const approved = limits.approvalAboveCents === undefined || totalCents <= limits.approvalAboveCents;
  return {
    id: wanted.id,
    payor: wanted.payor ?? SELF,
    startDate: wanted.startDate,
    enrolledMs: atMs,
    autoManage: repeat?.autoManage ?? true,
    endless: endless ? { dueDateOf: periodsOf(repeat), amountCents: repeat.amountCents } : null,
    lines: inDueOrder,
    firstJudgeMs: Math.min(...inDueOrder.map((line) => judgeMs(world, line))),
    status: approved && downPaid ? 'active' : 'pending',
    reason: null,
    revision: 1,
    approved,
    downPaid,
    judgedBills: new Set(),
    forgivenCents: 0,
    frozen: null,
    breaking: null,
    outcomes: [],
    uses: [],
  };
}

/** R22, S28: the periods of a repeating promise; of an open-ended one only the first. */
function repeatedLines(
  world: World,
  repeat: NonNullable<ScenarioPromise['repeat']>,
): ReturnType<typeof newLine>[] {
  const { amountCents, until } = repeat;
  const dueDateOf = periodsOf(repeat);
  const most = repeat.count ?? (until === undefined ? 1 : Infinity);
  const lines = [];
  for (let i = 0; i < most && (until === undefined || dueDateOf(i) <= until); i++) {
    lines.push(newLine(world, { dueDate: dueDateOf(i), amountCents }));
  }
  return lines;
}

// ---------------------------------------------------------------- money

/** What the ledger learns of at one instant. */
interface Posted {
  atMs: number;
  /** What was known before. */
  before: ReadonlySet<number>;
  posted: Payment[];
  reversed: Payment[];
  /** Whoever has a promise of their own by then (R9, S10). */
  payors: Set<string>;
  /** Promises that were open when it came. */
  live: ReadonlySet<PromiseState>;
}

/** S1 (2): reversals and payments of an instant, seen together. */
function learn(world: World, state: State, atMs: number): Posted | null {
  const posted = world.payments.filter(({ postedMs }) => postedMs === atMs);
  const reversed = world.payments.filter(({ reversal }) => reversal?.postedMs === atMs);
  if (posted.length === 0 && reversed.length === 0) return null;
  const before = state.known;
  const known = new Set(before);
  // R9, S10: asked of the moment of posting; a promise that ends or comes back at that very instant counts.
  const payors = new Set(
    state.promises.filter((promise) => wasLive(promise, atMs)).map(({ payor }) => payor),
  );
  const promisedPayors = new Map(state.promisedPayors);
  for (const { index } of posted) {
    known.add(index);
    promisedPayors.set(index, payors);
  }
  for (const { index } of reversed) known.delete(index);
  state.known = known;
  state.promisedPayors = promisedPayors;
  return { atMs, before, posted, reversed, payors, live: new Set(state.promises.filter(isLive)) };
}

/** Promises take what was posted. Of one payor the live one first: what it has counted as it ends, the others cannot (S12). */
function take(
  world: World,
  state: State,
  { atMs, before, posted, reversed, payors, live }: Posted,
  isTaken: (promise: PromiseState) => boolean,
): void {
  const telling = tellingNow(world, state);
  const own = [...state.promises.entries()].filter(([, promise]) => isTaken(promise));
  for (const [, promise] of own) {
    if (live.has(promise)) postingsArrive(telling, promise, { atMs, before, reversed });
  }
  for (const [i, promise] of own) {
    if (live.has(promise)) continue;
    bounceAfterKept(telling, promise, { atMs, before, reversed });
    const after = hearLateEvidence(world, state, promise, atMs, posted);
    completeIfPaid(telling, after, atMs);
    state.promises[i] = after;
    if (wasLive(after, atMs)) payors.add(after.payor);
  }
}

// ---------------------------------------------------------------- people

/** R18, S26, S27 */
function amend(world: World, state: State, event: ScenarioEvent, atMs: number): boolean {
  const promise = promiseNamed(world, state, event);
  const wanted = event.installments ?? [];
  const today = world.calendar.zone.dateOf(atMs);
  if (promise === undefined || !isLive(promise) || wanted.length === 0) return false;
  // A line in its days of grace may stay as it is while others change.
  const staysInGrace = ({ dueDate, transaction }: (typeof wanted)[number]): boolean =>
    promise.lines.some(
      (l) => l.dueDate === dueDate && l.transaction === (transaction ?? null) && l.lastDay >= today,
    );
  if (wanted.some((one) => one.dueDate < today && !staysInGrace(one))) return false;
  const { counted } = countNow(world, state, promise, state.known, atMs);
  const paid = promise.lines.filter((line, i) => isFull(line, counted[i])).map((line) => ({ ...line }));
  const lines = [...paid, ...wanted.map((installment) => newLine(world, installment))];
  const { payor, startDate } = promise;
  const proposal = { payor, startDate, lines: inOrder(world, lines, false), endless: false };
  if (refusalOfLines(world, proposal) !== null) return false;
  // S35: a down payment that is still awaited keeps its limits, and one person may not amend above what needs two.
  const days = daysBetween(startDate, proposal.lines[0]?.dueDate ?? startDate);
  if (!promise.downPaid && refusalOfDownPayment(world, proposal, days) !== null) return false;
  const above = world.policy.limits.approvalAboveCents ?? Infinity;
  const total = totalOf(lines);
  if (promise.approved && promise.endless === null && total > above && total > totalOf(promise.lines))
    return false;
  promise.lines = inOrder(world, lines, !promise.downPaid, new Set(paid));
  promise.endless = null;
  promise.revision += 1;
  const telling = tellingNow(world, state);
  // A roll may put a new deadline before the amendment itself: then it is judged at once. Else it may complete.
  timePasses(telling, promise, atMs);
  return true;
}

/** R17: `before-due` refuses on and after the due date of the earliest unpaid installment. */
function cancelByStaff(world: World, state: State, event: ScenarioEvent, atMs: number): boolean {
  const promise = promiseNamed(world, state, event);
  if (promise === undefined || !isLive(promise)) return false;
  const { counted } = countNow(world, state, promise, state.known, atMs);
  const due = nextDueDate(promise.lines, counted);
  const today = world.calendar.zone.dateOf(atMs);
  if (world.policy.cancelUntil === 'before-due' && due !== null && today >= due) return false;
  endOtherwise(tellingNow(world, state), promise, atMs, 'cancelled', event.reason ?? 'customer_request');
  return true;
}

/** S33 */
function cancelBySystem(world: World, state: State, type: ScenarioEvent['type'], atMs: number): void {
  const reasons: Partial<Record<ScenarioEvent['type'], string>> = {
    'service-stopped': 'service_stopped',
    'account-closed': 'account_closed',
    'collection-event': 'collection_event',
  };
  const reason = reasons[type];
  if (reason === undefined) return;
  for (const promise of thirdPartiesFirst(state.promises).filter(isLive)) {
    if (type === 'collection-event' && promise.payor !== SELF) continue; // R27
    endOtherwise(tellingNow(world, state), promise, atMs, 'cancelled', reason);
  }
}

// ---------------------------------------------------------------- answers

/** Section 8: a bare date is noon with all postings of that day seen; a time sees what was posted by then. */
function answerOn(world: World, story: Story, on: Moment, promiseId: string): Answer | null {
  const { zone } = world.calendar;
  const clockMs = zone.instant(on);
  const seenBefore = on.includes('T') ? clockMs + 1 : zone.endOfDay(on);
  const state = cloneState(story.stateBefore(clockMs));
  state.clockMs = clockMs;
  for (const atMs of story.fileInstants) {
    if (atMs < clockMs || atMs >= seenBefore) continue;
    whatPeopleDo(world, state, atMs);
  }
  const promise = state.promises.find(({ id }) => id === promiseId);
  if (promise === undefined) return null;
  const today = on.slice(0, 10);
  return describe(world, state, promise, clockMs, today);
}
