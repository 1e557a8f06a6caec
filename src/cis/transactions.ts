import { recordItem } from '../ledger/transactions';
import { formatMoney } from '../rules/money';
import { debtClassSchema, idSchema } from '../enrollment/enrollment';
import { byTable, loaderOf } from './file-kind';

/**
 * Records the open items of a file as the CIS has them now: what is open on an item may change, and zero closes it; the
 * item itself never changes.
 */
export const loadTransactions = loaderOf({
  columns: {
    required: ['transaction_id', 'account_id', 'debt_class', 'amount', 'due_date', 'issued_date'],
    optional: ['open_amount'],
  },
  keys: ['account_id'],
  columnOf: byTable({ transactionId: 'transaction_id', accountId: 'account_id', debtClass: 'debt_class' }),
  read(cells, { tenantId, currency }) {
    const ids = {
      transactionId: cells.checked('transaction_id', idSchema),
      accountId: cells.checked('account_id', idSchema),
      debtClass: cells.checked('debt_class', debtClassSchema),
    };
    for (const column of ['amount', 'due_date', 'issued_date']) cells.needed(column);
    const amountCents = cells.money('amount');
    const openCents =
      cells.optional('open_amount') === undefined ? amountCents : cells.money('open_amount', 0);
    const dueDate = cells.date('due_date');
    const issuedDate = cells.date('issued_date');
    if (amountCents === undefined || openCents === undefined) return undefined;
    if (dueDate === undefined || issuedDate === undefined) return undefined;
    if (openCents > amountCents) {
      cells.refuse(
        'open_amount',
        `is more than the amount of the item, ${formatMoney(amountCents, currency)}`,
      );
    }
    if (dueDate < issuedDate) cells.refuse('due_date', `lies before the date of issue, ${issuedDate}`);
    return async (ledger) => {
      const item = { ...ids, amountCents, openCents, dueDate, issuedDate };
      const { result } = await recordItem(ledger, tenantId, item);
      return result === 'recorded' ? 'taken' : 'known';
    };
  },
});
