import { row, rows, type Ledger, type Tx } from '../connection';
import { inSnapshot } from './facts-batch';
import { NOTHING, type Difference, type Verified } from './verify';

/** Events and heads to a page. */
const PAGE = 5000;

/**
 * Walks the chains of a tenant's audit trail: one for each promise, and one for what belongs to none. Each event carries
 * the hash of the one before it, and the head of a chain knows how many there are and the last hash; so an event that was
 * changed or removed shows, and so do a tail that was cut off and a head that was changed to hide it. Reads only.
 */
export async function* verifyAudit(
  ledger: Ledger,
  tenantId: string,
  promiseId?: string,
): AsyncGenerator<Verified, void, void> {
  yield* walkEvents(ledger, tenantId, promiseId ?? null);
  yield* walkHeads(ledger, tenantId, promiseId ?? null);
}

interface EventRow {
  readonly chain: string;
  readonly position: number;
  /** Of the event before it in the chain; 0 where there is none. */
  readonly before: number;
  readonly action: string;
  readonly holds: boolean;
  readonly isHeadless: boolean;
  readonly hash: Buffer;
  readonly events: number;
}

// Only what is wrong comes back, and the last event of the page, from which the next page goes on.
const SELECT_EVENTS = `
select * from (
  select page.*, count(*) over () as events, row_number() over (order by chain, position) as number
    from (
      select e.chain, e.position, e.action, e.hash,
             coalesce(lag(e.position) over chain_of, case when e.chain = :chain then cast(:position as bigint) else 0 end)
               as before,
             e.hash = troth_audit_hash(
               coalesce(lag(e.hash) over chain_of, case when e.chain = :chain then cast(:hash as bytea) else '' end), e)
               as holds,
             case when lag(e.position) over chain_of is null and e.chain is distinct from cast(:chain as text)
                  then not exists (select from audit_head h where h.tenant_id = e.tenant_id and h.chain = e.chain)
                  else false end as "isHeadless"
        from audit_event e
       where e.tenant_id = :tenantId
         and (cast(:chain as text) is null or (e.chain, e.position) > (:chain, cast(:position as bigint)))
         and (cast(:only as text) is null or e.chain = :only)
      window chain_of as (partition by e.chain order by e.position)
       order by e.chain, e.position limit :limit) page) numbered
 where not holds or "isHeadless" or position <> before + 1 or number = events
 order by number`;

async function* walkEvents(
  ledger: Ledger,
  tenantId: string,
  only: string | null,
): AsyncGenerator<Verified, void, void> {
  let at: { chain: string | null; position: number; hash: Buffer } = {
    chain: null,
    position: 0,
    hash: NO_HASH,
  };
  for (;;) {
    const page = await inSnapshot(ledger, tenantId, (tx) =>
      rows<EventRow>(tx, SELECT_EVENTS, { tenantId, only, limit: PAGE, ...at }),
    );
    const last = page.at(-1);
    if (last === undefined) return;
    yield { counts: { ...NOTHING, auditEvents: last.events }, differences: page.flatMap(eventDifferences) };
    if (last.events < PAGE) return;
    at = last;
  }
}

const NO_HASH = Buffer.alloc(0);

function eventDifferences({ chain, position, before, action, holds, isHeadless }: EventRow): Difference[] {
  const promiseId = chain === '' ? null : chain;
  const at = { promiseId, revision: null, byte: null };
  const head: Difference[] = isHeadless
    ? [{ kind: 'audit_head', ...at, field: 'audit_head', stored: 'none', recomputed: 'a head' }]
    : [];
  if (position !== before + 1) {
    const missing = position - before - 1;
    const which = missing === 1 ? `event ${before + 1}` : `events ${before + 1} to ${position - 1}`;
    // The hash of what is missing is unknown, so that this event's own cannot be checked.
    return [
      ...head,
      {
        kind: 'audit_missing',
        ...at,
        field: which,
        stored: 'none',
        recomputed: `${missing} before ${action}`,
      },
    ];
  }
  if (holds) return head;
  const field = `event ${position}, ${action}`;
  return [...head, { kind: 'audit_changed', ...at, field, stored: 'its hash', recomputed: 'another hash' }];
}

interface HeadRow {
  readonly chain: string;
  readonly events: number;
  readonly last: number | null;
  readonly isSame: boolean;
  readonly heads: number;
}

const SELECT_HEADS = `
select * from (
  select page.*, count(*) over () as heads, row_number() over (order by chain) as number
    from (
      select h.chain, h.events, l.position as last,
             coalesce(l.hash = h.hash and l.position = h.events, false) as "isSame"
        from audit_head h
        left join lateral (select e.position, e.hash from audit_event e
                            where e.tenant_id = h.tenant_id and e.chain = h.chain
                            order by e.position desc limit 1) l on true
       where h.tenant_id = :tenantId and (cast(:after as text) is null or h.chain > :after)
         and (cast(:only as text) is null or h.chain = :only)
       order by h.chain limit :limit) page) numbered
 where not "isSame" or number = heads
 order by number`;

async function* walkHeads(
  ledger: Ledger,
  tenantId: string,
  only: string | null,
): AsyncGenerator<Verified, void, void> {
  let after: string | null = null;
  for (;;) {
    const page: HeadRow[] = await inSnapshot(ledger, tenantId, (tx) =>
      rows<HeadRow>(tx, SELECT_HEADS, { tenantId, only, after, limit: PAGE }),
    );
    const last = page.at(-1);
    if (last === undefined) return;
    yield { counts: NOTHING, differences: page.flatMap(headDifferences) };
    if (last.heads < PAGE) return;
    after = last.chain;
  }
}

function headDifferences({ chain, events, last, isSame }: HeadRow): Difference[] {
  if (isSame) return [];
  const at = { promiseId: chain === '' ? null : chain, revision: null, byte: null };
  const there = last ?? 0;
  if (events > there) {
    const which = events === there + 1 ? `event ${events}` : `events ${there + 1} to ${events}`;
    return [
      { kind: 'audit_tail', ...at, field: which, stored: `${there} events`, recomputed: `${events} events` },
    ];
  }
  const stored = events === there ? 'another hash' : `${events} events`;
  const recomputed = events === there ? 'the hash of its last event' : `${there} events`;
  return [{ kind: 'audit_head', ...at, field: 'audit_head', stored, recomputed }];
}

/** Whether a tenant has a promise, or at least an audit chain of that name. */
export async function hasChain(tx: Tx, tenantId: string, promiseId: string): Promise<boolean> {
  const known = await row(
    tx,
    `select 1 from promise where tenant_id = :tenantId and promise_id = :promiseId
      union all
     select 1 from audit_head where tenant_id = :tenantId and chain = :promiseId limit 1`,
    { tenantId, promiseId },
  );
  return known !== undefined;
}
