import { ApplicationFailure } from '@temporalio/activity';
import { messageOf, TrothError } from '../src/platform/errors';

/**
 * PostgreSQL's classes of errors that trying again cannot mend: bad data and broken constraints. Not 42, a table or
 * column that is missing: the migration may still be on its way, and thousands of promises would be parked for it.
 */
const HOPELESS_CLASSES = new Set(['22', '23']);

/**
 * Runs an activity's work so that its failure says whether to try again: our own errors and broken constraints do
 * not mend themselves and park the workflow; anything else (a database away, a deadlock) is tried again.
 */
export async function asActivity<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TrothError && error.code !== 'UNAVAILABLE' && error.code !== 'TIMEOUT') {
      throw ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: true });
    }
    const state = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (state.length === 5 && HOPELESS_CLASSES.has(state.slice(0, 2))) {
      throw ApplicationFailure.create({ message: messageOf(error), type: 'INVARIANT', nonRetryable: true });
    }
    if (error instanceof TypeError || error instanceof RangeError) {
      throw ApplicationFailure.create({ message: messageOf(error), type: 'INVARIANT', nonRetryable: true });
    }
    throw ApplicationFailure.create({ message: messageOf(error), type: 'UNAVAILABLE' });
  }
}
