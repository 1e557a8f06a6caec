import type { EpochMs, LocalDate } from './calendar';
import { hasOtherPromise, SELF, type Line, type Payment, type PromiseFacts } from './facts';
import { cents, minCents, remaining, sum, ZERO, type Cents } from './money';

/** What the ledger knows at the moment of a decision, and which money the decision may look at. */
export interface Knowledge {
  /** Postings at this instant: known to a decision that a posting causes, too late for a judge time (R5). */
  readonly atMs: EpochMs;
  readonly inclusive: boolean;
  /** Late evidence that this decision listens to (R15). */
  readonly hearing: Hearing | null;
  /** R8: money effective after this day is not counted yet; null means no deadline is under judgement. */
  readonly lastDay: LocalDate | null;
}

/**
 * R15, late evidence: money effective by `lastDay` counts as if it had been posted in time, when it was posted by `atMs`
 * and had not been reversed by then.
 */
export interface Hearing {
  readonly atMs: EpochMs;
  readonly lastDay: LocalDate;
}

/** Cents of one payment that one line took. */
export interface Take {
  readonly paymentId: string;
  readonly effectiveDate: LocalDate;
  readonly cents: Cents;
}

export interface CountedLine {
  readonly line: Line;
  readonly countedCents: Cents;
  readonly takes: readonly Take[];
}

/** Why money of the account does not count for a promise (R20). */
export type NotCountedWhy =
  | 'other_debt_class'
  | 'other_currency'
  | 'other_payor'
  | 'other_promise'
  | 'reversed'
  | 'too_early'
  | 'too_late'
  | 'not_needed';

export interface NotCounted {
  readonly paymentId: string;
  readonly effectiveDate: LocalDate;
  readonly cents: Cents;
  readonly why: NotCountedWhy;
}

export interface Count {
  readonly lines: readonly CountedLine[];
  readonly notCounted: readonly NotCounted[];
}

/**
 * Counts the money that a promise has received, as known at one instant (R8, R9 `anyone`, R10 `pool`).
 * `facts.payments` must be in `countingOrder`.
 */
export function count(facts: PromiseFacts, lines: readonly Line[], knowledge: Knowledge): Count {
  const open = lines.map((line) => ({ line, left: line.amountCents, takes: [] as Take[] }));
  const notCounted: NotCounted[] = [];
  let first = 0; // the earliest line that is not full: R10, earliest first
  for (const payment of facts.payments) {
    if (!isKnown(payment, knowledge)) continue;
    const { paymentId, effectiveDate } = payment;
    const share = shareOf(facts, payment);
    const other = remaining(payment.amountCents, share.cents);
    if (other > 0) notCounted.push({ paymentId, effectiveDate, cents: other, why: share.otherwise });
    const refusal = share.cents > 0 ? whyNot(facts, payment, knowledge) : null;
    if (refusal !== null) {
      notCounted.push({ paymentId, effectiveDate, cents: share.cents, why: refusal });
      continue;
    }
    const spent = minCents(share.cents, payment.spentCents); // R11: no cent counts twice
    if (spent > 0) notCounted.push({ paymentId, effectiveDate, cents: spent, why: 'other_promise' });
    let left: Cents = remaining(share.cents, spent);
    for (; left > 0 && first < open.length; first += 1) {
      const target = open[first];
      if (target === undefined) break;
      const taken = minCents(left, target.left);
      target.takes.push({ paymentId, effectiveDate, cents: taken });
      target.left = cents(target.left - taken);
      left = cents(left - taken);
      if (target.left > 0) break;
    }
    if (left > 0) notCounted.push({ paymentId, effectiveDate, cents: left, why: 'not_needed' });
  }
  return {
    lines: open.map(({ line, left, takes }) => ({
      line,
      takes,
      countedCents: cents(line.amountCents - left),
    })),
    notCounted,
  };
}

/**
 * How much money counts in all, whichever line it falls on: all that most happenings need to know, at a fraction of the
 * cost of a full count. More than was promised is possible.
 */
export function received(facts: PromiseFacts, knowledge: Knowledge): Cents {
  let total = ZERO;
  for (const payment of facts.payments) {
    if (!isKnown(payment, knowledge) || whyNot(facts, payment, knowledge) !== null) continue;
    total = cents(total + remaining(shareOf(facts, payment).cents, payment.spentCents));
  }
  return total;
}

/** What is unpaid on a counted line. */
export function unpaid(counted: CountedLine): Cents {
  return remaining(counted.line.amountCents, counted.countedCents);
}

/** What is unpaid on several lines. */
export function unpaidOn(lines: readonly CountedLine[]): Cents {
  return sum(lines.map(unpaid));
}

/** By effective date, then id: the order in which files arrive never matters. */
export function countingOrder(payments: readonly Payment[]): Payment[] {
  return [...payments].sort((a, b) =>
    a.effectiveDate === b.effectiveDate
      ? compare(a.paymentId, b.paymentId)
      : compare(a.effectiveDate, b.effectiveDate),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isBefore(postedAtMs: EpochMs, knowledge: Knowledge): boolean {
  return knowledge.inclusive ? postedAtMs <= knowledge.atMs : postedAtMs < knowledge.atMs;
}

function isKnown(payment: Payment, knowledge: Knowledge): boolean {
  return isBefore(payment.postedAtMs, knowledge) || isHeard(payment, knowledge.hearing);
}

function isHeard({ effectiveDate, postedAtMs, reversal }: Payment, hearing: Hearing | null): boolean {
  if (hearing === null || effectiveDate > hearing.lastDay || postedAtMs > hearing.atMs) return false;
  return reversal === null || reversal.postedAtMs > hearing.atMs;
}

// R9 `anyone`: the account's own promise counts all tenders except those of payors who had an active promise of
// their own when the money was posted; a third party's promise counts only that party's tenders.
function shareOf(facts: PromiseFacts, payment: Payment): { cents: Cents; otherwise: NotCountedWhy } {
  if (payment.debtClass !== facts.debtClass) return { cents: ZERO, otherwise: 'other_debt_class' };
  if (payment.currency !== facts.currency) return { cents: ZERO, otherwise: 'other_currency' };
  const counts = (payor: string): boolean =>
    payor === facts.payor || (facts.payor === SELF && !hasOtherPromise(facts, payor, payment.postedAtMs));
  const own = payment.tenders.filter((tender) => counts(tender.payor));
  return { cents: sum(own.map((tender) => tender.amountCents)), otherwise: 'other_payor' };
}

// R8: effective date from the start date to the deadline under judgement; R19: reversed money is gone.
function whyNot(facts: PromiseFacts, payment: Payment, knowledge: Knowledge): NotCountedWhy | null {
  if (payment.reversal !== null && isBefore(payment.reversal.postedAtMs, knowledge)) return 'reversed';
  const tooEarly =
    facts.policy.windowStart === 'inclusive'
      ? payment.effectiveDate < facts.startDate
      : payment.effectiveDate <= facts.startDate;
  if (tooEarly) return 'too_early';
  if (knowledge.lastDay !== null && payment.effectiveDate > knowledge.lastDay) return 'too_late';
  return null;
}
