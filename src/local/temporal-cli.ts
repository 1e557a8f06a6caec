import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withDeadline } from '../platform/deadline';
import { TrothError, messageOf } from '../platform/errors';
import { withFileLock } from './machine/file-lock';
import { type Child, startChild } from './machine/processes';
import { waitUntilReady } from './temporal-ready';

/** Where the SDK's downloader fetches the official CLI from. */
const DOWNLOAD_ORIGIN = 'https://temporal.download';
const PROBE_LIMIT_MS = 3_500;
const DOWNLOAD_LIMIT_MS = 5 * 60_000;

/** The `temporal` program on PATH, if any. */
export function findTemporalOnPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && isProgram(file)) return file;
  }
  return undefined;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The official CLI that an earlier start downloaded, if any. */
export function findDownloadedCli(cacheDir: string): string | undefined {
  const folder = downloadDir(cacheDir);
  if (!existsSync(folder)) return undefined;
  // The SDK names the file by itself, with its own version inside.
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .find((file) => isProgram(file) && spawnSync(file, ['--version'], { timeout: 10_000 }).status === 0);
}

function downloadDir(cacheDir: string): string {
  return join(cacheDir, 'temporal-cli');
}

/** Whether the download site answers within seconds; behind a proxy only the downloader itself can tell. */
export async function canDownload(
  env: NodeJS.ProcessEnv = process.env,
  origin: string = DOWNLOAD_ORIGIN,
): Promise<boolean> {
  if (['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].some((name) => (env[name] ?? '') !== ''))
    return true;
  try {
    await fetch(origin, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    return true;
  } catch {
    return false;
  }
}

/**
 * The official CLI by the SDK's own downloader, kept in the per-user cache. The downloader starts a server of its
 * own each time; it is stopped at once, and the file it fetched is run under our supervision.
 * @throws TrothError ENVIRONMENT when the download fails.
 */
export async function downloadCli(cacheDir: string, progress: (line: string) => void): Promise<string> {
  const folder = downloadDir(cacheDir);
  mkdirSync(folder, { recursive: true });
  return withFileLock(join(cacheDir, 'temporal-cli.lock'), { limitMs: DOWNLOAD_LIMIT_MS }, async () => {
    const earlier = findDownloadedCli(cacheDir);
    if (earlier !== undefined) return earlier;
    progress('downloading the official Temporal CLI');
    try {
      const { TestWorkflowEnvironment } = await import('@temporalio/testing');
      const environment = await withDeadline(
        TestWorkflowEnvironment.createLocal({
          server: { executable: { type: 'cached-download', downloadDir: folder }, ip: '127.0.0.1' },
        }),
        DOWNLOAD_LIMIT_MS,
      );
      await environment.teardown();
    } catch (error) {
      const message = `The official Temporal CLI could not be downloaded from ${DOWNLOAD_ORIGIN}: ${messageOf(error)}`;
      throw new TrothError('ENVIRONMENT', message, { cause: error });
    }
    const file = findDownloadedCli(cacheDir);
    if (file !== undefined) return file;
    throw new TrothError(
      'ENVIRONMENT',
      `The download left no working program in ${folder}. Delete it and try again.`,
    );
  });
}

export interface DevServerOptions {
  readonly program: string;
  readonly home: string;
  readonly port: number;
  /** Undefined: no Temporal UI. */
  readonly uiPort: number | undefined;
  readonly namespace: string;
  readonly timeSkipping?: boolean;
  readonly signal?: AbortSignal;
}

/** Starts the CLI's development server with its data in a file of the home; resolves when it is ready. */
export async function startDevServer(options: DevServerOptions): Promise<Child> {
  mkdirSync(options.home, { recursive: true });
  const logFile = join(options.home, 'logs', 'temporal.log');
  const skipping = ['frontend.WorkflowTimeSkippingEnabled', 'system.workflowTimeSkippingEnabled'];
  const child = await startChild({
    command: options.program,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port)],
      ...(options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
      ...['--db-filename', join(options.home, 'temporal.db'), '--namespace', options.namespace],
      ...['--log-level', 'warn'],
      ...(options.timeSkipping === true
        ? skipping.flatMap((name) => ['--dynamic-config-value', `${name}=true`])
        : []),
    ],
    cwd: options.home,
    env: process.env,
    logFile,
  });
  try {
    await waitUntilReady(`127.0.0.1:${options.port}`, child, logFile, options.signal);
    return child;
  } catch (error) {
    await child.stop('SIGTERM', 2_000);
    throw error;
  }
}
