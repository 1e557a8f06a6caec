import type { Ledger } from '../../src/ledger/connection';
import { verifyPromises, type Difference } from '../../src/ledger/passes/verify';

/** What `troth verify` finds in a tenant's promises. */
export async function verified(
  ledger: Ledger,
  tenantId: string,
): Promise<{ differences: Difference[]; waiting: number }> {
  const differences: Difference[] = [];
  let waiting = 0;
  for await (const part of verifyPromises(ledger, tenantId)) {
    differences.push(...part.differences);
    waiting += part.counts.waiting;
  }
  return { differences, waiting };
}
