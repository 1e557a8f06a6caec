import type { Ledger, Tx } from '../ledger/connection';
import { loadFacts } from '../ledger/promises/facts';
import { openPromisesOf } from '../ledger/promises/open-promises';
import { enrollmentGround, type EnrollmentGround } from '../ledger/promises/promises';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import type { Problem } from '../platform/errors';
import type { AgreedPart } from '../rules/agreement';
import { businessCalendar } from '../rules/business-days';
import { localDateAt, type EpochMs, type LocalDate } from '../rules/calendar';
import { evaluate } from '../rules/decide';
import type { Cents } from '../rules/money';
import type { Policy } from '../rules/policy';
import { previewOf, type Preview } from '../rules/preview';
import type { ShieldingPromise } from '../rules/collections/shield';
import { repeatTermsOf } from './enroll';
import { enrollmentSchema, problemsOf, scheduleOf, type Enrollment } from './enrollment';
import { dateObjections, objectionsTo } from './objections';

/** What is known of an account when somebody asks (R25, R34). */
export interface KnownAccount {
  /** What is open on the debt; null where the CIS has sent no open items. */
  readonly arrearsCents: Cents | null;
  /** Over all debt classes. */
  readonly openPromises: number;
  /** The promise of this payor on this debt that is open. */
  readonly openOnDebt: string | null;
  /** The days on which promises broke that are broken still, newest first. */
  readonly brokenOn: readonly LocalDate[];
}

/** What an enrollment would be. */
export type PreviewAnswer =
  | {
      readonly result: 'allowed' | 'refused';
      readonly startDate: LocalDate;
      readonly policy: { readonly name: string; readonly version: number };
      readonly account: KnownAccount;
      readonly preview: Preview;
      /** Everything that stands against it; that of a limit names the limit. */
      readonly problems: readonly (Problem & { readonly limit?: string })[];
    }
  | {
      /** Too little could be understood to work anything out. */
      readonly result: 'impossible';
      readonly problems: readonly Problem[];
    };

/**
 * What would become of an enrollment, with everything that an enrollment checks. Nothing is written.
 * @throws TrothError NOT_FOUND for an unknown tenant, UNAVAILABLE when the ledger cannot be reached.
 */
export async function previewEnrollment(
  ledger: Ledger,
  input: unknown,
  options: { readonly realNowMs?: number } = {},
): Promise<PreviewAnswer> {
  const parsed = enrollmentSchema.safeParse(input);
  if (!parsed.success) return impossible(...problemsOf(parsed.error, input));
  const enrollment = parsed.data;
  return ledger.forTenant(enrollment.tenantId, async (tx) => {
    const tenant = await getTenant(tx, enrollment.tenantId);
    return previewIn(tx, tenant, enrollment, tenantNow(tenant, options.realNowMs));
  });
}

function impossible(...problems: readonly Problem[]): PreviewAnswer {
  return { result: 'impossible', problems };
}

/** No workflow and no promise has it. */
const NOBODY = '';

async function previewIn(
  tx: Tx,
  tenant: Tenant,
  enrollment: Enrollment,
  nowMs: EpochMs,
): Promise<PreviewAnswer> {
  const today = localDateAt(nowMs, tenant.timeZone);
  const startDate = enrollment.startDate ?? today;
  const asked = scheduleOf(enrollment, startDate);
  if ('message' in asked) return impossible(asked);
  const policyName = enrollment.policy ?? tenant.policyName;
  const items = asked.flatMap(({ transactionId }) => transactionId ?? []);
  const ids = { promiseId: enrollment.promiseId ?? NOBODY, workflowId: NOBODY };
  const ground = await enrollmentGround(tx, { ...tenant, policyName }, ids, { ...enrollment, items });
  const { policy } = ground;
  if (policy === null) {
    const message = 'is not a policy of this tenant; see: troth policy list';
    return impossible({ field: 'policy', value: policyName, message });
  }
  const parts = scheduleOf(enrollment, startDate, policy.remainder);
  if ('message' in parts) return impossible(parts);
  const objections = [
    ...knownObjections(ground, enrollment.promiseId),
    ...objectionsTo({ tenant, enrollment, startDate, parts, today }, ground),
  ];
  const shielding = await shieldingOf(tx, tenant, enrollment, nowMs);
  const preview = previewOrNot({ tenant, enrollment, startDate, parts, policy, ground, shielding, nowMs });
  if ('message' in preview) return impossible(...objections, preview);
  const far = objections.length > 0 ? [] : dateObjections(startDate, preview.lines, today);
  const problems = [
    ...objections,
    ...far,
    ...preview.refusals,
    ...overObjections(preview, policy, enrollment, ground),
  ];
  const { arrearsCents, openPromises, active: openOnDebt, brokenOn } = ground;
  return {
    result: problems.length === 0 ? 'allowed' : 'refused',
    ...{ startDate, preview, problems },
    policy: { name: policy.name, version: policy.version },
    account: { arrearsCents, openPromises, openOnDebt, brokenOn },
  };
}

function knownObjections({ known }: EnrollmentGround, promiseId = ''): Problem[] {
  if (known === null) return [];
  const message = `is enrolled already (it is ${known.status}); use a new id`;
  return [{ field: 'promiseId', value: promiseId, message }];
}

interface Wanted {
  readonly tenant: Tenant;
  readonly enrollment: Enrollment;
  readonly startDate: LocalDate;
  readonly parts: readonly AgreedPart[];
  readonly policy: Policy;
  readonly ground: EnrollmentGround;
  readonly shielding: readonly ShieldingPromise[];
  readonly nowMs: EpochMs;
}

/** @returns what it would be, or why its dates are impossible. */
function previewOrNot(wanted: Wanted): Preview | Problem {
  const { tenant, enrollment, startDate, parts, policy, ground, shielding, nowMs } = wanted;
  const { repeat, payor, payMethod = null } = enrollment;
  const asked = {
    ...{ startDate, currency: tenant.currency, payor, payMethod },
    parts: repeat === undefined ? parts : [],
    repeat: repeat === undefined ? null : repeatTermsOf(repeat),
  };
  const calendar = businessCalendar(tenant.timeZone, ground.calendar ?? undefined);
  const account = { ...ground, openOnDebt: ground.active, shielding };
  try {
    return previewOf(asked, policy, calendar, account, nowMs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { field: 'schedule', value: repeat?.firstDueDate ?? startDate, message: error.message };
  }
}

/** R30: the promises that keep some of the debt out of collections already. */
async function shieldingOf(
  tx: Tx,
  { tenantId }: Tenant,
  { accountId, debtClass }: Enrollment,
  nowMs: EpochMs,
): Promise<ShieldingPromise[]> {
  const shielding: ShieldingPromise[] = [];
  for (const { promiseId } of await openPromisesOf(tx, tenantId, { accountId, debtClass })) {
    const facts = await loadFacts(tx, tenantId, promiseId);
    shielding.push({ promiseId, policy: facts.policy, life: evaluate(facts, nowMs) });
  }
  return shielding;
}

/** What would be broken at birth is refused; where money has come already, only the enrollment itself can tell. */
function overObjections(
  { lines, downPayment }: Preview,
  { onMiss, missesAllowed, finalMiss }: Policy,
  { repeat }: Enrollment,
  { hasMoney }: EnrollmentGround,
): Problem[] {
  const over = lines.filter(({ isOver }) => isOver);
  const [first] = over;
  if (first === undefined || hasMoney || repeat?.autoManaged === false) return [];
  const isMissed = over.length > missesAllowed || (over.length === lines.length && finalMiss === 'break');
  if (!(downPayment !== null && first.isDownPayment) && !(onMiss === 'break' && isMissed)) return [];
  const message = 'and its grace have passed without the money; the promise would be broken at once';
  return [{ field: 'dueDate', value: first.dueDate, message }];
}
