import { addDays, deadlineAtEndOf, type EpochMs, type LocalDate } from '../calendar';
import type { Knowledge } from './count';
import { hasOtherPromise, type Payment, type PromiseFacts } from '../facts';
import { billsToJudge, complete } from './judge';
import { copyOf, end, isOpen, knowledgeAt, nextJudgeTime, type Life, type Trial } from './life';
import { unsatisfiedLines } from './misses';

/**
 * R19: money that counted is gone.
 * @param all the payments whose reversals the ledger learned of at one instant.
 */
export function loseMoney(trial: Trial, all: readonly Payment[], atMs: EpochMs): void {
  const { life, purse } = trial;
  const reversed = all.filter((payment) => purse.hasMoneyOf(payment));
  if (reversed.length === 0) return;
  if (isOpen(life)) {
    const before = unsatisfied(trial, life, knowledgeAt(life, atMs, false));
    const after = unsatisfied(trial, life, knowledgeAt(life, atMs, true));
    tell(
      trial,
      reversed.filter((payment) => trial.purse.hasMoneyOf(payment)),
      atMs,
    );
    giveDays(trial, new Set([...after.lines].filter((seq) => !before.lines.has(seq))), reversed, atMs);
    return;
  }
  const paid = new Set(life.outcome?.lines.flatMap(({ takes }) => takes.map(({ paymentId }) => paymentId)));
  tell(
    trial,
    reversed.filter(({ paymentId }) => paid.has(paymentId)),
    atMs,
  );
  if (life.status === 'kept') loseMoneyAfterKept(trial, reversed, atMs); // else recorded and told, nothing more
}

function tell({ life, notices }: Trial, reversed: readonly Payment[], atMs: EpochMs): void {
  const { revision } = life;
  for (const { paymentId } of reversed) {
    const id = `reversed/${paymentId}`;
    if (!notices.some((notice) => notice.id === id))
      notices.push({ id, kind: 'reversed', revision, atMs, paymentId });
  }
}

// Another payment that came since may fill the hole: then nothing changes. What a cleared balance forgave stays so.
function loseMoneyAfterKept(trial: Trial, reversed: readonly Payment[], atMs: EpochMs): void {
  const { facts, life } = trial;
  const { reversalAfterKept } = facts.policy;
  if (reversalAfterKept === 'stay-kept' || life.outcome?.reason === 'balance_cleared') return;
  const again = asJudged(facts, life, atMs);
  const knowledge = knowledgeAt(again, atMs, true);
  const before = unsatisfied(trial, again, knowledgeAt(again, atMs, false));
  const { lines: open, cents } = unsatisfied(trial, again, knowledge);
  if (open.size === 0 || cents >= before.cents) return;
  // It stays kept while a later promise of the payor holds the debt.
  if (reversalAfterKept === 'reopen' && hasOtherPromise(facts, facts.payor, atMs)) return;
  const revision = life.revision + 1;
  trial.life = { ...again, status: 'active', outcome: null, beforeBreak: null, revision };
  const paymentId = reversed[0]?.paymentId ?? null;
  trial.revisions.push({ revision, cause: 'reversal', paymentId, atMs });
  if (reversalAfterKept === 'break') {
    end(trial, {
      ...{ status: 'broken', reason: 'reversal', atMs, lastDay: null, missed: open },
      knowledge,
    });
    return;
  }
  trial.notices.push({ id: `reopened/${revision}`, kind: 'reopened', revision, atMs });
  giveDays(trial, open, reversed, atMs);
}

// Back to active: no gate is asked again (R25), and what should have been judged while it was kept counts as judged.
function asJudged(facts: PromiseFacts, life: Life, atMs: EpochMs): Life {
  const again = { ...copyOf(life), awaitsApproval: false, awaitsDownPayment: false };
  for (const state of again.lines) if (state.line.judgeAtMs <= atMs) state.judged = true;
  const bills = billsToJudge(facts, life).filter(({ judgeAtMs }) => judgeAtMs <= atMs);
  again.billsJudged = new Set([...life.billsJudged, ...bills.map(({ transactionId }) => transactionId)]);
  return again;
}

function unsatisfied(
  { facts, purse }: Trial,
  life: Life,
  knowledge: Knowledge,
): { lines: ReadonlySet<number>; cents: number } {
  const counted = purse.tally(life.lines, knowledge);
  return {
    lines: new Set(unsatisfiedLines(facts, life.lines, counted).map(({ line }) => line.seq)),
    cents: counted.reduce((total, each) => total + each, 0),
  };
}

// A line that was satisfied and no longer is gets the later of its own deadline and the end of the reversal date plus
// the grace for reversals, never rolled; its judge time follows R5.
function giveDays(
  trial: Trial,
  bounced: ReadonlySet<number>,
  reversed: readonly Payment[],
  atMs: EpochMs,
): void {
  if (bounced.size === 0) return;
  const { facts, life } = trial;
  const { reversalGraceDays, postingLagHours } = facts.policy;
  const lastDay = addDays(dateOf(reversed), reversalGraceDays);
  const given = deadlineAtEndOf(lastDay, postingLagHours, facts.timeZone);
  for (const state of life.lines) {
    if (!bounced.has(state.line.seq)) continue;
    if (given.deadlineMs > state.line.deadlineMs) state.line = { ...state.line, ...given };
    state.judged = false;
    state.missed = false;
    state.knownAtMs = atMs;
  }
  // A later deadline opens the window (R8) for money that may complete; but a judge time that has passed goes first.
  const judgeAtMs = nextJudgeTime(life);
  if (judgeAtMs === null || judgeAtMs > atMs) complete(trial, { atMs, inclusive: true });
}

function dateOf(reversed: readonly Payment[]): LocalDate {
  return reversed.reduce(
    (day, { reversal }) => (reversal !== null && reversal.effectiveDate > day ? reversal.effectiveDate : day),
    '' as LocalDate,
  );
}
