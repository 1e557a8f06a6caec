import { daysBetween, formatDate, localDateAt, type LocalDate } from './calendar';
import { unpaid, type NotCounted } from './count';
import type { JudgedLine, Outcome } from './decide';
import type { CancelReason, FinalStatus, PromiseFacts, Reason } from './facts';
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
}

/** The version of the rules that decided; changes when a decision could come out differently. */
export const RULES_VERSION = '1';

/**
 * Explains an outcome (R20). Depends on the facts and the outcome alone: recomputed from stored facts it gives the
 * same bytes.
 * @param decidedBy `troth`, or the actor who cancelled.
 */
export function explain(facts: PromiseFacts, outcome: Outcome, decidedBy: string): Verdict {
  const judged = outcome.lines;
  const window = { from: facts.startDate, to: outcome.lastDay ?? localDateAt(outcome.atMs, facts.timeZone) };
  const required = sum(requiredLines(outcome).map(({ line }) => line.amountCents));
  const short = sum(requiredLines(outcome).map(unpaid));
  return {
    promiseId: facts.promiseId,
    revision: outcome.revision,
    status: outcome.status,
    reason: outcome.reason,
    sentence: sentenceOf(facts, outcome),
    decidedAt: new Date(outcome.atMs).toISOString(),
    decidedBy,
    rules: rulesOf(outcome),
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
    })),
    notCounted: outcome.notCounted,
  };
}

/** The lines that had to be paid for this decision: those judged so far when broken, else all of them. */
function requiredLines(outcome: Outcome): readonly JudgedLine[] {
  return outcome.status === 'broken' && outcome.reason === 'installment_missed'
    ? outcome.lines.filter(({ status }) => status === 'kept' || status === 'broken')
    : outcome.lines;
}

function rulesOf({ status, reason }: Outcome): string[] {
  const counting = ['R8', 'R9', 'R10'];
  switch (status) {
    case 'cancelled':
      return ['R17'];
    case 'kept':
      return reason === 'paid_within_tolerance'
        ? ['R4', 'R5', ...counting, 'R12', 'R14']
        : [...counting, 'R14'];
    case 'broken':
      return reason === 'reversal' ? [...counting, 'R19'] : ['R4', 'R5', ...counting, 'R12', 'R15'];
  }
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

function keptSentence(facts: PromiseFacts, { lines, forgivenCents }: Outcome): string {
  const money = (amount: Cents): string => formatMoney(amount, facts.currency);
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
  const missed = outcome.lines.filter(({ status }) => status === 'broken');
  const [first] = missed;
  if (first === undefined) return 'Broken.';
  const { line, countedCents } = first;
  const due = `${formatMoney(line.amountCents, facts.currency)} due ${formatDate(line.dueDate)}`;
  const isOnly = outcome.lines.length === 1;
  const received = countedCents === 0 ? 'nothing' : formatMoney(countedCents, facts.currency);
  const the = countedCents === 0 ? 'the ' : '';
  const what = isOnly ? `${the}${due}` : `installment ${line.seq} of ${outcome.lines.length}, ${due},`;
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
  return `Broken: ${received} of ${what} ${by}${tail.map((part) => `; ${part}`).join('')}.`;
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

function storyOf(facts: PromiseFacts, item: NotCounted, lastDay: LocalDate): string | null {
  const amount = formatMoney(item.cents, facts.currency);
  const day = formatDate(item.effectiveDate, { year: false });
  const isInWindow = item.effectiveDate >= facts.startDate && item.effectiveDate <= lastDay;
  switch (item.why) {
    case 'too_late':
      return `${amount} arrived on ${day}, ${daysLate(daysBetween(lastDay, item.effectiveDate))} late`;
    case 'too_early':
      return `${amount} of ${day} came before the promise began`;
    case 'reversed':
      return `${amount} of ${day} was reversed${reversalOf(facts, item.paymentId)}`;
    case 'other_debt_class':
      return isInWindow ? `${amount} of ${day} paid another debt` : null;
    case 'other_payor':
      return isInWindow ? `${amount} of ${day} came from another payor` : null;
    case 'other_promise':
      return isInWindow ? `${amount} of ${day} had paid another promise` : null;
    case 'other_currency':
    case 'not_needed':
      return null;
  }
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

const CANCEL_WORDS: Readonly<Record<CancelReason, string>> = {
  customer_request: 'the customer asked for it',
  staff_error: 'it was entered in error',
  superseded: 'a new promise took its place',
  account_closed: 'the account was closed',
  service_stopped: 'the last service was stopped',
  collection_event: 'a collections step ended it',
  no_engagement: 'the customer could not be reached',
  other: 'for another reason, see the note',
};

function cancelledSentence(facts: PromiseFacts, outcome: Outcome): string {
  const total = sum(outcome.lines.map(({ line }) => line.amountCents));
  const counted = sum(outcome.lines.map((line) => line.countedCents));
  const why = CANCEL_WORDS[outcome.reason as CancelReason];
  const received =
    counted === 0
      ? `nothing of ${formatMoney(total, facts.currency)}`
      : `${formatMoney(counted, facts.currency)} of ${formatMoney(total, facts.currency)}`;
  return `Cancelled on ${formatDate(localDateAt(outcome.atMs, facts.timeZone))}: ${why}; ${received} had been received.`;
}
