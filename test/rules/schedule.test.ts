/**
 * Goal: parts sum to the total (R2), months keep their anchor day (R3), and a changed installment's difference goes
 * where it was told to go (R18).
 * Method: the examples of the rule book and the awkward ends of months, as tables; properties over random schedules.
 */
import fc from 'fast-check';
import { addDays, dayOfWeek, daysBetween, localDate } from '../../src/rules/calendar';
import { WEEKDAYS } from '../../src/rules/business-days';
import { cents, type Cents } from '../../src/rules/money';
import { percentOf } from '../../src/rules/policy';
import {
  absorbChange,
  downPaymentFirst,
  dueDates,
  equalSchedule,
  formatFrequency,
  FREQUENCIES,
  MAX_INSTALLMENTS,
  MAX_PERIODS,
  nthDueDate,
  parseFrequency,
  parseScenarioEvery,
  splitEqually,
  type Absorb,
  type Frequency,
  type Remainder,
} from '../../src/rules/schedules/schedule';

const total = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

test.each<[number, number, Remainder | undefined, number[]]>([
  [20300, 6, undefined, [3383, 3383, 3383, 3383, 3383, 3385]],
  [20300, 6, 'last', [3383, 3383, 3383, 3383, 3383, 3385]],
  [20300, 6, 'first', [3385, 3383, 3383, 3383, 3383, 3383]],
  [20300, 6, 'spread', [3384, 3384, 3383, 3383, 3383, 3383]],
  [7499, 4, 'spread', [1875, 1875, 1875, 1874]],
  [10000, 1, 'first', [10000]],
  [10000, 3, 'last', [3333, 3333, 3334]],
  [3, 3, 'spread', [1, 1, 1]],
  [5, 3, 'last', [1, 1, 3]],
  [5, 3, 'first', [3, 1, 1]],
  [5, 3, 'spread', [2, 2, 1]],
])('R2: %d cents in %d, remainder %s', (amount, parts, remainder, amounts) => {
  expect(splitEqually(cents(amount), parts, remainder)).toEqual(amounts);
});

test.each([
  [2, 3],
  [0, 1],
  [-100, 2],
  [100, 0],
  [100, -1],
  [100, 1.5],
  [100, NaN],
  [100000, MAX_INSTALLMENTS + 1],
])('R2: %d cents in %d is refused', (amount, parts) => {
  expect(() => splitEqually(cents(amount), parts)).toThrow(RangeError);
});

test.each<[Remainder, number[]]>([
  ['spread', [2500, 1875, 1875, 1875, 1874]],
  ['last', [2500, 1874, 1874, 1874, 1877]],
  ['first', [2500, 1877, 1874, 1874, 1874]],
])('R2: 99.99 with 25 percent down and 4 parts, remainder %s', (remainder, amounts) => {
  const down = cents(percentOf(9999, 25).ceil);
  expect(downPaymentFirst(cents(9999), down, 4, remainder)).toEqual(amounts);
});

test.each([
  [0, 4, /must be from 1 to 9998/],
  [9999, 4, /leaves nothing to split/],
  [9998, 2, /less than one cent/],
  [100, MAX_INSTALLMENTS, /fewer parts/],
])('R2: a down payment of %d cents and %d parts is refused', (down, parts, message) => {
  expect(() => downPaymentFirst(cents(9999), cents(down), parts)).toThrow(message);
});

const day = { monthDays: [5, 20] };
test.each<[Frequency, string, string[]]>([
  ['monthly', '2025-01-31', ['2025-01-31', '2025-02-28', '2025-03-31', '2025-04-30']],
  ['monthly', '2024-01-30', ['2024-01-30', '2024-02-29', '2024-03-30', '2024-04-30']],
  ['monthly', '2000-01-31', ['2000-01-31', '2000-02-29', '2000-03-31', '2000-04-30']], // a leap year, unlike 2100
  ['monthly', '2025-11-30', ['2025-11-30', '2025-12-30', '2026-01-30', '2026-02-28']],
  ['weekly', '2025-12-25', ['2025-12-25', '2026-01-01', '2026-01-08', '2026-01-15']],
  ['two-weeks', '2025-02-20', ['2025-02-20', '2025-03-06', '2025-03-20', '2025-04-03']],
  ['half-month', '2025-12-01', ['2025-12-01', '2025-12-15', '2026-01-01', '2026-01-15']],
  ['half-month', '2025-12-15', ['2025-12-15', '2026-01-01', '2026-01-15', '2026-02-01']],
  [{ everyDays: 10 }, '2024-02-20', ['2024-02-20', '2024-03-01', '2024-03-11', '2024-03-21']],
  [{ everyDays: 1 }, '2025-12-30', ['2025-12-30', '2025-12-31', '2026-01-01', '2026-01-02']],
  [{ everyMonths: 3 }, '2024-11-30', ['2024-11-30', '2025-02-28', '2025-05-30', '2025-08-30']],
  [{ everyMonths: 12 }, '2024-02-29', ['2024-02-29', '2025-02-28', '2026-02-28', '2027-02-28']],
  [{ everyMonths: 48 }, '2024-02-29', ['2024-02-29', '2028-02-29', '2032-02-29', '2036-02-29']],
  [{ everyMonths: 1 }, '2099-12-31', ['2099-12-31', '2100-01-31', '2100-02-28', '2100-03-31']],
  [day, '2025-12-05', ['2025-12-05', '2025-12-20', '2026-01-05', '2026-01-20']],
  [day, '2025-12-20', ['2025-12-20', '2026-01-05', '2026-01-20', '2026-02-05']],
  [{ monthDays: [31, 15] }, '2025-01-31', ['2025-01-31', '2025-02-15', '2025-02-28', '2025-03-15']],
  // the first date may be a last day of a month that lacks the 31st
  [{ monthDays: [15, 31] }, '2024-02-29', ['2024-02-29', '2024-03-15', '2024-03-31', '2024-04-15']],
  [{ monthDays: [1, 11, 21] }, '2025-01-11', ['2025-01-11', '2025-01-21', '2025-02-01', '2025-02-11']],
  // 6 January 2025 is a Monday
  [{ weekdays: ['mon', 'thu'] }, '2025-01-06', ['2025-01-06', '2025-01-09', '2025-01-13', '2025-01-16']],
  [{ weekdays: ['thu', 'mon'] }, '2025-01-09', ['2025-01-09', '2025-01-13', '2025-01-16', '2025-01-20']],
  [{ weekdays: ['sun'] }, '2025-12-28', ['2025-12-28', '2026-01-04', '2026-01-11', '2026-01-18']],
])('R3: %j from %s', (frequency, first, dates) => {
  expect(dueDates(localDate(first), frequency, 4)).toEqual(dates);
});

test.each<[Frequency, string, RegExp]>([
  ['half-month', '2025-01-16', /starts on the 1st or the 15th, not on 2025-01-16/],
  ['once', '2025-01-16', /once/],
  [day, '2025-01-06', /on 5 and 20 starts on one of these days, not on 2025-01-06/],
  [{ weekdays: ['mon', 'thu'] }, '2025-01-07', /on mon,thu starts on .* not on 2025-01-07, which is a tue/],
  [{ everyDays: 0 }, '2025-01-07', /1 to 999 days/],
  [{ everyDays: 1.5 }, '2025-01-07', /1 to 999 days/],
  [{ everyMonths: 100 }, '2025-01-07', /1 to 99 months/],
  [{ monthDays: [5] }, '2025-01-05', /two or more different days/],
  [{ monthDays: [5, 32] }, '2025-01-05', /two or more different days/],
  [{ monthDays: [5, 5] }, '2025-01-05', /two or more different days/],
  [{ monthDays: [28, 31] }, '2025-01-28', /last day of a February/],
  [{ weekdays: [] }, '2025-01-05', /different days such as mon,thu/],
  [{ weekdays: ['mon', 'mon'] }, '2025-01-06', /different days/],
])('R3: %j from %s is refused', (frequency, first, message) => {
  expect(() => dueDates(localDate(first), frequency, 2)).toThrow(message);
});

test('R3: due dates are counted within limits', () => {
  const first = localDate('2025-01-16');
  expect(dueDates(first, 'once', 1)).toEqual(['2025-01-16']);
  for (const count of [0, -1, 1.5, NaN, MAX_PERIODS + 1]) {
    expect(() => dueDates(first, 'weekly', count)).toThrow(/number of due dates from 1 to 1200/);
  }
  expect(() => nthDueDate(first, 'weekly', -1)).toThrow(RangeError);
  expect(() => nthDueDate(first, 'once', 1)).toThrow(RangeError);
  expect(() => nthDueDate(first, { everyMonths: 99 }, MAX_PERIODS)).toThrow(/beyond 9999/);
});

test('R3: 1,200 periods are worked out in no time, each by itself', () => {
  const before = process.cpuUsage();
  const dates = dueDates(localDate('2025-01-31'), { monthDays: [15, 31] }, MAX_PERIODS);
  expect(dates.at(-1)).toBe('2075-01-15');
  expect(nthDueDate(localDate('2025-01-31'), 'monthly', MAX_PERIODS - 1)).toBe('2124-12-31');
  // The processor's time: others may use the machine, too.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
});

test.each<[string, Frequency]>([
  ...FREQUENCIES.map((name): [string, Frequency] => [name, name]),
  ['every 10 days', { everyDays: 10 }],
  ['every 1 day', { everyDays: 1 }],
  ['every 3 months', { everyMonths: 3 }],
  ['on mon,thu', { weekdays: ['mon', 'thu'] }],
  ['on sun', { weekdays: ['sun'] }],
  ['on 5 and 20', { monthDays: [5, 20] }],
  ['on 1, 11 and 21', { monthDays: [1, 11, 21] }],
])('a frequency is written "%s" and read back', (text, frequency) => {
  expect(parseFrequency(text)).toEqual(frequency);
  expect(formatFrequency(frequency)).toBe(text);
});

test.each<[string, Frequency]>([
  [' Monthly ', 'monthly'],
  ['every  10  Days', { everyDays: 10 }],
  ['every 1 days', { everyDays: 1 }],
  ['on thu and mon', { weekdays: ['mon', 'thu'] }],
  ['on thu + mon', { weekdays: ['mon', 'thu'] }],
  ['on 20,5', { monthDays: [5, 20] }],
  ['on 21, 1, and 11', { monthDays: [1, 11, 21] }],
])('"%s" is read, too', (text, frequency) => {
  expect(parseFrequency(text)).toEqual(frequency);
});

test.each([
  '',
  'daily',
  'every 0 days',
  'every 1000 days',
  'every 100 months',
  'every ten days',
  'on',
  'on 5',
  'on 0 and 5',
  'on 5 and 32',
  'on 5 and 5',
  'on 29 and 31',
  'on mon and 5',
  'on mon,mon',
  'on monday',
  'toString',
])('"%s" is no frequency', (text) => {
  expect(parseFrequency(text)).toBeUndefined();
  expect(parseScenarioEvery(text)).toBeUndefined();
});

test.each<[string, Frequency]>([
  ['week', 'weekly'],
  ['two-weeks', 'two-weeks'],
  ['half-month', 'half-month'],
  ['month', 'monthly'],
  ['10-days', { everyDays: 10 }],
  ['3-months', { everyMonths: 3 }],
  ['mon+thu', { weekdays: ['mon', 'thu'] }],
  ['fri', { weekdays: ['fri'] }],
  ['5+20', { monthDays: [5, 20] }],
  ['20+5', { monthDays: [5, 20] }],
])('a scenario says "%s"', (text, frequency) => {
  expect(parseScenarioEvery(text)).toEqual(frequency);
});

test('an equal schedule puts the amounts on the dates', () => {
  const first = localDate('2025-01-31');
  expect(equalSchedule(cents(10001), 'monthly', 2, first)).toEqual([
    { dueDate: '2025-01-31', amountCents: 5000 },
    { dueDate: '2025-02-28', amountCents: 5001 },
  ]);
  expect(equalSchedule(cents(10001), 'monthly', 2, first, 'first')[0]?.amountCents).toBe(5001);
});

const FOUR = [2500, 2500, 2500, 2500].map(cents);
test.each<[number, number, Absorb, number[]]>([
  [1, 1000, 'last', [2500, 1000, 2500, 4000]],
  [1, 1000, 'next', [2500, 1000, 4000, 2500]],
  [0, 1000, 'spread', [1000, 3000, 3000, 3000]],
  [0, 1001, 'spread', [1001, 2999, 2999, 3001]],
  [0, 3001, 'spread', [3001, 2333, 2333, 2333]],
  [0, 3003, 'spread', [3003, 2333, 2333, 2331]],
  [1, 4999, 'next', [2500, 4999, 1, 2500]],
  [1, 4999, 'last', [2500, 4999, 2500, 1]],
  [1, 1000, 'none', [2500, 1000, 2500, 2500]],
  [3, 1000, 'none', [2500, 2500, 2500, 1000]],
  [3, 2500, 'last', [2500, 2500, 2500, 2500]],
])('R18: installment %d becomes %d, absorb %s', (index, amount, absorb, amounts) => {
  expect(absorbChange(FOUR, index, cents(amount), absorb)).toEqual(amounts);
});

test.each<[number, number, Absorb, RegExp]>([
  [1, 5000, 'next', /Installment 3 would be 0 cents, less than one cent/],
  [1, 5001, 'last', /Installment 4 would be -1 cents/],
  [0, 9998, 'spread', /Installment 4 would be 0 cents/],
  [1, 0, 'last', /Installment 2 would be 0 cents/],
  [3, 1000, 'last', /Installment 4 is the last one.*absorb "none"/],
  [3, 1000, 'spread', /none after it can take the difference of 1500 cents/],
  [4, 1000, 'last', /no installment 5; there are 4/],
])('R18: installment %d as %d, absorb %s, is refused', (index, amount, absorb, message) => {
  expect(() => absorbChange(FOUR, index, cents(amount), absorb)).toThrow(message);
});

describe('properties', () => {
  const aRemainder = fc.constantFrom<Remainder>('last', 'first', 'spread');
  const aDate = fc.integer({ min: 0, max: 12_000 }).map((n) => addDays(localDate('2020-01-01'), n));

  test('R2: parts sum to the total; all but one are equal, spread differs by a cent at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.nat(10_000_000),
        aRemainder,
        (parts, more, remainder) => {
          const amount = cents(parts + more);
          const amounts = splitEqually(amount, parts, remainder);
          expect(amounts).toHaveLength(parts);
          expect(total(amounts)).toBe(amount);
          expect(Math.min(...amounts)).toBe(Math.floor(amount / parts));
          if (remainder === 'spread')
            expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(1);
          const rest = remainder === 'first' ? amounts.slice(1) : amounts.slice(0, -1);
          if (remainder !== 'spread') expect(new Set(rest).size).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test('R18: whatever is absorbed, the total stays and earlier installments do not move', () => {
    const amountsOf = fc.array(fc.integer({ min: 1, max: 100_000 }).map(cents), {
      minLength: 2,
      maxLength: 30,
    });
    const anAbsorb = fc.constantFrom<Absorb>('last', 'next', 'spread', 'none');
    let accepted = 0;
    fc.assert(
      fc.property(
        amountsOf,
        fc.nat(29),
        fc.integer({ min: 1, max: 120_000 }),
        anAbsorb,
        (amounts, at, to, absorb) => {
          const index = at % amounts.length;
          let changed: Cents[];
          try {
            changed = absorbChange(amounts, index, cents(to), absorb);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return;
          }
          accepted += 1;
          const was = amounts[index] ?? 0;
          expect(total(changed)).toBe(total(amounts) + (absorb === 'none' ? to - was : 0));
          expect(changed.slice(0, index + 1)).toEqual([...amounts.slice(0, index), to]);
          expect(Math.min(...changed)).toBeGreaterThanOrEqual(1);
        },
      ),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('R3: months keep their anchor day or end on their last day, and none is left out', () => {
    fc.assert(
      fc.property(aDate, fc.integer({ min: 1, max: 12 }), fc.nat(400), (first, everyMonths, index) => {
        const due = nthDueDate(first, { everyMonths }, index);
        const monthOf = (date: string): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));
        expect(monthOf(due) - monthOf(first)).toBe(everyMonths * index);
        const isLastDay = addDays(due, 1).endsWith('-01');
        if (due.slice(8) !== first.slice(8)) expect(isLastDay && due.slice(8) < first.slice(8)).toBe(true);
      }),
    );
  });

  test('R3: weekdays and days of the month leave no day out and add none', () => {
    fc.assert(
      fc.property(
        aDate,
        fc.subarray([...WEEKDAYS], { minLength: 1 }),
        fc.nat(60),
        (date, weekdays, count) => {
          const isOne = (on: typeof date): boolean => weekdays.includes(WEEKDAYS[dayOfWeek(on) - 1] ?? 'mon');
          let first = date;
          while (!isOne(first)) first = addDays(first, 1);
          const dates = dueDates(first, { weekdays }, count + 1);
          const last = dates.at(-1) ?? first;
          const all = Array.from({ length: daysBetween(first, last) + 1 }, (_, n) => addDays(first, n));
          expect(dates).toEqual(all.filter(isOne));
        },
      ),
    );
    fc.assert(
      fc.property(
        aDate,
        fc.uniqueArray(fc.integer({ min: 1, max: 28 }), { minLength: 2 }),
        fc.nat(60),
        (date, monthDays, count) => {
          fc.pre(monthDays.filter((each) => each > 27).length < 2);
          const isOne = (on: typeof date): boolean => monthDays.includes(Number(on.slice(8)));
          let first = date;
          while (!isOne(first)) first = addDays(first, 1);
          const dates = dueDates(first, { monthDays }, count + 1);
          const last = dates.at(-1) ?? first;
          const all = Array.from({ length: daysBetween(first, last) + 1 }, (_, n) => addDays(first, n));
          expect(dates).toEqual(all.filter(isOne));
        },
      ),
    );
  });
});
