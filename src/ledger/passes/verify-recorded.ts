import type { Verdict } from '../../rules/explain';
import { MS, rows, type Tx } from '../connection';

export interface VerdictRow {
  readonly promiseId: string;
  readonly revision: number;
  readonly seq: number;
  readonly kind: string;
  readonly status: Verdict['status'];
  readonly reason: string;
  readonly sentence: string;
  readonly decidedAtMs: number;
  /** A verdict, if nobody has changed it. */
  readonly evidence: unknown;
}

export interface InstallmentRow {
  readonly promiseId: string;
  readonly seq: number;
  readonly status: string;
  readonly countedCents: number;
}

export interface UseRow {
  readonly promiseId: string;
  readonly paymentId: string;
  readonly revision: number;
  readonly cents: number;
  readonly usedAtMs: number;
}

export interface RevisionRow {
  readonly promiseId: string;
  readonly revision: number;
  readonly cause: string;
  readonly paymentId: string | null;
  readonly atMs: number;
}

/** What is recorded of some promises, by promise. */
export interface Recorded {
  readonly verdicts: ReadonlyMap<string, readonly VerdictRow[]>;
  readonly installments: ReadonlyMap<string, readonly InstallmentRow[]>;
  readonly uses: ReadonlyMap<string, readonly UseRow[]>;
  readonly revisions: ReadonlyMap<string, readonly RevisionRow[]>;
  /** Outcomes that collections, ours or one outside, has received (true), or that wait for it (false). */
  readonly told: ReadonlyMap<string, boolean>;
  /** What the audit trail tells of each promise: actions, with their revision where they have one. */
  readonly audited: ReadonlyMap<string, readonly { readonly promiseId: string; readonly event: string }[]>;
}

/** Reads what is recorded of some promises, for `verify`. */
export async function recordedOf(tx: Tx, tenantId: string, promiseIds: readonly string[]): Promise<Recorded> {
  const of = async <Row extends { readonly promiseId: string }>(
    sql: string,
  ): Promise<ReadonlyMap<string, readonly Row[]>> =>
    byPromise(await rows<Row>(tx, sql, { tenantId, promiseIds }));
  return {
    verdicts: await of<VerdictRow>(SELECT_VERDICTS),
    installments: await of<InstallmentRow>(SELECT_INSTALLMENTS),
    uses: await of<UseRow>(SELECT_USES),
    revisions: await of<RevisionRow>(SELECT_REVISIONS),
    told: new Map(
      (await rows<{ outcomeId: string; received: boolean }>(tx, SELECT_TOLD, { tenantId, promiseIds })).map(
        ({ outcomeId, received }) => [outcomeId, received],
      ),
    ),
    audited: await of(SELECT_AUDITED),
  };
}

function byPromise<Row extends { readonly promiseId: string }>(
  found: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const grouped = new Map<string, Row[]>();
  for (const one of found) {
    const known = grouped.get(one.promiseId);
    if (known === undefined) grouped.set(one.promiseId, [one]);
    else known.push(one);
  }
  return grouped;
}

const SELECT_VERDICTS = `
select promise_id as "promiseId", revision, seq, kind, status, reason, sentence, evidence,
       ${MS('decided_at')} as "decidedAtMs"
  from verdict where tenant_id = :tenantId and promise_id = any(:promiseIds) order by revision, seq, kind`;

const SELECT_INSTALLMENTS = `
select i.promise_id as "promiseId", i.seq, i.status, i.counted_cents as "countedCents"
  from installment i
  join promise p on p.tenant_id = i.tenant_id and p.promise_id = i.promise_id and p.schedule_no = i.schedule_no
 where i.tenant_id = :tenantId and i.promise_id = any(:promiseIds) order by i.seq`;

const SELECT_USES = `
select promise_id as "promiseId", payment_id as "paymentId", revision, cents, ${MS('used_at')} as "usedAtMs"
  from payment_use where tenant_id = :tenantId and promise_id = any(:promiseIds)
 order by revision, payment_id collate "C"`;

const SELECT_REVISIONS = `
select promise_id as "promiseId", revision, cause, payment_id as "paymentId", ${MS('at')} as "atMs"
  from promise_revision where tenant_id = :tenantId and promise_id = any(:promiseIds) order by revision`;

// A row of the outbox may be forgotten once it was received; what was received is kept.
const SELECT_TOLD = `
select payload ->> 'outcomeId' as "outcomeId", false as received
  from outbox where tenant_id = :tenantId and promise_id = any(:promiseIds) and kind = 'outcome'
 union all
select outcome_id, acknowledged_at is not null
  from outside_message
 where tenant_id = :tenantId and promise_id = any(:promiseIds)
   and payload ->> 'kind' in ('kept', 'broken', 'cancelled')
 union all
select outcome_id, true
  from collections_outcome
 where tenant_id = :tenantId and promise_id = any(:promiseIds) and kind in ('kept', 'broken', 'cancelled')
 order by received`;

const SELECT_AUDITED = `
select promise_id as "promiseId", action || coalesce(' ' || (details ->> 'revision'), '') as event
  from audit_event
 where tenant_id = :tenantId and promise_id = any(:promiseIds)
   and action in ('promise.enrolled', 'promise.kept', 'promise.broken', 'promise.cancelled')`;
