import { findAccount } from '../ledger/accounts';
import type { Ledger, Tx } from '../ledger/connection';
import {
  accountsWithReturns,
  debtsAfter,
  debtsOfAccount,
  keyOf,
  promisesInPlay,
  type DebtKey,
  type DebtTime,
  type Hold,
  type KnownDebt,
} from '../ledger/collections/debts';
import { isOfOnePromise } from '../ledger/promises/debt-lock';
import { factsOfPromises, inSnapshot } from '../ledger/passes/facts-batch';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import { assertDebtClass } from '../ledger/transactions';
import { TrothError } from '../platform/errors';
import { formatDate, formatLocalTime, localDateAt, type EpochMs } from '../rules/calendar';
import { debtOn, type DebtOn } from '../rules/collections/debt';
import { collectibleOf, shieldSentences, type CollectibleDebt } from '../rules/collections/explain-shield';
import { judgeTogether, type RecordedPromise } from '../rules/collections/together';
import { ZERO } from '../rules/money';
import type { ShieldingPromise } from '../rules/collections/shield';

/** R30: what may be collected of one debt of a live account now, and why not the rest. */
export interface DebtShield extends DebtKey, CollectibleDebt {
  readonly currency: string;
  readonly timeZone: string;
  /** The instant of the answer. */
  readonly atMs: EpochMs;
  /** Where the debt is known from; null when the CIS has not said what is owed, of which nothing may be collected. */
  readonly source: KnownDebt['source'];
  /** When the CIS said what is owed. */
  readonly statedAtMs: EpochMs | null;
  /** Holds in force today. They change no amount; steps of collections mind them. */
  readonly onHold: readonly Hold[];
}

const NOTHING_OWED: DebtOn = {
  ...{
    arrearsCents: ZERO,
    parts: [],
    notDue: [],
    notDueCents: ZERO,
    paidSinceCents: ZERO,
    returnedSinceCents: ZERO,
  },
};

/**
 * What may be collected of an account now, by debt class, and why not the rest (R30, R31). Promises are judged as of now,
 * whether or not anybody has settled them.
 * @param debtClass only this one; else all that the account has.
 * @throws TrothError NOT_FOUND (tenant, account), INPUT_INVALID (a debt class the account does not have).
 */
export async function shieldOf(
  ledger: Ledger,
  tenantId: string,
  accountId: string,
  debtClass?: string,
): Promise<DebtShield[]> {
  return inSnapshot(ledger, tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    if (debtClass !== undefined) {
      await assertDebtClass(tx, tenantId, { accountId, debtClass });
      return shieldsIn(tx, tenant, { accountId, debtClasses: [debtClass] }, tenantNow(tenant));
    }
    const account = await findAccount(tx, tenantId, accountId);
    if (account === undefined) {
      throw new TrothError('NOT_FOUND', `Tenant "${tenantId}" has no account "${accountId}"`);
    }
    return shieldsIn(tx, tenant, account, tenantNow(tenant));
  });
}

/**
 * As `shieldOf`, within a transaction of the caller's, at an instant.
 * @param which debt classes that the account has.
 */
export async function shieldsIn(
  tx: Tx,
  tenant: Tenant,
  which: { readonly accountId: string; readonly debtClasses: readonly string[] },
  nowMs: EpochMs,
): Promise<DebtShield[]> {
  const time = timeOf(tenant, nowMs);
  return answers(tx, tenant, await debtsOfAccount(tx, tenant.tenantId, which, time), time);
}

function timeOf({ timeZone, currency }: Tenant, nowMs: EpochMs): DebtTime {
  return { nowMs, today: localDateAt(nowMs, timeZone), currency };
}

export interface ShieldPassOptions {
  /** Debts to a page. */
  readonly pageSize?: number;
}

/** Debts to a page: see bench/shield.mjs. */
const PAGE = 5_000;

/**
 * What may be collected of every debt that the CIS has stated, in order of account and class, a page at a time and in bounded
 * memory; the next page is read while the last one is worked on. All are answered as of one instant, that of the start. Each
 * page shows one instant of the ledger, and nobody waits for it.
 * @throws TrothError NOT_FOUND (tenant).
 */
export async function* shieldPass(
  ledger: Ledger,
  tenantId: string,
  { pageSize = PAGE }: ShieldPassOptions = {},
): AsyncGenerator<readonly DebtShield[], void, void> {
  const { tenant, returnedTo } = await inSnapshot(ledger, tenantId, async (tx) => ({
    tenant: await getTenant(tx, tenantId),
    returnedTo: await accountsWithReturns(tx, tenantId),
  }));
  const time = timeOf(tenant, tenantNow(tenant));
  const load = (after: DebtKey | null): Promise<DebtShield[]> =>
    inSnapshot(ledger, tenantId, async (tx) => {
      // Compiling these short statements would take longer than running them.
      await tx.raw('set local jit = off');
      const debts = await debtsAfter(tx, tenantId, { after, limit: pageSize, returnedTo }, time);
      return answers(tx, tenant, debts, time);
    });
  let next: Promise<DebtShield[]> | undefined = load(null);
  try {
    while (next !== undefined) {
      const page: DebtShield[] = await next;
      const last = page.at(-1);
      next = last === undefined || page.length < pageSize ? undefined : load(last);
      next?.catch(() => undefined); // heard when it is awaited
      if (page.length > 0) yield page;
    }
  } finally {
    await next?.catch(() => undefined); // left early: nothing may still run on a connection
  }
}

/** Most debts have no promise; they cost nothing beyond the queries. */
async function answers(
  tx: Tx,
  tenant: Tenant,
  debts: readonly KnownDebt[],
  time: DebtTime,
): Promise<DebtShield[]> {
  const [first, last] = [debts[0], debts.at(-1)];
  if (first === undefined || last === undefined) return [];
  const promises = await promisesOn(tx, tenant.tenantId, [first, last], time.nowMs);
  return debts.map((debt) => answer(debt, promises.get(keyOf(debt)), tenant, time));
}

/** The promises on a debt, judged; and those that cannot be. */
interface OnDebt {
  readonly judged: readonly ShieldingPromise[];
  readonly unreadable: readonly string[];
}

async function promisesOn(
  tx: Tx,
  tenantId: string,
  span: readonly [from: DebtKey, to: DebtKey],
  nowMs: EpochMs,
): Promise<ReadonlyMap<string, OnDebt>> {
  const inPlay = await promisesInPlay(tx, tenantId, span);
  const ids = inPlay.map(({ promiseId }) => promiseId);
  const factsById = await factsOfPromises(tx, tenantId, ids);
  const byDebt = new Map<string, { readable: RecordedPromise[]; unreadable: string[] }>();
  for (const { accountId, debtClass, promiseId, revision, decidedRevision } of inPlay) {
    const key = keyOf({ accountId, debtClass });
    const on = byDebt.get(key) ?? { readable: [], unreadable: [] };
    byDebt.set(key, on);
    const facts = factsById.get(promiseId)?.facts ?? null;
    if (facts === null) on.unreadable.push(promiseId);
    else on.readable.push({ promiseId, facts, revision, decidedRevision });
  }
  return new Map([...byDebt].map(([key, on]) => [key, judged(on, nowMs)]));
}

function judged(
  {
    readable,
    unreadable,
  }: { readonly readable: readonly RecordedPromise[]; readonly unreadable: readonly string[] },
  nowMs: EpochMs,
): OnDebt {
  try {
    const lives = judgeTogether(readable, nowMs);
    const promises = readable.flatMap(({ promiseId, facts: { policy } }, index): ShieldingPromise[] => {
      const life = lives[index];
      return life === undefined ? [] : [{ promiseId, policy, life }];
    });
    return { judged: promises, unreadable };
  } catch (error) {
    // Facts that can be loaded may still be impossible to judge.
    if (!isOfOnePromise(error)) throw error;
    return { judged: [], unreadable: [...unreadable, ...readable.map(({ promiseId }) => promiseId)] };
  }
}

// Written out, field by field: of a million debts, spreads would take most of the time.
function answer(known: KnownDebt, on: OnDebt | undefined, tenant: Tenant, time: DebtTime): DebtShield {
  const { source, statement } = known;
  const debt = statement === null ? NOTHING_OWED : debtOn(statement, known.since, time.today);
  const collectible = collectibleOf(debt, on?.judged ?? NO_PROMISES, on?.unreadable);
  return {
    accountId: known.accountId,
    debtClass: known.debtClass,
    source,
    statedAtMs: statement?.asOfMs ?? null,
    atMs: time.nowMs,
    currency: tenant.currency,
    timeZone: tenant.timeZone,
    arrearsCents: collectible.arrearsCents,
    shieldedCents: collectible.shieldedCents,
    collectibleCents: collectible.collectibleCents,
    collectibleParts: collectible.collectibleParts,
    reason: source === null ? 'not-stated' : collectible.reason,
    promises: collectible.promises,
    debt,
    onHold: known.holds,
  };
}

const NO_PROMISES: readonly ShieldingPromise[] = [];

const SOURCES: Readonly<Record<NonNullable<DebtShield['source']>, string>> = {
  debts: 'The CIS stated the debt as of',
  transactions: 'The debt is the sum of the open items, which last changed on',
  'balance-cleared': 'The balance was cleared on',
};

/** An answer in plain sentences. */
export function sentencesOf(shield: DebtShield): string[] {
  const { source, statedAtMs, currency, timeZone, onHold } = shield;
  const [arrears = '', ...rest] = shieldSentences(shield, currency);
  const stated =
    source === null || statedAtMs === null
      ? ['The CIS has not said what is owed; load a debts file or the open items.', ...rest]
      : [arrears, `${SOURCES[source]} ${formatLocalTime(statedAtMs, timeZone)}.`, ...rest];
  const holds = onHold.map(({ holdId, kind, from, until }) => {
    const last = until === null ? '' : ` to ${formatDate(until)}`;
    return `Hold ${holdId} (${kind}) is in force from ${formatDate(from)}${last}.`;
  });
  return [...stated, ...holds];
}
