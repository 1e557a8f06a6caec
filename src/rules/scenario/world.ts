import { approvalFor, downPaymentOf, inOrder, linesFor, termsFor } from '../agreement';
import { businessCalendar, effectiveDateOf, type BusinessCalendar } from '../business-days';
import { epochMs, localDateAt, startOfDayMs, type EpochMs, type LocalDate } from '../calendar';
import { deadlineOf } from '../schedules/deadline';
import { evaluate, type Evaluation } from '../decide';
import {
  SELF,
  type Bill,
  type Cancellation,
  type CancelReason,
  type Payment,
  type PromiseFacts,
  type RivalPromise,
  type Spend,
} from '../facts';
import {
  amendRefusals,
  cancelRefusal,
  endsByCollections,
  paidLines,
  refusalsOf,
  type Refusal,
} from '../limits';
import { isOpen, usesOf } from '../judging/life';
import { sum, ZERO, type Cents } from '../money';
import { linesThrough } from '../schedules/periods';
import { EVENT_ORDER, happensMs, instantsOf, momentMs, movedBy, postedMsOf, type Span } from './moments';
import type { Scenario, ScenarioEvent, ScenarioPromise } from './scenario';
import { collectible, type Collectible } from '../collections/shield';
import { standingOf, type Standing } from '../collections/standing';

/** What became of something that was asked for: an enrollment, a cancel, an amendment. */
export interface Reply {
  readonly atMs: EpochMs;
  readonly promiseId: string;
  readonly what: 'enroll' | 'cancel' | 'amend';
  readonly refusals: readonly Refusal[];
  /** Its place among the scenario's events; null for an enrollment. */
  readonly event: number | null;
}

/** How a promise of a scenario stands at a moment. */
export interface Look {
  readonly life: Evaluation;
  readonly facts: PromiseFacts;
  readonly standing: Standing;
  readonly collectible: Collectible | null;
}

interface Actor {
  readonly told: ScenarioPromise;
  readonly enrolledAtMs: EpochMs;
  facts: PromiseFacts;
  life: Evaluation;
  /** What `life` was worked out from; null where others had a say in it. */
  seen: {
    readonly atMs: EpochMs;
    readonly facts: PromiseFacts;
    readonly payments: readonly Payment[];
  } | null;
}

/** Something that is still to happen in a world. */
interface Coming {
  readonly atMs: EpochMs;
  readonly order: number;
  readonly happen: () => void;
}

/** The debt class and currency of every scenario; a story has one account. */
const DEBT_CLASS = 'utility';
export const SCENARIO_CURRENCY = 'USD';

/**
 * A small world with one account and the promises of a scenario, in which time goes forward and the rules of production
 * decide. Several promises live side by side: what one of them has counted, another cannot (R11).
 */
export class World {
  readonly #scenario: Scenario;
  readonly #calendar: BusinessCalendar;
  readonly #actors: Actor[] = [];
  /** Replaced, never changed: facts that were looked at stay as they were. */
  #payments: readonly Payment[] = [];
  readonly #coming: Coming[];
  readonly replies: Reply[] = [];

  /**
   * @param moved a bare date sees all that is posted on it: what happens within this span is taken just before its
   * beginning, in order.
   */
  constructor(scenario: Scenario, moved?: Span) {
    this.#scenario = scenario;
    const { timeZone, weekend, closedDays, cutoff } = scenario.tenant;
    const version = closedDays.length > 0 || cutoff !== null ? 1 : 0;
    this.#calendar = businessCalendar(timeZone, { version, weekend, closedDays, cutoff });
    const at = movedBy(moved, instantsOf(scenario));
    const enrollments = scenario.promises.map((promise): Coming => {
      const atMs = at(startOfDayMs(promise.startDate, timeZone));
      return { atMs, order: EVENT_ORDER.enroll, happen: () => this.#enroll(promise, atMs) };
    });
    const events = scenario.events.map((event, index): Coming => {
      const atMs = at(happensMs(event, scenario));
      return { atMs, order: EVENT_ORDER[event.type], happen: () => this.#take(event, index, atMs) };
    });
    // Stable: what happens at one instant in one way, happens in the order of the file.
    this.#coming = [...enrollments, ...events].sort((a, b) => a.atMs - b.atMs || a.order - b.order);
  }

  get timeZone(): string {
    return this.#calendar.timeZone;
  }

  /** The promises that were accepted, by their ids. */
  get promiseIds(): readonly string[] {
    return this.#actors.map(({ told }) => told.id);
  }

  /** When something next happens: an event, or what time alone decides; null when nothing is left. */
  nextMs(): EpochMs | null {
    const next = Math.min(this.#coming[0]?.atMs ?? Infinity, this.nextTickMs() ?? Infinity);
    return next === Infinity ? null : epochMs(next);
  }

  /** When time alone next decides something; null when it never will. */
  nextTickMs(): EpochMs | null {
    const next = Math.min(...this.#actors.map(({ life }) => life.nextJudgeAtMs ?? Infinity));
    return next === Infinity ? null : epochMs(next);
  }

  /** Lets time pass up to an instant, that included. */
  advance(toMs: EpochMs): void {
    for (;;) {
      const nextMs = this.nextMs();
      if (nextMs === null || nextMs > toMs) break;
      this.#settle(nextMs);
      while (this.#coming[0] !== undefined && this.#coming[0].atMs <= nextMs) {
        // What asks for an answer is answered by what was before it; the postings of one instant are seen together.
        if (this.#coming[0].order > EVENT_ORDER.reversal) this.#settle(nextMs);
        this.#coming.shift()?.happen();
      }
      this.#settle(nextMs);
    }
    this.#settle(toMs);
  }

  /** How a promise stands at an instant up to which time has passed; undefined when it was not enrolled. */
  look(promiseId: string, atMs: EpochMs, today: LocalDate): Look | undefined {
    const actor = this.#actors.find(({ told }) => told.id === promiseId);
    if (actor === undefined) return undefined;
    const facts = this.#factsOf(actor);
    const life = this.#lifeOf(actor, atMs);
    return { life, facts, standing: standingOf(life, today), collectible: this.collectible(today) };
  }

  /** R30: what may be collected on a day; null where the story does not tell the arrears. */
  collectible(today: LocalDate): Collectible | null {
    const arrears = arrearsOn(this.#scenario, today);
    if (arrears === null) return null;
    return collectible(
      arrears,
      this.#actors.map(({ told, facts, life }) => ({ promiseId: told.id, policy: facts.policy, life })),
    );
  }

  // Third parties first: what the account itself may count depends on what they have promised (R9). Of one payor the open
  // promise first: what it has counted as it ends, the others cannot (R11).
  #settle(atMs: EpochMs): void {
    const place = ({ told, life }: Actor): number => (told.payor === SELF ? 2 : 0) + (isOpen(life) ? 0 : 1);
    for (const actor of [...this.#actors].sort((a, b) => place(a) - place(b))) {
      actor.life = this.#lifeOf(actor, atMs);
    }
  }

  // The life of a promise alone in its world follows from its facts: what is known of an instant need not be judged again.
  #lifeOf(actor: Actor, atMs: EpochMs): Evaluation {
    const { seen, facts } = actor;
    const payments = this.#payments;
    if (this.#actors.length > 1) {
      actor.seen = null;
      return evaluate(this.#factsOf(actor), atMs);
    }
    if (seen === null || seen.atMs !== atMs || seen.facts !== facts || seen.payments !== payments) {
      actor.life = evaluate(this.#factsOf(actor), atMs);
      actor.seen = { atMs, facts, payments };
    }
    return actor.life;
  }

  #factsOf(actor: Actor): PromiseFacts {
    const others = this.#actors.filter((other) => other !== actor);
    const spends = spendsOf(others);
    const payments =
      spends.size === 0
        ? this.#payments
        : this.#payments.map((payment) => ({ ...payment, spent: spends.get(payment.paymentId) ?? [] }));
    return { ...actor.facts, payments, rivals: others.flatMap(timesOpen) };
  }

  #enroll(told: ScenarioPromise, atMs: EpochMs): void {
    if (told.faults.length > 0) {
      const { id: promiseId, faults: refusals } = told;
      this.replies.push({ atMs, promiseId, what: 'enroll', refusals, event: null });
      return;
    }
    const facts = { ...this.#agreed(told), enrolledAtMs: atMs };
    const isOpenEnded =
      facts.repeat !== null && told.repeat?.count === null && told.repeat.untilDate === null;
    const { startDate } = told;
    const refusals = refusalsOf(
      this.#scenario.policy.limits,
      { startDate, currency: SCENARIO_CURRENCY, parts: facts.lines, isOpenEnded },
      {
        openOnDebt: this.#open().find(({ told: other }) => other.payor === told.payor)?.told.id ?? null,
        openPromises: this.#open().length,
        brokenOn: this.#brokenOn(),
        arrearsCents: arrearsOn(this.#scenario, startDate),
      },
    );
    this.replies.push({ atMs, promiseId: told.id, what: 'enroll', refusals, event: null });
    if (refusals.length > 0) return;
    this.#actors.push({ told, enrolledAtMs: atMs, facts, life: evaluate(facts, atMs), seen: null });
  }

  #open(): Actor[] {
    return this.#actors.filter(({ life }) => isOpen(life));
  }

  #brokenOn(): LocalDate[] {
    return this.#actors.flatMap(({ life }) => {
      const last = life.status === 'broken' ? life.outcomes.at(-1) : undefined;
      return last === undefined ? [] : [localDateAt(last.atMs, this.timeZone)];
    });
  }

  #agreed(told: ScenarioPromise): PromiseFacts {
    const { policy: options, preset, transactions } = this.#scenario;
    const policy = { name: preset, version: 1, ...options };
    const { limits } = policy;
    const terms = termsFor(policy, null);
    const repeat = told.repeat === null ? null : { ...told.repeat, terms, calendar: this.#calendar };
    const parts = told.repeat === null ? told.parts : [firstPeriod(told.repeat)];
    const total = sum(parts.map(({ amountCents }) => amountCents));
    const hasDownPayment = downPaymentOf(limits, total) !== null;
    const some = linesFor(parts, terms, this.#calendar, hasDownPayment);
    const facts: PromiseFacts = {
      promiseId: told.id,
      debtClass: DEBT_CLASS,
      currency: SCENARIO_CURRENCY,
      payor: told.payor,
      startDate: told.startDate,
      timeZone: this.timeZone,
      calendarVersion: this.#calendar.version,
      policy,
      lines: some,
      repeat,
      autoManaged: told.repeat?.autoManaged ?? true,
      hasDownPayment,
      approval: null,
      amendments: [],
      clearings: [],
      bills: transactions.flatMap((one) => this.#billOf(one, told.startDate, terms)),
      payments: [],
      rivals: [],
      cancellation: null,
    };
    const lines = repeat === null ? some : linesThrough(facts, 0, epochMs(0));
    const isOpenEnded = repeat !== null && repeat.count === null && repeat.untilDate === null;
    const approval = approvalFor(limits, lines, told.startDate, this.timeZone, isOpenEnded);
    return { ...facts, lines, approval };
  }

  #billOf(
    { id, amountCents, dueDate, issued }: Scenario['transactions'][number],
    startDate: LocalDate,
    terms: ReturnType<typeof termsFor>,
  ): Bill[] {
    if (issued === null || issued <= startDate) return [];
    const deadline = deadlineOf(dueDate, terms, this.#calendar);
    return [{ transactionId: id, amountCents, dueDate, closedAtMs: null, ...deadline }];
  }

  #take(event: ScenarioEvent, index: number, atMs: EpochMs): void {
    switch (event.type) {
      case 'payment':
        this.#payments = [...this.#payments, this.#paymentOf(event, atMs)];
        return;
      case 'reversal':
        this.#reverse(event, atMs);
        return;
      case 'balance-cleared':
        for (const actor of this.#actors) {
          actor.facts = { ...actor.facts, clearings: [...actor.facts.clearings, atMs] };
        }
        return;
      case 'approve':
      case 'reject':
        this.#change(event.promise, ({ approval }) =>
          approval === null || approval.decision !== null
            ? {}
            : { approval: { ...approval, decision: { atMs, approved: event.type === 'approve' } } },
        );
        return;
      case 'amend':
        this.#amend(event, index, atMs);
        return;
      case 'cancel':
        this.#cancel(event, index, atMs);
        return;
      case 'service-stopped':
        this.#cancelAll('service_stopped', atMs, () => true);
        return;
      case 'account-closed':
        this.#cancelAll('account_closed', atMs, () => true);
        return;
      case 'collection-event':
        this.#cancelAll('collection_event', atMs, endsByCollections);
    }
  }

  #paymentOf(event: Extract<ScenarioEvent, { type: 'payment' }>, postedAtMs: EpochMs): Payment {
    const { id, amountCents, tenders, applied } = event;
    return {
      paymentId: id,
      debtClass: DEBT_CLASS,
      currency: SCENARIO_CURRENCY,
      amountCents,
      effectiveDate: effectiveDateOf(momentMs(event.at, this.timeZone), this.#calendar),
      postedAtMs,
      tenders,
      applied,
      spent: [],
      reversal: null,
    };
  }

  #reverse(event: Extract<ScenarioEvent, { type: 'reversal' }>, atMs: EpochMs): void {
    const index = this.#payments.findIndex(({ paymentId }) => paymentId === event.payment);
    const payment = this.#payments[index];
    if (payment === undefined || payment.reversal !== null) return; // a file may say it twice
    const effectiveDate = localDateAt(momentMs(event.at, this.timeZone), this.timeZone);
    const reversal = { effectiveDate, postedAtMs: atMs, reason: event.reason };
    this.#payments = this.#payments.with(index, { ...payment, reversal });
  }

  #change(promiseId: string, change: (facts: PromiseFacts) => Partial<PromiseFacts>): void {
    const actor = this.#actors.find(({ told }) => told.id === promiseId);
    if (actor !== undefined) actor.facts = { ...actor.facts, ...change(actor.facts) };
  }

  #amend(event: Extract<ScenarioEvent, { type: 'amend' }>, index: number, atMs: EpochMs): void {
    const actor = this.#actors.find(({ told }) => told.id === event.promise);
    const today = this.#dayOf(event);
    const refusals =
      actor === undefined
        ? [unknown(event.promise)]
        : amendRefusals(
            actor.facts,
            actor.life,
            event.parts,
            today,
            arrearsOn(this.#scenario, actor.told.startDate),
          );
    this.replies.push({ atMs, promiseId: event.promise, what: 'amend', refusals, event: index });
    if (actor === undefined || refusals.length > 0) return;
    const first = inOrder(event.parts)[0]?.dueDate ?? today;
    const isDownPayment =
      actor.life.awaitsDownPayment && !paidLines(actor.life).some(({ dueDate }) => dueDate <= first);
    const lines = linesFor(event.parts, termsFor(actor.facts.policy, null), this.#calendar, isDownPayment);
    this.#change(event.promise, ({ amendments }) => ({ amendments: [...amendments, { atMs, lines }] }));
  }

  #cancel(event: Extract<ScenarioEvent, { type: 'cancel' }>, index: number, atMs: EpochMs): void {
    const actor = this.#actors.find(({ told }) => told.id === event.promise);
    const refusal =
      actor === undefined
        ? unknown(event.promise)
        : cancelRefusal(actor.facts, actor.life, this.#dayOf(event));
    const refusals = refusal === null ? [] : [refusal];
    this.replies.push({ atMs, promiseId: event.promise, what: 'cancel', refusals, event: index });
    if (refusal !== null) return;
    const { reason } = event;
    this.#change(event.promise, () => ({ cancellation: { atMs, reason } }));
  }

  #dayOf(event: ScenarioEvent): LocalDate {
    return localDateAt(postedMsOf(event, this.timeZone), this.timeZone);
  }

  #cancelAll(reason: CancelReason, atMs: EpochMs, which: (facts: PromiseFacts) => boolean): void {
    const cancellation: Cancellation = { atMs, reason };
    for (const actor of this.#open()) {
      if (which(actor.facts)) actor.facts = { ...actor.facts, cancellation };
    }
  }
}

/** What a scenario tells of the arrears on a day; null where it tells nothing of them. */
export function arrearsOn({ arrears }: Scenario, today: LocalDate): Cents | null {
  if (arrears === null) return null;
  let latest: { from: LocalDate; cents: Cents } | undefined;
  for (const one of arrears) {
    if (one.from <= today && (latest === undefined || one.from >= latest.from)) latest = one;
  }
  return latest?.cents ?? ZERO;
}

function firstPeriod({ firstDueDate, amountCents }: NonNullable<ScenarioPromise['repeat']>) {
  return { dueDate: firstDueDate, amountCents };
}

function unknown(promiseId: string): Refusal {
  return { limit: 'promise', field: 'promise', value: promiseId, message: 'was never enrolled' };
}

/** R11: what ended promises have counted, by payment. */
function spendsOf(actors: readonly Actor[]): Map<string, Spend[]> {
  const spends = new Map<string, Spend[]>();
  for (const { told, life } of actors) {
    const ever = new Set<string>();
    for (const { atMs, lines } of life.outcomes) {
      const uses = usesOf(lines);
      for (const paymentId of uses.keys()) ever.add(paymentId);
      for (const paymentId of ever) {
        // Nothing, where a later revision did without it.
        const spend = { promiseId: told.id, payor: told.payor, cents: uses.get(paymentId) ?? ZERO, atMs };
        spends.set(paymentId, [...(spends.get(paymentId) ?? []), spend]);
      }
    }
  }
  return spends;
}

// From its enrollment to its end, and again from each reopening to the end after it.
function timesOpen({ told, enrolledAtMs, life }: Actor): RivalPromise[] {
  const begins = [enrolledAtMs, ...life.revisions.map(({ atMs }) => atMs)];
  return begins.map((fromMs, index) => ({
    payor: told.payor,
    fromMs,
    untilMs: life.outcomes.find(({ revision }) => revision === index + 1)?.atMs ?? begins[index + 1] ?? null,
  }));
}
