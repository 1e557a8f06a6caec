import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for some work, but not for ever. The work itself goes on: it must do no harm when it ends late.
 * @throws Error when the time is up first; whatever the work throws.
 */
export async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  const stopping = new AbortController();
  const late = sleep(ms, undefined, { signal: stopping.signal }).then(() => {
    throw new Error(`It was not done within ${ms / 1000} seconds`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    stopping.abort();
  }
}
