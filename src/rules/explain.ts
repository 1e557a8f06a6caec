import { addDays, daysBetween, formatDate, localDateAt, type LocalDate } from './calendar';
import { isBound, type NotCounted } from './judging/count';
import { SELF, type FinalStatus, type PromiseFacts, type Reason } from './facts';
import { unpaidOn, type JudgedLine, type Outcome } from './judging/life';
import { cents, formatMoney, sum, type Cents } from './money';

/** R20: a decision with everything that led to it, as data and as one plain sentence. Stored, never changed. */
export interface Verdict {
  readonly promiseId: string;
  readonly revision: number;
  readonly status: FinalStatus;
  readonly reason: Reason;
  readonly sentence: string;
  readonly decidedAt: string;
  readonly decidedBy: string;
  readonly rules: readonly string[];
  readonly policy: { readonly name: string; readonly version: number };
  readonly calendarVersion: string;
  readonly codeVersion: string;
  readonly window: { readonly from: LocalDate; readonly to: LocalDate };
  readonly requiredCents: Cents;
  readonly countedCents: Cents;
  readonly shortfallCents: Cents;
  readonly forgivenCents: Cents;
  readonly installments: readonly VerdictLine[];
  readonly notCounted: readonly NotCounted[];
  /** R26: the bill that broke it. */
  readonly bill?: {
    readonly transactionId: string;
    readonly dueDate: LocalDate;
    readonly amountCents: Cents;
  };
}

export interface VerdictLine {
  readonly seq: number;
  readonly dueDate: LocalDate;
  readonly lastDay: LocalDate;
  readonly deadline: string;
  readonly amountCents: Cents;
  readonly countedCents: Cents;
  readonly status: JudgedLine['status'];
  readonly counted: JudgedLine['takes'];
  /** R24: the open item that it pays. */
  readonly transactionId?: string;
}

/** The version of the rules that decided; changes when a decision could come out differently. */
export const RULES_VERSION = '2';

/**
 * Explains an outcome (R20). Depends on the facts and the outcome alone: recomputed from stored facts it gives the
 * same bytes.
 * @param decidedBy `troth`, or the actor who cancelled.
 */
export function explain(facts: PromiseFacts, outcome: Outcome, decidedBy: string): Verdict {
  const judged = outcome.lines;
  const exclusive = facts.policy.windowStart === 'exclusive';
  const from = exclusive ? addDays(facts.startDate, 1) : facts.startDate;
  const window = { from, to: outcome.lastDay ?? localDateAt(outcome.atMs, facts.timeZone) };
  const required = sum(requiredLines(outcome).map(({ line }) => line.amountCents));
  const short = unpaidOn(requiredLines(outcome));
  const bill = facts.bills.find(({ transactionId }) => transactionId === outcome.billId);
  return {
    promiseId: facts.promiseId,
    revision: outcome.revision,
    status: outcome.status,
    reason: outcome.reason,
    sentence: sentenceOf(facts, outcome),
    decidedAt: new Date(outcome.atMs).toISOString(),
    decidedBy,
    rules: rulesOf(facts, outcome),
    policy: { name: facts.policy.name, version: facts.policy.version },
    calendarVersion: facts.calendarVersion,
    codeVersion: RULES_VERSION,
    window,
    requiredCents: required,
    countedCents: sum(judged.map((line) => line.countedCents)),
    shortfallCents: short,
    forgivenCents: outcome.forgivenCents,
    installments: judged.map(({ line, status, countedCents, takes }) => ({
      seq: line.seq,
      dueDate: line.dueDate,
      lastDay: line.lastDay,
      deadline: new Date(line.deadlineMs).toISOString(),
      amountCents: line.amountCents,
      countedCents,
      status,
      counted: takes,
      ...(line.transactionId === undefined ? {} : { transactionId: line.transactionId }),
    })),
    notCounted: outcome.notCounted,
    ...(bill === undefined
      ? {}
      : {
          bill: {
            transactionId: bill.transactionId,
            dueDate: bill.dueDate,
            amountCents: bill.amountCents,
          },
        }),
  };
}

/** The lines that had to be paid for this decision: those judged so far when broken, else all of them. */
function requiredLines(outcome: Outcome): readonly JudgedLine[] {
  const { reason, lines } = outcome;
  if (reason === 'down_payment_missed') return lines.slice(0, 1);
  if (reason !== 'installment_missed') return lines;
  return lines.filter(({ status }) => status === 'kept' || status === 'broken');
}

const COUNTING = ['R8', 'R9', 'R10'];
const RULES_OF: Readonly<Partial<Record<Reason, readonly string[]>>> = {
  paid_in_full: [...COUNTING, 'R14'],
  paid_within_tolerance: ['R4', 'R5', ...COUNTING, 'R12', 'R14'],
  balance_cleared: ['R13'],
  installment_missed: ['R4', 'R5', ...COUNTING, 'R12', 'R15'],
  down_payment_missed: ['R4', 'R5', ...COUNTING, 'R12', 'R25'],
  reversal: [...COUNTING, 'R19'],
  current_bill_unpaid: ['R4', 'R5', 'R26'],
  not_approved: ['R25'],
};

function rulesOf(facts: PromiseFacts, { reason, notCounted }: Outcome): string[] {
  const rules = [...(RULES_OF[reason] ?? ['R17'])];
  const { graceUnit, dueDateRoll } = facts.policy;
  if (rules.includes('R4') && (graceUnit === 'business' || dueDateRoll !== 'none')) rules.push('R7');
  if (notCounted.some(({ why }) => why === 'other_promise')) rules.push('R11');
  if (facts.repeat !== null) rules.push('R22');
  if (isBound(facts)) rules.push('R24');
  if (facts.payor !== SELF) rules.push('R27');
  return rules;
}

function sentenceOf(facts: PromiseFacts, outcome: Outcome): string {
  switch (outcome.status) {
    case 'kept':
      return keptSentence(facts, outcome);
    case 'broken':
      return brokenSentence(facts, outcome);
    case 'cancelled':
      return cancelledSentence(facts, outcome);
  }
}

function keptSentence(facts: PromiseFacts, outcome: Outcome): string {
  const { lines, forgivenCents } = outcome;
  const money = (amount: Cents): string => formatMoney(amount, facts.currency);
  if (outcome.reason === 'balance_cleared')
    return `Kept on ${dayOf(facts, outcome)}: ${cleared(facts, outcome)}.`;
  const total = sum(lines.map(({ line }) => line.amountCents));
  const lastPaid = lines
    .flatMap(({ takes }) => takes)
    .reduce((day, { effectiveDate }) => (effectiveDate > day ? effectiveDate : day), facts.startDate);
  const [only] = lines;
  const what =
    lines.length === 1 && only !== undefined
      ? `due ${formatDate(only.line.dueDate)}`
      : `in ${lines.length} installments`;
  if (forgivenCents > 0) {
    const received = money(cents(total - forgivenCents));
    return `Kept: ${received} of ${money(total)} ${what} was received by ${formatDate(lastPaid)}; the ${money(forgivenCents)} missing is within the tolerance and forgiven.`;
  }
  return `Kept: ${money(total)} ${what} was received in full by ${formatDate(lastPaid)}.`;
}

function brokenSentence(facts: PromiseFacts, outcome: Outcome): string {
  if (outcome.reason === 'current_bill_unpaid') return billSentence(facts, outcome);
  const missed = outcome.lines.filter(({ status }) => status === 'broken');
  const [first] = missed;
  if (first === undefined) return 'Broken.';
  const { line } = first;
  const lastDay = outcome.lastDay ?? line.lastDay;
  const by =
    outcome.reason === 'reversal'
      ? 'is left after a reversal'
      : `was received by ${formatDate(lastDay, { year: lastDay.slice(0, 4) !== line.dueDate.slice(0, 4) })}`;
  const others = missed.length - 1;
  const tail = [
    ...(others === 0
      ? []
      : [`${others} more ${others === 1 ? 'installment was' : 'installments were'} short too`]),
    ...shortStories(facts, outcome, lastDay),
  ];
  return `Broken: ${receivedOf(facts, outcome, first)} ${by}${tail.map((part) => `; ${part}`).join('')}.`;
}

/** `$60.00 of $100.00 due 15 Jan 2025`, `nothing of installment 2 of 3, $100.00 due 15 Feb 2025,` */
function receivedOf(facts: PromiseFacts, outcome: Outcome, { line, countedCents }: JudgedLine): string {
  const due = `${formatMoney(line.amountCents, facts.currency)} due ${formatDate(line.dueDate)}`;
  const received = countedCents === 0 ? 'nothing' : formatMoney(countedCents, facts.currency);
  const the = countedCents === 0 ? 'the ' : '';
  const isDownPayment = outcome.reason === 'down_payment_missed';
  if (isDownPayment) return `${received} of the down payment, ${due},`;
  if (line.transactionId !== undefined) return `${received} of ${due} for ${line.transactionId}`;
  if (outcome.lines.length === 1 && facts.repeat === null) return `${received} of ${the}${due}`;
  const of =
    facts.repeat !== null && outcome.lines.length !== facts.repeat.count ? '' : ` of ${outcome.lines.length}`;
  return `${received} of installment ${line.seq}${of}, ${due},`;
}

function billSentence(facts: PromiseFacts, { billId, lastDay }: Outcome): string {
  const bill = facts.bills.find(({ transactionId }) => transactionId === billId);
  if (bill === undefined || lastDay === null) return 'Broken: a current bill was not paid.';
  const amount = formatMoney(bill.amountCents, facts.currency);
  return `Broken: the current bill ${bill.transactionId}, ${amount} due ${formatDate(bill.dueDate)}, was not paid in full by ${formatDate(lastDay)}, and this promise asks to stay current.`;
}

function dayOf(facts: PromiseFacts, { atMs }: Outcome): string {
  return formatDate(localDateAt(atMs, facts.timeZone));
}

function cleared(facts: PromiseFacts, { lines }: Outcome): string {
  const open = unpaidOn(lines);
  const amount = formatMoney(open, facts.currency);
  return `nothing is left to collect; the ${amount} still promised was settled otherwise than by payment`;
}

const MAX_STORIES = 3;

/** Money that came and did not count, told in a few words: late, early, reversed. */
function shortStories(facts: PromiseFacts, outcome: Outcome, lastDay: LocalDate): string[] {
  const stories = outcome.notCounted.flatMap((item) => {
    const story = storyOf(facts, item, lastDay);
    return story === null ? [] : [story];
  });
  const rest = stories.length - MAX_STORIES;
  if (rest <= 0) return stories;
  return [
    ...stories.slice(0, MAX_STORIES),
    `${rest} more ${rest === 1 ? 'payment' : 'payments'} did not count`,
  ];
}

// Money that never could have counted, or that still may, is no story of a miss.
const STORIES: Readonly<Partial<Record<NotCounted['why'], string>>> = {
  other_debt_class: 'paid another debt',
  other_payor: 'came from another payor',
  other_promise: 'had paid another promise',
  excess: 'was over its installment and does not count for others',
  other_transaction: 'paid other bills',
};

function storyOf(facts: PromiseFacts, item: NotCounted, lastDay: LocalDate): string | null {
  const { effectiveDate, why, paymentId } = item;
  const money = `${formatMoney(item.cents, facts.currency)} of ${formatDate(effectiveDate, { year: false })}`;
  if (why === 'too_late') {
    const late = daysLate(daysBetween(lastDay, effectiveDate));
    return `${money.replace(' of ', ' arrived on ')}, ${late} late`;
  }
  if (why === 'reversed') return `${money} was reversed${reversalOf(facts, paymentId)}`;
  if (why === 'too_early') {
    const isOnStart = effectiveDate === facts.startDate;
    return `${money} came ${isOnStart ? 'on the start date, which does not count' : 'before the promise began'}`;
  }
  const isInWindow = effectiveDate >= facts.startDate && effectiveDate <= lastDay;
  const story = isInWindow ? STORIES[why] : undefined;
  return story === undefined ? null : `${money} ${story}`;
}

function reversalOf(facts: PromiseFacts, paymentId: string): string {
  const reversal = facts.payments.find((payment) => payment.paymentId === paymentId)?.reversal;
  if (reversal === null || reversal === undefined) return '';
  return ` on ${formatDate(reversal.effectiveDate, { year: false })} (${reversal.reason})`;
}

const SMALL_NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

function daysLate(days: number): string {
  return `${SMALL_NUMBERS[days] ?? String(days)} day${days === 1 ? '' : 's'}`;
}

const CANCEL_WORDS: Readonly<Partial<Record<Reason, string>>> = {
  customer_request: 'the customer asked for it',
  staff_error: 'it was entered in error',
  superseded: 'a new promise took its place',
  account_closed: 'the account was closed',
  service_stopped: 'the last service was stopped',
  collection_event: 'a collections step ended it',
  no_engagement: 'the customer could not be reached',
  other: 'for another reason, see the note',
  not_approved: 'it was not approved',
  balance_cleared: 'nothing is left to collect',
};

function cancelledSentence(facts: PromiseFacts, outcome: Outcome): string {
  const [first] = outcome.lines;
  if (outcome.reason === 'down_payment_missed' && first !== undefined) {
    const by = formatDate(outcome.lastDay ?? first.line.lastDay);
    return `Cancelled: ${receivedOf(facts, outcome, first)} was received by ${by}; the promise never began.`;
  }
  const total = sum(outcome.lines.map(({ line }) => line.amountCents));
  const counted = sum(outcome.lines.map((line) => line.countedCents));
  const why = CANCEL_WORDS[outcome.reason] ?? outcome.reason;
  if (!facts.autoManaged) return `Cancelled on ${dayOf(facts, outcome)}: ${why}; it was managed by hand.`;
  const received =
    counted === 0
      ? `nothing of ${formatMoney(total, facts.currency)}`
      : `${formatMoney(counted, facts.currency)} of ${formatMoney(total, facts.currency)}`;
  return `Cancelled on ${dayOf(facts, outcome)}: ${why}; ${received} had been received.`;
}
