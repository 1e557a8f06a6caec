import { startOfDayMs, type EpochMs, type LocalDate } from '../calendar';
import {
  hasOtherPromise,
  SELF,
  type Bill,
  type Line,
  type Payment,
  type PromiseFacts,
  type Spend,
} from '../facts';
import { cents, remaining, ZERO, type Cents } from '../money';

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
  /** What was heard before counts on: money that bounced since then was good. */
  readonly earlier?: Hearing | null;
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
  | 'other_transaction'
  | 'reversed'
  | 'too_early'
  | 'too_late'
  | 'excess'
  | 'waiting'
  | 'not_needed'
  | 'not_managed';

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

/** A line with what counting needs to know of it; `judged` lines have had their judge time. */
export interface OpenLine {
  readonly line: Line;
  readonly judged: boolean;
}

/**
 * A payment prepared for counting: what never changes while a promise is judged over and over – whose money it is (R9), the
 * window's beginning (R8), what another promise has had of it (R11) – is found out once.
 */
interface Money {
  readonly payment: Payment;
  /** Of this promise's payor, before R8's window and R11. */
  readonly share: Cents;
  /** What this promise may count at most. */
  readonly usable: Cents;
  /** Null where no other promise has had any of it, as nearly always. */
  readonly spent: readonly Spend[] | null;
  readonly otherwise: NotCountedWhy;
  readonly postedAtMs: number;
  readonly reversedAtMs: number;
  readonly effectiveDate: LocalDate;
  readonly tooEarly: boolean;
}

/** The money of a promise in counting order, ready to be counted as often as it takes. */
export class Purse {
  /** In counting order. */
  readonly payments: readonly Payment[];
  readonly #facts: PromiseFacts;
  readonly #all: readonly Money[];
  /** The payments that could count at some time: the others cost nothing at a judge time. */
  readonly #countable: readonly Money[];
  readonly #isBound: boolean;

  constructor(facts: PromiseFacts) {
    this.#facts = facts;
    this.#isBound = isBound(facts);
    this.payments = inCountingOrder(facts.payments);
    this.#all = this.payments.map((payment) => prepare(facts, payment, this.#isBound));
    this.#countable = facts.autoManaged
      ? this.#all.filter(({ usable, tooEarly }) => usable > 0 && !tooEarly)
      : [];
  }

  /** More than can ever count: how much money of this promise there is, whenever it was posted. */
  get most(): number {
    let total = 0;
    for (const { usable } of this.#countable) total += usable;
    return total;
  }

  /** Whether a payment has money that can count for this promise, on an installment or waiting for one. */
  hasMoneyOf({ paymentId }: Payment): boolean {
    return this.#countable.some(({ payment }) => payment.paymentId === paymentId);
  }

  /** Whether so much money can have come by then at all: answers most questions at a fraction of the cost of a tally. */
  canHold(amount: number, byMs: number): boolean {
    let total = 0;
    for (const { usable, postedAtMs } of this.#countable) {
      if (postedAtMs <= byMs) total += usable;
      if (total >= amount) return true;
    }
    return amount <= 0;
  }

  /**
   * Whether the money that counts fills the first lines, whose amounts sum to `amount`. Only a yes is an answer: earliest
   * first fills them one after the other, except on named open items, and where an excess is lost.
   */
  surelyFills(amount: number, knowledge: Knowledge): boolean {
    if (this.#isBound || this.#facts.policy.overpayment === 'ignore-excess') return false;
    let total = 0;
    for (const money of this.#countable) {
      if (!isKnown(money, knowledge) || isBefore(money.reversedAtMs, knowledge)) continue;
      total += this.#left(money, knowledge);
      // In counting order no money before this is of a later day (R8), and texts are slow to compare.
      if (total >= amount) return knowledge.lastDay === null || money.effectiveDate <= knowledge.lastDay;
    }
    return false;
  }

  /**
   * What counts on each line, in the order of the lines (R8–R11): all that most decisions need to know.
   * @param waitingToo money that waits for its line to become current counts on it already (R31).
   */
  tally(lines: readonly OpenLine[], knowledge: Knowledge, waitingToo = false): number[] {
    const counted = new Array<number>(lines.length).fill(0);
    const open = waitingToo ? lines.length : this.#consumers(lines, knowledge.atMs);
    const filler = new Filler(this.#facts, lines, open, this.#isBound, counted);
    for (const money of this.#countable) {
      if (counts(money, knowledge)) filler.pour(money.payment, this.#left(money, knowledge));
    }
    return counted;
  }

  /** As `tally`, saying which payment paid what, and why money did not count (R20). */
  count(lines: readonly OpenLine[], knowledge: Knowledge): Count {
    const counted = new Array<number>(lines.length).fill(0);
    const takes = lines.map((): Take[] => []);
    const notCounted: NotCounted[] = [];
    const open = this.#consumers(lines, knowledge.atMs);
    const filler = new Filler(this.#facts, lines, open, this.#isBound, counted, takes);
    for (const money of this.#all) {
      if (!isKnown(money, knowledge)) continue;
      const { payment, share } = money;
      const { paymentId, effectiveDate } = payment;
      const leave = (amount: number, why: NotCountedWhy): void => {
        if (amount > 0) notCounted.push({ paymentId, effectiveDate, cents: cents(amount), why });
      };
      leave(remaining(payment.amountCents, share), money.otherwise);
      const refusal = whyNot(money, knowledge);
      if (refusal !== null) leave(share, refusal);
      else if (!this.#facts.autoManaged) leave(share, 'not_managed');
      else {
        const left = this.#left(money, knowledge);
        leave(share - money.usable, 'other_transaction'); // it pays a current bill (R26)
        leave(money.usable - left, 'other_promise');
        leave(filler.pour(payment, left), filler.leftover);
      }
    }
    return {
      lines: lines.map(({ line }, index) => ({
        line,
        takes: takes[index] ?? [],
        countedCents: cents(counted[index] ?? 0),
      })),
      notCounted,
    };
  }

  /** R26: what has been paid on a bill by its last day. */
  paidOn(bill: Bill, knowledge: Knowledge): number {
    let paid = 0;
    for (const money of this.#all) {
      const applied = money.payment.applied?.[bill.transactionId];
      if (applied === undefined || money.effectiveDate > bill.lastDay) continue;
      if (isKnown(money, knowledge) && !isBefore(money.reversedAtMs, knowledge)) paid += applied;
    }
    return paid;
  }

  // R11: cents that a promise had counted when it ended count for none of the same payor from then on, and for others no more
  // than what is left of the payment after that. Of promises that end at one instant the account's own comes last: it sees what
  // the third parties took, and they do not see what it takes.
  #left({ payment, usable, spent }: Money, { atMs, hearing }: Knowledge): number {
    if (spent === null) return usable;
    const nowMs = hearing === null ? atMs : Math.max(atMs, hearing.atMs);
    const { payor, policy } = this.#facts;
    let ofPayor = 0;
    let ofOthers = 0;
    const comesLast = payor === SELF;
    const has = (spend: Spend): boolean =>
      spend.payor === payor || comesLast ? spend.atMs <= nowMs : spend.atMs < nowMs;
    for (const [index, spend] of spent.entries()) {
      // What it had when it ended last counts, in whichever revision.
      const isReplaced = (later: Spend, at: number): boolean =>
        at > index && later.promiseId === spend.promiseId && has(later);
      if (!has(spend) || spent.some(isReplaced)) continue;
      if (spend.payor === payor) ofPayor += spend.cents;
      else ofOthers += spend.cents;
    }
    if (policy.payor === 'promise-payor-whole') return Math.max(0, usable - ofPayor);
    return Math.max(0, Math.min(usable - ofPayor, payment.amountCents - ofPayor - ofOthers));
  }

  #consumers(lines: readonly OpenLine[], atMs: EpochMs): number {
    return this.#facts.policy.overpayment === 'current' ? consumers(this.#facts, lines, atMs) : lines.length;
  }
}

/** Pours payments, in counting order, into lines: earliest first (R10). */
class Filler {
  readonly #lines: readonly OpenLine[];
  readonly #counted: number[];
  readonly #takes: Take[][] | undefined;
  readonly #isBound: boolean;
  readonly #servesOne: boolean;
  readonly #open: number;
  #first = 0; // the earliest line that is not full

  constructor(
    facts: PromiseFacts,
    lines: readonly OpenLine[],
    open: number,
    isBoundPromise: boolean,
    counted: number[],
    takes?: Take[][],
  ) {
    this.#lines = lines;
    this.#counted = counted;
    this.#takes = takes;
    this.#isBound = isBoundPromise;
    this.#servesOne = facts.policy.overpayment === 'ignore-excess';
    this.#open = open;
  }

  /** Why money is left over. */
  get leftover(): NotCountedWhy {
    if (this.#isBound) return 'other_transaction';
    if (this.#servesOne && this.#first < this.#lines.length) return 'excess';
    return this.#open < this.#lines.length ? 'waiting' : 'not_needed';
  }

  /** @returns the cents that no line took. */
  pour(payment: Payment, usable: number): number {
    if (this.#isBound) return this.#pourByTransaction(payment, usable);
    let left = usable;
    while (left > 0 && this.#first < this.#open) {
      const missing = this.#missing(this.#first);
      const taken = Math.min(left, missing);
      this.#take(this.#first, payment, taken);
      left -= taken;
      if (taken === missing) this.#first += 1;
      if (this.#servesOne && taken > 0) break; // R10: its excess is never counted
    }
    return left;
  }

  // R24: each open item is a pool of its own.
  #pourByTransaction(payment: Payment, usable: number): number {
    let left = usable;
    const applied = new Map(Object.entries(payment.applied ?? {}));
    for (let index = 0; index < this.#open && left > 0; index += 1) {
      const item = this.#lines[index]?.line.transactionId;
      if (item === undefined) continue;
      const here = applied.get(item) ?? ZERO;
      const taken = Math.min(left, here, this.#missing(index));
      if (taken <= 0) continue;
      this.#take(index, payment, taken);
      applied.set(item, cents(here - taken));
      left -= taken;
    }
    return left;
  }

  #missing(index: number): number {
    return (this.#lines[index]?.line.amountCents ?? 0) - (this.#counted[index] ?? 0);
  }

  #take(index: number, { paymentId, effectiveDate }: Payment, taken: number): void {
    this.#counted[index] = (this.#counted[index] ?? 0) + taken;
    if (taken > 0) this.#takes?.[index]?.push({ paymentId, effectiveDate, cents: cents(taken) });
  }
}

/**
 * R10 `current`: from when on a line consumes money: its due date, or its deadline where a roll put that before, else nothing
 * could ever pay it in time.
 */
export function currentFromMs({ dueDate, deadlineMs }: Line, timeZone: string): number {
  return Math.min(startOfDayMs(dueDate, timeZone), deadlineMs);
}

function consumers(facts: PromiseFacts, lines: readonly OpenLine[], atMs: EpochMs): number {
  let open = 0;
  while (open < lines.length) {
    const next = lines[open];
    if (next === undefined) break;
    const { line, judged } = next;
    if (!judged && currentFromMs(line, facts.timeZone) > atMs) break;
    open += 1;
  }
  return open;
}

/** Whether a promise pays named open items (R24). */
export function isBound({ lines }: Pick<PromiseFacts, 'lines'>): boolean {
  return lines.some(({ transactionId }) => transactionId !== undefined);
}

function prepare(facts: PromiseFacts, payment: Payment, bound: boolean): Money {
  const { cents: share, otherwise } = shareOf(facts, payment);
  const { windowStart } = facts.policy;
  const { effectiveDate, postedAtMs, reversal } = payment;
  const onBills = bound ? 0 : appliedToBills(facts, payment);
  return {
    payment,
    share,
    usable: cents(Math.max(0, Math.min(share, payment.amountCents - onBills))),
    spent: payment.spent.length === 0 ? null : payment.spent,
    otherwise,
    postedAtMs,
    reversedAtMs: reversal === null ? Infinity : reversal.postedAtMs,
    effectiveDate,
    tooEarly:
      windowStart === 'inclusive' ? effectiveDate < facts.startDate : effectiveDate <= facts.startDate,
  };
}

// R26: what pays a current bill does not pay the promise, too.
function appliedToBills({ bills, policy }: PromiseFacts, { applied }: Payment): number {
  if (!policy.stayCurrent || applied === undefined) return 0;
  let total = 0;
  for (const { transactionId } of bills) total += applied[transactionId] ?? 0;
  return total;
}

/** By effective date, then id: the order in which files arrive never matters. */
function inCountingOrder(payments: readonly Payment[]): readonly Payment[] {
  for (let index = 1; index < payments.length; index += 1) {
    const [before, after] = [payments[index - 1], payments[index]];
    if (before !== undefined && after !== undefined && byDate(before, after) > 0) {
      return [...payments].sort(byDate);
    }
  }
  return payments;
}

function byDate(a: Payment, b: Payment): number {
  if (a.effectiveDate !== b.effectiveDate) return a.effectiveDate < b.effectiveDate ? -1 : 1;
  return a.paymentId < b.paymentId ? -1 : a.paymentId > b.paymentId ? 1 : 0;
}

function isBefore(instantMs: number, knowledge: Knowledge): boolean {
  return knowledge.inclusive ? instantMs <= knowledge.atMs : instantMs < knowledge.atMs;
}

function isKnown(money: Money, knowledge: Knowledge): boolean {
  return isBefore(money.postedAtMs, knowledge) || isHeard(money, knowledge.hearing);
}

function isHeard(money: Money, hearing: Hearing | null): boolean {
  if (hearing === null) return false;
  const { effectiveDate, postedAtMs, reversedAtMs } = money;
  const { atMs, lastDay, earlier = null } = hearing;
  return (effectiveDate <= lastDay && postedAtMs <= atMs && atMs < reversedAtMs) || isHeard(money, earlier);
}

function counts(money: Money, knowledge: Knowledge): boolean {
  return isKnown(money, knowledge) && whyNot(money, knowledge) === null;
}

// R8: effective date from the start date to the deadline under judgement; R19: reversed money is gone.
function whyNot(money: Money, knowledge: Knowledge): NotCountedWhy | null {
  if (isBefore(money.reversedAtMs, knowledge)) return 'reversed';
  if (money.tooEarly) return 'too_early';
  if (knowledge.lastDay !== null && money.effectiveDate > knowledge.lastDay) return 'too_late';
  return null;
}

/** R9: how much of a payment is money of this promise's payor. */
function shareOf(facts: PromiseFacts, payment: Payment): { cents: Cents; otherwise: NotCountedWhy } {
  if (payment.debtClass !== facts.debtClass) return { cents: ZERO, otherwise: 'other_debt_class' };
  if (payment.currency !== facts.currency) return { cents: ZERO, otherwise: 'other_currency' };
  const { payor } = facts;
  if (facts.policy.payor === 'promise-payor-whole') {
    const isTheirs = payment.tenders.some((tender) => tender.payor === payor);
    return { cents: isTheirs ? payment.amountCents : ZERO, otherwise: 'other_payor' };
  }
  const isOurs = (tenderer: string): boolean =>
    tenderer === payor ||
    (facts.policy.payor === 'anyone' &&
      payor === SELF &&
      !hasOtherPromise(facts, tenderer, payment.postedAtMs));
  let ours = 0;
  let isAllOurs = payment.tenders.length > 0;
  for (const tender of payment.tenders) {
    if (isOurs(tender.payor)) ours += tender.amountCents;
    else isAllOurs = false;
  }
  return { cents: isAllOurs ? payment.amountCents : cents(ours), otherwise: 'other_payor' };
}
