import { businessCalendar, effectiveDateOf, type BusinessCalendar } from '../rules/business-days';
import { epochMs, formatLocalTime, type EpochMs, type LocalDate } from '../rules/calendar';
import { evaluate } from '../rules/decide';
import { SELF, type PromiseFacts } from '../rules/facts';
import type { Cents } from '../rules/money';
import { TrothError } from '../platform/errors';
import { findAccount } from './accounts';
import { getCalendarTable } from './calendars';
import { audit } from './audit';
import { MS, row, rows, type Ledger, type Tx } from './connection';
import { lockDebt, type LockedPromise } from './promises/debt-lock';
import { loadFacts } from './promises/facts';
import { enqueue } from './outbox';
import { wakeOpenCase } from './collections/waking';
import { getTenant, tenantNow, type Tenant } from './tenants';

/** Money received, as the CIS or a payment channel tells it. */
export interface NewPayment {
  readonly paymentId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly amountCents: Cents;
  readonly currency: string;
  readonly receivedAtMs: EpochMs;
  /** Only a sandbox may say when its ledger learned of it; elsewhere that is now. */
  readonly postedAtMs?: EpochMs;
  readonly tenders?: readonly {
    readonly payor: string;
    readonly tenderType: string;
    readonly amountCents: Cents;
  }[];
  /** Cents by the open item they were applied to; at most the amount (R24, R26). */
  readonly applied?: Readonly<Record<string, Cents>>;
}

export const REVERSAL_REASONS = ['nsf', 'cancelled', 'transferred', 'other'] as const;

export interface NewReversal {
  readonly paymentId: string;
  /** What the sender believes of the payment; a reversal that names another one by mistake is refused. */
  readonly of?: { readonly accountId: string; readonly debtClass: string; readonly amountCents?: Cents };
  readonly effectiveDate: LocalDate;
  readonly reason: (typeof REVERSAL_REASONS)[number];
  readonly postedAtMs?: EpochMs;
}

/** What posting did: `known` when the very same thing had been posted before. */
export interface Posted {
  readonly result: 'posted' | 'known';
  /** Promises whose life this changes; each of their workflows has been told to look again. */
  readonly touched: readonly string[];
}

/**
 * Posts a payment. The promises of its account are locked first, so that a verdict and a payment cannot cross.
 * @throws TrothError NOT_FOUND (account), INPUT_INVALID (a debt class the account does not have), CONFLICT (the id is
 * taken by another payment).
 */
export async function postPayment(ledger: Ledger, tenantId: string, payment: NewPayment): Promise<Posted> {
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    await assertAccount(tx, tenantId, payment);
    assertApplied(payment);
    const promises = await lockDebt(tx, tenantId, payment.accountId, payment.debtClass);
    const postedAtMs = postedAt(tenant, promises, payment.postedAtMs);
    const calendar = businessCalendar(tenant.timeZone, await getCalendarTable(tx, tenantId));
    if (!(await insertPayment(tx, tenant, payment, postedAtMs, calendar))) {
      await assertSamePayment(tx, tenant, payment);
      return { result: 'known', touched: [] };
    }
    await wakeOpenCase(tx, { tenantId, ...payment });
    return { result: 'posted', touched: await hint(tx, tenantId, promises, postedAtMs) };
  });
}

/**
 * Posts the reversal of a payment (R19).
 * @throws TrothError NOT_FOUND (payment), CONFLICT (reversed before, otherwise; or not the payment it is said to be).
 */
export async function postReversal(ledger: Ledger, tenantId: string, reversal: NewReversal): Promise<Posted> {
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    const payment = await row<StoredPayment>(
      tx,
      `select account_id as "accountId", debt_class as "debtClass", amount_cents as "amountCents",
              ${MS('posted_at')} as "postedAtMs"
         from payment where tenant_id = :tenantId and payment_id = :paymentId`,
      { tenantId, paymentId: reversal.paymentId },
    );
    if (payment === undefined) {
      const message = 'is unknown: there is no such payment to reverse';
      throw new TrothError('NOT_FOUND', `There is no payment "${reversal.paymentId}" to reverse`, {
        problems: [{ field: 'paymentId', value: reversal.paymentId, message }],
      });
    }
    assertReversalOf(payment, reversal);
    const promises = await lockDebt(tx, tenantId, payment.accountId, payment.debtClass);
    const atMs = epochMs(Math.max(postedAt(tenant, promises, reversal.postedAtMs), payment.postedAtMs));
    const inserted = await rows(
      tx,
      `insert into payment_reversal (tenant_id, payment_id, effective_date, posted_at, reason)
       values (:tenantId, :paymentId, :effectiveDate, :postedAt, :reason)
       on conflict do nothing returning payment_id`,
      { tenantId, ...pick(reversal), postedAt: new Date(atMs) },
    );
    if (inserted.length === 0) {
      await assertSameReversal(tx, tenantId, reversal);
      return { result: 'known', touched: [] };
    }
    await wakeOpenCase(tx, { tenantId, ...payment });
    return { result: 'posted', touched: await hint(tx, tenantId, promises, atMs) };
  });
}

function assertApplied({ paymentId, amountCents, applied = {} }: NewPayment): void {
  const total = Object.values(applied).reduce((sum, each) => sum + each, 0);
  if (total <= amountCents) return;
  const message = `sums to ${total} cents, more than the payment's ${amountCents}`;
  throw new TrothError('INPUT_INVALID', `What payment "${paymentId}" was applied to ${message}`, {
    problems: [{ field: 'applied', value: String(total), message }],
  });
}

interface StoredPayment {
  readonly accountId: string;
  readonly debtClass: string;
  readonly amountCents: number;
  readonly postedAtMs: EpochMs;
}

function assertReversalOf(payment: StoredPayment, { paymentId, of }: NewReversal): void {
  if (of === undefined) return;
  const fields = ['accountId', 'debtClass', 'amountCents'] as const;
  const wrong = fields.find((field) => of[field] !== undefined && of[field] !== payment[field]);
  if (wrong === undefined) return;
  const message = `is not that of the payment, ${payment[wrong]}`;
  throw new TrothError('CONFLICT', `The reversal of payment "${paymentId}": ${wrong} ${message}`, {
    problems: [{ field: wrong, value: String(of[wrong]), message }],
  });
}

async function assertAccount(tx: Tx, tenantId: string, payment: NewPayment): Promise<void> {
  const { accountId, debtClass } = payment;
  const account = await findAccount(tx, tenantId, accountId);
  if (account === undefined) {
    throw new TrothError('NOT_FOUND', `There is no account "${accountId}"; load the accounts first`, {
      problems: [
        { field: 'accountId', value: accountId, message: 'is not a known account; load the accounts first' },
      ],
    });
  }
  if (account.debtClasses.includes(debtClass)) return;
  const message = `is not a debt class of account ${accountId}, which has ${account.debtClasses.join(', ')}`;
  throw new TrothError('INPUT_INVALID', `"${debtClass}" ${message}`, {
    problems: [{ field: 'debtClass', value: debtClass, message }],
  });
}

function pick({ paymentId, effectiveDate, reason }: NewReversal): Omit<NewReversal, 'postedAtMs' | 'of'> {
  return { paymentId, effectiveDate, reason };
}

/**
 * When the ledger learned of something: now in the tenant's time, or when a sandbox says, but always after what any of
 * its promises has been settled with. So a verdict, recomputed later, finds exactly what it was made with.
 */
function postedAt(tenant: Tenant, promises: readonly LockedPromise[], asked: EpochMs | undefined): EpochMs {
  const nowMs = tenantNow(tenant);
  const wanted = tenant.sandbox && asked !== undefined ? asked : nowMs;
  if (wanted > nowMs) {
    const now = formatLocalTime(nowMs, tenant.timeZone);
    const message = `lies in the future of the sandbox's clock, ${now}; move the clock first`;
    const problems = [{ field: 'postedAtMs', value: formatLocalTime(wanted, tenant.timeZone), message }];
    throw new TrothError('INPUT_INVALID', `The posting ${message}`, { problems });
  }
  const settled = promises.map((promise) => promise.settledAsOfMs + 1);
  return epochMs(Math.max(wanted, ...settled));
}

async function insertPayment(
  tx: Tx,
  tenant: Tenant,
  payment: NewPayment,
  postedAtMs: EpochMs,
  calendar: BusinessCalendar,
): Promise<boolean> {
  const tenders = payment.tenders ?? [
    { payor: SELF, tenderType: 'unknown', amountCents: payment.amountCents },
  ];
  const inserted = await rows(
    tx,
    `with new_payment as (
       insert into payment (tenant_id, payment_id, account_id, debt_class, currency, amount_cents, received_at,
                            effective_date, posted_at)
       values (:tenantId, :paymentId, :accountId, :debtClass, :currency, :amountCents, :receivedAt,
               :effectiveDate, :postedAt)
       on conflict do nothing returning payment_id),
     new_applications as (
       insert into payment_application (tenant_id, payment_id, transaction_id, cents)
       select :tenantId, p.payment_id, a.key, cast(a.value as bigint)
         from new_payment p, json_each_text(cast(:applied as json)) a)
     insert into payment_tender (tenant_id, payment_id, seq, payor, tender_type, amount_cents)
     select :tenantId, p.payment_id, d.seq, d.payor, d."tenderType", d."amountCents"
       from new_payment p, json_to_recordset(cast(:tenders as json))
         as d(seq integer, payor text, "tenderType" text, "amountCents" bigint)
     returning payment_id`,
    {
      ...identityOf(tenant, payment),
      effectiveDate: effectiveDateOf(payment.receivedAtMs, calendar),
      postedAt: new Date(postedAtMs),
      applied: JSON.stringify(payment.applied ?? {}),
      tenders: JSON.stringify(tenders.map((tender, index) => ({ ...tender, seq: index + 1 }))),
    },
  );
  return inserted.length > 0;
}

/** What must be the same when a payment is sent again. */
function identityOf(tenant: Tenant, payment: NewPayment): Record<string, unknown> {
  const { paymentId, accountId, debtClass, currency, amountCents, receivedAtMs } = payment;
  const receivedAt = new Date(receivedAtMs);
  return { tenantId: tenant.tenantId, paymentId, accountId, debtClass, currency, amountCents, receivedAt };
}

async function assertSamePayment(tx: Tx, tenant: Tenant, payment: NewPayment): Promise<void> {
  const same = await row(
    tx,
    `select 1 from payment
      where tenant_id = :tenantId and payment_id = :paymentId and account_id = :accountId
        and debt_class = :debtClass and currency = :currency and amount_cents = :amountCents
        and received_at = :receivedAt and cast(:applied as jsonb) = coalesce((
          select jsonb_object_agg(a.transaction_id, a.cents) from payment_application a
           where a.tenant_id = payment.tenant_id and a.payment_id = payment.payment_id), '{}')`,
    { ...identityOf(tenant, payment), applied: JSON.stringify(payment.applied ?? {}) },
  );
  if (same === undefined) {
    const message =
      'is posted already with another account, debt class, amount, time or open items; ' +
      'reverse it and post the right one under a new id';
    throw new TrothError('CONFLICT', `Payment "${payment.paymentId}" ${message}`, {
      problems: [{ field: 'paymentId', value: payment.paymentId, message }],
    });
  }
}

async function assertSameReversal(tx: Tx, tenantId: string, reversal: NewReversal): Promise<void> {
  const same = await row(
    tx,
    `select 1 from payment_reversal
      where tenant_id = :tenantId and payment_id = :paymentId and effective_date = :effectiveDate
        and reason = :reason`,
    { tenantId, ...pick(reversal) },
  );
  if (same === undefined) {
    const message = 'is reversed already, on another day or for another reason';
    throw new TrothError('CONFLICT', `Payment "${reversal.paymentId}" ${message}`, {
      problems: [{ field: 'paymentId', value: reversal.paymentId, message }],
    });
  }
}

// A hint is sent only when it can change something; everybody else finds the money at the next judge time. Where a promise on
// the debt is overdue, what others may count is not settled yet (R9, R11), so all are asked to look.
async function hint(
  tx: Tx,
  tenantId: string,
  promises: readonly LockedPromise[],
  atMs: EpochMs,
): Promise<string[]> {
  const touched: string[] = [];
  const isOverdue = promises.some(({ nextJudgeAtMs }) => nextJudgeAtMs !== null && nextJudgeAtMs <= atMs);
  for (const promise of promises) {
    if (!isOverdue && !(await changes(tx, tenantId, promise, atMs))) continue;
    const { promiseId, workflowId } = promise;
    await enqueue(tx, tenantId, { kind: 'review', promiseId, workflowId });
    touched.push(promiseId);
  }
  return touched;
}

async function changes(tx: Tx, tenantId: string, promise: LockedPromise, atMs: EpochMs): Promise<boolean> {
  const facts = await factsOrNothing(tx, tenantId, promise.promiseId);
  if (facts === undefined) return true;
  const life = evaluate(facts, atMs);
  return (
    life.status !== promise.status ||
    life.revision !== promise.revision ||
    life.notices.some((notice) => notice.atMs >= atMs) ||
    life.nextJudgeAtMs !== promise.nextJudgeAtMs
  );
}

// Money is taken whatever a promise looks like: one with broken data is left to its workflow, which parks it.
async function factsOrNothing(
  tx: Tx,
  tenantId: string,
  promiseId: string,
): Promise<PromiseFacts | undefined> {
  try {
    return await loadFacts(tx, tenantId, promiseId);
  } catch (error) {
    if (error instanceof TrothError && error.code === 'INVARIANT') return undefined;
    throw error;
  }
}

/** Writes the audit event of a file of payments, once for the file. */
export async function auditPayments(
  tx: Tx,
  tenant: Tenant,
  actor: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await audit(tx, tenant.tenantId, { action: 'payments.loaded', actor, at: tenantNow(tenant), details });
}
