import { MS, row, rows, type Tx } from '../connection';

/** A promise whose workflow should be running. */
export interface OpenPromise {
  readonly tenantId: string;
  readonly promiseId: string;
  readonly workflowId: string;
  readonly nextJudgeAtMs: number | null;
}

const OPEN = `
select p.tenant_id as "tenantId", p.promise_id as "promiseId", p.workflow_id as "workflowId",
       ${MS('p.next_judge_at')} as "nextJudgeAtMs"
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

/** The open promises of one account, of one debt class where it is named. */
export async function openPromisesOf(
  tx: Tx,
  tenantId: string,
  of: { readonly accountId: string; readonly debtClass?: string },
): Promise<{ readonly promiseId: string; readonly payor: string }[]> {
  return rows(
    tx,
    `select promise_id as "promiseId", payor from promise
      where tenant_id = :tenantId and account_id = :accountId and status in ('pending', 'active')
        and debt_class = coalesce(cast(:debtClass as text), debt_class)
      order by promise_id limit 1000`,
    { tenantId, accountId: of.accountId, debtClass: of.debtClass ?? null },
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
