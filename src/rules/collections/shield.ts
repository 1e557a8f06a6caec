import type { Evaluation } from '../decide';
import { cents, sum, ZERO, type Cents } from '../money';
import type { PolicyOptions } from '../policy';

/** What one promise keeps out of collections, and why (R30, R31). */
export interface Shielded {
  readonly promiseId: string;
  readonly by: 'net-amount' | 'pause-all' | 'open-ended' | 'none' | 'not-active' | 'unreadable';
  /** Null: everything. */
  readonly cents: Cents | null;
}

/** What may be collected of some arrears, and why not the rest. */
export interface Collectible {
  readonly arrearsCents: Cents;
  readonly collectibleCents: Cents;
  readonly shielded: readonly Shielded[];
}

/** A promise on the debt that is asked about. */
export interface ShieldingPromise {
  readonly promiseId: string;
  readonly policy: Pick<PolicyOptions, 'shield' | 'shieldCap'>;
  readonly life: Evaluation;
}

/**
 * R30: arrears less what is unpaid on all lines of all active promises, of every payor, money paid ahead left out; nothing
 * while a promise with `pause-all` is active. Debts are never below zero.
 * @param unreadable promises that cannot be judged: shielded money must not be collected by mistake, so nothing is.
 */
export function collectible(
  arrearsCents: Cents,
  promises: readonly ShieldingPromise[],
  unreadable: readonly string[] = [],
): Collectible {
  const shielded = [
    ...promises.map(shieldOf),
    ...unreadable.map((promiseId): Shielded => ({ promiseId, by: 'unreadable', cents: null })),
  ];
  const all = shielded.some(({ cents: amount }) => amount === null);
  const less = sum(shielded.map(({ cents: amount }) => amount ?? ZERO));
  const left = all ? 0 : Math.max(0, arrearsCents - less);
  return { arrearsCents, collectibleCents: cents(left), shielded };
}

function shieldOf({ promiseId, policy, life }: ShieldingPromise): Shielded {
  if (life.status !== 'active') return { promiseId, by: 'not-active', cents: ZERO };
  switch (policy.shield) {
    case 'none':
      return { promiseId, by: 'none', cents: ZERO };
    case 'pause-all':
      return { promiseId, by: 'pause-all', cents: null };
    case 'net-amount': {
      // A promise without an end is a promise to pay all of the debt.
      if (life.isOpenEnded) return { promiseId, by: 'open-ended', cents: null };
      const total = sum(life.lines.map(({ line }) => line.amountCents));
      const owed = total - life.countedCents;
      // R31: money leaves lines that are not due yet untouched; what is paid ahead, only the cap takes off.
      const shields = life.unpaidCents + life.aheadCents;
      return {
        promiseId,
        by: 'net-amount',
        cents: cents(policy.shieldCap === 'none' ? shields : Math.min(shields, owed)),
      };
    }
  }
}
