import type { Ledger } from '../ledger/connection';

/** What became of work that was done in one transaction, and whether it is to stay. */
export interface Together<T> {
  readonly value: T;
  readonly keep: boolean;
}

/** Takes a transaction back without an error for anybody. */
class TakenBack<T> extends Error {
  readonly value: T;
  constructor(value: T) {
    super('taken back');
    this.value = value;
  }
}

/**
 * Runs use cases that open transactions of their own within a single one: all that they did stays, or nothing. What it
 * does one after the other it may lock for long; keep it short.
 */
export async function together<T>(
  ledger: Ledger,
  tenantId: string,
  work: (ledger: Ledger) => Promise<Together<T>>,
): Promise<T> {
  try {
    return await ledger.forTenant(tenantId, async (tx) => {
      // Within a transaction, knex makes a savepoint of another one, to which an error goes back.
      const { value, keep } = await work({ ...ledger, forTenant: (_, inner) => tx.transaction(inner) });
      if (!keep) throw new TakenBack(value);
      return value;
    });
  } catch (error) {
    if (error instanceof TakenBack) return (error as TakenBack<T>).value;
    throw error;
  }
}
