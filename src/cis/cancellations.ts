import type { Ledger } from '../ledger/connection';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import { cancelPromise, type CancelAnswer } from '../enrollment/cancel';
import { TrothError } from '../platform/errors';
import type { EpochMs } from '../rules/calendar';
import { Cells } from './cells';
import { loadRows, type LoadOptions, type LoadResult, type RowAnswer } from './load';
import type { Columns, CsvRow } from './read-csv';
import { within } from './slice';

const COLUMNS: Columns = {
  required: ['enrollment_id', 'reason'],
  optional: ['cancelled_at', 'note', 'actor'],
};

const COLUMN_OF: Readonly<Record<string, string>> = {
  promiseId: 'enrollment_id',
  reason: 'reason',
  note: 'note',
  actor: 'actor',
};

export interface CancellationOptions extends LoadOptions {
  /** Takes only rows cancelled from here … */
  readonly cancelledFrom?: EpochMs;
  /** … and before this instant. */
  readonly cancelledBefore?: EpochMs;
}

/**
 * Cancels the promises of a file. When they were cancelled is believed of a sandbox only, and never before what the
 * promise has been settled with; elsewhere it is now.
 * @throws TrothError NOT_FOUND (tenant, file), UNAVAILABLE.
 */
export async function loadCancellations(
  ledger: Ledger,
  tenantId: string,
  file: string,
  options: CancellationOptions,
): Promise<LoadResult> {
  const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
  const slice = { column: 'cancelled_at', from: options.cancelledFrom, before: options.cancelledBefore };
  return loadRows(
    file,
    {
      columns: COLUMNS,
      keysOf: (cells) => [`id ${cells['enrollment_id'] ?? ''}`],
      take: (cells) => takeCancel(ledger, tenant, cells, options.actor),
    },
    { ...options, only: within(slice, tenant.timeZone, options.only) },
  );
}

async function takeCancel(
  ledger: Ledger,
  tenant: Tenant,
  row: CsvRow['cells'],
  actor: string,
): Promise<RowAnswer> {
  const cells = new Cells(row, tenant);
  const promiseId = cells.needed('enrollment_id');
  const realNowMs = realTimeOf(cells, tenant);
  if (cells.problems.length > 0) return { result: 'rejected', problems: cells.problems };
  const cancel = {
    reason: cells.text('reason'),
    note: cells.optional('note'),
    actor: cells.optional('actor'),
  };
  try {
    const answer = await cancelPromise(ledger, tenant.tenantId, promiseId, cancel, {
      actor,
      realNowMs,
      relayAfterMs: 0,
      wakeWorkflow: true,
    });
    if (answer.result === 'cancelled') return { result: 'taken' };
    if (isSameAgain(answer, cancel.reason)) return { result: 'known' };
    cells.refuseAll(answer.problems, (field) => COLUMN_OF[field] ?? field);
  } catch (error) {
    if (!(error instanceof TrothError) || error.code !== 'NOT_FOUND') throw error;
    cells.refuse('enrollment_id', 'is unknown: there is no such promise');
  }
  return { result: 'rejected', problems: cells.problems };
}

/** Whether the promise had been cancelled for this very reason before: the same file sent again. */
function isSameAgain(answer: CancelAnswer, reason: string): boolean {
  return (
    answer.result === 'refused' &&
    answer.settlement?.status === 'cancelled' &&
    answer.settlement.facts.cancellation?.reason === reason
  );
}

/** The real time that stands for `cancelled_at`, to which the sandbox's offset will be added. */
function realTimeOf(cells: Cells, tenant: Tenant): number {
  const realNowMs = Date.now();
  const cancelledAtMs = cells.time('cancelled_at');
  if (cancelledAtMs === undefined) return realNowMs;
  if (cancelledAtMs > tenantNow(tenant, realNowMs)) {
    cells.refuse('cancelled_at', `lies in the future of tenant ${tenant.tenantId}`);
  }
  return tenant.sandbox ? cancelledAtMs - tenant.clockOffsetMs : realNowMs;
}
