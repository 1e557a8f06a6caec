import type { Command } from 'commander';
import { cancelPromise } from '../enrollment/cancel';
import { TrothError } from '../platform/errors';
import { CANCEL_REASONS } from '../rules/facts';
import { actorOfCli, forTenantData, helpEnd, oneOf, withTenant } from './context';
import { print, printJson } from './output';
import { printable } from './text';

interface CancelOptions {
  readonly reason: string;
  readonly note?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth cancel`: ends an active promise (R17). */
export function registerCancel(program: Command): void {
  forTenantData(
    program
      .command('cancel <id>')
      .description('cancel an active promise; what was due before is judged first')
      .requiredOption('--reason <reason>', `why: ${CANCEL_REASONS.join(', ')}`, oneOf(CANCEL_REASONS))
      .option('--note <text>', 'what a colleague should know; needed with "other"')
      .option('--actor <who>', 'who cancels (default: cli:<user>)'),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth cancel E-10013 --reason customer_request --note "called on Monday"'],
        ['65  refused: the promise has ended', '66  there is no such promise'],
      ),
    )
    .action((id: string, options: CancelOptions) =>
      withTenant(options, (context) => cancel(context, id, options)),
    );
}

async function cancel(
  { ledger, tenant }: Parameters<Parameters<typeof withTenant>[1]>[0],
  promiseId: string,
  { reason, note, actor, json }: CancelOptions,
): Promise<void> {
  const answer = await cancelPromise(
    ledger,
    tenant.tenantId,
    promiseId,
    { reason, note, actor },
    { actor: actorOfCli(), realNowMs: Date.now(), relayAfterMs: 0, wakeWorkflow: true },
  );
  if (answer.result === 'refused') {
    const ended = answer.settlement !== undefined;
    const why = answer.settlement?.sentence ?? '';
    throw new TrothError(
      ended ? 'PROMISE_ENDED' : 'INPUT_INVALID',
      `Promise ${promiseId} was not cancelled${why === '' ? '' : `. ${why}`}`,
      { problems: answer.problems },
    );
  }
  const { status, revision, sentence } = answer.settlement;
  if (json === true) printJson({ promiseId, status, revision, sentence });
  else print(printable(sentence ?? `Promise ${promiseId} is ${status}.`));
}
