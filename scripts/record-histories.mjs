// Records histories of every way a promise and a case can go, for test/replay. Run it against a fresh `npm start` after
// a change of workflow code that is meant to be released; old files stay, since old promises must replay too:
//   npm start, and in another terminal: node scripts/record-histories.mjs v1
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const ours = (name) => require(join(root, 'dist', 'src', name));
const { historyToJSON } = require('@temporalio/common/lib/proto-utils');

const version = process.argv[2];
if (!/^v\d+$/.test(version ?? '')) throw new Error('Name the version: node scripts/record-histories.mjs v1');
const folder = join(root, 'test', 'replay', 'histories', version);
mkdirSync(folder, { recursive: true });

const config = ours('platform/config').loadConfig();
const endpoints = ours('cli/endpoints').resolveEndpoints(config);
const { client, close } = await ours('temporal/connection').connectClient(endpoints.temporal);
const ledger = ours('ledger/connection').openLedger(endpoints.databaseUrl, { poolSize: 2 });
try {
  await recordDemo();
  await recordDirect();
} finally {
  await ledger.close();
  await close();
}

async function save(name, workflowId, runId) {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(JSON.parse(historyToJSON(history)))}\n`);
  console.log(`${name}: ${workflowId}, ${history.events.length} events`);
}

/** One of each kind of the examples; a reopened promise has a run for each revision. */
async function recordDemo() {
  const { parse } = require('csv-parse/sync');
  const { readFileSync } = require('node:fs');
  const expected = parse(readFileSync(join(root, 'examples', 'expected.csv')), { columns: true });
  const seen = new Set();
  for (const { enrollment_id: id, case: kind, outcome } of expected) {
    if (seen.has(`${kind}-${outcome}`)) continue;
    seen.add(`${kind}-${outcome}`);
    const query = `WorkflowId = 'ptp/demo/${id}'`;
    let run = 0;
    for await (const info of client.workflow.list({ query })) {
      run += 1;
      await save(`demo-${kind}-${outcome}-${run}`, info.workflowId, info.runId);
    }
  }
  let cases = 0;
  for await (const info of client.workflow.list({
    query: "WorkflowType = 'collections' AND TrothTenant = 'demo'",
  })) {
    cases += 1;
    await save(`demo-case-${cases}`, info.workflowId, info.runId);
    if (cases === 6) break;
  }
}

/** A promise that a CIS starts itself, with messages of every kind, good and bad. */
async function recordDirect() {
  const tenantId = `record-${Date.now().toString(36)}`;
  const tenant = { tenantId, name: 'Recording', timeZone: 'America/New_York', currency: 'USD' };
  const accounts = [{ accountId: 'A1', customerId: 'C1', premiseId: null, debtClasses: ['water'] }];
  await ledger.forTenant(tenantId, async (tx) => {
    const { createTenant } = ours('ledger/tenants');
    await createTenant(
      tx,
      { ...tenant, sandbox: true, clockOffsetMs: 0, policyName: 'default' },
      'recording',
    );
    await ours('ledger/accounts').putAccounts(tx, tenantId, accounts);
  });
  const later = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const start = (id, enrollment) =>
    client.workflow.start('promiseToPay', {
      taskQueue: config.taskQueue,
      workflowId: `ptp/${tenantId}/${id}`,
      args: [{ enrollment: { tenantId, accountId: 'A1', debtClass: 'water', ...enrollment } }],
    });
  const installments = [30, 60].map((days) => ({ dueDate: later(days), amountCents: 5000 }));
  const direct = await start('D-1', { installments });
  await direct.signal('cancel', { wrong: true });
  await direct.signal('noSuchSignal', 1);
  await direct.signal('clockMoved', { clockOffsetMs: 86_400_000 });
  await direct.signal('paymentPosted');
  await direct.executeUpdate('cancel', { args: [{ reason: 'other' }] });
  await direct.executeUpdate('cancel', { args: [{ reason: 'customer_request', actor: 'recording' }] });
  await direct.result();
  await save('direct-cancelled', direct.workflowId);
  const refused = await start('D-2', { installments: [] });
  await refused.result();
  await save('direct-refused', refused.workflowId);
  const open = await start('D-3', { installments });
  await open.query('status');
  await save('direct-open', open.workflowId);
  await open.signal('cancel', 'staff_error');
  await open.result();
  await save('direct-cancelled-by-signal', open.workflowId);
}
