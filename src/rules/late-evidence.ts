import type { EpochMs } from './calendar';
import { hasOtherPromise, type Payment, type PromiseFacts } from './facts';
import { judge } from './judge';
import type { State } from './state';

/**
 * R15, late evidence: money received in time but posted after the verdict. The promise is judged again as if the money
 * had been posted in time; if it would not have broken, its story goes on from that judge time, and what happened since
 * then happens again, in order. Money received after the deadline is no such evidence.
 * @param posted what was posted at this instant.
 */
export function hearLateEvidence(
  facts: PromiseFacts,
  state: State,
  posted: readonly Payment[],
  atMs: EpochMs,
): State {
  const before = state.beforeBreak;
  if (facts.policy.lateEvidence === 'stay' || before === null) return state;
  const wasHeard = state.hearing !== null && state.cursor <= state.hearing.cursor;
  const isEvidence = posted.some(({ effectiveDate }) => effectiveDate <= before.lastDay);
  if (wasHeard || !isEvidence || hasOtherPromise(facts, facts.payor, atMs)) return state;
  const again: State = {
    ...before.state,
    revision: state.revision + 1,
    hearing: { atMs, lastDay: before.lastDay, cursor: state.cursor },
  };
  const judgedAgain = judge(facts, again, before.judgeAtMs);
  return judgedAgain.status === 'broken' ? state : judgedAgain;
}
