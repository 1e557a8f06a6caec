import type { EpochMs } from '../../rules/calendar';
import { row, rows, type Tx } from '../connection';
import type { OutcomeMessage } from '../outbox';
import { OF_CASE, type CaseKey } from './case-key';
import { lockCase } from './runs';

/** Something a case received, in the order it was applied. */
export interface ReceivedOutcome {
  readonly outcomeId: string;
  readonly promiseId: string;
  readonly revision: number;
  readonly kind: OutcomeMessage['kind'];
  readonly position: number;
  readonly at: string;
}

type ReceivedMessage = Pick<OutcomeMessage, 'outcomeId' | 'promiseId' | 'revision' | 'kind' | 'at'>;

/** A case after something was received. */
export interface CaseState {
  readonly status: 'open' | 'closed';
  readonly keptCount: number;
  readonly brokenCount: number;
  readonly cancelledCount: number;
  readonly openPromises: number;
  /** What this call recorded; what was known before is not in it. */
  readonly recorded: readonly ReceivedOutcome[];
}

/**
 * Records what a case received: each outcome exactly once, in order of revision, whatever the order of the signals. A
 * signal only names an outcome; earlier ones of the same promise that never arrived are taken from the verdicts.
 * @param messages in the order in which they are applied; what one of them has brought, a later one does not bring again.
 */
export async function receiveOutcomes(
  tx: Tx,
  key: CaseKey,
  workflowId: string,
  messages: readonly ReceivedMessage[],
): Promise<CaseState> {
  await lockCase(tx, key, workflowId);
  const missing = await notYetReceived(tx, key, messages);
  const now = new Date();
  const recorded = missing.length === 0 ? [] : await insertOutcomes(tx, key, missing, now);
  return updateCase(tx, key, recorded, now);
}

/** A message about a promise of the case's debt, with its place among those that came together. */
interface Placed {
  readonly place: number;
  readonly message: ReceivedMessage;
  /** Whether just this outcome was recorded before. */
  readonly known: boolean;
}

const MOST_REVISIONS = 1_000_000;

async function notYetReceived(
  tx: Tx,
  key: CaseKey,
  messages: readonly ReceivedMessage[],
): Promise<Omit<ReceivedOutcome, 'position'>[]> {
  const placed = await ofThisDebt(tx, key, messages);
  const activated = placed.flatMap(({ place, known, message }) => {
    const { outcomeId, promiseId, revision, kind } = message;
    const atMs = instantOf(message);
    if (kind !== 'activated' || known || atMs === null || !outcomeId.startsWith(`${promiseId}/`)) return [];
    const at = new Date(atMs).toISOString();
    return [{ place, outcome: { outcomeId, promiseId, revision, kind, at } }];
  });
  const ended = await toldAndMissing(
    tx,
    key,
    placed.filter(({ message }) => message.kind !== 'activated'),
  );
  // Stable: what one message brings stays in order.
  const inOrder = [...activated, ...ended].sort((a, b) => a.place - b.place);
  const once = new Map<string, Omit<ReceivedOutcome, 'position'>>();
  for (const { outcome } of inOrder) if (!once.has(outcome.outcomeId)) once.set(outcome.outcomeId, outcome);
  return [...once.values()];
}

const YEAR_ONE_MS = Date.parse('0001-01-01T00:00:00Z');
const YEAR_9999_MS = Date.parse('9999-12-31T23:59:59Z');

/** When it happened, as a message says; null where that is no instant that the ledger could hold. */
function instantOf({ at }: ReceivedMessage): number | null {
  const atMs = Date.parse(at);
  return atMs >= YEAR_ONE_MS && atMs <= YEAR_9999_MS ? atMs : null;
}

// No text of PostgreSQL's, and so no id.
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** A message typed by hand may say anything: what names no promise on this debt says nothing to its case. */
async function ofThisDebt(
  tx: Tx,
  key: CaseKey,
  messages: readonly ReceivedMessage[],
): Promise<readonly Placed[]> {
  const readable = messages.filter(
    ({ outcomeId, promiseId, revision }) =>
      Number.isInteger(revision) &&
      revision >= 1 &&
      revision <= MOST_REVISIONS &&
      !UNSTORABLE.test(`${outcomeId} ${promiseId}`),
  );
  const asked = readable.map(({ promiseId, outcomeId }, place) => ({ place, promiseId, outcomeId }));
  const found = await rows<{ place: number; known: boolean }>(
    tx,
    `select m.place, exists (select 1 from collections_outcome o
                              where o.tenant_id = :tenantId and o.outcome_id = m."outcomeId") as known
       from json_to_recordset(cast(:asked as json)) as m(place integer, "promiseId" text, "outcomeId" text)
       join promise p on p.tenant_id = :tenantId and p.promise_id = m."promiseId"
      where p.account_id = :accountId and p.debt_class = :debtClass`,
    { ...key, asked: JSON.stringify(asked) },
  );
  return found.flatMap(({ place, known }) => {
    const message = readable[place];
    return message === undefined ? [] : [{ place, message, known }];
  });
}

// What the ledger has told of the promises: their verdicts, and what happened to them between those (R15, R18, R19), up to
// the revision and the instant that a message names. A reopening begins its revision; a reversal after an end comes after it.
const TOLD = `
with m as materialized (
  select place, "promiseId", revision, to_timestamp("atMs" / 1000.0) as at
    from json_to_recordset(cast(:messages as json))
      as m(place integer, "promiseId" text, revision integer, "atMs" bigint)),
told as (
  select v.promise_id, v.promise_id || '/' || v.revision || '/' || v.status as outcome_id, v.revision, v.status as kind,
         v.decided_at as at, 1 as rank
    from verdict v
   where v.tenant_id = :tenantId and v.promise_id in (select "promiseId" from m) and v.kind = 'promise'
  union all
  select n.promise_id, n.promise_id || '/' || n.notice_id, n.revision, n.kind, n.at,
         case n.kind when 'reversed' then 2 else 0 end
    from promise_notice n
   where n.tenant_id = :tenantId and n.promise_id in (select "promiseId" from m)
     and n.kind in ('missed', 'reversed', 'reopened', 'amended'))
select min(m.place) as place, told.promise_id as "promiseId", told.outcome_id as "outcomeId", told.revision, told.kind, told.at
  from told join m on m."promiseId" = told.promise_id
             and (told.revision < m.revision or (told.revision = m.revision and told.at <= m.at))
 where not exists (select 1 from collections_outcome o
                    where o.tenant_id = :tenantId and o.outcome_id = told.outcome_id)
 group by told.promise_id, told.outcome_id, told.revision, told.kind, told.at, told.rank
 order by min(m.place), told.revision, told.at, told.rank`;

async function toldAndMissing(
  tx: Tx,
  { tenantId }: CaseKey,
  placed: readonly Placed[],
): Promise<{ place: number; outcome: Omit<ReceivedOutcome, 'position'> }[]> {
  if (placed.length === 0) return [];
  const messages = placed.map(({ place, message }) => {
    const { promiseId, revision } = message;
    // Where a hand wrote no date: the ledger knows what it has told.
    return { place, promiseId, revision, atMs: instantOf(message) ?? Date.now() };
  });
  const found = await rows<Omit<ReceivedOutcome, 'position' | 'at'> & { readonly place: number; at: Date }>(
    tx,
    TOLD,
    { tenantId, messages: JSON.stringify(messages) },
  );
  return found.map(({ place, at, ...one }) => ({ place, outcome: { ...one, at: at.toISOString() } }));
}

// Not in the statement that waits for the case's lock: what that sees is as old as its beginning.
async function insertOutcomes(
  tx: Tx,
  key: CaseKey,
  missing: readonly Omit<ReceivedOutcome, 'position'>[],
  now: Date,
): Promise<ReceivedOutcome[]> {
  const last = await row<{ position: number | null }>(
    tx,
    `select max(position) as position from collections_outcome where ${OF_CASE}`,
    { ...key },
  );
  const outcomes = missing.map((outcome, index) => ({
    ...outcome,
    position: (last?.position ?? 0) + index + 1,
  }));
  await rows(
    tx,
    `insert into collections_outcome (tenant_id, outcome_id, account_id, debt_class, position, promise_id,
                                      revision, kind, at, received_at)
     select :tenantId, o."outcomeId", :accountId, :debtClass, o.position, o."promiseId", o.revision, o.kind,
            o.at, :now
       from json_to_recordset(cast(:outcomes as json))
         as o("outcomeId" text, position integer, "promiseId" text, revision integer, kind text,
              at timestamptz)`,
    { ...key, outcomes: JSON.stringify(outcomes), now },
  );
  return outcomes;
}

// R33: kept closes the case when nothing else is open; broken and cancelled leave the debt to be collected, and money that
// is gone again after a promise was kept must be looked at (R19). A case with a process opens and closes as that decides.
async function updateCase(
  tx: Tx,
  key: CaseKey,
  recorded: readonly ReceivedOutcome[],
  now: Date,
): Promise<CaseState> {
  const of = (kind: ReceivedOutcome['kind']): number =>
    recorded.filter((outcome) => outcome.kind === kind).length;
  const updated = await row<Omit<CaseState, 'recorded'>>(
    tx,
    `with open as (
       select cast(count(*) as integer) as promises from promise
        where ${OF_CASE}
          and status in ('pending', 'active')),
     latest as (
       select kind from collections_outcome
        where ${OF_CASE}
          and kind in ('kept', 'broken', 'cancelled', 'reversed')
        order by at desc, (kind = 'reversed'), position desc limit 1)
     update collections_case c
        set kept_count = kept_count + :kept, broken_count = broken_count + :broken,
            cancelled_count = cancelled_count + :cancelled,
            status = d.status,
            closed_at = case when d.status = 'closed' then coalesce(c.closed_at, cast(:now as timestamptz)) end,
            attention = null, attention_at = null
       from open left join latest on true
       cross join lateral (
         select case when b.acted_as_of is not null then b.status
                     when open.promises = 0 and latest.kind = 'kept' then 'closed' else 'open' end as status
           from collections_case b
          where b.tenant_id = :tenantId and b.account_id = :accountId and b.debt_class = :debtClass) d
      where c.tenant_id = :tenantId and c.account_id = :accountId and c.debt_class = :debtClass
     returning c.status, c.kept_count as "keptCount", c.broken_count as "brokenCount",
               c.cancelled_count as "cancelledCount", open.promises as "openPromises"`,
    { ...key, kept: of('kept'), broken: of('broken'), cancelled: of('cancelled'), now },
  );
  return {
    ...(updated ?? { status: 'open', keptCount: 0, brokenCount: 0, cancelledCount: 0, openPromises: 0 }),
    recorded,
  };
}

/** A case as it stands. A case that was never opened is open and empty: somebody has just asked for it. */
export async function readCase(tx: Tx, key: CaseKey): Promise<Omit<CaseState, 'recorded'>> {
  const found = await row<Omit<CaseState, 'recorded'>>(
    tx,
    `select c.status, c.kept_count as "keptCount", c.broken_count as "brokenCount",
            c.cancelled_count as "cancelledCount",
            cast((select count(*) from promise p
                   where p.tenant_id = c.tenant_id and p.account_id = c.account_id
                     and p.debt_class = c.debt_class and p.status in ('pending', 'active')) as integer)
              as "openPromises"
       from collections_case c
      where c.tenant_id = :tenantId and c.account_id = :accountId and c.debt_class = :debtClass`,
    { ...key },
  );
  return found ?? { status: 'open', keptCount: 0, brokenCount: 0, cancelledCount: 0, openPromises: 0 };
}

/** Whether Troth's own collections has a case open on a debt. */
export async function hasOpenCase(tx: Tx, { tenantId, accountId, debtClass }: CaseKey): Promise<boolean> {
  const found = await row(
    tx,
    `select 1 from collections_case
      where ${OF_CASE} and status = 'open'`,
    { tenantId, accountId, debtClass },
  );
  return found !== undefined;
}

/**
 * Closes a case by hand, e.g. when the CIS says that the debt is paid; its process ends with it.
 * @param nowMs in the tenant's time.
 */
export async function closeCase(tx: Tx, key: CaseKey, nowMs: EpochMs): Promise<void> {
  const now = new Date(nowMs);
  const closed = await rows(
    tx,
    `update collections_case set status = 'closed', closed_at = :now, next_act_at = null, attention = null, attention_at = null
      where ${OF_CASE} and status = 'open' returning 1`,
    { ...key, now },
  );
  if (closed.length === 0) return;
  await rows(
    tx,
    `update collections_run set status = 'cancelled', ended_at = :now, end_reason = 'closed', paused_on = null,
            paused_why = null
      where ${OF_CASE}
        and status in ('running', 'paused')`,
    { ...key, now },
  );
  await rows(
    tx,
    `insert into collections_review (tenant_id, account_id, debt_class, review_no, decision, sentence, evidence, at, recorded_at)
     select :tenantId, :accountId, :debtClass, coalesce(max(review_no), 0) + 1, 'close', 'Closed by hand.',
            '{"byHand": true}', :now, :recordedAt
       from collections_review
      where ${OF_CASE}`,
    { ...key, now, recordedAt: new Date() },
  );
}

/** Open cases that were opened before an instant, with their workflows. */
export async function openCases(
  tx: Tx,
  before: Date,
  limit: number,
): Promise<(CaseKey & { readonly workflowId: string })[]> {
  return rows(
    tx,
    `select tenant_id as "tenantId", account_id as "accountId", debt_class as "debtClass",
            workflow_id as "workflowId"
       from collections_case where status = 'open' and opened_at < :before
      order by tenant_id, account_id, debt_class limit :limit`,
    { before, limit },
  );
}

/** Everything a case received, in order. */
export async function outcomesOfCase(tx: Tx, key: CaseKey): Promise<ReceivedOutcome[]> {
  return rows<ReceivedOutcome>(
    tx,
    `select outcome_id as "outcomeId", promise_id as "promiseId", revision, kind, position, at
       from collections_outcome
      where ${OF_CASE}
      order by position limit 10000`,
    { ...key },
  );
}

/** Puts delivered messages back into the outbox: what they told was never recorded. */
export async function redeliver(tx: Tx, outboxIds: readonly number[]): Promise<void> {
  if (outboxIds.length === 0) return;
  await rows(
    tx,
    'update outbox set delivered_at = null, next_try_at = :now, attempts = 0 where outbox_id = any(:outboxIds)',
    { outboxIds, now: new Date() },
  );
}
