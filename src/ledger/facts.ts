import { epochMs, localDate, type EpochMs } from '../rules/calendar';
import type { CancelReason, Line, Payment, PromiseFacts, RivalPromise } from '../rules/facts';
import { cents } from '../rules/money';
import type { PolicyOptions } from '../rules/policy';
import { invariant } from '../platform/errors';
import { row, type Tx } from './connection';

/** A promise's own row, as the transaction that holds its lock sees it. */
export interface PromiseRow {
  readonly promiseId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly status: 'pending' | 'active' | 'kept' | 'broken' | 'cancelled';
  readonly revision: number;
  readonly scheduleNo: number;
  readonly decidedRevision: number;
  readonly settledAsOfMs: EpochMs;
  readonly nextJudgeAtMs: EpochMs | null;
  readonly workflowId: string;
  readonly cancelActor: string | null;
  readonly cancelRequestId: string | null;
  readonly attention: string | null;
  readonly clockOffsetMs: number;
  readonly sandbox: boolean;
}

const MS = (column: string): string => `cast(extract(epoch from ${column}) * 1000 as bigint)`;

/**
 * Locks a promise until the transaction ends, so that a verdict and a payment cannot cross. `no key update` conflicts
 * with itself but lets others insert rows that refer to the promise, such as messages in the outbox.
 */
export async function lockPromise(
  tx: Tx,
  tenantId: string,
  promiseId: string,
): Promise<PromiseRow | undefined> {
  return row<PromiseRow>(
    tx,
    `select p.promise_id as "promiseId", p.account_id as "accountId", p.debt_class as "debtClass", p.status,
            p.revision, p.schedule_no as "scheduleNo", p.decided_revision as "decidedRevision",
            ${MS('p.settled_as_of')} as "settledAsOfMs", ${MS('p.next_judge_at')} as "nextJudgeAtMs",
            p.workflow_id as "workflowId", p.cancel_actor as "cancelActor",
            p.cancel_request_id as "cancelRequestId", p.attention,
            t.clock_offset_ms as "clockOffsetMs", t.sandbox
       from promise p join tenant t using (tenant_id)
      where p.tenant_id = :tenantId and p.promise_id = :promiseId
        for no key update of p`,
    { tenantId, promiseId },
    { prepareAs: 'lock-promise' },
  );
}

/** What the facts query returns: JSON made by the database in one round trip. */
interface StoredFacts {
  readonly promise: {
    readonly promiseId: string;
    readonly debtClass: string;
    readonly currency: string;
    readonly payor: string;
    readonly startDate: string;
    readonly calendarVersion: string;
    readonly cancelledAtMs: number | null;
    readonly cancelReason: CancelReason | null;
    readonly timeZone: string;
    readonly policyName: string;
    readonly policyVersion: number;
    readonly options: PolicyOptions;
  };
  readonly lines: readonly Line[] | null;
  readonly payments: readonly Payment[] | null;
  readonly rivals: readonly RivalPromise[] | null;
}

// Money from well before the start is left out: it can neither count nor explain anything.
const FACTS = `
select json_build_object(
    'promiseId', p.promise_id, 'debtClass', p.debt_class, 'currency', p.currency, 'payor', p.payor,
    'startDate', p.start_date, 'calendarVersion', p.calendar_version,
    'cancelledAtMs', ${MS('p.cancelled_at')}, 'cancelReason', p.cancel_reason, 'timeZone', t.time_zone,
    'policyName', p.policy_name, 'policyVersion', p.policy_version, 'options', pol.options) as promise,
  (select json_agg(json_build_object(
      'seq', i.seq, 'dueDate', i.due_date, 'amountCents', i.amount_cents, 'lastDay', i.last_day,
      'deadlineMs', ${MS('i.deadline_at')}, 'judgeAtMs', ${MS('i.judge_at')}) order by i.due_date, i.seq)
     from installment i
    where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id and i.schedule_no = p.schedule_no) as lines,
  (select json_agg(json_build_object(
      'paymentId', m.payment_id, 'debtClass', m.debt_class, 'currency', m.currency,
      'amountCents', m.amount_cents, 'effectiveDate', m.effective_date, 'postedAtMs', ${MS('m.posted_at')},
      'tenders', (select json_agg(json_build_object('payor', d.payor, 'amountCents', d.amount_cents) order by d.seq)
                    from payment_tender d
                   where d.tenant_id = m.tenant_id and d.payment_id = m.payment_id),
      'spentCents', coalesce((select sum(u.cents) from payment_use u join promise o using (tenant_id, promise_id)
                               where u.tenant_id = m.tenant_id and u.payment_id = m.payment_id
                                 and u.promise_id <> p.promise_id and o.payor = p.payor
                                 and o.enrolled_at < p.enrolled_at), 0),
      'reversal', (select json_build_object('effectiveDate', r.effective_date,
                          'postedAtMs', ${MS('r.posted_at')}, 'reason', r.reason)
                     from payment_reversal r
                    where r.tenant_id = m.tenant_id and r.payment_id = m.payment_id)))
     from payment m
    where m.tenant_id = p.tenant_id and m.account_id = p.account_id
      and m.effective_date >= p.start_date - 31) as payments,
  (select json_agg(json_build_object('payor', o.payor, 'fromMs', ${MS('o.enrolled_at')},
                                     'untilMs', ${MS('o.ended_at')}))
     from promise o
    where o.tenant_id = p.tenant_id and o.account_id = p.account_id and o.debt_class = p.debt_class
      and o.promise_id <> p.promise_id) as rivals
from promise p
join tenant t using (tenant_id)
join policy pol on pol.tenant_id = p.tenant_id and pol.name = p.policy_name and pol.version = p.policy_version
where p.tenant_id = :tenantId and p.promise_id = :promiseId`;

/** Everything that decides a promise. Call it with the promise's lock held, else a payment may cross. */
export async function loadFacts(tx: Tx, tenantId: string, promiseId: string): Promise<PromiseFacts> {
  const stored = await row<StoredFacts>(tx, FACTS, { tenantId, promiseId }, { prepareAs: 'facts' });
  invariant(stored !== undefined, `Promise ${promiseId} of tenant ${tenantId} has gone`);
  return factsOf(stored);
}

function factsOf({ promise, lines, payments, rivals }: StoredFacts): PromiseFacts {
  const { policyName, policyVersion, options, cancelledAtMs, cancelReason, ...rest } = promise;
  invariant(lines !== null && lines.length > 0, `Promise ${promise.promiseId} has no installments`);
  for (const line of lines) cents(line.amountCents);
  for (const payment of payments ?? []) cents(payment.amountCents);
  return {
    ...rest,
    startDate: localDate(promise.startDate),
    policy: { name: policyName, version: policyVersion, ...options },
    lines,
    payments: payments ?? [],
    rivals: rivals ?? [],
    cancellation:
      cancelledAtMs === null || cancelReason === null
        ? null
        : { atMs: epochMs(cancelledAtMs), reason: cancelReason },
  };
}
