/** Deciding on one promise: gates, judge times, completion and how a promise ends (R12 to R16, R21 to R26). */
import { addDays, earliest, latest } from './dates';
import { toleranceOf } from './policy';
import { type LocalDate } from './scenario';
import { type Look, count, countNow, isFull, unpaidOf, windowEndOf } from './count';
import {
  type Bill,
  type Breaking,
  type Count,
  clonePromise,
  currentBills,
  deadlineMs,
  extend,
  hasCome,
  isLive,
  judgeMs,
  lastDueDate,
  type Line,
  type LineStatus,
  type Outcome,
  type PromiseState,
  shown,
  type State,
  type World,
} from './world';

/** From where a promise is looked at: now, or a past that late evidence brings back (S18). */
export interface Telling {
  world: World;
  state: State;
  /** Payments posted and not reversed, as the teller knows them. */
  known: Set<number>;
  /** When a verdict found now is dated. */
  dated: (atMs: number) => number;
  /** What a judge time may hear beyond what was posted by then. */
  hear: (lastDay: LocalDate) => void;
  /** Nothing becomes kept in a past that is caught up. */
  catchingUp: boolean;
}

export function tellingNow(world: World, state: State): Telling {
  return {
    world,
    state,
    known: new Set(state.known),
    dated: (atMs) => atMs,
    hear: () => undefined,
    catchingUp: false,
  };
}

export const tellCount = (
  { world, state, known, dated }: Telling,
  promise: PromiseState,
  atMs: number,
): Count => countNow(world, state, promise, known, atMs, dated(atMs));

interface Ending {
  status: Outcome['status'];
  reason: string;
  atMs: number;
  count: Count;
  forgivenCents?: number;
  breaking?: Breaking;
  /** Lines that a bounce after kept broke. */
  brokenLines?: Line[];
}

/** S6, S17: a promise ends; what was counted and how its lines stand is frozen. */
export function end(world: World, promise: PromiseState, ending: Ending): void {
  const { status, reason, atMs, count: counted } = ending;
  const day = world.calendar.zone.dateOf(atMs);
  extend(world, promise, day); // a verdict on the past is dated now
  promise.lines = shown(promise, counted.counted, day);
  const lines = promise.lines.map((line, i): LineStatus => {
    if (status === 'kept') return 'kept';
    if (ending.brokenLines !== undefined) {
      if (ending.brokenLines.includes(line)) return 'broken';
      return line.judged ? 'kept' : 'excused';
    }
    if (!line.judged) return 'excused';
    if (!line.missed || isFull(line, counted.counted[i])) return 'kept';
    return reason === 'current_bill_unpaid' || status === 'cancelled' ? 'excused' : 'broken';
  });
  promise.status = status;
  promise.reason = reason;
  promise.forgivenCents = ending.forgivenCents ?? 0;
  promise.frozen = { count: { ...counted, counted: counted.counted.slice(0, promise.lines.length) }, lines };
  promise.breaking = ending.breaking ?? null;
  promise.outcomes.push({ revision: promise.revision, status, reason, atMs });
  promise.uses.push({ atMs, taken: counted.taken });
}

/** Ends a live promise for a reason that is not about its money. */
export function endOtherwise(
  telling: Telling,
  promise: PromiseState,
  atMs: number,
  status: 'kept' | 'cancelled',
  reason: string,
): void {
  const counted = tellCount(telling, promise, atMs);
  end(telling.world, promise, { status, reason, atMs: telling.dated(atMs), count: counted });
}

/** A promise that had ended goes on as a new revision (S5). */
export function goOn(promise: PromiseState): void {
  promise.revision += 1;
  promise.reason = null;
  promise.forgivenCents = 0;
  promise.frozen = null;
  promise.breaking = null;
  promise.status = promise.approved && promise.downPaid ? 'active' : 'pending';
}

/** S26: another promise of the same payor that is active or waits, or did when this instant began. */
export function hasRival(world: World, state: State, promise: PromiseState, atMs: number): boolean {
  return state.promises.some(
    (other) => other.id !== promise.id && other.payor === promise.payor && wasLive(other, atMs),
  );
}

/** Whether a promise is open at an instant; one that ends at that very instant still is (R9, R15, R19). */
export const wasLive = (promise: PromiseState, atMs: number): boolean =>
  isLive(promise) || promise.outcomes.at(-1)?.atMs === atMs;

// ---------------------------------------------------------------- gates

/** S21: not later than the first judge time. An amendment may bring it forward, but never gives more time. */
export function approvalDeadlineMs(world: World, promise: PromiseState): number {
  const days = world.policy.limits.approvalWithinDays;
  const firstJudgeMs = Math.min(
    promise.firstJudgeMs,
    ...promise.lines.filter((line) => !line.judged).map((line) => judgeMs(world, line)),
  );
  if (days === undefined) return firstJudgeMs;
  return Math.min(firstJudgeMs, world.calendar.zone.endOfDay(addDays(promise.startDate, days)));
}

/** S21, S22: a pending promise becomes active once it is approved and its down payment is there. */
export function openGates(telling: Telling, promise: PromiseState, atMs: number): void {
  const first = promise.lines[0];
  if (!promise.downPaid && first !== undefined) {
    promise.downPaid = isFull(first, tellCount(telling, promise, atMs).counted[0]);
  }
  if (promise.status === 'pending' && promise.approved && promise.downPaid) promise.status = 'active';
}

// ---------------------------------------------------------------- time

/** S1 (1): what time itself brings to one promise, by what was posted before. */
export function timePasses(telling: Telling, promise: PromiseState, atMs: number): void {
  const { world, state } = telling;
  extend(world, promise, world.calendar.zone.dateOf(atMs));
  if (!isLive(promise) || !promise.autoManage) return;
  if (!promise.approved && hasCome(state, approvalDeadlineMs(world, promise), atMs)) {
    return endOtherwise(telling, promise, atMs, 'cancelled', 'not_approved');
  }
  judgeWhatIsDue(telling, promise, atMs, false);
  if (isLive(promise)) openGates(telling, promise, atMs);
  completeIfPaid(telling, promise, atMs);
}

/** S8 */
function completionIsOpen(world: World, promise: PromiseState, atMs: number): boolean {
  if (promise.endless !== null) return false; // S28
  if (world.policy.completion === 'early') return true;
  const last = lastDueDate(promise.lines);
  return last !== null && world.calendar.zone.startOfDay(last) <= atMs;
}

/** R14: kept when nothing is unpaid; S16: or when all was judged well before completion opened. */
export function completeIfPaid(telling: Telling, promise: PromiseState, atMs: number): void {
  const { world, catchingUp } = telling;
  if (catchingUp || !isLive(promise) || !promise.autoManage) return;
  if (!completionIsOpen(world, promise, atMs)) return;
  const counted = tellCount(telling, promise, atMs);
  const allFull = promise.lines.every((line, i) => isFull(line, counted.counted[i]));
  if (allFull || isJudgedWell(world, promise, counted)) keep(telling, promise, atMs, counted);
}

function isJudgedWell(world: World, promise: PromiseState, { counted }: Count): boolean {
  return promise.lines.every((line) => line.judged) && holesIn(world, promise, counted).length === 0;
}

/** S16, S18: a promise judged well to its last line is kept with what was in time for that, tolerance included. */
export function keepIfJudgedWell(telling: Telling, promise: PromiseState, atMs: number): void {
  const { world, state, known } = telling;
  if (!completionIsOpen(world, promise, atMs)) return;
  const windowEnd = latest(promise.lines.map((line) => line.lastDay));
  const counted = count(world, state, promise, { atMs, decidedMs: telling.dated(atMs), known, windowEnd });
  if (isJudgedWell(world, promise, counted)) keep(telling, promise, atMs, counted);
}

function keep(telling: Telling, promise: PromiseState, atMs: number, counted: Count): void {
  const shortCents = unpaidOf(promise.lines, counted.counted);
  end(telling.world, promise, {
    status: 'kept',
    reason: shortCents > 0 ? 'paid_within_tolerance' : 'paid_in_full',
    atMs: telling.dated(atMs),
    count: counted,
    forgivenCents: shortCents,
  });
}

// ---------------------------------------------------------------- judging

/** All judge times that have come, in order (S1). */
export function judgeWhatIsDue(
  telling: Telling,
  promise: PromiseState,
  atMs: number,
  postingsSeen: boolean,
): void {
  const { world, state } = telling;
  while (isLive(promise)) {
    const open = [
      ...promise.lines.filter((line) => !line.judged),
      ...currentBills(world, promise).filter((bill) => !promise.judgedBills.has(bill.id)),
    ];
    const come = open.map((item) => judgeMs(world, item)).filter((ms) => hasCome(state, ms, atMs));
    if (come.length === 0) return;
    judgeOneTime(telling, promise, atMs, Math.min(...come), postingsSeen);
  }
}

/** Lines and current bills with the same judge time are judged together (S1). */
export function judgeOneTime(
  telling: Telling,
  promise: PromiseState,
  atMs: number,
  judgedMs: number,
  postingsSeen: boolean,
): void {
  const { world } = telling;
  const lines = promise.lines.filter((line) => !line.judged && judgeMs(world, line) === judgedMs);
  const bills = currentBills(world, promise).filter(
    (bill) => !promise.judgedBills.has(bill.id) && judgeMs(world, bill) === judgedMs,
  );
  const lastDay = latest([...lines, ...bills].map((item) => item.lastDay));
  if (lastDay === null) return;
  telling.hear(lastDay);
  const before = { ...clonePromise(promise), breaking: null };
  const known = new Set(telling.known);
  const verdict = judge(telling, promise, atMs, lines, bills);
  if (verdict === null) return;
  const { status, reason, count: counted } = verdict;
  if (status === 'kept') return telling.catchingUp ? undefined : keep(telling, promise, atMs, counted);
  end(world, promise, {
    status,
    reason,
    atMs: telling.dated(atMs),
    count: counted,
    ...(status === 'broken' ? { breaking: { before, known, lastDay, atMs, judgedMs, postingsSeen } } : {}),
  });
}

interface Verdict {
  status: Outcome['status'];
  reason: string;
  count: Count;
}

/** S15, S16, S22, S32: the verdict of one judge time; null lets the promise go on. */
function judge(
  telling: Telling,
  promise: PromiseState,
  atMs: number,
  lines: Line[],
  bills: Bill[],
): Verdict | null {
  const { world, state, known } = telling;
  const { policy } = world;
  for (const line of lines) line.judged = true;
  for (const bill of bills) promise.judgedBills.add(bill.id);
  // S7: the latest last day of the lines judged here; where only bills are judged, the usual window.
  const windowEnd = lines.length === 0 ? windowEndOf(promise) : latest(lines.map((line) => line.lastDay));
  const look: Look = { atMs, decidedMs: telling.dated(atMs), known, windowEnd };
  const counted = count(world, state, promise, look);
  const broken = (reason: string): Verdict => ({ status: 'broken', reason, count: counted });

  if (lines.length > 0) {
    const missedNow = missedLines(world, promise, counted.counted);
    for (const line of promise.lines) line.missed = missedNow.has(line);
    const downPayment = promise.lines[0];
    if (!promise.downPaid && downPayment?.judged === true) {
      // S22: within the tolerance of its own amount.
      const { amountCents } = downPayment;
      if (amountCents - (counted.counted[0] ?? 0) > toleranceOf(policy, amountCents)) {
        downPayment.missed = true;
        const status = policy.downPaymentMissed === 'break' ? 'broken' : 'cancelled';
        return { status, reason: 'down_payment_missed', count: counted };
      }
      promise.downPaid = true;
    }
    const missed = promise.lines.filter((line) => line.missed).length;
    const nothingLeft = promise.endless === null && promise.lines.every((line) => line.judged);
    if (missed > 0 && policy.onMiss === 'break') {
      if (missed > policy.missesAllowed) return broken('installment_missed');
      if (nothingLeft && policy.finalMiss === 'break') return broken('installment_missed');
    }
    if (bills.some((bill) => !isCovered(world, bill, known))) return broken('current_bill_unpaid');
    if (missed === 0 && nothingLeft && completionIsOpen(world, promise, atMs)) {
      return { status: 'kept', reason: '', count: counted };
    }
    return null;
  }
  return bills.some((bill) => !isCovered(world, bill, known)) ? broken('current_bill_unpaid') : null;
}

/** S15: which judged lines are unpaid beyond tolerance (R12). */
export function missedLines(
  world: World,
  promise: PromiseState,
  counted: readonly number[],
): ReadonlySet<Line> {
  const judged = promise.lines.flatMap((line, i) =>
    line.judged ? [{ line, unpaidCents: line.amountCents - (counted[i] ?? 0) }] : [],
  );
  const beyondTolerance = (some: typeof judged): boolean => {
    const shortCents = some.reduce((sum, { unpaidCents }) => sum + unpaidCents, 0);
    const promisedCents = some.reduce((sum, { line }) => sum + line.amountCents, 0);
    return shortCents > toleranceOf(world.policy, promisedCents);
  };
  if (!beyondTolerance(judged)) return new Set();
  const missed = judged.filter(({ line, unpaidCents }) => {
    const upTo = judged.filter((other) => deadlineMs(world, other.line) <= deadlineMs(world, line));
    return unpaidCents > 0 && beyondTolerance(upTo);
  });
  return new Set(missed.map(({ line }) => line));
}

/**
 * Lines that are not satisfied: not full, and not judged within the tolerance either, or no longer so (a line judged within
 * it is satisfied as long as the shortfall of the judged lines stays within it).
 */
export function holesIn(world: World, promise: PromiseState, counted: readonly number[]): Line[] {
  const missedNow = missedLines(world, promise, counted);
  return promise.lines.filter(
    (line, i) => !isFull(line, counted[i]) && (!line.judged || line.missed || missedNow.has(line)),
  );
}

/** S32: a current bill is paid by what was applied to it in time, whoever paid. */
function isCovered(world: World, bill: Bill, known: ReadonlySet<number>): boolean {
  const cents = world.payments
    .filter((payment) => known.has(payment.index) && payment.effective <= bill.lastDay)
    .reduce((sum, payment) => sum + (payment.applied[bill.id] ?? 0), 0);
  return cents >= bill.amountCents;
}

/** The next instants at which time may bring something to a live promise. */
export function nextInstants(world: World, promise: PromiseState, afterMs: number): number[] {
  if (!isLive(promise) || !promise.autoManage) return [];
  const { zone } = world.calendar;
  extend(world, promise, zone.dateOf(Math.max(afterMs, promise.enrolledMs)));
  const bills = currentBills(world, promise).filter((bill) => !promise.judgedBills.has(bill.id));
  const lines = promise.lines.filter((line) => !line.judged);
  const instants = [...lines, ...bills].map((item) => judgeMs(world, item));
  if (!promise.approved) instants.push(approvalDeadlineMs(world, promise));
  if (world.policy.completion === 'after-last-due-date' || world.policy.overpayment === 'current') {
    instants.push(...promise.lines.map((line) => zone.startOfDay(line.dueDate)));
    instants.push(...promise.lines.map((line) => deadlineMs(world, line)));
  }
  return instants.filter((ms) => ms > afterMs);
}

/** The earliest open due date; null when all is counted. */
export function nextDueDate(lines: readonly Line[], counted: readonly number[]): LocalDate | null {
  return earliest(lines.filter((line, i) => !isFull(line, counted[i])).map((line) => line.dueDate));
}
