import { TrothError } from '../platform/errors';
import { businessCalendar, type BusinessCalendar, type CalendarTable } from '../rules/business-days';
import type { EpochMs, LocalDate } from '../rules/calendar';
import { audit } from './audit';
import { row, rows, type Tx } from './connection';

/** What days are called, such as `2026-12-25` Christmas Day. */
export type DayNames = Readonly<Record<LocalDate, string>>;

/** A table of business days to be recorded. */
export interface NewCalendar extends Omit<CalendarTable, 'version'> {
  /** Kept in the audit trail. */
  readonly names: DayNames;
  readonly actor: string;
  /** The tenant's time. */
  readonly atMs: EpochMs;
}

export interface AddedCalendar {
  /** `unchanged`: the newest version says the same already, names included. */
  readonly result: 'created' | 'unchanged';
  readonly version: number;
}

/**
 * The tenant's newest table, held until the transaction ends: two who change it at once must not lose what the other
 * did.
 * @throws TrothError NOT_FOUND when there is no such tenant.
 */
export async function holdCalendar(tx: Tx, tenantId: string): Promise<CalendarTable> {
  await rows(tx, 'select from tenant where tenant_id = :tenantId for no key update', { tenantId });
  return getCalendarTable(tx, tenantId);
}

/**
 * Adds the next version of a tenant's calendar; promises keep the deadlines computed with the version before it.
 * @param calendar its closed days in rising order, each once.
 * @throws TrothError NOT_FOUND when there is no such tenant.
 */
export async function addCalendar(tx: Tx, tenantId: string, calendar: NewCalendar): Promise<AddedCalendar> {
  const { weekend, closedDays, cutoff, names, actor, atMs } = calendar;
  const newest = await holdCalendar(tx, tenantId);
  const same =
    newest.version > 0 &&
    sameTable(newest, calendar) &&
    sameNames(await dayNames(tx, tenantId, newest.version), names);
  if (same) return { result: 'unchanged', version: newest.version };
  const version = newest.version + 1;
  await rows(
    tx,
    `insert into calendar (tenant_id, version, weekend, closed_days, cutoff, created_at, created_by)
     values (:tenantId, :version, cast(:weekend as text[]), cast(:closedDays as date[]), :cutoff, :at, :actor)`,
    { tenantId, version, weekend: [...weekend], closedDays: [...closedDays], cutoff, at: new Date(), actor },
  );
  const details = { version, closedDays: closedDays.length, names };
  await audit(tx, tenantId, { action: 'calendar.imported', actor, at: atMs, details });
  return { result: 'created', version };
}

function sameTable(a: Omit<CalendarTable, 'version'>, b: Omit<CalendarTable, 'version'>): boolean {
  const text = ({ weekend, closedDays, cutoff }: Omit<CalendarTable, 'version'>): string =>
    JSON.stringify([[...weekend].sort(), closedDays, cutoff]);
  return text(a) === text(b);
}

function sameNames(a: DayNames, b: DayNames): boolean {
  const text = (names: DayNames): string => JSON.stringify(Object.entries(names).sort());
  return text(a) === text(b);
}

const DEFAULT_TABLE: CalendarTable = ((): CalendarTable => {
  const { weekend, closedDays, cutoff } = businessCalendar('UTC');
  return { version: 0, weekend, closedDays, cutoff };
})();

type Found = CalendarTable & { readonly timeZone: string };

// Dates as text: node-postgres would make instants of a date[].
const FIND = `
select t.time_zone as "timeZone", c.version, c.weekend, cast(c.closed_days as text[]) as "closedDays", c.cutoff
  from tenant t
  left join calendar c on c.tenant_id = t.tenant_id and c.version = coalesce(cast(:version as integer), c.version)
 where t.tenant_id = :tenantId
 order by c.version desc limit 1`;

async function find(tx: Tx, tenantId: string, version: number | undefined): Promise<Found> {
  const found = await row<{ timeZone: string; version: null } | Found>(tx, FIND, {
    tenantId,
    version: version ?? null,
  });
  if (found === undefined) {
    throw new TrothError('NOT_FOUND', `There is no tenant "${tenantId}"; see: troth tenant list`);
  }
  if (found.version !== null) return found;
  if (version === undefined || version === 0) return { ...DEFAULT_TABLE, timeZone: found.timeZone };
  throw new TrothError(
    'NOT_FOUND',
    `The calendar of "${tenantId}" has no version ${version}; see: troth calendar list`,
  );
}

/** A tenant's own table, the newest one; version 0 when it has none. @throws TrothError NOT_FOUND */
export async function getCalendarTable(tx: Tx, tenantId: string, version?: number): Promise<CalendarTable> {
  const { weekend, closedDays, cutoff, version: found } = await find(tx, tenantId, version);
  return { version: found, weekend, closedDays, cutoff };
}

/**
 * The calendar that deadlines are computed with: the tenant's newest table, or a version of it, in the tenant's zone.
 * Version 0 is that of a tenant without a table: Saturday and Sunday off, no closed days, no cut-off.
 * @throws TrothError NOT_FOUND when there is no such tenant or version.
 */
export async function getCalendar(tx: Tx, tenantId: string, version?: number): Promise<BusinessCalendar> {
  const { timeZone, ...table } = await find(tx, tenantId, version);
  return businessCalendar(timeZone, table);
}

/** A version as lists show it. */
export interface CalendarSummary extends Omit<CalendarTable, 'closedDays'> {
  readonly closedDays: number;
  readonly firstDay: LocalDate | null;
  readonly lastDay: LocalDate | null;
  readonly createdAt: Date;
  readonly createdBy: string;
}

/** All versions of a tenant's calendar, oldest first; none when it has no table. */
export async function listCalendars(tx: Tx, tenantId: string): Promise<CalendarSummary[]> {
  return rows<CalendarSummary>(
    tx,
    `select version, weekend, cardinality(closed_days) as "closedDays", cutoff, created_at as "createdAt",
            created_by as "createdBy", (select min(day) from unnest(closed_days) day) as "firstDay",
            (select max(day) from unnest(closed_days) day) as "lastDay"
       from calendar where tenant_id = :tenantId order by version limit 1000`,
    { tenantId },
  );
}

/** What the days of a version are called; the names are kept in the audit trail. */
export async function dayNames(tx: Tx, tenantId: string, version: number): Promise<DayNames> {
  const found = await row<{ names: DayNames }>(
    tx,
    `select details -> 'names' as names from audit_event
      where tenant_id = :tenantId and promise_id is null and action = 'calendar.imported'
        and details ->> 'version' = :version
      order by audit_id limit 1`,
    { tenantId, version: String(version) },
  );
  return found?.names ?? {};
}
