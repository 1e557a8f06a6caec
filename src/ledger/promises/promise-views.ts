import type { LocalDate } from '../../rules/calendar';
import type { Verdict } from '../../rules/explain';
import { row, rows, type Tx } from '../connection';

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
  readonly payMethod: string | null;
  readonly cancelNote: string | null;
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
            policy_version as "policyVersion", enrolled_at as "enrolledAt", enrolled_by as "enrolledBy",
            pay_method as "payMethod", cancel_note as "cancelNote"
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

/** R18: a schedule that an amendment replaced. */
export interface PastSchedule {
  /** When it was replaced. */
  readonly until: Date;
  readonly installments: readonly {
    readonly seq: number;
    readonly dueDate: string;
    readonly amountCents: number;
    readonly transactionId: string | null;
  }[];
}

/** The schedules of a promise that amendments replaced, the first one first. */
export function pastSchedules(tx: Tx, tenantId: string, promiseId: string): Promise<PastSchedule[]> {
  return rows<PastSchedule>(
    tx,
    `select a.at as until,
            json_agg(json_build_object('seq', i.seq, 'dueDate', i.due_date, 'amountCents', i.amount_cents,
                                       'transactionId', i.transaction_id) order by i.seq) as installments
       from amendment a
       join installment i on i.tenant_id = a.tenant_id and i.promise_id = a.promise_id
        and i.schedule_no = a.schedule_no - 1
      where a.tenant_id = :tenantId and a.promise_id = :promiseId
      group by a.schedule_no, a.at order by a.schedule_no`,
    { tenantId, promiseId },
  );
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

/** Broken promises on a debt with the day on which each ended, the newest first. */
export async function brokenPromisesOf(
  tx: Tx,
  debt: { readonly tenantId: string; readonly accountId: string; readonly debtClass: string },
  timeZone: string,
): Promise<{ readonly promiseId: string; readonly on: LocalDate }[]> {
  return rows(
    tx,
    `select promise_id as "promiseId", cast(ended_at at time zone :timeZone as date) as "on" from promise
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass and status = 'broken'
      order by ended_at desc, promise_id limit 20`,
    { ...debt, timeZone },
  );
}
