// How many promises are decided per second when many fall due at one instant, beside a bare timer workflow on the same
// server in the same run; and what one promise costs in events, bytes and billable actions.
//   npm run build && node bench/decided-per-second.mjs [promises=500] [rounds=3]
// Everything runs on this machine, in a folder of its own that is removed afterwards.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const ours = (name) => require(join(root, 'dist', 'src', name));
const [PROMISES, ROUNDS] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 3)];
const LEAD_MS = 12_000 + PROMISES * 15;
const ZONE = 'America/New_York';
const say = (line) => console.error(line);

const home = mkdtempSync(join(tmpdir(), 'troth-bench-'));
const stack = await bringStack();
try {
  const rows = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    // In turn, so that a machine whose speed drifts is fair to both.
    const bare = await measure('bare', ['bench/bare-worker.mjs'], startBare);
    const promises = await measure('promises', ['bin/troth.js', 'worker'], startPromises);
    rows.push({ round, bare, promises, ratio: promises / bare });
    say(
      `round ${round}: bare ${bare.toFixed(1)}/s, promises ${promises.toFixed(1)}/s, ratio ${(promises / bare).toFixed(2)}`,
    );
  }
  const median = (key) => rows.map((row) => row[key]).sort((a, b) => a - b)[Math.floor(rows.length / 2)];
  console.log(`decided per second, ${PROMISES} due at one instant, median of ${ROUNDS}:`);
  console.log(`  bare timer workflow  ${median('bare').toFixed(1)}`);
  console.log(`  promises             ${median('promises').toFixed(1)}`);
  console.log(`  ratio                ${median('ratio').toFixed(2)}`);
  console.log('one promise with one due date, judged by its timer:');
  console.log(`  ${await costOfOne()}`);
} finally {
  await stack.stop();
  rmSync(home, { recursive: true, force: true });
}

async function bringStack() {
  const { startPostgres } = ours('local/postgres');
  const { planTemporal, startTemporal } = ours('local/temporal');
  const { chooseInternalPorts } = ours('local/ports');
  const { embeddedTemporalDatabase } = ours('local/temporal-server');
  const log = require('pino')({ level: 'silent' });
  const ports = await chooseInternalPorts(home, ['PG', 'TEMPORAL']);
  const postgres = await startPostgres({ dataDir: join(home, 'postgres'), port: ports.PG, log });
  const { cacheDir } = ours('platform/config').loadConfig();
  const plan = await planTemporal({ cacheDir, progress: say, external: false });
  const database = embeddedTemporalDatabase(postgres.superuserUrl('postgres'));
  const temporal = await startTemporal({ plan, home, port: ports.TEMPORAL, database });
  await ours('ledger/migrate').migrateLedger(postgres.url);
  await ours('temporal/setup').prepareTemporal({ address: temporal.address, namespace: 'default' });
  const connection = await Connection.connect({ address: temporal.address });
  const ledger = ours('ledger/connection').openLedger(postgres.url, { poolSize: 10 });
  return {
    address: temporal.address,
    databaseUrl: postgres.url,
    ledger,
    client: new Client({ connection }),
    async stop() {
      await ledger.close();
      await connection.close();
      await temporal.stop();
      await postgres.stop();
      ours('local/postgres-place').removeData(join(home, 'postgres'));
    },
  };
}

async function withWorker(script, taskQueue, work) {
  const env = {
    ...process.env,
    TEMPORAL_ADDRESS: stack.address,
    DATABASE_URL: stack.databaseUrl,
    TROTH_TASK_QUEUE: taskQueue,
    TROTH_LOG_LEVEL: 'error',
    TROTH_STATUS_AT_END: process.env.TROTH_STATUS_AT_END ?? 'auto',
  };
  const child = spawn(process.execPath, script, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => String(chunk).includes('worker ready') && resolve());
    child.once('exit', (code) => reject(new Error(`worker ended with ${code}`)));
  });
  try {
    return await work();
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
}

/** @returns workflows closed per second, from the instant all of them were due to the last one's close. */
async function measure(name, script, start) {
  const taskQueue = `${name}-${randomBytes(4).toString('hex')}`;
  return withWorker(script, taskQueue, async () => {
    const dueAtMs = Date.now() + LEAD_MS;
    await start(taskQueue, dueAtMs, PROMISES);
    const running = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running' AND WorkflowType != 'sweep'`;
    if (Date.now() > dueAtMs - 1000) throw new Error('starting took too long for the lead; start fewer');
    const closedOf = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Completed' AND WorkflowType IN ('bare', 'promiseToPay')`;
    const deadline = dueAtMs + 120_000;
    for (;;) {
      const { count } = await stack.client.workflow.count(closedOf);
      if (count >= PROMISES) break;
      if (Date.now() > deadline) throw new Error(`${count} of ${PROMISES} closed; ${running}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    let last = 0;
    for await (const info of stack.client.workflow.list({ query: closedOf }))
      last = Math.max(last, info.closeTime.getTime());
    return PROMISES / ((last - dueAtMs) / 1000);
  });
}

async function inLanes(count, lanes, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

async function startBare(taskQueue, dueAtMs, count) {
  await inLanes(count, 25, (index) =>
    stack.client.workflow.start('bare', { taskQueue, workflowId: `${taskQueue}/${index}`, args: [dueAtMs] }),
  );
}

/** Promises whose judge time falls on one real instant: the sandbox's clock is set so. */
async function startPromises(taskQueue, dueAtMs, count) {
  const { localTimeMs } = ours('rules/calendar');
  const { createTenant } = ours('ledger/tenants');
  const { putAccounts } = ours('ledger/accounts');
  const { enroll } = ours('enrollment/enroll');
  const tenantId = taskQueue;
  const judgeAtMs = localTimeMs('2026-01-19 12:00', ZONE); // due 15 January, 3 days of grace, 12 hours
  const tenant = {
    tenantId,
    name: 'Bench',
    timeZone: ZONE,
    currency: 'USD',
    sandbox: true,
    clockOffsetMs: judgeAtMs - dueAtMs,
    policyName: 'default',
  };
  const accounts = Array.from({ length: count }, (_, index) => ({
    accountId: `A${index}`,
    customerId: null,
    premiseId: null,
    debtClasses: ['water'],
  }));
  await stack.ledger.forTenant(tenantId, async (tx) => {
    await createTenant(tx, tenant, 'bench');
    await putAccounts(tx, tenantId, accounts);
  });
  await inLanes(count, 8, async (index) => {
    const installments = [{ dueDate: '2026-01-15', amountCents: 10_000 }];
    const input = { promiseId: `E-${10_000 + index}`, tenantId, accountId: `A${index}`, debtClass: 'water' };
    const answer = await enroll(
      stack.ledger,
      { ...input, startDate: '2026-01-05', installments },
      { actor: 'bench' },
    );
    if (answer.result !== 'enrolled') throw new Error(JSON.stringify(answer));
  });
  for (;;) {
    const query = `TaskQueue = '${taskQueue}' AND WorkflowType = 'promiseToPay'`;
    if ((await stack.client.workflow.count(query)).count >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function costOfOne() {
  const taskQueue = `one-${randomBytes(4).toString('hex')}`;
  return withWorker(['bin/troth.js', 'worker'], taskQueue, async () => {
    const dueAtMs = Date.now() + 8000;
    await startPromises(taskQueue, dueAtMs, 1);
    const handle = stack.client.workflow.getHandle(`ptp/${taskQueue}/E-10000`);
    await handle.result();
    const { events } = await handle.fetchHistory();
    const { raw } = await handle.describe();
    const kinds = events.map(
      (event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '',
    );
    const count = (part) => kinds.filter((kind) => kind.startsWith(part)).length;
    // Start, timers, signals, tasks with local activities, upserts; and the signalWithStart to collections.
    const [timers, signals, upserts] = [
      count('timerStarted'),
      count('workflowExecutionSignaled'),
      count('upsert'),
    ];
    const actions = 1 + timers + signals + count('markerRecorded') + upserts + 1;
    return `${events.length} events, ${raw.workflowExecutionInfo.historySizeBytes} bytes, ${actions} billable actions (${upserts} of them the status in the search attributes)`;
  });
}
