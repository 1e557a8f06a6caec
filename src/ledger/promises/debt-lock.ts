import { epochMs, type EpochMs } from '../../rules/calendar';
import { evaluate } from '../../rules/decide';
import { SELF } from '../../rules/facts';
import { TrothError } from '../../platform/errors';
import { MS, row, rows, type Ledger, type Tx } from '../connection';
import { loadFacts, lockPromise, type PromiseRow } from './facts';
import { reviewAll } from '../outbox';
import { settleLocked, type Settlement, type SettleOptions } from './settle';
import { holdClock } from '../tenants';

/** A promise on a debt whose lock is held. */
export interface LockedPromise extends Pick<PromiseRow, 'promiseId' | 'status' | 'revision' | 'workflowId'> {
  readonly settledAsOfMs: EpochMs;
  readonly nextJudgeAtMs: EpochMs | null;
}

// A customer has few promises on one debt; the newest are the ones that money can still reach.
const MOST_PROMISES = 20;

/** Locks the promises of a debt, always in one order; waits for whoever works on one of them. */
export async function lockDebt(
  tx: Tx,
  tenantId: string,
  accountId: string,
  debtClass: string,
): Promise<LockedPromise[]> {
  return rows<LockedPromise>(
    tx,
    `select promise_id as "promiseId", status, revision, workflow_id as "workflowId",
            ${MS('settled_as_of')} as "settledAsOfMs",
            ${MS('next_judge_at')} as "nextJudgeAtMs"
       from promise
      where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
      order by enrolled_at desc, promise_id limit :most for no key update`,
    { tenantId, accountId, debtClass, most: MOST_PROMISES },
  );
}

/** Somebody works on another promise of the debt. Whoever holds one promise never waits for a second. */
export class DebtBusy extends TrothError {
  constructor(promiseId: string) {
    super('UNAVAILABLE', `Other promises on the debt of promise "${promiseId}" are being settled; try again`);
    this.name = 'DebtBusy';
  }
}

const ATTEMPTS = 5;

/**
 * Runs what locks a promise by `lockSettled`, in one transaction. Most promises have their debt for themselves, so only where
 * another one is in the way all are locked first.
 * @throws DebtBusy when it stays so; and what `work` throws.
 */
export async function onDebtOf<T>(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ledger.forTenant(tenantId, async (tx) => {
        if (attempt > 1) await lockDebtOf(tx, tenantId, promiseId);
        return work(tx);
      });
    } catch (error) {
      if (!(error instanceof DebtBusy) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function lockDebtOf(tx: Tx, tenantId: string, promiseId: string): Promise<void> {
  const debt = await row<{ accountId: string; debtClass: string }>(
    tx,
    `select account_id as "accountId", debt_class as "debtClass" from promise
      where tenant_id = :tenantId and promise_id = :promiseId`,
    { tenantId, promiseId },
  );
  if (debt !== undefined) await lockDebt(tx, tenantId, debt.accountId, debt.debtClass);
}

/**
 * Settles a promise, and first what others on its debt decide before; as `settleLocked`, in a transaction of its own.
 * @param realNowMs the workflow's clock; a sandbox's offset is added here, from the ledger.
 * @throws TrothError NOT_FOUND, UNAVAILABLE
 */
export async function settlePromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  realNowMs: number,
  options: SettleOptions = { relayAfterMs: 0 },
): Promise<Settlement> {
  return onDebtOf(ledger, tenantId, promiseId, async (tx) => {
    const nowOf = ({ clockOffsetMs }: PromiseRow): EpochMs => epochMs(realNowMs + clockOffsetMs);
    const locked = await lockSettled(tx, tenantId, promiseId, nowOf);
    if (locked === undefined) throw noSuchPromise(tenantId, promiseId);
    return settleLocked(tx, tenantId, locked.promise, locked.nowMs, options);
  });
}

/** The error of a promise that a tenant does not have. */
export function noSuchPromise(tenantId: string, promiseId: string): TrothError {
  return new TrothError('NOT_FOUND', `Tenant "${tenantId}" has no promise "${promiseId}"`);
}

/** A promise ready to be settled or changed: nothing on its debt is left undecided before that instant. */
export interface LockedToSettle {
  readonly promise: PromiseRow;
  readonly nowMs: EpochMs;
  /** Outcomes of the promise's debt that were recorded on the way. */
  readonly recorded: number;
}

/**
 * Locks a promise and settles what the others on its debt decide up to an instant, in the order of time: who has a promise
 * decides whose money it is (R9), and what one promise has counted another cannot (R11). So a verdict is the same in whatever
 * order the promises of a debt are settled, and however late (R15).
 * @param nowOf the instant, once the promise and its tenant's clock are known.
 * @returns undefined when there is no such promise.
 * @throws DebtBusy; run it with `onDebtOf`.
 */
export async function lockSettled(
  tx: Tx,
  tenantId: string,
  promiseId: string,
  nowOf: (promise: PromiseRow) => EpochMs,
): Promise<LockedToSettle | undefined> {
  const promise = await lockAtClock(tx, tenantId, promiseId);
  if (promise === undefined) return undefined;
  const nowMs = nowOf(promise);
  const recorded = promise.hasRivals ? await settleRivals(tx, tenantId, promise, nowMs) : 0;
  if (recorded === 0) return { promise, nowMs, recorded };
  const again = (await lockAtClock(tx, tenantId, promiseId)) ?? promise;
  return { promise: again, nowMs: nowOf(again), recorded };
}

async function lockAtClock(tx: Tx, tenantId: string, promiseId: string): Promise<PromiseRow | undefined> {
  const promise = await lockPromise(tx, tenantId, promiseId);
  return promise?.sandbox === true ? { ...promise, clockOffsetMs: await holdClock(tx, tenantId) } : promise;
}

/**
 * Settles those of a debt's promises that are due at an instant, under the locks of `lockDebt`; one that cannot be judged is left
 * to its own workflow.
 */
export async function settleDue(
  tx: Tx,
  tenantId: string,
  promises: readonly LockedPromise[],
  nowMs: EpochMs,
): Promise<void> {
  for (const { promiseId, nextJudgeAtMs } of promises) {
    if (nextJudgeAtMs === null || nextJudgeAtMs > nowMs) continue;
    try {
      const locked = await lockSettled(tx, tenantId, promiseId, () => nowMs);
      if (locked !== undefined) await settleLocked(tx, tenantId, locked.promise, nowMs);
    } catch (error) {
      if (!isOfOnePromise(error)) throw error;
    }
  }
}

/** @returns how many outcomes and reopenings were recorded. */
async function settleRivals(tx: Tx, tenantId: string, promise: PromiseRow, nowMs: EpochMs): Promise<number> {
  const rivals = await lockRivals(tx, tenantId, promise);
  if (rivals.length === 0) return 0;
  const inPlay = [...rivals, promise]
    .sort((a, b) => Number(a.payor === SELF) - Number(b.payor === SELF))
    .map(({ promiseId }) => promiseId);
  for (let recorded = 0; ; recorded += 1) {
    const changes: Change[] = [];
    for (const promiseId of inPlay) changes.push(...(await firstChange(tx, tenantId, promiseId, nowMs)));
    const isLeft = changes.some((change) => change.promise.promiseId !== promise.promiseId);
    const [first] = changes.sort((a, b) => a.atMs - b.atMs);
    if (!isLeft || first === undefined) return recorded;
    await settleLocked(tx, tenantId, first.promise, first.atMs);
    await wake(tx, tenantId, first.promise, nowMs);
  }
}

/** When a promise next ends or opens again, as far as the ledger has not recorded it. */
interface Change {
  readonly promise: PromiseRow;
  readonly atMs: EpochMs;
}

/** @returns nothing where nothing changes, or where the promise cannot be judged: its own settlement says so. */
async function firstChange(tx: Tx, tenantId: string, promiseId: string, nowMs: EpochMs): Promise<Change[]> {
  const promise = await lockPromise(tx, tenantId, promiseId);
  if (promise === undefined || promise.attention !== null) return [];
  try {
    const { outcomes, revisions } = evaluate(await loadFacts(tx, tenantId, promiseId), nowMs);
    const fresh = [
      ...outcomes.filter(({ revision }) => revision > promise.decidedRevision),
      ...revisions.filter(({ revision }) => revision > promise.revision),
    ].map(({ atMs }) => atMs);
    return fresh.length === 0 ? [] : [{ promise, atMs: epochMs(Math.min(...fresh)) }];
  } catch (error) {
    if (isOfOnePromise(error)) return [];
    throw error;
  }
}

/** Tells a promise's workflow of what was decided without it, unless it wakes by itself. */
export async function wake(
  tx: Tx,
  tenantId: string,
  { promiseId, workflowId, nextJudgeAtMs }: PromiseRow,
  nowMs: EpochMs,
): Promise<void> {
  const wakesByItself = nextJudgeAtMs !== null && nextJudgeAtMs <= nowMs;
  if (!wakesByItself) await reviewAll(tx, [{ tenantId, promiseId, workflowId }]);
}

/** Whether an error is about one promise's facts, and not about the database. */
export function isOfOnePromise(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof TrothError && error.code === 'INVARIANT');
}

/**
 * Whether an ended promise `o` may open again by what came after it was settled: a broken one by late evidence, one whose
 * money was taken back by its policy (R15, R19). A deadline lies before the end, but the day may be another elsewhere.
 */
export const MAY_REOPEN = `((o.status = 'broken' and exists (
           select 1 from payment m
            where m.tenant_id = o.tenant_id and m.account_id = o.account_id and m.debt_class = o.debt_class
              and m.posted_at > o.settled_as_of and m.effective_date <= cast(o.ended_at as date) + 1))
     or (o.status in ('kept', 'broken') and exists (
           select 1 from payment_use u
             join payment_reversal r on r.tenant_id = u.tenant_id and r.payment_id = u.payment_id
            where u.tenant_id = o.tenant_id and u.promise_id = o.promise_id and r.posted_at > o.settled_as_of)))`;

// Open ones, since time may have decided them.
const UNSETTLED = `
select o.promise_id as "promiseId", o.payor
  from promise o
 where o.tenant_id = :tenantId and o.account_id = :accountId and o.debt_class = :debtClass
   and o.promise_id <> :promiseId
   and (o.status in ('pending', 'active') or ${MAY_REOPEN})
 order by o.enrolled_at desc, o.promise_id limit :most`;

interface Rival {
  readonly promiseId: string;
  readonly payor: string;
}

async function lockRivals(
  tx: Tx,
  tenantId: string,
  { promiseId, accountId, debtClass }: PromiseRow,
): Promise<Rival[]> {
  const debt = { tenantId, accountId, debtClass, promiseId, most: MOST_PROMISES };
  const rivals = await rows<Rival>(tx, UNSETTLED, debt);
  if (rivals.length === 0) return rivals;
  const locked = await rows(
    tx,
    `select 1 from promise where tenant_id = :tenantId and promise_id = any(:promiseIds)
        for no key update skip locked`,
    { tenantId, promiseIds: rivals.map((rival) => rival.promiseId) },
  );
  if (locked.length < rivals.length) throw new DebtBusy(promiseId);
  return rivals;
}
