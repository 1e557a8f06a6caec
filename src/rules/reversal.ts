import { addDays, deadlineAtEndOf, type EpochMs, type LocalDate } from './calendar';
import { unpaid, type Count } from './count';
import { hasOtherPromise, type Payment, type PromiseFacts } from './facts';
import { complete, isWithinTolerance } from './judge';
import { countAt, end, nextJudgeTime, type State } from './state';

/** R19: money that counted is gone. The payments are those whose reversals the ledger learned of at one instant. */
export function loseMoney(
  facts: PromiseFacts,
  state: State,
  reversed: readonly Payment[],
  atMs: EpochMs,
): State {
  switch (state.status) {
    case 'active': {
      const before = unsatisfied(facts, state, countAt(facts, state, atMs, false));
      const after = unsatisfied(facts, state, countAt(facts, state, atMs));
      const bounced = new Set([...after].filter((seq) => !before.has(seq)));
      return giveDays(facts, state, bounced, reversed, atMs);
    }
    case 'kept':
      return loseMoneyAfterKept(facts, state, reversed, atMs);
    case 'broken':
    case 'cancelled':
      return state; // recorded, nothing else
  }
}

// Another payment that came since may fill the hole: then nothing changes.
function loseMoneyAfterKept(
  facts: PromiseFacts,
  state: State,
  reversed: readonly Payment[],
  atMs: EpochMs,
): State {
  if (facts.policy.reversalAfterKept === 'stay-kept') return state;
  const passed = state.lines.filter((line) => line.judgeAtMs <= atMs).map((line) => line.seq);
  const kept: State = { ...state, judged: new Set([...state.judged, ...passed]) };
  const counted = countAt(facts, kept, atMs);
  const open = unsatisfied(facts, kept, counted);
  if (open.size === 0) return state;
  const revised: State = { ...kept, status: 'active', outcome: null, revision: state.revision + 1 };
  if (facts.policy.reversalAfterKept === 'break') {
    return end(revised, counted, {
      status: 'broken',
      reason: 'reversal',
      atMs,
      lastDay: null,
      lineStatus: (line) => (open.has(line.seq) ? 'broken' : 'excused'),
    });
  }
  if (hasOtherPromise(facts, facts.payor, atMs)) return state; // it stays kept, and the later promise holds the debt
  return giveDays(facts, revised, open, reversed, atMs);
}

// R12: a line judged within the tolerance is satisfied as long as the shortfall of the judged lines stays within it.
function unsatisfied(facts: PromiseFacts, state: State, counted: Count): Set<number> {
  const judged = counted.lines.filter(({ line }) => state.judged.has(line.seq));
  const forgiven = isWithinTolerance(facts, judged);
  const open = counted.lines.filter(
    (line) => unpaid(line) > 0 && !(forgiven && state.judged.has(line.line.seq)),
  );
  return new Set(open.map(({ line }) => line.seq));
}

// A line that was satisfied and no longer is gets the later of its own deadline and the end of the reversal date plus
// the grace for reversals, never rolled; its judge time follows R5.
function giveDays(
  facts: PromiseFacts,
  state: State,
  bounced: ReadonlySet<number>,
  reversed: readonly Payment[],
  atMs: EpochMs,
): State {
  if (bounced.size === 0) return state;
  const { reversalGraceDays, postingLagHours } = facts.policy;
  const given = deadlineAtEndOf(
    addDays(dateOf(reversed), reversalGraceDays),
    postingLagHours,
    facts.timeZone,
  );
  const lines = state.lines.map((line) =>
    bounced.has(line.seq) && given.deadlineMs > line.deadlineMs ? { ...line, ...given } : line,
  );
  const judged = new Set([...state.judged].filter((seq) => !bounced.has(seq)));
  const movedAtMs = new Map(state.movedAtMs);
  for (const seq of bounced) movedAtMs.set(seq, atMs);
  const moved: State = { ...state, lines, judged, movedAtMs };
  // A later deadline opens the window (R8) for money that may complete; but a judge time that has passed goes first.
  const judgeAtMs = nextJudgeTime(moved);
  return judgeAtMs !== null && judgeAtMs <= atMs ? moved : complete(facts, moved, atMs);
}

function dateOf(reversed: readonly Payment[]): LocalDate {
  return reversed.reduce(
    (day, { reversal }) => (reversal !== null && reversal.effectiveDate > day ? reversal.effectiveDate : day),
    '' as LocalDate,
  );
}
