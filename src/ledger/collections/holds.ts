import type { LocalDate } from '../../rules/calendar';
import type { Hold, HoldKind } from '../../rules/collections/process';
import { row, rows, type Tx } from '../connection';
import type { CaseKey } from './case-key';

/** A hold as it is recorded. */
export interface HoldRow {
  readonly holdId: string;
  readonly accountId: string;
  /** Null: all debt classes of the account. */
  readonly debtClass: string | null;
  readonly kind: HoldKind;
  readonly from: LocalDate;
  readonly until: LocalDate | null;
  readonly reason: string;
  readonly actor: string;
  readonly placedAt: Date;
  readonly releasedOn: LocalDate | null;
  readonly releasedBy: string | null;
  readonly releaseReason: string | null;
}

const COLUMNS = `hold_id as "holdId", account_id as "accountId", debt_class as "debtClass", kind, from_date as "from",
  until_date as "until", reason, actor, placed_at as "placedAt", released_on as "releasedOn",
  released_by as "releasedBy", release_reason as "releaseReason"`;

// The day of release is the first day without it.
const STANDING = `hold_id as "holdId", kind, from_date as "from", least(until_date, released_on - 1) as "until"`;

/** Records a hold. @returns whether it is new; one of this id may be there. */
export async function insertHold(
  tx: Tx,
  tenantId: string,
  hold: Omit<HoldRow, 'releasedOn' | 'releasedBy' | 'releaseReason'>,
): Promise<boolean> {
  const inserted = await rows(
    tx,
    `insert into hold (tenant_id, hold_id, account_id, debt_class, kind, from_date, until_date, reason, actor, placed_at)
     values (:tenantId, :holdId, :accountId, :debtClass, :kind, :from, :until, :reason, :actor, :placedAt)
     on conflict do nothing returning 1`,
    { tenantId, ...hold },
  );
  return inserted.length > 0;
}

/** A hold, locked until the transaction ends; or undefined. */
export async function lockHold(tx: Tx, tenantId: string, holdId: string): Promise<HoldRow | undefined> {
  return row<HoldRow>(
    tx,
    `select ${COLUMNS} from hold where tenant_id = :tenantId and hold_id = :holdId for update`,
    { tenantId, holdId },
  );
}

/** Ends a hold: the day of release is the first day without it. */
export async function markReleased(
  tx: Tx,
  tenantId: string,
  holdId: string,
  release: {
    readonly on: LocalDate;
    readonly at: Date;
    readonly actor: string;
    readonly reason: string | null;
  },
): Promise<void> {
  await rows(
    tx,
    `update hold set released_on = :on, released_at = :at, released_by = :actor, release_reason = :reason
      where tenant_id = :tenantId and hold_id = :holdId`,
    { tenantId, holdId, ...release },
  );
}

/** Holds of a tenant or of one account, those that stand first, newest first. */
export async function listHolds(
  tx: Tx,
  tenantId: string,
  filter: {
    readonly accountId?: string;
    readonly today: LocalDate;
    readonly standingOnly: boolean;
    readonly limit: number;
  },
): Promise<HoldRow[]> {
  return rows<HoldRow>(
    tx,
    `select ${COLUMNS} from hold
      where tenant_id = :tenantId and (cast(:accountId as text) is null or account_id = :accountId)
        and (not :standingOnly or (from_date <= :today and coalesce(least(until_date, released_on - 1), cast(:today as date)) >= :today))
      order by (released_on is null) desc, placed_at desc, hold_id limit :limit`,
    { ...filter, tenantId, accountId: filter.accountId ?? null },
  );
}

/** The holds that stand or will stand on a debt, on a day or later. */
export async function holdsOfDebt(tx: Tx, key: CaseKey, today: LocalDate): Promise<Hold[]> {
  return rows<Hold>(
    tx,
    `select ${STANDING} from hold
      where tenant_id = :tenantId and account_id = :accountId and (debt_class is null or debt_class = :debtClass)
        and coalesce(least(until_date, released_on - 1), cast(:today as date)) >= :today
      order by from_date, hold_id limit 100`,
    { ...key, today },
  );
}

/** The holds of some kinds on a debt that stood, stand or will stand for a day at least. */
export async function holdsOfKinds(tx: Tx, key: CaseKey, kinds: readonly HoldKind[]): Promise<Hold[]> {
  return rows<Hold>(
    tx,
    `select ${STANDING} from hold
      where tenant_id = :tenantId and account_id = :accountId and (debt_class is null or debt_class = :debtClass)
        and kind = any(:kinds) and (released_on is null or released_on > from_date)
      order by from_date, hold_id limit 1000`,
    { ...key, kinds: [...kinds] },
  );
}
