import { endOfDayMs, addDays, type EpochMs, type LocalDate } from './calendar';
import type { BusinessCalendar } from './business-days';
import { deadlineOf, type DeadlineTerms } from './schedules/deadline';
import type { Approval, Line } from './facts';
import { cents, sum, type Cents } from './money';
import { percentOf, type Limits, type PolicyOptions } from './policy';
import type { ScheduledPart } from './schedules/schedule';

/** One dated part of a promise, of an open item where it names one (R24). */
export interface AgreedPart extends ScheduledPart {
  readonly transactionId?: string;
}

/** R4 (S3): the terms of a promise's deadlines; some pay methods have days of grace of their own. */
export function termsFor(policy: PolicyOptions, payMethod: string | null): DeadlineTerms {
  const { graceDays, graceDaysByPayMethod, graceUnit, dueDateRoll, postingLagHours } = policy;
  const own =
    payMethod !== null && Object.hasOwn(graceDaysByPayMethod, payMethod)
      ? graceDaysByPayMethod[payMethod]
      : undefined;
  return { graceDays: own ?? graceDays, graceUnit, dueDateRoll, postingLagHours };
}

/** In order of due date; parts of one day in the order in which they were agreed. */
export function inOrder<T extends ScheduledPart>(parts: readonly T[]): T[] {
  return [...parts].sort((a, b) => (a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0));
}

/**
 * The lines of an agreement, in order of due date, with their deadlines (R4, R5, R7).
 * @param firstIsDownPayment R25: a down payment has no grace.
 */
export function linesFor(
  parts: readonly AgreedPart[],
  terms: DeadlineTerms,
  calendar: BusinessCalendar,
  firstIsDownPayment = false,
): Line[] {
  return inOrder(parts).map(({ dueDate, amountCents, transactionId }, index) => ({
    seq: index + 1,
    dueDate,
    amountCents,
    ...deadlineOf(dueDate, firstIsDownPayment && index === 0 ? { ...terms, graceDays: 0 } : terms, calendar),
    ...(transactionId === undefined ? {} : { transactionId }),
  }));
}

/** R25: the least first installment that makes a promise begin; null where none is asked. */
export function downPaymentOf(limits: Limits, total: Cents): Cents | null {
  const { downPaymentCents: fixed, downPaymentPercent, downPaymentUse = 'max' } = limits;
  const percent = downPaymentPercent === undefined ? undefined : percentOf(total, downPaymentPercent).ceil;
  if (fixed === undefined) return percent === undefined ? null : cents(percent);
  if (percent === undefined) return fixed;
  return cents(downPaymentUse === 'max' ? Math.max(fixed, percent) : Math.min(fixed, percent));
}

/**
 * R25: the approval that a promise needs, null where none. It may be given until its last day ends, and never after the
 * first verdict would have been due.
 */
export function approvalFor(
  limits: Limits,
  lines: readonly Line[],
  startDate: LocalDate,
  timeZone: string,
  repeats: boolean,
): Approval | null {
  const { approvalAboveCents, approvalWithinDays } = limits;
  const total = sum(lines.map(({ amountCents }) => amountCents));
  if (approvalAboveCents === undefined || (total <= approvalAboveCents && !repeats)) return null;
  let deadlineMs = Math.min(...lines.map(({ judgeAtMs }) => judgeAtMs));
  if (approvalWithinDays !== undefined) {
    deadlineMs = Math.min(deadlineMs, endOfDayMs(addDays(startDate, approvalWithinDays), timeZone));
  }
  return { deadlineMs: deadlineMs as EpochMs, decision: null };
}
