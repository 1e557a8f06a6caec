/** R15, S18, S20: late evidence. The judge time that broke is asked again, and what happened since happens again. */
import { inWindow, ownCents } from './count';
import {
  completeIfPaid,
  endOtherwise,
  goOn,
  hasRival,
  judgeOneTime,
  judgeWhatIsDue,
  keepIfJudgedWell,
  nextInstants,
  openGates,
  type Telling,
  timePasses,
} from './decide';
import { postingsArrive } from './bounce';
import {
  type Breaking,
  clonePromise,
  currentBills,
  isLive,
  type Payment,
  type PromiseState,
  type State,
  type World,
} from './world';

const HEARD = ['installment_missed', 'down_payment_missed', 'current_bill_unpaid'];

/** What becomes of a promise at the postings of an instant: itself, or its next revision. */
export function hearLateEvidence(
  world: World,
  state: State,
  promise: PromiseState,
  atMs: number,
  posted: Payment[],
): PromiseState {
  const { breaking } = promise;
  if (promise.status !== 'broken' || breaking === null) return promise;
  if (world.policy.lateEvidence !== 'rejudge' || !HEARD.includes(promise.reason ?? '')) return promise;
  if (!posted.some((payment) => isEvidence(world, state, promise, breaking, payment))) return promise;
  if (hasRival(world, state, promise, atMs)) return promise;

  const again = clonePromise(breaking.before);
  again.outcomes = [...promise.outcomes];
  again.uses = [...promise.uses];
  again.revision = promise.revision;
  again.approved = promise.approved;
  goOn(again);
  const telling = pastTelling(world, state, breaking, atMs);
  judgeOneTime(telling, again, breaking.atMs, breaking.judgedMs, breaking.postingsSeen);
  // It breaks again at the very same judge time: the verdict stands as it was.
  if (again.status === 'broken' || again.status === 'cancelled') return promise;
  judgeWhatIsDue(telling, again, breaking.atMs, breaking.postingsSeen);
  catchUp(telling, again, breaking, atMs);
  if (isLive(again)) {
    const now: Telling = { ...telling, catchingUp: false, dated: () => atMs };
    openGates(now, again, atMs);
    keepIfJudgedWell(now, again, atMs);
    completeIfPaid(now, again, atMs);
  }
  return again;
}

/** Money that this posting brings in time for the breaking judgement. */
function isEvidence(
  world: World,
  state: State,
  promise: PromiseState,
  { lastDay }: Breaking,
  payment: Payment,
): boolean {
  if (!state.known.has(payment.index)) return false; // bounced at once
  const forBill = currentBills(world, promise).some((bill) => (payment.applied[bill.id] ?? 0) > 0);
  if (forBill && payment.effective <= lastDay) return true;
  return inWindow(world, promise, payment, lastDay) && ownCents(world, state, promise, payment) > 0;
}

/** The past as it is told now: each judge time hears all good money that was effective by its own last day. */
function pastTelling(world: World, state: State, breaking: Breaking, nowMs: number): Telling {
  const telling: Telling = {
    world,
    state,
    known: new Set(breaking.known),
    dated: () => nowMs,
    hear: (lastDay) => {
      for (const payment of world.payments) {
        if (state.known.has(payment.index) && payment.effective <= lastDay) telling.known.add(payment.index);
      }
    },
    catchingUp: true,
  };
  return telling;
}

/** Everything between the judge time that broke and now, in order. */
function catchUp(telling: Telling, promise: PromiseState, breaking: Breaking, nowMs: number): void {
  const { world } = telling;
  let atMs = breaking.atMs;
  if (!breaking.postingsSeen) postingsAgain(telling, promise, atMs);
  if (atMs >= nowMs) return;
  eventsAgain(telling, promise, atMs);
  while (isLive(promise)) {
    const ledger = world.payments.flatMap(({ postedMs, reversal }) => [
      postedMs,
      ...(reversal === null ? [] : [reversal.postedMs]),
    ]);
    const events = world.events.map((event) => event.atMs);
    const later = [...ledger, ...events, ...nextInstants(world, promise, atMs)].filter((ms) => ms > atMs);
    atMs = Math.min(...later, nowMs);
    timePasses(telling, promise, atMs);
    postingsAgain(telling, promise, atMs);
    if (atMs >= nowMs) return; // what else happens now is told by the main story
    eventsAgain(telling, promise, atMs);
  }
}

function postingsAgain(telling: Telling, promise: PromiseState, atMs: number): void {
  if (!isLive(promise)) return;
  const { world, known } = telling;
  const before = new Set(known);
  const reversed = world.payments.filter(({ reversal }) => reversal?.postedMs === atMs);
  for (const { index, postedMs } of world.payments) if (postedMs === atMs) known.add(index);
  for (const { index } of reversed) known.delete(index);
  postingsArrive(telling, promise, { atMs, before, reversed });
}

/** S20: a balance clearing applies, and so does what an approver said; cancels and amendments were refused then. */
function eventsAgain(telling: Telling, promise: PromiseState, atMs: number): void {
  const { world } = telling;
  const now = world.events.filter((event) => event.atMs === atMs).map(({ event }) => event);
  if (now.some(({ type }) => type === 'balance-cleared')) clearBalance(telling, promise, atMs);
  for (const event of now) {
    const named = event.promise ?? world.scenario.promises[0]?.id;
    if (named === promise.id) approveOrReject(telling, promise, event.type, atMs);
  }
}

/** R13, S31 */
export function clearBalance(telling: Telling, promise: PromiseState, atMs: number): void {
  if (!isLive(promise) || !promise.autoManage) return;
  const { balanceCleared } = telling.world.policy;
  if (balanceCleared === 'ignore') return;
  endOtherwise(telling, promise, atMs, balanceCleared === 'keep' ? 'kept' : 'cancelled', 'balance_cleared');
}

/** S21: only who waits for an approval can be approved or refused. */
export function approveOrReject(telling: Telling, promise: PromiseState, said: string, atMs: number): void {
  if (!isLive(promise) || promise.approved) return;
  if (said === 'reject') endOtherwise(telling, promise, atMs, 'cancelled', 'not_approved');
  if (said !== 'approve') return;
  promise.approved = true;
  openGates(telling, promise, atMs);
}
