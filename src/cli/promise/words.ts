import { tenantNow, type Tenant } from '../../ledger/tenants';
import { localDateAt, type LocalDate } from '../../rules/calendar';
import type { Evaluation, Notice, Revision } from '../../rules/decide';
import { SELF, type PromiseFacts } from '../../rules/facts';
import { cents } from '../../rules/money';
import { oracleCollectionsView, standingOf, type Standing } from '../../rules/collections/standing';
import { gatesOf, gatesWords } from '../../rules/terms';

/** How a promise stands today, with what follows from it. */
export interface Today extends Standing {
  /** What a pending promise waits for; null where it waits for nothing. */
  readonly waitsFor: string | null;
  /** S1's two columns. */
  readonly oracleView: { readonly status: string; readonly state: string };
}

/** The standing of a promise on the tenant's day; a promise that has ended has nothing due any more. */
export function todayOf(facts: PromiseFacts, evaluation: Evaluation, tenant: Tenant): Today {
  const today = localDateAt(tenantNow(tenant), tenant.timeZone);
  const standing = standingOf(evaluation, today);
  const isOpen = evaluation.status === 'active' || evaluation.status === 'pending';
  return {
    ...(isOpen ? standing : { ...standing, pastDueCents: cents(0), nextDueDate: null }),
    waitsFor: gatesWords(gatesOf(facts, evaluation)),
    oracleView: oracleViewOf(evaluation.status, standing.nextDueDate, today),
  };
}

/** S1: a promise is collectible from the due date of what is unpaid on it. */
export function oracleViewOf(
  status: Evaluation['status'],
  nextDueDate: LocalDate | null,
  today: LocalDate,
): Today['oracleView'] {
  return oracleCollectionsView({ status }, nextDueDate !== null && nextDueDate <= today);
}

/** R27: who pays, where that is not the account itself. */
export function payorWords({ payor }: PromiseFacts): string | null {
  return payor === SELF ? null : `${payor}, a third party`;
}

/** What began a revision. */
export function causeWords({ cause, paymentId }: Pick<Revision, 'cause' | 'paymentId'>): string {
  switch (cause) {
    case 'amended':
      return 'amended';
    case 'late_evidence':
      return `late evidence, payment ${paymentId ?? ''}`;
    case 'reversal':
      return `reversal of payment ${paymentId ?? ''}`;
  }
}

/** A step that is no decision; null where the timeline tells of it anyway. */
export function noticeWords({ kind, seq, paymentId }: Notice): string | null {
  switch (kind) {
    case 'missed':
      return `installment ${seq ?? ''} missed; the policy lets the promise go on`;
    case 'reversed':
      return `payment ${paymentId ?? ''} reversed`;
    case 'activated':
      return 'active from now on';
    case 'amended':
    case 'reopened':
      return null;
  }
}
