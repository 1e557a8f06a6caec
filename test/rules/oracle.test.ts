/**
 * Goal: the engine's answer is the rule book's, also where nobody thought of a table.
 * Method: seeded stories that aim at the boundaries, each asked at its happenings, beside its judge times and at its
 * end; status, reason, decision time, counted cents, revision and every outcome must equal those of the independent
 * oracle. TROTH_STORIES and TROTH_FIRST_SEED widen the search.
 */
import { epochMs, evaluate, type Evaluation, type PromiseFacts } from '../../src/rules';
import { judge, randomStory, type OracleAnswer, type OracleStory } from '../oracle/oracle';
import { factsOf } from './build';

const STORIES = Number(process.env['TROTH_STORIES'] ?? 5000);
const FIRST_SEED = Number(process.env['TROTH_FIRST_SEED'] ?? 1);
const TIMES_PER_STORY = 8;
const DAY_MS = 86_400_000;

function answerOf(evaluation: Evaluation): OracleAnswer {
  const { status, reason, revision, lines, outcomes } = evaluation;
  return {
    status: status as OracleAnswer['status'],
    reason,
    decidedAtMs: status === 'active' ? null : (outcomes.at(-1)?.atMs ?? null),
    countedCents: lines.reduce((total, line) => total + line.countedCents, 0),
    revision,
    outcomes: outcomes.map((o) => ({
      revision: o.revision,
      status: o.status,
      reason: o.reason,
      atMs: o.atMs,
    })),
  };
}

/** The instants worth asking at: every happening and judge time, the millisecond beside it, and long after the end. */
function timesOf(story: OracleStory, facts: PromiseFacts): number[] {
  const instants = [
    ...facts.lines.flatMap((line) => [line.deadlineMs, line.judgeAtMs - 1, line.judgeAtMs]),
    ...story.payments.flatMap((p) => [
      p.postedAtMs,
      ...(p.reversal === undefined ? [] : [p.reversal.postedAtMs, p.reversal.postedAtMs + 2 * DAY_MS]),
    ]),
  ].sort((a, b) => a - b);
  const end = (instants.at(-1) ?? 0) + 60 * DAY_MS;
  const step = Math.max(1, Math.ceil(instants.length / TIMES_PER_STORY));
  return [...instants.filter((_, index) => index % step === 0), end];
}

test(`the engine equals the oracle for ${STORIES} stories`, () => {
  let asked = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + STORIES; seed += 1) {
    const story = randomStory(seed);
    const facts = factsOf(story);
    for (const time of timesOf(story, facts)) {
      asked += 1;
      const [engine, oracle] = [answerOf(evaluate(facts, epochMs(time))), judge(story, time)];
      // Compared as text, since toEqual would take most of the minute.
      if (JSON.stringify(engine) === JSON.stringify(oracle)) continue;
      const told = { seed, time: new Date(time).toISOString() };
      expect({ ...told, ...engine }).toEqual({ ...told, ...oracle });
    }
  }
  expect(asked).toBeGreaterThan(4 * STORIES);
});
