/** Reads `examples/` into oracle stories, with a schedule arithmetic of its own (R2, R3), independent of the generator's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { instantOf, plusDays } from './local-time';
import type { OraclePayment, OracleStory } from './oracle';

export const EXAMPLES_ZONE = 'America/New_York';
export const EXAMPLES_END = '2026-06-30 18:00';

type Row = Record<string, string>;

export interface ExampleStory {
  id: string;
  story: OracleStory;
  /** the row of expected.csv */
  expected: Row;
}

/** The rows of a CSV file, by column name. */
export function readRows(directory: string, name: string): Row[] {
  return parse(readFileSync(join(directory, name)), { columns: true, bom: true });
}

/** `1234.50` as cents. */
export function cents(amount: string): number {
  const match = /^(\d+)\.(\d\d)$/.exec(amount);
  if (match === null) throw new Error(`not an amount: ${amount}`);
  return Number(`${match[1]}${match[2]}`);
}

/** Every enrollment of the example files with its money, its cancel and what must become of it. */
export function exampleStories(directory: string): ExampleStory[] {
  const money = readRows(directory, 'payments.csv');
  const cancels = new Map(readRows(directory, 'cancellations.csv').map((row) => [row['enrollment_id'], row]));
  const expected = new Map(readRows(directory, 'expected.csv').map((row) => [row['enrollment_id'], row]));
  return readRows(directory, 'enrollments.csv').map((row) => {
    const id = row['enrollment_id'] ?? '';
    const mine = money.filter(
      (each) => each['account_id'] === row['account_id'] && each['debt_class'] === row['debt_class'],
    );
    const story: OracleStory = {
      timeZone: EXAMPLES_ZONE,
      graceDays: 3,
      postingLagHours: 12,
      lateEvidence: 'rejudge',
      reversalAfterKept: 'reopen',
      reversalGraceDays: 0,
      toleranceCents: 0,
      startDate: row['start_date'] ?? '',
      installments: scheduleOf(row),
      payments: paymentsOf(mine),
    };
    const cancel = cancels.get(id);
    if (cancel !== undefined) {
      story.cancelAtMs = instantOf(EXAMPLES_ZONE, cancel['cancelled_at'] ?? '');
      story.cancelReason = cancel['reason'] ?? '';
    }
    return { id, story, expected: expected.get(id) ?? {} };
  });
}

function paymentsOf(rows: Row[]): OraclePayment[] {
  const at = (row: Row, column: string): number => instantOf(EXAMPLES_ZONE, row[column] ?? '');
  return rows
    .filter((row) => row['record_type'] === 'payment')
    .map((row) => {
      const payment: OraclePayment = {
        id: row['payment_id'] ?? '',
        amountCents: cents(row['amount'] ?? ''),
        receivedAtMs: at(row, 'received_at'),
        postedAtMs: at(row, 'posted_at'),
      };
      const reversal = rows.find((r) => r['record_type'] === 'reversal' && r['payment_id'] === payment.id);
      if (reversal !== undefined) {
        payment.reversal = {
          effectiveAtMs: at(reversal, 'received_at'),
          postedAtMs: at(reversal, 'posted_at'),
        };
      }
      return payment;
    });
}

function scheduleOf(row: Row): OracleStory['installments'] {
  const spelledOut = row['schedule'] ?? '';
  if (spelledOut !== '') {
    return spelledOut.split(';').map((part) => {
      const [dueDate = '', amount = ''] = part.split('=');
      return { dueDate, amountCents: cents(amount) };
    });
  }
  const total = cents(row['total_amount'] ?? '');
  const count = Number(row['installments']);
  const first = row['first_due_date'] ?? '';
  const each = Math.floor(total / count);
  return dueDates(first, row['frequency'] ?? '', count).map((dueDate, i) => ({
    dueDate,
    amountCents: i === count - 1 ? total - each * (count - 1) : each,
  }));
}

function dueDates(first: string, frequency: string, count: number): string[] {
  const dates = [first];
  for (let day = first; dates.length < count;) {
    day = plusDays(day, 1);
    if (isDue(day, first, frequency)) dates.push(day);
  }
  return dates;
}

/** R3, day by day: is `day` one of the days of a schedule that began on `first`? */
function isDue(day: string, first: string, frequency: string): boolean {
  const daysSince = (Date.parse(day) - Date.parse(first)) / 86_400_000;
  const isLastOfMonth = plusDays(day, 1).endsWith('-01');
  const [dayOfMonth, anchor] = [day.slice(8), first.slice(8)];
  switch (frequency) {
    case 'weekly':
      return daysSince % 7 === 0;
    case 'two-weeks':
      return daysSince % 14 === 0;
    case 'half-month':
      return dayOfMonth === '01' || dayOfMonth === '15';
    case 'monthly':
      return dayOfMonth === anchor || (isLastOfMonth && dayOfMonth < anchor);
    default:
      throw new Error(`not a frequency with more than one date: ${frequency}`);
  }
}
