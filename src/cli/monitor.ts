import { InvalidArgumentError, type Command } from 'commander';
import {
  CHANGES,
  NO_COUNTS,
  nightOf,
  runNight,
  type Change,
  type ChangeKind,
  type Night,
  type NightCounts,
  type NightPart,
  type SkippedNight,
} from '../ledger/passes/monitor';
import type { Failure } from '../ledger/passes/monitor-settle';
import type { Tenant } from '../ledger/tenants';
import { TrothError } from '../platform/errors';
import { epochMs, formatLocalTime, isLocalDate, type LocalDate } from '../rules/calendar';
import { actorOfCli, helpEnd } from './context';
import { isOutputClosed, plainTable, print, printJson } from './output';
import { bold, cut, dim, printable, red, status as coloured, terminalWidth, yellow } from './text';
import {
  counted,
  createCounter,
  forWholeLedger,
  numbersTable,
  withCommas,
  withTenants,
  type LedgerContext,
} from './whole-ledger';

interface MonitorOptions {
  readonly asOf?: LocalDate;
  readonly dryRun?: true;
  readonly tenant?: string;
  readonly json?: true;
}

const MOST_EXAMPLES = 3; // of each kind
const NOT_JUDGED = 1;

/** `troth monitor`: goes over all open promises once, as a nightly batch does (R16). */
export function registerMonitor(program: Command): void {
  forWholeLedger(
    program
      .command('monitor')
      .description('judge all open promises as of a night, as a nightly batch does, and settle what is due')
      .option('--as-of <date>', "00:00 local of this date (default: the tenant's today)", dateOf)
      .option('--dry-run', 'only say what would be decided; also of a past night'),
  )
    .addHelpText(
      'after',
      [
        '',
        'The night of 2026-02-16 is 00:00 local of that date: it sees all of the day before. Nothing is',
        'judged before its judge time. Verdicts and messages are those that the worker would make; the',
        'workflows find them made. A night can be run on its day only; earlier ones are looked at with',
        '--dry-run, and a sandbox may look ahead. Beside it: promises that a batch as that of the older',
        'systems would leave otherwise, since a skipped night forgives a late payer.',
        'With --json one object a line: changes, then a summary for each tenant.',
        helpEnd(
          [
            'troth monitor --dry-run',
            'troth monitor --as-of 2026-02-16 --tenant riverton',
            `troth monitor --dry-run --json | jq 'select(.kind == "summary")'`,
          ],
          [
            '1   some promises could not be judged',
            '65  the night is not today',
            '66  there is no such tenant',
          ],
        ),
      ].join('\n'),
    )
    .action((options: MonitorOptions) => withTenants(options, (context) => monitor(context, options)));
}

function dateOf(text: string): LocalDate {
  if (!isLocalDate(text)) throw new InvalidArgumentError('Write a date such as 2026-02-16.');
  return text;
}

async function monitor(context: LedgerContext, options: MonitorOptions): Promise<void> {
  const nights = nightsOf(context.tenants, options);
  const reports: Report[] = [];
  for (const [tenant, night] of nights) {
    const report = new Report(tenant, night, options);
    await run(context, report, options);
    if (isOutputClosed()) return;
    reports.push(report);
  }
  if (options.json !== true) printReports(reports, options);
  if (reports.some(({ failures }) => failures.total > 0)) process.exitCode = NOT_JUDGED;
}

/** Each tenant has its own date; of all tenants, those whose today is another are left out. */
function nightsOf(tenants: readonly Tenant[], { asOf, dryRun, json }: MonitorOptions): [Tenant, Night][] {
  const leftOut: TrothError[] = [];
  const nights = tenants.flatMap((tenant): [Tenant, Night][] => {
    try {
      return [[tenant, nightOf(tenant, asOf, dryRun === true)]];
    } catch (error) {
      if (!(error instanceof TrothError)) throw error;
      leftOut.push(error);
      if (tenants.length > 1 && json === true) {
        printJson({ kind: 'left_out', tenantId: tenant.tenantId, message: error.message });
      }
      return [];
    }
  });
  const [first] = leftOut;
  if (nights.length === 0 && first !== undefined) throw first;
  if (nights.length === 0)
    throw new TrothError('NOT_FOUND', 'There is no tenant yet; make one: troth tenant create --help');
  for (const { message } of leftOut) process.stderr.write(`troth: left out: ${printable(message)}\n`);
  return nights;
}

async function run({ ledger }: LedgerContext, report: Report, options: MonitorOptions): Promise<void> {
  const { tenant, night } = report;
  const dryRun = options.dryRun === true;
  const counter = createCounter();
  try {
    for await (const part of runNight(ledger, tenant, night, { dryRun, actor: actorOfCli() })) {
      report.add(part);
      if (isOutputClosed()) return;
      counter.show(`${tenant.tenantId}: ${counted(report.counts.looked, 'promise')} looked at`);
    }
  } finally {
    counter.stop();
  }
  report.end(dryRun);
}

/** The first few of something, and how many there are. */
class Some<T> {
  readonly first: T[] = [];
  total = 0;

  add(one: T): void {
    this.total += 1;
    if (this.first.length < MOST_EXAMPLES) this.first.push(one);
  }
}

/** What a night brought a tenant: counted, with examples; as JSON, each as it comes. */
class Report {
  readonly tenant: Tenant;
  readonly night: Night;
  readonly #asJson: boolean;
  readonly changes = new Map<ChangeKind, Some<Change>>(CHANGES.map((kind) => [kind, new Some<Change>()]));
  readonly skipped = new Some<SkippedNight>();
  readonly failures = new Some<Failure>();
  counts: NightCounts = NO_COUNTS;

  constructor(tenant: Tenant, night: Night, { json }: MonitorOptions) {
    this.tenant = tenant;
    this.night = night;
    this.#asJson = json === true;
  }

  add({ counts, changes, skipped, failures }: NightPart): void {
    this.counts = added(this.counts, counts);
    const { tenantId } = this.tenant;
    for (const change of changes) {
      this.changes.get(change.kind)?.add(change);
      const { kind, atMs, ...rest } = change;
      this.#tell({ kind: 'change', tenantId, change: kind, at: new Date(atMs).toISOString(), ...rest });
    }
    for (const one of skipped) {
      this.skipped.add(one);
      const { atMs, ...rest } = one;
      this.#tell({
        kind: 'skipped_night',
        tenantId,
        at: atMs === null ? null : new Date(atMs).toISOString(),
        ...rest,
      });
    }
    for (const one of failures) {
      this.failures.add(one);
      this.#tell({ kind: 'failure', tenantId, ...one });
    }
  }

  end(dryRun: boolean): void {
    const { changed, ...counts } = this.counts;
    const { date, atMs } = this.night;
    this.#tell({
      ...{
        kind: 'summary',
        tenantId: this.tenant.tenantId,
        night: date,
        at: new Date(atMs).toISOString(),
        dryRun,
      },
      ...{ ...counts, ...changed, skippedNights: this.skipped.total, failed: this.failures.total },
    });
  }

  #tell(line: object): void {
    if (this.#asJson) printJson(line);
  }
}

function added(a: NightCounts, b: NightCounts): NightCounts {
  const sum = <K extends string>(
    x: Readonly<Record<K, number>>,
    y: Readonly<Record<K, number>>,
    keys: readonly K[],
  ) => Object.fromEntries(keys.map((key) => [key, x[key] + y[key]])) as Record<K, number>;
  return {
    ...sum(a, b, ['looked', 'unchanged', 'overdue', 'due', 'settled', 'recorded']),
    changed: sum(a.changed, b.changed, CHANGES),
  };
}

function printReports(reports: readonly Report[], options: MonitorOptions): void {
  const dryRun = options.dryRun === true;
  const head = [
    'Tenant',
    'Night',
    'Looked at',
    'Unchanged',
    'Kept',
    'Broken',
    'Cancelled',
    'Activated',
    'Missed',
    'Overdue',
  ];
  const isPast = reports.some(({ night }) => night.when === 'past');
  print(
    dryRun
      ? `Dry run, nothing is recorded. ${isPast ? 'Of a past night: what the day before it changed.' : 'What would be decided:'}`
      : 'What was decided:',
  );
  print(
    numbersTable(
      [...head, ...(dryRun ? [] : ['Settled']), 'Not judged'],
      reports.map(({ tenant, night, counts, failures }) => [
        tenant.tenantId,
        formatLocalTime(night.atMs, tenant.timeZone),
        ...[
          counts.looked,
          counts.unchanged,
          ...CHANGES.map((kind) => counts.changed[kind]),
          counts.overdue,
        ].map(withCommas),
        ...(dryRun ? [] : [withCommas(counts.settled)]),
        failures.total === 0 ? '0' : red(withCommas(failures.total)),
      ]),
      [2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ),
  );
  for (const report of reports) printExamples(report, reports.length > 1);
  const overdue = reports
    .filter(({ night }) => night.when === 'today')
    .reduce((sum, { counts }) => sum + counts.overdue, 0);
  if (overdue > 0 && dryRun) {
    print(
      dim(
        `\nOverdue: a judge time has passed that nobody has judged yet. Without --dry-run they are settled.`,
      ),
    );
  }
}

function printExamples({ tenant, changes, skipped, failures }: Report, named: boolean): void {
  const time = (ms: number): string => formatLocalTime(epochMs(ms), tenant.timeZone);
  const title = (text: string): void => print(`\n${bold(named ? `${tenant.tenantId}: ${text}` : text)}`);
  const examples = [...changes.values()].flatMap(({ first }) => first);
  if (examples.length > 0) {
    title('For example');
    const cells = examples.map((one) => [
      printable(one.promiseId),
      one.kind,
      time(one.atMs),
      printable(one.sentence),
    ]);
    print(lastColumnCut(['Promise', 'Change', 'Decided', 'Why'], cells));
  }
  if (skipped.total > 0) {
    title(
      `${counted(skipped.total, 'promise')} that a batch which skipped the nights between would leave otherwise`,
    );
    print(
      dim(
        'It sees tonight what came late, and no longer that it was late: a skipped night forgives a late payer.',
      ),
    );
    const cells = skipped.first.map(({ promiseId, accountId, engine, batch, atMs }) => [
      ...[
        printable(promiseId),
        printable(accountId),
        `${engine}${atMs === null ? '' : `, ${time(atMs)}`}`,
        batch,
      ],
    ]);
    print(plainTable(['Promise', 'Account', 'Troth', 'Such a batch'], cells));
  }
  if (failures.total > 0) {
    title(yellow(`${counted(failures.total, 'promise')} that could not be judged`));
    print(
      lastColumnCut(
        ['Promise', 'Because'],
        failures.first.map(({ promiseId, message }) => [promiseId, printable(message)]),
      ),
    );
  }
}

function lastColumnCut(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head
    .slice(0, -1)
    .map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)));
  const left = Math.max(20, terminalWidth() - widths.reduce((sum, width) => sum + width + 2, 0) - 1);
  const isStatus = (text: string): boolean => CHANGES.some((kind) => kind === text);
  return plainTable(
    head,
    rows.map((row) =>
      row.map((cell, column) =>
        column === head.length - 1 ? cut(cell, left) : isStatus(cell) ? coloured(cell) : cell,
      ),
    ),
  );
}
