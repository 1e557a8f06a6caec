import { epochMs, type EpochMs } from '../rules/calendar';
import type { Ledger, Tx } from '../ledger/connection';
import { lockSettled, noSuchPromise, onDebtOf } from '../ledger/promises/debt-lock';
import type { PromiseRow } from '../ledger/promises/facts';
import { enqueue } from '../ledger/outbox';
import { settleLocked, type Settlement, type SettleOptions } from '../ledger/promises/settle';
import type { Problem } from '../platform/errors';

/** What became of a change that somebody asked for. A refusal is an answer, not an error. */
export type ChangeAnswer =
  | { readonly result: 'done'; readonly settlement: Settlement }
  | { readonly result: 'refused'; readonly problems: readonly Problem[]; readonly settlement?: Settlement };

export interface ChangeOptions extends SettleOptions {
  /** Who asked, where the request itself does not say. */
  readonly actor: string;
  /** Real time in epoch milliseconds; the tenant's sandbox offset is added. */
  readonly realNowMs: number;
  /** Names the request: the same one, sent again because its answer was lost, is answered as before. */
  readonly requestId?: string | null;
  /** Whether the promise's workflow must be told; not when it is the one that asks. */
  readonly wakeWorkflow: boolean;
}

/**
 * Changes a promise under its lock, at an instant after everything it was settled with, and tells its workflow.
 * @throws TrothError NOT_FOUND
 */
export async function changePromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  options: ChangeOptions,
  change: (tx: Tx, promise: PromiseRow, nowMs: EpochMs) => Promise<ChangeAnswer>,
): Promise<ChangeAnswer> {
  return onDebtOf(ledger, tenantId, promiseId, async (tx) => {
    const nowOf = ({ clockOffsetMs, settledAsOfMs }: PromiseRow): EpochMs =>
      epochMs(Math.max(options.realNowMs + clockOffsetMs, settledAsOfMs + 1));
    const locked = await lockSettled(tx, tenantId, promiseId, nowOf);
    if (locked === undefined) throw noSuchPromise(tenantId, promiseId);
    const { promise, nowMs } = locked;
    const answer = await change(tx, promise, nowMs);
    if (answer.result === 'done' && options.wakeWorkflow) {
      const { workflowId } = promise;
      await enqueue(tx, tenantId, { kind: 'review', promiseId, workflowId });
    }
    return answer;
  });
}

/** One problem with a field of a request. */
export function refuse(field: string, value: string, message: string): Problem {
  return { field, value, message };
}

/** Refuses a change; what was due before it is settled all the same. */
export async function settleRefused(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  nowMs: EpochMs,
  problems: readonly Problem[],
  options: SettleOptions,
): Promise<ChangeAnswer> {
  const settlement = await settleLocked(tx, tenantId, promise, nowMs, options);
  return { result: 'refused', problems, settlement };
}
