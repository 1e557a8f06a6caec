import type { EpochMs } from '../rules/calendar';
import { rows, type Tx } from './connection';

/** Something that was done, by whom, when in the tenant's time. Never changed or removed. */
export interface AuditEvent {
  readonly action: string;
  readonly actor: string;
  readonly at: EpochMs;
  readonly promiseId?: string;
  readonly accountId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Writes an audit event in the transaction of what it tells of: both happen or neither. */
export async function audit(tx: Tx, tenantId: string, event: AuditEvent): Promise<void> {
  await rows(
    tx,
    `insert into audit_event (tenant_id, promise_id, account_id, action, actor, details, at, recorded_at)
     values (:tenantId, :promiseId, :accountId, :action, :actor, cast(:details as jsonb), :at, :recordedAt)`,
    {
      tenantId,
      promiseId: event.promiseId ?? null,
      accountId: event.accountId ?? null,
      action: event.action,
      actor: event.actor,
      details: JSON.stringify(event.details ?? {}),
      at: new Date(event.at),
      recordedAt: new Date(),
    },
  );
}

export interface TimelineEntry {
  readonly at: Date;
  readonly action: string;
  readonly actor: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What happened to a promise, oldest first. */
export async function timelineOf(tx: Tx, tenantId: string, promiseId: string): Promise<TimelineEntry[]> {
  return rows<TimelineEntry>(
    tx,
    `select at, action, actor, details from audit_event
      where tenant_id = :tenantId and promise_id = :promiseId order by audit_id limit 500`,
    { tenantId, promiseId },
  );
}
