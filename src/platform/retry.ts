const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;

/**
 * How long something waits after a failed attempt: 0.5 s doubled each time up to 60 s, less up to a half of it by chance.
 * @param attempts how often it was tried, from 1.
 * @param chance from 0 to 1.
 */
export function retryAfterMs(attempts: number, chance: number): number {
  const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(Math.max(attempts - 1, 0), 12));
  return Math.round(longest * (1 - chance / 2));
}
