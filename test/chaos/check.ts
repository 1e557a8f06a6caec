import type { Client } from '@temporalio/client';
import { rows, type Ledger, type Tx } from '../../src/ledger/connection';
import { loadFacts } from '../../src/ledger/promises/facts';
import { epochMs } from '../../src/rules/calendar';
import { evaluate } from '../../src/rules/decide';
import { explain } from '../../src/rules/explain';
import { judge, type OracleStory } from '../oracle/oracle';
import { eventually } from '../support/engine';
import { whateverComes, type Teller, type ToldStory } from './stories';

const FOR_EVER_MS = 4_000_000_000_000;
/** A settlement takes the clock a moment before the database stamps what it writes. */
const STAMP_MS = 100;

/** Waits until every promise has ended, every outcome is in its case and no message waits. */
export async function untilQuiet(ledger: Ledger, tenantId: string, limitMs = 120_000): Promise<void> {
  let said = Date.now();
  await eventually(
    async () => {
      const left = await whateverComes(() => ledger.forTenant(tenantId, (tx) => leftOf(tx, tenantId)));
      if (Date.now() - said > 5_000) {
        said = Date.now();
        process.stderr.write(`  left: ${JSON.stringify(left)}\n`);
      }
      return left.open === 0 && left.untold === 0 && left.waiting === 0;
    },
    `tenant ${tenantId} comes to rest`,
    limitMs,
  );
}

async function leftOf(tx: Tx, tenantId: string): Promise<{ open: number; untold: number; waiting: number }> {
  const [left] = await rows<{ open: number; untold: number; waiting: number }>(
    tx,
    `select (select count(*) from promise where tenant_id = :tenantId and status = 'active') as open,
            (select count(*) from outbox where tenant_id = :tenantId and delivered_at is null) as waiting,
            (select count(*) from verdict v where v.tenant_id = :tenantId and not exists (
               select 1 from collections_outcome o
                where o.tenant_id = v.tenant_id and o.promise_id = v.promise_id
                  and o.revision = v.revision and o.kind = v.status)) as untold`,
    { tenantId },
  );
  return left ?? { open: 0, untold: 0, waiting: 0 };
}

/** Everything that is not as it must be after some stories were told; empty when all is well. */
export async function complaints(
  ledger: Ledger,
  tenantId: string,
  stories: readonly ToldStory[],
  teller: Teller,
): Promise<string[]> {
  return ledger.forTenant(tenantId, async (tx) => [
    ...(await lostPayments(tx, tenantId, teller)),
    ...(await judgedEarly(tx, tenantId)),
    ...(await overdue(tx, tenantId)),
    ...(await unlikeTheOracle(tx, tenantId, stories)),
    ...(await unlikeTheEvidence(tx, tenantId)),
  ]);
}

async function lostPayments(tx: Tx, tenantId: string, { accepted, reversed }: Teller): Promise<string[]> {
  const stored = await rows<{ id: string; cents: number; reversed: boolean }>(
    tx,
    `select payment_id as id, amount_cents as cents, exists (select 1 from payment_reversal r
        where r.tenant_id = p.tenant_id and r.payment_id = p.payment_id) as reversed
       from payment p where tenant_id = :tenantId`,
    { tenantId },
  );
  const found = new Map(stored.map((payment) => [payment.id, payment]));
  return [
    ...[...accepted].filter(([id, cents]) => found.get(id)?.cents !== cents).map(([id]) => `lost: ${id}`),
    ...[...reversed].filter((id) => found.get(id)?.reversed !== true).map((id) => `lost: reversal of ${id}`),
    ...(stored.length === accepted.size ? [] : [`${stored.length} payments, ${accepted.size} were accepted`]),
  ];
}

// The tenant's clock when a verdict was written: what the last move before it showed, and the real time since.
async function judgedEarly(tx: Tx, tenantId: string): Promise<string[]> {
  const early = await rows<{ id: string; revision: number }>(
    tx,
    `select v.promise_id as id, v.revision
       from verdict v
       join lateral (select a.at, a.recorded_at from audit_event a
                      where a.tenant_id = v.tenant_id and a.action = 'clock.moved'
                        and a.recorded_at <= v.recorded_at
                      order by a.audit_id desc limit 1) clock on true
      where v.tenant_id = :tenantId
        and v.decided_at > clock.at + (v.recorded_at - clock.recorded_at) + make_interval(secs => :slack)`,
    { tenantId, slack: STAMP_MS / 1_000 },
  );
  return early.map(({ id, revision }) => `${id} revision ${revision} was judged before its time`);
}

async function overdue(tx: Tx, tenantId: string): Promise<string[]> {
  const late = await rows<{ id: string }>(
    tx,
    `select p.promise_id as id from promise p join tenant t using (tenant_id)
      where p.tenant_id = :tenantId and p.status = 'active'
        and p.next_judge_at < to_timestamp((:nowMs + t.clock_offset_ms) / 1000.0)`,
    { tenantId, nowMs: Date.now() },
  );
  return late.map(({ id }) => `${id} is open and its judge time has passed`);
}

/** A promise as the ledger and its case have it in the end. */
interface Stored {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly decidedAtMs: number | null;
  readonly countedCents: number;
  readonly revision: number;
  readonly cancelledAtMs: number | null;
  readonly attention: string | null;
  readonly outcomes: readonly { revision: number; status: string; reason: string; atMs: number }[] | null;
  readonly received: readonly { revision: number; status: string; atMs: number }[] | null;
  readonly counts: { kept: number; broken: number; cancelled: number; status: string } | null;
  readonly posted: Readonly<Record<string, number>> | null;
  /** Money that had counted bounced after the end: the case must look at it, whatever the promise came to. */
  readonly bouncedLater: boolean;
  readonly reversed: Readonly<Record<string, number>> | null;
}

const MS = (column: string): string => `cast(extract(epoch from ${column}) * 1000 as bigint)`;

const STORED = `
select p.promise_id as id, p.status, p.reason, ${MS('p.ended_at')} as "decidedAtMs", p.revision, p.attention,
       ${MS('p.cancelled_at')} as "cancelledAtMs",
       (select cast(sum(counted_cents) as bigint) from installment i
         where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id) as "countedCents",
       (select json_agg(json_build_object('revision', revision, 'status', status, 'reason', reason,
                                          'atMs', ${MS('decided_at')}) order by revision)
          from verdict v where v.tenant_id = p.tenant_id and v.promise_id = p.promise_id) as outcomes,
       (select json_agg(json_build_object('revision', revision, 'status', kind, 'atMs', ${MS('at')})
                        order by position)
          from collections_outcome o
         where o.tenant_id = p.tenant_id and o.account_id = p.account_id
           and o.kind in ('kept', 'broken', 'cancelled')) as received,
       exists (select 1 from collections_outcome o
                where o.tenant_id = p.tenant_id and o.account_id = p.account_id and o.kind = 'reversed'
                  and o.at > p.ended_at) as "bouncedLater",
       (select json_build_object('kept', kept_count, 'broken', broken_count, 'cancelled', cancelled_count,
                                 'status', status)
          from collections_case c where c.tenant_id = p.tenant_id and c.account_id = p.account_id) as counts,
       (select json_object_agg(payment_id, ${MS('posted_at')}) from payment m
         where m.tenant_id = p.tenant_id and m.account_id = p.account_id) as posted,
       (select json_object_agg(payment_id, ${MS('r.posted_at')})
          from payment m join payment_reversal r using (tenant_id, payment_id)
         where m.tenant_id = p.tenant_id and m.account_id = p.account_id) as reversed
  from promise p where p.tenant_id = :tenantId`;

async function unlikeTheOracle(tx: Tx, tenantId: string, stories: readonly ToldStory[]): Promise<string[]> {
  const all = new Map((await rows<Stored>(tx, STORED, { tenantId })).map((stored) => [stored.id, stored]));
  return stories.flatMap((told) => {
    const stored = all.get(told.promiseId);
    if (stored === undefined) return [`${told.promiseId} is not in the ledger`];
    const answer = judge(asItHappened(told, stored), FOR_EVER_MS);
    const { status, reason, decidedAtMs, countedCents, revision, outcomes } = answer;
    const of = (kind: string): number => outcomes.filter((outcome) => outcome.status === kind).length;
    const expected = {
      ...{ status, reason, decidedAtMs, countedCents, revision, outcomes },
      attention: null,
      received: outcomes.map(({ revision: of_, status: kind, atMs }) => ({
        revision: of_,
        status: kind,
        atMs,
      })),
      counts: {
        ...{ kept: of('kept'), broken: of('broken'), cancelled: of('cancelled') },
        status: status === 'kept' && !stored.bouncedLater ? 'closed' : 'open',
      },
    };
    const { id, cancelledAtMs, posted, reversed, bouncedLater, ...found } = stored;
    return sorted(found) === sorted(expected)
      ? []
      : [`${id}: found ${sorted(found)}, the oracle says ${sorted(expected)}`];
  });
}

/** The story with the instants at which the ledger learned of it: what a posting came after is part of the facts. */
function asItHappened({ story, promiseId, cancelAskedAtMs }: ToldStory, stored: Stored): OracleStory {
  const { cancelAtMs: planned, ...rest } = story;
  const cancelAtMs = planned === undefined ? undefined : (stored.cancelledAtMs ?? cancelAskedAtMs);
  return {
    ...rest,
    ...(cancelAtMs === undefined ? {} : { cancelAtMs }),
    payments: story.payments.map(({ reversal, ...payment }) => {
      const id = `${promiseId}-${payment.id}`;
      const reversedAtMs = stored.reversed?.[id];
      return {
        ...payment,
        postedAtMs: stored.posted?.[id] ?? Number.NaN,
        ...(reversal === undefined || reversedAtMs === undefined
          ? {}
          : { reversal: { ...reversal, postedAtMs: reversedAtMs } }),
      };
    }),
  };
}

/** R20: each verdict, computed again from what is stored now, must give the bytes that were stored with it. */
export async function unlikeTheEvidence(tx: Tx, tenantId: string): Promise<string[]> {
  const verdicts = await rows<{ id: string; revision: number; decidedBy: string; evidence: object }>(
    tx,
    `select promise_id as id, revision, evidence ->> 'decidedBy' as "decidedBy", evidence
       from verdict where tenant_id = :tenantId order by promise_id, revision`,
    { tenantId },
  );
  const wrong: string[] = [];
  for (const { id, revision, decidedBy, evidence } of verdicts) {
    const facts = await loadFacts(tx, tenantId, id);
    const again = evaluate(facts, epochMs(FOR_EVER_MS)).outcomes.find(
      (outcome) => outcome.revision === revision,
    );
    const computed = again === undefined ? 'nothing' : sorted(explain(facts, again, decidedBy));
    if (computed !== sorted(evidence))
      wrong.push(`${id}/${revision}: ${sorted(evidence)} became ${computed}`);
  }
  return wrong;
}

/** JSON with its keys in order: jsonb keeps no order of its own. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** How many workflows of a kind run on a task queue. */
export async function running(client: Client, taskQueue: string, type: string, more = ''): Promise<number> {
  const query = `WorkflowType = '${type}' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'${more}`;
  return (await client.workflow.count(query)).count;
}
