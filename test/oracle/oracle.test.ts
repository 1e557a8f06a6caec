/**
 * Goal: the oracle, which proves the engine wrong, must itself be right.
 * Method: the published facts of the preset `default` and of reversals re-typed as tables; ties and the decisions O1–O11
 * as small stories; every promise of `examples/` against its expectation, which was derived by hand; and random stories,
 * which must be varied enough to find something.
 */
import { join } from 'node:path';
import { cents, EXAMPLES_END, EXAMPLES_ZONE, exampleStories } from './example-stories';
import { endOfDay, instantOf, startOfDay, wallClock } from './local-time';
import { judge, type OracleAnswer, type OracleStory, randomStory } from './oracle';

const NEW_YORK = 'America/New_York';

/** `[received, cents, posted?, reversed?, reversal dated?]`; posted when received, unless given */
type Money = [
  received: string,
  amountCents: number,
  posted?: string,
  reversed?: string,
  reversalDate?: string,
];
type Expectation = [on: string, status: OracleAnswer['status'], countedCents: number, revision?: number];

interface Told {
  start: string;
  parts: [due: string, amountCents: number][];
  money: Money[];
  policy?: Partial<OracleStory>;
}

function tell({ start, parts, money, policy = {} }: Told): OracleStory {
  const zone = policy.timeZone ?? NEW_YORK;
  return {
    timeZone: zone,
    graceDays: 3,
    postingLagHours: 12,
    lateEvidence: 'rejudge',
    reversalAfterKept: 'reopen',
    reversalGraceDays: 0,
    toleranceCents: 0,
    ...policy,
    startDate: start,
    installments: parts.map(([dueDate, amountCents]) => ({ dueDate, amountCents })),
    payments: money.map(([received, amountCents, posted, reversed, reversalDate], i) => ({
      id: `p${i + 1}`,
      amountCents,
      receivedAtMs: instantOf(zone, received),
      postedAtMs: instantOf(zone, posted ?? received),
      ...(reversed === undefined
        ? {}
        : {
            reversal: {
              effectiveAtMs: instantOf(zone, reversalDate ?? reversed),
              postedAtMs: instantOf(zone, reversed),
            },
          }),
    })),
  };
}

const on = (story: OracleStory, local: string): OracleAnswer =>
  judge(story, instantOf(story.timeZone, local));

const FOUR_PARTS: Told['parts'] = [
  ['2023-10-01', 25000],
  ['2023-10-16', 25000],
  ['2023-10-31', 25000],
  ['2023-11-15', 25000],
];
const TWO_PARTS: Told['parts'] = [
  ['2025-01-15', 10000],
  ['2025-02-15', 10000],
];
const ONE: Told['parts'] = [['2025-01-15', 10000]];
const SPRING: Told['parts'] = [
  ['2025-03-10', 5000],
  ['2025-04-10', 5000],
];

const FACTS: [name: string, told: Told, expectations: Expectation[]][] = [
  [
    'grace boundary (f1)',
    { start: '2023-09-25', parts: FOUR_PARTS, money: [] },
    [
      ['2023-10-02', 'active', 0],
      ['2023-10-04', 'active', 0],
      ['2023-10-05T11:00', 'active', 0],
      ['2023-10-05T13:00', 'broken', 0],
    ],
  ],
  [
    'two parts within the grace (f5)',
    {
      start: '2023-09-25',
      parts: FOUR_PARTS,
      money: [
        ['2023-10-02', 15000],
        ['2023-10-04', 10000],
      ],
    },
    [
      ['2023-10-03', 'active', 15000],
      ['2023-10-06', 'active', 25000],
      ['2023-10-19', 'active', 25000],
      ['2023-10-21', 'broken', 25000],
    ],
  ],
  [
    'late evidence is heard',
    {
      start: '2025-03-03',
      parts: SPRING,
      money: [
        ['2025-03-12', 5000, '2025-03-18T08:00'],
        ['2025-04-09', 5000],
      ],
    },
    [
      ['2025-03-13', 'active', 0],
      ['2025-03-16', 'broken', 0],
      ['2025-03-19', 'active', 5000, 2],
      ['2025-04-10', 'kept', 10000, 2],
    ],
  ],
  [
    'late evidence with lateEvidence stay',
    {
      start: '2025-03-03',
      parts: SPRING,
      money: [['2025-03-12', 5000, '2025-03-18T08:00']],
      policy: { lateEvidence: 'stay' },
    },
    [['2025-03-19', 'broken', 0, 1]],
  ],
  [
    'late money is not late evidence',
    { start: '2025-03-03', parts: [['2025-03-10', 5000]], money: [['2025-03-14', 5000, '2025-03-18T08:00']] },
    [
      ['2025-03-16', 'broken', 0],
      ['2025-03-20', 'broken', 0, 1],
    ],
  ],
  [
    'prepaid is kept at once',
    {
      start: '2025-01-01',
      parts: [...TWO_PARTS, ['2025-03-15', 10000]],
      money: [['2025-01-12', 30000]],
    },
    [
      ['2025-01-11', 'active', 0],
      ['2025-01-13', 'kept', 30000],
    ],
  ],
  [
    'timely money posted late',
    { start: '2025-01-02', parts: ONE, money: [['2025-01-18T20:00', 10000, '2025-01-19T09:30']] },
    [
      ['2025-01-17', 'active', 0],
      ['2025-01-21', 'kept', 10000, 1],
    ],
  ],
  [
    'clock forward night: twelve elapsed hours end at 13:00',
    {
      start: '2025-03-10',
      parts: [['2025-03-26', 7500]],
      money: [['2025-03-29T23:30', 7500, '2025-03-30T12:30']],
      policy: { timeZone: 'Europe/London' },
    },
    [
      ['2025-03-30T12:29', 'active', 0],
      ['2025-03-31', 'kept', 7500, 1],
    ],
  ],
  [
    'a bounce reopens a kept promise',
    {
      start: '2025-01-02',
      parts: ONE,
      money: [
        ['2025-01-07', 10000, '2025-01-07', '2025-01-10'],
        ['2025-01-16', 10000],
      ],
    },
    [
      ['2025-01-08', 'kept', 10000],
      ['2025-01-12', 'active', 0, 2],
      ['2025-01-17', 'kept', 10000, 2],
    ],
  ],
  [
    'a bounce breaks a kept promise (reversalAfterKept break)',
    {
      start: '2025-01-02',
      parts: ONE,
      money: [['2025-01-14', 10000, '2025-01-14', '2025-01-29']],
      policy: { reversalAfterKept: 'break' },
    },
    [
      ['2025-01-16', 'kept', 10000],
      ['2025-01-30', 'broken', 0, 2],
    ],
  ],
  [
    'a bounce leaves a kept promise (reversalAfterKept stay-kept)',
    {
      start: '2025-01-02',
      parts: ONE,
      money: [['2025-01-14', 10000, '2025-01-14', '2025-01-29']],
      policy: { reversalAfterKept: 'stay-kept' },
    },
    [['2025-02-28', 'kept', 10000, 1]],
  ],
  [
    'a bounce gives days from its own date',
    {
      start: '2025-01-02',
      parts: TWO_PARTS,
      money: [
        ['2025-01-14', 10000, '2025-01-14', '2025-01-20'],
        ['2025-01-23', 10000, '2025-01-23', '2025-02-05'],
      ],
      policy: { reversalGraceDays: 3 },
    },
    [
      ['2025-01-19T13:00', 'active', 10000],
      ['2025-01-22', 'active', 0],
      ['2025-01-26', 'active', 10000],
      ['2025-02-08', 'active', 0],
      ['2025-02-10', 'broken', 0, 1],
    ],
  ],
];

test.each(FACTS)('fact: %s', (_, told, expectations) => {
  const story = tell(told);
  const said = expectations.map(([day, , , revision]) => {
    const { status, countedCents, revision: actual } = on(story, day);
    return [day, status, countedCents, ...(revision === undefined ? [] : [actual])];
  });
  expect(said).toEqual(expectations);
});

/** the verdicts a story has seen by July: `revision status reason local time` */
function verdicts(told: Told): string[] {
  const story = tell(told);
  return on(story, '2025-07-01').outcomes.map(
    (o) => `${o.revision} ${o.status} ${o.reason} ${wallClock(story.timeZone, o.atMs)}`,
  );
}

const ONE_STORY = { start: '2025-01-02', parts: ONE };
const TWO_STORY = { start: '2025-01-02', parts: TWO_PARTS };
const BROKEN_AT_NOON = '1 broken installment_missed 2025-01-19T12:00';

const TIES: [name: string, told: Told, verdicts: string[]][] = [
  [
    'posted a minute before the judge time counts',
    { ...ONE_STORY, money: [['2025-01-18T23:59', 10000, '2025-01-19T11:59']] },
    ['1 kept paid_in_full 2025-01-19T11:59'],
  ],
  [
    'posted at the judge time is too late for it, and late evidence',
    { ...ONE_STORY, money: [['2025-01-18T23:59', 10000, '2025-01-19T12:00']] },
    [BROKEN_AT_NOON, '2 kept paid_in_full 2025-01-19T12:00'],
  ],
  [
    'posted at the judge time with lateEvidence stay',
    { ...ONE_STORY, money: [['2025-01-18', 10000, '2025-01-19T12:00']], policy: { lateEvidence: 'stay' } },
    [BROKEN_AT_NOON],
  ],
  [
    'received at 24:00 of the last grace day is late',
    { ...ONE_STORY, money: [['2025-01-19T00:00', 10000]] },
    [BROKEN_AT_NOON],
  ],
  [
    'received at 00:00 of the start date counts',
    { ...ONE_STORY, money: [['2025-01-02T00:00', 10000]] },
    ['1 kept paid_in_full 2025-01-02T00:00'],
  ],
  [
    'received the minute before does not',
    { ...ONE_STORY, money: [['2025-01-01T23:59', 10000]] },
    [BROKEN_AT_NOON],
  ],
  [
    'the start date itself does not count when the window is exclusive',
    { ...ONE_STORY, money: [['2025-01-02T23:59', 10000]], policy: { windowStart: 'exclusive' } },
    [BROKEN_AT_NOON],
  ],
  [
    'money after a deadline waits for its judge time, and then completes',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-15', 10000],
        ['2025-01-19T08:00', 10000],
      ],
    },
    ['1 kept paid_in_full 2025-01-19T12:00'],
  ],
  [
    'money after a deadline does not save the line under judgement',
    { ...TWO_STORY, money: [['2025-01-19T08:00', 20000]] },
    [BROKEN_AT_NOON],
  ],
  [
    'a met line bounces and is paid again by the end of that day',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-15', 10000, '2025-01-15', '2025-01-27T09:00'],
        ['2025-01-27T23:59', 10000, '2025-01-28T06:15'],
        ['2025-02-15', 10000],
      ],
    },
    ['1 kept paid_in_full 2025-02-15T12:00'],
  ],
  [
    'a met line bounces and is paid again a minute later than that',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-15', 10000, '2025-01-15', '2025-01-27T09:00'],
        ['2025-01-28T00:00', 10000],
      ],
    },
    ['1 broken installment_missed 2025-01-28T12:00'],
  ],
  [
    'O2: a bounce posted at the judge time is too late for it',
    { ...TWO_STORY, money: [['2025-01-15', 10000, '2025-01-15', '2025-01-19T12:00']] },
    ['1 broken installment_missed 2025-01-20T12:00'],
  ],
  [
    'O1: so the last judge time keeps the promise, and the bounce comes after kept',
    {
      ...ONE_STORY,
      money: [['2025-01-15', 9999, '2025-01-15', '2025-01-19T12:00']],
      policy: { toleranceCents: 1 },
    },
    ['1 kept paid_within_tolerance 2025-01-19T12:00', '2 broken installment_missed 2025-01-20T12:00'],
  ],
  [
    'O2: a bounce and its replacement in one batch leave no hole',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-15', 10000, '2025-01-15', '2025-01-27T19:30'],
        ['2025-01-27', 10000, '2025-01-27T19:30'],
        ['2025-02-10', 10000],
      ],
    },
    ['1 kept paid_in_full 2025-02-10T12:00'],
  ],
  [
    'O4: a bounce known only after the judge time it brings is judged when it is known',
    { ...TWO_STORY, money: [['2025-01-15', 10000, '2025-01-15', '2025-01-30T08:00', '2025-01-27']] },
    ['1 broken installment_missed 2025-01-30T08:00'],
  ],
  [
    'O6: money over the total fills the hole of a bounce after kept',
    {
      ...ONE_STORY,
      money: [
        ['2025-01-10', 10000, '2025-01-10', '2025-01-16'],
        ['2025-01-12', 10000],
      ],
    },
    ['1 kept paid_in_full 2025-01-10T12:00'],
  ],
  [
    'O6: also when it came after a deadline that passed while the promise was kept',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-10', 10000],
        ['2025-01-11', 10000, '2025-01-11', '2025-01-30'],
        ['2025-01-25', 10000],
      ],
    },
    ['1 kept paid_in_full 2025-01-11T12:00'],
  ],
  [
    'two bounces posted together: the later date counts',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-14', 5000, '2025-01-14', '2025-01-28T08:00', '2025-01-27'],
        ['2025-01-15', 5000, '2025-01-15', '2025-01-28T08:00', '2025-01-28T07:00'],
      ],
    },
    ['1 broken installment_missed 2025-01-29T12:00'],
  ],
  [
    'O7: a bounce and late evidence, both posted at the judge time',
    {
      ...ONE_STORY,
      money: [
        ['2025-01-15', 6000, '2025-01-15', '2025-01-19T12:00'],
        ['2025-01-18', 4000, '2025-01-19T12:00'],
      ],
    },
    [BROKEN_AT_NOON, '2 broken installment_missed 2025-01-20T12:00'],
  ],
  [
    'O7: after late evidence a later judge time is caught up, and misses',
    { ...TWO_STORY, money: [['2025-01-16', 10000, '2025-02-25T08:00']] },
    [BROKEN_AT_NOON, '2 broken installment_missed 2025-02-25T08:00'],
  ],
  [
    'O7: late evidence for both lines in one file',
    {
      ...TWO_STORY,
      money: [
        ['2025-01-16', 10000, '2025-02-25T08:00'],
        ['2025-02-16', 10000, '2025-02-25T08:00'],
      ],
    },
    [BROKEN_AT_NOON, '2 kept paid_in_full 2025-02-25T08:00'],
  ],
  [
    'late evidence that is not enough changes nothing',
    { ...ONE_STORY, money: [['2025-01-16', 9999, '2025-01-25T08:00']] },
    [BROKEN_AT_NOON],
  ],
  [
    'R12: within the tolerance it is kept at the judge time, not before',
    { ...ONE_STORY, money: [['2025-01-16', 9900]], policy: { toleranceCents: 100 } },
    ['1 kept paid_within_tolerance 2025-01-19T12:00'],
  ],
  [
    'R12: a cent beyond it is missed',
    { ...ONE_STORY, money: [['2025-01-16', 9899]], policy: { toleranceCents: 100 } },
    [BROKEN_AT_NOON],
  ],
];

test.each(TIES)('verdicts: %s', (_, told, expected) => {
  expect(verdicts(told)).toEqual(expected);
});

test('a cancel ends an active promise, and comes too late for one that has ended', () => {
  const story = tell({ ...TWO_STORY, money: [['2025-01-10', 4000]] });
  const cancelAtMs = instantOf(NEW_YORK, '2025-01-18T09:00');
  expect(judge({ ...story, cancelAtMs }, cancelAtMs)).toMatchObject({
    status: 'cancelled',
    countedCents: 4000,
  });
  const tooLate = instantOf(NEW_YORK, '2025-01-19T12:00');
  expect(judge({ ...story, cancelAtMs: tooLate }, tooLate)).toMatchObject({
    status: 'broken',
    countedCents: 4000,
  });
});

test('days end where the calendar of the zone says', () => {
  const hours = (zone: string, date: string): number =>
    (endOfDay(zone, date) - startOfDay(zone, date)) / 3_600_000;
  expect(hours(NEW_YORK, '2026-03-08')).toBe(23);
  expect(hours(NEW_YORK, '2026-11-01')).toBe(25);
  expect(hours('Australia/Lord_Howe', '2026-04-05')).toBe(24.5);
  // Beirut skips midnight: the day begins at 01:00
  expect(wallClock('Asia/Beirut', startOfDay('Asia/Beirut', '2026-03-29'))).toBe('2026-03-29T01:00');
});

describe('examples/', () => {
  const stories = exampleStories(join(__dirname, '..', '..', 'examples'));
  const end = instantOf(EXAMPLES_ZONE, EXAMPLES_END);

  test('there are 200 promises', () => {
    expect(stories).toHaveLength(200);
  });

  test.each(stories.map((each) => [each.id, each.expected['case'], each] as const))(
    '%s (%s) ends as derived by hand',
    (_, __, { story, expected }) => {
      const answer = judge(story, end);
      expect({
        outcome: answer.status,
        reason: answer.reason,
        decidedAt: wallClock(EXAMPLES_ZONE, answer.decidedAtMs ?? 0).replace('T', ' '),
        counted: answer.countedCents,
        total: story.installments.reduce((total, part) => total + part.amountCents, 0),
        revision: answer.revision,
      }).toEqual({
        outcome: expected['outcome'],
        reason: expected['reason'],
        decidedAt: expected['decided_at'],
        counted: cents(expected['counted'] ?? ''),
        total: cents(expected['total'] ?? ''),
        revision: Number(expected['revision']),
      });
    },
  );
});

describe('random stories', () => {
  const seeds = Array.from({ length: 2000 }, (_, seed) => seed);
  const lastMs = (story: OracleStory): number => {
    const times = story.payments.flatMap((p) => [
      p.postedAtMs,
      p.reversal?.postedAtMs ?? 0,
      p.reversal?.effectiveAtMs ?? 0,
    ]);
    const due = story.installments.map((part) => endOfDay(story.timeZone, part.dueDate));
    return Math.max(...times, ...due) + 30 * 86_400_000;
  };

  test('the same seed is the same story, times in order', () => {
    for (const seed of seeds.slice(0, 200)) {
      const story = randomStory(seed);
      expect(randomStory(seed)).toEqual(story);
      for (const p of story.payments) {
        expect(p.receivedAtMs).toBeLessThanOrEqual(p.postedAtMs);
        if (p.reversal) expect(p.reversal.postedAtMs).toBeGreaterThan(p.postedAtMs);
        if (p.reversal) expect(p.reversal.effectiveAtMs).toBeGreaterThanOrEqual(p.receivedAtMs);
      }
    }
  });

  test('every promise ends, one outcome a revision, in order, and every kind of end is common', () => {
    const seen = new Map<string, number>();
    for (const seed of seeds) {
      const story = randomStory(seed);
      const { status, outcomes, revision, countedCents } = judge(story, lastMs(story));
      const total = story.installments.reduce((sum, part) => sum + part.amountCents, 0);
      expect(countedCents).toBeLessThanOrEqual(total);
      expect([seed, status]).not.toEqual([seed, 'active']);
      expect(outcomes.map((o) => o.revision)).toEqual(outcomes.map((_, i) => i + 1));
      expect(outcomes.at(-1)?.revision).toBe(revision);
      expect(outcomes.map((o) => o.atMs)).toEqual(outcomes.map((o) => o.atMs).toSorted((a, b) => a - b));
      const kind = outcomes.map((o) => o.status).join(' ');
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    for (const kind of [
      'kept',
      'broken',
      'cancelled',
      'kept kept',
      'kept broken',
      'broken kept',
      'broken broken',
    ]) {
      expect([kind, (seen.get(kind) ?? 0) >= 20]).toEqual([kind, true]);
    }
  });

  test('the order of the payments in the file does not matter, and asking between changes nothing', () => {
    for (const seed of seeds.slice(0, 500)) {
      const story = randomStory(seed);
      const end = lastMs(story);
      const answer = judge(story, end);
      expect(judge({ ...story, payments: story.payments.toReversed() }, end)).toEqual(answer);
      const between = judge(story, story.payments[0]?.postedAtMs ?? end).outcomes;
      expect(answer.outcomes.slice(0, between.length)).toEqual(between);
    }
  });
});
