import type { Command } from 'commander';
import { migrateLedger } from '../ledger/migrate';
import { loadConfig } from '../platform/config';
import { helpEnd } from './context';
import { resolveEndpoints } from './endpoints';
import { print, printJson } from './output';

/** `troth migrate`: brings the ledger's schema up to date. */
export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description("bring the ledger's tables up to date")
    .option('--json', 'answer as JSON, for machines')
    .addHelpText('after', helpEnd(['DATABASE_URL=postgres://troth@host/troth troth migrate']))
    .action(async (options: { json?: true }) => {
      const { databaseUrl } = resolveEndpoints(loadConfig());
      const { applied } = await migrateLedger(databaseUrl);
      if (options.json === true) printJson({ applied });
      else print(applied.length === 0 ? 'The ledger is up to date.' : `Applied: ${applied.join(', ')}`);
    });
}
