import { evaluate, type Evaluation } from '../../rules/decide';
import { explain, RULES_VERSION, type Verdict } from '../../rules/explain';
import type { PromiseFacts } from '../../rules/facts';
import { usesOf } from '../../rules/judging/life';
import { canonicalJson, firstDifference } from '../canonical-json';
import type { Ledger, Tx } from '../connection';
import { decidedBy } from '../promises/decided-by';
import { promisePages, type LoadedPromise, type StoredPromise, type Which } from './facts-batch';
import { outcomeIdOf } from '../outbox';
import {
  recordedOf,
  type InstallmentRow,
  type Recorded,
  type RevisionRow,
  type UseRow,
  type VerdictRow,
} from './verify-recorded';

/** What can be found wrong with a ledger, and what it means. */
export const DIFFERENCES = {
  unreadable: 'the facts of a promise cannot be',
  verdict: 'a verdict is not what its facts give',
  verdict_missing: 'a decision has no verdict',
  verdict_extra: 'a verdict decides what the facts do not',
  promise: "a promise's row is not what its facts give",
  installment: 'an installment is not what the facts give',
  payment_use: 'what an ended promise has counted is recorded otherwise',
  revision: 'a revision is recorded otherwise',
  outcome_untold: 'an outcome was neither received by collections nor waits for it',
  audit_missing: 'an event has gone from the audit trail',
  audit_changed: 'an event of the audit trail was changed',
  audit_tail: 'the end of an audit chain was cut off',
  audit_head: 'the head of an audit chain was changed or removed',
} as const;

export type DifferenceKind = keyof typeof DIFFERENCES;

/** One difference between what is stored and what the facts give. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Null for what belongs to no promise: the tenant's own audit chain. */
  readonly promiseId: string | null;
  readonly revision: number | null;
  /** The column, or the JSON path within a verdict's evidence. */
  readonly field: string;
  /** The first byte of the evidence that differs, from 0, in canonical JSON. */
  readonly byte: number | null;
  readonly stored: string;
  readonly recomputed: string;
}

/** How much was looked at. */
export interface Counts {
  readonly promises: number;
  /** Verdicts compared, those by older rules included. */
  readonly verdicts: number;
  /** Verdicts that another version of the rules made; compared without that version's name. */
  readonly olderVerdicts: number;
  /** Outcomes that wait to be received by collections. */
  readonly waiting: number;
  readonly auditEvents: number;
}

/** A part of a ledger, looked at. */
export interface Verified {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
}

export const NOTHING: Counts = { promises: 0, verdicts: 0, olderVerdicts: 0, waiting: 0, auditEvents: 0 };

/**
 * Judges every promise of a tenant again, from the stored facts, as of the instant up to which it was judged, and compares
 * all that was recorded of it (R20): verdicts byte by byte, the promise's row and installments, what it has counted of
 * which payment, and that collections has been told, or will be. Reads only.
 */
export async function* verifyPromises(
  ledger: Ledger,
  tenantId: string,
  which: Which = { kind: 'all' },
  pageSize?: number,
): AsyncGenerator<Verified, void, void> {
  const also = (tx: Tx, promiseIds: readonly string[]): Promise<Recorded> =>
    recordedOf(tx, tenantId, promiseIds);
  for await (const { promises, extra } of promisePages(ledger, tenantId, which, { also, pageSize })) {
    const differences = promises.flatMap((promise) => differencesOf(promise, extra));
    const verdicts = [...extra.verdicts.values()].flat();
    const older = verdicts.filter((verdict) => rulesOf(verdict) !== RULES_VERSION).length;
    const waiting = verdicts.filter((verdict) => extra.told.get(outcomeOf(verdict)) === false).length;
    const counts = {
      ...NOTHING,
      promises: promises.length,
      verdicts: verdicts.length,
      olderVerdicts: older,
      waiting,
    };
    yield { counts, differences };
  }
}

function outcomeOf({
  promiseId,
  revision,
  status,
}: Pick<VerdictRow, 'promiseId' | 'revision' | 'status'>): string {
  return outcomeIdOf(promiseId, revision, status);
}

// Whatever somebody has made of the evidence, it is only compared.
function rulesOf({ evidence }: VerdictRow): string {
  const { codeVersion } = (evidence ?? {}) as Partial<Verdict>;
  return typeof codeVersion === 'string' ? codeVersion : RULES_VERSION;
}

function differencesOf(promise: LoadedPromise, recorded: Recorded): Difference[] {
  const { stored, facts, problem } = promise;
  if (facts === null) return [found('unreadable', stored, null, 'facts', '', problem)];
  let life: Evaluation;
  try {
    life = evaluate(facts, stored.settledAsOfMs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [found('unreadable', stored, null, 'facts', '', error.message)];
  }
  const verdicts = recorded.verdicts.get(stored.promiseId) ?? [];
  const differences = [
    ...verdictDifferences(stored, facts, life, verdicts),
    ...toldDifferences(stored, verdicts, recorded),
  ];
  // Enrolled, and never settled since: what it is now will be recorded when its workflow looks at it first.
  const isUntouched = stored.settledAsOfMs === stored.enrolledAtMs && stored.decidedRevision === 0;
  if (isUntouched && verdicts.length === 0)
    return differences.filter(({ kind }) => kind !== 'verdict_missing');
  return [
    ...differences,
    ...rowDifferences(stored, life),
    ...installmentDifferences(stored, life, recorded.installments.get(stored.promiseId) ?? []),
    ...useDifferences(stored, life, recorded.uses.get(stored.promiseId) ?? []),
    ...revisionDifferences(stored, life, recorded.revisions.get(stored.promiseId) ?? []),
  ];
}

function found(
  kind: DifferenceKind,
  { promiseId }: Pick<StoredPromise, 'promiseId'>,
  revision: number | null,
  field: string,
  stored: unknown,
  recomputed: unknown,
): Difference {
  const said = (value: unknown): string => (typeof value === 'string' ? value : canonicalJson(value));
  return { kind, promiseId, revision, field, byte: null, stored: said(stored), recomputed: said(recomputed) };
}

function verdictDifferences(
  promise: StoredPromise,
  facts: PromiseFacts,
  { outcomes }: Evaluation,
  verdicts: readonly VerdictRow[],
): Difference[] {
  const decisions = new Map(outcomes.map((outcome) => [outcome.revision, outcome]));
  const missing = outcomes
    .filter(({ revision }) => !verdicts.some((verdict) => isOf(verdict, revision)))
    .map(({ revision, status, reason }) =>
      found('verdict_missing', promise, revision, 'verdict', '', `${status} ${reason}`),
    );
  const compared = verdicts.flatMap((verdict) => {
    const outcome = decisions.get(verdict.revision);
    if (outcome === undefined || !isOf(verdict, verdict.revision)) {
      const { status, reason, revision } = verdict;
      return [found('verdict_extra', promise, revision, 'verdict', `${status} ${reason}`, 'no decision')];
    }
    return compareVerdict(promise, verdict, explain(facts, outcome, decidedBy(promise, outcome)));
  });
  return [...missing, ...compared];
}

function isOf(verdict: VerdictRow, revision: number): boolean {
  return verdict.revision === revision && verdict.seq === 0 && verdict.kind === 'promise';
}

function compareVerdict(promise: StoredPromise, stored: VerdictRow, recomputed: Verdict): Difference[] {
  const { evidence, revision } = stored;
  // Older rules are known by name; what they decided must be the same.
  const difference = firstDifference(evidence, { ...recomputed, codeVersion: rulesOf(stored) });
  const columns = {
    status: [stored.status, recomputed.status],
    reason: [stored.reason, recomputed.reason],
    sentence: [stored.sentence, recomputed.sentence],
    decided_at: [new Date(stored.decidedAtMs).toISOString(), recomputed.decidedAt],
  } as const;
  const inColumns = Object.entries(columns)
    .filter(([, [is, should]]) => is !== should)
    .map(([column, [is, should]]) => found('verdict', promise, revision, column, is, should));
  if (difference === null) return inColumns;
  const { path, byte, ...both } = difference;
  const { promiseId } = promise;
  return [{ kind: 'verdict', promiseId, revision, field: path, byte, ...both }, ...inColumns];
}

function rowDifferences(promise: StoredPromise, life: Evaluation): Difference[] {
  const last = life.outcomes.at(-1);
  const isOpen = life.status === 'active' || life.status === 'pending';
  const columns: readonly (readonly [string, unknown, unknown])[] = [
    ['status', promise.status, life.status],
    ['reason', promise.reason, life.reason],
    ['revision', promise.revision, life.revision],
    ['decided_revision', promise.decidedRevision, last?.revision ?? 0],
    ['next_judge_at', instant(promise.nextJudgeAtMs), instant(life.nextJudgeAtMs)],
    ['ended_at', instant(promise.endedAtMs), isOpen ? null : instant(last?.atMs ?? null)],
  ];
  return columns
    .filter(([, stored, recomputed]) => stored !== recomputed)
    .map(([column, stored, recomputed]) =>
      found('promise', promise, life.revision, column, stored, recomputed),
    );
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

// R22: of a promise without an end, lines beyond those that are shown are still to come.
function installmentDifferences(
  promise: StoredPromise,
  { lines, revision }: Evaluation,
  installments: readonly InstallmentRow[],
): Difference[] {
  const bySeq = new Map(installments.map((one) => [one.seq, one]));
  const shown = lines.map(({ line, status, countedCents }) => ({ seq: line.seq, status, countedCents }));
  const later = installments
    .filter(({ seq }) => seq > shown.length)
    .map(({ seq }) => ({ seq, status: 'due', countedCents: 0 }));
  return [...shown, ...later].flatMap(({ seq, status, countedCents }) => {
    const stored = bySeq.get(seq);
    const field = (name: string): string => `installment ${seq} ${name}`;
    if (stored === undefined) return [found('installment', promise, revision, field(''), 'none', status)];
    return [
      ...(stored.status === status
        ? []
        : [found('installment', promise, revision, field('status'), stored.status, status)]),
      ...(stored.countedCents === countedCents
        ? []
        : [
            found(
              'installment',
              promise,
              revision,
              field('counted_cents'),
              stored.countedCents,
              countedCents,
            ),
          ]),
    ];
  });
}

// R11: what each of its ends had counted.
function useDifferences(
  promise: StoredPromise,
  { outcomes }: Evaluation,
  uses: readonly UseRow[],
): Difference[] {
  const expected = outcomes.flatMap(({ lines, revision, atMs }) =>
    [...usesOf(lines)].map(([paymentId, cents]) => ({ paymentId, revision, cents, usedAtMs: Number(atMs) })),
  );
  const name = ({ paymentId, revision }: { paymentId: string; revision: number }): string =>
    `${revision} ${paymentId}`;
  const stored = new Map(uses.map(({ promiseId: _, ...use }) => [name(use), use]));
  const should = new Map(expected.map((use) => [name(use), use]));
  return [...new Set([...should.keys(), ...stored.keys()])].flatMap((key) => {
    const [is, must] = [stored.get(key), should.get(key)];
    if (canonicalJson(is) === canonicalJson(must)) return [];
    const { paymentId, revision } = is ?? must ?? { paymentId: key, revision: null };
    return [found('payment_use', promise, revision, `payment ${paymentId}`, is ?? 'none', must ?? 'none')];
  });
}

function revisionDifferences(
  promise: StoredPromise,
  { revisions, revision: last }: Evaluation,
  stored: readonly RevisionRow[],
): Difference[] {
  const expected = [
    { revision: 1, cause: 'enrolled', paymentId: null, atMs: Number(promise.enrolledAtMs) },
    ...revisions.map(({ revision, cause, paymentId, atMs }) => ({
      revision,
      cause,
      paymentId,
      atMs: Number(atMs),
    })),
  ];
  const is = new Map(stored.map(({ promiseId: _, ...one }) => [one.revision, one]));
  const must = new Map(expected.map((one) => [one.revision, one]));
  const numbers = [...new Set([...must.keys(), ...is.keys()])].sort((a, b) => a - b);
  return numbers.flatMap((revision) => {
    const [one, other] = [is.get(revision), must.get(revision)];
    if (canonicalJson(one) === canonicalJson(other)) return [];
    return [
      found('revision', promise, revision, `revision ${revision} of ${last}`, one ?? 'none', other ?? 'none'),
    ];
  });
}

// Collections must have heard each outcome, or hear it; and the audit trail must tell of it.
function toldDifferences(
  promise: StoredPromise,
  verdicts: readonly VerdictRow[],
  { told, audited }: Recorded,
): Difference[] {
  const events = new Set((audited.get(promise.promiseId) ?? []).map(({ event }) => event));
  const untold = verdicts
    .filter((verdict) => !told.has(outcomeOf(verdict)))
    .map((verdict) =>
      found('outcome_untold', promise, verdict.revision, 'outbox', 'none', outcomeOf(verdict)),
    );
  const must = [
    'promise.enrolled',
    ...verdicts.map(({ status, revision }) => `promise.${status} ${revision}`),
  ];
  const unaudited = must
    .filter((event) => !events.has(event))
    .map((event) => found('audit_missing', promise, null, 'audit_event', 'none', event));
  return [...untold, ...unaudited];
}
