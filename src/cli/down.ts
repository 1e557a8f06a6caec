import type { Command } from 'commander';
import { stopStranger } from '../local/machine/processes';
import { readRunFile, removeRunFile, stopOrphans } from '../local/runfile';
import { loadConfig } from '../platform/config';
import { TrothError } from '../platform/errors';

/** Longer than the longest orderly stop: worker, Temporal and PostgreSQL each with its grace. */
const STOP_LIMIT_MS = 90_000;

/** `troth down`: stops what `troth up` runs in this home, and what a killed one left behind. */
export function registerDown(program: Command): void {
  program
    .command('down')
    .description('stop everything that "troth up" runs here; data is kept')
    .addHelpText('after', '\nExample:\n  troth down\n')
    .action(async () => {
      console.log(await takeDown(loadConfig().home));
    });
}

/**
 * Stops the run of `home` and resolves when every process of it is gone.
 * @returns a sentence that says what was stopped
 */
export async function takeDown(home: string): Promise<string> {
  const run = readRunFile(home);
  if (run !== undefined) {
    const gone = await stopStranger(run, 'SIGTERM', STOP_LIMIT_MS);
    if (!gone) throw new TrothError('TIMEOUT', `Process ${run.pid} does not end. End it by hand.`);
  }
  // Nothing is left of an orderly stop; of a killed run, everything is.
  const orphans = await stopOrphans(home);
  removeRunFile(home);
  if (run !== undefined) return `Stopped (process ${run.pid}). Data is kept in ${home}.`;
  if (orphans.length > 0)
    return `Troth was not running; stopped what an earlier run left: ${orphans.join(', ')}.`;
  return 'Troth is not running here; nothing to stop.';
}
