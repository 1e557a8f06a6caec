import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { openCases } from '../ledger/collections/cases';
import { openLedger } from '../ledger/connection';
import { reviewAll } from '../ledger/outbox';
import { openPromises } from '../ledger/promises/open-promises';
import { loadConfig } from '../platform/config';
import { connectClient } from '../temporal/connection';
import { prepareTemporal } from '../temporal/setup';
import { restartCase } from '../temporal/tell';
import { resolveEndpoints } from './endpoints';

const PAGE = 1000;
const MOST_CASES = 1_000_000;
const TRIES = 40;
const WAIT_MS = 500;

/** `troth rebuild`: after the loss of a whole Temporal, starts everything that is open again from the ledger. */
export function registerRebuild(program: Command): void {
  program
    .command('rebuild')
    .description(
      "restart every open promise's and case's workflow from the ledger, after the loss of a Temporal",
    )
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  troth rebuild\n\nSafe at any time: a workflow that runs is only asked to look at the ledger again.\n',
    )
    .action(async (options: { json?: boolean }) => {
      const config = loadConfig();
      const { databaseUrl, temporal } = resolveEndpoints(config);
      await prepareTemporal(temporal);
      const ledger = openLedger(databaseUrl, { poolSize: 2, applicationName: 'troth rebuild' });
      const { client, close } = await connectClient(temporal);
      try {
        let promises = 0;
        let after = { tenantId: '', promiseId: '' };
        for (;;) {
          const page = await ledger.forSystem((tx) => openPromises(tx, after, PAGE));
          await ledger.forSystem((tx) => reviewAll(tx, page));
          promises += page.length;
          const last = page.at(-1);
          if (last === undefined) break;
          after = last;
          if (process.stderr.isTTY) process.stderr.write(`\r${promises} promises queued`);
        }
        const cases = await ledger.forSystem((tx) => openCases(tx, new Date(), MOST_CASES));
        for (const one of cases) {
          await patiently(() => restartCase(client.workflow, config.taskQueue, one));
        }
        const answer = { promises, cases: cases.length };
        process.stdout.write(
          options.json === true
            ? `${JSON.stringify(answer)}\n`
            : `${promises} open promises were queued; the worker starts them. ${cases.length} open cases run again.\n`,
        );
      } finally {
        await close();
        await ledger.close();
      }
    });
}

// A Temporal that was made a moment ago does not know its namespace and search attributes in all its parts yet.
async function patiently(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await start();
      return;
    } catch (error) {
      if (attempt >= TRIES) throw error;
      await sleep(WAIT_MS);
    }
  }
}
