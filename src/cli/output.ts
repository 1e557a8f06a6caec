import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import { bold, cut, inLines, terminalWidth } from './text';

let closed = false;

/** Lets `troth … | head` end quietly: what cannot be written any more is not written. */
export function endQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      closed = true;
    });
  }
}

/** Whether nobody reads any more. */
export function isOutputClosed(): boolean {
  return closed;
}

/** Writes one line of a command's answer. */
export function print(line = ''): void {
  if (!closed) process.stdout.write(`${line}\n`);
}

/** A value as JSON on a line of its own. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Amounts stand under one another to the right, where nothing else is in their column. */
const AMOUNT = /^(?:-?(?:[$€£]|[A-Z]{3} )[\d,.]+(?: of .*)?)?$/;

/** A table without inner lines, as wide as its contents. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isAmount = (column: number): boolean =>
    rows.length > 0 && rows.every((row) => AMOUNT.test(stripVTControlCharacters(row[column] ?? '')));
  const table = new Table({
    head: head.map((name) => bold(name)),
    colAligns: head.map((_, column) => (isAmount(column) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: BORDERLESS,
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const GAP = 2;
const LEAST_LAST_COLUMN = 12;

/** As `plainTable`, with the last column cut to what the terminal has left for it. */
export function fittedTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  indent = 0,
): string {
  const left = lastColumnWidth(head, rows, indent);
  const fitted = (cell: string): string =>
    lengthOf(cell) > left ? cut(stripVTControlCharacters(cell), left) : cell;
  return plainTable(
    head,
    rows.map((row) => row.map((cell, column) => (column === head.length - 1 ? fitted(cell) : cell))),
  );
}

/** As `fittedTable`, with the last column in as many lines as it needs. */
export function wrappedTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const left = lastColumnWidth(head, rows, 0);
  return plainTable(
    head,
    rows.flatMap((row) => {
      const [first = '', ...rest] = inLines(row.at(-1) ?? '', left);
      const empty = row.slice(0, -1).map(() => '');
      return [[...row.slice(0, -1), first], ...rest.map((line) => [...empty, line])];
    }),
  );
}

function lengthOf(text: string | undefined): number {
  return stripVTControlCharacters(text ?? '').length;
}

function lastColumnWidth(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  indent: number,
): number {
  const used = head
    .slice(0, -1)
    .map((name, column) => Math.max(lengthOf(name), ...rows.map((row) => lengthOf(row[column]))) + GAP)
    .reduce((total, width) => total + width, indent);
  return Math.max(LEAST_LAST_COLUMN, terminalWidth() - used);
}

const BORDERLESS = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((part) => [part, '']),
);
