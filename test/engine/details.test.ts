/**
 * Goal: in Temporal a promise of any kind explains itself: what was agreed, what it waits for, how it stands; and its status
 * there is never another than the ledger's.
 * Method: promises enrolled as by file and started as by a CIS, on the engine; then what Temporal holds of them is read.
 */
import { enroll } from '../../src/enrollment/enroll';
import { postPayment } from '../../src/ledger/payments';
import { addPolicyVersion } from '../../src/ledger/policies';
import { epochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { PRESETS } from '../../src/rules/presets';
import { STATUS } from '../../src/temporal/attributes';
import { createEngine, eventually, local, makeTenant, startWorker, untilThere } from '../support/engine';
import type { Engine, WorkerProcess } from '../support/engine';

let engine: Engine;
let worker: WorkerProcess;
let tenantId: string;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  tenantId = await makeTenant(engine.ledger, {
    begins: '2026-01-05 08:00',
    accounts: ['A1', 'A2', 'A3'],
  });
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await engine.close();
}, 60_000);

const handleOf = (id: string) => engine.client.workflow.getHandle(`ptp/${tenantId}/${id}`);
const statusOf = async (id: string): Promise<string> =>
  (await handleOf(id).query<{ status: string }>('status')).status;
const attributeOf = async (id: string): Promise<unknown> =>
  (await handleOf(id).describe()).typedSearchAttributes.get(STATUS);
const currentOf = async (id: string): Promise<string> =>
  (await handleOf(id).query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ??
  '';

async function enrolled(promiseId: string, terms: object): Promise<void> {
  const answer = await enroll(
    engine.ledger,
    { tenantId, promiseId, debtClass: 'water', ...terms },
    { actor: 'test' },
  );
  expect(answer).toMatchObject({ result: 'enrolled' });
  await untilThere(engine.client.workflow, `ptp/${tenantId}/${promiseId}`);
}

test('R25: a promise behind its gates is pending in Temporal, says what it begins with, and is active when that is there', async () => {
  const limits = { downPaymentPercent: 25, downPaymentWithinDays: 7 };
  const options = { ...PRESETS.default, limits };
  await engine.ledger.forTenant(tenantId, (tx) =>
    addPolicyVersion(tx, tenantId, { name: 'gated', options, actor: 'test', atMs: epochMs(0) }),
  );
  await enrolled('GATED', {
    ...{ accountId: 'A1', policy: 'gated', totalCents: 40000, frequency: 'monthly', parts: 3 },
    ...{ firstDueDate: '2026-02-15', downPaymentCents: 10000, downPaymentDate: '2026-01-10' },
  });
  expect(await statusOf('GATED')).toBe('pending');
  expect(await attributeOf('GATED')).toBe('pending');
  const { staticDetails, staticSummary } = await handleOf('GATED').describe();
  expect(await staticSummary()).toBe('4 installments, 10 Jan 2026 to 15 Apr 2026, next judged 11 Jan 2026');
  expect(await staticDetails()).toContain('Begins with down payment of &#36;100.00 by 10 Jan 2026.');
  expect(await staticDetails()).toContain('1. 10 Jan 2026: &#36;100.00\n2. 15 Feb 2026: &#36;100.00');
  await postPayment(engine.ledger, tenantId, {
    ...{ paymentId: 'D-1', accountId: 'A1', debtClass: 'water', currency: 'USD' },
    ...{ amountCents: cents(10000), receivedAtMs: local('2026-01-05 08:00') },
  });
  await eventually(async () => (await statusOf('GATED')) === 'active', 'the promise is active');
  await eventually(async () => (await attributeOf('GATED')) === 'active', 'Temporal says so');
  expect(await currentOf('GATED')).toContain(
    '1. 10 Jan 2026: &#36;100.00 of &#36;100.00 (down payment), due',
  );
}, 120_000);

test('R22: a promise that is managed by hand says that only a person can change it', async () => {
  await enrolled('BY-HAND', {
    accountId: 'A2',
    policy: 'collect',
    repeat: { amountCents: 2500, frequency: 'monthly', firstDueDate: '2026-01-20', autoManaged: false },
  });
  const words = '&#36;25.00 monthly from 20 Jan 2026, until staff end it';
  const { staticDetails, staticSummary } = await handleOf('BY-HAND').describe();
  expect(await staticSummary()).toBe('$25.00 monthly from 20 Jan 2026, until staff end it');
  expect(await staticDetails()).toBe(
    `As agreed:\n\n${words}.\nNothing changes by itself; staff end it.\nPolicy collect@1.\n`,
  );
  await eventually(
    async () => (await currentOf('BY-HAND')).includes('Only a person can change it now.'),
    'it has looked',
  );
}, 120_000);

test('R27: a promise that a CIS started has what was agreed in its current details', async () => {
  await engine.client.workflow.start('promiseToPay', {
    taskQueue: engine.taskQueue,
    workflowId: `ptp/${tenantId}/DIRECT`,
    args: [
      {
        enrollment: {
          ...{ tenantId, accountId: 'A3', debtClass: 'water', payor: 'AGENCY' },
          installments: [{ dueDate: '2026-01-20', amountCents: 5000 }],
        },
      },
    ],
  });
  const details = await eventually(async () => {
    const text = await currentOf('DIRECT');
    return text.includes('due') ? text : undefined;
  }, 'it is enrolled');
  expect(details).toContain('Paid by AGENCY, a third party.\nPolicy default@1.');
  expect(details).toContain('1. 20 Jan 2026: &#36;0.00 of &#36;50.00, due');
}, 120_000);
