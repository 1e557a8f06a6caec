/**
 * Goal: a case that hears 10,000 outcomes over years goes on in new runs and neither loses nor repeats any; each promise's outcomes
 * stay in order.
 * Method: 2,000 promises with five revisions each are written into the ledger; their outcomes are signalled to one case in a
 * shuffled order, a tenth of them twice, while a worker of the product receives them.
 */
import { enroll } from '../../src/enrollment/enroll';
import { rows } from '../../src/ledger/connection';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { tellCollections } from '../../src/temporal/tell';
import {
  createEngine,
  eventually,
  makeTenant,
  moveTo,
  startWorker,
  type Engine,
  type WorkerProcess,
} from '../support/engine';
import { dice } from '../ledger/lively';

const PROMISES = 2_000;
const REVISIONS = 5;
const AT_ONCE = 100;

let engine: Engine;
let worker: WorkerProcess;

beforeAll(async () => {
  engine = await createEngine();
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await engine.close();
}, 60_000);

test('10,000 outcomes', async () => {
  const { ledger, client, taskQueue } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-05 08:00', accounts: ['A1'] });
  const key = { tenantId, accountId: 'A1', debtClass: 'water' };
  const installments = [{ dueDate: '2026-01-08', amountCents: 100 }];
  await enroll(ledger, { ...key, promiseId: 'P', installments }, { actor: 'test' });
  await moveTo(ledger, tenantId, '2026-01-20 08:00');
  expect((await settlePromise(ledger, tenantId, 'P', Date.now())).status).toBe('broken');
  await copy(tenantId);
  worker = await startWorker(engine.workerEnv);

  const roll = dice(1);
  const all = Array.from({ length: PROMISES * REVISIONS }, (_, index) => ({
    promiseId: `Q${Math.floor(index / REVISIONS)}`,
    revision: (index % REVISIONS) + 1,
  }));
  const doubled = all.filter((_, index) => index % 10 === 0);
  const shuffled = [...all, ...doubled].map((one) => ({ one, at: roll() })).sort((a, b) => a.at - b.at);
  const began = Date.now();
  for (let from = 0; from < shuffled.length; from += AT_ONCE) {
    const some = shuffled.slice(from, from + AT_ONCE);
    const told = some.map(({ one: { promiseId, revision } }) => ({
      ...{
        ...key,
        promiseId,
        revision,
        outcomeId: `${promiseId}/${revision}/broken`,
        kind: 'broken' as const,
      },
      ...{ reason: 'installment_missed' as const, at: `2026-01-${10 + revision}T12:00:00.000Z` },
    }));
    await Promise.all(told.map((message) => tellCollections(client.workflow, taskQueue, message)));
    // Years in two minutes, but what is told is received before more is told.
    const ids = new Set(told.map(({ outcomeId }) => outcomeId));
    await eventually(async () => (await howMany(tenantId, [...ids])) === ids.size, 'it keeps up', 60_000);
  }
  const lastTold = Date.now();
  // One more than was told here: the promise that was copied comes by the relay, whenever its turn is.
  const expected = all.length + 1;
  await eventually(async () => (await received(tenantId)).count >= expected, 'all are received', 240_000);
  const seconds = (from: number): string => ((Date.now() - from) / 1000).toFixed(0);
  let runs = 0;
  await eventually(async () => {
    runs = 0;
    const query = `WorkflowId = 'collections/${tenantId}/A1/water'`;
    for await (const run of client.workflow.list({ query })) if (run.workflowId !== '') runs += 1;
    return runs > 1;
  }, 'more than one run');
  process.stderr.write(
    `10,000 outcomes: told in ${((lastTold - began) / 1000).toFixed(0)} s, received after ${seconds(began)} s, ${runs} runs\n`,
  );
  expect(await received(tenantId)).toEqual({ count: expected, different: expected, outOfOrder: 0 });
}, 420_000);

/** Promise P with its verdict, 2,000 times over, five revisions each. */
async function copy(tenantId: string): Promise<void> {
  await engine.ledger.forTenant(tenantId, async (tx) => {
    await rows(
      tx,
      `insert into promise
       select (jsonb_populate_record(p, jsonb_build_object('promise_id', 'Q' || n, 'workflow_id', 'ptp/copy/Q' || n,
               'revision', ${REVISIONS}, 'decided_revision', ${REVISIONS}))).*
         from promise p, generate_series(0, ${PROMISES - 1}) n where p.promise_id = 'P'`,
      {},
    );
    await rows(
      tx,
      `insert into verdict
       select (jsonb_populate_record(v, jsonb_build_object('promise_id', 'Q' || n, 'revision', r,
               'decided_at', '2026-01-' || (10 + r) || 'T12:00:00Z'))).*
         from verdict v, generate_series(0, ${PROMISES - 1}) n, generate_series(1, ${REVISIONS}) r
        where v.promise_id = 'P'`,
      {},
    );
  });
}

async function howMany(tenantId: string, outcomeIds: readonly string[]): Promise<number> {
  const [found] = await engine.ledger.forTenant(tenantId, (tx) =>
    rows<{ count: number }>(
      tx,
      'select count(*) as count from collections_outcome where tenant_id = :tenantId and outcome_id = any(:outcomeIds)',
      { tenantId, outcomeIds: [...outcomeIds] },
    ),
  );
  return found?.count ?? 0;
}

async function received(tenantId: string): Promise<{ count: number; different: number; outOfOrder: number }> {
  const [found] = await engine.ledger.forTenant(tenantId, (tx) =>
    rows<{ count: number; different: number; outOfOrder: number }>(
      tx,
      `select count(*) as count, count(distinct outcome_id) as different,
              count(*) filter (where revision < before) as "outOfOrder"
         from (select outcome_id, revision,
                      lag(revision) over (partition by promise_id order by position) as before
                 from collections_outcome) o`,
      {},
    ),
  );
  return found ?? { count: 0, different: 0, outOfOrder: 0 };
}
