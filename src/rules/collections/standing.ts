import type { LocalDate } from '../calendar';
import type { Evaluation } from '../decide';
import { cents, type Cents } from '../money';

/** How a promise stands on a day, as people ask: what is late, and what comes next. */
export interface Standing {
  readonly unpaidCents: Cents;
  /** Unpaid on lines whose agreed due date is before this day; a roll moves only the deadline (R4). */
  readonly pastDueCents: Cents;
  /** The agreed due date of the earliest line that is not fully counted. */
  readonly nextDueDate: LocalDate | null;
}

/** The standing of a promise on a day of the tenant's calendar. */
export function standingOf({ lines, unpaidCents }: Evaluation, today: LocalDate): Standing {
  let pastDue = 0;
  let nextDueDate: LocalDate | null = null;
  for (const { line, countedCents } of lines) {
    const unpaid = line.amountCents - countedCents;
    if (unpaid === 0) continue;
    if (line.dueDate < today) pastDue += unpaid;
    if (nextDueDate === null || line.dueDate < nextDueDate) nextDueDate = line.dueDate;
  }
  return { unpaidCents, pastDueCents: cents(pastDue), nextDueDate };
}

/** S1's two columns, for people who come from Oracle Advanced Collections (rule book, section 2). */
export function oracleCollectionsView(
  { status }: Pick<Evaluation, 'status'>,
  hasReachedDueDate: boolean,
): { readonly status: string; readonly state: 'Promise' | 'Broken' } {
  switch (status) {
    case 'kept':
      return { status: 'Fulfilled', state: 'Promise' };
    case 'broken':
      return { status: 'Collectible', state: 'Broken' };
    case 'cancelled':
      return { status: 'Canceled', state: 'Promise' };
    case 'pending':
      return { status: '', state: 'Promise' };
    case 'active':
      return { status: hasReachedDueDate ? 'Collectible' : '', state: 'Promise' };
  }
}
