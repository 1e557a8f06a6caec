import { proxyActivities } from '@temporalio/workflow';
import type { createActivities, SweepReport } from '../activities';

// A sweep reads a page of everything and repairs what it finds; the next one comes in a minute, so few tries suffice.
const { sweepLedger } = proxyActivities<ReturnType<typeof createActivities>>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '30s',
  retry: { maximumAttempts: 3 },
});

/** Finds what fell between ledger and Temporal, and repairs it. Run by a Temporal Schedule. */
export async function sweep(): Promise<SweepReport> {
  return sweepLedger();
}
