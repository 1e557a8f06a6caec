import type { EnrollmentGround } from '../ledger/promises/promises';
import type { Tenant } from '../ledger/tenants';
import type { Problem } from '../platform/errors';
import type { AgreedPart } from '../rules/agreement';
import { addDays, daysBetween, type LocalDate } from '../rules/calendar';
import { cents, formatMoney } from '../rules/money';
import type { Enrollment } from './enrollment';

const MAX_DAYS_AHEAD = 3660;
const MAX_DAYS_BACK = 366;

/** What stands against an enrollment whatever its policy allows: dates out of reach, an unknown account, open items. */
export function objectionsTo(
  asked: {
    readonly tenant: Tenant;
    readonly enrollment: Enrollment;
    readonly startDate: LocalDate;
    /** In order of due date. */
    readonly parts: readonly AgreedPart[];
    /** The tenant's day. */
    readonly today: LocalDate;
  },
  ground: EnrollmentGround,
): Problem[] {
  const { tenant, enrollment, startDate, parts, today } = asked;
  const account = accountObjection(tenant, enrollment, ground);
  return [
    ...dateObjections(startDate, parts, today),
    ...account,
    ...(account.length > 0 ? [] : itemObjections(parts, ground, tenant.currency)),
  ];
}

/** Whether an enrollment tells of its account, which is recorded with it. */
export function tellsOfAccount({ customerId, premiseId }: Enrollment): boolean {
  return customerId !== undefined || premiseId !== undefined;
}

/**
 * What stands against the dates alone: a typing error in a year must not make a promise that nobody hears of for a
 * century, or that is broken at birth.
 * @param parts in order of due date.
 */
export function dateObjections(
  startDate: LocalDate,
  parts: readonly AgreedPart[],
  today: LocalDate,
): Problem[] {
  const last = parts.at(-1)?.dueDate ?? startDate;
  const objections: Problem[] = [];
  if (daysBetween(today, last) > MAX_DAYS_AHEAD) {
    objections.push({ field: 'dueDate', value: last, message: 'lies more than ten years ahead' });
  }
  if (startDate < addDays(today, -MAX_DAYS_BACK)) {
    objections.push({ field: 'startDate', value: startDate, message: 'lies more than a year back' });
  }
  return objections;
}

function accountObjection(
  tenant: Tenant,
  enrollment: Enrollment,
  { debtClasses }: EnrollmentGround,
): Problem[] {
  const { accountId, debtClass, currency } = enrollment;
  if (currency !== undefined && currency !== tenant.currency) {
    const message = `is not the tenant's currency, ${tenant.currency} (R1)`;
    return [{ field: 'currency', value: currency, message }];
  }
  if (tellsOfAccount(enrollment)) return [];
  if (debtClasses === null) {
    const message =
      'is not a known account; load the accounts first, or send customerId or premiseId with it';
    return [{ field: 'accountId', value: accountId, message }];
  }
  if (debtClasses.includes(debtClass)) return [];
  const message = `is not a debt class of account ${accountId}, which has ${debtClasses.join(', ')}`;
  return [{ field: 'debtClass', value: debtClass, message }];
}

// R24: a promise pays open items that are known, and no more than is open on them.
function itemObjections(
  parts: readonly AgreedPart[],
  { items }: EnrollmentGround,
  currency: string,
): Problem[] {
  const asked = new Map<string, number>();
  for (const { transactionId, amountCents } of parts) {
    if (transactionId === undefined) continue;
    asked.set(transactionId, (asked.get(transactionId) ?? 0) + amountCents);
  }
  return [...asked].flatMap(([transactionId, amount]): Problem[] => {
    const open = Object.hasOwn(items, transactionId) ? items[transactionId] : undefined;
    if (open === undefined) {
      const message = 'is not an open item of this account and debt class; load the transactions first';
      return [{ field: 'transactionId', value: transactionId, message }];
    }
    if (amount <= open) return [];
    const value = `${transactionId}: ${formatMoney(cents(amount), currency)}`;
    const message = `is more than the ${formatMoney(open, currency)} that is open on it`;
    return [{ field: 'transactionId', value, message }];
  });
}
