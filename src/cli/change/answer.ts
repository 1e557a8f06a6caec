import type { ChangeAnswer, ChangeOptions } from '../../enrollment/change';
import type { Settlement } from '../../ledger/promises/settle';
import { TrothError, type Problem } from '../../platform/errors';
import { actorOfCli } from '../context';

/** The options of a change that somebody at a terminal asks for. */
export function asked(): ChangeOptions {
  return { actor: actorOfCli(), realNowMs: Date.now(), relayAfterMs: 0, wakeWorkflow: true };
}

/**
 * What a change that was done came to.
 * @param what a sentence that says what did not happen, such as `Promise E-1 was not cancelled`.
 * @param options how the command line calls the fields of a problem.
 * @throws TrothError INPUT_INVALID, PROMISE_ENDED when it was refused.
 */
export function done(
  answer: ChangeAnswer,
  what: string,
  options: Readonly<Record<string, string>> = {},
): Settlement {
  if (answer.result === 'done') return answer.settlement;
  const { settlement, problems } = answer;
  const isOpen =
    settlement === undefined || settlement.status === 'active' || settlement.status === 'pending';
  const why = isOpen || settlement.sentence === null ? '' : `. ${settlement.sentence}`;
  throw new TrothError(isOpen ? 'INPUT_INVALID' : 'PROMISE_ENDED', `${what}${why}`, {
    problems: named(problems, options),
  });
}

/** Problems by the names that their fields have on the command line. */
export function named(problems: readonly Problem[], options: Readonly<Record<string, string>>): Problem[] {
  return problems.map((problem) => ({ ...problem, field: options[problem.field] ?? problem.field }));
}
