/**
 * Goal: what accounts owe is taken as the CIS has it now: in one sum or aged, once, the newest statement wins; a bad row is
 * named with its column.
 * Method: the loader on a real PostgreSQL; what it wrote is looked at in the ledger.
 */
import { loadAccounts } from '../../src/cis/accounts';
import { loadDebts } from '../../src/cis/debts';
import { rows } from '../../src/ledger/connection';
import { Place } from './place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const OPTIONS = { actor: 'test' };
const HEADER = 'account_id,debt_class,arrears,oldest_due_date,aged,as_of\n';
const load = (tenant: string, text: string, header = HEADER) =>
  loadDebts(place.ledger, tenant, place.write('debts.csv', header + text), OPTIONS);

async function tenantWithAccounts(tenantId: string): Promise<string> {
  await place.sandbox(tenantId, '2026-02-01 09:00');
  const accounts = place.write('accounts.csv', 'account_id,debt_classes\nA-1,water;sewer\nA-2,water\n');
  await loadAccounts(place.ledger, tenantId, accounts, OPTIONS);
  return tenantId;
}

const debts = (tenant: string): Promise<unknown[]> =>
  place.ledger.forTenant(tenant, (tx) =>
    rows(
      tx,
      `select account_id as account, debt_class as debt, parts, total_cents as total, oldest_due_date as oldest,
              to_char(as_of at time zone 'America/New_York', 'YYYY-MM-DD HH24:MI') as "asOf"
         from debt order by account_id, debt_class`,
      {},
    ),
  );

test('in one sum or aged, in any order; sent again with its time they are known', async () => {
  const tenant = await tenantWithAccounts('debts');
  const file =
    'A-1,water,"1,050.00",2026-01-15,,2026-01-31 22:00\n' +
    'A-1,sewer,,,2026-02-15=70.00;2026-01-15=50.00;2026-01-20=0.00,2026-01-31 22:00\n' +
    'A-2,water,120.00,2026-01-15,2026-01-15=50.00;2026-02-15=70.00,2026-01-31 22:00\n';
  expect(await load(tenant, file)).toMatchObject({ rows: 3, taken: 3, alreadyKnown: 0, rejected: 0 });
  const asOf = '2026-01-31 22:00';
  const two = [
    { dueDate: '2026-01-15', cents: 5000 },
    { dueDate: '2026-02-15', cents: 7000 },
  ];
  const written = [
    { account: 'A-1', debt: 'sewer', parts: two, total: 12000, oldest: '2026-01-15', asOf },
    {
      ...{ account: 'A-1', debt: 'water', total: 105000, oldest: '2026-01-15', asOf },
      parts: [{ dueDate: '2026-01-15', cents: 105000 }],
    },
    { account: 'A-2', debt: 'water', parts: two, total: 12000, oldest: '2026-01-15', asOf },
  ];
  expect(await debts(tenant)).toEqual(written);
  expect(await load(tenant, file)).toMatchObject({ taken: 0, alreadyKnown: 3, rejected: 0 });
  expect(await debts(tenant)).toEqual(written);
});

test('the newest statement wins, whatever the order of the files; zero clears; without a time it is now', async () => {
  const tenant = await tenantWithAccounts('newest');
  const asOf = (time: string, amount: string): string => `A-2,water,${amount},2026-01-15,,${time}\n`;
  const total = async (): Promise<unknown> => (await debts(tenant))[0];
  await load(tenant, asOf('2026-01-30 22:00', '50.00'));
  expect(await load(tenant, asOf('2026-01-29 22:00', '99.00'))).toMatchObject({ taken: 0, alreadyKnown: 1 });
  expect(await total()).toMatchObject({ total: 5000, asOf: '2026-01-30 22:00' });
  // The same sum, seen again later: the time is new, since money between the two is in it.
  expect(await load(tenant, asOf('2026-01-31 22:00', '50.00'))).toMatchObject({ taken: 1 });
  expect(await total()).toMatchObject({ total: 5000, asOf: '2026-01-31 22:00' });
  // A correction of the same time.
  expect(await load(tenant, asOf('2026-01-31 22:00', '55.00'))).toMatchObject({ taken: 1 });
  expect(await total()).toMatchObject({ total: 5500 });
  expect(await load(tenant, 'A-2,water,0.00\n', 'account_id,debt_class,arrears\n')).toMatchObject({
    taken: 1,
  });
  expect(await total()).toMatchObject({ total: 0, oldest: null, parts: [], asOf: '2026-02-01 09:00' });
});

test('a bad row is named with its column, and the good ones are taken', async () => {
  const tenant = await tenantWithAccounts('bad');
  const cases: readonly (readonly [row: string, column: string, message: RegExp])[] = [
    ['A-9,water,1.00,2026-01-15,,', 'account_id', /not a known account/],
    ['A-2,sewer,1.00,2026-01-15,,', 'debt_class', /not a debt class of account A-2, which has water/],
    ['A-2,water,,,,', 'arrears', /is missing/],
    ['A-2,water,1.00,,,', 'oldest_due_date', /is missing/],
    ['A-2,water,-1.00,2026-01-15,,', 'arrears', /not negative/],
    ['A-2,water,1.00,2026-02-30,,', 'oldest_due_date', /not a date/],
    ['A-2,water,,,2026-01-15=x,', 'aged', /not an amount/],
    ['A-2,water,,,2026-01-15=1.00;2026-01-15=2.00,', 'aged', /names 2026-01-15 twice/],
    ['A-2,water,,,2026-01-15=1.00@INV-1,', 'aged', /dates and amounts only/],
    ['A-2,water,,,2026-01-15=90071992547409.91;2026-01-16=1.00,', 'aged', /too large/],
    ['A-2,water,3.00,,2026-01-15=1.00;2026-01-16=1.00,', 'arrears', /not the sum of aged, \$2\.00/],
    ['A-2,water,,2026-01-14,2026-01-15=1.00,', 'oldest_due_date', /not the oldest of aged, 2026-01-15/],
    ['A-2,water,1.00,2026-01-15,,2026-02-01 09:10', 'as_of', /in the future; it is 2026-02-01 09:00 now/],
    ['A-2,water,1.00,2026-01-15,,yesterday', 'as_of', /not a date and time/],
  ];
  const good = 'A-1,water,1.00,2026-01-15,,\n';
  const answer = await load(tenant, cases.map(([row]) => `${row}\n`).join('') + good);
  expect(answer).toMatchObject({ rows: cases.length + 1, taken: 1, rejected: cases.length });
  expect(answer.rejects.map(({ line, column }) => [line, column])).toEqual(
    cases.map(([, column], index) => [index + 2, column]),
  );
  cases.forEach(([, , message], index) => expect(answer.rejects[index]?.message).toMatch(message));
});

test("another tenant's debts are its own", async () => {
  const tenant = await tenantWithAccounts('mine');
  const other = await tenantWithAccounts('other');
  await load(tenant, 'A-2,water,1.00,2026-01-15,,\n');
  expect(await debts(other)).toEqual([]);
});
