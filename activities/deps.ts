import type { Ledger } from '../src/ledger/connection';
import type { Log } from '../src/platform/log';

/** What activities need of the world. */
export interface ActivityDeps {
  readonly ledger: Ledger;
  readonly log: Log;
  readonly taskQueue: string;
  /** Whether the status of an ended promise is written to Temporal's search attributes. */
  readonly statusAtEnd: boolean;
}
