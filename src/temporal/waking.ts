import type { WorkflowClient } from '@temporalio/client';
import type { Ledger } from '../ledger/connection';
import { claimWaking, postponeWaking, woken, type WakingCase } from '../ledger/collections/waking';
import { messageOf } from '../platform/errors';
import { faultPoint } from '../platform/faults';
import { startLoop, type Loop } from '../platform/loop';
import type { Log } from '../platform/log';
import { wakeCase } from './tell';

const BATCH = 200;
const CONCURRENT = 25;
const IDLE_MS = 250;
const AFTER_ERROR_MS = 1000;
const DEADLINE_MS = 10_000;

interface WakingDeps {
  readonly ledger: Ledger;
  readonly client: WorkflowClient;
  readonly taskQueue: string;
  readonly log: Log;
}

/** Wakes the cases whose debt, hold, approval or clock has changed, for ever. A case is woken at least once. */
export function startWaking(deps: WakingDeps): Loop {
  const { log } = deps;
  const timing = { idleMs: IDLE_MS, afterErrorMs: AFTER_ERROR_MS };
  const round = async (): Promise<boolean> => (await wakeBatch(deps)) >= BATCH;
  return startLoop(round, { ...timing, log, onError: 'waking waits for the ledger' });
}

/** Wakes one batch. @returns how many cases were claimed. */
export async function wakeBatch({ ledger, client, taskQueue, log }: WakingDeps): Promise<number> {
  const claimed = await ledger.forSystem((tx) => claimWaking(tx, BATCH));
  if (claimed.length === 0) return 0;
  const waiting = [...claimed];
  const done: WakingCase[] = [];
  const failed: { key: WakingCase; error: string }[] = [];
  const lane = async (): Promise<void> => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const one = key;
      try {
        await client.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
          wakeCase(client, taskQueue, one),
        );
        done.push(one);
      } catch (error) {
        failed.push({ key: one, error: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT, claimed.length) }, lane));
  if (done.length > 0) await faultPoint('case-woken');
  await ledger.forSystem(async (tx) => {
    await woken(tx, done);
    for (const { key, error } of failed) await postponeWaking(tx, key, error);
  });
  if (failed.length > 0) {
    log.warn({ failed: failed.length, error: failed[0]?.error }, 'cases could not be woken; tries again');
  }
  return claimed.length;
}
