/**
 * Goal: a message is signed as Standard Webhooks has it, and one system outside that answers nonsense, hangs or cannot store a file costs its own messages time and nothing else.
 * Method: the sender itself, without a worker and without Temporal, on a real ledger, real HTTP servers and real folders.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection, WorkflowClient } from '@temporalio/client';
import { putMessage } from '../../src/collections/outside/file';
import { keysOf, signatureOf, webhookId } from '../../src/collections/outside/message';
import { putAccounts } from '../../src/ledger/accounts';
import { handOver, type ClaimedMessage, type OutsidePayload } from '../../src/ledger/collections/outside';
import { loadConfig } from '../../src/platform/config';
import { createLog } from '../../src/platform/log';
import type { FileTarget } from '../../src/rules/collections/outside';
import { startOutside } from '../../src/temporal/outside';
import { Place } from '../cis/place';
import { eventually } from '../support/engine';
import { Receiver } from './receiver';
import { aim, messages, promise } from './story';

const log = createLog({ ...loadConfig({}), logLevel: 'silent' }, 'test');

let place: Place;
let receiver: Receiver;
let connection: Connection;

beforeAll(async () => {
  place = await Place.open();
  receiver = await Receiver.open();
  connection = Connection.lazy({ address: '127.0.0.1:1' }); // nothing here goes to Temporal
});

afterAll(async () => {
  await connection.close();
  await receiver.close();
  await place.close();
});

/** A tenant with promises, each of which has one message waiting for a target. */
async function waiting(tenantId: string, target: object, ...ids: string[]): Promise<string> {
  await place.sandbox(tenantId);
  const account = { customerId: null, premiseId: null, debtClasses: ['water'] };
  await place.ledger.forTenant(tenantId, (tx) =>
    putAccounts(
      tx,
      tenantId,
      ids.map((accountId) => ({ ...account, accountId })),
    ),
  );
  await aim(place.ledger, tenantId, target);
  for (const id of ids) await promise(place.ledger, tenantId, id);
  await place.ledger.forSystem((tx) =>
    handOver(
      tx,
      ids.map((promiseId) => ({ tenantId, promiseId })),
    ),
  );
  return tenantId;
}

/** Sends while some work goes on. */
async function sending(work: () => Promise<void>): Promise<void> {
  const client = new WorkflowClient({ connection });
  const sender = startOutside({ ledger: place.ledger, client, taskQueue: 'none', log });
  try {
    await work();
  } finally {
    await sender.stop();
  }
}

test('an answer that no column can hold is recorded all the same, and the message put off', async () => {
  receiver.behave = () => ({ status: 500, body: 'a\u0000b\u001bc' });
  const tenantId = await waiting('binary', { kind: 'webhook', url: receiver.url }, 'B-1');
  await sending(async () => {
    const [one] = await eventually(async () => {
      const found = await messages(place.ledger, tenantId, true);
      return found[0]?.lastError === null ? undefined : found;
    }, 'the failure is recorded');
    expect(one?.lastError).toBe('answered 500: a b c');
  });
});

test('more tenants whose systems hang than are served side by side hold up no other', async () => {
  const deaf: Server = createServer(() => undefined); // takes every request, answers none
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
  try {
    for (let tenant = 1; tenant <= 22; tenant += 1) {
      const ids = Array.from({ length: 15 }, (_, index) => `D-${index}`);
      await waiting(`deaf-${tenant}`, { kind: 'webhook', url, timeoutSeconds: 2 }, ...ids);
    }
    receiver.behave = () => ({ status: 200 });
    const well = await waiting('well', { kind: 'webhook', url: receiver.url }, 'W-1');
    await sending(() =>
      eventually(
        async () => (await messages(place.ledger, well, true)).length === 0,
        'the other tenant is told',
        25_000,
      ).then(() => undefined),
    );
  } finally {
    deaf.closeAllConnections();
    await new Promise((resolve) => deaf.close(resolve));
  }
}, 240_000);

describe('signatures', () => {
  // The example that the libraries of Standard Webhooks are tested with.
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const sign = (secret: string): string =>
    signatureOf(
      ...([keysOf(secret) ?? [], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330] as const),
      '{"test": 2432232314}',
    );

  test('are those of the specification, one for each key', () => {
    expect(sign(SECRET)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    const [first, second, ...more] = sign(`whsec_${'QUJD'.repeat(16)} ${SECRET}`).split(' ');
    expect([second, ...more]).toEqual([sign(SECRET)]);
    expect(first).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
    expect(first).not.toBe(second);
  });

  test.each([
    ...[
      '',
      'hunter2',
      'whsec_',
      'whsec_hunter2',
      `whsec_${'QUJD'.repeat(32)}`,
      'postgresql://app:hunter2@db',
    ],
    `${SECRET} hunter2`,
  ])('%j is no key', (secret) => {
    expect(keysOf(secret)).toBeUndefined();
  });

  test('a key that is none is said, and not shown', async () => {
    receiver.behave = () => ({ status: 200 });
    const settings = { kind: 'webhook', url: receiver.url, secretEnv: 'TROTH_TEST_NO_KEY' };
    const tenantId = await waiting('keyless', settings, 'K-1');
    process.env['TROTH_TEST_NO_KEY'] = 'hunter2';
    const before = receiver.requests.length;
    try {
      await sending(async () => {
        const [one] = await eventually(async () => {
          const found = await messages(place.ledger, tenantId, true);
          return found[0]?.lastError === null ? undefined : found;
        }, 'the failure is recorded');
        expect(one?.lastError).toContain('environment variable TROTH_TEST_NO_KEY holds no key');
        expect(one?.lastError).not.toContain('hunter2');
      });
    } finally {
      delete process.env['TROTH_TEST_NO_KEY'];
    }
    expect(receiver.requests).toHaveLength(before);
  });

  test('ids tell tenants apart, and no dot makes what is signed ambiguous', () => {
    const payload = (tenantId: string, outcomeId: string) => ({
      payload: { tenantId, outcomeId } as OutsidePayload,
    });
    expect(webhookId(payload('riverton', 'P-1/1/broken'))).toBe('riverton/P-1/1/broken');
    expect(webhookId(payload('lakeside', 'P-1/1/broken'))).not.toBe(
      webhookId(payload('riverton', 'P-1/1/broken')),
    );
    expect(webhookId(payload('riverton', 'P.1/1/broken'))).toBe('riverton/P%2E1/1/broken');
  });
});

describe('files', () => {
  const message = (changes: Partial<ClaimedMessage> = {}): ClaimedMessage => ({
    ...{ outcomeId: 'P-1/1/kept', position: 1, attempts: 1, sentAtMs: null },
    payload: {
      ...{
        outcomeId: 'P-1/1/kept',
        tenantId: 'files',
        accountId: 'P-1',
        debtClass: 'water',
        promiseId: 'P-1',
      },
      ...{ revision: 1, kind: 'kept', reason: 'paid_in_full', at: '2026-01-05T13:00:00.000Z' },
      ...{ status: 'kept', sentence: null, installment: null, paymentId: null },
    },
    ...changes,
  });
  let target: FileTarget;

  beforeEach(() => {
    const folder = join(place.folder, `out-${Math.random().toString(36).slice(2)}`);
    mkdirSync(folder);
    target = { kind: 'file', folder, acknowledge: 'by-file', resendAfterMinutes: 60 };
  });

  const names = (): string[] => readdirSync(join(target.folder, 'files')).sort();

  test('what could not be put in its place leaves nothing behind, however often it is tried', async () => {
    await putMessage(target, message());
    const [name = ''] = names();
    rmSync(join(target.folder, 'files', name));
    mkdirSync(join(target.folder, 'files', name)); // a folder where the file should be
    expect(await putMessage(target, message())).toMatchObject({ kind: 'failed' });
    expect(await putMessage(target, message({ attempts: 2 }))).toMatchObject({ kind: 'failed' });
    expect(names()).toEqual([name]);
  });

  test('ids that a share takes for one have files of their own', async () => {
    await putMessage(target, message());
    await putMessage(target, message({ outcomeId: 'p-1/1/kept' }));
    expect(new Set(names().map((name) => name.toLowerCase())).size).toBe(2);
  });

  test('an old sign does not acknowledge a message whose sender died before it was written again', async () => {
    expect(await putMessage(target, message())).toMatchObject({ kind: 'sent', sentNow: true });
    const [name = ''] = names();
    writeFileSync(join(target.folder, 'files', `${name}.ack`), '');
    const sentAtMs = Date.now();
    expect(await putMessage(target, message({ attempts: 2, sentAtMs }))).toMatchObject({
      kind: 'acknowledged',
    });
    // Asked for once more; the first to try it was killed at once, so that this is the second attempt.
    rmSync(join(target.folder, 'files', name));
    expect(await putMessage(target, message({ attempts: 2 }))).toMatchObject({ kind: 'sent', sentNow: true });
    expect(JSON.parse(readFileSync(join(target.folder, 'files', name), 'utf8'))).toMatchObject({
      outcomeId: 'P-1/1/kept',
    });
    expect(names()).toEqual([name]);
  });
});
