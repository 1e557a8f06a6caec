import { TrothError } from '../../platform/errors';
import type { EpochMs } from '../../rules/calendar';
import type { PromiseFacts, PromiseStatus, Reason } from '../../rules/facts';
import { MS, rows, type Ledger, type Tx } from '../connection';
import { factsOf, SELECT_FACTS, type StoredFacts } from '../promises/facts';

/** A promise's row as a pass over the whole ledger reads it: what was recorded of it, beside the facts. */
export interface StoredPromise {
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly workflowId: string;
  readonly currency: string;
  readonly totalCents: number;
  readonly payMethod: string | null;
  readonly status: PromiseStatus;
  readonly reason: Reason | null;
  readonly revision: number;
  readonly decidedRevision: number;
  readonly scheduleNo: number;
  readonly enrolledAtMs: EpochMs;
  /** The instant up to which it has been judged. */
  readonly settledAsOfMs: EpochMs;
  readonly nextJudgeAtMs: EpochMs | null;
  readonly endedAtMs: EpochMs | null;
  readonly cancelActor: string | null;
  readonly approved: boolean | null;
  readonly approvalActor: string | null;
}

/** A promise with its facts; or with what is wrong with them, where they cannot be. */
export type LoadedPromise = { readonly stored: StoredPromise } & LoadedFacts;

/** Which promises of a tenant a pass goes over. */
export type Which =
  | { readonly kind: 'all' }
  | { readonly kind: 'one'; readonly promiseId: string }
  | { readonly kind: 'open' }
  /** Open at some time between two instants, as far as the last end tells. */
  | { readonly kind: 'open-between'; readonly fromMs: EpochMs; readonly toMs: EpochMs }
  /** Ended from one instant to just before another. */
  | { readonly kind: 'ended'; readonly fromMs: EpochMs; readonly toMs: EpochMs };

export interface Page<Extra> {
  readonly promises: readonly LoadedPromise[];
  /** What `also` read of the same promises, at the same instant. */
  readonly extra: Extra;
}

export interface PassOptions<Extra> {
  /** What else to read of the promises of a page. */
  readonly also: (tx: Tx, promiseIds: readonly string[]) => Promise<Extra>;
  readonly pageSize?: number | undefined;
}

/**
 * Promises to a page. Measured with 100,000 promises of three installments: 200 take twice as long as 1,000, and 2,000 are
 * no faster and hold more memory. One query for each table of the page, put together here, took as long as this one query
 * whose parts look up each promise's rows; so there is one way only to load facts.
 */
const PAGE = 1000;

/**
 * Goes over promises with their facts, in order of their ids, a page at a time, in bounded memory; the next page is read
 * while the last one is worked on. Each page shows one instant of the ledger, and nobody waits for it.
 */
export async function* promisePages<Extra>(
  ledger: Ledger,
  tenantId: string,
  which: Which,
  { also, pageSize = PAGE }: PassOptions<Extra>,
): AsyncGenerator<Page<Extra>, void, void> {
  const load = (after: string): Promise<Page<Extra>> =>
    inSnapshot(ledger, tenantId, async (tx) => {
      const stored = await storedPromises(tx, tenantId, which, after, pageSize);
      const ids = stored.map(({ promiseId }) => promiseId);
      return { promises: await withFacts(tx, tenantId, stored), extra: await also(tx, ids) };
    });
  let next: Promise<Page<Extra>> | undefined = load('');
  try {
    while (next !== undefined) {
      const page: Page<Extra> = await next;
      const last = page.promises.at(-1);
      next = last === undefined || page.promises.length < pageSize ? undefined : load(last.stored.promiseId);
      next?.catch(() => undefined); // heard when it is awaited
      if (last !== undefined) yield page;
    }
  } finally {
    await next?.catch(() => undefined); // who stops early may close the ledger now
  }
}

/**
 * Runs in a transaction that sees one instant of one tenant's rows and changes nothing, whatever others write meanwhile.
 */
export function inSnapshot<T>(ledger: Ledger, tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return ledger.knex.transaction(
    async (tx) => {
      await tx.raw("select set_config('troth.tenant', ?, true)", [tenantId]);
      return work(tx);
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

const CONDITIONS: Readonly<Record<Which['kind'], string>> = {
  all: 'true',
  one: 'p.promise_id = :promiseId',
  open: "p.status in ('pending', 'active')",
  'open-between': "p.enrolled_at <= :to and (p.status in ('pending', 'active') or p.ended_at > :from)",
  ended: 'p.ended_at >= :from and p.ended_at < :to',
};

function valuesOf(which: Which): Record<string, unknown> {
  switch (which.kind) {
    case 'all':
    case 'open':
      return {};
    case 'one':
      return { promiseId: which.promiseId };
    case 'open-between':
    case 'ended':
      return { from: new Date(which.fromMs), to: new Date(which.toMs) };
  }
}

async function storedPromises(
  tx: Tx,
  tenantId: string,
  which: Which,
  after: string,
  limit: number,
): Promise<StoredPromise[]> {
  return rows<StoredPromise>(
    tx,
    `select p.promise_id as "promiseId", p.account_id as "accountId", p.debt_class as "debtClass",
            p.workflow_id as "workflowId", p.currency, p.total_cents as "totalCents", p.pay_method as "payMethod",
            p.status, p.reason, p.revision, p.decided_revision as "decidedRevision", p.schedule_no as "scheduleNo",
            ${MS('p.enrolled_at')} as "enrolledAtMs", ${MS('p.settled_as_of')} as "settledAsOfMs",
            ${MS('p.next_judge_at')} as "nextJudgeAtMs", ${MS('p.ended_at')} as "endedAtMs",
            p.cancel_actor as "cancelActor", p.approved, p.approval_actor as "approvalActor"
       from promise p
      where p.tenant_id = :tenantId and p.promise_id > :after and ${CONDITIONS[which.kind]}
      order by p.promise_id limit :limit`,
    { ...valuesOf(which), tenantId, after, limit },
  );
}

async function withFacts(
  tx: Tx,
  tenantId: string,
  promises: readonly StoredPromise[],
): Promise<LoadedPromise[]> {
  const byId = await factsOfPromises(
    tx,
    tenantId,
    promises.map(({ promiseId }) => promiseId),
  );
  return promises.map((stored) => ({ stored, ...(byId.get(stored.promiseId) ?? GONE) }));
}

/** The facts of a promise; or what is wrong with them, where they cannot be. */
export type LoadedFacts =
  | { readonly facts: PromiseFacts; readonly problem: null }
  | { readonly facts: null; readonly problem: string };

const GONE: LoadedFacts = { facts: null, problem: 'its policy or tenant has gone' };

/** The facts of some promises by their ids, in one round trip. One of which the policy has gone is not in it. */
export async function factsOfPromises(
  tx: Tx,
  tenantId: string,
  promiseIds: readonly string[],
): Promise<Map<string, LoadedFacts>> {
  if (promiseIds.length === 0) return new Map();
  const found = await rows<StoredFacts>(
    tx,
    `${SELECT_FACTS}
      where p.tenant_id = :tenantId and p.promise_id = any(:promiseIds)`,
    { tenantId, promiseIds },
    { prepareAs: 'facts-of-page' },
  );
  return new Map(found.map((facts) => [facts.promise.promiseId, loaded(facts)]));
}

// A promise whose facts cannot be must not keep the others from being looked at.
function loaded(stored: StoredFacts): LoadedFacts {
  try {
    return { facts: factsOf(stored), problem: null };
  } catch (error) {
    if (error instanceof TrothError || error instanceof RangeError) {
      return { facts: null, problem: error.message };
    }
    throw error;
  }
}
