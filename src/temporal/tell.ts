import type { WorkflowClient } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { CaseKey } from '../ledger/collections/case-key';
import type { OutcomeMessage } from '../ledger/outbox';
import { collectionsWorkflowId } from '../platform/ids';
import type { CaseCarriedOver, Collections } from '../../workflows/messages';
import { ACCOUNT, DEBT_CLASS, STATUS, TENANT } from './attributes';

const SIGNALS = {
  activated: 'promiseActivated',
  kept: 'promiseKept',
  broken: 'promiseBroken',
  cancelled: 'promiseCancelled',
  missed: 'promiseMissed',
  amended: 'promiseAmended',
  reopened: 'promiseReopened',
  reversed: 'paymentReversed',
} as const;

/**
 * Tells the collections case of an account what a promise came to, starting the case if none runs. Delivered at least
 * once; the case dedupes by outcome id.
 */
export async function tellCollections(
  client: WorkflowClient,
  taskQueue: string,
  message: OutcomeMessage,
): Promise<void> {
  const { outcomeId, tenantId, accountId, debtClass, promiseId, revision, kind, reason, at } = message;
  await client.signalWithStart<Collections, [OutcomeMessage]>('collections', {
    ...startOptions(taskQueue, message),
    signal: SIGNALS[kind],
    signalArgs: [{ outcomeId, tenantId, accountId, debtClass, promiseId, revision, kind, reason, at }],
  });
}

/** Has the case of a debt look at the ledger again, starting it if none runs. */
export async function wakeCase(client: WorkflowClient, taskQueue: string, key: CaseKey): Promise<void> {
  await client.signalWithStart<Collections>('collections', {
    ...startOptions(taskQueue, key),
    signal: 'debtChanged',
    signalArgs: [],
  });
}

/** Takes an open case up again whose workflow has gone. */
export async function restartCase(client: WorkflowClient, taskQueue: string, key: CaseKey): Promise<void> {
  const { args, ...options } = startOptions(taskQueue, key);
  await client.start<Collections>('collections', {
    ...options,
    args: [{ ...args[0], reload: true }],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
}

function startOptions(taskQueue: string, { tenantId, accountId, debtClass }: CaseKey) {
  const args: [CaseCarriedOver] = [{ tenantId, accountId, debtClass }];
  return {
    workflowId: collectionsWorkflowId(tenantId, accountId, debtClass),
    taskQueue,
    args,
    staticSummary: `Collections case, ${debtClass}`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: TENANT, value: tenantId },
      { key: ACCOUNT, value: accountId },
      { key: DEBT_CLASS, value: debtClass },
      { key: STATUS, value: 'open' },
    ]),
  };
}
