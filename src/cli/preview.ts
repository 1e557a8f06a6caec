import { Option, type Command } from 'commander';
import { parseSchedule } from '../cis/schedule-text';
import type { EnrollmentInput } from '../enrollment/enrollment';
import { previewEnrollment, type PreviewAnswer } from '../enrollment/preview';
import type { Tenant } from '../ledger/tenants';
import { ERRORS, TrothError, type Problem } from '../platform/errors';
import { formatDate, formatLocalTime, type LocalDate } from '../rules/calendar';
import { cents, formatMoney, parseMoney, type Cents } from '../rules/money';
import type { Preview, PreviewLine } from '../rules/preview';
import { named } from './change/answer';
import { dateText, forTenantData, helpEnd, positive, withTenant, type TenantContext } from './context';
import { readJsonObject } from './json-file';
import { plainTable, print, printJson } from './output';
import { bold, dim, green, plural, printable, red, yellow } from './text';

interface Options {
  readonly jsonFile?: string;
  readonly account?: string;
  readonly debtClass?: string;
  readonly total?: string;
  readonly frequency?: string;
  readonly installments?: number;
  readonly firstDue?: LocalDate;
  readonly downPayment?: string;
  readonly downPaymentDate?: LocalDate;
  readonly schedule?: string;
  readonly repeatAmount?: string;
  readonly repeatUntil?: LocalDate;
  readonly start?: LocalDate;
  readonly policy?: string;
  readonly payMethod?: string;
  readonly payor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const MOST_PERIODS = 1200;

/** `troth preview`: what a promise would be, before anybody says yes (R25). */
export function registerPreview(program: Command): void {
  const command = program
    .command('preview')
    .description('show what a promise would be, and whether it would be accepted; nothing is saved')
    .option('--account <id>', 'the account')
    .option('--debt-class <class>', 'the debt class, such as water')
    .option('--total <amount>', 'the total, in equal parts: with --frequency, --installments, --first-due')
    .option(
      '--frequency <frequency>',
      'once, weekly, two-weeks, half-month, monthly, "every 10 days", "on mon,thu"',
    )
    .option('--installments <count>', 'how many equal parts', positive(MOST_PERIODS))
    .option('--first-due <date>', 'the first due date', dateText)
    .option('--down-payment <amount>', 'paid before the equal parts')
    .option('--down-payment-date <date>', 'when (default: on the start date)', dateText)
    .option(
      '--schedule <schedule>',
      'or a list: "2026-02-28=80.00;2026-03-28=120.00", for open items =80.00@INV-1',
    )
    .option('--repeat-amount <amount>', 'or an amount that goes on: with --frequency, --first-due')
    .option('--repeat-until <date>', 'with --repeat-amount: the last date', dateText)
    .option('--start <date>', "the start date (default: today, by the tenant's clock)", dateText)
    .option('--policy <name>', "the policy to make it under (default: the tenant's own)")
    .option('--pay-method <method>', 'how it will be paid')
    .option('--payor <who>', 'who pays, where that is not the account itself')
    .addOption(
      new Option(
        '--json-file <file>',
        'or the whole enrollment as JSON, as a CIS sends it; - is standard input',
      ).conflicts(['account', 'debtClass', 'total', 'schedule', 'repeatAmount']),
    );
  forTenantData(command)
    .addHelpText(
      'after',
      [
        '',
        'It says due dates, the last day in time and when each is judged, by the local clock; what must be approved',
        'and until when; what is known of the account; and every limit of the policy that stands against it.',
        helpEnd(
          [
            'troth preview --account 0010040905 --debt-class water --total 300.00 \\',
            '  --frequency monthly --installments 3 --first-due 2026-02-15',
            'troth preview --account 0010040905 --debt-class water --schedule "2026-02-15=50.00;2026-03-15=90.00"',
            'troth preview --json-file enrollment.json --json',
          ],
          ['65  it would be refused', '66  there is no such file or tenant'],
        ),
      ].join('\n'),
    )
    .action(async (options: Options, self: Command) => {
      if (
        options.jsonFile === undefined &&
        (options.account === undefined || options.debtClass === undefined)
      ) {
        self.error('error: say --account and --debt-class, or --json-file');
      }
      process.exitCode = await withTenant(options, (context) => preview(context, options));
    });
}

const FIELDS: Readonly<Record<string, string>> = {
  accountId: '--account',
  debtClass: '--debt-class',
  totalCents: '--total',
  parts: '--installments',
  frequency: '--frequency',
  firstDueDate: '--first-due',
  downPaymentCents: '--down-payment',
  downPaymentDate: '--down-payment-date',
  startDate: '--start',
  policy: '--policy',
  payMethod: '--pay-method',
  payor: '--payor',
  'repeat.amountCents': '--repeat-amount',
  'repeat.frequency': '--frequency',
  'repeat.firstDueDate': '--first-due',
  'repeat.untilDate': '--repeat-until',
};

async function preview({ ledger, tenant }: TenantContext, options: Options): Promise<number> {
  const { jsonFile } = options;
  const input = jsonFile === undefined ? enrollmentOf(options, tenant) : enrollmentIn(jsonFile, tenant);
  const answer = await previewEnrollment(ledger, input);
  const fields = jsonFile === undefined ? FIELDS : {};
  if (answer.result === 'impossible') throw notPreviewed(named(answer.problems, fields));
  if (options.json === true) printJson(asData(answer, tenant));
  else tell({ ...answer, problems: named(answer.problems, fields) }, tenant, options.account);
  return answer.result === 'allowed' ? 0 : ERRORS.INPUT_INVALID.exit;
}

function notPreviewed(problems: readonly Problem[]): TrothError {
  return new TrothError('INPUT_INVALID', 'No promise can be worked out of that', { problems });
}

/** An enrollment as a CIS sends it, or the input of a workflow that holds one. */
function enrollmentIn(file: string, { tenantId }: Tenant): unknown {
  const example = '{"accountId": "0010040905", "debtClass": "water", …}';
  const input = readJsonObject(file, { noun: 'an enrollment', example });
  const { enrollment = input } = input;
  return typeof enrollment === 'object' ? { tenantId, ...enrollment } : enrollment;
}

/** The options as an enrollment. @throws TrothError INPUT_INVALID with every amount that is wrong. */
function enrollmentOf(options: Options, { tenantId, currency }: Tenant): Partial<EnrollmentInput> {
  const problems: Problem[] = [];
  const moneyOf = (field: string, text: string | undefined): Cents | undefined => {
    const amount = text === undefined ? undefined : parseMoney(text, currency);
    if (typeof amount !== 'string') return amount;
    problems.push({ field, value: text ?? '', message: amount });
    return undefined;
  };
  const { schedule, frequency, installments: count, firstDue, repeatAmount, repeatUntil } = options;
  const installments = schedule === undefined ? undefined : parseSchedule(schedule, currency);
  if (typeof installments === 'string') {
    problems.push({ field: '--schedule', value: schedule ?? '', message: installments });
  }
  const repeat = {
    amountCents: moneyOf('--repeat-amount', repeatAmount) ?? 0,
    ...{ frequency: frequency ?? '', firstDueDate: firstDue ?? '', count, untilDate: repeatUntil },
  };
  const totalCents = moneyOf('--total', options.total);
  problems.push(...totalProblems(options, totalCents, installments, currency));
  if (repeatAmount === undefined && repeatUntil !== undefined) {
    problems.push({ field: '--repeat-until', value: repeatUntil, message: 'needs --repeat-amount' });
  }
  const enrollment = {
    ...{ tenantId, accountId: options.account ?? '', debtClass: options.debtClass ?? '' },
    ...{ startDate: options.start, policy: options.policy, payMethod: options.payMethod },
    ...(options.payor === undefined ? {} : { payor: options.payor }),
    installments: typeof installments === 'string' ? undefined : installments,
    totalCents,
    downPaymentCents: moneyOf('--down-payment', options.downPayment),
    downPaymentDate: options.downPaymentDate,
    ...(repeatAmount === undefined ? { frequency, parts: count, firstDueDate: firstDue } : { repeat }),
  };
  if (problems.length > 0) throw notPreviewed(problems);
  return enrollment;
}

/** A total beside a list, in the money that was typed. */
function totalProblems(
  { total = '' }: Options,
  totalCents: Cents | undefined,
  installments: ReturnType<typeof parseSchedule> | undefined,
  currency: string,
): Problem[] {
  if (typeof installments !== 'object') return [];
  const listed = installments.reduce((all, { amountCents }) => all + amountCents, 0);
  if (totalCents === undefined || totalCents === listed) return [];
  const message = `must equal the sum of --schedule, ${formatMoney(cents(listed), currency)}`;
  return [{ field: '--total', value: total, message }];
}

type Shown = Exclude<PreviewAnswer, { result: 'impossible' }>;

function asData({ preview, ...rest }: Shown, { timeZone }: Tenant): object {
  const { lines, approvalUntilMs, refusals: _, ...others } = preview;
  const time = (ms: PreviewLine['judgeAtMs']): object => ({
    at: new Date(ms).toISOString(),
    local: formatLocalTime(ms, timeZone),
  });
  return {
    ...rest,
    ...others,
    approvalUntil: approvalUntilMs === null ? null : time(approvalUntilMs),
    installments: lines.map(({ deadlineMs, judgeAtMs, ...line }) => ({
      ...line,
      deadline: time(deadlineMs),
      judged: time(judgeAtMs),
    })),
    timeZone,
  };
}

function tell(answer: Shown, tenant: Tenant, accountId: string | undefined): void {
  const { result, problems, preview: would } = answer;
  const money = (amount: Cents): string => formatMoney(amount, tenant.currency);
  const label = (rows: readonly [string, string | null][]): void => {
    for (const [name, value] of rows) if (value !== null) print(`  ${dim(name.padEnd(11))}  ${value}`);
  };
  print(bold('The promise'));
  label(promiseRows(answer, tenant, money));
  print(`\n${bold('Schedule')}  ${dim(tenant.timeZone)}`);
  for (const line of scheduleTable(would, tenant, money).split('\n')) print(`  ${line}`);
  if (would.isOpenEnded) print(dim('  … and so on: there is always a next one'));
  print(`\n${bold('The account')}`);
  label(accountRows(answer, money));
  print();
  if (result === 'allowed') print(`${green('It would be accepted')}${waitsFor(would)}. Nothing was saved.`);
  else {
    print(`${red('It would be refused.')} Nothing was saved.`);
    for (const problem of problems) print(`  ${printable(asWords(problem, accountId))}`);
  }
}

function asWords({ field, value, message }: Problem, accountId: string | undefined): string {
  // What is said of an account's record has a count or a date for its value, which the message tells.
  const isRecord = (field === FIELDS['accountId'] || field === 'accountId') && value !== accountId;
  if (isRecord) return `the account ${message}`;
  return value === '' ? `${field} ${message}` : `${field} "${value}" ${message}`;
}

/** R25: what it would wait for before it begins. */
function waitsFor({ approvalUntilMs, downPayment }: Preview): string {
  const gates = [
    ...(approvalUntilMs === null ? [] : ['approval']),
    ...(downPayment === null ? [] : ['its down payment']),
  ];
  return gates.length === 0 ? '' : ` and wait for ${gates.join(' and ')}`;
}

type Rows = readonly [string, string | null][];

function promiseRows(
  { startDate, policy, preview: would }: Shown,
  { timeZone }: Tenant,
  money: (amount: Cents) => string,
): Rows {
  const { totalCents, downPayment, approvalUntilMs, lines } = would;
  const parts = lines.length === 1 ? '' : ` in ${lines.length} installments`;
  const down =
    downPayment === null
      ? null
      : `${money(downPayment.amountCents)} by ${formatDate(downPayment.dueDate)}, at least ${money(downPayment.leastCents)}`;
  const approval =
    approvalUntilMs === null ? null : `needed by ${formatLocalTime(approvalUntilMs, timeZone)}`;
  return [
    ['Begins', formatDate(startDate)],
    ['Policy', `${policy.name}@${policy.version}`],
    ['Total', totalCents === null ? 'without an end' : `${money(totalCents)}${parts}`],
    ['Down', down],
    ['Approval', approval === null ? null : yellow(approval)],
  ];
}

function scheduleTable(would: Preview, { timeZone }: Tenant, money: (amount: Cents) => string): string {
  const { lines } = would;
  const rolls = lines.some(({ rolledTo }) => rolledTo !== null);
  const isBound = lines.some(({ transactionId }) => transactionId !== undefined);
  const rows = lines.map((line) => [
    String(line.seq),
    formatDate(line.dueDate),
    ...(rolls ? [line.rolledTo === null ? '' : formatDate(line.rolledTo)] : []),
    formatDate(line.lastDay),
    formatLocalTime(line.judgeAtMs, timeZone),
    ...(isBound ? [line.transactionId ?? ''] : []),
    money(line.amountCents),
    [...(line.isDownPayment ? ['down payment'] : []), ...(line.isOver ? [red('has passed')] : [])].join(', '),
  ]);
  const [rolled, item] = [rolls ? ['Rolled to'] : [], isBound ? ['Open item'] : []];
  return plainTable(['', 'Due', ...rolled, 'Last day in time', 'Judged', ...item, 'Amount', ''], rows);
}

function accountRows({ account, preview: { shield } }: Shown, money: (amount: Cents) => string): Rows {
  const { arrearsCents, openPromises, openOnDebt, brokenOn } = account;
  const [last] = brokenOn;
  return [
    ['Arrears', arrearsCents === null ? 'not known: the CIS has sent no open items' : money(arrearsCents)],
    [
      'Collectible',
      shield === null
        ? null
        : `${money(shield.collectibleCents)} today, ${money(shield.thenCents)} once it is active`,
    ],
    ['Open', openWords(openPromises, openOnDebt)],
    [
      'Broken',
      last === undefined ? 'none' : `${plural(brokenOn.length, 'promise')}, the last on ${formatDate(last)}`,
    ],
  ];
}

function openWords(openPromises: number, openOnDebt: string | null): string {
  if (openPromises === 0) return 'none';
  return `${plural(openPromises, 'promise')}${openOnDebt === null ? '' : `, ${openOnDebt} on this debt`}`;
}
