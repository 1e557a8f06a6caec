import type { EpochMs } from '../calendar';
import { evaluate, type Evaluation, type Outcome } from '../decide';
import { SELF, type Payment, type PromiseFacts, type RivalPromise } from '../facts';
import { ZERO } from '../money';
import { usesOf } from '../judging/life';

/** A promise on a debt, with how far the ledger has recorded what became of it. */
export interface RecordedPromise {
  readonly promiseId: string;
  /** Knows of the others on its debt what was recorded. */
  readonly facts: PromiseFacts;
  readonly revision: number;
  /** The last revision that has a recorded outcome; 0: none. */
  readonly decidedRevision: number;
}

/** A promise's end, or the beginning of a revision, that nobody has recorded yet. */
type Change = { readonly promise: RecordedPromise; readonly atMs: EpochMs } & (
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  | { readonly kind: 'reopened' | 'amended'; readonly revision: number }
);

/**
 * Judges the promises on one debt as of an instant, as if each of their ends had been recorded when it came: who has a promise
 * decides whose money it is, and cents that one has counted as it ended another cannot (R9, R11). So nobody has to settle them
 * first. Taken in the order of time; of one instant third parties first, since the account's own promise minds theirs.
 * @returns lives in the order of the promises.
 */
export function judgeTogether(promises: readonly RecordedPromise[], asOfMs: EpochMs): Evaluation[] {
  let known = [...promises];
  for (;;) {
    const lives = known.map(({ facts }) => evaluate(facts, asOfMs));
    if (known.length < 2) return lives;
    const [first] = known
      .flatMap((promise, index) => changesOf(promise, lives[index]))
      .sort((a, b) => a.atMs - b.atMs || rank(a) - rank(b));
    if (first === undefined) return lives;
    known = known.map((promise) => told(promise, first));
  }
}

function rank({ promise }: Change): number {
  return promise.facts.payor === SELF ? 1 : 0;
}

// In the order of a life: a revision begins before it ends, be it at the same instant.
function changesOf(promise: RecordedPromise, life: Evaluation | undefined): Change[] {
  if (life === undefined) return [];
  const begun = life.revisions
    .filter(({ revision }) => revision > promise.revision)
    .map(({ revision, atMs, cause }): Change & { revision: number } => ({
      ...{ kind: cause === 'amended' ? 'amended' : 'reopened', promise, atMs, revision },
    }));
  const ended = life.outcomes
    .filter(({ revision }) => revision > promise.decidedRevision)
    .map((outcome): Change & { revision: number } => ({
      ...{ kind: 'ended', promise, atMs: outcome.atMs, revision: outcome.revision, outcome },
    }));
  return [...begun, ...ended].sort((a, b) => a.revision - b.revision);
}

/** A promise once a change has been recorded, its own or another's. */
function told(promise: RecordedPromise, change: Change): RecordedPromise {
  const { promiseId, facts } = change.promise;
  if (promise.promiseId === promiseId) {
    return change.kind === 'ended'
      ? { ...promise, decidedRevision: change.outcome.revision }
      : { ...promise, revision: change.revision };
  }
  const rivals = rivalsAfter(promise.facts.rivals, facts.payor, change);
  const payments =
    change.kind === 'ended' ? paymentsAfter(promise.facts.payments, change) : promise.facts.payments;
  return { ...promise, facts: { ...promise.facts, rivals, payments } };
}

// A payor has one open promise on a debt at most.
function rivalsAfter(rivals: readonly RivalPromise[], payor: string, { kind, atMs }: Change): RivalPromise[] {
  if (kind === 'amended') return [...rivals]; // open before and after
  if (kind === 'reopened') return [...rivals, { payor, fromMs: atMs, untilMs: null }];
  const open = rivals.findLastIndex((rival) => rival.payor === payor && rival.untilMs === null);
  return rivals.map((rival, index) => (index === open ? { ...rival, untilMs: atMs } : rival));
}

function paymentsAfter(
  payments: readonly Payment[],
  { promise: { promiseId, facts }, outcome, atMs }: Extract<Change, { readonly kind: 'ended' }>,
): Payment[] {
  const uses = usesOf(outcome.lines);
  return payments.map((payment) => {
    const cents = uses.get(payment.paymentId);
    // Nothing, where a later revision did without it.
    const isKnown = payment.spent.some((spend) => spend.promiseId === promiseId);
    if (cents === undefined && !isKnown) return payment;
    const spend = { promiseId, payor: facts.payor, cents: cents ?? ZERO, atMs };
    return { ...payment, spent: [...payment.spent, spend] };
  });
}
