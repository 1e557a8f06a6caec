/**
 * Goal: whoever writes a scenario sees its story, what does not hold, and what is wrong with the file; scripts get exit
 * codes and JSON.
 * Method: the built command line on files of its own and on test/facts, without a database or a Temporal.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonMistake } from '../../src/scenarios/json';
import { commandLine, type Answer, type RunOptions } from './troth';

const home = mkdtempSync(join(tmpdir(), 'troth-simulate-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const run = commandLine(home, {});
const simulate = (args: readonly string[], options?: RunOptions): Promise<Answer> =>
  run(['simulate', ...args], options);
const FACTS = join(__dirname, '../facts');
const fact = (id: string): string => join(FACTS, `${id}.json`);

function write(name: string, content: unknown): string {
  const path = join(home, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const SCENARIO = {
  id: 'one',
  title: 'Sixty of a hundred',
  source: 'test',
  policy: { preset: 'default', graceDays: 0, limits: { maxInstallments: 3 } },
  promises: [
    {
      id: 'P',
      startDate: '2025-01-02',
      installments: [{ dueDate: '2025-01-15', amountCents: 10000 }] as object[],
    },
  ],
  events: [{ at: '2025-01-15', type: 'payment', amountCents: 6000 }],
};
const HOLDS = { ...SCENARIO, expect: [{ on: '2025-01-17', status: 'broken', pastDueCents: 4000 }] };
const FAILS = { ...SCENARIO, id: 'two', expect: [{ on: '2025-01-17', status: 'kept', pastDueCents: 0 }] };

const STORY = `Sixty of a hundred
policy default with graceDays 0 (not 3), maxInstallments 3 (not none) · America/New_York

Thu  2 Jan 2025  00:00  + Enrolled: $100.00 due 15 Jan; first judged 16 Jan at 12:00.
Wed 15 Jan 2025  00:00  ○ Due: the installment, $100.00; there is no grace.
                 12:00  → $60.00 received → the installment, now $60.00 of $100.00.
Thu 16 Jan 2025  00:00  ! Past due: $40.00 of the installment; the verdict comes 16 Jan at 12:00.
                 12:00  ✘ Broken: $60.00 of $100.00 due 15 Jan 2025 was received by 15 Jan.
`;

test('one file: its story and its expectations', async () => {
  const { code, out, err } = await simulate([write('holds.json', HOLDS)]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(`one\n${STORY}\n✔ 1 of 1 expectation holds\n`);
});

test('what does not hold stands beside what came, and the exit code is 1', async () => {
  const { code, out } = await simulate([write('fails.json', FAILS)]);
  expect(code).toBe(1);
  expect(out).toBe(
    `two\n${STORY}
✘ 0 of 1 expectations hold
  On          Promise  What          Expected   Actual
  2025-01-17  P        status        kept       broken
                       pastDueCents  0 ($0.00)  4000 ($40.00)
`.replace('0 of 1 expectations hold', '0 of 1 expectation holds'),
  );
});

test('a file that expects nothing is played; an answer that is otherwise is told', async () => {
  expect(await simulate([write('plays.json', SCENARIO)])).toMatchObject({ code: 0, out: `one\n${STORY}` });
  const [promise] = SCENARIO.promises;
  const second = { ...promise, id: 'Q', startDate: '2025-01-03' };
  const { code, out } = await simulate([
    write('answers.json', { ...SCENARIO, promises: [promise, second], events: [] }),
  ]);
  expect(code).toBe(1);
  expect(out).toContain('2025-01-03  Q  the enrollment should be accepted; it was refused: ');
});

test('standard input, and lines that fit the terminal', async () => {
  const { code, out } = await simulate(['-'], { input: JSON.stringify(HOLDS), env: { COLUMNS: '70' } });
  expect(code).toBe(0);
  expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(70);
  // A date is never torn.
  expect(out).not.toMatch(/\d\n *(Jan|2025)/);
});

test('many files: one line each, the stories of those that fail, and the sum', async () => {
  const folder = join(home, 'many');
  write('many/one.json', HOLDS);
  write('many/two.json', FAILS);
  write('many/scenario.schema.json', {});
  write('many/notes.txt', 'no scenario');
  const { code, out } = await simulate([folder, write('plays.json', { ...SCENARIO, id: 'three' })]);
  expect(code).toBe(1);
  const lines = out.split('\n');
  expect(lines.slice(0, 3)).toEqual([
    '✔ 1 of 1    one    Sixty of a hundred',
    '✘ 0 of 1    two    Sixty of a hundred',
    '✔ played    three  Sixty of a hundred',
  ]);
  expect(out.match(/Enrolled/g)).toHaveLength(1);
  expect(lines.at(-2)).toBe('3 files, 2 hold (1 of them expects nothing), 1 fail, 0 unreadable');
});

test('--play tells every story in full; into a pipe without a pause', async () => {
  const startedAt = Date.now();
  const { code, out } = await simulate([
    '--play',
    write('holds.json', HOLDS),
    fact('oracle-o16-nsf-after-kept'),
  ]);
  expect(code).toBe(0);
  expect(out.match(/Enrolled/g)).toHaveLength(2);
  expect(out).toMatch(/\n2 files, 2 hold, 0 fail, 0 unreadable\n$/);
  expect(out).not.toContain('\u001b');
  expect(Date.now() - startedAt).toBeLessThan(5_000);
});

test('--json: one object a line, with every verdict', async () => {
  const { code, out } = await simulate([
    '--json',
    write('fails.json', FAILS),
    fact('default-late-evidence-is-heard'),
  ]);
  expect(code).toBe(1);
  const [fails, heard] = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(fails).toMatchObject({
    file: join(home, 'fails.json'),
    id: 'two',
    title: 'Sixty of a hundred',
    holds: false,
    checks: [
      { holds: false, expected: { status: 'kept' }, actual: { status: 'broken', pastDueCents: 4000 } },
    ],
    promises: { P: { status: 'broken', reason: 'installment_missed', revision: 1 } },
  });
  expect((fails?.['timeline'] as object[])[0]).toEqual({
    at: '2025-01-02T05:00:00.000Z',
    date: '2025-01-02',
    time: '00:00',
    promise: 'P',
    kind: 'enrolled',
    sentence: 'Enrolled: $100.00 due 15 Jan; first judged 16 Jan at 12:00.',
  });
  expect(heard).toMatchObject({
    holds: true,
    promises: {
      P: {
        status: 'kept',
        revision: 2,
        verdicts: [{ revision: 1 }, { revision: 2, rules: ['R8', 'R9', 'R10', 'R14'] }],
      },
    },
  });
});

describe('files that cannot be played: exit 65, and the others are played', () => {
  const BROKEN = '{\n  "id": "x",\n  "title": "y",\n}';

  test('bad JSON is named with line and column', async () => {
    const { code, out } = await simulate([write('broken.json', BROKEN)]);
    expect(code).toBe(65);
    expect(out).toBe(
      `✘ ${join(home, 'broken.json')}: It is no JSON: line 4, column 1: there is a comma or a colon too much before this }\n`,
    );
  });

  test('every problem is listed, the policy included', async () => {
    const bad = {
      ...SCENARIO,
      id: 'has spaces',
      policy: { preset: 'default', graceDays: -1, grace: 3 },
      promises: [
        { id: 'P', startDate: '2025-02-30', installments: [{ dueDate: '2025-01-10', amountCents: 1.5 }] },
      ],
      events: [{ at: 'soon', type: 'payment' }],
    };
    const { code, out } = await simulate([write('bad.json', bad)]);
    expect(code).toBe(65);
    for (const problem of [
      'id "has spaces": must be letters',
      'policy.graceDays "-1": must be a whole number',
      'policy.grace: is no option that Troth knows',
      'promises.0.startDate "2025-02-30": is not a date',
      'promises.0.installments.0.amountCents "1.5": must be a whole number of cents',
      'events.0.at "soon": is not a date',
    ]) {
      expect(out.replace(/\n {8}/g, ' ')).toContain(`\n    ${problem}`);
    }
  });

  test('a mistake that nobody would notice is named by its field', async () => {
    const [promise] = SCENARIO.promises;
    const [payment] = SCENARIO.events;
    const withPromise = (fields: object): object => ({ ...SCENARIO, promises: [{ ...promise, ...fields }] });
    const withPayment = (fields: object): object => ({ ...SCENARIO, events: [{ ...payment, ...fields }] });
    const bill = { id: 'INV-1', amountCents: 10000, dueDate: '2025-01-01' };
    const part = { dueDate: '2025-01-15', amountCents: 10000 };
    const most = { ...part, amountCents: Number.MAX_SAFE_INTEGER };
    const monthly = { firstDueDate: '2025-01-01', amountCents: 5000, every: 'month' };
    const mistakes: [story: object, field: string, message: string][] = [
      [{ ...SCENARIO, colour: 'red' }, 'colour', 'is no field that Troth knows here'],
      [withPayment({ amount: 5 }), 'events.0.amount', 'is no field that Troth knows here'],
      [{ ...SCENARIO, title: undefined }, 'title', 'is needed'],
      [
        withPayment({ at: 'soon' }),
        'events.0.at',
        'is not a date or a local time; write YYYY-MM-DD or YYYY-MM-DDTHH:MM',
      ],
      [withPayment({ at: '0025-01-15' }), 'events.0.at', 'lies outside the years 1900 to 2999'],
      [withPayment({ at: '3000-01-01T00:00' }), 'events.0.at', 'lies outside the years 1900 to 2999'],
      [
        withPromise({ startDate: '1899-12-31' }),
        'promises.0.startDate',
        'lies outside the years 1900 to 2999',
      ],
      [
        withPromise({ startDate: '2025-01-16' }),
        'promises.0.installments.0.dueDate',
        "lies before the promise's start date, 2025-01-16",
      ],
      [
        withPromise({ installments: undefined, repeat: monthly }),
        'promises.0.repeat.firstDueDate',
        "lies before the promise's start date, 2025-01-02",
      ],
      [
        withPromise({ installments: [most, { ...part, amountCents: 1 }] }),
        'promises.0.installments',
        'comes to more than 9007199254740991 cents',
      ],
      [
        withPromise({
          installments: undefined,
          repeat: {
            ...monthly,
            firstDueDate: '2025-02-01',
            amountCents: Number.MAX_SAFE_INTEGER,
            count: 2,
          },
        }),
        'promises.0.repeat',
        'comes to more than 9007199254740991 cents',
      ],
      [
        { ...withPromise({ installments: [{ ...part, transaction: 'INV-1' }, part] }), transactions: [bill] },
        'promises.0.installments',
        'name a transaction on every one of them, or on none (R24)',
      ],
      [
        { ...withPromise({ installments: [{ ...part, transaction: 'INV-2' }] }), transactions: [bill] },
        'promises.0.installments.0.transaction',
        'is not the id of a transaction of this scenario',
      ],
      [withPromise({ refusal: 'active' }), 'promises.0.refusal', 'needs "accepted": false beside it'],
      [
        { ...SCENARIO, events: [{ at: '2025-01-03', type: 'cancel', refusal: 'before' }] },
        'events.0.refusal',
        'needs "accepted": false beside it',
      ],
      [{ ...SCENARIO, promises: [promise, promise] }, 'promises.1.id', 'stands twice'],
      [{ ...SCENARIO, transactions: [bill, bill] }, 'transactions.1.id', 'stands twice'],
      [
        {
          ...SCENARIO,
          arrears: [
            { from: '2025-01-01', cents: 1 },
            { from: '2025-01-01', cents: 2 },
          ],
        },
        'arrears.1.from',
        'stands twice',
      ],
      [
        withPayment({ payor: 'agency', tenders: [{ payor: 'self', amountCents: 6000 }] }),
        'events.0.payor',
        'is needed, or tenders, not both',
      ],
      [
        withPayment({ applied: { 'INV-1': 6000, 'INV-2': 1 } }),
        'events.0.applied',
        'must not sum to more than the amount, 6000',
      ],
    ];
    const files = mistakes.map(([story], index) => write(`mistakes/${index}.json`, story));
    const { code, out } = await simulate(['--json', ...files]);
    expect(code).toBe(65);
    const told = out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { problems?: object[] }).problems ?? []);
    for (const [index, [, field, message]] of mistakes.entries()) {
      expect(told[index]).toEqual([expect.objectContaining({ field, message })]);
    }
  });

  test('what cannot be looked at, read to its end or shown stops nothing else', async () => {
    const loop = join(home, 'loop.json');
    symlinkSync(loop, loop);
    const deep = write('deep.json', `{"id": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    const { code, out } = await simulate([loop, deep, write('holds.json', HOLDS)]);
    expect(code).toBe(65);
    expect(out).toContain('loop.json: It cannot be read: ELOOP');
    expect(out).toContain('\n    id "[…]": ');
    expect(out).toMatch(/\n3 files, 1 hold, 0 fail, 2 unreadable\n$/);
  });

  test('a name that stands twice in an object is no accident of JSON to be passed over', async () => {
    const text = JSON.stringify(SCENARIO, null, 2).replace(
      '"amountCents": 6000',
      '"amountCents": 6000,\n      "amount\\u0043ents": 60',
    );
    const { code, out } = await simulate([write('twin.json', text)]);
    expect(code).toBe(65);
    expect(out.replace(/\n +/g, ' ')).toBe(
      `✘ ${join(home, 'twin.json')}: It cannot be played: line 29, column 7: the name "amount\\u0043ents" stands twice in this object\n`,
    );
  });

  test('a promise that no policy could take is a mistake by its field, unless it is to be refused', async () => {
    const promises = [
      { id: 'A', startDate: '2025-02-03', installments: [{ dueDate: '2025-02-02', amountCents: 0 }] },
      {
        id: 'B',
        startDate: '2025-02-03',
        repeat: { firstDueDate: '2025-02-10', amountCents: 100, every: 'half-month' },
      },
      { id: 'C', startDate: '2025-02-03', installments: [{ dueDate: '2025-02-12', amountCents: 100 }] },
    ];
    const events = [{ at: '2025-02-05', type: 'balance-cleared', id: 'credit-1', reason: 'leak' }];
    const expects = [{ on: '2025-02-06', promise: 'C', status: 'kept', reason: 'balance_cleared' }];
    const story = { ...SCENARIO, promises, events, expect: expects };
    const { code, out } = await simulate([write('impossible.json', story)]);
    expect(code).toBe(65);
    for (const problem of [
      'promises.0.installments.0.amountCents "0": must be more than zero',
      'promises.0.installments.0.dueDate "2025-02-02": lies before the promise\'s start date, 2025-02-03',
      'promises.1.repeat.firstDueDate "2025-02-10": does not fit: a half-month schedule starts on the 1st',
    ]) {
      expect(out.replace(/\n {8}/g, ' ')).toContain(`\n    ${problem}`);
    }
    const refused = promises.map((one) => (one.id === 'C' ? one : { ...one, accepted: false }));
    const played = await simulate([write('refused.json', { ...story, promises: refused })]);
    expect(played.code).toBe(0);
    expect(played.out).toContain('an installment of 0 cents must be more than zero');
    expect(played.out).toContain('3 of 3 expectations hold');
  });

  test('65 stands over 1; a missing file and an empty folder say what they are', async () => {
    mkdirSync(join(home, 'empty'), { recursive: true });
    const { code, out } = await simulate([
      write('fails.json', FAILS),
      write('holds.json', HOLDS),
      join(home, 'nowhere.json'),
      join(home, 'empty'),
    ]);
    expect(code).toBe(65);
    expect(out).toContain('nowhere.json: There is no such file');
    expect(out).toContain('empty: This folder holds no .json file');
    expect(out).toMatch(/\n4 files, 1 hold, 1 fail, 2 unreadable\n$/);
  });

  test('--json tells of them, too', async () => {
    const { code, out } = await simulate([
      '--json',
      write('broken.json', BROKEN),
      write('holds.json', HOLDS),
    ]);
    expect(code).toBe(65);
    const [first, second] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(first).toEqual({
      file: join(home, 'broken.json'),
      error: expect.stringContaining('line 4, column 1') as string,
      problems: [],
    });
    expect(second).toMatchObject({ holds: true });
  });

  test.each([
    ['nothing', '', /line 1, column 1: the text ends, a value should come/],
    ['no end', '{"a": [1, 2', /line 1, column 12: the text ends, a comma or \] should come/],
    ['single quotes', "{\n 'a': 1}", /line 2, column 2: names and texts stand in double quotes/],
    ['a comment', '{ // x\n}', /line 1, column 3: there are no comments in JSON/],
    ['no comma', '{"a": 1\n "b": 2}', /line 2, column 2: a comma or } should come here, not "/],
    ['two objects', '{}\n{}', /line 2, column 1: something follows the end/],
    ['a bare word', '{"a": yes}', /line 1, column 7: a value should come here, not yes/],
    ['a bad number', '{"a": 012}', /line 1, column 7: a value should come here, not 012/],
    ['a text without an end', '{"a": "b\n}', /line 1, column 7: this text does not end on its line/],
    [
      'a name twice',
      '{"a": [{"a": 1}, {"a": 2}],\n "b": 3, "a": 4}',
      /line 2, column 10: the name "a" stands twice/,
    ],
    ['a wrong bracket', '{"a": [1}', /line 1, column 9: a comma or \] should come here, not }/],
  ])('JSON with %s', (_, text, message) => {
    const mistake = jsonMistake(text);
    expect(`line ${mistake?.line}, column ${mistake?.column}: ${mistake?.message}`).toMatch(message);
  });

  test('a mistake is found where JSON.parse finds one, and nowhere else', () => {
    const text = '{"a": [1, -2.5e3, true, null], "b\\u0041": {"c": "d \\" e"}, "f": []}';
    const characters = ['', '"', ',', ':', '{', '}', '[', ']', '0', 'e', '\\', '\n', ' ', '\u2028', '\u007f'];
    for (let at = 0; at <= text.length; at += 1) {
      for (const character of characters) {
        for (const rest of [text.slice(at), text.slice(at + 1)]) {
          const mutant = `${text.slice(0, at)}${character}${rest}`;
          expect([mutant, jsonMistake(mutant) === undefined]).toEqual([mutant, isJson(mutant)]);
        }
      }
    }
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('wrong usage: exit 64; --help says how', async () => {
  expect(await simulate([])).toMatchObject({ code: 64, out: '' });
  expect(await simulate(['x.json', '--bogus'])).toMatchObject({ code: 64, out: '' });
  const { code, out } = await simulate(['--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/Examples:\n.*troth simulate/);
  expect(out).toMatch(/Exit codes:\n {2}0/);
});

test('the facts of the trade hold', async () => {
  const files = readdirSync(FACTS).filter((name) => name.endsWith('.json') && !name.includes('.schema.'));
  const { code, out } = await simulate([FACTS]);
  expect(out).toMatch(new RegExp(`\n${files.length} files, ${files.length} hold, 0 fail, 0 unreadable\n$`));
  expect(code).toBe(0);
});

test('the example of docs/simulate.md is what the command prints', async () => {
  const page = readFileSync(join(__dirname, '../../docs/simulate.md'), 'utf8');
  const scenario = /```json\n(\{\n {2}"id"[^]*?)```/.exec(page)?.[1] ?? '';
  const printed = /```text\n([^]*?)```/.exec(page)?.[1] ?? '';
  const { code, out } = await simulate(['-'], { input: scenario, env: { COLUMNS: '100' } });
  expect(out).toBe(printed);
  expect(code).toBe(0);
});
