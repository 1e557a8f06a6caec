import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Boundaries at which a crash must lose nothing and double nothing: after one thing is done, before the next. */
export const FAULT_POINTS = [
  'verdict-committed',
  'outcome-claimed',
  'outcome-signalled',
  'outcome-received',
  'case-woken',
  'step-committed',
  'promises-ended',
  'contact-prepared',
  'contact-handed',
  'outside-claimed',
  'outside-sent',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

const POLL_MS = 20;
const LIMIT_MS = 60_000;
const folder = process.env['TROTH_TEST_FAULTS'];

/** Whether a test may stop this process at its fault points. */
export const hasFaultPoints = folder !== undefined;

/**
 * For tests only: stops here, once, when the folder that TROTH_TEST_FAULTS names holds a file of the point's name, which is
 * renamed to `NAME.hit`; goes on when that file is gone, or after a minute. So a test can kill a part exactly here. Does nothing
 * where the variable is not set.
 */
export async function faultPoint(name: FaultPoint): Promise<void> {
  if (folder === undefined) return;
  const [armed, hit] = [join(folder, name), join(folder, `${name}.hit`)];
  try {
    renameSync(armed, hit);
  } catch {
    return; // not armed, or another was first
  }
  for (let waited = 0; existsSync(hit) && waited < LIMIT_MS; waited += POLL_MS) await sleep(POLL_MS);
}
