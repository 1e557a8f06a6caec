import { join } from 'node:path';
import { TrothError } from '../platform/errors';
import type { Log } from '../platform/log';
import { projectRoot } from '../platform/root';
import { lastLines, startChild } from './machine/processes';
import { type PostgresHandle, startPostgres } from './postgres';
import type { Part } from './supervisor';
import { type TemporalOptions, startTemporalServer } from './temporal';
import { startTemporalUi } from './temporal-ui';

/** Stopped in this order: whoever uses another part goes before it. */
export const STOP_RANK = { worker: 0, api: 1, temporalUi: 2, temporal: 3, postgres: 4 } as const;

const WORKER_READY_MS = 60_000;
/** A little more than the worker's own grace for what it is doing. */
const WORKER_GRACE_MS = 20_000;
const UI_GRACE_MS = 2_000;
const HURRY_MS = 1_000;

/** Embedded PostgreSQL; `started` is told the handle at every start. */
export function postgresPart(
  options: { home: string; port: number; log: Log; signal: AbortSignal },
  started: (handle: PostgresHandle) => void,
): Part {
  return {
    name: 'postgres',
    stopRank: STOP_RANK.postgres,
    async start() {
      const handle = await startPostgres({ ...options, dataDir: join(options.home, 'postgres') });
      started(handle);
      return handle;
    },
  };
}

/** The Temporal server that the plan says; not for an external one. */
export function temporalPart(options: TemporalOptions): Part {
  return {
    name: 'temporal',
    stopRank: STOP_RANK.temporal,
    async start() {
      const handle = await startTemporalServer(options);
      const pid = handle.pids.server;
      return {
        ...(pid === undefined ? {} : { pid }),
        exited: handle.exited,
        stop: (hurry) => handle.stop(hurry),
      };
    },
  };
}

/** Temporal UI where it is a program of its own. */
export function temporalUiPart(options: Parameters<typeof startTemporalUi>[0]): Part {
  return {
    name: 'temporal-ui',
    stopRank: STOP_RANK.temporalUi,
    async start() {
      const child = await startTemporalUi(options);
      return {
        pid: child.pid,
        exited: child.exited,
        stop: (hurry) => child.stop('SIGTERM', hurry ? HURRY_MS : UI_GRACE_MS),
      };
    },
  };
}

/** `troth worker` as a process of its own: it can die and come back without taking the rest along. */
export function workerPart(options: {
  home: string;
  databaseUrl: string;
  /** Undefined: by Temporal's own environment configuration, which the child inherits. */
  temporal: { address: string; namespace: string } | undefined;
}): Part {
  const logFile = join(options.home, 'logs', 'worker.log');
  const temporal = options.temporal;
  return {
    name: 'worker',
    stopRank: STOP_RANK.worker,
    async start() {
      const child = await startChild({
        command: process.execPath,
        args: [join(projectRoot(), 'bin', 'troth.js'), 'worker'],
        env: {
          ...process.env,
          DATABASE_URL: options.databaseUrl,
          TROTH_HOME: options.home,
          TROTH_CONTACTS_DIR: process.env['TROTH_CONTACTS_DIR'] || join(options.home, 'contacts'),
          ...(temporal && { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace }),
        },
        logFile,
        channel: true,
      });
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), WORKER_READY_MS);
      });
      const ready = await Promise.race([child.ready(), limit]).finally(() => clearTimeout(timer));
      if (!ready) {
        await child.stop('SIGTERM', HURRY_MS);
        const tail = lastLines(logFile, 8);
        throw new TrothError('LOCAL_START', `The worker did not get ready. The end of ${logFile}:\n${tail}`);
      }
      return {
        pid: child.pid,
        exited: child.exited,
        stop: (hurry) => child.stop('SIGTERM', hurry ? HURRY_MS : WORKER_GRACE_MS),
      };
    },
  };
}
