/**
 * Goal: what a promise's life tells beside its verdicts, and what happens at the very instants on which decisions hang: gates,
 * amendments, clearings, what is learned at a judge time.
 * Method: small stories; a notice is `<kind> <id> <local time>`. Found by changing the rules one sign at a time: nothing else
 * among the tests of the rules had noticed.
 */
import {
  cents,
  evaluate,
  formatLocalTime,
  localDate,
  Purse,
  type Evaluation,
  type PromiseFacts,
} from '../../src/rules';
import { at, bounce, NEW_YORK, payment, promise, unjudged, type Told } from './build';

const ONE: Told['parts'] = [['2025-01-15', 10000]];
const TWO: Told['parts'] = [
  ['2025-01-15', 10000],
  ['2025-02-15', 10000],
];
const START = '2025-01-02';
const JUDGED = '2025-01-19 12:00';
const END = at('2025-12-31');

const told = ({ notices }: Evaluation): string[] =>
  notices.map(({ kind, id, atMs }) => `${kind} ${id} ${formatLocalTime(atMs, NEW_YORK)}`);
const ends = ({ outcomes }: Evaluation): string[] =>
  outcomes.map(
    ({ revision, status, reason, atMs, lastDay }) =>
      `${revision} ${status} ${reason} ${formatLocalTime(atMs, NEW_YORK)} ${lastDay}`,
  );
const one = (more: Partial<Told> = {}): PromiseFacts => promise({ start: START, parts: ONE, ...more });
const two = (more: Partial<Told> = {}): PromiseFacts => promise({ start: START, parts: TWO, ...more });

describe('R15: a miss is told once, under the id of its line and judge time', () => {
  const policy = { onMiss: 'stay-past-due' } as const;
  const missed = (seq: number, local: string): string => `missed missed/1/${seq}/${at(local)} ${local}`;

  test('each line at its own', () => {
    const life = evaluate(two({ policy }), END);
    expect(told(life)).toEqual([missed(1, JUDGED), missed(2, '2025-02-19 12:00')]);
    expect(life.notices.map(({ seq, revision }) => [seq, revision])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test('not the one that was paid', () => {
    const payments = [payment('a', '2025-01-10', 10000)];
    expect(told(evaluate(two({ policy, payments }), END))).toEqual([missed(2, '2025-02-19 12:00')]);
  });
});

describe('R19: a bounce is told once', () => {
  test('while active, of each payment that counted', () => {
    const payments = [
      payment('a', '2025-01-10', 4000, { reversal: bounce('2025-01-12') }),
      payment('b', '2025-01-10', 4000, { reversal: bounce('2025-01-12') }),
      payment('other', '2025-01-10', 1000, { debtClass: 'sewer', reversal: bounce('2025-01-12') }),
    ];
    expect(told(evaluate(one({ payments }), at('2025-01-13')))).toEqual([
      'reversed reversed/a 2025-01-12 12:00',
      'reversed reversed/b 2025-01-12 12:00',
    ]);
  });

  test('also where late evidence makes it happen a second time', () => {
    const payments = [
      payment('a', '2025-01-10', 5000, { reversal: bounce('2025-01-22') }),
      payment('late', '2025-01-16', 10000, { postedAtMs: at('2025-01-25') }),
    ];
    const life = evaluate(one({ payments }), END);
    expect(told(life).filter((line) => line.startsWith('reversed'))).toEqual([
      'reversed reversed/a 2025-01-22 12:00',
    ]);
    expect(ends(life)).toEqual([
      '1 broken installment_missed 2025-01-19 12:00 2025-01-18',
      '2 kept paid_in_full 2025-01-25 12:00 2025-01-18',
    ]);
  });

  test('after it broke: of the money that it had counted only', () => {
    const payments = [
      payment('a', '2025-01-10', 5000, { reversal: bounce('2025-01-22') }),
      payment('after', '2025-01-20', 2000, { reversal: bounce('2025-01-23') }),
    ];
    expect(told(evaluate(one({ payments }), END))).toEqual(['reversed reversed/a 2025-01-22 12:00']);
  });

  test('reopened: a bill that was judged while it was kept is not judged again (R26)', () => {
    const bill = {
      ...{ transactionId: 'B', amountCents: cents(500), dueDate: localDate('2025-01-20'), closedAtMs: null },
      ...{ lastDay: localDate('2025-01-23') },
    };
    const story = (judged: string): Evaluation =>
      evaluate(
        two({
          policy: { stayCurrent: true },
          payments: [payment('a', '2025-01-10', 20000, { reversal: bounce('2025-01-28') })],
          more: { bills: [{ ...bill, deadlineMs: at('2025-01-24 00:00'), judgeAtMs: at(judged) }] },
        }),
        END,
      );
    // Kept until the bounce; then the installments have their days, and the bill is asked only where its time is to come.
    expect(ends(story('2025-01-24 12:00')).at(-1)).toBe(
      '2 broken installment_missed 2025-01-29 12:00 2025-01-28',
    );
    expect(ends(story('2025-01-28 12:00')).at(-1)).toBe(
      '2 broken installment_missed 2025-01-29 12:00 2025-01-28',
    );
    expect(ends(story('2025-01-28 18:00')).at(-1)).toBe(
      '2 broken current_bill_unpaid 2025-01-28 18:00 2025-01-23',
    );
  });
});

describe('R25: gates', () => {
  const approval = (decided: string | null, approved = true) => ({
    approval: {
      deadlineMs: at('2025-01-12 00:00'),
      decision: decided === null ? null : { atMs: at(decided), approved },
    },
  });

  test('an approval is there from its instant on', () => {
    const facts = one({ more: approval('2025-01-10') });
    expect(evaluate(facts, (at('2025-01-10') - 1) as never).status).toBe('pending');
    const life = evaluate(facts, at('2025-01-10'));
    expect([life.status, ...told(life)]).toEqual(['active', 'activated activated/1 2025-01-10 12:00']);
  });

  test.each([
    ['approved first', '2025-01-05', '2025-01-07', '2025-01-07 12:00'],
    ['paid first', '2025-01-07', '2025-01-05', '2025-01-07 12:00'],
  ])('with two gates it is active once both are open, and told once: %s', (_, approved, paid, active) => {
    const facts = two({
      payments: [payment('a', paid, 10000)],
      more: { ...approval(approved), hasDownPayment: true },
    });
    expect(evaluate(facts, (at('2025-01-07') - 1) as never).status).toBe('pending');
    expect(told(evaluate(facts, at('2025-01-10')))).toEqual([`activated activated/1 ${active}`]);
  });

  test('a down payment within the tolerance of its own amount passes at its judge time, and not before', () => {
    const facts = (paid: number): PromiseFacts =>
      two({
        policy: { toleranceCents: cents(100) },
        payments: [payment('a', '2025-01-05', paid)],
        more: { hasDownPayment: true },
      });
    const passes = facts(9900);
    expect(evaluate(passes, (at(JUDGED) - 1) as never).status).toBe('pending');
    expect(told(evaluate(passes, at(JUDGED)))).toEqual([`activated activated/1 ${JUDGED}`]);
    expect(ends(evaluate(facts(9899), END))).toEqual([
      '1 cancelled down_payment_missed 2025-01-19 12:00 2025-01-18',
    ]);
  });
});

describe('the very instant', () => {
  test('R5: enrolled at a judge time, it is judged with what was posted at that instant', () => {
    const posted = payment('a', '2025-01-18', 10000, { postedAtMs: at(JUDGED) });
    const facts = one({ payments: [posted], more: { enrolledAtMs: at(JUDGED) } });
    expect(ends(evaluate(facts, END))).toEqual(['1 kept paid_in_full 2025-01-19 12:00 2025-01-18']);
  });

  test('R17: a cancel has counted what was posted at its instant', () => {
    const facts = one({
      payments: [payment('a', '2025-01-10', 4000)],
      more: { cancellation: { atMs: at('2025-01-10'), reason: 'customer_request' } },
    });
    const [end] = evaluate(facts, END).outcomes;
    expect(end?.lines.map(({ countedCents }) => countedCents)).toEqual([4000]);
  });
});

test('R14: kept after the last judge time, the verdict names the last day of all', () => {
  const policy = { missesAllowed: 2, finalMiss: 'wait' } as const;
  const facts = two({ policy, payments: [payment('a', '2025-03-10', 20000)] });
  expect(ends(evaluate(facts, END))).toEqual(['1 kept paid_in_full 2025-03-10 12:00 2025-02-18']);
});

test('R18: lines after an amendment are in order of due date, numbered anew, and told', () => {
  const facts = two({
    payments: [payment('a', '2025-01-10', 10000)],
    more: {
      amendments: [
        {
          atMs: at('2025-01-11'),
          lines: two().lines.map((line, index) => ({
            ...line,
            dueDate: localDate(index === 0 ? '2025-03-15' : '2025-01-13'),
            amountCents: cents(5000),
          })),
        },
      ],
    },
  });
  const life = evaluate(facts, at('2025-01-12'));
  expect(life.lines.map(({ line: { seq, dueDate } }) => `${seq} ${dueDate}`)).toEqual([
    '1 2025-01-13',
    '2 2025-01-15',
    '3 2025-03-15',
  ]);
  expect(told(life)).toEqual(['amended amended/2 2025-01-11 12:00']);
});

describe('R11: what another promise had', () => {
  const spends = (...amounts: readonly (readonly [payor: string, amount: number, local: string])[]) =>
    amounts.map(([payor, amount, local]) => ({
      promiseId: 'Q',
      payor,
      cents: cents(amount),
      atMs: at(local),
    }));
  const usable = (
    spent: ReturnType<typeof spends>,
    more: Partial<Told> = {},
    asOf = '2025-02-01',
  ): number => {
    const facts = one({ payments: [payment('a', '2025-01-10', 10000, { spent })], ...more });
    const knowledge = { atMs: at(asOf), inclusive: true, hearing: null, lastDay: null };
    return new Purse(facts).tally(unjudged(facts), knowledge)[0] ?? 0;
  };

  test('is what it had when it ended last', () => {
    const twice = spends(['self', 5000, '2025-01-12'], ['self', 3000, '2025-01-20']);
    expect(usable(twice)).toBe(7000);
    expect(usable(twice, {}, '2025-01-15')).toBe(5000);
    expect(usable(spends(['self', 5000, '2025-01-12'], ['self', 0, '2025-01-20']))).toBe(10000);
  });

  test("the account's own promise sees at once what a third party had, a third party only afterwards", () => {
    const church = spends(['church', 6000, '2025-02-01']);
    expect(usable(church)).toBe(4000);
    const own = spends(['self', 6000, '2025-02-01']);
    const asChurch = { more: { payor: 'church', payments: [] } };
    const tenders = [{ payor: 'church', amountCents: cents(10000) }];
    const facts = (asOf: string): number => {
      const of = one({ ...asChurch, payments: [] });
      const paid = payment('a', '2025-01-10', 10000, { spent: own, tenders });
      const knowledge = { atMs: at(asOf), inclusive: true, hearing: null, lastDay: null };
      return new Purse({ ...of, payments: [paid] }).tally(unjudged(of), knowledge)[0] ?? 0;
    };
    expect(facts('2025-02-01')).toBe(10000);
    expect(facts('2025-02-02')).toBe(4000);
  });

  test('promise-payor-whole minds the same payor only', () => {
    const policy = { payor: 'promise-payor-whole' } as const;
    expect(usable(spends(['church', 6000, '2025-01-12']), { policy })).toBe(10000);
    expect(usable(spends(['self', 6000, '2025-01-12']), { policy })).toBe(4000);
  });
});
