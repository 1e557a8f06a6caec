/** Why a file cannot be read further. */
export interface FileFault {
  readonly line: number;
  readonly column: string;
  readonly message: string;
}

/** Some whole records of a file, with `\n` as line end. */
export interface Block {
  readonly text: string;
  /** Physical line on which it begins. */
  readonly firstLine: number;
}

const MAX_ROW_BYTES = 65_536;
const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes where records end, checking that it is UTF-8 and that every quote is closed: both must be
 * said with the line on which they begin, and neither may make us hold a whole file in memory.
 * @returns what is wrong with the file, if anything; blocks before it are good.
 */
export async function* wholeRecords(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (count: number) => void,
): AsyncGenerator<Block, FileFault | undefined> {
  const cutter = new RecordCutter();
  let carry: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    carry = bytes.subarray(end);
    if (end > 0) {
      const block = cutter.take(bytes.subarray(0, end));
      if (block !== undefined) yield block;
    }
    if (carry.length > MAX_ROW_BYTES) cutter.tooLong();
    if (cutter.fault !== undefined) return cutter.fault;
  }
  const last = cutter.take(carry);
  if (last !== undefined) yield last;
  return cutter.atEnd();
}

class RecordCutter {
  fault: FileFault | undefined;
  #line = 1;
  /** Lines of a record whose quote is still open. */
  #open = '';
  #openLine = 1;

  /** Whole physical lines in, whole records out. */
  take(bytes: Uint8Array): Block | undefined {
    if (bytes.length === 0 || this.fault !== undefined) return undefined;
    const decoded = this.#decode(bytes);
    let text = this.#open;
    let whole = '';
    const firstLine = text === '' ? this.#line : this.#openLine;
    for (const line of decoded.text.split(/(?<=\n)/)) {
      if (line === '') continue;
      if (text === '') this.#openLine = this.#line;
      text += line;
      this.#line += line.endsWith('\n') ? 1 : 0;
      if (text.length > MAX_ROW_BYTES) {
        this.tooLong({ openQuote: hasOpenQuote(text), line: this.#openLine });
        break;
      }
      // In RFC 4180 every quote comes in pairs, so a record ends where their number is even.
      if (hasOpenQuote(text)) continue;
      whole += text;
      text = '';
    }
    this.#open = text;
    if (decoded.badLine) {
      this.fault ??= { line: this.#line, column: '', message: notUtf8(bytes, this.#line) };
    }
    return whole === '' ? undefined : { text: whole, firstLine };
  }

  tooLong({ openQuote, line } = { openQuote: this.#open !== '', line: this.#line }): void {
    const limit = `${MAX_ROW_BYTES / 1024} KB`;
    this.fault ??= openQuote
      ? this.#unclosed(`within ${limit}`)
      : {
          line,
          column: '',
          message: `the row is longer than ${limit}; what stands after it was not read`,
        };
  }

  atEnd(): FileFault | undefined {
    if (this.fault === undefined && this.#open !== '')
      this.fault = this.#unclosed('up to the end of the file');
    return this.fault;
  }

  #unclosed(where: string): FileFault {
    return {
      line: this.#openLine,
      column: '',
      message: `a quote that is opened here is not closed ${where}; what stands after it was not read`,
    };
  }

  /** As text; up to the line that is not UTF-8, if there is one. */
  #decode(bytes: Uint8Array): { text: string; badLine: boolean } {
    const text = utf8(bytes);
    if (text !== undefined) return { text: normal(text, this.#line), badLine: false };
    let good = '';
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, start) + 1;
      const line = utf8(bytes.subarray(start, end === 0 ? bytes.length : end));
      if (line === undefined) break;
      good += line;
      start = end === 0 ? bytes.length : end;
    }
    return { text: normal(good, this.#line), badLine: true };
  }
}

function hasOpenQuote(text: string): boolean {
  let quotes = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 1;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** One kind of line end, and no byte order mark. */
function normal(text: string, line: number): string {
  const body = line === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
  return body.includes('\r') ? body.replaceAll(/\r\n?/g, '\n') : body;
}

function notUtf8(bytes: Uint8Array, line: number): string {
  const [first, second] = bytes;
  const utf16 = line === 1 && ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff));
  const guess = utf16 ? 'UTF-16' : 'Latin-1 or Windows-1252';
  return `the line is not UTF-8 (perhaps ${guess}); save the file as UTF-8. What stands after it was not read`;
}
