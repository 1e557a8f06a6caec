import { termsFor } from '../rules/agreement';
import { businessCalendar } from '../rules/business-days';
import { epochMs, type LocalDate } from '../rules/calendar';
import { deadlineOf } from '../rules/schedules/deadline';
import type { Cents } from '../rules/money';
import type { PolicyOptions } from '../rules/policy';
import { completeOptions } from '../rules/presets';
import { TrothError } from '../platform/errors';
import { findAccount } from './accounts';
import { audit } from './audit';
import { getCalendarTable } from './calendars';
import { MS, row, rows, type Ledger, type Tx } from './connection';
import { enqueue } from './outbox';
import { reviewDebtsSoon } from './collections/debt-reviews';
import { wakeOpenCase } from './collections/waking';
import { getTenant, tenantNow, type Tenant } from './tenants';

/** One open item of an account: a bill, invoice or charge, as the CIS sends it. */
export interface OpenItem {
  readonly transactionId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly amountCents: Cents;
  /** What is open on it now; 0 closes it. */
  readonly openCents: Cents;
  readonly dueDate: LocalDate;
  readonly issuedDate: LocalDate;
}

/** What recording an item did. */
export interface RecordedItem {
  readonly result: 'recorded' | 'known';
  /** Promises that must stay current and have one more bill to pay now (R26). */
  readonly watchedBy: readonly string[];
}

/**
 * Records an open item, or what has become of it. Amount and dates of an item never change; what is open on it does.
 * @throws TrothError NOT_FOUND (account), INPUT_INVALID (a debt class the account does not have), CONFLICT (the id is taken
 * by another item).
 */
export async function recordItem(ledger: Ledger, tenantId: string, item: OpenItem): Promise<RecordedItem> {
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    await assertDebtClass(tx, tenantId, item);
    const nowMs = tenantNow(tenant);
    const before = await row<{ same: boolean; openCents: number }>(
      tx,
      `select (debt_class, amount_cents, due_date, issued_date)
              is not distinct from (cast(:debtClass as text), cast(:amountCents as bigint), cast(:dueDate as date),
                                    cast(:issuedDate as date)) as same,
              open_cents as "openCents"
         from transaction
        where tenant_id = :tenantId and account_id = :accountId and transaction_id = :transactionId for update`,
      { tenantId, ...item },
    );
    if (before?.same === false) {
      const message =
        'is known with another debt class, amount or date; an item never changes, only what is open on it';
      throw new TrothError('CONFLICT', `Transaction "${item.transactionId}" ${message}`, {
        problems: [{ field: 'transactionId', value: item.transactionId, message }],
      });
    }
    if (before?.openCents === item.openCents) return { result: 'known', watchedBy: [] };
    await rows(
      tx,
      `insert into transaction (tenant_id, account_id, transaction_id, debt_class, amount_cents, open_cents, due_date,
                                issued_date, closed_at, posted_at, updated_at)
       values (:tenantId, :accountId, :transactionId, :debtClass, :amountCents, :openCents, :dueDate, :issuedDate,
               :closedAt, :now, :now)
       on conflict (tenant_id, account_id, transaction_id)
       do update set open_cents = excluded.open_cents, closed_at = excluded.closed_at,
                     updated_at = excluded.updated_at`,
      {
        ...{ tenantId, ...item },
        now: new Date(nowMs),
        closedAt: item.openCents === 0 ? new Date(nowMs) : null,
      },
    );
    await wakeOpenCase(tx, { tenantId, ...item });
    await reviewDebtsSoon(tx, tenantId);
    return { result: 'recorded', watchedBy: await watch(tx, tenant, item) };
  });
}

/** @throws TrothError NOT_FOUND (account), INPUT_INVALID (a debt class the account does not have). */
export async function assertDebtClass(
  tx: Tx,
  tenantId: string,
  { accountId, debtClass }: Pick<OpenItem, 'accountId' | 'debtClass'>,
): Promise<void> {
  const account = await findAccount(tx, tenantId, accountId);
  if (account === undefined) {
    const message = 'is not a known account; load the accounts first';
    throw new TrothError('NOT_FOUND', `"${accountId}" ${message}`, {
      problems: [{ field: 'accountId', value: accountId, message }],
    });
  }
  if (account.debtClasses.includes(debtClass)) return;
  const message = `is not a debt class of account ${accountId}, which has ${account.debtClasses.join(', ')}`;
  throw new TrothError('INPUT_INVALID', `"${debtClass}" ${message}`, {
    problems: [{ field: 'debtClass', value: debtClass, message }],
  });
}

interface Watcher {
  readonly promiseId: string;
  readonly workflowId: string;
  readonly payMethod: string | null;
  readonly options: Partial<PolicyOptions>;
}

// R26: a bill issued after the start of an open promise that asks to stay current is watched from now on, by deadlines that
// are computed once.
async function watch(tx: Tx, tenant: Tenant, item: OpenItem): Promise<string[]> {
  const { tenantId } = tenant;
  const watchers = await rows<Watcher>(
    tx,
    `select p.promise_id as "promiseId", p.workflow_id as "workflowId", p.pay_method as "payMethod", pol.options
       from promise p
       join policy pol on pol.tenant_id = p.tenant_id and pol.name = p.policy_name and pol.version = p.policy_version
      where p.tenant_id = :tenantId and p.account_id = :accountId and p.debt_class = :debtClass
        and p.status in ('pending', 'active') and p.start_date < :issuedDate
        and cast(pol.options ->> 'stayCurrent' as boolean)`,
    { tenantId, ...item },
  );
  for (const watcher of watchers) {
    await addBill(tx, tenant, watcher, item);
    const { promiseId, workflowId } = watcher;
    await enqueue(tx, tenantId, { kind: 'review', promiseId, workflowId });
  }
  return watchers.map(({ promiseId }) => promiseId);
}

async function addBill(
  tx: Tx,
  tenant: Tenant,
  watcher: Omit<Watcher, 'workflowId'>,
  item: OpenItem,
): Promise<void> {
  const calendar = businessCalendar(tenant.timeZone, await getCalendarTable(tx, tenant.tenantId));
  const terms = termsFor(completeOptions(watcher.options), watcher.payMethod);
  const { lastDay, deadlineMs, judgeAtMs } = deadlineOf(item.dueDate, terms, calendar);
  await rows(
    tx,
    `insert into promise_bill (tenant_id, promise_id, transaction_id, amount_cents, due_date, last_day, deadline_at,
                               judge_at)
     values (:tenantId, :promiseId, :transactionId, :amountCents, :dueDate, :lastDay, :deadlineAt, :judgeAt)
     on conflict do nothing`,
    {
      ...{ tenantId: tenant.tenantId, promiseId: watcher.promiseId, lastDay },
      ...{ transactionId: item.transactionId, amountCents: item.amountCents, dueDate: item.dueDate },
      deadlineAt: new Date(deadlineMs),
      judgeAt: new Date(judgeAtMs),
    },
  );
}

/** R26: the bills that were issued since the start of a promise that is enrolled late. */
export async function watchIssued(
  tx: Tx,
  tenant: Tenant,
  promise: {
    readonly promiseId: string;
    readonly accountId: string;
    readonly debtClass: string;
    readonly startDate: LocalDate;
    readonly payMethod: string | null;
    readonly options: PolicyOptions;
  },
): Promise<void> {
  const issued = await rows<OpenItem>(
    tx,
    `select transaction_id as "transactionId", account_id as "accountId", debt_class as "debtClass",
            amount_cents as "amountCents", open_cents as "openCents", due_date as "dueDate",
            issued_date as "issuedDate"
       from transaction
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
        and issued_date > :startDate and closed_at is null`,
    {
      tenantId: tenant.tenantId,
      accountId: promise.accountId,
      debtClass: promise.debtClass,
      startDate: promise.startDate,
    },
  );
  for (const item of issued) await addBill(tx, tenant, promise, item);
}

/** What is open on some items of a debt, by their ids; items that are not known are not in it. */
export async function openItems(
  tx: Tx,
  tenantId: string,
  accountId: string,
  debtClass: string,
  transactionIds: readonly string[],
): Promise<Map<string, Cents>> {
  const found = await rows<{ transactionId: string; openCents: Cents }>(
    tx,
    `select transaction_id as "transactionId", open_cents as "openCents" from transaction
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
        and transaction_id = any(:transactionIds)`,
    { tenantId, accountId, debtClass, transactionIds: [...transactionIds] },
  );
  return new Map(found.map(({ transactionId, openCents }) => [transactionId, openCents]));
}

/** An item that can be promised: something is open on it. */
export interface PromisableItem {
  readonly transactionId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly customerId: string | null;
  readonly openCents: Cents;
  readonly dueDate: LocalDate;
}

/** R23: open items by their ids, or by customer, in order of account and due date. */
export async function promisableItems(
  tx: Tx,
  tenantId: string,
  which: { readonly transactionIds?: readonly string[]; readonly customerIds?: readonly string[] },
): Promise<PromisableItem[]> {
  return rows<PromisableItem>(
    tx,
    `select x.transaction_id as "transactionId", x.account_id as "accountId", x.debt_class as "debtClass",
            a.customer_id as "customerId", x.open_cents as "openCents", x.due_date as "dueDate"
       from transaction x join account a on a.tenant_id = x.tenant_id and a.account_id = x.account_id
      where x.tenant_id = :tenantId and x.open_cents > 0
        and (x.transaction_id = any(:transactionIds) or a.customer_id = any(:customerIds))
      order by x.account_id, x.debt_class, x.due_date, x.transaction_id limit 100001`,
    {
      tenantId,
      transactionIds: [...(which.transactionIds ?? [])],
      customerIds: [...(which.customerIds ?? [])],
    },
  );
}

/**
 * R13: records that nothing is left to collect on a debt, for another reason than a payment, and wakes its promises.
 * @returns the promises that were told.
 * @throws TrothError NOT_FOUND (account), INPUT_INVALID (a debt class the account does not have).
 */
export async function clearBalance(
  ledger: Ledger,
  tenantId: string,
  debt: { readonly accountId: string; readonly debtClass: string },
  by: { readonly actor: string; readonly note: string | null },
): Promise<{ readonly touched: readonly string[] }> {
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    const { accountId, debtClass } = debt;
    await assertDebtClass(tx, tenantId, debt);
    await wakeOpenCase(tx, { tenantId, accountId, debtClass });
    const open = await rows<{ promiseId: string; workflowId: string; settledAsOfMs: number }>(
      tx,
      `select promise_id as "promiseId", workflow_id as "workflowId",
              ${MS('settled_as_of')} as "settledAsOfMs"
         from promise
        where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
          and status in ('pending', 'active')
        order by promise_id for no key update`,
      { tenantId, accountId, debtClass },
    );
    // After everything that its promises were settled with, so that a verdict made before finds what it was made with.
    const atMs = epochMs(Math.max(tenantNow(tenant), ...open.map((promise) => promise.settledAsOfMs + 1)));
    await rows(
      tx,
      `insert into balance_clearing (tenant_id, account_id, debt_class, cleared_at, actor, note)
       values (:tenantId, :accountId, :debtClass, :at, :actor, :note) on conflict do nothing`,
      { tenantId, accountId, debtClass, at: new Date(atMs), actor: by.actor, note: by.note },
    );
    await audit(tx, tenantId, {
      ...{ action: 'balance.cleared', actor: by.actor, at: atMs, accountId },
      details: { debtClass, promises: open.length },
    });
    for (const { promiseId, workflowId } of open) {
      await enqueue(tx, tenantId, { kind: 'review', promiseId, workflowId });
    }
    return { touched: open.map(({ promiseId }) => promiseId) };
  });
}
