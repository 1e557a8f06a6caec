import type { EpochMs, LocalDate } from '../../rules/calendar';
import { totalOf, type DebtPart, type DebtStatement, type MoneySince } from '../../rules/collections/debt';
import { cents } from '../../rules/money';
import { MS, row, rows, type Ledger, type Tx } from '../connection';
import { reviewDebtsSoon } from './debt-reviews';
import { wakeOpenCase } from './waking';
import { MAY_REOPEN } from '../promises/debt-lock';
import { getTenant, tenantNow } from '../tenants';
import { assertDebtClass } from '../transactions';

/** An account's debt of one class. */
export interface DebtKey {
  readonly accountId: string;
  readonly debtClass: string;
}

/** What the CIS says is owed on a debt. */
export type NewDebt = DebtKey & DebtStatement;

/**
 * Records what the CIS says is owed on a debt as of an instant; no parts clear it. What is known as of later stays.
 * @returns `known` when the same, or something newer, was known.
 * @throws TrothError NOT_FOUND (account), INPUT_INVALID (a debt class the account does not have).
 */
export async function recordDebt(
  ledger: Ledger,
  tenantId: string,
  { accountId, debtClass, asOfMs, parts }: NewDebt,
): Promise<'recorded' | 'known'> {
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    await assertDebtClass(tx, tenantId, { accountId, debtClass });
    const changed = await row(
      tx,
      `insert into debt (tenant_id, account_id, debt_class, parts, total_cents, oldest_due_date, as_of, posted_at)
       values (:tenantId, :accountId, :debtClass, cast(:parts as jsonb), :total, :oldest, :asOf, :now)
       on conflict (tenant_id, account_id, debt_class) do update
         set parts = excluded.parts, total_cents = excluded.total_cents,
             oldest_due_date = excluded.oldest_due_date, as_of = excluded.as_of, posted_at = excluded.posted_at
       where debt.as_of < excluded.as_of or (debt.as_of = excluded.as_of and debt.parts <> excluded.parts)
       returning 1`,
      {
        ...{ tenantId, accountId, debtClass, parts: JSON.stringify(parts), total: totalOf(parts) },
        ...{ oldest: parts[0]?.dueDate ?? null, asOf: new Date(asOfMs), now: new Date(tenantNow(tenant)) },
      },
    );
    if (changed === undefined) return 'known';
    await wakeOpenCase(tx, { tenantId, accountId, debtClass });
    await reviewDebtsSoon(tx, tenantId);
    return 'recorded';
  });
}

/** A hold on a debt: somebody asked that it be left alone. */
export interface Hold {
  readonly holdId: string;
  readonly kind: string;
  readonly from: LocalDate;
  /** Its last day; null: until it is released. */
  readonly until: LocalDate | null;
}

/** What the ledger knows of a debt at an instant. */
export interface KnownDebt extends DebtKey {
  /** Where the statement is from: the newer of the debts file and the open items; null when there is neither. */
  readonly source: 'debts' | 'transactions' | 'balance-cleared' | null;
  readonly statement: DebtStatement | null;
  readonly since: MoneySince;
  readonly holds: readonly Hold[];
}

/** When a debt is looked at. */
export interface DebtTime {
  readonly nowMs: EpochMs;
  readonly today: LocalDate;
  readonly currency: string;
}

const ITEMS = `max(updated_at) as items_as_of,
         json_agg(json_build_object('dueDate', due_date, 'cents', open_cents) order by due_date, transaction_id)
           filter (where open_cents > 0) as items`;

/**
 * What is known of the debts that `debts` lists with what was stated of them. The newer of the debts file and the open items
 * speaks, the file where they are of one time; a balance that was cleared since (R13) leaves nothing.
 */
const known = (debts: string): string => `
${debts}
select k.account_id as "accountId", k.debt_class as "debtClass",
       case when a.as_of is null then null when z.cleared_at > a.as_of then 'balance-cleared'
            when a.from_file then 'debts' else 'transactions' end as source,
       case when z.cleared_at > a.as_of then null when a.from_file then cast(k.parts as json) else k.items end as parts,
       ${MS('s.as_of')} as "asOfMs", coalesce(m.cents, 0) as "paidCents"
  from debts k
  left join lateral (
    select max(cleared_at) as cleared_at from balance_clearing
     where tenant_id = :tenantId and account_id = k.account_id and debt_class = k.debt_class
       and cleared_at <= :now) z on true
  cross join lateral (
    select greatest(k.debt_as_of, k.items_as_of) as as_of,
           k.debt_as_of >= coalesce(k.items_as_of, k.debt_as_of) as from_file) a
  cross join lateral (select case when a.as_of is not null then greatest(a.as_of, z.cleared_at) end as as_of) s
  left join lateral (
    select sum(p.amount_cents) as cents from payment p
     where p.tenant_id = :tenantId and p.account_id = k.account_id and p.debt_class = k.debt_class
       and p.posted_at > s.as_of and p.posted_at <= :now and p.currency = :currency
       and not exists (select 1 from payment_reversal r
                        where r.tenant_id = :tenantId and r.payment_id = p.payment_id and r.posted_at <= :now)) m
    on true
 order by k.account_id, k.debt_class`;

interface KnownRow extends DebtKey {
  readonly source: KnownDebt['source'];
  readonly parts: readonly DebtPart[] | null;
  readonly asOfMs: EpochMs | null;
  /** A sum of bigints is numeric, which comes as text. */
  readonly paidCents: string | number;
}

/** Payments of some debts that were in the ledger by the time of the statement, and were taken back since. */
const RETURNED = `
select k."accountId", k."debtClass", sum(p.amount_cents) as cents, max(r.effective_date) as "on"
  from json_to_recordset(cast(:debts as json)) as k("accountId" text, "debtClass" text, "asOfMs" bigint)
  join payment p on p.tenant_id = :tenantId and p.account_id = k."accountId" and p.debt_class = k."debtClass"
  join payment_reversal r on r.tenant_id = :tenantId and r.payment_id = p.payment_id
 where p.posted_at <= to_timestamp(k."asOfMs" / 1000.0) and r.posted_at > to_timestamp(k."asOfMs" / 1000.0)
   and r.posted_at <= :now and p.currency = :currency
 group by k."accountId", k."debtClass"`;

/** Adds to what was found what went back, and the holds. */
async function completed(
  tx: Tx,
  tenantId: string,
  found: readonly KnownRow[],
  mayHaveReturns: (accountId: string) => boolean,
  { nowMs, today, currency }: DebtTime,
): Promise<KnownDebt[]> {
  const [first, last] = [found[0], found.at(-1)];
  if (first === undefined || last === undefined) return [];
  const debts = found
    .filter(({ accountId, asOfMs }) => asOfMs !== null && mayHaveReturns(accountId))
    .map(({ accountId, debtClass, asOfMs }) => ({ accountId, debtClass, asOfMs }));
  const returned =
    debts.length === 0
      ? []
      : await rows<DebtKey & { readonly cents: string; readonly on: LocalDate }>(tx, RETURNED, {
          ...{ tenantId, debts: JSON.stringify(debts), now: new Date(nowMs), currency },
        });
  const returnedOf = new Map(returned.map((one) => [keyOf(one), one]));
  const holds = await activeHolds(tx, tenantId, [first.accountId, last.accountId], today);
  return found.map((one): KnownDebt => {
    const { accountId, debtClass, source, asOfMs } = one;
    const back = returnedOf.size === 0 ? undefined : returnedOf.get(keyOf(one));
    return {
      accountId,
      debtClass,
      source,
      statement: asOfMs === null ? null : { asOfMs, parts: partsOf(one) },
      since: {
        paidCents: cents(Number(one.paidCents)),
        returnedCents: cents(Number(back?.cents ?? 0)),
        returnedOn: back?.on ?? null,
      },
      holds: holdsOn(holds, one),
    };
  });
}

/** Open items of one due date are one part. */
function partsOf({ source, parts }: KnownRow): readonly DebtPart[] {
  if (parts === null || source !== 'transactions') return parts ?? [];
  const merged: DebtPart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (last?.dueDate !== part.dueDate) merged.push(part);
    else merged[merged.length - 1] = { ...part, cents: cents(last.cents + part.cents) };
  }
  return merged;
}

/** One text for a debt, as the key of a map. */
export function keyOf({ accountId, debtClass }: DebtKey): string {
  return `${accountId}/${debtClass}`;
}

const OF_ACCOUNT = known(`
with debts as (
  select cast(:accountId as text) as account_id, c.debt_class, d.parts, d.as_of as debt_as_of, x.items, x.items_as_of
    from unnest(cast(:debtClasses as text[])) as c(debt_class)
    left join debt d on d.tenant_id = :tenantId and d.account_id = :accountId and d.debt_class = c.debt_class
   cross join lateral (
     select ${ITEMS} from transaction
      where tenant_id = :tenantId and account_id = :accountId and debt_class = c.debt_class) x)`);

/** What is known of an account's debts of some classes, in order of class. */
export async function debtsOfAccount(
  tx: Tx,
  tenantId: string,
  { accountId, debtClasses }: { readonly accountId: string; readonly debtClasses: readonly string[] },
  time: DebtTime,
): Promise<KnownDebt[]> {
  const { nowMs, currency } = time;
  const values = { tenantId, accountId, debtClasses: [...debtClasses], now: new Date(nowMs), currency };
  const found = await rows<KnownRow>(tx, OF_ACCOUNT, values, { prepareAs: 'debts-of-account' });
  return completed(tx, tenantId, found, () => true, time);
}

/** No id, of at most 64 letters and digits, comes after it. */
const BEYOND = 'z'.repeat(65);

// Debts of the file, and open items no further than these reach. Row-level security lets nothing near an index that could leak
// a row, not even a coalesce, which is why "reach" always has one row. What is ordered within a group cannot be hashed, so the
// items are read in the order of the index, and only as many as the page wants.
const AFTER = known(`
with stated as materialized (
  select account_id, debt_class, parts, as_of from debt
   where tenant_id = :tenantId and (account_id, debt_class) > (:accountId, :debtClass)
   order by account_id, debt_class limit :limit),
reach as materialized (
  select coalesce(l.account_id, :beyond) as account_id, coalesce(l.debt_class, '') as debt_class
    from (select 1) one
    left join (select account_id, debt_class from stated
                order by account_id, debt_class offset :limit - 1 limit 1) l on true),
owed as materialized (
  select account_id, debt_class, ${ITEMS} from transaction
   where tenant_id = :tenantId and (account_id, debt_class) > (:accountId, :debtClass)
     and (account_id, debt_class) <= ((select account_id from reach), (select debt_class from reach))
   group by account_id, debt_class order by account_id, debt_class limit :limit),
debts as materialized (
  select account_id, debt_class, d.parts, d.as_of as debt_as_of, x.items, x.items_as_of
    from stated d full join owed x using (account_id, debt_class)
   order by account_id, debt_class limit :limit)`);

/** Where a page of debts begins, and how long it is. */
export interface DebtPage {
  /** The last debt of the page before; null for the first page. */
  readonly after: DebtKey | null;
  readonly limit: number;
  /** From `accountsWithReturns`. */
  readonly returnedTo: ReadonlySet<string>;
}

/** The next debts of a tenant that the CIS has stated, in order of account and class as the database orders them. */
export async function debtsAfter(
  tx: Tx,
  tenantId: string,
  { after, limit, returnedTo }: DebtPage,
  time: DebtTime,
): Promise<KnownDebt[]> {
  const { nowMs, currency } = time;
  const { accountId, debtClass } = after ?? { accountId: '', debtClass: '' };
  const values = { tenantId, accountId, debtClass, limit, beyond: BEYOND, now: new Date(nowMs), currency };
  const found = await rows<KnownRow>(tx, AFTER, values, { prepareAs: 'debts-after' });
  return completed(tx, tenantId, found, (account) => returnedTo.has(account), time);
}

/**
 * The accounts of which a payment was taken back after the CIS stated their debt. Few have any; to look through the payments of
 * the others would cost a pass over the whole ledger more than all the rest.
 */
export async function accountsWithReturns(tx: Tx, tenantId: string): Promise<Set<string>> {
  const found = await rows<{ accountId: string }>(
    tx,
    `select distinct p.account_id as "accountId"
       from payment_reversal r join payment p on p.tenant_id = r.tenant_id and p.payment_id = r.payment_id
      where r.tenant_id = :tenantId
        and not exists (select 1 from debt d
                         where d.tenant_id = r.tenant_id and d.account_id = p.account_id
                           and d.debt_class = p.debt_class and d.as_of >= r.posted_at)`,
    { tenantId },
  );
  return new Set(found.map(({ accountId }) => accountId));
}

type HoldRow = Hold & { readonly accountId: string; readonly debtClass: string | null };

/** The holds of some accounts, from one to another, that are in force on a day; by account. */
async function activeHolds(
  tx: Tx,
  tenantId: string,
  [from, to]: readonly [from: string, to: string],
  today: LocalDate,
): Promise<Map<string, HoldRow[]>> {
  const found = await rows<HoldRow>(
    tx,
    `select hold_id as "holdId", account_id as "accountId", debt_class as "debtClass", kind,
            from_date as "from", until_date as until
       from hold
      where tenant_id = :tenantId and account_id >= :from and account_id <= :to and from_date <= :today
        and coalesce(until_date >= :today, true) and coalesce(released_on > :today, true)
      order by account_id, from_date, hold_id`,
    { tenantId, from, to, today },
    { prepareAs: 'active-holds' },
  );
  const byAccount = new Map<string, HoldRow[]>();
  for (const hold of found) byAccount.set(hold.accountId, [...(byAccount.get(hold.accountId) ?? []), hold]);
  return byAccount;
}

const NO_HOLDS: readonly Hold[] = [];

function holdsOn(
  holds: ReadonlyMap<string, readonly HoldRow[]>,
  { accountId, debtClass }: DebtKey,
): readonly Hold[] {
  const found = holds.get(accountId);
  if (found === undefined) return NO_HOLDS;
  return found
    .filter((hold) => hold.debtClass === null || hold.debtClass === debtClass)
    .map(({ holdId, kind, from, until }) => ({ holdId, kind, from, until }));
}

/** A promise that may be active on a debt. */
export interface InPlay extends DebtKey {
  readonly promiseId: string;
  readonly revision: number;
  /** The last revision that has a recorded outcome; 0: none. */
  readonly decidedRevision: number;
}

/**
 * The promises that may be active now on the debts from one to another: open ones; and ended ones that what the ledger has
 * learned since may open again, though nobody has settled them yet (R15, R19).
 */
export async function promisesInPlay(
  tx: Tx,
  tenantId: string,
  [from, to]: readonly [from: DebtKey, to: DebtKey],
): Promise<InPlay[]> {
  return rows<InPlay>(
    tx,
    `select o.promise_id as "promiseId", o.account_id as "accountId", o.debt_class as "debtClass",
            o.revision, o.decided_revision as "decidedRevision"
       from promise o
      where o.tenant_id = :tenantId
        and (o.account_id, o.debt_class) >= (:fromAccount, :fromClass)
        and (o.account_id, o.debt_class) <= (:toAccount, :toClass)
        and (o.status in ('pending', 'active') or ${MAY_REOPEN})
      order by o.account_id, o.debt_class, o.enrolled_at, o.promise_id`,
    {
      ...{ tenantId, fromAccount: from.accountId, fromClass: from.debtClass },
      ...{ toAccount: to.accountId, toClass: to.debtClass },
    },
    { prepareAs: 'promises-in-play' },
  );
}
