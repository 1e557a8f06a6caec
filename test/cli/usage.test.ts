/**
 * Goal: whoever types something wrong, or at the wrong time, gets one line that says what to do, and an exit code that
 * means something.
 * Method: the built command line with wrong words, without a database, and with one that cannot be reached.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from './troth';

const home = mkdtempSync(join(tmpdir(), 'troth-usage-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const troth = commandLine(home, {});

test.each([
  ['unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
  ['unknown option', ['promise', 'list', '--bogus'], /unknown option '--bogus'/],
  ['missing argument', ['enroll'], /missing required argument 'file'/],
  ['missing reason', ['cancel', 'E-1'], /required option '--reason/],
  ['wrong reason', ['cancel', 'E-1', '--reason', 'because'], /must be one of customer_request/],
  ['wrong status', ['promise', 'list', '--status', 'lost'], /must be one of pending, active/],
  ['wrong limit', ['promise', 'list', '--limit', '0'], /whole number from 1/],
  ['wrong length', ['clock', '--advance', '3 days'], /such as 90m, 12h, 10d or 2w/],
  ['two targets', ['clock', '--advance', '3d', '--to', '2026-01-01'], /cannot be used with/],
  ['missing zone', ['tenant', 'create', 'x'], /required option '--zone/],
])('%s: exit 64 and one sentence', async (_, args, message) => {
  const { code, out, err } = await troth(args);
  expect({ code, out }).toEqual({ code: 64, out: '' });
  expect(err).toMatch(/^troth: /);
  expect(err).toMatch(message);
  expect(err).not.toMatch(/^\s+at /m);
});

const DATA = [
  ['accounts', 'f.csv'],
  ['enroll', 'f.csv'],
  ['payments', 'f.csv'],
  ['cancellations', 'f.csv'],
  ['promise', 'list'],
  ['promise', 'show', 'E-1'],
  ['transactions', 'f.csv'],
  ['cancel', 'E-1', '--reason', 'staff_error'],
  ['amend', 'E-1', '--change', '1', '--due', '2026-02-01'],
  ['approve', 'E-1'],
  ['reject', 'E-1', '--note', 'x'],
  ['balance-cleared', 'A-1', '--debt-class', 'water'],
  ['account-event', 'A-1', '--event', 'account-closed'],
  ['mass-promise', '--customers', 'C-1', '--due', '2026-02-01'],
  ['preview', '--account', 'A-1', '--debt-class', 'water'],
  ['clock'],
  ['tenant', 'list'],
  ['migrate'],
];

test.each(DATA)('%s %s: where nothing runs, exit 69 and how to start', async (...args) => {
  const { code, err } = await troth(args);
  expect(err).toBe('troth: Troth is not running here; start it with npm start, or set DATABASE_URL\n');
  expect(code).toBe(69);
});

test('a database that cannot be reached: exit 69, without its password', async () => {
  const DATABASE_URL = 'postgres://someone:Hush-Hush@127.0.0.1:9/none';
  for (const args of [['promise', 'list'], ['migrate']]) {
    const { code, err } = await troth(args, { env: { DATABASE_URL } });
    expect(code).toBe(69);
    expect(err).toMatch(/^troth: .*(ECONNREFUSED|cannot be reached)/);
    expect(err).not.toContain('Hush-Hush');
  }
});

test('a wrong environment is named without its value', async () => {
  const { code, err } = await troth(['tenant', 'list'], { env: { DATABASE_URL: 'mysql://secret' } });
  expect(code).toBe(78);
  expect(err).toContain('DATABASE_URL');
  expect(err).not.toContain('secret');
});

test('no colours into a pipe, whatever the environment says of colours', async () => {
  const { out } = await troth(['doctor'], { env: { CI: 'true', FORCE_COLOR: '1' } });
  expect(out).toMatch(/^ok {4}Node/m);
  expect(out).not.toContain('\u001b');
});

test('each --help has an example and the exit codes', async () => {
  const commands = [
    ...DATA.map(([name = '', sub = '']) => (name === 'promise' || name === 'tenant' ? [name, sub] : [name])),
    ['tenant', 'create'],
  ];
  const helps = await Promise.all(commands.map((words) => troth([...words, '--help'])));
  for (const [index, { code, out }] of helps.entries()) {
    const name = (commands[index] ?? []).join(' ');
    expect([name, code]).toEqual([name, 0]);
    expect(out).toMatch(/Examples?:\n.*troth/);
    expect(out).toMatch(/Exit codes:\n {2}0/);
  }
});

test('--help lists every command', async () => {
  const { code, out } = await troth(['--help']);
  expect(code).toBe(0);
  for (const command of [
    'up',
    'down',
    'doctor',
    'migrate',
    'worker',
    'demo',
    'tenant',
    'rebuild',
    ...DATA.map(([name]) => name),
  ]) {
    expect(out).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
  }
});
