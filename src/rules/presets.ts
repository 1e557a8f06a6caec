import type { PolicyOptions } from './policy';

/** The preset `default` of the rule book, section 7: our own view of a fair promise. */
export const DEFAULT_POLICY_OPTIONS: PolicyOptions = {
  graceDays: 3,
  graceDaysByPayMethod: {},
  graceUnit: 'calendar',
  dueDateRoll: 'none',
  postingLagHours: 12,
  remainder: 'last',
  windowStart: 'inclusive',
  payor: 'anyone',
  overpayment: 'pool',
  completion: 'early',
  missesAllowed: 0,
  finalMiss: 'break',
  onMiss: 'break',
  lateEvidence: 'rejudge',
  toleranceCents: null,
  tolerancePercent: null,
  toleranceUse: 'max',
  balanceCleared: 'keep',
  cancelUntil: 'any-time',
  reversalAfterKept: 'reopen',
  reversalGraceDays: 0,
  stayCurrent: false,
  shield: 'net-amount',
  shieldCap: 'promise-remaining',
  limits: {},
};

/** Systems whose nightly batch judges at midnight and never looks back. */
const BATCH: PolicyOptions = { ...DEFAULT_POLICY_OPTIONS, postingLagHours: 0, lateEvidence: 'stay' };

const ORACLE_CCB: PolicyOptions = {
  ...BATCH,
  windowStart: 'exclusive',
  payor: 'promise-payor-whole',
  overpayment: 'current',
  completion: 'after-last-due-date',
  reversalAfterKept: 'stay-kept',
  shieldCap: 'none',
};

/**
 * The policies that ship. Each but `default` reproduces a system that utilities and collectors come from: Oracle
 * Customer Care and Billing's pay-plan monitor, the same with its European and Australian break algorithm, Oracle
 * Advanced Collections, Collect!, and SAP FI-CA.
 */
export const PRESETS = {
  default: DEFAULT_POLICY_OPTIONS,
  'oracle-ccb': ORACLE_CCB,
  'oracle-ccb-eu': { ...ORACLE_CCB, missesAllowed: 1, finalMiss: 'wait' },
  'oracle-collections': {
    ...BATCH,
    graceDays: 0,
    cancelUntil: 'before-due',
    reversalAfterKept: 'stay-kept',
    shield: 'pause-all',
  },
  collect: { ...BATCH, overpayment: 'advance', shield: 'none' },
  'sap-fica': { ...BATCH, graceDays: 2, shield: 'pause-all' },
} as const satisfies Readonly<Record<string, PolicyOptions>>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];

/** A policy as it was stored, perhaps by an earlier version of Troth that knew fewer options. */
export function completeOptions(stored: Partial<PolicyOptions>): PolicyOptions {
  return { ...DEFAULT_POLICY_OPTIONS, ...stored };
}
