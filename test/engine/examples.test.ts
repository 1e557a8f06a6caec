/**
 * Goal: the example files end on the real engine exactly as examples/expected.csv derives by hand from the rules.
 * Method: the story of `npm start` (real PostgreSQL, real Temporal, a worker in a process of its own, the sandbox
 * clock), then every promise against its row: outcome, reason, minute of the decision, money counted, revision; then
 * the collections cases: each outcome exactly once and in order.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { loadDemoOnce } from '../../src/cli/demo';
import { rows } from '../../src/ledger/connection';
import { loadFacts } from '../../src/ledger/promises/facts';
import { findPromise, listPromises, type PromiseDetail } from '../../src/ledger/promises/promise-views';
import { loadConfig } from '../../src/platform/config';
import { projectRoot } from '../../src/platform/root';
import { epochMs, formatLocalTime } from '../../src/rules/calendar';
import { evaluate } from '../../src/rules/decide';
import { explain } from '../../src/rules/explain';
import { createEngine, startWorker, type Engine, type WorkerProcess } from '../support/engine';

const ZONE = 'America/New_York';

interface Expected {
  readonly enrollment_id: string;
  readonly outcome: string;
  readonly reason: string;
  readonly decided_at: string;
  readonly counted: string;
  readonly revision: string;
}

const expected = parse<Expected>(readFileSync(join(projectRoot(), 'examples', 'expected.csv')), {
  columns: true,
});

let engine: Engine;
let worker: WorkerProcess;
const promises = new Map<string, PromiseDetail>();

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  await loadDemoOnce({ databaseUrl: engine.databaseUrl, config: loadConfig(), say: () => undefined });
  await engine.ledger.forTenant('demo', async (tx) => {
    for (const { promiseId } of await listPromises(tx, 'demo', { limit: 1000 })) {
      const promise = await findPromise(tx, 'demo', promiseId);
      if (promise !== undefined) promises.set(promiseId, promise);
    }
  });
}, 300_000);

afterAll(async () => {
  await worker?.stop();
  await engine?.close();
}, 60_000);

test('every promise of the file is there, and no other', () => {
  expect([...promises.keys()].sort()).toEqual(expected.map((one) => one.enrollment_id).sort());
  expect(promises.size).toBe(200);
});

test.each(expected)('$enrollment_id ends as derived by hand: $outcome', (want) => {
  const promise = promises.get(want.enrollment_id);
  const verdict = promise?.verdicts.at(-1);
  expect({
    outcome: promise?.status,
    reason: promise?.reason,
    decided_at: promise?.endedAt == null ? '' : formatLocalTime(epochMs(promise.endedAt.getTime()), ZONE),
    counted: ((promise?.countedCents ?? 0) / 100).toFixed(2),
    revision: String(promise?.revision),
  }).toEqual({
    outcome: want.outcome,
    reason: want.reason,
    decided_at: want.decided_at,
    counted: want.counted,
    revision: want.revision,
  });
  expect(verdict?.sentence).toMatch(/^(Kept|Broken|Cancelled)\b.*\.$/);
});

test('each outcome is in its case exactly once, in order of revision', async () => {
  const received = await engine.ledger.forTenant('demo', (tx) =>
    rows<{ promiseId: string; revision: number; kind: string }>(
      tx,
      `select promise_id as "promiseId", revision, kind from collections_outcome
        where kind <> 'activated' order by account_id, debt_class, position`,
      {},
    ),
  );
  const decided = [...promises.values()].flatMap((promise) =>
    promise.verdicts.map(({ revision, status }) => `${promise.promiseId}/${revision}/${status}`),
  );
  const ends = received.filter(({ kind }) => kind === 'kept' || kind === 'broken' || kind === 'cancelled');
  const got = ends.map(({ promiseId, revision, kind }) => `${promiseId}/${revision}/${kind}`);
  expect([...got].sort()).toEqual(decided.sort());
  for (const promiseId of promises.keys()) {
    const revisions = received.filter((one) => one.promiseId === promiseId).map((one) => one.revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    // R19: a promise that is open again was told as such, before it ended again.
    const story = received.filter((one) => one.promiseId === promiseId).map(({ kind }) => kind);
    const again = ends.filter((one) => one.promiseId === promiseId && one.revision > 1).length;
    expect(story.filter((kind) => kind === 'reopened')).toHaveLength(again);
  }
});

test('R20: every verdict, made again from the stored facts, gives the same bytes', async () => {
  const differing: string[] = [];
  await engine.ledger.forTenant('demo', async (tx) => {
    for (const promise of promises.values()) {
      const facts = await loadFacts(tx, 'demo', promise.promiseId);
      const life = evaluate(facts, epochMs(Date.now() + 10 * 365 * 86_400_000));
      for (const [index, outcome] of life.outcomes.entries()) {
        const stored = promise.verdicts[index]?.evidence;
        const again = explain(facts, outcome, stored?.decidedBy ?? '');
        // PostgreSQL's jsonb sorts keys: both sides are compared in one order.
        if (canonical(again) !== canonical(stored)) differing.push(promise.promiseId);
      }
    }
  });
  expect(differing).toEqual([]);
});

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

test('every promise is one workflow that has completed, found by its search attributes', async () => {
  const { count } = await engine.client.workflow.count(
    `TaskQueue = '${engine.taskQueue}' AND WorkflowType = 'promiseToPay' AND ExecutionStatus = 'Completed' AND TrothTenant = 'demo'`,
  );
  expect(count).toBeGreaterThanOrEqual(200); // a reopened promise ran twice
  const broken = await engine.client.workflow.count(
    `TaskQueue = '${engine.taskQueue}' AND TrothStatus = 'broken' AND WorkflowType = 'promiseToPay'`,
  );
  expect(broken.count).toBeGreaterThanOrEqual(68);
});
