/**
 * The one registry of errors. Every error that a user, a CIS or an operator can meet has a code here; the same
 * code is the HTTP problem type, the CLI's exit code and the Temporal `ApplicationFailure` type.
 */
export const ERRORS = {
  CONFIG_INVALID: { status: 500, exit: 78, title: 'The configuration is not valid' },
  INPUT_INVALID: { status: 422, exit: 65, title: 'The input is not valid' },
  NOT_FOUND: { status: 404, exit: 66, title: 'There is no such thing' },
  CONFLICT: { status: 409, exit: 65, title: 'The request contradicts what is recorded' },
  PROMISE_ENDED: { status: 409, exit: 65, title: 'The promise has already ended' },
  NOT_A_SANDBOX: { status: 409, exit: 65, title: 'Only a sandbox tenant has a movable clock' },
  CLOCK_GOES_BACK: { status: 409, exit: 65, title: 'The sandbox clock moves forward only' },
  NOT_RUNNING: { status: 503, exit: 69, title: 'Troth is not running' },
  UNAVAILABLE: { status: 503, exit: 69, title: 'A part that Troth needs cannot be reached' },
  LOCAL_START: { status: 500, exit: 71, title: 'A local part could not be started' },
  ENVIRONMENT: { status: 500, exit: 72, title: 'This machine lacks something' },
  TIMEOUT: { status: 504, exit: 75, title: 'It took too long' },
  INVARIANT: { status: 500, exit: 70, title: 'Troth found itself in a state that must not be' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with an input: where it is, what was found and what to do. */
export interface Problem {
  readonly field: string;
  readonly value: string;
  readonly message: string;
}

/**
 * An error with a code of the registry. The message says what was wrong, with which value, and what to do; it
 * must never hold a secret or personal data.
 */
export class TrothError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; problems?: readonly Problem[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TrothError';
    this.code = code;
    this.problems = options.problems ?? [];
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  // knex puts the whole statement before what PostgreSQL says.
  return 'severity' in error
    ? error.message.slice(error.message.lastIndexOf(' - ') + 1).replace(/^- /, '')
    : error.message;
}

/** Fails loudly on a broken invariant: both sides of a boundary assert what they rely on. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TrothError('INVARIANT', message);
}
