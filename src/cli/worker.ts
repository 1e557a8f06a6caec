import type { Command } from 'commander';
import { FileDrop } from '../collections/contacts';
import { startHanding } from '../collections/handing';
import { openLedger } from '../ledger/connection';
import { startReviewing } from '../collections/review';
import { loadConfig, type Config } from '../platform/config';
import { messageOf } from '../platform/errors';
import { hasFaultPoints } from '../platform/faults';
import { createLog, type Log } from '../platform/log';
import { connectWorker, isTemporalCloud, lazyClient, type TemporalTarget } from '../temporal/connection';
import { startOutside } from '../temporal/outside';
import { startRelay } from '../temporal/relay';
import { startWaking } from '../temporal/waking';
import { Runtime, type Worker } from '@temporalio/worker';
import { ensureSweep, prepareTemporal } from '../temporal/setup';
import { createWorker } from '../temporal/worker';
import { resolveEndpoints } from './endpoints';

const SWEEP_TRIES = 20;
const SWEEP_WAIT_MS = 3000;

/** `troth worker`: polls Temporal, delivers the outbox, wakes cases. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run the Temporal worker and the outbox relay until stopped')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://… TEMPORAL_ADDRESS=host:7233 troth worker\n')
    .action(async () => {
      const config = loadConfig();
      const { databaseUrl, temporal } = resolveEndpoints(config);
      await runWorker(config, databaseUrl, temporal);
    });
}

/**
 * Runs a worker with its relay until SIGTERM or SIGINT, then lets the work in hand finish.
 * @throws TrothError UNAVAILABLE when Temporal cannot be reached at the start.
 */
export async function runWorker(
  config: Config,
  databaseUrl: string,
  temporal: TemporalTarget | undefined,
): Promise<void> {
  const log = createLog(config, 'worker');
  bridgeLogs(log);
  if (hasFaultPoints) log.warn('TROTH_TEST_FAULTS is set: this worker stops where a test wants it');
  // A worker polls a namespace that does not exist for ever and in silence.
  await prepareTemporal(temporal);
  const ledger = openLedger(databaseUrl, { poolSize: config.databasePool, applicationName: 'troth worker' });
  const { connection, namespace } = await connectWorker(temporal);
  const { client, close } = lazyClient(temporal);
  const { taskQueue } = config;
  const statusAtEnd =
    config.statusAtEnd === 'auto' ? !isTemporalCloud(temporal) : config.statusAtEnd === 'on';
  const worker = await createWorker({
    connection,
    namespace,
    activities: { ledger, log, taskQueue, statusAtEnd },
    localActivities: config.databasePool,
  });
  const { contactsDir } = config;
  const loops = [
    startRelay({ ledger, client: client.workflow, taskQueue, log }),
    startOutside({ ledger, client: client.workflow, taskQueue, log }),
    startWaking({ ledger, client: client.workflow, taskQueue, log }),
    startReviewing({ ledger, log }),
    ...(contactsDir === undefined ? [] : [startHanding({ ledger, port: new FileDrop(contactsDir), log })]),
  ];
  const sweeping = keepSweep(() => ensureSweep(client, taskQueue), log);
  announceWhenPolling(worker, log);
  // The `troth up` that started us is gone: nobody would ever stop us.
  process.once('disconnect', () => void process.kill(process.pid, 'SIGTERM'));
  try {
    await worker.run(); // Runtime's own shutdown signals end it, after the work in hand
  } finally {
    await sweeping.stop();
    await Promise.all(loops.map((loop) => loop.stop()));
    await ledger.close();
    await close();
    await connection.close();
  }
}

function announceWhenPolling(worker: Worker, log: Log): void {
  const timer = setInterval(() => {
    if (worker.getState() !== 'RUNNING') return;
    clearInterval(timer);
    process.stdout.write('worker ready\n');
    process.send?.({ kind: 'ready' });
    log.info('worker ready');
  }, 20);
  timer.unref();
}

/** Makes sure of the sweep's schedule; Temporal may not be ready for schedules in its first seconds. */
function keepSweep(ensure: () => Promise<void>, log: Log): { stop(): Promise<void> } {
  let stopped = false;
  const run = async (): Promise<void> => {
    for (let attempt = 1; !stopped && attempt <= SWEEP_TRIES; attempt += 1) {
      try {
        await ensure();
        return;
      } catch (error) {
        if (attempt === SWEEP_TRIES)
          log.error({ error: messageOf(error) }, 'the sweep could not be scheduled');
        await new Promise((resolve) => setTimeout(resolve, SWEEP_WAIT_MS).unref());
      }
    }
  };
  const running = run();
  return {
    async stop() {
      stopped = true;
      await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 100))]);
    },
  };
}

function bridgeLogs(log: Log): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: {
      log: (level, message, meta) => log[levels[level]](safeMeta(meta), message),
      trace: (message, meta) => log.trace(safeMeta(meta), message),
      debug: (message, meta) => log.debug(safeMeta(meta), message),
      info: (message, meta) => log.debug(safeMeta(meta), message), // Temporal tells much; a promise is no news
      warn: (message, meta) => log.warn(safeMeta(meta), message),
      error: (message, meta) => log.error(safeMeta(meta), message),
    },
    shutdownSignals: ['SIGINT', 'SIGTERM'],
  });
}

function safeMeta(meta: object | undefined): object {
  if (meta === undefined) return {};
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(meta)) {
    plain[key] =
      typeof value === 'bigint' ? String(value) : value instanceof Error ? messageOf(value) : value;
  }
  return plain;
}
