import type { Ledger } from '../src/ledger/connection';
import type { Log } from '../src/platform/log';
import { caseActivities } from './collections';
import { settlementActivities } from './settlement';
import { sweepActivities } from './sweep';

export type { CaseAnswer } from './collections';
export type { EnrolledView, SettledView } from './settlement';
export type { SweepReport } from './sweep';

/** What activities need of the world. */
export interface ActivityDeps {
  readonly ledger: Ledger;
  readonly log: Log;
  readonly taskQueue: string;
  /** Whether the status of an ended promise is written to Temporal's search attributes. */
  readonly statusAtEnd: boolean;
}

/** Everything that workflows may ask of the world. */
export function createActivities(deps: ActivityDeps) {
  return { ...settlementActivities(deps), ...caseActivities(deps), ...sweepActivities(deps) };
}
