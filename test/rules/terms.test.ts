/**
 * Goal: what was agreed, and what a promise waits for, reads the same wherever people meet it.
 * Method: tables of terms with their sentences, derived by hand.
 */
import { localDate, localTimeMs, type EpochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import {
  gatesOf,
  gatesWords,
  repeatWords,
  termsOf,
  termsWords,
  type Gates,
  type Terms,
} from '../../src/rules/terms';
import { evaluate } from '../../src/rules/decide';
import { at, payment, promise } from './build';

const TERMS: Terms = {
  ...{ payor: 'self', currency: 'USD', policyName: 'default', policyVersion: 2 },
  ...{ autoManaged: true, stayCurrent: false, repeat: null },
};
const REPEAT = {
  amountCents: cents(2500),
  frequency: { weekdays: ['mon', 'thu'] },
  firstDueDate: localDate('2026-01-05'),
  count: null,
  untilDate: null,
} as const;

test.each<[string, Partial<Terms>, string[]]>([
  ['nothing special', {}, ['Policy default@2.']],
  ['a third party', { payor: 'C-7' }, ['Paid by C-7, a third party.', 'Policy default@2.']],
  ['stay current', { stayCurrent: true }, ['New bills must be paid, too.', 'Policy default@2.']],
  [
    'repeating, by hand',
    { repeat: REPEAT, autoManaged: false },
    [
      '$25.00 on mon,thu from 5 Jan 2026, until staff end it.',
      'Nothing changes by itself; staff end it.',
      'Policy default@2.',
    ],
  ],
])('terms: %s', (_name, terms, sentences) => {
  expect(termsWords({ ...TERMS, ...terms })).toEqual(sentences);
});

test.each([
  [null, null, 'until the debt is paid'],
  [6, null, '6 times'],
  [null, '2026-12-31', 'through 31 Dec 2026'],
  [6, '2026-12-31', '6 times and through 31 Dec 2026'],
])('R22: repeats with count %s and until %s', (count, until, words) => {
  const untilDate = until === null ? null : localDate(until);
  const repeat = { ...REPEAT, frequency: 'monthly' as const, count, untilDate };
  expect(repeatWords(repeat, TERMS)).toBe(`$25.00 monthly from 5 Jan 2026, ${words}`);
});

test('R25: what a pending promise waits for, in the local time of the tenant', () => {
  const zone = 'America/Chicago';
  const approvalUntilMs = localTimeMs('2026-01-11 00:00', zone) as EpochMs;
  const downPayment = { amountCents: cents(15000), lastDay: localDate('2026-01-10') };
  const shut: Gates = { currency: 'USD', timeZone: zone, approvalUntilMs, downPayment };
  const approval = 'approval by 2026-01-11 00:00';
  const payment = 'down payment of $150.00 by 10 Jan 2026';
  expect(gatesWords(shut)).toBe(`${approval} and ${payment}`);
  expect(gatesWords({ ...shut, downPayment: null })).toBe(approval);
  expect(gatesWords({ ...shut, approvalUntilMs: null })).toBe(payment);
  expect(gatesWords({ ...shut, approvalUntilMs: null, downPayment: null })).toBeNull();
});

test('the terms of a promise; once amended it lists its installments and repeats no more (R18)', () => {
  const facts = promise({
    start: '2025-01-02',
    parts: [['2025-01-15', 10000]],
    policy: { stayCurrent: true },
  });
  const repeat = { ...REPEAT, terms: {}, calendar: {} } as never;
  expect(termsOf({ ...facts, payor: 'C-7', repeat })).toEqual({
    ...{ payor: 'C-7', currency: 'USD', policyName: 'test', policyVersion: 1 },
    ...{ autoManaged: true, stayCurrent: true, repeat },
  });
  const amendments = [{ atMs: at('2025-01-03'), lines: facts.lines }];
  expect(termsOf({ ...facts, repeat, amendments }).repeat).toBeNull();
});

test('the gates that are still shut (R25)', () => {
  const deadlineMs = at('2025-01-09 00:00');
  const facts = promise({
    start: '2025-01-02',
    parts: [['2025-01-15', 10000]],
    payments: [payment('a', '2025-01-06', 10000)],
    more: {
      approval: { deadlineMs, decision: { atMs: at('2025-01-05'), approved: true } },
      hasDownPayment: true,
    },
  });
  const gates = (on: string): Gates => gatesOf(facts, evaluate(facts, at(on)));
  const down = facts.lines[0];
  const of = { currency: 'USD', timeZone: 'America/New_York' };
  expect(gates('2025-01-04')).toEqual({ ...of, approvalUntilMs: deadlineMs, downPayment: down });
  expect(gates('2025-01-05')).toEqual({ ...of, approvalUntilMs: null, downPayment: down });
  expect(gates('2025-01-06')).toEqual({ ...of, approvalUntilMs: null, downPayment: null });
  const none = promise({ start: '2025-01-02', parts: [['2025-01-15', 10000]] });
  expect(gatesOf(none, evaluate(none, at('2025-01-04')))).toEqual({
    ...of,
    approvalUntilMs: null,
    downPayment: null,
  });
});
