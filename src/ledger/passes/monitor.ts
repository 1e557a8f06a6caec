import { TrothError, messageOf } from '../../platform/errors';
import {
  addDays,
  epochMs,
  formatLocalTime,
  localDateAt,
  startOfDayMs,
  type EpochMs,
  type LocalDate,
} from '../../rules/calendar';
import { evaluate, type Evaluation } from '../../rules/decide';
import { explain } from '../../rules/explain';
import type { PromiseFacts, PromiseStatus } from '../../rules/facts';
import { firstNight, monitorNight } from '../../rules/monitor/monitor';
import { audit } from '../audit';
import type { Ledger } from '../connection';
import { decidedBy } from '../promises/decided-by';
import { promisePages, type LoadedPromise, type StoredPromise, type Which } from './facts-batch';
import { Settling, type Failure } from './monitor-settle';
import { tenantNow, type Tenant } from '../tenants';

/** A night of a tenant: 00:00 local of its date, when all of the day before is known (R16). */
export interface Night {
  readonly date: LocalDate;
  readonly atMs: EpochMs;
  /** 00:00 local of the day before. */
  readonly previousMs: EpochMs;
  /** Where the tenant's clock stands: in a day after the night's date, in it, or before it. */
  readonly when: 'past' | 'today' | 'future';
}

/**
 * The night of a date for a tenant; without a date, that of its today.
 * @throws TrothError INPUT_INVALID for a night that may not be looked at, or not be run for real.
 */
export function nightOf(tenant: Tenant, date: LocalDate | undefined, dryRun: boolean): Night {
  const { tenantId, timeZone, sandbox } = tenant;
  const nowMs = tenantNow(tenant);
  const today = localDateAt(nowMs, timeZone);
  const of = date ?? today;
  const when = of === today ? 'today' : of < today ? 'past' : 'future';
  const clock = formatLocalTime(nowMs, timeZone);
  if (when === 'future' && !(sandbox && dryRun)) {
    const advice = sandbox
      ? `move it first (troth clock --tenant ${tenantId} --to "${of} 00:00"), or look ahead with --dry-run`
      : 'a night can be run once it has begun';
    throw new TrothError(
      'INPUT_INVALID',
      `The night of ${of} lies in the future of tenant "${tenantId}", whose clock shows ${clock}; ${advice}`,
    );
  }
  if (when === 'past' && !dryRun) {
    throw new TrothError(
      'INPUT_INVALID',
      `The night of ${of} has passed for tenant "${tenantId}", whose clock shows ${clock}; ` +
        `look at it with --dry-run, or settle what is due with --as-of ${today}`,
    );
  }
  return {
    date: of,
    atMs: startOfDayMs(of, timeZone),
    previousMs: startOfDayMs(addDays(of, -1), timeZone),
    when,
  };
}

/** What a night does to a promise. */
export const CHANGES = ['kept', 'broken', 'cancelled', 'activated', 'missed'] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** A promise that a night changes. */
export interface Change {
  readonly kind: ChangeKind;
  readonly promiseId: string;
  readonly accountId: string;
  readonly revision: number;
  /** When it was, or should have been, decided. */
  readonly atMs: EpochMs;
  readonly sentence: string;
}

/** A promise that a batch as S3's would leave otherwise, for it has not run on the nights between (cases O12, O14). */
export interface SkippedNight {
  readonly promiseId: string;
  readonly accountId: string;
  readonly engine: PromiseStatus;
  readonly batch: PromiseStatus;
  /** When the engine decided, or should have. */
  readonly atMs: EpochMs | null;
}

/** How many promises. */
export interface NightCounts {
  readonly looked: number;
  readonly unchanged: number;
  readonly changed: Readonly<Record<ChangeKind, number>>;
  /** Open still, with a judge time that has passed: the engine has not judged them yet. */
  readonly overdue: number;
  /** For which there is something to record. */
  readonly due: number;
  readonly settled: number;
  /** Outcomes that this run recorded. */
  readonly recorded: number;
}

/** A part of a night's work. */
export interface NightPart {
  readonly counts: NightCounts;
  readonly changes: readonly Change[];
  readonly skipped: readonly SkippedNight[];
  readonly failures: readonly Failure[];
}

export const NO_COUNTS: NightCounts = {
  looked: 0,
  unchanged: 0,
  changed: { kept: 0, broken: 0, cancelled: 0, activated: 0, missed: 0 },
  overdue: 0,
  due: 0,
  settled: 0,
  recorded: 0,
};

/**
 * Goes over all open promises of a tenant as of a night, as a nightly batch does (R16), and says what is due; unless it is
 * a dry run it settles that, through the same transaction as a promise's workflow, which finds its verdict made. Of a past
 * night it says what the day before it changed, among the promises that were open then.
 */
export async function* runNight(
  ledger: Ledger,
  tenant: Tenant,
  night: Night,
  options: { readonly dryRun: boolean; readonly actor: string },
): AsyncGenerator<NightPart, void, void> {
  const { previousMs, atMs } = night;
  const which: Which =
    night.when === 'past' ? { kind: 'open-between', fromMs: previousMs, toMs: atMs } : { kind: 'open' };
  const settling = options.dryRun ? null : new Settling(ledger, tenant, atMs);
  try {
    for await (const { promises } of promisePages(ledger, tenant.tenantId, which, { also: nothing })) {
      const looked = promises.map((promise) => lookAt(promise, night));
      const due = looked.flatMap(({ promise, isDue }) => (isDue ? [promise.stored.promiseId] : []));
      if (settling !== null) await settling.add(due);
      yield partOf(looked, due.length);
    }
  } finally {
    await settling?.done(); // nothing is under way when the ledger is closed
  }
  if (settling === null) return;
  const { failures, settled, recorded } = settling.result;
  await ledger.forTenant(tenant.tenantId, (tx) =>
    audit(tx, tenant.tenantId, {
      action: 'monitor.run',
      actor: options.actor,
      at: tenantNow(tenant),
      details: { night: night.date, settled, recorded, failed: failures.length },
    }),
  );
  yield { counts: { ...NO_COUNTS, settled, recorded }, changes: [], skipped: [], failures };
}

async function nothing(): Promise<null> {
  return null;
}

interface Looked {
  readonly promise: LoadedPromise;
  readonly change: Change | null;
  readonly skipped: SkippedNight | null;
  readonly isOverdue: boolean;
  readonly isDue: boolean;
  readonly failure: Failure | null;
}

function partOf(looked: readonly Looked[], due: number): NightPart {
  const changes = looked.flatMap(({ change }) => change ?? []);
  const failures = looked.flatMap(({ failure }) => failure ?? []);
  const changed = { ...NO_COUNTS.changed };
  for (const { kind } of changes) changed[kind] += 1;
  return {
    counts: {
      ...NO_COUNTS,
      looked: looked.length,
      unchanged: looked.length - changes.length - failures.length,
      changed,
      overdue: looked.filter(({ isOverdue }) => isOverdue).length,
      due,
    },
    changes,
    skipped: looked.flatMap(({ skipped }) => skipped ?? []),
    failures,
  };
}

function lookAt(promise: LoadedPromise, night: Night): Looked {
  const { stored, facts, problem } = promise;
  const { promiseId } = stored;
  const nothingOf = { promise, change: null, skipped: null, isOverdue: false, isDue: false };
  if (facts === null) return { ...nothingOf, failure: { promiseId, message: problem } };
  try {
    return {
      ...nothingOf,
      failure: null,
      ...(night.when === 'past' ? pastLook : presentLook)(stored, facts, night),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ...nothingOf, failure: { promiseId, message: messageOf(error) } };
  }
}

/** A promise as it was recorded, or as it stood the night before. */
interface Before {
  readonly status: PromiseStatus;
  readonly revision: number;
  readonly atMs: EpochMs;
}

// Settled already beyond the night, it is judged as of then: time never runs backwards for a promise.
function presentLook(stored: StoredPromise, facts: PromiseFacts, night: Night): Partial<Looked> {
  const asOfMs = epochMs(Math.max(night.atMs, stored.settledAsOfMs));
  const life = evaluate(facts, asOfMs);
  const isOverdue = stored.nextJudgeAtMs !== null && stored.nextJudgeAtMs <= night.atMs;
  const before = { status: stored.status, revision: stored.revision, atMs: stored.settledAsOfMs };
  const change = changeOf(stored, facts, before, life);
  return {
    change,
    isOverdue,
    isDue: isOverdue || change !== null || hasNews(stored, life),
    skipped: skippedNight(stored, facts, life, night),
  };
}

function pastLook(stored: StoredPromise, facts: PromiseFacts, night: Night): Partial<Looked> {
  const { status, revision } = evaluate(facts, night.previousMs);
  const isOpen = status === 'active' || status === 'pending';
  const before = { status, revision, atMs: night.previousMs };
  return { change: isOpen ? changeOf(stored, facts, before, evaluate(facts, night.atMs)) : null };
}

function hasNews(stored: StoredPromise, life: Evaluation): boolean {
  return (
    life.status !== stored.status ||
    life.revision !== stored.revision ||
    life.nextJudgeAtMs !== stored.nextJudgeAtMs ||
    life.notices.some(({ atMs }) => atMs > stored.settledAsOfMs)
  );
}

function changeOf(
  stored: StoredPromise,
  facts: PromiseFacts,
  before: Before,
  life: Evaluation,
): Change | null {
  const { promiseId, accountId } = stored;
  const of = { promiseId, accountId, revision: life.revision };
  const last = life.outcomes.at(-1);
  if (life.status === 'kept' || life.status === 'broken' || life.status === 'cancelled') {
    if (last === undefined || (before.status === life.status && before.revision === life.revision))
      return null;
    const { sentence } = explain(facts, last, decidedBy(stored, last));
    return { ...of, kind: life.status, atMs: last.atMs, sentence };
  }
  if (before.status === 'pending' && life.status === 'active') {
    const at = life.notices.find(({ kind }) => kind === 'activated')?.atMs ?? before.atMs;
    return { ...of, kind: 'activated', atMs: at, sentence: 'Active: what it waited for has come.' };
  }
  const missed = life.notices.filter(({ kind, atMs }) => kind === 'missed' && atMs > before.atMs);
  const [first] = missed;
  if (first === undefined) return null;
  const which = missed.map(({ seq }) => seq).join(', ');
  const sentence = `Missed installment ${which}; the promise goes on by its policy.`;
  return { ...of, kind: 'missed', atMs: first.atMs, sentence };
}

// What was judged on each night up to the last settlement is as the engine has it; tonight S3 sees all that was skipped.
function skippedNight(
  stored: StoredPromise,
  facts: PromiseFacts,
  life: Evaluation,
  night: Night,
): SkippedNight | null {
  const { promiseId, accountId, nextJudgeAtMs, settledAsOfMs } = stored;
  if (nextJudgeAtMs === null || nextJudgeAtMs > night.previousMs) return null;
  const asSettled = monitorNight(facts, firstNight(facts), settledAsOfMs, null);
  const { status } = monitorNight(facts, asSettled, night.atMs, night.previousMs);
  if (status === life.status) return null;
  const atMs = life.outcomes.at(-1)?.atMs ?? null;
  return { promiseId, accountId, engine: life.status, batch: status, atMs };
}
