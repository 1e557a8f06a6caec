/**
 * Goal: the decisions that the scenario files do not reach: ties within an instant, other promises of the payor, late
 * evidence that meets bounces, cancels, tolerance and bounces.
 * Method: small stories; `<revision> <status> <reason> <local time>` is a decision, told in order.
 */
import { evaluate, formatLocalTime, type PromiseFacts, type RivalPromise } from '../../src/rules';
import { at, bounce, NEW_YORK, payment, promise, spent, type Told } from './build';

const ONE: Told['parts'] = [['2025-01-15', 10000]];
const TWO: Told['parts'] = [
  ['2025-01-15', 10000],
  ['2025-02-15', 10000],
];
const START = '2025-01-02';

function decisions(facts: PromiseFacts, asOf = '2025-12-31'): string[] {
  const { outcomes, revisions, status } = evaluate(facts, at(asOf));
  const told = [
    ...outcomes.map((o) => ({ ...o, order: 1, what: `${o.status} ${o.reason}` })),
    ...revisions.map((r) => ({ ...r, order: 0, what: `opened by ${r.cause} of ${r.paymentId}` })),
  ].sort((a, b) => a.revision - b.revision || a.order - b.order);
  const lines = told.map(
    ({ revision, what, atMs }) => `${revision} ${what} ${formatLocalTime(atMs, NEW_YORK)}`,
  );
  return status === 'active' ? [...lines, 'active'] : lines;
}

const BROKEN = '1 broken installment_missed 2025-01-19 12:00';

describe('ties within an instant', () => {
  const JUDGE_TIME = '2025-01-19 12:00';

  test('posted a millisecond before the judge time it counts, at the judge time it is late evidence', () => {
    const story = (postedAtMs: number): PromiseFacts =>
      promise({
        start: START,
        parts: ONE,
        payments: [payment('a', '2025-01-18', 10000, { postedAtMs: postedAtMs as never })],
      });
    expect(decisions(story(at(JUDGE_TIME) - 1))).toEqual(['1 kept paid_in_full 2025-01-19 11:59']);
    expect(decisions(story(at(JUDGE_TIME)))).toEqual([
      BROKEN,
      '2 opened by late_evidence of a 2025-01-19 12:00',
      '2 kept paid_in_full 2025-01-19 12:00',
    ]);
  });

  test('a bounce and its replacement in one file leave no hole', () => {
    const posted = { postedAtMs: at('2025-01-27') };
    const payments = [
      payment('a', '2025-01-15', 10000, { reversal: bounce('2025-01-27') }),
      payment('b', '2025-01-27', 10000, posted),
      payment('c', '2025-02-10', 10000),
    ];
    expect(decisions(promise({ start: START, parts: TWO, payments }))).toEqual([
      '1 kept paid_in_full 2025-02-10 12:00',
    ]);
  });

  test('two bounces in one file: the later date gives the days', () => {
    const of = (day: string) => ({ ...bounce(day), postedAtMs: at('2025-01-28 13:00') });
    const payments = [
      payment('a', '2025-01-14', 5000, { reversal: of('2025-01-27') }),
      payment('b', '2025-01-15', 5000, { reversal: of('2025-01-28') }),
    ];
    expect(decisions(promise({ start: START, parts: TWO, payments }))).toEqual([
      '1 broken installment_missed 2025-01-29 12:00',
    ]);
  });

  test('a cancel at a judge time is too late, and money that completes wins over it', () => {
    const cancelled = (local: string) => ({
      cancellation: { atMs: at(local), reason: 'customer_request' as const },
    });
    expect(decisions(promise({ start: START, parts: ONE, more: cancelled(JUDGE_TIME) }))).toEqual([BROKEN]);
    const payments = [payment('a', '2025-01-10', 10000)];
    expect(decisions(promise({ start: START, parts: ONE, payments, more: cancelled('2025-01-10') }))).toEqual(
      ['1 kept paid_in_full 2025-01-10 12:00'],
    );
    expect(decisions(promise({ start: START, parts: ONE, payments, more: cancelled('2025-01-09') }))).toEqual(
      ['1 cancelled customer_request 2025-01-09 12:00'],
    );
  });
});

describe('R8: between a deadline and its judge time', () => {
  test('later money neither saves the line nor completes, until the judge time has passed', () => {
    const gap = payment('b', '2025-01-19', 10000, { postedAtMs: at('2025-01-19 08:00') });
    const paid = promise({ start: START, parts: TWO, payments: [payment('a', '2025-01-15', 10000), gap] });
    expect(evaluate(paid, at('2025-01-19 11:59')).unpaidCents).toBe(10000);
    expect(decisions(paid)).toEqual(['1 kept paid_in_full 2025-01-19 12:00']);
    expect(decisions(promise({ start: START, parts: ONE, payments: [gap] }))).toEqual([BROKEN]);
  });

  test('money dated ahead waits for its window', () => {
    const ahead = payment('a', '2025-02-10', 20000, { postedAtMs: at('2025-01-10') });
    const facts = promise({ start: START, parts: TWO, payments: [ahead] });
    expect(evaluate(facts, at('2025-01-11')).unpaidCents).toBe(20000);
    expect(decisions(facts)).toEqual([BROKEN]);
  });
});

describe('another promise of the same payor', () => {
  const rival = (from: string, until: string | null, payor = 'self'): RivalPromise => ({
    payor,
    fromMs: at(from),
    untilMs: until === null ? null : at(until),
  });
  const late = payment('a', '2025-01-16', 10000, { postedAtMs: at('2025-01-25') });
  const bounced = payment('a', '2025-01-07', 10000, { reversal: bounce('2025-01-10') });

  test('R15: late evidence does not bring the old one back', () => {
    const withRivals = (...rivals: RivalPromise[]): string[] =>
      decisions(promise({ start: START, parts: ONE, payments: [late], more: { rivals } }));
    const heard = [
      BROKEN,
      '2 opened by late_evidence of a 2025-01-25 12:00',
      '2 kept paid_in_full 2025-01-25 12:00',
    ];
    expect(withRivals(rival('2025-01-20', null))).toEqual([BROKEN]);
    expect(withRivals(rival('2025-01-20', '2025-01-24'))).toEqual(heard);
    expect(withRivals(rival('2025-01-20', null, 'church'))).toEqual(heard);
  });

  test('R15: money received too late is no evidence, and does not call up what was not heard', () => {
    const payments = [late, payment('b', '2025-02-01', 1)];
    const more = { rivals: [rival('2025-01-20', '2025-01-28')] };
    expect(decisions(promise({ start: START, parts: ONE, payments, more }))).toEqual([BROKEN]);
  });

  test('R11: money that another promise was credited with keeps nothing', () => {
    const payments = [payment('a', '2025-01-10', 10000, { spent: spent(1) })];
    expect(decisions(promise({ start: START, parts: ONE, payments }))).toEqual([BROKEN]);
  });

  test('R19: nor does a bounce reopen the kept one', () => {
    const withRivals = (...rivals: RivalPromise[]): string[] =>
      decisions(promise({ start: START, parts: ONE, payments: [bounced], more: { rivals } }));
    expect(withRivals(rival('2025-01-08', null))).toEqual(['1 kept paid_in_full 2025-01-07 12:00']);
    expect(withRivals()).toEqual([
      '1 kept paid_in_full 2025-01-07 12:00',
      '2 opened by reversal of a 2025-01-10 12:00',
      '2 broken installment_missed 2025-01-19 12:00',
    ]);
  });
});

describe('R15: late evidence', () => {
  const late = (id: string, day: string, posted: string, more = {}) =>
    payment(id, day, 10000, { postedAtMs: at(posted), ...more });

  test('one file for two lines is heard as a whole: no second broken on the way', () => {
    const payments = [late('a', '2025-01-16', '2025-02-25'), late('b', '2025-02-16', '2025-02-25')];
    expect(decisions(promise({ start: START, parts: TWO, payments }))).toEqual([
      BROKEN,
      '2 opened by late_evidence of a 2025-02-25 12:00',
      '2 kept paid_in_full 2025-02-25 12:00',
    ]);
  });

  test('later judge times are caught up, and a miss found there is decided when it is found', () => {
    const payments = [late('a', '2025-01-16', '2025-02-25')];
    expect(decisions(promise({ start: START, parts: TWO, payments }))).toEqual([
      BROKEN,
      '2 opened by late_evidence of a 2025-02-25 12:00',
      '2 broken installment_missed 2025-02-25 12:00',
    ]);
  });

  test('no kept is found in a past whose money has bounced since', () => {
    const payments = [
      late('a', '2025-01-16', '2025-03-25'),
      payment('b', '2025-02-10', 10000, { reversal: bounce('2025-02-11') }),
    ];
    expect(decisions(promise({ start: START, parts: TWO, payments }))).toEqual([
      BROKEN,
      '2 opened by late_evidence of a 2025-03-25 12:00',
      '2 broken installment_missed 2025-03-25 12:00',
    ]);
  });

  test('money that has bounced by then is no evidence', () => {
    const half = (id: string, posted: string, more = {}) =>
      late(id, '2025-01-16', posted, { ...of5000, ...more });
    const of5000 = { amountCents: 5000, tenders: [{ payor: 'self', amountCents: 5000 }] };
    const story = (bounced: string): string[] =>
      decisions(
        promise({
          start: START,
          parts: ONE,
          payments: [half('a', '2025-01-25', { reversal: bounce(bounced) }), half('b', '2025-01-27')],
        }),
      );
    expect(story('2025-01-26')).toEqual([BROKEN]);
    expect(story('2025-01-28')[1]).toBe('2 opened by late_evidence of b 2025-01-27 12:00');
  });

  test('money of another debt class opens nothing', () => {
    const payments = [late('a', '2025-01-16', '2025-01-25', { debtClass: 'sewer' })];
    expect(decisions(promise({ start: START, parts: ONE, payments }))).toEqual([BROKEN]);
  });
});

describe('R12 and R19: a tolerance and a bounce', () => {
  const policy: Told['policy'] = { toleranceCents: 100 as never };

  test('a bounce within the tolerance leaves a judged line satisfied', () => {
    const payments = [
      payment('a', '2025-01-10', 9950),
      payment('b', '2025-01-11', 50, { reversal: bounce('2025-01-30') }),
      payment('c', '2025-02-10', 9950),
    ];
    expect(decisions(promise({ start: START, parts: TWO, payments, policy }))).toEqual([
      '1 kept paid_within_tolerance 2025-02-19 12:00',
    ]);
  });

  test('the tolerance is cumulative: two short lines break together', () => {
    const payments = [payment('a', '2025-01-10', 9940), payment('b', '2025-02-10', 9950)];
    const facts = promise({ start: START, parts: TWO, payments, policy });
    expect(decisions(facts)).toEqual(['1 broken installment_missed 2025-02-19 12:00']);
  });

  test('cumulative over all lines whose deadlines have passed, and a percentage of all that was promised by then', () => {
    const small: Told['parts'] = [
      ['2025-01-15', 100],
      ['2025-02-15', 100],
    ];
    expect(decisions(promise({ start: START, parts: small, policy }))).toEqual([
      '1 broken installment_missed 2025-02-19 12:00',
    ]);
    const payments = [payment('a', '2025-01-10', 10000), payment('b', '2025-02-10', 8000)];
    const tenPercent = { tolerancePercent: 10 };
    expect(decisions(promise({ start: START, parts: TWO, payments, policy: tenPercent }))).toEqual([
      '1 kept paid_within_tolerance 2025-02-19 12:00',
    ]);
  });

  test('kept within the tolerance, a bounce beyond it opens the line again', () => {
    const payments = [
      payment('a', '2025-01-10', 9900),
      payment('b', '2025-01-11', 50, { reversal: bounce('2025-01-30') }),
      payment('c', '2025-01-12', 1, { reversal: bounce('2025-01-31') }),
    ];
    expect(decisions(promise({ start: START, parts: ONE, payments, policy }))).toEqual([
      '1 kept paid_within_tolerance 2025-01-19 12:00',
    ]);
    const beyond = [payment('a', '2025-01-10', 9899), ...payments.slice(1)];
    expect(decisions(promise({ start: START, parts: ONE, payments: beyond, policy }))).toEqual([
      '1 kept paid_within_tolerance 2025-01-19 12:00',
      '2 opened by reversal of c 2025-01-31 12:00',
      '2 broken installment_missed 2025-02-01 12:00',
    ]);
  });
});

test('a promise past its end has no next judge time, an active one has the earliest', () => {
  const facts = promise({ start: START, parts: TWO, payments: [payment('a', '2025-01-10', 10000)] });
  expect(evaluate(facts, at('2025-01-05')).nextJudgeAtMs).toBe(at('2025-01-19 12:00'));
  expect(evaluate(facts, at('2025-01-20')).nextJudgeAtMs).toBe(at('2025-02-19 12:00'));
  expect(evaluate(facts, at('2025-03-20')).nextJudgeAtMs).toBeNull();
});
