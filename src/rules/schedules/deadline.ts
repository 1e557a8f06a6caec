import { addBusinessDays, rollDate, type BusinessCalendar } from '../business-days';
import { addDays, deadlineAtEndOf, type Deadline, type LocalDate } from '../calendar';
import type { PolicyOptions } from '../policy';

/** The options of a policy that make a deadline. */
export type DeadlineTerms = Pick<
  PolicyOptions,
  'graceDays' | 'graceUnit' | 'dueDateRoll' | 'postingLagHours'
>;

/**
 * R4, R5, R7: the due date, rolled if the policy rolls it, plus the days of grace, ends at 24:00 local; the verdict
 * waits `postingLagHours` elapsed hours longer. Due 15 Jan with 3 days of grace may be paid through 18 Jan.
 * @throws RangeError when the calendar is closed for a year.
 */
export function deadlineOf(dueDate: LocalDate, terms: DeadlineTerms, calendar: BusinessCalendar): Deadline {
  const rolled = rollDate(dueDate, terms.dueDateRoll, calendar);
  const lastDay =
    terms.graceUnit === 'business'
      ? addBusinessDays(rolled, terms.graceDays, calendar)
      : addDays(rolled, terms.graceDays);
  return deadlineAtEndOf(lastDay, terms.postingLagHours, calendar.timeZone);
}
