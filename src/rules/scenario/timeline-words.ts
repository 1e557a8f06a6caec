import { formatDate, formatLocalTime, localDate, type EpochMs, type LocalDate } from '../calendar';
import type { NotCounted } from '../judging/count';
import type { Evaluation } from '../decide';
import type { Verdict } from '../explain';
import type { PromiseFacts } from '../facts';
import { formatFrequency, type Frequency } from '../schedules/frequency';
import type { JudgedLine, Notice } from '../judging/life';
import type { Refusal } from '../limits';
import { cents, formatMoney, sum, type Cents } from '../money';
import type { Collectible } from '../collections/shield';

/** A promise at an instant, as the words need it. */
export interface Told {
  readonly facts: PromiseFacts;
  readonly life: Evaluation;
}

/** What an entry of a timeline is about. */
export type TimelineKind =
  | 'enrolled'
  | 'refused'
  | 'approved'
  | 'activated'
  | 'due'
  | 'past-due'
  | 'last-day'
  | 'deadline'
  | 'received'
  | 'payment'
  | 'not-counted'
  | 'reversal'
  | 'judged'
  | 'missed'
  | 'kept'
  | 'broken'
  | 'cancelled'
  | 'reopened'
  | 'amended'
  | 'event'
  | 'bill'
  | 'collectible';

/** One thing that became of a promise at an instant. */
export interface Change {
  readonly kind: TimelineKind;
  readonly sentence: string;
  readonly verdict?: Verdict;
}

/** Whether a promise has not ended. */
export function isOpen({ life }: Pick<Told, 'life'>): boolean {
  return life.status === 'active' || life.status === 'pending';
}

/** What collections was told since. */
export function freshNotices(was: Told, is: Told): Notice[] {
  const known = new Set(was.life.notices.map(({ id }) => id));
  return is.life.notices.filter(({ id }) => !known.has(id));
}

/** How sentences of one instant write money, days and times; the year only where it is another one. */
export class Words {
  readonly atMs: EpochMs;
  /** The tenant's date and time. */
  readonly today: LocalDate;
  readonly time: string;
  readonly #timeZone: string;
  readonly #currency: string;

  constructor(atMs: EpochMs, timeZone: string, currency: string) {
    const [today = '', time = ''] = formatLocalTime(atMs, timeZone).split(' ');
    this.atMs = atMs;
    this.today = localDate(today);
    this.time = time;
    this.#timeZone = timeZone;
    this.#currency = currency;
  }

  money(amount: number): string {
    return formatMoney(amount as Cents, this.#currency);
  }

  /** `15 Feb`, or `15 Feb 2026` when that is not this year. */
  day(date: LocalDate): string {
    return formatDate(date, { year: date.slice(0, 4) !== this.today.slice(0, 4) });
  }

  /** `19 Jan at 12:00`. */
  instant(atMs: EpochMs): string {
    const [date = '', time = ''] = formatLocalTime(atMs, this.#timeZone).split(' ');
    return `${this.day(localDate(date))} at ${time}`;
  }
}

/** `a, b and c`. */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

/** A sentence begins with a capital letter. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** `the down payment`, `the installment`, `installment 2`, `installment 2 for INV-2`. */
export function lineName({ facts, life }: Told, { line }: JudgedLine): string {
  if (facts.hasDownPayment && line.seq === 1) return 'the down payment';
  const bill = line.transactionId === undefined ? '' : ` for ${line.transactionId}`;
  const isOnly = life.lines.length === 1 && facts.repeat === null;
  return `${isOnly ? 'the installment' : `installment ${line.seq}`}${bill}`;
}

/** As `lineName`, saying of how many: `installment 2 of 3`. */
export function lineOf(told: Told, judged: JudgedLine): string {
  const name = lineName(told, judged);
  const { lines, isOpenEnded } = told.life;
  return isOpenEnded || !name.startsWith('installment') || judged.line.transactionId !== undefined
    ? name
    : `${name} of ${lines.length}`;
}

const MOST_LISTED = 4;

/** `$300.00 in 3 installments of $100.00, due 15 Jan, 15 Feb and 15 Mar`. */
export function scheduleWords({ facts, life }: Told, words: Words): string {
  if (facts.repeat !== null && life.revision === 1) return repeatWords(facts.repeat, life, words);
  return linesWords(life.lines, words);
}

/** As `scheduleWords`, for some lines. */
export function linesWords(lines: readonly JudgedLine[], words: Words): string {
  const all = lines.map(({ line }) => line);
  const [first] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return 'nothing';
  const total = words.money(sum(all.map(({ amountCents }) => amountCents)));
  if (all.length === 1) return `${total} due ${words.day(first.dueDate)}${forBill(first)}`;
  const head = `${total} in ${all.length} installments`;
  const isEqual = all.every(({ amountCents }) => amountCents === first.amountCents);
  const isBound = all.some(({ transactionId }) => transactionId !== undefined);
  if (all.length <= MOST_LISTED && (isBound || !isEqual)) {
    const each = all.map(
      (line) => `${words.money(line.amountCents)} due ${words.day(line.dueDate)}${forBill(line)}`,
    );
    return `${head}: ${listed(each)}`;
  }
  const due =
    all.length <= MOST_LISTED
      ? `due ${listed(all.map(({ dueDate }) => words.day(dueDate)))}`
      : `due from ${words.day(first.dueDate)} to ${words.day(last.dueDate)}`;
  return `${head} of ${amountsWords(all, words)}, ${due}`;
}

function forBill({ transactionId }: { readonly transactionId?: string }): string {
  return transactionId === undefined ? '' : ` for ${transactionId}`;
}

function amountsWords(lines: readonly JudgedLine['line'][], words: Words): string {
  const amounts = lines.map(({ amountCents }) => amountCents);
  const [first = 0] = amounts;
  const last = amounts.at(-1) ?? 0;
  if (amounts.slice(0, -1).every((amount) => amount === first)) {
    return first === last ? words.money(first) : `${words.money(first)}, the last ${words.money(last)}`;
  }
  return `${words.money(Math.min(...amounts))} to ${words.money(Math.max(...amounts))}`;
}

const FREQUENCY_WORDS: Readonly<Partial<Record<string, string>>> = {
  once: 'once',
  'two-weeks': 'every two weeks',
  'half-month': 'on the 1st and the 15th',
};

function frequencyWords(frequency: Frequency): string {
  const text = formatFrequency(frequency);
  return FREQUENCY_WORDS[text] ?? text;
}

function repeatWords(
  repeat: NonNullable<PromiseFacts['repeat']>,
  { lines }: Evaluation,
  words: Words,
): string {
  const { amountCents, frequency, firstDueDate, count, untilDate } = repeat;
  const each = `${words.money(amountCents)} ${frequencyWords(frequency)} from ${words.day(firstDueDate)}`;
  if (count === null && untilDate === null) return `${each}, without an end`;
  const total = sum(lines.map(({ line }) => line.amountCents));
  const last = lines.at(-1)?.line.dueDate ?? firstDueDate;
  return `${each} to ${words.day(last)}, ${lines.length} times, ${words.money(total)} in all`;
}

/** Why money does not count, said after its amount: `not counted: it came from another payor`, `waits until 15 Feb`. */
export function notCountedWords(told: Told, item: NotCounted, words: Words): string {
  switch (item.why) {
    case 'waiting':
      return waitsWords(told.life, item, words);
    case 'too_early':
      return item.effectiveDate === told.facts.startDate
        ? 'not counted: the day on which the promise began is left out (windowStart: exclusive)'
        : 'not counted: it came before the promise began';
    case 'too_late':
      return lateWords(told, item, words);
    case 'other_payor':
      return 'not counted: it came from another payor';
    case 'other_promise':
      return 'not counted: another promise has counted it';
    case 'other_transaction':
      return 'not counted: it was applied to other bills';
    case 'other_debt_class':
      return 'not counted: it paid another debt';
    case 'other_currency':
      return 'not counted: it is in another currency';
    case 'reversed':
      return 'not counted: it was reversed';
    case 'excess':
      return 'not counted: it is over its installment (overpayment: ignore-excess)';
    case 'not_needed':
      return 'not counted: it is more than was promised';
    case 'not_managed':
      return 'not counted: nothing changes by itself here, staff close this promise';
  }
}

// R10 `current`: money waits for its line's due date, behind the money that came before it.
function waitsWords({ lines, notCounted }: Evaluation, item: NotCounted, words: Words): string {
  const place = notCounted.findIndex(
    ({ paymentId, why }) => why === 'waiting' && paymentId === item.paymentId,
  );
  let ahead = notCounted
    .slice(0, Math.max(place, 0))
    .reduce((total, { why, cents: amount }) => (why === 'waiting' ? total + amount : total), 0);
  for (const { line, countedCents } of lines) {
    const missing = line.dueDate > words.today ? line.amountCents - countedCents : 0;
    const room = Math.max(0, missing - ahead);
    ahead = Math.max(0, ahead - missing);
    if (room === 0) continue;
    const until = `until ${words.day(line.dueDate)}`;
    return item.cents <= room
      ? `waits ${until}`
      : `waits: ${words.money(cents(room))} ${until}, the rest for later installments`;
  }
  return 'waits';
}

// R8: money after the deadline under judgement is not counted before its verdict, and may count after it.
function lateWords(told: Told, item: NotCounted, words: Words): string {
  const passed = told.life.lines.filter(({ line }) => line.lastDay < item.effectiveDate);
  const [first] = passed.sort((a, b) => (a.line.lastDay < b.line.lastDay ? -1 : 1));
  if (first === undefined) return 'not counted: it came too late';
  const after = `it came after ${words.day(first.line.lastDay)}`;
  if (!isOpen(told)) return `not counted: ${after}, the last day in time`;
  const under = passed.find(({ line }) => line.judgeAtMs > words.atMs) ?? first;
  const day = words.day(under.line.lastDay);
  return `not counted before the verdict: it came after ${day}, the last day for ${lineName(told, under)}`;
}

/** What is refused and why: `7 installments are more than the 6 that the policy allows (maxInstallments)`. */
export function refusalWords({ limit, field, value, message }: Refusal): string {
  return `${refusedThing(limit, field, value)} ${message}`;
}

function refusedThing(limit: string, field: string, value: string): string {
  switch (field) {
    case 'accountId':
      return 'the account';
    case 'dueDate':
      return value === 'without an end' ? 'a promise without an end' : `the due date ${value}`;
    case 'installments':
      return value === 'without an end' ? 'installments without an end' : `${value} installments`;
    case 'amountCents':
      return `${limit.startsWith('downPayment') ? 'the first installment' : 'an installment'} of ${value}`;
    case 'totalCents':
      return `the total of ${value}`;
    default:
      return `promise ${value}`;
  }
}

/** What may be collected, and which promise keeps the rest out of it (R30). */
export function collectibleWords(
  { arrearsCents, collectibleCents, shielded }: Collectible,
  words: Words,
  isOnly: boolean,
): string {
  if (arrearsCents === 0) return 'Nothing is in arrears, so nothing may be collected.';
  const name = (promiseId: string): string => (isOnly ? 'the promise' : `promise ${promiseId}`);
  const why = shielded.flatMap(({ promiseId, by, cents: amount }) => {
    switch (by) {
      case 'net-amount':
        return amount === null || amount === 0 ? [] : [`${name(promiseId)} shields ${words.money(amount)}`];
      case 'pause-all':
        return [`${name(promiseId)} pauses all collections (shield: pause-all)`];
      case 'open-ended':
        return [`${name(promiseId)}, which has no end, shields all of it`];
      case 'none':
        return [`${name(promiseId)} shields nothing (shield: none)`];
      case 'unreadable':
        return [`${name(promiseId)} cannot be judged`];
      case 'not-active':
        return [];
    }
  });
  const because = why.length === 0 ? 'no active promise shields it' : listed(why);
  const arrears = words.money(arrearsCents);
  if (collectibleCents === 0) return `Nothing of the ${arrears} in arrears may be collected: ${because}.`;
  if (collectibleCents === arrearsCents) return `All ${arrears} in arrears may be collected: ${because}.`;
  return `${words.money(collectibleCents)} of the ${arrears} in arrears may be collected: ${because}.`;
}
