/**
 * Goal: a CIS needs nothing of ours but a workflow's name and JSON, and nothing that it or staff send can hurt.
 * Method: only `@temporalio/client` starts, signals, queries and updates; a worker of the product answers. Malformed
 * messages include a payload that no converter can read.
 */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { findPromise } from '../../src/ledger/promises/promise-views';
import { outcomesOfCase } from '../../src/ledger/collections/cases';
import {
  createEngine,
  eventually,
  makeTenant,
  startWorker,
  type Engine,
  type WorkerProcess,
} from '../support/engine';

let engine: Engine;
let worker: WorkerProcess;
let tenantId: string;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  const accounts = Array.from({ length: 12 }, (_, index) => `A${index}`);
  tenantId = await makeTenant(engine.ledger, { begins: '2026-01-05 08:00', accounts });
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await engine?.close();
}, 60_000);

const schedule = [
  { dueDate: '2026-02-15', amountCents: 5000 },
  { dueDate: '2026-03-15', amountCents: 5000 },
];

function start(id: string, enrollment: object, workflowId = `ptp/${tenantId}/${id}`) {
  return engine.client.workflow.start('promiseToPay', {
    taskQueue: engine.taskQueue,
    workflowId,
    args: [{ enrollment }],
  });
}

const enrollment = (accountId: string, more: object = {}): object => ({
  tenantId,
  accountId,
  debtClass: 'water',
  installments: schedule,
  ...more,
});

function recorded(promiseId: string) {
  return eventually(
    () => engine.ledger.forTenant(tenantId, (tx) => findPromise(tx, tenantId, promiseId)),
    `${promiseId} is recorded`,
  );
}

test('a promise that a CIS starts is enrolled, visible and labelled', async () => {
  const handle = await start('CIS-1', enrollment('A1'));
  const promise = await recorded('CIS-1');
  expect(promise).toMatchObject({ status: 'active', totalCents: 10_000, workflowId: handle.workflowId });
  const status = await handle.query<{ status: string; nextJudgeAt: string }>('status');
  expect(status).toMatchObject({ status: 'active', nextJudgeAt: '2026-02-19T17:00:00.000Z' });
  const labels = await eventually(async () => {
    const { typedSearchAttributes } = await handle.describe();
    const all = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value] as const);
    return all.some(([name]) => name === 'TrothStatus') && Object.fromEntries(all);
  }, 'search attributes');
  expect(labels).toMatchObject({
    TrothTenant: tenantId,
    TrothAccount: 'A1',
    TrothDebtClass: 'water',
    TrothStatus: 'active',
  });
});

test('a workflow id of the CIS will do; the promise id comes from it', async () => {
  const handle = await start('', enrollment('A2'), `billing-77/${tenantId}`);
  const { promiseId } = await eventually(async () => {
    const status = await handle.query<{ promiseId: string | null; status: string }>('status');
    return status.status === 'active' ? status : undefined;
  }, 'enrolled');
  expect(promiseId).toMatch(/^P-[0-9a-f]{20}$/);
  expect((await recorded(promiseId ?? '')).workflowId).toBe(`billing-77/${tenantId}`);
});

test('a refused enrollment completes with the list of problems', async () => {
  const handle = await start('CIS-3', {
    tenantId,
    accountId: 'A3',
    debtClass: 'water',
    installments: [{ dueDate: '2026-02-30', amountCents: -5 }],
  });
  await expect(handle.result()).resolves.toEqual({
    status: 'refused',
    problems: [
      expect.objectContaining({ field: 'installments.0.dueDate', value: '2026-02-30' }),
      expect.objectContaining({ field: 'installments.0.amountCents', value: '-5' }),
    ],
  });
});

test('an unknown account, and no enrollment at all, are refused in words', async () => {
  const unknown = await start('CIS-4', enrollment('nobody'));
  await expect(unknown.result()).resolves.toMatchObject({
    status: 'refused',
    problems: [{ field: 'accountId', value: 'nobody' }],
  });
  const nothing = await engine.client.workflow.start('promiseToPay', {
    taskQueue: engine.taskQueue,
    workflowId: `ptp/${tenantId}/CIS-5`,
    args: [{ enrollment: null }],
  });
  await expect(nothing.result()).resolves.toMatchObject({ status: 'refused' });
});

test('the same promise brought by a second workflow is known, not doubled', async () => {
  await start('CIS-6', enrollment('A6'));
  await recorded('CIS-6');
  const second = await start('', enrollment('A6', { promiseId: 'CIS-6' }), `again/${tenantId}/6`);
  await expect(second.result()).resolves.toEqual({
    status: 'known',
    promiseId: 'CIS-6',
    workflowId: `ptp/${tenantId}/CIS-6`,
  });
});

test('a plain cancel signal, as typed by staff, ends the promise and reaches collections', async () => {
  const handle = await start('CIS-7', enrollment('A7'));
  await recorded('CIS-7');
  await handle.signal('cancel', { reason: 'customer_request', actor: 'mlopez' });
  await expect(handle.result()).resolves.toMatchObject({ status: 'cancelled', promiseId: 'CIS-7' });
  const promise = await recorded('CIS-7');
  expect(promise).toMatchObject({ status: 'cancelled', reason: 'customer_request' });
  expect(promise.verdicts[0]?.evidence.decidedBy).toBe('mlopez');
  const key = { tenantId, accountId: 'A7', debtClass: 'water' };
  const heard = await eventually(async () => {
    const outcomes = await engine.ledger.forTenant(tenantId, (tx) => outcomesOfCase(tx, key));
    return outcomes.length > 0 ? outcomes : undefined;
  }, 'collections hears');
  expect(heard.map((one) => one.outcomeId)).toEqual(['CIS-7/1/cancelled']);
});

test('a bare reason is enough for the signal', async () => {
  const handle = await start('CIS-8', enrollment('A8'));
  await recorded('CIS-8');
  await handle.signal('cancel', 'staff_error');
  await expect(handle.result()).resolves.toMatchObject({ status: 'cancelled' });
});

test('a cancel sent before the enrollment is recorded waits for it', async () => {
  const handle = await engine.client.workflow.signalWithStart('promiseToPay', {
    taskQueue: engine.taskQueue,
    workflowId: `ptp/${tenantId}/CIS-9`,
    args: [{ enrollment: enrollment('A9') }],
    signal: 'cancel',
    signalArgs: ['customer_request'],
  });
  await expect(handle.result()).resolves.toMatchObject({ status: 'cancelled' });
});

test('malformed messages are shown and never fatal', async () => {
  const handle = await start('CIS-10', enrollment('A10'));
  await recorded('CIS-10');
  await handle.signal('cancel', { wrong: true });
  await handle.signal('cancel');
  await handle.signal('cancel', null);
  await handle.signal('cancel', 'no_such_reason');
  await handle.signal('clockMoved', 'tomorrow');
  await handle.signal('paymentPosted', { surplus: 'arguments' });
  await handle.signal('noSuchSignal', 1, 2);
  await sendUndecodable(handle.workflowId);
  const { notices, status } = await eventually(async () => {
    const view = await handle.query<{ notices: string[]; status: string }>('status');
    return view.notices.length >= 7 ? view : undefined;
  }, 'notices');
  expect(status).toBe('active');
  expect(notices.join('\n')).toMatch(/wrong/);
  expect(notices.join('\n')).toMatch(/no_such_reason|must be one of/);
  expect(notices.join('\n')).toMatch(/noSuchSignal/);
  expect(notices.join('\n')).toMatch(/undecodable/);
  const history = await handle.fetchHistory();
  const failed = (history.events ?? []).filter((event) => event.workflowTaskFailedEventAttributes != null);
  expect(failed.map((event) => event.workflowTaskFailedEventAttributes?.failure?.message)).not.toContainEqual(
    expect.stringMatching(/convert|JSON|decode/i),
  );
  await handle.signal('cancel', 'customer_request');
  await expect(handle.result()).resolves.toMatchObject({ status: 'cancelled' });
});

/** A payload that says it is JSON and is not. */
async function sendUndecodable(workflowId: string): Promise<void> {
  await engine.client.workflowService.signalWorkflowExecution({
    namespace: engine.client.options.namespace,
    workflowExecution: { workflowId },
    signalName: 'cancel',
    input: {
      payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"reason": ') }],
    },
  });
}

test('cancel as an update answers: a validator refuses nonsense, the ledger refuses what it must', async () => {
  const handle = await start('CIS-11', enrollment('A11'));
  await recorded('CIS-11');
  const nonsense = handle.executeUpdate('cancel', { args: [{ because: 'x' }] });
  await expect(nonsense).rejects.toThrow(WorkflowUpdateFailedError);
  await expect(handle.executeUpdate('cancel', { args: [{ reason: 'other' }] })).resolves.toMatchObject({
    result: 'refused',
    problems: [{ field: 'note' }],
  });
  await expect(
    handle.executeUpdate('cancel', { args: [{ reason: 'other', note: 'moved away' }] }),
  ).resolves.toMatchObject({ result: 'cancelled', sentence: expect.stringMatching(/^Cancelled/) });
  await expect(handle.result()).resolves.toMatchObject({ status: 'cancelled' });
});

test('the case answers its query', async () => {
  const handle = engine.client.workflow.getHandle(`collections/${tenantId}/A11/water`);
  const view = await eventually(async () => {
    const found = await handle.query<{ cancelledCount: number }>('case').catch(() => undefined);
    return found?.cancelledCount === 1 ? found : undefined;
  }, 'case');
  expect(view).toMatchObject({ status: 'open', keptCount: 0, brokenCount: 0, openPromises: 0, waiting: 0 });
});
