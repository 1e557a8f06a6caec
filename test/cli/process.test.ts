/**
 * Goal: staff can check, set and read the collections process of a debt class; what is wrong with a file is all said by field,
 * and nothing changes until the file is right.
 * Method: the built command line on a real PostgreSQL, and what it wrote read back.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CasePlace, PROCESS } from '../collections/case-place';
import { EXAMPLES, Place } from '../cis/place';
import { commandLine, type Answer, type RunOptions } from './troth';

const EXAMPLE = join(EXAMPLES, 'process-water.json');

let place: Place;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url, COLUMNS: '100' });
});
afterAll(() => place.close());

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await run(['process', ...args]);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  return out;
}

test('the example is a process, which check says without a database', async () => {
  const nowhere = commandLine(place.folder, { DATABASE_URL: '' });
  const { code, out, err } = await nowhere(['process', 'check', EXAMPLE]);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('is a process: 8 steps in 365 days.');
  expect(out).toMatch(/^40 +shut-off +shut-off-request +task +a person +on a business day$/m);
  expect(out).toContain('10 business days after shut-off-notice');
  expect(out).toContain('winter, 15 Nov to 1 Apr');
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('check lists everything that is wrong, by field, and exits with 65', async () => {
  const file = place.write(
    'wrong.json',
    JSON.stringify({
      ...PROCESS,
      entry: [],
      resume: 'again',
      steps: Array.from({ length: 25 }, (_, index) => ({ id: `s${index}`, kind: 'shout', day: -1 })),
    }),
  );
  const { code, out } = await run(['process', 'check', file]);
  expect(code).toBe(65);
  expect(out).toMatch(/is no process: 5\d problems/);
  expect(out).toContain('entry []: needs at least one criterion');
  expect(out).toContain('resume again: must be one of restart, continue, closest');
  expect(out).toContain('steps.24.kind shout: must be one of');
  const { code: jsonCode, out: json } = await run(['process', 'check', file, '--json']);
  expect(jsonCode).toBe(65);
  expect(JSON.parse(json)).toMatchObject({ valid: false, problems: expect.any(Array) });
  const { code: none } = await run(['process', 'check', `${place.folder}/none.json`]);
  expect(none).toBe(66);
  const automatic = place.write(
    'automatic.json',
    JSON.stringify({ ...PROCESS, steps: [{ id: 'off', kind: 'shut-off-request', day: 0, approval: false }] }),
  );
  expect((await run(['process', 'check', automatic])).out).toContain('never done without a person');
});

test('set makes versions, says when nothing is new, and wakes open cases on request only', async () => {
  const at = await CasePlace.make(place, 'set', '2026-01-20 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-15': 8000 });
  await at.act('A1');
  const woken = (): Promise<number> => place.count('set', 'collections_case where wake_no > 0');
  const before = await woken();
  const first = await ok('set', 'water', EXAMPLE, '--tenant', 'set', '--note', 'winter', '--actor', 'me');
  expect(first).toContain('Version 2 of the process of water is made: 8 steps.');
  expect(first).toContain('--wake');
  expect(await woken()).toBe(before);
  const again = await ok('set', 'water', EXAMPLE, '--tenant', 'set', '--wake');
  expect(again).toContain('Version 2 of water says the same already; nothing was made.');
  expect(again).toContain('1 open case will look again.');
  expect(await woken()).toBe(1);
  const json = JSON.parse(await ok('set', 'gas', EXAMPLE, '--tenant', 'set', '--json', '--wake')) as object;
  expect(json).toEqual({ debtClass: 'gas', result: 'created', version: 1, woken: 0 });

  const list = await ok('list', '--tenant', 'set');
  expect(list).toMatch(/^water +2 +8 +1 +\d{4}-.* me +winter$/m);
  expect(list).toMatch(/^gas +1 +8 +0 /m);
  const shown = await ok('show', 'water', '--tenant', 'set');
  expect(shown).toContain('water, version 2 of its process');
  expect(shown).toMatch(/by me: winter$/m);
  expect(shown).toMatch(/at least \$50\.00 is 10 days past due or more, or at least \$15\.00/);
  expect(shown).toContain('Holds off the premises  medical');
  for (const line of `${shown}${list}`.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  const old = JSON.parse(await ok('show', 'water', '--version', '1', '--tenant', 'set', '--json')) as object;
  expect(old).toMatchObject({ version: 1, definition: { steps: { length: 4 } } });
  expect(JSON.parse(readFileSync(EXAMPLE, 'utf8'))).toMatchObject({ resume: 'continue' });
});

test('what is wrong changes nothing, and tenants do not see one another', async () => {
  await place.sandbox('alone');
  const failed = async (...args: string[]): Promise<[number | null, string]> => {
    const { code, err } = await run(['process', ...args, '--tenant', 'alone']);
    return [code, err];
  };
  const wrong = place.write('one.json', JSON.stringify({ ...PROCESS, stepTime: '9' }));
  expect(await failed('set', 'water', wrong)).toEqual([
    65,
    expect.stringMatching(/The process of "water" was not set\n +stepTime "9": must be a time/),
  ]);
  expect(await failed('set', 'Water', EXAMPLE)).toEqual([65, expect.stringContaining('small letters')]);
  expect(await failed('show', 'water')).toEqual([66, expect.stringContaining('has no process')]);
  expect(await place.count('alone', 'collections_process')).toBe(0);
  expect(await ok('list', '--tenant', 'alone')).toContain('There is no process yet');
});
