import { existsSync } from 'node:fs';
import type { MassInput } from '../enrollment/mass';
import { MOST_ITEMS } from '../enrollment/mass';
import { TrothError, type Problem } from '../platform/errors';
import { parseMoney, type Cents } from '../rules/money';
import { Cells } from './cells';
import { openCsv, STDIN, type Columns } from './read-csv';

type Items = NonNullable<MassInput['transactions']>;

const ITEM_COLUMNS: Columns = {
  required: ['transaction_id'],
  optional: ['account_id', 'amount', 'open_amount'],
};
const CUSTOMER_COLUMNS: Columns = { required: ['customer_id'], optional: [] };

/** Whether a word of the command line names a file, and not an id: ids have no path and no ending of a table. */
function isFile(word: string): boolean {
  return word === STDIN || /[/\\]|\.(csv|txt)$/i.test(word) || existsSync(word);
}

/**
 * Open items as the command line names them: a CSV file with transaction_id (and account_id, open_amount or amount),
 * or ids such as `INV-1`, `INV-1=120.00`, `0010040905/INV-1`.
 * @throws TrothError NOT_FOUND (file), INPUT_INVALID with every wrong line or word.
 */
export async function selectedItems(words: readonly string[], currency: string): Promise<Items> {
  const [file] = words;
  if (words.length === 1 && file !== undefined && isFile(file)) {
    return readRows(file, ITEM_COLUMNS, currency, (cells) => {
      const amountCents =
        cells.optional('open_amount') === undefined ? cells.money('amount') : cells.money('open_amount', 0);
      return item(cells.needed('transaction_id'), cells.optional('account_id'), amountCents);
    });
  }
  const problems: Problem[] = [];
  const items = words.map((word) => {
    const [, accountId, id = '', amount] = /^(?:([^/=]*)\/)?([^/=]*)(?:=(.*))?$/.exec(word) ?? [];
    const amountCents = amount === undefined ? undefined : parseMoney(amount, currency);
    if (typeof amountCents !== 'string') return item(id, accountId, amountCents);
    problems.push({ field: '--transactions', value: word, message: `holds an amount that ${amountCents}` });
    return item(id, accountId, undefined);
  });
  if (problems.length > 0) throw unreadable(problems);
  return items;
}

function item(
  transactionId: string,
  accountId: string | undefined,
  amountCents: Cents | undefined,
): Items[number] {
  return {
    transactionId,
    ...(accountId === undefined ? {} : { accountId }),
    ...(amountCents === undefined ? {} : { amountCents }),
  };
}

/**
 * Customers as the command line names them: a CSV file with customer_id, or ids.
 * @throws TrothError NOT_FOUND (file), INPUT_INVALID with every wrong line.
 */
export async function selectedCustomers(words: readonly string[], currency: string): Promise<string[]> {
  const [file] = words;
  if (words.length !== 1 || file === undefined || !isFile(file)) return [...words];
  return readRows(file, CUSTOMER_COLUMNS, currency, (cells) => cells.needed('customer_id'));
}

/** Unlike the files that a CIS sends, a selection is taken as a whole: with a wrong line nothing is selected. */
async function readRows<T>(
  path: string,
  columns: Columns,
  currency: string,
  read: (cells: Cells) => T,
): Promise<T[]> {
  const file = await openCsv(path, columns);
  const found: T[] = [];
  const problems: Problem[] = [];
  const wrong = (line: number, value: string, message: string): void =>
    void problems.push({ field: `line ${line}`, value, message });
  try {
    for await (const { line, cells: raw, fault } of file.rows) {
      if (fault !== undefined) {
        wrong(line, '', fault);
        continue;
      }
      const cells = new Cells(raw, { currency, timeZone: 'UTC' });
      found.push(read(cells));
      for (const { value, message } of cells.problems) wrong(line, value, message);
      if (found.length > MOST_ITEMS) throw unreadable([tooLong(line)]);
    }
    if (file.fault !== undefined) wrong(file.fault.line, '', file.fault.message);
  } finally {
    await file.close();
  }
  if (problems.length > 0) throw unreadable(problems);
  return found;
}

function tooLong(line: number): Problem {
  return {
    field: `line ${line}`,
    value: '',
    message: `is one more than ${MOST_ITEMS} rows; send fewer at once`,
  };
}

function unreadable(problems: readonly Problem[]): TrothError {
  return new TrothError('INPUT_INVALID', 'Nothing was promised: the selection is wrong', { problems });
}
