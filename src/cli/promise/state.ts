import { timelineOf, type TimelineEntry } from '../../ledger/audit';
import type { Tx } from '../../ledger/connection';
import { loadFacts } from '../../ledger/promises/facts';
import {
  findPromise,
  pastSchedules,
  type PastSchedule,
  type PromiseDetail,
} from '../../ledger/promises/promise-views';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import type { EpochMs, LocalDate } from '../../rules/calendar';
import { Purse, type NotCountedWhy } from '../../rules/judging/count';
import { evaluate, type Evaluation } from '../../rules/decide';
import type { PromiseFacts } from '../../rules/facts';
import { causeWords, noticeWords, todayOf, type Today } from './words';

/** Cents of a payment that count for an installment. */
export interface CountedMoney {
  readonly paymentId: string;
  readonly effectiveDate: LocalDate;
  readonly cents: number;
  readonly seq: number;
}

/** Cents of a payment that do not count, and why. */
export interface OtherMoney {
  readonly paymentId: string;
  readonly effectiveDate: LocalDate;
  readonly cents: number;
  readonly why: NotCountedWhy | 'after_the_end' | 'not_yet';
}

/** An installment as it stands now. */
export interface PresentLine {
  readonly seq: number;
  readonly dueDate: string;
  readonly lastDay: string;
  readonly amountCents: number;
  readonly countedCents: number;
  readonly status: string;
  /** R24: the open item that it pays. */
  readonly transactionId: string | null;
}

/** R26: a bill that must be paid, too, as it stands now. */
export interface PresentBill {
  readonly transactionId: string;
  readonly amountCents: number;
  readonly paidCents: number;
  readonly dueDate: LocalDate;
  readonly lastDay: LocalDate;
  /** Settled otherwise than by payment. */
  readonly isClosed: boolean;
}

/** What began a revision, and who was behind it. */
export interface PresentRevision {
  readonly revision: number;
  readonly at: Date;
  readonly cause: string;
  readonly by: string;
}

/** A promise as it stands at the tenant's present: read, not settled. */
export interface PresentState {
  readonly promise: PromiseDetail;
  readonly lines: readonly PresentLine[];
  readonly counted: readonly CountedMoney[];
  readonly notCounted: readonly OtherMoney[];
  /** What the rules say now; the engine records it when it wakes. */
  readonly evaluation: Evaluation;
  readonly facts: PromiseFacts;
  readonly today: Today;
  readonly bills: readonly PresentBill[];
  readonly revisions: readonly PresentRevision[];
  readonly pastSchedules: readonly PastSchedule[];
  readonly timeline: readonly TimelineEntry[];
  readonly nowMs: EpochMs;
}

/** Everything there is to show of a promise, or undefined. */
export async function presentState(
  tx: Tx,
  tenant: Tenant,
  promiseId: string,
): Promise<PresentState | undefined> {
  const promise = await findPromise(tx, tenant.tenantId, promiseId);
  if (promise === undefined) return undefined;
  const facts = await loadFacts(tx, tenant.tenantId, promiseId);
  const nowMs = tenantNow(tenant);
  const evaluation = evaluate(facts, nowMs);
  const judged = evaluation.lines;
  const counted = judged.flatMap(({ line, takes }) => takes.map((take) => ({ ...take, seq: line.seq })));
  const audited = await timelineOf(tx, tenant.tenantId, promiseId);
  return {
    ...{ promise, evaluation, facts, nowMs, counted },
    lines: judged.map(({ line, countedCents, status }) => ({
      ...{ seq: line.seq, dueDate: line.dueDate, lastDay: line.lastDay, amountCents: line.amountCents },
      ...{ countedCents, status, transactionId: line.transactionId ?? null },
    })),
    notCounted: notCountedOf(facts, evaluation, nowMs),
    today: todayOf(facts, evaluation, tenant),
    bills: billsOf(facts, nowMs),
    revisions: revisionsOf(promise, evaluation, audited),
    pastSchedules: await pastSchedules(tx, tenant.tenantId, promiseId),
    timeline: withNotices(audited, evaluation),
  };
}

function billsOf(facts: PromiseFacts, nowMs: EpochMs): PresentBill[] {
  if (!facts.policy.stayCurrent) return [];
  const purse = new Purse(facts);
  const knowledge = { atMs: nowMs, inclusive: true, hearing: null, lastDay: null };
  return facts.bills.map((bill) => ({
    ...{ transactionId: bill.transactionId, amountCents: bill.amountCents, dueDate: bill.dueDate },
    ...{
      lastDay: bill.lastDay,
      paidCents: purse.paidOn(bill, knowledge),
      isClosed: bill.closedAtMs !== null,
    },
  }));
}

function revisionsOf(
  promise: PromiseDetail,
  evaluation: Evaluation,
  audited: readonly TimelineEntry[],
): PresentRevision[] {
  const amenderOf = (revision: number): string | undefined =>
    audited.find(({ action, details }) => action === 'promise.amended' && details['revision'] === revision)
      ?.actor;
  return [
    { revision: 1, at: promise.enrolledAt, cause: 'enrolled', by: promise.enrolledBy },
    ...evaluation.revisions.map((revision) => ({
      ...{ revision: revision.revision, at: new Date(revision.atMs), cause: causeWords(revision) },
      by: amenderOf(revision.revision) ?? 'troth',
    })),
  ];
}

/** The audit trail, with the steps between that no audit event tells of. */
function withNotices(audited: readonly TimelineEntry[], { notices }: Evaluation): TimelineEntry[] {
  const steps = notices.flatMap((notice): TimelineEntry[] => {
    const text = noticeWords(notice);
    if (text === null) return [];
    return [
      { at: new Date(notice.atMs), action: `notice.${notice.kind}`, actor: 'troth', details: { text } },
    ];
  });
  // What a reversal leads to at the same instant comes after it.
  const reversals = steps.filter(({ action }) => action === 'notice.reversed');
  const others = steps.filter(({ action }) => action !== 'notice.reversed');
  return [...reversals, ...audited, ...others].sort((a, b) => a.at.getTime() - b.at.getTime());
}

function notCountedOf(given: PromiseFacts, evaluation: Evaluation, nowMs: EpochMs): OtherMoney[] {
  const last = evaluation.outcomes.at(-1);
  if (evaluation.status === 'active' || evaluation.status === 'pending' || last === undefined) {
    // Money after the deadline under judgement is not lost: it counts once that has been judged (R8).
    return evaluation.notCounted.map((one) => (one.why === 'too_late' ? { ...one, why: 'not_yet' } : one));
  }
  const mentioned = new Set(
    [...last.notCounted, ...last.lines.flatMap(({ takes }) => takes)].map(({ paymentId }) => paymentId),
  );
  const later = given.payments
    .filter(({ paymentId, postedAtMs }) => !mentioned.has(paymentId) && postedAtMs <= nowMs)
    .map(({ paymentId, effectiveDate, amountCents }) => ({
      ...{ paymentId, effectiveDate, cents: amountCents },
      why: 'after_the_end' as const,
    }));
  return [...last.notCounted, ...later];
}
