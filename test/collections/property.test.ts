/**
 * Goal: whatever happens to an account – promises of several payors, payments, bounces, holds, new debt – its collections never
 * touch promised money, never forget a broken promise, and say to the cent what may be collected.
 * Method: seeded stories told to a real ledger day by day, its promises settled, its outcomes received and its case acted on as a
 * worker would. Beside it an independent model: the debt reckoned here from the story, and the promises by the interpreter that was
 * written from the rule book alone. TROTH_STORIES and TROTH_SEED widen the search.
 */
import { actOnCase } from '../../src/collections/act';
import { placeHold } from '../../src/collections/holds';
import { shieldOf } from '../../src/collections/shield';
import { enroll } from '../../src/enrollment/enroll';
import { receiveOutcomes } from '../../src/ledger/collections/cases';
import { rows } from '../../src/ledger/connection';
import { recordDebt } from '../../src/ledger/collections/debts';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { addPolicyVersion } from '../../src/ledger/policies';
import { addDays, daysBetween, epochMs, localDate, type LocalDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { PRESETS } from '../../src/rules/presets';
import { Place, TIME_ZONE } from '../cis/place';
import { interpret, type Played } from '../interpreter/interpret';
import type { ScenarioEvent } from '../interpreter/scenario';
import { dice, local, moveTo, settleDue } from '../ledger/lively';
import { CasePlace } from './case-place';

const STORIES = Number(process.env['TROTH_STORIES'] ?? 16);
const SEED = Number(process.env['TROTH_SEED'] ?? 1);
const FIRST = localDate('2026-01-05');
const DAYS = 70;
const THRESHOLD = 500;
const MIN_CENTS = 1500;
const MIN_AGE = 5;

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

interface Part {
  readonly dueDate: LocalDate;
  readonly cents: number;
}

interface Story {
  readonly shield: 'net-amount' | 'pause-all' | 'none';
  readonly shieldCap: 'promise-remaining' | 'none';
  readonly resume: 'restart' | 'continue' | 'closest';
  readonly reversalAfterKept: 'stay-kept' | 'reopen';
  readonly debt: readonly Part[];
  readonly promises: readonly {
    id: string;
    payor: string;
    startDate: LocalDate;
    installments: { dueDate: LocalDate; amountCents: number }[];
  }[];
  readonly payments: readonly {
    id: string;
    day: LocalDate;
    payor: string;
    amountCents: number;
    bounces: LocalDate | null;
  }[];
  readonly holds: readonly { id: string; from: LocalDate; until: LocalDate }[];
}

function storyOf(seed: number): Story {
  const roll = dice(seed);
  const upTo = (most: number): number => Math.floor(roll() * (most + 1));
  const pick = <T>(...values: readonly T[]): T => values[upTo(values.length - 1)] as T;
  const debt = Array.from({ length: 1 + upTo(3) }, () => ({
    dueDate: addDays(FIRST, upTo(50) - 25),
    cents: 1000 * (1 + upTo(6)),
  })).sort((a, b) => (a.dueDate < b.dueDate ? -1 : 1));
  const promises = Array.from({ length: upTo(3) }, (_, index) => {
    const startDate = addDays(FIRST, upTo(25) + 20 * (index % 2));
    const installments = Array.from({ length: 1 + upTo(2) }, (__, line) => ({
      dueDate: addDays(startDate, 4 + upTo(5) + line * 9),
      amountCents: 500 * (1 + upTo(8)),
    }));
    return { id: `P${index + 1}`, payor: pick('self', 'self', 'church'), startDate, installments };
  }).sort((a, b) => (a.startDate < b.startDate ? -1 : 1));
  const payments = Array.from({ length: upTo(7) }, (_, index) => {
    const day = addDays(FIRST, 1 + upTo(DAYS - 12));
    const bounces = roll() < 0.25 ? addDays(day, 1 + upTo(9)) : null;
    const amountCents = 500 * (1 + upTo(10));
    return { id: `M${index + 1}`, day, payor: pick('self', 'self', 'church'), amountCents, bounces };
  });
  const holds = Array.from({ length: upTo(2) }, (_, index) => {
    const from = addDays(FIRST, 3 + upTo(50));
    return { id: `H${index + 1}`, from, until: addDays(from, upTo(12)) };
  });
  return {
    shield: pick('net-amount', 'net-amount', 'net-amount', 'pause-all', 'none'),
    shieldCap: pick('promise-remaining', 'promise-remaining', 'none'),
    resume: pick('restart', 'continue', 'closest'),
    reversalAfterKept: pick('stay-kept', 'reopen'),
    ...{ debt, promises, payments, holds },
  };
}

/** What is owed on a day, reckoned from the whole story: money that came and stayed pays the oldest first. */
function owedOn({ debt, payments }: Story, day: LocalDate): Part[] {
  let paid = payments
    .filter((payment) => payment.day <= day && (payment.bounces === null || payment.bounces > day))
    .reduce((total, { amountCents }) => total + amountCents, 0);
  return debt.flatMap((part) => {
    const less = Math.min(part.cents, paid);
    paid -= less;
    return less === part.cents ? [] : [{ ...part, cents: part.cents - less }];
  });
}

/** What is past due on a day, in cents. */
function arrearsOn(story: Story, day: LocalDate): number {
  return owedOn(story, day)
    .filter(({ dueDate }) => dueDate < day)
    .reduce((total, part) => total + part.cents, 0);
}

function days(): LocalDate[] {
  return Array.from({ length: DAYS }, (_, index) => addDays(FIRST, index));
}

/** The story as the interpreter takes it, which is told the arrears of every day. */
function played(story: Story): Played {
  const events: ScenarioEvent[] = [
    ...story.payments.map(({ id, day, payor, amountCents }) => ({
      ...{ type: 'payment' as const, id, at: `${day}T10:00`, amountCents, payor },
    })),
    ...story.payments.flatMap(({ id, bounces }) =>
      bounces === null
        ? []
        : [{ type: 'reversal' as const, payment: id, at: `${bounces}T10:30`, reason: 'nsf' as const }],
    ),
  ];
  return interpret({
    ...{ id: 'collections', title: 'An account', source: 'generated' },
    tenant: { timeZone: TIME_ZONE },
    policy: {
      preset: 'default',
      ...{ shield: story.shield, shieldCap: story.shieldCap, reversalAfterKept: story.reversalAfterKept },
    },
    arrears: days().map((day) => ({ from: day, cents: arrearsOn(story, day) })),
    promises: story.promises.map((promise) => ({ ...promise })),
    events,
  });
}

class Telling {
  readonly #at: CasePlace;
  readonly #story: Story;
  readonly #played: Played;
  readonly #key: { tenantId: string; accountId: string; debtClass: string };
  /** Step days whose model is checked. */
  #checked = 0;

  constructor(at: CasePlace, story: Story) {
    this.#at = at;
    this.#story = story;
    this.#played = played(story);
    this.#key = { tenantId: at.tenantId, accountId: 'A', debtClass: 'water' };
  }

  async tell(): Promise<void> {
    const { ledger } = place;
    const { tenantId } = this.#at;
    const { shield, shieldCap, reversalAfterKept } = this.#story;
    const options = { ...PRESETS.default, shield, shieldCap, reversalAfterKept };
    await ledger.forTenant(tenantId, (tx) =>
      addPolicyVersion(tx, tenantId, { name: 'story', options, actor: 'test', atMs: epochMs(0) }),
    );
    await this.#at.account('A');
    for (const day of days()) await this.#day(day);
    await this.#notForgotten(days().at(-1) as LocalDate);
  }

  async #day(day: LocalDate): Promise<void> {
    const { ledger } = place;
    const { tenantId } = this.#at;
    await moveTo(ledger, tenantId, `${day} 09:00`);
    if (day === FIRST) await this.#state(day, '08:59');
    for (const { startDate, ...promise } of this.#story.promises.filter((one) => one.startDate === day)) {
      const input = {
        tenantId,
        ...promise,
        promiseId: promise.id,
        accountId: 'A',
        debtClass: 'water',
        policy: 'story',
      };
      const answer = await enroll(ledger, { ...without(input, 'id'), startDate }, { actor: 'test' });
      const refused = this.#played.refusals.get(promise.id) ?? null;
      expect([day, promise.id, answer.result]).toEqual([
        day,
        promise.id,
        refused === null ? 'enrolled' : 'refused',
      ]);
    }
    for (const { id, from, until } of this.#story.holds.filter((one) => one.from === day)) {
      const hold = {
        holdId: id,
        accountId: 'A',
        debtClass: null,
        kind: 'dispute' as const,
        until,
        reason: 'test',
      };
      await placeHold(ledger, tenantId, { ...hold, from }, { actor: 'test' });
    }
    await moveTo(ledger, tenantId, `${day} 12:30`);
    await this.#money(day);
    await this.#work();
    await this.#check(day);
  }

  // What the CIS says is owed: on Mondays and whenever money goes back; between them the ledger reckons by itself.
  async #state(day: LocalDate, time: string): Promise<void> {
    await recordDebt(place.ledger, this.#at.tenantId, {
      ...{ accountId: 'A', debtClass: 'water', asOfMs: local(`${day} ${time}`) },
      parts: owedOn(this.#story, day).map((part) => ({ ...part, cents: cents(part.cents) })),
    });
  }

  async #money(day: LocalDate): Promise<void> {
    const { ledger } = place;
    const { tenantId } = this.#at;
    for (const { id, payor, amountCents } of this.#story.payments.filter((one) => one.day === day)) {
      await postPayment(ledger, tenantId, {
        ...{
          paymentId: id,
          accountId: 'A',
          debtClass: 'water',
          currency: 'USD',
          amountCents: cents(amountCents),
        },
        ...{ receivedAtMs: local(`${day} 10:00`), postedAtMs: local(`${day} 10:00`) },
        tenders: [{ payor, tenderType: 'check', amountCents: cents(amountCents) }],
      });
    }
    const back = this.#story.payments.filter(({ bounces }) => bounces === day);
    for (const { id } of back) {
      await postReversal(ledger, tenantId, {
        ...{ paymentId: id, effectiveDate: day, reason: 'nsf', postedAtMs: local(`${day} 10:30`) },
      });
    }
    if (back.length > 0 || daysBetween(FIRST, day) % 7 === 0) await this.#state(day, '12:29');
  }

  /** What a worker does: settles, tells the case, acts. */
  async #work(): Promise<void> {
    const { ledger } = place;
    const { tenantId } = this.#at;
    await settleDue(ledger, tenantId, await this.#at.now());
    await actOnCase(ledger, this.#key, Date.now());
    const told = await ledger.forTenant(tenantId, (tx) =>
      rows<{ outboxId: number; payload: Parameters<typeof receiveOutcomes>[3][number] }>(
        tx,
        `update outbox set delivered_at = now() where tenant_id = :tenantId and delivered_at is null
            and kind in ('outcome', 'notice', 'activated') returning outbox_id as "outboxId", payload`,
        { tenantId },
      ),
    );
    for (const { payload } of told.sort((a, b) => a.outboxId - b.outboxId)) {
      await ledger.forTenant(tenantId, (tx) => receiveOutcomes(tx, this.#key, 'w', [payload]));
    }
    await actOnCase(ledger, this.#key, Date.now());
  }

  async #check(day: LocalDate): Promise<void> {
    const { ledger } = place;
    const { tenantId } = this.#at;
    const answers = this.#answers(day);
    const arrears = arrearsOn(this.#story, day);
    const model = answers[0]?.collectibleCents ?? arrears;
    const [said] = await shieldOf(ledger, tenantId, 'A', 'water');
    expect([day, said?.arrearsCents, said?.collectibleCents]).toEqual([day, arrears, model]);
    expect(model).toBeGreaterThanOrEqual(0);
    // With the cap no promise shields more than what is still owed on it; without, none more than was promised.
    const isCapped = this.#story.shieldCap === 'promise-remaining';
    const most = answers
      .filter(({ status }) => status === 'active')
      .flatMap(({ unpaidCents, installments }) => [
        unpaidCents,
        ...(isCapped ? [] : installments.map(({ countedCents }) => countedCents)),
      ])
      .reduce((sum, amount) => sum + amount, 0);
    for (const { cents: shielded, by } of said?.promises ?? []) {
      if (by === 'net-amount') expect(shielded ?? 0).toBeLessThanOrEqual(most);
    }
    const done = await ledger.forTenant(tenantId, (tx) =>
      rows<{ stepId: string; collectible: number }>(
        tx,
        `select step_id as "stepId", collectible_cents as collectible from collections_step where done_on = :day`,
        { day },
      ),
    );
    expect(done.length).toBeLessThanOrEqual(1);
    for (const { stepId, collectible } of done) {
      this.#checked += 1;
      expect([day, stepId, collectible]).toEqual([day, stepId, model]);
      expect(model).toBeGreaterThan(THRESHOLD);
      expect(this.#isHeld(day)).toBe(false);
      expect(this.#story.shield === 'pause-all' && answers.some(({ status }) => status === 'active')).toBe(
        false,
      );
    }
  }

  /** Every broken promise has reached the case once; and its debt, where it may be collected, is being collected. */
  async #notForgotten(day: LocalDate): Promise<void> {
    const { ledger } = place;
    const ids = this.#story.promises.map(({ id }) => id);
    const outcomes = ids.flatMap((id) =>
      (this.#played.answer(`${day}T12:30`, id)?.outcomes ?? []).map(
        ({ revision, status }) => `${id}/${revision}/${status}`,
      ),
    );
    const heard = await ledger.forTenant(this.#at.tenantId, (tx) =>
      rows<{ id: string }>(
        tx,
        `select outcome_id as id from collections_outcome where kind in ('kept', 'broken', 'cancelled') order by outcome_id`,
        {},
      ),
    );
    expect(heard.map(({ id }) => id)).toEqual(outcomes.sort());
    const collectible = this.#answers(day)[0]?.collectibleCents ?? arrearsOn(this.#story, day);
    const aged = owedOn(this.#story, day)
      .filter(({ dueDate }) => daysBetween(dueDate, day) >= MIN_AGE)
      .reduce((total, part) => total + part.cents, 0);
    // However the shield lies on the parts: so much of what is old enough is certainly not shielded.
    const certain = Math.min(collectible, aged - (arrearsOn(this.#story, day) - collectible));
    if (certain < MIN_CENTS || collectible <= THRESHOLD || this.#isHeld(day)) return;
    const [run] = await ledger.forTenant(this.#at.tenantId, (tx) =>
      rows<{ status: string }>(tx, 'select status from collections_run order by run_no desc limit 1', {}),
    );
    expect(['running', 'completed']).toContain(run?.status);
  }

  #answers(day: LocalDate) {
    return this.#story.promises.flatMap(({ id }) => this.#played.answer(`${day}T12:30`, id) ?? []);
  }

  #isHeld(day: LocalDate): boolean {
    return this.#story.holds.some(({ from, until }) => from <= day && day <= until);
  }

  get checked(): number {
    return this.#checked;
  }
}

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

test('stories of accounts', async () => {
  let steps = 0;
  for (let index = 0; index < STORIES; index += 1) {
    const seed = SEED * 1000 + index;
    const story = storyOf(seed);
    try {
      const at = await CasePlace.make(place, `s-${seed}`, `${FIRST} 08:00`, {
        ...{ cancelThresholdCents: THRESHOLD, resume: story.resume },
        entry: [{ minCents: MIN_CENTS, minAgeDays: MIN_AGE }],
        steps: [
          { id: 'reminder', kind: 'reminder', day: 0 },
          { id: 'notice', kind: 'notice', day: 7 },
          { id: 'call', kind: 'call', day: 12, businessDays: false },
          { id: 'visit', kind: 'field-visit', day: 20, notice: { step: 'notice', days: 10 } },
        ],
      });
      const telling = new Telling(at, story);
      await telling.tell();
      steps += telling.checked;
    } catch (error) {
      throw new Error(`seed ${seed}: ${JSON.stringify(story)}`, { cause: error });
    }
  }
  expect(steps).toBeGreaterThan(STORIES);
}, 600_000);
