import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Ledger } from '../ledger/connection';
import { findPromise } from '../ledger/promises/promise-views';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import { promisableItems, type PromisableItem } from '../ledger/transactions';
import type { Problem } from '../platform/errors';
import { localDateAt, type LocalDate } from '../rules/calendar';
import { cents, formatMoney, sum, type Cents } from '../rules/money';
import { MAX_INSTALLMENTS } from '../rules/schedules/schedule';
import { enroll } from './enroll';
import { enrollmentSchema, idSchema, partSchema, problemsOf } from './enrollment';
import { together } from './together';

/** The most items that one command promises. */
export const MOST_ITEMS = 100_000;
/** The most promises that are made, or tried, in one transaction. */
const MOST_TOGETHER = 10_000;
/** Promises made at once, each in a transaction of its own. */
const WIDTH = 8;

const { policy, note } = enrollmentSchema.shape;

/** A mass promise (R23): open items, by their ids or by customer, each to be paid in full on one date. */
export const massSchema = z
  .strictObject({
    transactions: z
      .array(
        z.strictObject({
          transactionId: idSchema,
          /** Needed where several accounts have an item of this id. */
          accountId: idSchema.optional(),
          /** What somebody believes to be open on it; refused when it is not. */
          amountCents: z.number().int().optional(),
        }),
      )
      .max(MOST_ITEMS)
      .default([]),
    customerIds: z.array(z.string().min(1).max(64)).max(MOST_ITEMS).default([]),
    dueDate: partSchema.shape.dueDate,
    policy,
    note,
    /** Names the command: sent again under the same name, it makes no promise twice. Default: by what is promised. */
    batchId: idSchema.optional(),
    mode: z.enum(['best-effort', 'all-or-nothing']).default('best-effort'),
    /** Tries everything and keeps nothing. */
    dryRun: z.boolean().default(false),
  })
  .refine(({ transactions, customerIds }) => transactions.length + customerIds.length > 0, {
    path: ['transactions'],
    message: 'are needed, or customers',
  });
export type MassInput = z.input<typeof massSchema>;
type Mass = z.output<typeof massSchema>;

/** What became of the items of one account and debt class, which are one promise (R24). */
export interface MassPromise {
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly customerId: string | null;
  readonly items: readonly PromisableItem[];
  readonly totalCents: Cents;
  /** `not-kept`: possible, but something else was refused, and it was all or nothing. */
  readonly result: 'enrolled' | 'known' | 'refused' | 'not-kept';
  /** Of a known promise: what it is by now. */
  readonly status: string | null;
  readonly problems: readonly Problem[];
}

export type MassAnswer =
  | {
      readonly result: 'done';
      readonly promises: readonly MassPromise[];
      /** What was asked for and is no open item, or no customer who has one. */
      readonly notFound: readonly Problem[];
      /** Whether the ledger holds what was enrolled. */
      readonly saved: boolean;
    }
  | { readonly result: 'refused'; readonly problems: readonly Problem[] };

export interface MassOptions {
  readonly actor: string;
  readonly onProgress?: (done: number, of: number) => void;
}

/**
 * R23: enrolls one promise for the selected open items of each account and debt class, for the full open amount of each.
 * Best effort takes what it can; all or nothing takes nothing when anything is refused.
 * @throws TrothError NOT_FOUND (tenant), UNAVAILABLE.
 */
export async function massPromise(
  ledger: Ledger,
  tenantId: string,
  input: unknown,
  options: MassOptions,
): Promise<MassAnswer> {
  const parsed = massSchema.safeParse(input);
  if (!parsed.success) return { result: 'refused', problems: problemsOf(parsed.error, input) };
  const mass = parsed.data;
  const { tenant, items } = await ledger.forTenant(tenantId, async (tx) => ({
    tenant: await getTenant(tx, tenantId),
    items: await promisableItems(tx, tenantId, {
      transactionIds: mass.transactions.map(({ transactionId }) => transactionId),
      customerIds: mass.customerIds,
    }),
  }));
  if (items.length > MOST_ITEMS)
    return refused('transactions', '', `are more than ${MOST_ITEMS}; send fewer at once`);
  const { groups, notFound } = selected(mass, items, tenant);
  const isOneTransaction = mass.dryRun || mass.mode === 'all-or-nothing';
  if (isOneTransaction && groups.length > MOST_TOGETHER) {
    const message = `would be ${groups.length} promises; at most ${MOST_TOGETHER} are made together, send fewer at once`;
    return refused('transactions', '', message);
  }
  const startDate = localDateAt(tenantNow(tenant), tenant.timeZone);
  const asked = { tenant, mass, startDate, groups, options };
  if (!isOneTransaction) {
    return { result: 'done', promises: await promiseAll(ledger, asked, WIDTH), notFound, saved: true };
  }
  return together(ledger, tenantId, async (inside) => {
    const tried = await promiseAll(inside, asked, 1);
    const fails = notFound.length > 0 || tried.some(({ result }) => result === 'refused');
    const fallen = fails && mass.mode === 'all-or-nothing';
    const promises = fallen ? tried.map(notKept) : tried;
    const keep = !fallen && !mass.dryRun;
    return { keep, value: { result: 'done', promises, notFound, saved: keep } };
  });
}

function notKept(promise: MassPromise): MassPromise {
  return promise.result === 'enrolled' ? { ...promise, result: 'not-kept' } : promise;
}

function refused(field: string, value: string, message: string): MassAnswer {
  return { result: 'refused', problems: [{ field, value, message }] };
}

/** The items of one account and debt class, with what stands against promising them. */
interface Group {
  readonly items: PromisableItem[];
  readonly problems: Problem[];
}

/** What was asked for, as the ledger has it: one group an account and debt class. */
function selected(
  { transactions, customerIds }: Mass,
  items: readonly PromisableItem[],
  { currency }: Tenant,
): { groups: Group[]; notFound: Problem[] } {
  const byId = new Map<string, PromisableItem[]>();
  for (const item of items) byId.set(item.transactionId, [...(byId.get(item.transactionId) ?? []), item]);
  const customers = new Set<string | null>(customerIds);
  const wanted = new Set(items.filter(({ customerId }) => customerId !== null && customers.has(customerId)));
  const notFound: Problem[] = [];
  const partials: [PromisableItem, Problem][] = [];
  for (const { transactionId, accountId, amountCents } of transactions) {
    const isMeant = (item: PromisableItem): boolean =>
      accountId === undefined || item.accountId === accountId;
    const found = (byId.get(transactionId) ?? []).filter(isMeant);
    const [item, another] = found;
    if (item === undefined || another !== undefined) {
      notFound.push({ field: 'transactionId', value: transactionId, message: notOne(found, accountId) });
      continue;
    }
    wanted.add(item);
    if (amountCents === undefined || amountCents === item.openCents) continue;
    partials.push([item, partial(item, cents(amountCents), currency)]);
  }
  const withItems = new Set(items.map(({ customerId }) => customerId));
  const message = 'is no customer of an account with open items';
  for (const value of new Set(customerIds)) {
    if (!withItems.has(value)) notFound.push({ field: 'customerId', value, message });
  }
  return { groups: grouped(items, wanted, partials), notFound };
}

function grouped(
  items: readonly PromisableItem[],
  wanted: ReadonlySet<PromisableItem>,
  partials: readonly [PromisableItem, Problem][],
): Group[] {
  const groups = new Map<string, Group>();
  const keyOf = ({ accountId, debtClass }: PromisableItem): string => `${accountId} ${debtClass}`;
  for (const item of items) {
    if (!wanted.has(item)) continue;
    const group = groups.get(keyOf(item)) ?? { items: [], problems: [] };
    group.items.push(item);
    groups.set(keyOf(item), group);
  }
  for (const [item, problem] of partials) groups.get(keyOf(item))?.problems.push(problem);
  return [...groups.values()];
}

function notOne(found: readonly PromisableItem[], accountId: string | undefined): string {
  if (found.length === 0) {
    const where = accountId === undefined ? '' : ` of account ${accountId}`;
    return `is not an open item${where}: it is unknown, or nothing is open on it`;
  }
  const accounts = found.slice(0, 5).map((item) => item.accountId);
  return `is an item of ${found.length} accounts, ${accounts.join(', ')}; name the account, too`;
}

function partial({ transactionId, openCents }: PromisableItem, amount: Cents, currency: string): Problem {
  const message = `is not the full open amount, ${formatMoney(openCents, currency)}; a mass promise is for the full open amount of each item (R23)`;
  return { field: 'amountCents', value: `${transactionId}: ${formatMoney(amount, currency)}`, message };
}

interface Asked {
  readonly tenant: Tenant;
  readonly mass: Mass;
  readonly startDate: LocalDate;
  readonly groups: readonly Group[];
  readonly options: MassOptions;
}

/** Promises every group, some at once; the answers stand in the order of the groups. */
async function promiseAll(ledger: Ledger, asked: Asked, width: number): Promise<MassPromise[]> {
  const { groups, options } = asked;
  const promises: MassPromise[] = [];
  const queue = groups.entries();
  let done = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [index, group] of queue) {
      if (failed) return;
      promises[index] = await promiseGroup(ledger, asked, group);
      options.onProgress?.((done += 1), groups.length);
    }
  };
  const workers = Array.from({ length: width }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  const [ended] = (await Promise.allSettled(workers)).filter(({ status }) => status === 'rejected');
  if (ended?.status === 'rejected') throw ended.reason;
  return promises;
}

async function promiseGroup(ledger: Ledger, asked: Asked, { items, problems }: Group): Promise<MassPromise> {
  const { tenant, mass, startDate, options } = asked;
  const { tenantId } = tenant;
  const [first] = items;
  const { accountId = '', debtClass = '', customerId = null } = first ?? {};
  const promiseId = promiseIdOf(mass, items);
  const promise = { promiseId, accountId, debtClass, customerId, items, totalCents: sum(items.map(openOf)) };
  const against = [...problems, ...tooMany(items)];
  if (against.length > 0) return { ...promise, result: 'refused', status: null, problems: against };
  const enrollment = {
    ...{ tenantId, promiseId, accountId, debtClass, policy: mass.policy, note: mass.note },
    installments: items.map(({ transactionId, openCents }) => ({
      ...{ dueDate: mass.dueDate, amountCents: openCents, transactionId },
    })),
  };
  let answer = await enroll(ledger, { ...enrollment, startDate }, options);
  if (answer.result === 'enrolled') return { ...promise, result: 'enrolled', status: null, problems: [] };
  const before = await ledger.forTenant(tenantId, (tx) => findPromise(tx, tenantId, promiseId));
  if (before !== undefined && before.startDate !== startDate) {
    // The command was sent on another day, on which its promises began.
    answer = await enroll(ledger, { ...enrollment, startDate: before.startDate }, options);
  }
  const status = before?.status ?? null;
  if (answer.result === 'refused')
    return { ...promise, result: 'refused', status, problems: answer.problems };
  return { ...promise, result: answer.result, status, problems: [] };
}

function openOf({ openCents }: PromisableItem): Cents {
  return openCents;
}

function tooMany({ length }: readonly PromisableItem[]): Problem[] {
  if (length <= MAX_INSTALLMENTS) return [];
  const message = `are more open items than one promise can hold, ${MAX_INSTALLMENTS}; name fewer of them`;
  return [{ field: 'installments', value: String(length), message }];
}

/** The same command makes the same ids, so that what it promised before is known. */
function promiseIdOf({ batchId, dueDate, policy }: Mass, items: readonly PromisableItem[]): string {
  const debt = [items[0]?.accountId, items[0]?.debtClass];
  const content = items.map(({ transactionId, openCents }) => [transactionId, openCents]);
  const named = batchId === undefined ? [...debt, dueDate, policy ?? null, content] : [batchId, ...debt];
  return `M-${createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 16)}`;
}
