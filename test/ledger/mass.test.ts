/**
 * Goal: one command promises the open items of many customers in full (R23), as one promise for each account and debt
 * class bound to its items (R24); it doubles nothing when it is sent again, and all or nothing leaves nothing behind.
 * Method: the use case on a real PostgreSQL; what it wrote is counted, table by table.
 */
import { massPromise, type MassAnswer, type MassInput } from '../../src/enrollment/mass';
import { putAccounts } from '../../src/ledger/accounts';
import { rows } from '../../src/ledger/connection';
import { loadFacts } from '../../src/ledger/promises/facts';
import { moveClock } from '../../src/ledger/tenants';
import { recordItem } from '../../src/ledger/transactions';
import { localDate, localTimeMs, type EpochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { Place, TIME_ZONE } from '../cis/place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const DUE = '2026-02-28';

/** Accounts A-1 (water, sewer) and A-2 of customer C-1, A-3 of C-2, with open items. */
async function filled(tenantId: string): Promise<string> {
  await place.sandbox(tenantId);
  const account = (accountId: string, customerId: string, ...debtClasses: string[]) => ({
    ...{ accountId, customerId, debtClasses, premiseId: null },
  });
  await place.ledger.forTenant(tenantId, (tx) =>
    putAccounts(tx, tenantId, [
      account('A-1', 'C-1', 'water', 'sewer'),
      account('A-2', 'C-1', 'water'),
      account('A-3', 'C-2', 'water'),
      account('A-4', 'C-3', 'water'),
    ]),
  );
  const items: [id: string, account: string, debt: string, amount: number, open: number][] = [
    ['W1', 'A-1', 'water', 12000, 12000],
    ['W2', 'A-1', 'water', 8000, 3000],
    ['S1', 'A-1', 'sewer', 5500, 5500],
    ['X', 'A-2', 'water', 700, 700],
    ['X', 'A-3', 'water', 900, 900],
    ['PAID', 'A-3', 'water', 400, 0],
  ];
  for (const [transactionId, accountId, debtClass, amount, open] of items) {
    await recordItem(place.ledger, tenantId, {
      ...{ transactionId, accountId, debtClass, amountCents: cents(amount), openCents: cents(open) },
      ...{ dueDate: localDate('2026-01-02'), issuedDate: localDate('2026-01-01') },
    });
  }
  return tenantId;
}

type Done = Extract<MassAnswer, { result: 'done' }>;

async function mass(tenant: string, input: Partial<MassInput>): Promise<Done> {
  const answer = await massPromise(place.ledger, tenant, { dueDate: DUE, ...input }, { actor: 'test' });
  if (answer.result !== 'done') throw new Error(JSON.stringify(answer.problems));
  return answer;
}

const items = (...ids: string[]) => ({ transactions: ids.map((transactionId) => ({ transactionId })) });
const resultsOf = ({ promises }: Done): string[] =>
  promises.map(({ accountId, debtClass, result }) => `${accountId} ${debtClass} ${result}`);

/** How many rows every table of the ledger has. */
async function everything(tenant: string): Promise<unknown> {
  return place.ledger.forTenant(tenant, async (tx) => {
    const tables = await rows<{ name: string }>(
      tx,
      "select table_name as name from information_schema.tables where table_schema = 'public' and table_name <> 'knex_migrations'",
      {},
    );
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const [found] = await rows<{ count: number }>(tx, `select count(*) as count from ${name}`, {});
      counts[name] = found?.count ?? -1;
    }
    return counts;
  });
}

test('each account and debt class becomes one promise for the full open amount of its items', async () => {
  const tenant = await filled('full');
  const answer = await mass(tenant, { ...items('W2', 'W1', 'S1'), note: 'fair' });
  expect(answer).toMatchObject({ saved: true, notFound: [] });
  expect(answer.promises).toMatchObject([
    { accountId: 'A-1', debtClass: 'sewer', customerId: 'C-1', totalCents: 5500, result: 'enrolled' },
    { accountId: 'A-1', debtClass: 'water', customerId: 'C-1', totalCents: 15000, result: 'enrolled' },
  ]);
  const id = answer.promises[1]?.promiseId ?? '';
  const facts = await place.ledger.forTenant(tenant, (tx) => loadFacts(tx, tenant, id));
  expect(facts.lines).toMatchObject([
    { dueDate: DUE, amountCents: 12000, transactionId: 'W1' },
    { dueDate: DUE, amountCents: 3000, transactionId: 'W2' },
  ]);
});

test('customers stand for all their open items', async () => {
  const tenant = await filled('customers');
  const answer = await mass(tenant, { customerIds: ['C-1', 'C-3', 'C-1', 'NOBODY'] });
  expect(resultsOf(answer)).toEqual(['A-1 sewer enrolled', 'A-1 water enrolled', 'A-2 water enrolled']);
  expect(answer.notFound).toEqual([
    { field: 'customerId', value: 'C-3', message: 'is no customer of an account with open items' },
    { field: 'customerId', value: 'NOBODY', message: 'is no customer of an account with open items' },
  ]);
});

test('what is no open item, or one of several, is named; the account tells which one is meant', async () => {
  const tenant = await filled('named');
  const answer = await mass(tenant, {
    transactions: [
      ...items('PAID', 'NONE', 'X', 'W1').transactions,
      { transactionId: 'X', accountId: 'A-3' },
      { transactionId: 'W1', accountId: 'A-2' },
    ],
  });
  expect(resultsOf(answer)).toEqual(['A-1 water enrolled', 'A-3 water enrolled']);
  expect(answer.notFound.map(({ value, message }) => `${value} ${message}`)).toEqual([
    'PAID is not an open item: it is unknown, or nothing is open on it',
    'NONE is not an open item: it is unknown, or nothing is open on it',
    'X is an item of 2 accounts, A-2, A-3; name the account, too',
    'W1 is not an open item of account A-2: it is unknown, or nothing is open on it',
  ]);
});

test('a partial amount is refused with the whole promise of its debt; the full one is fine', async () => {
  const tenant = await filled('partial');
  const transactions = [
    { transactionId: 'W1', amountCents: 12000 },
    { transactionId: 'W2', amountCents: 8000 },
    { transactionId: 'S1', amountCents: 5500 },
  ];
  const answer = await mass(tenant, { transactions });
  expect(resultsOf(answer)).toEqual(['A-1 sewer enrolled', 'A-1 water refused']);
  expect(answer.promises[1]?.problems).toEqual([
    {
      field: 'amountCents',
      value: 'W2: $80.00',
      message:
        'is not the full open amount, $30.00; a mass promise is for the full open amount of each item (R23)',
    },
  ]);
  expect(await place.count(tenant, 'promise')).toBe(1);
});

test('best effort takes what it can, and says what stands against the rest', async () => {
  const tenant = await filled('best');
  await mass(tenant, items('W1'));
  const answer = await mass(tenant, items('W2', 'S1'));
  expect(resultsOf(answer)).toEqual(['A-1 sewer enrolled', 'A-1 water refused']);
  expect(answer.promises[1]?.problems).toMatchObject([{ limit: 'one active promise', field: 'accountId' }]);
});

test('the same command again is known, on another day too; after a cancel it says so', async () => {
  const tenant = await filled('again');
  const first = await mass(tenant, items('W1', 'S1'));
  const before = await everything(tenant);
  const again = await mass(tenant, items('S1', 'W1'));
  expect(again.promises).toMatchObject([
    { result: 'known', status: 'active', promiseId: first.promises[0]?.promiseId },
    { result: 'known', status: 'active', promiseId: first.promises[1]?.promiseId },
  ]);
  const tomorrow = localTimeMs('2026-01-06 08:00', TIME_ZONE) as EpochMs;
  await place.ledger.forTenant(tenant, (tx) => moveClock(tx, tenant, tomorrow, 'test'));
  expect(resultsOf(await mass(tenant, items('S1', 'W1')))).toEqual(['A-1 sewer known', 'A-1 water known']);
  expect(await everything(tenant)).toEqual({
    ...(before as object),
    audit_event: expect.any(Number),
    outbox: expect.any(Number),
  });
  expect(await place.count(tenant, "audit_event where action = 'promise.enrolled'")).toBe(2);
});

test('a named batch keeps its ids; other content under the same name is refused, not doubled', async () => {
  const tenant = await filled('batches');
  const first = await mass(tenant, { ...items('W1'), batchId: 'fair' });
  const other = await mass(tenant, { ...items('W1', 'W2'), batchId: 'fair' });
  expect(other.promises[0]?.promiseId).toBe(first.promises[0]?.promiseId);
  expect(other.promises).toMatchObject([{ result: 'refused', problems: [{ field: 'promiseId' }] }]);
  expect(await place.count(tenant, 'promise')).toBe(1);
});

test.each<[string, Partial<MassInput>]>([
  ['an item that is not known', items('W1', 'X9')],
  ['a partial amount', { transactions: [{ transactionId: 'W1' }, { transactionId: 'S1', amountCents: 1 }] }],
  ['a policy that is not known', { ...items('W1', 'S1'), policy: 'none' }],
  ['a due date that has passed', { ...items('W1'), dueDate: '2025-12-31' }],
])('all or nothing: %s leaves nothing behind', async (what, input) => {
  const tenant = await filled(`nothing-${what.replaceAll(' ', '-')}`);
  const before = await everything(tenant);
  const answer = await mass(tenant, { ...input, mode: 'all-or-nothing' });
  expect(answer.saved).toBe(false);
  expect(answer.promises.every(({ result }) => result === 'not-kept' || result === 'refused')).toBe(true);
  expect(await everything(tenant)).toEqual(before);
  expect(await mass(tenant, { ...items('W1', 'S1'), mode: 'all-or-nothing' })).toMatchObject({ saved: true });
  expect(await place.count(tenant, 'promise')).toBe(2);
});

test('all or nothing: the last of many is refused, and the ones before it are taken back', async () => {
  const tenant = await filled('last');
  await mass(tenant, { transactions: [{ transactionId: 'X', accountId: 'A-3' }] });
  const before = await everything(tenant);
  const answer = await mass(tenant, { customerIds: ['C-1', 'C-2'], mode: 'all-or-nothing', batchId: 'b' });
  expect(resultsOf(answer)).toEqual([
    ...['A-1 sewer not-kept', 'A-1 water not-kept', 'A-2 water not-kept', 'A-3 water refused'],
  ]);
  expect(await everything(tenant)).toEqual(before);
});

test('a dry run tries everything and keeps nothing', async () => {
  const tenant = await filled('dry');
  const before = await everything(tenant);
  const dry = await mass(tenant, { ...items('W1', 'S1', 'NONE'), dryRun: true });
  expect(dry).toMatchObject({ saved: false, notFound: [{ value: 'NONE' }] });
  expect(resultsOf(dry)).toEqual(['A-1 sewer enrolled', 'A-1 water enrolled']);
  expect(await everything(tenant)).toEqual(before);
  const real = await mass(tenant, items('W1', 'S1'));
  expect(real.promises.map(({ promiseId }) => promiseId)).toEqual(
    dry.promises.map(({ promiseId }) => promiseId),
  );
});

test('more items of one debt than a promise can hold are refused', async () => {
  const tenant = await filled('many');
  await place.ledger.forTenant(tenant, (tx) =>
    rows(
      tx,
      `insert into transaction (tenant_id, account_id, transaction_id, debt_class, amount_cents, open_cents, due_date,
                                issued_date, posted_at)
       select :tenant, 'A-4', 'I-' || n, 'water', 100, 100, '2026-01-02', '2026-01-01', now()
         from generate_series(1, 121) n`,
      { tenant },
    ),
  );
  const answer = await mass(tenant, { customerIds: ['C-3'] });
  expect(answer.promises).toMatchObject([
    { result: 'refused', problems: [{ field: 'installments', value: '121' }] },
  ]);
});

test('two of the same command at once make each promise once', async () => {
  const tenant = await filled('twice');
  const answers = await Promise.all([1, 2, 3].map(() => mass(tenant, { customerIds: ['C-1', 'C-2'] })));
  for (const { promises } of answers) {
    expect(promises.every(({ result }) => result === 'enrolled' || result === 'known')).toBe(true);
  }
  expect(await place.count(tenant, 'promise')).toBe(4);
});

test('hundreds of promises are made some at once, each told of', async () => {
  const tenant = await filled('hundreds');
  const COUNT = 300;
  await place.ledger.forTenant(tenant, async (tx) => {
    const accounts = Array.from({ length: COUNT }, (_, index) => ({
      ...{ accountId: `B-${index}`, customerId: 'BIG', premiseId: null, debtClasses: ['water'] },
    }));
    await putAccounts(tx, tenant, accounts);
    await rows(
      tx,
      `insert into transaction (tenant_id, account_id, transaction_id, debt_class, amount_cents, open_cents, due_date,
                                issued_date, posted_at)
       select :tenant, account_id, 'I-' || account_id, 'water', 100, 100, '2026-01-02', '2026-01-01', now()
         from account where customer_id = 'BIG'`,
      { tenant },
    );
  });
  const told: number[] = [];
  const onProgress = (done: number, of: number): void => {
    if (of === COUNT) told.push(done);
  };
  const answer = await massPromise(
    place.ledger,
    tenant,
    { dueDate: DUE, customerIds: ['BIG'] },
    { actor: 'test', onProgress },
  );
  expect(answer.result === 'done' && answer.promises.map(({ result }) => result)).toEqual(
    Array.from({ length: COUNT }, () => 'enrolled'),
  );
  expect(told).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1));
  expect(await place.count(tenant, 'promise')).toBe(COUNT);
});

test.each<[string, unknown, string]>([
  ['nothing', { dueDate: DUE }, 'transactions'],
  ['a wrong id', { dueDate: DUE, ...items('=CMD()') }, 'transactions.0.transactionId'],
  ['a wrong date', { dueDate: '2026-02-30', ...items('W1') }, 'dueDate'],
  ['a wrong batch', { dueDate: DUE, ...items('W1'), batchId: 'a b' }, 'batchId'],
])('a request for %s is refused as a whole', async (_, input, field) => {
  const answer = await massPromise(place.ledger, 'full', input, { actor: 'test' });
  expect(answer).toMatchObject({ result: 'refused', problems: [{ field }] });
});
