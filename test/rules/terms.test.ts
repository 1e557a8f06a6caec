/**
 * Goal: what was agreed, and what a promise waits for, reads the same wherever people meet it.
 * Method: tables of terms with their sentences, derived by hand.
 */
import { localDate, localTimeMs, type EpochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { gatesWords, repeatWords, termsWords, type Gates, type Terms } from '../../src/rules/terms';

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
