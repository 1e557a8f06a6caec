/** Days and instants: local dates are strings that sort, instants are epoch milliseconds. */
import { Temporal } from 'temporal-polyfill';
import { type LocalDate, type Moment, type Weekday, WEEKDAYS } from './scenario';

const DAY_MS = 86_400_000;

/** Whole days since 1970-01-01. */
export function dayNumber(date: LocalDate): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

function dateOfDayNumber(day: number): LocalDate {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return dateOfDayNumber(dayNumber(date) + days);
}

export function daysBetween(from: LocalDate, to: LocalDate): number {
  return dayNumber(to) - dayNumber(from);
}

export function weekdayOf(date: LocalDate): Weekday {
  // 1970-01-01 was a Thursday.
  const weekday = WEEKDAYS[(((dayNumber(date) + 3) % 7) + 7) % 7];
  if (weekday === undefined) throw new Error(`no such date: ${date}`);
  return weekday;
}

/** The day of a month counted from the month of `date`; a day that the month lacks becomes its last one (R3). */
export function dayInMonth(date: LocalDate, monthsLater: number, day: number): LocalDate {
  const months = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + monthsLater;
  const [year, month] = [Math.floor(months / 12), months % 12];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month, Math.min(day, lastDay))).toISOString().slice(0, 10);
}

export function latest(dates: readonly LocalDate[]): LocalDate | null {
  return dates.reduce<LocalDate | null>((so, date) => (so === null || date > so ? date : so), null);
}

export function earliest(dates: readonly LocalDate[]): LocalDate | null {
  return dates.reduce<LocalDate | null>((so, date) => (so === null || date < so ? date : so), null);
}

/** Clock of one time zone. Conversions are remembered, because tens of thousands of stories ask for the same days. */
export class Zone {
  private readonly starts = new Map<LocalDate, number>();
  private readonly instants = new Map<string, number>();
  private readonly dates = new Map<number, LocalDate>();

  private readonly timeZone: string;

  private constructor(timeZone: string) {
    this.timeZone = timeZone;
  }

  private static readonly all = new Map<string, Zone>();

  static named(timeZone: string): Zone {
    const zone = Zone.all.get(timeZone) ?? new Zone(timeZone);
    Zone.all.set(timeZone, zone);
    return zone;
  }

  /** R4: the first instant of a local day, also where midnight is skipped. */
  startOfDay(date: LocalDate): number {
    const known = this.starts.get(date);
    if (known !== undefined) return known;
    const ms = Temporal.PlainDate.from(date).toZonedDateTime(this.timeZone).epochMilliseconds;
    this.starts.set(date, ms);
    return ms;
  }

  /** 24:00 of a day is the first instant of the next one. */
  endOfDay(date: LocalDate): number {
    return this.startOfDay(addDays(date, 1));
  }

  /** A bare date means noon. */
  instant(moment: Moment): number {
    const known = this.instants.get(moment);
    if (known !== undefined) return known;
    const local = Temporal.PlainDateTime.from(moment.includes('T') ? moment : `${moment}T12:00`);
    const ms = local.toZonedDateTime(this.timeZone).epochMilliseconds;
    this.instants.set(moment, ms);
    return ms;
  }

  dateOf(ms: number): LocalDate {
    const known = this.dates.get(ms);
    if (known !== undefined) return known;
    const date = this.local(ms).toPlainDate().toString();
    this.dates.set(ms, date);
    return date;
  }

  /** The local time of an instant as scenario files write it, to the minute. */
  momentOf(ms: number): Moment {
    return this.local(ms).toPlainDateTime().toString({ smallestUnit: 'minute' });
  }

  private local(ms: number): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(this.timeZone);
  }
}
