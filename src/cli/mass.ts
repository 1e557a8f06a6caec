import type { Command } from 'commander';
import { selectedCustomers, selectedItems } from '../cis/selection';
import { massPromise, type MassInput, type MassPromise } from '../enrollment/mass';
import { ERRORS, TrothError, type Problem } from '../platform/errors';
import { formatDate, type LocalDate } from '../rules/calendar';
import { formatMoney, sum } from '../rules/money';
import { named } from './change/answer';
import {
  actorOfCli,
  actorText,
  dateText,
  forTenantData,
  helpEnd,
  noteText,
  withTenant,
  type TenantContext,
} from './context';
import { counted } from './load/progress';
import { fittedTable, print, printJson } from './output';
import { dim, green, plural, printable, red, yellow } from './text';

interface Options {
  readonly transactions?: readonly string[];
  readonly customers?: readonly string[];
  readonly due: LocalDate;
  readonly policy?: string;
  readonly batch?: string;
  readonly note?: string;
  readonly actor?: string;
  readonly allOrNothing?: true;
  readonly dryRun?: true;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth mass-promise`: open items of many customers, each promised in full on one date (R23). */
export function registerMass(program: Command): void {
  forTenantData(
    program
      .command('mass-promise')
      .description('promise many open items in full, one promise for each account and debt class')
      .option(
        '--transactions <items...>',
        'ids of open items (INV-1, ACCOUNT/INV-1, INV-1=120.00), or a CSV file',
      )
      .option('--customers <customers...>', 'customer ids, whose open items are all promised, or a CSV file')
      .requiredOption('--due <date>', 'the date on which all of them will be paid', dateText)
      .option('--policy <name>', "the policy to make them under (default: the tenant's own)")
      .option('--all-or-nothing', 'make no promise at all when one of them is refused')
      .option('--dry-run', 'try everything and keep nothing')
      .option('--batch <id>', 'names the command: sent again with the same name it doubles nothing')
      .option('--note <text>', 'what a colleague should know', noteText)
      .option('--actor <who>', 'who enrolls (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      [
        '',
        'A file has a header line and the column transaction_id (account_id, open_amount or amount, if you',
        'like), or customer_id. An amount that is not the full open amount of its item is refused.',
        'The same command again is known and doubles nothing.',
        helpEnd(
          [
            'troth mass-promise --customers C-50100 C-50101 --due 2026-02-28 --dry-run',
            'troth mass-promise --transactions items.csv --due 2026-02-28 --all-or-nothing',
            'troth mass-promise --transactions INV-1=120.00 INV-2 --due 2026-02-28 --batch feb',
          ],
          [
            '65  some were refused; the others are made, with --all-or-nothing none',
            '66  there is no such file',
          ],
        ),
      ].join('\n'),
    )
    .action(async (options: Options, command: Command) => {
      const { transactions = [], customers = [] } = options;
      if (transactions.length + customers.length === 0) {
        command.error('error: say --transactions or --customers');
      }
      process.exitCode = await withTenant(options, (context) => promiseMany(context, options));
    });
}

const FIELDS: Readonly<Record<string, string>> = {
  policy: '--policy',
  batchId: '--batch',
  dueDate: '--due',
  transactions: '--transactions',
};

async function promiseMany({ ledger, tenant }: TenantContext, options: Options): Promise<number> {
  const { transactions = [], customers = [], due, policy, batch, note } = options;
  const input: MassInput = {
    transactions: await selectedItems(transactions, tenant.currency),
    customerIds: await selectedCustomers(customers, tenant.currency),
    ...{ dueDate: due, policy, note, batchId: batch },
    mode: options.allOrNothing === true ? 'all-or-nothing' : 'best-effort',
    dryRun: options.dryRun === true,
  };
  const progress = counted('promises');
  const answer = await massPromise(ledger, tenant.tenantId, input, {
    actor: options.actor ?? actorOfCli(),
    onProgress: progress.show,
  }).finally(progress.stop);
  if (answer.result === 'refused') {
    throw new TrothError('INPUT_INVALID', 'Nothing was promised', {
      problems: named(answer.problems, FIELDS),
    });
  }
  const { promises, notFound, saved } = answer;
  const refused = promises.some(({ result }) => result === 'refused') || notFound.length > 0;
  if (options.json === true) {
    printJson({
      dueDate: due,
      batchId: batch ?? null,
      saved,
      counts: countsOf(promises),
      promises,
      notFound,
    });
  } else tell(promises, notFound, { ...options, currency: tenant.currency, saved });
  return refused ? ERRORS.INPUT_INVALID.exit : 0;
}

type Counts = Readonly<Record<MassPromise['result'], number>>;

function countsOf(promises: readonly MassPromise[]): Counts {
  const counts = { enrolled: 0, known: 0, refused: 0, 'not-kept': 0 };
  for (const { result } of promises) counts[result] += 1;
  return counts;
}

const MOST_SHOWN = 200;
const MOST_REFUSALS = 20;

interface Told extends Options {
  readonly currency: string;
  readonly saved: boolean;
}

function tell(promises: readonly MassPromise[], notFound: readonly Problem[], told: Told): void {
  const rows = [
    ...notFound.map(({ value }) => [printable(value), '', '', '', red('refused'), '']),
    ...promises.flatMap((promise) => itemRows(promise, told)),
  ];
  if (rows.length > 0) {
    const head = ['Item', 'Account', 'Debt', 'Open', 'Result', 'Promise'];
    print(fittedTable(head, rows.slice(0, MOST_SHOWN)));
    if (rows.length > MOST_SHOWN)
      print(dim(`… and ${rows.length - MOST_SHOWN} more items; --json has them all`));
  }
  print(totals(promises, notFound, told));
  if (!told.saved) {
    print(told.dryRun === true ? 'A dry run: nothing was saved.' : 'All or nothing: nothing was saved.');
  }
  const refusals = [
    ...notFound.map(({ value, message }) => `${value} ${message}`),
    ...promises.flatMap(({ accountId, debtClass, problems }) =>
      problems.map((problem) => `${accountId} ${debtClass}: ${asWords(problem)}`),
    ),
  ];
  for (const refusal of refusals.slice(0, MOST_REFUSALS)) print(`  ${printable(refusal)}`);
  const more = refusals.length - MOST_REFUSALS;
  if (more > 0) print(dim(`  … and ${more} more refusals; --json has them all`));
}

function asWords({ field, value, message }: Problem): string {
  if (field === 'accountId' || value === '') return message;
  return field === 'amountCents' ? `${value} ${message}` : `${field} "${value}" ${message}`;
}

function itemRows({ items, result, promiseId, status, ...of }: MassPromise, told: Told): string[][] {
  const known = status === null || result !== 'known' ? '' : `, ${status}`;
  const word = result === 'enrolled' && !told.saved ? 'possible' : RESULT_WORDS[result];
  return items.map(({ transactionId, openCents }) => [
    transactionId,
    of.accountId,
    of.debtClass,
    formatMoney(openCents, told.currency),
    COLOURS[result](word),
    result === 'refused' ? '' : `${promiseId}${known}`,
  ]);
}

const RESULT_WORDS: Readonly<Record<MassPromise['result'], string>> = {
  enrolled: 'promised',
  known: 'known',
  refused: 'refused',
  'not-kept': 'not made',
};
const COLOURS: Readonly<Record<MassPromise['result'], (text: string) => string>> = {
  enrolled: green,
  known: (text) => text,
  refused: red,
  'not-kept': yellow,
};

function totals(promises: readonly MassPromise[], notFound: readonly Problem[], told: Told): string {
  const made = promises.filter(({ result }) => result === 'enrolled');
  const total = formatMoney(sum(made.map(({ totalCents }) => totalCents)), told.currency);
  const { enrolled, known, refused, 'not-kept': notKept } = countsOf(promises);
  const words = [
    `${plural(enrolled, 'promise')} ${told.saved ? 'made' : 'possible'}, ${total} due ${formatDate(told.due)}`,
    ...(known === 0 ? [] : [`${known} known already`]),
    ...(refused === 0 ? [] : [`${refused} refused`]),
    ...(notKept === 0 ? [] : [`${notKept} not made`]),
    ...(notFound.length === 0 ? [] : [`${notFound.length} not found`]),
  ];
  return `${words.join('; ')}.`;
}
