import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** What a command answered. */
export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export const TROTH = join(__dirname, '..', '..', 'bin', 'troth.js');

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Called with the process and what it has said on stderr so far. */
  readonly onError?: (child: ChildProcess, err: string) => void;
}

/** The built command line in a process of its own, as a user runs it; TROTH_HOME is where nothing runs. */
export function commandLine(home: string, env: Readonly<Record<string, string>>) {
  return (args: readonly string[], options: RunOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [TROTH, ...args], {
        env: { PATH: process.env['PATH'], TROTH_HOME: home, COLUMNS: '140', ...env, ...options.env },
        stdio: 'pipe',
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => {
        err += chunk.toString();
        options.onError?.(child, err);
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.on('error', () => undefined); // a command that reads no input may end before it is written
      child.stdin.end(options.input ?? '');
    });
}
