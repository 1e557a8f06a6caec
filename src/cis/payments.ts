import { auditPayments, postPayment, postReversal, REVERSAL_REASONS, type Posted } from '../ledger/payments';
import { getTenant, type Tenant } from '../ledger/tenants';
import { debtClassSchema, idSchema } from '../enrollment/enrollment';
import { localDate, localDateAt, localTimeMs, type EpochMs } from '../rules/calendar';
import { SELF } from '../rules/facts';
import { formatMoney, sum, type Cents } from '../rules/money';
import type { Cells } from './cells';
import { byTable, loaderOf, type Load, type Taking } from './file-kind';
import { parseApplied } from './schedule-text';

const MAX_TENDER = 40;
const MAX_PAYOR = 64;

const postRows = loaderOf({
  columns: {
    required: ['record_type', 'payment_id', 'account_id', 'debt_class', 'amount', 'received_at'],
    optional: ['posted_at', 'tender', 'reason', 'payor', 'applied'],
  },
  keys: ['account_id', 'payment_id'],
  columnOf: byTable({
    paymentId: 'payment_id',
    accountId: 'account_id',
    debtClass: 'debt_class',
    effectiveDate: 'received_at',
    amountCents: 'amount',
    postedAtMs: 'posted_at',
  }),
  read(cells, tenant) {
    switch (cells.text('record_type').toLowerCase()) {
      case 'payment':
        return paymentOf(cells, tenant);
      case 'reversal':
        return reversalOf(cells, tenant);
      default:
        cells.refuse('record_type', 'must be payment or reversal');
        return undefined;
    }
  },
});

/**
 * Posts the payments and reversals of a file, in its order for each account. When they were posted is believed of a
 * sandbox only; elsewhere that is now.
 */
export const loadPayments: Load = async (ledger, tenantId, file, options) => {
  const result = await postRows(ledger, tenantId, file, options);
  const { rows, taken, rejected } = result;
  if (taken > 0) {
    await ledger.forTenant(tenantId, async (tx) =>
      auditPayments(tx, await getTenant(tx, tenantId), options.actor, { rows, taken, rejected }),
    );
  }
  return result;
};

function paymentOf(cells: Cells, { tenantId, currency, timeZone }: Tenant): Taking | undefined {
  const ids = idsOf(cells);
  cells.needed('amount');
  const amountCents = cells.money('amount');
  const times = timesOf(cells, timeZone);
  const tenderType = cells.short('tender', MAX_TENDER) ?? 'unknown';
  const payor = cells.short('payor', MAX_PAYOR) ?? SELF;
  const applied = appliedOf(cells, currency, amountCents);
  if (amountCents === undefined || times === undefined) return undefined;
  const tenders = [{ payor, tenderType, amountCents }];
  const payment = { ...ids, amountCents, currency, ...times, tenders, ...applied };
  return async (ledger) => asTaken(await postPayment(ledger, tenantId, payment));
}

function reversalOf(cells: Cells, { tenantId, timeZone }: Tenant): Taking | undefined {
  const { paymentId, ...of } = idsOf(cells);
  const amountCents = cells.money('amount');
  const times = timesOf(cells, timeZone);
  const reason = REVERSAL_REASONS.find((known) => known === cells.text('reason'));
  if (reason === undefined) cells.refuse('reason', `must be one of ${REVERSAL_REASONS.join(', ')}`);
  if (reason === undefined || times === undefined) return undefined;
  const { receivedAtMs, ...posted } = times;
  const reversal = {
    ...{ paymentId, reason, ...posted },
    of: { ...of, ...(amountCents === undefined ? {} : { amountCents }) },
    effectiveDate: localDateAt(receivedAtMs, timeZone),
  };
  return async (ledger) => asTaken(await postReversal(ledger, tenantId, reversal));
}

function asTaken({ result }: Posted): 'taken' | 'known' {
  return result === 'posted' ? 'taken' : 'known';
}

function idsOf(cells: Cells): { paymentId: string; accountId: string; debtClass: string } {
  return {
    paymentId: cells.checked('payment_id', idSchema),
    accountId: cells.checked('account_id', idSchema),
    debtClass: cells.checked('debt_class', debtClassSchema),
  };
}

/** R24: the open items that the payment was applied to, where the CIS says so; no more than was paid. */
function appliedOf(
  cells: Cells,
  currency: string,
  amountCents: Cents | undefined,
): { readonly applied?: Record<string, Cents> } {
  const text = cells.optional('applied');
  if (text === undefined) return {};
  const applied = parseApplied(text, currency);
  if (typeof applied === 'string') {
    cells.refuse('applied', applied);
    return {};
  }
  const total = sum(Object.values(applied));
  if (amountCents !== undefined && total > amountCents) {
    const amounts = `${formatMoney(total, currency)}, more than the payment's ${formatMoney(amountCents, currency)}`;
    cells.refuse('applied', `sums to ${amounts}`);
  }
  return { applied };
}

interface Times {
  readonly receivedAtMs: EpochMs;
  readonly postedAtMs?: EpochMs;
}

function timesOf(cells: Cells, timeZone: string): Times | undefined {
  cells.needed('received_at');
  const receivedAtMs = cells.time('received_at');
  const postedAtMs = cells.time('posted_at');
  if (receivedAtMs === undefined) return undefined;
  // Money received without a time of day may have been posted on any hour of that day.
  const bare = /^\d{4}-\d{2}-\d{2}$/.test(cells.text('received_at'));
  const earliest = bare ? startOf(cells.text('received_at'), timeZone) : receivedAtMs;
  if (postedAtMs === undefined) return { receivedAtMs };
  if (postedAtMs >= earliest) return { receivedAtMs, postedAtMs };
  cells.refuse('posted_at', 'lies before the payment was received');
  return undefined;
}

function startOf(date: string, timeZone: string): number {
  return localTimeMs(`${localDate(date)} 00:00`, timeZone) ?? 0;
}
