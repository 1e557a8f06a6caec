/**
 * Goal: a promise whose data is broken stands still, visible to everybody who looks, and disturbs no other; once it is
 * repaired, the update `retry` ends it.
 * Method: its installments are taken away by the superuser before its verdict and put back afterwards.
 */
import { Client as PostgresClient } from 'pg';
import { rows } from '../../src/ledger/connection';
import { promiseWorkflowId } from '../../src/platform/ids';
import type { PromiseStatusView } from '../../workflows/messages';
import { createTestDatabase } from '../support/database';
import { engineOn, eventually, local, makeTenant, moveTo, untilEnded, type Engine } from '../support/engine';
import { TestHome } from '../support/stack';
import { running } from './check';
import { openPromise, payInFull, received } from './one-promise';
import { mortalWorker } from './place';

jest.setTimeout(90_000);

async function attentionOf({ ledger }: Engine, tenantId: string, promiseId: string): Promise<string | null> {
  const [found] = await ledger.forTenant(tenantId, (tx) =>
    rows<{ attention: string | null }>(
      tx,
      'select attention from promise where tenant_id = :tenantId and promise_id = :promiseId',
      { tenantId, promiseId },
    ),
  );
  return found?.attention ?? null;
}

test('a promise without its installments waits for a person, others go on, a retry ends it', async () => {
  const home = new TestHome('chaos');
  const database = await createTestDatabase();
  const engine = await engineOn(database, process.env['TROTH_TEST_TEMPORAL_ADDRESS'] ?? '');
  const superuser = new PostgresClient({ connectionString: database.superuserUrl });
  await superuser.connect();
  const worker = await mortalWorker(home, engine.workerEnv);
  try {
    const { ledger, client, taskQueue } = engine;
    const tenantId = await makeTenant(ledger, {
      begins: '2026-01-02 09:00',
      accounts: ['bad', 'good', 'kept'],
    });
    for (const name of ['bad', 'good', 'kept']) await openPromise(ledger, tenantId, name, name);
    await eventually(async () => (await running(client, taskQueue, 'promiseToPay')) === 3, 'three run');
    await superuser.query(`create table taken as select * from installment where promise_id = 'bad'`);
    await superuser.query(`delete from installment where promise_id = 'bad'`);

    await moveTo(ledger, tenantId, '2026-01-16 09:00');
    await payInFull(ledger, tenantId, 'kept', 'M1', '2026-01-16 08:00');
    await payInFull(ledger, tenantId, 'bad', 'M2', '2026-01-16 08:00'); // money is taken whatever the promise looks like
    await moveTo(ledger, tenantId, '2026-01-20 09:00');
    const ends = await Promise.all(['good', 'kept'].map((id) => untilEnded(ledger, tenantId, id)));
    expect(ends.map(({ status }) => status)).toEqual(['broken', 'kept']);

    const handle = client.workflow.getHandle(promiseWorkflowId(tenantId, 'bad'));
    await eventually(() => attentionOf(engine, tenantId, 'bad'), 'it is on the worklist');
    expect(await attentionOf(engine, tenantId, 'bad')).toMatch(/no installments/);
    const labeled = ` AND TrothStatus = 'needs-attention' AND TrothTenant = '${tenantId}'`;
    await eventually(
      async () => (await running(client, taskQueue, 'promiseToPay', labeled)) === 1,
      'Temporal lists it',
    );
    const view = await handle.query<PromiseStatusView>('status');
    expect(view).toMatchObject({ status: 'needs-attention' });
    expect(view.attention).toMatch(/no installments/);
    const details = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(details.currentDetails).toMatch(/Needs attention.*no installments/);

    await superuser.query('insert into installment select * from taken');
    await handle.executeUpdate('retry');
    const repaired = await untilEnded(ledger, tenantId, 'bad');
    expect(repaired.status).toBe('kept');
    expect(repaired.endedAt?.getTime()).toBeLessThan(local('2026-01-16 09:01'));
    expect(await attentionOf(engine, tenantId, 'bad')).toBeNull();
    await eventually(async () => (await received(ledger, tenantId, 'bad')).length > 0, 'its case was told');
    expect(await received(ledger, tenantId, 'bad')).toEqual(['1 kept']);
    await eventually(async () => (await running(client, taskQueue, 'promiseToPay')) === 0, 'all have ended');
  } finally {
    await worker.stop();
    await superuser.end();
    await engine.close();
    home.remove();
  }
});
