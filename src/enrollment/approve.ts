import { z } from 'zod';
import type { EpochMs } from '../rules/calendar';
import { evaluate } from '../rules/decide';
import { audit } from '../ledger/audit';
import type { Ledger, Tx } from '../ledger/connection';
import { loadFacts, type PromiseRow } from '../ledger/promises/facts';
import { markApproval } from '../ledger/promises/promises';
import { settleLocked } from '../ledger/promises/settle';
import { changePromise, refuse, settleRefused, type ChangeAnswer, type ChangeOptions } from './change';
import { problemsOf } from './enrollment';

/** A second person's yes or no to a promise above the policy's amount (R25). */
export const approvalSchema = z.strictObject({
  approved: z.boolean({ error: 'must be true or false' }),
  note: z.string().min(1).max(1000).optional(),
  actor: z.string().min(1).max(200).optional(),
});

/**
 * Approves a pending promise, or refuses it (R25). Whoever enrolled a promise cannot approve it.
 * @throws TrothError NOT_FOUND
 */
export async function decideApproval(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  input: unknown,
  options: ChangeOptions,
): Promise<ChangeAnswer> {
  const parsed = approvalSchema.safeParse(input);
  if (!parsed.success) return { result: 'refused', problems: problemsOf(parsed.error, input) };
  return changePromise(ledger, tenantId, promiseId, options, (tx, promise, nowMs) =>
    decideLocked(tx, tenantId, promise, parsed.data, nowMs, options),
  );
}

async function decideLocked(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  { approved, note, actor: named }: z.output<typeof approvalSchema>,
  nowMs: EpochMs,
  options: ChangeOptions,
): Promise<ChangeAnswer> {
  const { promiseId, accountId } = promise;
  const actor = named ?? options.actor;
  const requestId = options.requestId ?? null;
  const settle = (decided: Partial<PromiseRow> = {}) =>
    settleLocked(tx, tenantId, { ...promise, ...decided }, nowMs, options);
  const isRepeated = requestId !== null && promise.approvalRequestId === requestId;
  if (isRepeated || (promise.approved !== null && promise.approved === approved)) {
    return { result: 'done', settlement: await settle() };
  }
  const life = evaluate(await loadFacts(tx, tenantId, promiseId), nowMs);
  const refused = (message: string, value = promiseId) =>
    settleRefused(tx, tenantId, promise, nowMs, [refuse('promiseId', value, message)], options);
  if (!life.awaitsApproval) return refused(`waits for no approval: it is ${life.status}`);
  if (approved && actor === promise.enrolledBy) {
    const problem = refuse('actor', actor, 'enrolled this promise; a second person must approve it (R25)');
    return settleRefused(tx, tenantId, promise, nowMs, [problem], options);
  }
  const decision = { approved, atMs: nowMs, actor, note: note ?? null, requestId };
  await markApproval(tx, tenantId, promiseId, decision);
  const action = approved ? 'promise.approved' : 'promise.approval-refused';
  await audit(tx, tenantId, { action, actor, at: nowMs, promiseId, accountId, details: { note } });
  return { result: 'done', settlement: await settle({ approved, approvalActor: actor }) };
}
