/**
 * Goal: while Temporal is away nothing is refused, and nothing is decided differently once it is back.
 * Method: a Temporal of this file's own is killed under a running worker; promises are enrolled, paid and cancelled, and
 * a judge time passes, before it comes back on the same data.
 */
import { cancelPromise } from '../../src/enrollment/cancel';
import { rows, type Ledger } from '../../src/ledger/connection';
import { engineOn, eventually, local, makeTenant, moveTo, untilEnded } from '../support/engine';
import { TestHome } from '../support/stack';
import { running } from './check';
import { openPromise, payInFull, received } from './one-promise';
import { mortalPostgres, mortalTemporal, mortalWorker } from './place';

/** Longer than the relay tries one delivery. */
const AWAY_MS = 12_000;

jest.setTimeout(180_000);

/** Messages to promises that count as undelivered. */
async function waiting(ledger: Ledger, tenantId: string): Promise<string[]> {
  const found = await ledger.forTenant(tenantId, (tx) =>
    rows<{ message: string }>(
      tx,
      `select distinct promise_id || ' ' || kind as message from outbox
        where tenant_id = :tenantId and delivered_at is null and kind <> 'outcome' order by 1`,
      { tenantId },
    ),
  );
  return found.map(({ message }) => message);
}

test('enrollments, payments and cancels are taken while Temporal is away, and judged as if it had not been', async () => {
  const home = new TestHome('chaos');
  const postgres = await mortalPostgres(home);
  const temporal = await mortalTemporal(home, postgres.handle);
  const engine = await engineOn(
    { url: postgres.handle.url, drop: () => Promise.resolve() },
    temporal.address,
  );
  const worker = await mortalWorker(home, engine.workerEnv);
  try {
    const { ledger, client, taskQueue } = engine;
    const tenantId = await makeTenant(ledger, {
      begins: '2026-01-02 09:00',
      accounts: ['due', 'paid', 'cancelled', 'late'],
    });
    for (const name of ['due', 'paid', 'cancelled']) await openPromise(ledger, tenantId, name, name);
    await eventually(async () => (await running(client, taskQueue, 'promiseToPay')) === 3, 'three run');

    await temporal.kill();
    await openPromise(ledger, tenantId, 'late', 'late', '2026-02-15');
    await moveTo(ledger, tenantId, '2026-01-10 09:00');
    await payInFull(ledger, tenantId, 'paid', 'M1', '2026-01-10 08:00');
    const options = { actor: 'test', realNowMs: Date.now(), wakeWorkflow: true, relayAfterMs: 0 };
    const answer = await cancelPromise(
      ledger,
      tenantId,
      'cancelled',
      { reason: 'customer_request' },
      options,
    );
    expect(answer.result).toBe('done');
    await moveTo(ledger, tenantId, '2026-01-20 09:00'); // beyond the judge time of `due`
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS)); // the relay tries and fails meanwhile
    expect(await waiting(ledger, tenantId)).toEqual([
      'cancelled review',
      'due clock',
      'late start',
      'paid clock',
      'paid review',
    ]);
    await temporal.revive();

    const ends = await Promise.all(
      ['due', 'paid', 'cancelled'].map((id) => untilEnded(ledger, tenantId, id, 90_000)),
    );
    expect(ends.map(({ status }) => status)).toEqual(['broken', 'kept', 'cancelled']);
    expect(ends[0]?.endedAt).toEqual(new Date(local('2026-01-19 12:00')));
    const keptAtMs = ends[1]?.endedAt?.getTime() ?? 0;
    expect(Math.abs(keptAtMs - local('2026-01-10 09:00'))).toBeLessThan(30_000); // when it was posted, not when judged
    await moveTo(ledger, tenantId, '2026-02-20 09:00');
    const late = await untilEnded(ledger, tenantId, 'late', 90_000);
    expect([late.status, late.endedAt]).toEqual(['broken', new Date(local('2026-02-19 12:00'))]);

    const expected = { due: '1 broken', paid: '1 kept', cancelled: '1 cancelled', late: '1 broken' };
    for (const [account, outcome] of Object.entries(expected)) {
      await eventually(
        async () => (await received(ledger, tenantId, account)).length > 0,
        `the case of ${account} was told`,
        90_000,
      );
      expect(await received(ledger, tenantId, account)).toEqual([outcome]);
    }
    await eventually(
      async () => (await running(client, taskQueue, 'promiseToPay')) === 0,
      'all have ended',
      90_000,
    );
  } finally {
    await worker.stop();
    await engine.close();
    await temporal.stop();
    await postgres.stop();
    home.remove();
  }
});
