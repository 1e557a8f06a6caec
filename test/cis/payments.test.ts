/**
 * Goal: a file can say who paid, and for which open items; both decide whose promise a payment keeps.
 * Method: the loaders on a real PostgreSQL; the promises' facts are judged by the rules.
 */
import { loadAccounts } from '../../src/cis/accounts';
import { loadEnrollments } from '../../src/cis/enrollments';
import { loadPayments } from '../../src/cis/payments';
import { loadTransactions } from '../../src/cis/transactions';
import { loadFacts } from '../../src/ledger/promises/facts';
import { getTenant, tenantNow } from '../../src/ledger/tenants';
import { evaluate, type Evaluation } from '../../src/rules/decide';
import { Place } from './place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
  await place.sandbox(TENANT);
  const load = (loader: typeof loadAccounts, text: string) =>
    loader(place.ledger, TENANT, place.write('in.csv', text), OPTIONS);
  await load(loadAccounts, 'account_id,debt_classes\nA-1,water\nA-2,water\n');
  await load(
    loadTransactions,
    'transaction_id,account_id,debt_class,amount,due_date,issued_date\n' +
      'INV-1,A-1,water,100.00,2026-01-20,2026-01-01\nINV-2,A-1,water,50.00,2026-01-20,2026-01-01\n',
  );
  const enrolled = await load(
    loadEnrollments,
    'enrollment_id,account_id,debt_class,schedule,payor\n' +
      'BOUND,A-1,water,2026-02-15=100.00@INV-1;2026-02-15=50.00@INV-2,\n' +
      'OWN,A-2,water,2026-02-15=60.00,\nTHIRD,A-2,water,2026-02-15=40.00,C-7\n',
  );
  expect(enrolled.rejects).toEqual([]);
});
afterAll(() => place.close());

const TENANT = 'paid';
const OPTIONS = { actor: 'test' };
const HEADER =
  'record_type,payment_id,account_id,debt_class,amount,received_at,tender,payor,applied,reason\n';
const load = (...lines: readonly string[]) =>
  loadPayments(place.ledger, TENANT, place.write('payments.csv', HEADER + lines.join('\n')), OPTIONS);

const lifeOf = (id: string): Promise<Evaluation> =>
  place.ledger.forTenant(TENANT, async (tx) =>
    evaluate(await loadFacts(tx, TENANT, id), tenantNow(await getTenant(tx, TENANT))),
  );
const countedOf = async (id: string): Promise<number[]> =>
  (await lifeOf(id)).lines.map(({ countedCents }) => countedCents);

test('a promise of open items counts what was applied to them, and no more', async () => {
  expect(await load('payment,P1,A-1,water,120.00,2026-01-05,check,,INV-2=50.00;INV-1=20.00,')).toMatchObject({
    taken: 1,
  });
  expect(await countedOf('BOUND')).toEqual([2000, 5000]);
  expect(await load('payment,P1,A-1,water,120.00,2026-01-05,check,,INV-2=50.00;INV-1=20.00,')).toMatchObject({
    alreadyKnown: 1,
  });
  expect(await load('payment,P2,A-1,water,80.00,2026-01-05,check,,,')).toMatchObject({ taken: 1 });
  expect(await countedOf('BOUND')).toEqual([2000, 5000]);
  expect(await load('payment,P3,A-1,water,80.00,2026-01-05,,,INV-1=80.00,')).toMatchObject({ taken: 1 });
  expect(await lifeOf('BOUND')).toMatchObject({ status: 'kept', reason: 'paid_in_full' });
});

test('the money of a third party counts for its own promise', async () => {
  const result = await load(
    'payment,P4,A-2,water,40.00,2026-01-05,ach,C-7,,',
    'payment,P5,A-2,water,20.00,2026-01-05,ach,,,',
  );
  expect(result.rejects).toEqual([]);
  expect(await lifeOf('THIRD')).toMatchObject({ status: 'kept' });
  expect(await countedOf('OWN')).toEqual([2000]);
});

test.each([
  [
    'more than was paid',
    'payment,B,A-1,water,10.00,2026-01-05,,,INV-1=6.00;INV-2=5.00,',
    'applied',
    /^what it was applied to sums to \$11\.00, more than the payment's \$10\.00/,
  ],
  [
    'an item twice',
    'payment,B,A-1,water,10.00,2026-01-05,,,INV-1=6.00;INV-1=4.00,',
    'applied',
    /names INV-1 twice/,
  ],
  [
    'no amount of an item',
    'payment,B,A-1,water,10.00,2026-01-05,,,INV-1,',
    'applied',
    /an amount that is not an amount/,
  ],
  ['a wrong item', 'payment,B,A-1,water,10.00,2026-01-05,,,IN V=1.00,', 'applied', /which is no id/],
  [
    'a long payor',
    `payment,B,A-1,water,10.00,2026-01-05,,${'x'.repeat(65)},,`,
    'payor',
    /is longer than 64 characters/,
  ],
])('%s is rejected', async (_, line, column, message) => {
  const { rejects, taken } = await load(line);
  expect(taken).toBe(0);
  expect(rejects).toMatchObject([{ line: 2, column, message: expect.stringMatching(message) }]);
});
