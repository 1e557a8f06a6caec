import type { Ledger } from '../ledger/connection';
import { auditPayments, postPayment, postReversal, REVERSAL_REASONS, type Posted } from '../ledger/payments';
import { getTenant, type Tenant } from '../ledger/tenants';
import { debtClassSchema, idSchema } from '../enrollment/enrollment';
import { TrothError } from '../platform/errors';
import { localDate, localDateAt, localTimeMs, type EpochMs } from '../rules/calendar';
import { SELF } from '../rules/facts';
import { Cells } from './cells';
import { loadRows, type LoadOptions, type LoadResult, type RowAnswer } from './load';
import { within, type Slice } from './slice';
import type { Columns, CsvRow } from './read-csv';

const COLUMNS: Columns = {
  required: ['record_type', 'payment_id', 'account_id', 'debt_class', 'amount', 'received_at'],
  optional: ['posted_at', 'tender', 'reason'],
};

const COLUMN_OF: Readonly<Record<string, string>> = {
  paymentId: 'payment_id',
  accountId: 'account_id',
  debtClass: 'debt_class',
  effectiveDate: 'received_at',
  amountCents: 'amount',
  postedAtMs: 'posted_at',
};

const MAX_TENDER = 40;

export interface PaymentOptions extends LoadOptions {
  /** Takes only rows posted from here … */
  readonly postedFrom?: EpochMs;
  /** … and before this instant. */
  readonly postedBefore?: EpochMs;
}

/**
 * Posts the payments and reversals of a file, in its order for each account. When they were posted is believed of a
 * sandbox only; elsewhere that is now.
 * @throws TrothError NOT_FOUND (tenant, file), UNAVAILABLE.
 */
export async function loadPayments(
  ledger: Ledger,
  tenantId: string,
  file: string,
  options: PaymentOptions,
): Promise<LoadResult> {
  const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
  const slice: Slice = { column: 'posted_at', from: options.postedFrom, before: options.postedBefore };
  const result = await loadRows(
    file,
    {
      columns: COLUMNS,
      keysOf: (cells) => [`account ${cells['account_id'] ?? ''}`, `id ${cells['payment_id'] ?? ''}`],
      take: (cells) => takeRow(ledger, tenant, cells),
    },
    { ...options, only: within(slice, tenant.timeZone, options.only) },
  );
  const { rows, taken, rejected } = result;
  if (taken > 0) {
    await ledger.forTenant(tenantId, (tx) =>
      auditPayments(tx, tenant, options.actor, { rows, taken, rejected }),
    );
  }
  return result;
}

async function takeRow(ledger: Ledger, tenant: Tenant, row: CsvRow['cells']): Promise<RowAnswer> {
  const cells = new Cells(row, tenant);
  const kind = cells.text('record_type').toLowerCase();
  if (kind !== 'payment' && kind !== 'reversal') {
    cells.refuse('record_type', 'must be payment or reversal');
    return { result: 'rejected', problems: cells.problems };
  }
  const post = kind === 'payment' ? paymentOf(cells, tenant) : reversalOf(cells, tenant);
  if (post === undefined || cells.problems.length > 0)
    return { result: 'rejected', problems: cells.problems };
  try {
    const { result } = await post(ledger);
    return { result: result === 'posted' ? 'taken' : 'known' };
  } catch (error) {
    if (!(error instanceof TrothError) || error.problems.length === 0) throw error;
    cells.refuseAll(error.problems, (field) => COLUMN_OF[field] ?? field);
    return { result: 'rejected', problems: cells.problems };
  }
}

type Post = (ledger: Ledger) => Promise<Posted>;

function paymentOf(cells: Cells, tenant: Tenant): Post | undefined {
  const ids = idsOf(cells);
  cells.needed('amount');
  const amountCents = cells.money('amount');
  const times = timesOf(cells, tenant);
  const tenderType = cells.optional('tender') ?? 'unknown';
  if (tenderType.length > MAX_TENDER) cells.refuse('tender', `is longer than ${MAX_TENDER} characters`);
  if (amountCents === undefined || times === undefined) return undefined;
  const payment = {
    ...ids,
    amountCents,
    currency: tenant.currency,
    receivedAtMs: times.receivedAtMs,
    ...(times.postedAtMs === undefined ? {} : { postedAtMs: times.postedAtMs }),
    tenders: [{ payor: SELF, tenderType, amountCents }],
  };
  return (ledger) => postPayment(ledger, tenant.tenantId, payment);
}

function reversalOf(cells: Cells, tenant: Tenant): Post | undefined {
  const { paymentId, accountId, debtClass } = idsOf(cells);
  const amountCents = cells.money('amount');
  const times = timesOf(cells, tenant);
  const reason = REVERSAL_REASONS.find((known) => known === cells.text('reason'));
  if (reason === undefined) cells.refuse('reason', `must be one of ${REVERSAL_REASONS.join(', ')}`);
  if (reason === undefined || times === undefined) return undefined;
  const reversal = {
    paymentId,
    of: { accountId, debtClass, ...(amountCents === undefined ? {} : { amountCents }) },
    effectiveDate: localDateAt(times.receivedAtMs, tenant.timeZone),
    reason,
    ...(times.postedAtMs === undefined ? {} : { postedAtMs: times.postedAtMs }),
  };
  return (ledger) => postReversal(ledger, tenant.tenantId, reversal);
}

function idsOf(cells: Cells): { paymentId: string; accountId: string; debtClass: string } {
  const checked = (column: string, schema: typeof idSchema): string => {
    const found = schema.safeParse(cells.text(column));
    if (!found.success) cells.refuse(column, found.error.issues[0]?.message ?? 'is wrong');
    return cells.text(column);
  };
  return {
    paymentId: checked('payment_id', idSchema),
    accountId: checked('account_id', idSchema),
    debtClass: checked('debt_class', debtClassSchema),
  };
}

interface Times {
  readonly receivedAtMs: EpochMs;
  readonly postedAtMs: EpochMs | undefined;
}

function timesOf(cells: Cells, tenant: Tenant): Times | undefined {
  cells.needed('received_at');
  const receivedAtMs = cells.time('received_at');
  const postedAtMs = cells.time('posted_at');
  if (receivedAtMs === undefined) return undefined;
  // Money received without a time of day may have been posted on any hour of that day.
  const bare = /^\d{4}-\d{2}-\d{2}$/.test(cells.text('received_at'));
  const earliest = bare ? startOf(cells.text('received_at'), tenant.timeZone) : receivedAtMs;
  if (postedAtMs !== undefined && postedAtMs < earliest) {
    cells.refuse('posted_at', 'lies before the payment was received');
    return undefined;
  }
  return { receivedAtMs, postedAtMs };
}

function startOf(date: string, timeZone: string): number {
  return localTimeMs(`${localDate(date)} 00:00`, timeZone) ?? 0;
}
