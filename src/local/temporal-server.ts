import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { TrothError, messageOf } from '../platform/errors';
import { type Child, startChild } from './machine/processes';
import { chooseInternalPorts } from './ports';
import type { TemporalBinaries } from './temporal-build';
import { waitUntilReady } from './temporal-ready';

/** The PostgreSQL on which the production server keeps its two databases. */
export interface TemporalDatabase {
  /** URL of any database there, as a role that may create databases. */
  readonly adminUrl: string;
  readonly name: string;
  readonly visibilityName: string;
}

/** Temporal's databases on the embedded PostgreSQL: by its superuser, apart from Troth's own. */
export function embeddedTemporalDatabase(superuserUrl: string): TemporalDatabase {
  return { adminUrl: superuserUrl, name: 'temporal', visibilityName: 'temporal_visibility' };
}

/** Temporal's databases beside the one that DATABASE_URL names, with that role's rights. */
export function ownTemporalDatabase(databaseUrl: string): TemporalDatabase {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  return { adminUrl: databaseUrl, name: `${name}_temporal`, visibilityName: `${name}_temporal_visibility` };
}

export interface ServerOptions {
  readonly binaries: TemporalBinaries;
  readonly home: string;
  readonly port: number;
  readonly database: TemporalDatabase;
  /** Lets workflows skip time (tests only: execution by execution, asked for by the test). */
  readonly timeSkipping?: boolean;
  readonly signal?: AbortSignal;
}

const SHARDS = '4';
const SCHEMA_LIMIT_MS = 120_000;
const PRIVILEGE_MISSING = '42501';

/**
 * Brings the schema up to date and starts the production server on 127.0.0.1; resolves when it is ready.
 * @throws TrothError LOCAL_START or ENVIRONMENT saying what to do.
 */
export async function startServer(options: ServerOptions): Promise<Child> {
  await prepareDatabase(options, options.database.name, 'temporal');
  await prepareDatabase(options, options.database.visibilityName, 'visibility');
  const logFile = join(options.home, 'logs', 'temporal.log');
  const child = await startChild({
    command: options.binaries.server,
    args: ['--allow-no-auth', 'start'],
    cwd: options.home,
    env: { ...baseEnv(), ...(await serverEnv(options)) },
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

/** Only what a program needs to run: none of our own secrets or Temporal settings go along. */
function baseEnv(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG'];
  return Object.fromEntries(kept.map((name) => [name, process.env[name]]));
}

async function serverEnv(options: ServerOptions): Promise<NodeJS.ProcessEnv> {
  const internal = await chooseInternalPorts(options.home, [
    'FRONTEND_MEMBERSHIP_PORT',
    'FRONTEND_HTTP_PORT',
    'HISTORY_GRPC_PORT',
    'HISTORY_MEMBERSHIP_PORT',
    'MATCHING_GRPC_PORT',
    'MATCHING_MEMBERSHIP_PORT',
    'WORKER_GRPC_PORT',
    'WORKER_MEMBERSHIP_PORT',
  ]);
  const { host, port, user, password, tls, verify } = parts(options.database);
  return {
    ...Object.fromEntries(Object.entries(internal).map(([name, value]) => [name, String(value)])),
    FRONTEND_GRPC_PORT: String(options.port),
    BIND_ON_IP: '127.0.0.1',
    TEMPORAL_BROADCAST_ADDRESS: '127.0.0.1',
    DB: 'postgres12_pgx',
    POSTGRES_SEEDS: host,
    DB_PORT: port,
    POSTGRES_USER: user,
    POSTGRES_PWD: password,
    DBNAME: options.database.name,
    VISIBILITY_DBNAME: options.database.visibilityName,
    SQL_TLS_ENABLED: String(tls),
    SQL_HOST_VERIFICATION: String(verify),
    // The server's own defaults would take most of a small PostgreSQL's connections.
    SQL_MAX_CONNS: '20',
    SQL_VIS_MAX_CONNS: '10',
    NUM_HISTORY_SHARDS: SHARDS,
    LOG_LEVEL: 'warn',
    DYNAMIC_CONFIG_FILE_PATH: writeDynamicConfig(options),
  };
}

function writeDynamicConfig(options: ServerOptions): string {
  const settings: Record<string, string> = {};
  if (options.timeSkipping === true) {
    // Newer servers renamed it; each ignores the other's name.
    settings['frontend.WorkflowTimeSkippingEnabled'] = 'true';
    settings['system.workflowTimeSkippingEnabled'] = 'true';
  }
  const text = Object.entries(settings).map(([name, value]) => `${name}:\n  - value: ${value}\n`);
  mkdirSync(options.home, { recursive: true });
  const file = join(options.home, 'temporal-dynamic.yaml');
  writeFileSync(file, text.length === 0 ? '{}\n' : text.join(''));
  return file;
}

interface Parts {
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly password: string;
  readonly tls: boolean;
  readonly verify: boolean;
}

function parts(database: TemporalDatabase): Parts {
  const url = new URL(database.adminUrl);
  if (url.hostname === '' || url.searchParams.has('host')) {
    throw new TrothError(
      'CONFIG_INVALID',
      'The Temporal server cannot use a PostgreSQL by its socket. Give DATABASE_URL a host name, or set TEMPORAL_ADDRESS.',
    );
  }
  const mode =
    url.searchParams.get('sslmode') ?? (url.searchParams.get('ssl') === 'true' ? 'require' : 'disable');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? '5432' : url.port,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    tls: mode !== 'disable',
    verify: mode.startsWith('verify-'),
  };
}

/**
 * Creates one of the two databases when missing and brings its schema up to this build's. A comment on the database
 * says which build did so last: later starts with the same build need only read it.
 */
async function prepareDatabase(
  options: ServerOptions,
  name: string,
  schema: 'temporal' | 'visibility',
): Promise<void> {
  const mark = `Temporal ${schema} schema, by Troth: ${options.binaries.key}`;
  const marked = await readOrCreate(options.database, name);
  if (marked === mark) return;
  const exists = await withClient(urlFor(options.database, name), async (client) => {
    const found = await client.query<{ found: boolean }>(
      "SELECT to_regclass('schema_version') IS NOT NULL AS found",
    );
    return found.rows[0]?.found === true;
  });
  if (!exists) await sqlTool(options, name, ['setup-schema', '-v', '0.0']);
  await sqlTool(options, name, ['update-schema', '--schema-name', `postgresql/v12/${schema}`]);
  await withClient(urlFor(options.database, name), (client) =>
    client.query(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${escapeLiteral(mark)}`),
  );
}

async function readOrCreate(database: TemporalDatabase, name: string): Promise<string | undefined> {
  return withClient(database.adminUrl, async (client) => {
    const found = await client.query<{ mark: string | null }>(
      "SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = $1",
      [name],
    );
    if (found.rows[0] !== undefined) return found.rows[0].mark ?? undefined;
    try {
      await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
    } catch (error) {
      if ((error as { code?: string }).code !== PRIVILEGE_MISSING) throw error;
      throw new TrothError(
        'ENVIRONMENT',
        `The role of DATABASE_URL may not create the database "${name}" that Temporal needs. Create it and ` +
          `"${database.visibilityName}" for that role by hand, grant the role CREATEDB, or set TEMPORAL_ADDRESS.`,
        { cause: error },
      );
    }
    return undefined;
  });
}

function urlFor(database: TemporalDatabase, name: string): string {
  const url = new URL(database.adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function sqlTool(options: ServerOptions, name: string, args: readonly string[]): Promise<void> {
  const { host, port, user, password, tls, verify } = parts(options.database);
  const child = spawn(options.binaries.sqlTool, [...args], {
    // By environment, not by flags: a command line is public on the machine.
    env: {
      ...baseEnv(),
      SQL_PLUGIN: 'postgres12_pgx',
      SQL_HOST: host,
      SQL_PORT: port,
      SQL_USER: user,
      SQL_PASSWORD: password,
      SQL_DATABASE: name,
      SQL_TLS: String(tls),
      SQL_TLS_DISABLE_HOST_VERIFICATION: String(!verify),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: SCHEMA_LIMIT_MS,
  });
  let said = '';
  const note = (chunk: string): void => {
    said = (said + chunk).slice(-4_000);
  };
  child.stdout.setEncoding('utf8').on('data', note);
  child.stderr.setEncoding('utf8').on('data', note);
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new TrothError('LOCAL_START', `Temporal's schema tool failed on database "${name}": ${why}`));
    child.once('error', (error) => fail(messageOf(error)));
    child.once('close', (code) =>
      code === 0 ? resolve() : fail(said.trim().split('\n').slice(-4).join('\n')),
    );
  });
}
