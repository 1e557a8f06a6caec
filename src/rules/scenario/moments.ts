import {
  endOfDayMs,
  epochMs,
  localDate,
  localTimeMs,
  startOfDayMs,
  type EpochMs,
  type LocalDate,
} from '../calendar';
import type { Moment, Scenario, ScenarioEvent } from './scenario';

// Of one instant: an enrollment first, then as `evaluate` takes what happens to one promise.
export const EVENT_ORDER = {
  enroll: -2,
  payment: -1,
  reversal: 0,
  'balance-cleared': 1,
  approve: 2,
  reject: 2,
  amend: 3,
  'service-stopped': 4,
  'account-closed': 4,
  'collection-event': 4,
  cancel: 4,
} as const;

/** A span of time: after its beginning, up to its end. */
export interface Span {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
}

/** When the promises of a scenario begin, and when the ledger learns of its events. */
export function instantsOf(scenario: Scenario): EpochMs[] {
  const { tenant, promises, events } = scenario;
  return [
    ...promises.map(({ startDate }) => startOfDayMs(startDate, tenant.timeZone)),
    ...events.map((event) => happensMs(event, scenario)),
  ];
}

/** When an event of a scenario happens. A reversal that came before its payment waits for it. */
export function happensMs(event: ScenarioEvent, { tenant: { timeZone }, events }: Scenario): EpochMs {
  const postedMs = postedMsOf(event, timeZone);
  if (event.type !== 'reversal') return postedMs;
  const payment = events.find((other) => other.type === 'payment' && other.id === event.payment);
  return payment === undefined ? postedMs : epochMs(Math.max(postedMs, postedMsOf(payment, timeZone)));
}

/**
 * Takes what happens within a span to just before its beginning: a millisecond apart, so that what happened one after the
 * other still does.
 */
export function movedBy(span: Span | undefined, all: readonly EpochMs[]): (ms: EpochMs) => EpochMs {
  if (span === undefined) return (ms) => ms;
  const within = all.filter((ms) => ms > span.fromMs && ms <= span.toMs);
  const latestFirst = [...new Set(within)].sort((a, b) => b - a);
  const moved = new Map(latestFirst.map((ms, place) => [ms, epochMs(span.fromMs - 1 - place)]));
  return (ms) => moved.get(ms) ?? ms;
}

/** The instant of a moment of a scenario; a bare date is noon. */
export function momentMs(moment: Moment, timeZone: string): EpochMs {
  const ms = localTimeMs(moment, timeZone);
  if (ms === undefined) throw new RangeError(`${moment} is not a date or a time`);
  return ms;
}

/** When the ledger learns of an event of a scenario. */
export function postedMsOf(event: ScenarioEvent, timeZone: string): EpochMs {
  return momentMs('postedAt' in event ? event.postedAt : event.at, timeZone);
}

/**
 * What a moment of an expectation means: a judge time equal to it has not passed, and a bare date sees everything that is
 * posted on it.
 */
export function askedAt(
  on: Moment,
  timeZone: string,
): { atMs: EpochMs; seenToMs: EpochMs; today: LocalDate } {
  const moment = momentMs(on, timeZone);
  const today = localDate(on.slice(0, 10));
  const seenToMs = on.length === 10 ? epochMs(endOfDayMs(today, timeZone) - 1) : moment;
  return { atMs: epochMs(moment - 1), seenToMs, today };
}
