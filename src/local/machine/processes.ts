import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrothError, messageOf } from '../../platform/errors';

const LOG_ROTATE_BYTES = 10_000_000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process named so that a later process with the same number is not mistaken for it. */
export interface ProcessName {
  readonly pid: number;
  /** When it was born, in whatever form this machine tells; empty when it does not tell. */
  readonly birth: string;
}

/** A running child: its number, notice of its end, and an orderly stop. */
export interface Child extends ProcessName {
  readonly exited: Promise<Exit>;
  /** True while it runs. */
  alive(): boolean;
  /** Sends `signal`, waits `graceMs`, then kills. Resolves when the process is gone; safe to call twice. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<Exit>;
  /** Answers true when the child sent `{ kind: 'ready' }` over its channel; false when it ended before. */
  ready(): Promise<boolean>;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Output goes straight into this file: no pipe that could break when the parent dies. */
  readonly logFile: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** A message channel, for children that are Node and say when they are ready. */
  readonly channel?: boolean;
}

/**
 * Starts a child in a process group of its own, so that the terminal's Ctrl-C reaches only the parent, which then
 * stops its children in the right order.
 * @throws TrothError LOCAL_START when the program cannot be started at all.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const logFd = openLog(options.logFile);
  const child = spawn(options.command, [...options.args], {
    env: options.env,
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: ['ignore', logFd, logFd, ...(options.channel === true ? (['ipc'] as const) : [])],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  closeSync(logFd);
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<boolean>((resolve) => {
    child.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'ready')
        resolve(true);
    });
    void exited.then(() => resolve(false));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new TrothError('LOCAL_START', `Could not start ${options.command}: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    });
  });
  // A failing message channel ends with the child; its exit is what counts.
  child.on('error', () => undefined);
  const pid = child.pid ?? 0;
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    birth: birthOf(pid),
    exited,
    alive,
    ready: () => ready,
    async stop(signal, graceMs) {
      if (alive()) child.kill(signal);
      const first = await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
      if (first === undefined && alive()) child.kill('SIGKILL');
      return exited;
    },
  };
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > LOG_ROTATE_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** The last lines of a log file, for a message; empty when there is none. */
export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}

/** Whether a process with this number exists. A zombie that nobody reaps does not count. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return statFields(pid)?.[0] !== 'Z';
}

/** Fields of /proc/PID/stat from the third (state) on; undefined where there is no /proc. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in brackets and may itself hold brackets and spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** When a process was born: ticks since boot from /proc, else what `ps` says; empty when unknown. */
export function birthOf(pid: number): string {
  const fields = statFields(pid);
  if (fields !== undefined) return fields[19] ?? '';
  return psColumn(pid, 'lstart');
}

/** A process's command line with arguments separated by spaces; empty when unknown. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return psColumn(pid, 'command');
  }
}

function psColumn(pid: number, column: string): string {
  if (process.platform === 'win32') return '';
  const result = spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : '';
}

/** Whether this very process (not another with its number) still runs. */
export function isSameProcess(name: ProcessName): boolean {
  if (!isAlive(name.pid)) return false;
  return name.birth === '' || birthOf(name.pid) === name.birth;
}

/**
 * Stops a process that is not our child: `signal`, then after `graceMs` SIGKILL.
 * @returns false when it is still there half a minute after the SIGKILL.
 */
export async function stopStranger(
  name: ProcessName,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<boolean> {
  const gone = async (limitMs: number): Promise<boolean> => {
    const deadline = Date.now() + limitMs;
    while (isSameProcess(name)) {
      if (Date.now() > deadline) return false;
      await sleep(50);
    }
    return true;
  };
  send(name, signal);
  if (await gone(graceMs)) return true;
  send(name, 'SIGKILL');
  return gone(30_000);
}

function send(name: ProcessName, signal: NodeJS.Signals): void {
  if (!isSameProcess(name)) return;
  try {
    process.kill(name.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
