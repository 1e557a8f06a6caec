import {
  closeCase,
  readCase,
  receiveOutcome,
  type CaseKey,
  type CaseState,
  type ReceivedOutcome,
} from '../src/ledger/cases';
import type { ActivityDeps } from './deps';
import { asActivity } from './failures';

/** A case as its workflow sees it. */
export interface CaseAnswer extends Omit<CaseState, 'recorded'> {
  readonly recorded: readonly Pick<ReceivedOutcome, 'outcomeId' | 'kind' | 'at'>[];
}

/** What a collections workflow asks of the ledger. Every one is idempotent. */
export function caseActivities({ ledger }: ActivityDeps) {
  return {
    /** Records an outcome once and in order. */
    async receiveOutcome(input: {
      key: CaseKey;
      workflowId: string;
      outcome: Pick<ReceivedOutcome, 'promiseId' | 'revision' | 'kind' | 'at'>;
    }): Promise<CaseAnswer> {
      const { key, workflowId, outcome } = input;
      return asActivity(async () => {
        const state = await ledger.forTenant(key.tenantId, (tx) =>
          receiveOutcome(tx, key, workflowId, outcome),
        );
        const recorded = state.recorded.map(({ outcomeId, kind, at }) => ({ outcomeId, kind, at }));
        return { ...state, recorded };
      });
    },

    /** The case as the ledger has it. */
    async readCase(key: CaseKey): Promise<Omit<CaseAnswer, 'recorded'>> {
      return asActivity(() => ledger.forTenant(key.tenantId, (tx) => readCase(tx, key)));
    },

    /** Closes a case by hand. */
    async closeCase(key: CaseKey): Promise<Omit<CaseAnswer, 'recorded'>> {
      return asActivity(() =>
        ledger.forTenant(key.tenantId, async (tx) => {
          await closeCase(tx, key);
          return readCase(tx, key);
        }),
      );
    },
  };
}
