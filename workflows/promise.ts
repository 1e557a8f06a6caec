import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  currentUpdateInfo,
  isCancellation,
  patched,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { ChangedView, ChangeRequest, EnrolledView, SettledView } from '../activities';
import { parsePromiseWorkflowId } from '../src/platform/ids';
import { JudgeTimer } from './judge-timer';
import { ledger } from './ledger';
import {
  amendUpdate,
  approveUpdate,
  cancelSignal,
  cancelUpdate,
  clockMoved,
  paymentPosted,
  retryUpdate,
  statusQuery,
  type AmendReply,
  type AmendRequest,
  type ApprovalReply,
  type ApprovalRequest,
  type CancelReply,
  type CancelRequest,
  type ClockMoved,
  type PromiseEnd,
  type PromiseInput,
  type PromiseResult,
  type PromiseStatusView,
} from './messages';
import { addNotice, detailsOf, innermost, isRecord, shown } from './notices';

const STATUS = 'TrothStatus';

interface State {
  tenantId: string;
  promiseId: string | null;
  status: PromiseStatusView['status'];
  revision: number;
  /** Null: time alone decides nothing; only a message can. */
  nextJudgeAtMs: number | null;
  /** The ledger was never asked, nor did whoever started this know when the first verdict is due. */
  unasked: boolean;
  clockOffsetMs: number;
  sentence: string | null;
  /** What was agreed beside the schedule; one that Troth started has it in its static details. */
  terms: string;
  schedule: string;
  /** R22: neither time nor money changes it. */
  byHand: boolean;
  attention: string | null;
  /** Read the ledger again, whatever the clock says. */
  wake: boolean;
  settled: SettledView | null;
  readonly notices: string[];
}

/**
 * One promise, from enrollment to its outcome: sleeps until the next judge time or a wake-up, settles in one
 * transaction of the ledger, tells collections, ends. The ledger decides; this only waits.
 */
export async function promiseToPay(input: PromiseInput): Promise<PromiseResult> {
  const state = begin(input);
  listen(state);
  if (isRecord(input) && 'enrollment' in input) {
    const refusal = await enroll(state, input.enrollment);
    if (refusal !== null) return refusal;
  }
  show(state);
  const timer = new JudgeTimer();
  for (;;) {
    await dueOrWoken(state, timer);
    if (!hasEnded(state)) await settle(state);
    if (!hasEnded(state) && !hasGrown()) continue;
    await condition(allHandlersFinished);
    if (hasEnded(state)) return resultOf(state);
    await handOn(state);
  }
}

/** Whether the history has grown so far that a new run should go on: one run takes 10,000 signals at most. */
function hasGrown(): boolean {
  return workflowInfo().continueAsNewSuggested && patched('promise-hand-on');
}

/** The new run asks the ledger at once: all that it needs to know is who it is. */
function handOn({ tenantId, promiseId, clockOffsetMs }: State): Promise<never> {
  return continueAsNew<typeof promiseToPay>({ tenantId, promiseId: promiseId ?? '', clockOffsetMs });
}

/** A message handler may have settled the promise meanwhile. */
function hasEnded(state: State): boolean {
  const status = state.settled?.status;
  return status === 'kept' || status === 'broken' || status === 'cancelled';
}

function resultOf({ settled, status, promiseId, revision, sentence }: State): PromiseResult {
  const end = (settled?.status ?? status) as PromiseEnd;
  return { status: end, promiseId: promiseId ?? '', revision, sentence };
}

function begin(input: PromiseInput): State {
  const known: Record<string, unknown> = isRecord(input) ? input : {};
  const named = parsePromiseWorkflowId(workflowInfo().workflowId);
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  return {
    tenantId: text(known['tenantId']) ?? named?.tenantId ?? '',
    promiseId: text(known['promiseId']) ?? ('enrollment' in known ? null : (named?.promiseId ?? '')),
    status: 'enrollment' in known ? 'enrolling' : known['pending'] === true ? 'pending' : 'active',
    revision: number(known['revision']) ?? 1,
    nextJudgeAtMs: number(known['nextJudgeAtMs']),
    unasked: number(known['nextJudgeAtMs']) === null,
    clockOffsetMs: number(known['clockOffsetMs']) ?? 0,
    sentence: null,
    terms: '',
    schedule: '',
    byHand: false,
    attention: null,
    wake: false,
    settled: null,
    notices: [],
  };
}

function listen(state: State): void {
  setHandler(paymentPosted, () => void (state.wake = true));
  setHandler(clockMoved, (moved: ClockMoved) => moveClock(state, moved));
  setHandler(cancelSignal, (request) => cancelBySignal(state, request));
  setHandler(cancelUpdate, (request) => cancel(state, request), { validator: assertCancel });
  setHandler(amendUpdate, (request) => amend(state, request), { validator: assertAmend });
  setHandler(approveUpdate, (request) => approve(state, request), { validator: assertApproval });
  setHandler(retryUpdate, () => retry(state));
  setHandler(statusQuery, () => view(state));
  setDefaultSignalHandler((name, ...args) => {
    addNotice(state.notices, `Signal "${name}" is not known; it said ${shown(args)}`);
    show(state);
  });
}

async function enroll(state: State, enrollment: unknown): Promise<PromiseResult | null> {
  const { workflowId } = workflowInfo();
  const answer = await untilDone(state, () =>
    ledger.enrollPromise({ enrollment, workflowId, realNowMs: Date.now() }),
  );
  if (answer.result === 'refused') return { status: 'refused', problems: answer.problems };
  if (answer.workflowId !== workflowId) {
    return { status: 'known', promiseId: answer.promiseId, workflowId: answer.workflowId };
  }
  state.tenantId = answer.tenantId;
  state.promiseId = answer.promiseId;
  state.terms = answer.terms ?? '';
  apply(state, answer.settled);
  describe(answer);
  return null;
}

/** A CIS that starts a workflow itself need not know our search attributes. */
function describe(answer: EnrolledView): void {
  const { nextJudgeAtMs } = answer.settled;
  upsertSearchAttributes([
    { key: defineSearchAttributeKey('TrothTenant', 'KEYWORD'), value: answer.tenantId },
    { key: defineSearchAttributeKey('TrothAccount', 'KEYWORD'), value: answer.accountId },
    { key: defineSearchAttributeKey('TrothDebtClass', 'KEYWORD'), value: answer.debtClass },
    { key: defineSearchAttributeKey(STATUS, 'KEYWORD'), value: answer.settled.status },
    ...(nextJudgeAtMs === undefined
      ? []
      : [{ key: defineSearchAttributeKey('TrothNextJudgeAt', 'DATETIME'), value: new Date(nextJudgeAtMs) }]),
  ]);
}

async function dueOrWoken(state: State, timer: JudgeTimer): Promise<void> {
  for (;;) {
    if (state.wake || hasEnded(state) || state.unasked || hasGrown()) return;
    if (state.nextJudgeAtMs === null) {
      await condition(() => state.wake || hasEnded(state) || state.nextJudgeAtMs !== null || hasGrown());
      continue;
    }
    if (state.nextJudgeAtMs <= Date.now() + state.clockOffsetMs) return;
    const armedFor = state.nextJudgeAtMs - state.clockOffsetMs;
    timer.arm(armedFor, `judge ${isoMinute(state.nextJudgeAtMs)}`);
    // Woken by a message, by the timer, or by a moved clock that wants another timer.
    await condition(
      () =>
        state.wake ||
        timer.fired ||
        hasEnded(state) ||
        hasGrown() ||
        (state.nextJudgeAtMs ?? 0) - state.clockOffsetMs !== armedFor,
    );
  }
}

async function settle(state: State): Promise<void> {
  state.wake = false;
  const { tenantId, promiseId } = state;
  const settled = await untilDone(state, () =>
    ledger.settlePromise({ tenantId, promiseId: promiseId ?? '', realNowMs: Date.now() }),
  );
  take(state, settled);
}

/** Takes over what the ledger has made of the promise, and shows it. */
function take(state: State, settled: SettledView): void {
  const ended = hasEnded(state);
  const wasPending = state.status === 'pending';
  apply(state, settled);
  show(state);
  if (settled.label === true && !ended) label(settled.status);
  else if (wasPending && settled.status === 'active') label('active');
}

function apply(state: State, settled: SettledView): void {
  state.settled = settled;
  state.revision = settled.revision;
  state.status = settled.status;
  state.nextJudgeAtMs = settled.nextJudgeAtMs ?? null;
  state.unasked = false;
  state.clockOffsetMs = settled.clockOffsetMs ?? 0;
  state.sentence = settled.sentence ?? null;
  state.schedule = settled.schedule ?? '';
  state.byHand = settled.byHand === true;
}

/**
 * Runs a step of the ledger until it succeeds. A failure that trying again cannot mend parks the workflow in *needs
 * attention*, on the worklist and in Temporal UI, until somebody sends `retry` or anything else wakes it.
 */
async function untilDone<T>(state: State, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const done = await step();
      if (state.attention !== null) {
        state.attention = null;
        label(state.status === 'pending' ? 'pending' : 'active');
      }
      return done;
    } catch (error) {
      if (isCancellation(error)) throw error;
      await park(state, innermost(error));
    }
  }
}

async function park(state: State, why: string): Promise<void> {
  const first = state.attention === null;
  state.attention = why;
  state.wake = false;
  show(state);
  if (first) label('needs-attention');
  const { tenantId, promiseId } = state;
  if (first && promiseId !== null) {
    // The worklist row is a help, not a condition: the search attribute has it already.
    await ledger.parkPromise({ tenantId, promiseId, why }).catch(() => undefined);
  }
  await condition(() => state.wake);
  state.wake = false;
}

function label(status: string): void {
  upsertSearchAttributes([{ key: defineSearchAttributeKey(STATUS, 'KEYWORD'), value: status }]);
}

function moveClock(state: State, moved: unknown): void {
  const offset = isRecord(moved) ? moved['clockOffsetMs'] : undefined;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset)) {
    addNotice(
      state.notices,
      `Signal "clockMoved" needs {"clockOffsetMs": milliseconds}; it said ${shown(moved)}`,
    );
    show(state);
    return;
  }
  state.clockOffsetMs = offset;
}

function assertCancel(request: unknown): void {
  const problem = cancelProblem(request);
  if (problem !== null) throw ApplicationFailure.nonRetryable(problem, 'INPUT_INVALID');
}

function cancelProblem(request: unknown): string | null {
  if (isRecord(request) && typeof request['reason'] === 'string') return null;
  return `"cancel" needs {"reason": "customer_request", "note": "…", "actor": "…"}; it said ${shown(request)}`;
}

// Staff type this by hand in Temporal UI or CLI: a bare reason will do, and what cannot be understood is shown.
async function cancelBySignal(state: State, request: unknown): Promise<void> {
  const asked = typeof request === 'string' ? { reason: request } : request;
  const problem = cancelProblem(asked);
  if (problem !== null) {
    addNotice(state.notices, problem);
  } else {
    const reply = await cancel(state, asked as CancelRequest);
    if (reply.result === 'refused') {
      const why = reply.problems.map((one) => `${one.field} ${one.message}`).join('; ');
      addNotice(state.notices, `Cancel refused: ${why}`);
    }
  }
  show(state);
}

async function cancel(state: State, request: CancelRequest): Promise<CancelReply> {
  const answer = await changed(state, (input) => ledger.cancelPromise({ ...input, request }));
  return answer.result === 'refused'
    ? { result: 'refused', problems: answer.problems }
    : { result: 'cancelled', sentence: answer.settled?.sentence ?? null };
}

function assertAmend(request: unknown): void {
  if (isRecord(request) && ('installments' in request || 'change' in request)) return;
  const what =
    '{"installments": [{"dueDate": "2026-02-28", "amountCents": 8000}]} or {"change": {"seq": 2, …}}';
  throw ApplicationFailure.nonRetryable(`"amend" needs ${what}; it said ${shown(request)}`, 'INPUT_INVALID');
}

async function amend(state: State, request: AmendRequest): Promise<AmendReply> {
  const answer = await changed(state, (input) => ledger.amendPromise({ ...input, request }));
  return answer.result === 'refused'
    ? { result: 'refused', problems: answer.problems }
    : { result: 'amended', revision: state.revision, sentence: state.sentence };
}

function assertApproval(request: unknown): void {
  if (isRecord(request) && typeof request['approved'] === 'boolean') return;
  const what = '{"approved": true, "actor": "…", "note": "…"}';
  throw ApplicationFailure.nonRetryable(
    `"approve" needs ${what}; it said ${shown(request)}`,
    'INPUT_INVALID',
  );
}

async function approve(state: State, request: ApprovalRequest): Promise<ApprovalReply> {
  const answer = await changed(state, (input) => ledger.decideApproval({ ...input, request }));
  return answer.result === 'refused'
    ? { result: 'refused', problems: answer.problems }
    : { result: 'decided', status: state.status };
}

/** Asks the ledger to change the promise, and goes on from what it became. */
async function changed(
  state: State,
  ask: (input: ChangeRequest) => Promise<ChangedView>,
): Promise<ChangedView> {
  await condition(() => state.promiseId !== null);
  const { tenantId, promiseId } = state;
  const requestId = currentUpdateInfo()?.id ?? null;
  const answer = await untilDone(state, () =>
    ask({ tenantId, promiseId: promiseId ?? '', requestId, realNowMs: Date.now() }),
  );
  if (answer.settled !== null) take(state, answer.settled);
  return answer;
}

async function retry(state: State): Promise<PromiseStatusView> {
  state.wake = true;
  await condition(() => !state.wake);
  return view(state);
}

function view(state: State): PromiseStatusView {
  const { promiseId, status, revision, sentence, attention, notices, nextJudgeAtMs } = state;
  return {
    promiseId,
    status: attention === null ? status : 'needs-attention',
    revision,
    nextJudgeAt: nextJudgeAtMs === null ? null : new Date(nextJudgeAtMs).toISOString(),
    sentence,
    attention,
    notices: [...notices],
  };
}

/** Writes the details that Temporal UI shows. They are not part of the history and cost nothing. */
function show(state: State): void {
  const lines: string[] = [];
  if (state.attention !== null)
    lines.push(`**Needs attention:** ${state.attention}`, '', 'Send the update `retry`.', '');
  if (state.sentence !== null) lines.push(state.sentence, '');
  else if (state.nextJudgeAtMs !== null)
    lines.push(`${capital(state.status)}. Next judged ${isoMinute(state.nextJudgeAtMs)} UTC.`, '');
  else
    lines.push(
      `${capital(state.status)}. Only ${state.byHand ? 'a person' : 'money or a person'} can change it now.`,
      '',
    );
  if (state.terms !== '') lines.push(state.terms, '');
  if (state.schedule !== '') lines.push(state.schedule, '');
  for (const notice of state.notices) lines.push(`- ${notice}`);
  setCurrentDetails(detailsOf(lines));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function isoMinute(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
