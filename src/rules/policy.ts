import type { Cents } from './money';

/**
 * A named, versioned set of the options that decide a promise; a promise keeps the version it was made under. Each
 * option lists only the values that this version of Troth decides by.
 */
export interface Policy {
  readonly name: string;
  readonly version: number;
  /** R4: calendar days allowed after the due date. */
  readonly graceDays: number;
  /** R5: elapsed hours between the deadline and the verdict. */
  readonly postingLagHours: number;
  /** R8: whether money of the start date itself counts. */
  readonly windowStart: 'inclusive' | 'exclusive';
  /** R9 */
  readonly payor: 'anyone';
  /** R10 */
  readonly overpayment: 'pool';
  /** R14 */
  readonly completion: 'early';
  /** R15 */
  readonly missesAllowed: 0;
  /** R12: a shortfall that still counts as kept; null means none. */
  readonly toleranceCents: Cents | null;
  readonly tolerancePercent: number | null;
  readonly toleranceUse: 'max' | 'min';
  /** R15: what money received in time but posted after the verdict does. */
  readonly lateEvidence: 'stay' | 'rejudge';
  /** R17 */
  readonly cancelUntil: 'any-time' | 'before-due';
  /** R19 */
  readonly reversalAfterKept: 'stay-kept' | 'reopen' | 'break';
  /** R19: days allowed from the date of a reversal. */
  readonly reversalGraceDays: number;
}

/** The options of a policy without its name and version. */
export type PolicyOptions = Omit<Policy, 'name' | 'version'>;

/** The preset `default` of the rule book, section 7. */
export const DEFAULT_POLICY_OPTIONS: PolicyOptions = {
  graceDays: 3,
  postingLagHours: 12,
  windowStart: 'inclusive',
  payor: 'anyone',
  overpayment: 'pool',
  completion: 'early',
  missesAllowed: 0,
  toleranceCents: null,
  tolerancePercent: null,
  toleranceUse: 'max',
  lateEvidence: 'rejudge',
  cancelUntil: 'any-time',
  reversalAfterKept: 'reopen',
  reversalGraceDays: 0,
};

/**
 * R12: how much of an amount promised so far may be missing. Percent is exact: the shortfall is compared with the
 * fraction itself, so the whole cents below it are what may be missing.
 */
export function toleratedCents(policy: Policy, promisedSoFar: Cents): number {
  const fixed = policy.toleranceCents;
  const percent =
    policy.tolerancePercent === null ? null : exactPercent(promisedSoFar, policy.tolerancePercent);
  if (fixed === null) return percent ?? 0;
  if (percent === null) return fixed;
  return policy.toleranceUse === 'max' ? Math.max(fixed, percent) : Math.min(fixed, percent);
}

const PERCENT_SCALE = 1_000_000n;

/** Whole cents within `percent` of an amount, in integers: 0.1 + 0.2 has no place in money. */
function exactPercent(amount: Cents, percent: number): number {
  const scaled = BigInt(Math.round(percent * Number(PERCENT_SCALE)));
  return Number((BigInt(amount) * scaled) / (100n * PERCENT_SCALE));
}
