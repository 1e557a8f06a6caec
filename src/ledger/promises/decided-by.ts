import type { Outcome } from '../../rules/decide';
import { CANCEL_REASONS } from '../../rules/facts';
import type { PromiseRow } from './facts';

/** Who decided an outcome (R20): the actor who cancelled or refused the promise; else Troth itself, by the rules. */
export function decidedBy(
  { approved, approvalActor, cancelActor }: Pick<PromiseRow, 'approved' | 'approvalActor' | 'cancelActor'>,
  { reason }: Pick<Outcome, 'reason'>,
): string {
  if (reason === 'not_approved') return approved === false ? (approvalActor ?? 'unknown') : 'troth';
  const byPerson = CANCEL_REASONS.some((one) => one === reason);
  return byPerson ? (cancelActor ?? 'unknown') : 'troth';
}
