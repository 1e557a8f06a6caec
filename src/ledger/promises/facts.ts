import { termsFor } from '../../rules/agreement';
import { businessCalendar, type CalendarTable } from '../../rules/business-days';
import { epochMs, localDate, type EpochMs } from '../../rules/calendar';
import type {
  Bill,
  CancelReason,
  Line,
  Payment,
  PromiseFacts,
  Repeat,
  RivalPromise,
} from '../../rules/facts';
import { cents } from '../../rules/money';
import type { PolicyOptions } from '../../rules/policy';
import { completeOptions } from '../../rules/presets';
import type { RepeatTerms } from '../../rules/terms';
import { invariant } from '../../platform/errors';
import { MS, row, type Tx } from '../connection';

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
  readonly enrolledBy: string;
  readonly payMethod: string | null;
  readonly arrearsCents: number | null;
  readonly approvalRequestId: string | null;
  readonly approved: boolean | null;
  readonly approvalActor: string | null;
  readonly attention: string | null;
  readonly payor: string;
  /** Whether there are other promises on its debt, open or ended. */
  readonly hasRivals: boolean;
  readonly clockOffsetMs: number;
  readonly sandbox: boolean;
}

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
            p.cancel_request_id as "cancelRequestId", p.enrolled_by as "enrolledBy", p.attention,
            p.pay_method as "payMethod", p.arrears_cents as "arrearsCents", p.approval_request_id as "approvalRequestId", p.approved,
            p.approval_actor as "approvalActor", p.payor,
            exists (select 1 from promise o
                     where o.tenant_id = p.tenant_id and o.account_id = p.account_id
                       and o.debt_class = p.debt_class and o.promise_id <> p.promise_id) as "hasRivals",
            t.clock_offset_ms as "clockOffsetMs", t.sandbox
       from promise p join tenant t using (tenant_id)
      where p.tenant_id = :tenantId and p.promise_id = :promiseId
        for no key update of p`,
    { tenantId, promiseId },
    { prepareAs: 'lock-promise' },
  );
}

/** What the facts query returns: JSON made by the database in one round trip. */
export interface StoredFacts {
  readonly promise: {
    readonly promiseId: string;
    readonly debtClass: string;
    readonly currency: string;
    readonly payor: string;
    readonly startDate: string;
    readonly enrolledAtMs: number;
    readonly calendarVersion: string;
    readonly cancelledAtMs: number | null;
    readonly cancelReason: CancelReason | null;
    readonly timeZone: string;
    readonly policyName: string;
    readonly policyVersion: number;
    readonly options: Partial<PolicyOptions>;
    readonly payMethod: string | null;
    readonly autoManaged: boolean;
    readonly hasDownPayment: boolean;
    readonly repeatTerms: RepeatTerms | null;
    readonly approvalDeadlineMs: number | null;
    readonly approvalAtMs: number | null;
    readonly approved: boolean | null;
    /** The tenant's newest table, where periods are still to be made. */
    readonly calendar: CalendarTable | null;
  };
  readonly lines: readonly StoredLine[] | null;
  readonly amendments: readonly { readonly atMs: EpochMs; readonly lines: readonly StoredLine[] }[] | null;
  readonly bills: readonly Bill[] | null;
  readonly clearings: readonly EpochMs[] | null;
  readonly payments: readonly StoredPayment[] | null;
  readonly rivals: readonly RivalPromise[] | null;
}

type StoredLine = Omit<Line, 'transactionId'> & { readonly transactionId: string | null };
type StoredPayment = Omit<Payment, 'applied'> & { readonly applied: Payment['applied'] | null };

const LINE = `json_build_object(
      'seq', i.seq, 'dueDate', i.due_date, 'amountCents', i.amount_cents, 'lastDay', i.last_day,
      'deadlineMs', ${MS('i.deadline_at')}, 'judgeAtMs', ${MS('i.judge_at')},
      'transactionId', i.transaction_id)`;

/**
 * The facts of promises `p`, one row each. Money from well before the start is left out: it can neither count nor explain
 * anything. What most promises do not have is looked for only where the promise says so.
 */
export const SELECT_FACTS = `
select json_build_object(
    'promiseId', p.promise_id, 'debtClass', p.debt_class, 'currency', p.currency, 'payor', p.payor,
    'startDate', p.start_date, 'enrolledAtMs', ${MS('p.enrolled_at')}, 'calendarVersion', p.calendar_version,
    'cancelledAtMs', ${MS('p.cancelled_at')}, 'cancelReason', p.cancel_reason, 'timeZone', t.time_zone,
    'policyName', p.policy_name, 'policyVersion', p.policy_version, 'options', pol.options,
    'payMethod', p.pay_method, 'autoManaged', p.auto_managed, 'hasDownPayment', p.has_down_payment,
    'repeatTerms', p.repeat_terms, 'approvalDeadlineMs', ${MS('p.approval_deadline_at')},
    'approvalAtMs', ${MS('p.approval_at')}, 'approved', p.approved,
    'calendar', case when p.repeat_terms is null then null else
      (select json_build_object('version', c.version, 'weekend', c.weekend, 'closedDays', c.closed_days,
                                'cutoff', c.cutoff)
         from calendar c where c.tenant_id = p.tenant_id order by c.version desc limit 1) end) as promise,
  (select json_agg(${LINE} order by i.due_date, i.seq)
     from installment i
    where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id and i.schedule_no = 1) as lines,
  case when p.schedule_no = 1 then null else
    (select json_agg(json_build_object('atMs', ${MS('a.at')}, 'lines',
              (select json_agg(${LINE} order by i.due_date, i.seq)
                 from installment i
                where i.tenant_id = a.tenant_id and i.promise_id = a.promise_id
                  and i.schedule_no = a.schedule_no and not i.carried)) order by a.schedule_no)
       from amendment a
      where a.tenant_id = p.tenant_id and a.promise_id = p.promise_id) end as amendments,
  case when not coalesce(cast(pol.options ->> 'stayCurrent' as boolean), false) then null else
    (select json_agg(json_build_object('transactionId', b.transaction_id, 'amountCents', b.amount_cents,
              'dueDate', b.due_date, 'lastDay', b.last_day, 'deadlineMs', ${MS('b.deadline_at')},
              'judgeAtMs', ${MS('b.judge_at')}, 'closedAtMs', ${MS('x.closed_at')}) order by b.judge_at)
       from promise_bill b
       left join transaction x on x.tenant_id = b.tenant_id and x.account_id = p.account_id
        and x.transaction_id = b.transaction_id
      where b.tenant_id = p.tenant_id and b.promise_id = p.promise_id) end as bills,
  (select json_agg(${MS('z.cleared_at')} order by z.cleared_at)
     from balance_clearing z
    where z.tenant_id = p.tenant_id and z.account_id = p.account_id and z.debt_class = p.debt_class
      and z.cleared_at >= p.enrolled_at) as clearings,
  (select json_agg(json_build_object(
      'paymentId', m.payment_id, 'debtClass', m.debt_class, 'currency', m.currency,
      'amountCents', m.amount_cents, 'effectiveDate', m.effective_date, 'postedAtMs', ${MS('m.posted_at')},
      'tenders', (select json_agg(json_build_object('payor', d.payor, 'amountCents', d.amount_cents) order by d.seq)
                    from payment_tender d
                   where d.tenant_id = m.tenant_id and d.payment_id = m.payment_id),
      'applied', (select json_object_agg(a.transaction_id, a.cents)
                    from payment_application a
                   where a.tenant_id = m.tenant_id and a.payment_id = m.payment_id),
      'spent', coalesce(
        (select json_agg(json_build_object('promiseId', u.promise_id, 'payor', o.payor, 'cents', u.cents,
                                           'atMs', ${MS('u.used_at')}) order by u.used_at, u.promise_id, u.revision)
           from payment_use u join promise o on o.tenant_id = u.tenant_id and o.promise_id = u.promise_id
          where u.tenant_id = m.tenant_id and u.payment_id = m.payment_id
            and u.promise_id <> p.promise_id), '[]'),
      'reversal', (select json_build_object('effectiveDate', r.effective_date,
                          'postedAtMs', ${MS('r.posted_at')}, 'reason', r.reason)
                     from payment_reversal r
                    where r.tenant_id = m.tenant_id and r.payment_id = m.payment_id))
      order by m.effective_date, m.payment_id collate "C")
     from payment m
    where m.tenant_id = p.tenant_id and m.account_id = p.account_id
      and m.effective_date >= p.start_date - 31) as payments,
  (select json_agg(json_build_object('payor', o.payor, 'fromMs', ${MS('r.at')},
            'untilMs', ${MS('coalesce(v.decided_at, n.at)')}) order by o.promise_id, r.revision)
     from promise o
     join promise_revision r on r.tenant_id = o.tenant_id and r.promise_id = o.promise_id
     left join verdict v on v.tenant_id = r.tenant_id and v.promise_id = r.promise_id
      and v.revision = r.revision and v.seq = 0 and v.kind = 'promise'
     left join promise_revision n on n.tenant_id = r.tenant_id and n.promise_id = r.promise_id
      and n.revision = r.revision + 1
    where o.tenant_id = p.tenant_id and o.account_id = p.account_id and o.debt_class = p.debt_class
      and o.promise_id <> p.promise_id) as rivals
from promise p
join tenant t on t.tenant_id = p.tenant_id
join policy pol on pol.tenant_id = p.tenant_id and pol.name = p.policy_name and pol.version = p.policy_version`;

const FACTS = `${SELECT_FACTS}
where p.tenant_id = :tenantId and p.promise_id = :promiseId`;

/** Everything that decides a promise. Call it with the promise's lock held, else a payment may cross. */
export async function loadFacts(tx: Tx, tenantId: string, promiseId: string): Promise<PromiseFacts> {
  const stored = await row<StoredFacts>(tx, FACTS, { tenantId, promiseId }, { prepareAs: 'facts' });
  invariant(stored !== undefined, `Promise ${promiseId} of tenant ${tenantId} has gone`);
  return factsOf(stored);
}

/** The facts as the rules want them. @throws TrothError INVARIANT, RangeError when what is stored cannot be. */
export function factsOf({
  promise,
  lines,
  amendments,
  bills,
  clearings,
  payments,
  rivals,
}: StoredFacts): PromiseFacts {
  invariant(lines !== null && lines.length > 0, `Promise ${promise.promiseId} has no installments`);
  for (const line of lines) cents(line.amountCents);
  for (const payment of payments ?? []) cents(payment.amountCents);
  const { promiseId, debtClass, currency, payor, timeZone, calendarVersion, autoManaged } = promise;
  const policy = {
    name: promise.policyName,
    version: promise.policyVersion,
    ...completeOptions(promise.options),
  };
  return {
    ...{ promiseId, debtClass, currency, payor, timeZone, calendarVersion, autoManaged, policy },
    startDate: localDate(promise.startDate),
    enrolledAtMs: epochMs(promise.enrolledAtMs),
    hasDownPayment: promise.hasDownPayment,
    lines: lines.map(lineOf),
    repeat: repeatOf(promise, policy),
    approval: approvalOf(promise),
    amendments: (amendments ?? []).map((amendment) => ({
      atMs: amendment.atMs,
      lines: amendment.lines.map(lineOf),
    })),
    bills: bills ?? [],
    clearings: clearings ?? [],
    payments: (payments ?? []).map(paymentOf),
    rivals: rivals ?? [],
    cancellation:
      promise.cancelledAtMs === null || promise.cancelReason === null
        ? null
        : { atMs: epochMs(promise.cancelledAtMs), reason: promise.cancelReason },
  };
}

function lineOf({ transactionId, ...line }: StoredLine): Line {
  return transactionId === null ? line : { ...line, transactionId };
}

function paymentOf({ applied, ...payment }: StoredPayment): Payment {
  return applied === null || applied === undefined ? payment : { ...payment, applied };
}

function repeatOf(promise: StoredFacts['promise'], policy: PolicyOptions): Repeat | null {
  const { repeatTerms, calendar, timeZone, payMethod } = promise;
  if (repeatTerms === null) return null;
  const terms = termsFor(policy, payMethod);
  return { ...repeatTerms, terms, calendar: businessCalendar(timeZone, calendar ?? undefined) };
}

function approvalOf(promise: StoredFacts['promise']): PromiseFacts['approval'] {
  const { approvalDeadlineMs, approvalAtMs, approved } = promise;
  if (approvalDeadlineMs === null) return null;
  const decision =
    approvalAtMs === null || approved === null ? null : { atMs: epochMs(approvalAtMs), approved };
  return { deadlineMs: epochMs(approvalDeadlineMs), decision };
}
