import { z } from 'zod';
import { termsFor } from '../rules/agreement';
import { businessCalendar, type BusinessCalendar } from '../rules/business-days';
import {
  addDays,
  deadlineAtEndOf,
  epochMs,
  formatDate,
  isLocalDate,
  localDateAt,
  type EpochMs,
  type LocalDate,
} from '../rules/calendar';
import { pausedLastDays } from '../rules/collections/pause';
import { HOLD_KINDS, standsOn, USUALLY_PAUSES, type Hold, type HoldKind } from '../rules/collections/process';
import { deadlineOf } from '../rules/schedules/deadline';
import { evaluate } from '../rules/decide';
import type { Line } from '../rules/facts';
import { TrothError } from '../platform/errors';
import { findAccount } from '../ledger/accounts';
import { audit } from '../ledger/audit';
import { getCalendarTable } from '../ledger/calendars';
import type { CaseKey } from '../ledger/collections/case-key';
import { hasOpenCase } from '../ledger/collections/cases';
import type { Ledger, Tx } from '../ledger/connection';
import { lockDebt, lockSettled } from '../ledger/promises/debt-lock';
import { loadFacts, type PromiseRow } from '../ledger/promises/facts';
import { holdsOfKinds, insertHold, lockHold, markReleased, type HoldRow } from '../ledger/collections/holds';
import { reviewAll } from '../ledger/outbox';
import { findProcess } from '../ledger/collections/processes';
import { brokenPromisesOf } from '../ledger/promises/promise-views';
import { insertAmendment } from '../ledger/promises/promises';
import { wakeCases } from '../ledger/collections/waking';
import { settleLocked } from '../ledger/promises/settle';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import { scheduleWith } from '../enrollment/amend';
import { problemsOf } from '../enrollment/enrollment';

/** A breathing space lasts so many days where nothing else is said. */
const BREATHING_SPACE_DAYS = 60;
const MOST_DAYS_BACK = 366;
const MOST_DAYS_AHEAD = 3660;

const date = z.string().refine(isLocalDate, 'must be a date (YYYY-MM-DD)') as unknown as z.ZodType<LocalDate>;

const holdSchema = z.strictObject({
  holdId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots or dashes'),
  accountId: z.string().min(1).max(64),
  debtClass: z.string().min(1).max(40).nullable(),
  kind: z.enum(HOLD_KINDS, { error: `must be one of ${HOLD_KINDS.join(', ')}` }),
  from: date.optional(),
  until: date.optional(),
  reason: z.string().min(1, 'is needed: why the debt is left alone').max(1000),
});

/** A hold that somebody asks for. Its first day is today unless told otherwise; it may be backdated. */
export type NewHold = z.input<typeof holdSchema>;

/** What became of a promise's deadlines. */
export interface MovedPromise {
  readonly promiseId: string;
  readonly result: 'moved' | 'unchanged' | 'left';
  /** Why it was left as it is; null otherwise. */
  readonly why: string | null;
}

export interface HoldAnswer {
  readonly result: 'placed' | 'known' | 'released';
  readonly hold: Pick<HoldRow, 'holdId' | 'accountId' | 'debtClass' | 'kind' | 'from' | 'until'>;
  readonly promises: readonly MovedPromise[];
}

/**
 * Puts a hold on an account or one debt class of it: its collections process stops, or keeps away from the premises, as the
 * process says; the deadlines of its promises move where law or policy says so. The same request again is `known`.
 * @throws TrothError INPUT_INVALID, NOT_FOUND (account, debt class), CONFLICT (the id is that of another hold).
 */
export async function placeHold(
  ledger: Ledger,
  tenantId: string,
  input: NewHold,
  by: { readonly actor: string; readonly realNowMs?: number },
): Promise<HoldAnswer> {
  const parsed = holdSchema.safeParse(input);
  if (!parsed.success) {
    throw new TrothError('INPUT_INVALID', 'The hold cannot be placed', {
      problems: problemsOf(parsed.error, input),
    });
  }
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    const nowMs = tenantNow(tenant, by.realNowMs);
    const today = localDateAt(nowMs, tenant.timeZone);
    const { holdId, accountId, debtClass, kind, reason } = parsed.data;
    const daysFrom = (from: LocalDate): Pick<HoldRow, 'from' | 'until'> => ({
      from,
      until:
        parsed.data.until ?? (kind === 'breathing-space' ? addDays(from, BREATHING_SPACE_DAYS - 1) : null),
    });
    const { from, until } = daysFrom(parsed.data.from ?? today);
    assertDays(from, until, today);
    const classes = await classesOf(tx, tenantId, accountId, debtClass);
    const hold = { holdId, accountId, debtClass, kind, from, until };
    // The same command on another day, which says no first day, means the hold that is there.
    const known = await lockHold(tx, tenantId, holdId);
    if (known !== undefined) {
      const asked = { ...hold, ...daysFrom(parsed.data.from ?? known.from) };
      assertSame(known, asked);
      return { result: 'known', hold: asked, promises: [] };
    }
    if (until === null) await assertNeedsNoEnd(tx, tenantId, kind, classes);
    if (!(await insertHold(tx, tenantId, { ...hold, reason, actor: by.actor, placedAt: new Date(nowMs) })))
      throw new TrothError('UNAVAILABLE', `Hold "${holdId}" is being placed by somebody else; try again`);
    const details = { holdId, kind, debtClass, from, until, reason };
    await audit(tx, tenantId, { action: 'hold.placed', actor: by.actor, at: nowMs, accountId, details });
    return {
      result: 'placed',
      hold,
      promises: await takeEffect(tx, tenant, accountId, classes, { nowMs, actor: by.actor, placed: hold }),
    };
  });
}

/**
 * Ends a hold: `on` is the first day without it, today unless told otherwise; one that has not begun never will. Deadlines that it
 * moved come back as far as days are left; never to a day that has passed.
 * @throws TrothError NOT_FOUND, CONFLICT (released before, on another day), INPUT_INVALID (a day before the hold or after today).
 */
export async function releaseHold(
  ledger: Ledger,
  tenantId: string,
  holdId: string,
  by: {
    readonly actor: string;
    readonly reason: string | null;
    readonly on?: LocalDate;
    readonly realNowMs?: number;
  },
): Promise<HoldAnswer> {
  return ledger.forTenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    const nowMs = tenantNow(tenant, by.realNowMs);
    const today = localDateAt(nowMs, tenant.timeZone);
    const hold = await lockHold(tx, tenantId, holdId);
    if (hold === undefined)
      throw new TrothError('NOT_FOUND', `There is no hold "${holdId}"; see: troth hold list`);
    const latest = hold.from > today ? hold.from : today;
    const on = by.on ?? latest;
    if (hold.releasedOn !== null) {
      if (by.on === undefined || hold.releasedOn === on) return { result: 'known', hold, promises: [] };
      throw new TrothError('CONFLICT', `Hold "${holdId}" was released on ${hold.releasedOn} already`);
    }
    if (on < hold.from || on > latest) {
      const message =
        hold.from > today
          ? `must be ${hold.from}, its first day, which is to come`
          : `must be from ${hold.from}, its first day, to today, ${today}`;
      throw new TrothError('INPUT_INVALID', `The day of release ${message}`, {
        problems: [{ field: 'on', value: on, message }],
      });
    }
    const { accountId, debtClass } = hold;
    await markReleased(tx, tenantId, holdId, { on, at: new Date(nowMs), actor: by.actor, reason: by.reason });
    const details = { holdId, on, reason: by.reason };
    await audit(tx, tenantId, { action: 'hold.released', actor: by.actor, at: nowMs, accountId, details });
    const classes = await classesOf(tx, tenantId, accountId, debtClass);
    return {
      result: 'released',
      hold,
      promises: await takeEffect(tx, tenant, accountId, classes, { nowMs, actor: by.actor, placed: null }),
    };
  });
}

function assertDays(from: LocalDate, until: LocalDate | null, today: LocalDate): void {
  const problems = [
    from < addDays(today, -MOST_DAYS_BACK)
      ? { field: 'from', value: from, message: `lies more than ${MOST_DAYS_BACK} days back` }
      : null,
    until !== null && until < from
      ? { field: 'until', value: until, message: `lies before its first day, ${from}` }
      : null,
    (until ?? from) > addDays(today, MOST_DAYS_AHEAD)
      ? {
          field: until === null ? 'from' : 'until',
          value: until ?? from,
          message: 'lies more than ten years ahead',
        }
      : null,
  ].filter((problem) => problem !== null);
  if (problems.length > 0) throw new TrothError('INPUT_INVALID', 'The hold cannot be placed', { problems });
}

async function classesOf(
  tx: Tx,
  tenantId: string,
  accountId: string,
  debtClass: string | null,
): Promise<readonly string[]> {
  const account = await findAccount(tx, tenantId, accountId);
  if (account === undefined) throw new TrothError('NOT_FOUND', `There is no account "${accountId}"`);
  if (debtClass === null) return [...account.debtClasses].sort();
  if (account.debtClasses.includes(debtClass)) return [debtClass];
  const message = `is not a debt class of account ${accountId}, which has ${account.debtClasses.join(', ')}`;
  throw new TrothError('INPUT_INVALID', `"${debtClass}" ${message}`, {
    problems: [{ field: 'debtClass', value: debtClass, message }],
  });
}

// A deadline can move only by days that are known; without an end, promises would break while the hold stands.
async function assertNeedsNoEnd(
  tx: Tx,
  tenantId: string,
  kind: HoldKind,
  classes: readonly string[],
): Promise<void> {
  for (const debtClass of classes) {
    if (!(await pausingKinds(tx, tenantId, debtClass)).includes(kind)) continue;
    const message = `is needed: a ${kind} hold moves the deadlines of ${debtClass} promises, by days that must be known; release it when it ends before`;
    throw new TrothError('INPUT_INVALID', 'The hold cannot be placed', {
      problems: [{ field: 'until', value: '', message }],
    });
  }
}

/** Kinds of hold that stop the clock of promises on a debt class. */
async function pausingKinds(tx: Tx, tenantId: string, debtClass: string): Promise<readonly HoldKind[]> {
  return (await findProcess(tx, tenantId, debtClass))?.definition.pausesPromises ?? USUALLY_PAUSES;
}

function assertSame(known: HoldRow, hold: HoldAnswer['hold']): void {
  const fields = ['accountId', 'debtClass', 'kind', 'from', 'until'] as const;
  const wrong = fields.find((field) => known[field] !== hold[field]);
  if (wrong === undefined) return;
  const message = `is ${String(known[wrong])} in the hold of this id that is there`;
  throw new TrothError('CONFLICT', `There is another hold "${hold.holdId}": its ${wrong} ${message}`, {
    problems: [{ field: wrong, value: String(hold[wrong]), message }],
  });
}

/** Wakes the account's open cases and moves the deadlines of its promises, under the locks of each debt. */
async function takeEffect(
  tx: Tx,
  tenant: Tenant,
  accountId: string,
  classes: readonly string[],
  { nowMs, actor, placed }: { readonly nowMs: EpochMs; readonly actor: string; readonly placed: Hold | null },
): Promise<MovedPromise[]> {
  const { tenantId } = tenant;
  const calendar = businessCalendar(tenant.timeZone, await getCalendarTable(tx, tenantId));
  const moved: MovedPromise[] = [];
  for (const debtClass of classes) {
    const kinds = await pausingKinds(tx, tenantId, debtClass);
    const pauses = await pausesOf(tx, { tenantId, accountId, debtClass }, kinds);
    for (const { promiseId, status } of await lockDebt(tx, tenantId, accountId, debtClass)) {
      if (status !== 'active' && status !== 'pending') continue;
      const locked = await lockSettled(tx, tenantId, promiseId, ({ settledAsOfMs }) =>
        epochMs(Math.max(nowMs, settledAsOfMs + 1)),
      );
      if (locked === undefined) continue;
      moved.push(
        await moveDeadlines(tx, tenant, locked.promise, { ...pauses, calendar, nowMs: locked.nowMs, actor }),
      );
    }
    if (placed !== null && kinds.includes(placed.kind))
      moved.push(...(await brokenWithin(tx, tenant, { accountId, debtClass }, placed)));
    if (await hasOpenCase(tx, { tenantId, accountId, debtClass }))
      await wakeCases(tx, tenantId, [{ accountId, debtClass }]);
  }
  return moved;
}

/** Promises that were broken while a hold stood that has only been learned of: no deadline of theirs is left to move. */
async function brokenWithin(
  tx: Tx,
  { tenantId, timeZone }: Tenant,
  debt: { readonly accountId: string; readonly debtClass: string },
  hold: Hold,
): Promise<MovedPromise[]> {
  const broken = await brokenPromisesOf(tx, { tenantId, ...debt }, timeZone);
  return broken
    .filter(({ on }) => standsOn(hold, on))
    .map(({ promiseId, on }) => ({
      promiseId,
      result: 'left',
      why: `it was broken on ${formatDate(on)}, while the hold stood; make a new promise if it should not count`,
    }));
}

interface Pauses {
  readonly holds: readonly Hold[];
  readonly words: string;
}

async function pausesOf(tx: Tx, key: CaseKey, kinds: readonly HoldKind[]): Promise<Pauses> {
  const holds = await holdsOfKinds(tx, key, kinds);
  return {
    holds,
    words: holds
      .map(({ holdId, kind }) => `${kind} ${holdId}`)
      .join(', ')
      .slice(0, 900),
  };
}

/** R18: new deadlines are an amendment; due dates and amounts stay as they were agreed. */
async function moveDeadlines(
  tx: Tx,
  tenant: Tenant,
  promise: PromiseRow,
  pauses: Pauses & { readonly calendar: BusinessCalendar; readonly nowMs: EpochMs; readonly actor: string },
): Promise<MovedPromise> {
  const { tenantId } = tenant;
  const { promiseId } = promise;
  const { calendar, nowMs, actor, holds, words } = pauses;
  const facts = await loadFacts(tx, tenantId, promiseId);
  const life = evaluate(facts, nowMs);
  const left = (why: string): MovedPromise => ({ promiseId, result: 'left', why });
  if (life.status !== 'active' && life.status !== 'pending') return left(`it is ${life.status}`);
  if (life.isOpenEnded) return left('it has no end; amend it by hand');
  const terms = termsFor(facts.policy, promise.payMethod);
  const agreed = life.lines.map(({ line }) => ({ line, ...deadlineOf(line.dueDate, terms, calendar) }));
  const today = localDateAt(nowMs, facts.timeZone);
  const lastDays = pausedLastDays(facts.startDate, agreed, holds);
  let changes = 0;
  const open: Line[] = [];
  for (const [index, { line, countedCents }] of life.lines.entries()) {
    if (countedCents >= line.amountCents) continue;
    const wanted = lastDays[index] ?? line.lastDay;
    // Never to a day that has passed, and not back from days that a reversal gave (R19).
    const lastDay =
      wanted < line.lastDay && wanted < today ? (line.lastDay < today ? line.lastDay : today) : wanted;
    if (line.judgeAtMs <= nowMs) {
      if (lastDay === line.lastDay) return left('it has a missed installment; amend it by hand');
    }
    if (lastDay === line.lastDay) open.push(line);
    else {
      changes += 1;
      open.push({
        ...line,
        ...deadlineAtEndOf(lastDay, facts.policy.postingLagHours, facts.timeZone),
        lastDay,
      });
    }
  }
  if (changes === 0) return { promiseId, result: 'unchanged', why: null };
  const lines = scheduleWith(life, open);
  const scheduleNo = promise.scheduleNo + 1;
  const note = words === '' ? 'the hold has ended' : `holds: ${words}`;
  await insertAmendment(tx, tenantId, promiseId, {
    scheduleNo,
    atMs: nowMs,
    actor,
    note,
    requestId: null,
    lines,
  });
  await audit(tx, tenantId, {
    action: 'promise.amended',
    ...{ actor, at: nowMs, promiseId, accountId: promise.accountId },
    details: { revision: life.revision + 1, installments: lines.length, scheduleNo, note },
  });
  await settleLocked(tx, tenantId, { ...promise, scheduleNo }, nowMs);
  await reviewAll(tx, [{ tenantId, promiseId, workflowId: promise.workflowId }]);
  return { promiseId, result: 'moved', why: null };
}
