/**
 * Goal: `troth up` comes up from nothing, heals, refuses a second one, and leaves no process behind, however it ends.
 * Method: the built command in a home of the test's own, with every port free to choose.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../src/local/machine/processes';
import { type RunFile, readRunFile } from '../../src/local/runfile';
import { projectRoot } from '../../src/platform/root';
import { TestHome } from '../support/stack';

const troth = join(projectRoot(), 'bin', 'troth.js');

async function until<T>(what: string, look: () => T | undefined, limitMs: number): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('troth up', () => {
  const home = new TestHome('up');
  const env = { ...process.env, TROTH_HOME: home.path, TROTH_LOG_FORMAT: 'json' };
  let said = '';

  const up = (): ChildProcess => {
    said = '';
    const child = spawn(process.execPath, [troth, 'up', '--no-demo'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (said += String(text)));
    home.watch(child.pid);
    return child;
  };
  const ready = async (child: ChildProcess): Promise<RunFile> => {
    const run = await until(
      'Ready',
      () => {
        if (child.exitCode !== null) throw new Error(`troth up ended: ${said}`);
        return said.includes('Ready') ? readRunFile(home.path) : undefined;
      },
      120_000,
    );
    for (const { pid } of run.children) home.watch(pid);
    return run;
  };
  const gone = (run: RunFile): Promise<true> =>
    until('all children gone', () => run.children.every(({ pid }) => !isAlive(pid)) || undefined, 60_000);
  const ended = (child: ChildProcess): Promise<number> =>
    until('the end', () => child.exitCode ?? undefined, 60_000);

  afterAll(() => {
    spawnSync(process.execPath, [troth, 'down'], { env });
    home.remove();
  });

  test('comes up, answers, refuses a second one, heals a killed worker, and down leaves nothing', async () => {
    const child = up();
    const run = await ready(child);
    expect(run.children.map(({ name }) => name)).toEqual(expect.arrayContaining(['postgres', 'worker']));
    expect((await fetch(`${run.apiUrl ?? ''}/healthz`)).status).toBe(200);
    const credentials = readFileSync(join(home.path, 'postgres-credentials.json'), 'utf8');
    const { troth: password } = JSON.parse(credentials) as { troth: string };
    expect(said).not.toContain(password);

    const second = spawnSync(process.execPath, [troth, 'up', '--no-demo'], { env, encoding: 'utf8' });
    expect(second.status).not.toBe(0);
    expect(second.stderr).toContain(`already runs here as process ${run.pid}`);

    const worker = run.children.find(({ name }) => name === 'worker');
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    const healed = await until(
      'a new worker',
      () => {
        const now = readRunFile(home.path)?.children.find(({ name }) => name === 'worker');
        return now !== undefined && now.pid !== worker?.pid ? readRunFile(home.path) : undefined;
      },
      60_000,
    );

    const down = spawnSync(process.execPath, [troth, 'down'], { env, encoding: 'utf8' });
    expect(down.stdout).toContain(`Stopped (process ${run.pid})`);
    expect(await ended(child)).toBe(0);
    await gone(healed);
    expect(existsSync(join(home.path, 'run.json'))).toBe(false);
  }, 240_000);

  test('the second start takes less than 15 s; Ctrl-C stops everything', async () => {
    const startedAt = Date.now();
    const child = up();
    const run = await ready(child);
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
    await gone(run);
  }, 120_000);

  test('after kill -9 the next start cleans up and comes up on the same ports', async () => {
    const first = up();
    const before = await ready(first);
    first.kill('SIGKILL');
    await until('its end', () => first.signalCode ?? undefined, 10_000);
    const second = up();
    const after = await ready(second);
    expect(said).toContain('Stopped what an earlier run left');
    expect(after.temporal).toEqual(before.temporal);
    await gone(before);
    second.kill('SIGTERM');
    expect(await ended(second)).toBe(0);
    await gone(after);
  }, 240_000);
});
