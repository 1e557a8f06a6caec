import type { EpochMs } from './calendar';
import { countingOrder } from './count';
import type { Payment, PromiseFacts, PromiseStatus, Reason } from './facts';
import { cents, sum, type Cents } from './money';
import { complete, judge } from './judge';
import { hearLateEvidence } from './late-evidence';
import { loseMoney } from './reversal';
import {
  beginning,
  countAt,
  end,
  isCatchingUp,
  judgedLines,
  nextJudgeTime,
  type JudgedLine,
  type Outcome,
  type State,
} from './state';

export type { JudgedLine, Outcome } from './state';

/** Why an ended promise was taken up again in a new revision (R15, R19). */
export interface Reopening {
  readonly revision: number;
  readonly cause: 'late_evidence' | 'reversal';
  readonly paymentId: string;
  readonly atMs: EpochMs;
}

/** The whole life of a promise up to one instant. */
export interface Evaluation {
  readonly status: PromiseStatus;
  readonly reason: Reason | null;
  readonly revision: number;
  /** Every final decision in order, those that were undone later included. */
  readonly outcomes: readonly Outcome[];
  readonly reopenings: readonly Reopening[];
  /** The installments now; of an ended promise, as they were when it ended. */
  readonly lines: readonly JudgedLine[];
  readonly unpaidCents: Cents;
  /** When the next verdict is due; null once the promise has ended. */
  readonly nextJudgeAtMs: EpochMs | null;
}

/**
 * Judges a promise: the one function that decides. The answer depends only on the facts and the instant, never on how
 * often or how late it is asked (R15, R16): every judge time up to `asOfMs` is judged in order, each with what was
 * posted before it.
 */
export function evaluate(given: PromiseFacts, asOfMs: EpochMs): Evaluation {
  const facts = { ...given, payments: countingOrder(given.payments) };
  const happenings = happeningsOf(facts).filter((happening) => happening.atMs <= asOfMs);
  const outcomes: Outcome[] = [];
  const reopenings: Reopening[] = [];
  let state = beginning(facts);
  for (;;) {
    const before = state;
    const happening = happenings[state.cursor];
    const judgeAtMs = nextJudgeTime(state);
    // A payment posted exactly at a judge time is too late for it, so the judge goes first (R5).
    if (judgeAtMs !== null && judgeAtMs <= (happening?.atMs ?? asOfMs)) {
      state = judge(facts, state, judgeAtMs);
    } else if (happening !== undefined) {
      state = take(facts, { ...state, cursor: state.cursor + 1 }, happening);
      if (state.revision > before.revision) reopenings.push(reopening(before, state, happening));
    } else break;
    if (state.outcome !== null && state.outcome !== before.outcome) outcomes.push(state.outcome);
  }
  const lines = state.outcome?.lines ?? judgedLines(state, countAt(facts, state, asOfMs), () => 'due');
  return {
    status: state.status,
    reason: state.outcome?.reason ?? null,
    revision: state.revision,
    outcomes,
    reopenings,
    lines,
    unpaidCents: sum(lines.map(({ line, countedCents }) => cents(line.amountCents - countedCents))),
    nextJudgeAtMs: nextJudgeTime(state),
  };
}

/** What happened to the promise at one instant, a file of payments taken as a whole; judge times are found on the way. */
type Happening =
  | { readonly kind: 'reversed' | 'posted'; readonly atMs: EpochMs; readonly payments: readonly Payment[] }
  | { readonly kind: 'cancelled'; readonly atMs: EpochMs; readonly reason: Reason };

const ORDER_WITHIN_AN_INSTANT = { reversed: 0, posted: 1, cancelled: 2 } as const;

function happeningsOf({ debtClass, payments, cancellation }: PromiseFacts): Happening[] {
  const posted = new Map<EpochMs, Payment[]>();
  const reversed = new Map<EpochMs, Payment[]>();
  for (const payment of payments) {
    if (payment.debtClass !== debtClass) continue;
    addTo(posted, payment.postedAtMs, payment);
    if (payment.reversal !== null) addTo(reversed, payment.reversal.postedAtMs, payment);
  }
  const happenings: Happening[] = [
    ...[...reversed].map(([atMs, all]) => ({ kind: 'reversed' as const, atMs, payments: all })),
    ...[...posted].map(([atMs, all]) => ({ kind: 'posted' as const, atMs, payments: all })),
    ...(cancellation === null ? [] : [{ kind: 'cancelled' as const, ...cancellation }]),
  ];
  return happenings.sort(
    (a, b) => a.atMs - b.atMs || ORDER_WITHIN_AN_INSTANT[a.kind] - ORDER_WITHIN_AN_INSTANT[b.kind],
  );
}

function addTo(instants: Map<EpochMs, Payment[]>, atMs: EpochMs, payment: Payment): void {
  const known = instants.get(atMs);
  if (known === undefined) instants.set(atMs, [payment]);
  else known.push(payment);
}

function take(facts: PromiseFacts, state: State, happening: Happening): State {
  const { atMs } = happening;
  switch (happening.kind) {
    case 'reversed':
      return loseMoney(facts, state, happening.payments, atMs);
    case 'posted':
      if (state.status === 'active') return complete(facts, state, atMs);
      return state.status === 'broken' ? hearLateEvidence(facts, state, happening.payments, atMs) : state;
    case 'cancelled':
      return cancel(facts, state, atMs, happening.reason);
  }
}

// R17. A cancel ends what was active when it was accepted: never a past that late evidence brought back.
function cancel(facts: PromiseFacts, state: State, atMs: EpochMs, reason: Reason): State {
  if (state.status !== 'active' || isCatchingUp(state)) return state;
  return end(state, countAt(facts, state, atMs), {
    status: 'cancelled',
    reason,
    atMs,
    lastDay: null,
    lineStatus: () => 'excused',
  });
}

function reopening(before: State, after: State, happening: Happening): Reopening {
  const payments = happening.kind === 'cancelled' ? [] : happening.payments;
  const lastDay = after.hearing?.lastDay ?? '';
  const cause = before.status === 'kept' ? 'reversal' : 'late_evidence';
  const payment =
    payments.find(({ effectiveDate }) => cause === 'reversal' || effectiveDate <= lastDay) ?? payments[0];
  return { revision: after.revision, cause, paymentId: payment?.paymentId ?? '', atMs: happening.atMs };
}
