/** What stands on a promise at a moment, and what may be collected (rules.md section 8, R30, R31). */
import { type LocalDate } from './scenario';
import { count, countNow, isFull, unpaidOf, windowEndOf } from './count';
import { nextDueDate } from './decide';
import { arrearsOn } from './limits';
import {
  extend,
  type LineStatus,
  type Outcome,
  type PromiseState,
  shown,
  type State,
  type Status,
  type World,
} from './world';

export interface Answer {
  status: Status;
  reason: string | null;
  revision: number;
  unpaidCents: number;
  pastDueCents: number;
  nextDueDate: LocalDate | null;
  forgivenCents: number;
  installments: { seq: number; status: LineStatus; countedCents: number }[];
  /** null when the scenario tells of no arrears. */
  collectibleCents: number | null;
  /** Every final decision so far, also those undone later. */
  outcomes: Outcome[];
}

export function describe(
  world: World,
  state: State,
  promise: PromiseState,
  clockMs: number,
  today: LocalDate,
): Answer {
  extend(world, promise, today);
  // What time brings at this very instant has not come (section 8).
  const beforeMs = clockMs - 1;
  const counted =
    promise.frozen?.count.counted ?? countNow(world, state, promise, state.known, beforeMs, Infinity).counted;
  const lines = shown(promise, counted, world.calendar.zone.dateOf(beforeMs));
  const due = lines.filter((line) => line.dueDate < today);
  return {
    status: promise.status,
    reason: promise.reason,
    revision: promise.revision,
    unpaidCents: unpaidOf(lines, counted.slice(0, lines.length)),
    pastDueCents: due.reduce((sum, line) => sum + line.amountCents - (counted[lines.indexOf(line)] ?? 0), 0),
    nextDueDate: nextDueDate(lines, counted),
    forgivenCents: promise.forgivenCents,
    installments: lines.map((line, i) => {
      const kept = line.judged && (!line.missed || isFull(line, counted[i]));
      const status = promise.frozen?.lines[i] ?? (kept ? 'kept' : 'due');
      return { seq: i + 1, status, countedCents: counted[i] ?? 0 };
    }),
    collectibleCents: collectible(world, state, beforeMs, today),
    outcomes: promise.outcomes,
  };
}

/** R30, R31, S34 */
function collectible(world: World, state: State, beforeMs: number, today: LocalDate): number | null {
  const arrears = arrearsOn(world, today);
  if (arrears === null) return null;
  const active = state.promises.filter(({ status }) => status === 'active');
  const { shield, shieldCap } = world.policy;
  if (shield === 'none' || active.length === 0) return arrears;
  if (shield === 'pause-all' || active.some(({ endless }) => endless !== null)) return 0; // S30
  const shielded = active.map((promise) => {
    const look = { atMs: beforeMs, decidedMs: Infinity, known: state.known, windowEnd: windowEndOf(promise) };
    const waitingToo = shieldCap === 'promise-remaining';
    const { counted } = count(world, state, promise, { ...look, waitingToo });
    // Without the cap, lines of the future are untouched by what was paid ahead.
    const day = world.calendar.zone.dateOf(beforeMs);
    const taken = promise.lines.map(({ dueDate }, i) =>
      waitingToo || dueDate <= day ? (counted[i] ?? 0) : 0,
    );
    return unpaidOf(promise.lines, taken);
  });
  return Math.max(0, arrears - shielded.reduce((sum, cents) => sum + cents, 0));
}
