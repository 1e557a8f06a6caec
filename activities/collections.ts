import { ApplicationFailure } from '@temporalio/activity';
import { actOnCase, hasProcess, type CaseAct } from '../src/collections/act';
import type { CaseKey } from '../src/ledger/collections/case-key';
import {
  closeCase,
  readCase,
  receiveOutcomes,
  type CaseState,
  type ReceivedOutcome,
} from '../src/ledger/collections/cases';
import { lockCase, setCaseAttention } from '../src/ledger/collections/runs';
import { getTenant, tenantNow } from '../src/ledger/tenants';
import { messageOf } from '../src/platform/errors';
import { faultPoint } from '../src/platform/faults';
import { collectionsWorkflowId } from '../src/platform/ids';
import type { ActivityDeps } from './deps';
import { asActivity } from './failures';

/** What a case's process says of it; absent in answers of before there were processes. */
type Acted = Partial<Pick<CaseAct, 'sentence' | 'nextActAtMs' | 'clockOffsetMs'>>;

/** A case as its workflow sees it. */
export interface CaseAnswer extends Omit<CaseState, 'recorded'>, Acted {
  readonly recorded: readonly Pick<ReceivedOutcome, 'outcomeId' | 'kind' | 'at'>[];
  /** The ids of what was handed over, recorded now or before; absent in answers of earlier versions. */
  readonly received?: readonly string[];
}

/** What a case has heard of. */
type HeardOutcome = Pick<ReceivedOutcome, 'outcomeId' | 'promiseId' | 'revision' | 'kind' | 'at'>;

interface Receiving {
  readonly key: CaseKey;
  readonly workflowId: string;
  /** The workflow's clock; absent in messages of before there were processes. */
  readonly realNowMs?: number;
}

/** What cannot mend itself parks the case (R36): the worklist must know of it, not Temporal alone. */
async function orOnWorklist<T>(
  { ledger, log }: ActivityDeps,
  key: CaseKey,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.nonRetryable !== true) throw error;
    const { tenantId, accountId, debtClass } = key;
    log.error({ tenantId, accountId, debtClass, why: error.message }, 'case needs attention');
    try {
      await ledger.forTenant(tenantId, async (tx) => {
        await lockCase(tx, key, collectionsWorkflowId(tenantId, accountId, debtClass));
        await setCaseAttention(tx, key, error.message);
      });
    } catch (failed) {
      // Its tenant or account may be what is missing.
      log.warn({ tenantId, accountId, error: messageOf(failed) }, 'case could not be put on the worklist');
    }
    throw error;
  }
}

/** What a collections workflow asks of the ledger. Every one is idempotent. */
export function caseActivities(deps: ActivityDeps) {
  const { ledger } = deps;
  const acted = async (
    key: CaseKey,
    state: Omit<CaseState, 'recorded'>,
    realNowMs: number | undefined,
  ): Promise<Omit<CaseAnswer, 'recorded'>> => {
    if (realNowMs === undefined || !(await hasProcess(ledger, key))) return state;
    const { status, openPromises, sentence, nextActAtMs, clockOffsetMs } = await actOnCase(
      ledger,
      key,
      realNowMs,
    );
    return { ...state, status, openPromises, sentence, nextActAtMs, clockOffsetMs };
  };
  const forCase = <T>(key: CaseKey, work: () => Promise<T>): Promise<T> =>
    orOnWorklist(deps, key, () => asActivity(work));
  const received = (input: Receiving & { readonly outcomes: readonly HeardOutcome[] }): Promise<CaseAnswer> =>
    forCase(input.key, async () => {
      const { key, workflowId, outcomes, realNowMs } = input;
      const { recorded, ...state } = await ledger.forTenant(key.tenantId, (tx) =>
        receiveOutcomes(tx, key, workflowId, outcomes),
      );
      if (recorded.length > 0) await faultPoint('outcome-received');
      return {
        ...(await acted(key, state, realNowMs)),
        recorded: recorded.map(({ outcomeId, kind, at }) => ({ outcomeId, kind, at })),
        received: outcomes.map(({ outcomeId }) => outcomeId),
      };
    });
  return {
    /** Records an outcome once and in order, and acts on what it changes (R33). */
    async receiveOutcome({
      outcome,
      ...input
    }: Receiving & { readonly outcome: HeardOutcome }): Promise<CaseAnswer> {
      return received({ ...input, outcomes: [outcome] });
    },

    /** As `receiveOutcome`, several at once. */
    async receiveOutcomes(
      input: Receiving & { readonly outcomes: readonly HeardOutcome[] },
    ): Promise<CaseAnswer> {
      return received(input);
    },

    /** The case as the ledger has it, after what is due by now. */
    async readCase(key: CaseKey, realNowMs?: number): Promise<Omit<CaseAnswer, 'recorded'>> {
      return forCase(key, async () => {
        const state = await ledger.forTenant(key.tenantId, (tx) => readCase(tx, key));
        return acted(key, state, realNowMs);
      });
    },

    /** Acts on a case: reviews it, and does the step that is due. */
    async actOnCase(input: { key: CaseKey; realNowMs: number }): Promise<Omit<CaseAnswer, 'recorded'>> {
      const { key, realNowMs } = input;
      return forCase(key, async () => {
        const act = (await hasProcess(ledger, key)) ? await actOnCase(ledger, key, realNowMs) : undefined;
        const state = await ledger.forTenant(key.tenantId, (tx) => readCase(tx, key));
        if (act === undefined) return state;
        const { sentence, nextActAtMs, clockOffsetMs } = act;
        return { ...state, sentence, nextActAtMs, clockOffsetMs };
      });
    },

    /** Closes a case by hand. */
    async closeCase(key: CaseKey): Promise<Omit<CaseAnswer, 'recorded'>> {
      return forCase(key, () =>
        ledger.forTenant(key.tenantId, async (tx) => {
          await closeCase(tx, key, tenantNow(await getTenant(tx, key.tenantId)));
          return readCase(tx, key);
        }),
      );
    },
  };
}
