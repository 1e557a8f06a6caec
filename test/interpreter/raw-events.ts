/** The events of a random story: near the dates, judge times and amounts of its promises. */
import { addDays, type Zone } from './dates';
import { lastDayOf } from './calendar';
import {
  defined,
  installmentsOf,
  type RawEvent,
  type RawPayment,
  type Setting,
  sumOf,
  type When,
} from './raw';
import { type Moment, type ScenarioEvent, type ScenarioInstallment } from './scenario';

function momentNear(setting: Setting, when: When): Moment {
  const { promises, lines, zone, calendar, policy } = setting;
  const which = when.promise % promises.length;
  const startDate = promises[which]?.startDate ?? setting.day;
  const own = lines[which] ?? [];
  const due = own[when.line % Math.max(1, own.length)]?.dueDate ?? startDate;
  const lastDay = lastDayOf(calendar, policy, due);
  if (when.near === 'judge') {
    const judged = zone.endOfDay(lastDay) + policy.postingLagHours * 3_600_000;
    return zone.momentOf(judged + when.days * 86_400_000 + when.minutes * 60_000);
  }
  const day = { start: startDate, due, 'last-day': lastDay }[when.near];
  return existing(zone, `${addDays(day, when.days)}${when.time ?? ''}`);
}

/** Where the clock skips a time, the time that it shows instead. */
const existing = (zone: Zone, moment: Moment): Moment =>
  moment.includes('T') ? zone.momentOf(zone.instant(moment)) : moment;

const momentNoon = (moment: Moment): Moment => (moment.includes('T') ? moment : `${moment}T12:00`);

/** The events of a story in order of time; those of one instant in the order drawn. */
export function eventsOf(setting: Setting, raw: RawEvent[]): ScenarioEvent[] {
  const { zone } = setting;
  const payments = raw
    .filter((event) => event.kind === 'payment')
    .map((event, i) => paymentOf(setting, event, `pay${i + 1}`));
  let next = 0;
  const events = raw.flatMap((event): ScenarioEvent[] => {
    if (event.kind === 'payment') {
      const payment = payments[next++];
      return payment === undefined ? [] : [payment];
    }
    if (event.kind === 'reversal') return reversalOf(setting, event, payments);
    const promise = setting.promises[event.when.promise % setting.promises.length]?.id ?? '';
    const at = momentNear(setting, event.when);
    switch (event.kind) {
      case 'amend':
        return [{ at, type: 'amend', promise, installments: amendedLines(setting, event, at) }];
      case 'cancel':
        return [{ at, type: 'cancel', promise, reason: event.reason }];
      case 'approve':
      case 'reject':
        return [{ at, type: event.kind, promise }];
      case 'balance-cleared':
      case 'service-stopped':
      case 'collection-event':
      case 'account-closed':
        return [{ at, type: event.kind }];
    }
  });
  return events.sort((a, b) => zone.instant(a.at) - zone.instant(b.at));
}

function paymentOf(setting: Setting, raw: RawPayment, id: string): ScenarioEvent {
  const which = raw.when.promise % setting.promises.length;
  const at = momentNear(setting, raw.when);
  const postedAt = postedOf(setting, raw, at);
  const bill = setting.policy.stayCurrent ? setting.bills[raw.bill ?? setting.bills.length] : undefined;
  if (bill !== undefined) {
    const amountCents = Math.max(1, bill.amountCents + raw.amount.more);
    const applied = { [bill.id]: amountCents };
    return defined<ScenarioEvent>({ at, type: 'payment', id, amountCents, postedAt, applied });
  }
  const own = setting.lines[which] ?? [];
  const amountCents = amountOf(own, raw);
  const payor = raw.payor === 'promise' ? (setting.promises[which]?.payor ?? 'self') : raw.payor;
  const half = Math.floor(amountCents / 2);
  const split = raw.payor === 'split' && half > 0;
  const tenders = [
    { payor: setting.promises[which]?.payor ?? 'self', amountCents: amountCents - half },
    { payor: setting.promises[which]?.payor === undefined ? 'agency' : 'self', amountCents: half },
  ];
  return defined<ScenarioEvent>({
    at,
    type: 'payment',
    id,
    amountCents,
    payor: split || payor === 'self' || payor === 'split' ? undefined : payor,
    tenders: split ? tenders : undefined,
    postedAt,
    applied: appliedOf(own, raw, amountCents),
  });
}

function postedOf(
  { zone, lines, calendar, policy, promises }: Setting,
  raw: RawPayment,
  at: Moment,
): Moment | undefined {
  const { posted } = raw;
  const day = at.slice(0, 10);
  switch (posted.how) {
    case 'at-once':
      return undefined;
    case 'ahead':
      return `${addDays(day, -posted.days)}T09:00`;
    case 'later': {
      const moment = existing(zone, `${addDays(day, posted.days)}${posted.time ?? 'T08:00'}`);
      return zone.instant(moment) > zone.instant(at) ? moment : undefined;
    }
    case 'judge': {
      const own = lines[raw.when.promise % promises.length] ?? [];
      const due = own[posted.line % Math.max(1, own.length)]?.dueDate ?? day;
      const judged = zone.endOfDay(lastDayOf(calendar, policy, due)) + policy.postingLagHours * 3_600_000;
      const moment = zone.momentOf(judged + posted.minutes * 60_000);
      return zone.instant(moment) > zone.instant(at) ? moment : undefined;
    }
  }
}

/** What is due, or one cent more or less. */
function amountOf(lines: ScenarioInstallment[], raw: RawPayment): number {
  const line = raw.when.line % Math.max(1, lines.length);
  const lineCents = lines[line]?.amountCents ?? 1;
  const cents = {
    line: lineCents,
    total: sumOf(lines),
    'first-lines': sumOf(lines.slice(0, line + 1)),
    'half-line': Math.ceil(lineCents / 2),
    rest: sumOf(lines.slice(line)),
  }[raw.amount.of];
  return Math.max(1, cents + raw.amount.more);
}

/** To the transactions that the lines name: as much as each needs, all to one, or turned around. */
function appliedOf(
  lines: ScenarioInstallment[],
  raw: RawPayment,
  amountCents: number,
): Record<string, number> | undefined {
  const named = lines.filter((line) => line.transaction !== undefined);
  if (named.length === 0 || raw.applied === 'none') return undefined;
  const start = raw.when.line % named.length;
  const inTurn = [...named.slice(start), ...named.slice(0, start)];
  if (raw.applied === 'swapped') inTurn.reverse();
  const applied: Record<string, number> = {};
  let left = amountCents;
  for (const { transaction = '', amountCents: wanted } of inTurn) {
    const cents = raw.applied === 'one' ? left : Math.min(left, wanted);
    if (cents > 0) applied[transaction] = (applied[transaction] ?? 0) + cents;
    left -= cents;
  }
  return applied;
}

function reversalOf(
  { zone }: Setting,
  raw: Extract<RawEvent, { kind: 'reversal' }>,
  payments: ScenarioEvent[],
): ScenarioEvent[] {
  const payment = payments[raw.payment % Math.max(1, payments.length)];
  if (payment?.id === undefined) return [];
  const postedAt = momentNoon(payment.postedAt ?? payment.at);
  const receivedOrPosted = [momentNoon(payment.at), postedAt].sort().at(-1) ?? postedAt;
  const wanted = existing(zone, `${addDays(receivedOrPosted.slice(0, 10), raw.afterDays)}${raw.time ?? ''}`);
  const at = zone.instant(wanted) > zone.instant(receivedOrPosted) ? wanted : receivedOrPosted;
  const other = raw.learnedWith === undefined ? undefined : payments[raw.learnedWith % payments.length];
  const otherPosted = other === undefined ? at : (other.postedAt ?? other.at);
  const learned =
    zone.instant(otherPosted) > zone.instant(at)
      ? otherPosted
      : existing(zone, `${addDays(at.slice(0, 10), raw.learnedDays)}T08:00`);
  const late = zone.instant(learned) > zone.instant(at) ? { postedAt: learned } : {};
  return [{ at, type: 'reversal', payment: payment.id, reason: 'nsf', ...late }];
}

/** New lines from the day of the amendment on; sometimes with the total of the old ones. */
function amendedLines(
  setting: Setting,
  raw: Extract<RawEvent, { kind: 'amend' }>,
  at: Moment,
): ScenarioInstallment[] {
  const which = raw.when.promise % setting.promises.length;
  const old = setting.lines[which] ?? [];
  const bound = old.some((line) => line.transaction !== undefined);
  const first = addDays(at.slice(0, 10), (raw.lines[0]?.gapDays ?? 0) - 1);
  const lines = installmentsOf(raw.lines, first, bound);
  const last = lines.at(-1);
  const missing = sumOf(old) - sumOf(lines);
  if (raw.sameTotal && last !== undefined && last.amountCents + missing > 0) last.amountCents += missing;
  return lines;
}
