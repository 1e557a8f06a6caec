import { caseActivities } from './collections';
import type { ActivityDeps } from './deps';
import { settlementActivities } from './settlement';
import { sweepActivities } from './sweep';

export type { CaseAnswer } from './collections';
export type { ActivityDeps } from './deps';
export type { ChangedView, ChangeRequest, EnrolledView, SettledView } from './settlement';
export type { SweepReport } from './sweep';

/** Everything that workflows may ask of the world. */
export function createActivities(deps: ActivityDeps) {
  return { ...settlementActivities(deps), ...caseActivities(deps), ...sweepActivities(deps) };
}
