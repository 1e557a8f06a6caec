/**
 * Goal: staff see how a collections case stands and why, what may be collected, and answer the steps that wait for them.
 * Method: cases act on a real ledger as their workflow would; the built command line shows and answers them.
 */
import { Place } from '../cis/place';
import { CasePlace } from '../collections/case-place';
import { commandLine, type Answer, type RunOptions } from './troth';

let place: Place;
let at: CasePlace;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url, COLUMNS: '100', TROTH_TENANT: 'case' });
  at = await CasePlace.make(place, 'case', '2026-01-20 08:00');
  for (const account of ['A1', 'A2', 'A3']) await at.account(account);
  await at.debt('A1', { '2026-01-15': 8000 });
  await at.debt('A2', { '2026-01-15': 9000 });
  await at.act('A1');
  await at.act('A2');
  await at.until('2026-03-20 12:00', 'A1');
});
afterAll(() => place.close());

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  for (const line of args.includes('--json') ? [] : out.split('\n'))
    expect(line.length).toBeLessThanOrEqual(100);
  return out;
}

test('list shows how cases stand, filtered and limited', async () => {
  const all = await ok('case', 'list');
  expect(all).toMatch(/^A1 +water +open, running .* Awaits approval: shut-off request/m);
  expect(all).toMatch(/^A2 +water +open +\S.* Nothing has been decided yet\.$/m);
  expect(all).toContain('2 cases: 2 open, 0 closed');
  expect(await ok('case', 'list', '--closed')).toContain('There is no such case.');
  expect(await ok('case', 'list', '--open', '--class', 'water', '--limit', '1')).toContain('1 are listed');
  const [first] = (await ok('case', 'list', '--json')).trim().split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({
    accountId: 'A1',
    debtClass: 'water',
    runStatus: 'running',
  });
  expect((await run(['case', 'list', '--open', '--closed'])).code).toBe(64);
});

test('show tells status, what may be collected, runs, steps, reviews and contacts', async () => {
  const text = await ok('case', 'show', 'A1');
  expect(text).toContain('A1, water: open, running');
  expect(text).toContain('Awaits approval: shut-off request (shut-off) for $80.00.');
  expect(text).toMatch(/^What may be collected\n/m);
  expect(text).toMatch(/^1 +version 1 +running +25 Jan 2026 /m);
  expect(text).toMatch(
    /^1 +final-notice +4 Feb 2026 +4 Feb 2026 +done +\$80\.00 +Notice \(final-notice\),$/m,
  );
  expect(text).toMatch(/^1 +shut-off +14 Feb 2026 +awaiting-approval +\$80\.00 /m);
  expect(text).toMatch(/start +Started: \$80\.00 is past due/);
  expect(text).toMatch(/^1 +call +call .* not yet$/m);
  const json = JSON.parse(await ok('case', 'show', 'A1', '--class', 'water', '--json')) as object;
  expect(json).toMatchObject({
    ...{
      accountId: 'A1',
      status: 'open',
      runs: [{ runNo: 1 }],
      steps: { length: 4 },
      contacts: { length: 3 },
    },
    collectible: { arrearsCents: 8000, collectibleCents: 8000, shieldedCents: 0 },
    reviews: [{ decision: 'start' }],
  });
});

test('a case that has not been looked at says what is true by now', async () => {
  expect(await ok('case', 'show', 'A2')).toMatch(
    /^By now: Started: \$90\.00 is past due and nothing of it is promised\./m,
  );
});

test('wake asks a case to look again, and opens one', async () => {
  expect(await ok('case', 'wake', 'A3', '--class', 'water')).toContain(
    'The water case of account A3 will look again.',
  );
  expect(await ok('case', 'show', 'A3')).toContain('It was asked to look again');
  expect(await place.count('case', "collections_case where account_id = 'A3' and wake_no = 1")).toBe(1);
  expect((await run(['case', 'wake', 'A3', '--class', 'gas'])).code).toBe(65);
  expect((await run(['case', 'wake', 'A3'])).code).toBe(64);
});

test('a step is approved once and done after that; another answer is refused', async () => {
  const approve = [
    'step',
    'approve',
    'A1',
    'shut-off',
    '--class',
    'water',
    '--note',
    'seen',
    '--actor',
    'me',
  ];
  expect(await ok(...approve)).toContain('Step shut-off of account A1, water, run 1, is approved.');
  expect(await ok(...approve)).toContain('is approved.');
  const refused = await run(['step', 'refuse', 'A1', 'shut-off', '--class', 'water']);
  expect([refused.code, refused.err]).toEqual([65, expect.stringContaining('was approved already')]);
  const none = await run(['step', 'approve', 'A1', 'call', '--class', 'water']);
  expect([none.code, none.err]).toEqual([
    66,
    expect.stringContaining('awaits approval; see: troth worklist'),
  ]);
  expect(
    await place.count('case', "collections_step where approval_actor = 'me' and approval_note = 'seen'"),
  ).toBe(1);
  await at.until('2026-03-25 12:00', 'A1');
  expect((await at.steps('A1')).at(-1)).toMatch(/^2026-03-2\d shut-off done$/);
  const [, , , shutOff] = (JSON.parse(await ok('case', 'show', 'A1', '--json')) as { steps: object[] }).steps;
  expect(shutOff).toMatchObject({ status: 'done', answeredBy: 'me', answerNote: 'seen' });
  expect((await ok('case', 'show', 'A1')).replaceAll(/\s+/g, ' ')).toContain('Approved by me: seen');
});

test('accounts and cases that are not there say so; a tenant sees its own only', async () => {
  const failed = async (...args: string[]): Promise<[number | null, string]> => {
    const { code, err } = await run(args);
    return [code, err];
  };
  expect(await failed('case', 'show', 'none')).toEqual([66, expect.stringContaining('no account "none"')]);
  await CasePlace.make(place, 'alone', '2026-01-20 08:00');
  expect(await failed('case', 'show', 'A1', '--tenant', 'alone')).toEqual([
    66,
    expect.stringContaining('no account'),
  ]);
  expect(await ok('case', 'list', '--tenant', 'alone')).toContain('There is no such case.');
  expect(await failed('standing', 'A1', '--tenant', 'alone')).toEqual([
    66,
    expect.stringContaining('no account'),
  ]);
  expect(await ok('standing', 'A1')).toMatch(/^water +0 +0 +0 +0 +0 +0$/m);
});
