import { findAccount, putAccounts, type Account } from '../ledger/accounts';
import type { Ledger } from '../ledger/connection';
import { getTenant, type Tenant } from '../ledger/tenants';
import { debtClassSchema, idSchema } from '../enrollment/enrollment';
import { Cells } from './cells';
import { loadRows, type LoadOptions, type LoadResult, type RowAnswer } from './load';
import type { Columns, CsvRow } from './read-csv';

const COLUMNS: Columns = {
  required: ['account_id', 'debt_classes'],
  optional: ['customer_id', 'premise_id'],
};

const MAX_ID = 64;
const MAX_DEBT_CLASSES = 20;

/**
 * Records the accounts of a file as the CIS has them now. An account that stands in the ledger as in the file is
 * known; a changed one is taken.
 * @throws TrothError NOT_FOUND (tenant, file), UNAVAILABLE.
 */
export async function loadAccounts(
  ledger: Ledger,
  tenantId: string,
  file: string,
  options: LoadOptions,
): Promise<LoadResult> {
  const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
  return loadRows(
    file,
    {
      columns: COLUMNS,
      keysOf: (cells) => [`account ${cells['account_id'] ?? ''}`],
      take: (cells) => takeAccount(ledger, tenant, cells),
    },
    options,
  );
}

async function takeAccount(ledger: Ledger, tenant: Tenant, row: CsvRow['cells']): Promise<RowAnswer> {
  const cells = new Cells(row, tenant);
  const account = accountOf(cells);
  if (cells.problems.length > 0) return { result: 'rejected', problems: cells.problems };
  return ledger.forTenant(tenant.tenantId, async (tx) => {
    const stored = await findAccount(tx, tenant.tenantId, account.accountId);
    if (stored !== undefined && isSame(stored, account)) return { result: 'known' };
    await putAccounts(tx, tenant.tenantId, [account]);
    return { result: 'taken' };
  });
}

function isSame(stored: Account, account: Account): boolean {
  return (
    stored.customerId === account.customerId &&
    stored.premiseId === account.premiseId &&
    account.debtClasses.every((debtClass) => stored.debtClasses.includes(debtClass))
  );
}

function accountOf(cells: Cells): Account {
  const accountId = cells.text('account_id');
  const id = idSchema.safeParse(accountId);
  if (!id.success) cells.refuse('account_id', id.error.issues[0]?.message ?? 'is wrong');
  const shortText = (column: string): string | null => {
    const text = cells.optional(column);
    if (text !== undefined && text.length > MAX_ID)
      cells.refuse(column, `is longer than ${MAX_ID} characters`);
    return text ?? null;
  };
  const debtClasses = [...new Set(splitClasses(cells.needed('debt_classes')))];
  const wrong = debtClasses.find((debtClass) => !debtClassSchema.safeParse(debtClass).success);
  if (wrong !== undefined)
    cells.refuse('debt_classes', 'must be 1 to 40 small letters, digits or dashes; write water;sewer');
  if (debtClasses.length > MAX_DEBT_CLASSES) {
    cells.refuse('debt_classes', `is one of ${debtClasses.length}; ${MAX_DEBT_CLASSES} are the most`);
  }
  return { accountId, customerId: shortText('customer_id'), premiseId: shortText('premise_id'), debtClasses };
}

function splitClasses(text: string): string[] {
  return text
    .split(';')
    .map((debtClass) => debtClass.trim())
    .filter((debtClass) => debtClass !== '');
}
