/**
 * Goal: which money counts for a promise, in which order, and what is said of the rest (R8–R11, R19).
 * Method: one account, two lines of 100.00, small sets of payments; `<payment>-><line>:<cents>` is what was taken,
 * `<payment>!<why>:<cents>` what was not.
 */
import {
  cents,
  epochMs,
  localDate,
  Purse,
  SELF,
  type Knowledge,
  type Payment,
  type RivalPromise,
} from '../../src/rules';
import { at, bounce, payment, promise, spent, unjudged, type Told } from './build';

const PARTS: Told['parts'] = [
  ['2025-01-15', 10000],
  ['2025-02-15', 10000],
];
const EVERYTHING: Knowledge = {
  atMs: at('2025-12-31'),
  inclusive: true,
  hearing: null,
  lastDay: localDate('2025-02-18'),
};

function counted(
  payments: Payment[],
  told: Partial<Told> = {},
  knowledge: Partial<Knowledge> = {},
): string[] {
  const facts = promise({ start: '2025-01-02', parts: PARTS, payments, ...told });
  const { lines, notCounted } = new Purse(facts).count(unjudged(facts), { ...EVERYTHING, ...knowledge });
  return [
    ...lines.flatMap(({ line, takes }) =>
      takes.map((take) => `${take.paymentId}->${line.seq}:${take.cents}`),
    ),
    ...notCounted.map(({ paymentId, why, cents: amount }) => `${paymentId}!${why}:${amount}`),
  ];
}

describe('R8: the window', () => {
  test.each([
    ['2025-01-01', 'a!too_early:100'],
    ['2025-01-02', 'a->1:100'],
    ['2025-02-18', 'a->1:100'],
    ['2025-02-19', 'a!too_late:100'],
  ])('money of %s', (day, said) => {
    expect(counted([payment('a', day, 100)])).toEqual([said]);
  });

  test('the start date itself does not count when the window is exclusive', () => {
    const told = { policy: { windowStart: 'exclusive' } } as const;
    expect(counted([payment('a', '2025-01-02', 100)], told)).toEqual(['a!too_early:100']);
    expect(counted([payment('a', '2025-01-03', 100)], told)).toEqual(['a->1:100']);
  });

  test('without a deadline under judgement there is no end', () => {
    expect(counted([payment('a', '2025-06-01', 100)], {}, { lastDay: null })).toEqual(['a->1:100']);
  });
});

describe('R5: what is known', () => {
  const posted = at('2025-01-10');
  test.each([
    ['a millisecond before, judged', epochMs(posted + 1), false, ['a->1:100']],
    ['at the instant, judged', posted, false, []],
    ['at the instant, asked', posted, true, ['a->1:100']],
    ['a millisecond later', epochMs(posted - 1), true, []],
  ])('posted %s', (_, atMs, inclusive, said) => {
    expect(counted([payment('a', '2025-01-10', 100)], {}, { atMs, inclusive })).toEqual(said);
  });

  test('late evidence is heard when it was in time, was posted by then, and had not bounced by then', () => {
    const late = { postedAtMs: at('2025-01-25') };
    const judged = { atMs: at('2025-01-19'), inclusive: false };
    const heard = (hearing: string, a: Payment): string[] =>
      counted([a], {}, { ...judged, hearing: { atMs: at(hearing), lastDay: localDate('2025-01-18') } });
    expect(heard('2025-01-25', payment('a', '2025-01-18', 100, late))).toEqual(['a->1:100']);
    expect(heard('2025-01-24', payment('a', '2025-01-18', 100, late))).toEqual([]);
    expect(heard('2025-01-25', payment('a', '2025-01-19', 100, late))).toEqual([]);
    const bounced = { ...late, reversal: bounce('2025-01-27') };
    expect(heard('2025-01-26', payment('a', '2025-01-18', 100, bounced))).toEqual(['a->1:100']);
    expect(heard('2025-01-27', payment('a', '2025-01-18', 100, bounced))).toEqual([]);
  });
});

describe('R10: the order', () => {
  test('earliest installment first, what is over flows on, and the rest is not needed', () => {
    expect(counted([payment('a', '2025-01-10', 15000), payment('b', '2025-01-11', 6000)])).toEqual([
      'a->1:10000',
      'a->2:5000',
      'b->2:5000',
      'b!not_needed:1000',
    ]);
  });

  test('by effective date, then id, whatever the order of the files', () => {
    const payments = [
      payment('c', '2025-01-09', 4000),
      payment('b', '2025-01-11', 4000),
      payment('a', '2025-01-11', 4000, { postedAtMs: at('2025-01-20') }),
    ];
    const said = ['c->1:4000', 'a->1:4000', 'b->1:2000', 'b->2:2000'];
    expect(counted(payments)).toEqual(said);
    expect(counted(payments.toReversed())).toEqual(said);
  });
});

describe('R9, R11: whose money', () => {
  const tender = (payor: string, amount: number) => ({ payor, amountCents: cents(amount) });
  const both = (): Payment =>
    payment('a', '2025-01-10', 5000, { tenders: [tender(SELF, 3000), tender('church', 2000)] });
  const rival = (from: string, until: string | null): RivalPromise => ({
    payor: 'church',
    fromMs: at(from),
    untilMs: until === null ? null : at(until),
  });

  test("the account's own promise counts anyone's money", () => {
    expect(counted([both()])).toEqual(['a->1:5000']);
  });

  test.each([
    ['2025-01-05', null, ['a->1:3000', 'a!other_payor:2000']],
    ['2025-01-10', '2025-01-11', ['a->1:3000', 'a!other_payor:2000']],
    ['2025-01-11', null, ['a->1:5000']],
    ['2025-01-05', '2025-01-10', ['a->1:3000', 'a!other_payor:2000']],
    ['2025-01-05', '2025-01-10T11:59', ['a->1:5000']],
  ])('but not that of a payor with a promise of its own, from %s to %s', (from, until, said) => {
    expect(counted([both()], { more: { rivals: [rival(from, until)] } })).toEqual(said);
  });

  test("a third party's promise counts only its own tenders", () => {
    expect(counted([both()], { more: { payor: 'church' } })).toEqual(['a->1:2000', 'a!other_payor:3000']);
  });

  test('other classes and currencies do not count', () => {
    expect(
      counted([
        payment('a', '2025-01-10', 100, { debtClass: 'sewer' }),
        payment('b', '2025-01-10', 100, { currency: 'CAD' }),
      ]),
    ).toEqual(['a!other_debt_class:100', 'b!other_currency:100']);
  });

  test('cents that another promise was credited with count once', () => {
    const used = (amount: number): Payment => payment('a', '2025-01-10', 5000, { spent: spent(amount) });
    expect(counted([used(2000)])).toEqual(['a->1:3000', 'a!other_promise:2000']);
    expect(counted([used(5000)])).toEqual(['a!other_promise:5000']);
  });
});

test('R19: reversed money is gone from the moment its reversal is known', () => {
  const bounced = payment('a', '2025-01-10', 100, { reversal: bounce('2025-01-20') });
  expect(counted([bounced])).toEqual(['a!reversed:100']);
  expect(counted([bounced], {}, { atMs: at('2025-01-20') })).toEqual(['a!reversed:100']);
  expect(counted([bounced], {}, { atMs: at('2025-01-20'), inclusive: false })).toEqual(['a->1:100']);
});
