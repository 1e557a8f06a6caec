/**
 * Goal: a schedule and what a payment was applied to are read as they are written, and what is wrong is said.
 * Method: tables of texts.
 */
import { parseApplied, parseSchedule } from '../../src/cis/schedule-text';

const MANY = Array.from(
  { length: 121 },
  (_, day) => `2026-02-${String((day % 28) + 1).padStart(2, '0')}=1.00`,
);

test.each<[string, object[]]>([
  ['2026-02-15=50.00', [{ dueDate: '2026-02-15', amountCents: 5000 }]],
  [
    ' 2026-03-15 = 1,050.5 ; 2026-02-15=50 ; ',
    [
      { dueDate: '2026-03-15', amountCents: 105050 },
      { dueDate: '2026-02-15', amountCents: 5000 },
    ],
  ],
  [
    '2026-02-15=50.00@INV-1;2026-02-15=30.00 @ INV.2_b',
    [
      { dueDate: '2026-02-15', amountCents: 5000, transactionId: 'INV-1' },
      { dueDate: '2026-02-15', amountCents: 3000, transactionId: 'INV.2_b' },
    ],
  ],
])('the schedule "%s"', (text, parts) => {
  expect(parseSchedule(text, 'USD')).toEqual(parts);
});

test.each([
  ['', /^is empty; write 2026-02-15=50\.00/],
  [';;', /^is empty/],
  ['2026-02-30=50.00', /^holds "2026-02-30", which is not a date/],
  ['50.00', /^holds "50\.00", which is not a date/],
  ['2026-02-15', /^holds for 2026-02-15 an amount that is not an amount/],
  ['2026-02-15=50.00=60.00', /an amount that is not an amount/],
  ['2026-02-15=50.005', /an amount that has more than 2 decimals/],
  ['2026-02-15=-50', /an amount that must be more than zero, not negative/],
  ['2026-02-15=50@', /^holds for 2026-02-15 the open item "", which is no id/],
  ['2026-02-15=50@A B', /the open item "A B", which is no id/],
  ['2026-02-15=50@A@B', /the open item "A@B", which is no id/],
  [MANY.join(';'), /^has 121 parts; 120 are the most$/],
])('the wrong schedule "%s"', (text, message) => {
  expect(parseSchedule(text, 'USD')).toMatch(message);
});

test('money was applied as it is written', () => {
  expect(parseApplied('INV-1=120.00; INV-2 = 80', 'USD')).toEqual({ 'INV-1': 12000, 'INV-2': 8000 });
});

test.each([
  ['INV-1', /^holds for INV-1 an amount that is not an amount/],
  ['=5.00', /^holds the open item "", which is no id; write INV-1=120\.00/],
  ['__proto__=5.00', /the open item "__proto__", which is no id/],
  ['INV-1=0', /^holds for INV-1 an amount that must be more than zero/],
  ['INV-1=5;INV-1=6', /^names INV-1 twice; put the amounts together/],
])('wrongly applied "%s"', (text, message) => {
  expect(parseApplied(text, 'USD')).toMatch(message);
});
