import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { migrateLedger } from '../../src/ledger/migrate';

/** A database of a test file's own. */
export interface TestDatabase {
  /** As the role that the app uses: neither superuser nor able to bypass row-level security. */
  readonly url: string;
  /** As the superuser, for what the app must not be able to do. */
  readonly superuserUrl: string;
  /** Drops it. @throws Error when a connection to it was left open: somebody forgot to close a pool. */
  drop(): Promise<void>;
}

/** Any number that nothing else in the cluster locks on. */
const TEMPLATE_LOCK = 74_120_011;
const LEAK_PATIENCE_MS = 2_000;

/**
 * A fresh database with the ledger's schema, cloned from a template that the first caller of the run migrates.
 * Needs the stack of global-setup.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const run = fromEnvironment('TROTH_TEST_RUN');
  const template = `${run}_template`;
  const name = `${run}_${randomBytes(5).toString('hex')}`;
  await onServer(async (client) => {
    // Two test files may come at once; the second finds the template made. The clone is made under the lock too:
    // PostgreSQL refuses to copy a template that another session is copying from or connected to.
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    try {
      await ensureTemplate(client, template, run);
      await client.query(
        `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)} OWNER ${run}`,
      );
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
    }
  });
  return {
    url: urlOf(name, { role: run, password: fromEnvironment('TROTH_TEST_APP_PASSWORD') }),
    superuserUrl: urlOf(name),
    drop: () => drop(name),
  };
}

/** An empty database of the app's role, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const run = fromEnvironment('TROTH_TEST_RUN');
  const name = `${run}_${randomBytes(5).toString('hex')}`;
  await onServer(async (client) => {
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)} OWNER ${run}`);
  });
  return {
    url: urlOf(name, { role: run, password: fromEnvironment('TROTH_TEST_APP_PASSWORD') }),
    superuserUrl: urlOf(name),
    drop: () => drop(name),
  };
}

async function ensureTemplate(client: Client, template: string, role: string): Promise<void> {
  const found = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [
    template,
  ]);
  if (found.rowCount === 1) return;
  // Left half-made by a failed migration: made anew.
  await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(template)} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${escapeIdentifier(template)} OWNER ${role}`);
  await migrateLedger(urlOf(template, { role, password: fromEnvironment('TROTH_TEST_APP_PASSWORD') }));
  await client.query(`ALTER DATABASE ${escapeIdentifier(template)} IS_TEMPLATE true`);
}

async function drop(name: string): Promise<void> {
  await onServer(async (client) => {
    const leaked = await openConnections(client, name);
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
    if (leaked.length > 0)
      throw new Error(
        `${leaked.length} connections were left open; the last thing they did: ${leaked.join(' | ')}`,
      );
  });
}

/** Connections that are still open after a short while; a closed one takes a moment to be gone. */
async function openConnections(client: Client, name: string): Promise<string[]> {
  const deadline = Date.now() + LEAK_PATIENCE_MS;
  for (;;) {
    const open = await client.query<{ query: string }>(
      'SELECT query FROM pg_stat_activity WHERE datname = $1 AND backend_type = $2',
      [name, 'client backend'],
    );
    if (open.rows.length === 0 || Date.now() > deadline)
      return open.rows.map(({ query }) => query.slice(0, 200));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: this test needs the stack of test/support/global-setup.ts`);
  return value;
}

function urlOf(database: string, as?: { role: string; password: string }): string {
  const url = new URL(fromEnvironment('TROTH_TEST_POSTGRES_URL'));
  url.pathname = `/${database}`;
  if (as !== undefined) {
    url.username = as.role;
    url.password = as.password;
  }
  return url.href;
}

async function onServer(work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: fromEnvironment('TROTH_TEST_POSTGRES_URL') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
