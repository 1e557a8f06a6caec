import { localDateAt, type EpochMs } from './calendar';
import { Purse, type Count } from './judging/count';
import type { Amendment, Line, Payment, PromiseFacts, PromiseStatus, Reason } from './facts';
import { activate, billsToJudge, complete, judge } from './judging/judge';
import { hearLateEvidence } from './judging/late-evidence';
import {
  allJudged,
  asLineState,
  beganMs,
  beginning,
  completionOpensMs,
  downPaymentOpensMs,
  end,
  isCatchingUp,
  isOpen,
  judgedLines,
  knowledgeAt,
  lastDayOf,
  nextJudgeTime,
  shownLines,
  unpaidOf,
  unpaidOn,
  type JudgedLine,
  type Life,
  type Notice,
  type Outcome,
  type Revision,
  type Trial,
} from './judging/life';
import { sum, ZERO, type Cents } from './money';
import { linesThrough } from './schedules/periods';
import { loseMoney } from './judging/reversal';

export type { JudgedLine, Notice, Outcome, Revision } from './judging/life';

/** The whole life of a promise up to one instant. */
export interface Evaluation {
  readonly status: PromiseStatus;
  readonly reason: Reason | null;
  readonly revision: number;
  /** Every final decision in order, those that were undone later included. */
  readonly outcomes: readonly Outcome[];
  /** What began each revision after the first. */
  readonly revisions: readonly Revision[];
  /** What collections hears beside the outcomes. */
  readonly notices: readonly Notice[];
  /** The installments now; of an ended promise, as they were when it ended. */
  readonly lines: readonly JudgedLine[];
  readonly unpaidCents: Cents;
  /** R31: all counted money, that included which waits for its installment to become current. */
  readonly countedCents: Cents;
  /** R30: what open installments that are not due yet have counted. */
  readonly aheadCents: Cents;
  /** Money that does not count now, and why; of an ended promise, as it was when it ended (R20). */
  readonly notCounted: Count['notCounted'];
  /** R22: there is always a next period. */
  readonly isOpenEnded: boolean;
  readonly awaitsApproval: boolean;
  readonly awaitsDownPayment: boolean;
  /** When time alone can next decide something; null once the promise has ended, or when it waits for money only. */
  readonly nextJudgeAtMs: EpochMs | null;
}

/**
 * Judges a promise: the one function that decides. The answer depends only on the facts and the instant, never on how
 * often or how late it is asked (R15, R16): every judge time up to `asOfMs` is judged in order, each with what was
 * posted before it.
 */
export function evaluate(facts: PromiseFacts, asOfMs: EpochMs): Evaluation {
  const purse = new Purse(facts);
  const life = beginning(facts, linesThrough(facts, purse.most, asOfMs));
  const trial: Trial = { facts, purse, life, outcomes: [], notices: [], revisions: [] };
  const happenings = happeningsOf(facts, purse.payments, asOfMs);
  for (;;) {
    const happening = happenings[trial.life.cursor];
    const limitMs = happening?.atMs ?? asOfMs;
    const tick = nextTick(trial);
    // A payment posted exactly at a judge time is too late for it, so time goes first (R5).
    if (tick !== null && tick.atMs <= limitMs) {
      trial.life.nowMs = Math.max(trial.life.nowMs, tick.atMs);
      tell(trial, tick);
    } else if (happening !== undefined) {
      trial.life.cursor += 1;
      trial.life.nowMs = Math.max(trial.life.nowMs, happening.atMs);
      take(trial, happening);
    } else return evaluationOf(trial, asOfMs);
  }
}

function evaluationOf(trial: Trial, asOfMs: EpochMs): Evaluation {
  const { facts, life, purse, outcomes, notices, revisions } = trial;
  const { status, outcome, revision } = life;
  let lines: readonly JudgedLine[];
  let countedCents: Cents;
  let notCounted: Count['notCounted'];
  let aheadCents = ZERO;
  if (outcome === null) {
    const knowledge = knowledgeAt(life, asOfMs, true);
    const counted = purse.count(life.lines, knowledge);
    lines = shownLines(trial, judgedLines(trial, counted, 'due'), asOfMs);
    notCounted = counted.notCounted;
    countedCents =
      facts.policy.overpayment === 'current'
        ? sum(purse.tally(life.lines, knowledge, true) as Cents[])
        : sum(lines.map((line) => line.countedCents));
    const today = localDateAt(asOfMs, facts.timeZone);
    aheadCents = sum(lines.filter(({ line }) => line.dueDate > today).map((line) => line.countedCents));
  } else {
    lines = outcome.lines;
    notCounted = outcome.notCounted;
    countedCents = sum(lines.map((line) => line.countedCents));
  }
  return {
    status,
    reason: outcome?.reason ?? null,
    revision,
    outcomes,
    revisions,
    notices,
    lines,
    unpaidCents: unpaidOn(lines),
    countedCents,
    aheadCents,
    notCounted,
    isOpenEnded: life.isOpenEnded,
    awaitsApproval: isOpen(life) && life.awaitsApproval,
    awaitsDownPayment: isOpen(life) && life.awaitsDownPayment,
    nextJudgeAtMs: nextTick(trial)?.atMs ?? null,
  };
}

/** Something that time alone brings. */
interface Tick {
  readonly kind: 'approval' | 'judge' | 'opening';
  readonly atMs: EpochMs;
}

// Of several at one instant, the first of this order: what was never approved is not judged, and a promise is judged
// before it is complete.
function nextTick(trial: Trial): Tick | null {
  const { facts, life } = trial;
  if (!isOpen(life) || !facts.autoManaged) return null;
  let atMs: number = nextJudgeTime(life) ?? Infinity;
  let kind: Tick['kind'] = 'judge';
  if (life.awaitsApproval && facts.approval !== null) {
    // An amendment may bring the first judge time before the deadline; it never gives more time.
    atMs = Math.min(facts.approval.deadlineMs, atMs);
    kind = 'approval';
  }
  for (const bill of billsToJudge(facts, life)) {
    if (bill.judgeAtMs >= atMs) continue;
    atMs = bill.judgeAtMs;
    kind = 'judge';
  }
  const opensMs = Math.min(after(life, completionOpensMs(trial)), after(life, downPaymentOpensMs(trial)));
  if (opensMs < atMs) {
    atMs = opensMs;
    kind = 'opening';
  }
  return atMs === Infinity ? null : { kind, atMs: atMs as EpochMs };
}

/** An instant that is still to come; what has passed never comes again. */
function after({ nowMs }: Life, atMs: number): number {
  return atMs > nowMs ? atMs : Infinity;
}

function tell(trial: Trial, { kind, atMs }: Tick): void {
  switch (kind) {
    case 'approval':
      refuse(trial, Math.max(atMs, trial.life.nowMs) as EpochMs, false);
      return;
    case 'judge':
      judge(trial, atMs);
      return;
    case 'opening':
      complete(trial, { atMs, inclusive: false });
  }
}

/** What happened to the promise at one instant, a file of payments taken as a whole. */
type Happening =
  | { readonly kind: 'reversed' | 'posted'; readonly atMs: EpochMs; readonly payments: Payment[] }
  | { readonly kind: 'cleared'; readonly atMs: EpochMs }
  | { readonly kind: 'approved' | 'refused'; readonly atMs: EpochMs }
  | { readonly kind: 'amended'; readonly atMs: EpochMs; readonly amendment: Amendment }
  | { readonly kind: 'cancelled'; readonly atMs: EpochMs; readonly reason: Reason };

const ORDER_WITHIN_AN_INSTANT = {
  reversed: 0,
  posted: 1,
  cleared: 2,
  approved: 3,
  refused: 3,
  amended: 4,
  cancelled: 5,
} as const;

function happeningsOf(facts: PromiseFacts, payments: readonly Payment[], asOfMs: EpochMs): Happening[] {
  const { debtClass } = facts;
  const happenings: Happening[] = askedFor(facts, asOfMs);
  const began = beganMs(facts);
  for (const payment of payments) {
    if (payment.debtClass !== debtClass) continue;
    if (payment.postedAtMs <= asOfMs) {
      const atMs = Math.max(payment.postedAtMs, began) as EpochMs;
      happenings.push({ kind: 'posted', atMs, payments: [payment] });
    }
    const { reversal } = payment;
    if (reversal === null || reversal.postedAtMs > asOfMs || reversal.postedAtMs < began) continue;
    happenings.push({ kind: 'reversed', atMs: reversal.postedAtMs, payments: [payment] });
  }
  happenings.sort(
    (a, b) => a.atMs - b.atMs || ORDER_WITHIN_AN_INSTANT[a.kind] - ORDER_WITHIN_AN_INSTANT[b.kind],
  );
  return together(happenings);
}

/** What is posted, or reversed, at one instant is one happening. */
function together(sorted: readonly Happening[]): Happening[] {
  const happenings: Happening[] = [];
  for (const happening of sorted) {
    const last = happenings.at(-1);
    const isSame = last?.atMs === happening.atMs && last.kind === happening.kind;
    if (isSame && 'payments' in last && 'payments' in happening) last.payments.push(...happening.payments);
    else happenings.push(happening);
  }
  return happenings;
}

/** What people and the CIS did with the promise: few promises have any of it. */
function askedFor(
  { cancellation, approval, amendments, clearings }: PromiseFacts,
  asOfMs: EpochMs,
): Happening[] {
  const happenings: Happening[] = [];
  for (const atMs of clearings) if (atMs <= asOfMs) happenings.push({ kind: 'cleared', atMs });
  for (const amendment of amendments) {
    if (amendment.atMs <= asOfMs) happenings.push({ kind: 'amended', atMs: amendment.atMs, amendment });
  }
  const decision = approval?.decision ?? null;
  if (decision !== null && decision.atMs <= asOfMs) {
    happenings.push({ kind: decision.approved ? 'approved' : 'refused', atMs: decision.atMs });
  }
  if (cancellation !== null && cancellation.atMs <= asOfMs) {
    happenings.push({ kind: 'cancelled', ...cancellation });
  }
  return happenings;
}

function take(trial: Trial, happening: Happening): void {
  const { atMs } = happening;
  switch (happening.kind) {
    case 'reversed':
      loseMoney(trial, happening.payments, atMs);
      return;
    case 'posted':
      if (isOpen(trial.life)) completeNow(trial, atMs);
      else if (trial.life.status === 'broken') hearLateEvidence(trial, happening.payments, atMs);
      return;
    case 'cleared':
      clear(trial, atMs);
      return;
    case 'approved':
      approve(trial, atMs);
      return;
    case 'refused':
      refuse(trial, atMs, true);
      return;
    case 'amended':
      amend(trial, happening.amendment);
      return;
    case 'cancelled':
      cancel(trial, atMs, happening.reason);
  }
}

// Where the past was judged again up to now and no judge time is left, what would have been decided at the last one is
// decided now, with the same tolerance (R12, R15).
function completeNow(trial: Trial, atMs: EpochMs): void {
  const { hearing, cursor } = trial.life;
  const now = { atMs, inclusive: true };
  if (hearing !== null && cursor === hearing.cursor && allJudged(trial.life)) {
    complete(trial, now, lastDayOf(trial.life));
  }
  complete(trial, now);
}

// R13: nothing is left to collect, for another reason than a payment.
function clear(trial: Trial, atMs: EpochMs): void {
  const { facts, life } = trial;
  const { balanceCleared } = facts.policy;
  if (!isOpen(life) || !facts.autoManaged || balanceCleared === 'ignore') return;
  const status = balanceCleared === 'keep' ? 'kept' : 'cancelled';
  const knowledge = knowledgeAt(life, atMs, true);
  end(trial, { status, reason: 'balance_cleared', atMs, lastDay: null, knowledge });
}

// R25
function approve(trial: Trial, atMs: EpochMs): void {
  const { life } = trial;
  if (!isOpen(life) || !life.awaitsApproval) return;
  life.awaitsApproval = false;
  activate(trial, atMs);
}

// R25: by the second person, or by nobody in time.
function refuse(trial: Trial, atMs: EpochMs, inclusive: boolean): void {
  const { life } = trial;
  if (!isOpen(life) || !life.awaitsApproval) return;
  const knowledge = knowledgeAt(life, atMs, inclusive);
  end(trial, { status: 'cancelled', reason: 'not_approved', atMs, lastDay: null, knowledge });
}

/**
 * R18: fully paid lines stay, all others are replaced, in a new revision of the same promise. Money counted on a replaced
 * line flows to the new ones. A past that late evidence brought back is not amended.
 */
function amend(trial: Trial, { atMs, lines }: Amendment): void {
  const { life, purse } = trial;
  if (!isOpen(life) || isCatchingUp(life)) return;
  const counted = purse.tally(life.lines, knowledgeAt(life, atMs, true));
  const paid = life.lines.filter((state, index) => unpaidOf(state, counted[index]) === 0);
  const replaced = lines.map((line) => asLineState(line, atMs));
  const all = [...paid, ...replaced].sort((a, b) => byDueDate(a.line, b.line));
  life.lines = all.map((state, index) => ({ ...state, line: { ...state.line, seq: index + 1 } }));
  life.isOpenEnded = false;
  life.revision += 1;
  const { revision } = life;
  trial.revisions.push({ revision, cause: 'amended', paymentId: null, atMs });
  trial.notices.push({ id: `amended/${revision}`, kind: 'amended', revision, atMs });
  complete(trial, { atMs, inclusive: true });
}

function byDueDate(a: Line, b: Line): number {
  return a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0;
}

// R17. A cancel ends what was open when it was accepted: never a past that late evidence brought back.
function cancel(trial: Trial, atMs: EpochMs, reason: Reason): void {
  const { life } = trial;
  if (!isOpen(life) || isCatchingUp(life)) return;
  const knowledge = knowledgeAt(life, atMs, true);
  end(trial, { status: 'cancelled', reason, atMs, lastDay: null, knowledge });
}
