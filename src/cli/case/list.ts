import { countCases, listCases, type CaseSummary } from '../../ledger/collections/case-views';
import type { Ledger } from '../../ledger/connection';
import type { Tenant } from '../../ledger/tenants';
import { formatLocalTime } from '../../rules/calendar';
import type { TenantContext } from '../context';
import { fittedTable, isOutputClosed, print, printJson } from '../output';
import { dim, plural, printable } from '../text';

export const MOST_LISTED = 1_000_000;
const MOST_IN_TABLE = 10_000;
const PAGE = 500;

export interface ListOptions {
  readonly open?: true;
  readonly closed?: true;
  readonly debtClass?: string;
  readonly limit: number;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth case list` */
export async function list({ ledger, tenant }: TenantContext, options: ListOptions): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const { json, debtClass } = options;
  const limit = json === true ? options.limit : Math.min(options.limit, MOST_IN_TABLE);
  const cases: CaseSummary[] = [];
  for await (const one of casesOf(ledger, tenant, { ...options, limit })) {
    if (json !== true) cases.push(one);
    else if (isOutputClosed()) return;
    else printJson(one);
  }
  if (json === true) return;
  if (cases.length > 0) {
    const rows = cases.map((one) => [
      ...[one.accountId, one.debtClass, statusOf(one)],
      one.nextActAtMs === null ? '' : formatLocalTime(one.nextActAtMs, timeZone),
      printable(sentenceOf(one)),
    ]);
    print(fittedTable(['Account', 'Debt', 'Status', 'Next look', 'How it stands'], rows));
  }
  const counts = await ledger.forTenant(tenantId, (tx) => countCases(tx, tenantId, debtClass));
  const open = options.closed === true ? 0 : counts.open;
  const closed = options.open === true ? 0 : counts.closed;
  print(
    open + closed === 0
      ? 'There is no such case.'
      : `${plural(open + closed, 'case')}: ${open} open, ${closed} closed`,
  );
  if (cases.length < open + closed) print(dim(`${cases.length} are listed; --limit lists more`));
}

/** `open`, with how its process stands where one has run. */
export function statusOf({ status, runStatus }: Pick<CaseSummary, 'status' | 'runStatus'>): string {
  return status === 'open' && runStatus !== null ? `open, ${runStatus}` : status;
}

function sentenceOf({ attention, sentence, isWaking }: CaseSummary): string {
  if (attention !== null) return `needs attention: ${attention}`;
  const waking = isWaking ? ' (to look again)' : '';
  return `${sentence ?? 'Nothing has been decided yet.'}${waking}`;
}

async function* casesOf(
  ledger: Ledger,
  { tenantId }: Tenant,
  { open, closed, debtClass, limit }: ListOptions,
): AsyncGenerator<CaseSummary> {
  let after: CaseSummary | undefined;
  for (let left = limit; left > 0; left -= PAGE) {
    const filter = {
      ...(open === true ? { status: 'open' as const } : {}),
      ...(closed === true ? { status: 'closed' as const } : {}),
      ...(debtClass === undefined ? {} : { debtClass }),
      ...(after === undefined ? {} : { after }),
      limit: Math.min(PAGE, left),
    };
    const page = await ledger.forTenant(tenantId, (tx) => listCases(tx, tenantId, filter));
    yield* page;
    if (page.length < filter.limit) return;
    after = page.at(-1);
  }
}
