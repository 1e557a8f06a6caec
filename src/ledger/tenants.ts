import { epochMs, formatLocalTime, type EpochMs } from '../rules/calendar';
import { TrothError } from '../platform/errors';
import { audit } from './audit';
import { row, rows, type Tx } from './connection';
import { addFirstPolicies } from './policies';

/** One utility, or one test copy of it. */
export interface Tenant {
  readonly tenantId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string;
  /** A sandbox has a clock that can be moved forward. */
  readonly sandbox: boolean;
  /** What the sandbox's clock is ahead of (or behind) the real one. */
  readonly clockOffsetMs: number;
  readonly policyName: string;
}

const COLUMNS = `tenant_id as "tenantId", name, time_zone as "timeZone", currency, sandbox,
  clock_offset_ms as "clockOffsetMs", policy_name as "policyName"`;

/** The tenant's time: the real one, moved by the sandbox's offset. */
export function tenantNow(tenant: Pick<Tenant, 'clockOffsetMs'>, realMs: number = Date.now()): EpochMs {
  return epochMs(realMs + tenant.clockOffsetMs);
}

/** @throws TrothError NOT_FOUND */
export async function getTenant(tx: Tx, tenantId: string): Promise<Tenant> {
  const tenant = await row<Tenant>(tx, `select ${COLUMNS} from tenant where tenant_id = :tenantId`, {
    tenantId,
  });
  if (tenant === undefined) {
    throw new TrothError('NOT_FOUND', `There is no tenant "${tenantId}"; see: troth tenant list`);
  }
  return tenant;
}

/** All tenants, by id. */
export async function listTenants(tx: Tx): Promise<Tenant[]> {
  return rows<Tenant>(tx, `select ${COLUMNS} from tenant order by tenant_id limit 1000`, {});
}

/**
 * Creates a tenant with version 1 of every preset policy; an enrollment that names none gets `policyName`.
 * @throws TrothError CONFLICT when the id is taken.
 */
export async function createTenant(tx: Tx, tenant: Tenant, actor: string): Promise<void> {
  const created = await rows(
    tx,
    `insert into tenant (tenant_id, name, time_zone, currency, sandbox, clock_offset_ms, policy_name, created_at)
     values (:tenantId, :name, :timeZone, :currency, :sandbox, :clockOffsetMs, :policyName, :at)
     on conflict do nothing returning tenant_id`,
    { ...tenant, at: new Date() },
  );
  if (created.length === 0)
    throw new TrothError('CONFLICT', `There is a tenant "${tenant.tenantId}" already`);
  await addFirstPolicies(tx, tenant, actor);
  await audit(tx, tenant.tenantId, {
    action: 'tenant.created',
    actor,
    at: tenantNow(tenant),
    details: { timeZone: tenant.timeZone, currency: tenant.currency, sandbox: tenant.sandbox },
  });
}

/**
 * What a sandbox's clock is ahead of the real one, held there until the transaction ends: whoever moves it waits, and
 * then sees what this transaction made due. Else a promise whose next judge time is being written would miss the move.
 */
export async function holdClock(tx: Tx, tenantId: string): Promise<number> {
  const held = await row<{ clockOffsetMs: number }>(
    tx,
    'select clock_offset_ms as "clockOffsetMs" from tenant where tenant_id = :tenantId for share',
    { tenantId },
  );
  return held?.clockOffsetMs ?? 0;
}

/** A clock that was moved: what it showed before, what it shows now, in the tenant's time. */
export interface MovedClock {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly clockOffsetMs: number;
}

/**
 * Moves a sandbox's clock to a later instant.
 * @throws TrothError NOT_FOUND, NOT_A_SANDBOX or CLOCK_GOES_BACK.
 */
export async function moveClock(tx: Tx, tenantId: string, toMs: EpochMs, actor: string): Promise<MovedClock> {
  const tenant = await row<Tenant>(
    tx,
    `select ${COLUMNS} from tenant where tenant_id = :tenantId for no key update`,
    {
      tenantId,
    },
  );
  if (tenant === undefined) throw new TrothError('NOT_FOUND', `There is no tenant "${tenantId}"`);
  if (!tenant.sandbox) {
    throw new TrothError(
      'NOT_A_SANDBOX',
      `Tenant "${tenantId}" is live: its clock is the real one and cannot be moved`,
    );
  }
  const realMs = Date.now();
  const fromMs = tenantNow(tenant, realMs);
  if (toMs < fromMs) {
    throw new TrothError(
      'CLOCK_GOES_BACK',
      `The clock of "${tenantId}" stands at ${formatLocalTime(fromMs, tenant.timeZone)} and moves forward only; ` +
        `${formatLocalTime(toMs, tenant.timeZone)} has passed`,
    );
  }
  const clockOffsetMs = toMs - realMs;
  await rows(tx, 'update tenant set clock_offset_ms = :clockOffsetMs where tenant_id = :tenantId', {
    tenantId,
    clockOffsetMs,
  });
  await audit(tx, tenantId, { action: 'clock.moved', actor, at: toMs, details: { fromMs, toMs } });
  return { fromMs, toMs, clockOffsetMs };
}

const EMPTIED = [
  'worklist_note',
  'outside_message',
  'collections_target',
  'contact',
  'collections_step',
  'collections_run',
  'collections_review',
  'hold',
  'debt',
  'outbox',
  'promise_notice',
  'amendment',
  'promise_bill',
  'balance_clearing',
  'payment_application',
  'transaction',
  'calendar',
  'audit_head',
  'collections_outcome',
  'collections_case',
  'collections_process',
  'payment_use',
  'verdict',
  'installment',
  'promise_revision',
  'promise',
  'payment_reversal',
  'payment_tender',
  'payment',
  'account',
  'policy',
  'audit_event',
  'tenant',
] as const;

/**
 * Removes a sandbox with everything in it. The database itself refuses it for a live tenant.
 * @throws TrothError NOT_FOUND or NOT_A_SANDBOX.
 */
export async function emptySandbox(tx: Tx, tenantId: string): Promise<void> {
  const tenant = await getTenant(tx, tenantId);
  if (!tenant.sandbox)
    throw new TrothError('NOT_A_SANDBOX', `Tenant "${tenantId}" is live and cannot be removed`);
  await rows(tx, "select set_config('troth.empty_sandbox', :tenantId, true)", { tenantId });
  for (const table of EMPTIED)
    await rows(tx, `delete from ${table} where tenant_id = :tenantId`, { tenantId });
}
