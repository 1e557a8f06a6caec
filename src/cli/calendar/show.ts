import { dayNames, getCalendar, getCalendarTable, listCalendars } from '../../ledger/calendars';
import { tenantNow } from '../../ledger/tenants';
import { weekdayOf } from '../../rules/business-days';
import { epochMs, formatLocalTime, localDateAt } from '../../rules/calendar';
import type { TenantContext } from '../context';
import { plainTable, print, printJson } from '../output';
import { bold, printable, terminalWidth } from '../text';
import { yearGrid } from './grid';

export interface ShowOptions {
  readonly year?: number;
  readonly table?: number;
  readonly json?: true;
}

/** What a list of weekdays is called. */
export function weekendText(weekend: readonly string[]): string {
  return weekend.length === 0 ? 'none' : weekend.join(', ');
}

/** `troth calendar show` */
export async function show({ ledger, tenant }: TenantContext, options: ShowOptions): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const year = options.year ?? Number(localDateAt(tenantNow(tenant), timeZone).slice(0, 4));
  const { calendar, table, names } = await ledger.forTenant(tenantId, async (tx) => {
    const found = await getCalendarTable(tx, tenantId, options.table);
    return {
      table: found,
      calendar: await getCalendar(tx, tenantId, found.version),
      names: await dayNames(tx, tenantId, found.version),
    };
  });
  const days = table.closedDays
    .filter((date) => date.startsWith(`${String(year)}-`))
    .map((date) => ({ date, weekday: weekdayOf(date), name: names[date] ?? null }));
  const { weekend, cutoff } = table;
  if (options.json === true) {
    printJson({
      version: table.version,
      calendar: calendar.version,
      timeZone,
      weekend,
      cutoff,
      year,
      closedDays: days,
    });
    return;
  }
  const which = table.version === 0 ? 'no table yet' : `version ${table.version}`;
  print(`${bold(`${tenantId} ${String(year)}`)}  ${timeZone}, ${which}`);
  print(`Weekend: ${weekendText(weekend)}. Cut-off: ${cutoff ?? 'none'}. * marks closed days.`);
  print();
  print(yearGrid(year, table, terminalWidth()));
  print();
  if (days.length > 0) {
    const rows = days.map(({ date, weekday, name }) => [date, weekday, printable(name ?? '')]);
    print(plainTable(['Closed', '', ''], rows));
  } else print(`No closed days in ${String(year)}. To bring some: troth calendar import FILE`);
}

/** `troth calendar list` */
export async function list({ ledger, tenant }: TenantContext, { json }: { json?: true }): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const calendars = await ledger.forTenant(tenantId, (tx) => listCalendars(tx, tenantId));
  if (json === true) {
    for (const calendar of calendars) printJson(calendar);
    return;
  }
  if (calendars.length === 0) {
    print(
      `"${tenantId}" has no calendar yet: Saturday and Sunday are closed. See: troth calendar import --help`,
    );
    return;
  }
  const rows = calendars.map(
    ({ version, closedDays, firstDay, lastDay, weekend, cutoff, createdAt, createdBy }) => [
      String(version),
      String(closedDays),
      firstDay === null ? '' : `${firstDay} to ${String(lastDay)}`,
      weekendText(weekend),
      cutoff ?? 'none',
      formatLocalTime(epochMs(createdAt.getTime()), timeZone),
      printable(createdBy),
    ],
  );
  print(plainTable(['Version', 'Closed days', '', 'Weekend', 'Cut-off', 'Made', 'By'], rows));
}
