/**
 * Goal: staff put holds on debts and take them off, and are told what became of each promise's deadlines.
 * Method: the built command line on a real PostgreSQL with promises; what it wrote is read back from the ledger.
 */
import { Place } from '../cis/place';
import { CasePlace } from '../collections/case-place';
import { commandLine, type Answer, type RunOptions } from './troth';

let place: Place;
let at: CasePlace;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url, COLUMNS: '100', TROTH_TENANT: 'hold' });
  at = await CasePlace.make(place, 'hold', '2026-01-20 08:00');
  await at.account('A1');
  await at.account('A2');
  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-02-10', amountCents: 4000 }] });
});
afterAll(() => place.close());

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await run(['hold', ...args]);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  for (const line of args.includes('--json') ? [] : out.split('\n'))
    expect(line.length).toBeLessThanOrEqual(100);
  return out;
}

test('a breathing space moves deadlines, and its release brings them back', async () => {
  const placed = [
    'place',
    'A1',
    '--kind',
    'breathing-space',
    '--until',
    '2026-01-29',
    '--reason',
    'Reg. 7',
    '--id',
    'BS-1',
  ];
  const text = await ok(...placed);
  expect(text).toContain(
    'Placed: breathing-space hold BS-1 on all debts of account A1, from 20 Jan 2026 through 29 Jan 2026.',
  );
  expect(text).toMatch(/^P1 +moved; the next one is 23 Feb 2026$/m);
  expect(await ok(...placed)).toContain('Nothing changed: breathing-space hold BS-1');
  const other = await run(['hold', ...placed.slice(0, -1), 'BS-1', '--from', '2026-01-19']);
  expect([other.code, other.err]).toEqual([65, expect.stringContaining('another hold "BS-1"')]);
  expect(await ok('release', 'BS-1', '--reason', 'over')).toMatch(
    /^P1 +moved; the next one is 13 Feb 2026$/m,
  );
  expect(await ok('release', 'BS-1')).toContain('was released before');
});

test('a hold gets an id, stops no promise of its own accord, and is listed', async () => {
  const json = JSON.parse(
    await ok('place', 'A1', '--kind', 'dispute', '--class', 'water', '--reason', 'bill 4711', '--json'),
  ) as { holdId: string };
  expect(json).toMatchObject({
    ...{ result: 'placed', kind: 'dispute', debtClass: 'water', from: '2026-01-20', until: null },
    promises: [{ promiseId: 'P1', result: 'unchanged', why: null, nextLastDay: '2026-02-13' }],
  });
  expect(json.holdId).toMatch(/^H-[0-9A-HJKMNP-TV-Z]{8}$/);
  expect(
    await ok('place', 'A2', '--kind', 'medical', '--reason', 'letter', '--from', '2026-02-01', '--id', 'M'),
  ).toContain('No promise is open there.');
  const standing = await ok('list');
  expect(standing).toContain(json.holdId);
  expect(standing).toMatch(/ dispute +A1 +water +20 Jan 2026 +stands +bill 4711$/m);
  expect(standing).not.toContain('BS-1');
  const all = await ok('list', '--all');
  expect(all).toMatch(/^BS-1 .* released +Reg\. 7$/m);
  expect(all).toMatch(/^M +medical +A2 +\(all\) +1 Feb 2026 +to come +letter$/m);
  expect(await ok('list', 'A2')).toContain('No hold stands today');
  expect((await ok('list', 'A1', '--all', '--json')).trim().split('\n')).toHaveLength(2);
});

test('what is wrong places nothing and says which option', async () => {
  const failed = async (...args: string[]): Promise<[number | null, string]> => {
    const { code, err } = await run(['hold', ...args]);
    return [code, err];
  };
  const before = await place.count('hold', 'hold');
  expect(await failed('place', 'A1', '--kind', 'whim', '--reason', 'x')).toEqual([
    64,
    expect.stringContaining('dispute'),
  ]);
  expect(await failed('place', 'none', '--kind', 'dispute', '--reason', 'x')).toEqual([
    66,
    expect.stringContaining('no account "none"'),
  ]);
  expect(await failed('place', 'A1', '--kind', 'dispute', '--class', 'gas', '--reason', 'x')).toEqual([
    65,
    expect.stringMatching(/--class "gas": is not a debt class/),
  ]);
  expect(
    await failed(
      'place',
      'A1',
      '--kind',
      'dispute',
      '--until',
      '2026-01-01',
      '--reason',
      'x',
      '--id',
      'bad id',
    ),
  ).toEqual([65, expect.stringMatching(/--id "bad id"/)]);
  expect(await failed('release', 'none')).toEqual([66, expect.stringContaining('There is no hold "none"')]);
  await place.sandbox('alone');
  expect(await failed('release', 'M', '--tenant', 'alone')).toEqual([66, expect.any(String)]);
  expect(await place.count('hold', 'hold')).toBe(before);
  expect(await ok('list', '--all', '--tenant', 'alone')).toContain('There is no hold.');
});
