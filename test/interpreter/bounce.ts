/** R19: money that bounces, while a promise is live and after it was kept. */
import { addDays, latest } from './dates';
import { count, countNow, inWindow, ownCents, unpaidOf, windowEndOf } from './count';
import {
  completeIfPaid,
  end,
  goOn,
  judgeWhatIsDue,
  openGates,
  hasRival,
  holesIn,
  type Telling,
} from './decide';
import { currentBills, hasCome, isLive, judgeMs, type Line, type Payment, type PromiseState } from './world';

/** What the ledger learns at one instant, seen together (S1 (2)). */
export interface Postings {
  atMs: number;
  /** What was known before them; the telling knows what comes after. */
  before: ReadonlySet<number>;
  reversed: Payment[];
}

/** A live promise hears of postings: holes get new deadlines, and those already past are judged at once (S3). */
export function postingsArrive(telling: Telling, promise: PromiseState, postings: Postings): void {
  if (!isLive(promise) || !promise.autoManage) return;
  const { atMs } = postings;
  if (postings.reversed.length > 0) {
    const holes = holesInLive(telling, promise, postings);
    if (giveNewDeadlines(telling, promise, postings, holes)) {
      judgeWhatIsDue(telling, promise, atMs, true);
    }
  }
  if (isLive(promise)) openGates(telling, promise, atMs);
  completeIfPaid(telling, promise, atMs);
}

/** A line that was satisfied and no longer is: full or judged well before, and less counted now. */
function holesInLive(telling: Telling, promise: PromiseState, postings: Postings): Line[] {
  const { world, state, known } = telling;
  const { atMs } = postings;
  const look = { atMs, decidedMs: telling.dated(atMs), windowEnd: windowEndOf(promise) };
  const before = count(world, state, promise, { ...look, known: postings.before }).counted;
  const after = count(world, state, promise, { ...look, known }).counted;
  const open = holesIn(world, promise, before);
  return holesIn(world, promise, after).filter((line) => !open.includes(line));
}

/** The later of its own deadline and the end of (reversal date + days); true when there was anything to give. */
function giveNewDeadlines(
  { world, state }: Telling,
  promise: PromiseState,
  postings: Postings,
  holes: Line[],
): boolean {
  // S4: of the latest reversal, among those whose money was this promise's.
  const own = postings.reversed.filter(
    (payment) => inWindow(world, promise, payment, null) && ownCents(world, state, promise, payment) > 0,
  );
  const date = latest(own.flatMap(({ reversal }) => (reversal === null ? [] : [reversal.date])));
  if (date === null) return false;
  const lastDay = addDays(date, world.policy.reversalGraceDays);
  for (const line of holes) {
    if (lastDay > line.lastDay) line.lastDay = lastDay;
    line.judged = false;
    line.missed = false;
  }
  return holes.length > 0;
}

/** S19: a bounce after kept matters if it leaves a hole in some line with all money posted by now. */
export function bounceAfterKept(telling: Telling, promise: PromiseState, postings: Postings): void {
  const { world, state, known } = telling;
  const { policy } = world;
  const { atMs } = postings;
  if (promise.status !== 'kept' || promise.reason === 'balance_cleared' || promise.frozen === null) return;
  if (policy.reversalAfterKept === 'stay-kept') return;
  const judgedByNow = promise.lines.map((line) =>
    hasCome(state, judgeMs(world, line), atMs) ? { ...line, judged: true } : line,
  );
  const again = { ...promise, lines: judgedByNow };
  const after = countNow(world, state, again, known, atMs);
  const before = countNow(world, state, again, postings.before, atMs);
  // It took nothing, or what it took has been replaced.
  if (unpaidOf(again.lines, after.counted) <= unpaidOf(again.lines, before.counted)) return;
  const holes = holesIn(world, again, after.counted);
  if (holes.length === 0) return;
  if (policy.reversalAfterKept === 'reopen' && hasRival(world, state, promise, atMs)) return;
  promise.lines = judgedByNow;
  for (const bill of currentBills(world, promise)) {
    if (hasCome(state, judgeMs(world, bill), atMs)) promise.judgedBills.add(bill.id);
  }
  promise.approved = true; // R19: back to active, no gate is asked again
  promise.downPaid = true;
  goOn(promise);
  if (policy.reversalAfterKept === 'break') {
    const ending = { status: 'broken', reason: 'reversal', atMs, count: after, brokenLines: holes } as const;
    return end(world, promise, ending);
  }
  if (giveNewDeadlines(telling, promise, postings, holes)) judgeWhatIsDue(telling, promise, atMs, true);
  if (isLive(promise)) openGates(telling, promise, atMs);
}
