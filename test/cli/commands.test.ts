/**
 * Goal: a person can do a utility's day by hand: make a tenant, send files, look at promises, move a sandbox's clock,
 * cancel; and a machine can read each answer.
 * Method: the built command line on a real PostgreSQL without any worker; what it wrote is looked at in the ledger.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { EXAMPLES, Place } from '../cis/place';
import { createEmptyDatabase } from '../support/database';
import { commandLine, TROTH, type Answer, type RunOptions } from './troth';

let place: Place;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url });
});
afterAll(() => place.close());

const example = (name: string): string => join(EXAMPLES, name);
const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

/** A command that must succeed. */
async function troth(...args: string[]): Promise<string> {
  const { code, out, err: said } = await run(args);
  // On a busy machine a load takes long enough to say how far it is.
  const err = said.replaceAll(/^\d+ rows, \d+ rejected so far\n/gm, '');
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  return out;
}

const bare = ['--zone', 'America/New_York'];
const winter = [...bare, '--sandbox', '--clock', '2026-01-05 08:00'];

async function filled(tenant: string): Promise<string> {
  await troth('tenant', 'create', tenant, ...winter);
  await troth('accounts', example('accounts.csv'), '--tenant', tenant);
  await troth('enroll', example('enrollments.csv'), '--tenant', tenant);
  return tenant;
}

test('tenants are made once, checked, and listed with their clocks', async () => {
  await troth('tenant', 'create', 'riverton', ...winter, '--name', 'River\u001b[31mton', '--currency', 'CAD');
  await troth('tenant', 'create', 'live', ...bare);
  const list = await troth('tenant', 'list');
  expect(list).toMatch(/riverton +River \[31mton +America\/New_York +CAD +sandbox +2026-01-05 08:0\d/);
  const json = lines(await troth('tenant', 'list', '--json'));
  expect(json).toContainEqual(
    expect.objectContaining({ tenantId: 'live', sandbox: false, clockOffsetMs: 0 }),
  );
  const again = await run(['tenant', 'create', 'live', ...bare]);
  expect(again).toMatchObject({ code: 65, err: 'troth: There is a tenant "live" already\n' });
  const wrong = await run(['tenant', 'create', 'X', '--zone', 'Mars/North', '--currency', 'dollar']);
  expect(wrong.code).toBe(65);
  expect(wrong.err).toMatch(/tenantId "X".*\n.*zone "Mars\/North".*\n.*currency "dollar"/);
  const live = await run(['tenant', 'create', 'y', ...bare, '--clock', '2026-01-01']);
  expect(live.code).toBe(65);
});

test('the tenant is the named one, else TROTH_TENANT; else one must be named', async () => {
  const clock = async (env: Record<string, string>, ...args: string[]): Promise<Answer> =>
    run(['clock', ...args], { env });
  expect((await clock({}, '--tenant', 'riverton')).out).toContain('(riverton, sandbox)');
  expect((await clock({ TROTH_TENANT: 'live' })).out).toContain('(live, live)');
  expect(await clock({})).toMatchObject({
    code: 65,
    err: expect.stringContaining('name one with --tenant') as string,
  });
  expect(await clock({}, '--tenant', 'none')).toMatchObject({ code: 66 });
});

test('a file with bad rows: exit 65, the good rows are in, a rejects file safe for spreadsheets', async () => {
  await troth('tenant', 'create', 'bad', ...winter);
  await troth('accounts', example('accounts.csv'), '--tenant', 'bad');
  const file = place.write('in.csv', readFileSync(example('bad/enrollments-bad.csv')));
  const rejects = `${file}.rejects.csv`;
  const { code, out } = await run(['enroll', file, '--tenant', 'bad']);
  expect(code).toBe(65);
  expect(out).toMatch(/in\.csv +24 +4 +1 +19/);
  expect(out).toContain('line 3: total_amount "-50.00": the total amount must be more than zero');
  expect(out).toContain('… and 9 more');
  const written = readFileSync(rejects, 'utf8');
  expect(written.split('\n')[0]).toBe('line,column,value,reason,row');
  expect(written).toContain("3,total_amount,'-50.00,");
  expect(written).toContain("21,enrollment_id,'=CMD(),");
  expect(written).toContain("'=CMD(),0010040239");
  const cells = parse(written).flat();
  expect(cells.filter((cell) => /^[=+@-]/.test(cell))).toEqual([]);
  // Corrected and sent again: nothing is left to reject, and the old file goes.
  writeFileSync(file, readFileSync(example('bad/enrollments-bom-crlf.csv')));
  expect((await run(['enroll', file, '--tenant', 'bad'])).code).toBe(0);
  expect(existsSync(rejects)).toBe(false);
  expect(existsSync(`${rejects}.part`)).toBe(false);
});

test('the same file twice says that nothing was taken; --json says it for machines; - is standard input', async () => {
  const tenant = await filled('twice');
  expect(await troth('enroll', example('enrollments.csv'), '--tenant', tenant)).toContain(
    'every row was known already',
  );
  const input = readFileSync(example('enrollments.csv'), 'utf8');
  const { out } = await run(['enroll', '-', '--tenant', tenant, '--json'], { input });
  expect(JSON.parse(out)).toMatchObject({
    rows: 200,
    taken: 0,
    alreadyKnown: 200,
    rejected: 0,
    rejectsFile: null,
  });
  const other = place.write('r.csv', '');
  const elsewhere = await run(['enroll', '-', '--tenant', tenant, '--rejects', other], { input: 'x\n' });
  expect(elsewhere.code).toBe(65);
  expect(readFileSync(other, 'utf8')).toContain('missing in the header');
  expect(await run(['enroll', join(place.folder, 'none.csv'), '--tenant', tenant])).toMatchObject({
    code: 66,
  });
});

test('what a file holds cannot command the terminal', async () => {
  const file = place.write('evil.csv', 'account_id,debt_classes\n"\u009b31mA\u202eB",water\n');
  const { code, out } = await run(['accounts', file, '--tenant', 'bad']);
  expect(code).toBe(65);
  expect(out).toContain('line 2: account_id');
  // eslint-disable-next-line no-control-regex
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('Ctrl-C ends a load at a row boundary and says how far it came', async () => {
  await troth('tenant', 'create', 'interrupted', ...winter);
  const rows = Array.from({ length: 60_000 }, (_, index) => `A-${index},water\n`);
  const file = place.write('many.csv', `account_id,debt_classes\n${rows.join('')}`);
  let sent = false;
  const { code, out, err } = await run(['accounts', file, '--tenant', 'interrupted'], {
    onError(child, said) {
      if (sent || !/\d+ rows/.test(said)) return;
      sent = true;
      child.kill('SIGINT');
    },
  });
  expect(code).toBe(130);
  expect(err).toContain('Stopping after the rows under way');
  const line = Number(/Stopped after line (\d+)\. Send the same file again/.exec(out)?.[1]);
  expect(await place.count('interrupted', 'account')).toBe(line - 1);
});

test('the clock shows, moves forward by the calendar, tells every open promise, and refuses the rest', async () => {
  const tenant = await filled('clock');
  const clock = (...args: string[]): Promise<string> => troth('clock', '--tenant', tenant, ...args);
  expect(await clock()).toMatch(/^2026-01-05 08:0\d {2}America\/New_York/);
  expect(await clock('--to', '2026-01-06')).toMatch(/^2026-01-06 12:00 .*\n200 open promises are told/);
  expect(await place.count(tenant, "outbox where kind = 'clock'")).toBe(200);
  expect(await clock('--advance', '90m')).toMatch(/^2026-01-06 13:3/);
  // 8 March 2026 has 23 hours; two months of days keep the hour.
  expect(await clock('--advance', '9w')).toMatch(/^2026-03-10 13:3/);
  expect(JSON.parse(await clock('--advance', '12h', '--json'))).toMatchObject({
    local: expect.stringMatching(/^2026-03-11 01:3/) as string,
    told: 200,
  });
  const back = await run(['clock', '--tenant', tenant, '--to', '2026-03-01']);
  expect(back).toMatchObject({ code: 65, err: expect.stringContaining('moves forward only') as string });
  const live = await run(['clock', '--tenant', 'live', '--advance', '1d']);
  expect(live).toMatchObject({ code: 65, err: expect.stringContaining('live') as string });
  const nonsense = await run(['clock', '--tenant', tenant, '--to', '2026-02-30']);
  expect(nonsense).toMatchObject({ code: 65, err: expect.stringContaining('2026-02-30') as string });
});

describe('promises', () => {
  const PAYMENTS =
    'record_type,payment_id,account_id,debt_class,amount,received_at,posted_at,tender,reason\n' +
    'payment,Q1,0010040313,water,100.11,2026-02-10,2026-02-10 19:30,cash,\n' +
    'payment,Q2,0010040313,water,50.00,2026-01-04,2026-02-10 19:30,cash,\n' +
    'payment,Q3,0010040313,water,25.00,2026-02-11,2026-02-11 19:30,cash,\n' +
    'reversal,Q3,0010040313,water,,2026-02-12,2026-02-12 19:30,,nsf\n';
  const show = async (id: string): Promise<string> => troth('promise', 'show', id, '--tenant', 'look');
  const settle = (id: string): Promise<unknown> => settlePromise(place.ledger, 'look', id, Date.now());

  beforeAll(async () => {
    await filled('look');
    await troth('clock', '--tenant', 'look', '--to', '2026-02-13');
    await troth('payments', place.write('q.csv', PAYMENTS), '--tenant', 'look');
  });

  test('a partial payment shows before any verdict, with what does not count and why', async () => {
    const text = await show('E-10002');
    expect(text).toMatch(/Promise E-10002 {2}active/);
    expect(text).toMatch(/Amount +\$100\.11 of \$357\.11 counted/);
    expect(text).toMatch(/1 +14 Feb 2026 +17 Feb 2026 +\$357\.11 +\$100\.11 +due/);
    expect(text).toMatch(/Counted\n.*\n +Q1 +10 Feb 2026 +\$100\.11 +1/);
    expect(text).toMatch(/Q2 +4 Jan 2026 +\$50\.00 +it came before the promise began/);
    expect(text).toMatch(/Q3 +11 Feb 2026 +\$25\.00 +it was reversed/);
    expect(text).toMatch(/2026-01-05 08:0\d {2}enrolled, due 2026-02-14 {2}cli:/);
    expect(text).not.toContain('Verdict');
    expect(await place.count('look', 'verdict')).toBe(0);
    const list = await troth('promise', 'list', '--tenant', 'look', '--account', '0010040313');
    expect(list).toMatch(/E-10002 .*\$100\.11 of \$357\.11 .*active .*judged 2026-02-18 12:00/);
  });

  test('after the verdict its sentence, the timeline and the link to Temporal UI', async () => {
    await troth('clock', '--tenant', 'look', '--to', '2026-02-18 12:30');
    expect(await show('E-10002')).toContain('By now it is broken; the worker records that');
    await settle('E-10002');
    const answer = await run(['promise', 'show', 'E-10002', '--tenant', 'look'], {
      env: { TROTH_TEMPORAL_UI_URL: 'http://ui.example:8080/', TEMPORAL_NAMESPACE: 'prod' },
    });
    expect(answer.out).toMatch(/Promise E-10002 {2}broken/);
    expect(answer.out).toMatch(/Verdict\n {2}Broken: \$100\.11 of \$357\.11 due 14 Feb 2026/);
    expect(answer.out).toMatch(/2026-02-18 12:00 {2}Broken: .* {2}troth/);
    expect(answer.out).toContain('http://ui.example:8080/namespaces/prod/workflows/ptp%2Flook%2FE-10002');
    const json = JSON.parse(
      await troth('promise', 'show', 'E-10002', '--tenant', 'look', '--json'),
    ) as object;
    expect(json).toMatchObject({
      ...{ promiseId: 'E-10002', status: 'broken', countedCents: 10011, temporalUrl: null },
      installments: [
        { seq: 1, dueDate: '2026-02-14', amountCents: 35711, countedCents: 10011, status: 'broken' },
      ],
      counted: [{ paymentId: 'Q1', cents: 10011, seq: 1 }],
    });
    expect(await run(['promise', 'show', 'NONE', '--tenant', 'look'])).toMatchObject({ code: 66 });
  });

  test('a cancel says its sentence and wakes the workflow; a second one is refused', async () => {
    const words = [
      '--tenant',
      'look',
      '--reason',
      'customer_request',
      '--note',
      'moved',
      '--actor',
      'mlopez',
    ];
    const reviews = "outbox where kind = 'review' and promise_id = 'E-10001'";
    await settle('E-10001');
    const before = await place.count('look', reviews);
    const refused = await run(['cancel', 'E-10001', ...words]);
    expect(refused.code).toBe(65);
    expect(refused.err).toMatch(/^troth: Promise E-10001 was not cancelled\. Broken: /);
    expect(refused.err).toMatch(/has ended: it is broken/);
    expect(await place.count('look', reviews)).toBe(before);
    const open = (
      lines(await troth('promise', 'list', '--tenant', 'look', '--json')) as { promiseId: string }[]
    )[0];
    expect(open).toBeDefined();
    const id = 'E-10190';
    const done = await run(['cancel', id, ...words]);
    expect(done).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Cancelled on 18 Feb 2026: the customer asked for it/) as string,
    });
    expect(await place.count('look', `outbox where kind = 'review' and promise_id = '${id}'`)).toBe(1);
    expect(await place.count('look', `promise where promise_id = '${id}' and cancel_actor = 'mlopez'`)).toBe(
      1,
    );
    expect((await run(['cancel', id, ...words])).code).toBe(65);
    expect((await run(['cancel', 'NONE', ...words])).code).toBe(66);
    expect((await run(['cancel', 'E-10191', '--tenant', 'look', '--reason', 'other'])).err).toContain('note');
  });

  test('the list filters, fits the width, and counts by status', async () => {
    const text = await troth('promise', 'list', '--tenant', 'look');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(140);
    expect(text).toMatch(/200 promises: \d+ active, 2 broken, 1 cancelled/);
    const wide = await run(['promise', 'list', '--tenant', 'look', '--status', 'broken'], {
      env: { COLUMNS: '150' },
    });
    expect(wide.out).toMatch(/Broken: \$100\.11.*…/);
    for (const line of wide.out.split('\n')) expect(line.length).toBeLessThanOrEqual(150);
    expect(wide.out).toMatch(/2 promises: 2 broken/);
    expect(await troth('promise', 'list', '--tenant', 'look', '--limit', '3')).toContain(
      '3 are listed; --limit lists more',
    );
    expect(await troth('promise', 'list', '--tenant', 'look', '--account', 'none')).toBe(
      'There is no such promise.\n',
    );
    const broken = lines(await troth('promise', 'list', '--tenant', 'look', '--status', 'broken', '--json'));
    expect(broken).toHaveLength(2);
    expect(broken[1]).toMatchObject({ promiseId: 'E-10002', status: 'broken', countedCents: 10011 });
  });

  test('a pipe that is closed early is no error', async () => {
    const { code, err } = await new Promise<{ code: number | null; err: string }>((resolve, reject) => {
      const child = spawn(process.execPath, [TROTH, 'promise', 'list', '--tenant', 'look', '--json'], {
        env: { PATH: process.env['PATH'], TROTH_HOME: place.folder, DATABASE_URL: place.database.url },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.stdout.once('data', () => child.stdout.destroy());
      child.on('error', reject);
      child.on('close', (exit) => resolve({ code: exit, err: said }));
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

test('a ledger without tables says how to make them, and migrate makes them', async () => {
  const empty = await createEmptyDatabase();
  const bareRun = commandLine(place.folder, { DATABASE_URL: empty.url });
  expect(await bareRun(['tenant', 'list'])).toMatchObject({
    code: 69,
    err: 'troth: The ledger has no tables yet; run: troth migrate\n',
  });
  expect((await bareRun(['migrate'])).out).toMatch(/^Applied: 0001_ledger/);
  expect((await bareRun(['migrate', '--json'])).out).toBe('{"applied":[]}\n');
  await empty.drop();
});
