import { row, rows, type Tx } from './connection';
import { outcomeIdOf, type OutcomeMessage } from './outbox';

export type CaseKey = Pick<OutcomeMessage, 'tenantId' | 'accountId' | 'debtClass'>;

/** Something a case received, in the order it was applied. */
export interface ReceivedOutcome {
  readonly outcomeId: string;
  readonly promiseId: string;
  readonly revision: number;
  readonly kind: OutcomeMessage['kind'];
  readonly position: number;
  readonly at: string;
}

/** A case after something was received. */
export interface CaseState {
  readonly status: 'open' | 'closed';
  readonly keptCount: number;
  readonly brokenCount: number;
  readonly cancelledCount: number;
  readonly openPromises: number;
  /** What this call recorded; what was known before is not in it. */
  readonly recorded: readonly ReceivedOutcome[];
}

/**
 * Records what a case received: each outcome exactly once, in order of revision, whatever the order of the signals. A
 * signal only names an outcome; earlier ones of the same promise that never arrived are taken from the verdicts.
 */
export async function receiveOutcome(
  tx: Tx,
  key: CaseKey,
  workflowId: string,
  message: Pick<OutcomeMessage, 'promiseId' | 'revision' | 'kind' | 'at'>,
): Promise<CaseState> {
  const now = new Date();
  await rows(
    tx,
    `insert into collections_case (tenant_id, account_id, debt_class, workflow_id, status, opened_at)
     values (:tenantId, :accountId, :debtClass, :workflowId, 'open', :now) on conflict do nothing`,
    { ...key, workflowId, now },
  );
  const locked = await row<{ position: number }>(
    tx,
    `select coalesce((select max(o.position) from collections_outcome o
                       where o.tenant_id = c.tenant_id and o.account_id = c.account_id
                         and o.debt_class = c.debt_class), 0) as position
       from collections_case c
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass for no key update`,
    { ...key },
  );
  const missing = await notYetReceived(tx, key.tenantId, message);
  const recorded = missing.map((outcome, index) => ({
    ...outcome,
    position: (locked?.position ?? 0) + index + 1,
  }));
  if (recorded.length > 0) await insertOutcomes(tx, key, recorded, now);
  return updateCase(tx, key, recorded, now);
}

async function notYetReceived(
  tx: Tx,
  tenantId: string,
  message: Pick<OutcomeMessage, 'promiseId' | 'revision' | 'kind' | 'at'>,
): Promise<Omit<ReceivedOutcome, 'position'>[]> {
  const { promiseId, revision, kind } = message;
  if (kind === 'activated') {
    const outcomeId = outcomeIdOf(promiseId, revision, kind);
    const known = await row(
      tx,
      'select 1 from collections_outcome where tenant_id = :tenantId and outcome_id = :outcomeId',
      { tenantId, outcomeId },
    );
    return known === undefined ? [{ outcomeId, promiseId, revision, kind, at: message.at }] : [];
  }
  const verdicts = await rows<{ revision: number; status: OutcomeMessage['kind']; at: Date }>(
    tx,
    `select v.revision, v.status, v.decided_at as at from verdict v
      where v.tenant_id = :tenantId and v.promise_id = :promiseId and v.revision <= :revision
        and v.kind = 'promise' and not exists (
          select 1 from collections_outcome o
           where o.tenant_id = v.tenant_id and o.promise_id = v.promise_id and o.revision = v.revision
             and o.kind <> 'activated')
      order by v.revision`,
    { tenantId, promiseId, revision },
  );
  return verdicts.map((verdict) => ({
    outcomeId: outcomeIdOf(promiseId, verdict.revision, verdict.status),
    promiseId,
    revision: verdict.revision,
    kind: verdict.status,
    at: verdict.at.toISOString(),
  }));
}

async function insertOutcomes(
  tx: Tx,
  key: CaseKey,
  outcomes: readonly ReceivedOutcome[],
  now: Date,
): Promise<void> {
  await rows(
    tx,
    `insert into collections_outcome (tenant_id, outcome_id, account_id, debt_class, position, promise_id,
                                      revision, kind, at, received_at)
     select :tenantId, o."outcomeId", :accountId, :debtClass, o.position, o."promiseId", o.revision, o.kind,
            o.at, :now
       from json_to_recordset(cast(:outcomes as json))
         as o("outcomeId" text, position integer, "promiseId" text, revision integer, kind text,
              at timestamptz)`,
    { ...key, outcomes: JSON.stringify(outcomes), now },
  );
}

// R33: kept closes the case when nothing else is open; broken and cancelled leave the debt to be collected.
async function updateCase(
  tx: Tx,
  key: CaseKey,
  recorded: readonly ReceivedOutcome[],
  now: Date,
): Promise<CaseState> {
  const of = (kind: ReceivedOutcome['kind']): number =>
    recorded.filter((outcome) => outcome.kind === kind).length;
  const updated = await row<Omit<CaseState, 'recorded'>>(
    tx,
    `with open as (
       select cast(count(*) as integer) as promises from promise
        where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
          and status in ('pending', 'active')),
     latest as (
       select kind from collections_outcome
        where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
        order by position desc limit 1)
     update collections_case c
        set kept_count = kept_count + :kept, broken_count = broken_count + :broken,
            cancelled_count = cancelled_count + :cancelled,
            status = case when open.promises = 0 and latest.kind = 'kept' then 'closed' else 'open' end,
            closed_at = case when open.promises = 0 and latest.kind = 'kept'
                             then coalesce(c.closed_at, cast(:now as timestamptz)) end
       from open left join latest on true
      where c.tenant_id = :tenantId and c.account_id = :accountId and c.debt_class = :debtClass
     returning c.status, c.kept_count as "keptCount", c.broken_count as "brokenCount",
               c.cancelled_count as "cancelledCount", open.promises as "openPromises"`,
    { ...key, kept: of('kept'), broken: of('broken'), cancelled: of('cancelled'), now },
  );
  return {
    ...(updated ?? { status: 'open', keptCount: 0, brokenCount: 0, cancelledCount: 0, openPromises: 0 }),
    recorded,
  };
}

/** A case as it stands. A case that was never opened is open and empty: somebody has just asked for it. */
export async function readCase(tx: Tx, key: CaseKey): Promise<Omit<CaseState, 'recorded'>> {
  const found = await row<Omit<CaseState, 'recorded'>>(
    tx,
    `select c.status, c.kept_count as "keptCount", c.broken_count as "brokenCount",
            c.cancelled_count as "cancelledCount",
            cast((select count(*) from promise p
                   where p.tenant_id = c.tenant_id and p.account_id = c.account_id
                     and p.debt_class = c.debt_class and p.status in ('pending', 'active')) as integer)
              as "openPromises"
       from collections_case c
      where c.tenant_id = :tenantId and c.account_id = :accountId and c.debt_class = :debtClass`,
    { ...key },
  );
  return found ?? { status: 'open', keptCount: 0, brokenCount: 0, cancelledCount: 0, openPromises: 0 };
}

/** Closes a case by hand, e.g. when the CIS says that the debt is paid. */
export async function closeCase(tx: Tx, key: CaseKey): Promise<void> {
  await rows(
    tx,
    `update collections_case set status = 'closed', closed_at = coalesce(closed_at, :now)
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass`,
    { ...key, now: new Date() },
  );
}

/** Open cases that were opened before an instant, with their workflows. */
export async function openCases(
  tx: Tx,
  before: Date,
  limit: number,
): Promise<(CaseKey & { readonly workflowId: string })[]> {
  return rows(
    tx,
    `select tenant_id as "tenantId", account_id as "accountId", debt_class as "debtClass",
            workflow_id as "workflowId"
       from collections_case where status = 'open' and opened_at < :before
      order by tenant_id, account_id, debt_class limit :limit`,
    { before, limit },
  );
}

/** Everything a case received, in order. */
export async function outcomesOfCase(tx: Tx, key: CaseKey): Promise<ReceivedOutcome[]> {
  return rows<ReceivedOutcome>(
    tx,
    `select outcome_id as "outcomeId", promise_id as "promiseId", revision, kind, position, at
       from collections_outcome
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
      order by position limit 10000`,
    { ...key },
  );
}

/** Outcomes that were delivered between two instants and that no case has recorded. */
export async function unreceivedOutcomes(
  tx: Tx,
  between: { readonly from: Date; readonly to: Date },
  limit: number,
): Promise<{ tenantId: string; promiseId: string; revision: number; outboxId: number }[]> {
  return rows(
    tx,
    `select b.tenant_id as "tenantId", b.promise_id as "promiseId",
            cast(b.payload ->> 'revision' as integer) as revision, b.outbox_id as "outboxId"
       from outbox b
      where b.kind = 'outcome' and b.delivered_at >= :from and b.delivered_at < :to and not exists (
          select 1 from collections_outcome o
           where o.tenant_id = b.tenant_id and o.outcome_id = b.payload ->> 'outcomeId')
      order by b.outbox_id limit :limit`,
    { ...between, limit },
  );
}

/** Puts delivered messages back into the outbox: what they told was never recorded. */
export async function redeliver(tx: Tx, outboxIds: readonly number[]): Promise<void> {
  if (outboxIds.length === 0) return;
  await rows(
    tx,
    'update outbox set delivered_at = null, next_try_at = :now, attempts = 0 where outbox_id = any(:outboxIds)',
    { outboxIds, now: new Date() },
  );
}
