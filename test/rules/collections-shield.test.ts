/**
 * Goal: what may be collected says why, as data and in sentences that a clerk can read out, and both are true of every policy.
 * Method: promises judged by the rules themselves; the sentences are compared whole. Properties over drawn promises.
 */
import fc from 'fast-check';
import {
  cents,
  collectible,
  collectibleOf,
  debtOn,
  evaluate,
  localDate,
  shieldSentences,
  totalOf,
  ZERO,
  type CollectibleDebt,
  type DebtPart,
  type PolicyOptions,
  type ShieldingPromise,
} from '../../src/rules';
import { at, payment, promise, type Told } from './build';

const TODAY = localDate('2026-02-01');
const NOW = at('2026-02-01 09:00');
const part = (dueDate: string, amount: number): DebtPart => ({
  dueDate: localDate(dueDate),
  cents: cents(amount),
});
const owed = (...parts: DebtPart[]) =>
  debtOn({ asOfMs: NOW, parts }, { paidCents: ZERO, returnedCents: ZERO, returnedOn: null }, TODAY);
const DEBT = owed(part('2026-01-15', 9000), part('2026-01-20', 6000), part('2026-02-15', 4000));

function shielding(promiseId: string, told: Partial<Told> = {}): ShieldingPromise {
  const facts = promise({
    start: '2026-01-20',
    parts: [
      ['2026-01-31', 5000],
      ['2026-02-28', 5000],
      ['2026-03-31', 5000],
    ],
    payments: [payment('M', '2026-01-30', 5000)],
    ...told,
    more: { promiseId, ...told.more },
  });
  return { promiseId, policy: facts.policy, life: evaluate(facts, NOW) };
}
const words = (answer: CollectibleDebt): string[] => shieldSentences(answer, 'USD');

test('the unpaid installments of a promise are kept out, and named', () => {
  const answer = collectibleOf(DEBT, [shielding('P-7')]);
  expect(answer).toMatchObject({
    ...{ arrearsCents: 15000, shieldedCents: 10000, collectibleCents: 5000, reason: 'partly-shielded' },
    collectibleParts: [part('2026-01-20', 5000)],
    promises: [
      {
        ...{ promiseId: 'P-7', by: 'net-amount', cents: 10000, capCents: 0, aheadCents: 0, status: 'active' },
        unpaidLines: [
          { seq: 2, dueDate: '2026-02-28', unpaidCents: 5000 },
          { seq: 3, dueDate: '2026-03-31', unpaidCents: 5000 },
        ],
      },
    ],
  });
  expect(words(answer)).toEqual([
    'Arrears $150.00 (oldest due 15 Jan 2026).',
    'Promise P-7 shields $100.00: installments 2 and 3 are unpaid.',
    'Collectible: $50.00, the oldest of it due 20 Jan 2026.',
  ]);
});

test('without a promise all of it; nothing past due, nothing to collect', () => {
  expect(words(collectibleOf(DEBT, []))).toEqual([
    'Arrears $150.00 (oldest due 15 Jan 2026).',
    'Collectible: $150.00.',
  ]);
  const none = collectibleOf(owed(part('2026-02-15', 4000)), [shielding('P-7')]);
  expect(none).toMatchObject({ collectibleCents: 0, shieldedCents: 0, reason: 'nothing-past-due' });
  expect(words(none)[0]).toBe('Nothing is past due; $40.00 is owed but not past due.');
  expect(words(none).at(-1)).toBe('Collectible: $0.00.');
});

test('two payors: both are taken off, and never below zero', () => {
  const church = shielding('P-8', {
    more: { promiseId: 'P-8', payor: 'church' },
    payments: [],
    start: '2026-01-31',
  });
  const answer = collectibleOf(DEBT, [shielding('P-7'), church]);
  expect(answer).toMatchObject({ collectibleCents: 0, shieldedCents: 15000, reason: 'fully-shielded' });
  expect(answer.collectibleParts).toEqual([]);
  expect(words(answer)).toEqual([
    'Arrears $150.00 (oldest due 15 Jan 2026).',
    'Promise P-7 shields $100.00: installments 2 and 3 are unpaid.',
    'Promise P-8 shields $150.00: installments 1, 2 and 3 are unpaid.',
    'Collectible: $0.00.',
  ]);
});

test.each<[string, Partial<PolicyOptions>, Partial<Told>, string, string]>([
  [
    'pause-all',
    { shield: 'pause-all' },
    {},
    'Promise P-7 pauses all collections while it is active: installments 2 and 3 are unpaid.',
    'paused',
  ],
  ['none', { shield: 'none' }, {}, 'Promise P-7 shields nothing: its policy has no shield.', 'no-shield'],
  [
    'one line, partly paid',
    {},
    { payments: [payment('M', '2026-01-30', 12000)] },
    'Promise P-7 shields $30.00: $30.00 of installment 3, due 31 Mar 2026, is unpaid.',
    'partly-shielded',
  ],
  [
    'the cap: money waits for lines that are not current',
    { overpayment: 'current' },
    { payments: [payment('M', '2026-01-30', 8000)] },
    'Promise P-7 shields $70.00: installments 2 and 3 are unpaid, $100.00 in all, ' +
      'of which the cap takes off $30.00: money for it has come already.',
    'partly-shielded',
  ],
  [
    'without the cap',
    { overpayment: 'current', shieldCap: 'none' },
    { payments: [payment('M', '2026-01-30', 8000)] },
    'Promise P-7 shields $100.00: installments 2 and 3 are unpaid.',
    'partly-shielded',
  ],
  [
    'without the cap, money that has filled what is not due yet',
    { shieldCap: 'none' },
    { payments: [payment('M', '2026-01-30', 8000)] },
    'Promise P-7 shields $100.00: installments 2 and 3 are unpaid; ' +
      '$30.00 paid ahead shields on, for its policy has no cap.',
    'partly-shielded',
  ],
  [
    'without the cap, all of it paid ahead',
    { shieldCap: 'none', completion: 'after-last-due-date' },
    { payments: [payment('M', '2026-01-30', 15000)] },
    'Promise P-7 shields $100.00: $100.00 paid ahead shields on, for its policy has no cap.',
    'partly-shielded',
  ],
  [
    'broken by now, whether settled or not',
    {},
    { parts: [['2026-01-22', 5000]], payments: [] },
    'Promise P-7 shields nothing: it is broken.',
    'no-shield',
  ],
])('%s', (_, policy, told, sentence, reason) => {
  const answer = collectibleOf(DEBT, [shielding('P-7', { policy, ...told })]);
  expect(words(answer)[1]).toBe(sentence);
  expect(answer.reason).toBe(reason);
});

test('many installments are told as a run', () => {
  const parts = Array.from({ length: 12 }, (_, index): [string, number] => [
    `2026-${String(index + 1).padStart(2, '0')}-28`,
    500,
  ]);
  const answer = collectibleOf(DEBT, [
    shielding('P-7', { parts, payments: [payment('M', '2026-01-27', 500)] }),
  ]);
  expect(words(answer)[1]).toBe('Promise P-7 shields $55.00: installments 2 to 12 are unpaid.');
});

test('a promise without an end shields everything; one that cannot be judged, too, until somebody has looked', () => {
  const open: ShieldingPromise = shielding('P-7');
  const endless = { ...open, life: { ...open.life, isOpenEnded: true } };
  const answer = collectibleOf(DEBT, [endless]);
  expect(answer).toMatchObject({ collectibleCents: 0, reason: 'open-ended' });
  expect(words(answer)[1]).toMatch(/^Promise P-7 has no end and shields everything: installments 2 and 3/);
  const unreadable = collectibleOf(DEBT, [], ['P-9']);
  expect(unreadable).toMatchObject({ collectibleCents: 0, reason: 'promise-unreadable' });
  expect(words(unreadable)[1]).toBe(
    'Promise P-9 cannot be judged: nothing may be collected until somebody has looked at it.',
  );
});

test('money since the statement is told', () => {
  const since = { paidCents: cents(3000), returnedCents: cents(1000), returnedOn: TODAY };
  const debt = debtOn({ asOfMs: NOW, parts: [part('2026-01-15', 9000)] }, since, TODAY);
  expect(words(collectibleOf(debt, []))).toEqual([
    'Arrears $70.00 (oldest due 15 Jan 2026).',
    'Since the statement $30.00 was paid and $10.00 of payments went back; that is reckoned in.',
    'Collectible: $70.00.',
  ]);
});

test('whatever is owed and promised, the parts are the collectible, and it is what the one function of the shield says', () => {
  const drawn = fc.array(
    fc.record({
      paid: fc.integer({ min: 1, max: 20_000 }),
      shield: fc.constantFrom<PolicyOptions['shield'][]>('net-amount', 'none', 'pause-all'),
      overpayment: fc.constantFrom<PolicyOptions['overpayment'][]>('pool', 'current'),
      shieldCap: fc.constantFrom<PolicyOptions['shieldCap'][]>('none', 'promise-remaining'),
    }),
    { maxLength: 3 },
  );
  const parts = fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 5 });
  fc.assert(
    fc.property(drawn, parts, (all, amounts) => {
      const promises = all.map(({ paid, ...policy }, index) =>
        shielding(`P-${index}`, { policy, payments: [payment('M', '2026-01-30', paid)] }),
      );
      const debt = owed(...amounts.map((amount, index) => part(`2026-01-${10 + index}`, amount)));
      const answer = collectibleOf(debt, promises);
      expect(answer.collectibleCents).toBe(collectible(debt.arrearsCents, promises).collectibleCents);
      expect(totalOf(answer.collectibleParts)).toBe(answer.collectibleCents);
      expect(answer.shieldedCents + answer.collectibleCents).toBe(answer.arrearsCents);
      for (const { by, cents: amount, capCents, aheadCents, unpaidLines } of answer.promises) {
        if (by !== 'net-amount') continue;
        const unpaid = unpaidLines.reduce((sum, { unpaidCents }) => sum + unpaidCents, 0);
        expect((amount ?? 0) + capCents - aheadCents).toBe(unpaid);
      }
    }),
    { numRuns: 60 },
  );
});
