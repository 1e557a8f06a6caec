/**
 * Goal: a file can enroll every kind of promise: equal parts with a down payment, parts of open items, repeating ones,
 * under another policy, by a third party; and each wrong cell is blamed by its column.
 * Method: the loader on a real PostgreSQL; the promises are read back as facts, the rejects compared with a table.
 */
import { loadAccounts } from '../../src/cis/accounts';
import { loadEnrollments } from '../../src/cis/enrollments';
import { loadTransactions } from '../../src/cis/transactions';
import { timelineOf } from '../../src/ledger/audit';
import { loadFacts } from '../../src/ledger/promises/facts';
import { addPolicyVersion } from '../../src/ledger/policies';
import type { PromiseFacts } from '../../src/rules/facts';
import { cents } from '../../src/rules/money';
import { PRESETS } from '../../src/rules/presets';
import { epochMs } from '../../src/rules/calendar';
import { Place } from './place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
  await place.sandbox(TENANT);
  const accounts = Array.from({ length: 60 }, (_, index) => `A-${index},water\n`);
  await loadAccounts(
    place.ledger,
    TENANT,
    place.write('accounts.csv', `account_id,debt_classes\n${accounts.join('')}`),
    OPTIONS,
  );
  const items =
    'transaction_id,account_id,debt_class,amount,due_date,issued_date\n' +
    'INV-1,A-2,water,120.00,2026-01-20,2026-01-01\nINV-2,A-2,water,30.00,2026-01-20,2026-01-01\n' +
    'INV-9,A-50,water,30.00,2026-01-20,2026-01-01\n';
  await loadTransactions(place.ledger, TENANT, place.write('items.csv', items), OPTIONS);
  const limits = { minInstallmentCents: cents(1000), maxInstallments: 3, downPaymentCents: cents(2000) };
  await place.ledger.forTenant(TENANT, (tx) =>
    addPolicyVersion(tx, TENANT, {
      ...{ name: 'strict', options: { ...PRESETS.default, limits }, actor: 'test', atMs: epochMs(0) },
    }),
  );
});
afterAll(() => place.close());

const TENANT = 'files';
const OPTIONS = { actor: 'loader' };

/** Rows by column; what a row does not name is empty. */
function csv(table: readonly Readonly<Record<string, string>>[]): string {
  const columns = [...new Set(['total_amount', ...table.flatMap((row) => Object.keys(row))])];
  const line = (cells: readonly string[]): string => cells.map((cell) => `"${cell}"`).join(',');
  return [columns, ...table.map((row) => columns.map((column) => row[column] ?? ''))].map(line).join('\n');
}

const load = (...table: readonly Readonly<Record<string, string>>[]) =>
  loadEnrollments(place.ledger, TENANT, place.write('enrollments.csv', csv(table)), OPTIONS);
const factsOf = (id: string): Promise<PromiseFacts> =>
  place.ledger.forTenant(TENANT, (tx) => loadFacts(tx, TENANT, id));
const water = (id: string, account: string) => ({
  enrollment_id: id,
  account_id: account,
  debt_class: 'water',
});
const linesOf = ({ lines }: PromiseFacts): unknown[] =>
  lines.map(({ dueDate, amountCents, transactionId }) => [dueDate, amountCents, transactionId]);

test('a down payment, any frequency, policy, pay method, payor and note', async () => {
  const row = {
    ...water('E-1', 'A-1'),
    ...{ total_amount: '300.00', frequency: 'on 5 and 20', installments: '4', first_due_date: '2026-01-20' },
    ...{ down_payment: '50.00', down_payment_date: '2026-01-10', policy: 'collect', pay_method: 'autopay' },
    ...{ payor: 'C-7', note: 'agreed, by phone' },
  };
  expect(await load(row)).toMatchObject({ taken: 1, rejected: 0 });
  const facts = await factsOf('E-1');
  expect(facts).toMatchObject({ payor: 'C-7', policy: { name: 'collect', version: 1 } });
  expect(linesOf(facts)).toEqual([
    ['2026-01-10', 5000, undefined],
    ['2026-01-20', 6250, undefined],
    ['2026-02-05', 6250, undefined],
    ['2026-02-20', 6250, undefined],
    ['2026-03-05', 6250, undefined],
  ]);
  const [enrolled] = await place.ledger.forTenant(TENANT, (tx) => timelineOf(tx, TENANT, 'E-1'));
  expect(enrolled).toMatchObject({ action: 'promise.enrolled', details: { note: 'agreed, by phone' } });
  expect(await place.count(TENANT, "promise where pay_method = 'autopay'")).toBe(1);
  // The note is no part of what was agreed.
  expect(await load({ ...row, note: 'corrected' })).toMatchObject({ taken: 0, alreadyKnown: 1 });
  expect(await load({ ...row, pay_method: 'cash' })).toMatchObject({ taken: 0, rejected: 1 });
});

test('parts of open items, of one day too', async () => {
  const schedule = '2026-02-15=100.00@INV-1;2026-02-15=30.00@INV-2;2026-03-15=20.00@INV-1';
  const row = { ...water('E-2', 'A-2'), schedule };
  expect(await load(row)).toMatchObject({ taken: 1, rejected: 0 });
  expect(linesOf(await factsOf('E-2'))).toEqual([
    ['2026-02-15', 10000, 'INV-1'],
    ['2026-02-15', 3000, 'INV-2'],
    ['2026-03-15', 2000, 'INV-1'],
  ]);
  expect(await load(row)).toMatchObject({ alreadyKnown: 1 });
});

test('repeating promises: counted, dated, without an end, managed by hand', async () => {
  const monthly = { repeat_amount: '25.00', frequency: 'monthly', first_due_date: '2026-01-31' };
  const result = await load(
    { ...water('R-1', 'A-3'), ...monthly, installments: '12' },
    { ...water('R-2', 'A-4'), ...monthly, repeat_until: '2026-04-30' },
    { ...water('R-3', 'A-5'), ...monthly, frequency: 'every 10 days' },
    {
      ...water('R-4', 'A-6'),
      ...monthly,
      frequency: 'on mon,thu',
      first_due_date: '2026-01-08',
      auto_manage: 'No',
    },
    {
      ...water('R-5', 'A-7'),
      ...monthly,
      auto_manage: 'yes',
      installments: '60',
      repeat_until: '2026-02-28',
    },
  );
  expect(result.rejects).toEqual([]);
  expect((await factsOf('R-1')).lines).toHaveLength(12);
  expect((await factsOf('R-2')).lines.map(({ dueDate }) => dueDate)).toEqual([
    ...['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30'],
  ]);
  expect(await factsOf('R-3')).toMatchObject({
    autoManaged: true,
    repeat: { amountCents: 2500, frequency: { everyDays: 10 }, count: null, untilDate: null },
  });
  expect(await factsOf('R-4')).toMatchObject({
    autoManaged: false,
    repeat: { frequency: { weekdays: ['mon', 'thu'] } },
  });
  expect((await factsOf('R-5')).lines).toHaveLength(2);
});

const TOTAL = {
  total_amount: '90.00',
  frequency: 'monthly',
  installments: '3',
  first_due_date: '2026-01-31',
};
const REPEAT = { repeat_amount: '25.00', frequency: 'monthly', first_due_date: '2026-01-31' };

test.each<[string, Record<string, string>, string, RegExp]>([
  [
    'a frequency',
    { ...TOTAL, frequency: 'every 1000 days' },
    'frequency',
    /^the frequency must be one of once, weekly/,
  ],
  ['half months', { ...TOTAL, frequency: 'half-month' }, 'first_due_date', /starts on the 1st or the 15th/],
  ['a policy', { ...TOTAL, policy: 'none' }, 'policy', /^the policy is not a policy of this tenant/],
  ["a policy's name", { ...TOTAL, policy: 'No Such' }, 'policy', /must be the name of a policy/],
  ['a pay method', { ...TOTAL, pay_method: 'x'.repeat(41) }, 'pay_method', /is longer than 40 characters/],
  ['a payor', { ...TOTAL, payor: 'x'.repeat(65) }, 'payor', /is longer than 64 characters/],
  ['a note', { ...TOTAL, note: 'x'.repeat(1001) }, 'note', /is longer than 1000 characters/],
  ['a down payment', { ...TOTAL, down_payment: '0' }, 'down_payment', /must be more than zero/],
  ['all of it down', { ...TOTAL, down_payment: '90.00' }, 'first_due_date', /leaves nothing to split/],
  [
    'a date of no down payment',
    { ...TOTAL, down_payment_date: '2026-01-10' },
    'down_payment_date',
    /needs downPaymentCents/,
  ],
  [
    'a down payment beside a schedule',
    { schedule: '2026-02-15=50', down_payment: '5' },
    'down_payment',
    /the first part of the schedule is the down payment/,
  ],
  [
    'an unknown item',
    { schedule: '2026-02-15=50@INV-9' },
    'schedule',
    /^"INV-9" is not an open item of this account/,
  ],
  [
    'an item on some parts',
    { schedule: '2026-02-15=50@INV-9;2026-02-16=9' },
    'schedule',
    /is needed on every installment/,
  ],
  [
    'an until without a repeat',
    { ...TOTAL, repeat_until: '2026-05-01' },
    'repeat_until',
    /needs a repeat_amount beside it/,
  ],
  [
    'auto_manage without a repeat',
    { ...TOTAL, auto_manage: 'no' },
    'auto_manage',
    /needs a repeat_amount beside it/,
  ],
  [
    'a total beside a repeat',
    { ...REPEAT, total_amount: '90.00' },
    'total_amount',
    /stands beside a repeat_amount/,
  ],
  ['auto_manage', { ...REPEAT, auto_manage: 'maybe' }, 'auto_manage', /must be yes or no/],
  [
    'an until before the first',
    { ...REPEAT, repeat_until: '2026-01-30' },
    'repeat_until',
    /lies before the first due date 2026-01-31/,
  ],
  ['no frequency', { ...REPEAT, frequency: '' }, 'frequency', /^the frequency is missing/],
  ['no first date', { ...REPEAT, first_due_date: '' }, 'first_due_date', /^the first due date is missing/],
  ['a repeat paid once', { ...REPEAT, frequency: 'once' }, 'frequency', /paid once does not repeat/],
  ['too many periods', { ...REPEAT, installments: '1201' }, 'installments', /from 1 to 1200/],
  [
    'a repeat for decades',
    { ...REPEAT, installments: '1200' },
    'first_due_date',
    /lies more than ten years ahead/,
  ],
  [
    'a repeat beyond the calendar',
    { ...REPEAT, frequency: 'every 99 months', installments: '1200' },
    'first_due_date',
    /beyond 9999/,
  ],
  [
    'an installment below the least',
    { ...TOTAL, total_amount: '50.00', installments: '6', policy: 'strict' },
    'total_amount',
    /^an installment of \$8\.33 is less than \$10\.00/,
  ],
  [
    'a down payment below the least',
    { ...TOTAL, total_amount: '45.00', policy: 'strict' },
    'total_amount',
    /^an installment of \$15\.00 is less than the down payment of \$20\.00/,
  ],
  [
    'too many installments',
    { ...TOTAL, installments: '4', policy: 'strict' },
    'installments',
    /^the installments are more than the 3 that the policy allows/,
  ],
])('%s is rejected by its column', async (_, cells, column, message) => {
  const result = await load({ ...water('BAD', 'A-40'), ...cells });
  expect(result.taken).toBe(0);
  const blamed = result.rejects.map((reject) => [reject.column, reject.message]);
  expect(blamed).toContainEqual([column, expect.stringMatching(message)]);
});
