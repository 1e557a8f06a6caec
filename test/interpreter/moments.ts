/** The moments of a scenario at which to ask what stands. */
import { addDays, latest } from './dates';
import { calendarOf, lastDayOf } from './calendar';
import { policyOf } from './policy';
import { linesOf } from './raw-story';
import { type LocalDate, type Moment, type Scenario } from './scenario';

/**
 * Each event (day and time), each start, due date and last day, the day after, the minutes around each judge time,
 * and far after the end: bare dates and local times, in order, each once.
 */
export function momentsOf(scenario: Scenario): Moment[] {
  const calendar = calendarOf(scenario.tenant);
  const policy = policyOf(scenario.policy);
  const { zone } = calendar;
  const events = scenario.events ?? [];
  const dates = new Set<LocalDate>();
  const times = new Set<Moment>();
  const day = (date: LocalDate): void => {
    dates.add(date).add(addDays(date, 1));
  };
  const around = (ms: number): void => {
    for (const minutes of [-1, 0, 1]) times.add(zone.momentOf(ms + minutes * 60_000));
  };
  const deadline = (lastDay: LocalDate): void => {
    day(lastDay);
    around(zone.endOfDay(lastDay) + policy.postingLagHours * 3_600_000);
  };

  for (const { at, postedAt, type } of events) {
    for (const moment of [at, postedAt ?? at]) {
      day(moment.slice(0, 10));
      if (moment.includes('T')) around(zone.instant(moment));
    }
    if (type === 'reversal') deadline(addDays(at.slice(0, 10), policy.reversalGraceDays));
  }
  const lines = [
    ...scenario.promises.flatMap(linesOf),
    ...events.flatMap((event) => event.installments ?? []),
  ];
  for (const { dueDate } of [...lines, ...(scenario.transactions ?? [])]) {
    day(dueDate);
    deadline(lastDayOf(calendar, policy, dueDate));
    if (policy.limits.downPaymentCents !== undefined || policy.limits.downPaymentPercent !== undefined) {
      deadline(lastDayOf(calendar, policy, dueDate, 0));
    }
  }
  for (const { startDate } of scenario.promises) {
    day(startDate);
    const { approvalWithinDays } = policy.limits;
    if (approvalWithinDays !== undefined) around(zone.endOfDay(addDays(startDate, approvalWithinDays)));
  }
  const end = latest([...dates]);
  if (end !== null) dates.add(addDays(end, 200));
  return [...dates, ...times].sort();
}
