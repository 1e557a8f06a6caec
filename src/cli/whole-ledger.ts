import { stripVTControlCharacters } from 'node:util';
import type { Command } from 'commander';
import { getTenant, listTenants, type Tenant } from '../ledger/tenants';
import { withLedger, type Context } from './context';
import { plainTable } from './output';

/** What a command that goes over a whole ledger is given. */
export interface LedgerContext extends Context {
  /** Those that are meant, by id. */
  readonly tenants: readonly Tenant[];
}

/** The options of every command that goes over all tenants, or one. */
export function forWholeLedger(command: Command): Command {
  return command
    .option('--tenant <id>', 'only this tenant (default: TROTH_TENANT, else all)')
    .option('--json', 'answer as JSON lines, for machines');
}

/**
 * Runs `work` with the ledger and all its tenants, or the one that is named.
 * @throws TrothError NOT_FOUND for a tenant that there is not.
 */
export async function withTenants<T>(
  options: { readonly tenant?: string },
  work: (context: LedgerContext) => Promise<T>,
): Promise<T> {
  return withLedger(async (context) => {
    const { ledger } = context;
    const named = options.tenant ?? (process.env['TROTH_TENANT'] || undefined);
    const tenants =
      named === undefined
        ? await ledger.forSystem(listTenants)
        : [await ledger.forTenant(named, (tx) => getTenant(tx, named))];
    return work({ ...context, tenants });
  });
}

/** Shows on a terminal how far a pass is; nowhere else. */
export interface Counter {
  show(text: string): void;
  stop(): void;
}

const REFRESH_MS = 200;

/** A line on stderr that is written over and over, and gone in the end. */
export function createCounter(): Counter {
  if (!process.stderr.isTTY) return { show: () => undefined, stop: () => undefined };
  let shownAt = 0;
  return {
    show(text) {
      if (Date.now() - shownAt < REFRESH_MS) return;
      shownAt = Date.now();
      process.stderr.write(`\r\u001b[K${text}`);
    },
    stop() {
      process.stderr.write('\r\u001b[K');
    },
  };
}

/** `1 promise`, `12,345 promises` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${withCommas(count)} ${count === 1 ? one : many}`;
}

/** `12,345` */
export function withCommas(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** As `plainTable`, with numbers that end below one another in some columns. */
export function numbersTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: readonly number[],
): string {
  const width = (text: string): number => stripVTControlCharacters(text).length;
  const widths = head.map((name, column) =>
    Math.max(width(name), ...rows.map((row) => width(row[column] ?? ''))),
  );
  const aligned = (row: readonly string[]): string[] =>
    row.map((cell, column) =>
      columns.includes(column)
        ? `${' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell)))}${cell}`
        : cell,
    );
  return plainTable(aligned(head), rows.map(aligned));
}
