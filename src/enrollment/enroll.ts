import { createHash } from 'node:crypto';
import { epochMs, localDateAt, type EpochMs, type LocalDate } from '../rules/calendar';
import { approvalFor, downPaymentOf, linesFor, termsFor, type AgreedPart } from '../rules/agreement';
import { businessCalendar } from '../rules/business-days';
import { evaluate } from '../rules/decide';
import type { Approval, Line, Repeat } from '../rules/facts';
import { refusalsOf } from '../rules/limits';
import { cents, sum } from '../rules/money';
import { period } from '../rules/schedules/periods';
import type { Policy } from '../rules/policy';
import { MAX_PERIODS, parseFrequency } from '../rules/schedules/schedule';
import type { RepeatTerms } from '../rules/terms';
import { parsePromiseWorkflowId, promiseWorkflowId } from '../platform/ids';
import { invariant, type Problem } from '../platform/errors';
import { findAccount, putAccounts } from '../ledger/accounts';
import { audit } from '../ledger/audit';
import type { Ledger, Tx } from '../ledger/connection';
import { isLostRace } from '../ledger/database-errors';
import { lockDebt } from '../ledger/promises/debt-lock';
import { loadFacts } from '../ledger/promises/facts';
import { enqueue, outcomeIdOf } from '../ledger/outbox';
import {
  enrollmentGround,
  findEnrollment,
  insertPromise,
  keepNextTick,
  type EnrollmentGround,
  type KnownEnrollment,
} from '../ledger/promises/promises';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import { watchIssued } from '../ledger/transactions';
import { enrollmentHash, enrollmentSchema, problemsOf, scheduleOf, type Enrollment } from './enrollment';
import { dateObjections, objectionsTo, tellsOfAccount } from './objections';

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
  const asked = scheduleOf(enrollment, startDate);
  if ('message' in asked) return refused(asked);
  const ids = idsOf(tenant, enrollment, options.workflowId);
  if ('message' in ids) return refused(ids);
  const hash = enrollmentHash(enrollment, startDate);
  // One look at one instant: between two, somebody else could enroll this very promise, which is no problem at all.
  const policyName = enrollment.policy ?? tenant.policyName;
  const items = asked.flatMap(({ transactionId }) => transactionId ?? []);
  const ground = await enrollmentGround(tx, { ...tenant, policyName }, ids, { ...enrollment, items });
  if (ground.known !== null) return again(ground.known, ids.promiseId, hash);
  const { policy } = ground;
  if (policy === null) {
    const message = 'is not a policy of this tenant; see: troth policy list';
    return refused({ field: 'policy', value: policyName, message });
  }
  const parts = scheduleOf(enrollment, startDate, policy.remainder);
  if ('message' in parts) return refused(parts);
  const today = localDateAt(nowMs, tenant.timeZone);
  const objections = objectionsTo({ tenant, enrollment, startDate, parts, today }, ground);
  if (objections.length > 0) return { result: 'refused', problems: objections };
  const agreement = agreedOrNot(tenant, enrollment, startDate, parts, policy, ground);
  if ('message' in agreement) return refused(agreement);
  const far = dateObjections(startDate, agreement.lines, today);
  if (far.length > 0) return { result: 'refused', problems: far };
  if (tellsOfAccount(enrollment)) await putAccount(tx, tenant, enrollment);
  const problems = refusalsOf(
    policy.limits,
    {
      startDate,
      currency: tenant.currency,
      parts: agreement.lines,
      isOpenEnded: agreement.isOpenEnded,
    },
    { ...ground, openOnDebt: ground.active },
  );
  if (problems.length > 0) return { result: 'refused', problems };
  const beginsMs = ground.hasOthers ? await afterTheOthers(tx, enrollment, nowMs) : nowMs;
  return insert(
    tx,
    tenant,
    { enrollment, startDate, agreement, ...ids, hash, nowMs: beginsMs, ground, policy },
    options,
  );
}

// A promise begins after all that was decided of others on its debt: who has a promise says whose money it is (R9), and what
// is decided stays. They are locked, so that none is decided between this look and the insert.
async function afterTheOthers(
  tx: Tx,
  { tenantId, accountId, debtClass }: Enrollment,
  nowMs: EpochMs,
): Promise<EpochMs> {
  const others = await lockDebt(tx, tenantId, accountId, debtClass);
  return epochMs(Math.max(nowMs, ...others.map(({ settledAsOfMs }) => settledAsOfMs + 1)));
}

interface Accepted {
  readonly enrollment: Enrollment;
  readonly startDate: LocalDate;
  readonly agreement: Agreement;
  readonly policy: Policy;
  readonly promiseId: string;
  readonly workflowId: string;
  readonly hash: string;
  /** When it begins, in the tenant's time. */
  readonly nowMs: EpochMs;
  readonly ground: EnrollmentGround;
}

async function insert(
  tx: Tx,
  tenant: Tenant,
  accepted: Accepted,
  options: EnrollOptions,
): Promise<EnrollmentAnswer> {
  const { enrollment, startDate, agreement, policy, promiseId, workflowId, hash, nowMs } = accepted;
  const { lines, terms, hasDownPayment, approval } = agreement;
  const autoManaged = enrollment.repeat?.autoManaged ?? true;
  const totalCents = sum(lines.map(({ amountCents }) => amountCents));
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
    calendarVersion: agreement.calendarVersion,
    totalCents,
    status: hasDownPayment || approval !== null ? 'pending' : 'active',
    payMethod: enrollment.payMethod ?? null,
    autoManaged,
    hasDownPayment,
    repeatTerms: terms,
    arrearsCents: accepted.ground.arrearsCents,
    approvalDeadlineMs: approval?.deadlineMs ?? null,
    nextJudgeAtMs: autoManaged ? firstTickMs(agreement) : null,
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
    details: { installments: lines.length, totalCents, firstDueDate: first.dueDate, note: enrollment.note },
  });
  if (policy.stayCurrent) {
    const { accountId, debtClass, payMethod = null } = enrollment;
    await watchIssued(tx, tenant, { promiseId, accountId, debtClass, startDate, payMethod, options: policy });
  }
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
  const gates = accepted.agreement.hasDownPayment || accepted.agreement.approval !== null;
  const isQuiet = !ground.hasMoney && first.judgeAtMs > nowMs && !gates && plainPolicy(accepted.policy);
  const life = isQuiet ? null : evaluate(await loadFacts(tx, tenantId, promiseId), nowMs);
  if (life !== null) await keepNextTick(tx, tenantId, promiseId, life.nextJudgeAtMs);
  const status = life?.status ?? 'active';
  if (status === 'broken' || status === 'cancelled') {
    // A file that comes late must not make a customer's promise broken at birth; a person has to look at it.
    const message = 'and its grace have passed without the money; the promise would be broken at once';
    throw new Refusal({ field: 'dueDate', value: first.dueDate, message });
  }
  if (options.workflowId === undefined) {
    await enqueue(tx, tenantId, { kind: status === 'kept' ? 'review' : 'start', promiseId, workflowId });
  }
  const { accountId, debtClass } = enrollment;
  const { caseWorkflow } = ground;
  // Activation is told only to a case that is open; a pending promise is not active yet.
  if (caseWorkflow === null || gates) return;
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

/** What an enrollment agrees on, with its deadlines and gates. */
interface Agreement {
  readonly lines: readonly Line[];
  readonly terms: RepeatTerms | null;
  readonly isOpenEnded: boolean;
  readonly hasDownPayment: boolean;
  readonly approval: Approval | null;
  readonly calendarVersion: string;
}

/** @returns the agreement, or why its dates are impossible. */
function agreedOrNot(...asked: Parameters<typeof agreed>): Agreement | Problem {
  try {
    return agreed(...asked);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [, { repeat }, startDate] = asked;
    return { field: 'schedule', value: repeat?.firstDueDate ?? startDate, message: error.message };
  }
}

function agreed(
  tenant: Tenant,
  { repeat, payMethod }: Enrollment,
  startDate: LocalDate,
  parts: readonly AgreedPart[],
  policy: Policy,
  ground: EnrollmentGround,
): Agreement {
  const calendar = businessCalendar(tenant.timeZone, ground.calendar ?? undefined);
  const terms = termsFor(policy, payMethod ?? null);
  const goesOn = repeat === undefined ? null : repeatTermsOf(repeat);
  const isOpenEnded = goesOn !== null && goesOn.count === null && goesOn.untilDate === null;
  const all = goesOn === null || isOpenEnded ? parts : periodsOf({ ...goesOn, terms, calendar });
  const total = sum(all.map(({ amountCents }) => amountCents));
  const hasDownPayment = downPaymentOf(policy.limits, total) !== null;
  const lines = linesFor(all, terms, calendar, hasDownPayment);
  const approval = approvalFor(policy.limits, lines, startDate, tenant.timeZone, isOpenEnded);
  return { lines, terms: goesOn, isOpenEnded, hasDownPayment, approval, calendarVersion: calendar.version };
}

/** R22: the terms of a repeating enrollment, its frequency understood. */
export function repeatTermsOf(repeat: NonNullable<Enrollment['repeat']>): RepeatTerms {
  const { amountCents, firstDueDate, count = null, untilDate = null } = repeat;
  const frequency = parseFrequency(repeat.frequency);
  invariant(frequency !== undefined, 'A frequency that was checked can be read');
  return {
    amountCents: cents(amountCents),
    frequency,
    firstDueDate: firstDueDate,
    count,
    untilDate: untilDate,
  };
}

/** All periods of a repeating promise that has an end. */
function periodsOf(repeat: Repeat): Line[] {
  const lines: Line[] = [];
  for (
    let next = period(repeat, 0);
    next !== null && lines.length < MAX_PERIODS;
    next = period(repeat, lines.length)
  ) {
    lines.push(next);
  }
  return lines;
}

/** When time alone first decides something, as far as the enrollment tells. */
function firstTickMs({ lines, approval }: Agreement): EpochMs {
  return epochMs(Math.min(approval?.deadlineMs ?? Infinity, ...lines.map(({ judgeAtMs }) => judgeAtMs)));
}

/** Whether time decides nothing before the first judge time. */
function plainPolicy({ completion, overpayment, stayCurrent }: Policy): boolean {
  return completion === 'early' && overpayment !== 'current' && !stayCurrent;
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

/** Records the account with the enrollment that tells of it, which may know one of its ids and nothing of the other. */
async function putAccount(tx: Tx, { tenantId }: Tenant, enrollment: Enrollment): Promise<void> {
  const { accountId, customerId, premiseId, debtClass } = enrollment;
  const stored = await findAccount(tx, tenantId, accountId);
  const account = {
    accountId,
    customerId: customerId ?? stored?.customerId ?? null,
    premiseId: premiseId ?? stored?.premiseId ?? null,
    debtClasses: [debtClass],
  };
  await putAccounts(tx, tenantId, [account]);
}
