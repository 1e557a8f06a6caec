/**
 * Goal: the helper that other tests stand on gives each its own migrated database and notices forgotten connections.
 * Method: two databases at once, and one connection left open on purpose.
 */
import { Client } from 'pg';
import { createTestDatabase } from '../support/database';

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

test('createTestDatabase clones the migrated schema for a role that row-level security binds', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  expect(one.url).not.toBe(two.url);
  const client = await connect(one.url);
  const { rows } = await client.query(
    `SELECT rolsuper OR rolbypassrls AS bypasses, to_regclass('troth_migration') IS NOT NULL AS migrated
     FROM pg_roles WHERE rolname = current_user`,
  );
  expect(rows).toEqual([{ bypasses: false, migrated: true }]);
  await client.end();
  await Promise.all([one.drop(), two.drop()]);
});

test('drop() drops, and fails when a connection was left open', async () => {
  const database = await createTestDatabase();
  const forgotten = await connect(database.url);
  await forgotten.query('SELECT 42 AS forgotten');
  await expect(database.drop()).rejects.toThrow(/1 connections were left open.*forgotten/);
  await expect(connect(database.url)).rejects.toThrow(/does not exist/);
});
