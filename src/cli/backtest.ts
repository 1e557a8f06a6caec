import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import {
  BacktestTally,
  directionOf,
  RECORDED,
  replayAll,
  REPLAYED,
  type Amount,
  type BacktestPart,
  type Replay,
  type ReplayedStatus,
} from '../ledger/passes/backtest';
import { getCalendarTable } from '../ledger/calendars';
import { tenantNow } from '../ledger/tenants';
import { messageOf, TrothError } from '../platform/errors';
import { businessCalendar } from '../rules/business-days';
import { endOfDayMs, formatDate, isLocalDate, startOfDayMs, type LocalDate } from '../rules/calendar';
import type { Reason } from '../rules/facts';
import { formatMoney } from '../rules/money';
import { barChart, COLORS } from './backtest/chart';
import { forTenantData, helpEnd, positive, withTenant, type TenantContext } from './context';
import { isOutputClosed, print, printJson } from './output';
import { namedPolicy } from './policy/references';
import { bold, cut, dim, green, printable, red, status as coloured, terminalWidth, yellow } from './text';
import { counted, createCounter, numbersTable, withCommas } from './whole-ledger';

interface BacktestOptions {
  readonly policy: string;
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly limit: number;
  readonly chart?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const MOST_REPLAYED = 1_000_000;
const MOST_EXAMPLES = 5; // of each direction
const NOT_REPLAYED = 1;

/** `troth backtest`: what would have become of promises that have ended under another policy. */
export function registerBacktest(program: Command): void {
  forTenantData(
    program
      .command('backtest')
      .description(
        'replay promises that have ended under another policy and say which would have ended otherwise',
      )
      .requiredOption('--policy <policy>', 'NAME, NAME@VERSION or preset:NAME')
      .requiredOption('--from <date>', 'promises that ended on this day or later', dateOf)
      .requiredOption('--to <date>', 'promises that ended on this day or earlier', dateOf)
      .option('--limit <count>', 'the most promises to replay', positive(MOST_REPLAYED), MOST_REPLAYED)
      .option('--chart <file.svg>', 'write a chart of the matrix', chartFile),
  )
    .addHelpText(
      'after',
      [
        '',
        "Each installment gets its deadline anew, from that policy's grace and rolls and the tenant's newest",
        'calendar; schedules, payments, cancels, approvals and amendments stay as they were. What customers',
        'would have done otherwise nobody knows. Limits of that policy are not asked: the promises were made.',
        'It changes nothing. With --json one object a line: each flip, then the summary.',
        helpEnd(
          [
            'troth backtest --policy preset:sap-fica --from 2026-01-01 --to 2026-03-31',
            'troth backtest --policy default@2 --from 2026-01-01 --to 2026-03-31 --chart flips.svg',
          ],
          [
            '1   some promises could not be replayed',
            '65  the dates are wrong',
            '66  there is no such policy or tenant',
          ],
        ),
      ].join('\n'),
    )
    .action((options: BacktestOptions) => withTenant(options, (context) => backtest(context, options)));
}

function chartFile(path: string): string {
  if (!path.toLowerCase().endsWith('.svg'))
    throw new InvalidArgumentError('A chart is an SVG; name a file that ends in .svg.');
  return path;
}

function dateOf(text: string): LocalDate {
  if (!isLocalDate(text)) throw new InvalidArgumentError('Write a date such as 2026-02-16.');
  return text;
}

/** What was replayed, with a few examples. */
class Result {
  readonly tally = new BacktestTally();
  readonly examples: Replay[] = [];
  readonly failures: BacktestPart['failures'][number][] = [];
  readonly #asJson: boolean;
  readonly #shown = new Map<string, number>();

  constructor(asJson: boolean) {
    this.#asJson = asJson;
  }

  add({ replays, failures }: BacktestPart): void {
    for (const one of replays) {
      this.tally.add(one);
      const direction = directionOf(one);
      if (direction === 'same') continue;
      if (this.#asJson) printJson({ kind: 'flip', direction, ...one });
      const shown = this.#shown.get(direction) ?? 0;
      if (shown >= MOST_EXAMPLES) continue;
      this.#shown.set(direction, shown + 1);
      this.examples.push(one);
    }
    for (const failure of failures) {
      this.failures.push(failure);
      if (this.#asJson) printJson({ kind: 'failure', ...failure });
    }
  }
}

async function backtest(context: TenantContext, options: BacktestOptions): Promise<void> {
  const { from, to } = options;
  if (from > to) throw new TrothError('INPUT_INVALID', `--from ${from} is after --to ${to}; turn them round`);
  const { label, result } = await replayed(context, options);
  if (isOutputClosed()) return;
  if (options.chart !== undefined) writeChart(options.chart, chartOf(context, options, label, result.tally));
  if (options.json === true) printJson(summaryOf(context, options, label, result));
  else printResult(context, options, label, result);
  if (result.failures.length > 0) process.exitCode = NOT_REPLAYED;
}

async function replayed(
  { ledger, tenant }: TenantContext,
  options: BacktestOptions,
): Promise<{ label: string; result: Result }> {
  const { tenantId, timeZone } = tenant;
  const { named, table } = await ledger.forTenant(tenantId, async (tx) => ({
    named: await namedPolicy(tx, tenantId, options.policy),
    table: await getCalendarTable(tx, tenantId),
  }));
  const { label, stored } = named;
  const result = new Result(options.json === true);
  const counter = createCounter();
  try {
    const parts = replayAll(ledger, {
      tenantId,
      policy: { ...named.options, name: stored?.name ?? label, version: stored?.version ?? 1 },
      calendar: businessCalendar(timeZone, table),
      fromMs: startOfDayMs(options.from, timeZone),
      toMs: endOfDayMs(options.to, timeZone),
      nowMs: tenantNow(tenant),
      limit: options.limit,
    });
    for await (const part of parts) {
      result.add(part);
      if (isOutputClosed()) break;
      counter.show(`${counted(result.tally.all.promises, 'promise')} replayed`);
    }
  } finally {
    counter.stop();
  }
  return { label, result };
}

function summaryOf(
  { tenant }: TenantContext,
  options: BacktestOptions,
  label: string,
  { tally, failures }: Result,
): object {
  const { from, to } = options;
  return {
    ...{
      kind: 'summary',
      tenantId: tenant.tenantId,
      policy: label,
      from,
      to,
      ...tally.all,
      amended: tally.amended,
    },
    same: tally.towards('same'),
    inFavor: tally.towards('in favor'),
    against: tally.towards('against'),
    matrix: Object.fromEntries(
      RECORDED.map((recorded) => [
        recorded,
        Object.fromEntries(REPLAYED.map((other) => [other, tally.cell(recorded, other)])),
      ]),
    ),
    byReason: tally.byReason,
    failed: failures.length,
  };
}

const NAMES: Readonly<Record<ReplayedStatus, string>> = {
  kept: 'kept',
  broken: 'broken',
  cancelled: 'cancelled',
  open: 'still open',
};

function printResult(context: TenantContext, options: BacktestOptions, label: string, result: Result): void {
  const { tally, failures } = result;
  const { tenantId, currency } = context.tenant;
  const amount = ({ promises, cents }: Amount): string =>
    promises === 0 ? '–' : `${withCommas(promises)}  ${dim(formatMoney(cents, currency))}`;
  const span = `${formatDate(options.from)} to ${formatDate(options.to)}`;
  print(
    `${counted(tally.all.promises, 'promise')} of ${tenantId} that ended from ${span}, replayed under ${bold(label)}`,
  );
  if (tally.all.promises > 0) {
    print();
    const rows = RECORDED.map((recorded) => [
      coloured(recorded),
      ...REPLAYED.map((other) => {
        const text = amount(tally.cell(recorded, other));
        return recorded === other ? text : bold(text);
      }),
    ]);
    print(
      numbersTable(['Recorded', ...REPLAYED.map((name) => `Replayed: ${NAMES[name]}`)], rows, [1, 2, 3, 4]),
    );
    print();
    printFlips(tally, currency);
    printExamples(result.examples);
  }
  if (tally.amended > 0) {
    print(
      dim(
        `\n${counted(tally.amended, 'promise')} had been amended: replayed with the same amendments at the same time.`,
      ),
    );
  }
  if (failures.length > 0) {
    print(yellow(`\n${counted(failures.length, 'promise')} could not be replayed:`));
    for (const { promiseId, message } of failures.slice(0, MOST_EXAMPLES))
      print(`  ${promiseId}  ${printable(message)}`);
  }
  if (options.chart !== undefined) print(`\nThe chart is in ${printable(options.chart)}`);
}

function printFlips(tally: BacktestTally, currency: string): void {
  const [favor, against] = [tally.towards('in favor'), tally.towards('against')];
  const flips = favor.promises + against.promises;
  if (flips === 0) {
    print('None would have ended otherwise.');
    return;
  }
  const share = ((100 * flips) / tally.all.promises).toFixed(1);
  print(`${counted(flips, 'promise')} would have ended otherwise (${share} %):`);
  const row = (name: string, { promises, cents }: Amount): string[] => [
    `  ${name}`,
    withCommas(promises),
    formatMoney(cents, currency),
  ];
  const directions = [row(green('in favor of the customer'), favor), row(red('against'), against)];
  print(numbersTable(['', 'Promises', 'Promised'], directions, [1, 2]));
  print();
  const reason = (end: { readonly status: ReplayedStatus; readonly reason: Reason | null }): string =>
    end.reason === null ? NAMES[end.status] : `${NAMES[end.status]}, ${end.reason}`;
  const rows = tally.byReason.map(({ promises, cents, recorded, replayed: other }) => [
    ...[withCommas(promises), formatMoney(cents, currency), reason(recorded), reason(other)],
  ]);
  print(numbersTable(['Promises', 'Promised', 'Recorded', 'Replayed'], rows, [0, 1]));
}

function printExamples(examples: readonly Replay[]): void {
  if (examples.length === 0) return;
  print(`\n${bold('For example')}`);
  const width = terminalWidth() - 14;
  for (const { promiseId, recorded, replayed: other } of examples) {
    print(`  ${printable(promiseId)}`);
    print(`    recorded  ${cut(recorded.sentence, width)}`);
    print(`    replayed  ${cut(other.sentence, width)}`);
  }
}

const SERIES = [
  { name: 'kept', color: COLORS.green },
  { name: 'broken', color: COLORS.orange },
  { name: 'cancelled', color: COLORS.blue },
  { name: 'still open', color: COLORS.purple },
] as const;

function chartOf(
  { tenant }: TenantContext,
  { from, to }: BacktestOptions,
  label: string,
  tally: BacktestTally,
): string {
  const flips = tally.towards('in favor').promises + tally.towards('against').promises;
  return barChart({
    title: `What promises would have come to under ${label}`,
    subtitle:
      `${tenant.tenantId}, ended ${formatDate(from)} to ${formatDate(to)}: ` +
      `${counted(tally.all.promises, 'promise')}, ${withCommas(flips)} would have ended otherwise`,
    xLabel: 'What was recorded (groups) and what it would have been (bars)',
    yLabel: 'Promises',
    legend: 'Replayed:',
    outline: 'ends otherwise',
    series: SERIES,
    groups: RECORDED.map((recorded) => ({
      name: `recorded ${recorded}`,
      values: REPLAYED.map((other) => tally.cell(recorded, other).promises),
      outlined: REPLAYED.map((other) => other !== recorded),
    })),
  });
}

function writeChart(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (error) {
    throw new TrothError('INPUT_INVALID', `The chart cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
