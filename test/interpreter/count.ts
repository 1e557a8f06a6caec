/** What counts as paid: R8 to R11. Everything is counted anew at every look. */
import { earliest } from './dates';
import { type LocalDate } from './scenario';
import {
  type Count,
  currentBills,
  deadlineMs,
  type Line,
  type Payment,
  type PromiseState,
  SELF,
  type State,
  totalOf,
  type World,
} from './world';

/** One look at the money of a promise. */
export interface Look {
  atMs: number;
  /** Payments posted and not reversed. */
  known: ReadonlySet<number>;
  /** R8: money effective later is not counted yet; null is an open end. */
  windowEnd: LocalDate | null;
  /** R11, S12: what other promises had counted when they ended up to this instant is theirs; default `atMs`. */
  decidedMs?: number;
  /** R31: count money that waits for its line to become current, too. */
  waitingToo?: boolean;
}

/** S7: between judge times nothing is counted that came after the earliest last day still waited for. */
export function windowEndOf(promise: PromiseState): LocalDate | null {
  return earliest(promise.lines.filter((line) => !line.judged).map((line) => line.lastDay));
}

/** The usual look: what stands on a promise at an instant, by what is known. */
export function countNow(
  world: World,
  state: State,
  promise: PromiseState,
  known: ReadonlySet<number>,
  atMs: number,
  decidedMs = atMs,
): Count {
  return count(world, state, promise, { atMs, decidedMs, known, windowEnd: windowEndOf(promise) });
}

export function count(world: World, state: State, promise: PromiseState, look: Look): Count {
  const counted = promise.lines.map(() => 0);
  const taken = new Map<number, number>();
  if (!promise.autoManage) return { counted, taken }; // S29
  const bound = isBound(promise);
  for (const payment of world.payments) {
    if (!look.known.has(payment.index) || !inWindow(world, promise, payment, look.windowEnd)) continue;
    const purse = purseOf(world, state, promise, payment, look);
    promise.lines.forEach((line, i) => {
      if (!isOpen(world, line, look)) return;
      const wanted = line.amountCents - (counted[i] ?? 0);
      const cents = purse(wanted, bound ? line.transaction : undefined);
      counted[i] = (counted[i] ?? 0) + cents;
      if (cents > 0) taken.set(payment.index, (taken.get(payment.index) ?? 0) + cents);
    });
  }
  return { counted, taken };
}

/** R8 */
export function inWindow(
  world: World,
  promise: PromiseState,
  { effective }: Payment,
  windowEnd: LocalDate | null,
): boolean {
  const started =
    world.policy.windowStart === 'inclusive' ? effective >= promise.startDate : effective > promise.startDate;
  return started && (windowEnd === null || effective <= windowEnd);
}

/** R10, S8: `current` serves a line only once its date is reached (or its deadline, should a roll put it earlier). */
function isOpen(world: World, line: Line, look: Look): boolean {
  if (world.policy.overpayment !== 'current' || look.waitingToo === true) return true;
  return (
    line.judged ||
    world.calendar.zone.startOfDay(line.dueDate) <= look.atMs ||
    deadlineMs(world, line) <= look.atMs
  );
}

/** Hands out at most `wanted`; for a line bound to a transaction (S11), of what was applied to it only. */
type Purse = (wanted: number, transaction: string | null | undefined) => number;

const isBound = (promise: PromiseState): boolean => promise.lines.some((line) => line.transaction !== null);

/** The cents of one payment that may serve one promise. */
function purseOf(world: World, state: State, promise: PromiseState, payment: Payment, look: Look): Purse {
  const bound = isBound(promise);
  const bills = billsOf(world, promise);
  const own = ownCents(world, state, promise, payment);
  let left = leftOf(world, state, promise, payment, own, look.decidedMs ?? look.atMs);
  const appliedLeft = new Map(Object.entries(payment.applied).filter(([id]) => !bills.includes(id)));
  const onlyOneLine = world.policy.overpayment === 'ignore-excess' && !bound;
  let served = false;
  return (wanted, transaction) => {
    if (onlyOneLine && served) return 0; // S9: the excess is never counted
    const limit = transaction === undefined ? left : Math.min(left, appliedLeft.get(transaction ?? '') ?? 0);
    const cents = Math.max(0, Math.min(wanted, limit));
    if (cents === 0) return 0;
    served = true;
    left -= cents;
    if (typeof transaction === 'string') {
      appliedLeft.set(transaction, (appliedLeft.get(transaction) ?? 0) - cents);
    }
    return cents;
  };
}

const billsOf = (world: World, promise: PromiseState): string[] =>
  currentBills(world, promise).map(({ id }) => id);

/** S32: cents of a current bill never count; lines bound to transactions do not touch them anyway. */
export function ownCents(world: World, state: State, promise: PromiseState, payment: Payment): number {
  const share = shareOf(world, state, promise, payment);
  if (isBound(promise)) return share;
  return billsOf(world, promise).reduce((cents, id) => cents - (payment.applied[id] ?? 0), share);
}

/** R11, S12 as corrected: what promises that have ended left of a payment's share. */
function leftOf(
  world: World,
  state: State,
  promise: PromiseState,
  payment: Payment,
  share: number,
  decidedMs: number,
): number {
  let [ofPayor, ofOthers] = [0, 0];
  for (const other of state.promises) {
    if (other.id === promise.id) continue;
    const same = other.payor === promise.payor;
    // Of one instant the account's own promise comes last.
    const seesNow = same || promise.payor === SELF;
    const use = other.uses.findLast(({ atMs }) => (seesNow ? atMs <= decidedMs : atMs < decidedMs));
    const cents = use?.taken.get(payment.index) ?? 0;
    if (same) ofPayor += cents;
    else ofOthers += cents;
  }
  if (world.policy.payor === 'promise-payor-whole') return share - ofPayor;
  return Math.min(share - ofPayor, payment.amountCents - ofPayor - ofOthers);
}

/** R9, S10: the cents of a payment that are money of a promise. */
function shareOf(world: World, state: State, promise: PromiseState, payment: Payment): number {
  const sum = (wanted: (payor: string) => boolean): number =>
    payment.tenders.reduce((cents, tender) => cents + (wanted(tender.payor) ? tender.amountCents : 0), 0);
  switch (world.policy.payor) {
    case 'promise-payor':
      return sum((payor) => payor === promise.payor);
    case 'promise-payor-whole':
      return payment.tenders.some(({ payor }) => payor === promise.payor) ? payment.amountCents : 0;
    case 'anyone': {
      if (promise.payor !== SELF) return sum((payor) => payor === promise.payor); // R27
      const others = state.promisedPayors.get(payment.index);
      return sum((payor) => payor === SELF || others?.has(payor) !== true);
    }
  }
}

export const unpaidOf = (lines: readonly Line[], counted: readonly number[]): number =>
  totalOf(lines) - counted.reduce((sum, cents) => sum + cents, 0);

export const isFull = (line: Line, cents: number | undefined): boolean => (cents ?? 0) >= line.amountCents;
