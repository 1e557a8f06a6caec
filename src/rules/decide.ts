import { addDays, deadlineAtEndOf, epochMs, type EpochMs, type LocalDate } from './calendar';
import { count, countingOrder, unpaid, unpaidOn, type Count, type Knowledge } from './count';
import type {
  FinalStatus,
  InstallmentStatus,
  Line,
  Payment,
  PromiseFacts,
  PromiseStatus,
  Reason,
} from './facts';
import { cents, sum, ZERO, type Cents } from './money';
import { toleratedCents } from './policy';

/** A final decision on one revision of a promise. */
export interface Outcome {
  readonly revision: number;
  readonly status: FinalStatus;
  readonly reason: Reason;
  readonly atMs: EpochMs;
  /** The last day of the deadline under judgement; null when no deadline decided. */
  readonly lastDay: LocalDate | null;
  readonly lines: readonly JudgedLine[];
  readonly notCounted: Count['notCounted'];
  readonly forgivenCents: Cents;
}

/** Why an ended promise was taken up again in a new revision (R15, R19). */
export interface Reopening {
  readonly revision: number;
  readonly cause: 'late_evidence' | 'reversal';
  readonly paymentId: string;
  readonly atMs: EpochMs;
}

export interface JudgedLine {
  readonly line: Line;
  readonly status: InstallmentStatus;
  readonly countedCents: Cents;
  readonly takes: Count['lines'][number]['takes'];
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

/** Something that happened to the promise; judge times are found on the way. */
type Happening =
  | { readonly kind: 'posted' | 'reversed'; readonly atMs: EpochMs; readonly payment: Payment }
  | { readonly kind: 'cancelled'; readonly atMs: EpochMs; readonly reason: Reason };

interface State {
  readonly status: PromiseStatus;
  readonly revision: number;
  /** How many happenings were taken so far. */
  readonly cursor: number;
  /** The lines with their deadlines as they stand; a reversal can move them (R19). */
  readonly lines: readonly Line[];
  /** When the ledger learned of a moved deadline, by line. */
  readonly movedAtMs: ReadonlyMap<number, EpochMs>;
  /** Lines whose judge time has passed. */
  readonly judged: ReadonlySet<number>;
  readonly evidence: ReadonlySet<string>;
  /** Nothing is decided before this instant: when late evidence was heard, the past is judged again only then. */
  readonly floorMs: EpochMs;
  readonly outcome: Outcome | null;
  /** As it was just before the judge time that broke it. */
  readonly beforeBreak: {
    readonly state: State;
    readonly judgeAtMs: EpochMs;
    readonly lastDay: LocalDate;
  } | null;
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
  const counted = state.outcome === null ? countNow(facts, state, asOfMs) : null;
  const lines = counted === null ? (state.outcome?.lines ?? []) : judgedLines(state, counted, () => 'due');
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

function reopening(before: State, after: State, happening: Happening): Reopening {
  return {
    revision: after.revision,
    cause: before.status === 'kept' ? 'reversal' : 'late_evidence',
    paymentId: happening.kind === 'cancelled' ? '' : happening.payment.paymentId,
    atMs: latest(happening.atMs, after.floorMs),
  };
}

function beginning(facts: PromiseFacts): State {
  return {
    status: 'active',
    revision: 1,
    cursor: 0,
    lines: facts.lines,
    movedAtMs: new Map(),
    judged: new Set(),
    evidence: new Set(),
    floorMs: epochMs(0),
    outcome: null,
    beforeBreak: null,
  };
}

const ORDER_WITHIN_AN_INSTANT = { reversed: 0, posted: 1, cancelled: 2 } as const;

function happeningsOf(facts: PromiseFacts): Happening[] {
  const happenings: Happening[] = [];
  for (const payment of facts.payments) {
    happenings.push({ kind: 'posted', atMs: payment.postedAtMs, payment });
    if (payment.reversal !== null) {
      happenings.push({ kind: 'reversed', atMs: payment.reversal.postedAtMs, payment });
    }
  }
  if (facts.cancellation !== null) happenings.push({ kind: 'cancelled', ...facts.cancellation });
  return happenings.sort(
    (a, b) => a.atMs - b.atMs || ORDER_WITHIN_AN_INSTANT[a.kind] - ORDER_WITHIN_AN_INSTANT[b.kind],
  );
}

function nextJudgeTime(state: State): EpochMs | null {
  if (state.status !== 'active') return null;
  const pending = state.lines.filter((line) => !state.judged.has(line.seq));
  return pending.length === 0 ? null : epochMs(Math.min(...pending.map((line) => line.judgeAtMs)));
}

// R15: broken when, at a judge time, a line whose deadline has passed is unpaid beyond tolerance.
function judge(facts: PromiseFacts, state: State, judgeAtMs: EpochMs): State {
  const underJudgement = state.lines.filter(
    (line) => line.judgeAtMs === judgeAtMs && !state.judged.has(line.seq),
  );
  const lastDay = underJudgement.reduce(
    (day, line) => (line.lastDay > day ? line.lastDay : day),
    '' as LocalDate,
  );
  // A judge time that a late-learned reversal put into the past is judged with what was known when it was learned.
  const learnedAtMs = Math.max(0, ...underJudgement.map((line) => state.movedAtMs.get(line.seq) ?? 0));
  const learnedLate = learnedAtMs > judgeAtMs;
  const knownAtMs = learnedLate ? epochMs(learnedAtMs) : judgeAtMs;
  const counted = count(facts, state.lines, {
    atMs: knownAtMs,
    inclusive: learnedLate,
    evidence: state.evidence,
    lastDay,
  });
  const judged = new Set([...state.judged, ...underJudgement.map((line) => line.seq)]);
  const goesOn: State = { ...state, judged };
  const passed = counted.lines.filter(({ line }) => judged.has(line.seq));
  const shortfall = unpaidOn(passed);
  const atMs = latest(knownAtMs, state.floorMs);
  if (shortfall > toleratedCents(facts.policy, sum(passed.map(({ line }) => line.amountCents)))) {
    const missed = new Set(passed.filter((line) => unpaid(line) > 0).map(({ line }) => line.seq));
    const broken = end(goesOn, counted, {
      status: 'broken',
      reason: 'installment_missed',
      atMs,
      lastDay,
      forgivenCents: ZERO,
      lineStatus: (line) => (missed.has(line.seq) ? 'broken' : 'excused'),
    });
    return { ...broken, beforeBreak: { state, judgeAtMs, lastDay } };
  }
  if (judged.size === state.lines.length) {
    return keep(goesOn, counted, atMs, shortfall > 0 ? 'paid_within_tolerance' : 'paid_in_full', lastDay);
  }
  return completeEarly(facts, goesOn, knownAtMs);
}

// R14 `early`: kept as soon as the whole amount is there. Early completion needs the full amount (R12).
function completeEarly(facts: PromiseFacts, state: State, knownAtMs: EpochMs): State {
  const counted = countNow(facts, state, knownAtMs);
  if (unpaidOn(counted.lines) > 0) return state;
  return keep(state, counted, latest(knownAtMs, state.floorMs), 'paid_in_full', null);
}

function take(facts: PromiseFacts, state: State, happening: Happening): State {
  switch (happening.kind) {
    case 'cancelled':
      return state.status === 'active' ? cancel(facts, state, happening.atMs, happening.reason) : state;
    case 'posted':
      if (state.status === 'active') return completeEarly(facts, state, happening.atMs);
      return state.status === 'broken'
        ? hearLateEvidence(facts, state, happening.payment, happening.atMs)
        : state;
    case 'reversed':
      if (state.status === 'active') return loseMoney(facts, state, happening.payment, happening.atMs);
      return state.status === 'kept'
        ? reverseAfterKept(facts, state, happening.payment, happening.atMs)
        : state;
  }
}

// R17
function cancel(facts: PromiseFacts, state: State, atMs: EpochMs, reason: Reason): State {
  const at = latest(atMs, state.floorMs);
  return end(state, countNow(facts, state, at), {
    status: 'cancelled',
    reason,
    atMs: at,
    lastDay: null,
    forgivenCents: ZERO,
    lineStatus: () => 'excused',
  });
}

// R19: a line that was satisfied and no longer is gets the later of its own deadline and the end of the reversal
// date plus the grace for reversals, never rolled; its judge time follows R5.
function loseMoney(facts: PromiseFacts, state: State, payment: Payment, atMs: EpochMs): State {
  const reversal = payment.reversal;
  if (reversal === null) return state;
  const before = count(facts, state.lines, { ...knowledgeNow(state, atMs), inclusive: false });
  const after = countNow(facts, state, atMs);
  const bounced = new Set(
    before.lines
      .filter((line, index) => {
        const now = after.lines[index];
        return (
          (unpaid(line) === 0 || state.judged.has(line.line.seq)) &&
          now !== undefined &&
          unpaid(now) > unpaid(line)
        );
      })
      .map(({ line }) => line.seq),
  );
  return giveDays(facts, state, bounced, reversal.effectiveDate, atMs);
}

function giveDays(
  facts: PromiseFacts,
  state: State,
  bounced: ReadonlySet<number>,
  reversedOn: LocalDate,
  atMs: EpochMs,
): State {
  if (bounced.size === 0) return state;
  const { reversalGraceDays, postingLagHours } = facts.policy;
  const given = deadlineAtEndOf(addDays(reversedOn, reversalGraceDays), postingLagHours, facts.timeZone);
  const lines = state.lines.map((line) =>
    bounced.has(line.seq) && given.deadlineMs > line.deadlineMs ? { ...line, ...given } : line,
  );
  const judged = new Set([...state.judged].filter((seq) => !bounced.has(seq)));
  const movedAtMs = new Map(state.movedAtMs);
  for (const seq of bounced) movedAtMs.set(seq, atMs);
  return { ...state, lines, judged, movedAtMs };
}

// R19, after kept. Another payment that came since may fill the hole: then nothing changes.
function reverseAfterKept(facts: PromiseFacts, state: State, payment: Payment, atMs: EpochMs): State {
  const reversal = payment.reversal;
  const kept = state.outcome;
  if (reversal === null || kept === null || facts.policy.reversalAfterKept === 'stay-kept') return state;
  const past = state.lines.filter((line) => line.judgeAtMs <= atMs).map((line) => line.seq);
  const open: State = {
    ...state,
    status: 'active',
    outcome: null,
    judged: new Set([...state.judged, ...past]),
  };
  const counted = countNow(facts, open, atMs);
  if (unpaidOn(counted.lines) <= kept.forgivenCents) return state;
  const unpaidSeqs = counted.lines.filter((line) => unpaid(line) > 0).map(({ line }) => line.seq);
  const revised: State = { ...open, revision: state.revision + 1 };
  if (facts.policy.reversalAfterKept === 'break') {
    return end(revised, counted, {
      status: 'broken',
      reason: 'reversal',
      atMs,
      lastDay: null,
      forgivenCents: ZERO,
      lineStatus: (line) => (unpaidSeqs.includes(line.seq) ? 'broken' : 'excused'),
    });
  }
  if (hasSuccessor(facts, atMs)) return state; // it stays kept, and the later promise holds the debt
  return giveDays(facts, revised, new Set(unpaidSeqs), reversal.effectiveDate, atMs);
}

// R15, late evidence: money received in time but posted after the verdict. The promise is judged again as if it had
// been posted in time; money received after the deadline is no such evidence.
function hearLateEvidence(facts: PromiseFacts, state: State, payment: Payment, atMs: EpochMs): State {
  const before = state.beforeBreak;
  if (facts.policy.lateEvidence === 'stay' || before === null) return state;
  const heardAtMs = latest(atMs, state.floorMs);
  if (state.evidence.has(payment.paymentId) || payment.effectiveDate > before.lastDay) return state;
  if (hasSuccessor(facts, heardAtMs)) return state;
  const late = facts.payments.filter(
    (other) =>
      other.postedAtMs >= before.judgeAtMs &&
      other.postedAtMs <= heardAtMs &&
      other.effectiveDate <= before.lastDay,
  );
  const evidence = new Set([...before.state.evidence, ...late.map((other) => other.paymentId)]);
  const again: State = { ...before.state, revision: state.revision + 1, evidence, floorMs: heardAtMs };
  const judgedAgain = judge(facts, again, before.judgeAtMs);
  // Not broken: the story goes on from that judge time, and what happened since then happens again, in order.
  return judgedAgain.status === 'broken' ? state : judgedAgain;
}

/** Whether another promise of the same payor is active at an instant. */
function hasSuccessor(facts: PromiseFacts, atMs: EpochMs): boolean {
  return facts.rivals.some(
    (rival) =>
      rival.payor === facts.payor && rival.fromMs <= atMs && (rival.untilMs === null || atMs < rival.untilMs),
  );
}

function keep(
  state: State,
  counted: Count,
  atMs: EpochMs,
  reason: 'paid_in_full' | 'paid_within_tolerance',
  lastDay: LocalDate | null,
): State {
  const forgivenCents = unpaidOn(counted.lines);
  return end(state, counted, {
    status: 'kept',
    reason,
    atMs,
    lastDay,
    forgivenCents,
    lineStatus: () => 'kept',
  });
}

interface Ending extends Pick<Outcome, 'status' | 'reason' | 'atMs' | 'lastDay' | 'forgivenCents'> {
  /** The status of a line that was not judged kept before. */
  readonly lineStatus: (line: Line) => InstallmentStatus;
}

function end(state: State, counted: Count, ending: Ending): State {
  const { lineStatus, ...rest } = ending;
  const outcome: Outcome = {
    ...rest,
    revision: state.revision,
    lines: judgedLines(state, counted, lineStatus),
    notCounted: counted.notCounted,
  };
  return { ...state, status: ending.status, outcome };
}

function judgedLines(
  state: State,
  counted: Count,
  otherwise: (line: Line) => InstallmentStatus,
): JudgedLine[] {
  return counted.lines.map(({ line, countedCents, takes }) => ({
    line,
    countedCents,
    takes,
    status: otherwise(line) !== 'broken' && state.judged.has(line.seq) ? 'kept' : otherwise(line),
  }));
}

function knowledgeNow(state: State, atMs: EpochMs): Knowledge {
  // R8: between a deadline and its judge time, money effective after that deadline is not counted yet.
  const inTheGap = state.lines.filter(
    (line) => !state.judged.has(line.seq) && line.deadlineMs <= atMs && atMs < line.judgeAtMs,
  );
  const lastDay = inTheGap.reduce<LocalDate | null>(
    (day, line) => (day === null || line.lastDay < day ? line.lastDay : day),
    null,
  );
  return { atMs, inclusive: true, evidence: state.evidence, lastDay };
}

function countNow(facts: PromiseFacts, state: State, atMs: EpochMs): Count {
  return count(facts, state.lines, knowledgeNow(state, atMs));
}

function latest(a: EpochMs, b: EpochMs): EpochMs {
  return a > b ? a : b;
}
