/**
 * Goal: what is past due is what the CIS said, less the money that came since and with that which went back, never below zero;
 * the oldest parts first.
 * Method: examples, and properties that fast-check draws statements and money for.
 */
import fc from 'fast-check';
import {
  addDays,
  cents,
  debtOn,
  lessOldestFirst,
  localDate,
  totalOf,
  ZERO,
  type DebtPart,
  type MoneySince,
} from '../../src/rules';
import { at } from './build';

const TODAY = localDate('2026-02-01');
const part = (dueDate: string, amount: number): DebtPart => ({
  dueDate: localDate(dueDate),
  cents: cents(amount),
});
const NO_MONEY: MoneySince = { paidCents: ZERO, returnedCents: ZERO, returnedOn: null };
const on = (parts: readonly DebtPart[], since: Partial<MoneySince> = {}) =>
  debtOn({ asOfMs: at('2026-01-31'), parts }, { ...NO_MONEY, ...since }, TODAY);

test('past due is what was due before today; what is due today is not', () => {
  const parts = [part('2026-01-15', 5000), part('2026-01-31', 100), part('2026-02-01', 7000)];
  expect(on(parts)).toEqual({
    ...{ arrearsCents: 5100, parts: parts.slice(0, 2), notDue: parts.slice(2), notDueCents: 7000 },
    ...{ paidSinceCents: 0, returnedSinceCents: 0 },
  });
});

test('money since is taken off the oldest first, and flows on into what is not yet due', () => {
  const parts = [part('2026-01-15', 5000), part('2026-01-20', 2000), part('2026-02-15', 7000)];
  expect(on(parts, { paidCents: cents(6000) })).toMatchObject({
    ...{ arrearsCents: 1000, parts: [part('2026-01-20', 1000)], notDueCents: 7000 },
  });
  expect(on(parts, { paidCents: cents(8000) })).toMatchObject({ arrearsCents: 0, notDueCents: 6000 });
  expect(on(parts, { paidCents: cents(99_000) })).toMatchObject({ arrearsCents: 0, notDueCents: 0 });
});

test('money that went back since is owed again, on the oldest part; or by itself, past due from the next day', () => {
  const back = { returnedCents: cents(3000), returnedOn: localDate('2026-01-30') };
  expect(on([part('2026-01-15', 5000)], back).parts).toEqual([part('2026-01-15', 8000)]);
  expect(on([], back)).toMatchObject({ arrearsCents: 3000, parts: [part('2026-01-30', 3000)] });
  expect(on([], { ...back, returnedOn: TODAY })).toMatchObject({ arrearsCents: 0, notDueCents: 3000 });
  // Paid again since: nothing is owed.
  expect(on([], { ...back, paidCents: cents(3000) })).toMatchObject({ arrearsCents: 0, notDueCents: 0 });
});

describe('whatever is owed and paid', () => {
  const partsOf = fc
    .array(fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: 1, max: 50_000 })), { maxLength: 8 })
    .map((all) =>
      all
        .sort(([a], [b]) => a - b)
        .map(([days, amount]): DebtPart => ({ dueDate: addDays(TODAY, days), cents: cents(amount) })),
    );
  const amount = fc.integer({ min: 0, max: 150_000 });

  test('what is past due and what is not are together what is owed; nothing is below zero', () => {
    fc.assert(
      fc.property(partsOf, amount, amount, fc.integer({ min: -9, max: 0 }), (parts, paid, returned, day) => {
        const since = {
          paidCents: cents(paid),
          returnedCents: cents(returned),
          returnedOn: addDays(TODAY, day),
        };
        const found = on(parts, returned === 0 ? { paidCents: cents(paid) } : since);
        expect(found.arrearsCents + found.notDueCents).toBe(Math.max(0, totalOf(parts) + returned - paid));
        expect(totalOf(found.parts)).toBe(found.arrearsCents);
        expect(found.parts.every((one) => one.cents > 0 && one.dueDate < TODAY)).toBe(true);
        expect(found.parts.map(({ dueDate }) => dueDate)).toEqual(
          found.parts.map(({ dueDate }) => dueDate).sort(),
        );
      }),
    );
  });

  test('a cent more that was paid never raises what is past due, and no part grows by it', () => {
    fc.assert(
      fc.property(partsOf, amount, (parts, paid) => {
        const before = on(parts, { paidCents: cents(paid) });
        const after = on(parts, { paidCents: cents(paid + 1) });
        expect([0, 1]).toContain(before.arrearsCents - after.arrearsCents);
        expect(after.notDueCents === before.notDueCents || after.arrearsCents === 0).toBe(true);
      }),
    );
  });

  test('paid in two goes is as paid at once; the oldest go first', () => {
    fc.assert(
      fc.property(partsOf, amount, amount, (parts, first, second) => {
        const left = lessOldestFirst(parts, first + second);
        expect(lessOldestFirst(lessOldestFirst(parts, first), second)).toEqual(left);
        expect(totalOf(left)).toBe(Math.max(0, totalOf(parts) - first - second));
        // All but the first of what is left are whole.
        const whole = left.slice(1);
        expect(whole).toEqual(whole.length === 0 ? [] : parts.slice(-whole.length));
      }),
    );
  });
});
