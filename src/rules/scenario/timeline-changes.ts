import type { EpochMs } from '../calendar';
import { explain, type Verdict } from '../explain';
import { SELF } from '../facts';
import type { JudgedLine, Notice, Outcome } from '../judging/life';
import { endsByCollections } from '../limits';
import { ZERO } from '../money';
import type { ScenarioEvent } from './scenario';
import type { Standing } from '../collections/standing';
import { lineBefore, movedChanges, paymentChange, reversalChange } from './timeline-money';
import {
  capital,
  freshNotices,
  isOpen,
  lineOf,
  linesWords,
  listed,
  scheduleWords,
  type Change,
  type Told,
  type Words,
} from './timeline-words';

/** What came at an instant beside time itself. */
export interface Brought {
  /** Payments posted, by id. */
  readonly posted: readonly string[];
  /** Payments whose reversals were posted. */
  readonly reversed: readonly string[];
  /** Who cancels, for the verdict. */
  readonly decidedBy: string;
}

/** R25, R5: the agreement, when it is first judged, and what it waits for. */
export function enrolledChange(told: Told, words: Words): Change {
  const { facts, life } = told;
  const who = facts.payor === SELF ? '' : `, paid by ${facts.payor}`;
  const firstMs = Math.min(...life.lines.map(({ line }) => line.judgeAtMs)) as EpochMs;
  const next = facts.autoManaged
    ? `first judged ${words.instant(firstMs)}`
    : 'nothing changes by itself, staff close it';
  const gates = gatesOf(told, words);
  const waits = gates.length === 0 ? '' : `; it waits for ${listed(gates)}`;
  return { kind: 'enrolled', sentence: `Enrolled${who}: ${scheduleWords(told, words)}; ${next}${waits}.` };
}

function gatesOf({ facts, life }: Told, words: Words): string[] {
  const [first] = life.lines;
  const { approval } = facts;
  const gates: string[] = [];
  if (life.awaitsApproval && approval !== null) {
    gates.push(`approval (until ${words.instant(approval.deadlineMs)})`);
  }
  if (life.awaitsDownPayment && first !== undefined) {
    const { amountCents, dueDate } = first.line;
    gates.push(`the down payment of ${words.money(amountCents)} (due ${words.day(dueDate)})`);
  }
  return gates;
}

/** A promise on the instant of its enrollment, before anything has counted. */
export function newborn({ facts, life }: Told): Told {
  const lines = life.lines.map(({ line }): JudgedLine => ({
    line,
    status: 'due',
    countedCents: ZERO,
    takes: [],
  }));
  const status = facts.approval !== null || facts.hasDownPayment ? 'pending' : 'active';
  const nothing = { outcomes: [], revisions: [], notices: [], notCounted: [] };
  return { facts, life: { ...life, ...nothing, status, revision: 1, lines } };
}

/** Everything that is otherwise than it was, in the order in which the rules decided it. */
export function changesOf(was: Told, is: Told, brought: Brought, words: Words): Change[] {
  const { posted, reversed, decidedBy } = brought;
  return [
    ...reversed.flatMap((paymentId) => reversalChange(was, is, paymentId, words)),
    ...posted.flatMap((paymentId) => paymentChange(was, is, paymentId, words)),
    ...(reversed.length > 0 ? [] : movedChanges(was, is, posted, words)),
    ...gateChanges(was, is, words),
    ...lineChanges(was, is, words),
    ...decisions(was, is, decidedBy, words),
  ];
}

/** R25: what a pending promise waited for. */
function gateChanges(was: Told, is: Told, words: Words): Change[] {
  const [before, now] = [was.life, is.life];
  const isActivated = freshNotices(was, is).some(({ kind }) => kind === 'activated');
  if (before.status !== 'pending' || (now.status !== 'pending' && !isActivated)) return [];
  const left = gatesOf(is, words);
  const then = isActivated ? ': the promise is active' : `; it waits for ${listed(left)}`;
  const changes: Change[] = [];
  if (before.awaitsApproval && !now.awaitsApproval) {
    changes.push({ kind: 'approved', sentence: `Approved${then}.` });
  }
  if (before.awaitsDownPayment && !now.awaitsDownPayment) {
    changes.push({ kind: 'activated', sentence: `The down payment is there${then}.` });
  }
  return changes;
}

/** R15: lines that were judged and do not break the promise, and those that were missed and no longer are. */
function lineChanges(was: Told, is: Told, words: Words): Change[] {
  if (!isOpen(was) || !isOpen(is) || was.life.revision !== is.life.revision) return [];
  return is.life.lines.flatMap((line): Change[] => {
    if (line.status !== 'kept' || lineBefore(was, line)?.status !== 'due') return [];
    const { amountCents, lastDay, seq } = line.line;
    const wasMissed = was.life.notices.some((notice) => notice.kind === 'missed' && notice.seq === seq);
    if (wasMissed)
      return [{ kind: 'judged', sentence: `Caught up: ${lineOf(is, line)} is no longer missed.` }];
    const short = amountCents - line.countedCents;
    const received = short === 0 ? '' : `${words.money(line.countedCents)} of `;
    const forgiven = short === 0 ? '' : `; the ${words.money(short)} missing is within the tolerance`;
    const story = `${received}${words.money(amountCents)} was received by ${words.day(lastDay)}${forgiven}`;
    return [{ kind: 'judged', sentence: `${capital(lineOf(is, line))} passes: ${story}.` }];
  });
}

/** Outcomes, and what came between them, revision by revision (R15, R18, R19). */
function decisions(was: Told, is: Told, decidedBy: string, words: Words): Change[] {
  const notices = freshNotices(was, is);
  const known = new Set(was.life.outcomes.map(keyOf));
  const outcomes = is.life.outcomes.filter((outcome) => !known.has(keyOf(outcome)));
  const revisions = [...new Set([...notices, ...outcomes].map(({ revision }) => revision))];
  return revisions
    .sort((a, b) => a - b)
    .flatMap((revision) => [
      ...notices
        .filter((notice) => notice.revision === revision)
        .flatMap((notice) => noticeChange(was, is, notice, words)),
      ...outcomes
        .filter((outcome) => outcome.revision === revision)
        .map((outcome) => outcomeChange(is, outcome, decidedBy)),
    ]);
}

function keyOf({ revision, status, atMs }: Outcome): string {
  return `${revision}/${status}/${atMs}`;
}

function outcomeChange({ facts }: Told, outcome: Outcome, decidedBy: string): Change {
  const verdict: Verdict = explain(facts, outcome, outcome.status === 'cancelled' ? decidedBy : 'troth');
  return { kind: outcome.status, sentence: verdict.sentence, verdict };
}

function noticeChange(was: Told, is: Told, notice: Notice, words: Words): Change[] {
  switch (notice.kind) {
    case 'missed':
      return missedChange(is, notice, words);
    case 'amended': {
      const open = is.life.lines.filter(({ line, countedCents }) => countedCents < line.amountCents);
      const left = open.length === 0 ? 'nothing is left to pay' : linesWords(open, words);
      const sentence = `Amended, revision ${notice.revision}: ${left}${nextJudged(is, words)}.`;
      return [{ kind: 'amended', sentence }];
    }
    case 'reopened':
      return [{ kind: 'reopened', sentence: reopenedWords(is, notice, words) }];
    case 'reversed':
    case 'activated':
      return []; // told with the money and with the gates
  }
}

function nextJudged({ life }: Told, words: Words): string {
  return life.nextJudgeAtMs === null ? '' : `; next judged ${words.instant(life.nextJudgeAtMs)}`;
}

// R15: a miss that the policy allows.
function missedChange(is: Told, { seq }: Notice, words: Words): Change[] {
  const line = is.life.lines.find((one) => one.line.seq === seq);
  if (line === undefined) return [];
  const { onMiss, missesAllowed } = is.facts.policy;
  const why = onMiss === 'stay-past-due' ? 'onMiss: stay-past-due' : `missesAllowed: ${missesAllowed}`;
  const { amountCents, lastDay } = line.line;
  const received = line.countedCents === 0 ? 'nothing' : words.money(line.countedCents);
  const what = `${received} of ${lineOf(is, line)}, ${words.money(amountCents)}, was received by ${words.day(lastDay)}`;
  return [
    { kind: 'missed', sentence: `Missed: ${what}; the promise goes on (${why}), and collections is told.` },
  ];
}

function reopenedWords(is: Told, { revision }: Notice, words: Words): string {
  const cause = is.life.revisions.find((one) => one.revision === revision);
  const payment = is.facts.payments.find(({ paymentId }) => paymentId === cause?.paymentId);
  const head = `Open again, revision ${revision}`;
  const next = nextJudged(is, words);
  if (cause?.cause === 'late_evidence' && payment !== undefined) {
    const money = `${words.money(payment.amountCents)} of ${words.day(payment.effectiveDate)}`;
    return `${head}: ${money} was received in time, so the verdict is taken back${next}.`;
  }
  const open = is.life.lines.filter(({ line, countedCents }) => countedCents < line.amountCents);
  const missing = open.map((one) => {
    const { amountCents, lastDay } = one.line;
    return `${words.money(amountCents - one.countedCents)} of ${lineOf(is, one)} through ${words.day(lastDay)}`;
  });
  return `${head}: to be paid is ${missing.length === 0 ? 'nothing' : listed(missing)}${next}.`;
}

/** How a promise that no verdict has ended stands when its story has been told. */
export function standsWords(told: Told, { pastDueCents, nextDueDate }: Standing, words: Words): string {
  const { status, awaitsApproval, unpaidCents, nextJudgeAtMs, isOpenEnded } = told.life;
  if (status === 'pending') {
    return `Still pending: it waits for its ${awaitsApproval ? 'approval' : 'down payment'}.`;
  }
  const next = nextJudgeAtMs === null ? '; only money or staff can end it' : nextJudged(told, words);
  if (isOpenEnded) {
    const past = pastDueCents === 0 ? '' : `${words.money(pastDueCents)} is past due; `;
    const due = nextDueDate === null ? 'nothing is due' : `next due ${words.day(nextDueDate)}`;
    return `Still active, without an end: ${past}${due}${next}.`;
  }
  const missing = unpaidCents === 0 ? 'nothing' : words.money(unpaidCents);
  const whole = pastDueCents === unpaidCents ? 'all' : words.money(pastDueCents);
  const past = pastDueCents === 0 ? '' : `, ${whole} of it past due`;
  return `Still active: ${missing} is missing${past}${next}.`;
}

/** Why a promise is still open after something that ends others (R13, R17, R27); null where it is not. */
export function survivalChange(told: Told, event: ScenarioEvent['type']): Change | null {
  if (!isOpen(told)) return null;
  const { facts, life } = told;
  const stays = (why: string): Change => ({ kind: 'event', sentence: `Stays ${life.status}: ${why}.` });
  if (event === 'collection-event' && !endsByCollections(facts)) {
    return stays(`${facts.payor} pays it, and a collections step ends only the account's own promises`);
  }
  if (event !== 'balance-cleared') return null;
  return stays(
    facts.autoManaged
      ? 'the policy goes on all the same (balanceCleared: ignore)'
      : 'staff close this promise',
  );
}
