import { basename } from 'node:path';
import type { Command } from 'commander';
import { loadAccounts } from '../../cis/accounts';
import { loadCancellations } from '../../cis/cancellations';
import { loadDebts } from '../../cis/debts';
import { loadEnrollments } from '../../cis/enrollments';
import type { Load } from '../../cis/file-kind';
import type { LoadResult } from '../../cis/load';
import { loadPayments } from '../../cis/payments';
import { STDIN } from '../../cis/read-csv';
import { RejectsFile } from '../../cis/rejects-file';
import { loadTransactions } from '../../cis/transactions';
import { ERRORS } from '../../platform/errors';
import { actorOfCli, forTenantData, helpEnd, withTenant } from '../context';
import { plainTable, print, printJson } from '../output';
import { bold, cut, green, printable, red, terminalWidth, yellow } from '../text';
import { createProgress } from './progress';

/** A command that takes a file. */
interface LoadCommand {
  readonly name: string;
  readonly what: string;
  /** What a taken row is called. */
  readonly taken: string;
  /** Lines of the help. */
  readonly columns: readonly string[];
  readonly load: Load;
}

const COMMANDS: readonly LoadCommand[] = [
  {
    name: 'accounts',
    what: 'record accounts as the CIS has them now',
    taken: 'new or changed',
    columns: ['account_id, debt_classes (water;sewer), and if there are any customer_id, premise_id'],
    load: loadAccounts,
  },
  {
    name: 'transactions',
    what: 'record open items (bills, invoices, charges) as the CIS has them now',
    taken: 'new or changed',
    columns: [
      'transaction_id, account_id, debt_class, amount, due_date, issued_date, and open_amount where it',
      'differs from the amount; 0 closes the item',
    ],
    load: loadTransactions,
  },
  {
    name: 'debts',
    what: 'record what accounts owe as the CIS has it now',
    taken: 'new or changed',
    columns: [
      'account_id, debt_class, and either arrears with oldest_due_date, or aged such as',
      '2026-01-15=50.00;2026-02-15=70.00; and if there is one as_of. Load the payments first',
    ],
    load: loadDebts,
  },
  {
    name: 'enroll',
    what: 'enroll promises',
    taken: 'enrolled',
    columns: [
      'enrollment_id, account_id, debt_class, and one of',
      '  total_amount with frequency, installments, first_due_date (down_payment, down_payment_date)',
      '  schedule (2026-02-15=50.00;2026-03-15=50.00, for open items 2026-02-15=50.00@INV-1)',
      '  repeat_amount with frequency, first_due_date (installments, repeat_until, auto_manage)',
      'and if there are any start_date, policy, pay_method, payor, note',
    ],
    load: loadEnrollments,
  },
  {
    name: 'payments',
    what: 'post payments and reversals',
    taken: 'posted',
    columns: [
      'record_type, payment_id, account_id, debt_class, amount, received_at, and if there are any',
      'posted_at, tender, payor, applied (INV-1=120.00;INV-2=80.00), reason (of a reversal)',
    ],
    load: loadPayments,
  },
  {
    name: 'cancellations',
    what: 'cancel promises',
    taken: 'cancelled',
    columns: ['enrollment_id, reason, and if there are any cancelled_at, note, actor'],
    load: loadCancellations,
  },
];

interface Options {
  readonly tenant?: string;
  readonly json?: true;
  readonly rejects?: string;
}

const REJECTED_EXIT = ERRORS.INPUT_INVALID.exit;
const INTERRUPTED_EXIT = 130;
const MOST_SHOWN = 10;

/** `troth accounts | transactions | debts | enroll | payments | cancellations FILE.csv`. */
export function registerLoads(program: Command): void {
  for (const command of COMMANDS) {
    const { name, what, columns } = command;
    forTenantData(
      program
        .command(`${name} <file>`)
        .description(`${what} from a CSV file; - reads standard input`)
        .option('--rejects <file>', 'where rejected rows are written (default: FILE.rejects.csv, if any)'),
    )
      .addHelpText(
        'after',
        [
          '',
          'Columns:',
          ...columns.map((line) => `  ${line}`),
          'UTF-8 with a header line. Bad rows are reported and the good ones go on; the same file may be sent again',
          'and takes only what is missing. docs/files.md describes the columns.',
          helpEnd(
            [`troth ${name} ${FILES[name] ?? `${name}.csv`} --tenant demo`],
            [
              '65  some rows were rejected; the good ones are in',
              '66  there is no such file',
              '130 interrupted; send the file again',
            ],
          ),
        ].join('\n'),
      )
      .action(async (file: string, options: Options) => {
        process.exitCode = await loadFile(command, file, options);
      });
  }
}

const FILES: Readonly<Record<string, string>> = { enroll: 'enrollments.csv' };

async function loadFile(command: LoadCommand, file: string, options: Options): Promise<number> {
  const path = options.rejects ?? (file === STDIN ? undefined : `${file}.rejects.csv`);
  const rejects = path === undefined ? undefined : new RejectsFile(path);
  const interrupt = interruptible();
  const progress = createProgress();
  const { result, written } = await withTenant(options, async ({ ledger, tenant }) => {
    try {
      const loaded = await command.load(ledger, tenant.tenantId, file, {
        actor: actorOfCli(),
        signal: interrupt.signal,
        onReject: (reject) => rejects?.add(reject),
        onProgress: (counts, bytes) => progress.show(counts, bytes),
      });
      return { result: loaded, written: (await rejects?.finish()) ?? false };
    } catch (error) {
      await rejects?.finish();
      throw error;
    } finally {
      progress.stop();
      interrupt.done();
    }
  });
  const rejectsFile = written ? path : undefined;
  if (options.json === true) printJson({ ...result, rejectsFile: rejectsFile ?? null });
  else tell(command, result, rejectsFile);
  if (result.stoppedAfterLine !== undefined) return INTERRUPTED_EXIT;
  return result.rejected > 0 ? REJECTED_EXIT : 0;
}

/** Ctrl-C ends a load at a row boundary; a second one ends it at once, which harms nothing either. */
function interruptible(): { signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    process.stderr.write('\nStopping after the rows under way; once more to stop at once.\n');
    controller.abort();
  };
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  return {
    signal: controller.signal,
    done() {
      process.removeListener('SIGINT', onInterrupt);
      process.removeListener('SIGTERM', onInterrupt);
    },
  };
}

function tell(command: LoadCommand, result: LoadResult, rejectsFile: string | undefined): void {
  const { rows, taken, alreadyKnown, rejected, elapsedMs } = result;
  const name = printable(basename(result.file));
  const seconds = elapsedMs / 1000;
  const bad = rejected > 0 ? red(String(rejected)) : '0';
  const head = ['File', 'Rows', command.taken, 'known already', 'rejected', 'time'];
  print(
    plainTable(head, [
      [name, String(rows), green(String(taken)), String(alreadyKnown), bad, `${seconds.toFixed(1)} s`],
    ]),
  );
  for (const warning of result.warnings) print(yellow(printable(warning)));
  for (const reject of result.rejects.slice(0, MOST_SHOWN)) print(cut(lineOf(reject), terminalWidth()));
  const more = rejected - MOST_SHOWN;
  if (more > 0) print(`… and ${more} more`);
  if (rejectsFile !== undefined)
    print(`Rejected rows are in ${bold(printable(rejectsFile))}; correct them and send the file again.`);
  if (rows > 0 && taken === 0 && rejected === 0) print('Nothing was taken: every row was known already.');
  if (result.stoppedAfterLine !== undefined) {
    print(
      `Stopped after line ${result.stoppedAfterLine}. Send the same file again: what is in is not taken twice.`,
    );
  } else if (!result.complete) {
    print(
      `The file was not read to its end; the ${rows} rows before that were. Correct it and send it again.`,
    );
  }
}

function lineOf({ line, column, value, message }: LoadResult['rejects'][number]): string {
  const what = value === '' ? '' : `${column} "${cut(value, 40)}": `;
  return `line ${line}: ${what}${message}`;
}
