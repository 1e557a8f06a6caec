/**
 * Goal: the interpreter tells the facts of the sources as they are written down.
 * Method: every file of test/facts is played; what it expects stands beside what the interpreter says.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, interpret, type Played } from './interpret';
import { type ScenarioExpectation, type ScenarioFile } from './scenario';

const FACTS = join(__dirname, '..', 'facts');
const files = readdirSync(FACTS).filter((name) => name.endsWith('.json') && !name.includes('.schema.'));

const read = (name: string): ScenarioFile =>
  JSON.parse(readFileSync(join(FACTS, name), 'utf8')) as ScenarioFile;

/** What the interpreter says about just the things that an expectation names. */
function said(answer: Answer | null, wanted: ScenarioExpectation): ScenarioExpectation {
  const { on, promise, installments, ...asked } = wanted;
  const actual = answer as unknown as Record<string, unknown> | null;
  return {
    on,
    ...(promise === undefined ? {} : { promise }),
    ...Object.fromEntries(Object.keys(asked).map((key) => [key, actual?.[key]])),
    ...(installments === undefined
      ? {}
      : { installments: installments.map((line) => saidOfLine(answer, line)) }),
  };
}

function saidOfLine(
  answer: Answer | null,
  wanted: { seq: number },
): { seq: number; status?: string; countedCents?: number } {
  const line = answer?.installments.find(({ seq }) => seq === wanted.seq) as unknown;
  const actual = (line ?? {}) as Record<string, unknown>;
  return { seq: wanted.seq, ...Object.fromEntries(Object.keys(wanted).map((key) => [key, actual[key]])) };
}

/** Refusals that the file does not expect, or expects and does not get. */
function wrongAnswers(file: ScenarioFile, played: Played): string[] {
  const promises = file.promises.flatMap(({ id, accepted, refusal }) => {
    const why = played.refusals.get(id) ?? null;
    const right = (accepted ?? true) === (why === null);
    const worded = (why ?? '').toLowerCase().includes((refusal ?? '').toLowerCase());
    return right && worded ? [] : [`${id}: ${why ?? 'accepted'}`];
  });
  const events = (file.events ?? []).flatMap((event, index) => {
    if (event.type !== 'cancel' && event.type !== 'amend') return [];
    const right = played.accepted.get(index) === (event.accepted ?? true);
    return right ? [] : [`${event.type} at ${event.at}: ${String(played.accepted.get(index))}`];
  });
  return [...promises, ...events];
}

test.each(files)('%s', (name) => {
  const file = read(name);
  const played = interpret(file);
  expect(wrongAnswers(file, played)).toEqual([]);
  const only = file.promises[0]?.id ?? '';
  for (const wanted of file.expect) {
    expect(said(played.answer(wanted.on, wanted.promise ?? only), wanted)).toEqual(wanted);
  }
});

test('there are facts to tell', () => {
  expect(files.length).toBeGreaterThan(50);
});
