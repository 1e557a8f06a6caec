import { Temporal } from 'temporal-polyfill';

declare const localDateBrand: unique symbol;
/** A plain date of the tenant's calendar, `YYYY-MM-DD`. Compares by `<` and `>`. */
export type LocalDate = string & { readonly [localDateBrand]: true };

declare const epochMsBrand: unique symbol;
/** An instant: milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = number & { readonly [epochMsBrand]: true };

/** Brands an instant. @throws RangeError when it is not a whole number of milliseconds. */
export function epochMs(value: number): EpochMs {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an instant in whole milliseconds`);
  return value as EpochMs;
}

const HOUR_MS = 3_600_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a text is a real date of the calendar, written `YYYY-MM-DD` (30 February is not). */
export function isLocalDate(text: string): text is LocalDate {
  if (!DATE.test(text)) return false;
  try {
    Temporal.PlainDate.from(text, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}

/** Brands a date. @throws RangeError when there is no such day. */
export function localDate(text: string): LocalDate {
  if (!isLocalDate(text)) throw new RangeError(`${text} is not a date (YYYY-MM-DD)`);
  return text;
}

/** Whether a text names a time zone that this machine knows. */
export function isTimeZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

const DAY_MS = 86_400_000;
const EPOCH_WEEKDAY = 4; // 1970-01-01 was a Thursday

/** Days since 1970-01-01. Plain dates have no zone, so UTC counts them, many times faster than Temporal does. */
function dayNumber(date: LocalDate): number {
  const ms = DATE.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  if (Number.isNaN(ms)) throw new RangeError(`${date} is not a date (YYYY-MM-DD)`);
  return ms / DAY_MS;
}

function dateOfDayNumber(day: number): LocalDate {
  const text = new Date(day * DAY_MS).toISOString();
  if (text.length !== 24)
    throw new RangeError(`A date ${day} days from 1970 lies outside the years 0 to 9999`);
  return text.slice(0, 10) as LocalDate;
}

/**
 * The date `days` days later (or earlier, if negative).
 * @throws RangeError before the year 0 and beyond 9999, which `YYYY-MM-DD` cannot write.
 */
export function addDays(date: LocalDate, days: number): LocalDate {
  return dateOfDayNumber(dayNumber(date) + days);
}

/** How many days `to` is after `from`; negative when it is before. */
export function daysBetween(from: LocalDate, to: LocalDate): number {
  return dayNumber(to) - dayNumber(from);
}

/** 1 for a Monday to 7 for a Sunday, as ISO 8601 counts them. */
export function dayOfWeek(date: LocalDate): number {
  return ((((dayNumber(date) + EPOCH_WEEKDAY - 1) % 7) + 7) % 7) + 1;
}

// Zone arithmetic is slow, and the engine asks for the same few thousand days again and again.
const MOST_STARTS = 20_000;
const starts = new Map<string, Map<LocalDate, EpochMs>>();
let startsKept = 0;

/** The first instant of a day, also where midnight is skipped (R4). Remembers what it worked out. */
export function startOfDayMs(date: LocalDate, timeZone: string): EpochMs {
  const known = starts.get(timeZone)?.get(date);
  if (known !== undefined) return known;
  const start = epochMs(Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds);
  if (startsKept >= MOST_STARTS) {
    starts.clear();
    startsKept = 0;
  }
  const ofZone = starts.get(timeZone) ?? new Map<LocalDate, EpochMs>();
  starts.set(timeZone, ofZone.set(date, start));
  startsKept += 1;
  return start;
}

/** R4: 24:00 local of a day, which is the first instant of the next one. */
export function endOfDayMs(date: LocalDate, timeZone: string): EpochMs {
  return startOfDayMs(addDays(date, 1), timeZone);
}

/** The tenant's date at an instant. */
export function localDateAt(instant: EpochMs, timeZone: string): LocalDate {
  const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  return zoned.toPlainDate().toString() as LocalDate;
}

/**
 * The instant of a local time `YYYY-MM-DD[ T]HH:MM[:SS]`; a bare date is noon. A time that a clock change skips or
 * repeats is taken as later or first respectively (Temporal's `compatible`).
 * @returns undefined when the text is no such time.
 */
export function localTimeMs(text: string, timeZone: string): EpochMs | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text);
  if (match === null) return undefined;
  try {
    const [, date = '', time = '12:00'] = match;
    const plain = Temporal.PlainDateTime.from(`${date}T${time}`, { overflow: 'reject' });
    return epochMs(plain.toZonedDateTime(timeZone).epochMilliseconds);
  } catch {
    return undefined;
  }
}

/** An instant as the tenant reads it: `2026-01-19 12:00`. */
export function formatLocalTime(instant: EpochMs, timeZone: string): string {
  const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  return zoned.toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** A date as verdict sentences write it: `15 Jan 2025`, or `15 Jan` without the year. */
export function formatDate(date: LocalDate, options: { year: boolean } = { year: true }): string {
  const [year, month, day] = date.split('-');
  const name = MONTHS[Number(month) - 1] ?? month;
  return options.year ? `${Number(day)} ${name} ${year}` : `${Number(day)} ${name}`;
}

/** The dates and instants of one due date, computed once and stored beside it. */
export interface Deadline {
  /** The last day on which money is in time. */
  readonly lastDay: LocalDate;
  readonly deadlineMs: EpochMs;
  readonly judgeAtMs: EpochMs;
}

/** The deadline that ends with a given last day (R4), and its judge time (R5). */
export function deadlineAtEndOf(lastDay: LocalDate, postingLagHours: number, timeZone: string): Deadline {
  const deadlineMs = endOfDayMs(lastDay, timeZone);
  return { lastDay, deadlineMs, judgeAtMs: epochMs(deadlineMs + Math.round(postingLagHours * HOUR_MS)) };
}

/**
 * Names the calendar that a deadline was computed with (R4): the zone and the time-zone data of this Node. Stored
 * beside the instants, so that a later change of a country's clock rules is visible.
 */
export function calendarVersion(timeZone: string): string {
  return `${timeZone}/tzdata-${process.versions['tz'] ?? 'unknown'}`;
}
