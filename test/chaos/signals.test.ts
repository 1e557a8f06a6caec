/**
 * Goal: signals that are lost, doubled or out of order, workflows that are gone, and a Temporal that is lost as a whole
 * change nothing in the end: every outcome is in its case once, in order of revision.
 * Method: outcomes are made in the ledger while no worker runs, and are then told wrongly on purpose with a Temporal
 * client; workflows are terminated as an operator would; `troth rebuild` runs against an empty namespace, which to a
 * worker is another Temporal; two workers with their relays share a task queue and one of them is killed.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { postReversal } from '../../src/ledger/payments';
import { promiseWorkflowId } from '../../src/platform/ids';
import { projectRoot } from '../../src/platform/root';
import { localDate } from '../../src/rules/calendar';
import { tellCollections } from '../../src/temporal/tell';
import {
  createEngine,
  eventually,
  local,
  makeTenant,
  moveTo,
  untilEnded,
  type Engine,
} from '../support/engine';
import { TestHome } from '../support/stack';
import { complaints, running, untilQuiet } from './check';
import {
  countsOf,
  deliverAgain,
  letTimePass,
  lose,
  openPromise,
  outcomesToTell,
  payInFull,
  received,
  settleSilently,
  sweepNow,
} from './one-promise';
import { mortalWorker } from './place';
import { beginning, happeningsOf, storiesOf, Teller } from './stories';

const SEED = Number(process.env['TROTH_CHAOS_SEED'] ?? 1);

jest.setTimeout(120_000);

const home = new TestHome('chaos');
let engine: Engine;

beforeEach(async () => {
  engine = await createEngine();
});

afterEach(() => engine.close());
afterAll(() => home.remove());

/** Does something with a worker that stops afterwards in any case. */
async function withWorker(work: () => Promise<void>): Promise<void> {
  const worker = await mortalWorker(home, engine.workerEnv);
  try {
    await work();
  } finally {
    await worker.stop();
  }
}

/** A promise that was kept, bounced and then broken: two outcomes, and what was between them, that nobody has been told. */
async function keptThenBroken(): Promise<string> {
  const { ledger } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-02 09:00', accounts: ['A1'] });
  await openPromise(ledger, tenantId, 'P1', 'A1');
  await moveTo(ledger, tenantId, '2026-01-10 09:00');
  await payInFull(ledger, tenantId, 'A1', 'M1', '2026-01-10 08:00');
  expect((await settleSilently(ledger, tenantId, 'P1')).status).toBe('kept');
  await moveTo(ledger, tenantId, '2026-01-12 09:00');
  const effectiveDate = localDate('2026-01-12');
  await postReversal(ledger, tenantId, { paymentId: 'M1', effectiveDate, reason: 'nsf' });
  await settleSilently(ledger, tenantId, 'P1');
  await moveTo(ledger, tenantId, '2026-01-20 09:00');
  expect((await settleSilently(ledger, tenantId, 'P1')).status).toBe('broken');
  await lose(ledger, tenantId);
  return tenantId;
}

const BOTH = ['1 kept', '1 reversed', '2 reopened', '2 broken'];
const COUNTED = { status: 'open', kept: 1, broken: 1, cancelled: 0 };

/** Waits until a case has what it must have, and a little longer: too much would come late. */
async function untilReceived(tenantId: string, wanted: readonly string[]): Promise<void> {
  await eventually(
    async () => (await received(engine.ledger, tenantId, 'A1')).length >= wanted.length,
    `the case has ${wanted.join(', ')}`,
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await received(engine.ledger, tenantId, 'A1')).toEqual(wanted);
}

test('outcomes that were never told are found by the sweep and told once, in order', async () => {
  const tenantId = await keptThenBroken();
  await withWorker(async () => {
    expect(await received(engine.ledger, tenantId, 'A1')).toEqual([]);
    expect(await sweepNow(engine)).toMatchObject({ unreceived: BOTH.length });
    await untilReceived(tenantId, BOTH);
    await letTimePass(engine.ledger, tenantId);
    expect(await sweepNow(engine)).toMatchObject({ unreceived: 0 });
    await untilReceived(tenantId, BOTH);
    expect(await countsOf(engine.ledger, tenantId, 'A1')).toEqual(COUNTED);
  });
});

test('outcomes that are told twice and in the wrong order are recorded once and in order', async () => {
  const tenantId = await keptThenBroken();
  const [kept, broken] = await outcomesToTell(engine.ledger, tenantId, 'P1');
  if (kept === undefined || broken === undefined) throw new Error('there are two outcomes to tell');
  const tell = (message: typeof kept): Promise<void> =>
    tellCollections(engine.client.workflow, engine.taskQueue, message);
  await withWorker(async () => {
    await tell(broken);
    await tell(broken);
    await untilReceived(tenantId, BOTH); // the earlier one is taken from the verdicts
    for (const message of [kept, broken, kept]) await tell(message);
    await untilReceived(tenantId, BOTH);
    expect(await countsOf(engine.ledger, tenantId, 'A1')).toEqual(COUNTED);
  });
});

test('outcomes that wait together in the wrong order are recorded in order', async () => {
  const tenantId = await keptThenBroken();
  const messages = await outcomesToTell(engine.ledger, tenantId, 'P1');
  for (const message of [...messages, ...messages].reverse())
    await tellCollections(engine.client.workflow, engine.taskQueue, message);
  await withWorker(async () => {
    await untilReceived(tenantId, BOTH);
    expect(await countsOf(engine.ledger, tenantId, 'A1')).toEqual(COUNTED);
  });
});

test('a hint that comes many times is heard as one; the promise ends once', async () => {
  const { ledger, client } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-02 09:00', accounts: ['A1'] });
  await withWorker(async () => {
    await openPromise(ledger, tenantId, 'P1', 'A1');
    const handle = client.workflow.getHandle(promiseWorkflowId(tenantId, 'P1'));
    const hint = (): Promise<void> => handle.signal('paymentPosted');
    await eventually(
      () =>
        hint()
          .then(() => true)
          .catch(() => false),
      'the workflow runs',
    );
    for (let i = 0; i < 5; i += 1) await hint();
    await moveTo(ledger, tenantId, '2026-01-10 09:00');
    await payInFull(ledger, tenantId, 'A1', 'M1', '2026-01-10 08:00');
    await Promise.allSettled([hint(), hint(), hint()]);
    expect((await untilEnded(ledger, tenantId, 'P1')).verdicts).toHaveLength(1);
    await untilReceived(tenantId, ['1 kept']);
    expect(await countsOf(ledger, tenantId, 'A1')).toEqual({
      status: 'closed',
      kept: 1,
      broken: 0,
      cancelled: 0,
    });
  });
});

test('workflows that an operator terminated are started again by the sweep', async () => {
  const { ledger, client, taskQueue } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-02 09:00', accounts: ['A1', 'A2'] });
  await withWorker(async () => {
    await openPromise(ledger, tenantId, 'P1', 'A1');
    await openPromise(ledger, tenantId, 'P2', 'A2', '2026-02-15');
    await moveTo(ledger, tenantId, '2026-01-20 09:00');
    await untilEnded(ledger, tenantId, 'P1');
    await untilReceived(tenantId, ['1 broken']); // its case stays open
    await eventually(async () => (await running(client, taskQueue, 'promiseToPay')) === 1, 'P2 runs alone');
    for (const id of [promiseWorkflowId(tenantId, 'P2'), `collections/${tenantId}/A1/water`])
      await client.workflow.getHandle(id).terminate('by an operator');
    await letTimePass(ledger, tenantId);
    const report = await eventually(async () => {
      const found = await sweepNow(engine); // Temporal's list of what runs is a moment behind
      return found.missing + found.missingCases === 2 ? found : undefined;
    }, 'the sweep misses both');
    expect(report).toMatchObject({ missing: 1, missingCases: 1 });
    await moveTo(ledger, tenantId, '2026-02-20 09:00');
    const ended = await untilEnded(ledger, tenantId, 'P2');
    expect(ended.endedAt).toEqual(new Date(local('2026-02-19 12:00')));
    expect(await client.workflow.getHandle(`collections/${tenantId}/A1/water`).query('case')).toMatchObject({
      brokenCount: 1,
      status: 'open',
    });
  });
});

test('after the loss of a whole Temporal, troth rebuild brings every open promise and case back', async () => {
  const { ledger } = engine;
  const accounts = ['A1', 'A2', 'A3', 'A4', 'A5'];
  const tenantId = await makeTenant(ledger, { begins: '2026-01-02 09:00', accounts });
  await withWorker(async () => {
    for (const [index, account] of accounts.entries())
      await openPromise(ledger, tenantId, `P${index + 1}`, account, index < 2 ? '2026-01-15' : '2026-03-15');
    await moveTo(ledger, tenantId, '2026-01-20 09:00');
    for (const id of ['P1', 'P2']) await untilEnded(ledger, tenantId, id);
    await eventually(async () => (await received(ledger, tenantId, 'A2')).length === 1, 'A2 was told');
    await untilReceived(tenantId, ['1 broken']);
  });
  const namespace = `rebuilt-${randomBytes(4).toString('hex')}`;
  const env = { ...engine.workerEnv, TEMPORAL_NAMESPACE: namespace };
  expect(JSON.parse(await troth(['rebuild', '--json'], env))).toEqual({ promises: 3, cases: 2 });
  const worker = await mortalWorker(home, env);
  try {
    const client = new Client({ connection: engine.client.connection, namespace });
    const both = async (): Promise<boolean> =>
      (await running(client, engine.taskQueue, 'promiseToPay')) === 3 &&
      (await running(client, engine.taskQueue, 'collections')) === 2;
    await eventually(both, 'three promises and two cases run');
    await payInFull(ledger, tenantId, 'A3', 'M3', '2026-01-20 08:00');
    await moveTo(ledger, tenantId, '2026-03-25 09:00');
    const ends = await Promise.all(['P3', 'P4', 'P5'].map((id) => untilEnded(ledger, tenantId, id)));
    expect(ends.map(({ status }) => status)).toEqual(['kept', 'broken', 'broken']);
    for (const account of ['A3', 'A4', 'A5'])
      await eventually(
        async () => (await received(ledger, tenantId, account)).length === 1,
        `${account} was told`,
      );
    expect(await countsOf(ledger, tenantId, 'A1')).toEqual({
      status: 'open',
      kept: 0,
      broken: 1,
      cancelled: 0,
    });
  } finally {
    await worker.stop();
  }
});

/** Runs a command of the product. */
function troth(args: readonly string[], env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, [join(projectRoot(), 'bin', 'troth.js'), ...args], {
    env: { ...process.env, ...env },
  });
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve(said) : reject(new Error(complained))));
  });
}

test('two workers with two relays, one of them killed, and everything delivered twice', async () => {
  const { ledger, client } = engine;
  const stories = storiesOf(40, 1 + (SEED + 10) * 100_000);
  const happenings = happeningsOf(stories);
  const begins = beginning(happenings);
  const tenantId = await makeTenant(ledger, {
    begins: new Date(begins).toISOString().slice(0, 16),
    accounts: stories.map(({ accountId }) => accountId),
  });
  const teller = new Teller(ledger, client, tenantId, begins - Date.now());
  const workers = [await mortalWorker(home, engine.workerEnv), await mortalWorker(home, engine.workerEnv)];
  try {
    for (const [index, happening] of happenings.entries()) {
      if (index === Math.floor(happenings.length / 2)) await workers[0]?.kill();
      await teller.tell(happening);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await workers[0]?.revive();
    await teller.moveTo((happenings.at(-1)?.atMs ?? 0) + 60 * 86_400_000);
    await untilQuiet(ledger, tenantId);
    expect(await complaints(ledger, tenantId, stories, teller)).toEqual([]);
    await deliverAgain(ledger, tenantId);
    await untilQuiet(ledger, tenantId);
    expect(await complaints(ledger, tenantId, stories, teller)).toEqual([]);
  } finally {
    for (const worker of workers) await worker.stop();
  }
});
