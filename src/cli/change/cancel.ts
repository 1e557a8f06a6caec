import type { Command } from 'commander';
import { cancelPromise } from '../../enrollment/cancel';
import { CANCEL_REASONS } from '../../rules/facts';
import {
  actorText,
  forTenantData,
  helpEnd,
  noteText,
  oneOf,
  withTenant,
  type TenantContext,
} from '../context';
import { print, printJson } from '../output';
import { printable } from '../text';
import { asked, done } from './answer';

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
      .description('cancel an open promise; what was due before is judged first')
      .requiredOption('--reason <reason>', `why: ${CANCEL_REASONS.join(', ')}`, oneOf(CANCEL_REASONS))
      .option('--note <text>', 'what a colleague should know; needed with "other"', noteText)
      .option('--actor <who>', 'who cancels (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth cancel E-10013 --reason customer_request --note "called on Monday"'],
        ['65  refused, such as a promise that has ended', '66  there is no such promise'],
      ),
    )
    .action((id: string, options: CancelOptions) =>
      withTenant(options, (context) => cancel(context, id, options)),
    );
}

async function cancel(
  { ledger, tenant }: TenantContext,
  promiseId: string,
  { reason, note, actor, json }: CancelOptions,
): Promise<void> {
  const answer = await cancelPromise(ledger, tenant.tenantId, promiseId, { reason, note, actor }, asked());
  const { status, revision, sentence } = done(answer, `Promise ${promiseId} was not cancelled`);
  if (json === true) printJson({ promiseId, status, revision, sentence });
  else print(printable(sentence ?? `Promise ${promiseId} is ${status}.`));
}
