import type { EpochMs } from '../../rules/calendar';
import type { Evaluation, Notice, Outcome } from '../../rules/decide';
import type { Verdict } from '../../rules/explain';
import { usesOf } from '../../rules/judging/life';
import { rows, type Tx } from '../connection';
import type { PromiseRow } from './facts';
import { newNoticeRow, type OutboxRow } from '../outbox';
import { isToldOutside } from '../collections/targets';

/** What a settlement has to write. */
export interface Recording {
  readonly promise: PromiseRow;
  readonly evaluation: Evaluation;
  /** Outcomes that this settlement decided, with their verdicts. */
  readonly fresh: readonly Outcome[];
  readonly verdicts: readonly Verdict[];
  readonly outbox: readonly OutboxRow[];
  readonly asOfMs: EpochMs;
  /** Milliseconds that the relay leaves a fresh outcome to the caller. */
  readonly relayAfterMs: number;
}

// One statement for everything that a settlement writes, since each round trip is paid by every promise.
const RECORD = `
with target as (select ${isToldOutside(':tenantId')} as outside),
new_promise as (
  update promise set status = :status, reason = :reason, revision = :revision,
         decided_revision = greatest(decided_revision, :decidedRevision),
         next_judge_at = :nextJudgeAt, ended_at = :endedAt, settled_as_of = :asOf,
         activated_at = coalesce(activated_at, :activatedAt),
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
  insert into payment_use (tenant_id, promise_id, payment_id, revision, cents, used_at)
  select :tenantId, :promiseId, u."paymentId", u.revision, u.cents, u."usedAt"
    from json_to_recordset(cast(:uses as json))
      as u("paymentId" text, revision integer, cents bigint, "usedAt" timestamptz)
  on conflict do nothing
  returning 1),
new_notices as (
  insert into promise_notice (tenant_id, promise_id, notice_id, kind, revision, details, at)
  select :tenantId, :promiseId, n.id, n.kind, n.revision, n.details, n.at
    from json_to_recordset(cast(:notices as json))
      as n(id text, kind text, revision integer, details jsonb, at timestamptz)
  on conflict do nothing
  returning notice_id),
-- What begins or changes a promise is told to a case that is open; what goes wrong opens one. A system outside hears all.
notice_outbox as (
  insert into outbox (tenant_id, kind, promise_id, workflow_id, payload, created_at, next_try_at)
  select :tenantId, case when o.kind = 'activated' then o.kind else 'notice' end, :promiseId, o."workflowId",
         o.payload, :realNow, :realNow
    from json_to_recordset(cast(:noticeOutbox as json))
      as o("noticeId" text, kind text, "workflowId" text, payload jsonb)
   where exists (select 1 from new_notices n where n.notice_id = o."noticeId")
     and (o.kind not in ('activated', 'amended') or (select outside from target) or exists (
           select 1 from collections_case c
            where c.tenant_id = :tenantId and c.account_id = :accountId and c.debt_class = :debtClass
              and c.status = 'open'))
  returning 1),
new_outbox as (
  insert into outbox (tenant_id, kind, promise_id, workflow_id, payload, created_at, next_try_at)
  select :tenantId, o.kind, :promiseId, o."workflowId", o.payload, :realNow,
         case when (select outside from target) then cast(:realNow as timestamptz) else :relayAt end
    from json_to_recordset(cast(:outbox as json))
      as o(position integer, kind text, "workflowId" text, payload jsonb)
   order by o.position
  returning outbox_id)
select outbox_id as "outboxId", (select outside from target) as outside from new_outbox order by outbox_id`;

export interface QueuedOutcome {
  readonly outboxId: number;
  readonly outside: boolean;
}

/**
 * Writes what a settlement decided and queues what collections must hear, under the promise's lock.
 * @returns the outbox ids of the outcomes, in their order, and whether a system outside hears of them.
 */
export async function recordSettlement(
  tx: Tx,
  tenantId: string,
  recording: Recording,
): Promise<QueuedOutcome[]> {
  const { promise, evaluation, verdicts, outbox, asOfMs, relayAfterMs } = recording;
  const last = evaluation.outcomes.at(-1);
  const isOpen = evaluation.status === 'active' || evaluation.status === 'pending';
  const final = !isOpen && last !== undefined;
  const { notices } = evaluation;
  const activated = notices.find(({ kind }) => kind === 'activated');
  const realNow = Date.now();
  return rows<QueuedOutcome>(
    tx,
    RECORD,
    {
      tenantId,
      promiseId: promise.promiseId,
      accountId: promise.accountId,
      debtClass: promise.debtClass,
      scheduleNo: promise.scheduleNo,
      status: evaluation.status,
      reason: evaluation.reason,
      revision: evaluation.revision,
      decidedRevision: last?.revision ?? 0,
      nextJudgeAt: evaluation.nextJudgeAtMs === null ? null : new Date(evaluation.nextJudgeAtMs),
      endedAt: final ? new Date(last.atMs) : null,
      asOf: new Date(asOfMs),
      activatedAt: activated === undefined ? null : new Date(activated.atMs),
      realNow: new Date(realNow),
      relayAt: new Date(realNow + relayAfterMs),
      lines: JSON.stringify(evaluation.lines.map(storedLine)),
      revisions: JSON.stringify(newRevisions(promise, evaluation)),
      verdicts: JSON.stringify(verdicts.map(storedVerdict)),
      audits: JSON.stringify(auditsOf(promise, evaluation, verdicts)),
      uses: JSON.stringify(recording.fresh.flatMap(usesToStore)),
      notices: JSON.stringify(notices.map(storedNotice)),
      noticeOutbox: JSON.stringify(notices.map((notice) => newNoticeRow(tenantId, promise, notice))),
      outbox: JSON.stringify(outbox.map((message, position) => ({ ...message, position }))),
    },
    { prepareAs: 'record' },
  );
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
  return evaluation.revisions
    .filter(({ revision }) => revision > promise.revision)
    .map(({ revision, cause, paymentId, atMs }) => ({ revision, cause, paymentId, at: new Date(atMs) }));
}

function storedNotice({ id, kind, revision, atMs, seq, paymentId }: Notice): object {
  return { id, kind, revision, at: new Date(atMs), details: { seq, paymentId } };
}

function auditsOf(promise: PromiseRow, evaluation: Evaluation, verdicts: readonly Verdict[]): object[] {
  const reopened = evaluation.revisions
    .filter(({ revision, cause }) => revision > promise.revision && cause !== 'amended')
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

/** R11: what an ended promise has counted belongs to it from then on. */
function usesToStore({ lines, revision, atMs }: Outcome): object[] {
  const usedAt = new Date(atMs);
  return [...usesOf(lines)].map(([paymentId, cents]) => ({ paymentId, revision, cents, usedAt }));
}
