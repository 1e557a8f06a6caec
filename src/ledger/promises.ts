import type { EpochMs } from '../rules/calendar';
import type { Verdict } from '../rules/explain';
import type { Line } from '../rules/facts';
import type { Policy, PolicyOptions } from '../rules/policy';
import { invariant } from '../platform/errors';
import { rows, row, type Tx } from './connection';

/** A promise to be recorded; everything has been validated. */
export interface NewPromise {
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly payor: string;
  readonly currency: string;
  readonly startDate: string;
  readonly policyName: string;
  readonly policyVersion: number;
  readonly calendarVersion: string;
  readonly totalCents: number;
  readonly nextJudgeAtMs: EpochMs;
  readonly workflowId: string;
  readonly enrollmentHash: string;
  readonly enrolledAtMs: EpochMs;
  readonly enrolledBy: string;
  readonly lines: readonly Line[];
}

/** Records a promise with its first revision and installments. @returns false when the id or workflow is known. */
export async function insertPromise(tx: Tx, tenantId: string, promise: NewPromise): Promise<boolean> {
  const inserted = await rows(
    tx,
    `with new_promise as (
       insert into promise (tenant_id, promise_id, account_id, debt_class, payor, currency, start_date, policy_name,
                            policy_version, calendar_version, total_cents, status, next_judge_at, settled_as_of,
                            workflow_id, enrollment_hash, enrolled_at, enrolled_by)
       values (:tenantId, :promiseId, :accountId, :debtClass, :payor, :currency, :startDate, :policyName,
               :policyVersion, :calendarVersion, :totalCents, 'active', :nextJudgeAt, :enrolledAt,
               :workflowId, :enrollmentHash, :enrolledAt, :enrolledBy)
       on conflict (tenant_id, promise_id) do nothing
       returning tenant_id, promise_id),
     new_revision as (
       insert into promise_revision (tenant_id, promise_id, revision, schedule_no, cause, at)
       select tenant_id, promise_id, 1, 1, 'enrolled', :enrolledAt from new_promise)
     insert into installment (tenant_id, promise_id, schedule_no, seq, due_date, amount_cents, last_day,
                              deadline_at, judge_at)
     select p.tenant_id, p.promise_id, 1, l.seq, l."dueDate", l."amountCents", l."lastDay",
            to_timestamp(l."deadlineMs" / 1000.0), to_timestamp(l."judgeAtMs" / 1000.0)
       from new_promise p, json_to_recordset(cast(:lines as json))
         as l(seq integer, "dueDate" date, "amountCents" bigint, "lastDay" date, "deadlineMs" bigint,
              "judgeAtMs" bigint)
     returning seq`,
    {
      ...promise,
      tenantId,
      nextJudgeAt: new Date(promise.nextJudgeAtMs),
      enrolledAt: new Date(promise.enrolledAtMs),
      lines: JSON.stringify(promise.lines),
    },
  );
  return inserted.length > 0;
}

/** What makes an enrollment the same as one before. */
export interface KnownEnrollment {
  readonly promiseId: string;
  readonly workflowId: string;
  readonly enrollmentHash: string;
  readonly status: string;
}

/** A promise that was enrolled before under this id or by this workflow. */
export async function findEnrollment(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  workflowId: string,
): Promise<KnownEnrollment | undefined> {
  return row<KnownEnrollment>(
    tx,
    `select promise_id as "promiseId", workflow_id as "workflowId", enrollment_hash as "enrollmentHash", status
       from promise
      where tenant_id = :tenantId and (promise_id = :promiseId or workflow_id = :workflowId)
      order by (promise_id = :promiseId) desc limit 1`,
    { tenantId, promiseId, workflowId },
  );
}

/** What the ledger knows of an enrollment before it is written. */
export interface EnrollmentGround {
  /** Enrolled before under this id, or by this workflow. */
  readonly known: KnownEnrollment | null;
  /** The account's debt classes; null when there is no such account. */
  readonly debtClasses: readonly string[] | null;
  /** The active promise of this payor on this debt (R25: at most one). */
  readonly active: string | null;
  /** Whether any money has come for this debt. */
  readonly hasMoney: boolean;
  /** The workflow of the debt's case, when one is open. */
  readonly caseWorkflow: string | null;
  /** The newest version of the tenant's policy. */
  readonly policy: Policy | null;
}

/** Looks at everything that an enrollment meets, at one instant and in one round trip: each is paid by every row. */
export async function enrollmentGround(
  tx: Tx,
  tenant: { readonly tenantId: string; readonly policyName: string },
  ids: { readonly promiseId: string; readonly workflowId: string },
  debt: { readonly accountId: string; readonly debtClass: string; readonly payor: string },
): Promise<EnrollmentGround> {
  const { accountId, debtClass, payor } = debt;
  const found = await row<Omit<EnrollmentGround, 'policy'> & { readonly policy: StoredPolicy | null }>(
    tx,
    `select
       (select json_build_object('promiseId', promise_id, 'workflowId', workflow_id,
                                 'enrollmentHash', enrollment_hash, 'status', status)
          from promise
         where tenant_id = :tenantId and (promise_id = :promiseId or workflow_id = :workflowId)
         order by (promise_id = :promiseId) desc limit 1) as known,
       (select debt_classes from account
         where tenant_id = :tenantId and account_id = :accountId) as "debtClasses",
       (select promise_id from promise
         where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass and payor = :payor
           and status in ('pending', 'active')) as active,
       exists (select 1 from payment
                where tenant_id = :tenantId and account_id = :accountId
                  and debt_class = :debtClass) as "hasMoney",
       (select workflow_id from collections_case
         where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
           and status = 'open') as "caseWorkflow",
       (select json_build_object('name', name, 'version', version, 'options', options) from policy
         where tenant_id = :tenantId and name = :policyName order by version desc limit 1) as policy`,
    { ...ids, accountId, debtClass, payor, tenantId: tenant.tenantId, policyName: tenant.policyName },
  );
  invariant(found !== undefined, 'A select without a table has one row');
  return { ...found, policy: found.policy === null ? null : policyOf(found.policy) };
}

interface StoredPolicy {
  readonly name: string;
  readonly version: number;
  readonly options: PolicyOptions;
}

function policyOf({ name, version, options }: StoredPolicy): Policy {
  return { name, version, ...options };
}

/** Marks a promise as cancelled by an actor; `settleLocked` makes the verdict of it. */
export async function markCancelled(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  cancel: {
    readonly atMs: EpochMs;
    readonly reason: string;
    readonly note: string | null;
    readonly actor: string;
    readonly requestId: string | null;
  },
): Promise<void> {
  await rows(
    tx,
    `update promise set cancelled_at = :at, cancel_reason = :reason, cancel_note = :note, cancel_actor = :actor,
            cancel_request_id = :requestId
      where tenant_id = :tenantId and promise_id = :promiseId`,
    {
      tenantId,
      promiseId,
      at: new Date(cancel.atMs),
      reason: cancel.reason,
      note: cancel.note,
      actor: cancel.actor,
      requestId: cancel.requestId,
    },
  );
}

/** Puts a promise on the worklist: something stands in its way that a person must see. */
export async function needAttention(tx: Tx, tenantId: string, promiseId: string, why: string): Promise<void> {
  await rows(
    tx,
    `update promise set attention = :why, attention_at = :now
      where tenant_id = :tenantId and promise_id = :promiseId`,
    { tenantId, promiseId, why: why.slice(0, 2000), now: new Date() },
  );
}

/** One line of `troth promise list`. */
export interface PromiseSummary {
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly status: string;
  readonly reason: string | null;
  readonly revision: number;
  readonly currency: string;
  readonly totalCents: number;
  readonly countedCents: number;
  readonly installments: number;
  readonly firstDueDate: string;
  readonly lastDueDate: string;
  readonly nextJudgeAt: Date | null;
  readonly endedAt: Date | null;
  readonly sentence: string | null;
  readonly attention: string | null;
}

const SUMMARY = `
select p.promise_id as "promiseId", p.account_id as "accountId", p.debt_class as "debtClass", p.status, p.reason,
       p.revision, p.currency, p.total_cents as "totalCents", i.counted as "countedCents",
       i.parts as installments, i.first as "firstDueDate", i.last as "lastDueDate",
       p.next_judge_at as "nextJudgeAt", p.ended_at as "endedAt", p.attention,
       case when p.status in ('pending', 'active') then null else
         (select v.sentence from verdict v
           where v.tenant_id = p.tenant_id and v.promise_id = p.promise_id
           order by v.revision desc limit 1) end as sentence
  from promise p
  join lateral (
    select cast(sum(counted_cents) as bigint) as counted, cast(count(*) as integer) as parts,
           min(due_date) as first, max(due_date) as last
      from installment i
     where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id and i.schedule_no = p.schedule_no) i on true`;

export interface PromiseFilter {
  readonly status?: string;
  readonly accountId?: string;
  readonly limit: number;
  /** Ids greater than this one: the page after it. */
  readonly after?: string;
}

/** Promises of a tenant by id, filtered, a page at a time. */
export async function listPromises(
  tx: Tx,
  tenantId: string,
  filter: PromiseFilter,
): Promise<PromiseSummary[]> {
  return rows<PromiseSummary>(
    tx,
    `${SUMMARY}
      where p.tenant_id = :tenantId and p.promise_id > :after
        and (cast(:status as text) is null or p.status = :status)
        and (cast(:accountId as text) is null or p.account_id = :accountId)
      order by p.promise_id limit :limit`,
    {
      tenantId,
      after: filter.after ?? '',
      status: filter.status ?? null,
      accountId: filter.accountId ?? null,
      limit: filter.limit,
    },
  );
}

export interface StoredInstallment {
  readonly seq: number;
  readonly dueDate: string;
  readonly lastDay: string;
  readonly judgeAt: Date;
  readonly amountCents: number;
  readonly countedCents: number;
  readonly status: string;
}

export interface StoredVerdict {
  readonly revision: number;
  readonly status: string;
  readonly reason: string;
  readonly sentence: string;
  readonly evidence: Verdict;
  readonly decidedAt: Date;
}

/** A promise with its installments and verdicts. */
export interface PromiseDetail extends PromiseSummary {
  readonly startDate: string;
  readonly workflowId: string;
  readonly policyName: string;
  readonly policyVersion: number;
  readonly enrolledAt: Date;
  readonly enrolledBy: string;
  readonly schedule: readonly StoredInstallment[];
  readonly verdicts: readonly StoredVerdict[];
}

/** One promise in full, or undefined. */
export async function findPromise(
  tx: Tx,
  tenantId: string,
  promiseId: string,
): Promise<PromiseDetail | undefined> {
  const key = { tenantId, promiseId };
  const summary = await row<PromiseSummary>(
    tx,
    `${SUMMARY} where p.tenant_id = :tenantId and p.promise_id = :promiseId`,
    key,
  );
  if (summary === undefined) return undefined;
  const rest = await row<Omit<PromiseDetail, keyof PromiseSummary | 'schedule' | 'verdicts'>>(
    tx,
    `select start_date as "startDate", workflow_id as "workflowId", policy_name as "policyName",
            policy_version as "policyVersion", enrolled_at as "enrolledAt", enrolled_by as "enrolledBy"
       from promise where tenant_id = :tenantId and promise_id = :promiseId`,
    key,
  );
  const schedule = await rows<StoredInstallment>(
    tx,
    `select i.seq, i.due_date as "dueDate", i.last_day as "lastDay", i.judge_at as "judgeAt",
            i.amount_cents as "amountCents", i.counted_cents as "countedCents", i.status
       from installment i
       join promise p on p.tenant_id = i.tenant_id and p.promise_id = i.promise_id
        and p.schedule_no = i.schedule_no
      where i.tenant_id = :tenantId and i.promise_id = :promiseId order by i.seq`,
    key,
  );
  const verdicts = await rows<StoredVerdict>(
    tx,
    `select revision, status, reason, sentence, evidence, decided_at as "decidedAt"
       from verdict where tenant_id = :tenantId and promise_id = :promiseId order by revision`,
    key,
  );
  return rest === undefined ? undefined : { ...summary, ...rest, schedule, verdicts };
}

/** A promise whose workflow should be running. */
export interface OpenPromise {
  readonly tenantId: string;
  readonly promiseId: string;
  readonly workflowId: string;
  readonly nextJudgeAtMs: number | null;
}

const OPEN = `
select p.tenant_id as "tenantId", p.promise_id as "promiseId", p.workflow_id as "workflowId",
       cast(extract(epoch from p.next_judge_at) * 1000 as bigint) as "nextJudgeAtMs"
  from promise p`;

/** How many promises are open, over all tenants that the transaction sees. */
export async function countOpen(tx: Tx): Promise<number> {
  const counted = await row<{ open: number }>(
    tx,
    "select count(*) as open from promise where status in ('pending', 'active')",
    {},
  );
  return counted?.open ?? 0;
}

/** Which open promises: of one tenant, or only those to which nothing has been sent lately. */
export interface OpenFilter {
  readonly tenantId?: string;
  readonly quietSince?: Date;
}

/** Open promises in order of (tenant, promise), a page at a time. */
export async function openPromises(
  tx: Tx,
  after: { readonly tenantId: string; readonly promiseId: string },
  limit: number,
  filter: OpenFilter = {},
): Promise<OpenPromise[]> {
  return rows<OpenPromise>(
    tx,
    `${OPEN}
      where p.status in ('pending', 'active') and (p.tenant_id, p.promise_id) > (:tenantId, :promiseId)
        and (cast(:onlyTenant as text) is null or p.tenant_id = :onlyTenant)
        and (cast(:quietSince as timestamptz) is null or not exists (
          select 1 from outbox b
           where b.tenant_id = p.tenant_id and b.promise_id = p.promise_id
             and (b.delivered_at is null or b.delivered_at > :quietSince)))
      order by p.tenant_id, p.promise_id limit :limit`,
    {
      tenantId: after.tenantId,
      promiseId: after.promiseId,
      limit,
      onlyTenant: filter.tenantId ?? null,
      quietSince: filter.quietSince ?? null,
    },
  );
}

/** Open promises past their judge time by more than `overdueMs`, in each tenant's own time. */
export async function overduePromises(
  tx: Tx,
  realNowMs: number,
  overdueMs: number,
  limit: number,
): Promise<OpenPromise[]> {
  return rows<OpenPromise>(
    tx,
    `${OPEN}
       join tenant t using (tenant_id)
      where p.status in ('pending', 'active') and p.attention is null
        and p.next_judge_at < to_timestamp((:realNowMs + t.clock_offset_ms - :overdueMs) / 1000.0)
      order by p.next_judge_at limit :limit`,
    { realNowMs, overdueMs, limit },
  );
}

/** Promises in numbers, for metrics. */
export async function promiseState(
  tx: Tx,
  realNowMs: number,
): Promise<{ byStatus: Record<string, number>; overdue: number; attention: number }> {
  const counts = await rows<{ status: string; count: number }>(
    tx,
    'select status, count(*) as count from promise group by status',
    {},
  );
  const open = await row<{ overdue: number; attention: number }>(
    tx,
    `select count(*) filter (where p.next_judge_at < to_timestamp((:realNowMs + t.clock_offset_ms - 60000) / 1000.0))
              as overdue,
            count(*) filter (where p.attention is not null) as attention
       from promise p join tenant t using (tenant_id) where p.status in ('pending', 'active')`,
    { realNowMs },
  );
  return {
    byStatus: Object.fromEntries(counts.map(({ status, count }) => [status, count])),
    overdue: open?.overdue ?? 0,
    attention: open?.attention ?? 0,
  };
}

/** How many promises of a tenant, or of one account, stand how. */
export async function countPromises(
  tx: Tx,
  tenantId: string,
  filter: { readonly accountId?: string } = {},
): Promise<{ readonly status: string; readonly promises: number }[]> {
  return rows(
    tx,
    `select status, cast(count(*) as integer) as promises from promise
      where tenant_id = :tenantId and (cast(:accountId as text) is null or account_id = :accountId)
      group by status
      order by array_position(array['pending', 'active', 'kept', 'broken', 'cancelled'], status)`,
    { tenantId, accountId: filter.accountId ?? null },
  );
}
