/**
 * Goal: what must hold of promises that live side by side, under every policy, whatever happens to them.
 * Method: fast-check draws scenarios that aim at the boundaries (test/interpreter/arbitrary.ts), and the rules of production
 * play them; a failure prints the seed and the shrunk scenario. Each property says under which conditions it holds, and why;
 * where it does not hold was found by trying, and is pinned down beside it.
 */
import * as fc from 'fast-check';
import { startOfDayMs, epochMs, type EpochMs, type LocalDate } from '../../src/rules/calendar';
import { evaluate, type Evaluation } from '../../src/rules/decide';
import { type PromiseFacts } from '../../src/rules/facts';
import { isOpen } from '../../src/rules/judging/life';
import { paidLines } from '../../src/rules/limits';
import { cents, sum } from '../../src/rules/money';
import { downPaymentFirst, splitEqually } from '../../src/rules/schedules/schedule';
import { postedMsOf } from '../../src/rules/scenario/moments';
import { World, type Look } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';
import { scenario } from '../interpreter/arbitrary';
import { addDays } from '../interpreter/dates';
import { policyOf } from '../interpreter/policy';
import { type Scenario as Story, type ScenarioEvent } from '../interpreter/scenario';

const DAY_MS = 86_400_000;
const LONG_MS = 250 * DAY_MS;
/** TROTH_STORIES widens the search, as in the differential test. */
const WIDER = Number(process.env['TROTH_STORIES'] ?? 2000) / 2000;
const runs = (numRuns: number) => ({ numRuns: Math.ceil(numRuns * WIDER) });
const aPart = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** A story on its way. */
class Told {
  readonly #world: World;
  /** When anything that the file tells happens, and long after. */
  readonly instants: readonly EpochMs[];
  #atMs = epochMs(0);

  constructor(story: Story) {
    const parsed = parseScenario(story);
    const { timeZone } = parsed.tenant;
    this.#world = new World(parsed);
    const instants = [
      ...parsed.promises.map(({ startDate }) => startOfDayMs(startDate, timeZone)),
      ...parsed.events.map((event) => postedMsOf(event, timeZone)),
    ].sort((a, b) => a - b);
    this.instants = [...instants, epochMs((instants.at(-1) ?? 0) + LONG_MS)];
  }

  get ids(): readonly string[] {
    return this.#world.promiseIds;
  }

  get replies(): World['replies'] {
    return this.#world.replies;
  }

  get endMs(): EpochMs {
    return this.instants.at(-1) ?? epochMs(0);
  }

  to(atMs: EpochMs): this {
    this.#world.advance(atMs);
    this.#atMs = atMs;
    return this;
  }

  look(id: string): Look | undefined {
    return this.#world.look(id, this.#atMs, '2000-01-01' as LocalDate);
  }

  lives(): Map<string, Evaluation> {
    const all = new Map<string, Evaluation>();
    for (const id of this.ids) {
      const look = this.look(id);
      if (look !== undefined) all.set(id, look.life);
    }
    return all;
  }
}

function told(story: Story): Told {
  const all = new Told(story);
  return all.to(all.endMs);
}

/** Compared as text, since toEqual would take most of the time. */
function expectSame(actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
}

/** The first promise of a story, and money only: no bounce, no other promise, nothing that people do. */
function calm(story: Story): Story {
  const [promise] = story.promises;
  const events = (story.events ?? []).filter(({ type }) => type === 'payment');
  return { ...story, promises: promise === undefined ? [] : [promise], events };
}

/** The only promise of a calm story at its end; undefined where it was refused. */
function only(story: Story): (Look & { readonly endMs: EpochMs }) | undefined {
  const all = told(story);
  const look = all.look(story.promises[0]?.id ?? '');
  return look === undefined ? undefined : { ...look, endMs: all.endMs };
}

describe('R11: no cent counts twice', () => {
  /** Of the money of each payment, the promises that ended took no more than there is. `promise-payor-whole` is excepted. */
  test('in the last outcomes of all promises', () => {
    const shared = scenario.filter(({ policy }) => policyOf(policy).payor !== 'promise-payor-whole');
    fc.assert(
      fc.property(shared, (story) => {
        const taken = new Map<string, number>();
        for (const life of told(story).lives().values()) {
          if (isOpen(life)) continue;
          for (const { paymentId, cents: of } of life.lines.flatMap(({ takes }) => takes)) {
            taken.set(paymentId, (taken.get(paymentId) ?? 0) + of);
          }
        }
        for (const { id = '', type, amountCents = 0 } of story.events ?? []) {
          if (type === 'payment') expect(taken.get(id) ?? 0).toBeLessThanOrEqual(amountCents);
        }
      }),
      runs(700),
    );
  });
});

describe('what does not matter', () => {
  /** What asks for an answer at one instant (two cancels, two amendments) is answered in the order of the file. */
  test('the order in which the file lists its events', () => {
    const shuffled = scenario.chain((story) => {
      const events = story.events ?? [];
      const all = { minLength: events.length, maxLength: events.length };
      return fc.tuple(fc.constant(story), fc.shuffledSubarray(events, all));
    });
    fc.assert(
      fc.property(shuffled, ([story, events]) => {
        const { events: parsed, tenant } = parseScenario(story);
        const asking = parsed.filter(({ type }) => type !== 'payment' && type !== 'reversal');
        fc.pre(new Set(asking.map((event) => postedMsOf(event, tenant.timeZone))).size === asking.length);
        expectSame([...told({ ...story, events }).lives()], [...told(story).lives()]);
      }),
      runs(300),
    );
  });

  /**
   * When each payment is posted, as long as it is before the first judge time that may count it: how and why the promise ends
   * is the same. In stories of one promise and money only. Not with `stayCurrent`: money that is there before a bill's judge
   * time completes the promise, and the bill is not asked any more.
   */
  test('when payments arrive, within the posting rules', () => {
    const stories = scenario.map(calm).filter(({ policy }) => policy.stayCurrent !== true);
    const parts = fc.array(aPart, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(stories, parts, parts, (story, some, others) => {
        const look = only(story);
        if (look === undefined) return;
        const { facts, endMs } = look;
        const [one, other] = [some, others].map((when) => evaluate(postedWithin(facts, when), endMs));
        expect([one?.status, one?.reason]).toEqual([other?.status, other?.reason]);
      }),
      runs(500),
    );
  });

  /**
   * When and how often it is asked. What was decided is the beginning of what is decided later, also where another promise
   * has ended since, or money has bounced: the facts of the end, judged at an earlier instant, give the same decisions.
   */
  test('asking', () => {
    fc.assert(
      fc.property(scenario, fc.array(aPart, { maxLength: 6 }), (story, parts) => {
        const end = told(story);
        const asked = new Told(story);
        const [from = 0] = asked.instants;
        const stops = parts.map((part) => epochMs(Math.floor(from + part * (asked.endMs - from))));
        for (const atMs of [...asked.instants, ...stops].sort((a, b) => a - b)) {
          asked.to(atMs);
          for (const [id, { outcomes }] of asked.lives()) {
            const last = end.look(id);
            expectSame(last?.life.outcomes.slice(0, outcomes.length), outcomes);
            if (last !== undefined) expectSame(evaluate(last.facts, atMs).outcomes, outcomes);
          }
        }
        expectSame([...asked.lives()], [...end.lives()]);
      }),
      runs(250),
    );
  });
});

/** Every payment posted between the start and the first judge time that may count it. */
function postedWithin(facts: PromiseFacts, parts: readonly number[]): PromiseFacts {
  const from = startOfDayMs(facts.startDate, facts.timeZone);
  const payments = facts.payments.map((payment, index) => {
    const counting = [...facts.lines, ...facts.bills].filter(
      ({ lastDay }) => lastDay >= payment.effectiveDate,
    );
    const until = Math.min(from + LONG_MS, ...counting.map(({ judgeAtMs }) => judgeAtMs)) - 1;
    const part = parts[index % parts.length] ?? 0;
    return { ...payment, postedAtMs: epochMs(Math.floor(from + part * Math.max(0, until - from))) };
  });
  return { ...facts, payments };
}

/**
 * The statement: a promise that is kept in the end does not break, when there is more money, money comes earlier, or more
 * days of grace are allowed. In stories of one promise and money only, limits and gates included. Why: every judgement
 * compares a sum of money with a fixed amount, and none of these makes the sum at a judge time smaller. `ignore-excess` is no
 * exception for more money: whoever is further along the lines stays so with each payment that follows.
 *
 * Not so with bounces (what is kept sooner meets the harsher rule for a kept promise), with amendments (a line that is
 * paid stays, and the new ones come on top), or with other promises (what is kept sooner leaves its payor free to promise
 * again, and this promise's late evidence unheard).
 */
describe('kept does not turn into broken', () => {
  const calmStory = scenario.map(calm);
  const keptAt = ({ outcomes }: Evaluation): number =>
    outcomes.find(({ status }) => status === 'kept')?.atMs ?? Infinity;

  /** The promise before and after a change, where it is kept before. */
  function changed(story: Story, change: Story | null): readonly [Evaluation, Evaluation] | undefined {
    const before = only(story)?.life;
    if (before?.status !== 'kept' || change === null) return undefined;
    const after = only(change)?.life;
    return after === undefined ? undefined : [before, after];
  }

  const sometime = fc.record({ day: fc.integer({ min: -2, max: 50 }), lag: fc.nat(10) });
  const someCents = fc.constantFrom(1, 40, 50, 99, 100, 101, 200, 1000);

  test('by one more payment; nor is it kept later', () => {
    fc.assert(
      fc.property(calmStory, sometime, someCents, (story, when, more) => {
        const lives = changed(story, withMore(story, when, more));
        if (lives !== undefined) expect(keptAt(lives[1])).toBeLessThanOrEqual(keptAt(lives[0]));
      }),
      runs(600),
    );
  });

  test('by a larger payment; nor is it kept later', () => {
    fc.assert(
      fc.property(calmStory, fc.nat(20), someCents, (story, which, more) => {
        const lives = changed(story, withLarger(story, which, more));
        if (lives !== undefined) expect(keptAt(lives[1])).toBeLessThanOrEqual(keptAt(lives[0]));
      }),
      runs(600),
    );
  });

  /**
   * Received earlier, not before the window. Not with `ignore-excess`, where what comes first decides whose excess is lost;
   * nor on named open items, where it decides for which item the payor's share of a payment of several is used.
   */
  test('by earlier money', () => {
    const stories = calmStory.filter(
      ({ policy, promises }) =>
        policyOf(policy).overpayment !== 'ignore-excess' &&
        !promises.some(({ installments = [] }) =>
          installments.some((line) => line.transaction !== undefined),
        ),
    );
    fc.assert(
      fc.property(stories, fc.nat(20), fc.nat(12), (story, which, days) => {
        const lives = changed(story, withEarlier(story, which, days));
        if (lives !== undefined) expect(lives[1].status).not.toBe('broken');
      }),
      runs(500),
    );
  });

  /**
   * Not with `stayCurrent` and grace in business days: two deadlines may fall together on a Monday, and the bill is judged
   * with the last line instead of after the promise has ended.
   */
  test('by more days of grace', () => {
    const stories = calmStory.filter(
      ({ policy }) => policy.stayCurrent !== true || policy.graceUnit !== 'business',
    );
    fc.assert(
      fc.property(stories, fc.integer({ min: 1, max: 12 }), (story, days) => {
        const graceDays = policyOf(story.policy).graceDays + days;
        const lives = changed(story, { ...story, policy: { ...story.policy, graceDays } });
        if (lives !== undefined) expect(lives[1].status).not.toBe('broken');
      }),
      runs(500),
    );
  });

  const base = { id: 'X', title: '', source: '' };
  const line = (dueDate: string, amountCents: number, transaction?: string) =>
    transaction === undefined ? { dueDate, amountCents } : { dueDate, amountCents, transaction };
  const paid = (
    id: string,
    at: string,
    amountCents: number,
    more: Partial<ScenarioEvent> = {},
  ): ScenarioEvent => ({
    ...{ at, type: 'payment', id, amountCents },
    ...more,
  });
  const half = [
    { payor: 'self', amountCents: 50 },
    { payor: 'agency', amountCents: 50 },
  ];
  const split = { applied: { A: 60, B: 40 }, tenders: half };
  const COUNTEREXAMPLES: readonly (readonly [string, Story, Partial<Story>])[] = [
    [
      'earlier money, ignore-excess: the second payment of 50 now comes before that of 100, whose half is lost',
      {
        ...base,
        policy: { preset: 'default', overpayment: 'ignore-excess' },
        promises: [
          {
            id: 'P',
            startDate: '2025-01-06',
            installments: [line('2025-01-08', 100), line('2025-01-08', 100)],
          },
        ],
        events: [paid('a', '2025-01-07', 100), paid('b', '2025-01-08', 50), paid('c', '2025-01-08', 50)],
      },
      { events: [paid('a', '2025-01-07', 100), paid('b', '2025-01-06', 50), paid('c', '2025-01-08', 50)] },
    ],
    [
      'earlier money, named open items: the share of 50 is used for A before A is paid otherwise',
      {
        ...base,
        policy: { preset: 'default', payor: 'promise-payor' },
        promises: [
          {
            id: 'P',
            startDate: '2025-01-06',
            installments: [line('2025-01-08', 60, 'A'), line('2025-01-08', 40, 'B')],
          },
        ],
        events: [paid('a', '2025-01-07', 60, { applied: { A: 60 } }), paid('b', '2025-01-08', 100, split)],
      },
      { events: [paid('a', '2025-01-07', 60, { applied: { A: 60 } }), paid('b', '2025-01-06', 100, split)] },
    ],
    [
      'more grace, business days and stayCurrent: line and bill are judged together on Monday, and the bill is unpaid',
      {
        ...base,
        policy: {
          preset: 'default',
          graceDays: 0,
          graceUnit: 'business',
          toleranceCents: 10,
          stayCurrent: true,
        },
        transactions: [{ id: 'BILL', amountCents: 50, issued: '2025-01-07', dueDate: '2025-01-11' }],
        promises: [{ id: 'P', startDate: '2025-01-06', installments: [line('2025-01-10', 100)] }],
        events: [paid('a', '2025-01-08', 95)],
      },
      {
        policy: {
          preset: 'default',
          graceDays: 1,
          graceUnit: 'business',
          toleranceCents: 10,
          stayCurrent: true,
        },
      },
    ],
  ];
  test.each(COUNTEREXAMPLES)('but: %s', (_, story, change) => {
    expect([only(story), only({ ...story, ...change })].map((look) => look?.life.status)).toEqual([
      'kept',
      'broken',
    ]);
  });
});

/** The payor's payment like another one of the story, of an amount of its own. */
function withMore(story: Story, { day, lag }: { day: number; lag: number }, amountCents: number): Story {
  const [promise] = story.promises;
  const [like] = story.events ?? [];
  const at = addDays(promise?.startDate ?? '', day);
  const [item] = Object.keys(like?.applied ?? {});
  const more: ScenarioEvent = {
    ...{ at, type: 'payment', id: 'extra', amountCents },
    ...(lag > 0 ? { postedAt: `${addDays(at, lag)}T08:00` } : {}),
    ...(promise?.payor === undefined ? {} : { payor: promise.payor }),
    ...(item === undefined ? {} : { applied: { [item]: amountCents } }),
  };
  return { ...story, events: [...(story.events ?? []), more] };
}

function withLarger(story: Story, which: number, more: number): Story | null {
  const events = [...(story.events ?? [])];
  const index = which % Math.max(1, events.length);
  const event = events[index];
  if (event === undefined || event.tenders !== undefined) return null;
  const [item] = Object.keys(event.applied ?? {});
  const applied =
    item === undefined ? {} : { applied: { ...event.applied, [item]: (event.applied?.[item] ?? 0) + more } };
  events[index] = { ...event, amountCents: (event.amountCents ?? 0) + more, ...applied };
  return { ...story, events };
}

/** Received some days earlier, but in the window, and known when it was or at once. */
function withEarlier(story: Story, which: number, days: number): Story | null {
  const events = [...(story.events ?? [])];
  const index = which % Math.max(1, events.length);
  const event = events[index];
  const startDate = story.promises[0]?.startDate ?? '';
  const first = policyOf(story.policy).windowStart === 'exclusive' ? addDays(startDate, 1) : startDate;
  if (event === undefined || event.at.slice(0, 10) < first) return null;
  const wanted = addDays(event.at.slice(0, 10), -days);
  const at = `${wanted < first ? first : wanted}${event.at.slice(10)}`;
  const postedAt = event.postedAt ?? event.at;
  events[index] = { ...event, at, postedAt: days % 2 === 0 || postedAt < at ? postedAt : at };
  return { ...story, events };
}

describe('what is decided stays', () => {
  test('kept is undone only by a reversal (R19), broken only by late evidence (R15), cancelled by nothing', () => {
    const cause = { kept: 'reversal', broken: 'late_evidence', cancelled: undefined };
    fc.assert(
      fc.property(scenario, (story) => {
        for (const { status, reason, revision, revisions, outcomes } of told(story).lives().values()) {
          expect(revisions.map((one) => one.revision)).toEqual(revisions.map((_, index) => index + 2));
          expect(revision).toBe(revisions.length + 1);
          for (const outcome of outcomes) {
            const next = revisions.find((one) => one.revision === outcome.revision + 1);
            if (next !== undefined)
              expect([outcome.status, next.cause]).toEqual([outcome.status, cause[outcome.status]]);
            else expect([status, reason]).toEqual([outcome.status, outcome.reason]);
          }
          const times = outcomes.map(({ atMs }) => atMs);
          expect(times).toEqual([...times].sort((a, b) => a - b));
        }
      }),
      runs(700),
    );
  });

  /** R18: also where the amendment completes the promise, or a roll puts a new deadline before it. */
  test('an amendment changes nothing that was judged, and no line that was paid', () => {
    const amended = scenario.filter(({ events = [] }) => events.some(({ type }) => type === 'amend'));
    fc.assert(
      fc.property(amended, (story) => {
        for (const { atMs, promiseId, refusals } of told(story).replies.filter(
          ({ what }) => what === 'amend',
        )) {
          const all = new Told(story).to(epochMs(atMs - 1));
          const before = all.look(promiseId)?.life;
          const after = all.to(atMs).look(promiseId)?.life;
          if (before === undefined || after === undefined || refusals.length > 0) continue;
          expectSame(after.outcomes.slice(0, before.outcomes.length), before.outcomes);
          if (isBusy(story, atMs)) continue;
          for (const line of paidLines(before)) {
            const there = after.lines
              .map((now) => now.line)
              .filter(({ dueDate, lastDay }) => dueDate === line.dueDate && lastDay === line.lastDay);
            expect(there.map(({ amountCents }) => amountCents)).toContain(line.amountCents);
          }
          const kept = before.lines.filter(
            ({ line, countedCents, status }) => status === 'kept' && countedCents === line.amountCents,
          );
          expect(after.lines.filter(({ status }) => status === 'kept').length).toBeGreaterThanOrEqual(
            kept.length,
          );
        }
      }),
      runs(150),
    );
  });
});

/** Whether money or a person does something else at the same instant. */
function isBusy(story: Story, atMs: EpochMs): boolean {
  const { events, tenant } = parseScenario(story);
  return events.filter((event) => postedMsOf(event, tenant.timeZone) === atMs).length > 1;
}

describe('R2: every schedule sums exactly', () => {
  const remainder = fc.constantFrom('last', 'first', 'spread' as const);

  test('with a down payment or without, wherever the odd cents go', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.nat(10 ** 9),
        fc.nat(10 ** 6),
        remainder,
        (n, more, down, odd) => {
          const total = cents(n + more);
          const parts = splitEqually(total, n, odd);
          expect(sum(parts)).toBe(total);
          expect(Math.max(...parts) - Math.min(...parts)).toBeLessThan(odd === 'spread' ? 2 : n);
          const whole = cents(total + down + 1);
          const [first, ...rest] = downPaymentFirst(whole, cents(down + 1), n, odd);
          expect([first, sum(rest)]).toEqual([down + 1, total]);
        },
      ),
      runs(1000),
    );
  });

  test('R22: the periods of a counted promise', () => {
    const counted = scenario.filter(({ promises }) =>
      promises.some(({ repeat }) => repeat?.count !== undefined),
    );
    fc.assert(
      fc.property(counted, (story) => {
        const lives = told({ ...story, events: [] }).lives();
        for (const { id, repeat } of story.promises) {
          if (repeat?.count === undefined || repeat.until !== undefined) continue;
          const lines = lives.get(id)?.lines;
          if (lines === undefined) continue;
          expect(sum(lines.map(({ line }) => line.amountCents))).toBe(repeat.count * repeat.amountCents);
        }
      }),
      runs(150),
    );
  });
});
