import { enroll } from '../enrollment/enroll';
import { enrollmentSchema, problemsOf } from '../enrollment/enrollment';
import type { LocalDate } from '../rules/calendar';
import { formatMoney, sum } from '../rules/money';
import {
  dueDates,
  FREQUENCY_HINT,
  MAX_INSTALLMENTS,
  MAX_PERIODS,
  parseFrequency,
  type Frequency,
  type ScheduledPart,
} from '../rules/schedules/schedule';
import type { Tenant } from '../ledger/tenants';
import type { Cells } from './cells';
import { loaderOf } from './file-kind';
import { parseSchedule } from './schedule-text';

/** The columns that say how much is paid when: one of them on each row. */
const SHAPES = ['total_amount', 'schedule', 'repeat_amount'] as const;

const COLUMN_OF: Readonly<Record<string, string>> = {
  promiseId: 'enrollment_id',
  accountId: 'account_id',
  debtClass: 'debt_class',
  startDate: 'start_date',
  payMethod: 'pay_method',
  frequency: 'frequency',
  parts: 'installments',
  installments: 'installments',
  firstDueDate: 'first_due_date',
  dueDate: 'first_due_date',
  downPaymentCents: 'down_payment',
  downPaymentDate: 'down_payment_date',
  'repeat.amountCents': 'repeat_amount',
  'repeat.frequency': 'frequency',
  'repeat.firstDueDate': 'first_due_date',
  'repeat.count': 'installments',
  'repeat.untilDate': 'repeat_until',
};

/** Enrolls the promises of a file. The enrollment id becomes the promise's id, so that a file may be sent again. */
export const loadEnrollments = loaderOf({
  columns: {
    required: ['enrollment_id', 'account_id', 'debt_class'],
    oneOf: SHAPES,
    optional: [
      ...['start_date', 'frequency', 'installments', 'first_due_date', 'down_payment', 'down_payment_date'],
      ...['repeat_until', 'auto_manage', 'policy', 'pay_method', 'payor', 'note'],
    ],
  },
  keys: ['account_id', 'enrollment_id'],
  columnOf,
  read(cells, tenant) {
    const input = enrollmentOf(cells, tenant);
    const checked = enrollmentSchema.safeParse(input);
    if (!checked.success) {
      cells.refuseAll(problemsOf(checked.error, input), (field) => columnOf(field, cells));
    }
    return async (ledger, actor) => {
      const answer = await enroll(ledger, input, { actor });
      if (answer.result === 'refused') return answer.problems;
      return answer.result === 'enrolled' ? 'taken' : 'known';
    };
  },
});

const OF_SCHEDULE = /^(schedule|dueDate|firstDueDate|frequency|parts|installments\b.*|transactionId)$/;

/** A row with a schedule has the schedule to blame for its dates and amounts. */
function columnOf(field: string, cells: Cells): string {
  const shape = SHAPES.find((column) => cells.optional(column) !== undefined) ?? 'total_amount';
  if (field === 'totalCents' || field === 'amountCents') return shape;
  if (shape === 'schedule' && OF_SCHEDULE.test(field)) return shape;
  return COLUMN_OF[field] ?? (OF_SCHEDULE.test(field) ? 'first_due_date' : field);
}

/** The row as the use case wants it; what is wrong with a cell is gathered in `cells`. */
function enrollmentOf(cells: Cells, tenant: Tenant): Record<string, unknown> {
  return {
    tenantId: tenant.tenantId,
    promiseId: cells.needed('enrollment_id'),
    accountId: cells.needed('account_id'),
    debtClass: cells.needed('debt_class'),
    startDate: cells.date('start_date'),
    policy: cells.optional('policy'),
    payMethod: cells.short('pay_method', 40),
    payor: cells.short('payor', 64),
    note: cells.short('note', 1000),
    ...shapeOf(cells, tenant.currency),
  };
}

function shapeOf(cells: Cells, currency: string): Record<string, unknown> {
  const repeats = cells.optional('repeat_amount') !== undefined;
  const totalCents = cells.money('total_amount');
  const parts = cells.count('installments', repeats ? MAX_PERIODS : MAX_INSTALLMENTS);
  const frequency = frequencyOf(cells);
  const firstDueDate = cells.date('first_due_date');
  const downPaymentCents = cells.money('down_payment');
  const downPaymentDate = cells.date('down_payment_date');
  if (repeats) return { repeat: repeatOf(cells, frequency, parts, firstDueDate) };
  for (const column of ['repeat_until', 'auto_manage']) {
    if (cells.optional(column) !== undefined) cells.refuse(column, 'needs a repeat_amount beside it');
  }
  if (cells.optional('schedule') === undefined) {
    if (totalCents !== undefined && parts !== undefined && totalCents < parts) {
      cells.refuse('total_amount', `is too small for ${parts} installments`);
    }
    const down = { downPaymentCents, downPaymentDate };
    return { totalCents, frequency: cells.optional('frequency'), parts, firstDueDate, ...down };
  }
  for (const column of ['down_payment', 'down_payment_date']) {
    if (cells.optional(column) === undefined) continue;
    cells.refuse(column, 'stands beside a schedule; the first part of the schedule is the down payment');
  }
  const installments = parseSchedule(cells.text('schedule'), currency);
  if (typeof installments === 'string') {
    cells.refuse('schedule', installments);
    return {};
  }
  agree(cells, installments, currency, { totalCents, parts, frequency, firstDueDate });
  return { installments };
}

/** R22: `installments` counts the periods; without it and without `repeat_until` there is always a next one. */
function repeatOf(
  cells: Cells,
  frequency: Frequency | undefined,
  count: number | undefined,
  firstDueDate: LocalDate | undefined,
): Record<string, unknown> {
  for (const column of ['total_amount', 'schedule', 'down_payment', 'down_payment_date']) {
    if (cells.optional(column) !== undefined)
      cells.refuse(column, 'stands beside a repeat_amount; leave it empty');
  }
  if (frequency === undefined) cells.needed('frequency');
  if (firstDueDate === undefined) cells.needed('first_due_date');
  return {
    amountCents: cells.money('repeat_amount'),
    frequency: cells.text('frequency'),
    firstDueDate,
    count,
    untilDate: cells.date('repeat_until'),
    autoManaged: cells.yesOrNo('auto_manage'),
  };
}

function frequencyOf(cells: Cells): Frequency | undefined {
  const text = cells.optional('frequency');
  if (text === undefined) return undefined;
  const frequency = parseFrequency(text);
  if (frequency === undefined) cells.refuse('frequency', FREQUENCY_HINT);
  return frequency;
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
