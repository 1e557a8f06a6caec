import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/**
 * The one timer of a promise: armed for the next judge time, kept over wake-ups, replaced only when that time changes.
 * `condition(fn, timeout)` would cancel and start a timer at every wake-up, and each start is billed.
 */
export class JudgeTimer {
  fired = false;
  private armedFor: number | null = null;
  private scope: CancellationScope | null = null;

  /** Arms the timer for an instant of the workflow's clock, epoch milliseconds; does nothing if it is armed for it. */
  arm(atMs: number, summary: string): void {
    if (this.armedFor === atMs && !this.fired) return;
    this.scope?.cancel();
    this.armedFor = atMs;
    this.fired = false;
    const scope = new CancellationScope();
    this.scope = scope;
    // A sleep of 0 is a marker, not a timer: at least 1 ms.
    const waitMs = Math.max(1, atMs - Date.now());
    scope
      .run(() => sleep(waitMs, { summary }))
      .then(() => {
        if (this.scope === scope) this.fired = true;
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
  }
}
