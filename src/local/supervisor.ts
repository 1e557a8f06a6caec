import { setTimeout as sleep } from 'node:timers/promises';
import { TrothError, messageOf } from '../platform/errors';
import type { Log } from '../platform/log';
import type { Exit, ProcessName } from './machine/processes';
import { birthOf } from './machine/processes';

/** A part that runs now. */
export interface Running {
  /** Absent for a part inside this process. */
  readonly pid?: number;
  readonly exited: Promise<Exit>;
  stop(hurry: boolean): Promise<unknown>;
}

/** Something to keep running. Parts are stopped in the order of their `stopRank`, lowest first. */
export interface Part {
  readonly name: string;
  readonly stopRank: number;
  start(): Promise<Running>;
}

const MAX_RESTARTS = 5;
const WINDOW_MS = 60_000;
const FIRST_DELAY_MS = 250;

interface Kept {
  readonly part: Part;
  running: Running | undefined;
  /** Pending while it starts. */
  starting: Promise<void> | undefined;
  /** When it was restarted lately. */
  restarts: number[];
}

/**
 * Keeps parts running: one that ends by itself is started again after a pause that doubles, at most five times in a
 * minute; then it gives up and says why.
 */
export class Supervisor {
  readonly #kept: Kept[] = [];
  readonly #log: Log;
  readonly #changed: (children: readonly (ProcessName & { name: string })[]) => void;
  readonly #gaveUp: (reason: TrothError) => void;
  readonly #stop = new AbortController();
  #hurry = false;
  #stopped: Promise<void> | undefined;

  /**
   * @param events.changed told whenever the set of processes changes
   * @param events.gaveUp told once, when a part does not stay up
   */
  constructor(
    log: Log,
    events: {
      changed: (children: readonly (ProcessName & { name: string })[]) => void;
      gaveUp: (reason: TrothError) => void;
    },
  ) {
    this.#log = log;
    this.#changed = events.changed;
    this.#gaveUp = events.gaveUp;
  }

  /** Aborted as soon as a stop is asked for; for whatever is still starting. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Starts a part and keeps it running. Throws what its first start throws. */
  async keep(part: Part): Promise<void> {
    if (this.#stop.signal.aborted)
      throw new TrothError('LOCAL_START', `Stopped while ${part.name} was about to start.`);
    const kept: Kept = { part, running: undefined, starting: undefined, restarts: [] };
    this.#kept.push(kept);
    await this.#start(kept);
  }

  #start(kept: Kept): Promise<void> {
    kept.starting = this.#startNow(kept).finally(() => {
      kept.starting = undefined;
    });
    return kept.starting;
  }

  async #startNow(kept: Kept): Promise<void> {
    const running = await kept.part.start();
    kept.running = running;
    this.#tell();
    // The stop may have come while it started: then nobody else stops it.
    if (this.#stop.signal.aborted) {
      await running.stop(this.#hurry);
      kept.running = undefined;
      return;
    }
    void running.exited.then((exit) => this.#ended(kept, exit));
  }

  async #ended(kept: Kept, exit: Exit): Promise<void> {
    kept.running = undefined;
    if (this.#stop.signal.aborted) return;
    this.#tell();
    const { name } = kept.part;
    this.#log.warn({ part: name, ...exit }, 'a part ended by itself; starting it again');
    for (;;) {
      const now = Date.now();
      kept.restarts = [...kept.restarts.filter((at) => at > now - WINDOW_MS), now];
      if (kept.restarts.length > MAX_RESTARTS) {
        this.#giveUp(name, `it ended ${MAX_RESTARTS + 1} times within a minute`);
        return;
      }
      const pauseMs = FIRST_DELAY_MS * 2 ** (kept.restarts.length - 1);
      const stopped = await sleep(pauseMs, false, { signal: this.#stop.signal }).catch(() => true);
      if (stopped) return;
      try {
        await this.#start(kept);
        this.#log.info({ part: name }, 'the part runs again');
        return;
      } catch (error) {
        this.#log.warn({ part: name, reason: messageOf(error) }, 'the part did not start');
      }
    }
  }

  #giveUp(name: string, why: string): void {
    this.#gaveUp(
      new TrothError(
        'LOCAL_START',
        `${name} does not stay up: ${why}. Its log is in the logs folder; see troth doctor.`,
      ),
    );
  }

  #tell(): void {
    const children = this.#kept.flatMap(({ part, running }) => {
      const pid = running?.pid;
      return pid === undefined ? [] : [{ name: part.name, pid, birth: birthOf(pid), rank: part.stopRank }];
    });
    // In the order of starting, so that a clean-up from the end of the list stops consumers first.
    this.#changed(
      children.sort((a, b) => b.rank - a.rank).map(({ name, pid, birth }) => ({ name, pid, birth })),
    );
  }

  /** Stops everything, in order. A second call makes the first hurry. */
  stopAll(): Promise<void> {
    if (this.#stopped !== undefined) {
      this.#hurry = true;
      for (const { running } of this.#kept) void running?.stop(true).catch(() => undefined);
      return this.#stopped;
    }
    this.#stop.abort(new TrothError('LOCAL_START', 'Troth is being stopped.'));
    this.#stopped = this.#stopInOrder();
    return this.#stopped;
  }

  async #stopInOrder(): Promise<void> {
    const order = [...this.#kept].sort((a, b) => a.part.stopRank - b.part.stopRank);
    for (const kept of order) {
      await kept.starting?.catch(() => undefined);
      try {
        await kept.running?.stop(this.#hurry);
      } catch (error) {
        this.#log.warn({ part: kept.part.name, reason: messageOf(error) }, 'a part did not stop cleanly');
      }
      kept.running = undefined;
    }
  }
}
