/**
 * Goal: docs/policies.md says what the code does.
 * Method: its tables are read and compared with the presets, the options, their words and their bounds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMIT_NAMES, OPTION_NAMES, policyFrom } from '../../src/enrollment/policy-options';
import { POLICY_WORDS, type OptionName } from '../../src/enrollment/policy-words';
import { DEFAULT_POLICY_OPTIONS, PRESET_NAMES, PRESETS } from '../../src/rules/presets';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'policies.md'), 'utf8');

/** The table below a heading, cells without code marks. */
function tableOf(heading: string): { readonly head: string[]; readonly rows: string[][] } {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [head = '', , ...rows] = lines;
  return { head: cells(head), rows: rows.map(cells) };
}

const plain = (cell: string): string => cell.replaceAll('`', '');
/** A value as the tables write it: no pay methods and null are none. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value);
  return text === 'null' || text === '{}' ? 'none' : text;
}

test('the presets table is that of the code, and what it leaves out is everywhere as in default', () => {
  const { head, rows } = tableOf('Presets');
  expect(head.map(plain)).toEqual(['option', ...PRESET_NAMES]);
  for (const [option = '', ...values] of rows) {
    const name = plain(option) as (typeof OPTION_NAMES)[number];
    const real = PRESET_NAMES.map((preset) => shown(PRESETS[preset][name]));
    expect([name, ...values]).toEqual([name, ...real]);
  }
  const listed = rows.map(([option = '']) => plain(option));
  for (const name of [...OPTION_NAMES, 'limits' as const].filter((option) => !listed.includes(option))) {
    for (const preset of PRESET_NAMES) expect(PRESETS[preset][name]).toEqual(DEFAULT_POLICY_OPTIONS[name]);
  }
});

test('every option is there with its default and its rule', () => {
  const { rows } = tableOf('Options');
  expect(rows.map(([option = '']) => plain(option))).toEqual(OPTION_NAMES);
  for (const [option = '', , value = '', rule] of rows) {
    const name = plain(option) as (typeof OPTION_NAMES)[number];
    expect([name, plain(value), rule]).toEqual([
      name,
      shown(DEFAULT_POLICY_OPTIONS[name]),
      POLICY_WORDS[name].rule,
    ]);
  }
});

test('every limit is there, under the rule of limits', () => {
  const { rows } = tableOf('Limits');
  expect(rows.map(([limit = '']) => plain(limit))).toEqual(LIMIT_NAMES);
  for (const name of LIMIT_NAMES)
    expect(POLICY_WORDS[`limits.${name}` satisfies OptionName].rule).toBe('R25');
});

/** Limits that others need beside them. */
const PARTNERS = { downPaymentCents: 100, approvalAboveCents: 100, maxBroken: 1, maxBrokenWithinDays: 1 };
const documented = [
  ...tableOf('Options').rows.map(([name = '', values = '']) => ({
    name: plain(name),
    values,
    isLimit: false,
  })),
  ...tableOf('Limits').rows.map(([name = '', values = '']) => ({ name: plain(name), values, isLimit: true })),
];

test.each(documented)('the values of $name are those that are taken', ({ name, values, isLimit }) => {
  const taken = (value: unknown): boolean => {
    const input = isLimit
      ? { limits: { ...PARTNERS, [name]: value } }
      : { [name]: name === 'graceDaysByPayMethod' ? { autopay: value } : value };
    return !Array.isArray(policyFrom({ preset: 'default', ...input }));
  };
  const range = /^(\d+) (?:to (\d+)|and more)/.exec(values);
  if (range !== null) {
    const [, least = '', most] = range;
    expect([taken(Number(least)), taken(Number(least) - 1)]).toEqual([true, false]);
    if (most !== undefined) expect([taken(Number(most)), taken(Number(most) + 1)]).toEqual([true, false]);
    if (values.includes('six decimals')) expect([taken(1.123456), taken(1.1234567)]).toEqual([true, false]);
    if (!isLimit) expect(taken(null)).toBe(values.includes('none'));
    return;
  }
  const words = values.split(', ').map(plain);
  expect(words.length).toBeGreaterThan(1);
  for (const word of words)
    expect([word, taken(word === 'true' || word === 'false' ? word === 'true' : word)]).toEqual([word, true]);
  expect(taken('nonsense')).toBe(false);
});

test('the example file is a policy', () => {
  const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(policyFrom(JSON.parse(example) as Record<string, unknown>)).toMatchObject({
    graceDays: 5,
    payor: 'promise-payor-whole',
  });
});
