/**
 * Goal: a long outage of the database costs a promise little history; its local activities' retries become timers.
 * Method: the ledger alone lies on a PostgreSQL of this file's own, which is killed just before a judge time and comes
 * back a minute later; Temporal goes on.
 */
import { promiseWorkflowId } from '../../src/platform/ids';
import { engineOn, eventually, local, makeTenant, untilEnded } from '../support/engine';
import { TestHome } from '../support/stack';
import { running } from './check';
import { openPromise } from './one-promise';
import { mortalPostgres, mortalWorker } from './place';

const AWAY_MS = 60_000;
const MOST_EVENTS = 60;
const PROMISES = ['P1', 'P2', 'P3'];

jest.setTimeout(240_000);

test(`a minute without the database costs fewer than ${MOST_EVENTS} events`, async () => {
  const home = new TestHome('chaos');
  const postgres = await mortalPostgres(home);
  const engine = await engineOn(
    { url: postgres.handle.url, drop: () => Promise.resolve() },
    process.env['TROTH_TEST_TEMPORAL_ADDRESS'] ?? '',
  );
  const worker = await mortalWorker(home, engine.workerEnv);
  try {
    const { ledger, client, taskQueue } = engine;
    // Ten seconds before the judge time of 19 January at noon, and the clock ticks.
    const tenantId = await makeTenant(ledger, { begins: '2026-01-19 11:59:50', accounts: PROMISES });
    for (const id of PROMISES) await openPromise(ledger, tenantId, id, id);
    const count = PROMISES.length;
    await eventually(async () => (await running(client, taskQueue, 'promiseToPay')) === count, 'all run');
    await postgres.kill();
    process.stderr.write(`  PostgreSQL is away for ${AWAY_MS / 1_000} s\n`);
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await postgres.revive();
    for (const id of PROMISES) {
      const ended = await untilEnded(ledger, tenantId, id, 100_000);
      expect([ended.status, ended.endedAt]).toEqual(['broken', new Date(local('2026-01-19 12:00'))]);
      const handle = client.workflow.getHandle(promiseWorkflowId(tenantId, id));
      await handle.result();
      const { events } = await handle.fetchHistory();
      process.stderr.write(`  ${id}: ${events?.length ?? 0} events\n`);
      expect(events?.length).toBeLessThan(MOST_EVENTS);
    }
  } finally {
    await worker.stop();
    await engine.close();
    await postgres.stop();
    home.remove();
  }
});
