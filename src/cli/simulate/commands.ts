import { setImmediate } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { ERRORS } from '../../platform/errors';
import { playOnEngine } from '../../scenarios/engine';
import { playByRules, type Player } from '../../scenarios/play';
import { readScenario, scenarioFiles, type Unreadable } from '../../scenarios/read';
import { connectClient } from '../../temporal/connection';
import { positive, withLedger } from '../context';
import { resolveEndpoints } from '../endpoints';
import { isOutputClosed, print } from '../output';
import { isWatched } from './motion';
import { JsonTeller, ListTeller, StoryTeller, type Result, type Tally, type Teller } from './tellers';

interface Options {
  readonly json?: true;
  readonly play?: true;
  readonly engine?: true;
  readonly sideBySide?: number;
}

/** On the engine; two cores do not go faster with more. */
const SIDE_BY_SIDE = 6;
const MOST_SIDE_BY_SIDE = 8;
const UNREADABLE_EXIT = ERRORS.INPUT_INVALID.exit;
const INTERRUPTED_EXIT = 130;
/** So many files take longer than people like to wait without a sign. */
const MANY_FILES = 200;
/** After so many the bar is drawn, and a Ctrl-C heard. */
const FILES_A_BREATH = 20;

/** `troth simulate FILE…`: plays scenarios by the rules that run in production. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate <files...>')
    .description('play scenario files by the rules of production, and check what they expect')
    .option('--play', 'tell every story in full, in a terminal day by day (any key: at once)')
    .option('--engine', 'play them on the running engine instead, each in a sandbox of its own')
    .option('--side-by-side <n>', 'with --engine: how many at once (default: 6)', positive(MOST_SIDE_BY_SIDE))
    .option('--json', 'one JSON object a file, for machines')
    .addHelpText(
      'after',
      [
        '',
        'A file is a scenario, a folder of scenarios (*.json), or - for standard input. No database and no',
        'Temporal is needed. Of several files one line each is shown, and the stories of those that fail.',
        'docs/simulate.md says how a scenario is written. With --engine, Troth must run (troth up): promises are',
        'enrolled and money posted as by a CIS, the clock is moved, and the sandbox is removed at the end.',
        '',
        'Examples:',
        '  troth simulate story.json',
        '  troth simulate stories/ --json | jq .holds',
        '  troth simulate stories/ --engine',
        '',
        'Exit codes:',
        '  0   all expectations hold, or there are none',
        '  1   an expectation does not hold',
        '  64  wrong usage',
        '  65  a file could not be read or understood; the others were played',
        '  69  --engine: Troth is not running',
        '  130 interrupted',
      ].join('\n'),
    )
    .action(async (paths: readonly string[], options: Options) => {
      if (options.engine !== true) {
        process.exitCode = await simulate(paths, options, playByRules);
        return;
      }
      await withEngine(async (player) => {
        process.exitCode = await simulate(paths, options, player);
      });
    });
}

async function simulate(paths: readonly string[], options: Options, player: Player): Promise<number> {
  const files = scenarioFiles(paths);
  const bar = barFor(files.length, options);
  // What is printed while a bar is shown would be torn by it.
  const held: string[] = [];
  const write = bar !== undefined && isWatched() ? (line = ''): void => void held.push(line) : print;
  const teller = tellerFor(files, options, write);
  let done = 0;
  const tally: Tally = { hold: 0, silent: 0, fail: 0, unreadable: 0 };
  try {
    const most = options.engine === true ? (options.sideBySide ?? SIDE_BY_SIDE) : 1;
    for await (const result of playAll(files, player, most)) {
      if (isOutputClosed() || teller.isInterrupted) break;
      count(tally, result);
      await teller.tell(result);
      bar?.increment();
      if ((done += 1) % FILES_A_BREATH === 0) await setImmediate();
    }
  } finally {
    bar?.stop();
    for (const line of held) print(line);
    teller.end(tally);
  }
  if (teller.isInterrupted) return INTERRUPTED_EXIT;
  if (tally.unreadable > 0) return UNREADABLE_EXIT;
  return tally.fail > 0 ? 1 : 0;
}

function tellerFor(
  files: readonly (string | Unreadable)[],
  { json, play }: Options,
  write: (line?: string) => void,
): Teller {
  if (json === true) return new JsonTeller(write);
  if (play === true || files.length === 1) {
    return new StoryTeller(write, { isMany: files.length > 1, isMoving: play === true && isWatched() });
  }
  const names = files.map((file) => (typeof file === 'string' ? file : file.file));
  return new ListTeller(write, names);
}

function barFor(files: number, { play }: Options): SingleBar | undefined {
  const isNeeded = files > MANY_FILES && process.stderr.isTTY && !(play === true && isWatched());
  if (!isNeeded) return undefined;
  const format = ' {bar} {value} of {total} files, {duration_formatted}';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, fps: 5 });
  bar.start(files, 0);
  return bar;
}

/** Plays files in their order, some of them side by side. */
async function* playAll(
  files: readonly (string | Unreadable)[],
  player: Player,
  sideBySide: number,
): AsyncGenerator<Result> {
  const playing: Promise<Result>[] = [];
  const start = (file: string | Unreadable): Promise<Result> =>
    typeof file === 'string' ? playFile(file, player) : Promise.resolve(file);
  let next = 0;
  try {
    for (let index = 0; index < files.length; index += 1) {
      for (; next < files.length && next < index + sideBySide; next += 1) {
        const file = files[next];
        if (file !== undefined) playing.push(start(file));
      }
      const result = await playing[index];
      if (result !== undefined) yield result;
    }
  } finally {
    await Promise.allSettled(playing); // what plays on the engine removes its sandbox first
  }
}

/** The engine that runs here, as a player. @throws TrothError NOT_RUNNING, UNAVAILABLE */
async function withEngine(work: (player: Player) => Promise<void>): Promise<void> {
  await withLedger(async ({ config, ledger }) => {
    const { client, close } = await connectClient(resolveEndpoints(config).temporal);
    try {
      await work(playOnEngine({ ledger, client: client.workflow }));
    } finally {
      await close();
    }
  });
}

/** Plays one file, or says why it cannot be played. */
async function playFile(file: string, player: Player): Promise<Result> {
  const scenario = readScenario(file);
  if ('error' in scenario) return scenario;
  try {
    return { file, ...(await player(scenario)) };
  } catch (error) {
    // The rules refuse dates and amounts beyond what they can hold, in a sentence.
    if (!(error instanceof RangeError)) throw error;
    return { file, error: `It cannot be played: ${error.message}`, problems: [] };
  }
}

function count(tally: Tally, result: Result): void {
  if ('error' in result) tally.unreadable += 1;
  else if (!result.holds) tally.fail += 1;
  else {
    tally.hold += 1;
    if (result.checks.length === 0) tally.silent += 1;
  }
}
