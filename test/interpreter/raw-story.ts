/** From drawn numbers to a scenario. */
import { addDays, weekdayOf } from './dates';
import { calendarOf, periodsOf } from './calendar';
import { policyOf } from './policy';
import {
  defined,
  installmentsOf,
  type RawLimits,
  type RawPromise,
  type RawStory,
  type Setting,
  sumOf,
} from './raw';
import { eventsOf } from './raw-events';
import {
  type Limits,
  type LocalDate,
  type Scenario,
  type ScenarioInstallment,
  type ScenarioPolicy,
  type ScenarioPromise,
  type ScenarioRepeat,
  type ScenarioTenant,
  type ScenarioTransaction,
} from './scenario';

const PROMISE_IDS = ['P', 'Q', 'R'];

export function storyOf(raw: RawStory): Scenario {
  const [timeZone, day] = raw.place;
  const tenant: ScenarioTenant = defined<ScenarioTenant>({
    timeZone,
    closedDays: raw.closedDays.length === 0 ? undefined : raw.closedDays.map((days) => addDays(day, days)),
    weekend: raw.weekend === undefined ? undefined : [...raw.weekend],
    cutoff: raw.cutoff,
  });
  const promises = raw.promises.map((one, i) => promiseOf(one, PROMISE_IDS[i] ?? `P${i}`, day));
  const lines = promises.map(linesOf);
  const limits = limitsOf(raw.limits, promises, lines);
  const policy = defined<ScenarioPolicy>({
    ...raw.policy,
    limits: Object.keys(limits).length === 0 ? undefined : limits,
  });
  const calendar = calendarOf(tenant);
  const bills = raw.bills.map((bill, i) => {
    const issued = addDays(promises[0]?.startDate ?? day, bill.issuedDays);
    return { id: `BILL-${i + 1}`, amountCents: bill.cents, issued, dueDate: addDays(issued, bill.dueDays) };
  });
  const setting: Setting = {
    day,
    zone: calendar.zone,
    calendar,
    policy: policyOf(policy),
    promises,
    lines,
    bills,
  };
  const transactions = [...invoicesOf(lines), ...(raw.policy.stayCurrent === true ? bills : [])];
  const events = eventsOf(setting, [...raw.regular, ...raw.events]);
  const arrears = arrearsOf(setting, raw.arrears);
  return defined<Scenario>({
    id: 'random',
    title: 'A random story',
    source: 'test/interpreter/arbitrary.ts',
    tenant,
    policy,
    transactions: transactions.length === 0 ? undefined : transactions,
    arrears,
    promises,
    events: events.length === 0 ? undefined : events,
  });
}

// ---------------------------------------------------------------- promises

function promiseOf(raw: RawPromise, id: string, day: LocalDate): ScenarioPromise {
  const startDate = addDays(day, raw.startsAfterDays);
  const first = addDays(startDate, raw.firstDueDays);
  const who = raw.payor === 'self' ? {} : { payor: raw.payor };
  if (raw.terms.kind === 'list') {
    const bound = raw.terms.bound === true;
    return { id, ...who, startDate, installments: installmentsOf(raw.terms.lines, first, bound) };
  }
  const { every, ends, cents, autoManage } = raw.terms;
  const firstDueDate = firstPeriod(every, first);
  const repeat = defined<ScenarioRepeat>({
    firstDueDate,
    // Cents of an endless promise would make thousands of periods of one payment.
    amountCents: ends.by === 'never' ? Math.max(50, cents) : cents,
    every,
    count: ends.by === 'count' ? ends.count : undefined,
    until: ends.by === 'until' ? addDays(firstDueDate, ends.days) : undefined,
    autoManage: autoManage ? undefined : false,
  });
  return { id, ...who, startDate, repeat };
}

/** The first day on or after a date that fits the period. */
function firstPeriod(every: string, from: LocalDate): LocalDate {
  const days = /^[0-9]+[+]/.test(every)
    ? every.split('+').map(Number)
    : every === 'half-month'
      ? [1, 15]
      : null;
  const weekdays = /^[a-z]{3}[+]/.test(every) ? every.split('+') : null;
  let date = from;
  const fits = (): boolean =>
    (days?.includes(Number(date.slice(8))) ?? true) && (weekdays?.includes(weekdayOf(date)) ?? true);
  while (!fits()) date = addDays(date, 1);
  return date;
}

/** The lines of a promise; of an endless one the first five. */
export function linesOf({ installments, repeat }: ScenarioPromise): ScenarioInstallment[] {
  if (repeat === undefined) return installments ?? [];
  const dueDateOf = periodsOf(repeat);
  const most = repeat.count ?? (repeat.until === undefined ? 5 : Infinity);
  const lines = [];
  for (let i = 0; i < most && (repeat.until === undefined || dueDateOf(i) <= repeat.until); i++) {
    lines.push({ dueDate: dueDateOf(i), amountCents: repeat.amountCents });
  }
  return lines;
}

function limitsOf(raw: RawLimits, promises: ScenarioPromise[], lines: ScenarioInstallment[][]): Limits {
  const [promise, own] = [promises[0], lines[0] ?? []];
  const [first, last] = [own[0], own.at(-1)];
  if (promise === undefined || first === undefined || last === undefined) return {};
  const daysTo = (date: LocalDate): number => (Date.parse(date) - Date.parse(promise.startDate)) / 86_400_000;
  const near = (value: number, more: number | undefined, least = 0): number | undefined =>
    more === undefined ? undefined : Math.max(least, value + more);
  const { approvalAbove, ...rest } = raw;
  const limits = defined<Limits>({
    ...rest,
    maxInstallments: near(own.length, raw.maxInstallments, 1),
    maxDaysToFirstPayment: near(daysTo(first.dueDate), raw.maxDaysToFirstPayment),
    maxHorizonDays: near(daysTo(last.dueDate), raw.maxHorizonDays),
    minInstallmentCents: near(Math.min(...own.map((line) => line.amountCents)), raw.minInstallmentCents, 1),
    downPaymentCents: near(first.amountCents, raw.downPaymentCents, 1),
    downPaymentWithinDays: near(daysTo(first.dueDate), raw.downPaymentWithinDays),
    approvalAboveCents: near(sumOf(own), approvalAbove),
    maxBrokenWithinDays: raw.maxBroken === undefined ? undefined : raw.maxBrokenWithinDays,
  });
  const plain = promises.every(({ repeat }) => repeat === undefined || isCounted(repeat));
  return withoutIdle(plain ? limits : withoutTotals(limits));
}

/** A limit that says nothing without another one is a mistake in a file. */
function withoutIdle(limits: Limits): Limits {
  const { downPaymentUse, downPaymentWithinDays, downPaymentMissed, approvalWithinDays, ...others } = limits;
  const asksDown = others.downPaymentCents !== undefined || others.downPaymentPercent !== undefined;
  return defined<Limits>({
    ...others,
    ...(asksDown ? { downPaymentUse, downPaymentWithinDays, downPaymentMissed } : {}),
    ...(others.approvalAboveCents === undefined ? {} : { approvalWithinDays }),
  });
}

const isCounted = ({ count, until, autoManage }: ScenarioRepeat): boolean =>
  (count !== undefined || until !== undefined) && autoManage !== false;

/** The rule book does not say what these mean for a promise without a total, or one that nobody counts. */
function withoutTotals(limits: Limits): Limits {
  const {
    maxInstallments: _1,
    maxHorizonDays: _2,
    minInstallmentPercent: _3,
    downPaymentCents: _4,
    downPaymentPercent: _5,
    totalVersusArrears: _6,
    approvalAboveCents: _7,
    ...others
  } = limits;
  return others;
}

/** Invoices that the lines of promises name. */
function invoicesOf(lines: ScenarioInstallment[][]): ScenarioTransaction[] {
  const all = lines.flat();
  const ids = [...new Set(all.flatMap(({ transaction }) => transaction ?? []))].sort();
  return ids.map((id) => {
    const own = all.filter(({ transaction }) => transaction === id);
    return { id, amountCents: sumOf(own), dueDate: own[0]?.dueDate ?? '' };
  });
}

function arrearsOf({ promises, lines, day }: Setting, raw: RawStory['arrears']): Scenario['arrears'] {
  if (raw === undefined || promises.length === 0) return undefined;
  const first = { from: day, cents: Math.max(0, sumOf(lines[0] ?? []) + raw.more) };
  const changes = raw.changes.map(({ days, cents }) => ({ from: addDays(day, days), cents }));
  const byDay = new Map([first, ...changes].map((one) => [one.from, one]));
  return [...byDay.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
}
