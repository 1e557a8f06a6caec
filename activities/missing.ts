import { getClient, heartbeat } from '@temporalio/activity';
import { openCases } from '../src/ledger/collections/cases';
import { reviewAll } from '../src/ledger/outbox';
import { countOpen, openPromises } from '../src/ledger/promises/open-promises';
import { restartCase } from '../src/temporal/tell';
import type { ActivityDeps } from './deps';

const PAGE = 1000;
const MOST_CASES = 100_000;

type WorkflowType = 'promiseToPay' | 'collections';

// Others may share the namespace: what runs for us is on our task queue.
function running(type: WorkflowType, taskQueue: string): string {
  return `WorkflowType = '${type}' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
}

async function runningIds(type: WorkflowType, taskQueue: string): Promise<Set<string>> {
  const ids = new Set<string>();
  const query = running(type, taskQueue);
  for await (const info of getClient().workflow.list({ query, pageSize: PAGE })) {
    ids.add(info.workflowId);
    if (ids.size % PAGE === 0) heartbeat(type);
  }
  return ids;
}

/**
 * Has every open promise looked at whose workflow does not run. Counting is cheap on both sides; only when the counts
 * say that something is missing are the ids compared.
 * @param quietSince promises to which something was sent since then are left alone: their workflow may be starting.
 * @returns how many were missing.
 */
export async function repairPromises({ ledger, taskQueue }: ActivityDeps, quietSince: Date): Promise<number> {
  const { count } = await getClient().workflow.count(running('promiseToPay', taskQueue));
  if (count >= (await ledger.forSystem(countOpen))) return 0;
  const found = await runningIds('promiseToPay', taskQueue);
  let repaired = 0;
  let after = { tenantId: '', promiseId: '' };
  for (;;) {
    const page = await ledger.forSystem((tx) => openPromises(tx, after, PAGE, { quietSince }));
    const missing = page.filter((promise) => !found.has(promise.workflowId));
    repaired += await ledger.forSystem((tx) => reviewAll(tx, missing));
    const last = page.at(-1);
    if (last === undefined) return repaired;
    after = last;
    heartbeat('open promises');
  }
}

/** Takes up every open case again whose workflow does not run. @returns how many were missing. */
export async function repairCases({ ledger, taskQueue }: ActivityDeps, openedBefore: Date): Promise<number> {
  const open = await ledger.forSystem((tx) => openCases(tx, openedBefore, MOST_CASES));
  const { count } = await getClient().workflow.count(running('collections', taskQueue));
  if (count >= open.length) return 0;
  const found = await runningIds('collections', taskQueue);
  const missing = open.filter((one) => !found.has(one.workflowId));
  for (const one of missing) await restartCase(getClient().workflow, taskQueue, one);
  return missing.length;
}
