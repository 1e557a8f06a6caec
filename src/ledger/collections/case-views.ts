import type { EpochMs } from '../../rules/calendar';
import { MS, rows, type Tx } from '../connection';

/** One line of `troth case list`. */
export interface CaseSummary {
  readonly accountId: string;
  readonly debtClass: string;
  readonly status: 'open' | 'closed';
  /** Of the newest run; null: no process has run. */
  readonly runNo: number | null;
  readonly runStatus: 'running' | 'paused' | 'cancelled' | 'completed' | null;
  readonly nextActAtMs: EpochMs | null;
  /** The step that awaits a person, else what was decided or done last; null: nothing yet. */
  readonly sentence: string | null;
  readonly attention: string | null;
  readonly keptCount: number;
  readonly brokenCount: number;
  readonly cancelledCount: number;
  /** Whether somebody has asked for another look that has not reached the case. */
  readonly isWaking: boolean;
}

export interface CaseFilter {
  readonly status?: 'open' | 'closed';
  readonly debtClass?: string;
  readonly accountId?: string;
  readonly limit: number;
  /** The page after this case. */
  readonly after?: { readonly accountId: string; readonly debtClass: string };
}

/** Cases of a tenant in order of account and class, filtered, a page at a time. */
export async function listCases(tx: Tx, tenantId: string, filter: CaseFilter): Promise<CaseSummary[]> {
  return rows<CaseSummary>(
    tx,
    `select c.account_id as "accountId", c.debt_class as "debtClass", c.status, r.run_no as "runNo",
            r.status as "runStatus", ${MS('c.next_act_at')} as "nextActAtMs", v.sentence, c.attention,
            c.kept_count as "keptCount", c.broken_count as "brokenCount", c.cancelled_count as "cancelledCount",
            c.woken_no < c.wake_no as "isWaking"
       from collections_case c
       left join lateral (
         select run_no, status from collections_run r
          where r.tenant_id = c.tenant_id and r.account_id = c.account_id and r.debt_class = c.debt_class
          order by run_no desc limit 1) r on true
       left join lateral (
         select sentence from (
           (select v.sentence, v.at, 1 as rank from collections_review v
             where v.tenant_id = c.tenant_id and v.account_id = c.account_id and v.debt_class = c.debt_class
             order by v.review_no desc limit 1)
           union all
           (select s.sentence, case when s.status = 'awaiting-approval' and r.status = 'running' then 'infinity' else s.at end, 2
              from collections_step s
             where s.tenant_id = c.tenant_id and s.account_id = c.account_id and s.debt_class = c.debt_class
               and s.run_no = r.run_no and s.status <> 'skipped'
             order by s.at desc limit 1)) told
          order by at desc, rank desc limit 1) v on true
      where c.tenant_id = :tenantId and (c.account_id, c.debt_class) > (:afterAccount, :afterClass)
        and (cast(:status as text) is null or c.status = :status)
        and (cast(:debtClass as text) is null or c.debt_class = :debtClass)
        and (cast(:accountId as text) is null or c.account_id = :accountId)
      order by c.account_id, c.debt_class limit :limit`,
    {
      tenantId,
      status: filter.status ?? null,
      debtClass: filter.debtClass ?? null,
      accountId: filter.accountId ?? null,
      limit: filter.limit,
      afterAccount: filter.after?.accountId ?? '',
      afterClass: filter.after?.debtClass ?? '',
    },
  );
}

/** How many cases of a tenant are open and closed. */
export async function countCases(
  tx: Tx,
  tenantId: string,
  debtClass?: string,
): Promise<{ readonly open: number; readonly closed: number }> {
  const [counted] = await rows<{ open: number; closed: number }>(
    tx,
    `select count(*) filter (where status = 'open') as open, count(*) filter (where status = 'closed') as closed
       from collections_case
      where tenant_id = :tenantId and (cast(:debtClass as text) is null or debt_class = :debtClass)`,
    { tenantId, debtClass: debtClass ?? null },
  );
  return counted ?? { open: 0, closed: 0 };
}

/** Asks all open cases of a debt class to look again. @returns how many there are. */
export async function wakeClass(tx: Tx, tenantId: string, debtClass: string): Promise<number> {
  const asked = await rows(
    tx,
    `update collections_case set wake_no = wake_no + 1, wake_try_at = :now, wake_attempts = 0
      where tenant_id = :tenantId and debt_class = :debtClass and status = 'open' returning 1`,
    { tenantId, debtClass, now: new Date() },
  );
  return asked.length;
}
