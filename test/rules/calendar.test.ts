/**
 * Goal: R4 and R5, deadline and judge time, are right in every zone and on every clock-change night.
 * Method: instants worked out by hand, written with their offset; refused texts as tables.
 */
import {
  addDays,
  calendarVersion,
  daysBetween,
  deadlineOf,
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
} from '../../src/rules';

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
    expect(deadlineOf(localDate(due), { graceDays, postingLagHours }, zone)).toEqual({
      lastDay,
      deadlineMs: Date.parse(deadline),
      judgeAtMs: Date.parse(judgeAt),
    });
  },
);

test('R4: day g is fine and day g + 1 is late, to the millisecond', () => {
  const { deadlineMs } = deadlineOf(
    localDate('2025-01-15'),
    { graceDays: 3, postingLagHours: 12 },
    'Asia/Beirut',
  );
  expect(localDateAt(epochMs(deadlineMs - 1), 'Asia/Beirut')).toBe('2025-01-18');
  expect(localDateAt(deadlineMs, 'Asia/Beirut')).toBe('2025-01-19');
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
