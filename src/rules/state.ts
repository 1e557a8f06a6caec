import type { EpochMs, LocalDate } from './calendar';
import { count, unpaidOn, type Count, type Hearing, type Knowledge } from './count';
import type { FinalStatus, InstallmentStatus, Line, PromiseFacts, PromiseStatus, Reason } from './facts';
import { ZERO, type Cents } from './money';

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

export interface JudgedLine {
  readonly line: Line;
  readonly status: InstallmentStatus;
  readonly countedCents: Cents;
  readonly takes: Count['lines'][number]['takes'];
}

/** A promise on its way through its life: what the rules carry from one happening to the next. */
export interface State {
  readonly status: PromiseStatus;
  readonly revision: number;
  /** How many happenings were taken so far. */
  readonly cursor: number;
  /** The lines with their deadlines as they stand; a reversal can move them (R19). */
  readonly lines: readonly Line[];
  /** When the ledger learned of a moved deadline, by line. */
  readonly movedAtMs: ReadonlyMap<number, EpochMs>;
  /** Lines whose judge time has passed without a miss. */
  readonly judged: ReadonlySet<number>;
  /** The late evidence that was heard last; up to its happening, `cursor`, the past is judged again (R15). */
  readonly hearing: (Hearing & { readonly cursor: number }) | null;
  readonly outcome: Outcome | null;
  /** As it was just before the judge time that broke it. */
  readonly beforeBreak: {
    readonly state: State;
    readonly judgeAtMs: EpochMs;
    readonly lastDay: LocalDate;
  } | null;
}

/** A promise on the day it is enrolled. */
export function beginning(facts: PromiseFacts): State {
  return {
    status: 'active',
    revision: 1,
    cursor: 0,
    lines: facts.lines,
    movedAtMs: new Map(),
    judged: new Set(),
    hearing: null,
    outcome: null,
    beforeBreak: null,
  };
}

/** Whether the past is being judged again, and the evidence that caused it is still to come (R15). */
export function isCatchingUp({ hearing, cursor }: State): boolean {
  return hearing !== null && cursor < hearing.cursor;
}

/** The earliest judge time still to come; null once the promise has ended. */
export function nextJudgeTime(state: State): EpochMs | null {
  if (state.status !== 'active') return null;
  let next: EpochMs | null = null;
  for (const { seq, judgeAtMs } of state.lines) {
    if (!state.judged.has(seq) && (next === null || judgeAtMs < next)) next = judgeAtMs;
  }
  return next;
}

/**
 * Counts what has been received as of an instant; postings at it are seen by whatever they cause (`inclusive`), but come
 * too late for a judge time (R5).
 */
export function countAt(facts: PromiseFacts, state: State, atMs: EpochMs, inclusive = true): Count {
  return count(facts, state.lines, knowledgeAt(state, atMs, inclusive));
}

export function knowledgeAt(state: State, atMs: EpochMs, inclusive: boolean): Knowledge {
  return { atMs, inclusive, hearing: state.hearing, lastDay: windowEnd(state) };
}

// R8: the window ends with the deadline under judgement, which is the earliest one that still waits for its judge time:
// money effective after it is not counted yet. R19: after kept, any later payment may fill the hole of a reversal.
function windowEnd(state: State): LocalDate | null {
  const waiting = state.lines.filter((line) => !state.judged.has(line.seq)).map(({ lastDay }) => lastDay);
  if (waiting.length > 0) return waiting.reduce((day, lastDay) => (lastDay < day ? lastDay : day));
  return state.status === 'active' ? lastDayOf(state.lines) : null;
}

/** The last of the last days of some lines. */
export function lastDayOf(lines: readonly Line[]): LocalDate {
  return lines.reduce((day, { lastDay }) => (lastDay > day ? lastDay : day), '' as LocalDate);
}

interface Ending {
  readonly status: FinalStatus;
  readonly reason: Reason;
  readonly atMs: EpochMs;
  readonly lastDay: LocalDate | null;
  /** The status of a line that was not judged kept before. */
  readonly lineStatus: (line: Line) => InstallmentStatus;
}

/** Ends the current revision with a final decision. */
export function end(state: State, counted: Count, ending: Ending): State {
  const { lineStatus, ...rest } = ending;
  const atMs = state.hearing !== null && state.hearing.atMs > rest.atMs ? state.hearing.atMs : rest.atMs;
  const outcome: Outcome = {
    ...rest,
    atMs, // a decision found while catching up is made when the evidence is heard, not in the past
    revision: state.revision,
    lines: judgedLines(state, counted, lineStatus),
    notCounted: counted.notCounted,
    forgivenCents: rest.status === 'kept' ? unpaidOn(counted.lines) : ZERO,
  };
  return { ...state, status: rest.status, outcome };
}

/** The lines as they are shown: judged ones are kept unless they are missed now. */
export function judgedLines(
  state: State,
  counted: Count,
  otherwise: (line: Line) => InstallmentStatus,
): JudgedLine[] {
  return counted.lines.map(({ line, countedCents, takes }) => {
    const status = otherwise(line);
    return {
      line,
      countedCents,
      takes,
      status: status !== 'broken' && state.judged.has(line.seq) ? 'kept' : status,
    };
  });
}
