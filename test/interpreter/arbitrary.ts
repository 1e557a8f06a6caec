/**
 * Random scenarios that aim at boundaries. A raw story is drawn from plain combinators and told to the end by
 * `storyOf` (raw-story.ts), so that shrinking a number, dropping an event or an option gives a smaller valid scenario.
 */
import * as fc from 'fast-check';
import { PRESETS, type Scenario } from './scenario';
import {
  type RawAmount,
  type RawEvent,
  type RawLine,
  type RawPayment,
  type RawPromise,
  type RawStory,
  type When,
} from './raw';
import { storyOf } from './raw-story';

export { momentsOf } from './moments';

/** Mostly nothing: one in `n` times the thing. Shrinks to nothing. */
const seldom = <T>(n: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: n - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary },
  );

/** One of the values, the first one being the simplest. */
const oneOf = <const T extends readonly unknown[]>(...values: T): fc.Arbitrary<T[number]> =>
  fc.constantFrom<T[number]>(...values);

/** The first one `n` times as often as each other. */
const mostly = <T>(n: number, first: fc.Arbitrary<T>, ...others: fc.Arbitrary<T>[]): fc.Arbitrary<T> =>
  fc.oneof({ withCrossShrink: true }, { weight: n, arbitrary: first }, ...others);

const always = <const T>(value: T): fc.Arbitrary<T> => fc.constant(value);

// Clocks go forward or back within the weeks after these days: at 02:00, at midnight (Cairo, Santiago), by half an hour.
const PLACES = [
  ['America/New_York', '2025-01-06'],
  ['America/New_York', '2025-02-27'],
  ['America/New_York', '2025-10-24'],
  ['Europe/London', '2025-03-20'],
  ['Africa/Cairo', '2025-04-17'],
  ['America/Santiago', '2025-08-29'],
  ['Australia/Lord_Howe', '2025-09-26'],
  ['America/St_Johns', '2024-02-26'],
  ['Asia/Kathmandu', '2025-12-24'],
  ['Pacific/Kiritimati', '2025-01-30'],
] as const;

const cents = mostly<number>(3, always(100), oneOf(50, 60, 99, 101, 203, 1, 1000));
const timeOfDay = mostly<string | undefined>(
  3,
  always(undefined),
  oneOf('T00:00', 'T00:01', 'T09:00', 'T11:59', 'T12:01', 'T16:59', 'T17:00', 'T17:01', 'T23:59'),
);

/** Near something of a promise: its dates, its judge times, to the minute. */
const when: fc.Arbitrary<When> = fc.record({
  promise: fc.nat({ max: 2 }),
  line: fc.nat({ max: 4 }),
  near: mostly<When['near']>(3, always('due'), oneOf('last-day', 'start', 'judge')),
  days: mostly<number>(2, always(0), fc.integer({ min: -2, max: 2 }), fc.integer({ min: -20, max: 40 })),
  minutes: oneOf(0, -1, 1),
  time: timeOfDay,
});

const amount: fc.Arbitrary<RawAmount> = fc.record({
  of: mostly<RawAmount['of']>(4, always('line'), oneOf('total', 'first-lines', 'half-line', 'rest')),
  more: mostly<number>(4, always(0), oneOf(1, -1, 40)),
});

const payment: fc.Arbitrary<RawPayment> = fc.record({
  kind: always('payment'),
  when,
  amount,
  posted: mostly<RawPayment['posted']>(
    4,
    always({ how: 'at-once' }),
    fc.record({ how: always('judge'), minutes: oneOf(0, -1, 1), line: fc.nat({ max: 4 }) }),
    fc.record({ how: always('later'), days: fc.integer({ min: 0, max: 40 }), time: timeOfDay }),
    fc.record({ how: always('ahead'), days: fc.integer({ min: 1, max: 5 }) }),
  ),
  payor: mostly<RawPayment['payor']>(6, always('promise'), oneOf('self', 'agency', 'church', 'split')),
  applied: mostly<RawPayment['applied']>(4, always('right'), oneOf('one', 'none', 'swapped')),
  bill: seldom(4, fc.nat({ max: 1 })),
});

const rawLine: fc.Arbitrary<RawLine> = fc.record({
  gapDays: mostly<number>(3, fc.integer({ min: 0, max: 16 }), oneOf(30, 31, 7, 1)),
  cents,
  transaction: fc.nat({ max: 2 }),
});
const rawLines = fc.array(rawLine, { minLength: 1, maxLength: 4 });

const event: fc.Arbitrary<RawEvent> = fc.oneof(
  { withCrossShrink: true },
  { weight: 10, arbitrary: payment },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: always('reversal'),
      payment: fc.nat({ max: 7 }),
      afterDays: mostly<number>(2, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 50 })),
      time: timeOfDay,
      learnedDays: mostly<number>(3, always(0), fc.integer({ min: 1, max: 10 })),
      // Learned at the very instant at which another payment is posted.
      learnedWith: seldom(4, fc.nat({ max: 7 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: always('amend'), when, lines: rawLines, sameTotal: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: always('cancel'), when, reason: oneOf('customer_request', 'staff_error') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: oneOf(
        'balance-cleared',
        'balance-cleared',
        'service-stopped',
        'collection-event',
        'account-closed',
      ),
      when,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: oneOf('approve', 'approve', 'reject'), when }) },
);

const terms: fc.Arbitrary<RawPromise['terms']> = mostly<RawPromise['terms']>(
  4,
  fc.record({ kind: always('list'), lines: rawLines, bound: seldom(5, always(true)) }),
  fc.record({
    kind: always('repeat'),
    cents,
    every: oneOf(
      'week',
      '10-days',
      'month',
      'two-weeks',
      'mon+thu',
      '5+20',
      '15+31',
      'half-month',
      '2-months',
    ),
    ends: mostly<RawEnd>(
      3,
      fc.record({ by: always('count'), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ by: always('until'), days: fc.nat({ max: 40 }) }),
      always({ by: 'never' }),
    ),
    autoManage: mostly<boolean>(8, always(true), always(false)),
  }),
);
type RawEnd = Extract<RawPromise['terms'], { kind: 'repeat' }>['ends'];

const promise: fc.Arbitrary<RawPromise> = fc.record({
  payor: mostly<RawPromise['payor']>(2, always('self'), oneOf('agency', 'church')),
  startsAfterDays: mostly<number>(
    1,
    always(0),
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 12, max: 60 }),
  ),
  firstDueDays: fc.integer({ min: 0, max: 20 }),
  terms,
});

const policy: fc.Arbitrary<RawStory['policy']> = fc.record({
  preset: mostly<(typeof PRESETS)[number]>(2, always('default'), fc.constantFrom(...PRESETS)),
  graceDays: seldom(3, oneOf(0, 1, 5)),
  graceUnit: seldom(4, oneOf('calendar', 'business')),
  dueDateRoll: seldom(4, oneOf('none', 'following', 'modified-following', 'preceding')),
  postingLagHours: seldom(4, oneOf(0, 6, 12, 24, 72, 0.5)),
  windowStart: seldom(5, oneOf('inclusive', 'exclusive')),
  payor: seldom(3, oneOf('anyone', 'promise-payor', 'promise-payor-whole')),
  overpayment: seldom(3, oneOf('pool', 'current', 'advance', 'ignore-excess')),
  completion: seldom(4, oneOf('early', 'after-last-due-date')),
  missesAllowed: seldom(4, oneOf(0, 1, 2)),
  finalMiss: seldom(4, oneOf('break', 'wait')),
  onMiss: seldom(7, oneOf('break', 'stay-past-due')),
  lateEvidence: seldom(2, oneOf('rejudge', 'stay')),
  toleranceCents: seldom(5, oneOf(0, 1, 5, 40)),
  tolerancePercent: seldom(5, oneOf(1, 5, 33.3, 50)),
  toleranceUse: seldom(4, oneOf('max', 'min')),
  balanceCleared: seldom(3, oneOf('keep', 'cancel', 'ignore')),
  cancelUntil: seldom(4, oneOf('any-time', 'before-due')),
  reversalAfterKept: seldom(2, oneOf('reopen', 'break', 'stay-kept')),
  reversalGraceDays: seldom(4, oneOf(0, 1, 3, 10)),
  shield: seldom(4, oneOf('net-amount', 'pause-all', 'none')),
  shieldCap: seldom(4, oneOf('promise-remaining', 'none')),
  stayCurrent: seldom(4, always(true)),
});

/** Limits are told relative to the first promise, so that it passes, or fails by one. */
const limits: fc.Arbitrary<RawStory['limits']> = fc.record({
  maxOpenPromises: seldom(4, oneOf(2, 1)),
  maxInstallments: seldom(8, oneOf(0, 1, -1)),
  maxDaysToFirstPayment: seldom(9, oneOf(0, 1, -1)),
  maxHorizonDays: seldom(9, oneOf(0, 10, -1)),
  minInstallmentCents: seldom(9, oneOf(0, 1)),
  minInstallmentPercent: seldom(10, oneOf(10, 25, 33.34)),
  downPaymentCents: seldom(6, oneOf(0, -1, 1)),
  downPaymentPercent: seldom(6, oneOf(10, 25, 33.34)),
  downPaymentUse: seldom(4, oneOf('max', 'min')),
  downPaymentWithinDays: seldom(6, oneOf(0, 5, -1)),
  downPaymentMissed: seldom(3, oneOf('break', 'cancel')),
  totalVersusArrears: seldom(8, oneOf('at-most', 'equal', 'any')),
  lockOutDays: seldom(3, oneOf(3, 0, 30)),
  maxBroken: seldom(3, oneOf(0, 0, 1)),
  maxBrokenWithinDays: oneOf(30, 5, 0),
  approvalAbove: seldom(6, oneOf(-1, 0)),
  approvalWithinDays: seldom(3, oneOf(0, 3, 30)),
});

/** Payments of one line each in turn, so that promises are kept often enough for what comes after. */
const regular = fc
  .array(payment, { maxLength: 4 })
  .map((all) => all.map((one, line): RawPayment => ({ ...one, when: { ...one.when, line } })));

const rawStory: fc.Arbitrary<RawStory> = fc.record({
  place: fc.constantFrom(...PLACES),
  closedDays: mostly<number[]>(3, always([]), fc.uniqueArray(fc.nat({ max: 45 }), { maxLength: 4 })),
  weekend: seldom(6, oneOf(['fri', 'sat'], ['sun'], [], ['fri', 'sat', 'sun'])),
  cutoff: seldom(4, oneOf('17:00', '12:00', '00:00', '11:00')),
  policy,
  limits: mostly<RawStory['limits']>(2, always({}), limits),
  promises: mostly<RawPromise[]>(
    1,
    fc.array(promise, { minLength: 1, maxLength: 1 }),
    fc.array(promise, { minLength: 1, maxLength: 3 }),
  ),
  regular,
  events: fc.array(event, { maxLength: 7 }),
  bills: fc.array(
    fc.record({
      issuedDays: fc.integer({ min: -1, max: 15 }),
      dueDays: fc.integer({ min: 5, max: 20 }),
      cents,
    }),
    { maxLength: 2 },
  ),
  arrears: fc.option(
    fc.record({
      more: mostly<number>(3, always(0), oneOf(-1, 1, 200)),
      changes: fc.array(fc.record({ days: fc.integer({ min: 1, max: 60 }), cents: oneOf(0, 100, 250) }), {
        maxLength: 3,
      }),
    }),
    { nil: undefined },
  ),
});

/** Random valid scenarios without expectations. */
export const scenario: fc.Arbitrary<Scenario> = rawStory.map(storyOf);
