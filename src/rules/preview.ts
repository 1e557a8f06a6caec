import { approvalFor, downPaymentOf, inOrder, linesFor, termsFor, type AgreedPart } from './agreement';
import { rollDate, type BusinessCalendar } from './business-days';
import { epochMs, type EpochMs, type LocalDate } from './calendar';
import { evaluate } from './decide';
import type { Line, PromiseFacts, Repeat } from './facts';
import { refusalsOf, type AccountStanding, type Refusal } from './limits';
import { cents, sum, ZERO, type Cents } from './money';
import { linesThrough } from './schedules/periods';
import type { Policy } from './policy';
import { collectible, type ShieldingPromise, type Shielded } from './collections/shield';

/** A promise that somebody thinks of making: what a customer on the telephone is told before saying yes. */
export interface PreviewAsked {
  readonly startDate: LocalDate;
  readonly currency: string;
  readonly payor: string;
  /** R4: some pay methods have days of grace of their own. */
  readonly payMethod: string | null;
  /** The dated parts; empty where it repeats. */
  readonly parts: readonly AgreedPart[];
  /** R22 */
  readonly repeat: Pick<Repeat, 'amountCents' | 'frequency' | 'firstDueDate' | 'count' | 'untilDate'> | null;
}

/** What is known of the account: its standing, and the promises that shield its debt already. */
export interface PreviewAccount extends AccountStanding {
  readonly shielding: readonly ShieldingPromise[];
}

/** One dated part with everything that follows from it (R4, R5, R7). */
export interface PreviewLine extends Line {
  readonly isDownPayment: boolean;
  /** R7: the day from which grace counts, where the policy rolls the due date; null where it stays. */
  readonly rolledTo: LocalDate | null;
  /** Whether its judge time has passed: it would be judged at once. */
  readonly isOver: boolean;
}

/** R30: what the promise would keep out of collections. */
export interface PreviewShield {
  readonly arrearsCents: Cents;
  /** What may be collected today, without it. */
  readonly collectibleCents: Cents;
  /** What may be collected once it is active. */
  readonly thenCents: Cents;
  readonly hiddenCents: Cents;
  readonly by: Shielded['by'];
}

/** What a promise would be. Nothing is recorded. */
export interface Preview {
  /** Of a promise without an end the first periods. */
  readonly lines: readonly PreviewLine[];
  readonly isOpenEnded: boolean;
  /** Null for a promise without an end. */
  readonly totalCents: Cents | null;
  /** R25: the first installment, when it is a down payment, and the least it may be. */
  readonly downPayment: {
    readonly amountCents: Cents;
    readonly leastCents: Cents;
    readonly dueDate: LocalDate;
  } | null;
  /** R25: until when a second person may approve it; null where nobody need. */
  readonly approvalUntilMs: EpochMs | null;
  /** What it would be after its enrollment. */
  readonly status: 'pending' | 'active';
  /** R25: everything that stands against it; empty where it would be accepted. */
  readonly refusals: readonly Refusal[];
  /** Null where the arrears are not known. */
  readonly shield: PreviewShield | null;
}

/** How many periods of a promise without an end are shown. */
const OPEN_PERIODS = 6;
/** The promise in question has no id yet. */
const NEW = 'new';

/**
 * What a promise would be if it were enrolled now: the same schedule, deadlines, limits and shield that an enrollment
 * gets.
 * @throws RangeError when the calendar is closed for a year, or the frequency does not fit the first due date.
 */
export function previewOf(
  asked: PreviewAsked,
  policy: Policy,
  calendar: BusinessCalendar,
  account: PreviewAccount,
  nowMs: EpochMs,
): Preview {
  const facts = factsOf(asked, policy, calendar);
  const { lines, approval, hasDownPayment } = facts;
  const isOpenEnded = isWithoutEnd(asked.repeat);
  const total = sum(lines.map(({ amountCents }) => amountCents));
  const parts = isOpenEnded ? lines.slice(0, 1) : lines;
  const plan = { startDate: asked.startDate, currency: asked.currency, parts, isOpenEnded };
  return {
    lines: lines.map((line) => lineOf(line, facts, calendar, nowMs)),
    isOpenEnded,
    totalCents: isOpenEnded ? null : total,
    downPayment: downPaymentIn(facts, parts),
    approvalUntilMs: approval?.deadlineMs ?? null,
    status: approval !== null || hasDownPayment ? 'pending' : 'active',
    refusals: refusalsOf(policy.limits, plan, account),
    shield: shieldOf(facts, account, nowMs),
  };
}

function isWithoutEnd(repeat: PreviewAsked['repeat']): boolean {
  return repeat !== null && repeat.count === null && repeat.untilDate === null;
}

function lineOf(line: Line, facts: PromiseFacts, calendar: BusinessCalendar, nowMs: EpochMs): PreviewLine {
  const rolled = rollDate(line.dueDate, facts.policy.dueDateRoll, calendar);
  return {
    ...line,
    isDownPayment: facts.hasDownPayment && line.seq === 1,
    rolledTo: rolled === line.dueDate ? null : rolled,
    isOver: line.judgeAtMs <= nowMs,
  };
}

function downPaymentIn(
  { hasDownPayment, policy }: PromiseFacts,
  lines: readonly Line[],
): Preview['downPayment'] {
  const [first] = lines;
  const leastCents = downPaymentOf(policy.limits, sum(lines.map(({ amountCents }) => amountCents)));
  if (!hasDownPayment || first === undefined || leastCents === null) return null;
  return { amountCents: first.amountCents, leastCents, dueDate: first.dueDate };
}

/** The facts of the promise on its first day, before any money. */
function factsOf(asked: PreviewAsked, policy: Policy, calendar: BusinessCalendar): PromiseFacts {
  const { startDate, payor, currency, payMethod } = asked;
  const terms = termsFor(policy, payMethod);
  const repeat: Repeat | null = asked.repeat === null ? null : { ...asked.repeat, terms, calendar };
  const parts = repeat === null ? inOrder(asked.parts) : [firstOf(repeat)];
  const hasDownPayment =
    downPaymentOf(policy.limits, sum(parts.map(({ amountCents }) => amountCents))) !== null;
  const facts: PromiseFacts = {
    ...{ promiseId: NEW, debtClass: NEW, currency, payor, startDate, policy, repeat, hasDownPayment },
    timeZone: calendar.timeZone,
    calendarVersion: calendar.version,
    lines: linesFor(parts, terms, calendar, hasDownPayment),
    autoManaged: true,
    approval: null,
    ...{ amendments: [], clearings: [], bills: [], payments: [], rivals: [], cancellation: null },
  };
  const isOpenEnded = isWithoutEnd(repeat);
  const most = isOpenEnded ? (repeat?.amountCents ?? ZERO) * (OPEN_PERIODS - 1) : 0;
  const lines = linesThrough(facts, most, epochMs(0));
  const asOne = isOpenEnded ? lines.slice(0, 1) : lines;
  return {
    ...facts,
    lines,
    approval: approvalFor(policy.limits, asOne, startDate, calendar.timeZone, isOpenEnded),
  };
}

function firstOf({ firstDueDate, amountCents }: Repeat): AgreedPart {
  return { dueDate: firstDueDate, amountCents };
}

function shieldOf(
  facts: PromiseFacts,
  { arrearsCents, shielding }: PreviewAccount,
  nowMs: EpochMs,
): PreviewShield | null {
  if (arrearsCents === null) return null;
  const life = evaluate(
    facts,
    Math.min(nowMs, ...facts.lines.map(({ judgeAtMs }) => judgeAtMs - 1)) as EpochMs,
  );
  const own: ShieldingPromise = { promiseId: NEW, policy: facts.policy, life: { ...life, status: 'active' } };
  const today = collectible(arrearsCents, shielding);
  const then = collectible(arrearsCents, [...shielding, own]);
  return {
    arrearsCents,
    collectibleCents: today.collectibleCents,
    thenCents: then.collectibleCents,
    hiddenCents: cents(today.collectibleCents - then.collectibleCents),
    by: then.shielded.at(-1)?.by ?? 'none',
  };
}
