import type { Command } from 'commander';
import { wakeCases } from '../../ledger/collections/waking';
import { assertDebtClass } from '../../ledger/transactions';
import { forTenantData, helpEnd, positive, withTenant, type TenantContext } from '../context';
import { print, printJson } from '../output';
import { printable } from '../text';
import { list, MOST_LISTED, type ListOptions } from './list';
import { show, type ShowOptions } from './show';

const DEFAULT_LIMIT = 200;
/** How a debt class is named, the same on every command of collections. */
export const CLASS_OPTION = '--class, --debt-class <class>';

/** `troth case list | show | wake`. */
export function registerCase(program: Command): void {
  const cases = program.command('case').description('look at collections cases: one for each debt');
  forTenantData(
    cases
      .command('list')
      .description('list cases with how each stands')
      .option('--open', 'only open ones')
      .option('--closed', 'only closed ones')
      .option(CLASS_OPTION, 'only those of a debt class')
      .option('--limit <count>', 'the most to list', positive(MOST_LISTED), DEFAULT_LIMIT),
  )
    .addHelpText(
      'after',
      `\nWith --json one object a line, without the totals.\n${helpEnd(['troth case list --open --class water'])}`,
    )
    .action((options: ListOptions, command: Command) => {
      if (options.open === true && options.closed === true)
        command.error('error: --open and --closed exclude each other');
      return withTenant(options, (context) => list(context, options));
    });
  forTenantData(
    cases
      .command('show <account>')
      .description('show the cases of an account: what may be collected, runs, steps, reviews, contacts')
      .option(CLASS_OPTION, 'only that of a debt class'),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth case show 0010040905', 'troth case show 0010040905 --class water --json | jq .reviews'],
        [
          '65  the account has no such debt class',
          '66  the account has no case, or there is no such account',
        ],
      ),
    )
    .action((account: string, options: ShowOptions) =>
      withTenant(options, (context) => show(context, account, options)),
    );
  forTenantData(
    cases
      .command('wake <account>')
      .description('have a case look again at once; opens it where there is none')
      .requiredOption(CLASS_OPTION, 'the debt class, such as water'),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth case wake 0010040905 --class water'],
        ['65  the account has no such debt class', '66  there is no such account'],
      ),
    )
    .action((account: string, options: WakeOptions) =>
      withTenant(options, (context) => wake(context, account, options)),
    );
}

interface WakeOptions {
  readonly debtClass: string;
  readonly tenant?: string;
  readonly json?: true;
}

async function wake(
  { ledger, tenant }: TenantContext,
  accountId: string,
  { debtClass, json }: WakeOptions,
): Promise<void> {
  const { tenantId } = tenant;
  await ledger.forTenant(tenantId, async (tx) => {
    await assertDebtClass(tx, tenantId, { accountId, debtClass });
    await wakeCases(tx, tenantId, [{ accountId, debtClass }]);
  });
  if (json === true) printJson({ accountId, debtClass, result: 'asked' });
  else print(`The ${printable(debtClass)} case of account ${printable(accountId)} will look again.`);
}
