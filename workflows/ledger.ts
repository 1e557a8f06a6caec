import { proxyLocalActivities } from '@temporalio/workflow';
import type { createActivities } from '../activities';

// One short transaction each: a local activity costs one marker instead of three events. They retry for ever, since a
// promise must outlive any outage; waits over ten seconds become server timers, so a long outage stays quiet.
export const ledger = proxyLocalActivities<ReturnType<typeof createActivities>>({
  startToCloseTimeout: '5s',
  localRetryThreshold: '10s',
  retry: {
    initialInterval: '250ms',
    backoffCoefficient: 2,
    maximumInterval: '60s',
    nonRetryableErrorTypes: ['INVARIANT', 'NOT_FOUND', 'INPUT_INVALID', 'CONFLICT'],
  },
});
