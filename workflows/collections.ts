import {
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { CaseAnswer } from '../activities';
import { ledger } from './ledger';
import {
  caseQuery,
  closeCaseSignal,
  promiseActivated,
  promiseBroken,
  promiseCancelled,
  promiseKept,
  retryCaseUpdate,
  type CaseCarriedOver,
  type CaseInput,
  type CaseView,
  type OutcomeSignal,
} from './messages';
import { addNotice, detailsOf, innermost, isRecord, shown } from './notices';

const MOST_RECENT = 20;
const MOST_SEEN = 500;

interface CaseState {
  readonly key: CaseInput;
  readonly waiting: OutcomeSignal[];
  /** Outcome ids heard in this run; the ledger remembers all of them. */
  readonly seen: Set<string>;
  readonly notices: string[];
  recent: CaseView['recent'];
  answer: Omit<CaseAnswer, 'recorded'> | null;
  attention: string | null;
  closeAsked: boolean;
  wake: boolean;
}

/**
 * The collections case of one account and debt class: hears what its promises come to, records each outcome once and
 * in order, and ends when nothing is open. A later outcome starts it again.
 */
export async function collections(input: CaseCarriedOver): Promise<CaseView> {
  const state = begin(input);
  listen(state);
  if (input.reload === true) {
    await untilDone(state, async () => {
      state.answer = await ledger.readCase(state.key);
    });
    if (state.answer?.status === 'closed' && state.waiting.length === 0) return view(state);
  }
  show(state);
  for (;;) {
    await condition(
      () => state.waiting.length > 0 || state.closeAsked || workflowInfo().continueAsNewSuggested,
    );
    while (state.waiting.length > 0) await receiveNext(state);
    if (state.closeAsked) await close(state);
    if (state.waiting.length > 0) continue;
    await condition(allHandlersFinished);
    if (state.answer?.status === 'closed' && state.waiting.length === 0) return view(state);
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof collections>({
        ...state.key,
        recent: state.recent,
        waiting: state.waiting,
        reload: true,
      });
    }
  }
}

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
    closeAsked: false,
    wake: false,
  };
}

function listen(state: CaseState): void {
  for (const signal of [promiseActivated, promiseKept, promiseBroken, promiseCancelled]) {
    setHandler(signal, (message) => hear(state, signal.name, message));
  }
  setHandler(closeCaseSignal, () => void (state.closeAsked = true));
  setHandler(caseQuery, () => view(state));
  setHandler(retryCaseUpdate, async () => {
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
  const [next] = state.waiting;
  if (next === undefined) return;
  await untilDone(state, async () => {
    const { recorded, ...answer } = await ledger.receiveOutcome({
      key: state.key,
      workflowId: workflowInfo().workflowId,
      outcome: next,
    });
    state.answer = answer;
    state.recent = [...state.recent, ...recorded].slice(-MOST_RECENT);
  });
  state.waiting.splice(state.waiting.indexOf(next), 1);
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

function view(state: CaseState): CaseView {
  const { key, answer, recent, waiting, notices, attention } = state;
  return {
    ...key,
    status: attention === null ? (answer?.status ?? 'open') : 'needs-attention',
    keptCount: answer?.keptCount ?? 0,
    brokenCount: answer?.brokenCount ?? 0,
    cancelledCount: answer?.cancelledCount ?? 0,
    openPromises: answer?.openPromises ?? 0,
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
  for (const outcome of recent)
    lines.push(`- ${outcome.at.slice(0, 16).replace('T', ' ')} ${outcome.outcomeId}`);
  for (const notice of notices) lines.push(`- ${notice}`);
  setCurrentDetails(detailsOf(lines));
}
