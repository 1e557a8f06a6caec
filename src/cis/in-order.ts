/**
 * Runs tasks side by side, at most `width` at once, those that share a key one after the other in the order in which
 * they came.
 */
export class InOrder {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #width: number;
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** Resolves or rejects as the task does. */
  async run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#tails.get(key) ?? Promise.resolve());
    let finish: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    for (const key of keys) this.#tails.set(key, done);
    try {
      await Promise.all(before);
      await this.#enter();
      try {
        return await task();
      } finally {
        this.#leave();
      }
    } finally {
      for (const key of keys) if (this.#tails.get(key) === done) this.#tails.delete(key);
      finish();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#width) {
      this.#running += 1;
      return;
    }
    // The one who leaves hands over its place, so that `#running` never passes the width.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
