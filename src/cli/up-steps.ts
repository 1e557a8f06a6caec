import { type DefaultRenderer, Listr, type ListrTask, PRESET_TIMER, type SimpleRenderer } from 'listr2';
import { startApi } from '../api/server';
import { migrateLedger } from '../ledger/migrate';
import { assertSpace } from '../local/machine/disk';
import type { Exit } from '../local/machine/processes';
import { STOP_RANK, postgresPart, temporalPart, temporalUiPart, workerPart } from '../local/parts';
import { choosePort } from '../local/ports';
import { type RunFile, writeRunFile } from '../local/runfile';
import type { Supervisor } from '../local/supervisor';
import { planTemporal, startTemporalServer } from '../local/temporal';
import { embeddedTemporalDatabase, ownTemporalDatabase } from '../local/temporal-server';
import type { Config } from '../platform/config';
import { TrothError, invariant, messageOf } from '../platform/errors';
import type { Log } from '../platform/log';
import { prepareTemporal } from '../temporal/setup';
import { loadDemoOnce } from './demo';

const HOME_BYTES = 200_000_000;
/** How often a long step says where it is: often on a terminal, where a line is overwritten. */
const SAY_EVERY_MS = process.stdout.isTTY ? 200 : 10_000;

/** What the steps know of one another. */
export interface UpState {
  readonly config: Config;
  readonly log: Log;
  readonly demo: boolean;
  /** Lines of the demo, printed when the steps are done. */
  readonly story: string[];
  run: RunFile;
  /** URL with which Temporal's databases can be made, when PostgreSQL is ours. */
  superuserUrl?: string;
}

type Step = ListrTask<UpState, typeof DefaultRenderer, typeof SimpleRenderer>;
type Say = (line: string) => void;

/**
 * From configuration to demo, each step shown with its elapsed time: live on a terminal, as plain lines elsewhere.
 * @throws whatever the first failing step throws; what was started by then is the supervisor's to stop.
 */
export async function runSteps(state: UpState, supervisor: Supervisor): Promise<void> {
  const taken = new Set<number>();
  const step = (title: string, work: (say: Say) => Promise<string>): Step => ({
    title,
    task: async (_, task) => {
      supervisor.signal.throwIfAborted();
      const result = await work(throttled((line) => (task.output = line)));
      task.title = `${title}: ${result}`;
    },
  });
  const steps = [
    step('Configuration', () => checkHome(state)),
    step('PostgreSQL', () => bringPostgres(state, supervisor, taken)),
    step('Temporal', (say) => bringTemporal(state, supervisor, taken, say)),
    step('Schema', () => migrate(state)),
    step('Namespace and search attributes', async () => {
      await prepareTemporal(targetOf(state));
      return 'in place';
    }),
    step('Worker', () => bringWorker(state, supervisor)),
    step('API', () => bringApi(state, supervisor, taken)),
    ...(state.demo ? [{ ...step('Demo', (say) => tellDemo(state, say)), exitOnError: false }] : []),
  ];
  const list = new Listr<UpState, 'default', 'simple'>(steps, {
    renderer: 'default',
    rendererOptions: { timer: PRESET_TIMER, collapseErrors: false },
    fallbackRenderer: 'simple',
    fallbackRendererCondition: !process.stdout.isTTY,
    fallbackRendererOptions: { timer: PRESET_TIMER },
    // Ctrl-C is ours: parts must stop in order.
    registerSignalListeners: false,
  });
  await list.run(state);
}

function throttled(say: Say): Say {
  let last = 0;
  return (line) => {
    if (Date.now() - last < SAY_EVERY_MS) return;
    last = Date.now();
    say(line);
  };
}

/** Changes what other commands read about this run. */
export function update(state: UpState, change: Partial<RunFile>): void {
  state.run = { ...state.run, ...change };
  writeRunFile(state.config.home, state.run);
}

/** The Temporal of ours; undefined for an external one, which is reached by Temporal's own environment configuration. */
function targetOf(state: UpState): { address: string; namespace: string } | undefined {
  const { temporal } = state.run;
  return temporal === undefined || temporal.external ? undefined : temporal;
}

function checkHome({ config }: UpState): Promise<string> {
  assertSpace(config.home, HOME_BYTES, 'Troth');
  return Promise.resolve(`data in ${config.home}`);
}

async function bringPostgres(state: UpState, supervisor: Supervisor, taken: Set<number>): Promise<string> {
  const { config, log } = state;
  if (config.databaseUrl !== undefined) {
    update(state, { databaseUrl: config.databaseUrl });
    return 'the one of DATABASE_URL';
  }
  const port = await choosePort(config.home, 'postgres', config.ports.postgres, taken);
  taken.add(port);
  const options = { home: config.home, port, log, signal: supervisor.signal };
  await supervisor.keep(
    postgresPart(options, (handle) => {
      state.superuserUrl = handle.superuserUrl('postgres');
      update(state, { databaseUrl: handle.url });
    }),
  );
  return `embedded, port ${port}`;
}

async function bringTemporal(
  state: UpState,
  supervisor: Supervisor,
  taken: Set<number>,
  say: Say,
): Promise<string> {
  const { config } = state;
  const { signal } = supervisor;
  const plan = await planTemporal({ cacheDir: config.cacheDir, progress: say, signal });
  const { home } = config;
  const database =
    state.superuserUrl === undefined
      ? ownTemporalDatabase(databaseUrlOf(state))
      : embeddedTemporalDatabase(state.superuserUrl);
  if (plan.kind === 'external') {
    await startTemporalServer({ plan, home, port: 0, database });
    const { address, namespace } = plan;
    update(state, {
      temporal: { address, namespace, external: true },
      ...(config.temporalUiUrl === undefined ? {} : { temporalUiUrl: config.temporalUiUrl }),
    });
    return `the one at ${address}`;
  }
  const port = await choosePort(home, 'temporal', config.ports.temporal, taken);
  taken.add(port);
  const uiPort = await choosePort(home, 'temporalUi', config.ports.temporalUi, taken);
  taken.add(uiPort);
  say(plan.kind === 'build' ? 'starting the production server' : 'starting the development server');
  await supervisor.keep(temporalPart({ plan, home, port, uiPort, database, signal }));
  const address = `127.0.0.1:${port}`;
  const { namespace } = plan;
  if (plan.kind === 'build')
    await supervisor.keep(
      temporalUiPart({
        program: plan.binaries.ui,
        home,
        port: uiPort,
        temporalAddress: address,
        namespace,
        signal,
      }),
    );
  const temporalUiUrl = config.temporalUiUrl ?? `http://127.0.0.1:${uiPort}`;
  update(state, { temporal: { address, namespace, external: false }, temporalUiUrl });
  const what = { build: 'production server', path: 'temporal on PATH', download: 'official CLI' }[plan.kind];
  return `${what}, port ${port}`;
}

function databaseUrlOf(state: UpState): string {
  invariant(state.run.databaseUrl, 'the PostgreSQL step comes before this one');
  return state.run.databaseUrl;
}

async function migrate(state: UpState): Promise<string> {
  const { applied } = await migrateLedger(databaseUrlOf(state));
  return applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`;
}

async function bringWorker(state: UpState, supervisor: Supervisor): Promise<string> {
  await supervisor.keep(
    workerPart({ home: state.config.home, databaseUrl: databaseUrlOf(state), temporal: targetOf(state) }),
  );
  return `task queue ${state.config.taskQueue}`;
}

async function bringApi(state: UpState, supervisor: Supervisor, taken: Set<number>): Promise<string> {
  const { config, log } = state;
  const port = await choosePort(config.home, 'api', config.ports.api, taken);
  const databaseUrl = databaseUrlOf(state);
  await supervisor.keep({
    name: 'api',
    stopRank: STOP_RANK.api,
    async start() {
      const api = await startApi({ databaseUrl, port, log, config });
      update(state, { apiUrl: api.url });
      // It lives in this process and ends with it.
      return { exited: new Promise<Exit>(() => undefined), stop: () => api.close() };
    },
  });
  return `port ${port}`;
}

async function tellDemo(state: UpState, progress: Say): Promise<string> {
  const { temporalUiUrl } = state.run;
  try {
    const story = await loadDemoOnce({
      databaseUrl: databaseUrlOf(state),
      ...(temporalUiUrl === undefined ? {} : { temporalUiUrl }),
      config: state.config,
      say: progress,
    });
    if (story !== undefined) state.story.push(story);
  } catch (error) {
    throw new TrothError(
      'LOCAL_START',
      `The demo could not be loaded (Troth itself runs): ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  return state.story.length === 0 ? 'loaded on an earlier start' : 'loaded';
}
