import { TrothError, messageOf } from '../platform/errors';

const AWAY = /^(08|53|57|58)|^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENOTFOUND|EAI_)/;
/** SQLSTATEs of two who write the same at the same time: asked again, the ledger says what is true now. */
const CONFLICTS = new Set(['40001', '40P01', '23505']);

/** The SQLSTATE or system code of an error, or ''. */
export function errorCodeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Whether an error says that the database is away, overloaded or stopping, and nothing about what was asked of it. */
export function isAway(error: unknown): boolean {
  if (error instanceof TrothError) return error.code === 'UNAVAILABLE';
  if (error instanceof AggregateError) return error.errors.some(isAway);
  if (AWAY.test(errorCodeOf(error))) return true;
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'KnexTimeoutError' ||
    /Connection terminated|encountered a connection error|^timeout exceeded when trying to connect/.test(
      error.message,
    )
  );
}

/** Whether trying again may help at once: a lost race or a deadlock. */
export function isLostRace(error: unknown): boolean {
  return CONFLICTS.has(errorCodeOf(error));
}

/** What a database error says, in one line and without the statement, which knex puts in front of it. */
export function reasonOf(error: unknown): string {
  const text = messageOf(error);
  const own =
    error instanceof TrothError
      ? text
      : text.slice(text.lastIndexOf(' - ') === -1 ? 0 : text.lastIndexOf(' - ') + 3);
  return own.split('\n')[0] ?? '';
}
