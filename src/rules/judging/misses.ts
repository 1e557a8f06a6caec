import type { OpenLine } from './count';
import type { LocalDate } from '../calendar';
import type { PromiseFacts } from '../facts';
import { cents } from '../money';
import { toleratedCents } from '../policy';

/** A line that may have been missed when lines were judged last: unpaid then beyond the tolerance (R15). */
export interface WeighedLine extends OpenLine {
  readonly missed: boolean;
}

/**
 * R15, R12: the judged lines that are unpaid beyond the tolerance, which is cumulative: what is short on a line and on all
 * that were due before it is compared with what was promised on them.
 */
export function missedLines(
  facts: PromiseFacts,
  lines: readonly OpenLine[],
  counted: readonly number[],
): ReadonlySet<number> {
  const short = lines.filter(
    (state, index) => state.judged && state.line.amountCents - (counted[index] ?? 0) > 0,
  );
  if (short.length === 0 || isWithinTolerance(facts, lines, counted, null)) return NO_MISS;
  const missed = short.filter(({ line }) => !isWithinTolerance(facts, lines, counted, line.lastDay));
  return new Set(missed.map(({ line }) => line.seq));
}

const NO_MISS: ReadonlySet<number> = new Set();

/** R15: whether a line is missed still. A miss is found at a judge time; a catch-up payment of all of it un-misses it. */
export function isMissed({ missed, line }: WeighedLine, countedCents: number | undefined): boolean {
  return missed && (countedCents ?? 0) < line.amountCents;
}

/**
 * R12, R19: the lines that are not satisfied: neither paid, nor judged within the tolerance as long as the shortfall of the
 * judged lines stays within it.
 */
export function unsatisfiedLines<T extends WeighedLine>(
  facts: PromiseFacts,
  lines: readonly T[],
  counted: readonly number[],
): T[] {
  const open = lines.filter(({ line }, index) => (counted[index] ?? 0) < line.amountCents);
  if (open.length === 0) return open;
  const missed = missedLines(facts, lines, counted);
  return open.filter((state) => !state.judged || state.missed || missed.has(state.line.seq));
}

/** R12: whether what is unpaid on the judged lines with a last day up to `through` is little enough. */
function isWithinTolerance(
  { policy }: PromiseFacts,
  lines: readonly OpenLine[],
  counted: readonly number[],
  through: LocalDate | null,
): boolean {
  if (policy.toleranceCents === null && policy.tolerancePercent === null) return false;
  let promised = 0;
  let short = 0;
  lines.forEach(({ line, judged }, index) => {
    if (!judged || (through !== null && line.lastDay > through)) return;
    promised += line.amountCents;
    short += line.amountCents - (counted[index] ?? 0);
  });
  return short <= toleratedCents(policy, cents(promised));
}
