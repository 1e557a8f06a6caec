/**
 * Goal: a case hears each thing once and in order, says how it stands, ends when nothing is open, and comes back.
 * Method: promises of one account broken, kept and cancelled through a worker of the product; then messages that no
 * promise would send (malformed, doubled, megabytes of them), straight from a Temporal client.
 */
import { enroll } from '../../src/enrollment/enroll';
import { outcomesOfCase, readCase } from '../../src/ledger/collections/cases';
import { postPayment } from '../../src/ledger/payments';
import { cents } from '../../src/rules/money';
import type { CaseView } from '../../workflows/messages';
import {
  createEngine,
  eventually,
  grow,
  local,
  makeTenant,
  moveTo,
  startWorker,
  untilEnded,
  type Engine,
  type WorkerProcess,
} from '../support/engine';

const LONG_MS = 240_000;

let engine: Engine;
let worker: WorkerProcess;
let tenantId: string;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  tenantId = await makeTenant(engine.ledger, { begins: '2026-01-05 08:00', accounts: ['A1', 'A2', 'A3'] });
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await engine.close();
}, 60_000);

const keyOf = (accountId: string) => ({ tenantId, accountId, debtClass: 'water' });
const handleOf = (accountId: string) =>
  engine.client.workflow.getHandle(`collections/${tenantId}/${accountId}/water`);

async function promise(promiseId: string, accountId: string, dueDate: string): Promise<void> {
  const input = {
    promiseId,
    tenantId,
    accountId,
    debtClass: 'water',
    installments: [{ dueDate, amountCents: 5000 }],
  };
  const answer = await enroll(engine.ledger, input, { actor: 'test' });
  expect(answer).toMatchObject({ result: 'enrolled' });
}

function heard(accountId: string, count: number): Promise<string[]> {
  return eventually(async () => {
    const outcomes = await engine.ledger.forTenant(tenantId, (tx) => outcomesOfCase(tx, keyOf(accountId)));
    return outcomes.length >= count ? outcomes.map((one) => one.outcomeId) : undefined;
  }, `${accountId} hears ${count}`);
}

test(
  'broken opens a case, a new promise is announced to it, kept closes it, broken opens it again',
  async () => {
    await promise('P-1', 'A1', '2026-01-10');
    await moveTo(engine.ledger, tenantId, '2026-01-20 08:00');
    await untilEnded(engine.ledger, tenantId, 'P-1');
    await heard('A1', 1);
    expect(await handleOf('A1').query<CaseView>('case')).toMatchObject({ status: 'open', brokenCount: 1 });

    await promise('P-2', 'A1', '2026-02-10');
    await heard('A1', 2);
    expect(await handleOf('A1').query<CaseView>('case')).toMatchObject({ status: 'open', openPromises: 1 });

    await postPayment(engine.ledger, tenantId, {
      paymentId: 'M-1',
      accountId: 'A1',
      debtClass: 'water',
      amountCents: cents(5000),
      currency: 'USD',
      receivedAtMs: local('2026-01-20 08:00'),
    });
    await untilEnded(engine.ledger, tenantId, 'P-2');
    const closed = (await handleOf('A1').result()) as CaseView;
    expect(closed).toMatchObject({ status: 'closed', keptCount: 1, brokenCount: 1, openPromises: 0 });

    await promise('P-3', 'A1', '2026-02-12');
    await moveTo(engine.ledger, tenantId, '2026-02-20 08:00');
    await untilEnded(engine.ledger, tenantId, 'P-3');
    // A closed case is not told of the activation of P-3, and runs again for its end.
    expect(await heard('A1', 4)).toEqual(['P-1/1/broken', 'P-2/1/activated', 'P-2/1/kept', 'P-3/1/broken']);
    expect(await handleOf('A1').query<CaseView>('case')).toMatchObject({
      status: 'open',
      keptCount: 1,
      brokenCount: 2,
    });
  },
  LONG_MS,
);

test(
  'messages that say nothing are shown; a case can be closed by hand',
  async () => {
    await promise('P-4', 'A2', '2026-02-22');
    await moveTo(engine.ledger, tenantId, '2026-03-01 08:00');
    await untilEnded(engine.ledger, tenantId, 'P-4');
    await heard('A2', 1);
    const handle = handleOf('A2');
    await handle.signal('promiseBroken', 'P-4');
    await handle.signal('promiseKept', { outcomeId: 7 });
    await handle.signal('somethingElse');
    const view = await eventually(async () => {
      const found = await handle.query<CaseView>('case');
      return found.notices.length >= 3 ? found : undefined;
    }, 'notices');
    expect(view).toMatchObject({ status: 'open', brokenCount: 1, keptCount: 0 });
    // A case that needs no retry answers all the same.
    expect(await handle.executeUpdate('retry')).toMatchObject({ status: 'open', brokenCount: 1 });
    // What names a promise that is not there parks no case.
    const nobody = {
      outcomeId: 'none/1/activated',
      promiseId: 'none',
      revision: 1,
      kind: 'activated',
      at: '',
    };
    await handle.signal('promiseActivated', nobody);
    await eventually(async () => (await handle.query<CaseView>('case')).waiting === 0, 'it is dealt with');
    expect(await handle.query<CaseView>('case')).toMatchObject({ status: 'open', brokenCount: 1 });
    await handle.signal('closeCase');
    expect(await handle.result()).toMatchObject({ status: 'closed', brokenCount: 1 });
    const stored = await engine.ledger.forTenant(tenantId, (tx) => readCase(tx, keyOf('A2')));
    expect(stored.status).toBe('closed');
  },
  LONG_MS,
);

test(
  'a case whose history has grown goes on in a new run and forgets nothing',
  async () => {
    await promise('P-5', 'A3', '2026-03-03');
    await moveTo(engine.ledger, tenantId, '2026-03-10 08:00');
    await untilEnded(engine.ledger, tenantId, 'P-5');
    await heard('A3', 1);
    const handle = handleOf('A3');
    const doubled = {
      ...keyOf('A3'),
      outcomeId: 'P-5/1/broken',
      promiseId: 'P-5',
      revision: 1,
      kind: 'broken',
      reason: null,
      at: '',
    };
    await grow(handle, (padding) => handle.signal('promiseBroken', { ...doubled, padding }));
    expect(await handle.query<CaseView>('case')).toMatchObject({
      brokenCount: 1,
      recent: [expect.objectContaining({ outcomeId: 'P-5/1/broken' })],
    });
    expect(await heard('A3', 1)).toEqual(['P-5/1/broken']);
  },
  LONG_MS,
);
