import { errorCodeOf, isAway, isLostRace, reasonOf } from '../ledger/database-errors';
import { ERRORS, TrothError, type Problem } from '../platform/errors';
import { InOrder } from './in-order';
import { openCsv, type Columns, type CsvFile, type CsvRow } from './read-csv';

/** A row, or a file, that was not taken, and why. */
export interface Reject {
  readonly line: number;
  readonly column: string;
  readonly value: string;
  readonly message: string;
  /** The row as it stands in the file; '' when the file itself is at fault. */
  readonly row: string;
}

/** What became of the rows of a file. */
export interface Counts {
  /** Rows read. */
  readonly rows: number;
  readonly taken: number;
  /** The very same had been taken before. */
  readonly alreadyKnown: number;
  readonly rejected: number;
  /** Rows outside the slice that was asked for. */
  readonly skipped: number;
}

export interface LoadResult extends Counts {
  readonly file: string;
  /** The first of the rejects, in the order of the file; `onReject` hears of all. */
  readonly rejects: readonly Reject[];
  readonly warnings: readonly string[];
  /** Whether the file was read to its end. */
  readonly complete: boolean;
  /** The line after which `signal` ended the load. */
  readonly stoppedAfterLine: number | undefined;
  readonly elapsedMs: number;
}

export interface LoadOptions {
  /** Who loads, for the audit trail. */
  readonly actor: string;
  /** Rows worked on at once; each takes a connection. */
  readonly concurrency?: number;
  readonly onReject?: (reject: Reject) => void;
  readonly onProgress?: (counts: Counts, bytes: CsvFile['bytes']) => void;
  /** Ends the load at a row boundary. */
  readonly signal?: AbortSignal;
  /** Takes only some rows, by their cells; the others are counted as skipped. */
  readonly only?: (cells: CsvRow['cells']) => boolean;
}

/** What one row came to. */
export type RowAnswer =
  | { readonly result: 'taken' | 'known' | 'skipped' }
  | { readonly result: 'rejected'; readonly problems: readonly Problem[] };

/** How one kind of file is taken, row by row. */
export interface RowWork {
  readonly columns: Columns;
  /** Rows that share a key are taken one after the other, in the order of the file. */
  keysOf(cells: CsvRow['cells']): readonly string[];
  /** Problems name columns of the file. */
  take(cells: CsvRow['cells'], line: number): Promise<RowAnswer>;
}

export const DEFAULT_CONCURRENCY = 8;
/** Rows that may wait for their turn; bounds memory whatever the size of the file. */
const WINDOW = 512;
const MAX_REJECTS_KEPT = 1_000;
const MAX_VALUE = 500;
const MAX_ROW = 4_000;

/**
 * Takes a file row by row: bad rows are reported and the good ones go on. Rows are independent transactions, so a load
 * that was cut anywhere can be sent again and takes only what is missing.
 * @throws TrothError NOT_FOUND (no such file), UNAVAILABLE (ledger or file away; says how far it came).
 */
export async function loadRows(path: string, work: RowWork, options: LoadOptions): Promise<LoadResult> {
  const startedAt = Date.now();
  const file = await openCsv(path, work.columns);
  try {
    const tally = new Tally(file, options);
    await takeAll(file, work, options, tally);
    if (file.fault !== undefined && tally.stoppedAfterLine === undefined) tally.rejectFile(file.fault);
    return tally.result(startedAt);
  } finally {
    await file.close();
  }
}

interface Pending {
  readonly row: CsvRow;
  readonly answer: Promise<RowAnswer>;
}

async function takeAll(file: CsvFile, work: RowWork, options: LoadOptions, tally: Tally): Promise<void> {
  const turns = new InOrder(options.concurrency ?? DEFAULT_CONCURRENCY);
  const pending: Pending[] = [];
  let failed = false;
  const start = (row: CsvRow): Promise<RowAnswer> => {
    if (row.fault !== undefined) return Promise.resolve(rejected('', '', row.fault));
    if (options.only !== undefined && !options.only(row.cells)) return Promise.resolve({ result: 'skipped' });
    return turns.run(work.keysOf(row.cells), async () => {
      if (failed) throw new NotTried();
      try {
        return await take(work, row);
      } catch (error) {
        failed = true;
        throw error;
      }
    });
  };
  try {
    for await (const row of file.rows) {
      if (options.signal?.aborted === true) {
        tally.stop();
        break;
      }
      const answer = start(row);
      answer.catch(() => undefined); // heard below, in the order of the file
      pending.push({ row, answer });
      if (pending.length >= WINDOW) await settleFirst(pending, tally);
    }
    while (pending.length > 0) await settleFirst(pending, tally);
  } catch (error) {
    throw await broken(error, file, pending, tally);
  }
}

class NotTried extends Error {}

async function settleFirst(pending: Pending[], tally: Tally): Promise<void> {
  const [first] = pending;
  if (first === undefined) return;
  const answer = await first.answer;
  pending.shift();
  tally.add(first.row, answer);
}

/** Waits for what is under way, so that what was done is told truly. */
async function broken(error: unknown, file: CsvFile, pending: Pending[], tally: Tally): Promise<TrothError> {
  let cause = error;
  for (const { row, answer } of pending) {
    try {
      tally.add(row, await answer);
    } catch (late) {
      if (cause instanceof NotTried) cause = late;
    }
  }
  const line = pending[0]?.row.line;
  const { taken, alreadyKnown, rejected: bad } = tally;
  const where = line === undefined ? '' : ` at line ${line}`;
  return new TrothError(
    isAway(cause) ? 'UNAVAILABLE' : cause instanceof TrothError ? cause.code : 'INVARIANT',
    `Loading ${file.name} stopped${where}: ${reasonOf(cause)}. ` +
      `Until then ${taken} rows were taken, ${alreadyKnown} were known already and ${bad} were rejected; ` +
      'nothing is lost or doubled: send the same file again when the cause is gone',
    { cause },
  );
}

const MOST_TRIES = 5;

async function take(work: RowWork, row: CsvRow): Promise<RowAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work.take(row.cells, row.line);
    } catch (error) {
      if (isLostRace(error) && attempt < MOST_TRIES) continue;
      if (error instanceof TrothError && isAboutTheRow(error)) return answerOf(error);
      if (/^2[23]/.test(errorCodeOf(error)))
        return rejected('', '', `the ledger refuses the row: ${reasonOf(error)}`);
      throw error;
    }
  }
}

function isAboutTheRow(error: TrothError): boolean {
  const { status } = ERRORS[error.code];
  return status >= 400 && status < 500;
}

function answerOf(error: TrothError): RowAnswer {
  if (error.problems.length > 0) return { result: 'rejected', problems: error.problems };
  return rejected('', '', error.message);
}

/** A row that is rejected for one thing. */
export function rejected(field: string, value: string, message: string): RowAnswer {
  return { result: 'rejected', problems: [{ field, value, message }] };
}

class Tally {
  rows = 0;
  taken = 0;
  alreadyKnown = 0;
  rejected = 0;
  skipped = 0;
  stoppedAfterLine: number | undefined;
  readonly #rejects: Reject[] = [];
  #lastLine = 1;
  #stopping = false;
  readonly #file: CsvFile;
  readonly #options: LoadOptions;

  constructor(file: CsvFile, options: LoadOptions) {
    this.#file = file;
    this.#options = options;
  }

  add(row: CsvRow, answer: RowAnswer): void {
    this.rows += 1;
    this.#lastLine = row.line;
    if (this.#stopping) this.stoppedAfterLine = row.line;
    switch (answer.result) {
      case 'taken':
        this.taken += 1;
        break;
      case 'known':
        this.alreadyKnown += 1;
        break;
      case 'skipped':
        this.skipped += 1;
        break;
      case 'rejected':
        this.rejected += 1;
        for (const { field, value, message } of answer.problems) {
          this.#reject({ line: row.line, column: field, value, message, row: row.raw });
        }
    }
    this.#options.onProgress?.(this, this.#file.bytes);
  }

  stop(): void {
    this.#stopping = true;
    this.stoppedAfterLine = this.#lastLine;
  }

  rejectFile(fault: { line: number; column: string; message: string }): void {
    this.rejected += 1;
    this.#reject({ ...fault, value: '', row: '' });
  }

  result(startedAt: number): LoadResult {
    const { unknownColumns, name, fault } = this.#file;
    const { rows, taken, alreadyKnown, rejected: bad, skipped, stoppedAfterLine } = this;
    return {
      file: name,
      ...{ rows, taken, alreadyKnown, rejected: bad, skipped, stoppedAfterLine },
      rejects: this.#rejects,
      warnings:
        unknownColumns.length === 0
          ? []
          : [`columns that are not known were not read: ${unknownColumns.map(bounded).join(', ')}`],
      complete: fault === undefined && stoppedAfterLine === undefined,
      elapsedMs: Date.now() - startedAt,
    };
  }

  #reject(reject: Reject): void {
    const kept = { ...reject, value: bounded(reject.value), row: bounded(reject.row, MAX_ROW) };
    if (this.#rejects.length < MAX_REJECTS_KEPT) this.#rejects.push(kept);
    this.#options.onReject?.(kept);
  }
}

function bounded(text: string, most = MAX_VALUE): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
