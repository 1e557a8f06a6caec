/**
 * Goal: outcomes reach a system outside as files and as signals to its own workflow, too; a worker that is killed loses
 * none; and what nobody has acknowledged follows the target when that is changed.
 * Method: workers of the product, a folder, a real HTTP server, and workflows of a type that nobody works on, so that
 * their histories show what they were sent.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import type { OutsideMessage } from '../../src/collections/outside/message';
import { outcomesOfCase } from '../../src/ledger/collections/cases';
import { rows } from '../../src/ledger/connection';
import { resendOutside } from '../../src/ledger/collections/outside';
import { redeliver } from '../../src/ledger/collections/cases';
import { epochMs } from '../../src/rules/calendar';
import {
  createEngine,
  eventually,
  makeTenant,
  startWorker,
  type Engine,
  type WorkerProcess,
} from '../support/engine';
import { verified } from './checks';
import { Receiver } from './receiver';
import { age, aim, BEGINS, kindsOf, messages, promise, STORY, untilAcknowledged, wholeStory } from './story';

const LONG_MS = 180_000;

let engine: Engine;
let worker: WorkerProcess;
const folder = mkdtempSync(join(tmpdir(), 'troth-outside-'));

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function tenantWith(accounts: readonly string[], target: object): Promise<string> {
  const tenantId = await makeTenant(engine.ledger, { begins: BEGINS, accounts });
  await aim(engine.ledger, tenantId, target);
  return tenantId;
}

/** What a receiver takes: what is still being written has another name. */
const filesOf = (tenantId: string): string[] => {
  try {
    return readdirSync(join(folder, tenantId))
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch {
    return [];
  }
};
const by = { actor: 'test', atMs: epochMs(0) };

test(
  'files: one for each message, whole, under names in the order of the promise',
  async () => {
    const tenantId = await tenantWith(['F-1'], { kind: 'file', folder, acknowledge: 'written' });
    await wholeStory(engine.ledger, tenantId, 'F-1');
    await untilAcknowledged(engine.ledger, tenantId, 4);
    const names = filesOf(tenantId);
    expect(names).toEqual([
      '000001-F-1~1~activated.json',
      '000002-F-1~1~kept.json',
      expect.stringMatching(/^000003-F-1~reversed~.*\.json$/),
      expect.stringMatching(/^000004-F-1~reopened~.*\.json$/),
    ]);
    const text = readFileSync(join(folder, tenantId, '000002-F-1~1~kept.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      form: 1,
      position: 2,
      outcomeId: 'F-1/1/kept',
      accountId: 'F-1',
    });
    // Sent once more by hand, it is the same file again.
    await engine.ledger.forTenant(tenantId, (tx) => resendOutside(tx, tenantId, 'F-1/1/kept', by));
    await untilAcknowledged(engine.ledger, tenantId, 4);
    expect(readFileSync(join(folder, tenantId, '000002-F-1~1~kept.json'), 'utf8')).toBe(text);
    expect(filesOf(tenantId)).toEqual(names);
  },
  LONG_MS,
);

test(
  'files acknowledged by file: the next one waits for NAME.ack, and what is not acknowledged is written again',
  async () => {
    const target = { kind: 'file', folder, acknowledge: 'by-file', resendAfterMinutes: 30 };
    const tenantId = await tenantWith(['G-1', 'G-2'], target);
    await wholeStory(engine.ledger, tenantId, 'G-1');
    await promise(engine.ledger, tenantId, 'G-2');
    const path = (name: string): string => join(folder, tenantId, name);
    const first = '000001-G-1~1~activated.json';
    await eventually(
      async () => filesOf(tenantId).length === 2,
      'the first message of each promise',
      LONG_MS / 2,
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(filesOf(tenantId)).toEqual([first, '000001-G-2~1~activated.json']);

    // The receiver lost it. Before its time nothing happens, then it is there again.
    rmSync(path(first));
    await age(engine.ledger, tenantId, 10);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(filesOf(tenantId)).not.toContain(first);
    await age(engine.ledger, tenantId, 30);
    await eventually(async () => filesOf(tenantId).includes(first), 'it is written again');
    const found = (await messages(engine.ledger, tenantId)).find(
      ({ outcomeId }) => outcomeId === 'G-1/1/activated',
    );
    expect(found).toMatchObject({ attempts: 2, acknowledgedAt: null });

    const done = new Set<string>();
    await eventually(async () => {
      for (const name of filesOf(tenantId).filter((one) => !done.has(one))) {
        writeFileSync(`${path(name)}.ack`, '');
        done.add(name);
      }
      return (await messages(engine.ledger, tenantId, true)).length === 0;
    }, 'all are acknowledged');
    expect(
      kindsOf([...done].filter((name) => name.includes('G-1')).map((name) => name.replaceAll('~', '/'))),
    ).toEqual(STORY);
    // An old sign does not acknowledge what is sent once more.
    await engine.ledger.forTenant(tenantId, (tx) => resendOutside(tx, tenantId, 'G-2/1/activated', by));
    await eventually(
      async () => (await messages(engine.ledger, tenantId, true))[0]?.sentAt != null,
      'sent again',
    );
    expect(readdirSync(join(folder, tenantId))).not.toContain('000001-G-2~1~activated.json.ack');
    writeFileSync(path('000001-G-2~1~activated.json.ack'), '');
    await untilAcknowledged(engine.ledger, tenantId, 5);
  },
  LONG_MS,
);

test(
  'a folder that is not there is an error that shows, not a folder that is made',
  async () => {
    const target = { kind: 'file', folder: join(folder, 'not', 'mounted'), acknowledge: 'written' };
    const tenantId = await tenantWith(['N-1'], target);
    await promise(engine.ledger, tenantId, 'N-1');
    await eventually(async () => (await messages(engine.ledger, tenantId))[0]?.lastError != null, 'an error');
    expect((await messages(engine.ledger, tenantId))[0]?.lastError).toContain('ENOENT');
  },
  LONG_MS,
);

/** The signals in the history of a workflow that nobody works on. */
async function signalsOf(workflowId: string): Promise<{ name: string; message: OutsideMessage }[]> {
  const history = await engine.client.workflow.getHandle(workflowId).fetchHistory();
  return (history.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const payload = signal?.input?.payloads?.[0];
    if (payload == null) return [];
    return [
      {
        name: signal?.signalName ?? '',
        message: defaultPayloadConverter.fromPayload<OutsideMessage>(payload),
      },
    ];
  });
}

test(
  "the utility's own workflow is started and signalled, one for each debt",
  async () => {
    const target = {
      ...{ kind: 'workflow', workflowType: 'dunning', taskQueue: `own-${engine.taskQueue}` },
      ...{ workflowId: 'dunning/{tenant}/{accountId}/{debtClass}', signal: 'promiseOutcome' },
    };
    const tenantId = await tenantWith(['T-1', 'T-2'], target);
    await wholeStory(engine.ledger, tenantId, 'T-1');
    await promise(engine.ledger, tenantId, 'T-2');
    await untilAcknowledged(engine.ledger, tenantId, 5);
    const signals = await signalsOf(`dunning/${tenantId}/T-1/water`);
    expect(signals.map(({ name, message }) => [name, message.kind])).toEqual(
      STORY.map((kind) => ['promiseOutcome', kind]),
    );
    expect(signals[1]?.message).toMatchObject({ form: 1, outcomeId: 'T-1/1/kept', position: 2, tenantId });
    expect(await signalsOf(`dunning/${tenantId}/T-2/water`)).toHaveLength(1);
    const started = await engine.client.workflow.getHandle(`dunning/${tenantId}/T-2/water`).describe();
    expect([started.type, started.taskQueue]).toEqual(['dunning', `own-${engine.taskQueue}`]);
    for (const account of ['T-1', 'T-2']) {
      await engine.client.workflow.getHandle(`dunning/${tenantId}/${account}/water`).terminate();
    }
  },
  LONG_MS,
);

test(
  'a worker killed in the middle of sending loses nothing: what it had claimed is sent again',
  async () => {
    const receiver = await Receiver.open();
    try {
      const ids = Array.from({ length: 20 }, (_, index) => `K-${index + 1}`);
      const tenantId = await tenantWith(ids, { kind: 'webhook', url: receiver.url, timeoutSeconds: 2 });
      receiver.behave = () => ({ status: 200, afterMs: 200 });
      for (const id of ids) await wholeStory(engine.ledger, tenantId, id);
      await eventually(async () => receiver.taken.length >= 15, '15 messages');
      await worker.stop('SIGKILL');
      const taken = receiver.taken.length;
      expect(taken).toBeLessThan(80);
      worker = await startWorker(engine.workerEnv);
      await untilAcknowledged(engine.ledger, tenantId, 80, 120_000);
      for (const id of ids) expect([id, kindsOf(receiver.takenOf(id))]).toEqual([id, STORY]);
      // Twice at most: those that were on their way when it was killed.
      expect(receiver.requests.length).toBeLessThanOrEqual(80 + 10);
      process.stderr.write(
        `  killed after ${taken} of 80 messages, ${receiver.requests.length} requests in all\n`,
      );
    } finally {
      await receiver.close();
    }
  },
  LONG_MS,
);

test(
  'what nobody has acknowledged follows the target: to another system, and back to our own collections',
  async () => {
    const receiver = await Receiver.open();
    const { ledger } = engine;
    try {
      const tenantId = await tenantWith(['S-1', 'S-2'], { kind: 'webhook', url: receiver.url });
      receiver.behave = ({ message }) => ({ status: message.promiseId === 'S-2' ? 500 : 200 });
      await wholeStory(ledger, tenantId, 'S-1');
      await wholeStory(ledger, tenantId, 'S-2');
      await eventually(async () => receiver.requests.length > 5, 'S-2 was tried');
      await eventually(async () => {
        const all = await messages(ledger, tenantId);
        return all.length === 8 && all.filter(({ acknowledgedAt }) => acknowledgedAt === null).length === 4;
      }, 'S-1 was taken, and all of S-2 waits');
      const file = { kind: 'file', folder, acknowledge: 'by-file' };
      expect(await aim(ledger, tenantId, file)).toMatchObject({ result: 'set', version: 2, redirected: 4 });
      expect(await aim(ledger, tenantId, file)).toEqual({
        ...{ result: 'unchanged', version: 2, redirected: 0 },
        target: { ...file, resendAfterMinutes: 60 },
      });
      await eventually(async () => filesOf(tenantId).length === 1, 'S-2 as a file');
      expect(filesOf(tenantId)).toEqual(['000001-S-2~1~activated.json']);

      expect(await aim(ledger, tenantId, { kind: 'troth' })).toMatchObject({ version: 3, redirected: 4 });
      await untilAcknowledged(ledger, tenantId, 8);
      const key = { tenantId, accountId: 'S-2', debtClass: 'water' };
      const heard = await eventually(async () => {
        const outcomes = await ledger.forTenant(tenantId, (tx) => outcomesOfCase(tx, key));
        return outcomes.length >= 3 ? outcomes : undefined;
      }, 'the case of S-2');
      // No case was open when the activation could be told.
      expect(heard.map(({ kind }) => kind)).toEqual(['kept', 'reversed', 'reopened']);
      const told = new Map(
        (await messages(ledger, tenantId)).map((one) => [one.outcomeId, one.acknowledgedBy]),
      );
      expect([told.get('S-1/1/kept'), told.get('S-2/1/kept'), told.get('S-2/1/activated')]).toEqual([
        ...['webhook', 'troth', 'troth: no case is open'],
      ]);
      expect(
        await ledger.forTenant(tenantId, (tx) => outcomesOfCase(tx, { ...key, accountId: 'S-1' })),
      ).toEqual([]);
      expect(await verified(ledger, tenantId)).toEqual({ differences: [], waiting: 0 });
    } finally {
      await receiver.close();
    }
  },
  LONG_MS,
);

test(
  'an outbox that is delivered once more gives no second message',
  async () => {
    const tenantId = await tenantWith(['O-1'], { kind: 'file', folder, acknowledge: 'written' });
    await wholeStory(engine.ledger, tenantId, 'O-1');
    await untilAcknowledged(engine.ledger, tenantId, 4);
    const names = filesOf(tenantId);
    await engine.ledger.forTenant(tenantId, async (tx) => {
      const all = await rows<{ id: number }>(tx, 'select outbox_id as id from outbox', {});
      await redeliver(
        tx,
        all.map(({ id }) => id),
      );
    });
    await eventually(
      async () =>
        (
          await engine.ledger.forTenant(tenantId, (tx) =>
            rows(tx, 'select 1 from outbox where delivered_at is null', {}),
          )
        ).length === 0,
      'delivered again',
    );
    await untilAcknowledged(engine.ledger, tenantId, 4);
    expect(filesOf(tenantId)).toEqual(names);
  },
  LONG_MS,
);
