import type { Played } from '../../scenarios/play';
import type { Unreadable } from '../../scenarios/read';
import { dim, green, printable, red, terminalWidth, yellow } from '../text';
import { expectationLines } from './expectations';
import { Motion } from './motion';
import { daysOf, endsOf, headerOf, wrapped } from './story';

/** A file that was played. */
export interface PlayedFile extends Played {
  readonly file: string;
}

export type Result = PlayedFile | Unreadable;

/** How many files came out how. */
export interface Tally {
  hold: number;
  /** Of those that hold, how many expect nothing. */
  silent: number;
  fail: number;
  unreadable: number;
}

type Write = (line?: string) => void;

/** Tells what became of files, one after the other. */
export interface Teller {
  tell(result: Result): void | Promise<void>;
  end(tally: Tally): void;
  /** Whether Ctrl-C was pressed while a story was shown. */
  readonly isInterrupted: boolean;
}

/** For machines: one object a line. */
export class JsonTeller implements Teller {
  readonly isInterrupted = false;
  readonly #write: Write;

  constructor(write: Write) {
    this.#write = write;
  }

  tell(result: Result): void {
    this.#write(JSON.stringify('error' in result ? result : jsonOf(result)));
  }

  end(): void {
    // Every file has its line; there is nothing to add.
  }
}

function jsonOf({ file, scenario, holds, checks, timeline }: PlayedFile): object {
  return {
    file,
    id: scenario.id,
    title: scenario.title,
    holds,
    checks,
    timeline: timeline.entries.map(({ atMs, date, time, promiseId, kind, sentence }) => ({
      ...{ at: new Date(atMs).toISOString(), date, time, promise: promiseId, kind, sentence },
    })),
    promises: Object.fromEntries(
      timeline.promises.map(({ promiseId, status, reason, revision, verdicts }) => [
        promiseId,
        { status, reason, revision, verdicts },
      ]),
    ),
  };
}

/** Tells every story in full, in motion where somebody watches. */
export class StoryTeller implements Teller {
  readonly #write: Write;
  readonly #isMany: boolean;
  readonly #motion: Motion | undefined;
  #isFirst = true;

  constructor(write: Write, options: { readonly isMany: boolean; readonly isMoving: boolean }) {
    this.#write = write;
    this.#isMany = options.isMany;
    this.#motion = options.isMoving ? new Motion() : undefined;
  }

  get isInterrupted(): boolean {
    return this.#motion?.isInterrupted ?? false;
  }

  async tell(result: Result): Promise<void> {
    if (!this.#isFirst) this.#write();
    this.#isFirst = false;
    if ('error' in result) for (const line of unreadableLines(result)) this.#write(line);
    else await tellStory(result, this.#write, this.#motion);
  }

  end(tally: Tally): void {
    this.#motion?.close();
    if (!this.#isMany || this.isInterrupted) return;
    this.#write();
    this.#write(tallyLine(tally));
  }
}

/** One line a file, and the stories of those that fail when all have been played. */
export class ListTeller implements Teller {
  readonly isInterrupted = false;
  readonly #write: Write;
  readonly #idWidth: number;
  readonly #failed: PlayedFile[] = [];

  constructor(write: Write, files: readonly string[]) {
    this.#write = write;
    // A scenario's file is named after its id.
    const names = files.map((file) => file.replace(/^.*[/\\]/, '').replace(/\.json$/, '').length);
    this.#idWidth = Math.min(
      MAX_ID,
      names.reduce((most, length) => Math.max(most, length), 0),
    );
  }

  tell(result: Result): void {
    if ('error' in result) {
      for (const line of unreadableLines(result)) this.#write(line);
      return;
    }
    this.#write(lineOf(result, this.#idWidth));
    if (!result.holds && this.#failed.length < MOST_STORIES) this.#failed.push(result);
  }

  end(tally: Tally): void {
    for (const failed of this.#failed) {
      this.#write();
      for (const line of storyLines(failed)) this.#write(line);
    }
    const more = tally.fail - this.#failed.length;
    if (more > 0) this.#write(dim(`\n… and ${more} more that fail; name them alone to see their stories`));
    this.#write();
    this.#write(tallyLine(tally));
  }
}

const MAX_ID = 60;
const MOST_STORIES = 100;
const MOST_PROBLEMS = 20;

/** `✔ 2 of 2  oracle-o08-…  60 of 100 is paid …`, within the width of the terminal. */
function lineOf({ scenario, checks, holds }: PlayedFile, idWidth: number): string {
  const held = checks.filter((check) => check.holds).length;
  const score = checks.length === 0 ? 'played' : `${held} of ${checks.length}`;
  const id = printable(scenario.id).padEnd(idWidth);
  const room = terminalWidth() - 2 - SCORE_WIDTH - 2 - id.length - 2;
  const title = printable(scenario.title);
  const cut = title.length > room ? `${title.slice(0, Math.max(0, room - 1))}…` : title;
  const mark = holds ? green('✔') : red('✘');
  return `${mark} ${score.padEnd(SCORE_WIDTH)}  ${holds ? id : red(id)}  ${dim(cut)}`.trimEnd();
}

const SCORE_WIDTH = '99 of 99'.length;

function unreadableLines({ file, error, problems }: Unreadable): string[] {
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ field, value, message }) => {
    const what = value === '' ? field : `${field} "${value}"`;
    return wrapped(`${printable(what)}: ${printable(message)}`, terminalWidth() - 4, 4);
  });
  const more = problems.length - MOST_PROBLEMS;
  return [
    `${red('✘')} ${printable(file)}: ${printable(error)}`,
    ...lines.flat().map((line) => `    ${line}`),
    ...(more > 0 ? [dim(`    … and ${more} more problems; --json has them all`)] : []),
  ];
}

function storyLines(played: PlayedFile): string[] {
  return [...headerOf(played), '', ...daysOf(played).flat(), ...afterwards(played)];
}

async function tellStory(played: PlayedFile, write: Write, motion: Motion | undefined): Promise<void> {
  if (motion === undefined) {
    for (const line of storyLines(played)) write(line);
    return;
  }
  for (const line of [...headerOf(played), '']) write(line);
  await motion.show(daysOf(played), write);
  if (motion.isInterrupted) return;
  for (const line of afterwards(played)) write(line);
}

function afterwards(played: PlayedFile): string[] {
  const ends = endsOf(played);
  const expectations = expectationLines(played.checks);
  return [
    ...(ends.length === 0 ? [] : ['', ...ends]),
    ...(expectations.length === 0 ? [] : ['', ...expectations]),
  ];
}

/** `57 files, 57 hold, 0 fail, 0 unreadable` */
function tallyLine({ hold, silent, fail, unreadable }: Tally): string {
  const files = hold + fail + unreadable;
  const expectNothing =
    silent === 0 ? '' : ` (${silent} of them ${silent === 1 ? 'expects' : 'expect'} nothing)`;
  return [
    `${files} files`,
    `${hold > 0 ? green(`${hold} hold`) : '0 hold'}${expectNothing}`,
    fail > 0 ? red(`${fail} fail`) : '0 fail',
    unreadable > 0 ? yellow(`${unreadable} unreadable`) : '0 unreadable',
  ].join(', ');
}
