/**
 * Goal: a case lets go of an outcome only once the ledger has said that it has that very outcome. In a replay more signals can
 * be here than when the ledger was asked, so what was asked proves nothing.
 * Method: the workflow of production, beside a ledger of the test's own that takes a part of what it is asked to receive.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { CaseAnswer } from '../../activities';
import { projectRoot } from '../../src/platform/root';
import { promiseBroken, type Collections, type OutcomeSignal } from '../../workflows/messages';
import { createEngine, type Engine } from '../support/engine';

const OUTCOMES = 9;

Runtime.install({ logger: new DefaultLogger('WARN') });
let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
}, 60_000);
afterAll(() => engine.close());

test('what the ledger did not take is handed over again', async () => {
  const key = { tenantId: `t-${randomBytes(4).toString('hex')}`, accountId: 'A1', debtClass: 'water' };
  const taken: string[] = [];
  let asked = 0;
  const answer = (received: string[]): CaseAnswer => {
    taken.push(...received);
    const status = taken.length >= OUTCOMES ? 'closed' : 'open';
    const counts = { keptCount: 0, brokenCount: taken.length, cancelledCount: 0, openPromises: 0 };
    return { status, ...counts, recorded: [], received };
  };
  const connection = await NativeConnection.connect({
    address: process.env['TROTH_TEST_TEMPORAL_ADDRESS'] ?? '',
  });
  const worker = await Worker.create({
    connection,
    namespace: engine.client.options.namespace,
    taskQueue: `acknowledged-${randomBytes(4).toString('hex')}`,
    workflowBundle: { codePath: join(projectRoot(), 'dist', 'workflow-bundle.js') },
    activities: {
      receiveOutcome: ({ outcome }: { outcome: OutcomeSignal }) => answer([outcome.outcomeId]),
      receiveOutcomes: ({ outcomes }: { outcomes: OutcomeSignal[] }) => {
        asked += 1;
        return answer(outcomes.slice(-2).map(({ outcomeId }) => outcomeId));
      },
    },
  });
  const handle = await engine.client.workflow.start<Collections>('collections', {
    workflowId: `collections/${key.tenantId}/A1/water`,
    taskQueue: worker.options.taskQueue,
    args: [key],
  });
  const sent = Array.from({ length: OUTCOMES }, (_, index) => `Q${index}/1/broken`);
  for (const outcomeId of sent) {
    await handle.signal(promiseBroken, {
      ...{ ...key, outcomeId, promiseId: outcomeId.split('/')[0] ?? '', revision: 1, kind: 'broken' },
      ...{ reason: 'installment_missed', at: '2026-01-12T17:00:00.000Z' },
    });
  }
  const view = await worker.runUntil(() => handle.result());
  await connection.close();
  expect(taken.toSorted()).toEqual(sent.toSorted());
  expect(asked).toBeGreaterThan(3);
  expect(view.waiting).toBe(0);
}, 60_000);
