import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type WorkflowClient } from '@temporalio/client';
import { putAccounts } from '../ledger/accounts';
import { addCalendar } from '../ledger/calendars';
import { openCases } from '../ledger/collections/cases';
import { row, rows, type Ledger } from '../ledger/connection';
import { errorCodeOf } from '../ledger/database-errors';
import { enqueueNewlyDue } from '../ledger/outbox';
import { addPolicyVersion } from '../ledger/policies';
import { loadFacts } from '../ledger/promises/facts';
import { createTenant, emptySandbox, getTenant, moveClock, tenantNow } from '../ledger/tenants';
import { invariant } from '../platform/errors';
import { promiseWorkflowId } from '../platform/ids';
import type { EpochMs } from '../rules/calendar';
import { evaluate, type Evaluation } from '../rules/decide';
import type { Reason } from '../rules/facts';
import type { Scenario } from '../rules/scenario/scenario';

/** What playing on the engine needs: a ledger and a Temporal whose workers serve it. */
export interface EngineDeps {
  readonly ledger: Ledger;
  readonly client: WorkflowClient;
}

/** The one account of every scenario. */
export const ACCOUNT = 'SCENARIO-1';
export const DEBT_CLASS = 'utility';
/** Who does what a scenario tells. */
export const ACTOR = 'simulate';
/** How long the engine may take to come to rest, and how often it is looked at. */
const QUIET_LIMIT_MS = 60_000;
const POLL_MS = 60;
const POLICY = 'scenario';
const MOST_REMOVALS = 20;
const FOREIGN_KEY_VIOLATION = '23503';

/** A promise as the ledger has it. */
export interface StoredPromise {
  readonly promiseId: string;
  readonly status: Evaluation['status'];
  readonly reason: Reason | null;
  readonly revision: number;
  readonly attention: string | null;
}

interface Outcomes {
  readonly verdicts: number;
  readonly received: number;
}

/** A throw-away tenant in which one scenario is played on the running engine. */
export class Sandbox {
  readonly tenantId = `sim-${randomBytes(6).toString('hex')}`;
  readonly #scenario: Scenario;
  readonly #deps: EngineDeps;

  constructor(scenario: Scenario, deps: EngineDeps) {
    this.#scenario = scenario;
    this.#deps = deps;
  }

  /** Makes the tenant, with the scenario's policy and calendar, and a clock that stands at an instant. */
  async create(beginsMs: EpochMs): Promise<void> {
    const { timeZone, weekend, closedDays, cutoff } = this.#scenario.tenant;
    const tenantId = this.tenantId;
    await this.#deps.ledger.forTenant(tenantId, async (tx) => {
      const clockOffsetMs = beginsMs - Date.now();
      const name = `Scenario ${this.#scenario.id}`.slice(0, 200);
      const tenant = {
        tenantId,
        name,
        timeZone,
        currency: 'USD',
        sandbox: true,
        clockOffsetMs,
        policyName: POLICY,
      };
      await createTenant(tx, tenant, ACTOR);
      const { policy: options } = this.#scenario;
      await addPolicyVersion(tx, tenantId, { name: POLICY, options, actor: ACTOR, atMs: beginsMs });
      const sorted = [...new Set(closedDays)].sort();
      await addCalendar(tx, tenantId, {
        ...{ weekend, closedDays: sorted, cutoff, names: {}, actor: ACTOR, atMs: beginsMs },
      });
      const account = { accountId: ACCOUNT, customerId: null, premiseId: null, debtClasses: [DEBT_CLASS] };
      await putAccounts(tx, tenantId, [account]);
    });
  }

  /** How far its clock is ahead of the machine's. */
  async offsetMs(): Promise<number> {
    const { ledger } = this.#deps;
    const tenant = await ledger.forTenant(this.tenantId, (tx) => getTenant(tx, this.tenantId));
    return tenant.clockOffsetMs;
  }

  /** Moves its clock to an instant, unless that has passed, and waits until it rests. */
  async reach(toMs: EpochMs): Promise<void> {
    const { ledger } = this.#deps;
    await ledger.forTenant(this.tenantId, async (tx) => {
      const tenant = await getTenant(tx, this.tenantId);
      if (toMs <= tenantNow(tenant)) return;
      await enqueueNewlyDue(tx, this.tenantId, await moveClock(tx, this.tenantId, toMs, ACTOR));
    });
    await this.rest();
  }

  /**
   * Waits until every message was delivered and every promise is what the rules make of it now.
   * @throws Error when that takes more than a minute.
   */
  async rest(): Promise<void> {
    const deadline = Date.now() + QUIET_LIMIT_MS;
    for (;;) {
      const restless = await this.#restless();
      if (restless === null) return;
      if (Date.now() > deadline) {
        throw new Error(`${this.#scenario.id}: the engine does not come to rest: ${restless}`);
      }
      await sleep(POLL_MS);
    }
  }

  async #restless(): Promise<string | null> {
    const { ledger } = this.#deps;
    const tenantId = this.tenantId;
    return ledger.forTenant(tenantId, async (tx) => {
      const waiting = await row<{ kind: string }>(
        tx,
        'select kind from outbox where tenant_id = :tenantId and delivered_at is null limit 1',
        { tenantId },
      );
      if (waiting !== undefined) return `a message of kind ${waiting.kind} waits`;
      const nowMs = tenantNow(await getTenant(tx, tenantId));
      for (const { promiseId, status, revision, attention } of await this.stored()) {
        if (attention !== null) return `${promiseId} needs attention: ${attention}`;
        const life = evaluate(await loadFacts(tx, tenantId, promiseId), nowMs);
        if (life.status !== status || life.revision !== revision) {
          return `${promiseId} is ${status} and becomes ${life.status}`;
        }
      }
      return null;
    });
  }

  /** Its promises as the ledger has them. */
  stored(): Promise<StoredPromise[]> {
    const { ledger } = this.#deps;
    const tenantId = this.tenantId;
    return ledger.forTenant(tenantId, (tx) =>
      rows<StoredPromise>(
        tx,
        `select promise_id as "promiseId", status, reason, revision, attention from promise
          where tenant_id = :tenantId order by enrolled_at, promise_id`,
        { tenantId },
      ),
    );
  }

  /** How many final decisions there are, and how many collections has received, once all were or time is up. */
  async outcomes(): Promise<Outcomes> {
    const deadline = Date.now() + QUIET_LIMIT_MS;
    for (;;) {
      const counts = await this.#count();
      if (counts.received >= counts.verdicts || Date.now() >= deadline) return counts;
      await sleep(POLL_MS);
    }
  }

  async #count(): Promise<Outcomes> {
    const { tenantId } = this;
    const counts = await this.#deps.ledger.forTenant(tenantId, (tx) =>
      row<Outcomes>(
        tx,
        `select (select count(*) from verdict where tenant_id = :tenantId and kind = 'promise') as verdicts,
                (select count(*) from collections_outcome
                  where tenant_id = :tenantId and kind in ('kept', 'broken', 'cancelled')) as received`,
        { tenantId },
      ),
    );
    invariant(counts !== undefined, 'A select without a table has one row');
    return counts;
  }

  // A step of a workflow that was terminated may still be writing.
  async #removeRows(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#deps.ledger.forTenant(this.tenantId, (tx) => emptySandbox(tx, this.tenantId));
        return;
      } catch (error) {
        if (attempt >= MOST_REMOVALS || errorCodeOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
        await sleep(POLL_MS * attempt);
      }
    }
  }

  /** Ends its workflows and removes all that is its own. */
  async remove(): Promise<void> {
    const { ledger, client } = this.#deps;
    const tenantId = this.tenantId;
    const end = async (workflowId: string): Promise<void> => {
      try {
        await client.getHandle(workflowId).terminate('the scenario has been played');
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    };
    for (const { promiseId, status } of await this.stored()) {
      if (status === 'active' || status === 'pending') await end(promiseWorkflowId(tenantId, promiseId));
    }
    const cases = await ledger.forTenant(tenantId, (tx) => openCases(tx, new Date(), 10));
    for (const { workflowId } of cases) await end(workflowId);
    await this.#removeRows();
  }
}
