/**
 * Goal: what must hold of every promise, whatever happens to it.
 * Method: fast-check draws schedules, dates and seeds of stories (test/oracle/random-story.ts, which aims at the
 * boundaries); a failure prints the seed.
 */
import fc from 'fast-check';
import {
  businessCalendar,
  cents,
  daysBetween,
  DEFAULT_POLICY_OPTIONS,
  deadlineOf,
  dueDates,
  epochMs,
  evaluate,
  localDate,
  MAX_INSTALLMENTS,
  Purse,
  splitEqually,
  startOfDayMs,
  sum,
  type EpochMs,
  type Evaluation,
  type PromiseFacts,
} from '../../src/rules';
import { endOfDay, plusDays, startOfDay } from '../oracle/local-time';
import { randomStory } from '../oracle/oracle';
import { factsOf, payment, spent as spentBefore, unjudged } from './build';

const DAY_MS = 86_400_000;
const LONG_AFTER = epochMs(Date.parse('2030-01-01'));
const aStory = fc.nat(10_000_000).map((seed) => factsOf(randomStory(seed)));
const aPartOfTheWay = fc.double({ min: 0, max: 1, noNaN: true });
const runs = (numRuns: number) => ({ numRuns });

/** An instant of a story, from its first happening to 30 days after its last. */
function instantOf(facts: PromiseFacts, part: number): EpochMs {
  const instants = [
    startOfDayMs(facts.startDate, facts.timeZone),
    ...facts.lines.map((line) => line.judgeAtMs),
    ...facts.payments.flatMap((p) => [p.postedAtMs, ...(p.reversal === null ? [] : [p.reversal.postedAtMs])]),
  ];
  const from = Math.min(...instants);
  return epochMs(Math.round(from + part * (Math.max(...instants) + 30 * DAY_MS - from)));
}

/** What became of a promise, without saying which payment paid which line. */
function fateOf({ status, reason, revision, outcomes, unpaidCents, nextJudgeAtMs }: Evaluation): object {
  const decisions = outcomes.map(({ lines, atMs, status: ended, reason: why, forgivenCents }) => ({
    ...{ ended, why, atMs, forgivenCents },
    lines: lines.map(({ line, status: of, countedCents }) => [line.seq, of, countedCents]),
  }));
  return { status, reason, revision, decisions, unpaidCents, nextJudgeAtMs };
}

describe('money is never created or lost', () => {
  test('R2: the parts of a split are positive and sum to the total', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: MAX_INSTALLMENTS }),
        fc.integer({ min: 0, max: 10 ** 12 }),
        (n, more) => {
          const total = cents(n + more);
          const parts = splitEqually(total, n);
          expect(sum(parts)).toBe(total);
          expect(parts).toHaveLength(n);
          expect(Math.min(...parts)).toBeGreaterThan(0);
        },
      ),
      runs(500),
    );
  });

  test('every known cent of every payment was either taken by one line or not counted for one reason', () => {
    fc.assert(
      fc.property(aStory, aPartOfTheWay, fc.integer({ min: 0, max: 9000 }), (story, part, spent) => {
        const atMs = instantOf(story, part);
        const payments = [...story.payments]
          .sort((a, b) => (a.effectiveDate + a.paymentId < b.effectiveDate + b.paymentId ? -1 : 1))
          .map((p, i) => (i === 0 ? { ...p, spent: spentBefore(Math.min(spent, p.amountCents)) } : p));
        const facts = { ...story, payments };
        const { lines, notCounted } = new Purse(facts).count(unjudged(facts), {
          atMs,
          inclusive: true,
          hearing: null,
          lastDay: facts.lines[0]?.lastDay ?? null,
        });
        const cash = [...lines.flatMap(({ takes }) => takes), ...notCounted];
        for (const { paymentId, amountCents, postedAtMs } of payments) {
          const mine = cash.filter((each) => each.paymentId === paymentId).map((each) => each.cents);
          expect([paymentId, sum(mine)]).toEqual([paymentId, postedAtMs <= atMs ? amountCents : 0]);
          expect(Math.min(1, ...mine)).toBe(1);
        }
        for (const { line, countedCents, takes } of lines) {
          expect(countedCents).toBe(sum(takes.map((take) => take.cents)));
          expect(countedCents).toBeLessThanOrEqual(line.amountCents);
        }
      }),
      runs(700),
    );
  });
});

describe('what does not matter', () => {
  test('the order of the payments in their files, and within a day', () => {
    fc.assert(
      fc.property(aStory, aPartOfTheWay, (facts, part) => {
        const asOf = instantOf(facts, part);
        const answer = evaluate(facts, asOf);
        expect(evaluate({ ...facts, payments: facts.payments.toReversed() }, asOf)).toEqual(answer);
        // Payments of one day are counted by id: other ids, another order within the day, the same fate.
        const renamed = facts.payments.map((p, index) => ({ ...p, paymentId: String(99 - index) }));
        expect(fateOf(evaluate({ ...facts, payments: renamed }, asOf))).toEqual(fateOf(answer));
      }),
      runs(700),
    );
  });

  test('when and how often it was asked: what was decided stays the beginning of what is decided later', () => {
    fc.assert(
      fc.property(aStory, aPartOfTheWay, aPartOfTheWay, (facts, a, b) => {
        const early = instantOf(facts, Math.min(a, b));
        const late = instantOf(facts, Math.max(a, b));
        const then = evaluate(facts, early);
        expect(evaluate(facts, late).outcomes.slice(0, then.outcomes.length)).toEqual(then.outcomes);
        // Nor does it matter what the future holds: facts posted later are as good as not there.
        const payments = facts.payments
          .filter((p) => p.postedAtMs <= early)
          .map((p) => (p.reversal !== null && p.reversal.postedAtMs > early ? { ...p, reversal: null } : p));
        expect(evaluate({ ...facts, payments }, early)).toEqual(then);
      }),
      runs(700),
    );
  });
});

describe('no verdict comes too soon', () => {
  test('none before its judge time, none before what it rests on was posted, revisions and times in order', () => {
    fc.assert(
      fc.property(aStory, (facts) => {
        const { outcomes, revision } = evaluate(facts, LONG_AFTER);
        expect(outcomes.map((o) => o.revision)).toEqual(outcomes.map((_, index) => index + 1));
        expect(outcomes.at(-1)?.revision).toBe(revision);
        let before = 0;
        for (const { status, reason, atMs, lines, notCounted } of outcomes) {
          expect(atMs).toBeGreaterThanOrEqual(before);
          before = atMs;
          const used = new Set(
            [...lines.flatMap(({ takes }) => takes), ...notCounted].map((of) => of.paymentId),
          );
          for (const p of facts.payments.filter(({ paymentId }) => used.has(paymentId))) {
            expect(p.postedAtMs).toBeLessThanOrEqual(atMs);
          }
          const missed = lines.filter((line) => line.status === 'broken');
          if (status === 'broken') expect(missed.length).toBeGreaterThan(0);
          if (reason !== 'reversal') {
            for (const { line } of missed) expect(line.judgeAtMs).toBeLessThanOrEqual(atMs);
          }
          if (reason === 'paid_within_tolerance') {
            expect(Math.max(...lines.map(({ line }) => line.judgeAtMs))).toBeLessThanOrEqual(atMs);
          }
        }
      }),
      runs(1500),
    );
  });
});

/**
 * The statement: without reversals and cancels, a kept promise is still kept, and no later, when one more payment is
 * added or one is larger, whenever it was received or posted. Why: every decision compares a sum of money in a window
 * with a fixed amount; one more payment makes no such sum smaller, so each judge time that passed still passes and the
 * whole amount is there no later. Late evidence only adds to those sums.
 * With reversals it is false: more money can keep a promise early, and what bounces after that meets the harsher rule
 * for a kept one (`reversalAfterKept: break`).
 */
describe('more money never turns kept into broken', () => {
  const calm = aStory.map((facts) => ({
    ...facts,
    cancellation: null,
    payments: facts.payments.map((p) => ({ ...p, reversal: null })),
  }));
  const keptAt = (facts: PromiseFacts): number =>
    evaluate(facts, LONG_AFTER).outcomes.find(({ status }) => status === 'kept')?.atMs ?? Infinity;

  test('one more payment', () => {
    const amount = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(
        calm,
        amount,
        fc.integer({ min: -3, max: 60 }),
        fc.integer({ min: 0, max: 20 }),
        (facts, more, day, lag) => {
          const effectiveDate = localDate(plusDays(facts.startDate, day));
          const postedAtMs = epochMs(startOfDayMs(effectiveDate, facts.timeZone) + lag * 8 * 3_600_000);
          const extra = payment('extra', effectiveDate, more, { postedAtMs });
          expect(keptAt({ ...facts, payments: [...facts.payments, extra] })).toBeLessThanOrEqual(
            keptAt(facts),
          );
        },
      ),
      runs(1500),
    );
  });

  test('a larger payment', () => {
    fc.assert(
      fc.property(calm, fc.nat(10), fc.integer({ min: 1, max: 20_000 }), (facts, which, more) => {
        const payments = facts.payments.map((p, index) =>
          index === which % facts.payments.length
            ? payment(p.paymentId, p.effectiveDate, p.amountCents + more, { postedAtMs: p.postedAtMs })
            : p,
        );
        expect(keptAt({ ...facts, payments })).toBeLessThanOrEqual(keptAt(facts));
      }),
      runs(1000),
    );
  });
});

describe('dates', () => {
  const aDate = fc.integer({ min: 0, max: 4000 }).map((days) => plusDays('2016-01-01', days));
  // Clock-change nights, those that skip midnight among them.
  const NIGHTS: readonly (readonly [zone: string, ...nights: string[]])[] = [
    ['America/New_York', '2026-03-08', '2026-11-01'],
    ['Australia/Lord_Howe', '2025-10-05', '2026-04-05'],
    ['America/Sao_Paulo', '2017-10-15', '2018-02-18', '2018-11-04'],
    ['Africa/Cairo', '2024-04-26', '2024-11-01', '2025-04-25', '2025-10-31'],
    ['Asia/Beirut', '2025-10-26', '2026-03-29'],
  ];

  test('R4, R5: deadlines equal those of an independent computation, over clock-change nights in five zones', () => {
    const aNight = fc.constantFrom(...NIGHTS).chain(([zone, ...nights]) =>
      fc.tuple(
        fc.constant(zone),
        fc.oneof(
          fc
            .tuple(fc.constantFrom(...nights), fc.integer({ min: -9, max: 3 }))
            .map(([d, by]) => plusDays(d, by)),
          aDate,
        ),
      ),
    );
    fc.assert(
      fc.property(aNight, fc.nat(7), fc.constantFrom(0, 1, 6, 12, 36), ([zone, due], graceDays, lag) => {
        const lastDay = plusDays(due, graceDays);
        const deadlineMs = endOfDay(zone, lastDay);
        expect(
          deadlineOf(
            localDate(due),
            { ...DEFAULT_POLICY_OPTIONS, graceDays, postingLagHours: lag },
            businessCalendar(zone),
          ),
        ).toEqual({
          lastDay,
          deadlineMs,
          judgeAtMs: deadlineMs + lag * 3_600_000,
        });
        expect(startOfDayMs(localDate(due), zone)).toBe(startOfDay(zone, due));
      }),
      runs(600),
    );
  });

  test('R3: due dates rise, keep their distance, and never leave the month they belong to', () => {
    const aFrequency = fc.constantFrom('weekly', 'two-weeks', 'half-month', 'monthly' as const);
    fc.assert(
      fc.property(aDate, aFrequency, fc.integer({ min: 2, max: 40 }), (date, frequency, n) => {
        const first = localDate(frequency === 'half-month' ? `${date.slice(0, 8)}15` : date);
        const dates = dueDates(first, frequency, n);
        expect(dates[0]).toBe(first);
        const [least, most] = {
          weekly: [7, 7],
          'two-weeks': [14, 14],
          'half-month': [13, 17],
          monthly: [28, 31],
        }[frequency] as [number, number];
        const gaps = dates.slice(1).map((to, index) => daysBetween(dates[index] ?? to, to));
        for (const gap of gaps) {
          expect(gap).toBeGreaterThanOrEqual(least);
          expect(gap).toBeLessThanOrEqual(most);
        }
        const months = dates.map((each) => Number(each.slice(0, 4)) * 12 + Number(each.slice(5, 7)));
        if (frequency === 'monthly')
          expect(months.map((m, i) => m - i).every((m) => m === months[0])).toBe(true);
      }),
      runs(400),
    );
  });
});
