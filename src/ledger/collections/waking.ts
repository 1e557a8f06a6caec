import { collectionsWorkflowId } from '../../platform/ids';
import { retryAfterMs } from '../../platform/retry';
import { rows, type Tx } from '../connection';
import { OF_CASE, type CaseKey } from './case-key';

/**
 * Asks the workflows of some cases to look again; where a case has none, one is opened.
 * @param debts of one tenant; their accounts are known.
 */
export async function wakeCases(
  tx: Tx,
  tenantId: string,
  debts: readonly { readonly accountId: string; readonly debtClass: string }[],
): Promise<void> {
  if (debts.length === 0) return;
  const keys = debts.map(({ accountId, debtClass }) => ({
    ...{ accountId, debtClass },
    workflowId: collectionsWorkflowId(tenantId, accountId, debtClass),
  }));
  await rows(
    tx,
    `insert into collections_case (tenant_id, account_id, debt_class, workflow_id, status, opened_at, wake_no, wake_try_at)
     select :tenantId, k."accountId", k."debtClass", k."workflowId", 'open', :now, 1, :now
       from json_to_recordset(cast(:keys as json)) as k("accountId" text, "debtClass" text, "workflowId" text)
      order by k."accountId", k."debtClass"
     on conflict (tenant_id, account_id, debt_class) do update
       set wake_no = collections_case.wake_no + 1, wake_try_at = excluded.wake_try_at, wake_attempts = 0`,
    { tenantId, keys: JSON.stringify(keys), now: new Date() },
  );
}

/** Asks the workflow of a debt's case to look again, if the case is open and has a process or had one. */
export async function wakeOpenCase(tx: Tx, { tenantId, accountId, debtClass }: CaseKey): Promise<void> {
  await rows(
    tx,
    `update collections_case set wake_no = wake_no + 1, wake_try_at = :now, wake_attempts = 0
      where ${OF_CASE} and status = 'open'
        and exists (select 1 from collections_process p where p.tenant_id = :tenantId and p.debt_class = :debtClass)`,
    { tenantId, accountId, debtClass, now: new Date() },
  );
}

/** Of some debts, those whose case is open and has been acted on: they have their own timer. */
export async function withOpenCase(
  tx: Tx,
  tenantId: string,
  debts: readonly { readonly accountId: string; readonly debtClass: string }[],
): Promise<Set<string>> {
  const found = await rows<{ key: string }>(
    tx,
    `select c.account_id || ' ' || c.debt_class as key
       from json_to_recordset(cast(:debts as json)) as d("accountId" text, "debtClass" text)
       join collections_case c on c.tenant_id = :tenantId and c.account_id = d."accountId" and c.debt_class = d."debtClass"
      where c.status = 'open' and c.acted_as_of is not null`,
    { tenantId, debts: JSON.stringify(debts.map(({ accountId, debtClass }) => ({ accountId, debtClass }))) },
  );
  return new Set(found.map(({ key }) => key));
}

/** A case whose workflow is to be woken. */
export interface WakingCase extends CaseKey {
  readonly wakeNo: number;
  readonly attempts: number;
  readonly clockOffsetMs: number;
}

const LEASE_MS = 30_000;

/** Claims cases that wait to be woken, for one relay; a claim is a lease. */
export async function claimWaking(tx: Tx, limit: number): Promise<WakingCase[]> {
  const now = Date.now();
  return rows<WakingCase>(
    tx,
    `with claimed as (
       update collections_case set wake_try_at = :lease, wake_attempts = wake_attempts + 1
        where (tenant_id, account_id, debt_class) in (
          select tenant_id, account_id, debt_class from collections_case
           where woken_no < wake_no and wake_try_at <= :now
           order by wake_try_at limit :limit for no key update skip locked)
       returning tenant_id, account_id, debt_class, wake_no, wake_attempts)
     select c.tenant_id as "tenantId", c.account_id as "accountId", c.debt_class as "debtClass",
            c.wake_no as "wakeNo", c.wake_attempts as attempts, t.clock_offset_ms as "clockOffsetMs"
       from claimed c join tenant t using (tenant_id)`,
    { lease: new Date(now + LEASE_MS), now: new Date(now), limit },
  );
}

/** Marks cases as woken, up to the request that was seen; a later request stays. */
export async function woken(tx: Tx, cases: readonly WakingCase[]): Promise<void> {
  if (cases.length === 0) return;
  await rows(
    tx,
    `update collections_case c set woken_no = greatest(c.woken_no, k."wakeNo"), wake_error = null
       from json_to_recordset(cast(:cases as json))
         as k("tenantId" text, "accountId" text, "debtClass" text, "wakeNo" bigint)
      where c.tenant_id = k."tenantId" and c.account_id = k."accountId" and c.debt_class = k."debtClass"`,
    { cases: JSON.stringify(cases) },
  );
}

/** Puts a case's waking off, with a growing, jittered delay. */
export async function postponeWaking(tx: Tx, { attempts, ...key }: WakingCase, error: string): Promise<void> {
  await rows(tx, `update collections_case set wake_try_at = :at, wake_error = :error where ${OF_CASE}`, {
    ...{ tenantId: key.tenantId, accountId: key.accountId, debtClass: key.debtClass },
    at: new Date(Date.now() + retryAfterMs(attempts + 1, Math.random())),
    error: error.slice(0, 500),
  });
}

/** Wakes the open cases of a tenant that are due by an instant, in the transaction that moved its clock. */
export async function wakeNewlyDue(tx: Tx, tenantId: string, by: Date): Promise<number> {
  const due = await rows(
    tx,
    `update collections_case set wake_no = wake_no + 1, wake_try_at = :now, wake_attempts = 0
      where tenant_id = :tenantId and status = 'open' and next_act_at <= :by returning 1`,
    { tenantId, by, now: new Date() },
  );
  return due.length;
}

/** Wakes the open cases of a tenant that have acted before: Troth collects again. */
export async function wakeRested(tx: Tx, tenantId: string): Promise<void> {
  await rows(
    tx,
    `update collections_case set wake_no = wake_no + 1, wake_try_at = :now, wake_attempts = 0
      where tenant_id = :tenantId and status = 'open' and acted_as_of is not null`,
    { tenantId, now: new Date() },
  );
}
