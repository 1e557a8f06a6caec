import { setTimeout as sleep } from 'node:timers/promises';
import { temporal } from '@temporalio/proto';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time';
import { TrothError } from '../platform/errors';
import { SEARCH_ATTRIBUTES } from './attributes';
import { connectClient, type TemporalTarget } from './connection';

const RETENTION_DAYS = 30;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

const { IndexedValueType } = temporal.api.enums.v1;
const INDEXED = {
  [SearchAttributeType.KEYWORD]: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  [SearchAttributeType.DATETIME]: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const;

/**
 * Makes a Temporal ready for Troth: the namespace and the search attributes, each only if it is missing. Where we may
 * not (Temporal Cloud manages both elsewhere) what exists is used; docs/operations.md lists what to create.
 * @throws TrothError UNAVAILABLE when Temporal cannot be reached.
 */
export async function prepareTemporal(target?: TemporalTarget): Promise<void> {
  const { client, namespace, close } = await connectClient(target);
  try {
    await ensureNamespace(client, namespace);
    await ensureSearchAttributes(client, namespace);
    await assertNamespace(client, namespace);
  } finally {
    await close();
  }
}

function grpcCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

async function ensureNamespace(client: Client, namespace: string): Promise<void> {
  try {
    await client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(`${RETENTION_DAYS} days`),
    });
  } catch (error) {
    const code = grpcCode(error);
    if (code !== ALREADY_EXISTS && code !== PERMISSION_DENIED && code !== UNIMPLEMENTED) throw error;
  }
}

async function assertNamespace(client: Client, namespace: string): Promise<void> {
  try {
    await client.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (grpcCode(error) !== NOT_FOUND) throw error;
    const message = `Temporal has no namespace "${namespace}" and does not let us make it; create it, or set TEMPORAL_NAMESPACE`;
    throw new TrothError('UNAVAILABLE', message, { cause: error });
  }
}

const TRIES = 60;
const WAIT_MS = 250;

// A new namespace is known to every part of the server only after a moment.
async function ensureSearchAttributes(client: Client, namespace: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
        namespace,
      });
      const missing = SEARCH_ATTRIBUTES.filter((key) => !(key.name in customAttributes));
      if (missing.length === 0) return;
      await client.connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((key) => [key.name, INDEXED[key.type]])),
      });
    } catch (error) {
      const code = grpcCode(error);
      if (code === PERMISSION_DENIED || code === UNIMPLEMENTED) return;
      if (code !== ALREADY_EXISTS && attempt >= TRIES) throw error;
    }
    await sleep(WAIT_MS);
  }
}

/** Makes sure that the sweep of a task queue runs every minute. */
export async function ensureSweep(client: Client, taskQueue: string): Promise<void> {
  const sweepId = `troth-sweep/${taskQueue}`;
  try {
    await client.schedule.create({
      scheduleId: sweepId,
      spec: { intervals: [{ every: '1m' }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1m' },
      action: {
        type: 'startWorkflow',
        workflowType: 'sweep',
        workflowId: sweepId,
        taskQueue,
        workflowExecutionTimeout: '10m',
        staticSummary: 'Finds what fell between ledger and Temporal, and repairs it',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
