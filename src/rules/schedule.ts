import { Temporal } from 'temporal-polyfill';
import type { LocalDate } from './calendar';
import { cents, type Cents } from './money';

/** How often a promise is paid (R3). `half-month` means the 1st and the 15th. */
export const FREQUENCIES = ['once', 'weekly', 'two-weeks', 'half-month', 'monthly'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

/** One dated part of a promise as it was agreed. */
export interface ScheduledPart {
  readonly dueDate: LocalDate;
  readonly amountCents: Cents;
}

/** The most parts that one promise can have; a limit on everything. */
export const MAX_INSTALLMENTS = 120;

/**
 * R2: splits a total into equal parts; the whole remainder goes to the last one (203.00 in 6: 33.83 five times and
 * 33.85), so that the parts always sum to the total.
 * @throws RangeError when a part would be less than one cent or the count is not 1 to MAX_INSTALLMENTS.
 */
export function splitEqually(total: Cents, parts: number): Cents[] {
  if (!Number.isInteger(parts) || parts < 1 || parts > MAX_INSTALLMENTS) {
    throw new RangeError(`${parts} is not a number of installments from 1 to ${MAX_INSTALLMENTS}`);
  }
  const each = Math.floor(total / parts);
  if (each < 1)
    throw new RangeError(`${total} cents cannot be split in ${parts}: a part would be less than one cent`);
  return Array.from({ length: parts }, (_, index) =>
    cents(index < parts - 1 ? each : total - each * (parts - 1)),
  );
}

/**
 * R3: the due dates of a promise paid at a frequency. Months keep their anchor day: 31 Jan, 28 Feb, 31 Mar.
 * @throws RangeError when a half-monthly schedule does not start on the 1st or the 15th, or `once` is not once.
 */
export function dueDates(first: LocalDate, frequency: Frequency, count: number): LocalDate[] {
  if (frequency === 'once' && count !== 1) throw new RangeError(`once is one installment, not ${count}`);
  const anchor = Temporal.PlainDate.from(first);
  if (frequency === 'half-month' && anchor.day !== 1 && anchor.day !== 15) {
    throw new RangeError(`a half-month schedule starts on the 1st or the 15th, not on ${first}`);
  }
  return Array.from(
    { length: count },
    (_, index) => nthDueDate(anchor, frequency, index).toString() as LocalDate,
  );
}

function nthDueDate(anchor: Temporal.PlainDate, frequency: Frequency, index: number): Temporal.PlainDate {
  switch (frequency) {
    case 'once':
      return anchor;
    case 'weekly':
      return anchor.add({ weeks: index });
    case 'two-weeks':
      return anchor.add({ weeks: 2 * index });
    case 'monthly':
      return anchor.add({ months: index }); // always from the anchor, so that 31 Jan comes back to 31 Mar
    case 'half-month': {
      const halves = index + (anchor.day === 15 ? 1 : 0);
      return anchor.with({ day: halves % 2 === 0 ? 1 : 15 }).add({ months: Math.floor(halves / 2) });
    }
  }
}

/** An equal split over the dates of a frequency (R2, R3). */
export function equalSchedule(
  total: Cents,
  frequency: Frequency,
  count: number,
  first: LocalDate,
): ScheduledPart[] {
  const amounts = splitEqually(total, count);
  return dueDates(first, frequency, count).map((dueDate, index) => ({
    dueDate,
    amountCents: amounts[index] ?? cents(0),
  }));
}
