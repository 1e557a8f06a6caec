/**
 * Goal: a promise's workflow is labelled as its promise stands, from its gates on, and outlives any number of messages.
 * Method: promises that the relay starts and that a CIS starts, on a worker of the product; a history is grown with large
 * messages until the server suggests a new run.
 */
import { enroll } from '../../src/enrollment/enroll';
import { addPolicyVersion } from '../../src/ledger/policies';
import { postPayment } from '../../src/ledger/payments';
import { epochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { PRESETS } from '../../src/rules/presets';
import type { PromiseStatusView } from '../../workflows/messages';
import {
  createEngine,
  eventually,
  grow,
  local,
  makeTenant,
  startWorker,
  untilEnded,
  untilThere,
  type Engine,
  type WorkerProcess,
} from '../support/engine';

let engine: Engine;
let worker: WorkerProcess;
let tenantId: string;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  tenantId = await makeTenant(engine.ledger, { begins: '2026-01-05 08:00', accounts: ['A1', 'A2'] });
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await engine?.close();
}, 60_000);

const handleOf = (promiseId: string) => engine.client.workflow.getHandle(`ptp/${tenantId}/${promiseId}`);

async function labelOf(promiseId: string): Promise<unknown> {
  const { typedSearchAttributes } = await handleOf(promiseId).describe();
  return typedSearchAttributes.getAll().find(({ key }) => key.name === 'TrothStatus')?.value;
}

test('a promise behind its gates is pending in Temporal, and active when they open', async () => {
  const limits = { approvalAboveCents: cents(5000), approvalWithinDays: 5 };
  const options = { ...PRESETS.default, limits };
  await engine.ledger.forTenant(tenantId, (tx) =>
    addPolicyVersion(tx, tenantId, { name: 'four-eyes', options, actor: 'test', atMs: epochMs(0) }),
  );
  const installments = [{ dueDate: '2026-02-15', amountCents: 6000 }];
  const asked = { promiseId: 'GATED', tenantId, accountId: 'A1', debtClass: 'water', policy: 'four-eyes' };
  const answer = await enroll(engine.ledger, { ...asked, installments }, { actor: 'clerk' });
  expect(answer).toMatchObject({ result: 'enrolled' });
  await untilThere(engine.client.workflow, `ptp/${tenantId}/GATED`);
  await expect(labelOf('GATED')).resolves.toBe('pending');
  await expect(handleOf('GATED').query<PromiseStatusView>('status')).resolves.toMatchObject({
    status: 'pending',
  });
  await expect(
    handleOf('GATED').executeUpdate('approve', { args: [{ approved: true, actor: 'second' }] }),
  ).resolves.toEqual({ result: 'decided', status: 'active' });
  await eventually(async () => (await labelOf('GATED')) === 'active', 'the label says active');
});

test('a promise whose history has grown goes on in a new run', async () => {
  const handle = await engine.client.workflow.start('promiseToPay', {
    taskQueue: engine.taskQueue,
    workflowId: `ptp/${tenantId}/GROWN`,
    args: [
      {
        enrollment: {
          ...{ tenantId, accountId: 'A2', debtClass: 'water', note: 'often asked about' },
          installments: [{ dueDate: '2026-02-15', amountCents: 5000 }],
        },
      },
    ],
  });
  await grow(handleOf('GROWN'), (padding) => handleOf('GROWN').signal('noSuchSignal', padding));
  await expect(
    eventually(async () => {
      const view = await handleOf('GROWN').query<PromiseStatusView>('status');
      return view.nextJudgeAt !== null && view;
    }, 'the new run has asked the ledger'),
  ).resolves.toMatchObject({ promiseId: 'GROWN', status: 'active', nextJudgeAt: '2026-02-19T17:00:00.000Z' });
  await expect(labelOf('GROWN')).resolves.toBe('active');
  await postPayment(engine.ledger, tenantId, {
    ...{ paymentId: 'pay-1', accountId: 'A2', debtClass: 'water', currency: 'USD' },
    ...{ amountCents: cents(5000), receivedAtMs: local('2026-01-05 07:00') },
  });
  await expect(untilEnded(engine.ledger, tenantId, 'GROWN')).resolves.toMatchObject({ status: 'kept' });
  // Who waits for the first run's result gets that of the promise.
  await expect(handle.result()).resolves.toMatchObject({ status: 'kept', promiseId: 'GROWN' });
}, 120_000);
