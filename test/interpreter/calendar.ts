/** Business days, rolls, grace, cut-off and periods: R3, R4, R6, R7. */
import { addDays, dayInMonth, weekdayOf, Zone } from './dates';
import { type Policy } from './policy';
import {
  type LocalDate,
  type Moment,
  type ScenarioRepeat,
  type ScenarioTenant,
  type Weekday,
  WEEKDAYS,
} from './scenario';

export interface Calendar {
  zone: Zone;
  isBusinessDay: (date: LocalDate) => boolean;
  cutoff: string | null;
}

export function calendarOf(tenant: ScenarioTenant = {}): Calendar {
  const closed = new Set(tenant.closedDays ?? []);
  const weekend = new Set<Weekday>(tenant.weekend ?? ['sat', 'sun']);
  return {
    zone: Zone.named(tenant.timeZone ?? 'America/New_York'),
    isBusinessDay: (date) => !closed.has(date) && !weekend.has(weekdayOf(date)),
    cutoff: tenant.cutoff ?? null,
  };
}

/** The nearest business day from a date on, the date included, walking by `step`. */
function businessDay(calendar: Calendar, date: LocalDate, step: 1 | -1): LocalDate {
  let day = date;
  for (let tries = 0; tries < 400; tries++, day = addDays(day, step)) {
    if (calendar.isBusinessDay(day)) return day;
  }
  throw new Error(`no business day within 400 days of ${date}`);
}

/** R7: where the deadline of a due date starts from. */
function rolled(calendar: Calendar, policy: Policy, due: LocalDate): LocalDate {
  switch (policy.dueDateRoll) {
    case 'none':
      return due;
    case 'preceding':
      return businessDay(calendar, due, -1);
    case 'following':
      return businessDay(calendar, due, 1);
    case 'modified-following': {
      const next = businessDay(calendar, due, 1);
      return next.slice(0, 7) === due.slice(0, 7) ? next : businessDay(calendar, due, -1);
    }
  }
}

/** R4: the last day on which a due date can be met. `graceDays` is 0 for a down payment (S22). */
export function lastDayOf(
  calendar: Calendar,
  policy: Policy,
  due: LocalDate,
  graceDays: number = policy.graceDays,
): LocalDate {
  let day = rolled(calendar, policy, due);
  if (policy.graceUnit === 'calendar') return addDays(day, graceDays);
  for (let left = graceDays; left > 0; left--) day = businessDay(calendar, addDays(day, 1), 1);
  return day;
}

/** R6, S13, S14: the day that money received at a moment belongs to; exactly at the cut-off is still in time. */
export function effectiveDate(calendar: Calendar, received: Moment): LocalDate {
  const local = calendar.zone.momentOf(calendar.zone.instant(received));
  const [date, time] = [local.slice(0, 10), local.slice(11)];
  if (calendar.cutoff === null || time <= calendar.cutoff) return date;
  return businessDay(calendar, addDays(date, 1), 1);
}

/** R3: the due date of a period, the first being 0. */
export type Periods = (index: number) => LocalDate;

export function periodsOf({ every, firstDueDate: first }: ScenarioRepeat): Periods {
  const everyDays = (days: number): Periods => {
    return (index) => addDays(first, index * days);
  };
  const everyMonths = (months: number): Periods => {
    return (index) => dayInMonth(first, index * months, Number(first.slice(8)));
  };
  if (every === 'week') return everyDays(7);
  if (every === 'two-weeks') return everyDays(14);
  if (every === 'month') return everyMonths(1);
  if (every.endsWith('-days')) return everyDays(parseInt(every));
  if (every.endsWith('-months')) return everyMonths(parseInt(every));
  if (every === 'half-month') return onDaysOfMonth(first, [1, 15]);
  if (/^[0-9]/.test(every)) return onDaysOfMonth(first, every.split('+').map(Number));
  return onWeekdays(first, every.split('+'));
}

function onDaysOfMonth(first: LocalDate, days: number[]): Periods {
  const inOrder = [...days].sort((a, b) => a - b);
  return walking(first, (date) => {
    const candidates = [0, 1].flatMap((months) => inOrder.map((day) => dayInMonth(date, months, day)));
    return candidates.find((candidate) => candidate > date);
  });
}

function onWeekdays(first: LocalDate, weekdays: string[]): Periods {
  if (!weekdays.every((day) => WEEKDAYS.some((known) => known === day))) {
    throw new Error(`no such period: ${weekdays.join('+')}`);
  }
  return walking(first, (date) => {
    const week = [1, 2, 3, 4, 5, 6, 7].map((days) => addDays(date, days));
    return week.find((candidate) => weekdays.includes(weekdayOf(candidate)));
  });
}

/** Periods of which each is found from the one before. */
function walking(first: LocalDate, next: (date: LocalDate) => LocalDate | undefined): Periods {
  const found = [first];
  return (index) => {
    let last = found.at(-1) ?? first;
    while (found.length <= index) {
      const after = next(last);
      if (after === undefined) throw new Error(`no period after ${last}`);
      found.push(after);
      last = after;
    }
    return found[index] ?? first;
  };
}
