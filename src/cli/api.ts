import type { Command } from 'commander';
import { startApi } from '../api/server';
import { loadConfig } from '../platform/config';
import { createLog } from '../platform/log';
import { resolveEndpoints } from './endpoints';

const DEFAULT_PORT = 8080;

/** `troth api`: the HTTP port alone, as a container runs it. */
export function registerApi(program: Command): void {
  program
    .command('api')
    .description('serve the HTTP port (health and metrics for now) until stopped')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://… troth api --host 0.0.0.0\n')
    .action(async (options: { host: string }) => {
      const config = loadConfig();
      const log = createLog(config, 'api');
      const { databaseUrl } = resolveEndpoints(config);
      const port = config.ports.api ?? DEFAULT_PORT;
      const api = await startApi({ databaseUrl, port, host: options.host, log, config });
      log.info({ url: api.url }, 'api ready');
      await new Promise<void>((resolve) => {
        process.once('SIGTERM', () => resolve());
        process.once('SIGINT', () => resolve());
      });
      await api.close();
    });
}
