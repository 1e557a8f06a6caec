import { addDays, dayOfWeek, localDate, type LocalDate } from '../calendar';
import { WEEKDAYS, type Weekday } from '../business-days';
import { formatFrequency, frequencyProblem, type Frequency } from './frequency';
import { cents, type Cents } from '../money';
import type { PolicyOptions } from '../policy';

export {
  FREQUENCIES,
  FREQUENCY_HINT,
  formatFrequency,
  parseFrequency,
  parseScenarioEvery,
  type Frequency,
} from './frequency';

/** One dated part of a promise as it was agreed. */
export interface ScheduledPart {
  readonly dueDate: LocalDate;
  readonly amountCents: Cents;
}

/** The most parts that one promise can have; a limit on everything. */
export const MAX_INSTALLMENTS = 120;
/** The most periods of a repeating promise (R22): a hundred years of months. */
export const MAX_PERIODS = 1200;

/** Which part of a split takes the odd cents (R2). */
export type Remainder = PolicyOptions['remainder'];

/**
 * R2: splits a total into equal parts, which always sum to it. The whole remainder goes to the last part (203.00 in 6:
 * 33.83 five times and 33.85), to the first, or is spread, one cent each over the first parts.
 * @throws RangeError when a part would be less than one cent or the count is not 1 to MAX_INSTALLMENTS.
 */
export function splitEqually(total: Cents, parts: number, remainder: Remainder = 'last'): Cents[] {
  if (!Number.isInteger(parts) || parts < 1 || parts > MAX_INSTALLMENTS) {
    throw new RangeError(`${parts} is not a number of installments from 1 to ${MAX_INSTALLMENTS}`);
  }
  const each = Math.floor(total / parts);
  if (each < 1) {
    throw new RangeError(`${total} cents cannot be split in ${parts}: a part would be less than one cent`);
  }
  const odd = total - each * parts;
  return Array.from({ length: parts }, (_, index) => {
    if (remainder === 'spread') return cents(index < odd ? each + 1 : each);
    return cents(index === (remainder === 'first' ? 0 : parts - 1) ? each + odd : each);
  });
}

/**
 * R2: the down payment, then the rest of the total in equal parts: 99.99 with 25.00 down and 4 parts is 25.00, three
 * times 18.74 and 18.77 (`last`).
 * @param parts how many follow the down payment.
 * @throws RangeError when the down payment is not from one cent to less than the total, or the rest cannot be split.
 */
export function downPaymentFirst(
  total: Cents,
  down: Cents,
  parts: number,
  remainder: Remainder = 'last',
): Cents[] {
  if (down < 1 || down >= total) {
    throw new RangeError(
      `A down payment of ${down} cents leaves nothing to split of ${total}; it must be from 1 to ${total - 1}`,
    );
  }
  if (parts >= MAX_INSTALLMENTS) {
    throw new RangeError(
      `A down payment and ${parts} parts are more than ${MAX_INSTALLMENTS} installments; take fewer parts`,
    );
  }
  return [down, ...splitEqually(cents(total - down), parts, remainder)];
}

/** R18: which installments take the difference when one of them changes. */
export type Absorb = 'last' | 'next' | 'spread' | 'none';

/**
 * R18: the amounts of all installments after one of them changed. The difference is taken by the last one, by the
 * next, or spread over all later ones (odd cents by the last); with `none` the total changes instead.
 * @param index which one changes, from 0.
 * @throws RangeError when an amount would fall below one cent, or no later installment can take the difference.
 */
export function absorbChange(
  amounts: readonly Cents[],
  index: number,
  newAmount: Cents,
  absorb: Absorb,
): Cents[] {
  const before = amounts[index];
  if (before === undefined) {
    throw new RangeError(`There is no installment ${index + 1}; there are ${amounts.length}`);
  }
  const difference = before - newAmount;
  const changed = amounts.map((amount, at) => (at === index ? newAmount : amount));
  const later = amounts.length - 1 - index;
  if (absorb !== 'none' && difference !== 0) {
    if (later === 0) {
      throw new RangeError(
        `Installment ${index + 1} is the last one, so that none after it can take the difference of ` +
          `${Math.abs(difference)} cents; use absorb "none", or list the new installments`,
      );
    }
    takeDifference(changed, index, difference, absorb);
  }
  const small = changed.findIndex((amount) => amount < 1);
  if (small !== -1) {
    throw new RangeError(
      `Installment ${small + 1} would be ${changed[small] ?? 0} cents, less than one cent; ` +
        'change the amount, or let other installments absorb the difference',
    );
  }
  return changed;
}

function takeDifference(
  changed: Cents[],
  index: number,
  difference: number,
  absorb: Exclude<Absorb, 'none'>,
): void {
  const later = changed.length - 1 - index;
  const each = absorb === 'spread' ? Math.trunc(difference / later) : 0;
  const odd = difference - each * later;
  const takesOdd = absorb === 'next' ? index + 1 : changed.length - 1;
  for (let at = index + 1; at < changed.length; at += 1) {
    changed[at] = cents((changed[at] ?? 0) + each + (at === takesOdd ? odd : 0));
  }
}

/**
 * R3: the due dates of a promise paid at a frequency. Months keep their anchor day: 31 Jan, 28 Feb, 31 Mar.
 * @throws RangeError when the count is not 1 to MAX_PERIODS, `once` is not once, or as `nthDueDate`.
 */
export function dueDates(first: LocalDate, frequency: Frequency, count: number): LocalDate[] {
  if (!Number.isInteger(count) || count < 1 || count > MAX_PERIODS) {
    throw new RangeError(`${count} is not a number of due dates from 1 to ${MAX_PERIODS}`);
  }
  if (frequency === 'once' && count !== 1) throw new RangeError(`once is one installment, not ${count}`);
  return Array.from({ length: count }, (_, index) => nthDueDate(first, frequency, index));
}

/**
 * R3: one due date, without those before it; index 0 is the first one.
 * @throws RangeError when the first date is not one of the frequency's own days (half-month, monthDays, weekdays), the
 * frequency is impossible, or the date lies beyond the year 9999.
 */
export function nthDueDate(first: LocalDate, frequency: Frequency, index: number): LocalDate {
  if (!Number.isInteger(index) || index < 0) throw new RangeError(`${index} is not the index of a due date`);
  switch (frequency) {
    case 'once':
      if (index > 0) throw new RangeError('once has one due date only');
      return localDate(first);
    case 'weekly':
      return addDays(first, 7 * index);
    case 'two-weeks':
      return addDays(first, 14 * index);
    case 'monthly':
      return addMonths(first, index);
    case 'half-month':
      return nthMonthDay(first, [1, 15], index, 'a half-month schedule starts on the 1st or the 15th');
  }
  const problem = frequencyProblem(frequency);
  if (problem !== undefined) throw new RangeError(problem);
  if ('everyDays' in frequency) return addDays(first, frequency.everyDays * index);
  if ('everyMonths' in frequency) return addMonths(first, frequency.everyMonths * index);
  if ('weekdays' in frequency) return nthWeekday(first, frequency.weekdays, index);
  const days = [...frequency.monthDays].sort((a, b) => a - b);
  return nthMonthDay(
    first,
    days,
    index,
    `a schedule ${formatFrequency(frequency)} starts on one of these days`,
  );
}

/** Always from the anchor, so that 31 Jan comes back to 31 Mar (R3). */
function addMonths(anchor: LocalDate, months: number): LocalDate {
  const [year, month, day] = partsOf(anchor);
  return dateInMonth(year, month + months, day);
}

/** A day of a month counted from January of a year; one that the month lacks is its last day. */
function dateInMonth(year: number, month: number, day: number): LocalDate {
  const inYear = year + Math.floor((month - 1) / 12);
  const inMonth = ((month - 1) % 12) + 1;
  if (inYear > 9999) throw new RangeError(`The year ${inYear} is beyond 9999; take fewer or shorter periods`);
  const text = (value: number, digits: number): string => String(value).padStart(digits, '0');
  const clamped = Math.min(day, daysInMonth(inYear, inMonth));
  return `${text(inYear, 4)}-${text(inMonth, 2)}-${text(clamped, 2)}` as LocalDate;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function partsOf(date: LocalDate): [year: number, month: number, day: number] {
  const [year = NaN, month = NaN, day = NaN] = localDate(date).split('-').map(Number);
  return [year, month, day];
}

/** @param days in rising order */
function nthMonthDay(first: LocalDate, days: readonly number[], index: number, need: string): LocalDate {
  const [year, month] = partsOf(first);
  const at = days.findIndex((day) => dateInMonth(year, month, day) === first);
  if (at === -1) throw new RangeError(`${need}, not on ${first}`);
  const steps = at + index;
  return dateInMonth(year, month + Math.floor(steps / days.length), days[steps % days.length] ?? NaN);
}

function nthWeekday(first: LocalDate, weekdays: readonly Weekday[], index: number): LocalDate {
  const days = weekdays.map((day) => WEEKDAYS.indexOf(day)).sort((a, b) => a - b);
  const weekday = dayOfWeek(first) - 1;
  const at = days.indexOf(weekday);
  if (at === -1) {
    throw new RangeError(
      `a schedule ${formatFrequency({ weekdays })} starts on one of these days, ` +
        `not on ${first}, which is a ${WEEKDAYS[weekday] ?? ''}`,
    );
  }
  const steps = at + index;
  const weeks = Math.floor(steps / days.length);
  return addDays(first, 7 * weeks + (days[steps % days.length] ?? NaN) - weekday);
}

/** An equal split over the dates of a frequency (R2, R3). */
export function equalSchedule(
  total: Cents,
  frequency: Frequency,
  count: number,
  first: LocalDate,
  remainder: Remainder = 'last',
): ScheduledPart[] {
  const amounts = splitEqually(total, count, remainder);
  return dueDates(first, frequency, count).map((dueDate, index) => ({
    dueDate,
    amountCents: amounts[index] ?? cents(0),
  }));
}
