/**
 * Goal: parts sum to the total (R2) and months keep their anchor day (R3).
 * Method: the examples of the rule book and the awkward ends of months, as tables.
 */
import {
  cents,
  dueDates,
  equalSchedule,
  localDate,
  MAX_INSTALLMENTS,
  splitEqually,
  type Frequency,
} from '../../src/rules';

test.each([
  [20300, 6, [3383, 3383, 3383, 3383, 3383, 3385]],
  [10000, 1, [10000]],
  [10000, 3, [3333, 3333, 3334]],
  [3, 3, [1, 1, 1]],
  [5, 3, [1, 1, 3]],
])('R2: %d cents in %d', (total, parts, amounts) => {
  expect(splitEqually(cents(total), parts)).toEqual(amounts);
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
])('R2: %d cents in %d is refused', (total, parts) => {
  expect(() => splitEqually(cents(total), parts)).toThrow(RangeError);
});

test.each<[Frequency, string, string[]]>([
  ['monthly', '2025-01-31', ['2025-01-31', '2025-02-28', '2025-03-31', '2025-04-30']],
  ['monthly', '2024-01-30', ['2024-01-30', '2024-02-29', '2024-03-30', '2024-04-30']],
  ['monthly', '2025-11-30', ['2025-11-30', '2025-12-30', '2026-01-30', '2026-02-28']],
  ['weekly', '2025-12-25', ['2025-12-25', '2026-01-01', '2026-01-08', '2026-01-15']],
  ['two-weeks', '2025-02-20', ['2025-02-20', '2025-03-06', '2025-03-20', '2025-04-03']],
  ['half-month', '2025-12-01', ['2025-12-01', '2025-12-15', '2026-01-01', '2026-01-15']],
  ['half-month', '2025-12-15', ['2025-12-15', '2026-01-01', '2026-01-15', '2026-02-01']],
])('R3: %s from %s', (frequency, first, dates) => {
  expect(dueDates(localDate(first), frequency, 4)).toEqual(dates);
});

test('R3: what a frequency cannot mean is refused', () => {
  expect(() => dueDates(localDate('2025-01-16'), 'half-month', 2)).toThrow(/1st or the 15th/);
  expect(() => dueDates(localDate('2025-01-16'), 'once', 2)).toThrow(/once/);
  expect(dueDates(localDate('2025-01-16'), 'once', 1)).toEqual(['2025-01-16']);
});

test('an equal schedule puts the amounts on the dates', () => {
  expect(equalSchedule(cents(10001), 'monthly', 2, localDate('2025-01-31'))).toEqual([
    { dueDate: '2025-01-31', amountCents: 5000 },
    { dueDate: '2025-02-28', amountCents: 5001 },
  ]);
});
