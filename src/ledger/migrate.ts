import type { Knex } from 'knex';
import { TrothError, messageOf } from '../platform/errors';
import { openLedger } from './connection';
import { ledger as m0001 } from './migrations/0001_ledger';
import { ruleBook as m0002 } from './migrations/0002_rule_book';
import { collections as m0003 } from './migrations/0003_collections';

interface NamedMigration extends Knex.Migration {
  readonly name: string;
}

/** Every migration in order. Names never change once released. */
const MIGRATIONS: readonly NamedMigration[] = [m0001, m0002, m0003];

const source: Knex.MigrationSource<NamedMigration> = {
  getMigrations: () => Promise.resolve([...MIGRATIONS]),
  getMigrationName: (migration) => migration.name,
  getMigration: (migration) => Promise.resolve(migration),
};

/**
 * Brings a ledger to the newest schema; does nothing when it is there. Safe to run twice at once: knex holds a lock.
 * @throws TrothError UNAVAILABLE when the database cannot be reached or a migration fails.
 */
export async function migrateLedger(databaseUrl: string): Promise<{ applied: string[] }> {
  const ledger = openLedger(databaseUrl, { poolSize: 2, applicationName: 'troth migrate' });
  try {
    const [, applied] = (await ledger.knex.migrate.latest({
      migrationSource: source,
      tableName: 'troth_migration',
    })) as [number, string[]];
    return { applied };
  } catch (error) {
    throw new TrothError(
      'UNAVAILABLE',
      `The ledger's schema could not be brought up to date: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    await ledger.close();
  }
}
