/**
 * Goal: real timers of months do what the sandbox clock's short cut does.
 * Method: a live tenant (no movable clock) on a server that skips time per execution; a promise of three monthly
 * installments is fast-forwarded over its real timers, with payments in between, and another cancelled on the way.
 * The payments' times are written by the test, as if the ledger's clock had moved along.
 */
import { randomBytes } from 'node:crypto';
import { enroll } from '../../src/enrollment/enroll';
import { rows } from '../../src/ledger/connection';
import { findPromise } from '../../src/ledger/promises/promise-views';
import { relayBatch } from '../../src/temporal/relay';
import { addDays, endOfDayMs, localDateAt, epochMs, type LocalDate } from '../../src/rules/calendar';
import { createEngine, makeTenant, startWorker, type Engine, type WorkerProcess } from '../support/engine';
import { testLog } from '../support/stack';

const DAY_MS = 86_400_000;
const ZONE = 'America/New_York';

let engine: Engine;
let worker: WorkerProcess;
let tenantId: string;
const today = localDateAt(epochMs(Date.now()), ZONE);

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  tenantId = await makeTenant(engine.ledger, { accounts: ['A1', 'A2', 'A3'] });
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await engine?.close();
}, 60_000);

async function promise(promiseId: string, accountId: string): Promise<string> {
  const installments = [30, 60, 90].map((days) => ({ dueDate: addDays(today, days), amountCents: 10_000 }));
  const input = { promiseId, tenantId, accountId, debtClass: 'water', startDate: today, installments };
  const answer = await enroll(engine.ledger, input, { actor: 'test' });
  if (answer.result === 'refused') throw new Error(JSON.stringify(answer));
  const deps = {
    ledger: engine.ledger,
    client: engine.client.workflow,
    taskQueue: engine.taskQueue,
    log: testLog,
  };
  await relayBatch(deps);
  return answer.workflowId;
}

/** Skips over the workflow's own timers for so many days. @returns whether the workflow ended on the way. */
async function skip(workflowId: string, days: number): Promise<boolean> {
  const { namespace } = engine.client.options;
  const id = randomBytes(6).toString('hex');
  const duration = { seconds: (days * DAY_MS) / 1000 };
  await engine.client.workflowService.updateWorkflowExecutionOptions({
    namespace,
    workflowExecution: { workflowId },
    workflowExecutionOptions: { timeSkippingConfig: { enabled: true, fastForwardConfig: { id, duration } } },
    updateMask: { paths: ['time_skipping_config'] },
  } as never);
  for (;;) {
    // 2: the time was reached; 3: the workflow ended first; else: ask again.
    const { fastForwardPollingResult: result } =
      (await engine.client.workflowService.pollWorkflowExecutionTimeSkipping({
        namespace,
        workflowExecution: { workflowId, runId: '' },
        fastForwardId: id,
      })) as { fastForwardPollingResult?: number };
    if (result === 2) return false;
    if (result === 3) return true;
  }
}

/** Money received and posted on a day that the server has skipped to. */
async function pay(accountId: string, day: LocalDate, amountCents: number): Promise<void> {
  const at = new Date(endOfDayMs(day, ZONE) - DAY_MS / 2);
  await engine.ledger.forTenant(tenantId, (tx) =>
    rows(
      tx,
      `with paid as (
         insert into payment (tenant_id, payment_id, account_id, debt_class, currency, amount_cents, received_at,
                              effective_date, posted_at)
         values (:tenantId, :paymentId, :accountId, 'water', 'USD', :amountCents, :at, :day, :at)
         returning payment_id)
       insert into payment_tender (tenant_id, payment_id, seq, payor, tender_type, amount_cents)
       select :tenantId, payment_id, 1, 'self', 'card', :amountCents from paid`,
      { tenantId, paymentId: `${accountId}-${day}`, accountId, amountCents, at, day },
    ),
  );
}

function stored(promiseId: string) {
  return engine.ledger.forTenant(tenantId, (tx) => findPromise(tx, tenantId, promiseId));
}

test('paid twice, missed the third time: broken at the third judge time, in seconds', async () => {
  const started = Date.now();
  const workflowId = await promise('P-1', 'A1');
  await pay('A1', addDays(today, 20), 10_000);
  await expect(skip(workflowId, 45)).resolves.toBe(false);
  expect(await stored('P-1')).toMatchObject({
    status: 'active',
    schedule: [{ status: 'kept' }, { status: 'due' }, {}],
  });
  await pay('A1', addDays(today, 62), 10_000);
  await expect(skip(workflowId, 30)).resolves.toBe(false);
  await expect(skip(workflowId, 30)).resolves.toBe(true);
  const result = await engine.client.workflow.getHandle(workflowId).result();
  expect(result).toMatchObject({ status: 'broken', promiseId: 'P-1' });
  const broken = await stored('P-1');
  expect(broken?.schedule.map((line) => line.status)).toEqual(['kept', 'kept', 'broken']);
  // R4, R5: the end of the third grace day and twelve hours.
  expect(broken?.endedAt?.getTime()).toBe(endOfDayMs(addDays(today, 93), ZONE) + DAY_MS / 2);
  expect(Date.now() - started).toBeLessThan(60_000);
}, 90_000);

test('cancelled between two installments', async () => {
  const workflowId = await promise('P-2', 'A2');
  await pay('A2', addDays(today, 10), 10_000);
  await skip(workflowId, 40);
  const handle = engine.client.workflow.getHandle(workflowId);
  await handle.signal('cancel', { reason: 'account_closed', actor: 'staff' });
  await expect(handle.result()).resolves.toMatchObject({
    status: 'cancelled',
    sentence: expect.stringMatching(/\$100\.00 of \$300\.00 had been received/),
  });
}, 90_000);

test('all paid in time: kept', async () => {
  const workflowId = await promise('P-3', 'A3');
  for (const day of [29, 59, 89]) await pay('A3', addDays(today, day), 10_000);
  let ended = false;
  for (let turn = 0; turn < 4 && !ended; turn += 1) ended = await skip(workflowId, 30);
  expect(ended).toBe(true);
  expect(await stored('P-3')).toMatchObject({ status: 'kept', reason: 'paid_in_full' });
}, 90_000);
