/**
 * Goal: a verdict explains itself (R20): one sentence that reads well, numbers that add up, the same bytes for ever.
 * Method: small stories with the sentence they must give; every verdict of 500 random stories explained twice, and
 * again from facts that went through JSON with their payments in another order.
 */
import {
  cents,
  epochMs,
  evaluate,
  explain,
  localDate,
  SELF,
  type PromiseFacts,
  type Verdict,
} from '../../src/rules';
import { randomStory } from '../oracle/oracle';
import { at, bounce, factsOf, payment, promise, spent, type Told } from './build';

const START = '2025-01-02';
const ONE: Told['parts'] = [['2025-01-15', 10000]];
const THREE: Told['parts'] = [
  ['2025-01-15', 10000],
  ['2025-02-15', 10000],
  ['2025-12-30', 10000],
];

function lastVerdict(facts: PromiseFacts, asOf = '2026-12-31'): Verdict {
  const outcome = evaluate(facts, at(asOf)).outcomes.at(-1);
  if (outcome === undefined) throw new Error('no verdict');
  return explain(facts, outcome, 'troth');
}

const BILL = {
  ...{ transactionId: 'B-7', amountCents: cents(2500), dueDate: localDate('2025-01-09'), closedAtMs: null },
  ...{
    lastDay: localDate('2025-01-12'),
    deadlineMs: at('2025-01-13 00:00'),
    judgeAtMs: at('2025-01-13 12:00'),
  },
};

const SENTENCES: [name: string, told: Omit<Told, 'start'> & { start?: string }, sentence: string][] = [
  [
    'paid in full',
    { parts: ONE, payments: [payment('a', '2025-01-10', 10000)] },
    'Kept: $100.00 due 15 Jan 2025 was received in full by 10 Jan 2025.',
  ],
  [
    'paid in full, in parts',
    { parts: THREE, payments: [payment('a', '2025-01-10', 10000), payment('b', '2025-01-12', 20000)] },
    'Kept: $300.00 in 3 installments was received in full by 12 Jan 2025.',
  ],
  [
    'within the tolerance',
    {
      parts: ONE,
      payments: [payment('a', '2025-01-10', 9950)],
      policy: { toleranceCents: 100 as never },
    },
    'Kept: $99.50 of $100.00 due 15 Jan 2025 was received by 10 Jan 2025; the $0.50 missing is within the tolerance and forgiven.',
  ],
  ['nothing came', { parts: ONE }, 'Broken: nothing of the $100.00 due 15 Jan 2025 was received by 18 Jan.'],
  [
    'part came, the rest too late',
    {
      parts: ONE,
      payments: [
        payment('a', '2025-01-14', 6000),
        payment('b', '2025-01-20', 4000, { postedAtMs: at('2025-01-20 08:00') }),
      ],
      policy: { postingLagHours: 48 },
    },
    'Broken: $60.00 of $100.00 due 15 Jan 2025 was received by 18 Jan; $40.00 arrived on 20 Jan, two days late.',
  ],
  [
    'one of three, over the end of the year',
    { parts: THREE, payments: [payment('a', '2025-01-10', 20000), payment('b', '2025-12-31', 2500)] },
    'Broken: $25.00 of installment 3 of 3, $100.00 due 30 Dec 2025, was received by 2 Jan 2026.',
  ],
  [
    'a day late and a bounce',
    {
      parts: THREE,
      payments: [
        payment('a', '2025-01-10', 5000, { reversal: bounce('2025-01-16') }),
        payment('b', '2025-01-19', 5000, { postedAtMs: at('2025-01-19 08:00') }),
      ],
    },
    'Broken: nothing of installment 1 of 3, $100.00 due 15 Jan 2025, was received by 18 Jan; $50.00 of 10 Jan was reversed on 16 Jan (nsf); $50.00 arrived on 19 Jan, one day late.',
  ],
  [
    'too early, another debt, another promise, and more',
    {
      parts: ONE,
      payments: [
        payment('a', '2025-01-01', 1000),
        payment('b', '2024-12-20', 99999, { debtClass: 'sewer' }),
        payment('c', '2025-01-05', 2000, { debtClass: 'sewer' }),
        payment('d', '2025-01-06', 3000, { spent: spent(3000) }),
        payment('e', '2025-01-07', 4000, { tenders: [{ payor: 'church', amountCents: 4000 as never }] }),
      ],
      more: { rivals: [{ payor: 'church', fromMs: at('2025-01-03'), untilMs: null }] },
    },
    'Broken: nothing of the $100.00 due 15 Jan 2025 was received by 18 Jan; $10.00 of 1 Jan came before the promise began; $20.00 of 5 Jan paid another debt; $30.00 of 6 Jan had paid another promise; 1 more payment did not count.',
  ],
  [
    'two lines on one day',
    { parts: [...ONE, ['2025-01-15', 5000]] },
    'Broken: nothing of installment 1 of 2, $100.00 due 15 Jan 2025, was received by 18 Jan; 1 more installment was short too.',
  ],
  [
    'a bounce after kept',
    {
      parts: ONE,
      payments: [payment('a', '2025-01-10', 10000, { reversal: bounce('2025-01-29') })],
      policy: { reversalAfterKept: 'break' },
    },
    'Broken: nothing of the $100.00 due 15 Jan 2025 is left after a reversal; $100.00 of 10 Jan was reversed on 29 Jan (nsf).',
  ],
  [
    'short lines that only together exceed the tolerance',
    {
      parts: THREE,
      payments: [payment('a', '2025-01-10', 9940), payment('b', '2025-02-10', 9950)],
      policy: { toleranceCents: 100 as never },
    },
    'Broken: $98.90 of installment 2 of 3, $100.00 due 15 Feb 2025, was received by 18 Feb.',
  ],
  [
    'cancelled',
    {
      parts: THREE,
      payments: [payment('a', '2025-01-10', 4000)],
      more: { cancellation: { atMs: at('2025-01-12'), reason: 'service_stopped' } },
    },
    'Cancelled on 12 Jan 2025: the last service was stopped; $40.00 of $300.00 had been received.',
  ],
  [
    'cancelled without any money',
    { parts: ONE, more: { cancellation: { atMs: at('2025-01-12'), reason: 'other' } } },
    'Cancelled on 12 Jan 2025: for another reason, see the note; nothing of $100.00 had been received.',
  ],
  [
    'a down payment that did not come (R25)',
    { parts: THREE, payments: [payment('a', '2025-01-10', 4000)], more: { hasDownPayment: true } },
    'Cancelled: $40.00 of the down payment, $100.00 due 15 Jan 2025, was received by 18 Jan 2025; the promise never began.',
  ],
  [
    'a down payment whose miss is a broken promise',
    { parts: THREE, policy: { limits: { downPaymentMissed: 'break' } }, more: { hasDownPayment: true } },
    'Broken: nothing of the down payment, $100.00 due 15 Jan 2025, was received by 18 Jan.',
  ],
  [
    'a current bill that was not paid (R26)',
    { parts: THREE, policy: { stayCurrent: true }, more: { bills: [BILL] } },
    'Broken: the current bill B-7, $25.00 due 9 Jan 2025, was not paid in full by 12 Jan 2025, and this promise asks to stay current.',
  ],
  [
    'nothing left to collect (R13)',
    { parts: THREE, payments: [payment('a', '2025-01-10', 4000)], more: { clearings: [at('2025-01-12')] } },
    'Kept on 12 Jan 2025: nothing is left to collect; the $260.00 still promised was settled otherwise than by payment.',
  ],
  [
    'nothing left to collect, and the policy cancels for it',
    { parts: ONE, policy: { balanceCleared: 'cancel' }, more: { clearings: [at('2025-01-12')] } },
    'Cancelled on 12 Jan 2025: nothing is left to collect; nothing of $100.00 had been received.',
  ],
  [
    'an approval that did not come (R25)',
    { parts: ONE, more: { approval: { deadlineMs: at('2025-01-09 00:00'), decision: null } } },
    'Cancelled on 9 Jan 2025: it was not approved; nothing of $100.00 had been received.',
  ],
  [
    'managed by hand (R22)',
    {
      parts: ONE,
      more: { autoManaged: false, cancellation: { atMs: at('2025-01-12'), reason: 'customer_request' } },
    },
    'Cancelled on 12 Jan 2025: the customer asked for it; it was managed by hand.',
  ],
  [
    'money of another debt, told only when it came within the window',
    {
      parts: ONE,
      payments: [
        payment('a', '2025-01-02', 1000, { debtClass: 'sewer' }),
        payment('b', '2025-01-18', 2000, { debtClass: 'sewer' }),
        payment('c', '2025-01-01', 3000, { debtClass: 'sewer' }),
        payment('d', '2025-01-19', 4000, { debtClass: 'sewer', postedAtMs: at('2025-01-19 08:00') }),
      ],
    },
    'Broken: nothing of the $100.00 due 15 Jan 2025 was received by 18 Jan; $10.00 of 2 Jan paid another debt; $20.00 of 18 Jan paid another debt.',
  ],
];

test.each(SENTENCES)('%s', (_, told, sentence) => {
  expect(lastVerdict(promise({ start: START, ...told })).sentence).toBe(sentence);
});

test('a verdict carries everything that decided it', () => {
  const facts = promise({
    start: START,
    parts: THREE,
    payments: [
      payment('a', '2025-01-14', 16000),
      payment('late', '2025-02-19', 4000, { postedAtMs: at('2025-02-19 07:00') }),
    ],
  });
  expect(lastVerdict(facts)).toEqual({
    promiseId: 'P1',
    revision: 1,
    status: 'broken',
    reason: 'installment_missed',
    sentence:
      'Broken: $60.00 of installment 2 of 3, $100.00 due 15 Feb 2025, was received by 18 Feb; $40.00 arrived on 19 Feb, one day late.',
    decidedAt: '2025-02-19T17:00:00.000Z',
    decidedBy: 'troth',
    rules: ['R4', 'R5', 'R8', 'R9', 'R10', 'R12', 'R15'],
    policy: { name: 'test', version: 1 },
    calendarVersion: 'test',
    codeVersion: '2',
    window: { from: '2025-01-02', to: '2025-02-18' },
    requiredCents: 20000,
    countedCents: 16000,
    shortfallCents: 4000,
    forgivenCents: 0,
    installments: [
      {
        seq: 1,
        dueDate: '2025-01-15',
        lastDay: '2025-01-18',
        deadline: '2025-01-19T05:00:00.000Z',
        amountCents: 10000,
        countedCents: 10000,
        status: 'kept',
        counted: [{ paymentId: 'a', effectiveDate: '2025-01-14', cents: 10000 }],
      },
      {
        seq: 2,
        dueDate: '2025-02-15',
        lastDay: '2025-02-18',
        deadline: '2025-02-19T05:00:00.000Z',
        amountCents: 10000,
        countedCents: 6000,
        status: 'broken',
        counted: [{ paymentId: 'a', effectiveDate: '2025-01-14', cents: 6000 }],
      },
      {
        seq: 3,
        dueDate: '2025-12-30',
        lastDay: '2026-01-02',
        deadline: '2026-01-03T05:00:00.000Z',
        amountCents: 10000,
        countedCents: 0,
        status: 'excused',
        counted: [],
      },
    ],
    notCounted: [{ paymentId: 'late', effectiveDate: '2025-02-19', cents: 4000, why: 'too_late' }],
  });
});

test('a verdict on a current bill carries the bill, one on a down payment asks for that only, and names its rules', () => {
  const bill = lastVerdict(
    promise({ start: START, parts: THREE, policy: { stayCurrent: true }, more: { bills: [BILL] } }),
  );
  expect(bill.bill).toEqual({ transactionId: 'B-7', dueDate: '2025-01-09', amountCents: 2500 });
  expect(bill.rules).toEqual(['R4', 'R5', 'R26']);
  const down = lastVerdict(
    promise({ start: START, parts: THREE, more: { hasDownPayment: true, payor: 'church' } }),
  );
  expect([down.requiredCents, down.shortfallCents, down.bill]).toEqual([10000, 10000, undefined]);
  expect(down.rules).toEqual(['R4', 'R5', 'R8', 'R9', 'R10', 'R12', 'R25', 'R27']);
});

test('the same facts give the same bytes, and the numbers of a verdict agree', () => {
  const end = epochMs(Date.parse('2027-01-01'));
  let verdicts = 0;
  for (let seed = 1; seed <= 500; seed += 1) {
    const facts = factsOf(randomStory(seed));
    const again = JSON.parse(
      JSON.stringify({ ...facts, payments: facts.payments.toReversed() }),
    ) as PromiseFacts;
    const bytesOf = (given: PromiseFacts): string =>
      JSON.stringify(evaluate(given, end).outcomes.map((outcome) => explain(given, outcome, SELF)));
    expect(bytesOf(again)).toBe(bytesOf(facts));
    for (const verdict of JSON.parse(bytesOf(facts)) as Verdict[]) {
      verdicts += 1;
      const takes = verdict.installments.flatMap(({ counted }) => counted.map(({ cents }) => cents));
      expect(takes.reduce((a, b) => a + b, 0)).toBe(verdict.countedCents);
      expect(verdict.sentence).toMatch(/^(Kept|Broken|Cancelled)\b.{20,}\.$/);
      expect(verdict.sentence).not.toMatch(/undefined|NaN|null| {2}|-\$|\b-\d|,;|,\./);
      if (verdict.status === 'kept') expect(verdict.shortfallCents).toBe(verdict.forgivenCents);
      if (verdict.status === 'broken') expect(verdict.shortfallCents).toBeGreaterThan(0);
    }
  }
  expect(verdicts).toBeGreaterThan(500);
});
