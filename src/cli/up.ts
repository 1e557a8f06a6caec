import Table from 'cli-table3';
import type { Command } from 'commander';
import { claimHome, readRunFile, removeRunFile } from '../local/runfile';
import { Supervisor } from '../local/supervisor';
import { type Config, loadConfig } from '../platform/config';
import { type Log, createLog } from '../platform/log';
import { green } from './text';
import { type UpState, runSteps, update } from './up-steps';

/** `troth up`: everything, from nothing to serving, until Ctrl-C. */
export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start PostgreSQL, Temporal, worker and API, and serve until Ctrl-C')
    .option('--no-demo', 'do not load the demo on the first start')
    .addHelpText('after', '\nExample:\n  troth up --no-demo\n')
    .action(async (options: { demo: boolean }) => {
      process.exitCode = await up(loadConfig(), options);
    });
}

/**
 * Runs until it is told to stop (SIGINT, SIGTERM, SIGHUP) or a part does not stay up. A second signal hurries.
 * @returns the exit code: 0 after an orderly stop, 130 when stopped while starting
 * @throws TrothError when a step fails or a part gives up; everything is stopped by then.
 */
export async function up(config: Config, options: { demo: boolean }): Promise<number> {
  const startedAt = Date.now();
  const log = createLog(config, 'troth-up');
  const { run, orphans } = await claimHome(config.home);
  if (orphans.length > 0) console.log(`Stopped what an earlier run left: ${orphans.join(', ')}.`);
  const state: UpState = { config, log, run, story: [], demo: options.demo };
  const { supervisor, ended } = superviseWithSignals(log, state);
  let ready = false;
  try {
    await runSteps(state, supervisor);
    if (!supervisor.signal.aborted) {
      ready = true;
      update(state, { ready: true });
      announce(state, startedAt);
    }
    const failure = await ended;
    if (failure !== undefined) throw failure;
    return 0;
  } catch (error) {
    // A step that was told to stop fails; that is what was asked for, unless something else went wrong first.
    if (!supervisor.signal.aborted || ready) throw error;
    return 130;
  } finally {
    await supervisor.stopAll();
    if (readRunFile(config.home)?.pid === process.pid) removeRunFile(config.home);
    console.log('Everything is stopped. Data is kept.');
  }
}

/** Children's changes go into the run file; signals and a part that gives up end the run. */
function superviseWithSignals(
  log: Log,
  state: UpState,
): { supervisor: Supervisor; ended: Promise<Error | undefined> } {
  let end: (failure: Error | undefined) => void = () => undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    end = resolve;
  });
  const supervisor = new Supervisor(log, {
    changed: (children) => update(state, { children: [...children] }),
    gaveUp: (reason) => end(reason),
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    console.log(
      supervisor.signal.aborted ? 'Hurrying.' : `\n${signal}: stopping, worker first. Once more to hurry.`,
    );
    void supervisor.stopAll().then(() => end(undefined));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  if (process.env['npm_lifecycle_event'] === 'start') watchParent(() => onSignal('SIGTERM'));
  // A closed terminal must not end us in the middle of an orderly stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return { supervisor, ended };
}

const PARENT_CHECK_MS = 1000;

/** npm does not pass a SIGTERM on: when it is gone, we were meant too. */
function watchParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_CHECK_MS);
  timer.unref();
}

function announce(state: UpState, startedAt: number): void {
  const { run } = state;
  for (const line of state.story) console.log(line);
  const table = new Table({ style: { head: [], border: [] }, colWidths: [16] });
  const row = (name: string, value: string | undefined): void => {
    if (value !== undefined) table.push([name, value]);
  };
  row('API', run.apiUrl);
  row('Temporal UI', run.temporalUiUrl);
  row('Temporal', run.temporal && `${run.temporal.address} (namespace ${run.temporal.namespace})`);
  row('PostgreSQL', run.databaseUrl && maskPassword(run.databaseUrl));
  console.log(table.toString());
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${green('Ready')} after ${seconds} s. In another terminal:`);
  console.log('  npx troth promise list      every promise and how it stands');
  console.log('  npx troth --help            everything else');
  console.log('Ctrl-C stops everything; data is kept.');
}

/** A database URL that may be shown. */
export function maskPassword(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    return parsed.href;
  } catch {
    return '(set by DATABASE_URL)';
  }
}
