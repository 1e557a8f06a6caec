/** What a collections case is about: one debt class of one account. */
export interface CaseKey {
  readonly tenantId: string;
  readonly accountId: string;
  readonly debtClass: string;
}

/** The condition that a row is of the case; bind the key's fields. */
export const OF_CASE = 'tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass';
