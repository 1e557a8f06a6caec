import { getClient, heartbeat } from '@temporalio/activity';
import { openCases, redeliver, unreceivedOutcomes } from '../src/ledger/cases';
import { forgetDelivered, reviewAll } from '../src/ledger/outbox';
import { countOpen, openPromises, overduePromises } from '../src/ledger/promises';
import { restartCase } from '../src/temporal/tell';
import type { ActivityDeps } from './index';
import { asActivity } from './failures';

/** What a sweep found and set right. */
export interface SweepReport {
  readonly overdue: number;
  readonly missing: number;
  readonly unreceived: number;
  readonly missingCases: number;
  readonly forgotten: number;
}

const OVERDUE_MS = 60_000;
const UNRECEIVED_AFTER_MS = 60_000;
const UNRECEIVED_UNTIL_MS = 86_400_000;
const FORGET_AFTER_MS = 7 * 86_400_000;
const SETTLING_IN_MS = 60_000;
const PAGE = 1000;
const MOST_CASES = 100_000;

/** What the sweep asks of ledger and Temporal. */
export function sweepActivities({ ledger, log, taskQueue }: ActivityDeps) {
  return {
    /**
     * Finds promises past their judge time without a verdict, outcomes that no case recorded, and workflows that are
     * missing; each gets a message in the outbox, and the relay does the rest. Idempotent.
     */
    async sweepLedger(): Promise<SweepReport> {
      return asActivity(async () => {
        const now = Date.now();
        const overdue = await ledger.forSystem(async (tx) => {
          const late = await overduePromises(tx, now, OVERDUE_MS, PAGE);
          return reviewAll(tx, late);
        });
        heartbeat('overdue');
        const unreceived = await ledger.forSystem(async (tx) => {
          const between = {
            from: new Date(now - UNRECEIVED_UNTIL_MS),
            to: new Date(now - UNRECEIVED_AFTER_MS),
          };
          const lost = await unreceivedOutcomes(tx, between, PAGE);
          await redeliver(
            tx,
            lost.map((outcome) => outcome.outboxId),
          );
          return lost.length;
        });
        heartbeat('unreceived');
        const missing = await repairMissing(now);
        const missingCases = await repairMissingCases(now);
        const forgotten = await ledger.forSystem((tx) =>
          forgetDelivered(tx, new Date(now - FORGET_AFTER_MS)),
        );
        const report = { overdue, missing, unreceived, missingCases, forgotten };
        if (overdue + missing + unreceived + missingCases > 0) log.warn(report, 'sweep repaired');
        return report;
      });
    },
  };

  // Others may share the namespace: what runs for us is on our task queue.
  function running(type: 'promiseToPay' | 'collections'): string {
    return `WorkflowType = '${type}' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
  }

  async function runningIds(type: 'promiseToPay' | 'collections'): Promise<Set<string>> {
    const ids = new Set<string>();
    const query = running(type);
    for await (const info of getClient().workflow.list({ query, pageSize: PAGE })) {
      ids.add(info.workflowId);
      if (ids.size % PAGE === 0) heartbeat(type);
    }
    return ids;
  }

  // Counting is cheap on both sides; only when the counts say that something is missing are the ids compared.
  async function repairMissing(now: number): Promise<number> {
    const { count } = await getClient().workflow.count(running('promiseToPay'));
    if (count >= (await ledger.forSystem(countOpen))) return 0;
    const found = await runningIds('promiseToPay');
    const quietSince = new Date(now - SETTLING_IN_MS);
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

  async function repairMissingCases(now: number): Promise<number> {
    const open = await ledger.forSystem((tx) => openCases(tx, new Date(now - SETTLING_IN_MS), MOST_CASES));
    const { count } = await getClient().workflow.count(running('collections'));
    if (count >= open.length) return 0;
    const found = await runningIds('collections');
    const missing = open.filter((one) => !found.has(one.workflowId));
    for (const one of missing) await restartCase(getClient().workflow, taskQueue, one);
    return missing.length;
  }
}
