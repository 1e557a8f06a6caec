import { getClient } from '@temporalio/activity';
import { cancelPromise } from '../src/enrollment/cancel';
import { enroll } from '../src/enrollment/enroll';
import { lockPromise } from '../src/ledger/facts';
import { delivered } from '../src/ledger/outbox';
import { needAttention } from '../src/ledger/promises';
import { settleLocked, settlePromise, type Settlement } from '../src/ledger/settle';
import type { Problem } from '../src/platform/errors';
import { invariant, messageOf } from '../src/platform/errors';
import { epochMs, formatDate } from '../src/rules/calendar';
import { formatMoney } from '../src/rules/money';
import { tellCollections } from '../src/temporal/tell';
import type { ActivityDeps } from './index';
import { asActivity } from './failures';

/**
 * What a workflow learns of a settlement. It lands in the history of every promise, so it is small, without personal
 * data, and leaves out what does not apply.
 */
export interface SettledView {
  readonly status: 'pending' | 'active' | 'kept' | 'broken' | 'cancelled';
  readonly revision: number;
  readonly nextJudgeAtMs?: number;
  readonly clockOffsetMs?: number;
  readonly sentence?: string;
  /** The schedule with what was counted, as markdown for Temporal UI, where one sentence does not say it all. */
  readonly schedule?: string;
  /** Whether the status of an ended promise goes into the search attributes. */
  readonly label?: true;
}

/** An accepted enrollment, with what the search attributes need. */
export interface EnrolledView {
  readonly result: 'enrolled' | 'known';
  readonly tenantId: string;
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly workflowId: string;
  readonly settled: SettledView;
}

export interface PromiseRef {
  readonly tenantId: string;
  readonly promiseId: string;
}

// The relay leaves a fresh outcome to us for this long; we tell collections ourselves right after the commit.
const RELAY_AFTER_MS = 15_000;
const ACTOR = 'temporal';
// When many promises fall due together, deciding them goes first: starting as many cases at the same time would take
// the server's time from the verdicts. With more than this many at work the relay tells collections, seconds later.
const CALM = 3;

/** What a promise's workflow asks of the ledger. Every one is idempotent: after a crash it simply runs again. */
export function settlementActivities(deps: ActivityDeps) {
  const options = { relayAfterMs: RELAY_AFTER_MS };
  let atWork = 0;

  async function working<T>(work: () => Promise<T>): Promise<T> {
    atWork += 1;
    try {
      return await asActivity(work);
    } finally {
      atWork -= 1;
    }
  }

  async function tell(settlement: Settlement): Promise<SettledView> {
    if (settlement.toTell.length > 0 && atWork <= CALM) {
      try {
        // One after the other: a promise's outcomes have an order.
        for (const message of settlement.toTell) {
          await tellCollections(getClient().workflow, deps.taskQueue, message);
        }
        const ids = settlement.toTell.map((message) => message.outboxId);
        await deps.ledger.forTenant(settlement.tenantId, (tx) => delivered(tx, ids));
      } catch (error) {
        // The verdict stands; the relay tells collections in a moment.
        deps.log.warn(
          { promiseId: settlement.promiseId, error: messageOf(error) },
          'outcome left to the relay',
        );
      }
    }
    return viewOf(settlement, deps.statusAtEnd);
  }

  return {
    /** Records an enrollment that a CIS brought by starting a workflow, and settles it for the first time. */
    async enrollPromise(input: {
      enrollment: unknown;
      workflowId: string;
      realNowMs: number;
    }): Promise<{ readonly result: 'refused'; readonly problems: readonly Problem[] } | EnrolledView> {
      return asActivity(async () => {
        const { workflowId, realNowMs } = input;
        const answer = await enroll(deps.ledger, input.enrollment, { actor: ACTOR, workflowId, realNowMs });
        if (answer.result === 'refused') return { result: 'refused', problems: answer.problems };
        const { promiseId } = answer;
        const tenantId = tenantOf(input.enrollment);
        const settlement = await settlePromise(deps.ledger, tenantId, promiseId, realNowMs, options);
        const { accountId, debtClass } = settlement;
        return { ...answer, tenantId, accountId, debtClass, settled: await tell(settlement) };
      });
    },

    /** Judges a promise as of the workflow's clock, records what was decided, and tells collections. */
    async settlePromise(input: PromiseRef & { realNowMs: number }): Promise<SettledView> {
      return working(async () => {
        const { tenantId, promiseId, realNowMs } = input;
        return tell(await settlePromise(deps.ledger, tenantId, promiseId, realNowMs, options));
      });
    },

    /** Cancels a promise (R17); a refusal is an answer. */
    async cancelPromise(input: PromiseRef & { request: unknown; realNowMs: number }): Promise<{
      result: 'cancelled' | 'refused';
      problems: readonly Problem[];
      settled: SettledView | null;
    }> {
      return asActivity(async () => {
        const { tenantId, promiseId, request, realNowMs } = input;
        const again = await cancelledBefore(input);
        if (again !== null) return { result: 'cancelled', problems: [], settled: await tell(again) };
        const answer = await cancelPromise(deps.ledger, tenantId, promiseId, request, {
          ...options,
          actor: ACTOR,
          realNowMs,
          wakeWorkflow: false,
        });
        const settled = answer.settlement === undefined ? null : await tell(answer.settlement);
        return answer.result === 'cancelled'
          ? { result: 'cancelled', problems: [], settled }
          : { result: 'refused', problems: answer.problems, settled };
      });
    },

    /** Puts a promise on the worklist. */
    async parkPromise(input: PromiseRef & { why: string }): Promise<void> {
      const { tenantId, promiseId, why } = input;
      deps.log.error({ tenantId, promiseId, why }, 'promise needs attention');
      await asActivity(() =>
        deps.ledger.forTenant(tenantId, (tx) => needAttention(tx, tenantId, promiseId, why)),
      );
    },
  };

  /**
   * A cancel whose transaction went through and whose answer was lost comes again with the very same instant: then it
   * is answered as it was, not refused because the promise has ended.
   */
  async function cancelledBefore(input: PromiseRef & { realNowMs: number }): Promise<Settlement | null> {
    const { tenantId, promiseId, realNowMs } = input;
    return deps.ledger.forTenant(tenantId, async (tx) => {
      const promise = await lockPromise(tx, tenantId, promiseId);
      if (promise?.status !== 'cancelled') return null;
      const askedAt = epochMs(realNowMs + promise.clockOffsetMs);
      const same = promise.cancelledAtMs !== null && Math.abs(promise.cancelledAtMs - askedAt) <= 1;
      return same ? settleLocked(tx, tenantId, promise, askedAt, options) : null;
    });
  }
}

function tenantOf(enrollment: unknown): string {
  const tenantId = (enrollment as { tenantId?: unknown }).tenantId;
  invariant(typeof tenantId === 'string', 'An accepted enrollment names its tenant');
  return tenantId;
}

function viewOf(settlement: Settlement, statusAtEnd: boolean): SettledView {
  const { status, revision, nextJudgeAtMs, clockOffsetMs, sentence, evaluation } = settlement;
  const ended = status !== 'active' && status !== 'pending';
  return {
    status,
    revision,
    ...(nextJudgeAtMs === null ? {} : { nextJudgeAtMs }),
    ...(clockOffsetMs === 0 ? {} : { clockOffsetMs }),
    ...(sentence === null ? {} : { sentence }),
    ...(ended && evaluation.lines.length === 1 ? {} : { schedule: scheduleOf(settlement) }),
    ...(ended && statusAtEnd ? { label: true } : {}),
  };
}

const MOST_LINES = 12;

function scheduleOf({ evaluation, facts }: Settlement): string {
  const lines = evaluation.lines.slice(0, MOST_LINES).map(({ line, countedCents, status }) => {
    const counted = `${formatMoney(countedCents, facts.currency)} of ${formatMoney(line.amountCents, facts.currency)}`;
    return `${line.seq}. ${formatDate(line.dueDate)}: ${counted}, ${status}`;
  });
  const rest = evaluation.lines.length - lines.length;
  return [...lines, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n');
}
