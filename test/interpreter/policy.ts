/** The options of a policy with everything filled in: rules.md section 7. */
import { type Limits, type Preset, type ScenarioPolicy } from './scenario';

type Filled = Required<Omit<ScenarioPolicy, 'preset' | 'toleranceCents' | 'tolerancePercent' | 'remainder'>>;

export interface Policy extends Filled {
  toleranceCents: number | null;
  tolerancePercent: number | null;
  limits: Limits;
}

const EVERYWHERE: Policy = {
  graceDays: 3,
  graceUnit: 'calendar',
  dueDateRoll: 'none',
  postingLagHours: 0,
  windowStart: 'inclusive',
  payor: 'anyone',
  overpayment: 'pool',
  completion: 'early',
  missesAllowed: 0,
  finalMiss: 'break',
  onMiss: 'break',
  lateEvidence: 'stay',
  toleranceCents: null,
  tolerancePercent: null,
  toleranceUse: 'max',
  balanceCleared: 'keep',
  cancelUntil: 'any-time',
  reversalAfterKept: 'reopen',
  reversalGraceDays: 0,
  shield: 'net-amount',
  shieldCap: 'promise-remaining',
  limits: {},
  stayCurrent: false,
  downPaymentMissed: 'cancel',
};

const ORACLE_CCB: Partial<Policy> = {
  windowStart: 'exclusive',
  payor: 'promise-payor-whole',
  overpayment: 'current',
  completion: 'after-last-due-date',
  reversalAfterKept: 'stay-kept',
  shieldCap: 'none',
};

const PRESET_OPTIONS: Record<Preset, Partial<Policy>> = {
  default: { postingLagHours: 12, lateEvidence: 'rejudge' },
  'oracle-ccb': ORACLE_CCB,
  'oracle-ccb-eu': { ...ORACLE_CCB, missesAllowed: 1, finalMiss: 'wait' },
  'oracle-collections': {
    graceDays: 0,
    cancelUntil: 'before-due',
    reversalAfterKept: 'stay-kept',
    shield: 'pause-all',
  },
  collect: { overpayment: 'advance', shield: 'none' },
  'sap-fica': { graceDays: 2, shield: 'pause-all' },
};

export function policyOf(wanted: ScenarioPolicy): Policy {
  const { preset, remainder: _, ...overrides } = wanted;
  const downPaymentMissed = wanted.downPaymentMissed ?? wanted.limits?.downPaymentMissed;
  return {
    ...EVERYWHERE,
    ...PRESET_OPTIONS[preset],
    ...overrides,
    ...(downPaymentMissed === undefined ? {} : { downPaymentMissed }),
  };
}

/** Percents may have decimals: counted in millionths, so that nothing is lost to floating point. */
function percentParts(cents: number, percent: number): [whole: bigint, rest: bigint] {
  const product = BigInt(cents) * BigInt(Math.round(percent * 1_000_000));
  return [product / 100_000_000n, product % 100_000_000n];
}

/** The whole cents not above a percentage. */
export function percentDown(cents: number, percent: number): number {
  return Number(percentParts(cents, percent)[0]);
}

/** The least whole cents not below a percentage (S24). */
export function percentUp(cents: number, percent: number): number {
  const [whole, rest] = percentParts(cents, percent);
  return Number(rest > 0n ? whole + 1n : whole);
}

/** The larger or the smaller of those that are set; null when none is. */
function ofBoth(cents: number | null, percentage: number | null, use: 'max' | 'min'): number | null {
  if (cents === null || percentage === null) return cents ?? percentage;
  return use === 'max' ? Math.max(cents, percentage) : Math.min(cents, percentage);
}

/** R12: what may be short of an amount. */
export function toleranceOf(policy: Policy, promisedCents: number): number {
  const percentage =
    policy.tolerancePercent === null ? null : percentDown(promisedCents, policy.tolerancePercent);
  return ofBoth(policy.toleranceCents, percentage, policy.toleranceUse) ?? 0;
}

/** R25: the least down payment of a total; null when none is asked for (S22). */
export function downPaymentOf(limits: Limits, totalCents: number): number | null {
  const { downPaymentCents, downPaymentPercent, downPaymentUse } = limits;
  const percentage = downPaymentPercent === undefined ? null : percentUp(totalCents, downPaymentPercent);
  return ofBoth(downPaymentCents ?? null, percentage, downPaymentUse ?? 'max');
}
