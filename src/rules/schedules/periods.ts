import { startOfDayMs, type EpochMs } from '../calendar';
import { deadlineOf } from './deadline';
import type { Line, PromiseFacts, Repeat } from '../facts';
import { MAX_PERIODS, nthDueDate } from './schedule';

/**
 * R22: the lines of a promise: those that are known, and of a repeating one the periods after them, as far as money or
 * time can reach: one always stays open. A counted or dated one has all its periods at once.
 * @param mostCents more than can ever count on the promise.
 */
export function linesThrough(facts: PromiseFacts, mostCents: number, asOfMs: EpochMs): readonly Line[] {
  const { repeat, timeZone } = facts;
  if (repeat === null) return facts.lines;
  const isAhead = ({ dueDate, judgeAtMs }: Line): boolean =>
    judgeAtMs > asOfMs && startOfDayMs(dueDate, timeZone) > asOfMs;
  const lines = [...facts.lines];
  let sum = 0;
  for (const { amountCents } of lines) sum += amountCents;
  for (;;) {
    const last = lines.at(-1);
    const isEnough = last !== undefined && sum > mostCents && isAhead(last);
    if (repeat.count === null && repeat.untilDate === null && isEnough) return lines;
    const next = period(repeat, lines.length);
    if (next === null) return lines;
    lines.push(next);
    sum += next.amountCents;
  }
}

/**
 * Period number `index`, from 0, of a repeating promise as a line; null after the last one.
 * @throws RangeError when the frequency does not fit the first due date.
 */
export function period(repeat: Repeat, index: number): Line | null {
  if (index >= (repeat.count ?? MAX_PERIODS)) return null;
  const dueDate = nthDueDate(repeat.firstDueDate, repeat.frequency, index);
  if (repeat.untilDate !== null && dueDate > repeat.untilDate) return null;
  const { amountCents, terms, calendar } = repeat;
  return { seq: index + 1, dueDate, amountCents, ...deadlineOf(dueDate, terms, calendar) };
}
