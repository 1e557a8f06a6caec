/**
 * Goal: an operator can verify a ledger, run a night, and try a policy on the past, from a terminal and from a script.
 * Method: the built command line on a real PostgreSQL with a lively sandbox; tables, JSON lines, exit codes, the chart.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Place } from '../cis/place';
import { moveTo, tamper, tellLedger } from '../ledger/lively';
import { commandLine, type Answer, type RunOptions } from './troth';

let place: Place;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url });
  await tellLedger(place, 'riverton', { accounts: 20, seed: 2, until: '2026-02-10', settled: true });
  await tellLedger(place, 'idle', { accounts: 12, seed: 3, until: '2026-01-25', settled: false });
}, 120_000);
afterAll(() => place.close());

interface Line extends Record<string, unknown> {
  readonly kind: string;
}

const linesOf = ({ out }: Answer): Line[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

describe('verify', () => {
  test('in order: exit 0, one line that says so; nothing on stderr', async () => {
    const { code, out, err } = await run(['verify', '--tenant', 'riverton']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Verified 20 promises, \d+ verdicts and \d+ audit events of riverton\.$/m);
    expect(out).toContain('Everything is as its facts say.');
  });

  test('all tenants unless one is named; TROTH_TENANT names one', async () => {
    expect((await run(['verify'])).out).toContain('of 2 tenants.');
    expect((await run(['verify'], { env: { TROTH_TENANT: 'idle' } })).out).toContain('Verified 12 promises');
    expect(linesOf(await run(['verify', '--json']))).toEqual([
      expect.objectContaining({ kind: 'summary', promises: 32, differences: 0, byKind: {} }),
    ]);
  });

  test('something was changed: exit 1, a table with the place, JSON with both sides', async () => {
    await tellLedger(place, 'changed', { accounts: 6, seed: 3, until: '2026-02-06', settled: true });
    const sql = `update verdict set evidence = jsonb_set(evidence, '{installments,0,amountCents}', '1')
      where tenant_id = 'changed' and promise_id = 'P1'`;
    await tamper(place.ledger, 'verdict', sql, {});
    const { code, out } = await run(['verify', '--tenant', 'changed']);
    expect(code).toBe(1);
    expect(out).toMatch(/^P1 +verdict +\$\.installments\[0\]\.amountCents, byte \d+ +…\S+/m);
    expect(out).toMatch(/^1 difference:\n +1 {2}verdict +a verdict is not what its facts give$/m);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(140);
    const json = await run(['verify', '--tenant', 'changed', '--json']);
    expect(json.code).toBe(1);
    expect(linesOf(json)).toEqual([
      expect.objectContaining({
        ...{ tenantId: 'changed', kind: 'verdict', promiseId: 'P1', field: '$.installments[0].amountCents' },
        stored: expect.stringContaining('"amountCents":1,'),
        recomputed: expect.stringContaining('"amountCents":4000,'),
      }),
      expect.objectContaining({ kind: 'summary', differences: 1, byKind: { verdict: 1 } }),
    ]);
    const one = await run(['verify', '--tenant', 'changed', '--promise', 'P2']);
    expect(one).toMatchObject({ code: 0, out: expect.stringContaining('Verified 1 promise,') });
  });

  test('a promise that is not there, or whose tenant is not named', async () => {
    expect(await run(['verify', '--promise', 'P1'])).toMatchObject({
      code: 65,
      err: 'troth: A promise belongs to a tenant; name it with --tenant\n',
    });
    expect(await run(['verify', '--promise', 'NO', '--tenant', 'idle'])).toMatchObject({
      code: 66,
      err: 'troth: Tenant "idle" has no promise "NO"; see: troth promise list\n',
    });
    expect(await run(['verify', '--tenant', 'none'])).toMatchObject({ code: 66 });
  });
});

describe('monitor', () => {
  test('a dry run shows what is due, with examples, and a skipped night apart', async () => {
    const { code, out, err } = await run(['monitor', '--dry-run', '--tenant', 'idle']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Dry run, nothing is recorded.');
    expect(out).toMatch(/^Tenant +Night +Looked at +Unchanged +Kept +Broken .* Overdue +Not judged$/m);
    expect(out).toMatch(/^idle +2026-01-25 00:00 +11 /m);
    expect(out).toMatch(/^P\d+ +broken +2026-01-\d\d \d\d:\d\d +Broken: /m);
    expect(out).toMatch(/a batch which skipped the nights between would leave otherwise$/m);
    expect(out).toContain('a skipped night forgives a late payer');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(140);
    expect(await place.count('idle', 'verdict')).toBe(1); // a cancel
  });

  test('JSON: each change, then a summary for each tenant; the run itself settles and verifies', async () => {
    const dry = linesOf(await run(['monitor', '--dry-run', '--tenant', 'idle', '--json']));
    const summary = dry.at(-1);
    const changes = dry.filter(({ kind }) => kind === 'change');
    expect(summary).toMatchObject({
      kind: 'summary',
      tenantId: 'idle',
      night: '2026-01-25',
      dryRun: true,
      settled: 0,
    });
    expect(changes).toHaveLength(Number(summary?.['kept']) + Number(summary?.['broken']));
    expect(changes[0]).toEqual({
      ...{ kind: 'change', tenantId: 'idle', change: expect.stringMatching(/^(kept|broken)$/) },
      ...{
        at: expect.stringMatching(/^2026-01-/),
        promiseId: expect.any(String),
        accountId: expect.any(String),
      },
      ...{ revision: 1, sentence: expect.stringMatching(/^(Kept|Broken)/) },
    });
    const real = linesOf(await run(['monitor', '--as-of', '2026-01-25', '--tenant', 'idle', '--json']));
    expect(real.at(-1)).toMatchObject({
      dryRun: false,
      recorded: changes.length,
      settled: summary?.['due'],
      failed: 0,
    });
    expect((await run(['verify', '--tenant', 'idle'])).code).toBe(0);
    const again = linesOf(await run(['monitor', '--tenant', 'idle', '--json']));
    expect(again.at(-1)).toMatchObject({ due: 0, overdue: 0, settled: 0, recorded: 0 });
  });

  test('nights that cannot be: wrong, past, future; of all tenants, those are left out', async () => {
    expect(await run(['monitor', '--as-of', '2026-02-30'])).toMatchObject({
      code: 64,
      err: expect.stringContaining('Write a date such as 2026-02-16.'),
    });
    const past = await run(['monitor', '--as-of', '2026-01-20', '--tenant', 'idle']);
    expect(past).toMatchObject({ code: 65, out: '', err: expect.stringMatching(/has passed .* --dry-run/) });
    const future = await run(['monitor', '--as-of', '2026-01-26', '--tenant', 'idle']);
    expect(future).toMatchObject({
      code: 65,
      err: expect.stringContaining('lies in the future of tenant "idle"'),
    });
    const some = await run(['monitor', '--as-of', '2026-02-10']);
    expect(some.code).toBe(0);
    expect(some.out).toMatch(/^riverton /m);
    expect(some.out).not.toMatch(/^idle /m);
    expect(some.err).toMatch(
      /^troth: left out: The night of 2026-02-10 lies in the future of tenant "idle"/m,
    );
    expect((await run(['monitor', '--as-of', '2027-01-01'])).code).toBe(65);
  });

  test('one whose facts cannot be: it is named, exit 1', async () => {
    await tellLedger(place, 'poison', { accounts: 3, seed: 3, until: '2026-01-15', settled: false });
    const sql = "delete from installment where tenant_id = 'poison' and promise_id = 'P2'";
    await tamper(place.ledger, 'installment', sql, {});
    await moveTo(place.ledger, 'poison', '2026-01-16 00:00');
    const { code, out } = await run(['monitor', '--tenant', 'poison']);
    expect(code).toBe(1);
    expect(out).toMatch(/^P2 +Promise P2 has no installments$/m);
  });
});

describe('backtest', () => {
  const span = ['--from', '2026-01-01', '--to', '2026-02-28', '--tenant', 'riverton'];

  test('a matrix, flips by direction and reason, both sentences, and a chart', async () => {
    const file = join(place.folder, 'flips.svg');
    const { code, out, err } = await run([
      'backtest',
      '--policy',
      'preset:oracle-collections',
      ...span,
      '--chart',
      file,
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^\d+ promises of riverton that ended from 1 Jan 2026 to 28 Feb 2026, replayed under preset:oracle-collections$/m,
    );
    expect(out).toMatch(
      /^Recorded +Replayed: kept +Replayed: broken +Replayed: cancelled +Replayed: still open$/m,
    );
    expect(out).toMatch(/^kept +\d+ {2}\$[\d,.]+ +\d+ {2}\$[\d,.]+ /m);
    expect(out).toMatch(/^ +against +\d+ +\$[\d,.]+$/m);
    expect(out).toMatch(/^ +\d+ +\$[\d,.]+ +kept, paid_in_full +broken, installment_missed$/m);
    expect(out).toMatch(/^ {4}recorded {2}Kept: .*\n {4}replayed {2}Broken: /m);
    expect(out).toContain(`The chart is in ${file}`);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(140);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 960 560"/);
    expect(svg).toContain('<title>What promises would have come to under preset:oracle-collections</title>');
    for (const text of ['Promises', 'recorded kept', 'recorded broken', 'recorded cancelled', 'still open']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    const { matrix } = linesOf(
      await run(['backtest', '--policy', 'preset:oracle-collections', ...span, '--json']),
    ).at(-1) as {
      matrix?: Record<string, Record<string, { promises: number }>>;
    };
    const counts = Object.values(matrix ?? {}).flatMap((cells) =>
      Object.values(cells).map(({ promises }) => promises),
    );
    expect(counts).toHaveLength(12);
    // Every number stands above its bar; what is nothing has no bar.
    const bars = svg.match(/<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="[\d.]+" fill="#/g) ?? [];
    expect(bars).toHaveLength(counts.filter((count) => count > 0).length + 4); // and the legend
  });

  test('JSON: each flip, then the summary; under its own policy nothing flips', async () => {
    const lines = linesOf(await run(['backtest', '--policy', 'preset:sap-fica', ...span, '--json']));
    const summary = lines.at(-1) as Line & { inFavor: { promises: number }; against: { promises: number } };
    expect(lines.filter(({ kind }) => kind === 'flip')).toHaveLength(
      summary.inFavor.promises + summary.against.promises,
    );
    expect(summary).toMatchObject({
      kind: 'summary',
      tenantId: 'riverton',
      policy: 'preset:sap-fica',
      failed: 0,
    });
    const limited = linesOf(
      await run(['backtest', '--policy', 'sap-fica@1', ...span, '--limit', '3', '--json']),
    );
    expect(limited.at(-1)).toMatchObject({ promises: 3, policy: 'sap-fica@1' });
    const none = await run([
      'backtest',
      '--policy',
      'default',
      ...span,
      '--from',
      '2025-01-01',
      '--to',
      '2025-01-02',
    ]);
    expect(none).toMatchObject({ code: 0, out: expect.stringMatching(/^0 promises of riverton/) });
  });

  test('what is wrong says what to do', async () => {
    const wrong = (...args: string[]): Promise<Answer> => run(['backtest', ...args]);
    expect(await wrong('--from', '2026-01-01', '--to', '2026-01-02')).toMatchObject({
      code: 64,
      err: expect.stringContaining("required option '--policy <policy>'"),
    });
    expect(await wrong('--policy', 'preset:x', ...span)).toMatchObject({ code: 66 });
    expect(await wrong('--policy', 'default', ...span, '--from', '2026-03-01')).toMatchObject({
      code: 65,
      err: 'troth: --from 2026-03-01 is after --to 2026-02-28; turn them round\n',
    });
    expect(await wrong('--policy', 'default', ...span, '--chart', 'flips.png')).toMatchObject({
      code: 64,
      err: expect.stringContaining('A chart is an SVG; name a file that ends in .svg.'),
    });
    const file = join(place.folder, 'none', 'chart.svg');
    expect(await wrong('--policy', 'default', ...span, '--chart', file)).toMatchObject({
      code: 65,
      err: expect.stringContaining('The chart cannot be written'),
    });
    expect(existsSync(file)).toBe(false);
  });
});

test('each --help has examples and exit codes', async () => {
  for (const command of ['verify', 'monitor', 'backtest']) {
    const { code, out } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/Examples:\n {2}troth/);
    expect(out).toMatch(/Exit codes:\n {2}0 +done\n {2}1 +/);
  }
});
