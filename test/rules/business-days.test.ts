/**
 * Goal: business days, rolls (R7) and the cut-off (R6) are right, also on closed days and clock-change nights.
 * Method: hand-computed tables; an always closed calendar; properties against a plain count of days.
 */
import fc from 'fast-check';
import {
  addBusinessDays,
  businessCalendar,
  DEFAULT_WEEKEND,
  effectiveDateOf,
  isBusinessDay,
  nextBusinessDay,
  rollDate,
  WEEKDAYS,
  weekdayOf,
  type BusinessCalendar,
  type CalendarTable,
  type Roll,
} from '../../src/rules/business-days';
import { addDays, daysBetween, epochMs, localDate } from '../../src/rules/calendar';

function calendar(told: Partial<CalendarTable> = {}, timeZone = 'America/New_York'): BusinessCalendar {
  return businessCalendar(timeZone, {
    version: 1,
    weekend: DEFAULT_WEEKEND,
    closedDays: [],
    cutoff: null,
    ...told,
  });
}

// Christmas 2025 is a Thursday, 1 January 2026 is, too
const HOLIDAYS = calendar({ closedDays: ['2025-12-25', '2025-12-26', '2026-01-01'].map(localDate) });
const GULF = calendar({ weekend: ['fri', 'sat'] });

test('a calendar names its zone, its time-zone data and its table', () => {
  const tzdata = process.versions['tz'] ?? '';
  expect(businessCalendar('Europe/London').version).toBe(`Europe/London/tzdata-${tzdata}/0`);
  expect(calendar({ version: 3 }).version).toBe(`America/New_York/tzdata-${tzdata}/3`);
  expect(businessCalendar('Europe/London')).toMatchObject({
    weekend: ['sat', 'sun'],
    closedDays: [],
    cutoff: null,
  });
});

test.each([
  ['2025-12-24', 'wed', true, true],
  ['2025-12-25', 'thu', false, true],
  ['2025-12-26', 'fri', false, false],
  ['2025-12-27', 'sat', false, false],
  ['2025-12-28', 'sun', false, true],
  ['2024-02-29', 'thu', true, true],
])('R7: %s is a %s', (date, weekday, isOpen, isOpenInTheGulf) => {
  expect(weekdayOf(localDate(date))).toBe(weekday);
  expect(isBusinessDay(localDate(date), HOLIDAYS)).toBe(isOpen);
  expect(isBusinessDay(localDate(date), GULF)).toBe(isOpenInTheGulf);
});

test.each([
  ['2025-12-24', '2025-12-29'],
  ['2025-12-27', '2025-12-29'],
  ['2025-12-29', '2025-12-30'],
  ['2025-12-31', '2026-01-02'],
])('R7: the next business day after %s is %s', (date, next) => {
  expect(nextBusinessDay(localDate(date), HOLIDAYS)).toBe(next);
});

test.each([
  ['2025-12-24', 0, '2025-12-24'],
  ['2025-12-25', 0, '2025-12-25'],
  ['2025-12-24', 1, '2025-12-29'],
  ['2025-12-24', 3, '2025-12-31'],
  ['2025-12-24', 4, '2026-01-02'],
  ['2025-12-28', 5, '2026-01-05'],
])('R7: %s and %d business days is %s', (date, days, last) => {
  expect(addBusinessDays(localDate(date), days, HOLIDAYS)).toBe(last);
});

test.each([-1, 0.5, NaN])('%d business days are refused', (days) => {
  expect(() => addBusinessDays(localDate('2025-12-24'), days, HOLIDAYS)).toThrow(/business days/);
});

test.each<[string, Roll, string]>([
  ['2025-12-24', 'following', '2025-12-24'],
  ['2025-12-24', 'modified-following', '2025-12-24'],
  ['2025-12-24', 'preceding', '2025-12-24'],
  ['2025-12-25', 'none', '2025-12-25'],
  ['2025-12-25', 'following', '2025-12-29'],
  ['2025-12-25', 'modified-following', '2025-12-29'],
  ['2025-12-27', 'preceding', '2025-12-24'],
  ['2026-01-31', 'following', '2026-02-02'],
  ['2026-01-31', 'modified-following', '2026-01-30'],
  ['2026-02-01', 'preceding', '2026-01-30'], // preceding may leave the month: only modified-following minds it
])('R7: %s rolled %s is %s', (date, roll, rolled) => {
  expect(rollDate(localDate(date), roll, HOLIDAYS)).toBe(rolled);
});

describe('R6: the cut-off', () => {
  const five = calendar({ cutoff: '17:00', closedDays: [localDate('2025-03-17')] });

  // 14 March 2025 is a Friday, the Monday after it is closed
  test.each([
    ['a second before', '2025-03-14T16:59:59-04:00', '2025-03-14'],
    ['exactly at it', '2025-03-14T17:00:00-04:00', '2025-03-14'],
    ['a millisecond later', '2025-03-14T17:00:00.001-04:00', '2025-03-18'],
    ['the last minute of the day', '2025-03-14T23:59:00-04:00', '2025-03-18'],
    ['the first of the next day, closed as it is', '2025-03-15T00:00:00-04:00', '2025-03-15'],
    ['before it on a closed Monday', '2025-03-17T09:00:00-04:00', '2025-03-17'],
    ['after it on a closed Monday', '2025-03-17T17:01:00-04:00', '2025-03-18'],
    ['after it on an ordinary day', '2025-03-12T18:00:00-04:00', '2025-03-13'],
  ])('%s', (_when, receivedAt, day) => {
    expect(effectiveDateOf(epochMs(Date.parse(receivedAt)), five)).toBe(day);
  });

  test('without one, money belongs to its local day to the last instant', () => {
    const received = epochMs(Date.parse('2025-03-14T23:59:59.999-04:00'));
    expect(effectiveDateOf(received, calendar())).toBe('2025-03-14');
    expect(effectiveDateOf(received, calendar({}, 'Europe/London'))).toBe('2025-03-15');
  });

  test('one that a clock change skips or repeats never lets later money have the earlier day', () => {
    const skipped = calendar({ cutoff: '02:30' }); // 8 March 2026: 02:30 is 03:30
    expect(effectiveDateOf(epochMs(Date.parse('2026-03-08T03:30-04:00')), skipped)).toBe('2026-03-08');
    expect(effectiveDateOf(epochMs(Date.parse('2026-03-08T03:31-04:00')), skipped)).toBe('2026-03-09');
    const repeated = calendar({ cutoff: '01:30' }); // 1 November 2026: the first 01:30
    expect(effectiveDateOf(epochMs(Date.parse('2026-11-01T01:30-04:00')), repeated)).toBe('2026-11-01');
    expect(effectiveDateOf(epochMs(Date.parse('2026-11-01T01:15-05:00')), repeated)).toBe('2026-11-02');
  });

  test('one that is no time is refused', () => {
    expect(() => effectiveDateOf(epochMs(0), calendar({ cutoff: 'noon' }))).toThrow(/17:00/);
  });
});

test('a calendar that never opens is refused instead of searched for ever', () => {
  const never = calendar({ weekend: WEEKDAYS });
  const date = localDate('2025-01-15');
  expect(() => nextBusinessDay(date, never)).toThrow(/no business day within 366 days after 2025-01-15/);
  expect(() => addBusinessDays(date, 3, never)).toThrow(RangeError);
  expect(() => rollDate(date, 'following', never)).toThrow(RangeError);
  expect(() => rollDate(date, 'preceding', never)).toThrow(/before 2025-01-15/);
});

describe('properties', () => {
  const aDate = fc.integer({ min: 0, max: 3000 }).map((day) => addDays(localDate('2022-01-01'), day));
  const aCalendar = fc
    .record({
      weekend: fc.subarray([...WEEKDAYS], { maxLength: 6 }),
      closedDays: fc.array(aDate, { maxLength: 40 }),
    })
    .map((told) => calendar(told));

  test('n business days hold exactly n open days after the date', () => {
    fc.assert(
      fc.property(aDate, aCalendar, fc.nat(20), (date, told, days) => {
        const last = addBusinessDays(date, days, told);
        let open = 0;
        for (let after = 1; after <= daysBetween(date, last); after += 1) {
          if (isBusinessDay(addDays(date, after), told)) open += 1;
        }
        expect(open).toBe(days);
        if (days > 0) expect(isBusinessDay(last, told)).toBe(true);
      }),
    );
  });

  test('a rolled date is open, on its side, with nothing open between', () => {
    fc.assert(
      fc.property(aDate, aCalendar, (date, told) => {
        const following = rollDate(date, 'following', told);
        const preceding = rollDate(date, 'preceding', told);
        expect(following >= date && preceding <= date).toBe(true);
        expect(isBusinessDay(following, told) && isBusinessDay(preceding, told)).toBe(true);
        expect(following === date).toBe(isBusinessDay(date, told));
        for (let day = addDays(preceding, 1); day < following; day = addDays(day, 1)) {
          expect(isBusinessDay(day, told)).toBe(false);
        }
        const modified = rollDate(date, 'modified-following', told);
        expect([following, preceding]).toContain(modified);
        if (following.slice(0, 7) === date.slice(0, 7)) expect(modified).toBe(following);
        else expect(modified).toBe(preceding);
      }),
    );
  });
});
