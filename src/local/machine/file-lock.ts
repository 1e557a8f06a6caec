import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrothError } from '../../platform/errors';
import { birthOf, isSameProcess } from './processes';

const POLL_MS = 250;
let counter = 0;

interface LockOptions {
  /** Longest wait for another holder. */
  readonly limitMs: number;
  /** Told once, with the holder's process number, when somebody else holds the lock. */
  readonly onWait?: (pid: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while this process alone holds `file`. A lock whose process has died is taken over.
 * @throws TrothError TIMEOUT when another living process holds it for longer than `limitMs`.
 */
export async function withFileLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}.${counter++}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) }));
  const deadline = Date.now() + options.limitMs;
  let told = false;
  try {
    // link() is atomic and brings the content along: nobody ever reads a half-written lock.
    while (!link(mine, file)) {
      options.signal?.throwIfAborted();
      const holder = readHolder(file);
      if (holder !== undefined && !isSameProcess(holder)) removeStale(file, holder.pid);
      if (holder !== undefined && !told) {
        told = true;
        options.onWait?.(holder.pid);
      }
      if (Date.now() > deadline) {
        const who = holder?.pid ?? 'unknown';
        throw new TrothError(
          'TIMEOUT',
          `Process ${who} holds ${file} for too long. Wait for it or end it, then try again.`,
        );
      }
      await sleep(POLL_MS);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): { pid: number; birth: string } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
      return { pid: 0, birth: '' };
    const birth = 'birth' in value && typeof value.birth === 'string' ? value.birth : '';
    return { pid: value.pid, birth };
  } catch (error) {
    // Gone in the meantime: not held. Unreadable: nobody's.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : { pid: 0, birth: '' };
  }
}

/** Moves the stale lock aside first: of two that found it stale, only one may remove it, and never a fresh one. */
function removeStale(file: string, stalePid: number): void {
  const aside = `${file}.stale.${process.pid}.${counter++}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const holder = readHolder(aside);
  if (holder !== undefined && holder.pid !== stalePid) link(aside, file);
  rmSync(aside, { force: true });
}
