import { Option, type Command } from 'commander';
import { amendPromise, type Amend } from '../../enrollment/amend';
import type { ChangeAnswer } from '../../enrollment/change';
import { together } from '../../enrollment/together';
import { parseSchedule } from '../../cis/schedule-text';
import { loadFacts, lockPromise } from '../../ledger/promises/facts';
import { tenantNow } from '../../ledger/tenants';
import { TrothError } from '../../platform/errors';
import { formatDate, formatLocalTime, epochMs, type LocalDate } from '../../rules/calendar';
import { evaluate, type JudgedLine } from '../../rules/decide';
import { cents, formatMoney, parseMoney, sum, type Cents } from '../../rules/money';
import {
  actorText,
  dateText,
  forTenantData,
  helpEnd,
  noteText,
  positive,
  withTenant,
  type TenantContext,
} from '../context';
import { plainTable, print, printJson } from '../output';
import { bold, dim } from '../text';
import { asked, done } from './answer';

interface Options {
  readonly installments?: string;
  readonly change?: number;
  readonly due?: LocalDate;
  readonly amount?: string;
  readonly absorb?: 'last' | 'next' | 'spread' | 'none';
  readonly note?: string;
  readonly actor?: string;
  readonly preview?: true;
  readonly tenant?: string;
  readonly json?: true;
}

const MOST_INSTALLMENT = 1200;

/** `troth amend`: new installments for what is not paid yet, in a new revision of the same promise (R18). */
export function registerAmend(program: Command): void {
  forTenantData(
    program
      .command('amend <id>')
      .description('replace the installments of an open promise that are not paid, or change one of them')
      .option('--installments <schedule>', 'the new installments: "2026-02-28=80.00;2026-03-28=120.00"')
      .addOption(
        new Option('--change <number>', 'the installment to change')
          .argParser(positive(MOST_INSTALLMENT))
          .conflicts('installments'),
      )
      .option('--due <date>', 'with --change: its new due date', dateText)
      .option('--amount <amount>', 'with --change: its new amount, such as 120.00')
      .addOption(
        new Option(
          '--absorb <which>',
          'with --amount: which installments take the difference (default: last)',
        )
          .choices(['last', 'next', 'spread', 'none'])
          .conflicts('installments'),
      )
      .option('--preview', 'show what it would be and save nothing')
      .option('--note <text>', 'what a colleague should know', noteText)
      .option('--actor <who>', 'who amends (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      [
        '',
        'Installments that are fully paid stay; money on the others flows to the new ones.',
        helpEnd(
          [
            'troth amend E-10024 --installments "2026-02-28=80.00;2026-03-28=120.00" --preview',
            'troth amend E-10024 --change 2 --due 2026-03-15 --note "paid on the 14th"',
            'troth amend E-10024 --change 2 --amount 120.00 --absorb spread',
          ],
          [
            '65  refused: the promise has ended, or its policy does not allow it',
            '66  there is no such promise',
          ],
        ),
      ].join('\n'),
    )
    .action((id: string, options: Options, command: Command) => {
      const { installments, change, due, amount } = options;
      const isChanged = due !== undefined || amount !== undefined;
      if ((installments === undefined && change === undefined) || (change !== undefined && !isChanged)) {
        command.error('error: say --installments, or --change with --due or --amount');
      }
      if (change === undefined && isChanged) {
        command.error('error: --due and --amount need --change, the number of the installment');
      }
      return withTenant(options, (context) => amend(context, id, options));
    });
}

const FIELDS: Readonly<Record<string, string>> = {
  change: '--change',
  'change.seq': '--change',
  'change.dueDate': '--due',
  'change.amountCents': '--amount',
  installments: '--installments',
};

async function amend(context: TenantContext, promiseId: string, options: Options): Promise<void> {
  const { ledger, tenant } = context;
  const { tenantId } = tenant;
  const isPreview = options.preview === true;
  const request = amendOf(promiseId, options, tenant.currency);
  const { before, answer } = await together(ledger, tenantId, async (inside) => {
    const linesBefore = await inside.forTenant(tenantId, async (tx) => {
      const promise = await lockPromise(tx, tenantId, promiseId);
      const nowMs = epochMs(Math.max(tenantNow(tenant), promise?.settledAsOfMs ?? 0));
      return promise === undefined ? [] : evaluate(await loadFacts(tx, tenantId, promiseId), nowMs).lines;
    });
    const amended = await amendPromise(inside, tenantId, promiseId, request, asked());
    return { keep: !isPreview, value: { before: linesBefore, answer: amended } };
  });
  tell(promiseId, before, answer, { ...options, timeZone: tenant.timeZone, currency: tenant.currency });
}

/** The request as the use case wants it. @throws TrothError INPUT_INVALID */
function amendOf(promiseId: string, options: Options, currency: string): Partial<Amend> {
  const { installments, change, due, amount, absorb = 'last', note, actor } = options;
  const refusal = (field: string, value: string, message: string): TrothError =>
    new TrothError('INPUT_INVALID', notAmended(promiseId), { problems: [{ field, value, message }] });
  const by = { ...(note === undefined ? {} : { note }), ...(actor === undefined ? {} : { actor }) };
  if (installments !== undefined) {
    const parts = parseSchedule(installments, currency);
    if (typeof parts === 'string') throw refusal('--installments', installments, parts);
    return { installments: parts, ...by };
  }
  const amountCents = amount === undefined ? undefined : parseMoney(amount, currency);
  if (typeof amountCents === 'string') throw refusal('--amount', amount ?? '', amountCents);
  return { change: { seq: change ?? 0, dueDate: due, amountCents, absorb }, ...by };
}

function notAmended(promiseId: string): string {
  return `Promise ${promiseId} was not amended`;
}

interface Told extends Options {
  readonly timeZone: string;
  readonly currency: string;
}

function tell(
  promiseId: string,
  before: readonly JudgedLine[],
  answer: ChangeAnswer,
  { timeZone, currency, json, preview }: Told,
): void {
  const { status, revision, nextJudgeAtMs, evaluation, sentence } = done(
    answer,
    notAmended(promiseId),
    FIELDS,
  );
  const after = evaluation.lines;
  const saved = preview !== true;
  if (json === true) {
    const nextJudgeAt = nextJudgeAtMs === null ? null : new Date(nextJudgeAtMs).toISOString();
    const schedules = { before: before.map(lineAsData), after: after.map(lineAsData) };
    printJson({ promiseId, saved, status, revision, nextJudgeAt, sentence, ...schedules });
    return;
  }
  print(scheduleTable(before, after, currency));
  print();
  const next =
    nextJudgeAtMs === null ? '' : `, next judged ${formatLocalTime(epochMs(nextJudgeAtMs), timeZone)}`;
  if (saved) print(`Promise ${promiseId} is ${status} in revision ${revision}${next}.`);
  else print(`It would be ${status} in revision ${revision}${next}. Nothing was saved.`);
  if (sentence !== null) print(sentence);
}

function lineAsData({ line, countedCents, status }: JudgedLine): object {
  const { seq, dueDate, lastDay, amountCents, transactionId = null } = line;
  return { seq, dueDate, lastDay, amountCents, transactionId, countedCents, status };
}

/** Two schedules side by side; installments of one day (and one open item) stand on one row. */
function scheduleTable(
  before: readonly JudgedLine[],
  after: readonly JudgedLine[],
  currency: string,
): string {
  const keyOf = ({ line }: JudgedLine): string => `${line.dueDate} ${line.transactionId ?? ''}`;
  const byKey = new Map<string, { before?: JudgedLine; after?: JudgedLine }>();
  for (const line of before) byKey.set(keyOf(line), { before: line });
  for (const line of after) byKey.set(keyOf(line), { ...byKey.get(keyOf(line)), after: line });
  const money = (amount: Cents): string => formatMoney(amount, currency);
  const cells = (line: JudgedLine | undefined): string[] =>
    line === undefined
      ? ['', '', '']
      : [`${line.line.seq}`, money(line.line.amountCents), money(line.countedCents)];
  const pairs = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair);
  const isBound = [...before, ...after].some(({ line }) => line.transactionId !== undefined);
  const rows = pairs.map(({ before: old, after: now }) => {
    const line = (now ?? old)?.line;
    return [
      line === undefined ? '' : formatDate(line.dueDate),
      ...(isBound ? [line?.transactionId ?? ''] : []),
      ...cells(old).map((cell) => (now === undefined ? dim(cell) : cell)),
      '│',
      ...cells(now),
      now === undefined ? dim('replaced') : formatDate(now.line.lastDay),
    ];
  });
  const total = (lines: readonly JudgedLine[]): string[] => [
    bold(money(sum(lines.map(({ line }) => line.amountCents)))),
    bold(money(cents(lines.reduce((all, { countedCents }) => all + countedCents, 0)))),
  ];
  rows.push([bold('Total'), ...(isBound ? [''] : []), '', ...total(before), '│', '', ...total(after), '']);
  const head = ['', 'Before', 'Counted', '│', '', 'After', 'Counted', 'Last day in time'];
  return plainTable(['Due', ...(isBound ? ['Open item'] : []), ...head], rows);
}
