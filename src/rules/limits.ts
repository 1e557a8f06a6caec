import { downPaymentOf, type AgreedPart } from './agreement';
import { addDays, daysBetween, type LocalDate } from './calendar';
import type { Evaluation } from './decide';
import { SELF, type Line, type PromiseFacts } from './facts';
import { cents, formatMoney, sum, type Cents } from './money';
import { percentOf, type Limits } from './policy';

/** Why an agreement is refused: the limit by its option's name, the field and value at fault, and what to do. */
export interface Refusal {
  readonly limit: string;
  readonly field: string;
  readonly value: string;
  readonly message: string;
}

/** What is asked for. */
export interface Asked {
  readonly startDate: LocalDate;
  readonly currency: string;
  /** In order of due date. */
  readonly parts: readonly AgreedPart[];
  /** R22: without an end there is no total to compare. */
  readonly isOpenEnded: boolean;
}

/** What is known of the account when somebody asks. */
export interface AccountStanding {
  /** The promise of this payor on this debt that is open. */
  readonly openOnDebt: string | null;
  /** Open promises of the account over all debt classes. */
  readonly openPromises: number;
  /** The local dates on which promises of the account broke that are broken still (R34). */
  readonly brokenOn: readonly LocalDate[];
  /** What is owed on the debt class; null where that is not known. */
  readonly arrearsCents: Cents | null;
}

/** R25: everything that stands against a new promise. A value at a limit is allowed. */
export function refusalsOf(limits: Limits, asked: Asked, account: AccountStanding): Refusal[] {
  return [
    ...activeRefusal(account),
    ...scheduleRefusals(limits, asked),
    ...firstPaymentRefusals(limits, asked),
    ...arrearsRefusals(limits, asked, account.arrearsCents),
    ...recordRefusals(limits, asked, account),
  ];
}

/**
 * R18: everything that stands against an amendment: limits see paid and new lines together. What concerns the beginning of
 * a promise, such as its first payment or the customer's record, is not asked again.
 */
export function amendmentRefusals(
  limits: Limits,
  asked: Asked,
  account: Pick<AccountStanding, 'arrearsCents'>,
): Refusal[] {
  return [...scheduleRefusals(limits, asked), ...arrearsRefusals(limits, asked, account.arrearsCents)];
}

function activeRefusal({ openOnDebt }: AccountStanding): Refusal[] {
  if (openOnDebt === null) return [];
  const message = `has an active promise on this debt already, ${openOnDebt}; amend or cancel it first (R25)`;
  return [{ limit: 'one active promise', field: 'accountId', value: openOnDebt, message }];
}

function scheduleRefusals(limits: Limits, asked: Asked): Refusal[] {
  return [...lengthRefusals(limits, asked), ...amountRefusals(limits, asked)];
}

function lengthRefusals(limits: Limits, { startDate, parts, isOpenEnded }: Asked): Refusal[] {
  const { maxInstallments, maxHorizonDays } = limits;
  const refusals: Refusal[] = [];
  if (maxInstallments !== undefined && (parts.length > maxInstallments || isOpenEnded)) {
    refusals.push({
      limit: 'maxInstallments',
      field: 'installments',
      value: isOpenEnded ? 'without an end' : String(parts.length),
      message: `are more than the ${maxInstallments} that the policy allows (maxInstallments)`,
    });
  }
  const last = parts.at(-1);
  if (maxHorizonDays === undefined || last === undefined) return refusals;
  const latest = addDays(startDate, maxHorizonDays);
  if (isOpenEnded || last.dueDate > latest) {
    refusals.push({
      limit: 'maxHorizonDays',
      field: 'dueDate',
      value: isOpenEnded ? 'without an end' : last.dueDate,
      message: `lies after ${latest}, ${maxHorizonDays} days from the start, the longest that the policy allows (maxHorizonDays)`,
    });
  }
  return refusals;
}

function amountRefusals(limits: Limits, { currency, parts }: Asked): Refusal[] {
  const { minInstallmentCents = 0, minInstallmentPercent } = limits;
  const byPercent =
    minInstallmentPercent === undefined ? 0 : percentOf(totalOf(parts), minInstallmentPercent).ceil;
  const least = cents(Math.max(minInstallmentCents, byPercent));
  const small = parts.find(({ amountCents }) => amountCents < least);
  if (small === undefined) return [];
  const isPercent = byPercent > minInstallmentCents;
  const limit = isPercent ? 'minInstallmentPercent' : 'minInstallmentCents';
  const why = isPercent ? `${minInstallmentPercent} % of the total` : 'the least that the policy allows';
  const value = formatMoney(small.amountCents, currency);
  const message = `is less than ${formatMoney(least, currency)}, ${why} (${limit})`;
  return [{ limit, field: 'amountCents', value, message }];
}

function firstPaymentRefusals(limits: Limits, { startDate, currency, parts }: Asked): Refusal[] {
  const { maxDaysToFirstPayment } = limits;
  const [first] = parts;
  if (first === undefined) return [];
  const refusals: Refusal[] = [];
  const days = daysBetween(startDate, first.dueDate);
  if (maxDaysToFirstPayment !== undefined && days > maxDaysToFirstPayment) {
    refusals.push(
      tooFarAway('maxDaysToFirstPayment', first.dueDate, days, maxDaysToFirstPayment, 'the first payment'),
    );
  }
  return [...refusals, ...downPaymentRefusals(limits, { startDate, currency, parts })];
}

function tooFarAway(limit: string, value: string, days: number, most: number, what: string): Refusal {
  const message = `lies ${days} days after the start; ${what} is due within ${most} days (${limit})`;
  return { limit, field: 'dueDate', value, message };
}

function downPaymentRefusals(
  limits: Limits,
  { startDate, currency, parts }: Pick<Asked, 'startDate' | 'currency' | 'parts'>,
): Refusal[] {
  const { downPaymentWithinDays } = limits;
  const [first] = parts;
  if (first === undefined) return [];
  const refusals: Refusal[] = [];
  const down = downPaymentOf(limits, totalOf(parts));
  if (down === null) return refusals;
  const days = daysBetween(startDate, first.dueDate);
  if (downPaymentWithinDays !== undefined && days > downPaymentWithinDays) {
    refusals.push(
      tooFarAway('downPaymentWithinDays', first.dueDate, days, downPaymentWithinDays, 'the down payment'),
    );
  }
  if (first.amountCents < down) {
    const limit = limits.downPaymentCents === down ? 'downPaymentCents' : 'downPaymentPercent';
    const message = `is less than the down payment of ${formatMoney(down, currency)} that the policy asks for (${limit})`;
    refusals.push({ limit, field: 'amountCents', value: formatMoney(first.amountCents, currency), message });
  }
  return refusals;
}

function arrearsRefusals(
  { totalVersusArrears = 'any' }: Limits,
  { currency, parts, isOpenEnded }: Asked,
  arrears: Cents | null,
): Refusal[] {
  if (totalVersusArrears === 'any' || arrears === null || isOpenEnded) return [];
  const total = totalOf(parts);
  if (totalVersusArrears === 'equal' ? total === arrears : total <= arrears) return [];
  const must = totalVersusArrears === 'equal' ? 'must equal' : 'must not exceed';
  const message = `${must} the arrears of ${formatMoney(arrears, currency)} (totalVersusArrears: ${totalVersusArrears})`;
  return [{ limit: 'totalVersusArrears', field: 'totalCents', value: formatMoney(total, currency), message }];
}

function recordRefusals(limits: Limits, { startDate }: Asked, account: AccountStanding): Refusal[] {
  const { maxOpenPromises, lockOutDays, maxBroken, maxBrokenWithinDays } = limits;
  const refusals: Refusal[] = [];
  if (maxOpenPromises !== undefined && account.openPromises >= maxOpenPromises) {
    refusals.push({
      limit: 'maxOpenPromises',
      field: 'accountId',
      value: String(account.openPromises),
      message: `has as many open promises as the policy allows, ${maxOpenPromises} (maxOpenPromises)`,
    });
  }
  const lastBroken = account.brokenOn.reduce((last, day) => (day > last ? day : last), '' as LocalDate);
  if (lockOutDays !== undefined && lastBroken !== '' && startDate <= addDays(lastBroken, lockOutDays)) {
    refusals.push({
      limit: 'lockOutDays',
      field: 'accountId',
      value: lastBroken,
      message: `broke a promise on ${lastBroken}; the next may begin after ${addDays(lastBroken, lockOutDays)}, ${lockOutDays} days later (lockOutDays)`,
    });
  }
  if (maxBroken !== undefined && maxBrokenWithinDays !== undefined) {
    const since = addDays(startDate, -maxBrokenWithinDays);
    const broken = account.brokenOn.filter((day) => day >= since).length;
    if (broken > maxBroken) {
      refusals.push({
        limit: 'maxBroken',
        field: 'accountId',
        value: String(broken),
        message: `broke ${broken} promises in the last ${maxBrokenWithinDays} days; the policy allows ${maxBroken} (maxBroken)`,
      });
    }
  }
  return refusals;
}

function totalOf(parts: readonly AgreedPart[]): Cents {
  return sum(parts.map(({ amountCents }) => amountCents));
}

/**
 * R17: why staff may not cancel; null where they may. A promise that has ended is not cancelled, and with `before-due` none
 * on or after the due date of its earliest unpaid installment.
 */
export function cancelRefusal(facts: PromiseFacts, life: Evaluation, today: LocalDate): Refusal | null {
  const asked = { field: 'promiseId', value: facts.promiseId };
  if (hasEnded(life)) {
    return { ...asked, limit: 'ended', message: `has ended: it is ${life.status} and cannot be cancelled` };
  }
  if (facts.policy.cancelUntil === 'any-time') return null;
  const unpaid = life.lines.find(({ line, countedCents }) => countedCents < line.amountCents);
  if (unpaid === undefined || today < unpaid.line.dueDate) return null;
  const message = `can be cancelled only before ${unpaid.line.dueDate}, the due date of its earliest unpaid installment`;
  return { ...asked, limit: 'cancelUntil', message };
}

/**
 * R18: why a promise may not be amended; empty where it may.
 * @param parts the new installments, which replace all but the fully paid ones.
 */
export function amendRefusals(
  facts: PromiseFacts,
  life: Evaluation,
  parts: readonly AgreedPart[],
  today: LocalDate,
  arrearsCents: Cents | null,
): Refusal[] {
  const asked = { field: 'promiseId', value: facts.promiseId };
  if (hasEnded(life)) {
    return [{ ...asked, limit: 'ended', message: `has ended: it is ${life.status} and cannot be amended` }];
  }
  const early = parts.find((part) => part.dueDate < today && !standsInGrace(life, part, today));
  if (early !== undefined) {
    const message = `lies before ${today}, the day of the amendment`;
    return [{ limit: 'dueDate', field: 'dueDate', value: early.dueDate, message }];
  }
  const { startDate, currency, policy } = facts;
  const all = [...paidLines(life), ...parts].sort((a, b) =>
    a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0,
  );
  const plan = { startDate, currency, parts: all, isOpenEnded: false };
  return [
    ...amendmentRefusals(policy.limits, plan, { arrearsCents }),
    ...(life.awaitsDownPayment ? downPaymentRefusals(policy.limits, plan) : []),
    ...approvalRefusals(policy.limits, plan, life),
  ];
}

// A line in its days of grace may stay as it is while others change.
function standsInGrace(
  { lines }: Evaluation,
  { dueDate, transactionId }: AgreedPart,
  today: LocalDate,
): boolean {
  return lines.some(
    ({ line }) => line.dueDate === dueDate && line.transactionId === transactionId && line.lastDay >= today,
  );
}

// R25: what one person may not promise, one person may not amend a promise to.
function approvalRefusals(
  { approvalAboveCents }: Limits,
  { parts, currency }: Asked,
  life: Evaluation,
): Refusal[] {
  const total = totalOf(parts);
  const before = sum(life.lines.map(({ line }) => line.amountCents));
  if (approvalAboveCents === undefined || life.awaitsApproval || life.isOpenEnded) return [];
  if (total <= approvalAboveCents || total <= before) return [];
  const message = `is above ${formatMoney(approvalAboveCents, currency)}, which needs a second person's approval; cancel it and enroll it anew (approvalAboveCents)`;
  return [{ limit: 'approvalAboveCents', field: 'totalCents', value: formatMoney(total, currency), message }];
}

/** R18: the lines that an amendment leaves alone. */
export function paidLines({ lines }: Evaluation): Line[] {
  return lines.filter(({ line, countedCents }) => countedCents === line.amountCents).map(({ line }) => line);
}

/** R17 (S3): which promises a collections step ends: those of the account itself. */
export function endsByCollections({ payor }: Pick<PromiseFacts, 'payor'>): boolean {
  return payor === SELF;
}

function hasEnded({ status }: Evaluation): boolean {
  return status !== 'active' && status !== 'pending';
}
