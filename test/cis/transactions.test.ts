/**
 * Goal: open items are taken as the CIS has them now: once, in order, and never with another amount or date.
 * Method: the loader on a real PostgreSQL; what it wrote is looked at in the ledger.
 */
import { loadAccounts } from '../../src/cis/accounts';
import { loadTransactions } from '../../src/cis/transactions';
import { rows } from '../../src/ledger/connection';
import { Place } from './place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const OPTIONS = { actor: 'test' };
const HEADER = 'transaction_id,account_id,debt_class,amount,open_amount,due_date,issued_date\n';
const load = (tenant: string, text: string) =>
  loadTransactions(place.ledger, tenant, place.write('items.csv', text), OPTIONS);

async function tenantWithAccounts(tenantId: string): Promise<string> {
  await place.sandbox(tenantId);
  const accounts = place.write('accounts.csv', 'account_id,debt_classes\nA-1,water;sewer\nA-2,water\n');
  await loadAccounts(place.ledger, tenantId, accounts, OPTIONS);
  return tenantId;
}

const items = (tenant: string): Promise<unknown[]> =>
  place.ledger.forTenant(tenant, (tx) =>
    rows(
      tx,
      `select transaction_id as id, account_id as account, debt_class as debt, amount_cents as amount,
              open_cents as open, due_date as due, issued_date as issued, closed_at is not null as closed
         from transaction order by account_id, transaction_id`,
      {},
    ),
  );

test('items are taken; sent again they are known; what is open on one may change, the last row of a file says how', async () => {
  const tenant = await tenantWithAccounts('items');
  const file =
    `${HEADER}INV-1,A-1,water,120.00,,2026-01-20,2026-01-01\n` +
    'INV-2,A-1,sewer,"1,080.50",30.00,2026-02-10,2026-01-02\n' +
    'INV-1,A-2,water,42.00,42.00,2026-02-10,2026-02-10\n';
  expect(await load(tenant, file)).toMatchObject({ rows: 3, taken: 3, alreadyKnown: 0, rejected: 0 });
  const inv1 = { id: 'INV-1', account: 'A-1', debt: 'water', amount: 12000, open: 12000, due: '2026-01-20' };
  expect(await items(tenant)).toEqual([
    { ...inv1, issued: '2026-01-01', closed: false },
    expect.objectContaining({ id: 'INV-2', amount: 108050, open: 3000, closed: false }),
    expect.objectContaining({ id: 'INV-1', account: 'A-2', open: 4200 }),
  ]);
  expect(await load(tenant, file)).toMatchObject({ taken: 0, alreadyKnown: 3 });
  const paid = `${HEADER}INV-1,A-1,water,120.00,20.00,2026-01-20,2026-01-01\nINV-1,A-1,water,120.00,0,2026-01-20,2026-01-01\n`;
  expect(await load(tenant, paid)).toMatchObject({ taken: 2 });
  expect((await items(tenant))[0]).toMatchObject({ open: 0, closed: true });
  expect(await load(tenant, file)).toMatchObject({ taken: 1, alreadyKnown: 2 });
  expect((await items(tenant))[0]).toMatchObject({ open: 12000, closed: false });
});

test('the column open_amount may be missing', async () => {
  const tenant = await tenantWithAccounts('plain');
  const text =
    'issued_date,due_date,amount,debt_class,account_id,transaction_id\n2026-01-01,2026-01-20,5.00,water,A-2,X\n';
  expect(await load(tenant, text)).toMatchObject({ taken: 1, warnings: [] });
  expect(await items(tenant)).toMatchObject([{ id: 'X', amount: 500, open: 500 }]);
});

test.each([
  ['no id', ',A-1,water,1.00,,2026-01-20,2026-01-01', 'transaction_id', /must be 1 to 64 letters/],
  ['a wrong id', 'IN V,A-1,water,1.00,,2026-01-20,2026-01-01', 'transaction_id', /must be 1 to 64 letters/],
  [
    'an unknown account',
    'I,A-9,water,1.00,,2026-01-20,2026-01-01',
    'account_id',
    /^the account is not a known account/,
  ],
  [
    'a wrong debt class',
    'I,A-2,sewer,1.00,,2026-01-20,2026-01-01',
    'debt_class',
    /^the debt class is not a debt class of account A-2, which has water/,
  ],
  ['no amount', 'I,A-1,water,,,2026-01-20,2026-01-01', 'amount', /^the amount is missing/],
  ['an amount of nothing', 'I,A-1,water,0,,2026-01-20,2026-01-01', 'amount', /must be more than zero/],
  [
    'more open than it is',
    'I,A-1,water,5.00,6.00,2026-01-20,2026-01-01',
    'open_amount',
    /^the open amount is more than the amount of the item, \$5\.00/,
  ],
  ['a negative open amount', 'I,A-1,water,5.00,-1,2026-01-20,2026-01-01', 'open_amount', /not negative/],
  ['no due date', 'I,A-1,water,5.00,,,2026-01-01', 'due_date', /^the due date is missing/],
  ['a wrong date', 'I,A-1,water,5.00,,2026-02-30,2026-01-01', 'due_date', /is not a date/],
  ['no date of issue', 'I,A-1,water,5.00,,2026-01-20,', 'issued_date', /^the date of issue is missing/],
  [
    'due before it was issued',
    'I,A-1,water,5.00,,2026-01-20,2026-01-21',
    'due_date',
    /lies before the date of issue, 2026-01-21/,
  ],
  [
    'another amount',
    'K,A-1,water,9.00,,2026-01-20,2026-01-01',
    'transaction_id',
    /is known with another debt class, amount or date/,
  ],
])('%s is rejected, and the good row goes on', async (what, row, column, message) => {
  const tenant = await tenantWithAccounts(`bad-${what.replaceAll(' ', '-')}`);
  await load(tenant, `${HEADER}K,A-1,water,5.00,,2026-01-20,2026-01-01\n`);
  const result = await load(tenant, `${HEADER}${row}\nGOOD,A-1,water,5.00,,2026-01-20,2026-01-01\n`);
  expect(result).toMatchObject({ rows: 2, taken: 1, rejected: 1 });
  expect(result.rejects).toMatchObject([{ line: 2, column, message: expect.stringMatching(message) }]);
});
