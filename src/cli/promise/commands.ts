import type { Command } from 'commander';
import { forTenantData, helpEnd, oneOf, positive, withTenant } from '../context';
import { list, MOST_LISTED, STATUSES, type ListOptions } from './list';
import { show, type ShowOptions } from './show';

const DEFAULT_LIMIT = 200;

/** `troth promise list` and `troth promise show`. */
export function registerPromise(program: Command): void {
  const promise = program.command('promise').description('look at promises');
  forTenantData(
    promise
      .command('list')
      .description('list promises with what became of them')
      .option('--status <status>', `only ${STATUSES.join(', ')}`, oneOf(STATUSES))
      .option('--account <id>', 'only those of an account')
      .option('--oracle-view', 'status and state as Oracle Advanced Collections shows them')
      .option('--limit <count>', 'the most to list', positive(MOST_LISTED), DEFAULT_LIMIT),
  )
    .addHelpText(
      'after',
      `\nWith --json one object a line (NDJSON), without the totals.\n${helpEnd(['troth promise list --tenant demo --status broken', 'troth promise list --json | jq .sentence'])}`,
    )
    .action((options: ListOptions) => withTenant(options, (context) => list(context, options)));
  forTenantData(
    promise
      .command('show <id>')
      .description('show one promise: schedule, money, bills, revisions, verdict, timeline')
      .option('--oracle-view', 'status and state as Oracle Advanced Collections shows them'),
  )
    .addHelpText(
      'after',
      helpEnd(['troth promise show E-10001 --tenant demo'], ['66  there is no such promise']),
    )
    .action((id: string, options: ShowOptions) =>
      withTenant(options, (context) => show(context, id, options)),
    );
}
