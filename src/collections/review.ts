import { localDateAt } from '../rules/calendar';
import { entryOn, type ProcessDefinition } from '../rules/collections/process';
import type { Log } from '../platform/log';
import { startLoop, type Loop } from '../platform/loop';
import type { Ledger } from '../ledger/connection';
import { listProcesses } from '../ledger/collections/processes';
import { claimReview, endReview } from '../ledger/collections/debt-reviews';
import { wakeCases, withOpenCase } from '../ledger/collections/waking';
import { collectionsTarget } from '../ledger/collections/targets';
import { shieldPass, type DebtShield } from './shield';

/** What a pass over all debts found. */
export interface DebtsReviewed {
  readonly debts: number;
  /** Cases that were asked to begin. */
  readonly woken: number;
}

/**
 * Looks through all debts of a tenant for those on which a process begins today by what is not shielded, and wakes their cases;
 * each case then decides for itself. Set-based, in bounded memory; a case that is open has its own timer and is left to it.
 */
export async function reviewDebts(ledger: Ledger, tenantId: string): Promise<DebtsReviewed> {
  const [found, { settings }] = await ledger.forTenant(tenantId, async (tx) => [
    await listProcesses(tx, tenantId),
    await collectionsTarget(tx, tenantId),
  ]);
  const processes = new Map(found.map(({ debtClass, definition }) => [debtClass, definition]));
  let [debts, woken] = [0, 0];
  if (processes.size === 0 || settings.kind !== 'troth') return { debts, woken };
  for await (const page of shieldPass(ledger, tenantId)) {
    debts += page.length;
    const starting = page.filter((debt) => starts(debt, processes.get(debt.debtClass)));
    if (starting.length === 0) continue;
    woken += await ledger.forTenant(tenantId, async (tx) => {
      const open = await withOpenCase(tx, tenantId, starting);
      const asleep = starting.filter(({ accountId, debtClass }) => !open.has(`${accountId} ${debtClass}`));
      await wakeCases(tx, tenantId, asleep);
      return asleep.length;
    });
  }
  return { debts, woken };
}

function starts(debt: DebtShield, process: ProcessDefinition | undefined): boolean {
  if (process === undefined || debt.collectibleCents <= process.cancelThresholdCents) return false;
  const today = localDateAt(debt.atMs, debt.timeZone);
  return entryOn(process, debt.collectibleParts, today) !== null;
}

const LEASE_MS = 15 * 60_000;
const IDLE_MS = 5_000;
const AFTER_ERROR_MS = 60_000;

/** Looks through the debts of each tenant once on each of its days, and soon after debts were loaded; for ever. */
export function startReviewing(deps: { readonly ledger: Ledger; readonly log: Log }): Loop {
  const timing = { idleMs: IDLE_MS, afterErrorMs: IDLE_MS };
  const onError = 'the review of debts waits for the ledger';
  return startLoop(() => reviewNext(deps), { ...timing, log: deps.log, onError });
}

/** Looks through the debts of one tenant that is due. @returns whether there was one. */
export async function reviewNext({
  ledger,
  log,
}: {
  readonly ledger: Ledger;
  readonly log: Log;
}): Promise<boolean> {
  const claimed = await ledger.forSystem((tx) => claimReview(tx, LEASE_MS));
  if (claimed === undefined) return false;
  const { tenantId } = claimed;
  const end = (tryAt: Date | null): Promise<void> => ledger.forSystem((tx) => endReview(tx, tenantId, tryAt));
  try {
    const { debts, woken } = await reviewDebts(ledger, tenantId);
    await end(null);
    if (woken > 0) log.info({ tenantId, debts, woken }, 'cases begin');
  } catch (error) {
    await end(new Date(Date.now() + AFTER_ERROR_MS));
    throw error;
  }
  return true;
}
