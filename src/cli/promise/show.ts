import { readRunFile } from '../../local/runfile';
import type { Config } from '../../platform/config';
import { TrothError } from '../../platform/errors';
import type { TimelineEntry } from '../../ledger/audit';
import { epochMs, formatDate, formatLocalTime, localDate, localDateAt } from '../../rules/calendar';
import { cents, formatMoney } from '../../rules/money';
import { formatFrequency } from '../../rules/schedules/schedule';
import { repeatWords, termsOf } from '../../rules/terms';
import type { TenantContext } from '../context';
import { fittedTable, print, printJson } from '../output';
import { bold, cut, dim, printable, red, status as coloured, terminalWidth, yellow } from '../text';
import { presentState, type OtherMoney, type PresentState } from './state';
import { payorWords } from './words';

export interface ShowOptions {
  readonly oracleView?: true;
  readonly tenant?: string;
  readonly json?: true;
}

/** Shows one promise in full. */
export async function show(context: TenantContext, promiseId: string, options: ShowOptions): Promise<void> {
  const { ledger, tenant, config } = context;
  const state = await ledger.forTenant(tenant.tenantId, (tx) => presentState(tx, tenant, promiseId));
  if (state === undefined) {
    throw new TrothError(
      'NOT_FOUND',
      `Tenant "${tenant.tenantId}" has no promise "${promiseId}"; see: troth promise list`,
    );
  }
  const link = temporalLink(config, state.promise.workflowId);
  if (options.json === true) {
    printJson(asData(state, link));
    return;
  }
  const page = new Page(state, tenant.timeZone);
  page.header(options.oracleView === true);
  page.schedule();
  page.money();
  page.bills();
  page.revisions();
  page.pastSchedules();
  page.verdicts();
  page.timeline();
  if (link !== undefined) print(`\nTemporal  ${link}`);
}

function asData(state: PresentState, temporalUrl: string | undefined): object {
  const { promise, lines, counted, notCounted, evaluation, facts, today, timeline, nowMs } = state;
  const { schedule: _schedule, ...summary } = promise;
  return {
    ...summary,
    countedCents: totalCounted(state),
    ...today,
    payor: facts.payor,
    autoManaged: facts.autoManaged,
    repeat: repeatAsData(facts),
    installments: lines,
    counted,
    notCounted,
    currentBills: state.bills,
    revisions: state.revisions,
    pastSchedules: state.pastSchedules,
    notices: evaluation.notices,
    now: {
      at: new Date(nowMs).toISOString(),
      status: evaluation.status,
      unpaidCents: evaluation.unpaidCents,
    },
    timeline,
    temporalUrl: temporalUrl ?? null,
  };
}

function repeatAsData({ repeat }: PresentState['facts']): object | null {
  if (repeat === null) return null;
  const { amountCents, frequency, firstDueDate, count, untilDate } = repeat;
  return { amountCents, frequency: formatFrequency(frequency), firstDueDate, count, untilDate };
}

function termsRows(facts: PresentState['facts']): [string, string | null][] {
  const terms = termsOf(facts);
  return [
    ['Repeats', terms.repeat === null ? null : repeatWords(terms.repeat, terms)],
    ['By hand', terms.autoManaged ? null : 'nothing changes by itself; staff end it'],
    ['Bills', terms.stayCurrent ? 'new ones must be paid, too' : null],
  ];
}

function totalCounted({ lines }: PresentState): number {
  return lines.reduce((total, line) => total + line.countedCents, 0);
}

const WHY: Readonly<Record<OtherMoney['why'], string>> = {
  other_debt_class: 'it paid another debt',
  other_currency: 'it is in another currency',
  other_payor: 'it came from another payor',
  other_promise: 'it counted for another promise',
  reversed: 'it was reversed',
  too_early: 'it came before the promise began',
  too_late: 'it came after the last day in time',
  other_transaction: 'it paid other bills',
  excess: 'it was over its installment, and this policy counts no excess',
  waiting: 'it waits until its installment is due',
  not_yet: 'it waits until the deadline before it has been judged',
  not_managed: 'this promise is managed by hand',
  not_needed: 'it was more than was promised',
  after_the_end: 'it was posted after the promise had ended',
};

const MOST_LINES = 50;
const INDENT = '  ';

class Page {
  readonly #state: PresentState;
  readonly #timeZone: string;

  constructor(state: PresentState, timeZone: string) {
    this.#state = state;
    this.#timeZone = timeZone;
  }

  header(oracleView: boolean): void {
    const { promise, evaluation, facts, today } = this.#state;
    const { status, state } = today.oracleView;
    const oracle = oracleView
      ? dim(`  Oracle: status ${status === '' ? '(blank)' : status}, state ${state}`)
      : '';
    print(`${bold(`Promise ${printable(promise.promiseId)}`)}  ${coloured(promise.status)}${oracle}`);
    const { nextJudgeAt, attention } = promise;
    const total = evaluation.isOpenEnded ? '' : ` of ${this.#money(promise.totalCents)}`;
    const revision = promise.revision > 1 ? `, revision ${promise.revision}` : '';
    const lines: [string, string | null][] = [
      ['Account', `${promise.accountId}, ${promise.debtClass}`],
      ['Payor', payorWords(facts)],
      ['Amount', `${this.#money(totalCounted(this.#state))}${total} counted`],
      ['Paid by', promise.payMethod === null ? null : printable(promise.payMethod)],
      ...termsRows(facts),
      ['Begins', formatDate(localDate(promise.startDate))],
      ['Policy', `${promise.policyName}@${promise.policyVersion}${revision}`],
      ['Enrolled', `${this.#time(promise.enrolledAt)} by ${printable(promise.enrolledBy)}`],
      ['Waits for', today.waitsFor === null ? null : yellow(today.waitsFor)],
      ['Past due', today.pastDueCents === 0 ? null : red(this.#money(today.pastDueCents))],
      ['Due', today.nextDueDate === null ? null : `${formatDate(today.nextDueDate)} next`],
      ['Judged', nextJudgeAt === null ? null : `${this.#time(nextJudgeAt)} next`],
      ['Attention', attention === null ? null : yellow(printable(attention))],
    ];
    for (const [name, value] of lines) if (value !== null) print(`  ${dim(name.padEnd(9))}  ${value}`);
    if (evaluation.status !== promise.status) {
      print(`  ${yellow(`By now it is ${evaluation.status}; the worker records that when it wakes.`)}`);
    }
  }

  schedule(): void {
    const { lines, evaluation, today, nowMs } = this.#state;
    const day = localDateAt(nowMs, this.#timeZone);
    const isPastDue = ({ dueDate, countedCents, amountCents }: (typeof lines)[number]): boolean =>
      today.pastDueCents > 0 && dueDate < day && countedCents < amountCents;
    const isBound = lines.some(({ transactionId }) => transactionId !== null);
    const rows = lines.map((line) => [
      String(line.seq),
      isPastDue(line) ? red(formatDate(localDate(line.dueDate))) : formatDate(localDate(line.dueDate)),
      formatDate(localDate(line.lastDay)),
      ...(isBound ? [printable(line.transactionId ?? '')] : []),
      this.#money(line.amountCents),
      this.#money(line.countedCents),
      coloured(line.status),
    ]);
    const item = isBound ? ['Open item'] : [];
    this.#section('Schedule', ['', 'Due', 'Last day in time', ...item, 'Amount', 'Counted', 'Status'], rows);
    if (evaluation.isOpenEnded) print(dim('  … and so on: there is always a next one'));
  }

  money(): void {
    const { counted, notCounted } = this.#state;
    const day = (date: string): string => formatDate(localDate(date));
    this.#section(
      'Counted',
      ['Payment', 'Received', 'Amount', 'For installment'],
      counted.map((one) => [one.paymentId, day(one.effectiveDate), this.#money(one.cents), String(one.seq)]),
    );
    this.#section(
      'Not counted',
      ['Payment', 'Received', 'Amount', 'Because'],
      notCounted.map((one) => [one.paymentId, day(one.effectiveDate), this.#money(one.cents), WHY[one.why]]),
    );
    if (counted.length + notCounted.length === 0) print('\nNo money has come since the promise began.');
  }

  /** R26 */
  bills(): void {
    const rows = this.#state.bills.map((bill) => [
      printable(bill.transactionId),
      formatDate(bill.dueDate),
      formatDate(bill.lastDay),
      this.#money(bill.amountCents),
      bill.isClosed ? 'settled otherwise' : this.#money(bill.paidCents),
    ]);
    const head = ['Bill', 'Due', 'Last day in time', 'Amount', 'Paid'];
    this.#section('Current bills, to be paid, too', head, rows);
  }

  revisions(): void {
    const { revisions } = this.#state;
    if (revisions.length < 2) return;
    const rows = revisions.map(({ revision, at, cause, by }) => [
      String(revision),
      this.#time(at),
      printable(by),
      printable(cause),
    ]);
    this.#section('Revisions', ['', 'Since', 'By', 'Because'], rows);
  }

  /** R18: what was agreed before it was amended. */
  pastSchedules(): void {
    for (const { until, installments } of this.#state.pastSchedules) {
      const isBound = installments.some(({ transactionId }) => transactionId !== null);
      const rows = installments.map(({ seq, dueDate, amountCents, transactionId }) => [
        String(seq),
        formatDate(localDate(dueDate)),
        ...(isBound ? [printable(transactionId ?? '')] : []),
        this.#money(amountCents),
      ]);
      const head = ['', 'Due', ...(isBound ? ['Open item'] : []), 'Amount'];
      this.#section(`Schedule until ${this.#time(until)}`, head, rows);
    }
  }

  verdicts(): void {
    const { verdicts, cancelNote } = this.#state.promise;
    if (verdicts.length === 0) return;
    print(`\n${bold(verdicts.length === 1 ? 'Verdict' : 'Verdicts')}`);
    for (const { revision, sentence } of verdicts) {
      print(`  ${verdicts.length === 1 ? '' : `revision ${revision}: `}${printable(sentence)}`);
    }
    if (cancelNote !== null) print(dim(`  “${printable(cancelNote)}”`));
  }

  timeline(): void {
    print(`\n${bold('Timeline')}  ${dim(this.#timeZone)}`);
    for (const entry of this.#state.timeline) {
      const what = `${this.#time(entry.at)}  ${printable(whatHappened(entry))}`;
      print(`  ${what}  ${dim(printable(entry.actor))}`);
      const { note } = entry.details;
      if (typeof note === 'string') print(dim(cut(`${' '.repeat(20)}“${note}”`, terminalWidth())));
    }
  }

  #section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
    if (rows.length === 0) return;
    print(`\n${bold(title)}`);
    const table = fittedTable(head, rows.slice(0, MOST_LINES), INDENT.length);
    for (const line of table.split('\n')) print(`${INDENT}${line}`);
    if (rows.length > MOST_LINES) print(dim(`  … and ${rows.length - MOST_LINES} more; --json has them all`));
  }

  #money(amount: number): string {
    return formatMoney(cents(amount), this.#state.promise.currency);
  }

  #time(at: Date): string {
    return formatLocalTime(epochMs(at.getTime()), this.#timeZone);
  }
}

/** An audit event in words. */
function whatHappened({ action, details }: TimelineEntry): string {
  const detail = (name: string): string => {
    const value = details[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  switch (action) {
    case 'promise.enrolled':
      return detail('installments') === '1'
        ? `enrolled, due ${detail('firstDueDate')}`
        : `enrolled, ${detail('installments')} installments, first due ${detail('firstDueDate')}`;
    case 'promise.reopened':
      return `open again in revision ${detail('revision')}: ${detail('cause').replace('_', ' ')}, payment ${detail('paymentId')}`;
    case 'promise.amended':
      return `amended to ${detail('installments')} installments, revision ${detail('revision')}`;
    case 'promise.approval-refused':
      return 'approval refused';
    case 'notice.missed':
    case 'notice.reversed':
    case 'notice.activated':
      return detail('text');
    case 'promise.kept':
    case 'promise.broken':
    case 'promise.cancelled':
      return detail('sentence') || action.replace('promise.', '');
    default:
      return action.replace('promise.', '').replaceAll('.', ' ');
  }
}

/** Where the promise's workflow is seen, when a Temporal UI is known. */
function temporalLink(config: Config, workflowId: string): string | undefined {
  const run = readRunFile(config.home);
  // A run of this clone says nothing about a database that lies elsewhere.
  const ours = config.databaseUrl === undefined || config.databaseUrl === run?.databaseUrl ? run : undefined;
  const uiUrl = config.temporalUiUrl ?? ours?.temporalUiUrl;
  if (uiUrl === undefined) return undefined;
  const namespace = ours?.temporal?.namespace ?? process.env['TEMPORAL_NAMESPACE'] ?? 'default';
  const [base, name, id] = [
    uiUrl.replace(/\/$/, ''),
    encodeURIComponent(namespace),
    encodeURIComponent(workflowId),
  ];
  return `${base}/namespaces/${name}/workflows/${id}`;
}
