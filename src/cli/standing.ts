import type { Command } from 'commander';
import { standingsOf } from '../ledger/collections/standings';
import { TrothError } from '../platform/errors';
import { epochMs, formatDate, formatLocalTime } from '../rules/calendar';
import { CLASS_OPTION } from './case/commands';
import { forTenantData, helpEnd, withTenant, type TenantContext } from './context';
import { plainTable, print, printJson } from './output';

interface Options {
  readonly debtClass?: string;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth standing`: how an account has kept its word (R34). */
export function registerStanding(program: Command): void {
  forTenantData(
    program
      .command('standing <account>')
      .description('show how an account has kept its promises, by debt class')
      .option(CLASS_OPTION, 'only that of a debt class'),
  )
    .addHelpText(
      'after',
      [
        '',
        'Level: promises broken since the debt was last clear. Reversed: payments taken back after',
        'the promise that counted them was kept.',
        helpEnd(
          ['troth standing 0010040905', 'troth standing 0010040905 --json | jq .level'],
          ['66  there is no such account, or it has no such debt class'],
        ),
      ].join('\n'),
    )
    .action((account: string, options: Options) =>
      withTenant(options, (context) => standing(context, account, options)),
    );
}

async function standing(
  { ledger, tenant }: TenantContext,
  accountId: string,
  { debtClass, json }: Options,
): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const all = await ledger.forTenant(tenantId, (tx) => standingsOf(tx, tenantId, accountId, timeZone));
  if (all.length === 0) throw new TrothError('NOT_FOUND', `There is no account "${accountId}"`);
  const standings = all.filter((one) => debtClass === undefined || one.debtClass === debtClass);
  if (standings.length === 0) {
    const classes = all.map((one) => one.debtClass).join(', ');
    throw new TrothError(
      'NOT_FOUND',
      `Account "${accountId}" has no debt "${debtClass ?? ''}"; it has ${classes}`,
    );
  }
  if (json === true) {
    for (const one of standings) printJson({ accountId, ...one });
    return;
  }
  const rows = standings.map((one) => [
    one.debtClass,
    ...[one.kept, one.broken, one.cancelled, one.open, one.level].map(String),
    one.lastBrokenOn === null ? '' : formatDate(one.lastBrokenOn),
    String(one.reversedAfterKept),
    one.lastClearAt === null ? '' : formatLocalTime(epochMs(one.lastClearAt.getTime()), timeZone),
  ]);
  const head = [
    'Debt',
    'Kept',
    'Broken',
    'Cancelled',
    'Open',
    'Level',
    'Last broken',
    'Reversed',
    'Last clear',
  ];
  print(plainTable(head, rows));
}
