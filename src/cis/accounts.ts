import { findAccount, putAccounts, type Account } from '../ledger/accounts';
import { debtClassSchema, idSchema } from '../enrollment/enrollment';
import type { Cells } from './cells';
import { byTable, loaderOf } from './file-kind';

const MAX_ID = 64;
const MAX_DEBT_CLASSES = 20;

/**
 * Records the accounts of a file as the CIS has them now. An account that stands in the ledger as in the file is
 * known; a changed one is taken.
 */
export const loadAccounts = loaderOf({
  columns: { required: ['account_id', 'debt_classes'], optional: ['customer_id', 'premise_id'] },
  keys: ['account_id'],
  columnOf: byTable({}),
  read(cells, { tenantId }) {
    const account = accountOf(cells);
    return (ledger) =>
      ledger.forTenant(tenantId, async (tx) => {
        const stored = await findAccount(tx, tenantId, account.accountId);
        if (stored !== undefined && isSame(stored, account)) return 'known';
        await putAccounts(tx, tenantId, [account]);
        return 'taken';
      });
  },
});

function isSame(stored: Account, account: Account): boolean {
  return (
    stored.customerId === account.customerId &&
    stored.premiseId === account.premiseId &&
    account.debtClasses.every((debtClass) => stored.debtClasses.includes(debtClass))
  );
}

function accountOf(cells: Cells): Account {
  const accountId = cells.checked('account_id', idSchema);
  const customerId = cells.short('customer_id', MAX_ID) ?? null;
  const premiseId = cells.short('premise_id', MAX_ID) ?? null;
  const debtClasses = [...new Set(splitClasses(cells.needed('debt_classes')))];
  const wrong = debtClasses.find((debtClass) => !debtClassSchema.safeParse(debtClass).success);
  if (wrong !== undefined)
    cells.refuse('debt_classes', 'must be 1 to 40 small letters, digits or dashes; write water;sewer');
  if (debtClasses.length > MAX_DEBT_CLASSES) {
    cells.refuse('debt_classes', `is one of ${debtClasses.length}; ${MAX_DEBT_CLASSES} are the most`);
  }
  return { accountId, customerId, premiseId, debtClasses };
}

function splitClasses(text: string): string[] {
  return text
    .split(';')
    .map((debtClass) => debtClass.trim())
    .filter((debtClass) => debtClass !== '');
}
