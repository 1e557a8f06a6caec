/**
 * Goal: R28, a stored pay method is charged once a try, tried again by its rules, and never after it could help.
 * Method: stories of events; `<state> <what matters>` is where the charge stands after each.
 */
import {
  chargeKey,
  DEFAULT_RETRY_RULES,
  nextCharge,
  scheduleCharge,
  type Charge,
  type ChargedLine,
  type ChargeEvent,
} from '../../src/rules/autopay';
import { cents } from '../../src/rules/money';
import { localDate } from '../../src/rules/calendar';

const LINE: ChargedLine = {
  promiseId: 'P1',
  revision: 1,
  seq: 2,
  dueDate: localDate('2025-01-15'),
  lastDay: localDate('2025-01-21'),
};
const day = (date: string, unpaid = 5000): ChargeEvent => ({
  type: 'day',
  today: localDate(date),
  unpaidCents: cents(unpaid),
});
const key = (attempt: number): string => chargeKey(LINE, attempt);
const declined = (date: string, attempt: number, final = false): ChargeEvent => ({
  type: 'declined',
  key: key(attempt),
  today: localDate(date),
  final,
});
const accepted = (attempt: number): ChargeEvent => ({
  type: 'accepted',
  key: key(attempt),
  paymentId: `pay-${attempt}`,
});
const returned = (attempt: number, date: string): ChargeEvent => ({
  type: 'returned',
  paymentId: `pay-${attempt}`,
  today: localDate(date),
  final: false,
});

function said(charge: Charge): string {
  switch (charge.state) {
    case 'scheduled':
      return `scheduled ${charge.onDate} #${charge.attempt}`;
    case 'sent':
      return `sent ${charge.amountCents} ${charge.key}`;
    case 'paid':
      return `paid ${charge.paymentId}`;
    case 'given-up':
      return `given-up ${charge.why}`;
    case 'stopped':
      return 'stopped';
  }
}

function story(...events: ChargeEvent[]): string[] {
  let charge = scheduleCharge(LINE);
  return [said(charge), ...events.map((event) => said((charge = nextCharge(charge, event, LINE))))];
}

test.each<[string, ChargeEvent[], string[]]>([
  [
    'charged on its due date, not before',
    [day('2025-01-14'), day('2025-01-15'), accepted(1)],
    ['scheduled 2025-01-15 #1', 'sent 5000 P1/1/2/1', 'paid pay-1'],
  ],
  [
    'only what is still unpaid',
    [day('2025-01-14'), day('2025-01-15', 1200)],
    ['scheduled 2025-01-15 #1', 'sent 1200 P1/1/2/1'],
  ],
  ['nothing when it was paid by other means', [day('2025-01-15', 0)], ['stopped']],
  [
    'declined: tried again after two days, then three, within the days in time',
    [
      day('2025-01-15'),
      declined('2025-01-15', 1),
      day('2025-01-16'),
      day('2025-01-17'),
      declined('2025-01-17', 2),
      day('2025-01-20'),
    ],
    [
      'sent 5000 P1/1/2/1',
      'scheduled 2025-01-17 #2',
      'scheduled 2025-01-17 #2',
      'sent 5000 P1/1/2/2',
      'scheduled 2025-01-20 #3',
      'sent 5000 P1/1/2/3',
    ],
  ],
  [
    'and given up after the last try',
    [
      day('2025-01-15'),
      declined('2025-01-15', 1),
      day('2025-01-17'),
      declined('2025-01-17', 2),
      day('2025-01-20'),
      declined('2025-01-20', 3),
    ],
    [
      'sent 5000 P1/1/2/1',
      'scheduled 2025-01-17 #2',
      'sent 5000 P1/1/2/2',
      'scheduled 2025-01-20 #3',
      'sent 5000 P1/1/2/3',
      'given-up attempts',
    ],
  ],
  [
    'a final refusal ends it',
    [day('2025-01-15'), declined('2025-01-15', 1, true)],
    ['sent 5000 P1/1/2/1', 'given-up refused'],
  ],
  [
    'no try on a day that is too late to keep anything; the last day itself is in time',
    [day('2025-01-15'), declined('2025-01-19', 1)],
    ['sent 5000 P1/1/2/1', 'scheduled 2025-01-21 #2'],
  ],
  [
    'one day later it is',
    [day('2025-01-15'), declined('2025-01-20', 1)],
    ['sent 5000 P1/1/2/1', 'given-up too_late'],
  ],
  ['nor a first try that comes too late', [day('2025-01-22')], ['given-up too_late']],
  [
    'returned money is tried again as a new charge',
    [day('2025-01-15'), accepted(1), returned(1, '2025-01-17'), day('2025-01-19')],
    ['sent 5000 P1/1/2/1', 'paid pay-1', 'scheduled 2025-01-19 #2', 'sent 5000 P1/1/2/2'],
  ],
  [
    'answers of another try, and repeated ones, change nothing',
    [
      day('2025-01-15'),
      accepted(7),
      declined('2025-01-15', 2),
      accepted(1),
      accepted(1),
      returned(9, '2025-01-16'),
    ],
    [
      'sent 5000 P1/1/2/1',
      'sent 5000 P1/1/2/1',
      'sent 5000 P1/1/2/1',
      'paid pay-1',
      'paid pay-1',
      'paid pay-1',
    ],
  ],
  [
    'a promise that ends stops what was not sent',
    [{ type: 'stopped' }, day('2025-01-15')],
    ['stopped', 'stopped'],
  ],
  [
    'what was sent is waited for',
    [day('2025-01-15'), { type: 'stopped' }, accepted(1)],
    ['sent 5000 P1/1/2/1', 'sent 5000 P1/1/2/1', 'paid pay-1'],
  ],
])('%s', (_, events, expected) => {
  expect(story(...events).slice(1)).toEqual(expected);
});

test('a promise that takes money at any time is charged at any time', () => {
  const charge = scheduleCharge({ ...LINE, lastDay: null });
  expect(said(nextCharge(charge, day('2025-03-01'), { ...LINE, lastDay: null }))).toBe('sent 5000 P1/1/2/1');
});

test('without days for a further try, the last one stands', () => {
  const rules = { maxAttempts: 5, retryAfterDays: [] };
  const sent = nextCharge(scheduleCharge(LINE), day('2025-01-15'), LINE, rules);
  expect(said(nextCharge(sent, declined('2025-01-15', 1), LINE, rules))).toBe('scheduled 2025-01-16 #2');
  expect(DEFAULT_RETRY_RULES.maxAttempts).toBeGreaterThan(1);
});
