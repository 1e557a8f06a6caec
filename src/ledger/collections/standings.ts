import type { LocalDate } from '../../rules/calendar';
import { rows, type Tx } from '../connection';

/** R34: how an account has kept its word on one debt. */
export interface DebtStanding {
  readonly debtClass: string;
  /** Promises by what they have come to, the last revision of each. */
  readonly kept: number;
  readonly broken: number;
  readonly cancelled: number;
  readonly open: number;
  /** Promises broken since the debt was last clear; 0 while it is. */
  readonly level: number;
  /** In the tenant's calendar. */
  readonly lastBrokenOn: LocalDate | null;
  /** Payments taken back after the promise that had counted them was kept. */
  readonly reversedAfterKept: number;
  /** When the debt was last known to be clear: stated as nothing, cleared by hand, or its case closed as collected. */
  readonly lastClearAt: Date | null;
}

/**
 * The standing of an account (R34), a row for each of its debt classes, in order. One query, by account.
 * @param timeZone of the tenant; days are counted in it.
 * @returns no row where the tenant has no such account.
 */
export async function standingsOf(
  tx: Tx,
  tenantId: string,
  accountId: string,
  timeZone: string,
): Promise<DebtStanding[]> {
  return rows<DebtStanding>(
    tx,
    `with class as (
       select unnest(debt_classes) as debt_class from account where tenant_id = :tenantId and account_id = :accountId),
     clear as (
       select k.debt_class, greatest(
                (select max(b.cleared_at) from balance_clearing b
                  where b.tenant_id = :tenantId and b.account_id = :accountId and b.debt_class = k.debt_class),
                (select d.as_of from debt d
                  where d.tenant_id = :tenantId and d.account_id = :accountId and d.debt_class = k.debt_class
                    and d.total_cents = 0),
                (select max(r.at) from collections_review r
                  where r.tenant_id = :tenantId and r.account_id = :accountId and r.debt_class = k.debt_class
                    and r.decision = 'close' and r.evidence -> 'byHand' is null)) as at
         from class k),
     made as (
       select p.debt_class,
              cast(count(*) filter (where p.status = 'kept') as integer) as kept,
              cast(count(*) filter (where p.status = 'broken') as integer) as broken,
              cast(count(*) filter (where p.status = 'cancelled') as integer) as cancelled,
              cast(count(*) filter (where p.status in ('pending', 'active')) as integer) as open,
              cast(count(*) filter (where p.status = 'broken' and (l.at is null or p.ended_at > l.at)) as integer) as level,
              max(p.ended_at) filter (where p.status = 'broken') as last_broken,
              cast(sum(n.reversed) as integer) as reversed
         from promise p
         join clear l on l.debt_class = p.debt_class
         cross join lateral (
           select count(*) as reversed from promise_notice n
            where n.tenant_id = p.tenant_id and n.promise_id = p.promise_id and n.kind = 'reversed'
              and exists (select 1 from verdict v
                           where v.tenant_id = n.tenant_id and v.promise_id = n.promise_id and v.kind = 'promise'
                             and v.status = 'kept' and v.revision <= n.revision and v.decided_at <= n.at)) n
        where p.tenant_id = :tenantId and p.account_id = :accountId
        group by p.debt_class)
     select l.debt_class as "debtClass", coalesce(m.kept, 0) as kept, coalesce(m.broken, 0) as broken,
            coalesce(m.cancelled, 0) as cancelled, coalesce(m.open, 0) as open, coalesce(m.level, 0) as level,
            cast(m.last_broken at time zone :timeZone as date) as "lastBrokenOn",
            coalesce(m.reversed, 0) as "reversedAfterKept", l.at as "lastClearAt"
       from clear l left join made m on m.debt_class = l.debt_class
      order by l.debt_class`,
    { tenantId, accountId, timeZone },
  );
}
