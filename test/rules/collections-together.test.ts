/**
 * Goal: promises on one debt judged together, and days moved by a pause, come out as if each day had been lived (R9, R11, R32);
 * standings say what is late and what comes next (R34).
 * Method: drawn stories, judged at once and beside the world in which time goes forward; pauses beside a count of days, one by
 * one; the rest by examples.
 */
import * as fc from 'fast-check';
import {
  addDays,
  cents,
  epochMs,
  evaluate,
  localDate,
  startOfDayMs,
  type Evaluation,
  type LocalDate,
} from '../../src/rules';
import { pausedLastDays } from '../../src/rules/collections/pause';
import type { Hold } from '../../src/rules/collections/process';
import { oracleCollectionsView, standingOf } from '../../src/rules/collections/standing';
import { judgeTogether, type RecordedPromise } from '../../src/rules/collections/together';
import { postedMsOf } from '../../src/rules/scenario/moments';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';
import { scenario } from '../interpreter/arbitrary';
import type { Scenario } from '../interpreter/scenario';
import { at, payment, promise } from './build';

const DAY_MS = 86_400_000;

/** The lives of a story's promises at an instant, in the world, and judged together by what had been recorded up to another. */
function bothWays(story: Scenario, recordedShare: number): { world: Evaluation[]; together: Evaluation[] } {
  const parsed = parseScenario(story);
  const { timeZone } = parsed.tenant;
  const instants = [
    ...parsed.promises.map(({ startDate }) => startOfDayMs(startDate, timeZone)),
    ...parsed.events.map((event) => postedMsOf(event, timeZone)),
  ].sort((a, b) => a - b);
  const endMs = epochMs((instants.at(-1) ?? 0) + 90 * DAY_MS);
  const beganMs = epochMs(
    Math.max(...parsed.promises.map(({ startDate }) => startOfDayMs(startDate, timeZone))),
  );
  const recordedMs = epochMs(Math.round(beganMs + (endMs - beganMs) * recordedShare));
  const world = new World(parsed);
  world.advance(recordedMs);
  const today = localDate('2000-01-01');
  const ids = world.promiseIds;
  const then = ids.flatMap((id) => world.look(id, recordedMs, today) ?? []);
  world.advance(endMs);
  const now = ids.flatMap((id) => world.look(id, endMs, today) ?? []);
  // All that has happened by the end, but of one another they know what was recorded.
  const recorded = now.map(({ facts }, index): RecordedPromise => {
    const before = then[index];
    const known = new Map(before?.facts.payments.map((one) => [one.paymentId, one.spent]));
    const payments = facts.payments.map((one) => ({ ...one, spent: known.get(one.paymentId) ?? [] }));
    return {
      promiseId: facts.promiseId,
      facts: { ...facts, payments, rivals: before?.facts.rivals ?? [] },
      revision: before?.life.revision ?? 1,
      decidedRevision: before?.life.outcomes.at(-1)?.revision ?? 0,
    };
  });
  return { world: now.map(({ life }) => life), together: judgeTogether(recorded, endMs) };
}

test.each([0, 0.3])('judged together as in the order of time, with %s of it recorded before', (share) => {
  const several = scenario.filter(({ promises }) => promises.length > 1);
  fc.assert(
    fc.property(several, (story) => {
      // What is posted at one instant and reopens two promises of one payor has no order of its own.
      const { events, tenant } = parseScenario(story);
      const posted = events
        .filter(({ type }) => type === 'payment' || type === 'reversal')
        .map((event) => postedMsOf(event, tenant.timeZone));
      fc.pre(new Set(posted).size === posted.length);
      const { world, together } = bothWays(story, share);
      if (JSON.stringify(together) !== JSON.stringify(world)) expect(together).toEqual(world);
    }),
    { numRuns: 150 },
  );
});

describe('R32: a pause stops the clock of the installment whose window it is in', () => {
  const day = (n: number): LocalDate => addDays(localDate('2026-03-01'), n);

  /** Day by day: a day within a hold is not one of the installment's. */
  function lived(lines: readonly number[], holds: readonly Hold[]): LocalDate[] {
    const isPaused = (at: LocalDate): boolean =>
      holds.some(({ from, until }) => until !== null && from <= at && at <= until);
    let opens = 0;
    let before = day(0);
    return lines.map((lastDay) => {
      let moved = day(lastDay);
      let left = lastDay - opens + 1;
      if (left > 0) {
        for (moved = day(opens); ; moved = addDays(moved, 1)) {
          if (!isPaused(moved)) left -= 1;
          if (left === 0) break;
        }
      }
      opens = lastDay + 1;
      if (moved > before) before = moved;
      return before;
    });
  }

  test('as counted day by day', () => {
    const span = fc.tuple(fc.nat(40), fc.nat(12), fc.boolean());
    const hold = span.map(([from, length, isOpen]) => ({
      from: day(from),
      until: isOpen && length > 9 ? null : day(from + length),
    }));
    const lines = fc.array(fc.nat(35), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lines, fc.array(hold, { maxLength: 4 }), (drawn, holds) => {
        const last = [...drawn].sort((a, b) => a - b);
        const moved = pausedLastDays(
          day(0),
          last.map((n) => ({ lastDay: day(n) })),
          holds as unknown as Hold[],
        );
        expect(moved).toEqual(lived(last, holds as unknown as Hold[]));
      }),
      { numRuns: 500 },
    );
  });
});

describe('R34: standings', () => {
  const facts = promise({
    start: '2025-01-02',
    parts: [
      ['2025-01-15', 10000],
      ['2025-02-15', 10000],
      ['2025-03-15', 5000],
    ],
    policy: { onMiss: 'stay-past-due' },
    payments: [payment('a', '2025-01-10', 4000)],
  });

  test.each([
    ['2025-01-15', 0],
    ['2025-01-16', 6000],
    ['2025-02-16', 16000],
    ['2025-03-16', 21000],
  ])('on %s, %s are past due', (today, pastDueCents) => {
    const standing = standingOf(evaluate(facts, at(today)), localDate(today));
    expect(standing).toEqual({ unpaidCents: cents(21000), pastDueCents, nextDueDate: '2025-01-15' });
  });

  test('the next due date is that of the earliest line that is not paid', () => {
    const paid = { ...facts, payments: [payment('a', '2025-01-10', 10000)] };
    expect(standingOf(evaluate(paid, at('2025-01-20')), localDate('2025-01-20')).nextDueDate).toBe(
      '2025-02-15',
    );
    const all = { ...facts, payments: [payment('a', '2025-01-10', 25000)] };
    expect(standingOf(evaluate(all, at('2025-01-20')), localDate('2025-01-20'))).toEqual({
      ...{ unpaidCents: 0, pastDueCents: 0, nextDueDate: null },
    });
  });

  test.each([
    ['kept', true, 'Fulfilled', 'Promise'],
    ['broken', true, 'Collectible', 'Broken'],
    ['cancelled', true, 'Canceled', 'Promise'],
    ['pending', true, '', 'Promise'],
    ['active', false, '', 'Promise'],
    ['active', true, 'Collectible', 'Promise'],
  ] as const)("in Oracle's columns: %s, due date reached: %s", (status, reached, shown, state) => {
    expect(oracleCollectionsView({ status }, reached)).toEqual({ status: shown, state });
  });
});
