import type { EpochMs } from '../../rules/calendar';
import { evaluate, type Evaluation } from '../../rules/decide';
import { explain } from '../../rules/explain';
import type { PromiseFacts, PromiseStatus } from '../../rules/facts';
import { invariant } from '../../platform/errors';
import type { Tx } from '../connection';
import { decidedBy } from './decided-by';
import { loadFacts, type PromiseRow } from './facts';
import { newOutcomeRow, type OutcomeMessage } from '../outbox';
import { addPeriods } from './promises';
import { recordSettlement } from './record-settlement';

/** What a settlement found: enough for the workflow to go on, and no more (it lands in Temporal's history). */
export interface Settlement {
  readonly tenantId: string;
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly workflowId: string;
  readonly status: PromiseStatus;
  readonly revision: number;
  readonly nextJudgeAtMs: number | null;
  readonly clockOffsetMs: number;
  /** The verdict's sentence once there is one. */
  readonly sentence: string | null;
  readonly evaluation: Evaluation;
  readonly facts: PromiseFacts;
  /** Outcomes that this settlement decided and that collections must hear. */
  readonly toTell: readonly (OutcomeMessage & { readonly outboxId: number })[];
  /** Whether a system outside hears of it instead of a case of ours; the relay sees to that. */
  readonly toldOutside: boolean;
}

export interface SettleOptions {
  /**
   * Milliseconds that the relay leaves a fresh outcome to the caller, who tells collections itself right after the
   * commit. 0 when the caller does not.
   */
  readonly relayAfterMs: number;
}

/**
 * Settles a promise as of an instant of the tenant's time: judges it with all the ledger knows, records every new outcome
 * with its verdict, and queues what collections must hear, in a transaction that holds the promise's lock. Idempotent: asked
 * again it finds the verdict made. What others on the debt decide first must be settled: `lockSettled`.
 */
export async function settleLocked(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  nowMs: EpochMs,
  options: SettleOptions = { relayAfterMs: 0 },
): Promise<Settlement> {
  // Time never runs backwards for a promise, whichever machine's clock asks.
  const asOfMs = nowMs > promise.settledAsOfMs ? nowMs : promise.settledAsOfMs;
  const facts = await loadFacts(tx, tenantId, promise.promiseId);
  const evaluation = evaluate(facts, asOfMs);
  assertStands(promise, evaluation);
  if (facts.repeat !== null && facts.amendments.length === 0) {
    await addPeriods(tx, tenantId, promise.promiseId, evaluation.lines.slice(facts.lines.length));
  }
  const fresh = evaluation.outcomes.filter((outcome) => outcome.revision > promise.decidedRevision);
  const verdicts = fresh.map((outcome) => explain(facts, outcome, decidedBy(promise, outcome)));
  const outbox = verdicts.map((verdict) => newOutcomeRow(tenantId, promise, verdict));
  const { relayAfterMs } = options;
  const told = await recordSettlement(tx, tenantId, {
    ...{ promise, evaluation, fresh, verdicts, outbox, asOfMs, relayAfterMs },
  });
  const last = verdicts.at(-1)?.sentence;
  return {
    tenantId,
    promiseId: promise.promiseId,
    accountId: promise.accountId,
    debtClass: promise.debtClass,
    workflowId: promise.workflowId,
    status: evaluation.status,
    revision: evaluation.revision,
    nextJudgeAtMs: evaluation.nextJudgeAtMs,
    clockOffsetMs: promise.clockOffsetMs,
    sentence: last ?? sentenceOfLast(facts, evaluation, promise),
    evaluation,
    facts,
    toTell: outbox.map((message, index) => ({ ...message.payload, outboxId: told[index]?.outboxId ?? 0 })),
    toldOutside: told.some(({ outside }) => outside),
  };
}

/** What was decided stands: if the facts now tell another past, a person must look before anything is written. */
function assertStands(promise: PromiseRow, evaluation: Evaluation): void {
  if (promise.decidedRevision !== promise.revision || promise.status === 'active') return;
  if (promise.status === 'pending') return;
  const again = evaluation.outcomes.find((outcome) => outcome.revision === promise.revision);
  invariant(
    again?.status === promise.status,
    `Promise ${promise.promiseId} was ${promise.status} in revision ${promise.revision}; judged again it is ${again?.status ?? 'open'}`,
  );
}

function sentenceOfLast(facts: PromiseFacts, evaluation: Evaluation, promise: PromiseRow): string | null {
  const last = evaluation.outcomes.at(-1);
  return last === undefined || evaluation.status === 'active' || evaluation.status === 'pending'
    ? null
    : explain(facts, last, decidedBy(promise, last)).sentence;
}
