import { stdin, stdout } from 'node:process';

const MAX_PAUSE_MS = 500;
const MAX_TOTAL_MS = 5_000;
const CTRL_C = '\u0003';

/** Shows stories in motion: a short pause after each day. Any key ends the pauses of a story, Ctrl-C ends the command. */
export class Motion {
  #isSkipping = false;
  #isInterrupted = false;
  #wake: (() => void) | undefined;
  readonly #onKey = (key: Buffer): void => {
    if (key.toString() === CTRL_C) this.#interrupt();
    else this.#skip();
  };
  readonly #onSignal = (): void => this.#interrupt();

  constructor() {
    process.on('SIGINT', this.#onSignal);
    if (!stdin.isTTY) return;
    stdin.setRawMode(true);
    stdin.on('data', this.#onKey);
    stdin.resume();
  }

  /** Whether Ctrl-C was pressed. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Shows a story day by day. */
  async show(days: readonly (readonly string[])[], print: (line: string) => void): Promise<void> {
    this.#isSkipping = false;
    const pauseMs = Math.min(MAX_PAUSE_MS, MAX_TOTAL_MS / Math.max(1, days.length));
    for (const lines of days) {
      if (this.isInterrupted) return;
      for (const line of lines) print(line);
      await this.#pause(pauseMs);
    }
  }

  /** Gives the terminal back. */
  close(): void {
    process.off('SIGINT', this.#onSignal);
    if (!stdin.isTTY) return;
    stdin.setRawMode(false);
    stdin.off('data', this.#onKey);
    stdin.pause();
  }

  #pause(ms: number): Promise<void> {
    if (this.#isSkipping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #skip(): void {
    this.#isSkipping = true;
    this.#wake?.();
  }

  #interrupt(): void {
    this.#isInterrupted = true;
    this.#skip();
  }
}

/** Whether somebody watches. */
export function isWatched(): boolean {
  return stdout.isTTY;
}
