import { cancelPromise } from '../src/enrollment/cancel';
import { enroll } from '../src/enrollment/enroll';
import { needAttention } from '../src/ledger/promises';
import { settlePromise, type Settlement } from '../src/ledger/settle';
import type { Problem } from '../src/platform/errors';
import { invariant } from '../src/platform/errors';
import { formatDate } from '../src/rules/calendar';
import { formatMoney } from '../src/rules/money';
import type { ActivityDeps } from './deps';
import { asActivity } from './failures';
import { RELAY_AFTER_MS, Teller } from './telling';

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

export interface RefusedView {
  readonly result: 'refused';
  readonly problems: readonly Problem[];
}

/** What a cancel came to; `settled` is absent only when the request itself could not be understood. */
export interface CancelledView {
  readonly result: 'cancelled' | 'refused';
  readonly problems: readonly Problem[];
  readonly settled: SettledView | null;
}

export interface PromiseRef {
  readonly tenantId: string;
  readonly promiseId: string;
}

export interface SettleRequest extends PromiseRef {
  /** The workflow's clock, epoch milliseconds. */
  readonly realNowMs: number;
}

export interface EnrollRequest {
  readonly enrollment: unknown;
  readonly workflowId: string;
  readonly realNowMs: number;
}

export interface CancelRequestInput extends SettleRequest {
  readonly request: unknown;
  /** The id of the update that asks; a cancel whose answer was lost is recognized by it. */
  readonly requestId: string | null;
}

const ACTOR = 'temporal';
const OPTIONS = { relayAfterMs: RELAY_AFTER_MS };

/** What a promise's workflow asks of the ledger. Every one is idempotent: after a crash it simply runs again. */
export function settlementActivities(deps: ActivityDeps) {
  const { ledger, log, statusAtEnd } = deps;
  const teller = new Teller(deps);
  const told = async (settlement: Settlement): Promise<SettledView> => {
    await teller.tell(settlement);
    return viewOf(settlement, statusAtEnd);
  };
  return {
    /** Records an enrollment that a CIS brought by starting a workflow, and settles it for the first time. */
    async enrollPromise(input: EnrollRequest): Promise<EnrolledView | RefusedView> {
      return asActivity(async () => {
        const { enrollment, workflowId, realNowMs } = input;
        const answer = await enroll(ledger, enrollment, { actor: ACTOR, workflowId, realNowMs });
        if (answer.result === 'refused') return { result: 'refused', problems: answer.problems };
        const settlement = await settlePromise(
          ledger,
          tenantOf(enrollment),
          answer.promiseId,
          realNowMs,
          OPTIONS,
        );
        const { tenantId, accountId, debtClass } = settlement;
        return { ...answer, tenantId, accountId, debtClass, settled: await told(settlement) };
      });
    },

    /** Judges a promise as of the workflow's clock, records what was decided, and tells collections. */
    async settlePromise({ tenantId, promiseId, realNowMs }: SettleRequest): Promise<SettledView> {
      return asActivity(() =>
        teller.counted(async () =>
          told(await settlePromise(ledger, tenantId, promiseId, realNowMs, OPTIONS)),
        ),
      );
    },

    /** Cancels a promise (R17); a refusal is an answer. */
    async cancelPromise(input: CancelRequestInput): Promise<CancelledView> {
      return asActivity(async () => {
        const { tenantId, promiseId, request, requestId, realNowMs } = input;
        const answer = await cancelPromise(ledger, tenantId, promiseId, request, {
          ...OPTIONS,
          actor: ACTOR,
          realNowMs,
          requestId,
          wakeWorkflow: false,
        });
        const settled = answer.settlement === undefined ? null : await told(answer.settlement);
        return {
          result: answer.result,
          problems: answer.result === 'refused' ? answer.problems : [],
          settled,
        };
      });
    },

    /** Puts a promise on the worklist. */
    async parkPromise({ tenantId, promiseId, why }: PromiseRef & { why: string }): Promise<void> {
      log.error({ tenantId, promiseId, why }, 'promise needs attention');
      await asActivity(() => ledger.forTenant(tenantId, (tx) => needAttention(tx, tenantId, promiseId, why)));
    },
  };
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
