/**
 * Goal: R4 and R5, deadline and judge time, are right in every zone and on every clock-change night.
 * Method: instants worked out by hand, written with their offset; refused texts as tables.
 */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { businessCalendar, type CalendarTable } from '../../src/rules/business-days';
import {
  addDays,
  calendarVersion,
  dayOfWeek,
  daysBetween,
  endOfDayMs,
  epochMs,
  formatDate,
  formatLocalTime,
  isLocalDate,
  isTimeZone,
  localDate,
  localDateAt,
  localTimeMs,
  startOfDayMs,
  type LocalDate,
} from '../../src/rules/calendar';
import { deadlineOf, type DeadlineTerms } from '../../src/rules/schedules/deadline';

const TERMS: DeadlineTerms = {
  graceDays: 3,
  graceUnit: 'calendar',
  dueDateRoll: 'none',
  postingLagHours: 12,
};

// zone, due date, grace, lag -> last day in time, deadline, judge time
test.each([
  ['America/New_York', '2025-01-15', 3, 12, '2025-01-18', '2025-01-19T00:00-05:00', '2025-01-19T12:00-05:00'],
  // the short and the long night of New York: 12 elapsed hours after midnight are 13:00 and 11:00
  ['America/New_York', '2026-03-04', 3, 12, '2026-03-07', '2026-03-08T00:00-05:00', '2026-03-08T13:00-04:00'],
  ['America/New_York', '2026-03-05', 3, 12, '2026-03-08', '2026-03-09T00:00-04:00', '2026-03-09T12:00-04:00'],
  ['America/New_York', '2026-10-28', 3, 12, '2026-10-31', '2026-11-01T00:00-04:00', '2026-11-01T11:00-05:00'],
  ['America/New_York', '2026-10-29', 3, 12, '2026-11-01', '2026-11-02T00:00-05:00', '2026-11-02T12:00-05:00'],
  ['Europe/London', '2025-03-26', 3, 12, '2025-03-29', '2025-03-30T00:00+00:00', '2025-03-30T13:00+01:00'],
  // half an hour of summer time
  [
    'Australia/Lord_Howe',
    '2026-04-01',
    3,
    12,
    '2026-04-04',
    '2026-04-05T00:00+11:00',
    '2026-04-05T11:30+10:30',
  ],
  // midnight is skipped: the day ends where the next begins, at 01:00
  ['America/Sao_Paulo', '2018-10-31', 3, 0, '2018-11-03', '2018-11-04T01:00-02:00', '2018-11-04T01:00-02:00'],
  ['Africa/Cairo', '2025-04-21', 3, 1, '2025-04-24', '2025-04-25T01:00+03:00', '2025-04-25T02:00+03:00'],
  ['Asia/Beirut', '2026-03-25', 3, 12, '2026-03-28', '2026-03-29T01:00+03:00', '2026-03-29T13:00+03:00'],
  // midnight comes twice: the day begins at the first
  ['America/Havana', '2025-10-29', 3, 0, '2025-11-01', '2025-11-02T00:00-04:00', '2025-11-02T00:00-04:00'],
  // no clock change at all, an odd offset, and an end of year
  ['Asia/Kolkata', '2025-12-28', 3, 36, '2025-12-31', '2026-01-01T00:00+05:30', '2026-01-02T12:00+05:30'],
  ['UTC', '2024-02-28', 1, 0.5, '2024-02-29', '2024-03-01T00:00+00:00', '2024-03-01T00:30+00:00'],
])(
  '%s: due %s with %d days and %d hours',
  (zone, due, graceDays, postingLagHours, lastDay, deadline, judgeAt) => {
    expect(
      deadlineOf(localDate(due), { ...TERMS, graceDays, postingLagHours }, businessCalendar(zone)),
    ).toEqual({
      lastDay,
      deadlineMs: Date.parse(deadline),
      judgeAtMs: Date.parse(judgeAt),
    });
  },
);

test('R4: day g is fine and day g + 1 is late, to the millisecond', () => {
  const { deadlineMs } = deadlineOf(localDate('2025-01-15'), TERMS, businessCalendar('Asia/Beirut'));
  expect(localDateAt(epochMs(deadlineMs - 1), 'Asia/Beirut')).toBe('2025-01-18');
  expect(localDateAt(deadlineMs, 'Asia/Beirut')).toBe('2025-01-19');
});

// R7: 4 July 2025 is a Friday, 26 May 2025 a Monday, 31 May 2025 a Saturday, 1 June 2025 a Sunday
test.each<[Partial<DeadlineTerms>, string[], string, string]>([
  [{}, [], '2025-07-02', '2025-07-05'],
  [{ graceUnit: 'business' }, [], '2025-07-02', '2025-07-07'],
  [{ graceUnit: 'business' }, ['2025-07-04'], '2025-07-02', '2025-07-08'],
  [{ graceUnit: 'business' }, ['2025-07-04', '2025-07-07', '2025-07-08'], '2025-07-02', '2025-07-10'],
  [{ graceUnit: 'business', graceDays: 0 }, ['2025-07-04'], '2025-07-04', '2025-07-04'],
  [{ graceUnit: 'business', graceDays: 1 }, [], '2025-07-05', '2025-07-07'],
  [{ dueDateRoll: 'following', graceDays: 0 }, ['2025-05-26'], '2025-05-24', '2025-05-27'],
  [{ dueDateRoll: 'following', graceDays: 3 }, ['2025-05-26'], '2025-05-24', '2025-05-30'],
  [{ dueDateRoll: 'following', graceUnit: 'business' }, ['2025-05-26'], '2025-05-24', '2025-05-30'],
  [{ dueDateRoll: 'following', graceDays: 0 }, [], '2025-05-31', '2025-06-02'],
  [{ dueDateRoll: 'modified-following', graceDays: 0 }, [], '2025-05-31', '2025-05-30'],
  [{ dueDateRoll: 'modified-following', graceDays: 0 }, ['2025-05-26'], '2025-05-24', '2025-05-27'],
  [{ dueDateRoll: 'preceding', graceDays: 0 }, ['2025-05-23'], '2025-05-25', '2025-05-22'],
  [{ dueDateRoll: 'preceding', graceDays: 4 }, [], '2025-05-25', '2025-05-27'],
])('R7: %j, closed on %j, due %s is in time through %s', (terms, closedDays, due, lastDay) => {
  const table: CalendarTable = {
    version: 1,
    weekend: ['sat', 'sun'],
    closedDays: closedDays.map(localDate),
    cutoff: null,
  };
  const deadline = deadlineOf(
    localDate(due),
    { ...TERMS, ...terms },
    businessCalendar('America/Chicago', table),
  );
  expect(deadline.lastDay).toBe(lastDay);
  expect(deadline.deadlineMs).toBe(endOfDayMs(localDate(lastDay), 'America/Chicago'));
  expect(deadline.judgeAtMs - deadline.deadlineMs).toBe(12 * 3_600_000);
});

test('days have 23, 24, 25 or half-odd hours', () => {
  const hours = (zone: string, date: string): number =>
    (endOfDayMs(localDate(date), zone) - startOfDayMs(localDate(date), zone)) / 3_600_000;
  expect(hours('America/New_York', '2026-03-08')).toBe(23);
  expect(hours('America/New_York', '2026-03-09')).toBe(24);
  expect(hours('America/New_York', '2026-11-01')).toBe(25);
  expect(hours('Australia/Lord_Howe', '2026-04-05')).toBe(24.5);
  expect(hours('America/Sao_Paulo', '2018-11-04')).toBe(23);
});

test.each([
  '2025-02-29',
  '2025-13-01',
  '2025-00-10',
  '2025-1-1',
  '20250101',
  '2025-01-01T00:00',
  '',
  ' 2025-01-01',
])('%j is not a date', (text) => {
  expect(isLocalDate(text)).toBe(false);
  expect(() => localDate(text)).toThrow(RangeError);
});

test('date arithmetic crosses months, leap days and years', () => {
  expect(addDays(localDate('2024-02-28'), 1)).toBe('2024-02-29');
  expect(addDays(localDate('2025-12-31'), 1)).toBe('2026-01-01');
  expect(addDays(localDate('2025-03-01'), -1)).toBe('2025-02-28');
  expect(daysBetween(localDate('2025-02-28'), localDate('2025-03-02'))).toBe(2);
  expect(daysBetween(localDate('2025-03-02'), localDate('2025-02-28'))).toBe(-2);
});

test('dates are counted as Temporal counts them, and never leave the years that a date can write', () => {
  const aDay = fc
    .integer({ min: -718_700, max: 2_932_000 })
    .map((day) => Temporal.PlainDate.from('1970-01-01').add({ days: day }));
  fc.assert(
    fc.property(aDay, fc.integer({ min: -800, max: 800 }), (date, days) => {
      const text = localDate(date.toString());
      expect(addDays(text, days)).toBe(date.add({ days }).toString());
      expect(daysBetween(text, addDays(text, days))).toBe(days);
      expect(dayOfWeek(text)).toBe(date.dayOfWeek);
    }),
  );
  expect(() => addDays(localDate('9999-12-31'), 1)).toThrow(RangeError);
  expect(() => addDays(localDate('0000-01-01'), -1)).toThrow(RangeError);
  expect(() => addDays('soon' as LocalDate, 1)).toThrow(RangeError);
});

test('the start of a day is the same when it is remembered, however many were asked for between', () => {
  const first = localDate('2026-03-08');
  const start = startOfDayMs(first, 'America/New_York');
  let day = localDate('2000-01-01');
  for (let asked = 0; asked < 20_500; asked += 1) {
    expect(startOfDayMs(day, 'UTC')).toBe(Date.parse(`${day}T00:00:00Z`));
    day = addDays(day, 1);
  }
  expect(startOfDayMs(first, 'America/New_York')).toBe(start);
  expect(startOfDayMs(first, 'UTC')).not.toBe(start);
});

test.each([
  ['2025-01-15', '2025-01-15T12:00-05:00'],
  ['2025-01-15 09:30', '2025-01-15T09:30-05:00'],
  ['2025-01-15T09:30:15', '2025-01-15T09:30:15-05:00'],
  ['2026-03-08 02:30', '2026-03-08T03:30-04:00'], // skipped: later
  ['2026-11-01 01:30', '2026-11-01T01:30-04:00'], // repeated: first
])('%s in New York is %s', (text, instant) => {
  expect(localTimeMs(text, 'America/New_York')).toBe(Date.parse(instant));
});

test.each(['2025-02-30', '2025-01-15 24:00', '2025-01-15 9:30', '15 Jan 2025', '2025-01-15T09:30Z', ''])(
  '%j is not a local time',
  (text) => {
    expect(localTimeMs(text, 'America/New_York')).toBeUndefined();
  },
);

test('instants, zones and dates are named and shown as people read them', () => {
  expect(formatDate(localDate('2025-01-05'))).toBe('5 Jan 2025');
  expect(formatDate(localDate('2025-12-15'), { year: false })).toBe('15 Dec');
  expect(formatLocalTime(epochMs(Date.parse('2026-01-19T12:00-05:00')), 'America/New_York')).toBe(
    '2026-01-19 12:00',
  );
  expect(isTimeZone('Europe/London')).toBe(true);
  expect(isTimeZone('Europe/Londn')).toBe(false);
  expect(calendarVersion('Europe/London')).toMatch(/^Europe\/London\/tzdata-\d{4}[a-z]/);
  expect(() => epochMs(0.5)).toThrow(RangeError);
});
