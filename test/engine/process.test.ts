/**
 * Goal: the collections workflow runs the process of a debt class on the real engine: it begins when debts come, does each step on
 * its day, stops for a promise, comes back when it breaks, waits for a person, and closes when the debt is paid.
 * Method: a sandbox on a worker of the product; debts, promises, payments and approvals as the CIS and staff bring them, the clock
 * moved from day to day.
 */
import { answerStep } from '../../src/collections/approvals';
import { placeHold } from '../../src/collections/holds';
import { rows } from '../../src/ledger/connection';
import type { CaseView } from '../../workflows/messages';
import { CasePlace } from '../collections/case-place';
import {
  createEngine,
  eventually,
  makeTenant,
  moveTo,
  startWorker,
  untilEnded,
  type Engine,
  type WorkerProcess,
} from '../support/engine';

let engine: Engine;
let worker: WorkerProcess;
let at: CasePlace;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
}, 60_000);

/** A sandbox of its own for each story. */
async function begin(begins: string, process: object = {}): Promise<void> {
  at = new CasePlace(engine, await makeTenant(engine.ledger, { begins, accounts: [] }));
  await at.process(process);
}

afterAll(async () => {
  await worker.stop();
  await engine.close();
}, 60_000);

const caseOf = (accountId: string): Promise<CaseView> =>
  engine.client.workflow.getHandle(`collections/${at.tenantId}/${accountId}/water`).query<CaseView>('case');

/** Waits until the steps of an account are as they should be. */
async function untilSteps(accountId: string, steps: readonly string[]): Promise<void> {
  let found: string[] = [];
  await eventually(async () => {
    found = await at.steps(accountId);
    return found.length >= steps.length;
  }, `${accountId} has ${steps.length} steps`).catch(() => undefined);
  expect(found).toEqual(steps);
}

test('a debt goes through its process, a broken promise brings it back, a payment ends it', async () => {
  const { ledger } = engine;
  await begin('2026-01-20 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-15': 8000 });
  await moveTo(ledger, at.tenantId, '2026-01-26 10:00'); // Monday, eleven days late
  await untilSteps('A1', ['2026-01-26 reminder done']);
  await moveTo(ledger, at.tenantId, '2026-02-05 10:00');
  await untilSteps('A1', ['2026-01-26 reminder done', '2026-02-05 final-notice done']);

  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-02-15', amountCents: 8000 }] });
  await eventually(
    async () => (await caseOf('A1')).sentence?.startsWith('Cancelled: promises shield') ?? false,
    'shielded',
  );
  await moveTo(ledger, at.tenantId, '2026-02-12 10:00');
  await moveTo(ledger, at.tenantId, '2026-02-20 10:00'); // past due date and grace
  expect(await untilEnded(ledger, at.tenantId, 'P1')).toMatchObject({ status: 'broken' });
  await eventually(async () => (await at.reviews('A1')).length >= 3, 'it comes back');
  expect(await at.reviews('A1')).toEqual([
    'start: Started: $80.00 is past due and nothing of it is promised.',
    'cancel: Cancelled: promises shield the debt: $0.00 of $80.00 past due may be collected, no more than the threshold of $10.00.',
    'start: Started where run 1 was, on day 10: $80.00 is past due and nothing of it is promised.',
  ]);
  await moveTo(ledger, at.tenantId, '2026-02-26 10:00');
  await untilSteps('A1', [
    '2026-01-26 reminder done',
    '2026-02-05 final-notice done',
    '- reminder skipped run 2',
    '- final-notice skipped run 2',
    '2026-02-26 call done run 2',
  ]);
  await moveTo(ledger, at.tenantId, '2026-03-03 10:00');
  await eventually(
    async () => (await at.steps('A1')).includes('- shut-off awaiting-approval run 2'),
    'a person is asked',
  );
  const key = { tenantId: at.tenantId, accountId: 'A1', debtClass: 'water' };
  await answerStep(ledger, key, { stepId: 'shut-off', approved: true, actor: 'boss', note: null });
  await eventually(
    async () => (await at.steps('A1')).includes('2026-03-03 shut-off done run 2'),
    'it is done',
  );
  expect(await contacts('A1')).toEqual([
    '1/reminder letter',
    '1/final-notice letter',
    '2/call call',
    '2/shut-off task',
  ]);

  await at.pay('A1', 8000);
  await eventually(async () => (await caseStatus('A1')) === 'closed', 'the case closes');
  expect((await at.reviews('A1')).slice(3)).toEqual([
    'complete: Completed: all steps of the process were done; $80.00 is still to be collected.',
    expect.stringContaining('close: Closed'),
  ]);
}, 120_000);

test('a step that ends promises spares those of third parties; a hold stops everything', async () => {
  const { ledger } = engine;
  await begin('2026-03-03 08:30', {
    ...{ cancelThresholdCents: 0, entry: [{ minCents: 1, minAgeDays: 1 }] },
    steps: [
      { id: 'reminder', kind: 'reminder', day: 0 },
      { id: 'last-call', kind: 'call', day: 3, cancelsPromises: true },
    ],
  });
  await at.account('A2');
  await at.promise('P2', 'A2', { installments: [{ dueDate: '2026-05-01', amountCents: 1000 }] });
  await at.promise('P3', 'A2', {
    payor: 'church',
    installments: [{ dueDate: '2026-05-01', amountCents: 2000 }],
  });
  await at.debt('A2', { '2026-02-01': 9000 });
  await moveTo(ledger, at.tenantId, '2026-03-03 10:00');
  await untilSteps('A2', ['2026-03-03 reminder done']);
  const hold = { holdId: 'H1', accountId: 'A2', debtClass: null, kind: 'dispute' as const, reason: 'meter' };
  await placeHold(ledger, at.tenantId, { ...hold, until: '2026-03-10' }, { actor: 'clerk' });
  await eventually(
    async () => (await caseOf('A2')).sentence?.startsWith('Paused: hold H1') ?? false,
    'paused',
  );
  await moveTo(ledger, at.tenantId, '2026-03-09 10:00');
  await moveTo(ledger, at.tenantId, '2026-03-11 10:00');
  await eventually(async () => (await at.reviews('A2')).length >= 3, 'it goes on');
  await moveTo(ledger, at.tenantId, '2026-03-16 10:00');
  await untilSteps('A2', ['2026-03-03 reminder done', '2026-03-16 last-call done']);
  expect(await untilEnded(ledger, at.tenantId, 'P2')).toMatchObject({
    status: 'cancelled',
    reason: 'collection_event',
  });
  const [third] = await ledger.forTenant(at.tenantId, (tx) =>
    rows<{ status: string }>(tx, "select status from promise where promise_id = 'P3'", {}),
  );
  expect(third?.status).toBe('active');
}, 120_000);

async function caseStatus(accountId: string): Promise<string | undefined> {
  const [found] = await engine.ledger.forTenant(at.tenantId, (tx) =>
    rows<{ status: string }>(tx, 'select status from collections_case where account_id = :accountId', {
      accountId,
    }),
  );
  return found?.status;
}

async function contacts(accountId: string): Promise<string[]> {
  const found = await engine.ledger.forTenant(at.tenantId, (tx) =>
    rows<{ line: string }>(
      tx,
      `select run_no || '/' || step_id || ' ' || channel as line from contact where account_id = :accountId order by due_at`,
      { accountId },
    ),
  );
  return found.map(({ line }) => line);
}
