import { readRunFile } from '../../local/runfile';
import type { Config } from '../../platform/config';
import { TrothError } from '../../platform/errors';
import type { TimelineEntry } from '../../ledger/audit';
import { epochMs, formatDate, formatLocalTime, localDate } from '../../rules/calendar';
import { cents, formatMoney } from '../../rules/money';
import type { TenantContext } from '../context';
import { plainTable, print, printJson } from '../output';
import { bold, dim, printable, status as coloured, yellow } from '../text';
import { presentState, type OtherMoney, type PresentState } from './state';

export interface ShowOptions {
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
  page.header();
  page.schedule();
  page.money();
  page.verdicts();
  page.timeline();
  if (link !== undefined) print(`\nTemporal  ${link}`);
}

function asData(state: PresentState, temporalUrl: string | undefined): object {
  const { promise, lines, counted, notCounted, evaluation, timeline, nowMs } = state;
  const { schedule: _schedule, ...summary } = promise;
  return {
    ...summary,
    countedCents: totalCounted(state),
    installments: lines,
    counted,
    notCounted,
    now: {
      at: new Date(nowMs).toISOString(),
      status: evaluation.status,
      unpaidCents: evaluation.unpaidCents,
    },
    timeline,
    temporalUrl: temporalUrl ?? null,
  };
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
  not_needed: 'it was more than was promised',
  after_the_end: 'it was posted after the promise had ended',
};

const MOST_LINES = 50;

class Page {
  readonly #state: PresentState;
  readonly #timeZone: string;

  constructor(state: PresentState, timeZone: string) {
    this.#state = state;
    this.#timeZone = timeZone;
  }

  header(): void {
    const { promise, evaluation } = this.#state;
    print(`${bold(`Promise ${printable(promise.promiseId)}`)}  ${coloured(promise.status)}`);
    const revision = promise.revision > 1 ? `, revision ${promise.revision}` : '';
    const facts: [string, string][] = [
      ['Account', `${promise.accountId}, ${promise.debtClass}`],
      ['Amount', `${this.#money(totalCounted(this.#state))} of ${this.#money(promise.totalCents)} counted`],
      ['Begins', formatDate(localDate(promise.startDate))],
      ['Policy', `${promise.policyName} version ${promise.policyVersion}${revision}`],
      ['Enrolled', `${this.#time(promise.enrolledAt)} by ${printable(promise.enrolledBy)}`],
    ];
    const { nextJudgeAt, attention } = promise;
    if (nextJudgeAt !== null) facts.push(['Judged', `${this.#time(nextJudgeAt)} next`]);
    if (attention !== null) facts.push(['Attention', yellow(printable(attention))]);
    for (const [name, value] of facts) print(`  ${dim(name.padEnd(9))}  ${value}`);
    if (evaluation.status !== promise.status) {
      print(`  ${yellow(`By now it is ${evaluation.status}; the worker records that when it wakes.`)}`);
    }
  }

  schedule(): void {
    const rows = this.#state.lines.map((line) => [
      String(line.seq),
      formatDate(localDate(line.dueDate)),
      formatDate(localDate(line.lastDay)),
      this.#money(line.amountCents),
      this.#money(line.countedCents),
      coloured(line.status),
    ]);
    this.#section('Schedule', ['', 'Due', 'Last day in time', 'Amount', 'Counted', 'Status'], rows);
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

  verdicts(): void {
    const { verdicts } = this.#state.promise;
    if (verdicts.length === 0) return;
    print(`\n${bold(verdicts.length === 1 ? 'Verdict' : 'Verdicts')}`);
    for (const { revision, sentence } of verdicts) {
      print(`  ${verdicts.length === 1 ? '' : `revision ${revision}: `}${printable(sentence)}`);
    }
  }

  timeline(): void {
    print(`\n${bold('Timeline')}  ${dim(this.#timeZone)}`);
    for (const entry of this.#state.timeline) {
      print(`  ${this.#time(entry.at)}  ${printable(whatHappened(entry))}  ${dim(printable(entry.actor))}`);
    }
  }

  #section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
    if (rows.length === 0) return;
    print(`\n${bold(title)}`);
    for (const line of plainTable(head, rows.slice(0, MOST_LINES)).split('\n')) print(`  ${line}`);
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
    case 'promise.kept':
    case 'promise.broken':
    case 'promise.cancelled':
      return detail('sentence') || action.replace('promise.', '');
    default:
      return action.replaceAll('.', ' ');
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
