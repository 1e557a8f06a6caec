import type { EpochMs } from '../../rules/calendar';
import { audit } from '../audit';
import { MS, row, rows, type Tx } from '../connection';
import type { OutcomeMessage } from '../outbox';
import { isToldOutside } from './targets';

/** What a system outside is told: an outcome or a notice of a promise. Ids, dates and amounts, nothing about the person. */
export interface OutsidePayload extends OutcomeMessage {
  /** What the promise is after it. */
  readonly status: string;
  /** The verdict in one sentence; null where nothing was decided. */
  readonly sentence: string | null;
  /** The installment that was missed, from 1. */
  readonly installment: number | null;
  /** The payment that was reversed, or that reopened the promise. */
  readonly paymentId: string | null;
}

/** A message as a sender claims it. */
export interface ClaimedMessage {
  readonly outcomeId: string;
  /** Its place among the messages of its promise, from 1, growing, with gaps allowed. */
  readonly position: number;
  readonly payload: OutsidePayload;
  /** This attempt counted. */
  readonly attempts: number;
  /** When it was sent last and not acknowledged, in ms since 1970. */
  readonly sentAtMs: number | null;
}

export interface PromiseKey {
  readonly tenantId: string;
  readonly promiseId: string;
}

// A settlement writes its notices and outcomes in one statement, whose rows are numbered in no order of their own: they
// share `created_at`, and within it the order is that of the promise's life.
const HAND_OVER = `
with asked as (
  select * from json_to_recordset(cast(:promises as json)) as a("tenantId" text, "promiseId" text)),
waiting as (
  select b.outbox_id, b.tenant_id, b.promise_id, b.payload, b.payload ->> 'outcomeId' as outcome_id,
         cast(b.payload ->> 'revision' as integer) as revision, b.payload ->> 'kind' as kind,
         cast(b.payload ->> 'at' as timestamptz) as at,
         min(b.outbox_id) over (partition by b.tenant_id, b.promise_id, b.created_at) as settlement
    from outbox b join asked a on a."tenantId" = b.tenant_id and a."promiseId" = b.promise_id
   where b.kind in ('outcome', 'activated', 'notice') and b.delivered_at is null),
fresh as (
  select w.*, row_number() over (
           partition by w.tenant_id, w.promise_id
           order by w.settlement, w.revision, w.at,
                    case when w.kind = 'reversed' then 2 when w.kind in ('kept', 'broken', 'cancelled') then 1 else 0 end,
                    w.outbox_id) as line
    from waiting w
   where not exists (select 1 from outside_message m
                      where m.tenant_id = w.tenant_id and m.outcome_id = w.outcome_id)),
written as (
  insert into outside_message (tenant_id, outcome_id, promise_id, account_id, debt_class, position, payload,
                               created_at, next_try_at)
  select f.tenant_id, f.outcome_id, f.promise_id, p.account_id, p.debt_class,
         f.line + coalesce((select max(m.position) from outside_message m
                             where m.tenant_id = f.tenant_id and m.promise_id = f.promise_id), 0),
         f.payload || jsonb_build_object(
           'status', case when f.kind in ('kept', 'broken', 'cancelled') then f.kind
                          when f.kind = 'reversed' and v.status is not null then v.status
                          when p.activated_at is null or p.activated_at > f.at then 'pending' else 'active' end,
           'sentence', case when f.kind in ('kept', 'broken', 'cancelled') then v.sentence end,
           'installment', n.details -> 'seq', 'paymentId', n.details -> 'paymentId'),
         :now, :now
    from fresh f
    join promise p on p.tenant_id = f.tenant_id and p.promise_id = f.promise_id
    left join verdict v on v.tenant_id = f.tenant_id and v.promise_id = f.promise_id and v.revision = f.revision
                       and v.kind = 'promise' and v.seq = 0 and v.decided_at <= f.at
    left join promise_notice n on n.tenant_id = f.tenant_id and n.promise_id = f.promise_id
                              and n.promise_id || '/' || n.notice_id = f.outcome_id
  on conflict do nothing)
update outbox set delivered_at = :now, last_error = null where outbox_id in (select outbox_id from waiting)
returning 1`;

/**
 * Moves all that waits to be told of some promises from the outbox to the messages for a system outside, in the order
 * in which it happened. Idempotent by outcome id.
 * @returns the promises it was done for; those that somebody is settling just now are left out, and can be tried again.
 */
export async function handOver(tx: Tx, promises: readonly PromiseKey[]): Promise<PromiseKey[]> {
  if (promises.length === 0) return [];
  const asked = promises.map(({ tenantId, promiseId }) => ({ tenantId, promiseId }));
  // Outcomes are written under their promise's lock: who holds it sees all that was decided, and nobody numbers twice.
  // Never waited for: those who settle hold several at once, in an order of their own.
  const held = await rows<PromiseKey>(
    tx,
    `select p.tenant_id as "tenantId", p.promise_id as "promiseId" from promise p
      where (p.tenant_id, p.promise_id) in (
        select a."tenantId", a."promiseId"
          from json_to_recordset(cast(:asked as json)) as a("tenantId" text, "promiseId" text))
        for no key update skip locked`,
    { asked: JSON.stringify(asked) },
  );
  if (held.length > 0) await rows(tx, HAND_OVER, { promises: JSON.stringify(held), now: new Date() });
  return held;
}

/** Tenants with a message that may be tried now. */
export async function tenantsWaiting(tx: Tx, limit: number): Promise<string[]> {
  const found = await rows<{ tenantId: string }>(
    tx,
    `select t.tenant_id as "tenantId"
       from tenant t
       cross join lateral (select 1 from outside_message m
                            where m.tenant_id = t.tenant_id and m.acknowledged_at is null and m.next_try_at <= :now
                            limit 1) due
      limit :limit`,
    { now: new Date(), limit },
  );
  return found.map(({ tenantId }) => tenantId);
}

/** A message that must let an earlier one of its promise go first looks again after this; acknowledging wakes it sooner. */
const STAND_BACK_MS = 5000;
/** More candidates than are asked for: some of them stand behind others of their promise. */
const CANDIDATES_EACH = 10;

/**
 * Claims messages of a tenant for one sender: of each promise only the earliest that is not acknowledged, so that order
 * holds. Others skip what is claimed until the lease ends.
 * @param leaseMs longer than sending can take.
 */
export async function claimOutside(
  tx: Tx,
  tenantId: string,
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
): Promise<ClaimedMessage[]> {
  const now = Date.now();
  const found = await rows<ClaimedMessage & { readonly isFirst: boolean }>(
    tx,
    `with candidate as (
       select m.tenant_id, m.promise_id, m.position, m.outcome_id from outside_message m
        where m.tenant_id = :tenantId and m.acknowledged_at is null and m.next_try_at <= :now
        order by m.next_try_at, m.position limit :candidates for update skip locked),
     judged as (
       select c.*, not exists (select 1 from outside_message e
                                where e.tenant_id = c.tenant_id and e.promise_id = c.promise_id
                                  and e.position < c.position and e.acknowledged_at is null) as first
         from candidate c),
     turn as (
       select j.*, count(*) filter (where j.first) over (order by j.first desc, j.promise_id, j.position) as number
         from judged j)
     update outside_message m
        set next_try_at = case when turn.first then :lease else cast(:later as timestamptz) end,
            attempts = m.attempts + case when turn.first then 1 else 0 end
       from turn
      where m.tenant_id = turn.tenant_id and m.outcome_id = turn.outcome_id
        and not (turn.first and turn.number > :limit)
     returning m.outcome_id as "outcomeId", m.position, m.payload, m.attempts, turn.first as "isFirst",
               ${MS('m.sent_at')} as "sentAtMs"`,
    {
      tenantId,
      limit,
      candidates: limit * CANDIDATES_EACH,
      now: new Date(now),
      lease: new Date(now + leaseMs),
      later: new Date(now + STAND_BACK_MS),
    },
  );
  return found.filter(({ isFirst }) => isFirst);
}

/**
 * Records that a message has arrived, and lets the next one of its promise go.
 * @returns whether it was not known before.
 */
export async function acknowledgeOutside(
  tx: Tx,
  tenantId: string,
  outcomeId: string,
  by: string,
): Promise<boolean> {
  const now = new Date();
  const promise = await row<{ promiseId: string }>(
    tx,
    `update outside_message
        set acknowledged_at = :now, acknowledged_by = :by, sent_at = coalesce(sent_at, :now), last_error = null
      where tenant_id = :tenantId and outcome_id = :outcomeId and acknowledged_at is null
     returning promise_id as "promiseId"`,
    { tenantId, outcomeId, by: by.slice(0, 200), now },
  );
  if (promise === undefined) return false;
  await rows(
    tx,
    `update outside_message m set next_try_at = :now
      where m.tenant_id = :tenantId and m.promise_id = :promiseId and m.acknowledged_at is null
        and m.attempts = 0 and m.next_try_at > :now
        and m.position = (select min(e.position) from outside_message e
                           where e.tenant_id = m.tenant_id and e.promise_id = m.promise_id
                             and e.acknowledged_at is null)`,
    { tenantId, promiseId: promise.promiseId, now },
  );
  return true;
}

/** Records that a message failed; it waits and is tried again. Does nothing once somebody else has claimed it. */
export async function outsideFailed(
  tx: Tx,
  tenantId: string,
  { outcomeId, attempts }: ClaimedMessage,
  failure: { readonly error: string; readonly againInMs: number },
): Promise<void> {
  await rows(
    tx,
    `update outside_message set next_try_at = :again, last_error = :error
      where tenant_id = :tenantId and outcome_id = :outcomeId and attempts = :attempts and acknowledged_at is null`,
    {
      ...{ tenantId, outcomeId, attempts },
      error: failure.error.slice(0, 500),
      again: new Date(Date.now() + failure.againInMs),
    },
  );
}

/** Records that a message lies with its receiver, who has not acknowledged it yet. Only sending counts as an attempt. */
export async function outsideSent(
  tx: Tx,
  tenantId: string,
  { outcomeId, attempts }: ClaimedMessage,
  { sentNow, againInMs }: { readonly sentNow: boolean; readonly againInMs: number },
): Promise<void> {
  const now = Date.now();
  await rows(
    tx,
    `update outside_message
        set next_try_at = :again, last_error = null,
            sent_at = case when :sentNow then cast(:now as timestamptz) else sent_at end,
            attempts = attempts - case when :sentNow then 0 else 1 end
      where tenant_id = :tenantId and outcome_id = :outcomeId and attempts = :attempts and acknowledged_at is null`,
    {
      ...{ tenantId, outcomeId, attempts, sentNow },
      ...{ now: new Date(now), again: new Date(now + againInMs) },
    },
  );
}

/** Acknowledges a message by hand. */
export async function acknowledgeByHand(
  tx: Tx,
  tenantId: string,
  outcomeId: string,
  by: { readonly actor: string; readonly atMs: EpochMs },
): Promise<'acknowledged' | 'known' | 'unknown'> {
  const acknowledged = await acknowledgeOutside(tx, tenantId, outcomeId, by.actor);
  const found = await promiseOf(tx, tenantId, outcomeId);
  if (found === undefined) return 'unknown';
  if (!acknowledged) return 'known';
  await audit(tx, tenantId, {
    ...{ action: 'outcome.acknowledged', actor: by.actor, at: by.atMs },
    ...{ ...found, details: { outcomeId } },
  });
  return 'acknowledged';
}

/**
 * Has a message sent once more, also when it was acknowledged; later ones of its promise that are not acknowledged wait
 * for it.
 * @returns whether there is such a message.
 */
export async function resendOutside(
  tx: Tx,
  tenantId: string,
  outcomeId: string,
  by: { readonly actor: string; readonly atMs: EpochMs },
): Promise<boolean> {
  const found = await row(
    tx,
    `update outside_message
        set attempts = case when acknowledged_at is null then attempts + least(attempts, 1) else 0 end,
            acknowledged_at = null, acknowledged_by = null, sent_at = null, last_error = null, next_try_at = :now
      where tenant_id = :tenantId and outcome_id = :outcomeId returning 1`,
    { tenantId, outcomeId, now: new Date() },
  );
  if (found === undefined) return false;
  await audit(tx, tenantId, {
    ...{ action: 'outcome.resent', actor: by.actor, at: by.atMs },
    ...{ ...(await promiseOf(tx, tenantId, outcomeId)), details: { outcomeId } },
  });
  return true;
}

function promiseOf(
  tx: Tx,
  tenantId: string,
  outcomeId: string,
): Promise<{ promiseId: string; accountId: string } | undefined> {
  return row(
    tx,
    `select promise_id as "promiseId", account_id as "accountId" from outside_message
      where tenant_id = :tenantId and outcome_id = :outcomeId`,
    { tenantId, outcomeId },
  );
}

/** A message as lists show it. */
export interface ListedMessage {
  readonly outcomeId: string;
  readonly position: number;
  readonly kind: OutcomeMessage['kind'];
  readonly accountId: string;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly acknowledgedAt: Date | null;
  readonly acknowledgedBy: string | null;
}

/** The messages of a tenant, oldest first. */
export function listOutside(
  tx: Tx,
  tenantId: string,
  which: { readonly unacknowledged: boolean; readonly limit: number },
): Promise<ListedMessage[]> {
  return rows<ListedMessage>(
    tx,
    `select outcome_id as "outcomeId", position, payload ->> 'kind' as kind, account_id as "accountId",
            created_at as "createdAt", sent_at as "sentAt", attempts, last_error as "lastError",
            acknowledged_at as "acknowledgedAt", acknowledged_by as "acknowledgedBy"
       from outside_message
      where tenant_id = :tenantId and (acknowledged_at is null or not :unacknowledged)
      order by created_at, promise_id, position limit :limit`,
    { tenantId, ...which },
  );
}

/** How many messages of a tenant wait to be acknowledged. */
export async function countUnacknowledged(tx: Tx, tenantId: string): Promise<number> {
  const found = await row<{ count: number }>(
    tx,
    'select count(*) as count from outside_message where tenant_id = :tenantId and acknowledged_at is null',
    { tenantId },
  );
  return found?.count ?? 0;
}

/**
 * Outcomes that were delivered between two instants and that nobody has: no case recorded them, and they are no message
 * to a system outside. One that went from there to Troth's own case must be in that case.
 */
// The ids are taken out of the payload first: row-level security lets no function that could leak near an index, and each sweep
// would read all that was ever told.
export function unheardOutcomes(
  tx: Tx,
  between: { readonly from: Date; readonly to: Date },
  limit: number,
): Promise<{ tenantId: string; promiseId: string; revision: number; outboxId: number }[]> {
  return rows(
    tx,
    `with told as materialized (
       select b.tenant_id, b.promise_id, b.outbox_id, b.payload ->> 'outcomeId' as outcome_id,
              cast(b.payload ->> 'revision' as integer) as revision
         from outbox b
        where b.kind in ('outcome', 'notice') and b.delivered_at >= :from and b.delivered_at < :to)
     select b.tenant_id as "tenantId", b.promise_id as "promiseId", b.revision, b.outbox_id as "outboxId"
       from told b
      where not exists (select 1 from collections_outcome o
                         where o.tenant_id = b.tenant_id and o.outcome_id = b.outcome_id)
        and not exists (select 1 from outside_message m
                         where m.tenant_id = b.tenant_id and m.outcome_id = b.outcome_id
                           and (m.acknowledged_by is distinct from 'troth' or ${isToldOutside('b.tenant_id')}))
      order by b.outbox_id limit :limit`,
    { ...between, limit },
  );
}
