import { epochMs, type EpochMs } from './calendar';
import { count, received, unpaid, unpaidOn, type CountedLine } from './count';
import type { Line, PromiseFacts } from './facts';
import { sum, type Cents } from './money';
import { toleratedCents } from './policy';
import { countAt, end, isCatchingUp, knowledgeAt, lastDayOf, nextJudgeTime, type State } from './state';

/** R15: broken when, at a judge time, the lines whose deadlines have passed are unpaid beyond the tolerance. */
export function judge(facts: PromiseFacts, state: State, judgeAtMs: EpochMs): State {
  const underJudgement = state.lines.filter(
    (line) => line.judgeAtMs === judgeAtMs && !state.judged.has(line.seq),
  );
  const lastDay = lastDayOf(underJudgement);
  // R5: a payment posted at the judge time is too late for it. But a judge time that a reversal brought, and that had
  // passed when the ledger learned of the reversal, is judged with all that was known then.
  const movedAtMs = Math.max(0, ...underJudgement.map((line) => state.movedAtMs.get(line.seq) ?? 0));
  const learnedLate = movedAtMs >= judgeAtMs;
  const knownAtMs = learnedLate ? epochMs(movedAtMs) : judgeAtMs;
  // R15: each judge time that is caught up hears all the money that was in time for it.
  const hearing =
    state.hearing !== null && lastDay > state.hearing.lastDay ? { ...state.hearing, lastDay } : state.hearing;
  const counted = count(facts, state.lines, { atMs: knownAtMs, inclusive: learnedLate, hearing, lastDay });
  const judged = new Set([...state.judged, ...underJudgement.map((line) => line.seq)]);
  const goesOn: State = { ...state, judged, hearing };
  const passed = counted.lines.filter(({ line }) => judged.has(line.seq));
  if (isWithinTolerance(facts, passed)) return complete(facts, goesOn, knownAtMs, learnedLate);

  const missed = new Set(passed.filter((line) => unpaid(line) > 0).map(({ line }) => line.seq));
  const broken = end(goesOn, counted, {
    status: 'broken',
    reason: 'installment_missed',
    atMs: knownAtMs,
    lastDay,
    lineStatus: (line) => (missed.has(line.seq) ? 'broken' : 'excused'),
  });
  return { ...broken, beforeBreak: { state, judgeAtMs, lastDay } };
}

/**
 * R14 `early`: kept as soon as the whole amount is there. Before the last judge time the customer can still pay, so a
 * tolerance helps only once all lines were judged (R12).
 */
export function complete(facts: PromiseFacts, state: State, atMs: EpochMs, inclusive = true): State {
  // R15: what the past holds is not over before the present; a kept found on the way could already have bounced.
  if (isCatchingUp(state)) return state;
  const allJudged = nextJudgeTime(state) === null;
  const isPaid = received(facts, knowledgeAt(state, atMs, inclusive)) >= promisedOn(state.lines);
  if (!isPaid && !allJudged) return state;
  return end(state, countAt(facts, state, atMs, inclusive), {
    status: 'kept',
    reason: isPaid ? 'paid_in_full' : 'paid_within_tolerance',
    atMs,
    lastDay: allJudged ? lastDayOf(state.lines) : null,
    lineStatus: () => 'kept',
  });
}

/** R12: whether what is unpaid on some lines is little enough, cumulative over all of them. */
export function isWithinTolerance(facts: PromiseFacts, lines: readonly CountedLine[]): boolean {
  const promised = promisedOn(lines.map(({ line }) => line));
  return unpaidOn(lines) <= toleratedCents(facts.policy, promised);
}

function promisedOn(lines: readonly Line[]): Cents {
  return sum(lines.map(({ amountCents }) => amountCents));
}
