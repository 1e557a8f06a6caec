import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowClient } from '@temporalio/client';
import { claimToSend, recordSent, type ToSend } from '../collections/outside/deliver';
import { putMessage } from '../collections/outside/file';
import { messageOf as outsideMessage } from '../collections/outside/message';
import { failed, type Sent } from '../collections/outside/sent';
import { postMessage } from '../collections/outside/webhook';
import type { Ledger } from '../ledger/connection';
import { hasOpenCase } from '../ledger/collections/cases';
import { tenantsWaiting, type ClaimedMessage } from '../ledger/collections/outside';
import { withDeadline } from '../platform/deadline';
import { messageOf } from '../platform/errors';
import { faultPoint } from '../platform/faults';
import type { Log } from '../platform/log';
import { outsideWorkflowId, type WorkflowTarget } from '../rules/collections/outside';
import { tellCollections } from './tell';

/** Tenants served side by side. */
const TENANTS = 10;
/** How long a tenant is served before others have their turn: however many systems hang, they hold up nobody for ever. */
const TURN_MS = 5000;
const MOST_WAITING = 10_000;
/** Messages of a tenant on their way at once. */
const CONCURRENT = 10;
/** Of the worker's connections to the ledger, how many this may use. */
const CONNECTIONS = 3;
const IDLE_MS = 250;
const AFTER_ERROR_MS = 1000;
const DEADLINE_MS = 10_000;
/** What is on its way when the worker stops may take this long to arrive. */
const GRACE_MS = 5000;

interface Deps {
  readonly ledger: Ledger;
  readonly client: WorkflowClient;
  readonly taskQueue: string;
  readonly log: Log;
}

/** Sends what waits for systems outside, for ever; several workers share the work. */
export function startOutside(deps: Deps): { stop(): Promise<void> } {
  const delivery = new Delivery(deps);
  const running = delivery.run();
  return {
    async stop() {
      await delivery.stop();
      await running;
    },
  };
}

class Delivery {
  readonly #deps: Deps;
  readonly #stopping = new AbortController();
  readonly #hurry = new AbortController();
  readonly #tenants = new Map<string, Promise<void>>();
  /** When tenants were served last. */
  readonly #servedAt = new Map<string, number>();
  readonly #ledger: Ledger;
  readonly #namespaces = new Map<string, WorkflowClient>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#ledger = throttled(deps.ledger, CONNECTIONS);
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const waiting = await this.#ledger.forSystem((tx) => tenantsWaiting(tx, MOST_WAITING));
        for (const tenantId of this.#inTurn(waiting)) {
          if (this.#tenants.size >= TENANTS) break;
          this.#tenants.set(tenantId, this.#serve(tenantId));
        }
        await this.#pause(IDLE_MS);
      } catch (error) {
        this.#deps.log.warn({ error: messageOf(error) }, 'outside delivery waits for the ledger');
        await this.#pause(AFTER_ERROR_MS);
      }
    }
    await Promise.all(this.#tenants.values());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const hurry = setTimeout(() => this.#hurry.abort(), GRACE_MS);
    await Promise.all(this.#tenants.values());
    clearTimeout(hurry);
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** Tenants that nobody here serves just now, the one that was served longest ago first. */
  #inTurn(waiting: readonly string[]): string[] {
    const servedAt = (tenantId: string): number => this.#servedAt.get(tenantId) ?? 0;
    return waiting
      .filter((tenantId) => !this.#tenants.has(tenantId))
      .sort((a, b) => servedAt(a) - servedAt(b));
  }

  /** Sends a tenant's messages until none may be tried now, or its turn is over. */
  async #serve(tenantId: string): Promise<void> {
    const underWay = new Set<Promise<void>>();
    const untilMs = Date.now() + TURN_MS;
    try {
      for (;;) {
        const isOver = this.#stopping.signal.aborted || Date.now() >= untilMs;
        const free = isOver ? 0 : CONCURRENT - underWay.size;
        const claimed = free === 0 ? [] : await claimToSend(this.#ledger, tenantId, free);
        for (const one of claimed) {
          const sending: Promise<void> = this.#send(tenantId, one).finally(() => underWay.delete(sending));
          underWay.add(sending);
        }
        if (underWay.size === 0) return;
        await Promise.race([...underWay, ...(free === 0 ? [] : [sleep(IDLE_MS)])]);
      }
    } catch (error) {
      this.#deps.log.warn(
        { tenantId, error: messageOf(error) },
        'outside delivery of a tenant stopped; starts again',
      );
      await this.#pause(AFTER_ERROR_MS);
    } finally {
      await Promise.all(underWay);
      this.#servedAt.set(tenantId, Date.now());
      this.#tenants.delete(tenantId);
    }
  }

  /** Never throws: what could not be recorded is sent again when its lease ends. */
  async #send(tenantId: string, { target, message }: ToSend): Promise<void> {
    const { log } = this.#deps;
    const { outcomeId, attempts } = message;
    try {
      await faultPoint('outside-claimed');
      const sent = await this.#to(target, message);
      await faultPoint('outside-sent');
      const error = await recordSent(this.#ledger, tenantId, message, sent);
      if (error !== null) {
        log.warn(
          { tenantId, outcomeId, attempts, target: target.kind, error },
          'outside collections did not take a message; tries again',
        );
      }
    } catch (error) {
      log.warn(
        { tenantId, outcomeId, error: messageOf(error) },
        'what became of a message could not be recorded',
      );
    }
  }

  async #to(target: ToSend['target'], message: ClaimedMessage): Promise<Sent> {
    switch (target.kind) {
      case 'webhook':
        return postMessage(target, message, process.env, this.#hurry.signal);
      case 'file':
        return withDeadline(putMessage(target, message), DEADLINE_MS).catch((error: unknown) =>
          failed(messageOf(error)),
        );
      case 'workflow':
        return this.#byTemporal(() => this.#signal(target, message));
      case 'troth':
        return this.#byTemporal(() => this.#tellOwnCase(message));
    }
  }

  async #byTemporal(work: () => Promise<Sent>): Promise<Sent> {
    try {
      return await this.#deps.client.connection.withDeadline(Date.now() + DEADLINE_MS, work);
    } catch (error) {
      return failed(messageOf(error));
    }
  }

  /** Once Temporal has taken the signal it is durable there: that acknowledges it. */
  async #signal(target: WorkflowTarget, { payload, position }: ClaimedMessage): Promise<Sent> {
    const { tenantId, accountId, debtClass } = payload;
    const workflowId = outsideWorkflowId(target.workflowId, payload);
    await this.#clientOf(target.namespace).signalWithStart(target.workflowType, {
      ...{ workflowId, taskQueue: target.taskQueue, args: [{ tenantId, accountId, debtClass }] },
      ...{ signal: target.signal, signalArgs: [outsideMessage({ payload, position })] },
    });
    return { kind: 'acknowledged', by: `workflow ${workflowId}` };
  }

  #clientOf(namespace: string | null): WorkflowClient {
    const { client } = this.#deps;
    if (namespace === null || namespace === client.options.namespace) return client;
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const made = new WorkflowClient({ connection: client.connection, namespace });
    this.#namespaces.set(namespace, made);
    return made;
  }

  /** A message that was meant for a system outside, of a tenant that has gone back to Troth's own collections. */
  async #tellOwnCase({ payload }: ClaimedMessage): Promise<Sent> {
    // What begins or changes a promise is told to a case that is open, as ever.
    if (payload.kind === 'activated' || payload.kind === 'amended') {
      const open = await this.#ledger.forTenant(payload.tenantId, (tx) => hasOpenCase(tx, payload));
      if (!open) return { kind: 'acknowledged', by: 'troth: no case is open' };
    }
    await tellCollections(this.#deps.client, this.#deps.taskQueue, payload);
    return { kind: 'acknowledged', by: 'troth' };
  }
}

/** A ledger that uses at most some connections at once: settling promises goes before telling of them. */
function throttled(ledger: Ledger, most: number): Ledger {
  let free = most;
  const waiting: (() => void)[] = [];
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
  return {
    ...ledger,
    forTenant: (tenantId, work) => inTurn(() => ledger.forTenant(tenantId, work)),
    forSystem: (work) => inTurn(() => ledger.forSystem(work)),
  };
}
