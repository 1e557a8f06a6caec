import { TrothError } from '../../platform/errors';
import type { EpochMs } from '../../rules/calendar';
import type { CollectionsTarget } from '../../rules/collections/outside';
import { audit } from '../audit';
import { canonicalJson } from '../canonical-json';
import { row, rows, type Tx } from '../connection';
import { wakeRested } from './waking';

/** A tenant's collections target as it stands. */
export interface StoredTarget {
  /** 0: none was ever set, and outcomes go to Troth's own collections. */
  readonly version: number;
  readonly settings: CollectionsTarget;
  readonly createdAt: Date | null;
  readonly createdBy: string | null;
}

/** SQL: whether a tenant's outcomes go to a system outside. `tenant` is a column or a parameter, never a value. */
export function isToldOutside(tenant: 'b.tenant_id' | 'c.tenant_id' | ':tenantId'): string {
  return `coalesce((select ct.settings ->> 'kind' <> 'troth' from collections_target ct
                     where ct.tenant_id = ${tenant} order by ct.version desc limit 1), false)`;
}

/** Where a tenant's outcomes go. */
export async function collectionsTarget(tx: Tx, tenantId: string): Promise<StoredTarget> {
  const found = await row<StoredTarget>(
    tx,
    `select version, settings, created_at as "createdAt", created_by as "createdBy"
       from collections_target where tenant_id = :tenantId order by version desc limit 1`,
    { tenantId },
  );
  return found ?? { version: 0, settings: { kind: 'troth' }, createdAt: null, createdBy: null };
}

/** A target that was set. */
export interface TargetSet {
  readonly result: 'set' | 'unchanged';
  readonly version: number;
  /** Messages that were not acknowledged and go to the new target. */
  readonly redirected: number;
}

/**
 * Makes the next version of a tenant's target. Messages that nobody has acknowledged go to the new one, at once.
 * @throws TrothError NOT_FOUND when there is no such tenant.
 */
export async function setCollectionsTarget(
  tx: Tx,
  tenantId: string,
  settings: CollectionsTarget,
  by: { readonly actor: string; readonly atMs: EpochMs },
): Promise<TargetSet> {
  const tenant = await row(
    tx,
    'select 1 from tenant where tenant_id = :tenantId for no key update', // one at a time
    { tenantId },
  );
  if (tenant === undefined) throw new TrothError('NOT_FOUND', `There is no tenant "${tenantId}"`);
  const before = await collectionsTarget(tx, tenantId);
  if (canonicalJson(before.settings) === canonicalJson(settings)) {
    return { result: 'unchanged', version: before.version, redirected: 0 };
  }
  const version = before.version + 1;
  const now = new Date();
  await rows(
    tx,
    `insert into collections_target (tenant_id, version, settings, created_at, created_by)
     values (:tenantId, :version, cast(:settings as jsonb), :now, :actor)`,
    { tenantId, version, settings: JSON.stringify(settings), now, actor: by.actor },
  );
  const details = { version, from: before.settings, to: settings };
  await audit(tx, tenantId, {
    action: 'collections.target_set',
    actor: by.actor,
    at: by.atMs,
    details,
  });
  const redirected = await rows(
    tx,
    // One more attempt for those that were tried: what is under way to the old target must not count for the new one.
    `update outside_message
        set next_try_at = :now, sent_at = null, last_error = null, attempts = attempts + least(attempts, 1)
      where tenant_id = :tenantId and acknowledged_at is null
     returning 1`,
    { tenantId, now },
  );
  // Cases that rested while a system outside collected go on.
  if (settings.kind === 'troth') await wakeRested(tx, tenantId);
  return { result: 'set', version, redirected: redirected.length };
}
