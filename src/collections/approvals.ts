import { TrothError } from '../platform/errors';
import { audit } from '../ledger/audit';
import type { CaseKey } from '../ledger/collections/case-key';
import type { Ledger } from '../ledger/connection';
import { lockStepToAnswer, markAnswered } from '../ledger/collections/runs';
import { wakeCases } from '../ledger/collections/waking';
import { getTenant, tenantNow } from '../ledger/tenants';

/** A person's yes or no to a step that is never automatic. */
export interface StepAnswer {
  readonly runNo?: number;
  readonly stepId: string;
  readonly approved: boolean;
  readonly actor: string;
  readonly note: string | null;
}

/**
 * Approves a step that awaits it, or refuses it; the case does it, or goes on without it, when it acts next. The same answer
 * again is taken as given. A step of a run that has ended awaits nothing any more.
 * @returns which run's step it was.
 * @throws TrothError NOT_FOUND when no such step awaits approval, CONFLICT when it was answered otherwise.
 */
export async function answerStep(
  ledger: Ledger,
  key: CaseKey,
  answer: StepAnswer,
): Promise<{ readonly runNo: number }> {
  const { tenantId, accountId, debtClass } = key;
  const { stepId, approved, actor, note } = answer;
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    const step = await lockStepToAnswer(tx, key, stepId, answer.runNo ?? null);
    if (step === undefined) {
      throw new TrothError(
        'NOT_FOUND',
        `No step "${stepId}" of account "${accountId}", ${debtClass}, awaits approval; see: troth worklist`,
      );
    }
    const { runNo } = step;
    if (step.approved === approved) return { runNo };
    if (step.approved !== null) {
      const was = step.approved ? 'approved' : 'refused';
      throw new TrothError('CONFLICT', `Step "${stepId}" of run ${runNo} was ${was} already`);
    }
    const nowMs = tenantNow(tenant);
    await markAnswered(tx, key, { runNo, stepId, approved, actor, note, at: new Date(nowMs) });
    await audit(tx, tenantId, {
      action: approved ? 'step.approved' : 'step.refused',
      ...{ actor, at: nowMs, accountId },
      details: { debtClass, runNo, stepId, note },
    });
    await wakeCases(tx, tenantId, [{ accountId, debtClass }]);
    return { runNo };
  });
}
