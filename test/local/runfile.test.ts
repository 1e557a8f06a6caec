/**
 * Goal: one `troth up` per home; what a killed one left is cleaned up, and nothing that is not ours is touched.
 * Method: real processes of the test stand in for the children.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeDown } from '../../src/cli/down';
import { birthOf, isAlive } from '../../src/local/machine/processes';
import { type RunFile, claimHome, readRunFile, writeRunFile } from '../../src/local/runfile';

/** Sleeps until it is told to end. */
function sleeper(code = ''): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ['-e', `${code};setInterval(() => {}, 1000)`], { stdio: 'ignore' });
  if (child.pid === undefined) throw new Error('the test could not start a process');
  return Object.assign(child, { pid: child.pid });
}

const named = (pid: number): { pid: number; birth: string } => ({ pid, birth: birthOf(pid) });

describe('claimHome', () => {
  let home: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'troth-run-'));
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  });

  const spawnSleeper = (code?: string): number => {
    const child = sleeper(code);
    children.push(child);
    return child.pid;
  };

  const write = (run: Partial<RunFile> & { pid: number; birth: string }): void =>
    writeRunFile(home, { startedAt: new Date().toISOString(), ready: true, children: [], ...run });

  test('writes a file that only its owner may read, and names this process', async () => {
    const { run } = await claimHome(home);
    expect(readRunFile(home)).toEqual(run);
    expect(run).toMatchObject({ pid: process.pid, ready: false, children: [] });
    expect(statSync(join(home, 'run.json')).mode & 0o077).toBe(0);
  });

  test('refuses while another runs, with its number and address', async () => {
    const other = spawnSleeper();
    write({ ...named(other), apiUrl: 'http://127.0.0.1:8080' });
    await expect(claimHome(home)).rejects.toThrow(
      new RegExp(`already runs here as process ${other} \\(API http://127.0.0.1:8080\\)`),
    );
  });

  test('takes over from a killed run and stops its children, also a deaf one', async () => {
    const [listening, deaf] = [spawnSleeper(), spawnSleeper("process.on('SIGTERM', () => {})")];
    write({
      pid: 99_999_999,
      birth: '1',
      children: [
        { name: 'temporal', ...named(listening) },
        { name: 'worker', ...named(deaf) },
      ],
    });
    const { orphans } = await claimHome(home);
    expect(orphans).toEqual(['worker', 'temporal']);
    expect([isAlive(listening), isAlive(deaf)]).toEqual([false, false]);
  });

  test('leaves alone a process that only has the number of a child by now', async () => {
    const stranger = spawnSleeper();
    write({ pid: 99_999_999, birth: '1', children: [{ name: 'worker', pid: stranger, birth: '12345' }] });
    expect((await claimHome(home)).orphans).toEqual([]);
    expect(isAlive(stranger)).toBe(true);
  });

  test('a run file whose process number went to another process is not a run', () => {
    write({ pid: spawnSleeper(), birth: '12345' });
    expect(readRunFile(home)).toBeUndefined();
  });

  test('a damaged run file is none', async () => {
    writeFileSync(join(home, 'run.json'), '{"pid": ');
    expect(readRunFile(home)).toBeUndefined();
    await claimHome(home);
  });

  test('down stops a run, cleans up after a killed one, and says when there is nothing to stop', async () => {
    expect(await takeDown(home)).toMatch(/not running/);
    const up = spawnSleeper();
    write(named(up));
    expect(await takeDown(home)).toMatch(new RegExp(`Stopped \\(process ${up}\\)`));
    expect(isAlive(up)).toBe(false);
    const orphan = spawnSleeper();
    write({ pid: 99_999_999, birth: '1', children: [{ name: 'worker', ...named(orphan) }] });
    expect(await takeDown(home)).toMatch(/left: worker/);
    expect(isAlive(orphan)).toBe(false);
  });
});
