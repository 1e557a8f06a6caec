import { createWriteStream, rmSync, renameSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { stringify, type Stringifier } from 'csv-stringify';
import { TrothError, messageOf } from '../platform/errors';
import type { Reject } from './load';

const HEADER = ['line', 'column', 'value', 'reason', 'row'];

interface Writing {
  readonly csv: Stringifier;
  readonly disk: WriteStream;
  readonly done: Promise<unknown>;
}

/**
 * The file of rejected rows. It appears, whole, when something was rejected; the one of an earlier load goes in any
 * case, so that a rejects file always tells of the last load.
 */
export class RejectsFile {
  readonly path: string;
  #writing: Writing | undefined;

  constructor(path: string) {
    this.path = path;
  }

  add(reject: Reject): void {
    this.#writing ??= this.#begin();
    const { line, column, value, message, row } = reject;
    this.#writing.csv.write([line, column, value, message, row]);
  }

  /** @returns whether there is a file now. @throws TrothError UNAVAILABLE when it cannot be written. */
  async finish(): Promise<boolean> {
    try {
      if (this.#writing === undefined) {
        rmSync(this.path, { force: true });
        return false;
      }
      this.#writing.csv.end();
      await this.#writing.done;
      renameSync(this.#unfinished, this.path);
      return true;
    } catch (error) {
      rmSync(this.#unfinished, { force: true });
      throw new TrothError(
        'UNAVAILABLE',
        `The rejects file ${this.path} cannot be written: ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  get #unfinished(): string {
    return `${this.path}.part`;
  }

  #begin(): Writing {
    // A spreadsheet runs a cell that begins with = + - @ as a formula; with an apostrophe before it, it is text.
    const csv = stringify({ header: true, columns: HEADER, escape_formulas: true });
    const disk = createWriteStream(this.#unfinished);
    const done = once(disk, 'close');
    done.catch(() => undefined); // heard in finish()
    csv.pipe(disk);
    return { csv, disk, done };
  }
}
