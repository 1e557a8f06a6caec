import { addDays, daysBetween, type LocalDate } from '../calendar';
import type { Hold } from './process';

/** Of an installment what a pause needs: when its deadline's last day is. */
export interface PausableLine {
  readonly lastDay: LocalDate;
}

/**
 * The last days of installments when the clock of each stands still during some holds: an installment's own window goes from the
 * day after the last day of the one before it (for the first: from the start date) to its own last day, and only what a hold
 * takes from that window is given back; never within a hold, and never before the installment ahead of it.
 * @param lines in order, with their last days as agreed.
 * @param holds with an end; what has none moves nothing until it is released.
 */
export function pausedLastDays(
  startDate: LocalDate,
  lines: readonly PausableLine[],
  holds: readonly Hold[],
): LocalDate[] {
  const spans = merged(holds);
  let opens = startDate;
  let before = startDate;
  return lines.map(({ lastDay }) => {
    let moved = lastDay;
    for (const { from, until } of spans) {
      const begins = from > opens ? from : opens;
      if (begins > moved || until < begins) continue;
      const paused = daysBetween(begins, until < moved ? until : moved) + 1;
      moved = addDays(until > moved ? until : moved, paused);
    }
    opens = addDays(lastDay, 1);
    before = moved > before ? moved : before;
    return before;
  });
}

/** Holds that overlap or touch as one. */
function merged(holds: readonly Hold[]): { from: LocalDate; until: LocalDate }[] {
  const spans = holds
    .flatMap(({ from, until }) => (until === null ? [] : [{ from, until }]))
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const all: { from: LocalDate; until: LocalDate }[] = [];
  for (const span of spans) {
    const last = all.at(-1);
    if (last !== undefined && span.from <= addDays(last.until, 1)) {
      if (span.until > last.until) last.until = span.until;
    } else all.push({ ...span });
  }
  return all;
}
