import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrothError } from '../platform/errors';
import { type Child, lastLines, startChild } from './machine/processes';

const READY_LIMIT_MS = 30_000;
/** Name of the configuration file without its ending; also read as the name of the environment. */
const CONFIG_NAME = 'troth';
const FOLDER = 'temporal-ui';

export interface UiOptions {
  /** The built Temporal UI server. */
  readonly program: string;
  readonly home: string;
  readonly port: number;
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly signal?: AbortSignal;
}

/**
 * Starts Temporal UI on 127.0.0.1; resolves when it serves pages.
 * @throws TrothError LOCAL_START when it does not within 30 s.
 */
export async function startTemporalUi(options: UiOptions): Promise<Child> {
  const folder = join(options.home, FOLDER);
  mkdirSync(folder, { recursive: true });
  const settings = {
    temporalGrpcAddress: options.temporalAddress,
    host: '127.0.0.1',
    port: options.port,
    enableUi: true,
    defaultNamespace: options.namespace,
    // Nothing here talks to the outside by itself.
    disableNewsFetch: true,
    notifyOnNewVersion: false,
    cors: { cookieInsecure: true, allowOrigins: [`http://127.0.0.1:${options.port}`] },
  };
  // JSON is YAML.
  writeFileSync(join(folder, `${CONFIG_NAME}.yaml`), `${JSON.stringify(settings, undefined, 2)}\n`);
  const logFile = join(options.home, 'logs', 'temporal-ui.log');
  const child = await startChild({
    command: options.program,
    args: ['--root', options.home, '--config', FOLDER, '--env', CONFIG_NAME, 'start'],
    cwd: options.home,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    logFile,
  });
  const deadline = Date.now() + READY_LIMIT_MS;
  while (child.alive() && Date.now() < deadline && options.signal?.aborted !== true) {
    if (await serves(options.port)) return child;
    await sleep(50);
  }
  await child.stop('SIGTERM', 2_000);
  options.signal?.throwIfAborted();
  throw new TrothError(
    'LOCAL_START',
    `Temporal UI did not start. The end of ${logFile}:\n${lastLines(logFile, 5)}`,
  );
}

async function serves(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
