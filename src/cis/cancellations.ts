import { tenantNow, type Tenant } from '../ledger/tenants';
import { cancelPromise } from '../enrollment/cancel';
import type { ChangeAnswer } from '../enrollment/change';
import { TrothError, type Problem } from '../platform/errors';
import type { Cells } from './cells';
import { byTable, loaderOf } from './file-kind';

/**
 * Cancels the promises of a file. When they were cancelled is believed of a sandbox only, and never before what the
 * promise has been settled with; elsewhere it is now.
 */
export const loadCancellations = loaderOf({
  columns: { required: ['enrollment_id', 'reason'], optional: ['cancelled_at', 'note', 'actor'] },
  keys: ['enrollment_id'],
  columnOf: byTable({ promiseId: 'enrollment_id' }),
  read(cells, tenant) {
    const promiseId = cells.needed('enrollment_id');
    const realNowMs = realTimeOf(cells, tenant);
    const cancel = {
      reason: cells.text('reason'),
      note: cells.optional('note'),
      actor: cells.optional('actor'),
    };
    return async (ledger, actor) => {
      const options = { actor, realNowMs, relayAfterMs: 0, wakeWorkflow: true };
      try {
        const answer = await cancelPromise(ledger, tenant.tenantId, promiseId, cancel, options);
        if (answer.result === 'done') return 'taken';
        return isSameAgain(answer, cancel.reason) ? 'known' : answer.problems;
      } catch (error) {
        if (!(error instanceof TrothError) || error.code !== 'NOT_FOUND') throw error;
        return [unknownPromise(promiseId)];
      }
    };
  },
});

function unknownPromise(promiseId: string): Problem {
  return { field: 'promiseId', value: promiseId, message: 'is unknown: there is no such promise' };
}

/** Whether the promise had been cancelled for this very reason before: the same file sent again. */
function isSameAgain(answer: ChangeAnswer, reason: string): boolean {
  return (
    answer.result === 'refused' &&
    answer.settlement?.status === 'cancelled' &&
    answer.settlement.facts.cancellation?.reason === reason
  );
}

/** The real time that stands for `cancelled_at`, to which the sandbox's offset will be added. */
function realTimeOf(cells: Cells, tenant: Tenant): number {
  const realNowMs = Date.now();
  const cancelledAtMs = cells.time('cancelled_at');
  if (cancelledAtMs === undefined) return realNowMs;
  if (cancelledAtMs > tenantNow(tenant, realNowMs)) {
    cells.refuse('cancelled_at', `lies in the future of tenant ${tenant.tenantId}`);
  }
  return tenant.sandbox ? cancelledAtMs - tenant.clockOffsetMs : realNowMs;
}
