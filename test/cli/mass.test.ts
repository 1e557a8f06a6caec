/**
 * Goal: one command promises many open items in full, says of each item what became of it, and can be tried first.
 * Method: the built command line on a real PostgreSQL; test/ledger/mass.test.ts proves what is behind it.
 */
import { Place } from '../cis/place';
import { expectNarrow, Promised } from './promised';

let place: Place;
let clerk: Promised;
beforeAll(async () => {
  place = await Place.open();
  clerk = await Promised.open(place, 'mass');
  for (const [account, customer] of [
    ['A-1', 'C-1'],
    ['A-2', 'C-1'],
    ['A-3', 'C-2'],
    ['A-4', 'C-3'],
  ] as const) {
    await clerk.account(account, customer);
  }
  await clerk.item('INV-1', 'A-1', 12000);
  await clerk.item('INV-2', 'A-1', 3000);
  await clerk.item('INV-3', 'A-2', 5500);
  await clerk.item('SAME', 'A-2', 700);
  await clerk.item('SAME', 'A-3', 900);
  await clerk.item('INV-4', 'A-4', 4250);
});
afterAll(() => place.close());

const mass = (...args: string[]): string[] => ['mass-promise', '--due', '2026-02-28', ...args];

test('a dry run, then all or nothing, then the same again', async () => {
  const words = mass('--customers', 'C-1');
  const dry = await clerk.troth(...words, '--dry-run');
  expectNarrow(dry);
  expect(dry).toMatch(/^Item +Account +Debt +Open +Result +Promise$/m);
  expect(dry).toMatch(/^INV-1 +A-1 +water +\$120\.00 +possible +M-[0-9a-f]{16}$/m);
  expect(dry).toContain('2 promises possible, $212.00 due 28 Feb 2026.\nA dry run: nothing was saved.\n');
  expect(await place.count('mass', 'promise')).toBe(0);
  const failed = await clerk.run([...words, '--transactions', 'NONE', '--all-or-nothing']);
  expect(failed.code).toBe(65);
  expect(failed.out).toMatch(/^NONE +refused$/m);
  expect(failed.out).toMatch(/^INV-3 +A-2 +water +\$55\.00 +not made +M-/m);
  expect(failed.out).toContain('All or nothing: nothing was saved.');
  expect(failed.out).toContain('NONE is not an open item: it is unknown, or nothing is open on it');
  expect(await place.count('mass', 'promise')).toBe(0);
  const made = await clerk.troth(...words, '--all-or-nothing', '--note', 'fair', '--actor', 'mlopez');
  expect(made).toMatch(/^SAME +A-2 +water +\$7\.00 +promised +M-/m);
  expect(made).toMatch(/^2 promises made, \$212\.00 due 28 Feb 2026\.$/m);
  expect(await place.count('mass', "promise where enrolled_by = 'mlopez'")).toBe(2);
  const again = await clerk.troth(...words);
  expect(again).toMatch(/^INV-2 +A-1 +water +\$30\.00 +known +M-[0-9a-f]{16}, active$/m);
  expect(again).toContain('0 promises made, $0.00 due 28 Feb 2026; 2 known already.');
  expect(await place.count('mass', 'promise')).toBe(2);
});

test('by ids, with accounts and amounts; what is refused is told in full', async () => {
  const answer = await clerk.run(mass('--transactions', 'INV-1', 'A-3/SAME=9.00', 'SAME', 'INV-4=40'));
  expect(answer.code).toBe(65);
  expect(answer.out).toMatch(/^SAME +A-3 +water +\$9\.00 +promised +M-/m);
  expect(answer.out).toContain('1 promise made, $9.00 due 28 Feb 2026; 2 refused; 1 not found.');
  expect(answer.out).toContain('  SAME is an item of 2 accounts, A-2, A-3; name the account, too');
  expect(answer.out).toMatch(/^ {2}A-1 water: has an active promise on this debt already, M-/m);
  expect(answer.out).toContain(
    '  A-4 water: INV-4: $40.00 is not the full open amount, $42.50; a mass promise is for the full open amount of each item (R23)',
  );
});

test('by file: of items, with what is believed to be open on them, or of customers; --json says it for machines', async () => {
  const items = place.write(
    'items.csv',
    'Transaction_ID,account_id,amount,open_amount,note\nINV-4,A-4,99.00,42.50,x\n',
  );
  const { out } = await clerk.run([...mass('--transactions', items, '--batch', 'b', '--json')]);
  expect(JSON.parse(out)).toMatchObject({
    ...{ dueDate: '2026-02-28', batchId: 'b', saved: true, notFound: [] },
    counts: { enrolled: 1, known: 0, refused: 0, 'not-kept': 0 },
    promises: [
      { accountId: 'A-4', totalCents: 4250, result: 'enrolled', items: [{ transactionId: 'INV-4' }] },
    ],
  });
  const customers = place.write('customers.csv', 'customer_id\nC-2\n');
  expect(await clerk.troth(...mass('--customers', customers))).toMatch(/^SAME +A-3 .* known/m);
});

test('a wrong file or word promises nothing, and is named', async () => {
  const before = await place.count('mass', 'promise');
  const file = place.write('bad.csv', 'transaction_id,amount\nINV-1,12x\n,1.00\n"INV\u001b[2J",1.00,3\n');
  expect(await clerk.refused(65, ...mass('--transactions', file))).toMatch(
    /^troth: Nothing was promised: the selection is wrong\n {2}line 2 "12x": the amount is not an amount.*\n {2}line 3: the transaction id is missing\n {2}line 4: the row has 3 cells/,
  );
  const headless = place.write('headless.csv', 'INV-1\nINV-2\n');
  expect(await clerk.refused(65, ...mass('--transactions', headless))).toContain('transaction_id');
  expect(await clerk.refused(66, ...mass('--transactions', 'none.csv'))).toContain('no file "none.csv"');
  expect(await clerk.refused(65, ...mass('--transactions', 'INV-1=x'))).toContain('--transactions "INV-1=x"');
  expect(await clerk.refused(65, ...mass('--transactions', '=CMD()'))).toContain('holds an amount');
  expect(await clerk.refused(64, 'mass-promise', '--due', '2026-02-28')).toContain(
    'say --transactions or --customers',
  );
  expect(await clerk.refused(64, 'mass-promise', '--customers', 'C-1', '--due', 'soon')).toContain(
    'YYYY-MM-DD',
  );
  const evil = await clerk.run(mass('--customers', 'C\u001b[2J\u202e'));
  // eslint-disable-next-line no-control-regex
  expect(evil.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  expect(await place.count('mass', 'promise')).toBe(before);
});
