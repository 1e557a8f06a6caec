import { rows, row, type Tx } from './connection';

/** A customer's account in the CIS, which may be keyed by customer, by premise, or by both. */
export interface Account {
  readonly accountId: string;
  readonly customerId: string | null;
  readonly premiseId: string | null;
  readonly debtClasses: readonly string[];
}

/**
 * Records accounts as the CIS has them now; a known account takes the new customer and premise, and added debt
 * classes.
 * @returns how many are new and how many were known.
 */
export async function putAccounts(
  tx: Tx,
  tenantId: string,
  accounts: readonly Account[],
): Promise<{ created: number; known: number }> {
  const stored = await rows<{ created: boolean }>(
    tx,
    `insert into account (tenant_id, account_id, customer_id, premise_id, debt_classes, created_at)
     select :tenantId, a."accountId", a."customerId", a."premiseId", a."debtClasses", :at
       from json_to_recordset(cast(:accounts as json))
         as a("accountId" text, "customerId" text, "premiseId" text, "debtClasses" text[])
     on conflict (tenant_id, account_id) do update
       set customer_id = excluded.customer_id, premise_id = excluded.premise_id,
           debt_classes = array(select distinct unnest(account.debt_classes || excluded.debt_classes) order by 1)
     returning (xmax = 0) as created`,
    { tenantId, accounts: JSON.stringify(accounts), at: new Date() },
  );
  const created = stored.filter((one) => one.created).length;
  return { created, known: stored.length - created };
}

/** An account, or undefined. */
export async function findAccount(tx: Tx, tenantId: string, accountId: string): Promise<Account | undefined> {
  return row<Account>(
    tx,
    `select account_id as "accountId", customer_id as "customerId", premise_id as "premiseId",
            debt_classes as "debtClasses"
       from account where tenant_id = :tenantId and account_id = :accountId`,
    { tenantId, accountId },
  );
}
