/**
 * Goal: a batch that runs once every night comes to what the engine decides at each judge time (R16); run on some nights
 * only, it has S3's accident: a skipped night forgives a late payer.
 * Method: random stories that aim at the boundaries (test/interpreter/arbitrary.ts), of which the batch and `evaluate` are
 * told the same facts; they are compared after every night. TROTH_STORIES and TROTH_SEED widen the search. The accident by
 * hand, from the sources' own cases.
 */
import * as fc from 'fast-check';
import {
  addDays,
  epochMs,
  localDate,
  localDateAt,
  startOfDayMs,
  type EpochMs,
} from '../../src/rules/calendar';
import { evaluate, type Evaluation } from '../../src/rules/decide';
import type { PromiseFacts } from '../../src/rules/facts';
import { firstNight, monitorNight, type NightState } from '../../src/rules/monitor/monitor';
import { PRESET_NAMES, PRESETS } from '../../src/rules/presets';
import { postedMsOf } from '../../src/rules/scenario/moments';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';
import { scenario } from '../interpreter/arbitrary';
import type { Scenario as Story } from '../interpreter/scenario';
import { at, bounce, payment, promise } from './build';

const STORIES = Number(process.env['TROTH_STORIES'] ?? 400);
const SEED = Number(process.env['TROTH_SEED']); // test/support/seed.ts
const NIGHTS_AFTER = 40;
const MOST_NIGHTS = 400;

/** The facts of every promise of a story that was accepted, as they are in the end. */
function factsIn(story: Story): PromiseFacts[] {
  const told = parseScenario(story);
  const world = new World(told);
  const { timeZone } = world;
  const begun = told.promises.map(({ startDate }) => startOfDayMs(startDate, timeZone));
  const last = Math.max(...begun, ...told.events.map((event) => postedMsOf(event, timeZone)));
  const lines = told.promises.flatMap(({ parts }) =>
    parts.map(({ dueDate }) => startOfDayMs(dueDate, timeZone)),
  );
  const endMs = epochMs(Math.max(last, ...lines) + NIGHTS_AFTER * 86_400_000);
  world.advance(endMs);
  const today = localDateAt(endMs, timeZone);
  return world.promiseIds.flatMap((id) => world.look(id, endMs, today)?.facts ?? []);
}

/** 00:00 local of each day from the day after the start until nothing more can happen. */
function nightsOf(facts: PromiseFacts): EpochMs[] {
  const { timeZone, startDate } = facts;
  const instants = [
    ...[...facts.lines, ...facts.bills, ...facts.amendments.flatMap(({ lines }) => lines)].map(
      (line) => line.judgeAtMs,
    ),
    ...facts.payments.flatMap(({ postedAtMs, reversal }) => [postedAtMs, reversal?.postedAtMs ?? postedAtMs]),
    ...facts.clearings,
    facts.cancellation?.atMs ?? 0,
  ];
  const last = addDays(localDateAt(epochMs(Math.max(...instants)), timeZone), NIGHTS_AFTER);
  const nights: EpochMs[] = [];
  for (let day = addDays(startDate, 1); day <= last && nights.length < MOST_NIGHTS; day = addDays(day, 1)) {
    nights.push(startOfDayMs(day, timeZone));
  }
  return nights;
}

/** What both say of a promise, in the same words. */
function saidByBatch(
  { status, reason, revision, counted, lines, ...gates }: NightState,
  shown: number,
): object {
  const { awaitsApproval, awaitsDownPayment } = gates;
  const isOpen = status === 'active' || status === 'pending';
  return {
    ...{ status, reason: isOpen ? null : reason, revision },
    ...(isOpen ? { awaitsApproval, awaitsDownPayment } : {}),
    lines: lines.slice(0, shown).map(({ line }, index) => [line.seq, line.judgeAtMs, counted[index]]),
  };
}

function saidByEngine({
  status,
  reason,
  revision,
  lines,
  awaitsApproval,
  awaitsDownPayment,
}: Evaluation): object {
  const isOpen = status === 'active' || status === 'pending';
  return {
    ...{ status, reason, revision },
    ...(isOpen ? { awaitsApproval, awaitsDownPayment } : {}),
    lines: lines.map(({ line, countedCents }) => [line.seq, line.judgeAtMs, countedCents]),
  };
}

/** R16: a kept that was undone by a reversal before the next night is not covered. */
function undoneBeforeNight(
  facts: PromiseFacts,
  { outcomes }: Evaluation,
  nights: readonly EpochMs[],
): EpochMs | null {
  const undone = outcomes.flatMap(({ status, atMs }) => {
    const night = nights.find((ms) => ms >= atMs);
    const isUndone = facts.payments.some(
      ({ reversal }) =>
        reversal !== null &&
        reversal.postedAtMs >= atMs &&
        (night === undefined || reversal.postedAtMs <= night),
    );
    return status === 'kept' && isUndone ? [night ?? (Infinity as EpochMs)] : [];
  });
  return undone[0] ?? null;
}

interface Compared {
  readonly nights: number;
  readonly difference?: object;
}

function compared(facts: PromiseFacts): Compared {
  const nights = nightsOf(facts);
  const lastMs = nights.at(-1);
  if (lastMs === undefined) return { nights: 0 };
  const stopMs = undoneBeforeNight(facts, evaluate(facts, lastMs), nights) ?? Infinity;
  let state = firstNight(facts);
  let previousMs: EpochMs | null = null;
  let seen = 0;
  for (const nightMs of nights) {
    if (nightMs >= stopMs) break;
    state = monitorNight(facts, state, nightMs, previousMs);
    previousMs = nightMs;
    seen += 1;
    const engine = evaluate(facts, nightMs);
    const [ours, theirs] = [saidByBatch(state, engine.lines.length), saidByEngine(engine)];
    if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
    const night = new Date(nightMs).toISOString();
    return { nights: seen, difference: { promiseId: facts.promiseId, night, batch: ours, engine: theirs } };
  }
  return { nights: seen };
}

function search(stories: fc.Arbitrary<Story>, numRuns: number): void {
  let nights = 0;
  const differs = (story: Story): object | undefined => {
    for (const facts of factsIn(story)) {
      const found = compared(facts);
      nights += found.nights;
      if (found.difference !== undefined) return found.difference;
    }
    return undefined;
  };
  const checked = fc.check(
    fc.property(stories, (story) => differs(story) === undefined),
    { numRuns, seed: SEED },
  );
  if (checked.failed) {
    const [story] = checked.counterexample as [Story];
    const where = {
      seed: SEED,
      path: checked.counterexamplePath,
      story,
      error: String(checked.errorInstance),
    };
    expect({ ...where, ...differs(story) }).toBe('told alike');
  }
  expect(nights).toBeGreaterThan(numRuns * 20);
}

describe('R16: every night, the batch stands where the engine stands', () => {
  test.each(PRESET_NAMES)('%s', (preset) => {
    const plain = scenario.map((story): Story => ({ ...story, policy: { preset, ...limitsOf(story) } }));
    search(plain, STORIES);
  });

  test('any options', () => search(scenario, STORIES));
});

function limitsOf({ policy: { limits } }: Story): Partial<Story['policy']> {
  return limits === undefined ? {} : { limits };
}

/** The batch of S3, run on some nights only. @returns its status after each. */
function runOn(facts: PromiseFacts, nights: readonly string[]): string[] {
  let state = firstNight(facts);
  return nights.map((date) => {
    const night = localDate(date);
    const [nightMs, previousMs] = [night, addDays(night, -1)].map((day) => startOfDayMs(day, facts.timeZone));
    state = monitorNight(facts, state, nightMs as EpochMs, previousMs as EpochMs);
    return state.status;
  });
}

describe('a skipped night', () => {
  const oracle = (payments: PromiseFacts['payments']): PromiseFacts =>
    promise({ start: '2025-01-02', parts: [['2025-01-15', 10000]], policy: PRESETS['oracle-ccb'], payments });

  test('O12: run on the night after the days of grace it breaks, and late money does not revive it', () => {
    const facts = oracle([payment('late', '2025-01-19', 10000)]);
    expect(runOn(facts, ['2025-01-18', '2025-01-19', '2025-01-20'])).toEqual(['active', 'broken', 'broken']);
    expect(evaluate(facts, at('2025-02-01')).status).toBe('broken');
  });

  test('O14: not run on that night, it finds the money the night after, and not that it was late', () => {
    const facts = oracle([payment('late', '2025-01-19', 10000)]);
    expect(runOn(facts, ['2025-01-18', '2025-01-20'])).toEqual(['active', 'kept']);
    // Nothing else is forgiven: without money it breaks on whatever night comes next.
    expect(runOn(oracle([]), ['2025-01-18', '2025-01-20'])).toEqual(['active', 'broken']);
    expect(runOn(oracle([payment('half', '2025-01-19', 5000)]), ['2025-01-25'])).toEqual(['broken']);
  });

  test('what was judged within the last night knows only what was posted by its judge time (R5)', () => {
    // In time through the 18th; judged at noon of the 19th.
    const parts = [['2025-01-15', 10000]] as const;
    const story = (postedAtMs: EpochMs): PromiseFacts =>
      promise({
        ...{ start: '2025-01-02', parts, policy: { lateEvidence: 'stay' } },
        payments: [payment('a', '2025-01-18', 10000, { postedAtMs })],
      });
    const [byNoon, after] = [story(epochMs(at('2025-01-19 12:00') - 1)), story(at('2025-01-19 12:00'))];
    expect(runOn(byNoon, ['2025-01-19', '2025-01-20'])).toEqual(['active', 'kept']);
    expect(runOn(after, ['2025-01-19', '2025-01-20'])).toEqual(['active', 'broken']);
    expect(runOn(after, ['2025-01-19', '2025-01-21'])).toEqual(['active', 'kept']);
  });

  test('one of two missed lines is forgiven by the money of another night, the other is not', () => {
    const parts = [
      ['2025-01-10', 10000],
      ['2025-01-20', 10000],
    ] as const;
    const facts = promise({
      ...{ start: '2025-01-02', parts, policy: PRESETS['sap-fica'] },
      payments: [payment('late', '2025-01-14', 10000)],
    });
    // The first night after the skipped ones forgives the first line; the second line breaks on its own night.
    expect(runOn(facts, ['2025-01-16', '2025-01-22', '2025-01-23'])).toEqual(['active', 'active', 'broken']);
  });
});

test('R16: a kept that was undone before the next night was never there', () => {
  const payments = [payment('a', '2025-01-06', 10000, { reversal: bounce('2025-01-06 18:00') })];
  const facts = promise({
    ...{ start: '2025-01-02', parts: [['2025-01-15', 10000]], payments },
    policy: PRESETS['oracle-collections'], // kept at once, and for good
  });
  expect(evaluate(facts, at('2025-01-07')).status).toBe('kept');
  expect(runOn(facts, ['2025-01-07', '2025-01-16'])).toEqual(['active', 'broken']);
});

test('R16: payments cause nothing by themselves; the night after sees them', () => {
  const facts = promise({
    ...{ start: '2025-01-02', parts: [['2025-01-15', 10000]] },
    payments: [payment('a', '2025-01-06 10:00', 10000)],
  });
  expect(runOn(facts, ['2025-01-06', '2025-01-07'])).toEqual(['active', 'kept']);
});
