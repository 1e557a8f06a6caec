import { TrothError } from '../platform/errors';
import type { EpochMs } from '../rules/calendar';
import { policyDifferences } from '../rules/differences';
import type { PolicyOptions } from '../rules/policy';
import { completeOptions, DEFAULT_POLICY_OPTIONS, PRESETS } from '../rules/presets';
import { audit } from './audit';
import { row, rows, type Tx } from './connection';

/** One version of a policy; it never changes. */
export interface PolicyVersion {
  readonly name: string;
  readonly version: number;
  readonly options: PolicyOptions;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** A version as lists show it. */
export interface PolicyVersionSummary extends Omit<PolicyVersion, 'options' | 'name'> {
  /** Promises made under it, ended ones too. */
  readonly promises: number;
  /** Those of them that are pending or active. */
  readonly openPromises: number;
}

export interface PolicySummary {
  readonly name: string;
  /** Whether an enrollment that names no policy gets this one. */
  readonly isDefault: boolean;
  /** Oldest first. */
  readonly versions: readonly PolicyVersionSummary[];
}

/** A policy to be made, or made anew. */
export interface NewPolicy {
  readonly name: string;
  readonly options: PolicyOptions;
  readonly actor: string;
  /** The tenant's time. */
  readonly atMs: EpochMs;
  /** Why it is made; kept in the audit trail. */
  readonly note?: string;
}

export interface AddedPolicy {
  /** `unchanged`: the newest version says the same already. */
  readonly result: 'created' | 'unchanged';
  readonly version: number;
}

/**
 * Holds a tenant's policies until the transaction ends: two who change one at once must not lose what the other did.
 * @throws TrothError NOT_FOUND when there is no such tenant.
 */
export async function holdPolicies(tx: Tx, tenantId: string): Promise<{ readonly policyName: string }> {
  const tenant = await row<{ policyName: string }>(
    tx,
    'select policy_name as "policyName" from tenant where tenant_id = :tenantId for no key update',
    { tenantId },
  );
  if (tenant === undefined) {
    throw new TrothError('NOT_FOUND', `There is no tenant "${tenantId}"; see: troth tenant list`);
  }
  return tenant;
}

/**
 * Adds the next version of a policy; promises keep the version they were made under.
 * @throws TrothError NOT_FOUND when there is no such tenant.
 */
export async function addPolicyVersion(tx: Tx, tenantId: string, policy: NewPolicy): Promise<AddedPolicy> {
  const { name, options, actor, atMs, note } = policy;
  await holdPolicies(tx, tenantId);
  const newest = await findPolicy(tx, tenantId, name);
  if (newest !== undefined && policyDifferences(newest.options, options).length === 0) {
    return { result: 'unchanged', version: newest.version };
  }
  const version = (newest?.version ?? 0) + 1;
  await rows(
    tx,
    `insert into policy (tenant_id, name, version, options, created_at, created_by)
     values (:tenantId, :name, :version, cast(:options as jsonb), :at, :actor)`,
    { tenantId, name, version, options: JSON.stringify(options), at: new Date(), actor },
  );
  const details = { policy: name, version, ...(note === undefined ? {} : { note }) };
  await audit(tx, tenantId, { action: 'policy.created', actor, at: atMs, details });
  return { result: 'created', version };
}

/** Version 1 of every preset under its own name, and of the tenant's default policy if that is none of them. */
export async function addFirstPolicies(
  tx: Tx,
  tenant: { readonly tenantId: string; readonly policyName: string },
  actor: string,
): Promise<void> {
  const policies = { [tenant.policyName]: DEFAULT_POLICY_OPTIONS, ...PRESETS };
  await rows(
    tx,
    `insert into policy (tenant_id, name, version, options, created_at, created_by)
     select :tenantId, preset.key, 1, preset.value, :at, :actor
       from jsonb_each(cast(:policies as jsonb)) preset`,
    { tenantId: tenant.tenantId, policies: JSON.stringify(policies), at: new Date(), actor },
  );
}

/** A version of a policy, the newest one unless told otherwise. */
export async function findPolicy(
  tx: Tx,
  tenantId: string,
  name: string,
  version?: number,
): Promise<PolicyVersion | undefined> {
  const found = await row<Omit<PolicyVersion, 'options'> & { readonly stored: Partial<PolicyOptions> }>(
    tx,
    `select name, version, options as stored, created_at as "createdAt", created_by as "createdBy"
       from policy
      where tenant_id = :tenantId and name = :name and version = coalesce(cast(:version as integer), version)
      order by version desc limit 1`,
    { tenantId, name, version: version ?? null },
  );
  if (found === undefined) return undefined;
  const { stored, ...rest } = found;
  return { ...rest, options: completeOptions(stored) };
}

/**
 * A version of a policy, the newest one unless told otherwise.
 * @throws TrothError NOT_FOUND
 */
export async function getPolicy(
  tx: Tx,
  tenantId: string,
  name: string,
  version?: number,
): Promise<PolicyVersion> {
  const policy = await findPolicy(tx, tenantId, name, version);
  if (policy !== undefined) return policy;
  const which = version === undefined ? `policy "${name}"` : `version ${version} of policy "${name}"`;
  throw new TrothError('NOT_FOUND', `There is no ${which}; see: troth policy list`);
}

/** All policies of a tenant by name, with how many promises each version holds. */
export async function listPolicies(tx: Tx, tenantId: string): Promise<PolicySummary[]> {
  const found = await rows<PolicyVersionSummary & { readonly name: string; readonly isDefault: boolean }>(
    tx,
    `with held as (
       select policy_name, policy_version, count(*) as promises,
              count(*) filter (where status in ('pending', 'active')) as open_promises
         from promise where tenant_id = :tenantId group by policy_name, policy_version
     )
     select p.name, p.version, p.created_at as "createdAt", p.created_by as "createdBy",
            p.name = t.policy_name as "isDefault", coalesce(held.promises, 0) as promises,
            coalesce(held.open_promises, 0) as "openPromises"
       from policy p
       join tenant t on t.tenant_id = p.tenant_id
       left join held on held.policy_name = p.name and held.policy_version = p.version
      where p.tenant_id = :tenantId
      order by p.name, p.version`,
    { tenantId },
  );
  const byName = new Map<string, PolicySummary & { readonly versions: PolicyVersionSummary[] }>();
  for (const { name, isDefault, ...version } of found) {
    const policy = byName.get(name) ?? { name, isDefault, versions: [] };
    policy.versions.push(version);
    byName.set(name, policy);
  }
  return [...byName.values()];
}

/** The note that a version was made with; it is kept in the audit trail. */
export async function policyNote(
  tx: Tx,
  tenantId: string,
  name: string,
  version: number,
): Promise<string | null> {
  const found = await row<{ note: string | null }>(
    tx,
    `select details ->> 'note' as note from audit_event
      where tenant_id = :tenantId and promise_id is null and action = 'policy.created'
        and details ->> 'policy' = :name and details ->> 'version' = :version
      order by audit_id limit 1`,
    { tenantId, name, version: String(version) },
  );
  return found?.note ?? null;
}

/**
 * Makes a policy the one that an enrollment gets which names none.
 * @returns whether it was another one before.
 * @throws TrothError NOT_FOUND when there is no such tenant or policy.
 */
export async function setDefaultPolicy(
  tx: Tx,
  tenantId: string,
  name: string,
  by: { readonly actor: string; readonly atMs: EpochMs },
): Promise<boolean> {
  const { policyName: before } = await holdPolicies(tx, tenantId);
  await getPolicy(tx, tenantId, name);
  if (before === name) return false;
  await rows(tx, 'update tenant set policy_name = :name where tenant_id = :tenantId', { tenantId, name });
  const details = { from: before, to: name };
  await audit(tx, tenantId, { action: 'policy.made_default', actor: by.actor, at: by.atMs, details });
  return true;
}
