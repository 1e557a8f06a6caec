import type { EpochMs, LocalDate } from '../calendar';
import { cents, sum, type Cents } from '../money';

/** Part of a debt: what is owed of one due date. */
export interface DebtPart {
  readonly dueDate: LocalDate;
  readonly cents: Cents;
}

/** What the CIS last said is owed on an account's debt class, overdue or not; oldest part first. */
export interface DebtStatement {
  readonly asOfMs: EpochMs;
  readonly parts: readonly DebtPart[];
}

/** Money that the statement cannot know of, since it came or went after it. */
export interface MoneySince {
  /** Payments posted after the statement that have not been reversed. */
  readonly paidCents: Cents;
  /** Payments posted by then and reversed since. */
  readonly returnedCents: Cents;
  /** The day on which the last of it went back; null when none did. */
  readonly returnedOn: LocalDate | null;
}

/** What of a debt is past due on a day. */
export interface DebtOn {
  readonly arrearsCents: Cents;
  /** What is past due, oldest first; sums to the arrears. */
  readonly parts: readonly DebtPart[];
  /** What is owed but not past due, oldest first. */
  readonly notDue: readonly DebtPart[];
  /** What that comes to. */
  readonly notDueCents: Cents;
  readonly paidSinceCents: Cents;
  readonly returnedSinceCents: Cents;
}

/**
 * R30: what is past due on a day, of a debt as the CIS last stated it. A promise shields less as soon as money comes, so the
 * arrears must know of that money too: what was paid since is taken off the oldest parts first, and what went back since is
 * owed again, on the oldest part; where nothing was owed any more, as due on the day on which it went back.
 * @param today the tenant's day; a part is past due from the day after its due date.
 */
export function debtOn({ parts }: DebtStatement, since: MoneySince, today: LocalDate): DebtOn {
  const { paidCents, returnedCents, returnedOn } = since;
  const owed = afterMoney(parts, paidCents - returnedCents, returnedOn ?? today);
  const isPastDue = ({ dueDate }: DebtPart): boolean => dueDate < today;
  const late = owed.every(isPastDue) ? owed : owed.filter(isPastDue);
  const arrearsCents = totalOf(late);
  return {
    arrearsCents,
    parts: late,
    notDue: late === owed ? [] : owed.filter((part) => !isPastDue(part)),
    notDueCents: cents(totalOf(owed) - arrearsCents),
    paidSinceCents: paidCents,
    returnedSinceCents: returnedCents,
  };
}

function afterMoney(parts: readonly DebtPart[], net: number, returnedOn: LocalDate): readonly DebtPart[] {
  if (net === 0) return parts;
  if (net > 0) return lessOldestFirst(parts, net);
  const [oldest, ...rest] = parts;
  if (oldest === undefined) return [{ dueDate: returnedOn, cents: cents(-net) }];
  return [{ ...oldest, cents: cents(oldest.cents - net) }, ...rest];
}

/** What is left of some parts when an amount is taken off them, oldest first; never below zero. */
export function lessOldestFirst(parts: readonly DebtPart[], amountCents: number): DebtPart[] {
  const left: DebtPart[] = [];
  let less = amountCents;
  for (const part of parts) {
    const taken = Math.min(part.cents, less);
    less -= taken;
    if (taken < part.cents) left.push({ ...part, cents: cents(part.cents - taken) });
  }
  return left;
}

/** What some parts come to. */
export function totalOf(parts: readonly DebtPart[]): Cents {
  return sum(parts.map((part) => part.cents));
}
