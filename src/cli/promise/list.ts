import type { Ledger, Tx } from '../../ledger/connection';
import { loadFacts } from '../../ledger/promises/facts';
import { countPromises, listPromises, type PromiseSummary } from '../../ledger/promises/promise-views';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import { epochMs, formatDate, formatLocalTime, localDate, localDateAt } from '../../rules/calendar';
import { evaluate } from '../../rules/decide';
import type { PromiseStatus } from '../../rules/facts';
import { cents, formatMoney } from '../../rules/money';
import type { TenantContext } from '../context';
import { fittedTable, isOutputClosed, print, printJson } from '../output';
import { dim, plural, printable, red, status as coloured } from '../text';
import { oracleViewOf, todayOf, type Today } from './words';

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
  readonly oracleView?: true;
  readonly limit: number;
}

/** A promise as the list shows it: as it is recorded, with how it stands today. */
interface Listed
  extends PromiseSummary, Pick<Today, 'pastDueCents' | 'nextDueDate' | 'waitsFor' | 'oracleView'> {
  /** The number of the installment that is due next. */
  readonly nextInstallment: number | null;
  /** What the rules say now; the engine records it when it wakes. */
  readonly statusNow: string;
  /** R22: there is always a next installment. */
  readonly isOpenEnded: boolean;
  /** R22: off means that nothing changes by itself. */
  readonly autoManaged: boolean;
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
  const promises: Listed[] = [];
  for await (const promise of promisesOf(ledger, tenant, {
    ...options,
    limit: Math.min(options.limit, MOST_IN_TABLE),
  })) {
    promises.push(promise);
  }
  if (promises.length > 0) print(tableOf(promises, tenant, options.oracleView === true));
  await printTotals(ledger, tenant, options, promises.length);
}

async function* promisesOf(
  ledger: Ledger,
  tenant: Tenant,
  { status, account, limit }: ListOptions,
): AsyncGenerator<Listed> {
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
      const listed: Listed[] = [];
      for (const promise of found) listed.push(await listedOf(tx, tenant, promise));
      return listed;
    });
    yield* page;
    if (page.length < filter.limit) return;
    after = page.at(-1)?.promiseId ?? '';
  }
}

async function listedOf(tx: Tx, tenant: Tenant, promise: PromiseSummary): Promise<Listed> {
  const { timeZone, tenantId } = tenant;
  if (promise.endedAt !== null) {
    const today = localDateAt(tenantNow(tenant), timeZone);
    const oracleView = oracleViewOf(promise.status as PromiseStatus, null, today);
    const nothing = { pastDueCents: cents(0), nextDueDate: null, nextInstallment: null, waitsFor: null };
    return {
      ...promise,
      ...nothing,
      oracleView,
      statusNow: promise.status,
      isOpenEnded: false,
      autoManaged: true,
    };
  }
  // What was counted is stored at verdicts; before the first one it is what the payments say now.
  const facts = await loadFacts(tx, tenantId, promise.promiseId);
  const evaluation = evaluate(facts, tenantNow(tenant));
  const { unpaidCents: _, ...today } = todayOf(facts, evaluation, tenant);
  const countedCents = evaluation.lines.reduce((total, line) => total + line.countedCents, 0);
  const next = evaluation.lines.find(({ line }) => line.dueDate === today.nextDueDate);
  const { status: statusNow, isOpenEnded } = evaluation;
  const nextInstallment = next?.line.seq ?? null;
  const { autoManaged } = facts;
  return { ...promise, countedCents, ...today, statusNow, isOpenEnded, autoManaged, nextInstallment };
}

function tableOf(promises: readonly Listed[], tenant: Tenant, oracleView: boolean): string {
  const status = oracleView ? ['Status', 'State'] : ['Status'];
  const rows = promises.map((promise) => [
    promise.promiseId,
    promise.accountId,
    promise.debtClass,
    dueOf(promise),
    partsOf(promise),
    amountOf(promise),
    ...(oracleView ? [promise.oracleView.status, promise.oracleView.state] : [coloured(promise.status)]),
    printable(whyOf(promise, tenant)),
  ]);
  return fittedTable(['Promise', 'Account', 'Debt', 'Due', 'Part', 'Counted', ...status, 'Why'], rows);
}

/** The next due date, red when it has passed (S2); of a promise that has ended, its last one. */
function dueOf({ nextDueDate, lastDueDate, pastDueCents }: Listed): string {
  const text = formatDate(localDate(nextDueDate ?? lastDueDate));
  return pastDueCents > 0 ? red(text) : text;
}

/** Which installment of how many is due next. */
function partsOf({ installments, nextInstallment, isOpenEnded }: Listed): string {
  if (isOpenEnded) return `${nextInstallment ?? installments}/…`;
  if (installments === 1 && (nextInstallment ?? 1) === 1) return '';
  return nextInstallment === null ? String(installments) : `${nextInstallment}/${installments}`;
}

function amountOf({ countedCents, totalCents, currency, isOpenEnded }: Listed): string {
  if (isOpenEnded) return formatMoney(cents(countedCents), currency);
  return `${formatMoney(cents(countedCents), currency)} of ${formatMoney(cents(totalCents), currency)}`;
}

function whyOf(promise: Listed, { timeZone }: Tenant): string {
  const {
    attention,
    sentence,
    waitsFor,
    pastDueCents,
    nextJudgeAt,
    currency,
    status,
    statusNow,
    autoManaged,
  } = promise;
  if (attention !== null) return `needs attention: ${attention}`;
  if (statusNow !== status) return `by now ${statusNow}; the worker records that when it wakes`;
  if (sentence !== null) return sentence;
  const words = [
    ...(waitsFor === null ? [] : [waitsFor]),
    ...(autoManaged ? [] : ['managed by hand']),
    ...(pastDueCents === 0 ? [] : [`${formatMoney(cents(pastDueCents), currency)} past due`]),
    ...(nextJudgeAt === null ? [] : [`judged ${formatLocalTime(epochMs(nextJudgeAt.getTime()), timeZone)}`]),
  ];
  return words.join('; ');
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
  print(all === 0 ? 'There is no such promise.' : `${plural(all, 'promise')}: ${parts.join(', ')}`);
  if (shown < all) print(dim(`${shown} are listed; --limit lists more`));
}
