import type { Cents } from '../../rules/money';
import { MS, rows, type Tx } from '../connection';
import { isToldOutside } from './targets';

/** Why something is on the worklist. */
export const WORKLIST_KINDS = ['stuck', 'approval', 'broken', 'reversed'] as const;
export type WorklistKind = (typeof WORKLIST_KINDS)[number];

/** What it is about, within its kind; the words of a row follow from it. */
export type WorklistMatter =
  | 'promise-attention'
  | 'case-attention'
  | 'contact'
  | 'contacts-waiting'
  | 'message'
  | 'waking'
  | 'outside'
  | 'step'
  | 'promise'
  | 'broken'
  | 'reversed';

/** A row of the worklist as the ledger has it. */
export interface WorklistRow {
  readonly itemId: string;
  readonly matter: WorklistMatter;
  /** Null: it concerns the tenant as a whole. */
  readonly accountId: string | null;
  readonly debtClass: string | null;
  readonly promiseId: string | null;
  /** Of a step: its run and id. */
  readonly runNo: number | null;
  readonly stepId: string | null;
  readonly amountCents: Cents | null;
  readonly since: Date;
  /** Of a count, how many; what was said last, such as an error. */
  readonly count: number | null;
  readonly said: string | null;
}

// What ends a row is that it is answered, that something new happens (another revision, another run, another day for what
// keeps failing: the item's id says so), or that a person has marked it as done.
const SELECT = `select w.item as "itemId", w.matter, w.account_id as "accountId", w.debt_class as "debtClass",
       w.promise_id as "promiseId", w.run_no as "runNo", w.step_id as "stepId", w.cents as "amountCents", w.since,
       w.count, w.said`;

const NOTHING = `cast(null as integer) as run_no, cast(null as text) as step_id`;

/** A promise was broken, it is the last word on its debt, and nothing is promised now. Index: promise_broken. */
const BROKEN = `
select 'broken/' || p.promise_id || '/' || p.revision as item, 'broken' as matter, p.account_id, p.debt_class, p.promise_id,
       ${NOTHING}, i.unpaid as cents, p.ended_at as since, cast(null as integer) as count, v.sentence as said
  from promise p
  left join lateral (
    select cast(sum(amount_cents - counted_cents) as bigint) as unpaid from installment i
     where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id and i.schedule_no = p.schedule_no) i on true
  left join lateral (
    select sentence from verdict v
     where v.tenant_id = p.tenant_id and v.promise_id = p.promise_id and v.revision = p.revision and v.kind = 'promise'
     order by seq desc limit 1) v on true
 where p.tenant_id = :tenantId and p.status = 'broken'
   and not exists (
     select 1 from promise later
      where later.tenant_id = p.tenant_id and later.account_id = p.account_id and later.debt_class = p.debt_class
        and (later.status in ('pending', 'active') or later.ended_at > p.ended_at))
   and not exists (
     select 1 from collections_case c
      where c.tenant_id = p.tenant_id and c.account_id = p.account_id and c.debt_class = p.debt_class
        and c.status = 'closed')
   and not exists (
     select 1 from debt d
      where d.tenant_id = p.tenant_id and d.account_id = p.account_id and d.debt_class = p.debt_class
        and d.total_cents = 0 and d.as_of >= p.ended_at)`;

/** Money was taken back after its promise was kept, and the promise stays kept (R19). Index: promise_notice_reversed. */
const REVERSED = `
select 'reversed/' || p.promise_id || '/' || n.notice_id as item, 'reversed' as matter, p.account_id, p.debt_class,
       p.promise_id, ${NOTHING}, m.amount_cents as cents, n.at as since, cast(null as integer) as count,
       n.details ->> 'paymentId' as said
  from promise_notice n
  join promise p on p.tenant_id = n.tenant_id and p.promise_id = n.promise_id and p.status = 'kept'
   and p.ended_at <= n.at and p.revision = n.revision
  left join payment m on m.tenant_id = n.tenant_id and m.payment_id = n.details ->> 'paymentId'
 where n.tenant_id = :tenantId and n.kind = 'reversed'`;

/** A step and a promise that wait for a person's yes or no. Indexes: collections_step_waiting, promise_awaiting. */
const APPROVAL = `
select 'approval/step/' || s.account_id || '/' || s.debt_class || '/' || s.run_no || '/' || s.step_id as item,
       'step' as matter, s.account_id, s.debt_class, cast(null as text) as promise_id, s.run_no, s.step_id,
       s.collectible_cents as cents, s.at as since, cast(null as integer) as count, s.sentence as said
  from collections_step s
  join collections_run r using (tenant_id, account_id, debt_class, run_no)
 where s.tenant_id = :tenantId and s.status = 'awaiting-approval' and s.approved is null
   and r.status in ('running', 'paused') and not ${isToldOutside(':tenantId')}
union all
select 'approval/promise/' || p.promise_id || '/' || p.revision, 'promise', p.account_id, p.debt_class, p.promise_id,
       null, null, p.total_cents, p.enrolled_at, null,
       cast(${MS('p.approval_deadline_at')} as text)
  from promise p
 where p.tenant_id = :tenantId and p.status = 'pending' and p.approved is null and p.approval_deadline_at is not null`;

// From this many attempts on, the growing delays of waking have come to ten minutes.
const WAKING_ATTEMPTS = 20;

/**
 * What goes no further by itself. Indexes: promise_attention, collections_case_attention, contact_unhanded, outbox_waiting,
 * collections_case_waking, outside_message_waiting. What keeps failing comes back on another day.
 */
const STUCK = `
select 'stuck/promise/' || p.promise_id || '/' || floor(extract(epoch from p.attention_at)) as item,
       'promise-attention' as matter, p.account_id, p.debt_class, p.promise_id, ${NOTHING}, p.total_cents as cents,
       p.attention_at as since, cast(null as integer) as count, p.attention as said
  from promise p where p.tenant_id = :tenantId and p.attention is not null
union all
select 'stuck/case/' || c.account_id || '/' || c.debt_class || '/' || floor(extract(epoch from c.attention_at)),
       'case-attention', c.account_id, c.debt_class, null, null, null, null, c.attention_at, null, c.attention
  from collections_case c where c.tenant_id = :tenantId and c.attention is not null
union all
select 'stuck/contact/' || c.contact_id || '/' || :today, 'contact', c.account_id, c.debt_class, null, c.run_no, c.step_id,
       cast(null as bigint), c.due_at, c.attempts, c.last_error
  from contact c
 where c.tenant_id = :tenantId and c.handed_at is null and c.last_error is not null and c.due_at < :tenantLate
union all
select 'stuck/contacts/' || :today, 'contacts-waiting', null, null, null, null, null, null, min(c.due_at),
       cast(count(*) as integer), null
  from contact c
 where c.tenant_id = :tenantId and c.handed_at is null and c.last_error is null and c.due_at < :tenantLate
   and c.next_try_at < :late
having count(*) > 0
union all
select 'stuck/message/' || b.promise_id || '/' || :today, 'message', p.account_id, p.debt_class, b.promise_id, null, null,
       p.total_cents, min(b.created_at), cast(count(*) as integer), max(b.last_error)
  from outbox b join promise p using (tenant_id, promise_id)
 where b.tenant_id = :tenantId and b.delivered_at is null
   and ((b.last_error is not null and b.created_at < :late) or b.next_try_at < :late)
 group by b.promise_id, p.account_id, p.debt_class, p.total_cents
union all
select 'stuck/waking/' || c.account_id || '/' || c.debt_class || '/' || :today, 'waking', c.account_id, c.debt_class, null,
       null, null, null, c.wake_try_at, c.wake_attempts, c.wake_error
  from collections_case c
 where c.tenant_id = :tenantId and c.woken_no < c.wake_no
   and ((c.wake_error is not null and c.wake_attempts >= ${WAKING_ATTEMPTS}) or c.wake_try_at < :late)
union all
select 'stuck/outside/' || m.outcome_id || '/' || :today, 'outside', m.account_id, m.debt_class, m.promise_id, null, null,
       null, m.created_at, m.attempts, m.last_error
  from outside_message m
 where m.tenant_id = :tenantId and m.acknowledged_at is null and m.created_at < :late
   and (m.last_error is not null or m.next_try_at < :late or (m.sent_at is not null and m.attempts > 1))`;

const QUERIES: Readonly<Record<WorklistKind, string>> = {
  stuck: STUCK,
  approval: APPROVAL,
  broken: BROKEN,
  reversed: REVERSED,
};

export interface WorklistPage {
  readonly accountId?: string;
  /** Only this item. */
  readonly itemId?: string;
  /** The page after this row. */
  readonly after?: Pick<WorklistRow, 'since' | 'amountCents' | 'itemId'>;
  readonly limit: number;
  /** The tenant's day, `YYYY-MM-DD`. */
  readonly today: string;
  /** What waits since before this instant is late, in real time. */
  readonly late: Date;
  /** The same in the tenant's time. */
  readonly tenantLate: Date;
}

/**
 * A page of the worklist's rows of one kind: by the minute since when they are there, of one minute the largest first. One query.
 */
export async function worklistRows(
  tx: Tx,
  tenantId: string,
  kind: WorklistKind,
  page: WorklistPage,
): Promise<WorklistRow[]> {
  const { accountId, itemId, after, limit, today, late, tenantLate } = page;
  return rows<WorklistRow>(
    tx,
    `${SELECT}
       from (${QUERIES[kind]}) w
      where not exists (select 1 from worklist_note n
                         where n.tenant_id = :tenantId and n.item_id = w.item and n.done)
        and (cast(:accountId as text) is null or w.account_id = :accountId)
        and (cast(:itemId as text) is null or w.item = :itemId)
        and (cast(:afterItem as text) is null
             or (date_trunc('minute', w.since), -coalesce(w.cents, 0), w.item)
                > (date_trunc('minute', cast(:afterSince as timestamptz)), -cast(:afterCents as bigint), :afterItem))
      order by date_trunc('minute', w.since), -coalesce(w.cents, 0), w.item limit :limit`,
    {
      ...{ tenantId, limit, today, late, tenantLate },
      accountId: accountId ?? null,
      itemId: itemId ?? null,
      afterItem: after?.itemId ?? null,
      afterSince: after?.since ?? null,
      afterCents: after?.amountCents ?? 0,
    },
  );
}

/** Notes what a person did about an item. Notes are never changed. */
export async function insertWorklistNote(
  tx: Tx,
  tenantId: string,
  note: {
    readonly itemId: string;
    readonly note: string;
    readonly done: boolean;
    readonly actor: string;
    readonly at: Date;
  },
): Promise<void> {
  await rows(
    tx,
    `insert into worklist_note (tenant_id, item_id, note, done, actor, at)
     values (:tenantId, :itemId, :note, :done, :actor, :at) on conflict do nothing`,
    { tenantId, ...note },
  );
}

/** Whether an item was marked as done before. */
export async function isItemDone(tx: Tx, tenantId: string, itemId: string): Promise<boolean> {
  const found = await rows(
    tx,
    'select 1 from worklist_note where tenant_id = :tenantId and item_id = :itemId and done limit 1',
    { tenantId, itemId },
  );
  return found.length > 0;
}
