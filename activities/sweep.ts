import { heartbeat } from '@temporalio/activity';
import { redeliver } from '../src/ledger/collections/cases';
import { forgetDelivered, reviewAll } from '../src/ledger/outbox';
import { overduePromises } from '../src/ledger/promises/open-promises';
import { unheardOutcomes } from '../src/ledger/collections/outside';
import { asActivity } from './failures';
import type { ActivityDeps } from './deps';
import { repairCases, repairPromises } from './missing';

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

/** What the sweep asks of ledger and Temporal. */
export function sweepActivities(deps: ActivityDeps) {
  const { ledger, log } = deps;
  return {
    /**
     * Finds promises past their judge time without a verdict, outcomes that no case recorded, and workflows that are
     * missing; each gets a message in the outbox, and the relay does the rest. Idempotent.
     */
    async sweepLedger(): Promise<SweepReport> {
      return asActivity(async () => {
        const now = Date.now();
        const ago = (ms: number): Date => new Date(now - ms);
        const overdue = await ledger.forSystem(async (tx) =>
          reviewAll(tx, await overduePromises(tx, now, OVERDUE_MS, PAGE)),
        );
        heartbeat('overdue');
        const unreceived = await ledger.forSystem(async (tx) => {
          const between = { from: ago(UNRECEIVED_UNTIL_MS), to: ago(UNRECEIVED_AFTER_MS) };
          const lost = await unheardOutcomes(tx, between, PAGE);
          const ids = lost.map((outcome) => outcome.outboxId);
          await redeliver(tx, ids);
          return lost.length;
        });
        heartbeat('unreceived');
        const missing = await repairPromises(deps, ago(SETTLING_IN_MS));
        const missingCases = await repairCases(deps, ago(SETTLING_IN_MS));
        const forgotten = await ledger.forSystem((tx) => forgetDelivered(tx, ago(FORGET_AFTER_MS)));
        const report = { overdue, missing, unreceived, missingCases, forgotten };
        if (overdue + missing + unreceived + missingCases > 0) log.warn(report, 'sweep repaired');
        return report;
      });
    },
  };
}
