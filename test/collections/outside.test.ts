/**
 * Goal: a collections system outside hears each outcome and notice of a promise, in its order, until it has acknowledged
 * it, whatever fails on the way; and Troth's own collections hears nothing.
 * Method: promises told through the ledger's own functions, workers of the product, and a real HTTP server that
 * misbehaves in every way that servers do.
 */
import { createHmac } from 'node:crypto';
import { verified } from './checks';
import { rows } from '../../src/ledger/connection';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { unheardOutcomes } from '../../src/ledger/collections/outside';
import {
  createEngine,
  eventually,
  makeTenant,
  startWorker,
  type Engine,
  type WorkerProcess,
} from '../support/engine';
import { dice } from '../chaos/dice';
import { Receiver, type Received } from './receiver';
import {
  aim,
  BEGINS,
  bounce,
  kindsOf,
  messages,
  pay,
  promise,
  untilAcknowledged,
  STORY,
  wholeStory,
} from './story';

const SECRET = Buffer.from('a key that only the worker and the receiver know');
const KEY = `whsec_${SECRET.toString('base64')}`;
const LONG_MS = 180_000;

let engine: Engine;
let workers: WorkerProcess[];
let receiver: Receiver;

beforeAll(async () => {
  engine = await createEngine();
  const env = { ...engine.workerEnv, TEST_HOOK_KEY: KEY };
  workers = await Promise.all([startWorker(env), startWorker(env)]);
}, 60_000);

beforeEach(async () => {
  receiver = await Receiver.open();
});

afterEach(() => receiver.close());

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await engine.close();
}, 60_000);

const hook = (more: object = {}): object => ({
  ...{ kind: 'webhook', url: receiver.url, secretEnv: 'TEST_HOOK_KEY', timeoutSeconds: 1 },
  ...more,
});

async function tenantWith(accounts: readonly string[], target: object): Promise<string> {
  const tenantId = await makeTenant(engine.ledger, { begins: BEGINS, accounts });
  expect(await aim(engine.ledger, tenantId, target)).toMatchObject({ result: 'set', version: 1 });
  return tenantId;
}

/** As docs/collections/outside.md tells receivers to check it. */
function isSigned({ id, timestamp, signature, body }: Received): boolean {
  const should = createHmac('sha256', SECRET).update(`${id}.${timestamp}.${body}`).digest('base64');
  return signature === `v1,${should}` && Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
}

test(
  'messages have the documented form, are signed, and come in order; no case of ours hears of them',
  async () => {
    const tenantId = await tenantWith(['P-1'], hook());
    const { ledger } = engine;
    await wholeStory(ledger, tenantId, 'P-1');
    await untilAcknowledged(ledger, tenantId, 4);

    expect(kindsOf(receiver.taken)).toEqual(STORY);
    expect(receiver.requests.every(isSigned)).toBe(true);
    const kept = receiver.requests[1];
    expect(kept?.message).toEqual({
      form: 1,
      outcomeId: 'P-1/1/kept',
      position: 2,
      tenantId,
      accountId: 'P-1',
      debtClass: 'water',
      promiseId: 'P-1',
      revision: 1,
      kind: 'kept',
      reason: 'paid_in_full',
      status: 'kept',
      at: expect.stringMatching(/^2026-01-05T/),
      sentence: expect.stringMatching(/^Kept: /),
      installment: null,
      paymentId: null,
    });
    expect(kept?.id).toBe(`${tenantId}/P-1/1/kept`);
    expect(receiver.requests[0]?.message).toMatchObject({ status: 'active', sentence: null });
    expect(receiver.requests[2]?.message).toMatchObject({ status: 'kept', paymentId: 'M-P-1' });
    expect(receiver.requests[3]?.message).toMatchObject({ status: 'active', revision: 2 });
    const [found] = await ledger.forTenant(tenantId, (tx) =>
      rows<{ cases: number }>(tx, 'select count(*) as cases from collections_case', {}),
    );
    expect(found?.cases).toBe(0);
    expect(await verified(ledger, tenantId)).toEqual({ differences: [], waiting: 0 });
  },
  LONG_MS,
);

test(
  'whatever a server does, each message is sent again until it is acknowledged, and the next one waits for it',
  async () => {
    const stories: Readonly<Record<string, (attempt: number) => ReturnType<Receiver['behave']>>> = {
      'three-500s': (attempt) => ({ status: attempt <= 3 ? 500 : 200 }),
      'hangs-up': (attempt) => (attempt <= 2 ? 'hang-up' : { status: 204 }),
      // It took the message, and its answer comes when nobody waits for it any more.
      late: (attempt) =>
        attempt === 1 ? { status: 200, afterMs: 1600 } : { status: 409, body: '{"code":"duplicate"}' },
      moved: (attempt) =>
        attempt === 1 ? { status: 307, headers: { Location: `${receiver.url}/elsewhere` } } : { status: 200 },
      conflict: (attempt) => (attempt <= 2 ? { status: 409, body: '{"code":"locked"}' } : { status: 201 }),
      verbose: (attempt) => ({ status: attempt <= 1 ? 503 : 200, body: 'x'.repeat(1_000_000) }),
    };
    const names = Object.keys(stories);
    const tenantId = await tenantWith(names, hook());
    receiver.behave = ({ message, attempt }) => {
      if (message.position > 1) return { status: 200 };
      return stories[message.promiseId]?.(attempt) ?? { status: 200 };
    };
    for (const name of names) await wholeStory(engine.ledger, tenantId, name);
    await untilAcknowledged(engine.ledger, tenantId, 4 * names.length);

    for (const name of names) {
      expect([name, kindsOf(receiver.takenOf(name))]).toEqual([name, STORY]);
      const sent = receiver.requests.filter(({ message }) => message.promiseId === name);
      const positions = sent.map(({ message }) => message.position);
      expect([name, positions]).toEqual([name, [...positions].sort((a, b) => a - b)]);
      const first = sent.filter(({ message }) => message.position === 1);
      // The same message each time, byte for byte, with its attempts counted.
      expect(new Set(first.map(({ body }) => body)).size).toBe(1);
      expect(first.map(({ attempt }) => attempt)).toEqual(first.map((_, index) => index + 1));
    }
    const attempts = new Map((await messages(engine.ledger, tenantId)).map((one) => [one.outcomeId, one]));
    expect(attempts.get('three-500s/1/activated')?.attempts).toBe(4);
    expect(attempts.get('late/1/activated')).toMatchObject({
      attempts: 2,
      acknowledgedBy: 'webhook: known already',
      lastError: null,
    });
    const said = workers.flatMap(({ output }) => output).join('');
    expect(said).toContain('answered 503: xxx');
    expect(said).not.toContain('x'.repeat(201));
    expect(said).not.toContain(KEY.slice(6));
    expect(said).not.toContain(SECRET.toString());
  },
  LONG_MS,
);

test(
  'of 100 promises whose server fails 30 % of all requests, every message arrives, each promise in its order',
  async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `R-${index + 1}`);
    const tenantId = await tenantWith(ids, hook());
    const die = dice(7);
    receiver.behave = () => {
      const fate = die.int(1, 100);
      if (fate <= 15) return { status: 503 };
      return fate <= 30 ? 'hang-up' : { status: 200, afterMs: die.int(0, 30) };
    };
    const beganMs = Date.now();
    for (const id of ids) await wholeStory(engine.ledger, tenantId, id);
    const toldMs = Date.now();
    await untilAcknowledged(engine.ledger, tenantId, 400, 120_000);
    process.stderr.write(
      `  400 messages: told in ${toldMs - beganMs} ms, acknowledged ${Date.now() - toldMs} ms later, ` +
        `${receiver.requests.length} requests\n`,
    );
    for (const id of ids) {
      expect([id, kindsOf(receiver.takenOf(id))]).toEqual([id, STORY]);
    }
    expect(receiver.requests.length).toBeGreaterThan(450);
    expect(await verified(engine.ledger, tenantId)).toEqual({ differences: [], waiting: 0 });
  },
  LONG_MS,
);

test(
  'what one settlement tells keeps the order of the life it tells of',
  async () => {
    const tenantId = await tenantWith(['S-1'], hook());
    const { ledger } = engine;
    await promise(ledger, tenantId, 'S-1');
    await pay(ledger, tenantId, 'S-1');
    await settlePromise(ledger, tenantId, 'S-1', Date.now());
    // Nobody settles between the two: one settlement reopens the promise and finds it kept again.
    await bounce(ledger, tenantId, 'S-1');
    await pay(ledger, tenantId, 'S-1', 'M-2');
    await settlePromise(ledger, tenantId, 'S-1', Date.now());
    await eventually(async () => receiver.takenOf('S-1').some((id) => id.endsWith('2/kept')), 'kept again');
    await untilAcknowledged(ledger, tenantId, receiver.taken.length);
    expect(kindsOf(receiver.taken)).toEqual(['activated', 'kept', 'reversed', 'reopened', 'kept']);
    expect(receiver.requests.map(({ message }) => message.revision)).toEqual(
      receiver.requests.map(({ message }) => message.revision).toSorted((a, b) => a - b),
    );
  },
  LONG_MS,
);

test(
  'a system that takes nothing holds up its own tenant only; what waits is no loss to the sweep or to verify',
  async () => {
    const { ledger } = engine;
    const deaf = await tenantWith(['D-1', 'D-2'], hook({ url: `${receiver.url}/deaf` }));
    const other = await Receiver.open();
    try {
      const well = await tenantWith(['W-1'], hook({ url: other.url }));
      receiver.behave = () => ({ status: 500 });
      await wholeStory(ledger, deaf, 'D-1');
      await wholeStory(ledger, deaf, 'D-2');
      await wholeStory(ledger, well, 'W-1');
      await untilAcknowledged(ledger, well, 4);
      expect(kindsOf(other.taken)).toEqual(STORY);
      expect(other.requests.every(({ message }) => message.tenantId === well)).toBe(true);

      expect(await verified(ledger, deaf)).toEqual({ differences: [], waiting: 2 });
      const waiting = await messages(ledger, deaf, true);
      expect(waiting).toHaveLength(8);
      expect(waiting.find(({ outcomeId }) => outcomeId === 'D-1/1/kept')?.attempts).toBe(0);
      expect(waiting.find(({ outcomeId }) => outcomeId === 'D-1/1/activated')?.lastError).toBe(
        'answered 500',
      );
      // The tenants' own sessions see their own messages only.
      expect(
        await ledger.forTenant(well, (tx) => rows(tx, 'select 1 from outside_message', {})),
      ).toHaveLength(4);
      const ever = { from: new Date(0), to: new Date(Date.now() + 1000) };
      expect(await ledger.forSystem((tx) => unheardOutcomes(tx, ever, 100))).toEqual([]);
    } finally {
      await other.close();
    }
  },
  LONG_MS,
);

test(
  'without the key in the worker nothing is sent, and the reason is shown',
  async () => {
    const tenantId = await tenantWith(['K-1'], hook({ secretEnv: 'NO_SUCH_KEY' }));
    await promise(engine.ledger, tenantId, 'K-1');
    const waiting = await eventually(async () => {
      const [one] = await messages(engine.ledger, tenantId, true);
      return one?.lastError == null ? undefined : one;
    }, 'a failure');
    expect(waiting.lastError).toBe('The worker has no environment variable NO_SUCH_KEY to sign with');
    expect(receiver.requests).toEqual([]);
  },
  LONG_MS,
);
