/**
 * Goal: a part that dies comes back, one that keeps dying is given up with a sentence, and the stop keeps its order.
 * Method: parts of the test's own that end when the test says so.
 */
import pino from 'pino';
import type { Exit } from '../../src/local/machine/processes';
import { type Part, Supervisor } from '../../src/local/supervisor';
import type { TrothError } from '../../src/platform/errors';

interface Toy extends Part {
  starts: number;
  die(): void;
}

function toy(name: string, stopRank: number, journal: string[], stopTakesMs = 0): Toy {
  let end: (exit: Exit) => void = () => undefined;
  return {
    name,
    stopRank,
    starts: 0,
    start() {
      this.starts += 1;
      const exited = new Promise<Exit>((resolve) => (end = resolve));
      const stop = async (hurry: boolean): Promise<void> => {
        journal.push(`${name}${hurry ? ' hurried' : ''}`);
        await new Promise((resolve) => setTimeout(resolve, hurry ? 0 : stopTakesMs).unref());
        end({ code: 0, signal: null });
      };
      return Promise.resolve({ pid: process.pid, exited, stop });
    },
    die: () => end({ code: null, signal: 'SIGKILL' }),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('Supervisor', () => {
  const make = (): { supervisor: Supervisor; given: TrothError[]; sets: string[][] } => {
    const given: TrothError[] = [];
    const sets: string[][] = [];
    const supervisor = new Supervisor(pino({ level: 'silent' }), {
      changed: (children) => sets.push(children.map(({ name }) => name)),
      gaveUp: (reason) => given.push(reason),
    });
    return { supervisor, given, sets };
  };

  test('starts a part again when it ends by itself', async () => {
    const { supervisor, given, sets } = make();
    const part = toy('worker', 0, []);
    await supervisor.keep(part);
    part.die();
    await until(() => part.starts === 2);
    await supervisor.stopAll();
    expect(given).toEqual([]);
    expect(sets.slice(0, 3)).toEqual([['worker'], [], ['worker']]);
  });

  test('gives up after five restarts within a minute', async () => {
    const { supervisor, given } = make();
    const part = toy('worker', 0, []);
    await supervisor.keep(part);
    for (let starts = 1; starts <= 6; starts++) {
      await until(() => part.starts === starts);
      await new Promise((resolve) => setImmediate(resolve));
      part.die();
    }
    await until(() => given.length === 1);
    expect(given[0]?.message).toMatch(/worker does not stay up/);
    await supervisor.stopAll();
  }, 20_000);

  test('stops by rank, not by order of start, and starts nothing afterwards', async () => {
    const { supervisor } = make();
    const journal: string[] = [];
    for (const [name, rank] of [
      ['postgres', 4],
      ['temporal', 3],
      ['worker', 0],
      ['api', 1],
    ] as const)
      await supervisor.keep(toy(name, rank, journal));
    await supervisor.stopAll();
    expect(journal).toEqual(['worker', 'api', 'temporal', 'postgres']);
    await expect(supervisor.keep(toy('late', 0, journal))).rejects.toThrow(/Stopped while late/);
  });

  test('a second call makes the first hurry', async () => {
    const { supervisor } = make();
    const journal: string[] = [];
    await supervisor.keep(toy('postgres', 4, journal, 60_000));
    const stopping = supervisor.stopAll();
    await until(() => journal.length === 1);
    const startedAt = Date.now();
    void supervisor.stopAll();
    // The toy's own stop still takes its minute; what hurried has ended it already.
    await until(() => journal.includes('postgres hurried'));
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    void stopping;
  });

  test('a part that was still starting when the stop came is stopped too', async () => {
    const { supervisor } = make();
    const journal: string[] = [];
    const part = toy('worker', 0, journal);
    const slow: Part = {
      ...part,
      start: async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return part.start();
      },
    };
    const keeping = supervisor.keep(slow);
    await supervisor.stopAll();
    await keeping;
    expect(journal).toEqual(['worker']);
  });
});
