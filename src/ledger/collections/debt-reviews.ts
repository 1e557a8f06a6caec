import { row, rows, type Tx } from '../connection';

/** Has all debts of a tenant looked through soon: something about them was learned. */
export async function reviewDebtsSoon(tx: Tx, tenantId: string): Promise<void> {
  await rows(
    tx,
    'update tenant set debts_reviewed_on = null where tenant_id = :tenantId and debts_reviewed_on is not null',
    { tenantId },
  );
}

// The tenant's own day, with a sandbox's clock.
const todayOf = (tenant: string): string =>
  `cast((cast(:now as timestamptz) + ${tenant}.clock_offset_ms * interval '1 millisecond') at time zone ${tenant}.time_zone as date)`;

/**
 * Claims a tenant whose debts have not been looked through on its own today; a claim is a lease.
 * @returns undefined when there is none.
 */
export async function claimReview(
  tx: Tx,
  leaseMs: number,
): Promise<{ readonly tenantId: string } | undefined> {
  const now = Date.now();
  return row(
    tx,
    `update tenant t set debts_review_try_at = :lease, debts_reviewed_on = ${todayOf('t')}
      where t.tenant_id = (
        select c.tenant_id from tenant c
         where exists (select 1 from collections_process p where p.tenant_id = c.tenant_id)
           and (c.debts_review_try_at <= :now
             or (c.debts_review_try_at is null and c.debts_reviewed_on is distinct from ${todayOf('c')}))
         order by c.debts_review_try_at nulls first limit 1 for no key update skip locked)
     returning t.tenant_id as "tenantId"`,
    { lease: new Date(now + leaseMs), now: new Date(now) },
  );
}

/** Ends a claim; with `tryAt` the debts are looked through again then. What was learned meanwhile is looked at anew. */
export async function endReview(tx: Tx, tenantId: string, tryAt: Date | null): Promise<void> {
  await rows(tx, 'update tenant set debts_review_try_at = :tryAt where tenant_id = :tenantId', {
    tenantId,
    tryAt,
  });
}
