import { businessCalendar } from '../rules/business-days';
import { localDateAt, type EpochMs } from '../rules/calendar';
import { evaluateCase } from '../rules/collections/case';
import type { CaseDebt, CaseFacts, CaseLife } from '../rules/collections/case-facts';
import { shieldSentences, type CollectibleDebt } from '../rules/collections/explain-shield';
import { faultPoint } from '../platform/faults';
import { collectionsWorkflowId } from '../platform/ids';
import { getCalendarTable } from '../ledger/calendars';
import type { CaseKey } from '../ledger/collections/case-key';
import type { Ledger, Tx } from '../ledger/connection';
import { collectsItself } from '../ledger/collections/processes';
import { lockDebt, settleDue } from '../ledger/promises/debt-lock';
import { holdsOfDebt } from '../ledger/collections/holds';
import { recordCase } from '../ledger/collections/record-case';
import {
  clearCaseAttention,
  endedPromises,
  endingSteps,
  lockCase,
  recordedCase,
} from '../ledger/collections/runs';
import { getTenant, holdClock, tenantNow, type Tenant } from '../ledger/tenants';
import { cancelBySystem } from '../enrollment/cancel';
import { shieldsIn } from './shield';

/** A case after it was acted on: what its workflow needs to know. */
export interface CaseAct {
  readonly status: 'open' | 'closed';
  /** Null: the tenant has no process for the debt class, or has not said what is owed; then outcomes alone rule (R33). */
  readonly sentence: string | null;
  /** In the tenant's time. */
  readonly nextActAtMs: EpochMs | null;
  readonly clockOffsetMs: number;
  readonly openPromises: number;
  /** How many steps this act recorded. */
  readonly steps: number;
}

const ACTOR = 'collections';

/**
 * Acts on a collections case as of an instant (R30 to R33): judges the promises of its debt that are due, sees what is not
 * shielded, and starts, pauses, resumes, cancels its process or does the step that is due – all in one transaction under the
 * locks of the debt's promises and of the case. Idempotent: asked again it finds everything done. Then ends the promises that a
 * step ends (R17).
 * @param realNowMs the workflow's clock; a sandbox's offset is added here, from the ledger.
 */
export async function actOnCase(ledger: Ledger, key: CaseKey, realNowMs: number): Promise<CaseAct> {
  const first = await actOnce(ledger, key, realNowMs);
  if (first.steps > 0) await faultPoint('step-committed');
  if (!(await endPromises(ledger, key, realNowMs))) return first;
  return actOnce(ledger, key, realNowMs);
}

function actOnce(ledger: Ledger, key: CaseKey, realNowMs: number): Promise<CaseAct> {
  const { tenantId, accountId, debtClass } = key;
  return ledger.forTenant(tenantId, async (tx) => {
    const stored = await getTenant(tx, tenantId);
    const tenant = stored.sandbox ? { ...stored, clockOffsetMs: await holdClock(tx, tenantId) } : stored;
    const promises = await lockDebt(tx, tenantId, accountId, debtClass);
    const { actedAsOfMs, status: was } = await lockCase(
      tx,
      key,
      collectionsWorkflowId(tenantId, accountId, debtClass),
    );
    // Time never runs backwards for a case, whichever machine's clock asks.
    const nowMs = Math.max(tenantNow(tenant, realNowMs), actedAsOfMs ?? 0) as EpochMs;
    // Promises are judged before their case is looked at (R33).
    await settleDue(tx, tenantId, promises, nowMs);
    const { facts, shield } = await caseFacts(tx, tenant, key, nowMs, was === 'open');
    const openPromises = facts.openPromises;
    const { clockOffsetMs } = tenant;
    if (facts.process === null || shield === null) {
      await clearCaseAttention(tx, key);
      return { status: was, sentence: null, nextActAtMs: null, clockOffsetMs, openPromises, steps: 0 };
    }
    const life = evaluateCase(facts, nowMs);
    const evidence = evidenceOf(facts, shield, life);
    const effects = new Map(facts.process.definition.steps.map((step) => [step.id, step]));
    await recordCase(tx, key, { life, evidence, nowMs, effects, currency: facts.currency });
    const { status, sentence, nextActAtMs } = life;
    return { status, sentence, nextActAtMs, clockOffsetMs, openPromises, steps: life.steps.length };
  });
}

/** Everything that decides a case now, and what may be collected with its reasons. Call it under the locks of the debt. */
export async function caseFacts(
  tx: Tx,
  tenant: Tenant,
  key: CaseKey,
  nowMs: EpochMs,
  wasOpen: boolean,
): Promise<{ readonly facts: CaseFacts; readonly shield: CollectibleDebt | null }> {
  const { tenantId, accountId, debtClass } = key;
  const { timeZone, currency } = tenant;
  const today = localDateAt(nowMs, timeZone);
  const recorded = await recordedCase(tx, key);
  const [answer] = await shieldsIn(tx, tenant, { accountId, debtClasses: [debtClass] }, nowMs);
  const shield = answer === undefined || answer.source === null ? null : answer;
  const promises = answer?.promises ?? [];
  const pausing = promises.filter(({ by }) => by === 'pause-all' || by === 'unreadable');
  const facts: CaseFacts = {
    ...{ currency, timeZone, wasOpen, ...recorded },
    calendar: businessCalendar(timeZone, await getCalendarTable(tx, tenantId)),
    debt: shield === null ? null : caseDebt(shield),
    openPromises: promises.filter(
      ({ status }) => status === null || status === 'active' || status === 'pending',
    ).length,
    pausedBy: pausing.map(({ promiseId }) => promiseId),
    holds: await holdsOfDebt(tx, key, today),
  };
  return { facts, shield };
}

function caseDebt({ arrearsCents, collectibleCents, collectibleParts, debt }: CollectibleDebt): CaseDebt {
  return { arrearsCents, collectibleCents, unshielded: [...collectibleParts, ...debt.notDue] };
}

/** What a review rests on: enough to decide it again. */
function evidenceOf(facts: CaseFacts, shield: CollectibleDebt, life: CaseLife): object {
  const { process, holds, pausedBy, openPromises, lastOutcome, run, calendar } = facts;
  return {
    processVersion: process?.version ?? null,
    calendarVersion: calendar.version,
    arrearsCents: shield.arrearsCents,
    shieldedCents: shield.shieldedCents,
    collectibleCents: shield.collectibleCents,
    collectibleParts: shield.collectibleParts,
    shield: shieldSentences(shield, facts.currency),
    ...{ holds, pausedBy, openPromises, lastOutcome, run },
    after: { status: life.status, run: life.runs.at(-1) ?? run, nextActAtMs: life.nextActAtMs },
  };
}

/** R17: a collections step that ends promises; third parties' are spared. @returns whether any step had some to end. */
async function endPromises(ledger: Ledger, key: CaseKey, realNowMs: number): Promise<boolean> {
  const { tenantId, accountId, debtClass } = key;
  const steps = await ledger.forTenant(tenantId, (tx) => endingSteps(tx, key));
  for (const step of steps) {
    const options = { actor: ACTOR, realNowMs, wakeWorkflow: true, relayAfterMs: 0 };
    await cancelBySystem(ledger, tenantId, { accountId, debtClass, event: 'collection-event' }, options);
    await faultPoint('promises-ended');
    await ledger.forTenant(tenantId, (tx) => endedPromises(tx, key, step));
  }
  return steps.length > 0;
}

/**
 * Whether Troth collects a debt class itself: the tenant has a process for it, and no collections system of its own. Else
 * outcomes alone rule its cases (R33).
 */
export async function hasProcess(ledger: Ledger, { tenantId, debtClass }: CaseKey): Promise<boolean> {
  return ledger.forTenant(tenantId, (tx) => collectsItself(tx, tenantId, debtClass));
}
