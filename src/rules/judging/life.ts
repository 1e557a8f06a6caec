import { endOfDayMs, startOfDayMs, type EpochMs, type LocalDate } from '../calendar';
import { currentFromMs, type Count, type Hearing, type Knowledge, type OpenLine, type Purse } from './count';
import type { FinalStatus, InstallmentStatus, Line, PromiseFacts, PromiseStatus, Reason } from '../facts';
import { isMissed } from './misses';
import { cents, ZERO, type Cents } from '../money';

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
  /** R26: the bill that was not paid. */
  readonly billId?: string;
}

export interface JudgedLine {
  readonly line: Line;
  readonly status: InstallmentStatus;
  readonly countedCents: Cents;
  readonly takes: Count['lines'][number]['takes'];
}

/** What the lines of an ended promise had counted, by payment. */
export function usesOf(lines: readonly JudgedLine[]): Map<string, Cents> {
  const uses = new Map<string, Cents>();
  for (const { takes } of lines) {
    for (const { paymentId, cents } of takes) {
      uses.set(paymentId, ((uses.get(paymentId) ?? 0) + cents) as Cents);
    }
  }
  return uses;
}

/** A step in a promise's life that is no decision, but that collections hears of (R15, R18, R19). */
export interface Notice {
  /** The same step has the same id however often the life is told. */
  readonly id: string;
  readonly kind: 'missed' | 'reversed' | 'amended' | 'reopened' | 'activated';
  readonly revision: number;
  readonly atMs: EpochMs;
  readonly seq?: number;
  readonly paymentId?: string;
}

/** What began a revision after the first. */
export interface Revision {
  readonly revision: number;
  readonly cause: 'late_evidence' | 'reversal' | 'amended';
  readonly paymentId: string | null;
  readonly atMs: EpochMs;
}

/** A line on its way through the promise's life. */
export interface LineState extends OpenLine {
  /** With its deadline as it stands; a reversal can move it (R19). */
  line: Line;
  /** Whether its judge time has passed. */
  judged: boolean;
  /** Whether it was unpaid beyond the tolerance when lines were judged last (R15). */
  missed: boolean;
  /** When the ledger learned of its deadline: at enrollment, by an amendment or a reversal. */
  knownAtMs: number;
  /** Whether its miss has been told. */
  told: boolean;
}

/** A promise on its way: what the rules carry from one instant to the next. */
export interface Life {
  status: PromiseStatus;
  revision: number;
  /** How many happenings were taken so far. */
  cursor: number;
  /** The latest instant that was looked at. */
  nowMs: number;
  lines: LineState[];
  /** R22: without an end; there is always a next period. */
  isOpenEnded: boolean;
  awaitsApproval: boolean;
  awaitsDownPayment: boolean;
  billsJudged: ReadonlySet<string>;
  /** The late evidence that was heard last; up to its happening, `cursor`, the past is judged again (R15). */
  hearing: (Hearing & { readonly cursor: number }) | null;
  outcome: Outcome | null;
  /** As it was just before the judge time that broke it. */
  beforeBreak: { readonly life: Life; readonly judgeAtMs: EpochMs; readonly lastDay: LocalDate } | null;
}

/** One promise under judgement: its facts, its money, its life so far, and what that has brought. */
export interface Trial {
  readonly facts: PromiseFacts;
  readonly purse: Purse;
  life: Life;
  readonly outcomes: Outcome[];
  readonly notices: Notice[];
  readonly revisions: Revision[];
}

/** A promise on the day it is enrolled (R25: behind its gates, if it has any). */
export function beginning(facts: PromiseFacts, lines: readonly Line[]): Life {
  const awaitsApproval = facts.approval !== null;
  return {
    status: awaitsApproval || facts.hasDownPayment ? 'pending' : 'active',
    revision: 1,
    cursor: 0,
    nowMs: beganMs(facts),
    lines: lines.map((line) => asLineState(line, beganMs(facts))),
    isOpenEnded: facts.repeat !== null && facts.repeat.count === null && facts.repeat.untilDate === null,
    awaitsApproval,
    awaitsDownPayment: facts.hasDownPayment,
    billsJudged: NO_BILLS,
    hearing: null,
    outcome: null,
    beforeBreak: null,
  };
}

const NO_BILLS: ReadonlySet<string> = new Set();

/** The instant before which nothing happens to a promise. */
export function beganMs({ enrolledAtMs }: PromiseFacts): number {
  return enrolledAtMs ?? -Infinity;
}

/** A line that nothing has happened to yet. */
export function asLineState(line: Line, knownAtMs: number): LineState {
  return { line, judged: false, missed: false, knownAtMs, told: false };
}

/** A life that can go another way without changing this one. */
export function copyOf(life: Life): Life {
  return { ...life, lines: life.lines.map((line) => ({ ...line })) };
}

/** Whether a promise has not ended. */
export function isOpen({ status }: Pick<Life, 'status'>): boolean {
  return status === 'active' || status === 'pending';
}

/** Whether the past is being judged again, and the evidence that caused it is still to come (R15). */
export function isCatchingUp({ hearing, cursor }: Life): boolean {
  return hearing !== null && cursor < hearing.cursor;
}

/** The earliest judge time of a line still to come; null when none is left. */
export function nextJudgeTime({ lines }: Life): EpochMs | null {
  let next: EpochMs | null = null;
  for (const { judged, line } of lines) {
    if (!judged && (next === null || line.judgeAtMs < next)) next = line.judgeAtMs;
  }
  return next;
}

/** Whether no line waits for its judge time any more. */
export function allJudged({ lines }: Life): boolean {
  // From the end: the last ones wait longest.
  for (let index = lines.length - 1; index >= 0; index -= 1) if (lines[index]?.judged === false) return false;
  return true;
}

/** The last day of all. */
export function lastDayOf({ lines }: Life): LocalDate {
  let last = '' as LocalDate;
  for (const { line } of lines) if (line.lastDay > last) last = line.lastDay;
  return last;
}

/**
 * R14: when a promise that is paid may be kept: at once, or when its last due date is reached; R10 `current`: not before all
 * lines consume.
 */
export function completionOpensMs({ facts: { policy, timeZone }, life }: Trial): number {
  const { completion, overpayment } = policy;
  if (completion === 'early' && overpayment !== 'current') return -Infinity;
  if (life.isOpenEnded) return Infinity;
  if (completion === 'early') return Math.max(...life.lines.map(({ line }) => currentFromMs(line, timeZone)));
  let last = '' as LocalDate;
  for (const { line } of life.lines) if (line.dueDate > last) last = line.dueDate;
  return startOfDayMs(last, timeZone);
}

/** R25, R10: when money that waits for the down payment to become current pays it. */
export function downPaymentOpensMs({ facts, life }: Trial): number {
  const [first] = life.lines;
  if (!life.awaitsDownPayment || facts.policy.overpayment !== 'current' || first === undefined)
    return -Infinity;
  return currentFromMs(first.line, facts.timeZone);
}

/**
 * What is known at an instant; postings at it are seen by whatever they cause (`inclusive`), but come too late for a
 * judge time (R5).
 */
export function knowledgeAt(life: Life, atMs: EpochMs, inclusive: boolean): Knowledge {
  return { atMs, inclusive, hearing: life.hearing, lastDay: windowEnd(life) };
}

// R8: the window ends with the deadline under judgement, which is the earliest one that still waits for its judge time:
// money effective after it is not counted yet. Where none waits, any later payment may fill what is missing.
function windowEnd({ lines }: Life): LocalDate | null {
  let end: LocalDate | null = null;
  for (const { judged, line } of lines) {
    if (!judged && (end === null || line.lastDay < end)) end = line.lastDay;
  }
  return end;
}

/** What is unpaid on one line. */
export function unpaidOf({ line }: OpenLine, countedCents: number | undefined): number {
  return line.amountCents - (countedCents ?? 0);
}

interface Ending {
  readonly status: FinalStatus;
  readonly reason: Reason;
  readonly atMs: EpochMs;
  readonly lastDay: LocalDate | null;
  /** Lines that are missed for good. */
  readonly missed?: ReadonlySet<number>;
  readonly knowledge: Knowledge;
  readonly billId?: string;
}

/** Ends the current revision with a final decision. */
export function end(trial: Trial, ending: Ending): void {
  const { life, purse } = trial;
  const { status, reason, lastDay, knowledge, billId } = ending;
  // A decision found while catching up is made when the evidence is heard, not in the past.
  const atMs = life.hearing !== null && life.hearing.atMs > ending.atMs ? life.hearing.atMs : ending.atMs;
  const counted = purse.count(life.lines, knowledge);
  const lines = judgedLines(trial, counted, 'excused', ending);
  const shown = shownLines(trial, lines, atMs);
  const forgiven = reason === 'paid_within_tolerance' ? unpaidOn(shown) : ZERO;
  life.status = status;
  life.outcome = {
    revision: life.revision,
    status,
    reason,
    atMs,
    lastDay,
    lines: shown,
    notCounted: counted.notCounted,
    forgivenCents: forgiven,
    ...(billId === undefined ? {} : { billId }),
  };
  trial.outcomes.push(life.outcome);
}

/** The lines as they stand: judged ones are kept unless they were missed. */
export function judgedLines(
  { life }: Trial,
  counted: Count,
  otherwise: InstallmentStatus,
  ending?: Pick<Ending, 'status' | 'missed'>,
): JudgedLine[] {
  const isKept = ending?.status === 'kept';
  return counted.lines.map(({ line, countedCents, takes }, index): JudgedLine => {
    const state = life.lines[index];
    const isWell = isKept || (state?.judged === true && !isMissed(state, countedCents));
    const status = ending?.missed?.has(line.seq) === true ? 'broken' : isWell ? 'kept' : otherwise;
    return { line, countedCents, takes, status };
  });
}

/** What is unpaid on some lines in all. */
export function unpaidOn(lines: readonly JudgedLine[]): Cents {
  let total = 0;
  for (const { line, countedCents } of lines) total += line.amountCents - countedCents;
  return cents(total);
}

/**
 * The lines that a person sees: all of them; of a promise without an end (R22) those up to the next one to be paid, and all
 * whose due day is over.
 */
export function shownLines({ facts, life }: Trial, lines: readonly JudgedLine[], atMs: number): JudgedLine[] {
  if (!life.isOpenEnded) return [...lines];
  const next = lines.findIndex(({ line, countedCents }) => countedCents < line.amountCents);
  const late = lines.findLastIndex(({ line }) => endOfDayMs(line.dueDate, facts.timeZone) <= atMs);
  return lines.slice(0, Math.max(next, late) + 1);
}
