/**
 * Goal: an expectation of a scenario that does not hold is found, whatever it asks, and shown beside what is; one that holds
 * is not. All facts of the project are as good as this.
 * Method: one story whose true answers are known by hand; each is asked as it is, and wrongly.
 */
import { check } from '../../src/rules/scenario/check';
import { notCountedWords } from '../../src/rules/scenario/timeline-words';
import { parseScenario } from '../../src/scenarios/parse';
import { promise } from './build';

const story = (expect: readonly object[], more: object = {}): ReturnType<typeof check> =>
  check(
    parseScenario({
      ...{ id: 'story', title: 'A story', source: 'test', policy: { preset: 'default' } },
      arrears: [{ from: '2025-01-01', cents: 10000 }],
      promises: [
        {
          ...{ id: 'P', startDate: '2025-01-02' },
          installments: [
            { dueDate: '2025-01-15', amountCents: 4000 },
            { dueDate: '2025-02-15', amountCents: 6000 },
          ],
        },
      ],
      events: [{ at: '2025-01-10', type: 'payment', id: 'a', amountCents: 5000 }],
      expect,
      ...more,
    }),
  );

const TRUE = {
  ...{ status: 'active', unpaidCents: 5000, pastDueCents: 0, nextDueDate: '2025-02-15' },
  ...{ forgivenCents: 0 },
};
const WRONG: Readonly<Record<keyof typeof TRUE, unknown>> = {
  ...{
    status: 'kept',
    reason: 'paid_in_full',
    unpaidCents: 4999,
    pastDueCents: 1,
    nextDueDate: '2025-01-15',
  },
  ...{ forgivenCents: 1 },
};

describe('what is asked of a promise', () => {
  test('as it is, in whatever order', () => {
    expect(story([{ on: '2025-01-11', promise: 'P', ...TRUE }]).map(({ holds }) => holds)).toEqual([true]);
    const turned = Object.fromEntries(Object.entries(TRUE).reverse());
    expect(story([{ ...turned, promise: 'P', on: '2025-01-11' }]).map(({ holds }) => holds)).toEqual([true]);
  });

  test.each(Object.keys(TRUE) as (keyof typeof TRUE)[])('%s, wrongly', (name) => {
    const [found] = story([{ on: '2025-01-11', promise: 'P', ...TRUE, [name]: WRONG[name] }]);
    expect(found?.holds).toBe(false);
    expect([found?.expected[name], found?.actual[name]]).toEqual([WRONG[name], TRUE[name]]);
  });

  test.each<[string, object, boolean]>([
    ['all of one', { seq: 2, status: 'due', countedCents: 1000 }, true],
    ['a part of one', { countedCents: 4000, seq: 1 }, true],
    ['the wrong cents', { seq: 2, countedCents: 1001 }, false],
    ['the wrong status', { seq: 1, status: 'kept', countedCents: 4000 }, false],
    ['one that is not there', { seq: 3, countedCents: 0 }, false],
  ])('an installment: %s', (_, installment, holds) => {
    const [found] = story([{ on: '2025-01-11', promise: 'P', installments: [installment] }]);
    expect(found?.holds).toBe(holds);
  });

  test('a reason where there is none', () => {
    const [found] = story([{ on: '2025-01-11', promise: 'P', reason: 'paid_in_full' }]);
    expect([found?.actual['reason'], found?.holds]).toEqual([null, false]);
  });

  test('a promise that was never enrolled holds nothing', () => {
    const found = story([{ on: '2025-01-01', promise: 'P', status: 'active' }]);
    expect(found).toEqual([
      {
        expected: { on: '2025-01-01', promise: 'P', status: 'active' },
        actual: { on: '2025-01-01', promise: 'P', enrolled: false },
        holds: false,
      },
    ]);
  });
});

describe('what was answered', () => {
  const small = { policy: { preset: 'default', limits: { maxInstallments: 1 } } };
  const asked = (told: object, more: object): unknown[] =>
    story([], {
      ...more,
      promises: [
        {
          ...{ id: 'P', startDate: '2025-01-02', ...told },
          installments: [
            { dueDate: '2025-01-15', amountCents: 4000 },
            { dueDate: '2025-02-15', amountCents: 6000 },
          ],
        },
      ],
    }).map(({ expected, actual, holds }) => [
      ...[expected['accepted'], expected['refusal'], actual['accepted'], holds],
    ]);

  test.each<[string, object, object, unknown[]]>([
    ['accepted as it should be is not worth a line', {}, {}, []],
    ['refused, and the file knows', { accepted: false }, small, [[false, undefined, false, true]]],
    [
      'refused for the reason that the file names, in any case',
      ...([{ accepted: false, refusal: 'MaxInstallments' }, small] as const),
      [[false, 'MaxInstallments', false, true]],
    ],
    [
      'refused for another reason',
      ...([{ accepted: false, refusal: 'maxHorizonDays' }, small] as const),
      [[false, 'maxHorizonDays', false, false]],
    ],
    ['refused, and the file does not know', {}, small, [[true, undefined, false, false]]],
    ['accepted, and the file does not know', { accepted: false }, {}, [[false, undefined, true, false]]],
  ])('%s', (_, told, more, found) => {
    expect(asked(told, more)).toEqual(found);
  });
});

test.each([
  ['other_payor', 'not counted: it came from another payor'],
  ['other_promise', 'not counted: another promise has counted it'],
  ['other_transaction', 'not counted: it was applied to other bills'],
  ['other_debt_class', 'not counted: it paid another debt'],
  ['other_currency', 'not counted: it is in another currency'],
  ['reversed', 'not counted: it was reversed'],
  ['excess', 'not counted: it is over its installment (overpayment: ignore-excess)'],
  ['not_needed', 'not counted: it is more than was promised'],
  ['not_managed', 'not counted: nothing changes by itself here, staff close this promise'],
  ['too_early', 'not counted: it came before the promise began'],
] as const)('why money did not count: %s', (why, sentence) => {
  const facts = promise({ start: '2025-01-02', parts: [['2025-01-15', 100]] });
  const item = { paymentId: 'a', effectiveDate: '2025-01-01', cents: 1, why } as never;
  expect(notCountedWords({ facts, life: {} } as never, item, {} as never)).toBe(sentence);
});
