import { timelineOf, type TimelineEntry } from '../../ledger/audit';
import type { Tx } from '../../ledger/connection';
import { loadFacts } from '../../ledger/facts';
import { findPromise, type PromiseDetail } from '../../ledger/promise-views';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import type { EpochMs, LocalDate } from '../../rules/calendar';
import { count, countingOrder, type NotCountedWhy } from '../../rules/count';
import { evaluate, type Evaluation } from '../../rules/decide';
import type { PromiseFacts } from '../../rules/facts';

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
  readonly why: NotCountedWhy | 'after_the_end';
}

/** An installment as it stands now. */
export interface PresentLine {
  readonly seq: number;
  readonly dueDate: string;
  readonly lastDay: string;
  readonly amountCents: number;
  readonly countedCents: number;
  readonly status: string;
}

/** A promise as it stands at the tenant's present: read, not settled. */
export interface PresentState {
  readonly promise: PromiseDetail;
  readonly lines: readonly PresentLine[];
  readonly counted: readonly CountedMoney[];
  readonly notCounted: readonly OtherMoney[];
  /** What the rules say now; the engine records it when it wakes. */
  readonly evaluation: Evaluation;
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
  return {
    promise,
    lines: judged.map(({ line, countedCents, status }) => ({
      ...{ seq: line.seq, dueDate: line.dueDate, lastDay: line.lastDay, amountCents: line.amountCents },
      ...{ countedCents, status },
    })),
    counted,
    notCounted: notCountedOf(facts, evaluation, nowMs),
    evaluation,
    timeline: await timelineOf(tx, tenant.tenantId, promiseId),
    nowMs,
  };
}

function notCountedOf(given: PromiseFacts, evaluation: Evaluation, nowMs: EpochMs): OtherMoney[] {
  const last = evaluation.outcomes.at(-1);
  if (evaluation.status === 'active' || last === undefined) {
    const facts = { ...given, payments: countingOrder(given.payments) };
    const lines = evaluation.lines.map(({ line }) => line);
    const known = { atMs: nowMs, inclusive: true, hearing: null, lastDay: null };
    return [...count(facts, lines, known).notCounted];
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
