import { rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, TrothError } from '../platform/errors';
import { syncFolder } from '../platform/whole-file';
import { isOutputClosed } from './output';

/** Where a command writes something large. */
export interface Output {
  /** Waits while the reader is slow, so that memory stays bounded. */
  write(text: string): Promise<void>;
  /** Everything has been written. @throws TrothError UNAVAILABLE */
  finish(): Promise<void>;
  /** Something went wrong: what was there before stays. */
  abandon(): Promise<void>;
}

/**
 * A file that is there whole or not at all: it is written beside its place, brought to the disk, and renamed. `-` is stdout.
 * @throws TrothError UNAVAILABLE when it cannot be written.
 */
export async function openOutput(path: string): Promise<Output> {
  return path === '-' ? standardOutput() : file(path);
}

const INTERRUPTED_EXIT = 130;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function standardOutput(): Output {
  return {
    async write(text) {
      if (!isOutputClosed() && !process.stdout.write(text)) await drainedOrClosed();
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}

function drainedOrClosed(): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      process.stdout.off('drain', done);
      process.stdout.off('close', done);
      resolve();
    };
    process.stdout.once('drain', done);
    process.stdout.once('close', done);
  });
}

async function file(path: string): Promise<Output> {
  const draft = `${path}.${process.pid}.tmp`;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new TrothError('UNAVAILABLE', `"${path}" cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  const handle = await guarded(() => open(draft, 'w'));
  const onInterrupt = (): void => {
    rmSync(draft, { force: true });
    process.exit(INTERRUPTED_EXIT);
  };
  for (const signal of SIGNALS) process.once(signal, onInterrupt);
  const done = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, onInterrupt);
  };
  return {
    write: (text) => guarded(() => handle.appendFile(text)),
    finish: () =>
      guarded(async () => {
        await handle.sync();
        await handle.close();
        await rename(draft, path);
        done();
        await syncFolder(dirname(path));
      }),
    async abandon() {
      done();
      await handle.close().catch(() => undefined);
      await rm(draft, { force: true });
    },
  };
}
