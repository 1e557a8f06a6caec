import { localDateAt, startOfDayMs, type EpochMs } from '../calendar';
import { evaluate } from '../decide';
import type { Scenario, ScenarioEvent } from './scenario';
import type { Brought } from './timeline-changes';
import { isOpen, type Told } from './timeline-words';
import { happensMs, momentMs } from './moments';
import type { Look, Reply } from './world';

/** Something that the file says of an instant. */
export type Said =
  | { readonly atMs: EpochMs; readonly kind: 'event' | 'received'; readonly event: ScenarioEvent }
  | { readonly atMs: EpochMs; readonly kind: 'day' };

/** What time alone brings. */
export const NOTHING: Brought = { posted: [], reversed: [], decidedBy: 'troth' };

/** What happened at an instant, and how the promises stood when time alone had decided. */
export interface Happenings {
  readonly middle: ReadonlyMap<string, Told>;
  readonly events: readonly ScenarioEvent[];
  readonly replies: readonly Reply[];
}

/** The promises at an instant, without what happens at it. */
export function alone(before: ReadonlyMap<string, Look>, atMs: EpochMs): Map<string, Told> {
  return new Map([...before].map(([id, { facts }]) => [id, { facts, life: evaluate(facts, atMs) }]));
}

/** What the happenings of one instant brought to a promise. @param is how it stands after them. */
export function broughtTo(promiseId: string, is: Told, { middle, events, replies }: Happenings): Brought {
  const was = middle.get(promiseId);
  const isOver = was !== undefined && !isOpen(was) && was.life.revision === is.life.revision;
  // Of promises that have ended, only the one that ended last tells of money, and only where none is open for it.
  const tells = !isOver || promiseId === endedLast(middle);
  const isCancelled = replies.some(
    (reply) => reply.what === 'cancel' && reply.promiseId === promiseId && reply.refusals.length === 0,
  );
  return {
    posted: tells ? events.flatMap((event) => (event.type === 'payment' ? [event.id] : [])) : [],
    reversed: events.flatMap((event) => (event.type === 'reversal' ? [event.payment] : [])),
    decidedBy: isCancelled ? 'staff' : 'troth',
  };
}

function endedLast(promises: ReadonlyMap<string, Told>): string | null {
  let last: string | null = null;
  let lastMs = -Infinity;
  for (const [promiseId, told] of promises) {
    if (isOpen(told)) return null;
    const endedMs = told.life.outcomes.at(-1)?.atMs ?? -Infinity;
    if (endedMs < lastMs) continue;
    lastMs = endedMs;
    last = promiseId;
  }
  return last;
}

/** What a file says of instants: its events, money that is posted on a later day, new arrears, bills. */
export function saidBy(scenario: Scenario): Said[] {
  const { events, arrears, transactions, tenant } = scenario;
  const { timeZone } = tenant;
  const said = events.flatMap((event): Said[] => {
    const atMs = happensMs(event, scenario);
    const receivedMs = momentMs(event.at, timeZone);
    const isLater =
      event.type === 'payment' && localDateAt(atMs, timeZone) > localDateAt(receivedMs, timeZone);
    const posted: Said = { atMs, kind: 'event', event };
    return isLater ? [{ atMs: receivedMs, kind: 'received', event }, posted] : [posted];
  });
  const days = [
    ...(arrears ?? []).map(({ from }) => from),
    ...transactions.flatMap(({ issued }) => (issued === null ? [] : [issued])),
  ];
  const dated = days.map((day): Said => ({ atMs: startOfDayMs(day, timeZone), kind: 'day' }));
  return [...dated, ...said].sort((a, b) => a.atMs - b.atMs);
}
