import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { errorCodeOf, reasonOf } from '../ledger/database-errors';
import { ERRORS, TrothError } from '../platform/errors';
import { projectRoot } from '../platform/root';
import { registerApi } from './api';
import { registerBacktest } from './backtest';
import { registerCalendar } from './calendar/commands';
import { registerCase } from './case/commands';
import { registerAccountEvent } from './change/account-event';
import { registerAmend } from './change/amend';
import { registerApproval } from './change/approve';
import { registerBalance } from './change/balance';
import { registerCancel } from './change/cancel';
import { registerClock } from './clock';
import { registerCollections } from './collections/commands';
import { registerDemo } from './demo';
import { registerDoctor } from './doctor';
import { registerDown } from './down';
import { registerHold } from './hold/commands';
import { registerLoads } from './load/commands';
import { registerMass } from './mass';
import { registerMigrate } from './migrate';
import { registerMonitor } from './monitor';
import { endQuietlyOnBrokenPipe } from './output';
import { registerPolicy } from './policy/commands';
import { registerPreview } from './preview';
import { registerProcess } from './process/commands';
import { registerPromise } from './promise/commands';
import { registerRebuild } from './rebuild';
import { registerShield } from './shield';
import { registerSimulate } from './simulate/commands';
import { registerStanding } from './standing';
import { registerStep } from './step';
import { registerTenant } from './tenant';
import { printable } from './text';
import { registerUp } from './up';
import { registerVerify } from './verify';
import { registerWorker } from './worker';
import { registerWorklist } from './worklist';

/** sysexits.h: the command was used incorrectly. */
const USAGE = 64;
const INTERNAL = 70;
const MOST_PROBLEMS = 20;

/** The whole command line. */
export function troth(): Command {
  const program = new Command('troth')
    .description('Troth, the durable promise-to-pay engine')
    .version(versionOfTroth())
    // Options after a command's name are the command's own: `process show water --version 2`.
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows how it is used)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`troth: ${text.replace(/^error: /, '')}`) })
    .addHelpText(
      'after',
      '\nStart with: troth up\nEach command has its own --help, with an example and exit codes.',
    );
  for (const register of [
    registerUp,
    registerDown,
    registerDoctor,
    registerMigrate,
    registerWorker,
    registerApi,
    registerDemo,
    registerTenant,
    registerPolicy,
    registerCalendar,
    registerLoads,
    registerPreview,
    registerMass,
    registerPromise,
    registerAmend,
    registerApproval,
    registerCancel,
    registerBalance,
    registerAccountEvent,
    registerCollections,
    registerProcess,
    registerCase,
    registerStep,
    registerHold,
    registerStanding,
    registerWorklist,
    registerClock,
    registerRebuild,
    registerSimulate,
    registerShield,
    registerMonitor,
    registerVerify,
    registerBacktest,
  ]) {
    register(program);
  }
  return program;
}

function versionOfTroth(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** Runs a command line. @returns the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    await troth().parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return tell(error);
  }
}

/** One line for a person, and what is wrong in detail; the stack only for those who debug. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  if (!(error instanceof TrothError)) {
    say(`troth: ${printable(reasonOf(error) || errorCodeOf(error) || 'something went wrong')}`);
    if (process.env['TROTH_LOG_LEVEL'] !== 'debug') say('For the stack: TROTH_LOG_LEVEL=debug');
  } else {
    say(`troth: ${printable(error.message)}`);
    for (const { field, value, message } of error.problems.slice(0, MOST_PROBLEMS)) {
      say(`  ${printable(field)}${value === '' ? '' : ` "${printable(value)}"`}: ${printable(message)}`);
    }
  }
  if (process.env['TROTH_LOG_LEVEL'] === 'debug') console.error(error);
  return error instanceof TrothError ? ERRORS[error.code].exit : INTERNAL;
}

endQuietlyOnBrokenPipe();
void run(process.argv).then((code) => {
  // Set, not called: what was written must still reach a pipe.
  process.exitCode = code;
});
