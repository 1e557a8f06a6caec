import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from './errors';
import type { Log } from './log';

/** Work that a worker does over and over until it is stopped. */
export interface Loop {
  /** Ends after the work in hand. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  readonly log: Log;
  /** What the log says when a round fails. */
  readonly onError: string;
  /** Milliseconds to wait after a round that left nothing to do. */
  readonly idleMs: number;
  /** Milliseconds to wait after a round that failed. */
  readonly afterErrorMs: number;
}

/** Runs rounds for ever. @param round says whether more waits, so that the next one comes at once. */
export function startLoop(round: () => Promise<boolean>, options: LoopOptions): Loop {
  const { log, onError, idleMs, afterErrorMs } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (!(await round())) await pause(idleMs);
      } catch (error) {
        log.warn({ error: messageOf(error) }, onError);
        await pause(afterErrorMs);
      }
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
