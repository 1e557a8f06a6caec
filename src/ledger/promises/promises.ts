import type { CalendarTable } from '../../rules/business-days';
import type { EpochMs, LocalDate } from '../../rules/calendar';
import type { Line } from '../../rules/facts';
import type { Cents } from '../../rules/money';
import type { Policy, PolicyOptions } from '../../rules/policy';
import { completeOptions } from '../../rules/presets';
import type { RepeatTerms } from '../../rules/terms';
import { invariant } from '../../platform/errors';
import { collectionsWorkflowId } from '../../platform/ids';
import { rows, row, type Tx } from '../connection';
import { isToldOutside } from '../collections/targets';

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
  readonly status: 'pending' | 'active';
  readonly payMethod: string | null;
  readonly autoManaged: boolean;
  readonly hasDownPayment: boolean;
  readonly repeatTerms: RepeatTerms | null;
  /** What was owed on the debt when it was enrolled; null where that is not known. */
  readonly arrearsCents: Cents | null;
  readonly approvalDeadlineMs: EpochMs | null;
  /** Null where time alone decides nothing. */
  readonly nextJudgeAtMs: EpochMs | null;
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
                            workflow_id, enrollment_hash, enrolled_at, enrolled_by, pay_method, auto_managed,
                            has_down_payment, repeat_terms, arrears_cents, approval_deadline_at, activated_at)
       values (:tenantId, :promiseId, :accountId, :debtClass, :payor, :currency, :startDate, :policyName,
               :policyVersion, :calendarVersion, :totalCents, :status, :nextJudgeAt, :enrolledAt,
               :workflowId, :enrollmentHash, :enrolledAt, :enrolledBy, :payMethod, :autoManaged,
               :hasDownPayment, cast(:repeatTerms as jsonb), :arrearsCents, :approvalDeadlineAt,
               case when :status = 'active' then cast(:enrolledAt as timestamptz) end)
       on conflict (tenant_id, promise_id) do nothing
       returning tenant_id, promise_id),
     new_revision as (
       insert into promise_revision (tenant_id, promise_id, revision, schedule_no, cause, at)
       select tenant_id, promise_id, 1, 1, 'enrolled', :enrolledAt from new_promise)
     insert into installment (${LINE_COLUMNS})
     select p.tenant_id, p.promise_id, 1, ${LINE_VALUES}
       from new_promise p, ${LINES}
     returning seq`,
    {
      ...promise,
      tenantId,
      nextJudgeAt: promise.nextJudgeAtMs === null ? null : new Date(promise.nextJudgeAtMs),
      approvalDeadlineAt: promise.approvalDeadlineMs === null ? null : new Date(promise.approvalDeadlineMs),
      repeatTerms: promise.repeatTerms === null ? null : JSON.stringify(promise.repeatTerms),
      enrolledAt: new Date(promise.enrolledAtMs),
      lines: JSON.stringify(promise.lines),
    },
  );
  return inserted.length > 0;
}

/** R22: stores the periods that time or money has reached since. */
export async function addPeriods(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  periods: readonly { readonly line: Line }[],
): Promise<void> {
  if (periods.length === 0) return;
  await insertLines(
    tx,
    tenantId,
    promiseId,
    1,
    periods.map(({ line }) => line),
  );
}

async function insertLines(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  scheduleNo: number,
  lines: readonly (Line & { readonly carried?: boolean })[],
): Promise<void> {
  await rows(
    tx,
    `insert into installment (${LINE_COLUMNS}, carried)
     select cast(:tenantId as text), cast(:promiseId as text), cast(:scheduleNo as integer), ${LINE_VALUES},
            coalesce(l.carried, false)
       from ${LINES}
     on conflict do nothing`,
    { tenantId, promiseId, scheduleNo, lines: JSON.stringify(lines) },
  );
}

const LINE_COLUMNS = `tenant_id, promise_id, schedule_no, seq, due_date, amount_cents, last_day, deadline_at, judge_at,
                      transaction_id`;
const LINE_VALUES = `l.seq, l."dueDate", l."amountCents", l."lastDay", to_timestamp(l."deadlineMs" / 1000.0),
                     to_timestamp(l."judgeAtMs" / 1000.0), l."transactionId"`;
const LINES = `json_to_recordset(cast(:lines as json))
         as l(seq integer, "dueDate" date, "amountCents" bigint, "lastDay" date, "deadlineMs" bigint,
              "judgeAtMs" bigint, "transactionId" text, carried boolean)`;

/** R18: an accepted amendment with its whole schedule; `carried` lines stay from the one before. */
export async function insertAmendment(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  amendment: {
    readonly scheduleNo: number;
    readonly atMs: EpochMs;
    readonly actor: string;
    readonly note: string | null;
    readonly requestId: string | null;
    readonly lines: readonly (Line & { readonly carried: boolean })[];
  },
): Promise<void> {
  const { scheduleNo, atMs, actor, note, requestId, lines } = amendment;
  await rows(
    tx,
    `with new_total as (
       update promise set schedule_no = :scheduleNo, total_cents = :totalCents
        where tenant_id = :tenantId and promise_id = :promiseId)
     insert into amendment (tenant_id, promise_id, schedule_no, at, actor, note, request_id)
     values (:tenantId, :promiseId, :scheduleNo, :at, :actor, :note, :requestId)`,
    {
      ...{ tenantId, promiseId, scheduleNo, actor, note, requestId },
      at: new Date(atMs),
      totalCents: lines.reduce((total, { amountCents }) => total + amountCents, 0),
    },
  );
  await insertLines(tx, tenantId, promiseId, scheduleNo, lines);
}

/** The schedule that a request for an amendment made before; the same request again is answered as before. */
export async function findAmendment(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  requestId: string,
): Promise<{ readonly scheduleNo: number } | undefined> {
  return row(
    tx,
    `select schedule_no as "scheduleNo" from amendment
      where tenant_id = :tenantId and promise_id = :promiseId and request_id = :requestId`,
    { tenantId, promiseId, requestId },
  );
}

/** Keeps when time alone next decides something, where the enrollment alone could not tell. */
export async function keepNextTick(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  nextJudgeAtMs: EpochMs | null,
): Promise<void> {
  await rows(
    tx,
    'update promise set next_judge_at = :at where tenant_id = :tenantId and promise_id = :promiseId',
    { tenantId, promiseId, at: nextJudgeAtMs === null ? null : new Date(nextJudgeAtMs) },
  );
}

/** R25: records a second person's decision. */
export async function markApproval(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  decision: {
    readonly approved: boolean;
    readonly atMs: EpochMs;
    readonly actor: string;
    readonly note: string | null;
    readonly requestId: string | null;
  },
): Promise<void> {
  const { approved, atMs, actor, note, requestId } = decision;
  await rows(
    tx,
    `update promise set approved = :approved, approval_at = :at, approval_actor = :actor, approval_note = :note,
            approval_request_id = :requestId
      where tenant_id = :tenantId and promise_id = :promiseId`,
    { tenantId, promiseId, approved, at: new Date(atMs), actor, note, requestId },
  );
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
  /** Whether the debt has, or had, another promise. */
  readonly hasOthers: boolean;
  /** Whether any money has come for this debt. */
  readonly hasMoney: boolean;
  /** The workflow of the debt's case, when one is open or a system outside stands in for it: it hears of activations. */
  readonly caseWorkflow: string | null;
  /** The newest version of the policy asked for. */
  readonly policy: Policy | null;
  /** The tenant's newest calendar. */
  readonly calendar: CalendarTable | null;
  /** Open promises of the account over all debt classes. */
  readonly openPromises: number;
  /** The tenant's dates on which promises of the account broke that are broken still, newest first. */
  readonly brokenOn: readonly LocalDate[];
  /** What is open on the debt's transactions; null where the CIS has sent none. */
  readonly arrearsCents: Cents | null;
  /** The open items that the enrollment names, with what is open on each. */
  readonly items: Readonly<Record<string, Cents>>;
}

/** Looks at everything that an enrollment meets, at one instant and in one round trip: each is paid by every row. */
export async function enrollmentGround(
  tx: Tx,
  tenant: { readonly tenantId: string; readonly policyName: string; readonly timeZone: string },
  ids: { readonly promiseId: string; readonly workflowId: string },
  debt: {
    readonly accountId: string;
    readonly debtClass: string;
    readonly payor: string;
    readonly items: readonly string[];
  },
): Promise<EnrollmentGround> {
  const { accountId, debtClass, payor, items } = debt;
  const found = await row<
    Omit<EnrollmentGround, 'policy'> & { readonly policy: StoredPolicy | null; readonly toldOutside: boolean }
  >(
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
       exists (select 1 from promise
                where tenant_id = :tenantId and account_id = :accountId
                  and debt_class = :debtClass) as "hasOthers",
       exists (select 1 from payment
                where tenant_id = :tenantId and account_id = :accountId
                  and debt_class = :debtClass) as "hasMoney",
       (select workflow_id from collections_case
         where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
           and status = 'open') as "caseWorkflow",
       ${isToldOutside(':tenantId')} as "toldOutside",
       (select json_build_object('name', name, 'version', version, 'options', options) from policy
         where tenant_id = :tenantId and name = :policyName order by version desc limit 1) as policy,
       (select json_build_object('version', version, 'weekend', weekend, 'closedDays', closed_days,
                                 'cutoff', cutoff) from calendar
         where tenant_id = :tenantId order by version desc limit 1) as calendar,
       (select cast(count(*) as integer) from promise
         where tenant_id = :tenantId and account_id = :accountId
           and status in ('pending', 'active')) as "openPromises",
       coalesce((select json_agg(b.day order by b.day desc) from (
          select cast(ended_at at time zone :timeZone as date) as day from promise
           where tenant_id = :tenantId and account_id = :accountId and status = 'broken'
           order by ended_at desc limit 200) b), '[]') as "brokenOn",
       (select cast(sum(open_cents) as bigint) from transaction
         where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass) as "arrearsCents",
       coalesce((select json_object_agg(transaction_id, open_cents) from transaction
         where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
           and transaction_id = any(:items)), '{}') as items`,
    {
      ...{ ...ids, accountId, debtClass, payor, items: [...items] },
      ...{ tenantId: tenant.tenantId, policyName: tenant.policyName, timeZone: tenant.timeZone },
    },
  );
  invariant(found !== undefined, 'A select without a table has one row');
  const { toldOutside, policy, caseWorkflow, ...rest } = found;
  return {
    ...rest,
    caseWorkflow: toldOutside ? collectionsWorkflowId(tenant.tenantId, accountId, debtClass) : caseWorkflow,
    policy: policy === null ? null : policyOf(policy),
  };
}

interface StoredPolicy {
  readonly name: string;
  readonly version: number;
  readonly options: Partial<PolicyOptions>;
}

function policyOf({ name, version, options }: StoredPolicy): Policy {
  return { name, version, ...completeOptions(options) };
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
