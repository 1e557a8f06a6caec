import { SingleBar } from 'cli-progress';
import type { Counts } from '../../cis/load';

/** Shows how far a load is: a bar on a terminal, a counted line now and then elsewhere, on stderr. */
export interface Progress {
  show(counts: Counts, bytes: { readonly read: number; readonly total: number | undefined }): void;
  stop(): void;
}

const LINE_EVERY_MS = 5_000;
const REFRESHES_A_SECOND = 5;

/** How far a load is: a bar on a terminal, else a line now and then. */
export function createProgress(): Progress {
  return process.stderr.isTTY ? barProgress() : lineProgress();
}

function lineProgress(): Progress {
  let last = Date.now();
  return {
    show({ rows, rejected }) {
      if (Date.now() - last < LINE_EVERY_MS) return;
      last = Date.now();
      process.stderr.write(`${rows} rows, ${rejected} rejected so far\n`);
    },
    stop: () => undefined,
  };
}

function barProgress(): Progress {
  const format = ' {bar} {rows} rows, {rejected} rejected, {duration_formatted}';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, fps: REFRESHES_A_SECOND });
  let started = false;
  return {
    show({ rows, rejected }, { read, total }) {
      if (!started) bar.start(total ?? read + 1, 0, { rows, rejected });
      started = true;
      bar.update(Math.min(read, total ?? read), { rows, rejected });
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

/** How far something is of which the number is known. */
export interface CountedProgress {
  readonly show: (done: number, of: number) => void;
  readonly stop: () => void;
}

/** As `createProgress`, of things whose number is known. */
export function counted(noun: string): CountedProgress {
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: ` {bar} {value} of {total} ${noun}, {duration_formatted}`,
        ...{ hideCursor: true, clearOnComplete: true, fps: REFRESHES_A_SECOND },
      })
    : undefined;
  let last = Date.now();
  return {
    show(done, of) {
      if (bar !== undefined) {
        if (!bar.isActive) bar.start(of, 0);
        bar.update(done);
      } else if (Date.now() - last >= LINE_EVERY_MS) {
        last = Date.now();
        process.stderr.write(`${done} of ${of} ${noun}\n`);
      }
    },
    stop: () => bar?.stop(),
  };
}
