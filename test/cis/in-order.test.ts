/**
 * Goal: rows of one account keep their order, others run side by side, never more than the width at once.
 * Method: tasks of random length with random keys, the order of begin and end written down.
 */
import { InOrder } from '../../src/cis/in-order';

test('tasks that share a key run one after the other, in the order in which they came', async () => {
  const turns = new InOrder(4);
  const ended = new Map<string, number[]>();
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 300 }, (_, number) => {
      const keys = number % 2 === 1 ? [`free ${number}`] : [`a${number % 4}`, `b${number % 6}`];
      return turns.run(keys, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        for (const key of keys) ended.set(key, [...(ended.get(key) ?? []), number]);
        running -= 1;
      });
    }),
  );
  expect(most).toBe(4);
  for (const numbers of ended.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
});

test('a task that fails lets the next one of its key run', async () => {
  const turns = new InOrder(2);
  const failing = turns.run(['k'], () => Promise.reject(new Error('no')));
  const next = turns.run(['k'], () => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  await expect(next).resolves.toBe('yes');
});
