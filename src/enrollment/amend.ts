import { z } from 'zod';
import { businessCalendar } from '../rules/business-days';
import { linesFor, termsFor, type AgreedPart } from '../rules/agreement';
import { localDateAt, type EpochMs, type LocalDate } from '../rules/calendar';
import { evaluate, type Evaluation } from '../rules/decide';
import type { Line, PromiseFacts } from '../rules/facts';
import { amendRefusals } from '../rules/limits';
import { cents } from '../rules/money';
import { absorbChange, MAX_INSTALLMENTS } from '../rules/schedules/schedule';
import { audit } from '../ledger/audit';
import { getCalendarTable } from '../ledger/calendars';
import type { Ledger, Tx } from '../ledger/connection';
import { loadFacts, type PromiseRow } from '../ledger/promises/facts';
import { findAmendment, insertAmendment } from '../ledger/promises/promises';
import { settleLocked } from '../ledger/promises/settle';
import { openItems } from '../ledger/transactions';
import type { Problem } from '../platform/errors';
import { changePromise, refuse, settleRefused, type ChangeAnswer, type ChangeOptions } from './change';
import { agreedParts, orderedParts, partSchema, problemsOf } from './enrollment';

const ABSORB = ['last', 'next', 'spread', 'none'] as const;

/** An amendment (R18): the remaining installments anew, or a change of one of them. */
export const amendSchema = z
  .strictObject({
    installments: z
      .array(partSchema)
      .min(1, 'must not be empty')
      .max(MAX_INSTALLMENTS, `must be ${MAX_INSTALLMENTS} at most`)
      .optional(),
    change: z
      .strictObject({
        /** The installment, by its number. */
        seq: z.number().int().min(1),
        dueDate: partSchema.shape.dueDate.optional(),
        amountCents: partSchema.shape.amountCents.optional(),
        /** Which installments take the difference. */
        absorb: z.enum(ABSORB, { error: `must be one of ${ABSORB.join(', ')}` }).default('last'),
      })
      .optional(),
    note: z.string().min(1).max(1000).optional(),
    actor: z.string().min(1).max(200).optional(),
  })
  .superRefine(({ installments, change }, context) => {
    if ((installments === undefined) === (change === undefined)) {
      const message = 'are needed, or a change of one of them, not both';
      context.addIssue({ code: 'custom', path: ['installments'], message });
    }
    if (change !== undefined && change.dueDate === undefined && change.amountCents === undefined) {
      const message = 'needs a dueDate or amountCents';
      context.addIssue({ code: 'custom', path: ['change'], message });
    }
  });
export type Amend = z.output<typeof amendSchema>;

/**
 * Amends an open promise (R18): all but the fully paid installments are replaced, in a new revision of the same promise,
 * and it is settled in the same transaction. What was due before is judged first.
 * @throws TrothError NOT_FOUND
 */
export async function amendPromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  input: unknown,
  options: ChangeOptions,
): Promise<ChangeAnswer> {
  const parsed = amendSchema.safeParse(input);
  if (!parsed.success) return { result: 'refused', problems: problemsOf(parsed.error, input) };
  return changePromise(ledger, tenantId, promiseId, options, (tx, promise, nowMs) =>
    amendLocked(tx, tenantId, promise, parsed.data, nowMs, options),
  );
}

async function amendLocked(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  amend: Amend,
  nowMs: EpochMs,
  options: ChangeOptions,
): Promise<ChangeAnswer> {
  const { promiseId } = promise;
  const requestId = options.requestId ?? null;
  if (requestId !== null && (await findAmendment(tx, tenantId, promiseId, requestId)) !== undefined) {
    return { result: 'done', settlement: await settleLocked(tx, tenantId, promise, nowMs, options) };
  }
  const facts = await loadFacts(tx, tenantId, promiseId);
  const life = evaluate(facts, nowMs);
  const today = localDateAt(nowMs, facts.timeZone);
  const parts = partsAfter(amend, life, facts.startDate);
  if ('message' in parts) return settleRefused(tx, tenantId, promise, nowMs, [parts], options);
  const arrears = promise.arrearsCents === null ? null : cents(promise.arrearsCents);
  const problems = [
    ...amendRefusals(facts, life, parts, today, arrears),
    ...(await itemProblems(tx, tenantId, promise, facts, parts)),
  ];
  if (problems.length > 0) return settleRefused(tx, tenantId, promise, nowMs, problems, options);

  const calendar = businessCalendar(facts.timeZone, await getCalendarTable(tx, tenantId));
  const terms = termsFor(facts.policy, promise.payMethod);
  const lines = scheduleWith(life, linesFor(parts, terms, calendar, life.awaitsDownPayment));
  const scheduleNo = promise.scheduleNo + 1;
  const actor = amend.actor ?? options.actor;
  const note = amend.note ?? null;
  await insertAmendment(tx, tenantId, promiseId, { scheduleNo, atMs: nowMs, actor, note, requestId, lines });
  await audit(tx, tenantId, {
    action: 'promise.amended',
    actor,
    at: nowMs,
    promiseId,
    accountId: promise.accountId,
    details: { revision: life.revision + 1, installments: lines.length, scheduleNo, note: amend.note },
  });
  const settlement = await settleLocked(tx, tenantId, { ...promise, scheduleNo }, nowMs, options);
  return { result: 'done', settlement };
}

/** The parts that replace what is not fully paid. */
function partsAfter(amend: Amend, life: Evaluation, startDate: LocalDate): AgreedPart[] | Problem {
  if (amend.installments !== undefined) return orderedParts(agreedParts(amend.installments), startDate);
  const { change } = amend;
  if (change === undefined) return refuse('installments', '', 'are needed');
  if (life.isOpenEnded) {
    return refuse(
      'change',
      String(change.seq),
      'is for promises with an end; send the installments that replace it',
    );
  }
  const open = life.lines.filter(({ line, countedCents }) => countedCents < line.amountCents);
  const index = open.findIndex(({ line }) => line.seq === change.seq);
  const changed = open[index];
  if (changed === undefined) {
    const message = 'is not the number of an installment that is still open';
    return refuse('change.seq', String(change.seq), message);
  }
  const parts = open.map(({ line }): AgreedPart => {
    const { dueDate, amountCents, transactionId } = line;
    return { dueDate, amountCents, ...(transactionId === undefined ? {} : { transactionId }) };
  });
  try {
    const before = parts.map(({ amountCents }) => amountCents);
    const amounts =
      change.amountCents === undefined
        ? before
        : absorbChange(before, index, cents(change.amountCents), change.absorb);
    const dated = parts.map((part, at) => ({
      ...part,
      amountCents: amounts[at] ?? part.amountCents,
      dueDate: at === index && change.dueDate !== undefined ? change.dueDate : part.dueDate,
    }));
    return orderedParts(dated, startDate);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refuse('change.amountCents', String(change.amountCents ?? ''), error.message);
  }
}

/** The whole schedule from now on: fully paid lines as they are, and the new ones, as `evaluate` puts them together. */
export function scheduleWith(life: Evaluation, added: readonly Line[]): (Line & { carried: boolean })[] {
  const paid = life.lines.filter(({ line, countedCents }) => countedCents === line.amountCents);
  return [
    ...paid.map(({ line }) => ({ ...line, carried: true })),
    ...added.map((line) => ({ ...line, carried: false })),
  ]
    .sort((a, b) => (a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0))
    .map((line, index) => ({ ...line, seq: index + 1 }));
}

// R24: what is promised on an open item stays within what was open on it, or is open on it now.
async function itemProblems(
  tx: Tx,
  tenantId: string,
  promise: PromiseRow,
  facts: PromiseFacts,
  parts: readonly AgreedPart[],
): Promise<Problem[]> {
  const wasBound = facts.lines.some(({ transactionId }) => transactionId !== undefined);
  const isBound = parts.some(({ transactionId }) => transactionId !== undefined);
  if (wasBound !== isBound) {
    const message = wasBound
      ? 'is needed: this promise pays named open items'
      : 'cannot be named: this promise pays the debt as a whole';
    return [refuse('transactionId', '', message)];
  }
  const ids = [...new Set(parts.flatMap(({ transactionId }) => transactionId ?? []))];
  if (ids.length === 0) return [];
  const known = await openItems(tx, tenantId, promise.accountId, promise.debtClass, ids);
  return ids
    .filter((id) => !known.has(id))
    .map((id) => refuse('transactionId', id, 'is not an open item of this account and debt class'));
}
