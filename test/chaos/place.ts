import { migrateLedger } from '../../src/ledger/migrate';
import type { PostgresHandle } from '../../src/local/postgres';
import type { TemporalHandle } from '../../src/local/temporal';
import { embeddedTemporalDatabase } from '../../src/local/temporal-server';
import { isAlive } from '../../src/local/machine/processes';
import { prepareTemporal } from '../../src/temporal/setup';
import { startWorker, type WorkerProcess } from '../support/engine';
import { bringPostgres, bringTemporal, type TestHome } from '../support/stack';

/** A part of the engine that can be killed and comes back on the same data. */
export interface Mortal {
  readonly name: string;
  kill(): Promise<void>;
  /** Starts it again; does nothing while it runs. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/** kill -9: no goodbye, no flush. */
function killHard(pid: number | undefined): void {
  if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/** A worker of the product. */
export async function mortalWorker(home: TestHome, env: Record<string, string>): Promise<Mortal> {
  let worker: WorkerProcess;
  const start = async (): Promise<void> => {
    worker = await startWorker(env);
    home.watch(worker.child.pid);
  };
  await start();
  return {
    name: 'worker',
    kill: () => worker.stop('SIGKILL'),
    async revive() {
      if (worker.child.exitCode !== null || worker.child.signalCode !== null) await start();
    },
    stop: () => worker.stop(),
  };
}

export interface MortalPostgres extends Mortal {
  readonly handle: PostgresHandle;
}

/** A PostgreSQL of a home, with the ledger's schema. */
export async function mortalPostgres(home: TestHome): Promise<MortalPostgres> {
  let handle = await bringPostgres(home);
  const { port, url } = handle;
  await migrateLedger(url);
  return {
    name: 'PostgreSQL',
    get handle() {
      return handle;
    },
    async kill() {
      killHard(handle.pid);
      await handle.exited;
    },
    async revive() {
      if (!isAlive(handle.pid)) handle = await bringPostgres(home, port);
    },
    async stop() {
      await handle.stop();
    },
  };
}

export interface MortalTemporal extends Mortal {
  readonly address: string;
}

/** A Temporal of a home, on that home's PostgreSQL, ready for Troth. */
export async function mortalTemporal(home: TestHome, postgres: PostgresHandle): Promise<MortalTemporal> {
  const database = embeddedTemporalDatabase(postgres.superuserUrl('postgres'));
  let handle: TemporalHandle = await bringTemporal(home, database);
  const { address } = handle;
  const port = Number(address.split(':').at(-1));
  await prepareTemporal({ address, namespace: 'default' });
  return {
    name: 'Temporal',
    address,
    async kill() {
      killHard(handle.pids.server);
      await handle.exited;
    },
    async revive() {
      if (!isAlive(handle.pids.server ?? 0)) handle = await bringTemporal(home, database, { port });
    },
    stop: () => handle.stop(true),
  };
}
