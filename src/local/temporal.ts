import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { TrothError, messageOf } from '../platform/errors';
import type { Exit } from './machine/processes';
import {
  type TemporalBinaries,
  describeGo,
  ensureTemporalBinaries,
  findTemporalBinaries,
} from './temporal-build';
import {
  canDownload,
  downloadCli,
  findDownloadedCli,
  findTemporalOnPath,
  startDevServer,
} from './temporal-cli';
import { type TemporalDatabase, startServer } from './temporal-server';
import { startTemporalUi } from './temporal-ui';

export const TEMPORAL_SOURCES = ['auto', 'path', 'download', 'build'] as const;
export type TemporalSource = (typeof TEMPORAL_SOURCES)[number];

/** Which Temporal is used and what it takes to start it. */
export type TemporalPlan =
  | { readonly kind: 'external'; readonly address: string; readonly namespace: string }
  | { readonly kind: 'path' | 'download'; readonly program: string; readonly namespace: string }
  | { readonly kind: 'build'; readonly binaries: TemporalBinaries; readonly namespace: string };

export interface PlanOptions {
  readonly cacheDir: string;
  readonly progress: (line: string) => void;
  /** TROTH_TEMPORAL_SOURCE when not given. */
  readonly source?: TemporalSource;
  /** False: what TEMPORAL_ADDRESS and profiles say is not looked at (tests bring their own). */
  readonly external?: boolean;
  readonly signal?: AbortSignal;
}

/** Where Temporal's own environment configuration points, if it points anywhere. */
export function externalTemporal(): { address: string; namespace: string } | undefined {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const { address } = connectionOptions;
  return address === undefined || address === '' ? undefined : { address, namespace: namespace ?? 'default' };
}

/**
 * Chooses a Temporal: the one that the environment names; else a `temporal` on PATH; else the official CLI,
 * downloaded; else the production server built with Go.
 * @throws TrothError ENVIRONMENT listing all four ways when none is open.
 */
export async function planTemporal(options: PlanOptions): Promise<TemporalPlan> {
  const source = options.source ?? sourceFromEnvironment();
  const external = options.external === false ? undefined : externalTemporal();
  if (external !== undefined) return { kind: 'external', ...external };
  const namespace = (options.external === false ? undefined : process.env['TEMPORAL_NAMESPACE']) ?? 'default';
  const may = (way: TemporalSource): boolean => source === 'auto' || source === way;
  const failures: string[] = [];
  const onPath = may('path') ? findTemporalOnPath() : undefined;
  if (onPath !== undefined) return { kind: 'path', program: onPath, namespace };
  if (may('download')) {
    const downloaded = findDownloadedCli(options.cacheDir);
    if (downloaded !== undefined) return { kind: 'download', program: downloaded, namespace };
    // What is built already beats a download: it is the same as last time, and it works without a network.
    const built = may('build') ? findTemporalBinaries(options.cacheDir) : undefined;
    if (built !== undefined) return { kind: 'build', binaries: built, namespace };
    const { program, failure } = await tryDownload(options);
    if (program !== undefined) return { kind: 'download', program, namespace };
    failures.push(failure);
  }
  if (may('build')) {
    if (describeGo().found !== undefined) {
      return { kind: 'build', binaries: await ensureTemporalBinaries(options), namespace };
    }
    failures.push('there is no Go toolchain on PATH');
  }
  throw noWay(source, failures);
}

type Download =
  | { readonly program: string; readonly failure?: never }
  | { readonly program?: never; readonly failure: string };

async function tryDownload({ cacheDir, progress }: PlanOptions): Promise<Download> {
  progress('looking for the official Temporal CLI');
  if (!(await canDownload())) return { failure: 'the download site does not answer' };
  try {
    return { program: await downloadCli(cacheDir, progress) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

function sourceFromEnvironment(): TemporalSource {
  const value = process.env['TROTH_TEMPORAL_SOURCE'] ?? 'auto';
  const known = TEMPORAL_SOURCES.find((source) => source === (value === '' ? 'auto' : value));
  if (known !== undefined) return known;
  throw new TrothError(
    'CONFIG_INVALID',
    `TROTH_TEMPORAL_SOURCE is "${value}"; it must be one of ${TEMPORAL_SOURCES.join(', ')}.`,
  );
}

function noWay(source: TemporalSource, failures: readonly string[]): TrothError {
  const tried = failures.length === 0 ? '' : ` (${failures.join('; ')})`;
  const forced = source === 'auto' ? '' : ` TROTH_TEMPORAL_SOURCE allows only "${source}".`;
  return new TrothError(
    'ENVIRONMENT',
    `No Temporal to run on${tried}.${forced} Four ways to have one: ` +
      '1. set TEMPORAL_ADDRESS or TEMPORAL_PROFILE to one that runs; ' +
      '2. put the `temporal` program on PATH; ' +
      '3. let Troth download it, by a network that reaches temporal.download; ' +
      `4. install Go ${describeGo().needed} or newer, and Troth builds the production server.`,
  );
}

export interface TemporalOptions {
  readonly plan: TemporalPlan;
  readonly home: string;
  readonly port: number;
  /** Undefined: no Temporal UI. */
  readonly uiPort?: number | undefined;
  /** Only the production server (`build`) needs it. */
  readonly database: TemporalDatabase;
  readonly timeSkipping?: boolean;
  readonly signal?: AbortSignal;
}

export interface TemporalHandle {
  readonly kind: TemporalPlan['kind'];
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  /** Process numbers of what was started; empty for a Temporal that others run. */
  readonly pids: { readonly server?: number; readonly ui?: number };
  /** Ends when the server does; never for a Temporal that others run. */
  readonly exited: Promise<Exit>;
  stop(hurry?: boolean): Promise<void>;
}

const STOP_GRACE_MS = 15_000;
const HURRY_MS = 1_000;

/**
 * Starts what the plan says, without its UI where that is a program of its own (see `startTemporalUi`).
 * @throws TrothError saying what to do when it does not start, or when the external one does not answer.
 */
export async function startTemporalServer(options: TemporalOptions): Promise<TemporalHandle> {
  const { plan } = options;
  if (plan.kind === 'external') return external(plan);
  const child =
    plan.kind === 'build'
      ? await startServer({ ...options, binaries: plan.binaries })
      : await startDevServer({
          ...options,
          program: plan.program,
          namespace: plan.namespace,
          uiPort: options.uiPort,
        });
  const hasUi = plan.kind !== 'build' && options.uiPort !== undefined;
  return {
    kind: plan.kind,
    address: `127.0.0.1:${options.port}`,
    namespace: plan.namespace,
    uiUrl: hasUi ? `http://127.0.0.1:${options.uiPort}` : undefined,
    pids: { server: child.pid },
    exited: child.exited,
    stop: async (hurry = false) => {
      await child.stop('SIGTERM', hurry ? HURRY_MS : STOP_GRACE_MS);
    },
  };
}

/** Server and UI together, for tests; `troth up` supervises them apart. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalHandle> {
  const server = await startTemporalServer(options);
  if (options.plan.kind !== 'build' || options.uiPort === undefined) return server;
  const ui = await startTemporalUi({
    program: options.plan.binaries.ui,
    home: options.home,
    port: options.uiPort,
    temporalAddress: server.address,
    namespace: server.namespace,
  });
  return {
    ...server,
    uiUrl: `http://127.0.0.1:${options.uiPort}`,
    pids: { ...server.pids, ui: ui.pid },
    stop: async (hurry = false) => {
      await ui.stop('SIGTERM', HURRY_MS);
      await server.stop(hurry);
    },
  };
}

async function external(plan: TemporalPlan & { kind: 'external' }): Promise<TemporalHandle> {
  try {
    const { connectionOptions } = loadClientConnectConfig();
    const { address, tls, apiKey, metadata } = connectionOptions;
    const connection = await Connection.connect({
      ...(address === undefined ? {} : { address }),
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
      connectTimeout: '10s',
    });
    await connection.close();
  } catch (error) {
    throw new TrothError(
      'UNAVAILABLE',
      `The Temporal at ${plan.address} (from TEMPORAL_ADDRESS or a profile) does not answer: ${messageOf(error)}. ` +
        'Start it, correct the address, or unset it to let Troth bring its own.',
      { cause: error },
    );
  }
  const never = new Promise<Exit>(() => undefined);
  return { ...plan, uiUrl: undefined, pids: {}, exited: never, stop: () => Promise.resolve() };
}
