import { epochMs, localDateAt } from '../rules/calendar';
import type { Evaluation } from '../rules/decide';
import { loadFacts, lockPromise, type PromiseRow } from '../ledger/facts';
import type { Ledger, Tx } from '../ledger/connection';
import { enqueue } from '../ledger/outbox';
import { markCancelled } from '../ledger/promises';
import { settleLocked, type Settlement, type SettleOptions } from '../ledger/settle';
import { evaluate } from '../rules/decide';
import type { PromiseFacts } from '../rules/facts';
import { TrothError, type Problem } from '../platform/errors';
import { cancelSchema, problemsOf, type Cancel } from './enrollment';

/** What became of a cancel. A refusal is an answer, not an error. */
export type CancelAnswer =
  | { readonly result: 'cancelled'; readonly settlement: Settlement }
  | { readonly result: 'refused'; readonly problems: readonly Problem[]; readonly settlement?: Settlement };

export interface CancelOptions extends SettleOptions {
  /** Who asked, where the cancel itself does not say. */
  readonly actor: string;
  /** Real time in epoch milliseconds; the tenant's sandbox offset is added. */
  readonly realNowMs: number;
  /** Names the request: the same cancel, sent again because its answer was lost, is answered as before. */
  readonly requestId?: string | null;
  /** Whether the promise's workflow must be told; not when it is the one that asks. */
  readonly wakeWorkflow: boolean;
}

/**
 * Cancels an active promise (R17) and settles it in the same transaction. What was due before the cancel is judged
 * first: a promise that had been broken by then stays broken and the cancel is refused.
 * @throws TrothError NOT_FOUND
 */
export async function cancelPromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  input: unknown,
  options: CancelOptions,
): Promise<CancelAnswer> {
  const parsed = cancelSchema.safeParse(input);
  if (!parsed.success) return { result: 'refused', problems: problemsOf(parsed.error, input) };
  return ledger.forTenant(tenantId, async (tx) => {
    const promise = await lockPromise(tx, tenantId, promiseId);
    if (promise === undefined) {
      throw new TrothError('NOT_FOUND', `Tenant "${tenantId}" has no promise "${promiseId}"`);
    }
    return cancelLocked(tx, tenantId, promise, parsed.data, options);
  });
}

async function cancelLocked(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  cancel: Cancel,
  options: CancelOptions,
): Promise<CancelAnswer> {
  const nowMs = epochMs(Math.max(options.realNowMs + promise.clockOffsetMs, promise.settledAsOfMs + 1));
  const actor = cancel.actor ?? options.actor;
  const requestId = options.requestId ?? null;
  if (promise.status === 'cancelled' && requestId !== null && promise.cancelRequestId === requestId) {
    return { result: 'cancelled', settlement: await settleLocked(tx, tenantId, promise, nowMs, options) };
  }
  const facts = await loadFacts(tx, tenantId, promise.promiseId);
  const before = evaluate(facts, nowMs);
  const refusal = refusalOf(facts, before, nowMs);
  if (refusal !== null) {
    const settlement = await settleLocked(tx, tenantId, promise, nowMs, options);
    return { result: 'refused', problems: [refusal], settlement };
  }
  const { reason, note = null } = cancel;
  await markCancelled(tx, tenantId, promise.promiseId, { atMs: nowMs, reason, note, actor, requestId });
  const settlement = await settleLocked(tx, tenantId, { ...promise, cancelActor: actor }, nowMs, options);
  if (options.wakeWorkflow) {
    const { promiseId, workflowId } = promise;
    await enqueue(tx, tenantId, { kind: 'review', promiseId, workflowId });
  }
  return { result: 'cancelled', settlement };
}

function refusalOf(facts: PromiseFacts, life: Evaluation, nowMs: ReturnType<typeof epochMs>): Problem | null {
  if (life.status !== 'active') {
    return {
      field: 'promiseId',
      value: facts.promiseId,
      message: `has ended: it is ${life.status} and cannot be cancelled`,
    };
  }
  if (facts.policy.cancelUntil === 'before-due') {
    const today = localDateAt(nowMs, facts.timeZone);
    const unpaid = life.lines.find(({ line, countedCents }) => countedCents < line.amountCents);
    if (unpaid !== undefined && today >= unpaid.line.dueDate) {
      return {
        field: 'promiseId',
        value: facts.promiseId,
        message: `can be cancelled only before ${unpaid.line.dueDate}, the due date of its earliest unpaid installment`,
      };
    }
  }
  return null;
}
