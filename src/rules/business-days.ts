import {
  addDays,
  calendarVersion,
  dayOfWeek,
  localDateAt,
  localTimeMs,
  type EpochMs,
  type LocalDate,
} from './calendar';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** R7: the weekend of a tenant that has said nothing else. */
export const DEFAULT_WEEKEND: readonly Weekday[] = ['sat', 'sun'];

/** R7: the days on which a tenant does business. */
export interface BusinessCalendar {
  /** Names the zone, the time-zone data and the table it was computed with. */
  readonly version: string;
  readonly timeZone: string;
  readonly weekend: readonly Weekday[];
  readonly closedDays: readonly LocalDate[];
  /** R6: local `HH:MM`; a payment received later belongs to the next business day. Null: none. */
  readonly cutoff: string | null;
}

/** What a tenant's own table says; version 0 is that of a tenant without one. */
export interface CalendarTable extends Pick<BusinessCalendar, 'weekend' | 'closedDays' | 'cutoff'> {
  readonly version: number;
}

const NO_TABLE: CalendarTable = { version: 0, weekend: DEFAULT_WEEKEND, closedDays: [], cutoff: null };

/**
 * The calendar of a zone and a tenant's table. Its version names both, such as `America/New_York/tzdata-2025b/3`
 * (R4); a tenant without a table has Saturday and Sunday off, no closed days and no cut-off.
 */
export function businessCalendar(timeZone: string, table: CalendarTable = NO_TABLE): BusinessCalendar {
  const { version, weekend, closedDays, cutoff } = table;
  return {
    version: `${calendarVersion(timeZone)}/${version}`,
    timeZone,
    weekend,
    closedDays,
    cutoff,
  };
}

/** The weekday of a date. */
export function weekdayOf(date: LocalDate): Weekday {
  const weekday = WEEKDAYS[dayOfWeek(date) - 1];
  if (weekday === undefined) throw new RangeError(`${date} is not a date (YYYY-MM-DD)`);
  return weekday;
}

const closedSets = new WeakMap<readonly LocalDate[], ReadonlySet<LocalDate>>();

function closedSetOf({ closedDays }: BusinessCalendar): ReadonlySet<LocalDate> {
  let known = closedSets.get(closedDays);
  if (known === undefined) {
    known = new Set(closedDays);
    closedSets.set(closedDays, known);
  }
  return known;
}

/** R7: whether a day is neither weekend nor closed. */
export function isBusinessDay(date: LocalDate, calendar: BusinessCalendar): boolean {
  return !calendar.weekend.includes(weekdayOf(date)) && !closedSetOf(calendar).has(date);
}

/** A calendar that is closed for longer has a mistake in it, and a search must end. */
const MOST_CLOSED_DAYS = 366;

/** The nearest business day in a direction, the date itself included where `from` is 0. */
function searchBusinessDay(
  date: LocalDate,
  from: 0 | 1,
  direction: 1 | -1,
  calendar: BusinessCalendar,
): LocalDate {
  for (let days = from; days <= MOST_CLOSED_DAYS; days += 1) {
    const candidate = addDays(date, days * direction);
    if (isBusinessDay(candidate, calendar)) return candidate;
  }
  throw new RangeError(
    `The calendar ${calendar.version} has no business day within ${MOST_CLOSED_DAYS} days ` +
      `${direction === 1 ? 'after' : 'before'} ${date}; correct its weekend or its closed days`,
  );
}

/**
 * The first business day strictly after a date (R7).
 * @throws RangeError when the calendar is closed for a year.
 */
export function nextBusinessDay(date: LocalDate, calendar: BusinessCalendar): LocalDate {
  return searchBusinessDay(date, 1, 1, calendar);
}

/**
 * The date `days` business days later (R7); with 0 days the date itself, open or not.
 * @throws RangeError when `days` is not a whole number from 0, or the calendar is closed for a year.
 */
export function addBusinessDays(date: LocalDate, days: number, calendar: BusinessCalendar): LocalDate {
  if (!Number.isInteger(days) || days < 0) {
    throw new RangeError(`${days} is not a number of business days; give a whole number of at least 0`);
  }
  let last = date;
  for (let passed = 0; passed < days; passed += 1) last = nextBusinessDay(last, calendar);
  return last;
}

/** R7: where a date moves that is not a business day. */
export type Roll = 'none' | 'following' | 'modified-following' | 'preceding';

/**
 * R7: a date moved to a business day. `modified-following` goes back where the following one lies in another month.
 * @throws RangeError when the calendar is closed for a year.
 */
export function rollDate(date: LocalDate, roll: Roll, calendar: BusinessCalendar): LocalDate {
  switch (roll) {
    case 'none':
      return date;
    case 'following':
      return searchBusinessDay(date, 0, 1, calendar);
    case 'preceding':
      return searchBusinessDay(date, 0, -1, calendar);
    case 'modified-following': {
      const following = searchBusinessDay(date, 0, 1, calendar);
      const inMonth = following.slice(0, 7) === date.slice(0, 7);
      return inMonth ? following : searchBusinessDay(date, 0, -1, calendar);
    }
  }
}

/**
 * R6: the day that money received at an instant belongs to. Up to the cut-off, and exactly at it, that is the local
 * day, open or closed; later it is the next business day. Instants are compared, so that in a night with a clock
 * change money received later never belongs to an earlier day.
 * @throws RangeError when the calendar is closed for a year, or its cut-off is not `HH:MM`.
 */
export function effectiveDateOf(receivedAtMs: EpochMs, calendar: BusinessCalendar): LocalDate {
  const { timeZone, cutoff } = calendar;
  const day = localDateAt(receivedAtMs, timeZone);
  if (cutoff === null) return day;
  const cutoffMs = localTimeMs(`${day} ${cutoff}`, timeZone);
  if (cutoffMs === undefined) throw new RangeError(`The cut-off "${cutoff}" is not a time; write 17:00`);
  return receivedAtMs <= cutoffMs ? day : nextBusinessDay(day, calendar);
}
