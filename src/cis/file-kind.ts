import type { Ledger } from '../ledger/connection';
import { getTenant, type Tenant } from '../ledger/tenants';
import { TrothError, type Problem } from '../platform/errors';
import { Cells } from './cells';
import { loadRows, type LoadOptions, type LoadResult, type RowAnswer } from './load';
import type { Columns, CsvRow } from './read-csv';

/** One kind of file that a CIS sends: its columns, and what becomes of a row. */
export interface FileKind {
  readonly columns: Columns;
  /** Rows that agree in one of these columns are taken one after the other, in the order of the file. */
  readonly keys: readonly string[];
  /** The column to blame for what a use case says of a field. */
  columnOf(field: string, cells: Cells): string;
  /**
   * Reads a row; what is wrong with its cells is gathered in `cells`.
   * @returns what to do with it; undefined when too little could be read.
   */
  read(cells: Cells, tenant: Tenant): Taking | undefined;
}

/** Takes one row. Problems name fields of the use case, as those of a TrothError do. */
export type Taking = (ledger: Ledger, actor: string) => Promise<'taken' | 'known' | readonly Problem[]>;

export type Load = (
  ledger: Ledger,
  tenantId: string,
  file: string,
  options: LoadOptions,
) => Promise<LoadResult>;

/**
 * The loader of a kind of file.
 * @throws TrothError NOT_FOUND (tenant, file), UNAVAILABLE.
 */
export function loaderOf(kind: FileKind): Load {
  return async (ledger, tenantId, file, options) => {
    const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
    const work = {
      columns: kind.columns,
      keysOf: (cells: CsvRow['cells']) => kind.keys.map((column) => `${column} ${cells[column] ?? ''}`),
      take: (cells: CsvRow['cells']) => take(kind, new Cells(cells, tenant), { ledger, tenant, ...options }),
    };
    return loadRows(file, work, options);
  };
}

async function take(
  kind: FileKind,
  cells: Cells,
  { ledger, tenant, actor }: { readonly ledger: Ledger; readonly tenant: Tenant; readonly actor: string },
): Promise<RowAnswer> {
  const taking = kind.read(cells, tenant);
  if (taking !== undefined && cells.problems.length === 0) {
    const answer = await taking(ledger, actor).catch(problemsOfRow);
    if (typeof answer === 'string') return { result: answer };
    cells.refuseAll(answer, (field) => kind.columnOf(field, cells));
  }
  return { result: 'rejected', problems: cells.problems };
}

function problemsOfRow(error: unknown): readonly Problem[] {
  if (error instanceof TrothError && error.problems.length > 0) return error.problems;
  throw error;
}

/** A `columnOf` by a table; a field that is not in it is its own column. */
export function byTable(columns: Readonly<Record<string, string>>): FileKind['columnOf'] {
  return (field) => columns[field] ?? field;
}
