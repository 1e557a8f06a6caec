import { getClient } from '@temporalio/activity';
import { delivered } from '../src/ledger/outbox';
import type { Settlement } from '../src/ledger/promises/settle';
import { messageOf } from '../src/platform/errors';
import { faultPoint } from '../src/platform/faults';
import { tellCollections } from '../src/temporal/tell';
import type { ActivityDeps } from './deps';

/** The relay leaves a fresh outcome to us for this long; we tell collections ourselves right after the commit. */
export const RELAY_AFTER_MS = 15_000;

// When many promises fall due together, deciding them goes first: starting as many cases at the same time would take
// the server's time from the verdicts. With more than this many at work the relay tells collections, seconds later.
const CALM = 3;

/** Tells collections what a settlement decided, if this worker has the time; else the relay does. */
export class Teller {
  readonly #deps: ActivityDeps;
  #atWork = 0;

  constructor(deps: ActivityDeps) {
    this.#deps = deps;
  }

  /** Counts a settlement as work while it lasts. */
  async counted<T>(work: () => Promise<T>): Promise<T> {
    this.#atWork += 1;
    try {
      return await work();
    } finally {
      this.#atWork -= 1;
    }
  }

  /** Never fails: the verdict stands, and the outbox still holds what could not be told. */
  async tell(settlement: Settlement): Promise<void> {
    if (settlement.toTell.length === 0 || settlement.toldOutside || this.#atWork > CALM) return;
    const { ledger, log, taskQueue } = this.#deps;
    try {
      // One after the other: a promise's outcomes have an order.
      for (const message of settlement.toTell) {
        await tellCollections(getClient().workflow, taskQueue, message);
      }
      await faultPoint('outcome-signalled');
      const ids = settlement.toTell.map((message) => message.outboxId);
      await ledger.forTenant(settlement.tenantId, (tx) => delivered(tx, ids));
    } catch (error) {
      log.warn({ promiseId: settlement.promiseId, error: messageOf(error) }, 'outcome left to the relay');
    }
  }
}
