/**
 * Goal: docs/rules names everything that the rules know, and its examples are true.
 * Method: the pages are read. Names of options, limits, reasons and rules are looked for; every scenario in them is
 * played; the verdict and the sentences that they quote must be those that the scenarios bring; defaults and links are
 * compared with what is there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LIMIT_NAMES, OPTION_NAMES } from '../../src/enrollment/policy-options';
import { epochMs, localDateAt } from '../../src/rules/calendar';
import { explain, type Verdict } from '../../src/rules/explain';
import { BROKEN_REASONS, CANCEL_REASONS, KEPT_REASONS } from '../../src/rules/facts';
import { DEFAULT_POLICY_OPTIONS } from '../../src/rules/presets';
import type { Scenario } from '../../src/rules/scenario/scenario';
import { check } from '../../src/rules/scenario/check';
import { momentMs, postedMsOf } from '../../src/rules/scenario/moments';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';

const FOLDER = join(__dirname, '..', '..', 'docs', 'rules');
const pages = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: readFileSync(join(FOLDER, file), 'utf8') }));
const everything = pages.map(({ text }) => text).join('\n');

/** The fenced blocks of one kind, as data. */
function blocks(text: string, kind: string): unknown[] {
  const fence = new RegExp('```json ' + kind + '\\n([\\s\\S]*?)```', 'g');
  return [...text.matchAll(fence)].map(([, json = '']) => JSON.parse(json) as unknown);
}

const examples = pages.flatMap(({ file, text }) =>
  blocks(text, 'scenario').map((input) => ({ file, id: (input as { id: string }).id, input })),
);

const DAY_MS = 86_400_000;

/** Every verdict of a scenario, up to a day after the last thing that it tells. */
function verdictsOf(scenario: Scenario): Verdict[] {
  const { timeZone } = scenario.tenant;
  const moments = [
    ...scenario.events.map((event) => postedMsOf(event, timeZone)),
    ...scenario.expect.map(({ on }) => momentMs(on, timeZone)),
  ];
  const atMs = epochMs(Math.max(...moments) + DAY_MS);
  const world = new World(scenario);
  world.advance(atMs);
  return world.promiseIds.flatMap((promiseId) => {
    const look = world.look(promiseId, atMs, localDateAt(atMs, timeZone));
    return look === undefined
      ? []
      : look.life.outcomes.map((outcome) => explain(look.facts, outcome, 'troth'));
  });
}

const reasons = new Set<string>([...KEPT_REASONS, ...BROKEN_REASONS, ...CANCEL_REASONS, 'not_approved']);
const rules = Array.from({ length: 29 }, (_, index) => `R${index + 1}`);

test.each([...OPTION_NAMES, ...LIMIT_NAMES, ...reasons])('%s is on some page', (name) => {
  expect(everything).toContain(`\`${name}\``);
});

test.each(rules)('%s is the subject of some page', (rule) => {
  const isSubject = new RegExp(`\\*\\*${rule}(?: [^*]+)?\\*\\*`);
  expect(pages.filter(({ text }) => isSubject.test(text)).map(({ file }) => file)).not.toEqual([]);
});

test('there are examples, each with a name of its own', () => {
  expect(examples.length).toBeGreaterThanOrEqual(27);
  expect(new Set(examples.map(({ id }) => id)).size).toBe(examples.length);
});

test.each(examples)('$file: $id', ({ file, input }) => {
  const scenario = parseScenario(input, file);
  expect(scenario.source).toBe(`docs/rules/${file}`);
  expect(scenario.expect.length).toBeGreaterThan(0);
  expect(check(scenario).filter(({ holds }) => !holds)).toEqual([]);
});

test('the verdict shown is that of the scenario beside it', () => {
  const { text = '' } = pages.find(({ file }) => file === 'verdicts.md') ?? {};
  const [shown] = blocks(text, 'verdict');
  const [input] = blocks(text, 'scenario');
  const [verdict] = verdictsOf(parseScenario(input));
  // The data of time zones and the version of the rules are those of the day on which the page was written.
  const { calendarVersion, codeVersion } = shown as Verdict;
  expect(shown).toEqual({ ...verdict, calendarVersion, codeVersion });
});

test('every sentence that is quoted is one that a scenario of the pages brings', () => {
  const brought = new Set(
    examples.flatMap(({ input }) => verdictsOf(parseScenario(input)).map(({ sentence }) => sentence)),
  );
  const quoted = [
    ...everything.matchAll(/^(?:>|\| `\w+` +\|) ((?:Kept|Broken|Cancelled)\b.*?\.)(?: +\|)?$/gm),
  ];
  const sentences = quoted.map(([, sentence = '']) => sentence);
  expect(sentences.length).toBeGreaterThanOrEqual(15);
  expect(sentences.filter((sentence) => !brought.has(sentence))).toEqual([]);
});

test('defaults are those of the code', () => {
  const rows = [...everything.matchAll(/^\| `(\w+)` +\| [^|]+ \| (.+?) +\|$/gm)].flatMap(
    ([, name = '', value = '']) => {
      const option = OPTION_NAMES.find((known) => known === name);
      return option === undefined ? [] : [[option, value.replaceAll('`', '')] as const];
    },
  );
  expect(new Set(rows.map(([option]) => option)).size).toBe(OPTION_NAMES.length);
  const real = rows.map(([option]) => [option, shown(DEFAULT_POLICY_OPTIONS[option])]);
  expect(rows).toEqual(real);
});

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  const text = JSON.stringify(value);
  return text === 'null' || text === '{}' ? 'none' : text;
}

test.each(pages)('the links of $file lead somewhere', ({ file, text }) => {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const dead = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(FOLDER, file) : join(FOLDER, dirname(file), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
  });
  expect(dead).toEqual([]);
});

/** Headings as GitHub names them. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
