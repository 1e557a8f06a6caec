import type { Limits, PolicyOptions } from '../rules/policy';

/** An option by its name in JSON: limits by their path. */
export type OptionName = Exclude<keyof PolicyOptions, 'limits'> | `limits.${keyof Limits}`;

/** What an option means, in one line, and the rule that says more. */
interface OptionWords {
  readonly rule: `R${number}`;
  readonly meaning: string;
}

/** Every option of a policy, in the order in which people read them. */
export const POLICY_WORDS: Readonly<Record<OptionName, OptionWords>> = {
  graceDays: { rule: 'R4', meaning: 'days allowed after the due date' },
  graceDaysByPayMethod: { rule: 'R4', meaning: 'other days of grace by pay method' },
  graceUnit: { rule: 'R7', meaning: 'what a day of grace is' },
  dueDateRoll: { rule: 'R7', meaning: 'where a deadline moves from a closed day' },
  postingLagHours: {
    rule: 'R5',
    meaning: 'hours from deadline to verdict, for files that come later',
  },
  remainder: { rule: 'R2', meaning: 'which part of an equal split takes the odd cents' },
  windowStart: { rule: 'R8', meaning: 'whether money of the start date itself counts' },
  payor: { rule: 'R9', meaning: 'whose money counts' },
  overpayment: { rule: 'R10', meaning: 'what becomes of money over an installment' },
  completion: { rule: 'R14', meaning: 'when a promise whose money is all there is kept' },
  missesAllowed: { rule: 'R15', meaning: 'installments that may be missed' },
  finalMiss: { rule: 'R15', meaning: 'what an allowed miss does at the end' },
  onMiss: { rule: 'R15', meaning: 'whether a miss can break the promise' },
  lateEvidence: { rule: 'R15', meaning: 'money received in time but posted after the verdict' },
  toleranceCents: { rule: 'R12', meaning: 'cents that may be missing' },
  tolerancePercent: { rule: 'R12', meaning: 'percent of the amount promised so far that may be missing' },
  toleranceUse: { rule: 'R12', meaning: 'which of the two where both are set' },
  balanceCleared: { rule: 'R13', meaning: 'what a debt gone otherwise than by payment does' },
  cancelUntil: { rule: 'R17', meaning: 'until when a promise may be cancelled' },
  reversalAfterKept: { rule: 'R19', meaning: 'what a bounce after kept does' },
  reversalGraceDays: { rule: 'R19', meaning: 'days from a reversal to pay again' },
  stayCurrent: { rule: 'R26', meaning: 'whether new bills must be paid, too' },
  shield: { rule: 'R30', meaning: 'what keeps promised debt out of collections' },
  shieldCap: { rule: 'R31', meaning: 'whether a prepaid plan shields new debt' },
  'limits.maxOpenPromises': { rule: 'R25', meaning: 'open promises of an account' },
  'limits.maxInstallments': { rule: 'R25', meaning: 'installments of a promise' },
  'limits.maxDaysToFirstPayment': { rule: 'R25', meaning: 'days from the start to the first due date' },
  'limits.maxHorizonDays': { rule: 'R25', meaning: 'days from the start to the last due date' },
  'limits.minInstallmentCents': { rule: 'R25', meaning: 'the least installment, in cents' },
  'limits.minInstallmentPercent': { rule: 'R25', meaning: 'the least installment, in percent of the total' },
  'limits.downPaymentCents': { rule: 'R25', meaning: 'the least first installment, in cents' },
  'limits.downPaymentPercent': {
    rule: 'R25',
    meaning: 'the least first installment, in percent of the total',
  },
  'limits.downPaymentUse': { rule: 'R25', meaning: 'which of the two where both are set' },
  'limits.downPaymentWithinDays': { rule: 'R25', meaning: 'days from the start to the down payment' },
  'limits.downPaymentMissed': { rule: 'R25', meaning: 'what an unpaid down payment does (none: cancel)' },
  'limits.totalVersusArrears': { rule: 'R25', meaning: 'the total against the arrears' },
  'limits.lockOutDays': { rule: 'R25', meaning: 'days after a broken promise without a new one' },
  'limits.maxBroken': { rule: 'R25', meaning: 'broken promises that are not too many' },
  'limits.maxBrokenWithinDays': { rule: 'R25', meaning: 'the days in which they are counted' },
  'limits.approvalAboveCents': { rule: 'R25', meaning: 'cents above which a second person approves' },
  'limits.approvalWithinDays': { rule: 'R25', meaning: 'days from the start in which that is possible' },
};
