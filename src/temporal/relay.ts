import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowClient,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { PromiseToPay } from '../../workflows/messages';
import type { Ledger } from '../ledger/connection';
import { claim, delivered, postpone, type ClaimedRow, type OutcomeMessage } from '../ledger/outbox';
import { handOver } from '../ledger/collections/outside';
import { invariant, messageOf } from '../platform/errors';
import type { Log } from '../platform/log';
import { faultPoint } from '../platform/faults';
import { startLoop, type Loop } from '../platform/loop';
import { ACCOUNT, DEBT_CLASS, NEXT_JUDGE_AT, STATUS, TENANT } from './attributes';
import { described } from './described';
import { tellCollections } from './tell';

const BATCH = 200;
const CONCURRENT = 25;
const IDLE_MS = 200;
const AFTER_ERROR_MS = 1000;
const DEADLINE_MS = 10_000;

/**
 * Delivers the outbox to Temporal, for ever: claims what waits, delivers it, marks it. Several relays share the work;
 * a message is delivered at least once, in the order written, and every receiver is idempotent.
 */
export function startRelay(deps: {
  ledger: Ledger;
  client: WorkflowClient;
  taskQueue: string;
  log: Log;
}): Loop {
  const { log } = deps;
  const timing = { idleMs: IDLE_MS, afterErrorMs: AFTER_ERROR_MS };
  const round = async (): Promise<boolean> => (await relayBatch(deps)) >= BATCH;
  return startLoop(round, { ...timing, log, onError: 'relay waits for the ledger' });
}

/** Delivers one batch. @returns how many messages were claimed. */
export async function relayBatch(deps: {
  ledger: Ledger;
  client: WorkflowClient;
  taskQueue: string;
  log: Log;
}): Promise<number> {
  const claimed = await deps.ledger.forSystem((tx) => claim(tx, BATCH));
  if (claimed.length === 0) return 0;
  const isTelling = claimed.some(({ kind }) => kind === 'outcome');
  if (isTelling) await faultPoint('outcome-claimed');
  const done: number[] = [];
  const failed: { message: ClaimedRow; error: string }[] = [];
  const inside = claimed.filter((message) => !message.outside);
  const busy: ClaimedRow[] = [];
  try {
    busy.push(
      ...(await toOutside(
        deps.ledger,
        claimed.filter(({ outside }) => outside),
      )),
    );
  } catch (error) {
    failed.push(
      ...claimed.filter(({ outside }) => outside).map((message) => ({ message, error: messageOf(error) })),
    );
  }
  await inLanes(inside, async (lane) => {
    for (const [index, message] of lane.entries()) {
      try {
        await deps.client.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
          deliver(deps.client, deps.taskQueue, message),
        );
        done.push(message.outboxId);
      } catch (error) {
        // Later messages of the same promise wait their turn.
        failed.push(...lane.slice(index).map((left) => ({ message: left, error: messageOf(error) })));
        return;
      }
    }
  });
  if (isTelling) await faultPoint('outcome-signalled');
  await deps.ledger.forSystem(async (tx) => {
    await delivered(tx, done);
    for (const { message, error } of failed) await postpone(tx, message, error);
    for (const message of busy) await postpone(tx, message, 'its promise was being settled');
  });
  if (failed.length > 0) {
    deps.log.warn({ failed: failed.length, error: failed[0]?.error }, 'relay could not deliver; tries again');
  }
  return claimed.length;
}

/** Hands messages over to a system outside. @returns those whose promise is being settled: their turn comes after it. */
async function toOutside(ledger: Ledger, messages: readonly ClaimedRow[]): Promise<ClaimedRow[]> {
  const done = await ledger.forSystem((tx) => handOver(tx, messages));
  const keys = new Set(done.map(({ tenantId, promiseId }) => `${tenantId}/${promiseId}`));
  return messages.filter(({ tenantId, promiseId }) => !keys.has(`${tenantId}/${promiseId}`));
}

/** Works on many promises at once, oldest first, and on the messages of one promise one after the other. */
async function inLanes(
  messages: readonly ClaimedRow[],
  work: (lane: readonly ClaimedRow[]) => Promise<void>,
): Promise<void> {
  const lanes = new Map<string, ClaimedRow[]>();
  for (const message of messages) {
    const key = `${message.tenantId}/${message.promiseId}`;
    const lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, [message]);
    else lane.push(message);
  }
  const waiting = [...lanes.values()].reverse();
  const runner = async (): Promise<void> => {
    for (let lane = waiting.pop(); lane !== undefined; lane = waiting.pop()) await work(lane);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT, waiting.length) }, runner));
}

async function deliver(client: WorkflowClient, taskQueue: string, message: ClaimedRow): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(client, taskQueue, message);
    case 'review':
      return review(client, taskQueue, message);
    case 'clock':
      return moveClock(client, message);
    case 'outcome':
    case 'activated':
    case 'notice':
      return tellCollections(client, taskQueue, outcomeOf(message));
  }
}

function outcomeOf(message: ClaimedRow): OutcomeMessage {
  const payload = message.payload as OutcomeMessage;
  invariant(typeof payload.outcomeId === 'string', `Outbox row ${message.outboxId} holds no outcome`);
  return payload;
}

async function start(client: WorkflowClient, taskQueue: string, message: ClaimedRow): Promise<void> {
  if (message.status !== 'active' && message.status !== 'pending') return; // ended before its workflow ever started
  try {
    await client.start<PromiseToPay>('promiseToPay', {
      ...startOptions(taskQueue, message, message.nextJudgeAtMs),
      // A sandbox can be emptied and its story told again under the same ids.
      workflowIdReusePolicy: message.sandbox ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

// Wakes the workflow, or starts it again: after a promise was reopened, or when its workflow has gone.
async function review(client: WorkflowClient, taskQueue: string, message: ClaimedRow): Promise<void> {
  await client.signalWithStart<PromiseToPay>('promiseToPay', {
    ...startOptions(taskQueue, message, null),
    signal: 'paymentPosted',
    signalArgs: [],
  });
}

async function moveClock(client: WorkflowClient, message: ClaimedRow): Promise<void> {
  try {
    await client.getHandle(message.workflowId).signal('clockMoved', { clockOffsetMs: message.clockOffsetMs });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error; // it has ended, or the sweep will start it
  }
}

function startOptions(taskQueue: string, message: ClaimedRow, nextJudgeAtMs: number | null) {
  const { tenantId, promiseId, workflowId, accountId, debtClass, clockOffsetMs, revision, agreed } = message;
  const isPending = message.status === 'pending';
  const known = { promiseId, tenantId, nextJudgeAtMs, clockOffsetMs, revision };
  const args: Parameters<PromiseToPay> = [isPending ? { ...known, pending: true } : known];
  const judgeAt = message.nextJudgeAtMs;
  return {
    workflowId,
    taskQueue,
    args,
    ...described(agreed, judgeAt),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: TENANT, value: tenantId },
      { key: ACCOUNT, value: accountId },
      { key: STATUS, value: isPending ? 'pending' : 'active' },
      { key: DEBT_CLASS, value: debtClass },
      ...(judgeAt === null ? [] : [{ key: NEXT_JUDGE_AT, value: new Date(judgeAt) }]),
    ]),
  };
}
