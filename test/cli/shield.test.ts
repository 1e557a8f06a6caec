/**
 * Goal: a collector sees what may be collected of an account and why; the night gets the same of every account, as a file that is
 * there whole or not at all.
 * Method: the built command line on a real PostgreSQL; text, width, JSON, files, exit codes.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rows } from '../../src/ledger/connection';
import { Place, table } from '../cis/place';
import { expectNarrow, Promised } from './promised';

let place: Place;
let troth: Promised;
beforeAll(async () => {
  place = await Place.open();
  troth = await Promised.open(place, 'shield');
  await troth.policy('paused', { shield: 'pause-all' });
  await troth.promise('P1', ['2026-01-10=5000', '2026-02-10=5000']);
  await troth.promise('P2', ['2026-01-10=5000'], { policy: 'paused' });
  await troth.account('A-0');
  await troth.account('A-9');
  const debts =
    'account_id,debt_class,arrears,oldest_due_date,aged,as_of\n' +
    'A-P1,water,,,2025-11-15=80.00;2025-12-15=70.00;2026-02-15=40.00,2026-01-05 07:30\n' +
    'A-P1,sewer,12.50,2025-12-15,,2026-01-05 07:30\n' +
    'A-P2,water,150.00,2025-12-15,,2026-01-05 07:30\n' +
    'A-0,water,20.00,2025-12-15,,2026-01-05 07:30\n';
  await troth.troth('debts', place.write('debts.csv', debts));
  await place.ledger.forTenant('shield', (tx) =>
    rows(
      tx,
      `insert into hold (tenant_id, hold_id, account_id, kind, from_date, reason, actor, placed_at)
       values ('shield', 'H-1', 'A-0', 'dispute', '2026-01-02', 'test', 'test', now())`,
      {},
    ),
  );
}, 60_000);
afterAll(() => place.close());

const EXTRACT = {
  'A-0/water': ['20.00', '0.00', '20.00', 'no-shield', '', 'H-1'],
  'A-P1/sewer': ['12.50', '0.00', '12.50', 'no-shield', '', ''],
  'A-P1/water': ['150.00', '100.00', '50.00', 'partly-shielded', 'P1', ''],
  'A-P2/water': ['150.00', '150.00', '0.00', 'paused', 'P2', ''],
};

function extractOf(path: string): Record<string, unknown[]> {
  return Object.fromEntries(
    table(path).map((row) => {
      expect(row['as_of']).toBe('2026-01-05 07:30');
      const { arrears, shielded, collectible, reason, promise_ids: promises, hold_ids: holds } = row;
      const values = [arrears, shielded, collectible, reason, promises, holds];
      return [`${row['account_id']}/${row['debt_class']}`, values];
    }),
  );
}

test('an account: a table of its debts, and sentences that say why', async () => {
  const out = await troth.troth('shield', 'A-P1');
  expectNarrow(out);
  expect(out).toBe(
    [
      'What may be collected of account A-P1 on 2026-01-05 08:00',
      '',
      'Debt   Oldest due   Arrears  Shielded  Collectible  Why',
      'sewer  15 Dec 2025   $12.50     $0.00       $12.50  no shield',
      'water  15 Nov 2025  $150.00   $100.00       $50.00  partly shielded',
      '',
      'sewer',
      '  Arrears $12.50 (oldest due 15 Dec 2025).',
      '  The CIS stated the debt as of 2026-01-05 07:30.',
      '  Collectible: $12.50.',
      '',
      'water',
      '  Arrears $150.00 (oldest due 15 Nov 2025).',
      '  The CIS stated the debt as of 2026-01-05 07:30.',
      '  Promise P1 shields $100.00: installments 1 and 2 are unpaid.',
      '  Collectible: $50.00, the oldest of it due 15 Dec 2025.',
      '',
    ].join('\n'),
  );
});

test('a hold is told; a debt that the CIS never stated, too; long sentences are folded', async () => {
  const held = await troth.troth('shield', 'A-0', '--debt-class', 'water');
  expect(held).toContain('Hold H-1 (dispute) is in force from 2 Jan 2026.');
  expect(held).toMatch(/A hold is in force: the amounts do not mind it/);
  const unknown = await troth.troth('shield', 'A-9');
  expect(unknown).toMatch(/^water +- +not stated by the CIS$/m);
  expect(unknown).toContain('The CIS has not said what is owed; load a debts file or the open items.');
  for (const text of [held, unknown, await troth.troth('shield', 'A-P2')]) expectNarrow(text);
});

test('as JSON: cents, dates, what each promise keeps out and by which lines', async () => {
  const answer = await troth.json('shield', 'A-P1', '--debt-class', 'water');
  expect(answer).toMatchObject({
    ...{ accountId: 'A-P1', debtClass: 'water', currency: 'USD', source: 'debts', reason: 'partly-shielded' },
    ...{ arrearsCents: 15000, shieldedCents: 10000, collectibleCents: 5000, notDueCents: 4000 },
    ...{ asOf: '2026-01-05T12:30:00.000Z', oldestDueDate: '2025-11-15' },
    collectibleParts: [{ dueDate: '2025-12-15', cents: 5000 }],
    promises: [
      { promiseId: 'P1', unpaidLines: [{ seq: 1 }, { seq: 2, dueDate: '2026-02-10', unpaidCents: 5000 }] },
    ],
    sentences: expect.arrayContaining(['Promise P1 shields $100.00: installments 1 and 2 are unpaid.']),
  });
});

test('the extract: every debt, or only what is shielded; to a file or to stdout, as CSV or JSON lines', async () => {
  const file = join(place.folder, 'collectible.csv');
  const { code, out, err } = await troth.run(['shield', '--all', '--out', file]);
  expect([code, out, err]).toEqual([0, '', `4 debts looked at, 4 rows written to ${file}\n`]);
  expect(extractOf(file)).toEqual(EXTRACT);
  expect(await troth.troth('shield', '--all')).toBe(readFileSync(file, 'utf8'));
  expect(await troth.troth('shield', '--all', '--out', '-')).toBe(readFileSync(file, 'utf8'));
  const shielded = await troth.run(['shield', '--all', '--shielded-only', '--out', file]);
  expect(shielded.err).toContain('4 debts looked at, 2 rows written');
  expect(Object.keys(extractOf(file))).toEqual(['A-P1/water', 'A-P2/water']);
  const lines = (await troth.troth('shield', '--all', '--json')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { accountId: 'A-0', onHold: [{ holdId: 'H-1' }] },
    { accountId: 'A-P1', debtClass: 'sewer' },
    { accountId: 'A-P1', debtClass: 'water', collectibleCents: 5000 },
    { accountId: 'A-P2', collectibleCents: 0, promises: [{ by: 'pause-all', cents: null }] },
  ]);
});

test('an extract that cannot be finished leaves the last one as it was, and no draft', async () => {
  const file = join(place.folder, 'kept.csv');
  writeFileSync(file, 'of last night\n');
  const gone = await troth.run(['shield', '--all', '--out', file], { env: { TROTH_TENANT: 'nobody' } });
  expect(gone).toMatchObject({ code: 66 });
  const sql =
    'update debt set parts = \'[{"dueDate": "2025-12-15", "cents": 0.5}]\' where account_id = \'A-P2\'';
  const restore =
    'update debt set parts = \'[{"dueDate": "2025-12-15", "cents": 15000}]\' where account_id = \'A-P2\'';
  await place.ledger.forTenant('shield', (tx) => rows(tx, sql, {}));
  const broken = await troth.run(['shield', '--all', '--out', file]);
  await place.ledger.forTenant('shield', (tx) => rows(tx, restore, {}));
  expect(broken.code).not.toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('of last night\n');
  expect(readdirSync(place.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const nowhere = join(place.folder, 'none', 'x.csv');
  expect(await troth.refused(69, 'shield', '--all', '--out', nowhere)).toContain('cannot be written');
  expect(existsSync(nowhere)).toBe(false);
});

test('what is wrong says what to do', async () => {
  expect(await troth.refused(66, 'shield', 'NO')).toContain('Tenant "shield" has no account "NO"');
  expect(await troth.refused(66, 'shield', 'NO', '--debt-class', 'water')).toContain('not a known account');
  expect(await troth.refused(65, 'shield', 'A-9', '--debt-class', 'gas')).toContain(
    'is not a debt class of account A-9, which has water',
  );
  expect(await troth.refused(65, 'shield')).toContain('Name an account, or say --all for every one');
  expect(await troth.refused(65, 'shield', 'A-9', '--all')).toContain('not both');
  expect(await troth.refused(65, 'shield', 'A-9', '--out', 'x.csv')).toContain('go with --all');
  expect(await troth.refused(65, 'shield', '--all', '--debt-class', 'water')).toContain('not with --all');
  expect(await troth.troth('shield', '--help')).toMatch(/Examples:\n {2}troth shield[^]*Exit codes:/);
});
