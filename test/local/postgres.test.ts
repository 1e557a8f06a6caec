/**
 * Goal: the embedded PostgreSQL survives whatever happens to it, and says clearly what it cannot survive.
 * Method: real servers in folders of the test; killed, moved, damaged for real.
 */
import { chmodSync, lstatSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { isAlive } from '../../src/local/machine/processes';
import { isRoot } from '../../src/local/machine/reach';
import type { PostgresHandle } from '../../src/local/postgres';
import { describePlace } from '../../src/local/postgres-place';
import { TestHome, bringPostgres } from '../support/stack';

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('startPostgres', () => {
  let home: TestHome;
  let running: PostgresHandle | undefined;

  beforeEach(() => {
    home = new TestHome('postgres');
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
    home.remove();
  });

  const start = async (port?: number): Promise<PostgresHandle> => (running = await bringPostgres(home, port));

  test('gives the app a role that row-level security binds, and Temporal a superuser', async () => {
    const { url, superuserUrl } = await start();
    const role = `SELECT current_user AS name, current_database() AS database, rolsuper, rolbypassrls, rolcreatedb
                  FROM pg_roles WHERE rolname = current_user`;
    expect(await query(url, role)).toEqual([
      { name: 'troth', database: 'troth', rolsuper: false, rolbypassrls: false, rolcreatedb: false },
    ]);
    expect(
      await query(superuserUrl('postgres'), 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user'),
    ).toEqual([{ rolsuper: true }]);
    const listening = await query(
      url,
      "SELECT current_setting('listen_addresses') AS at, current_setting('max_connections') AS most",
    );
    expect(listening).toEqual([{ at: '127.0.0.1', most: '300' }]);
  });

  test('refuses a wrong password and keeps the right ones readable by the owner only', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(statSync(join(home.path, 'postgres-credentials.json')).mode & 0o077).toBe(0);
  });

  test('keeps data over an orderly stop; the second start is quick', async () => {
    const { url } = await start();
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    expect(await running?.stop()).toEqual({ code: 0, signal: null });
    const startedAt = Date.now();
    const again = await start();
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(again.url).not.toBe('');
    expect(await query(again.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
  });

  test('comes back after kill -9 with everything that was committed', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
    const again = await start(first.port);
    expect(await query(again.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
  });

  test('stops an orphan on the same data before it starts', async () => {
    const orphan = await start();
    const again = await start(orphan.port);
    expect(await orphan.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(orphan.pid)).toBe(false);
    expect(again.pid).not.toBe(orphan.pid);
  });

  test('does not take a foreign process for its own when the pid file is stale', async () => {
    await start();
    await running?.stop();
    // This very process: alive, and surely not PostgreSQL.
    writeFileSync(join(home.path, 'postgres', 'postmaster.pid'), `${process.pid}\n`);
    const { url } = await start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('sets new passwords when their file is lost', async () => {
    const { url } = await start();
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    await running?.stop();
    rmSync(join(home.path, 'postgres-credentials.json'));
    const again = await start();
    expect(again.url).not.toBe(url);
    expect(await query(again.url, 'SELECT seven FROM kept')).toEqual([{ seven: 7 }]);
  });

  test('says what to do with data of another major version', async () => {
    await start();
    await running?.stop();
    running = undefined;
    writeFileSync(join(home.path, 'postgres', 'PG_VERSION'), '13\n');
    await expect(start()).rejects.toThrow(
      /holds data of PostgreSQL 13, this Troth brings PostgreSQL 18.*move that folder away/,
    );
  });

  test('says so when its port was taken', async () => {
    const { port } = await start();
    await running?.stop();
    running = undefined;
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    try {
      // The squatter accepts and says nothing, or PostgreSQL gives up first: either way an error, and no child.
      await expect(start(port)).rejects.toMatchObject({ code: 'LOCAL_START' });
    } finally {
      squatter.close();
    }
  });

  test('makes a new cluster where the first start was interrupted', async () => {
    mkdirSync(join(home.path, 'postgres', 'base'), { recursive: true });
    const { url } = await start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  const asRoot = isRoot() ? test : test.skip;

  asRoot('as root, keeps the data outside a folder that the postgres user cannot pass', async () => {
    chmodSync(home.path, 0o700);
    const { url } = await start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(lstatSync(join(home.path, 'postgres')).isSymbolicLink()).toBe(true);
    expect(statSync(home.path).mode & 0o777).toBe(0o700);
    expect(describePlace(join(home.path, 'postgres')).barrier).toBe(home.path);
  });

  asRoot('as root, keeps the data in the home where the postgres user may pass', async () => {
    chmodSync(home.path, 0o755);
    await start();
    expect(lstatSync(join(home.path, 'postgres')).isDirectory()).toBe(true);
  });
});
