import type { ZodType } from 'zod';
import { isLocalDate, localTimeMs, type EpochMs, type LocalDate } from '../rules/calendar';
import { parseMoney, type Cents } from '../rules/money';
import type { Problem } from '../platform/errors';
import type { CsvRow } from './read-csv';

/** How each column is called in a sentence. */
const NOUNS: Readonly<Record<string, string>> = {
  account_id: 'the account',
  actor: 'the actor',
  aged: 'the aged debt',
  amount: 'the amount',
  applied: 'what it was applied to',
  arrears: 'the amount in arrears',
  as_of: 'the date and time of the statement',
  auto_manage: 'auto_manage',
  cancelled_at: 'the date and time of the cancel',
  customer_id: 'the customer id',
  debt_class: 'the debt class',
  debt_classes: 'a debt class',
  down_payment: 'the down payment',
  down_payment_date: 'the date of the down payment',
  due_date: 'the due date',
  enrollment_id: 'the enrollment id',
  first_due_date: 'the first due date',
  frequency: 'the frequency',
  installments: 'the number of installments',
  issued_date: 'the date of issue',
  note: 'the note',
  oldest_due_date: 'the oldest due date',
  open_amount: 'the open amount',
  pay_method: 'the pay method',
  payment_id: 'the payment id',
  payor: 'the payor',
  policy: 'the policy',
  posted_at: 'the date and time of the posting',
  premise_id: 'the premise id',
  reason: 'the reason',
  received_at: 'the date received',
  record_type: 'the record_type',
  repeat_amount: 'the repeating amount',
  repeat_until: 'the last date',
  schedule: 'the schedule',
  start_date: 'the start date',
  tender: 'the tender',
  total_amount: 'the total amount',
  transaction_id: 'the transaction id',
};

/** Fields of which one cell can hold many: how each is called, with the value at fault. */
const PARTS: Readonly<Record<string, (value: string) => string>> = {
  amountCents: (value) => `an installment of ${value}`,
  dueDate: (value) => `the due date ${value}`,
  installments: () => 'the installments',
  // What is impossible about a schedule is said in a whole sentence.
  schedule: () => '',
  transactionId: (value) => `"${value}"`,
};

/** Reads the cells of one row and gathers everything that is wrong with them. */
export class Cells {
  readonly problems: Problem[] = [];
  readonly #cells: CsvRow['cells'];
  readonly #tenant: { readonly timeZone: string; readonly currency: string };

  constructor(cells: CsvRow['cells'], tenant: { readonly timeZone: string; readonly currency: string }) {
    this.#cells = cells;
    this.#tenant = tenant;
  }

  /** A cell's text; '' when it is empty or the file has no such column. */
  text(column: string): string {
    return this.#cells[column] ?? '';
  }

  /** A cell's text, or undefined when it is empty. */
  optional(column: string): string | undefined {
    return this.text(column) === '' ? undefined : this.text(column);
  }

  /** A cell that must hold something. */
  needed(column: string): string {
    if (this.text(column) === '') this.refuse(column, 'is missing');
    return this.text(column);
  }

  /** A cell's text, that must be as a schema wants it. */
  checked(column: string, schema: ZodType<string>): string {
    const found = schema.safeParse(this.text(column));
    if (!found.success) this.refuse(column, found.error.issues[0]?.message ?? 'is wrong');
    return this.text(column);
  }

  /** A text of limited length, or undefined when it is empty. */
  short(column: string, most: number): string | undefined {
    const text = this.optional(column);
    if (text !== undefined && text.length > most) this.refuse(column, `is longer than ${most} characters`);
    return text;
  }

  /** An amount in the tenant's currency of at least `least` cents; undefined when it is empty or wrong. */
  money(column: string, least: 0 | 1 = 1): Cents | undefined {
    const text = this.optional(column);
    if (text === undefined) return undefined;
    const amount = parseMoney(text, this.#tenant.currency);
    if (typeof amount !== 'string' && amount >= least) return amount;
    this.refuse(column, typeof amount === 'string' ? amount : 'must be more than zero');
    return undefined;
  }

  /** A date; undefined when it is empty or wrong. */
  date(column: string): LocalDate | undefined {
    const text = this.optional(column);
    if (text === undefined || isLocalDate(text)) return text;
    this.refuse(column, 'is not a date; write YYYY-MM-DD');
    return undefined;
  }

  /** A local time of the tenant, of which a bare date is noon; undefined when it is empty or wrong. */
  time(column: string): EpochMs | undefined {
    const text = this.optional(column);
    if (text === undefined) return undefined;
    const time = localTimeMs(text, this.#tenant.timeZone);
    if (time === undefined) this.refuse(column, 'is not a date and time; write YYYY-MM-DD HH:MM');
    return time;
  }

  /** A whole number within limits; undefined when it is empty or wrong. */
  count(column: string, most: number): number | undefined {
    const text = this.optional(column);
    if (text === undefined) return undefined;
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    this.refuse(column, `must be a whole number from 1 to ${most}`);
    return undefined;
  }

  /** `yes` or `no`; undefined when it is empty or wrong. */
  yesOrNo(column: string): boolean | undefined {
    const text = this.optional(column)?.toLowerCase();
    if (text === undefined || text === 'yes' || text === 'no')
      return text === undefined ? text : text === 'yes';
    this.refuse(column, 'must be yes or no');
    return undefined;
  }

  refuse(column: string, message: string): void {
    const noun = NOUNS[column];
    this.#add(column, noun === undefined ? message : `${noun} ${message}`);
  }

  /** Adds what a use case found, unless the column has a problem already. */
  refuseAll(problems: readonly Problem[], columnOf: (field: string) => string): void {
    for (const { field, value, message } of problems) {
      const column = columnOf(field);
      if (this.problems.some((problem) => problem.field === column)) continue;
      const part = PARTS[field]?.(value);
      if (part === undefined) this.refuse(column, message);
      else this.#add(column, `${part} ${message}`.trimStart());
    }
  }

  #add(column: string, message: string): void {
    this.problems.push({ field: column, value: this.text(column), message });
  }
}
