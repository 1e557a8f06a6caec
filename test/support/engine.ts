import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  Client,
  Connection,
  WorkflowNotFoundError,
  type WorkflowClient,
  type WorkflowHandle,
} from '@temporalio/client';
import { putAccounts } from '../../src/ledger/accounts';
import { openLedger, type Ledger } from '../../src/ledger/connection';
import { enqueueNewlyDue } from '../../src/ledger/outbox';
import { findPromise, type PromiseDetail } from '../../src/ledger/promises/promise-views';
import { createTenant, moveClock, type Tenant } from '../../src/ledger/tenants';
import { projectRoot } from '../../src/platform/root';
import { localTimeMs, type EpochMs } from '../../src/rules/calendar';
import { createTestDatabase, type TestDatabase } from './database';

const READY_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 30_000;
const ZONE = 'America/New_York';

/** A worker of the product, in a process of its own: what tests stop, and kill. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  readonly output: string[];
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `troth worker` and waits until it polls. */
export async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [join(projectRoot(), 'bin', 'troth.js'), 'worker'], {
    env: { ...process.env, TROTH_LOG_FORMAT: 'json', TROTH_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`worker not ready: ${output.join('')}`)), READY_LIMIT_MS);
    const hear = (chunk: Buffer): void => {
      output.push(chunk.toString());
      if (!chunk.toString().includes('worker ready')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`worker ended with ${code}: ${output.join('')}`)));
  });
  return {
    child,
    output,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await gone;
      clearTimeout(hurry);
    },
  };
}

/** A ledger, a Temporal client and the environment of a worker, all of one test file's own. */
export interface Engine {
  readonly ledger: Ledger;
  readonly client: Client;
  readonly taskQueue: string;
  readonly databaseUrl: string;
  readonly workerEnv: Record<string, string>;
  close(): Promise<void>;
}

/** A fresh database and task queue on the shared Temporal. */
export async function createEngine(): Promise<Engine> {
  const database = await createTestDatabase();
  return engineOn(database, process.env['TROTH_TEST_TEMPORAL_ADDRESS'] ?? '');
}

/** As `createEngine`, on a given database and Temporal. */
export async function engineOn(
  database: Pick<TestDatabase, 'url' | 'drop'>,
  address: string,
): Promise<Engine> {
  const taskQueue = `test-${randomBytes(5).toString('hex')}`;
  const ledger = openLedger(database.url, { poolSize: 10, applicationName: 'troth test' });
  const connection = Connection.lazy({ address });
  const namespace = process.env['TROTH_TEST_TEMPORAL_NAMESPACE'] ?? 'default';
  const client = new Client({ connection, namespace });
  return {
    ledger,
    client,
    taskQueue,
    databaseUrl: database.url,
    workerEnv: {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      TROTH_TASK_QUEUE: taskQueue,
    },
    async close() {
      await connection.close();
      await ledger.close();
      await database.drop();
    },
  };
}

/** A local time of the test tenants' zone. */
export function local(text: string): EpochMs {
  const at = localTimeMs(text, ZONE);
  if (at === undefined) throw new Error(`${text} is no local time`);
  return at;
}

/** A tenant; a sandbox begins at a local time of its own. Ids differ between runs, since Temporal is shared. */
export async function makeTenant(
  ledger: Ledger,
  options: { begins?: string; accounts: readonly string[] },
): Promise<string> {
  const tenantId = `t-${randomBytes(5).toString('hex')}`;
  const tenant: Tenant = {
    tenantId,
    name: 'Test',
    timeZone: ZONE,
    currency: 'USD',
    sandbox: options.begins !== undefined,
    clockOffsetMs: options.begins === undefined ? 0 : local(options.begins) - Date.now(),
    policyName: 'default',
  };
  await ledger.forTenant(tenantId, async (tx) => {
    await createTenant(tx, tenant, 'test');
    const accounts = options.accounts.map((accountId) => ({
      accountId,
      customerId: null,
      premiseId: null,
      debtClasses: ['water', 'sewer'],
    }));
    await putAccounts(tx, tenantId, accounts);
  });
  return tenantId;
}

/** Moves a sandbox's clock and wakes what that makes due. */
export async function moveTo(ledger: Ledger, tenantId: string, time: string): Promise<void> {
  await ledger.forTenant(tenantId, async (tx) => {
    await enqueueNewlyDue(tx, tenantId, await moveClock(tx, tenantId, local(time), 'test'));
  });
}

/** Asks again until the answer is there. @throws Error after the limit, with the last answer. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false | null>,
  what: string,
  limitMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until a workflow has been started. */
export async function untilThere(client: WorkflowClient, workflowId: string): Promise<void> {
  await eventually(async () => {
    try {
      return await client.getHandle(workflowId).describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }, `${workflowId} is started`);
}

/**
 * Grows a workflow's history until it goes on in a new run. The server suggests that from 4 MB on, so few and large messages are
 * there soonest; its suggestion can be one workflow task late, so they go on until it is heard.
 * @param send sends one message with some padding to the workflow.
 */
export async function grow(handle: WorkflowHandle, send: (padding: string) => Promise<void>): Promise<void> {
  const { runId } = await handle.describe();
  const padding = 'x'.repeat(100_000);
  const isNew = async (): Promise<boolean> => {
    await send(padding);
    return (await handle.describe()).runId !== runId;
  };
  await eventually(isNew, 'a new run', 60_000);
}

/** The promise once it has ended. */
export function untilEnded(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  limitMs?: number,
): Promise<PromiseDetail> {
  return eventually(
    async () => {
      const promise = await ledger.forTenant(tenantId, (tx) => findPromise(tx, tenantId, promiseId));
      return promise?.endedAt === null ? undefined : promise;
    },
    `${promiseId} ends`,
    limitMs,
  );
}
