import type { AgreedPart } from '../rules/agreement';
import type { EpochMs, LocalDate } from '../rules/calendar';
import type { Verdict } from '../rules/explain';
import type { Notice } from '../rules/decide';
import type { FinalStatus } from '../rules/facts';
import type { RepeatTerms, Terms } from '../rules/terms';
import { collectionsWorkflowId } from '../platform/ids';
import { retryAfterMs } from '../platform/retry';
import { MS, rows, type Tx } from './connection';
import { wakeNewlyDue } from './collections/waking';
import type { PromiseRow } from './promises/facts';
import { isToldOutside } from './collections/targets';

/** What collections hears when a promise begins or ends: ids and dates, no personal data. */
export interface OutcomeMessage {
  readonly outcomeId: string;
  readonly tenantId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly promiseId: string;
  readonly revision: number;
  readonly kind: FinalStatus | Notice['kind'];
  readonly reason: string | null;
  readonly at: string;
}

export type OutboxKind = 'start' | 'review' | 'clock' | 'outcome' | 'activated' | 'notice';

/** A message that waits to be delivered to Temporal. */
export interface OutboxRow {
  readonly kind: 'outcome' | 'activated';
  readonly workflowId: string;
  readonly payload: OutcomeMessage;
}

/** What was agreed, as it stands: for Temporal UI. */
export interface Agreed extends Omit<Terms, 'repeat'> {
  readonly timeZone: string;
  readonly repeatTerms: RepeatTerms | null;
  readonly approvalUntilMs: EpochMs | null;
  readonly hasDownPayment: boolean;
  readonly parts: readonly (AgreedPart & { readonly lastDay: LocalDate })[];
}

/** A row as the relay claims it. */
export interface ClaimedRow {
  readonly outboxId: number;
  readonly tenantId: string;
  readonly kind: OutboxKind;
  readonly promiseId: string;
  readonly workflowId: string;
  readonly payload: unknown;
  readonly attempts: number;
  /** The promise as it is now, not as it was when the row was written. */
  readonly status: string;
  readonly revision: number;
  readonly nextJudgeAtMs: number | null;
  readonly clockOffsetMs: number;
  readonly sandbox: boolean;
  readonly accountId: string;
  readonly debtClass: string;
  /** What a workflow is started with for people to read; null where none may be started. */
  readonly agreed: Agreed | null;
  /** Whether a system outside is told instead of Troth's own collections. */
  readonly outside: boolean;
}

/** The one id of a promise revision's outcome; collections dedupes by it. */
export function outcomeIdOf(promiseId: string, revision: number, kind: OutcomeMessage['kind']): string {
  return `${promiseId}/${revision}/${kind}`;
}

/** The outbox row that tells collections of a verdict. */
export function newOutcomeRow(
  tenantId: string,
  promise: Pick<PromiseRow, 'accountId' | 'debtClass' | 'promiseId'>,
  verdict: Pick<Verdict, 'revision' | 'status' | 'reason' | 'decidedAt'>,
): OutboxRow {
  return {
    kind: 'outcome',
    workflowId: collectionsWorkflowId(tenantId, promise.accountId, promise.debtClass),
    payload: {
      outcomeId: outcomeIdOf(promise.promiseId, verdict.revision, verdict.status),
      tenantId,
      accountId: promise.accountId,
      debtClass: promise.debtClass,
      promiseId: promise.promiseId,
      revision: verdict.revision,
      kind: verdict.status,
      reason: verdict.reason,
      at: verdict.decidedAt,
    },
  };
}

/** What tells collections of a step that is no outcome (R15, R18, R19). */
export function newNoticeRow(
  tenantId: string,
  promise: Pick<PromiseRow, 'accountId' | 'debtClass' | 'promiseId'>,
  { id, kind, revision, atMs }: Notice,
): { noticeId: string; kind: Notice['kind']; workflowId: string; payload: OutcomeMessage } {
  const { accountId, debtClass, promiseId } = promise;
  return {
    noticeId: id,
    kind,
    workflowId: collectionsWorkflowId(tenantId, accountId, debtClass),
    payload: {
      ...{ outcomeId: `${promiseId}/${id}`, tenantId, accountId, debtClass, promiseId, revision, kind },
      reason: null,
      at: new Date(atMs).toISOString(),
    },
  };
}

/** Queues a message to a promise's workflow. */
export async function enqueue(
  tx: Tx,
  tenantId: string,
  message: { kind: OutboxKind; promiseId: string; workflowId: string; payload?: object },
): Promise<void> {
  await rows(
    tx,
    `insert into outbox (tenant_id, kind, promise_id, workflow_id, payload, created_at, next_try_at)
     values (:tenantId, :kind, :promiseId, :workflowId, cast(:payload as jsonb), :now, :now)`,
    {
      tenantId,
      kind: message.kind,
      promiseId: message.promiseId,
      workflowId: message.workflowId,
      payload: JSON.stringify(message.payload ?? {}),
      now: new Date(),
    },
  );
}

/**
 * Queues one message of a kind for each of some promises, unless one of that kind waits already.
 * @returns how many were queued.
 */
export async function enqueueAll(
  tx: Tx,
  kind: OutboxKind,
  promises: readonly { readonly tenantId: string; readonly promiseId: string; readonly workflowId: string }[],
): Promise<number> {
  if (promises.length === 0) return 0;
  const queued = await rows(
    tx,
    `insert into outbox (tenant_id, kind, promise_id, workflow_id, created_at, next_try_at)
     select p."tenantId", :kind, p."promiseId", p."workflowId", :now, :now
       from json_to_recordset(cast(:promises as json)) as p("tenantId" text, "promiseId" text, "workflowId" text)
      where not exists (select 1 from outbox b
                         where b.tenant_id = p."tenantId" and b.promise_id = p."promiseId"
                           and b.kind = :kind and b.delivered_at is null)
     returning outbox_id`,
    { kind, promises: JSON.stringify(promises), now: new Date() },
  );
  return queued.length;
}

/** A moved clock ticks on: promises that come due within this time have a timer that the old clock set. */
const TICKING_MS = 3_600_000;

/** Tells the workflows that a moved clock makes due, or soon will, in the transaction that moved it. */
export async function enqueueNewlyDue(
  tx: Tx,
  tenantId: string,
  moved: { readonly fromMs: number; readonly toMs: number },
): Promise<number> {
  const due = await rows<{ tenantId: string; promiseId: string; workflowId: string }>(
    tx,
    `insert into outbox (tenant_id, kind, promise_id, workflow_id, created_at, next_try_at)
     select tenant_id, 'clock', promise_id, workflow_id, :now, :now from promise
      where tenant_id = :tenantId and status in ('pending', 'active')
        and next_judge_at > :from and next_judge_at <= :to
     returning promise_id`,
    { tenantId, from: new Date(moved.fromMs), to: new Date(moved.toMs + TICKING_MS), now: new Date() },
  );
  await wakeNewlyDue(tx, tenantId, new Date(moved.toMs + TICKING_MS));
  return due.length;
}

/**
 * Tells every open promise of a tenant that its clock was moved, in the transaction that moved it: each waits with a
 * timer that was set by the old clock.
 * @returns how many are told.
 */
export async function enqueueClock(tx: Tx, tenantId: string): Promise<number> {
  await wakeNewlyDue(tx, tenantId, new Date('9999-12-31'));
  const told = await rows(
    tx,
    `insert into outbox (tenant_id, kind, promise_id, workflow_id, created_at, next_try_at)
     select tenant_id, 'clock', promise_id, workflow_id, :now, :now from promise
      where tenant_id = :tenantId and status in ('pending', 'active')
      order by next_judge_at, promise_id
     returning promise_id`,
    { tenantId, now: new Date() },
  );
  return told.length;
}

/** Has the workflows of some promises look at the ledger again; missing ones are started. */
export function reviewAll(
  tx: Tx,
  promises: readonly { readonly tenantId: string; readonly promiseId: string; readonly workflowId: string }[],
): Promise<number> {
  return enqueueAll(tx, 'review', promises);
}

const LEASE_MS = 30_000;

const AGREED = `
json_build_object(
  'payor', p.payor, 'currency', p.currency, 'timeZone', t.time_zone,
  'policyName', p.policy_name, 'policyVersion', p.policy_version, 'autoManaged', p.auto_managed,
  'stayCurrent', (select coalesce(cast(l.options ->> 'stayCurrent' as boolean), false) from policy l
                   where l.tenant_id = p.tenant_id and l.name = p.policy_name and l.version = p.policy_version),
  'repeatTerms', case when p.schedule_no = 1 then p.repeat_terms end,
  'approvalUntilMs', ${MS('p.approval_deadline_at')},
  'hasDownPayment', p.has_down_payment,
  'parts', (select coalesce(json_agg(json_strip_nulls(json_build_object(
                     'dueDate', i.due_date, 'lastDay', i.last_day, 'amountCents', i.amount_cents,
                     'transactionId', i.transaction_id)) order by i.seq), '[]')
              from installment i
             where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id and i.schedule_no = p.schedule_no))`;

/**
 * Claims waiting messages for one relay; others skip them. A claim is a lease: if the relay dies, they wait again.
 * Rows come in the order they were written.
 */
export async function claim(tx: Tx, limit: number): Promise<ClaimedRow[]> {
  const now = Date.now();
  return rows<ClaimedRow>(
    tx,
    `with claimed as (
       update outbox set next_try_at = :lease, attempts = attempts + 1
        where outbox_id in (select outbox_id from outbox
                             where delivered_at is null and next_try_at <= :now
                             order by next_try_at, outbox_id limit :limit for update skip locked)
       returning outbox_id, tenant_id, kind, promise_id, workflow_id, payload, attempts)
     select c.outbox_id as "outboxId", c.tenant_id as "tenantId", c.kind, c.promise_id as "promiseId",
            c.workflow_id as "workflowId", c.payload, c.attempts, p.status, p.revision,
            ${MS('p.next_judge_at')} as "nextJudgeAtMs",
            t.clock_offset_ms as "clockOffsetMs", t.sandbox, p.account_id as "accountId", p.debt_class as "debtClass",
            case when c.kind in ('start', 'review') then ${AGREED} end as agreed,
            c.kind in ('outcome', 'activated', 'notice') and ${isToldOutside('c.tenant_id')} as outside
       from claimed c
       join promise p on p.tenant_id = c.tenant_id and p.promise_id = c.promise_id
       join tenant t on t.tenant_id = c.tenant_id
      order by c.outbox_id`,
    { lease: new Date(now + LEASE_MS), now: new Date(now), limit },
  );
}

/** Marks messages as delivered. */
export async function delivered(tx: Tx, outboxIds: readonly number[]): Promise<void> {
  if (outboxIds.length === 0) return;
  await rows(
    tx,
    'update outbox set delivered_at = :now, last_error = null where outbox_id = any(:outboxIds)',
    {
      outboxIds,
      now: new Date(),
    },
  );
}

/** Puts a message back with a growing, jittered delay; attempts and the last error stay visible. */
export async function postpone(tx: Tx, claimed: ClaimedRow, error: string): Promise<void> {
  await rows(tx, 'update outbox set next_try_at = :at, last_error = :error where outbox_id = :outboxId', {
    outboxId: claimed.outboxId,
    at: new Date(Date.now() + retryAfterMs(claimed.attempts + 1, Math.random())),
    error: error.slice(0, 500),
  });
}

/** Removes what was delivered long ago; the audit trail keeps the story. */
export async function forgetDelivered(tx: Tx, olderThan: Date): Promise<number> {
  const gone = await rows(
    tx,
    `delete from outbox where outbox_id in (
       select outbox_id from outbox where delivered_at < :olderThan order by delivered_at limit 10000)
     returning outbox_id`,
    { olderThan },
  );
  return gone.length;
}

export interface OutboxState {
  readonly waiting: number;
  readonly oldestSeconds: number;
  readonly failing: number;
}

/** What waits to be delivered, for metrics and the doctor. */
export async function outboxState(tx: Tx): Promise<OutboxState> {
  const [state] = await rows<OutboxState>(
    tx,
    `select count(*) as waiting, count(*) filter (where attempts > 3) as failing,
            coalesce(cast(extract(epoch from now() - min(created_at)) as integer), 0) as "oldestSeconds"
       from outbox where delivered_at is null`,
    {},
  );
  return state ?? { waiting: 0, oldestSeconds: 0, failing: 0 };
}
