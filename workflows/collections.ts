import {
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { CaseAnswer } from '../activities';
import { JudgeTimer } from './judge-timer';
import { ledger } from './ledger';
import {
  caseQuery,
  closeCaseSignal,
  debtChanged,
  paymentReversed,
  promiseActivated,
  promiseAmended,
  promiseBroken,
  promiseCancelled,
  promiseKept,
  promiseMissed,
  promiseReopened,
  retryCaseUpdate,
  type CaseCarriedOver,
  type CaseInput,
  type CaseView,
  type OutcomeSignal,
} from './messages';
import { addNotice, detailsOf, innermost, isRecord, shown } from './notices';

const MOST_RECENT = 20;
const MOST_SEEN = 500;
/** Outcomes that wait are received so many at a time. */
const MOST_TOGETHER = 50;
// Some 250 bytes each; an input may have two megabytes.
const MOST_HANDED_ON = 5_000;

interface CaseState {
  readonly key: CaseInput;
  waiting: OutcomeSignal[];
  /** Outcome ids heard in this run; the ledger remembers all of them. */
  readonly seen: Set<string>;
  readonly notices: string[];
  recent: CaseView['recent'];
  answer: Omit<CaseAnswer, 'recorded'> | null;
  attention: string | null;
  closeAsked: boolean;
  actAsked: boolean;
  wake: boolean;
}

/**
 * The collections case of one account and debt class: hears what its promises come to, records each outcome once and
 * in order, runs the collections process of the debt class over what no promise shields, and ends when nothing is open. A
 * later outcome, or new debt, starts it again. The ledger decides; this only waits.
 */
export async function collections(input: CaseCarriedOver): Promise<CaseView> {
  const state = begin(input);
  listen(state);
  if (input.reload === true) {
    await untilDone(state, async () => {
      state.answer = await ledger.readCase(state.key, Date.now());
    });
    if (isOver(state)) return view(state);
  }
  show(state);
  const timer = new JudgeTimer();
  for (;;) {
    const armedFor = arm(state, timer);
    await condition(() => isAsked(state) || (armedFor !== null && timer.fired));
    await work(state);
    if (state.waiting.length > 0 && !mayHandOn(state)) continue;
    await condition(allHandlersFinished);
    if (isOver(state)) return view(state);
    if (workflowInfo().continueAsNewSuggested) await handOn(state);
  }
}

async function work(state: CaseState): Promise<void> {
  while (state.waiting.length > 0 && !mayHandOn(state)) await receiveNext(state);
  if (state.closeAsked) await close(state);
  if (state.actAsked || isDue(state)) await act(state);
}

function isAsked(state: CaseState): boolean {
  return hasWork(state) || workflowInfo().continueAsNewSuggested;
}

function hasWork({ waiting, closeAsked, actAsked }: CaseState): boolean {
  return waiting.length > 0 || closeAsked || actAsked;
}

/** Closed, and nothing has come since: what is asked while the case closes is done before it ends. */
function isOver(state: CaseState): boolean {
  return state.answer?.status === 'closed' && !hasWork(state);
}

// The new run acts on the case first, so that what asked for it need not be handed on.
async function handOn({ key, recent, waiting, closeAsked }: CaseState): Promise<never> {
  const asked = closeAsked ? { closeAsked } : {};
  return continueAsNew<typeof collections>({ ...key, recent, waiting, ...asked, reload: true });
}

const OUTCOME_SIGNALS = [
  promiseActivated,
  promiseKept,
  promiseBroken,
  promiseCancelled,
  promiseMissed,
  promiseAmended,
  promiseReopened,
  paymentReversed,
];

function begin(input: CaseCarriedOver): CaseState {
  const { tenantId, accountId, debtClass } = input;
  return {
    key: { tenantId, accountId, debtClass },
    waiting: [...(input.waiting ?? [])],
    seen: new Set(),
    notices: [],
    recent: [...(input.recent ?? [])],
    answer: null,
    attention: null,
    closeAsked: input.closeAsked ?? false,
    actAsked: false,
    wake: false,
  };
}

function listen(state: CaseState): void {
  for (const signal of OUTCOME_SIGNALS) {
    setHandler(signal, (message) => hear(state, signal.name, message));
  }
  setHandler(debtChanged, () => {
    state.actAsked = true;
    state.wake = true;
  });
  setHandler(closeCaseSignal, () => void (state.closeAsked = true));
  setHandler(caseQuery, () => view(state));
  setHandler(retryCaseUpdate, async () => {
    // A case that waits for nothing in particular looks again at once, so that whoever asked has an answer.
    if (state.attention === null && patched('retry-looks-again')) state.actAsked = true;
    state.wake = true;
    await condition(() => !state.wake);
    return view(state);
  });
  setDefaultSignalHandler((name, ...args) => {
    addNotice(state.notices, `Signal "${name}" is not known; it said ${shown(args)}`);
    show(state);
  });
}

function hear(state: CaseState, signal: string, message: unknown): void {
  const wellFormed =
    isRecord(message) &&
    typeof message['outcomeId'] === 'string' &&
    typeof message['promiseId'] === 'string' &&
    typeof message['revision'] === 'number' &&
    typeof message['kind'] === 'string';
  if (!wellFormed) {
    addNotice(state.notices, `Signal "${signal}" could not be understood; it said ${shown(message)}`);
    show(state);
    return;
  }
  const outcome = message as unknown as OutcomeSignal;
  state.wake = true;
  if (state.seen.has(outcome.outcomeId)) return;
  if (state.seen.size >= MOST_SEEN) state.seen.clear(); // the ledger dedupes for good
  state.seen.add(outcome.outcomeId);
  state.waiting.push(outcome);
}

async function receiveNext(state: CaseState): Promise<void> {
  // In order of revision, whatever the order of the signals.
  state.waiting.sort((a, b) => (a.promiseId === b.promiseId ? a.revision - b.revision : 0));
  const together = state.waiting.length > 1 && patched('receive-together') ? MOST_TOGETHER : 1;
  const next = state.waiting.slice(0, together);
  const [first] = next;
  if (first === undefined) return;
  const input = { key: state.key, workflowId: workflowInfo().workflowId, realNowMs: Date.now() };
  let done: ReadonlySet<string> = new Set();
  await untilDone(state, async () => {
    const { recorded, received, ...answer } =
      together === 1
        ? await ledger.receiveOutcome({ ...input, outcome: first })
        : await ledger.receiveOutcomes({ ...input, outcomes: next });
    done = new Set(received ?? next.map(({ outcomeId }) => outcomeId));
    state.answer = answer;
    state.recent = [...state.recent, ...recorded].slice(-MOST_RECENT);
  });
  // By what the ledger says, not by what was asked: where the server ended a workflow task amid a flood of signals, more of
  // them may be here in a replay than when the ledger was asked.
  state.waiting = state.waiting.filter(({ outcomeId }) => !done.has(outcomeId));
  show(state);
}

/**
 * Whether a history that has grown is left to a new run although outcomes wait: they go with it. A flood of signals would else
 * keep this run from ever ending, and one run takes 10,000 signals at most.
 */
function mayHandOn({ waiting }: CaseState): boolean {
  return (
    workflowInfo().continueAsNewSuggested &&
    waiting.length > 0 &&
    waiting.length <= MOST_HANDED_ON &&
    patched('hand-on-what-waits')
  );
}

function isDue({ answer }: CaseState): boolean {
  const nextActAtMs = answer?.nextActAtMs ?? null;
  return nextActAtMs !== null && nextActAtMs <= Date.now() + (answer?.clockOffsetMs ?? 0);
}

/** Arms the one timer for what time alone decides next. @returns when on the workflow's clock; null: never. */
function arm({ answer }: CaseState, timer: JudgeTimer): number | null {
  const nextActAtMs = answer?.nextActAtMs ?? null;
  if (nextActAtMs === null) return null;
  const armedFor = nextActAtMs - (answer?.clockOffsetMs ?? 0);
  timer.arm(armedFor, `act ${isoMinute(nextActAtMs)}`);
  return armedFor;
}

/** `2026-01-15 14:00` UTC: workflow code has no time zones. */
function isoMinute(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

async function act(state: CaseState): Promise<void> {
  state.actAsked = false;
  await untilDone(state, async () => {
    state.answer = await ledger.actOnCase({ key: state.key, realNowMs: Date.now() });
  });
  show(state);
}

async function close(state: CaseState): Promise<void> {
  await untilDone(state, async () => {
    state.answer = await ledger.closeCase(state.key);
  });
  state.closeAsked = false;
  show(state);
}

async function untilDone(state: CaseState, step: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await step();
      if (state.attention !== null) label('open');
      state.attention = null;
      state.wake = false;
      return;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (state.attention === null) label('needs-attention');
      state.attention = innermost(error);
      state.wake = false;
      show(state);
      await condition(() => state.wake);
    }
  }
}

function label(status: string): void {
  upsertSearchAttributes([{ key: defineSearchAttributeKey('TrothStatus', 'KEYWORD'), value: status }]);
}

const NOTHING_YET: Omit<CaseAnswer, 'recorded' | 'received'> = {
  status: 'open',
  keptCount: 0,
  brokenCount: 0,
  cancelledCount: 0,
  openPromises: 0,
};

function view(state: CaseState): CaseView {
  const { key, recent, waiting, notices, attention } = state;
  const answer = state.answer ?? NOTHING_YET;
  const { keptCount, brokenCount, cancelledCount, openPromises, nextActAtMs } = answer;
  return {
    ...key,
    status: attention === null ? answer.status : 'needs-attention',
    ...{ keptCount, brokenCount, cancelledCount, openPromises },
    sentence: answer.sentence ?? null,
    nextActAt: nextActAtMs == null ? null : new Date(nextActAtMs).toISOString(),
    recent,
    waiting: waiting.length,
    notices: [...notices],
  };
}

function show(state: CaseState): void {
  const { attention, recent, notices } = state;
  const { status, keptCount, brokenCount, cancelledCount, openPromises } = view(state);
  const lines: string[] = [];
  if (attention !== null) lines.push(`**Needs attention:** ${attention}`, '', 'Send the update `retry`.', '');
  lines.push(
    `Case ${status}. Promises: ${openPromises} open, ${keptCount} kept, ${brokenCount} broken, ${cancelledCount} cancelled.`,
    '',
  );
  const { sentence, nextActAt } = view(state);
  if (sentence !== null) lines.push(sentence, '');
  if (nextActAt !== null) lines.push(`Looks again at ${nextActAt.slice(0, 16).replace('T', ' ')} UTC.`, '');
  for (const outcome of recent)
    lines.push(`- ${outcome.at.slice(0, 16).replace('T', ' ')} ${outcome.outcomeId}`);
  for (const notice of notices) lines.push(`- ${notice}`);
  setCurrentDetails(detailsOf(lines));
}
