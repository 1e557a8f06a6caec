import type { Command } from 'commander';
import { settlePromise } from '../../ledger/promises/debt-lock';
import { clearBalance } from '../../ledger/transactions';
import {
  actorOfCli,
  actorText,
  forTenantData,
  helpEnd,
  noteText,
  withTenant,
  type TenantContext,
} from '../context';
import { fittedTable, print, printJson } from '../output';
import { printable, status as coloured } from '../text';

interface Options {
  readonly debtClass: string;
  readonly note?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth balance-cleared`: nothing is left to collect on a debt, for another reason than a payment (R13). */
export function registerBalance(program: Command): void {
  forTenantData(
    program
      .command('balance-cleared <account>')
      .description('record that a debt is gone otherwise than by payment: credit, write-off, corrected bill')
      .requiredOption('--debt-class <class>', 'the debt class, such as water')
      .option('--note <text>', 'what a colleague should know', noteText)
      .option('--actor <who>', 'who says so (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      [
        '',
        'Its open promises are kept, cancelled or left alone, as the policy of each says (balanceCleared).',
        helpEnd(
          ['troth balance-cleared 0010040905 --debt-class water --note "leak credit 4711"'],
          ['65  the account has no such debt class', '66  there is no such account'],
        ),
      ].join('\n'),
    )
    .action((account: string, options: Options) =>
      withTenant(options, (context) => cleared(context, account, options)),
    );
}

async function cleared(
  { ledger, tenant }: TenantContext,
  accountId: string,
  { debtClass, note, actor, json }: Options,
): Promise<void> {
  const { tenantId } = tenant;
  const by = { actor: actor ?? actorOfCli(), note: note ?? null };
  const { touched } = await clearBalance(ledger, tenantId, { accountId, debtClass }, by);
  const promises: { promiseId: string; status: string; sentence: string | null }[] = [];
  for (const promiseId of touched) {
    const { status, sentence } = await settlePromise(ledger, tenantId, promiseId, Date.now());
    promises.push({ promiseId, status, sentence });
  }
  if (json === true) {
    printJson({ accountId, debtClass, promises });
    return;
  }
  print(`The ${printable(debtClass)} debt of account ${printable(accountId)} is recorded as cleared.`);
  if (promises.length === 0) print('No promise on it is open.');
  else {
    const rows = promises.map(({ promiseId, status, sentence }) => [
      ...[promiseId, coloured(status)],
      sentence ?? 'stays as it is: its policy, or staff, let it go on',
    ]);
    print(fittedTable(['Promise', 'Status', 'What became of it'], rows));
  }
}
