/**
 * Goal: kill -9 of the worker, of Temporal or of PostgreSQL at any instant loses nothing, doubles nothing and changes no
 * verdict.
 * Method: 100 promises of the oracle's seeded stories, told through the ledger's own functions while a sandbox's clock
 * runs through their months; at seeded moments a part is killed and started again on the same data. Then every promise,
 * its verdicts and its case must be what the oracle makes of the postings as the ledger took them.
 * TROTH_CHAOS_SEED chooses other stories and moments.
 */
import type { Client } from '@temporalio/client';
import { engineOn, createEngine, eventually, makeTenant, type Engine } from '../support/engine';
import { TestHome } from '../support/stack';
import { complaints, running, untilQuiet } from './check';
import { dice } from './dice';
import {
  mortalPostgres,
  mortalTemporal,
  mortalWorker,
  type Mortal,
  type MortalPostgres,
  type MortalTemporal,
} from './place';
import { beginning, happeningsOf, storiesOf, Teller } from './stories';

const SEED = Number(process.env['TROTH_CHAOS_SEED'] ?? 1);
const PROMISES = 100;
const RUN_MS = 15_000;
const LONGEST_DOWN_MS = 2_500;
const AFTERWARDS_MS = 60 * 86_400_000;

jest.setTimeout(240_000);

/** Tells 100 stories while `victim` is killed `times` times; `others` are revived when they fell with it. */
async function live(
  engine: Engine,
  scenario: { seed: number; times: number; victim: Mortal; others: readonly Mortal[] },
): Promise<string[]> {
  const { seed, times, victim, others } = scenario;
  const stories = storiesOf(PROMISES, 1 + seed * 100_000);
  const happenings = happeningsOf(stories);
  const begins = beginning(happenings);
  const tenantId = await makeTenant(engine.ledger, {
    begins: new Date(begins).toISOString().slice(0, 16),
    accounts: stories.map(({ accountId }) => accountId),
  });
  const teller = new Teller(engine.ledger, engine.client, tenantId, begins - Date.now());
  const die = dice(seed);
  const part = Math.floor(happenings.length / times);
  const moments = Array.from({ length: times }, (_, turn) => turn * part + die.int(0, part - 1));
  let down: Promise<void> = Promise.resolve();
  const strike = async (): Promise<void> => {
    await victim.kill();
    await new Promise((resolve) => setTimeout(resolve, die.int(0, LONGEST_DOWN_MS)));
    await victim.revive();
    for (const other of others) await other.revive();
  };
  for (const [index, happening] of happenings.entries()) {
    if (moments.includes(index)) {
      await down; // one stroke at a time
      process.stderr.write(`  ${victim.name} is killed at ${index} of ${happenings.length}\n`);
      down = strike();
      down.catch(() => undefined);
    }
    await teller.tell(happening);
    await new Promise((resolve) => setTimeout(resolve, RUN_MS / happenings.length));
  }
  await down;
  for (const other of others) await other.revive();
  await teller.moveTo((happenings.at(-1)?.atMs ?? 0) + AFTERWARDS_MS);
  await untilQuiet(engine.ledger, tenantId);
  await untilEmpty(engine.client, engine.taskQueue);
  return complaints(engine.ledger, tenantId, stories, teller);
}

/** No promise's workflow is left, and no case stands with trouble. */
async function untilEmpty(client: Client, taskQueue: string): Promise<void> {
  await eventually(
    async () => (await running(client, taskQueue, 'promiseToPay')) === 0,
    'the workflows of all promises have ended',
  );
  const stuck = await running(client, taskQueue, 'collections', " AND TrothStatus = 'needs-attention'");
  expect(stuck).toBe(0);
}

test('(a) the worker is killed six times', async () => {
  const home = new TestHome('chaos');
  const engine = await createEngine();
  const victim = await mortalWorker(home, engine.workerEnv);
  try {
    expect(await live(engine, { seed: SEED, times: 6, victim, others: [] })).toEqual([]);
  } finally {
    await victim.stop();
    await engine.close();
    home.remove();
  }
});

describe('with PostgreSQL and Temporal of their own', () => {
  const home = new TestHome('chaos');
  let postgres: MortalPostgres;
  let temporal: MortalTemporal;

  beforeAll(async () => {
    postgres = await mortalPostgres(home);
    temporal = await mortalTemporal(home, postgres.handle);
  });

  afterAll(async () => {
    await temporal.stop();
    await postgres.stop();
    home.remove();
  });

  const engineHere = (): Promise<Engine> => {
    const database = { url: postgres.handle.url, drop: () => Promise.resolve() };
    return engineOn(database, temporal.address);
  };

  test('(b) Temporal is killed twice', async () => {
    const engine = await engineHere();
    const worker = await mortalWorker(home, engine.workerEnv);
    try {
      const scenario = { seed: SEED + 1, times: 2, victim: temporal, others: [worker] };
      expect(await live(engine, scenario)).toEqual([]);
    } finally {
      await worker.stop();
      await engine.close();
    }
  });

  test('(c) PostgreSQL is killed four times, under the ledger and under Temporal', async () => {
    const engine = await engineHere();
    const worker = await mortalWorker(home, engine.workerEnv);
    try {
      const scenario = { seed: SEED + 2, times: 4, victim: postgres, others: [temporal, worker] };
      expect(await live(engine, scenario)).toEqual([]);
    } finally {
      await worker.stop();
      await engine.close();
    }
  });
});
