import { createHash } from 'node:crypto';
import {
  addDays,
  calendarVersion,
  daysBetween,
  deadlineOf,
  localDateAt,
  type EpochMs,
  type LocalDate,
} from '../rules/calendar';
import { evaluate } from '../rules/decide';
import type { Line } from '../rules/facts';
import type { Policy } from '../rules/policy';
import type { ScheduledPart } from '../rules/schedule';
import { parsePromiseWorkflowId, promiseWorkflowId } from '../platform/ids';
import { TrothError, type Problem } from '../platform/errors';
import { findAccount, putAccounts } from '../ledger/accounts';
import { audit } from '../ledger/audit';
import type { Ledger, Tx } from '../ledger/connection';
import { isLostRace } from '../ledger/database-errors';
import { loadFacts } from '../ledger/facts';
import { enqueue, outcomeIdOf } from '../ledger/outbox';
import {
  enrollmentGround,
  findEnrollment,
  insertPromise,
  type EnrollmentGround,
  type KnownEnrollment,
} from '../ledger/promises';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import {
  enrollmentHash,
  enrollmentSchema,
  problemsOf,
  scheduleOf,
  totalOf,
  type Enrollment,
} from './enrollment';

/** What became of an enrollment. A refusal is an answer, not an error. */
export type EnrollmentAnswer =
  | { readonly result: 'enrolled' | 'known'; readonly promiseId: string; readonly workflowId: string }
  | { readonly result: 'refused'; readonly problems: readonly Problem[] };

export interface EnrollOptions {
  readonly actor: string;
  /**
   * The workflow that brings the enrollment, when a CIS started one itself. Without it the outbox starts the promise's
   * workflow after the commit.
   */
  readonly workflowId?: string;
  /** Real time of the enrollment in epoch milliseconds; the tenant's sandbox offset is added. Default: now. */
  readonly realNowMs?: number;
}

const MAX_DAYS_AHEAD = 3660;
const MAX_DAYS_BACK = 366;

/**
 * Enrolls one promise: validates, computes its deadlines, and records it with the message that starts its workflow, in
 * one transaction. Never waits for Temporal. The same enrollment again is `known`; the same id with other content is
 * refused.
 * @throws TrothError NOT_FOUND for an unknown tenant, UNAVAILABLE when the ledger cannot be reached.
 */
export async function enroll(
  ledger: Ledger,
  input: unknown,
  options: EnrollOptions,
): Promise<EnrollmentAnswer> {
  const parsed = enrollmentSchema.safeParse(input);
  if (!parsed.success) return { result: 'refused', problems: problemsOf(parsed.error, input) };
  const enrollment = parsed.data;
  const attempt = (): Promise<EnrollmentAnswer> =>
    ledger.forTenant(enrollment.tenantId, async (tx) => {
      const tenant = await getTenant(tx, enrollment.tenantId);
      return enrollInto(tx, tenant, enrollment, options);
    });
  try {
    return await attempt().catch((error: unknown) => {
      // Two enrollments raced and a unique index let one through: the second look finds it and says so.
      if (isLostRace(error)) return attempt();
      throw error;
    });
  } catch (error) {
    if (error instanceof Refusal) return refused(error.problem);
    throw error;
  }
}

/** Rolls an enrollment back that was found impossible only after it had been written. */
class Refusal extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

async function enrollInto(
  tx: Tx,
  tenant: Tenant,
  enrollment: Enrollment,
  options: EnrollOptions,
): Promise<EnrollmentAnswer> {
  const nowMs = tenantNow(tenant, options.realNowMs);
  const startDate = enrollment.startDate ?? localDateAt(nowMs, tenant.timeZone);
  const parts = scheduleOf(enrollment, startDate);
  if ('message' in parts) return refused(parts);
  const ids = idsOf(tenant, enrollment, options.workflowId);
  if ('message' in ids) return refused(ids);
  const hash = enrollmentHash(enrollment, startDate, parts);
  // One look at one instant: between two, somebody else could enroll this very promise, which is no problem at all.
  const ground = await enrollmentGround(tx, tenant, ids, enrollment);
  if (ground.known !== null) return again(ground.known, ids.promiseId, hash);
  const problem =
    datesInReach(startDate, parts, localDateAt(nowMs, tenant.timeZone)) ??
    (await accountProblem(tx, tenant, enrollment, ground)) ??
    activeProblem(enrollment, ground);
  if (problem !== undefined) return refused(problem);
  return insert(tx, tenant, { enrollment, startDate, parts, ...ids, hash, nowMs, ground }, options);
}

interface Accepted {
  readonly enrollment: Enrollment;
  readonly startDate: LocalDate;
  readonly parts: readonly ScheduledPart[];
  readonly promiseId: string;
  readonly workflowId: string;
  readonly hash: string;
  readonly nowMs: EpochMs;
  readonly ground: EnrollmentGround;
}

async function insert(
  tx: Tx,
  tenant: Tenant,
  accepted: Accepted,
  options: EnrollOptions,
): Promise<EnrollmentAnswer> {
  const { enrollment, startDate, parts, promiseId, workflowId, hash, nowMs } = accepted;
  const { policy } = accepted.ground;
  if (policy === null) {
    throw new TrothError('NOT_FOUND', `Tenant "${tenant.tenantId}" has no policy "${tenant.policyName}"`);
  }
  const lines = linesOf(parts, policy, tenant.timeZone);
  const actor = enrollment.enrolledBy ?? options.actor;
  const first = lines[0];
  if (first === undefined) return refused({ field: 'installments', value: '', message: 'are missing' });
  const created = await insertPromise(tx, tenant.tenantId, {
    promiseId,
    accountId: enrollment.accountId,
    debtClass: enrollment.debtClass,
    payor: enrollment.payor,
    currency: tenant.currency,
    startDate,
    policyName: policy.name,
    policyVersion: policy.version,
    calendarVersion: calendarVersion(tenant.timeZone),
    totalCents: totalOf(parts),
    nextJudgeAtMs: first.judgeAtMs,
    workflowId,
    enrollmentHash: hash,
    enrolledAtMs: nowMs,
    enrolledBy: actor,
    lines,
  });
  if (!created) {
    // Somebody enrolled the same promise between our look and our insert.
    const known = await findEnrollment(tx, tenant.tenantId, promiseId, workflowId);
    if (known !== undefined) return again(known, promiseId, hash);
  }
  await audit(tx, tenant.tenantId, {
    action: 'promise.enrolled',
    actor,
    at: nowMs,
    promiseId,
    accountId: enrollment.accountId,
    details: { installments: lines.length, totalCents: totalOf(parts), firstDueDate: first.dueDate },
  });
  await announce(tx, tenant, accepted, first, options);
  return { result: 'enrolled', promiseId, workflowId };
}

async function announce(
  tx: Tx,
  tenant: Tenant,
  accepted: Accepted,
  first: Line,
  options: EnrollOptions,
): Promise<void> {
  const { enrollment, promiseId, workflowId, nowMs, ground } = accepted;
  const { tenantId } = tenant;
  // Money may be there already: then the workflow settles at once instead of waiting for the first judge time.
  const isQuiet = !ground.hasMoney && first.judgeAtMs > nowMs;
  const status = isQuiet ? 'active' : evaluate(await loadFacts(tx, tenantId, promiseId), nowMs).status;
  if (status === 'broken') {
    // A file that comes late must not make a customer's promise broken at birth; a person has to look at it.
    const message = 'and its grace have passed without the money; the promise would be broken at once';
    throw new Refusal({ field: 'dueDate', value: first.dueDate, message });
  }
  if (options.workflowId === undefined) {
    await enqueue(tx, tenantId, { kind: status === 'active' ? 'start' : 'review', promiseId, workflowId });
  }
  const { accountId, debtClass } = enrollment;
  const { caseWorkflow } = ground;
  if (caseWorkflow === null) return; // activation is told only to a case that is open
  const outcomeId = outcomeIdOf(promiseId, 1, 'activated');
  const at = new Date(nowMs).toISOString();
  const payload = {
    outcomeId,
    tenantId,
    accountId,
    debtClass,
    promiseId,
    revision: 1,
    kind: 'activated',
    reason: null,
    at,
  };
  await enqueue(tx, tenantId, { kind: 'activated', promiseId, workflowId: caseWorkflow, payload });
}

function linesOf(parts: readonly ScheduledPart[], policy: Policy, timeZone: string): Line[] {
  return parts.map((part, index) => ({
    seq: index + 1,
    ...part,
    ...deadlineOf(part.dueDate, policy, timeZone),
  }));
}

function refused(problem: Problem): EnrollmentAnswer {
  return { result: 'refused', problems: [problem] };
}

function again(known: KnownEnrollment, promiseId: string, hash: string): EnrollmentAnswer {
  if (known.enrollmentHash === hash) {
    return { result: 'known', promiseId: known.promiseId, workflowId: known.workflowId };
  }
  return refused({
    field: 'promiseId',
    value: promiseId,
    message: `is enrolled already with another account, schedule or amount (it is ${known.status}); cancel it, or use a new id`,
  });
}

function idsOf(
  tenant: Tenant,
  enrollment: Enrollment,
  workflowId: string | undefined,
): { promiseId: string; workflowId: string } | Problem {
  const fromWorkflow = workflowId === undefined ? undefined : parsePromiseWorkflowId(workflowId);
  if (fromWorkflow !== undefined && fromWorkflow.tenantId !== tenant.tenantId) {
    return {
      field: 'tenantId',
      value: tenant.tenantId,
      message: `is not the tenant of the workflow id, "${fromWorkflow.tenantId}"`,
    };
  }
  const promiseId =
    enrollment.promiseId ??
    fromWorkflow?.promiseId ??
    `P-${createHash('sha256')
      .update(workflowId ?? `${Date.now()}/${Math.random()}`)
      .digest('hex')
      .slice(0, 20)}`;
  return { promiseId, workflowId: workflowId ?? promiseWorkflowId(tenant.tenantId, promiseId) };
}

// A typing error in a year must not make a promise that nobody hears of for a century, or that is broken at birth.
function datesInReach(
  startDate: LocalDate,
  parts: readonly ScheduledPart[],
  today: LocalDate,
): Problem | undefined {
  const last = parts.at(-1)?.dueDate ?? startDate;
  if (daysBetween(today, last) > MAX_DAYS_AHEAD) {
    return { field: 'dueDate', value: last, message: 'lies more than ten years ahead' };
  }
  if (startDate < addDays(today, -MAX_DAYS_BACK)) {
    return { field: 'startDate', value: startDate, message: 'lies more than a year back' };
  }
  return undefined;
}

async function accountProblem(
  tx: Tx,
  tenant: Tenant,
  enrollment: Enrollment,
  { debtClasses }: EnrollmentGround,
): Promise<Problem | undefined> {
  const { accountId, customerId, premiseId, debtClass, currency } = enrollment;
  if (currency !== undefined && currency !== tenant.currency) {
    return {
      field: 'currency',
      value: currency,
      message: `is not the tenant's currency, ${tenant.currency} (R1)`,
    };
  }
  if (customerId !== undefined || premiseId !== undefined) {
    // An enrollment may tell one of the two and know nothing of the other.
    const stored = await findAccount(tx, tenant.tenantId, accountId);
    const account = {
      accountId,
      customerId: customerId ?? stored?.customerId ?? null,
      premiseId: premiseId ?? stored?.premiseId ?? null,
      debtClasses: [debtClass],
    };
    await putAccounts(tx, tenant.tenantId, [account]);
    return undefined;
  }
  if (debtClasses === null) {
    return {
      field: 'accountId',
      value: accountId,
      message: 'is not a known account; load the accounts first, or send customerId or premiseId with it',
    };
  }
  if (!debtClasses.includes(debtClass)) {
    return {
      field: 'debtClass',
      value: debtClass,
      message: `is not a debt class of account ${accountId}, which has ${debtClasses.join(', ')}`,
    };
  }
  return undefined;
}

// R25: at most one active promise per account, debt class and payor. The index is the guard; this is the sentence.
function activeProblem(enrollment: Enrollment, { active }: EnrollmentGround): Problem | undefined {
  const { accountId, debtClass } = enrollment;
  if (active === null) return undefined;
  return {
    field: 'accountId',
    value: accountId,
    message: `has an active promise on ${debtClass} already, ${active}; cancel it first (R25)`,
  };
}
