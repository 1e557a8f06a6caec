import { messageOf } from '../../platform/errors';
import type { EpochMs } from '../../rules/calendar';
import { rows, type Ledger, type Tx } from '../connection';
import { DebtBusy, isOfOnePromise, lockSettled, onDebtOf, wake } from '../promises/debt-lock';
import { settleLocked } from '../promises/settle';
import { holdClock, type Tenant } from '../tenants';

/** A promise that could not be judged, and why; the others are. */
export interface Failure {
  readonly promiseId: string;
  readonly message: string;
}

/** What was settled. */
export interface Settled {
  readonly settled: number;
  /** Outcomes that were recorded. */
  readonly recorded: number;
  readonly failures: readonly Failure[];
}

/** Promises that are settled in one transaction: one flush to disk for all, and their accounts wait for no longer. */
const TOGETHER = 50;
/** Transactions at once. */
const LANES = 4;

/**
 * Settles promises as of a night, in bounded parallel transactions, each with many promises under their locks. The
 * promises of one debt are settled together, the one with the earliest judge time first: what one of them has counted,
 * another cannot (R11), and who has a promise decides whose money it is (R9).
 */
export class Settling {
  readonly #ledger: Ledger;
  readonly #tenant: Tenant;
  readonly #asOfMs: EpochMs;
  readonly #running = new Set<Promise<void>>();
  readonly #failures: Failure[] = [];
  #settled = 0;
  #recorded = 0;
  #broke: Error | null = null;

  constructor(ledger: Ledger, tenant: Tenant, asOfMs: EpochMs) {
    this.#ledger = ledger;
    this.#tenant = tenant;
    this.#asOfMs = asOfMs;
  }

  /** Takes promises to be settled; waits while enough are under way. @throws what the database throws. */
  async add(promiseIds: readonly string[]): Promise<void> {
    for (let from = 0; from < promiseIds.length; from += TOGETHER) {
      while (this.#running.size >= LANES) await Promise.race(this.#running);
      if (this.#broke !== null) throw this.#broke;
      const lane: Promise<void> = this.#settle(promiseIds.slice(from, from + TOGETHER))
        .catch((error: unknown) => {
          this.#broke ??= error instanceof Error ? error : new Error(messageOf(error));
        })
        .finally(() => this.#running.delete(lane));
      this.#running.add(lane);
    }
  }

  /** Waits until all are settled. @throws what the database threw. */
  async done(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#broke !== null) throw this.#broke;
  }

  /** What was settled so far, and what could not be. */
  get result(): Settled {
    return { settled: this.#settled, recorded: this.#recorded, failures: this.#failures };
  }

  async #settle(promiseIds: readonly string[]): Promise<void> {
    const due = await this.#ledger.forTenant(this.#tenant.tenantId, (tx) => this.#withRivals(tx, promiseIds));
    for (const { promiseId } of await this.#together(due)) await this.#alone(promiseId);
  }

  /** The promises, and others on their debts that are due as well; of one debt in the order in which they must be judged. */
  #withRivals(tx: Tx, promiseIds: readonly string[]): Promise<DuePromise[]> {
    return rows<DuePromise>(
      tx,
      `select p.promise_id as "promiseId", p.account_id as "accountId", p.debt_class as "debtClass"
         from (select distinct account_id, debt_class from promise
                where tenant_id = :tenantId and promise_id = any(:promiseIds)) debt
         join promise p on p.tenant_id = :tenantId and p.account_id = debt.account_id
                       and p.debt_class = debt.debt_class
        where p.status in ('pending', 'active') and (p.next_judge_at <= :asOf or p.promise_id = any(:promiseIds))
        order by p.next_judge_at, p.promise_id`,
      { tenantId: this.#tenant.tenantId, promiseIds, asOf: new Date(this.#asOfMs) },
    );
  }

  /**
   * Settles in one transaction what nobody else works on: it never waits for a lock that it would hold others up with.
   * @returns those that are left: of a debt that is being worked on; or all of them, where one cannot be judged.
   */
  async #together(due: readonly DuePromise[]): Promise<readonly DuePromise[]> {
    let recorded = 0;
    try {
      const left = await this.#ledger.forTenant(this.#tenant.tenantId, async (tx) => {
        if (this.#tenant.sandbox) await holdClock(tx, this.#tenant.tenantId);
        const locked = await this.#lock(tx, due);
        const busy = new Set(due.filter(({ promiseId }) => !locked.has(promiseId)).map(debtOf));
        const free = due.filter((promise) => !busy.has(debtOf(promise)));
        for (const { promiseId } of free) recorded += await this.#settleOne(tx, promiseId);
        return due.filter((promise) => busy.has(debtOf(promise)));
      });
      this.#settled += due.length - left.length;
      this.#recorded += recorded;
      return left;
    } catch (error) {
      if (isOfOnePromise(error) || error instanceof DebtBusy) return due;
      throw error;
    }
  }

  async #lock(tx: Tx, due: readonly DuePromise[]): Promise<ReadonlySet<string>> {
    const locked = await rows<{ promiseId: string }>(
      tx,
      `select promise_id as "promiseId" from promise
        where tenant_id = :tenantId and promise_id = any(:promiseIds) and status in ('pending', 'active')
        order by promise_id for no key update skip locked`,
      { tenantId: this.#tenant.tenantId, promiseIds: due.map(({ promiseId }) => promiseId) },
    );
    return new Set(locked.map(({ promiseId }) => promiseId));
  }

  async #alone(promiseId: string): Promise<void> {
    const { tenantId, sandbox } = this.#tenant;
    try {
      this.#recorded += await onDebtOf(this.#ledger, tenantId, promiseId, async (tx) => {
        if (sandbox) await holdClock(tx, tenantId);
        return this.#settleOne(tx, promiseId);
      });
      this.#settled += 1;
    } catch (error) {
      if (!isOfOnePromise(error)) throw error;
      this.#failures.push({ promiseId, message: messageOf(error) });
    }
  }

  /** @returns how many outcomes were recorded. */
  async #settleOne(tx: Tx, promiseId: string): Promise<number> {
    const { tenantId } = this.#tenant;
    const locked = await lockSettled(tx, tenantId, promiseId, () => this.#asOfMs);
    if (locked === undefined) return 0; // removed with its sandbox
    const { promise, nowMs, recorded } = locked;
    const { toTell } = await settleLocked(tx, tenantId, promise, nowMs);
    if (toTell.length > 0) await wake(tx, tenantId, promise, nowMs);
    return recorded + toTell.length;
  }
}

interface DuePromise {
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
}

function debtOf({ accountId, debtClass }: DuePromise): string {
  return `${accountId} ${debtClass}`;
}
