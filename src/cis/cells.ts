import { isLocalDate, localTimeMs, type EpochMs } from '../rules/calendar';
import { parseMoney, type Cents } from '../rules/money';
import type { Problem } from '../platform/errors';
import type { CsvRow } from './read-csv';

/** How each column is called in a sentence. */
const NOUNS: Readonly<Record<string, string>> = {
  account_id: 'the account',
  actor: 'the actor',
  amount: 'the amount',
  cancelled_at: 'the date and time of the cancel',
  customer_id: 'the customer id',
  debt_class: 'the debt class',
  debt_classes: 'a debt class',
  enrollment_id: 'the enrollment id',
  first_due_date: 'the first due date',
  frequency: 'the frequency',
  installments: 'the number of installments',
  note: 'the note',
  payment_id: 'the payment id',
  posted_at: 'the date and time of the posting',
  premise_id: 'the premise id',
  reason: 'the reason',
  received_at: 'the date received',
  record_type: 'the record_type',
  schedule: 'the schedule',
  start_date: 'the start date',
  tender: 'the tender',
  total_amount: 'the total amount',
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

  /** An amount of more than zero in the tenant's currency; undefined when it is empty or wrong. */
  money(column: string): Cents | undefined {
    const text = this.optional(column);
    if (text === undefined) return undefined;
    const amount = parseMoney(text, this.#tenant.currency);
    if (typeof amount !== 'string' && amount > 0) return amount;
    this.refuse(column, typeof amount === 'string' ? amount : 'must be more than zero');
    return undefined;
  }

  /** A date; undefined when it is empty or wrong. */
  date(column: string): string | undefined {
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

  refuse(column: string, message: string): void {
    this.problems.push(this.#problem(column, message));
  }

  /** Adds what a use case found, unless the column has a problem already. */
  refuseAll(problems: readonly Problem[], columnOf: (field: string) => string): void {
    for (const { field, message } of problems) {
      const column = columnOf(field);
      if (!this.problems.some((problem) => problem.field === column)) this.refuse(column, message);
    }
  }

  #problem(column: string, message: string): Problem {
    const noun = NOUNS[column];
    return {
      field: column,
      value: this.text(column),
      message: noun === undefined ? message : `${noun} ${message}`,
    };
  }
}
