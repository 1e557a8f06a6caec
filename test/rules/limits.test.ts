/**
 * Goal: each limit of a policy refuses what is beyond it and nothing at it (R17, R18, R25), names itself, the field and the
 * value, and says what would be allowed.
 * Method: tables with a value at the limit and one beyond, derived by hand; the whole answer is compared.
 */
import { evaluate, localDate, cents, type PolicyOptions } from '../../src/rules';
import {
  amendRefusals,
  cancelRefusal,
  refusalsOf,
  type AccountStanding,
  type Asked,
} from '../../src/rules/limits';
import { DEFAULT_POLICY_OPTIONS, PRESETS, completeOptions } from '../../src/rules/presets';
import { flatOptions, policyDifferences } from '../../src/rules/differences';
import type { Limits } from '../../src/rules/policy';
import { at, payment, promise, type Told } from './build';

const START = localDate('2025-01-02');
const asked = (...parts: readonly (readonly [due: string, amount: number])[]): Asked => ({
  startDate: START,
  currency: 'USD',
  parts: parts.map(([due, amount]) => ({ dueDate: localDate(due), amountCents: cents(amount) })),
  isOpenEnded: false,
});
const NOBODY: AccountStanding = { openOnDebt: null, openPromises: 0, brokenOn: [], arrearsCents: null };
const said = (limits: Limits, plan: Asked, account: Partial<AccountStanding> = {}): string[] =>
  refusalsOf(limits, plan, { ...NOBODY, ...account }).map(
    ({ field, value, message }) => `${field} ${value} ${message}`,
  );
const TWO = asked(['2025-01-15', 4000], ['2025-02-15', 6000]);
const day = localDate;

test.each<[string, Limits, Partial<AccountStanding>, Limits, Partial<AccountStanding>, string]>([
  [
    'installments',
    ...([{ maxInstallments: 2 }, {}, { maxInstallments: 1 }, {}] as const),
    'installments 2 are more than the 1 that the policy allows (maxInstallments)',
  ],
  [
    'the horizon',
    ...([{ maxHorizonDays: 44 }, {}, { maxHorizonDays: 43 }, {}] as const),
    'dueDate 2025-02-15 lies after 2025-02-14, 43 days from the start, the longest that the policy allows (maxHorizonDays)',
  ],
  [
    'the first payment',
    ...([{ maxDaysToFirstPayment: 13 }, {}, { maxDaysToFirstPayment: 12 }, {}] as const),
    'dueDate 2025-01-15 lies 13 days after the start; the first payment is due within 12 days (maxDaysToFirstPayment)',
  ],
  [
    'the least installment',
    ...([{ minInstallmentCents: cents(4000) }, {}, { minInstallmentCents: cents(4001) }, {}] as const),
    'amountCents $40.00 is less than $40.01, the least that the policy allows (minInstallmentCents)',
  ],
  [
    'the least installment, by percent, and the larger of both',
    ...([
      { minInstallmentCents: cents(100), minInstallmentPercent: 40 },
      {},
      { minInstallmentCents: cents(100), minInstallmentPercent: 41 },
      {},
    ] as const),
    'amountCents $40.00 is less than $41.00, 41 % of the total (minInstallmentPercent)',
  ],
  [
    'the down payment',
    ...([{ downPaymentCents: cents(4000) }, {}, { downPaymentCents: cents(4001) }, {}] as const),
    'amountCents $40.00 is less than the down payment of $40.01 that the policy asks for (downPaymentCents)',
  ],
  [
    'the down payment, by percent',
    ...([{ downPaymentPercent: 40 }, {}, { downPaymentPercent: 50 }, {}] as const),
    'amountCents $40.00 is less than the down payment of $50.00 that the policy asks for (downPaymentPercent)',
  ],
  [
    'days to the down payment',
    ...([
      { downPaymentCents: cents(1), downPaymentWithinDays: 13 },
      {},
      { downPaymentCents: cents(1), downPaymentWithinDays: 12 },
      {},
    ] as const),
    'dueDate 2025-01-15 lies 13 days after the start; the down payment is due within 12 days (downPaymentWithinDays)',
  ],
  [
    'arrears, equal',
    { totalVersusArrears: 'equal' },
    { arrearsCents: cents(10000) },
    { totalVersusArrears: 'equal' },
    { arrearsCents: cents(10001) },
    'totalCents $100.00 must equal the arrears of $100.01 (totalVersusArrears: equal)',
  ],
  [
    'arrears, at most',
    { totalVersusArrears: 'at-most' },
    { arrearsCents: cents(10000) },
    { totalVersusArrears: 'at-most' },
    { arrearsCents: cents(9999) },
    'totalCents $100.00 must not exceed the arrears of $99.99 (totalVersusArrears: at-most)',
  ],
  [
    'open promises',
    { maxOpenPromises: 2 },
    { openPromises: 1 },
    { maxOpenPromises: 2 },
    { openPromises: 2 },
    'accountId 2 has as many open promises as the policy allows, 2 (maxOpenPromises)',
  ],
  [
    'days after a broken one',
    { lockOutDays: 10 },
    { brokenOn: [day('2024-12-22'), day('2024-12-23')].slice(0, 1) },
    { lockOutDays: 10 },
    { brokenOn: [day('2024-11-01'), day('2024-12-23')] },
    'accountId 2024-12-23 broke a promise on 2024-12-23; the next may begin after 2025-01-02, 10 days later (lockOutDays)',
  ],
  [
    'broken ones within days',
    { maxBroken: 1, maxBrokenWithinDays: 30 },
    { brokenOn: [day('2024-12-03'), day('2024-12-02')] },
    { maxBroken: 1, maxBrokenWithinDays: 31 },
    { brokenOn: [day('2024-12-03'), day('2024-12-02')] },
    'accountId 2 broke 2 promises in the last 31 days; the policy allows 1 (maxBroken)',
  ],
  [
    'one open promise of a payor on a debt',
    {},
    {},
    {},
    { openOnDebt: 'P-1' },
    'accountId P-1 has an active promise on this debt already, P-1; amend or cancel it first (R25)',
  ],
])('%s: at the limit, and beyond', (_, limits, account, beyond, beyondAccount, sentence) => {
  expect(said(limits, TWO, account)).toEqual([]);
  expect(said(beyond, TWO, beyondAccount)).toEqual([sentence]);
});

test('without an end: more than any number and any horizon, and no total to compare', () => {
  const plan = { ...TWO, isOpenEnded: true };
  const limits = { maxInstallments: 99, maxHorizonDays: 999, totalVersusArrears: 'equal' } as const;
  expect(
    refusalsOf(limits, plan, { ...NOBODY, arrearsCents: cents(1) }).map(({ limit, value }) => [limit, value]),
  ).toEqual([
    ['maxInstallments', 'without an end'],
    ['maxHorizonDays', 'without an end'],
  ]);
});

describe('R18: amendments', () => {
  const facts = (limits: Limits, more: Partial<Told> = {}) =>
    promise({
      start: START,
      parts: [
        ['2025-01-15', 4000],
        ['2025-02-15', 6000],
      ],
      payments: [payment('a', '2025-01-10', 4000)],
      policy: { limits },
      ...more,
    });
  const amended = (
    limits: Limits,
    today: string,
    parts: readonly (readonly [due: string, amount: number])[],
    more: Partial<Told> = {},
  ): string[] => {
    const of = facts(limits, more);
    const life = evaluate(of, at(`${today} 09:00`));
    return amendRefusals(of, life, asked(...parts).parts, day(today), null).map(
      ({ limit, value, message }) => `${limit} ${value} ${message}`,
    );
  };

  test('paid and new lines are seen together, in order of due date', () => {
    const parts = [
      ['2025-03-15', 3000],
      ['2025-01-14', 3000],
    ] as const;
    expect(amended({ maxInstallments: 3 }, '2025-01-12', parts)).toEqual([]);
    expect(amended({ maxInstallments: 2 }, '2025-01-12', parts)).toEqual([
      'maxInstallments 3 are more than the 2 that the policy allows (maxInstallments)',
    ]);
    expect(amended({ maxHorizonDays: 72 }, '2025-01-12', parts)).toEqual([]);
    expect(amended({ maxHorizonDays: 71 }, '2025-01-12', parts).length).toBe(1);
  });

  test('not into the past, but a line in its days of grace may stay', () => {
    const sooner = ['2025-02-16', 6000] as const;
    expect(amended({}, '2025-02-16', [sooner])).toEqual([]);
    expect(amended({}, '2025-02-17', [sooner])).toEqual([
      'dueDate 2025-02-16 lies before 2025-02-17, the day of the amendment',
    ]);
    expect(amended({}, '2025-02-17', [['2025-02-15', 6000]])).toEqual([]);
  });

  test('one that has ended is neither amended nor cancelled', () => {
    const paid = { payments: [payment('a', '2025-01-10', 10000)] };
    const [ended] = amended({}, '2025-01-12', [['2025-02-16', 1]], paid);
    expect(ended).toBe('ended P1 has ended: it is kept and cannot be amended');
    const of = facts({}, paid);
    expect(cancelRefusal(of, evaluate(of, at('2025-01-12')), day('2025-01-12'))?.message).toBe(
      'has ended: it is kept and cannot be cancelled',
    );
  });

  test('R17: before the due date of the earliest unpaid installment', () => {
    const policy: Partial<PolicyOptions> = { cancelUntil: 'before-due' };
    const of = facts({}, { policy });
    const life = evaluate(of, at('2025-01-20'));
    expect(cancelRefusal(of, life, day('2025-02-14'))).toBeNull();
    expect(cancelRefusal(of, life, day('2025-02-15'))).toMatchObject({
      limit: 'cancelUntil',
      message: 'can be cancelled only before 2025-02-15, the due date of its earliest unpaid installment',
    });
    const anyTime = facts({});
    expect(cancelRefusal(anyTime, life, day('2025-02-15'))).toBeNull();
  });
});

describe('policies side by side', () => {
  test('options by their paths, and only those that differ', () => {
    const one = {
      ...DEFAULT_POLICY_OPTIONS,
      limits: { maxInstallments: 6 },
      graceDaysByPayMethod: { autopay: 5 },
    };
    const other = {
      ...DEFAULT_POLICY_OPTIONS,
      graceDays: 1,
      limits: { maxInstallments: 6, lockOutDays: 30 },
    };
    expect(flatOptions(one).get('limits.maxInstallments')).toBe(6);
    expect(flatOptions(one).get('graceDaysByPayMethod.autopay')).toBe(5);
    expect([...flatOptions(one).keys()]).not.toContain('limits');
    expect(policyDifferences(one, other)).toEqual([
      { option: 'graceDays', before: 3, after: 1 },
      { option: 'graceDaysByPayMethod.autopay', before: 5, after: null },
      { option: 'limits.lockOutDays', before: null, after: 30 },
    ]);
    expect(policyDifferences(PRESETS['sap-fica'], PRESETS['sap-fica'])).toEqual([]);
  });

  test('an option that a stored policy does not know is as by default', () => {
    expect(completeOptions({})).toEqual(DEFAULT_POLICY_OPTIONS);
    expect(completeOptions({ graceDays: 9 })).toEqual({ ...DEFAULT_POLICY_OPTIONS, graceDays: 9 });
  });
});
