import type { Cents } from './money';

/** R25: what an enrollment may not exceed. A limit that is absent does not hold; a value at a limit is allowed. */
export interface Limits {
  /** Active or pending promises of one account, over all debt classes, the new one included. */
  readonly maxOpenPromises?: number;
  readonly maxInstallments?: number;
  /** Days from the start date to the first due date. */
  readonly maxDaysToFirstPayment?: number;
  /** Days from the start date to the last due date. */
  readonly maxHorizonDays?: number;
  readonly minInstallmentCents?: Cents;
  /** Percent of the total. */
  readonly minInstallmentPercent?: number;
  /** The least first installment, as an amount, as percent of the total, or the larger or smaller of both. */
  readonly downPaymentCents?: Cents;
  readonly downPaymentPercent?: number;
  readonly downPaymentUse?: 'max' | 'min';
  /** Days from the start date to the down payment's due date. */
  readonly downPaymentWithinDays?: number;
  /** What an unpaid down payment does; default `cancel`, which leaves no mark against the customer. */
  readonly downPaymentMissed?: 'cancel' | 'break';
  readonly totalVersusArrears?: 'equal' | 'at-most' | 'any';
  /** Days after a broken promise through which a new one is refused. */
  readonly lockOutDays?: number;
  /** Refused when the account broke more promises than this within `maxBrokenWithinDays`. */
  readonly maxBroken?: number;
  readonly maxBrokenWithinDays?: number;
  /** A promise of more than this waits for a second person's approval. */
  readonly approvalAboveCents?: Cents;
  /** Days from the start date through which it may be approved. */
  readonly approvalWithinDays?: number;
}

/** The options of a policy: everything in which the sources of the rule book disagree. */
export interface PolicyOptions {
  /** R4: days allowed after the due date. */
  readonly graceDays: number;
  /** R4 (S3): other days of grace by the promise's pay method. */
  readonly graceDaysByPayMethod: Readonly<Record<string, number>>;
  /** R7: what a day of grace is. */
  readonly graceUnit: 'calendar' | 'business';
  /** R7: where a deadline moves when its due date is not a business day. */
  readonly dueDateRoll: 'none' | 'following' | 'modified-following' | 'preceding';
  /** R5: elapsed hours between the deadline and the verdict. */
  readonly postingLagHours: number;
  /** R2: which part of an equal split takes the odd cents. */
  readonly remainder: 'last' | 'first' | 'spread';
  /** R8: whether money of the start date itself counts. */
  readonly windowStart: 'inclusive' | 'exclusive';
  /** R9: whose money counts. */
  readonly payor: 'anyone' | 'promise-payor' | 'promise-payor-whole';
  /** R10: what becomes of money over an installment. */
  readonly overpayment: 'pool' | 'current' | 'advance' | 'ignore-excess';
  /** R14: when a promise whose money is all there is kept. */
  readonly completion: 'early' | 'after-last-due-date';
  /** R15: how many installments may be missed. */
  readonly missesAllowed: number;
  /** R15: what an allowed miss does when no judge time is left. */
  readonly finalMiss: 'wait' | 'break';
  /** R15: whether a miss can break the promise at all. */
  readonly onMiss: 'break' | 'stay-past-due';
  /** R15: what money received in time but posted after the verdict does. */
  readonly lateEvidence: 'stay' | 'rejudge';
  /** R12: a shortfall that still counts as kept; null means none. */
  readonly toleranceCents: Cents | null;
  readonly tolerancePercent: number | null;
  readonly toleranceUse: 'max' | 'min';
  /** R13: what a debt that is gone otherwise than by payment does. */
  readonly balanceCleared: 'keep' | 'cancel' | 'ignore';
  /** R17 */
  readonly cancelUntil: 'any-time' | 'before-due';
  /** R19 */
  readonly reversalAfterKept: 'stay-kept' | 'reopen' | 'break';
  /** R19: days allowed from the date of a reversal. */
  readonly reversalGraceDays: number;
  /** R26: whether bills issued after the start must be paid, too. */
  readonly stayCurrent: boolean;
  /** R30: what keeps promised debt out of collections. */
  readonly shield: 'net-amount' | 'pause-all' | 'none';
  /** R31: whether a prepaid plan shields new debt. */
  readonly shieldCap: 'promise-remaining' | 'none';
  readonly limits: Limits;
}

/** A named, versioned set of options; a promise keeps the version it was made under. */
export interface Policy extends PolicyOptions {
  readonly name: string;
  readonly version: number;
}

/**
 * R12: how much of an amount promised so far may be missing. Percent is exact: the shortfall is compared with the
 * fraction itself, so the whole cents below it are what may be missing.
 */
export function toleratedCents(policy: PolicyOptions, promisedSoFar: Cents): number {
  const { toleranceCents: fixed, tolerancePercent, toleranceUse } = policy;
  const percent = tolerancePercent === null ? null : percentOf(promisedSoFar, tolerancePercent).floor;
  if (fixed === null) return percent ?? 0;
  if (percent === null) return fixed;
  return toleranceUse === 'max' ? Math.max(fixed, percent) : Math.min(fixed, percent);
}

const PERCENT_SCALE = 1_000_000;

/**
 * The whole cents just below and just above `percent` of an amount, in integers: 0.1 + 0.2 has no place in money.
 * @param percent with up to six decimals.
 */
export function percentOf(amount: number, percent: number): { floor: number; ceil: number; nearest: number } {
  const scaled = BigInt(amount) * BigInt(Math.round(percent * PERCENT_SCALE));
  const whole = BigInt(100 * PERCENT_SCALE);
  const floor = scaled / whole;
  const rest = scaled % whole;
  return {
    floor: Number(floor),
    ceil: Number(rest === 0n ? floor : floor + 1n),
    nearest: Number(rest * 2n >= whole ? floor + 1n : floor),
  };
}
