/**
 * Goal: a promise in 24 installments stays small in Temporal: seven events and 1.4 KB an installment, whatever happens.
 * Method: 24 weekly installments, each paid on its date, on the engine with the sandbox's clock; then its history is weighed.
 */
import { temporal } from '@temporalio/proto';
import { enroll } from '../../src/enrollment/enroll';
import { postPayment } from '../../src/ledger/payments';
import { addDays, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import {
  createEngine,
  eventually,
  local,
  makeTenant,
  moveTo,
  startWorker,
  untilEnded,
  untilThere,
  type Engine,
  type WorkerProcess,
} from '../support/engine';

const PARTS = 24;
// A timer, a workflow task and a local activity each; the sandbox's clock adds a signal, and now and then a task of its own.
const MOST_EVENTS = 7 * PARTS + 24;
const MOST_BYTES = 1400 * PARTS + 2560;

let engine: Engine;
let worker: WorkerProcess;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await engine.close();
}, 60_000);

test('24 weekly installments', async () => {
  const { ledger } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-05 08:00', accounts: ['A1'] });
  const first = localDate('2026-01-12');
  const answer = await enroll(
    ledger,
    {
      ...{ promiseId: 'P24', tenantId, accountId: 'A1', debtClass: 'water' },
      ...{ totalCents: PARTS * 1000, frequency: 'weekly', parts: PARTS, firstDueDate: first },
    },
    { actor: 'test' },
  );
  expect(answer).toMatchObject({ result: 'enrolled' });
  // The relay starts the workflow in a moment.
  await untilThere(engine.client.workflow, `ptp/${tenantId}/P24`);
  for (let part = 0; part < PARTS; part += 1) {
    const due = addDays(first, 7 * part);
    await moveTo(ledger, tenantId, `${due} 10:00`);
    await postPayment(ledger, tenantId, {
      ...{ paymentId: `pay-${part}`, accountId: 'A1', debtClass: 'water', currency: 'USD' },
      ...{ amountCents: cents(1000), receivedAtMs: local(`${due} 10:00`) },
    });
    const judged = addDays(due, 4);
    await moveTo(ledger, tenantId, `${judged} 12:01`);
    if (part === PARTS - 1) break;
    await eventually(
      async () => {
        const description = await engine.client.workflow.getHandle(`ptp/${tenantId}/P24`).query<{
          nextJudgeAt: string | null;
        }>('status');
        return (description.nextJudgeAt ?? '') > new Date(local(`${judged} 12:01`)).toISOString();
      },
      `part ${part + 1} is judged`,
    );
  }
  await expect(untilEnded(ledger, tenantId, 'P24')).resolves.toMatchObject({ status: 'kept' });
  const history = await engine.client.workflow.getHandle(`ptp/${tenantId}/P24`).fetchHistory();
  const events = history.events?.length ?? 0;
  const bytes = temporal.api.history.v1.History.encode(history).finish().byteLength;
  process.stderr.write(`${PARTS} installments: ${events} events, ${bytes} bytes\n`);
  expect(events).toBeLessThanOrEqual(MOST_EVENTS);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
}, 240_000);
