import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { parse } from 'csv-parse';
import { loadAccounts } from '../cis/accounts';
import { loadCancellations } from '../cis/cancellations';
import { loadEnrollments } from '../cis/enrollments';
import type { LoadResult } from '../cis/load';
import { loadPayments } from '../cis/payments';
import { openLedger, row, type Ledger } from '../ledger/connection';
import { enqueueNewlyDue } from '../ledger/outbox';
import { listPromises, type PromiseSummary } from '../ledger/promises/promise-views';
import { createTenant, emptySandbox, listTenants, moveClock, type Tenant } from '../ledger/tenants';
import { loadConfig, type Config } from '../platform/config';
import { invariant, messageOf, TrothError } from '../platform/errors';
import { projectRoot } from '../platform/root';
import { formatLocalTime, localTimeMs, type EpochMs } from '../rules/calendar';
import { formatMoney, cents } from '../rules/money';
import { connectClient } from '../temporal/connection';
import { resolveEndpoints, type Endpoints } from './endpoints';
import { status as coloured, terminalWidth } from './text';

const TENANT = 'demo';
const TIME_ZONE = 'America/New_York';
const STORY_BEGINS = '2026-01-05 08:00';
const STORY_ENDS = '2026-06-30 18:00';
const ACTOR = 'demo';
const SETTLE_LIMIT_MS = 180_000;
const POLL_MS = 250;
const MOST_PROMISES = 1000;

type Say = (line: string) => void;

/** `troth demo`: the story of the example files, on the sandbox tenant `demo`. */
export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('load the example files into the sandbox tenant "demo" and move its clock through the story')
    .option('--reset', 'empty the sandbox first and tell the story again')
    .option('--all', 'show every promise, not one of each kind')
    .addHelpText('after', '\nExample:\n  troth demo --reset\n')
    .action(async (options: { reset?: boolean; all?: boolean }) => {
      const config = loadConfig();
      const endpoints = resolveEndpoints(config);
      const say: Say = (line) => void process.stderr.write(`${line}\n`);
      await withLedger(endpoints, async (ledger) => {
        if (options.reset === true) await reset(ledger, endpoints, say);
        const known = await demoTenant(ledger);
        if (known === undefined) await tellStory(ledger, say);
        else say('The demo was loaded before; --reset tells it again.');
        process.stdout.write(`${await storyTable(ledger, options.all === true)}\n`);
      });
    });
}

/**
 * Loads the examples on the first start only, and says what became of each promise.
 * @throws TrothError TIMEOUT when the promises do not end in time; the data stays.
 */
export async function loadDemoOnce(runtime: {
  databaseUrl: string;
  temporalUiUrl?: string;
  config: Config;
  say: Say;
}): Promise<string | undefined> {
  const ledger = openLedger(runtime.databaseUrl, { poolSize: 10, applicationName: 'troth demo' });
  try {
    if ((await demoTenant(ledger)) !== undefined) return undefined;
    await tellStory(ledger, runtime.say);
    return await storyTable(ledger, false);
  } finally {
    await ledger.close();
  }
}

async function withLedger(endpoints: Endpoints, work: (ledger: Ledger) => Promise<void>): Promise<void> {
  const ledger = openLedger(endpoints.databaseUrl, { poolSize: 10, applicationName: 'troth demo' });
  try {
    await work(ledger);
  } finally {
    await ledger.close();
  }
}

async function demoTenant(ledger: Ledger): Promise<Tenant | undefined> {
  return (await ledger.forSystem(listTenants)).find((tenant) => tenant.tenantId === TENANT);
}

function example(name: string): string {
  return join(projectRoot(), 'examples', name);
}

function instant(text: string): EpochMs {
  const at = localTimeMs(text, TIME_ZONE);
  if (at === undefined)
    throw new TrothError('INPUT_INVALID', `The examples hold "${text}", which is no local time`);
  return at;
}

async function tellStory(ledger: Ledger, say: Say): Promise<void> {
  const begins = instant(STORY_BEGINS);
  const tenant: Tenant = {
    tenantId: TENANT,
    name: 'Example Water (sandbox)',
    timeZone: TIME_ZONE,
    currency: 'USD',
    sandbox: true,
    clockOffsetMs: begins - Date.now(),
    policyName: 'default',
  };
  await ledger.forTenant(TENANT, (tx) => createTenant(tx, tenant, ACTOR));
  const accounts = await loadAccounts(ledger, TENANT, example('accounts.csv'), { actor: ACTOR });
  const enrolled = await loadEnrollments(ledger, TENANT, example('enrollments.csv'), { actor: ACTOR });
  say(`${accounts.taken} accounts and ${enrolled.taken} promises loaded at ${STORY_BEGINS}`);
  for (const at of await storyStops()) await advanceTo(ledger, at, say);
  await ended(ledger, say);
}

/** Every instant at which the files say that something was posted or cancelled, in order. */
async function storyStops(): Promise<EpochMs[]> {
  const stops = new Set<EpochMs>([instant(STORY_ENDS)]);
  for (const [file, column] of [
    ['payments.csv', 'posted_at'],
    ['cancellations.csv', 'cancelled_at'],
  ] as const) {
    const records = createReadStream(example(file)).pipe(parse({ columns: true, bom: true }));
    for await (const record of records as AsyncIterable<Record<string, string>>) {
      stops.add(instant(record[column] ?? ''));
    }
  }
  return [...stops].sort((a, b) => a - b);
}

/** Moves the clock to an instant and lets happen what the files say of it. */
async function advanceTo(ledger: Ledger, at: EpochMs, say: Say): Promise<void> {
  await ledger.forTenant(TENANT, async (tx) => {
    const moved = await moveClock(tx, TENANT, at, ACTOR);
    await enqueueNewlyDue(tx, TENANT, moved);
  });
  const isNow =
    (column: string) =>
    (cells: Readonly<Record<string, string | undefined>>): boolean =>
      instant(cells[column] ?? '') === at;
  const posted = await loadPayments(ledger, TENANT, example('payments.csv'), {
    actor: ACTOR,
    only: isNow('posted_at'),
  });
  const cancelled = await loadCancellations(ledger, TENANT, example('cancellations.csv'), {
    actor: ACTOR,
    only: isNow('cancelled_at'),
  });
  say(`${formatLocalTime(at, TIME_ZONE)}  ${told(posted, 'payments')}${told(cancelled, 'cancels')}`);
}

function told(result: LoadResult, what: string): string {
  const { taken, rejected } = result;
  if (taken + rejected === 0) return '';
  return `${taken} ${what}${rejected > 0 ? ` (${rejected} refused)` : ''}  `;
}

async function ended(ledger: Ledger, say: Say): Promise<void> {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const left = await ledger.forTenant(TENANT, (tx) =>
      row<{ open: number; untold: number }>(
        tx,
        `select (select count(*) from promise where tenant_id = :tenantId and status = 'active') as open,
                (select count(*) from verdict v where v.tenant_id = :tenantId and not exists (
                   select 1 from collections_outcome o
                    where o.tenant_id = v.tenant_id and o.promise_id = v.promise_id and o.revision = v.revision
                      and o.kind <> 'activated')) as untold`,
        { tenantId: TENANT },
      ),
    );
    invariant(left !== undefined, 'A count always has a row');
    if (left.open === 0 && left.untold === 0) return;
    if (Date.now() > deadline) {
      const minutes = SETTLE_LIMIT_MS / 60_000;
      const message = `After ${minutes} minutes ${left.open} promises are open and ${left.untold} outcomes untold; see: troth promise list --status active`;
      throw new TrothError('TIMEOUT', message);
    }
    say(`${left.open} promises open, ${left.untold} outcomes on their way to collections`);
    await sleep(POLL_MS);
  }
}

/** The promises as a table that fits the terminal: one of each kind of the examples, or all of them. */
async function storyTable(ledger: Ledger, all: boolean): Promise<string> {
  const promises = await ledger.forTenant(TENANT, (tx) => listPromises(tx, TENANT, { limit: MOST_PROMISES }));
  const expected = await expectations();
  const shown = all ? promises : oneOfEach(promises, expected);
  const width = Math.max(80, Math.min(terminalWidth(), 200));
  const table = new Table({
    head: ['Promise', 'Account', 'Schedule', 'Outcome', 'Why'],
    colWidths: [10, 12, 26, 11, width - 10 - 12 - 26 - 11 - 6],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const promise of shown) {
    table.push([
      promise.promiseId,
      promise.accountId,
      scheduleOf(promise),
      coloured(promise.status),
      promise.sentence ?? '',
    ]);
  }
  return [table.toString(), ...totals(promises, expected), whatNext(all)].join('\n');
}

function scheduleOf({
  installments,
  firstDueDate,
  lastDueDate,
  totalCents,
  currency,
}: PromiseSummary): string {
  const total = formatMoney(cents(totalCents), currency);
  return installments === 1
    ? `${total} due ${firstDueDate}`
    : `${total} in ${installments}, ${firstDueDate} to ${lastDueDate}`;
}

interface Expectation {
  readonly case: string;
  readonly outcome: string;
}

async function expectations(): Promise<Map<string, Expectation>> {
  const expected = new Map<string, Expectation>();
  const records = createReadStream(example('expected.csv')).pipe(parse({ columns: true, bom: true }));
  for await (const record of records as AsyncIterable<Record<string, string>>) {
    expected.set(record['enrollment_id'] ?? '', {
      case: record['case'] ?? '',
      outcome: record['outcome'] ?? '',
    });
  }
  return expected;
}

function oneOfEach(
  promises: readonly PromiseSummary[],
  expected: Map<string, Expectation>,
): PromiseSummary[] {
  const seen = new Set<string>();
  return promises.filter((promise) => {
    const kind = `${expected.get(promise.promiseId)?.case ?? ''}/${promise.status}`;
    if (seen.has(kind)) return false;
    seen.add(kind);
    return true;
  });
}

function totals(promises: readonly PromiseSummary[], expected: Map<string, Expectation>): string[] {
  const counts = new Map<string, number>();
  for (const { status } of promises) counts.set(status, (counts.get(status) ?? 0) + 1);
  const agree = promises.filter(
    (promise) => expected.get(promise.promiseId)?.outcome === promise.status,
  ).length;
  const list = [...counts].sort().map(([status, count]) => `${count} ${status}`);
  return [
    `${promises.length} promises: ${list.join(', ')}.`,
    `${agree} of ${expected.size} ended as examples/expected.csv derives it by hand from the rules.`,
  ];
}

function whatNext(all: boolean): string {
  const rest = all ? '' : 'One of each kind is shown; all of them: npx troth demo --all. ';
  return `${rest}One in full: npx troth promise show E-10001`;
}

async function reset(ledger: Ledger, endpoints: Endpoints, say: Say): Promise<void> {
  if ((await demoTenant(ledger)) === undefined) return;
  const { client, close } = await connectClient(endpoints.temporal);
  try {
    const query = `TrothTenant = '${TENANT}' AND ExecutionStatus = 'Running'`;
    for await (const workflow of client.workflow.list({ query })) {
      await client.workflow
        .getHandle(workflow.workflowId)
        .terminate('the demo was reset')
        .catch((error: unknown) => say(`${workflow.workflowId}: ${messageOf(error)}`));
    }
  } finally {
    await close();
  }
  await ledger.forTenant(TENANT, (tx) => emptySandbox(tx, TENANT));
  say('The sandbox is empty; the story begins again.');
}
