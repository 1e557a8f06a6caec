import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { grpc } from '@temporalio/proto';
import { TrothError, messageOf } from '../platform/errors';
import type { Child } from './machine/processes';
import { lastLines } from './machine/processes';

const READY_LIMIT_MS = 90_000;
const POLL_MS = 100;
const NOT_FOUND = 5;
const { SERVING } = grpc.health.v1.HealthCheckResponse.ServingStatus;
/** Exists on every server from its first moment on. */
const SYSTEM_NAMESPACE = 'temporal-system';

/**
 * Waits until a server of ours really works: health says SERVING, and a history and a matching shard answer.
 * Health alone comes seconds before workflows can be started.
 * @throws TrothError LOCAL_START when the server ends or does not get ready in 90 s.
 */
export async function waitUntilReady(
  address: string,
  child: Child,
  logFile: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS;
  let last: unknown;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (!child.alive()) {
      throw new TrothError(
        'LOCAL_START',
        `Temporal ended while it started. The end of ${logFile}:\n${lastLines(logFile, 6)}`,
      );
    }
    try {
      await probe(address);
      return;
    } catch (error) {
      last = error;
      await sleep(POLL_MS);
    }
  }
  throw new TrothError(
    'LOCAL_START',
    `Temporal at ${address} was not ready within ${READY_LIMIT_MS / 1_000} s (${messageOf(last)}). Its log: ${logFile}`,
  );
}

async function probe(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    const health = await connection.healthService.check({
      service: 'temporal.api.workflowservice.v1.WorkflowService',
    });
    if (health.status !== SERVING) throw new Error('not serving yet');
    const namespace = SYSTEM_NAMESPACE;
    await connection.workflowService.describeNamespace({ namespace });
    await connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: 'troth-readiness' } });
    await connection.workflowService
      .describeWorkflowExecution({ namespace, execution: { workflowId: 'troth-readiness' } })
      .catch((error: unknown) => {
        const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
        if (code !== NOT_FOUND) throw error;
      });
  } finally {
    await connection.close();
  }
}
