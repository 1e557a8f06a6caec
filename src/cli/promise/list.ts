import Table from 'cli-table3';
import type { Ledger } from '../../ledger/connection';
import { loadFacts } from '../../ledger/facts';
import { countPromises, listPromises, type PromiseSummary } from '../../ledger/promise-views';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import { epochMs, formatDate, formatLocalTime, localDate } from '../../rules/calendar';
import { evaluate } from '../../rules/decide';
import { cents, formatMoney } from '../../rules/money';
import type { TenantContext } from '../context';
import { isOutputClosed, print, printJson } from '../output';
import { cut, dim, status as coloured, terminalWidth } from '../text';

export const STATUSES = ['pending', 'active', 'kept', 'broken', 'cancelled'] as const;
export const MOST_LISTED = 1_000_000;
const PAGE = 500;
/** A table this long nobody reads; its columns must be measured, so it is held in memory. */
const MOST_IN_TABLE = 10_000;

export interface ListOptions {
  readonly tenant?: string;
  readonly json?: true;
  readonly status?: string;
  readonly account?: string;
  readonly limit: number;
}

/** Lists promises: NDJSON page by page, or a table with totals. */
export async function list({ ledger, tenant }: TenantContext, options: ListOptions): Promise<void> {
  if (options.json === true) {
    for await (const promise of promisesOf(ledger, tenant, options)) {
      if (isOutputClosed()) return;
      printJson(promise);
    }
    return;
  }
  const promises: PromiseSummary[] = [];
  for await (const promise of promisesOf(ledger, tenant, {
    ...options,
    limit: Math.min(options.limit, MOST_IN_TABLE),
  })) {
    promises.push(promise);
  }
  if (promises.length > 0) print(tableOf(promises, tenant));
  await printTotals(ledger, tenant, options, promises.length);
}

async function* promisesOf(
  ledger: Ledger,
  tenant: Tenant,
  { status, account, limit }: ListOptions,
): AsyncGenerator<PromiseSummary> {
  let after = '';
  for (let left = limit; left > 0; left -= PAGE) {
    const filter = {
      ...(status === undefined ? {} : { status }),
      ...(account === undefined ? {} : { accountId: account }),
      limit: Math.min(PAGE, left),
      after,
    };
    const page = await ledger.forTenant(tenant.tenantId, async (tx) => {
      const found = await listPromises(tx, tenant.tenantId, filter);
      const present: PromiseSummary[] = [];
      for (const promise of found) {
        // What was counted is stored at verdicts; before the first one it is what the payments say now.
        const counted =
          promise.status === 'active'
            ? countedNow(evaluate(await loadFacts(tx, tenant.tenantId, promise.promiseId), tenantNow(tenant)))
            : promise.countedCents;
        present.push({ ...promise, countedCents: counted });
      }
      return present;
    });
    yield* page;
    if (page.length < filter.limit) return;
    after = page.at(-1)?.promiseId ?? '';
  }
}

function countedNow({ lines }: ReturnType<typeof evaluate>): number {
  return lines.reduce((total, line) => total + line.countedCents, 0);
}

const HEAD = ['Promise', 'Account', 'Debt', 'Schedule', 'Counted', 'Status', 'Why'];
const MIN_WHY = 20;

function tableOf(promises: readonly PromiseSummary[], tenant: Tenant): string {
  const rows = promises.map((promise) => cellsOf(promise, tenant));
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const fixed = widths.slice(0, -1).reduce((total, width) => total + width + 3, 1);
  const why = Math.max(MIN_WHY, terminalWidth() - fixed - 3);
  const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true } });
  for (const row of rows) {
    const [id = '', account = '', debt = '', schedule = '', counted = '', status = '', sentence = ''] = row;
    const shown = { content: coloured(status) };
    table.push([
      id,
      account,
      debt,
      schedule,
      { content: counted, hAlign: 'right' },
      shown,
      cut(sentence, why),
    ]);
  }
  return table.toString();
}

function cellsOf(promise: PromiseSummary, tenant: Tenant): string[] {
  const money = (amount: number): string => formatMoney(cents(amount), promise.currency);
  return [
    promise.promiseId,
    promise.accountId,
    promise.debtClass,
    scheduleOf(promise),
    `${money(promise.countedCents)} of ${money(promise.totalCents)}`,
    promise.status,
    promise.attention === null ? whyOf(promise, tenant) : `needs attention: ${promise.attention}`,
  ];
}

function whyOf({ sentence, nextJudgeAt }: PromiseSummary, tenant: Tenant): string {
  if (sentence !== null) return sentence;
  if (nextJudgeAt === null) return '';
  return `next judged ${formatLocalTime(epochMs(nextJudgeAt.getTime()), tenant.timeZone)}`;
}

function scheduleOf({ installments, firstDueDate, lastDueDate }: PromiseSummary): string {
  const first = formatDate(localDate(firstDueDate));
  if (installments === 1) return first;
  const sameYear = firstDueDate.slice(0, 4) === lastDueDate.slice(0, 4);
  return `${installments}: ${formatDate(localDate(firstDueDate), { year: !sameYear })} – ${formatDate(localDate(lastDueDate))}`;
}

async function printTotals(
  ledger: Ledger,
  tenant: Tenant,
  options: ListOptions,
  shown: number,
): Promise<void> {
  const filter = options.account === undefined ? {} : { accountId: options.account };
  const counts = await ledger.forTenant(tenant.tenantId, (tx) => countPromises(tx, tenant.tenantId, filter));
  const listed = counts.filter(({ status }) => options.status === undefined || options.status === status);
  const all = listed.reduce((total, { promises }) => total + promises, 0);
  const parts = listed.map(({ status, promises }) => `${promises} ${coloured(status)}`);
  print(all === 0 ? 'There is no such promise.' : `${all} promises: ${parts.join(', ')}`);
  if (shown < all) print(dim(`${shown} are listed; --limit lists more`));
}
