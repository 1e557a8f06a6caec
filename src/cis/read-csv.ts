import { type FileHandle, open } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { TrothError, messageOf } from '../platform/errors';
import { wholeRecords, type FileFault, type Block } from './records';

/** The columns of a kind of file. */
export interface Columns {
  readonly required: readonly string[];
  /** At least one of these must be there too. */
  readonly oneOf?: readonly string[];
  readonly optional: readonly string[];
}

/** One row of a file, by column name; a column that the file lacks reads as ''. */
export interface CsvRow {
  /** Physical line on which the row begins; the header is line 1. */
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
  /** The row as it stands in the file. */
  readonly raw: string;
  /** Why the row cannot be read, if it has more or fewer cells than the header. */
  readonly fault?: string;
}

/** A CSV file being read. Read `rows` to its end, then look at `fault`. */
export interface CsvFile {
  readonly name: string;
  /** Columns of the file that Troth does not know, as written; they are not read. */
  readonly unknownColumns: readonly string[];
  /** Bytes read so far and in all; undefined when the input has no known size. */
  readonly bytes: { readonly read: number; readonly total: number | undefined };
  readonly rows: AsyncIterable<CsvRow>;
  /** Why the file could not be read further; rows before it are good. */
  readonly fault: FileFault | undefined;
  close(): Promise<void>;
}

/** The name that stands for standard input. */
export const STDIN = '-';

const MAX_COLUMNS = 200;

/**
 * Opens a CSV file (`-` is standard input) and checks its header. UTF-8 with or without byte order mark, any line
 * ends, RFC 4180 quotes. Nothing but a few blocks is held in memory.
 * @throws TrothError NOT_FOUND when there is no such file, UNAVAILABLE when it cannot be read.
 */
export async function openCsv(path: string, columns: Columns): Promise<CsvFile> {
  const input = await openInput(path);
  const file = new OpenCsv(path, columns, input);
  await file.begin();
  return file;
}

interface Input {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly total: number | undefined;
  close(): Promise<void>;
}

async function openInput(path: string): Promise<Input> {
  if (path === STDIN) {
    return { chunks: process.stdin, total: undefined, close: () => Promise.resolve() };
  }
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new TrothError('NOT_FOUND', `"${path}" is a folder, not a file`);
    const opened = handle;
    return {
      chunks: opened.createReadStream({ autoClose: false }),
      total: stat.isFile() ? stat.size : undefined,
      close: () => opened.close(),
    };
  } catch (error) {
    await handle?.close();
    if (error instanceof TrothError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new TrothError('NOT_FOUND', `There is no file "${path}"`, { cause: error });
    throw new TrothError('UNAVAILABLE', `"${path}" cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

class OpenCsv implements CsvFile {
  readonly name: string;
  readonly #columns: Columns;
  readonly #input: Input;
  unknownColumns: readonly string[] = [];
  readonly bytes: { read: number; total: number | undefined };
  fault: FileFault | undefined;
  #header: readonly string[] = [];
  #first: readonly CsvRow[] = [];
  readonly #blocks: AsyncGenerator<Block, FileFault | undefined>;

  constructor(name: string, columns: Columns, input: Input) {
    this.name = name;
    this.#columns = columns;
    this.#input = input;
    this.bytes = { read: 0, total: input.total };
    this.#blocks = wholeRecords(input.chunks, (read) => {
      this.bytes.read += read;
    });
  }

  /** Reads up to the header and checks it. */
  async begin(): Promise<void> {
    const parsed = await this.#next();
    if (parsed === undefined) {
      this.fault ??= { line: 1, column: '', message: 'the file is empty: not even a header' };
      return;
    }
    const [header, ...rest] = parsed;
    if (header === undefined) return;
    this.#header = header.fields.map((name) => name.trim().toLowerCase());
    const fault = headerFault(header.line, this.#header, this.#columns);
    if (fault !== undefined) {
      this.fault = fault;
      return;
    }
    const { required, oneOf = [], optional } = this.#columns;
    const known = new Set([...required, ...oneOf, ...optional]);
    this.unknownColumns = header.fields.filter((_, index) => !known.has(this.#header[index] ?? ''));
    this.#first = rest.map((record) => this.#row(record));
  }

  get rows(): AsyncIterable<CsvRow> {
    return this.#rows();
  }

  async *#rows(): AsyncGenerator<CsvRow> {
    if (this.#header.length === 0) return;
    // Read even where the header's own block ended with a fault: what stands before it is good.
    if (this.fault !== undefined && this.#first.length === 0) return;
    yield* this.#first;
    while (this.fault === undefined) {
      const records = await this.#next();
      if (records === undefined) return;
      for (const record of records) yield this.#row(record);
    }
  }

  async close(): Promise<void> {
    await this.#blocks.return(undefined);
    await this.#input.close();
  }

  /** The next block that holds records; undefined at the end. */
  async #next(): Promise<ParsedRecord[] | undefined> {
    while (this.fault === undefined) {
      const next = await this.#blocks.next();
      if (next.done === true) {
        this.fault = next.value ?? undefined;
        return undefined;
      }
      const { records, fault } = parseBlock(next.value);
      this.fault = fault;
      if (records.length > 0) return records;
    }
    return undefined;
  }

  #row({ fields, line, raw }: ParsedRecord): CsvRow {
    const cells: Record<string, string> = {};
    for (const [index, name] of this.#header.entries()) cells[name] = (fields[index] ?? '').trim();
    const fault = this.#faultOf(fields);
    return fault === undefined ? { line, cells, raw } : { line, cells, raw, fault };
  }

  #faultOf(fields: readonly string[]): string | undefined {
    const wanted = this.#header.length;
    if (fields.length !== wanted) {
      return `the row has ${fields.length} cells, the header ${wanted}; is a quote or a comma missing?`;
    }
    // PostgreSQL cannot store NUL, and the others are never meant.
    // eslint-disable-next-line no-control-regex
    const odd = fields.findIndex((field) => /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(field));
    return odd === -1 ? undefined : `the cell ${this.#header[odd] ?? ''} holds a control character`;
  }
}

interface ParsedRecord {
  readonly fields: readonly string[];
  readonly line: number;
  readonly raw: string;
}

interface WithInfo {
  readonly record: string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

/** The records of a block; blank rows, as spreadsheets leave them at the end, are passed over. */
function parseBlock(block: Block): { records: ParsedRecord[]; fault: FileFault | undefined } {
  let fault: FileFault | undefined;
  let good = Infinity;
  const parsed = parse(block.text, {
    info: true,
    raw: true,
    record_delimiter: '\n',
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip(error) {
      if (fault === undefined && error !== undefined) {
        const { lines, records } = error as unknown as { lines: number; records: number };
        good = records;
        const line = block.firstLine + lines - 1;
        fault = { line, column: '', message: `a quote is not where it may be: ${quoteAdvice(error.code)}` };
      }
      return undefined;
    },
  }) as unknown as WithInfo[];
  const records = parsed.slice(0, good).filter(({ record }) => record.some((field) => field.trim() !== ''));
  return {
    records: records.map(({ record, raw, info }) => {
      const text = raw.replace(/^\n+|\n+$/g, '');
      return { fields: record, raw: text, line: block.firstLine + info.lines - 1 - breaksIn(text) };
    }),
    fault,
  };
}

function quoteAdvice(code: string): string {
  return code === 'CSV_INVALID_CLOSING_QUOTE'
    ? 'after the closing quote of a cell comes a comma or the end of the line; a quote within it is written twice'
    : 'a cell that holds a quote stands in quotes as a whole, and the quote within it is written twice';
}

function breaksIn(text: string): number {
  return text.split('\n').length - 1;
}

function headerFault(line: number, header: readonly string[], columns: Columns): FileFault | undefined {
  if (header.length > MAX_COLUMNS) {
    return {
      line,
      column: '',
      message: `the header has ${header.length} columns; more than ${MAX_COLUMNS} are not read`,
    };
  }
  const twice = header.find((name, index) => name !== '' && header.indexOf(name) !== index);
  if (twice !== undefined) {
    return { line, column: twice, message: `the column ${twice} stands twice in the header` };
  }
  const { required, oneOf = [] } = columns;
  const missing = required.filter((name) => !header.includes(name));
  const either = oneOf.length > 0 && !oneOf.some((name) => header.includes(name)) ? oneOf.join(' or ') : '';
  const named = [...missing, ...(either === '' ? [] : [either])];
  if (named.length === 0) return undefined;
  const column = missing[0] ?? oneOf[0] ?? '';
  const noun = named.length === 1 ? 'the column is' : 'columns are';
  return { line, column, message: `${noun} missing in the header: ${named.join(', ')}${hint(header)}` };
}

function hint(header: readonly string[]): string {
  if (header.length > 2) return '';
  const other = [';', '\t', '|'].find((separator) => header.some((name) => name.includes(separator)));
  if (other === undefined) return '';
  return `; cells seem to be separated by ${other === '\t' ? 'tabs' : `"${other}"`}, write commas`;
}
