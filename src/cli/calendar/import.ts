import { readFile } from 'node:fs/promises';
import { readClosedDays, type ClosedDay } from '../../cis/closed-days';
import { STDIN } from '../../cis/read-csv';
import {
  addCalendar,
  dayNames,
  holdCalendar,
  type AddedCalendar,
  type DayNames,
} from '../../ledger/calendars';
import type { Tx } from '../../ledger/connection';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import { messageOf, TrothError } from '../../platform/errors';
import type { CalendarTable, Weekday } from '../../rules/business-days';
import type { LocalDate } from '../../rules/calendar';
import { actorOfCli, type TenantContext } from '../context';
import { print, printJson } from '../output';
import { printable } from '../text';
import { weekendText } from './show';

export interface ImportOptions {
  readonly weekend?: readonly Weekday[];
  /** `HH:MM` or `none`. */
  readonly cutoff?: string;
  readonly replace?: true;
  readonly json?: true;
}

const MAX_FILE_BYTES = 1024 * 1024;
const MOST_DAYS = 5000;
const MOST_SHOWN = 20;

type Table = Omit<CalendarTable, 'version'>;

/** What an import did to the table before it. */
interface Imported extends AddedCalendar {
  readonly before: CalendarTable;
  readonly table: Table;
  readonly added: readonly LocalDate[];
  readonly removed: readonly LocalDate[];
  readonly names: DayNames;
}

/** `troth calendar import` */
export async function importDays(
  { ledger, tenant }: TenantContext,
  file: string,
  options: ImportOptions,
): Promise<void> {
  const days = readClosedDays(await contentOf(file));
  if ('problems' in days) {
    const { problems } = days;
    const count = problems.length === 1 ? 'One thing is' : `${problems.length} things are`;
    throw new TrothError('INPUT_INVALID', `${count} wrong with ${nameOf(file)}; nothing was imported`, {
      problems,
    });
  }
  const imported = await ledger.forTenant(tenant.tenantId, (tx) => record(tx, tenant, days, options));
  tell(tenant, imported, options);
}

async function record(
  tx: Tx,
  tenant: Tenant,
  days: readonly ClosedDay[],
  options: ImportOptions,
): Promise<Imported> {
  const { tenantId } = tenant;
  const before = await holdCalendar(tx, tenantId);
  const namesBefore = await dayNames(tx, tenantId, before.version);
  const { weekend = before.weekend } = options;
  const asked = options.cutoff === 'none' ? null : options.cutoff;
  const cutoff = asked === undefined ? before.cutoff : asked;
  // A file speaks for the years that it names: next year's holidays must not lose this year's.
  const years = new Set(days.map(({ date }) => date.slice(0, 4)));
  const staying =
    options.replace === true ? [] : before.closedDays.filter((date) => !years.has(date.slice(0, 4)));
  const closedDays = [...staying, ...days.map(({ date }) => date)].sort();
  if (closedDays.length > MOST_DAYS) {
    throw new TrothError(
      'INPUT_INVALID',
      `The calendar would have ${closedDays.length} closed days; ${MOST_DAYS} are the most. Use --replace`,
    );
  }
  const names: DayNames = Object.fromEntries([
    ...staying.flatMap((date) => namePair(date, namesBefore[date])),
    ...days.flatMap(({ date, name }) => namePair(date, name)),
  ]);
  const table = { weekend, cutoff, closedDays };
  const by = { actor: actorOfCli(), atMs: tenantNow(tenant) };
  const answer = await addCalendar(tx, tenantId, { ...table, names, ...by });
  const [was, is] = [new Set(before.closedDays), new Set(closedDays)];
  return {
    ...answer,
    ...{ before, table, names: { ...namesBefore, ...names } },
    added: closedDays.filter((date) => !was.has(date)),
    removed: before.closedDays.filter((date) => !is.has(date)),
  };
}

function namePair(date: LocalDate, name: string | null | undefined): [LocalDate, string][] {
  return name === null || name === undefined ? [] : [[date, name]];
}

function tell(tenant: Tenant, imported: Imported, options: ImportOptions): void {
  const { result, version, before, table, added, removed } = imported;
  if (options.json === true) {
    printJson({
      result,
      version,
      weekend: table.weekend,
      cutoff: table.cutoff,
      closedDays: table.closedDays.length,
      added,
      removed,
    });
    return;
  }
  if (result === 'unchanged') {
    print(`Version ${version} says the same already; nothing was changed.`);
    return;
  }
  print(
    `Version ${version} of the calendar of "${tenant.tenantId}" is made: ${table.closedDays.length} closed days, ` +
      `weekend ${weekendText(table.weekend)}, cut-off ${table.cutoff ?? 'none'}.`,
  );
  const against = before.version === 0 ? 'the default' : `version ${before.version}`;
  for (const line of changesOf(imported)) print(`  ${line}`);
  if (changesOf(imported).length === 0) print(`  No day differs from ${against}.`);
  print('Promises already enrolled keep their deadlines; new ones are counted with this version.');
}

/** One line a change. */
function changesOf({ before, table, added, removed, names }: Imported): string[] {
  const lines = [...shownDays('added', added, names), ...shownDays('removed', removed, names)];
  const [was, is] = [weekendText(before.weekend), weekendText(table.weekend)];
  if (was !== is) lines.push(`weekend: ${was} before, ${is} now`);
  if (before.cutoff !== table.cutoff) {
    lines.push(`cut-off: ${before.cutoff ?? 'none'} before, ${table.cutoff ?? 'none'} now`);
  }
  return lines;
}

function shownDays(what: string, dates: readonly LocalDate[], names: DayNames): string[] {
  const lines = dates.slice(0, MOST_SHOWN).map((date) => {
    const name = names[date];
    return `${what} ${date}${name === undefined ? '' : ` ${printable(name)}`}`;
  });
  return dates.length > MOST_SHOWN ? [...lines, `… and ${dates.length - MOST_SHOWN} more ${what}`] : lines;
}

function nameOf(file: string): string {
  return file === STDIN ? 'standard input' : `"${file}"`;
}

/** @throws TrothError NOT_FOUND, UNAVAILABLE, or INPUT_INVALID when it is too large */
async function contentOf(file: string): Promise<Uint8Array> {
  const content = file === STDIN ? await standardInput() : await readFrom(file);
  if (content.length <= MAX_FILE_BYTES) return content;
  throw new TrothError(
    'INPUT_INVALID',
    `${nameOf(file)} is too large for a list of days; ${MAX_FILE_BYTES} bytes are the most`,
  );
}

async function readFrom(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new TrothError('NOT_FOUND', `There is no file "${file}"`, { cause: error });
    throw new TrothError('UNAVAILABLE', `"${file}" cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_FILE_BYTES) break;
  }
  return Buffer.concat(chunks);
}
