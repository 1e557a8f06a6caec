import type { Ledger } from '../ledger/connection';
import { getTenant, type Tenant } from '../ledger/tenants';
import { enroll } from '../enrollment/enroll';
import { enrollmentSchema, problemsOf } from '../enrollment/enrollment';
import { isLocalDate, type LocalDate } from '../rules/calendar';
import { formatMoney, parseMoney, sum } from '../rules/money';
import {
  dueDates,
  FREQUENCIES,
  MAX_INSTALLMENTS,
  type Frequency,
  type ScheduledPart,
} from '../rules/schedule';
import { Cells } from './cells';
import { loadRows, type LoadOptions, type LoadResult, type RowAnswer } from './load';
import type { Columns, CsvRow } from './read-csv';

const COLUMNS: Columns = {
  required: ['enrollment_id', 'account_id', 'debt_class'],
  oneOf: ['total_amount', 'schedule'],
  optional: ['start_date', 'frequency', 'installments', 'first_due_date', 'note'],
};

const COLUMN_OF: Readonly<Record<string, string>> = {
  promiseId: 'enrollment_id',
  accountId: 'account_id',
  debtClass: 'debt_class',
  startDate: 'start_date',
  totalCents: 'total_amount',
  frequency: 'frequency',
  parts: 'installments',
  firstDueDate: 'first_due_date',
  dueDate: 'first_due_date',
};

/**
 * Enrolls the promises of a file. The enrollment id becomes the promise's id, so that a file may be sent again.
 * @throws TrothError NOT_FOUND (tenant, file), UNAVAILABLE.
 */
export async function loadEnrollments(
  ledger: Ledger,
  tenantId: string,
  file: string,
  options: LoadOptions,
): Promise<LoadResult> {
  const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
  return loadRows(
    file,
    {
      columns: COLUMNS,
      keysOf: (cells) => [`account ${cells['account_id'] ?? ''}`, `id ${cells['enrollment_id'] ?? ''}`],
      take: (cells) => takeEnrollment(ledger, tenant, cells, options.actor),
    },
    options,
  );
}

async function takeEnrollment(
  ledger: Ledger,
  tenant: Tenant,
  row: CsvRow['cells'],
  actor: string,
): Promise<RowAnswer> {
  const cells = new Cells(row, tenant);
  const columnOf = (field: string): string => columnFor(field, cells);
  const input = enrollmentOf(cells, tenant);
  const checked = enrollmentSchema.safeParse(input);
  if (!checked.success) cells.refuseAll(problemsOf(checked.error, input), columnOf);
  if (cells.problems.length > 0) return { result: 'rejected', problems: cells.problems };
  const answer = await enroll(ledger, input, { actor });
  if (answer.result !== 'refused') return { result: answer.result === 'enrolled' ? 'taken' : 'known' };
  cells.refuseAll(answer.problems, columnOf);
  return { result: 'rejected', problems: cells.problems };
}

const OF_SCHEDULE = new Set(['schedule', 'dueDate', 'totalCents', 'frequency', 'parts', 'firstDueDate']);

/** A row with a schedule has the schedule to blame for its dates and amounts. */
function columnFor(field: string, cells: Cells): string {
  const ofSchedule = OF_SCHEDULE.has(field) || field.startsWith('installments');
  if (ofSchedule && cells.optional('schedule') !== undefined) return 'schedule';
  return COLUMN_OF[field] ?? (ofSchedule ? 'first_due_date' : field);
}

/** The row as the use case wants it; what is wrong with a cell is gathered in `cells`. */
function enrollmentOf(cells: Cells, tenant: Tenant): Record<string, unknown> {
  const totalCents = cells.money('total_amount');
  const parts = cells.count('installments', MAX_INSTALLMENTS);
  const frequency = frequencyOf(cells);
  const firstDueDate = cells.date('first_due_date');
  const common = {
    tenantId: tenant.tenantId,
    promiseId: cells.needed('enrollment_id'),
    accountId: cells.needed('account_id'),
    debtClass: cells.needed('debt_class'),
    startDate: cells.date('start_date'),
  };
  if (cells.optional('schedule') === undefined) {
    if (totalCents !== undefined && parts !== undefined && totalCents < parts) {
      cells.refuse('total_amount', `is too small for ${parts} installments`);
    }
    return { ...common, totalCents, frequency, parts, firstDueDate };
  }
  const installments = scheduleOf(cells, tenant.currency);
  if (installments !== undefined) {
    agree(cells, installments, tenant.currency, { totalCents, parts, frequency, firstDueDate });
  }
  return { ...common, installments };
}

function frequencyOf(cells: Cells): Frequency | undefined {
  const text = cells.optional('frequency');
  const frequency = FREQUENCIES.find((known) => known === text);
  if (text === undefined || frequency !== undefined) return frequency;
  cells.refuse('frequency', `must be one of ${FREQUENCIES.join(', ')}`);
  return undefined;
}

/** `2026-02-15=50.00;2026-03-15=50.00` */
function scheduleOf(cells: Cells, currency: string): ScheduledPart[] | undefined {
  const entries = cells
    .text('schedule')
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length > MAX_INSTALLMENTS) {
    cells.refuse('schedule', `has ${entries.length} parts; ${MAX_INSTALLMENTS} are the most`);
    return undefined;
  }
  const parts: ScheduledPart[] = [];
  for (const entry of entries) {
    const [dueDate = '', amount = ''] = entry.split('=').map((part) => part.trim());
    if (!isLocalDate(dueDate)) {
      cells.refuse(
        'schedule',
        `holds "${dueDate}", which is not a date; write 2026-02-15=50.00;2026-03-15=50.00`,
      );
      return undefined;
    }
    const amountCents = parseMoney(amount, currency);
    if (typeof amountCents === 'string') {
      cells.refuse('schedule', `holds for ${dueDate} an amount that ${amountCents}`);
      return undefined;
    }
    parts.push({ dueDate, amountCents });
  }
  return parts;
}

/** Columns beside a schedule are empty or agree with it. */
function agree(
  cells: Cells,
  listed: readonly ScheduledPart[],
  currency: string,
  beside: {
    totalCents: number | undefined;
    parts: number | undefined;
    frequency: Frequency | undefined;
    firstDueDate: string | undefined;
  },
): void {
  const dates = listed.map((part) => part.dueDate).sort();
  const total = sum(listed.map((part) => part.amountCents));
  if (beside.totalCents !== undefined && beside.totalCents !== total) {
    cells.refuse('total_amount', `is not the sum of the schedule, ${formatMoney(total, currency)}`);
  }
  if (beside.parts !== undefined && beside.parts !== listed.length) {
    cells.refuse('installments', `is not that of the schedule, ${listed.length}`);
  }
  const first = dates[0];
  if (first === undefined) return;
  if (beside.firstDueDate !== undefined && beside.firstDueDate !== first) {
    cells.refuse('first_due_date', `is not that of the schedule, ${first}`);
  }
  if (beside.frequency !== undefined && !sameDates(dates, first, beside.frequency)) {
    cells.refuse('frequency', 'does not agree with the dates of the schedule; leave it empty');
  }
}

function sameDates(dates: readonly LocalDate[], first: LocalDate, frequency: Frequency): boolean {
  if (frequency === 'once') return dates.length === 1;
  try {
    return dueDates(first, frequency, dates.length).every((date, index) => date === dates[index]);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
