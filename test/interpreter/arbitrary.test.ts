/**
 * Goal: random scenarios are valid, can be played, and reach every status and reason that the rules know.
 * Method: a seeded sample is checked against the schema and asked at its moments; TROTH_VERBOSE=1 shows how often
 * each outcome came up.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { z } from 'zod';
import { momentsOf, scenario } from './arbitrary';
import { interpret } from './interpret';
import { type Scenario } from './scenario';

const SEED = 20250115;

const schema = z.fromJSONSchema(
  JSON.parse(readFileSync(join(__dirname, '..', 'facts', 'scenario.schema.json'), 'utf8')) as Parameters<
    typeof z.fromJSONSchema
  >[0],
);

/** What happened in a story: outcomes, refusals and answers of staff, as words to count. */
function happenings(story: Scenario): string[] {
  const played = interpret(story);
  const seen = new Set<string>();
  for (const why of played.refusals.values()) {
    seen.add(
      why === null ? 'accepted' : `refused: ${/active$/.test(why) ? 'active' : (why.split(' ')[0] ?? '')}`,
    );
  }
  for (const [index, accepted] of played.accepted) {
    seen.add(`${story.events?.[index]?.type ?? ''} ${accepted ? 'accepted' : 'refused'}`);
  }
  const last =
    momentsOf(story)
      .filter((moment) => !moment.includes('T'))
      .at(-1) ?? '';
  const asked = [
    ...story.promises.map(({ startDate }) => startDate),
    ...(story.events ?? []).map(({ at }) => at),
  ];
  for (const { id } of story.promises) {
    for (const on of asked) seen.add(`once ${played.answer(on, id)?.status ?? 'unknown'}`);
    const answer = played.answer(last, id);
    if (answer === null) continue;
    seen.add(`at last ${answer.status}`);
    if (answer.outcomes.length > 0 && answer.status === 'kept' && answer.revision > 1)
      seen.add('kept in a later revision');
    let undone = 0;
    for (const { revision, status, reason } of answer.outcomes) {
      seen.add(`${status}: ${reason}`);
      if (revision < answer.revision) undone++;
    }
    if (undone > 0) seen.add('an outcome undone');
    if (undone > 1) seen.add('two outcomes undone');
  }
  return [...seen];
}

test('the schema finds what is wrong', () => {
  const [story] = fc.sample(scenario, { numRuns: 1, seed: SEED });
  const expect1 = [{ on: '2025-01-01' }];
  expect(schema.safeParse({ ...story, expect: expect1 }).success).toBe(true);
  expect(schema.safeParse({ ...story, expect: expect1, extra: 1 }).success).toBe(false);
  expect(
    schema.safeParse({ ...story, expect: expect1, events: [{ at: 'now', type: 'payment' }] }).success,
  ).toBe(false);
});

test('300 random scenarios are valid and are played', () => {
  fc.assert(
    fc.property(scenario, (story) => {
      const checked = schema.safeParse({ ...story, expect: [{ on: '2025-01-01' }] });
      expect(checked.error?.issues ?? []).toEqual([]);
      expect(JSON.parse(JSON.stringify(story))).toEqual(story);
      const played = interpret(story);
      for (const on of momentsOf(story)) {
        for (const { id } of story.promises) {
          const answer = played.answer(on, id);
          const counted = answer?.installments.reduce((sum, line) => sum + line.countedCents, 0) ?? 0;
          expect(counted).toBeGreaterThanOrEqual(0);
          expect(answer?.unpaidCents ?? 0).toBeGreaterThanOrEqual(0);
        }
      }
    }),
    { numRuns: 300, seed: SEED },
  );
});

test('the sample reaches every status and reason', () => {
  const table = new Map<string, number>();
  for (const story of fc.sample(scenario, { numRuns: 2500, seed: SEED })) {
    for (const what of happenings(story)) table.set(what, (table.get(what) ?? 0) + 1);
  }
  const rows = [...table].sort(([a], [b]) => (a < b ? -1 : 1));
  if (process.env['TROTH_VERBOSE'] !== undefined) {
    console.info(rows.map(([what, times]) => `${String(times).padStart(6)}  ${what}`).join('\n'));
  }
  expect(rows.map(([what]) => what)).toEqual(expect.arrayContaining(REACHED));
});

const REACHED = [
  ...['pending', 'active', 'kept', 'broken', 'cancelled'].map((status) => `once ${status}`),
  ...['active', 'kept', 'broken', 'cancelled'].map((status) => `at last ${status}`),
  'kept in a later revision',
  'kept: paid_in_full',
  'kept: paid_within_tolerance',
  'kept: balance_cleared',
  'broken: installment_missed',
  'broken: down_payment_missed',
  'broken: reversal',
  'broken: current_bill_unpaid',
  'cancelled: balance_cleared',
  'cancelled: down_payment_missed',
  'cancelled: not_approved',
  'cancelled: customer_request',
  'cancelled: staff_error',
  'cancelled: account_closed',
  'cancelled: service_stopped',
  'cancelled: collection_event',
  'an outcome undone',
  'two outcomes undone',
  'refused: active',
  ...['maxOpenPromises', 'maxInstallments', 'maxDaysToFirstPayment', 'maxHorizonDays'].map(refusedBy),
  ...['minInstallmentCents', 'minInstallmentPercent', 'downPayment', 'downPaymentWithinDays'].map(refusedBy),
  ...['totalVersusArrears', 'lockOutDays', 'maxBroken'].map(refusedBy),
  ...['amend accepted', 'amend refused', 'cancel accepted', 'cancel refused'],
];

function refusedBy(limit: string): string {
  return `refused: ${limit}`;
}
