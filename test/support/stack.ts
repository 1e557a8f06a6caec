import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Client } from 'pg';
import { chooseInternalPorts } from '../../src/local/ports';
import { type PostgresHandle, startPostgres } from '../../src/local/postgres';
import { outsideFolder, removeData } from '../../src/local/postgres-place';
import {
  type TemporalHandle,
  type TemporalPlan,
  planTemporal,
  startTemporal,
} from '../../src/local/temporal';
import { describeGo, findTemporalBinaries } from '../../src/local/temporal-build';
import { type TemporalDatabase, embeddedTemporalDatabase } from '../../src/local/temporal-server';
import { loadConfig } from '../../src/platform/config';

/** Data may be lost when the machine itself fails, which no test does. Not synchronous_commit: kill -9 would lose commits. */
const QUICK = { fsync: 'off', full_page_writes: 'off' };

export const testLog = pino({ level: 'silent' });

/** A folder for one test or one run, not in the clone, gone afterwards even after kill -9. */
export class TestHome {
  readonly path: string;
  readonly #reaper = spawn(process.execPath, [join(__dirname, 'reaper.cjs')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: process.platform !== 'win32',
  });

  constructor(name: string) {
    this.path = mkdtempSync(join(tmpdir(), `troth-${name}-`));
    this.#reaper.unref();
    this.#tell({ kind: 'folder', folder: this.path });
    // Where the postgres user cannot reach the folder (root, mode 0700), the data lies there.
    this.#tell({ kind: 'folder', folder: outsideFolder(join(this.path, 'postgres')) });
  }

  /** Has a process killed when this one ends without having stopped it. */
  watch(pid: number | undefined): void {
    if (pid !== undefined) this.#tell({ kind: 'process', pid });
  }

  #tell(message: object): void {
    this.#reaper.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Everything was stopped: removes the folder and lets the reaper go. */
  remove(): void {
    removeData(join(this.path, 'postgres'));
    rmSync(this.path, { recursive: true, force: true });
    this.#tell({ kind: 'release' });
    this.#reaper.stdin.end();
  }
}

/** An embedded PostgreSQL in a home of a test. `port` is any free one when not given; give it to come back. */
export async function bringPostgres(home: TestHome, port?: number): Promise<PostgresHandle> {
  const free = port ?? (await chooseInternalPorts(home.path, ['TEST_POSTGRES_PORT'])).TEST_POSTGRES_PORT;
  const dataDir = join(home.path, 'postgres');
  const handle = await startPostgres({ dataDir, port: free, log: testLog, settings: QUICK });
  home.watch(handle.pid);
  return handle;
}

/**
 * Which Temporal tests run on: never an external one. The production server comes first, because only it can skip
 * time for sure; without Go, whatever `troth up` would take.
 */
export async function planForTests(say: (line: string) => void = () => undefined): Promise<TemporalPlan> {
  const { cacheDir } = loadConfig();
  const forced = process.env['TROTH_TEMPORAL_SOURCE'] !== undefined;
  const build = findTemporalBinaries(cacheDir) !== undefined || describeGo().good;
  return planTemporal({
    cacheDir,
    progress: say,
    external: false,
    ...(build && !forced ? { source: 'build' as const } : {}),
  });
}

/** A Temporal with time skipping in a home of a test, on any free port when none is given. */
export async function bringTemporal(
  home: TestHome,
  database: TemporalDatabase,
  options: { port?: number; plan?: TemporalPlan; ui?: boolean } = {},
): Promise<TemporalHandle> {
  const ports = await chooseInternalPorts(home.path, ['TEST_TEMPORAL_PORT', 'TEST_TEMPORAL_UI_PORT']);
  const handle = await startTemporal({
    plan: options.plan ?? (await planForTests()),
    home: home.path,
    port: options.port ?? ports.TEST_TEMPORAL_PORT,
    uiPort: options.ui === true ? ports.TEST_TEMPORAL_UI_PORT : undefined,
    database,
    timeSkipping: true,
  });
  home.watch(handle.pids.server);
  home.watch(handle.pids.ui);
  return handle;
}

/** What every test file shares. */
export interface TestStack {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** PostgreSQL (embedded, or the one of TROTH_TEST_DATABASE_URL) and Temporal for a whole run of tests. */
export async function bringStack(say: (line: string) => void): Promise<TestStack> {
  const run = `troth_test_${randomBytes(4).toString('hex')}`;
  const home = new TestHome('test');
  const given = process.env['TROTH_TEST_DATABASE_URL'];
  const postgres = given === undefined || given === '' ? await bringPostgres(home) : undefined;
  const superuserUrl = postgres?.superuserUrl('postgres') ?? given ?? '';
  const role = await makeRole(superuserUrl, run);
  const database =
    postgres === undefined
      ? { adminUrl: superuserUrl, name: `${run}_temporal`, visibilityName: `${run}_temporal_visibility` }
      : embeddedTemporalDatabase(superuserUrl);
  const temporal = await bringTemporal(home, database, { plan: await planForTests(say) });
  return {
    env: {
      TROTH_TEST_RUN: run,
      TROTH_TEST_POSTGRES_URL: superuserUrl,
      TROTH_TEST_APP_PASSWORD: role.password,
      TROTH_TEST_TEMPORAL_ADDRESS: temporal.address,
      TROTH_TEST_TEMPORAL_NAMESPACE: temporal.namespace,
    },
    async stop() {
      await temporal.stop(true);
      if (postgres === undefined) await dropAll(superuserUrl, run);
      await postgres?.stop();
      home.remove();
    },
  };
}

/** The role that owns the tests' databases: like production's, one that row-level security binds. */
async function makeRole(superuserUrl: string, run: string): Promise<{ password: string }> {
  const password = randomBytes(16).toString('hex');
  await withClient(superuserUrl, async (client) => {
    await client.query(`CREATE ROLE ${run} LOGIN NOSUPERUSER NOCREATEDB NOBYPASSRLS PASSWORD '${password}'`);
  });
  return { password };
}

async function dropAll(superuserUrl: string, run: string): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const found = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE datname LIKE $1',
      [`${run.replaceAll('_', '\\_')}%`],
    );
    for (const { datname } of found.rows) {
      await client.query(`ALTER DATABASE ${datname} IS_TEMPLATE false`);
      await client.query(`DROP DATABASE ${datname} WITH (FORCE)`);
    }
    await client.query(`DROP ROLE ${run}`);
  });
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
