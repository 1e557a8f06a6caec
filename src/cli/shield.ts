import type { Command } from 'commander';
import { sentencesOf, shieldOf, shieldPass, type DebtShield } from '../collections/shield';
import { TrothError } from '../platform/errors';
import { formatDate, formatLocalTime } from '../rules/calendar';
import { formatMoney, type Cents } from '../rules/money';
import { extractLine, EXTRACT_HEADER, jsonOf } from './shield-extract';
import { forTenantData, helpEnd, withTenant, type TenantContext } from './context';
import { openOutput } from './output-file';
import { isOutputClosed, plainTable, print, printJson } from './output';
import { bold, dim, printable, yellow } from './text';
import { counted, createCounter } from './whole-ledger';

interface Options {
  readonly debtClass?: string;
  readonly all?: true;
  readonly out?: string;
  readonly shieldedOnly?: true;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth shield`: what may be collected now of an account, or of all, and why not the rest (R30, R31). */
export function registerShield(program: Command): void {
  forTenantData(
    program
      .command('shield [account]')
      .description('what may be collected now, and why not the rest: of an account, or of all of them')
      .option('--debt-class <class>', 'of the account only this debt class')
      .option('--all', 'every debt of the tenant, for the CIS: CSV, or with --json one object a line')
      .option('--out <file>', 'with --all: where it is written, whole or not at all (default: -, stdout)')
      .option('--shielded-only', 'with --all: only debts of which something is kept out of collections'),
  )
    .addHelpText(
      'after',
      [
        '',
        'Promises are judged as of now. The CIS says what is owed: troth debts, or troth transactions.',
        'docs/collections/shield.md tells what the columns mean.',
        helpEnd(
          [
            'troth shield 0010040905 --tenant riverton',
            'troth shield --all --tenant riverton --out collectible.csv',
          ],
          [
            '65  the account has no such debt class',
            '66  there is no such account',
            '130 interrupted; the file of before is as it was',
          ],
        ),
      ].join('\n'),
    )
    .action((account: string | undefined, options: Options) => {
      assertUsage(account, options);
      return withTenant(options, (context) =>
        account === undefined ? extract(context, options) : showAccount(context, account, options),
      );
    });
}

function assertUsage(account: string | undefined, { all, out, shieldedOnly, debtClass }: Options): void {
  const wrong = (message: string): TrothError => new TrothError('INPUT_INVALID', message);
  if (all === true && account !== undefined) throw wrong('Name an account, or say --all; not both');
  if (all !== true && account === undefined) throw wrong('Name an account, or say --all for every one');
  if (all === true && debtClass !== undefined)
    throw wrong('--debt-class goes with one account, not with --all');
  if (all !== true && (out !== undefined || shieldedOnly === true)) {
    throw wrong('--out and --shielded-only go with --all');
  }
}

async function showAccount(
  { ledger, tenant }: TenantContext,
  accountId: string,
  { debtClass, json }: Options,
): Promise<void> {
  const shields = await shieldOf(ledger, tenant.tenantId, accountId, debtClass);
  if (json === true) {
    for (const shield of shields) printJson(jsonOf(shield));
    return;
  }
  const [first] = shields;
  const now = first === undefined ? '' : ` on ${formatLocalTime(first.atMs, tenant.timeZone)}`;
  print(`What may be collected of account ${bold(printable(accountId))}${now}`);
  print();
  print(tableOf(shields));
  for (const shield of shields) {
    print();
    print(bold(shield.debtClass));
    for (const sentence of sentencesOf(shield)) print(`  ${folded(printable(sentence))}`);
  }
  if (shields.some(({ onHold }) => onHold.length > 0)) {
    print();
    print(yellow('A hold is in force: the amounts do not mind it, steps of collections do.'));
  }
}

const WIDTH = 96;

/** A sentence in lines that fit a terminal of 100 columns. */
function folded(sentence: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n  ');
}

const HEAD = ['Debt', 'Oldest due', 'Arrears', 'Shielded', 'Collectible', 'Why'];

const REASONS: Readonly<Record<DebtShield['reason'], string>> = {
  'not-stated': 'not stated by the CIS',
  'nothing-past-due': 'nothing is past due',
  'no-shield': 'no shield',
  'partly-shielded': 'partly shielded',
  'fully-shielded': 'fully shielded',
  paused: 'a promise pauses all',
  'open-ended': 'a promise without an end',
  'promise-unreadable': 'a promise needs a look',
};

function tableOf(shields: readonly DebtShield[]): string {
  return plainTable(
    HEAD,
    shields.map((shield) => {
      const { debtClass, debt, currency, source, reason } = shield;
      const money = (amount: Cents): string => (source === null ? '' : formatMoney(amount, currency));
      const [oldest] = debt.parts;
      return [
        debtClass.length > 24 ? `${debtClass.slice(0, 23)}…` : debtClass,
        oldest === undefined ? dim('-') : formatDate(oldest.dueDate),
        ...[shield.arrearsCents, shield.shieldedCents, shield.collectibleCents].map(money),
        REASONS[reason],
      ];
    }),
  );
}

/** The nightly extract for the CIS. */
async function extract({ ledger, tenant }: TenantContext, options: Options): Promise<void> {
  const { json, shieldedOnly, out = '-' } = options;
  const output = await openOutput(out);
  const counter = createCounter();
  let [read, written] = [0, 0];
  try {
    if (json !== true) await output.write(`${EXTRACT_HEADER}\n`);
    for await (const page of shieldPass(ledger, tenant.tenantId)) {
      const chosen = shieldedOnly === true ? page.filter(({ shieldedCents }) => shieldedCents > 0) : page;
      const lineOf = (shield: DebtShield): string =>
        json === true ? JSON.stringify(jsonOf(shield)) : extractLine(shield);
      await output.write(chosen.map((shield) => `${lineOf(shield)}\n`).join(''));
      read += page.length;
      written += chosen.length;
      if (out === '-' && isOutputClosed()) return;
      counter.show(`${counted(read, 'debt')} looked at, ${counted(written, 'row')} written`);
    }
    await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  } finally {
    counter.stop();
  }
  if (out !== '-') {
    process.stderr.write(
      `${counted(read, 'debt')} looked at, ${counted(written, 'row')} written to ${out}\n`,
    );
  }
}
