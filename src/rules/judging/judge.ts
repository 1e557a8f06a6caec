import type { EpochMs, LocalDate } from '../calendar';
import type { Knowledge } from './count';
import type { Bill, PromiseFacts } from '../facts';
import { missedLines, unsatisfiedLines } from './misses';
import { toleratedCents } from '../policy';
import {
  allJudged,
  completionOpensMs,
  copyOf,
  end,
  isCatchingUp,
  isOpen,
  knowledgeAt,
  lastDayOf,
  unpaidOf,
  type Life,
  type LineState,
  type Trial,
} from './life';

/**
 * R15: judges what is due at a judge time: the installments, and the bills of a promise that asks the customer to stay
 * current (R26).
 */
export function judge(trial: Trial, judgeAtMs: EpochMs): void {
  const { facts, life } = trial;
  const { status, billsJudged, awaitsDownPayment } = life;
  const due = life.lines.filter(({ judged, line }) => !judged && line.judgeAtMs === judgeAtMs);
  const bills = billsToJudge(facts, life, judgeAtMs);
  const judged = due.length > 0 ? judgeLines(trial, due, judgeAtMs) : null;
  if (isOpen(life) && bills.length > 0) judgeBills(trial, bills, judgeAtMs, judged);
  if (isOpen(life)) goOn(trial, judged ?? { atMs: judgeAtMs, inclusive: false, lastDay: null });
  if (life.status !== 'broken' || life.outcome?.lastDay == null) return;
  const before = copyOf({ ...life, status, billsJudged, awaitsDownPayment, outcome: null });
  for (const state of before.lines)
    if (due.some(({ line }) => line.seq === state.line.seq)) state.judged = false;
  life.beforeBreak = { life: before, judgeAtMs, lastDay: life.outcome.lastDay };
}

/** R26: the bills that still wait for their judge time, whichever it is or that of `judgeAtMs`. */
export function billsToJudge(
  { policy, bills }: PromiseFacts,
  { billsJudged }: Life,
  at?: EpochMs,
): readonly Bill[] {
  if (!policy.stayCurrent || bills.length === 0) return NO_BILLS;
  return bills.filter(
    ({ transactionId, judgeAtMs }) =>
      !billsJudged.has(transactionId) && (at === undefined || judgeAtMs === at),
  );
}

const NO_BILLS: readonly Bill[] = [];

// Judged well to the last line, it is kept with what was in time for that (R12). Else the next deadline opens the window
// (R8), and money that waited for it may complete.
function goOn(trial: Trial, judged: Omit<Knowledge, 'hearing'>): void {
  if (judged.lastDay !== null && allJudged(trial.life)) complete(trial, judged, judged.lastDay);
  complete(trial, judged);
}

function judgeLines(trial: Trial, due: readonly LineState[], judgeAtMs: EpochMs): Knowledge {
  const { facts, life, purse } = trial;
  let lastDay = '' as LocalDate;
  let atMs = judgeAtMs;
  let learnedLate = false;
  for (const state of due) {
    if (state.line.lastDay > lastDay) lastDay = state.line.lastDay;
    // R5: a payment posted at the judge time is too late for it. But a judge time that had passed when the ledger learned
    // of it is judged with all that was known then.
    if (state.knownAtMs >= atMs) {
      atMs = state.knownAtMs as EpochMs;
      learnedLate = true;
    }
    state.judged = true;
  }
  hearUpTo(life, lastDay);
  const knowledge = { atMs, inclusive: learnedLate, hearing: life.hearing, lastDay };
  if (!life.awaitsDownPayment && purse.surelyFills(promisedThroughJudged(life), knowledge)) {
    for (const state of life.lines) state.missed = false;
    return knowledge;
  }
  const counted = purse.tally(life.lines, knowledge);
  const missed = missedLines(facts, life.lines, counted);
  for (const state of life.lines) state.missed = missed.has(state.line.seq);
  if (life.awaitsDownPayment && life.lines[0]?.judged === true) {
    if (!passesDownPayment(trial, missed, counted, knowledge)) return knowledge;
  }
  if (missed.size > 0) miss(trial, missed, knowledge);
  return knowledge;
}

/** What was promised on all lines through the last judged one. */
function promisedThroughJudged({ lines }: Life): number {
  let total = 0;
  let through = 0;
  for (const { judged, line } of lines) {
    total += line.amountCents;
    if (judged) through = total;
  }
  return through;
}

// R15: each judge time that is caught up hears all the money that was in time for it.
function hearUpTo(life: Life, lastDay: LocalDate): void {
  if (life.hearing !== null && lastDay > life.hearing.lastDay) life.hearing = { ...life.hearing, lastDay };
}

function miss(trial: Trial, missed: ReadonlySet<number>, knowledge: Knowledge): void {
  const { facts, life } = trial;
  const { onMiss, missesAllowed, finalMiss } = facts.policy;
  const isTooMany = missed.size > missesAllowed || (finalMiss === 'break' && allJudged(life));
  if (onMiss === 'break' && isTooMany) {
    end(trial, {
      status: 'broken',
      reason: 'installment_missed',
      atMs: knowledge.atMs,
      lastDay: knowledge.lastDay,
      missed,
      knowledge,
    });
    return;
  }
  for (const state of life.lines) {
    if (state.told || !missed.has(state.line.seq)) continue;
    state.told = true;
    const { seq, judgeAtMs } = state.line;
    const { revision, hearing } = life;
    const atMs = hearing !== null && hearing.atMs > knowledge.atMs ? hearing.atMs : knowledge.atMs;
    trial.notices.push({ id: `missed/${revision}/${seq}/${judgeAtMs}`, kind: 'missed', revision, atMs, seq });
  }
}

// R25. Paid in full, or within the tolerance of its own amount. Unpaid, it ends what never began: without a mark against the
// customer, unless the policy says so.
function passesDownPayment(
  trial: Trial,
  missed: ReadonlySet<number>,
  counted: readonly number[],
  knowledge: Knowledge,
): boolean {
  const { facts, life } = trial;
  const [first] = life.lines;
  if (first === undefined) return true;
  const short = unpaidOf(first, counted[0]);
  if (short === 0 || short <= toleratedCents(facts.policy, first.line.amountCents)) {
    pay(trial, knowledge.atMs);
    return true;
  }
  const breaks = facts.policy.limits.downPaymentMissed === 'break';
  first.missed = true;
  end(trial, {
    status: breaks ? 'broken' : 'cancelled',
    reason: 'down_payment_missed',
    atMs: knowledge.atMs,
    lastDay: knowledge.lastDay,
    ...(breaks ? { missed: new Set([...missed, first.line.seq]) } : {}),
    knowledge,
  });
  return false;
}

// R25: a down payment is paid when it is there in full; a tolerance helps at its judge time only.
function openGate(trial: Trial, counted: readonly number[], atMs: EpochMs): void {
  const [first] = trial.life.lines;
  if (trial.life.awaitsDownPayment && first !== undefined && unpaidOf(first, counted[0]) === 0)
    pay(trial, atMs);
}

/** R25: the down payment is there. */
function pay(trial: Trial, atMs: EpochMs): void {
  trial.life.awaitsDownPayment = false;
  activate(trial, atMs);
}

/** R25: a pending promise whose gates are all open becomes active. */
export function activate({ life, notices }: Trial, atMs: EpochMs): void {
  if (life.status !== 'pending' || life.awaitsApproval || life.awaitsDownPayment) return;
  life.status = 'active';
  const { revision } = life;
  notices.push({ id: `activated/${revision}`, kind: 'activated', revision, atMs });
}

function judgeBills(
  trial: Trial,
  bills: readonly Bill[],
  judgeAtMs: EpochMs,
  judged: Pick<Knowledge, 'lastDay'> | null,
): void {
  const { life, purse } = trial;
  const atMs = Math.max(judgeAtMs, life.nowMs) as EpochMs;
  const inclusive = atMs > judgeAtMs; // learned late, as with lines
  life.billsJudged = new Set([...life.billsJudged, ...bills.map(({ transactionId }) => transactionId)]);
  for (const bill of bills) {
    if (bill.closedAtMs !== null && bill.closedAtMs < judgeAtMs) continue;
    hearUpTo(life, bill.lastDay);
    const knowledge = knowledgeAt(life, atMs, inclusive);
    if (purse.paidOn(bill, knowledge) >= bill.amountCents) continue;
    end(trial, {
      status: 'broken',
      reason: 'current_bill_unpaid',
      atMs,
      lastDay: bill.lastDay,
      knowledge: judged === null ? knowledge : { ...knowledge, lastDay: judged.lastDay },
      billId: bill.transactionId,
    });
    return;
  }
}

/**
 * R14: kept as soon as the whole amount is there and completion is open. Before the last judge time the customer can still
 * pay, so a tolerance helps only when all lines have been judged, none of them missed (R12).
 * @param lastDay of the judge time that decides, if one does.
 */
export function complete(
  trial: Trial,
  { atMs, inclusive }: Pick<Knowledge, 'atMs' | 'inclusive'>,
  lastDay?: LocalDate,
): void {
  const { facts, life, purse } = trial;
  // R15: what the past holds is not over before the present; a kept found on the way could already have bounced.
  if (!isOpen(life) || !facts.autoManaged || isCatchingUp(life)) return;
  if (!canComplete(trial, atMs)) return;
  const known = knowledgeAt(life, atMs, inclusive);
  const knowledge = lastDay === undefined ? known : { ...known, lastDay };
  const counted = purse.tally(life.lines, knowledge);
  openGate(trial, counted, atMs);
  if (life.isOpenEnded) return;
  const isPaid = life.lines.every((state, index) => unpaidOf(state, counted[index]) === 0);
  if (!isPaid && (!allJudged(life) || unsatisfiedLines(facts, life.lines, counted).length > 0)) return;
  if (completionOpensMs(trial) > atMs) return;
  end(trial, {
    status: 'kept',
    reason: isPaid ? 'paid_in_full' : 'paid_within_tolerance',
    atMs,
    lastDay: allJudged(life) ? (lastDay ?? lastDayOf(life)) : null,
    knowledge,
  });
}

// Until the last judge time only the whole amount completes; mostly it cannot be there yet, and nothing need be counted.
function canComplete({ life, purse }: Trial, atMs: number): boolean {
  if (life.awaitsDownPayment || allJudged(life)) return true;
  return purse.canHold(promisedOn(life), life.hearing === null ? atMs : Math.max(atMs, life.hearing.atMs));
}

function promisedOn({ lines }: Life): number {
  let total = 0;
  for (const { line } of lines) total += line.amountCents;
  return total;
}
