import type { EpochMs, LocalDate } from '../calendar';
import { hasOtherPromise, type Bill, type Payment } from '../facts';
import { judge } from './judge';
import { copyOf, type Trial } from './life';

/**
 * R15, late evidence: money received in time but posted after the verdict. The promise is judged again as if the money
 * had been posted in time; if it would not have broken, its story goes on from that judge time, and what happened since
 * then happens again, in order. Money received after the deadline is no such evidence.
 * @param posted what was posted at this instant.
 */
export function hearLateEvidence(trial: Trial, posted: readonly Payment[], atMs: EpochMs): void {
  const { facts, life } = trial;
  const before = life.beforeBreak;
  if (facts.policy.lateEvidence === 'stay' || before === null) return;
  const wasHeard = life.hearing !== null && life.cursor <= life.hearing.cursor;
  const evidence = posted.find((payment) => isEvidence(trial, payment, before.lastDay, atMs));
  if (wasHeard || evidence === undefined || hasOtherPromise(facts, facts.payor, atMs)) return;
  const revision = life.revision + 1;
  const again: Trial = {
    ...trial,
    life: {
      ...copyOf(before.life),
      revision,
      hearing: { atMs, lastDay: before.lastDay, earlier: before.life.hearing, cursor: life.cursor },
    },
    outcomes: [],
    notices: [],
  };
  judge(again, before.judgeAtMs);
  if (again.life.status === 'broken') return;
  const { paymentId } = evidence;
  trial.life = again.life;
  trial.revisions.push({ revision, cause: 'late_evidence', paymentId, atMs });
  trial.notices.push({ id: `reopened/${revision}`, kind: 'reopened', revision, atMs }, ...again.notices);
  trial.outcomes.push(...again.outcomes);
}

// Money of this promise, or on a bill that it must keep current (R26), that was in time and has not bounced.
function isEvidence({ facts, purse }: Trial, payment: Payment, lastDay: LocalDate, atMs: EpochMs): boolean {
  const { effectiveDate, reversal, applied } = payment;
  if (effectiveDate > lastDay || (reversal !== null && reversal.postedAtMs <= atMs)) return false;
  const isOnBill = ({ transactionId }: Bill): boolean => (applied?.[transactionId] ?? 0) > 0;
  return purse.hasMoneyOf(payment) || (facts.policy.stayCurrent && facts.bills.some(isOnBill));
}
