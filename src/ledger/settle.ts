import { epochMs, type EpochMs } from '../rules/calendar';
import { evaluate, type Evaluation, type Outcome } from '../rules/decide';
import { explain, type Verdict } from '../rules/explain';
import type { PromiseFacts, PromiseStatus } from '../rules/facts';
import { invariant, TrothError } from '../platform/errors';
import { rows, type Ledger, type Tx } from './connection';
import { loadFacts, lockPromise, type PromiseRow } from './facts';
import { newOutcomeRow, type OutboxRow, type OutcomeMessage } from './outbox';
import { holdClock } from './tenants';

/** What a settlement found: enough for the workflow to go on, and no more (it lands in Temporal's history). */
export interface Settlement {
  readonly tenantId: string;
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly workflowId: string;
  readonly status: PromiseStatus | 'pending';
  readonly revision: number;
  readonly nextJudgeAtMs: number | null;
  readonly clockOffsetMs: number;
  /** The verdict's sentence once there is one. */
  readonly sentence: string | null;
  readonly evaluation: Evaluation;
  readonly facts: PromiseFacts;
  /** Outcomes that this settlement decided and that collections must hear. */
  readonly toTell: readonly (OutcomeMessage & { readonly outboxId: number })[];
}

export interface SettleOptions {
  /**
   * Milliseconds that the relay leaves a fresh outcome to the caller, who tells collections itself right after the
   * commit. 0 when the caller does not.
   */
  readonly relayAfterMs: number;
}

/**
 * Settles a promise as of an instant: judges it with all the ledger knows, records every new outcome with its verdict,
 * and queues what collections must hear, all in one transaction under the promise's lock. Idempotent: asked again it
 * finds the verdict made.
 * @param realNowMs the workflow's clock; a sandbox's offset is added here, from the ledger.
 * @throws TrothError NOT_FOUND
 */
export async function settlePromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  realNowMs: number,
  options: SettleOptions = { relayAfterMs: 0 },
): Promise<Settlement> {
  return ledger.forTenant(tenantId, async (tx) => {
    const promise = await lockPromise(tx, tenantId, promiseId);
    if (promise === undefined) {
      throw new TrothError('NOT_FOUND', `Tenant "${tenantId}" has no promise "${promiseId}"`);
    }
    const clockOffsetMs = promise.sandbox ? await holdClock(tx, tenantId) : promise.clockOffsetMs;
    const nowMs = epochMs(realNowMs + clockOffsetMs);
    return settleLocked(tx, tenantId, { ...promise, clockOffsetMs }, nowMs, options);
  });
}

/** As `settlePromise`, inside a transaction that holds the promise's lock, at an instant of the tenant's time. */
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
  const fresh = evaluation.outcomes.filter((outcome) => outcome.revision > promise.decidedRevision);
  const verdicts = fresh.map((outcome) => explain(facts, outcome, decidedBy(promise, outcome)));
  const outbox = verdicts.map((verdict) => newOutcomeRow(tenantId, promise, verdict));
  const told = await record(tx, tenantId, { promise, facts, evaluation, verdicts, outbox, asOfMs, options });
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
    toTell: outbox.map((message, index) => ({ ...message.payload, outboxId: told[index] ?? 0 })),
  };
}

/** What was decided stands: if the facts now tell another past, a person must look before anything is written. */
function assertStands(promise: PromiseRow, evaluation: Evaluation): void {
  if (promise.decidedRevision !== promise.revision || promise.status === 'active') return;
  const again = evaluation.outcomes.find((outcome) => outcome.revision === promise.revision);
  invariant(
    again?.status === promise.status,
    `Promise ${promise.promiseId} was ${promise.status} in revision ${promise.revision}; judged again it is ${again?.status ?? 'open'}`,
  );
}

function decidedBy(promise: PromiseRow, outcome: Outcome): string {
  return outcome.status === 'cancelled' ? (promise.cancelActor ?? 'unknown') : 'troth';
}

function sentenceOfLast(facts: PromiseFacts, evaluation: Evaluation, promise: PromiseRow): string | null {
  const last = evaluation.outcomes.at(-1);
  return last === undefined || evaluation.status === 'active'
    ? null
    : explain(facts, last, decidedBy(promise, last)).sentence;
}

interface Recording {
  readonly promise: PromiseRow;
  readonly facts: PromiseFacts;
  readonly evaluation: Evaluation;
  readonly verdicts: readonly Verdict[];
  readonly outbox: readonly OutboxRow[];
  readonly asOfMs: EpochMs;
  readonly options: SettleOptions;
}

// One statement for everything that a settlement writes, since each round trip is paid by every promise.
const RECORD = `
with new_promise as (
  update promise set status = :status, reason = :reason, revision = :revision,
         decided_revision = greatest(decided_revision, :decidedRevision),
         next_judge_at = :nextJudgeAt, ended_at = :endedAt, settled_as_of = :asOf,
         attention = null, attention_at = null
   where tenant_id = :tenantId and promise_id = :promiseId
  returning 1),
new_lines as (
  update installment i set status = l.status, counted_cents = l."countedCents"
    from json_to_recordset(cast(:lines as json)) as l(seq integer, status text, "countedCents" bigint)
   where i.tenant_id = :tenantId and i.promise_id = :promiseId and i.schedule_no = :scheduleNo and i.seq = l.seq
     and (i.status, i.counted_cents) is distinct from (l.status, l."countedCents")
  returning 1),
new_revisions as (
  insert into promise_revision (tenant_id, promise_id, revision, schedule_no, cause, payment_id, at)
  select :tenantId, :promiseId, r.revision, :scheduleNo, r.cause, r."paymentId", r.at
    from json_to_recordset(cast(:revisions as json))
      as r(revision integer, cause text, "paymentId" text, at timestamptz)
  returning 1),
new_verdicts as (
  insert into verdict (tenant_id, promise_id, revision, seq, kind, status, reason, sentence, evidence,
                       decided_at, recorded_at)
  select :tenantId, :promiseId, v.revision, 0, 'promise', v.status, v.reason, v.sentence, v.evidence,
         v."decidedAt", :realNow
    from json_to_recordset(cast(:verdicts as json))
      as v(revision integer, status text, reason text, sentence text, evidence jsonb, "decidedAt" timestamptz)
  returning 1),
new_audit as (
  insert into audit_event (tenant_id, promise_id, account_id, action, actor, details, at, recorded_at)
  select :tenantId, :promiseId, :accountId, a.action, a.actor, a.details, a.at, :realNow
    from json_to_recordset(cast(:audits as json)) as a(action text, actor text, details jsonb, at timestamptz)
  returning 1),
new_uses as (
  insert into payment_use (tenant_id, promise_id, payment_id, cents)
  select :tenantId, :promiseId, u."paymentId", u.cents
    from json_to_recordset(cast(:uses as json)) as u("paymentId" text, cents bigint)
  on conflict (tenant_id, promise_id, payment_id) do update set cents = excluded.cents
  returning 1),
new_outbox as (
  insert into outbox (tenant_id, kind, promise_id, workflow_id, payload, created_at, next_try_at)
  select :tenantId, o.kind, :promiseId, o."workflowId", o.payload, :realNow, :relayAt
    from json_to_recordset(cast(:outbox as json))
      as o(position integer, kind text, "workflowId" text, payload jsonb)
   order by o.position
  returning outbox_id)
select outbox_id as "outboxId" from new_outbox order by outbox_id`;

async function record(tx: Tx, tenantId: string, recording: Recording): Promise<number[]> {
  const { promise, evaluation, verdicts, outbox, asOfMs, options } = recording;
  const last = evaluation.outcomes.at(-1);
  const final = evaluation.status !== 'active' && last !== undefined;
  const realNow = Date.now();
  const queued = await rows<{ outboxId: number }>(
    tx,
    RECORD,
    {
      tenantId,
      promiseId: promise.promiseId,
      accountId: promise.accountId,
      scheduleNo: promise.scheduleNo,
      status: evaluation.status,
      reason: evaluation.reason,
      revision: evaluation.revision,
      decidedRevision: last?.revision ?? 0,
      nextJudgeAt: evaluation.nextJudgeAtMs === null ? null : new Date(evaluation.nextJudgeAtMs),
      endedAt: final ? new Date(last.atMs) : null,
      asOf: new Date(asOfMs),
      realNow: new Date(realNow),
      relayAt: new Date(realNow + options.relayAfterMs),
      lines: JSON.stringify(evaluation.lines.map(storedLine)),
      revisions: JSON.stringify(newRevisions(promise, evaluation)),
      verdicts: JSON.stringify(verdicts.map(storedVerdict)),
      audits: JSON.stringify(auditsOf(promise, evaluation, verdicts)),
      uses: JSON.stringify(final && verdicts.length > 0 ? usesOf(last) : []),
      outbox: JSON.stringify(outbox.map((message, position) => ({ ...message, position }))),
    },
    { prepareAs: 'record' },
  );
  return queued.map(({ outboxId }) => outboxId);
}

// The agreed deadlines stay as they were: a deadline that a reversal moved follows from the facts (R19, R20).
function storedLine({ line, status, countedCents }: Evaluation['lines'][number]): object {
  return { seq: line.seq, status, countedCents };
}

function storedVerdict(verdict: Verdict): object {
  const { revision, status, reason, sentence, decidedAt } = verdict;
  return { revision, status, reason, sentence, decidedAt, evidence: verdict };
}

function newRevisions(promise: PromiseRow, evaluation: Evaluation): object[] {
  return evaluation.reopenings
    .filter((reopening) => reopening.revision > promise.revision)
    .map(({ revision, cause, paymentId, atMs }) => ({ revision, cause, paymentId, at: new Date(atMs) }));
}

function auditsOf(promise: PromiseRow, evaluation: Evaluation, verdicts: readonly Verdict[]): object[] {
  const reopened = evaluation.reopenings
    .filter((reopening) => reopening.revision > promise.revision)
    .map(({ revision, cause, paymentId, atMs }) => ({
      action: 'promise.reopened',
      actor: 'troth',
      details: { revision, cause, paymentId },
      at: new Date(atMs),
    }));
  const decided = verdicts.map((verdict) => ({
    action: `promise.${verdict.status}`,
    actor: verdict.decidedBy,
    details: { revision: verdict.revision, reason: verdict.reason, sentence: verdict.sentence },
    at: verdict.decidedAt,
  }));
  const revisionOf = (event: { details: { revision: number } }): number => event.details.revision;
  // A revision opens before it ends.
  return [...reopened, ...decided].sort((a, b) => revisionOf(a) - revisionOf(b));
}

function usesOf(outcome: Outcome): object[] {
  const uses = new Map<string, number>();
  for (const { takes } of outcome.lines) {
    for (const { paymentId, cents } of takes) uses.set(paymentId, (uses.get(paymentId) ?? 0) + cents);
  }
  return [...uses].map(([paymentId, cents]) => ({ paymentId, cents }));
}
