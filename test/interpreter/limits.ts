/** R25: who may promise what. Each refusal names the limit and the value. */
import { addDays, daysBetween, earliest } from './dates';
import { downPaymentOf, percentUp } from './policy';
import { type LocalDate } from './scenario';
import { isLive, lastDueDate, type Line, type PromiseState, type State, totalOf, type World } from './world';

export interface Proposal {
  payor: string;
  startDate: LocalDate;
  lines: Line[];
  /** Open-ended: no number of installments, no last date and no total. */
  endless: boolean;
}

/** Why a new promise is refused; null when it is accepted. */
export function refusalOf(world: World, state: State, proposal: Proposal): string | null {
  const { limits } = world.policy;
  const { startDate, lines } = proposal;
  const live = state.promises.filter(isLive);
  const own = live.find((promise) => promise.payor === proposal.payor);
  if (own !== undefined) return `${own.id} of the same payor is active`;
  if (lines.length === 0) return 'no installments';
  if (limits.maxOpenPromises !== undefined && live.length + 1 > limits.maxOpenPromises) {
    return `maxOpenPromises ${limits.maxOpenPromises}: ${live.length} open already`;
  }
  const first = earliest(lines.map((line) => line.dueDate)) ?? startDate;
  const daysToFirst = daysBetween(startDate, first);
  if (limits.maxDaysToFirstPayment !== undefined && daysToFirst > limits.maxDaysToFirstPayment) {
    return `maxDaysToFirstPayment ${limits.maxDaysToFirstPayment}: ${daysToFirst}`;
  }
  return (
    refusalOfLines(world, proposal) ??
    refusalOfDownPayment(world, proposal, daysToFirst) ??
    refusalOfPast(world, state, startDate)
  );
}

/** The limits that an amendment must keep, too (S26). */
export function refusalOfLines(world: World, { startDate, lines, endless }: Proposal): string | null {
  const { limits } = world.policy;
  const totalCents = endless ? Infinity : totalOf(lines);
  const howMany = endless ? Infinity : lines.length;
  if (limits.maxInstallments !== undefined && howMany > limits.maxInstallments) {
    return `maxInstallments ${limits.maxInstallments}: ${howMany}`;
  }
  const horizon = endless ? Infinity : daysBetween(startDate, lastDueDate(lines) ?? startDate);
  if (limits.maxHorizonDays !== undefined && horizon > limits.maxHorizonDays) {
    return `maxHorizonDays ${limits.maxHorizonDays}: ${horizon}`;
  }
  const smallest = Math.min(...lines.map((line) => line.amountCents));
  if (limits.minInstallmentCents !== undefined && smallest < limits.minInstallmentCents) {
    return `minInstallmentCents ${limits.minInstallmentCents}: ${smallest}`;
  }
  if (limits.minInstallmentPercent !== undefined && !endless) {
    const least = percentUp(totalCents, limits.minInstallmentPercent);
    if (smallest < least)
      return `minInstallmentPercent ${limits.minInstallmentPercent}: ${smallest} of ${totalCents}`;
  }
  const arrears = arrearsOn(world, startDate);
  const versus = limits.totalVersusArrears ?? 'any';
  if (arrears === null || versus === 'any') return null;
  const fits = versus === 'equal' ? totalCents === arrears : totalCents <= arrears;
  return fits ? null : `totalVersusArrears ${versus}: ${totalCents} of ${arrears}`;
}

/** S22: the first line is the down payment. */
export function refusalOfDownPayment(
  world: World,
  { lines, endless }: Proposal,
  days: number,
): string | null {
  const { limits } = world.policy;
  const leastCents = downPaymentOf(limits, endless ? 0 : totalOf(lines));
  const first = lines[0];
  if (leastCents === null || first === undefined) return null;
  if (first.amountCents < leastCents) return `downPayment ${leastCents}: ${first.amountCents}`;
  if (limits.downPaymentWithinDays !== undefined && days > limits.downPaymentWithinDays) {
    return `downPaymentWithinDays ${limits.downPaymentWithinDays}: ${days}`;
  }
  return null;
}

/** Lock-out and the number of broken promises; one that was reopened since is not broken (S25). */
function refusalOfPast(world: World, state: State, startDate: LocalDate): string | null {
  const { lockOutDays, maxBroken, maxBrokenWithinDays } = world.policy.limits;
  const brokenOn = state.promises.flatMap((promise) => brokenDate(world, promise));
  if (lockOutDays !== undefined) {
    const locking = brokenOn.find((date) => startDate <= addDays(date, lockOutDays));
    if (locking !== undefined) return `lockOutDays ${lockOutDays}: broken on ${locking}`;
  }
  if (maxBroken === undefined) return null;
  const recent = brokenOn.filter(
    (date) => maxBrokenWithinDays === undefined || date >= addDays(startDate, -maxBrokenWithinDays),
  ).length;
  return recent > maxBroken ? `maxBroken ${maxBroken}: ${recent}` : null;
}

function brokenDate(world: World, promise: PromiseState): LocalDate[] {
  const last = promise.outcomes.at(-1);
  return promise.status === 'broken' && last !== undefined ? [world.calendar.zone.dateOf(last.atMs)] : [];
}

/** The aged debt on a day; null when the scenario tells of none. */
export function arrearsOn({ scenario }: World, date: LocalDate): number | null {
  if (scenario.arrears === undefined) return null;
  const sofar = scenario.arrears.filter(({ from }) => from <= date);
  return sofar.reduce<{ from: string; cents: number }>((last, one) => (one.from >= last.from ? one : last), {
    from: '',
    cents: 0,
  }).cents;
}
