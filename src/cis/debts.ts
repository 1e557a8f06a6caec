import { recordDebt } from '../ledger/collections/debts';
import { tenantNow, type Tenant } from '../ledger/tenants';
import { debtClassSchema, idSchema } from '../enrollment/enrollment';
import { formatLocalTime, type EpochMs } from '../rules/calendar';
import { totalOf, type DebtPart } from '../rules/collections/debt';
import { formatMoney } from '../rules/money';
import type { Cells } from './cells';
import { byTable, loaderOf } from './file-kind';
import { parseSchedule } from './schedule-text';

/**
 * Records what accounts owe as the CIS has it now, by debt class (R30): in one sum with its oldest due date, or aged. Zero
 * clears a debt; what is known as of later stays.
 */
export const loadDebts = loaderOf({
  columns: {
    required: ['account_id', 'debt_class'],
    optional: ['arrears', 'oldest_due_date', 'aged', 'as_of'],
  },
  keys: ['account_id'],
  columnOf: byTable({ accountId: 'account_id', debtClass: 'debt_class' }),
  read(cells, tenant) {
    const key = {
      accountId: cells.checked('account_id', idSchema),
      debtClass: cells.checked('debt_class', debtClassSchema),
    };
    const parts = partsOf(cells, tenant);
    const asOfMs = asOf(cells, tenant);
    if (parts === undefined || asOfMs === undefined) return undefined;
    return async (ledger) => {
      const result = await recordDebt(ledger, tenant.tenantId, { ...key, parts, asOfMs });
      return result === 'recorded' ? 'taken' : 'known';
    };
  },
});

/** @returns undefined when the cells do not say what is owed. */
function partsOf(cells: Cells, { currency }: Tenant): readonly DebtPart[] | undefined {
  const aged = agedOf(cells, currency);
  const arrears = cells.money('arrears', 0);
  const oldest = cells.date('oldest_due_date');
  if (cells.optional('aged') === undefined) {
    cells.needed('arrears');
    if (arrears === undefined) return undefined;
    if (arrears === 0) return [];
    cells.needed('oldest_due_date');
    return oldest === undefined ? undefined : [{ dueDate: oldest, cents: arrears }];
  }
  if (aged === undefined) return undefined;
  if (arrears !== undefined && arrears !== totalOf(aged)) {
    cells.refuse('arrears', `is not the sum of aged, ${formatMoney(totalOf(aged), currency)}`);
  }
  if (oldest !== undefined && oldest !== aged[0]?.dueDate) {
    cells.refuse('oldest_due_date', `is not the oldest of aged, ${aged[0]?.dueDate ?? 'which is empty'}`);
  }
  return aged;
}

/** Parts by due date, oldest first; those of nothing are left out. */
function agedOf(cells: Cells, currency: string): readonly DebtPart[] | undefined {
  const text = cells.optional('aged');
  if (text === undefined) return undefined;
  const found = parseSchedule(text, currency);
  if (typeof found === 'string') {
    cells.refuse('aged', found);
    return undefined;
  }
  const parts = found
    .map(({ dueDate, amountCents }): DebtPart => ({ dueDate, cents: amountCents }))
    .sort((a, b) => (a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0));
  const twice = parts.find(({ dueDate }, index) => parts[index + 1]?.dueDate === dueDate);
  if (twice !== undefined) {
    cells.refuse('aged', `names ${twice.dueDate} twice; put the amounts together`);
    return undefined;
  }
  if (!Number.isSafeInteger(found.reduce((sum, { amountCents }) => sum + amountCents, 0))) {
    cells.refuse('aged', 'is too large');
    return undefined;
  }
  const bound = found.find(({ transactionId }) => transactionId !== undefined);
  if (bound?.transactionId !== undefined) {
    cells.refuse('aged', `names the open item "${bound.transactionId}"; it takes dates and amounts only`);
    return undefined;
  }
  return parts.filter((part) => part.cents > 0);
}

function asOf(cells: Cells, tenant: Tenant): EpochMs | undefined {
  const nowMs = tenantNow(tenant);
  if (cells.optional('as_of') === undefined) return nowMs;
  const asOfMs = cells.time('as_of');
  if (asOfMs === undefined || asOfMs <= nowMs) return asOfMs;
  cells.refuse('as_of', `lies in the future; it is ${formatLocalTime(nowMs, tenant.timeZone)} now`);
  return undefined;
}
