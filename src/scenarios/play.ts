import type { Scenario } from '../rules/scenario/scenario';
import { timelineOf, type Timeline } from '../rules/scenario/timeline';
import { check, type Checked } from '../rules/scenario/check';

/** A scenario that was played: what became of it, and what it expected beside what came. */
export interface Played {
  readonly scenario: Scenario;
  readonly checks: readonly Checked[];
  readonly timeline: Timeline;
  readonly holds: boolean;
}

/** Whatever plays scenarios; all players must tell the same. */
export type Player = (scenario: Scenario) => Played | Promise<Played>;

/**
 * Plays a scenario by the rules alone: without a ledger, a Temporal or a clock.
 * @throws RangeError where its dates or amounts lead beyond what Troth can hold.
 */
export function playByRules(scenario: Scenario): Played {
  return playedOf(scenario, check(scenario));
}

/** A scenario with what somebody who played it found; its story is what the rules tell. */
export function playedOf(scenario: Scenario, checks: readonly Checked[]): Played {
  return { scenario, checks, timeline: timelineOf(scenario), holds: checks.every(({ holds }) => holds) };
}
