import type { EpochMs } from '../rules/calendar';
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
