/**
 * Goal: promises that began under any released version go on under today's workflow code.
 * Method: histories recorded from real runs of every released version (scripts/record-histories.mjs) are replayed with
 * the bundle that workers run; a command that differs from the recorded one is a non-determinism error. That the
 * replay can fail is shown with a history that today's code cannot have made.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Runtime, Worker } from '@temporalio/worker';
import { projectRoot } from '../../src/platform/root';

const folder = join(__dirname, 'histories');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.json'),
);
const options = { workflowBundle: { codePath: join(projectRoot(), 'dist', 'workflow-bundle.js') } };

interface Recorded {
  events: {
    workflowExecutionStartedEventAttributes?: { workflowId?: string };
    timerStartedEventAttributes?: object;
    markerRecordedEventAttributes?: object;
  }[];
}

/** The workflow reads its own id, so a replay must go under the id that was recorded. */
function replay(history: Recorded): Promise<void> {
  const workflowId = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  return Worker.runReplayHistory(options, history, workflowId);
}

function read(file: string): Recorded {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recorded;
}

beforeAll(() => {
  const quiet = (): void => undefined;
  Runtime.install({
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
});

test('every kind of promise and case has a history', () => {
  expect(files.length).toBeGreaterThan(40);
  for (const kind of ['kept', 'broken', 'cancelled', 'direct', 'case', 'reopened', 'late-evidence']) {
    expect(files.filter((file) => file.includes(kind))).not.toHaveLength(0);
  }
});

test.each(files)('%s replays', async (file) => {
  await replay(read(file));
});

test('a history that this code cannot have made does not replay', async () => {
  const file = files.find((name) => name.includes('demo-single-on-time'));
  const history = read(file ?? '');
  const timer = history.events.findIndex((event) => event.timerStartedEventAttributes !== undefined);
  const marker = history.events.find((event) => event.markerRecordedEventAttributes !== undefined);
  expect(timer).toBeGreaterThan(0);
  // Where the code starts a timer, the history says a local activity came back.
  history.events[timer] = { ...marker, ...{ eventId: String(timer + 1) } };
  await expect(replay(history)).rejects.toThrow();
});
