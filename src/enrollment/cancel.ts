import { localDateAt, type EpochMs } from '../rules/calendar';
import { evaluate } from '../rules/decide';
import type { CancelReason } from '../rules/facts';
import { cancelRefusal } from '../rules/limits';
import type { Ledger, Tx } from '../ledger/connection';
import { loadFacts, type PromiseRow } from '../ledger/promises/facts';
import { openPromisesOf } from '../ledger/promises/open-promises';
import { markCancelled } from '../ledger/promises/promises';
import { settleLocked } from '../ledger/promises/settle';
import { changePromise, settleRefused, type ChangeAnswer, type ChangeOptions } from './change';
import { cancelSchema, problemsOf, type Cancel } from './enrollment';

/**
 * Cancels an open promise (R17) and settles it in the same transaction. What was due before the cancel is judged
 * first: a promise that had been broken by then stays broken and the cancel is refused.
 * @throws TrothError NOT_FOUND
 */
export async function cancelPromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  input: unknown,
  options: ChangeOptions,
): Promise<ChangeAnswer> {
  const parsed = cancelSchema.safeParse(input);
  if (!parsed.success) return { result: 'refused', problems: problemsOf(parsed.error, input) };
  return changePromise(ledger, tenantId, promiseId, options, (tx, promise, nowMs) =>
    cancelLocked(tx, tenantId, promise, parsed.data, nowMs, options, 'staff'),
  );
}

/** What the CIS or a collections step says of an account, and what it does to the account's promises (R17). */
export const SYSTEM_EVENTS = {
  'service-stopped': 'service_stopped',
  'account-closed': 'account_closed',
  'collection-event': 'collection_event',
} as const satisfies Readonly<Record<string, CancelReason>>;
export type SystemEvent = keyof typeof SYSTEM_EVENTS;

/** What became of one promise of the account. */
export interface SystemCancel {
  readonly promiseId: string;
  readonly answer: ChangeAnswer;
}

/**
 * R17: cancels the open promises of an account by a system's word: its last service in the debt class was stopped, it was
 * closed, or a collections step ends promises – which spares those that a third party pays (R27).
 */
export async function cancelBySystem(
  ledger: Ledger,
  tenantId: string,
  about: { readonly accountId: string; readonly debtClass?: string; readonly event: SystemEvent },
  options: ChangeOptions,
): Promise<SystemCancel[]> {
  const open = await ledger.forTenant(tenantId, (tx) => openPromisesOf(tx, tenantId, about));
  const cancelled: SystemCancel[] = [];
  for (const { promiseId, payor } of open) {
    if (about.event === 'collection-event' && payor !== 'self') continue;
    const cancel = { reason: SYSTEM_EVENTS[about.event] };
    const answer = await changePromise(ledger, tenantId, promiseId, options, (tx, promise, nowMs) =>
      cancelLocked(tx, tenantId, promise, cancel, nowMs, options, 'system'),
    );
    cancelled.push({ promiseId, answer });
  }
  return cancelled;
}

async function cancelLocked(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  cancel: Cancel,
  nowMs: EpochMs,
  options: ChangeOptions,
  by: 'staff' | 'system',
): Promise<ChangeAnswer> {
  const actor = cancel.actor ?? options.actor;
  const requestId = options.requestId ?? null;
  if (promise.status === 'cancelled' && requestId !== null && promise.cancelRequestId === requestId) {
    return { result: 'done', settlement: await settleLocked(tx, tenantId, promise, nowMs, options) };
  }
  const given = await loadFacts(tx, tenantId, promise.promiseId);
  const life = evaluate(given, nowMs);
  // `cancelUntil` binds staff only.
  const facts =
    by === 'staff' ? given : { ...given, policy: { ...given.policy, cancelUntil: 'any-time' as const } };
  const refusal = cancelRefusal(facts, life, localDateAt(nowMs, facts.timeZone));
  if (refusal !== null) return settleRefused(tx, tenantId, promise, nowMs, [refusal], options);
  const { reason, note = null } = cancel;
  await markCancelled(tx, tenantId, promise.promiseId, { atMs: nowMs, reason, note, actor, requestId });
  const settlement = await settleLocked(tx, tenantId, { ...promise, cancelActor: actor }, nowMs, options);
  return { result: 'done', settlement };
}
