/**
 * Goal: the story of a scenario says in plain sentences, day by day, what the rules decided, and nothing else.
 * Method: small stories with every sentence that they must give, written by hand; and for every file of test/facts, the
 * story's end beside what the rules say of the same instant.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addDays, endOfDayMs, evaluate, type LocalDate } from '../../src/rules';
import { timelineOf, type Timeline, type TimelineEntry } from '../../src/rules/scenario/timeline';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';

type Part = readonly [dueDate: string, amountCents: number];

function parts(...all: readonly Part[]): object[] {
  return all.map(([dueDate, amountCents]) => ({ dueDate, amountCents }));
}

function story(scenario: object): Timeline {
  const rest = { id: 'story', title: 'A story', source: 'test', policy: { preset: 'default' } };
  return timelineOf(parseScenario({ ...rest, ...scenario }));
}

/** `01-15 12:00 $60.00 received …`; with several promises, whose it is. */
function sentences(timeline: Timeline): string[] {
  const isOne = timeline.promises.length === 1;
  const line = ({ date, time, promiseId, sentence }: TimelineEntry): string =>
    [date.slice(5), time, ...(isOne ? [] : [promiseId ?? '-']), sentence].join(' ');
  return timeline.entries.map(line);
}

function pay(at: string, amountCents: number, more: object = {}): object {
  return { at, type: 'payment', amountCents, ...more };
}

const ONE = [{ id: 'P', startDate: '2025-01-02', installments: parts(['2025-01-15', 10000]) }];
const TWO = [
  { id: 'P', startDate: '2025-01-02', installments: parts(['2025-01-15', 10000], ['2025-02-15', 10000]) },
];

const STORIES: [name: string, scenario: object, told: string[]][] = [
  [
    'nothing comes',
    { promises: ONE },
    [
      '01-02 00:00 Enrolled: $100.00 due 15 Jan; first judged 19 Jan at 12:00.',
      '01-15 00:00 Due: the installment, $100.00; still in time through 18 Jan.',
      '01-16 00:00 Past due: $100.00 of the installment; still in time through 18 Jan.',
      '01-18 00:00 Last day of grace for the installment: $100.00 is missing.',
      '01-19 00:00 The last day for the installment is over with $100.00 missing; the verdict comes 19 Jan at 12:00.',
      '01-19 12:00 Broken: nothing of the $100.00 due 15 Jan 2025 was received by 18 Jan.',
    ],
  ],
  [
    'a part, then more than the rest; over the end of a year',
    {
      promises: [
        {
          id: 'P',
          startDate: '2024-12-20',
          installments: parts(['2024-12-30', 10000], ['2025-01-30', 5000]),
        },
      ],
      events: [pay('2024-12-28T09:30', 6000), pay('2024-12-31', 9500)],
    },
    [
      '12-20 00:00 Enrolled: $150.00 in 2 installments: $100.00 due 30 Dec and $50.00 due 30 Jan 2025; first judged 3 Jan 2025 at 12:00.',
      '12-28 09:30 $60.00 received → installment 1, now $60.00 of $100.00.',
      '12-30 00:00 Due: installment 1 of 2, $100.00, of which $40.00 is missing; still in time through 2 Jan 2025.',
      '12-31 00:00 Past due: $40.00 of installment 1 of 2; still in time through 2 Jan 2025.',
      '12-31 12:00 $95.00 received: $40.00 → installment 1, now $100.00 of $100.00; $50.00 → installment 2, now $50.00 of $50.00; $5.00 not counted: it is more than was promised.',
      '12-31 12:00 Kept: $150.00 in 2 installments was received in full by 31 Dec 2024.',
    ],
  ],
  [
    'received in time, posted after the verdict: late evidence, and what may be collected meanwhile',
    {
      promises: ONE,
      arrears: [{ from: '2025-01-02', cents: 25000 }],
      events: [pay('2025-01-18', 10000, { postedAt: '2025-01-21T08:00' })],
    },
    [
      '01-02 00:00 Enrolled: $100.00 due 15 Jan; first judged 19 Jan at 12:00.',
      '01-02 00:00 $150.00 of the $250.00 in arrears may be collected: the promise shields $100.00.',
      '01-15 00:00 Due: the installment, $100.00; still in time through 18 Jan.',
      '01-16 00:00 Past due: $100.00 of the installment; still in time through 18 Jan.',
      '01-18 00:00 Last day of grace for the installment: $100.00 is missing.',
      '01-18 12:00 $100.00 received, but not posted before 21 Jan at 08:00.',
      '01-19 00:00 The last day for the installment is over with $100.00 missing; the verdict comes 19 Jan at 12:00.',
      '01-19 12:00 Broken: nothing of the $100.00 due 15 Jan 2025 was received by 18 Jan.',
      '01-19 12:00 All $250.00 in arrears may be collected: no active promise shields it.',
      '01-21 08:00 $100.00 of 18 Jan is posted → the installment, now $100.00 of $100.00.',
      '01-21 08:00 Open again, revision 2: $100.00 of 18 Jan was received in time, so the verdict is taken back.',
      '01-21 08:00 Kept: $100.00 due 15 Jan 2025 was received in full by 18 Jan 2025.',
    ],
  ],
  [
    'posted at the very judge time is too late for it, but heard',
    { promises: ONE, events: [pay('2025-01-18', 10000, { postedAt: '2025-01-19' })] },
    [
      '01-02 00:00 Enrolled: $100.00 due 15 Jan; first judged 19 Jan at 12:00.',
      '01-15 00:00 Due: the installment, $100.00; still in time through 18 Jan.',
      '01-16 00:00 Past due: $100.00 of the installment; still in time through 18 Jan.',
      '01-18 00:00 Last day of grace for the installment: $100.00 is missing.',
      '01-18 12:00 $100.00 received, but not posted before 19 Jan at 12:00.',
      '01-19 00:00 The last day for the installment is over with $100.00 missing; the verdict comes 19 Jan at 12:00.',
      '01-19 12:00 Broken: nothing of the $100.00 due 15 Jan 2025 was received by 18 Jan.',
      '01-19 12:00 $100.00 of 18 Jan is posted → the installment, now $100.00 of $100.00.',
      '01-19 12:00 Open again, revision 2: $100.00 of 18 Jan was received in time, so the verdict is taken back.',
      '01-19 12:00 Kept: $100.00 due 15 Jan 2025 was received in full by 18 Jan 2025.',
    ],
  ],
  [
    'kept, bounced, open again, and money after the end',
    {
      promises: ONE,
      policy: { preset: 'default', reversalGraceDays: 2, postingLagHours: 0 },
      events: [
        pay('2025-01-14', 10000, { id: 'one' }),
        { at: '2025-01-20', type: 'reversal', payment: 'one', reason: 'nsf' },
        pay('2025-01-25', 1000),
      ],
    },
    [
      '01-02 00:00 Enrolled: $100.00 due 15 Jan; first judged 19 Jan at 00:00.',
      '01-14 12:00 $100.00 received → the installment, now $100.00 of $100.00.',
      '01-14 12:00 Kept: $100.00 due 15 Jan 2025 was received in full by 14 Jan 2025.',
      '01-20 12:00 $100.00 of 14 Jan is reversed (nsf) after the promise was kept.',
      '01-20 12:00 Open again, revision 2: to be paid is $100.00 of the installment through 22 Jan; next judged 23 Jan at 00:00.',
      '01-22 00:00 Last day of grace for the installment: $100.00 is missing.',
      '01-23 00:00 Broken: nothing of the $100.00 due 15 Jan 2025 was received by 22 Jan; $100.00 of 14 Jan was reversed on 20 Jan (nsf).',
      '01-25 12:00 $10.00 received; it changes nothing, the promise was broken on 23 Jan.',
    ],
  ],
  [
    'a line bounces while the promise is active',
    {
      promises: TWO,
      events: [
        pay('2025-01-14', 10000, { id: 'one' }),
        { at: '2025-01-20', type: 'reversal', payment: 'one', reason: 'nsf', postedAt: '2025-01-22' },
        pay('2025-01-22T18:00', 20000),
      ],
    },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 12:00.',
      '01-14 12:00 $100.00 received → installment 1, now $100.00 of $100.00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00, paid already.',
      '01-19 12:00 Installment 1 of 2 passes: $100.00 was received by 18 Jan.',
      '01-22 12:00 $100.00 of 14 Jan is reversed as of 20 Jan (nsf): installment 1 is back at $0.00 of $100.00, in time through 20 Jan.',
      '01-22 12:00 Broken: nothing of installment 1 of 2, $100.00 due 15 Jan 2025, was received by 20 Jan; $100.00 of 14 Jan was reversed on 20 Jan (nsf).',
      '01-22 18:00 $200.00 received; it changes nothing, the promise was broken on 22 Jan.',
    ],
  ],
  [
    'money waits for its due date, and the promise for its last one (oracle-ccb)',
    { promises: TWO, policy: { preset: 'oracle-ccb' }, events: [pay('2025-01-10', 20000)] },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 00:00.',
      '01-10 12:00 $200.00 received, waits: $100.00 until 15 Jan, the rest for later installments.',
      '01-15 00:00 $100.00 of 10 Jan, which waited → installment 1, now $100.00 of $100.00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00, paid already.',
      '01-19 00:00 Installment 1 of 2 passes: $100.00 was received by 18 Jan.',
      '02-15 00:00 $100.00 of 10 Jan, which waited → installment 2, now $100.00 of $100.00.',
      '02-15 00:00 Kept: $200.00 in 2 installments was received in full by 10 Jan 2025.',
    ],
  ],
  [
    'two payments wait, each for its own date (oracle-ccb)',
    {
      promises: TWO,
      policy: { preset: 'oracle-ccb' },
      events: [pay('2025-01-10', 10000), pay('2025-01-12', 10000)],
    },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 00:00.',
      '01-10 12:00 $100.00 received, waits until 15 Jan.',
      '01-12 12:00 $100.00 received, waits until 15 Feb.',
      '01-15 00:00 $100.00 of 10 Jan, which waited → installment 1, now $100.00 of $100.00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00, paid already.',
      '01-19 00:00 Installment 1 of 2 passes: $100.00 was received by 18 Jan.',
      '02-15 00:00 $100.00 of 12 Jan, which waited → installment 2, now $100.00 of $100.00.',
      '02-15 00:00 Kept: $200.00 in 2 installments was received in full by 12 Jan 2025.',
    ],
  ],
  [
    'all is paid, but the policy waits for the last date',
    {
      promises: ONE,
      policy: { preset: 'default', completion: 'after-last-due-date' },
      events: [pay('2025-01-10', 10000)],
    },
    [
      '01-02 00:00 Enrolled: $100.00 due 15 Jan; first judged 19 Jan at 12:00.',
      '01-10 12:00 $100.00 received → the installment, now $100.00 of $100.00; nothing is missing, next decided 15 Jan at 00:00.',
      '01-15 00:00 Kept: $100.00 due 15 Jan 2025 was received in full by 10 Jan 2025.',
    ],
  ],
  [
    'one miss is allowed, caught up, and missed again (oracle-ccb-eu)',
    { promises: TWO, policy: { preset: 'oracle-ccb-eu' }, events: [pay('2025-01-25', 10000)] },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 00:00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00; still in time through 18 Jan.',
      '01-16 00:00 Past due: $100.00 of installment 1 of 2; still in time through 18 Jan.',
      '01-18 00:00 Last day of grace for installment 1 of 2: $100.00 is missing.',
      '01-19 00:00 Missed: nothing of installment 1 of 2, $100.00, was received by 18 Jan; the promise goes on (missesAllowed: 1), and collections is told.',
      '01-25 12:00 $100.00 received → installment 1, now $100.00 of $100.00.',
      '01-25 12:00 Caught up: installment 1 of 2 is no longer missed.',
      '02-15 00:00 Due: installment 2 of 2, $100.00; still in time through 18 Feb.',
      '02-16 00:00 Past due: $100.00 of installment 2 of 2; still in time through 18 Feb.',
      '02-18 00:00 Last day of grace for installment 2 of 2: $100.00 is missing.',
      '02-19 00:00 Missed: nothing of installment 2 of 2, $100.00, was received by 18 Feb; the promise goes on (missesAllowed: 1), and collections is told.',
    ],
  ],
  [
    'a tolerance forgives, and later money comes in its place',
    {
      promises: TWO,
      policy: { preset: 'default', toleranceCents: 500 },
      events: [pay('2025-01-15', 9700), pay('2025-02-14', 10100)],
    },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 12:00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00; still in time through 18 Jan.',
      '01-15 12:00 $97.00 received → installment 1, now $97.00 of $100.00.',
      '01-16 00:00 Past due: $3.00 of installment 1 of 2; still in time through 18 Jan.',
      '01-18 00:00 Last day of grace for installment 1 of 2: $3.00 is missing.',
      '01-19 00:00 The last day for installment 1 of 2 is over with $3.00 missing; the verdict comes 19 Jan at 12:00.',
      '01-19 12:00 Installment 1 of 2 passes: $97.00 of $100.00 was received by 18 Jan; the $3.00 missing is within the tolerance.',
      '02-14 12:00 $101.00 received: $3.00 → installment 1, now $100.00 of $100.00; $98.00 → installment 2, now $98.00 of $100.00.',
      '02-15 00:00 Due: installment 2 of 2, $100.00, of which $2.00 is missing; still in time through 18 Feb.',
      '02-16 00:00 Past due: $2.00 of installment 2 of 2; still in time through 18 Feb.',
      '02-18 00:00 Last day of grace for installment 2 of 2: $2.00 is missing.',
      '02-19 00:00 The last day for installment 2 of 2 is over with $2.00 missing; the verdict comes 19 Feb at 12:00.',
      '02-19 12:00 Kept: $198.00 of $200.00 in 2 installments was received by 14 Feb 2025; the $2.00 missing is within the tolerance and forgiven.',
    ],
  ],
  [
    'gates: a down payment and an approval, asked for in vain once more',
    {
      policy: {
        preset: 'default',
        limits: { downPaymentCents: 2500, approvalAboveCents: 9000, approvalWithinDays: 5 },
      },
      promises: [
        { id: 'P', startDate: '2025-01-02', installments: parts(['2025-01-05', 2500], ['2025-02-05', 7500]) },
      ],
      events: [
        pay('2025-01-04', 2500),
        { at: '2025-01-05T09:00', type: 'approve' },
        { at: '2025-01-05T10:00', type: 'approve' },
        { at: '2025-01-06T10:00', type: 'cancel', reason: 'customer_request' },
        { at: '2025-01-07T10:00', type: 'cancel', reason: 'customer_request' },
      ],
    },
    [
      '01-02 00:00 Enrolled: $100.00 in 2 installments: $25.00 due 5 Jan and $75.00 due 5 Feb; first judged 6 Jan at 12:00; it waits for approval (until 6 Jan at 12:00) and the down payment of $25.00 (due 5 Jan).',
      '01-04 12:00 $25.00 received → the down payment, now $25.00 of $25.00.',
      '01-04 12:00 The down payment is there; it waits for approval (until 6 Jan at 12:00).',
      '01-05 00:00 Due: the down payment, $25.00, paid already.',
      '01-05 09:00 Approved: the promise is active.',
      '01-05 10:00 Promise P waits for no approval: to approve it changes nothing.',
      '01-06 10:00 Cancelled on 6 Jan 2025: the customer asked for it; $25.00 of $100.00 had been received.',
      '01-07 10:00 Cancel refused: promise P has ended: it is cancelled and cannot be cancelled.',
    ],
  ],
  [
    'amended, and one amendment refused; then the debt is gone',
    {
      promises: TWO,
      events: [
        pay('2025-01-15', 10000),
        { at: '2025-01-20', type: 'amend', installments: parts(['2025-03-01', 4000], ['2025-04-01', 6000]) },
        { at: '2025-01-21', type: 'amend', installments: parts(['2025-01-01', 10000]), accepted: false },
        { at: '2025-02-20', type: 'balance-cleared' },
      ],
    },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 12:00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00; still in time through 18 Jan.',
      '01-15 12:00 $100.00 received → installment 1, now $100.00 of $100.00.',
      '01-19 12:00 Installment 1 of 2 passes: $100.00 was received by 18 Jan.',
      '01-20 12:00 Amended, revision 2: $100.00 in 2 installments: $40.00 due 1 Mar and $60.00 due 1 Apr; next judged 5 Mar at 12:00.',
      '01-21 12:00 Amendment refused: the due date 2025-01-01 lies before 2025-01-21, the day of the amendment.',
      '02-20 12:00 The debt is gone, otherwise than by payment.',
      '02-20 12:00 Kept on 20 Feb 2025: nothing is left to collect; the $100.00 still promised was settled otherwise than by payment.',
    ],
  ],
  [
    'two payors, one refused; a collections step spares the third party',
    {
      promises: [
        { id: 'P', startDate: '2025-01-02', installments: parts(['2025-01-15', 10000]) },
        { id: 'Q', startDate: '2025-01-03', installments: parts(['2025-01-15', 5000]), accepted: false },
        { id: 'R', payor: 'agency', startDate: '2025-01-03', installments: parts(['2025-01-06', 5000]) },
      ],
      arrears: [{ from: '2025-01-02', cents: 15000 }],
      events: [
        { at: '2025-01-04', type: 'collection-event' },
        pay('2025-01-05', 5000, { payor: 'agency' }),
        pay('2025-01-08', 100),
      ],
    },
    [
      '01-02 00:00 P Enrolled: $100.00 due 15 Jan; first judged 19 Jan at 12:00.',
      '01-02 00:00 - $50.00 of the $150.00 in arrears may be collected: promise P shields $100.00.',
      '01-03 00:00 Q Enrollment refused: the account has an active promise on this debt already, P; amend or cancel it first (R25).',
      '01-03 00:00 R Enrolled, paid by agency: $50.00 due 6 Jan; first judged 10 Jan at 12:00.',
      '01-03 00:00 - Nothing of the $150.00 in arrears may be collected: promise P shields $100.00 and promise R shields $50.00.',
      "01-04 12:00 - A collections step ends the account's promises.",
      '01-04 12:00 P Cancelled on 4 Jan 2025: a collections step ended it; nothing of $100.00 had been received.',
      "01-04 12:00 R Stays active: agency pays it, and a collections step ends only the account's own promises.",
      '01-04 12:00 - $100.00 of the $150.00 in arrears may be collected: promise R shields $50.00.',
      '01-05 12:00 R $50.00 received → the installment, now $50.00 of $50.00.',
      '01-05 12:00 R Kept: $50.00 due 6 Jan 2025 was received in full by 5 Jan 2025.',
      '01-05 12:00 - All $150.00 in arrears may be collected: no active promise shields it.',
      '01-08 12:00 R $1.00 received from the account itself; it changes nothing, the promise was kept on 5 Jan.',
    ],
  ],
  [
    'an earlier payment, posted later, comes before one that is known',
    {
      promises: TWO,
      events: [pay('2025-01-07', 10000), pay('2025-01-06', 5000, { postedAt: '2025-01-08' })],
    },
    [
      '01-02 00:00 Enrolled: $200.00 in 2 installments of $100.00, due 15 Jan and 15 Feb; first judged 19 Jan at 12:00.',
      '01-06 12:00 $50.00 received, but not posted before 8 Jan at 12:00.',
      '01-07 12:00 $100.00 received → installment 1, now $100.00 of $100.00.',
      '01-08 12:00 $50.00 of 6 Jan is posted → installment 1, now $100.00 of $100.00.',
      '01-08 12:00 $50.00 of 7 Jan, which paid installment 1 before → installment 2, now $50.00 of $100.00.',
      '01-15 00:00 Due: installment 1 of 2, $100.00, paid already.',
      '01-19 12:00 Installment 1 of 2 passes: $100.00 was received by 18 Jan.',
      '02-15 00:00 Due: installment 2 of 2, $100.00, of which $50.00 is missing; still in time through 18 Feb.',
      '02-16 00:00 Past due: $50.00 of installment 2 of 2; still in time through 18 Feb.',
      '02-18 00:00 Last day of grace for installment 2 of 2: $50.00 is missing.',
      '02-19 00:00 The last day for installment 2 of 2 is over with $50.00 missing; the verdict comes 19 Feb at 12:00.',
      '02-19 12:00 Broken: $50.00 of installment 2 of 2, $100.00 due 15 Feb 2025, was received by 18 Feb.',
    ],
  ],
  [
    'after the cut-off, for the next business day, and from somebody else',
    {
      tenant: { cutoff: '17:00' },
      policy: { preset: 'default', graceDays: 0, postingLagHours: 24, payor: 'promise-payor' },
      promises: [{ id: 'P', startDate: '2025-03-03', installments: parts(['2025-03-14', 7500]) }],
      events: [pay('2025-03-13', 500, { payor: 'aunt' }), pay('2025-03-14T17:01', 7500)],
    },
    [
      '03-03 00:00 Enrolled: $75.00 due 14 Mar; first judged 16 Mar at 00:00.',
      '03-13 12:00 $5.00 received from aunt, not counted: it came from another payor.',
      '03-14 00:00 Due: the installment, $75.00; there is no grace.',
      '03-14 17:01 $75.00 received after the cut-off (for 17 Mar), not counted before the verdict: it came after 14 Mar, the last day for the installment.',
      '03-15 00:00 Past due: $75.00 of the installment; the verdict comes 16 Mar at 00:00.',
      '03-16 00:00 Broken: nothing of the $75.00 due 14 Mar 2025 was received by 14 Mar; $5.00 of 13 Mar came from another payor; $75.00 arrived on 17 Mar, three days late.',
    ],
  ],
  [
    'bills to stay current with',
    {
      policy: { preset: 'sap-fica', stayCurrent: true },
      transactions: [{ id: 'W-2', amountCents: 8000, dueDate: '2025-02-10', issued: '2025-02-01' }],
      promises: [{ id: 'P', startDate: '2025-01-02', installments: parts(['2025-03-15', 10000]) }],
      events: [pay('2025-02-05', 4000, { applied: { 'W-2': 4000 } })],
    },
    [
      '01-02 00:00 Enrolled: $100.00 due 15 Mar; first judged 18 Mar at 00:00.',
      '02-01 00:00 A new bill, W-2: $80.00, due 10 Feb; the promise holds only if it is paid by 12 Feb (stayCurrent).',
      '02-05 12:00 $40.00 received, not counted: it was applied to other bills.',
      '02-13 00:00 Broken: the current bill W-2, $80.00 due 10 Feb 2025, was not paid in full by 12 Feb 2025, and this promise asks to stay current.',
    ],
  ],
  [
    'twelve uneven parts, and a start that money comes before',
    {
      promises: [
        {
          id: 'P',
          startDate: '2025-01-02',
          installments: parts(
            ...Array.from({ length: 6 }, (_, month): Part => [
              `2025-0${month + 1}-15`,
              month === 5 ? 3385 : 3383,
            ]),
          ),
        },
      ],
      events: [pay('2025-01-01', 500), { at: '2025-01-03', type: 'service-stopped' }],
    },
    [
      '01-01 12:00 $5.00 received: no promise has begun yet.',
      '01-02 00:00 Enrolled: $203.00 in 6 installments of $33.83, the last $33.85, due from 15 Jan to 15 Jun; first judged 19 Jan at 12:00.',
      '01-03 12:00 The last service of the debt class is stopped.',
      '01-03 12:00 Cancelled on 3 Jan 2025: the last service was stopped; nothing of $203.00 had been received.',
    ],
  ],
];

test.each(STORIES)('%s', (_, scenario, told) => {
  expect(sentences(story(scenario))).toEqual(told);
});

test('a promise without an end is told up to the judge time after the story', () => {
  const timeline = story({
    policy: { preset: 'collect', onMiss: 'stay-past-due' },
    promises: [
      {
        id: 'P',
        startDate: '2025-01-02',
        repeat: { firstDueDate: '2025-01-31', amountCents: 5000, every: 'month' },
      },
    ],
    events: [pay('2025-01-31', 5000)],
  });
  expect(sentences(timeline)).toEqual([
    '01-02 00:00 Enrolled: $50.00 monthly from 31 Jan, without an end; first judged 4 Feb at 00:00.',
    '01-31 00:00 Due: installment 1, $50.00; still in time through 3 Feb.',
    '01-31 12:00 $50.00 received → installment 1, now $50.00 of $50.00.',
    '02-04 00:00 Installment 1 passes: $50.00 was received by 3 Feb.',
  ]);
  expect(timeline.promises).toMatchObject([
    {
      status: 'active',
      stands: 'Still active, without an end: next due 28 Feb; next judged 4 Mar at 00:00.',
    },
  ]);
});

test('a promise that only money can end says so, and one that was refused has no life', () => {
  const { promises } = story({
    policy: { preset: 'oracle-ccb-eu' },
    promises: [...TWO, { ...TWO[0], id: 'Q', startDate: '2025-01-03', accepted: false }],
    events: [pay('2025-02-10', 10000)],
  });
  expect(promises).toEqual([
    {
      promiseId: 'P',
      status: 'active',
      reason: null,
      revision: 1,
      stands: 'Still active: $100.00 is missing, all of it past due; only money or staff can end it.',
      verdicts: [],
    },
    { promiseId: 'Q', status: 'refused', reason: null, revision: 0, stands: null, verdicts: [] },
  ]);
});

test('a story that would never end is cut, and says so', () => {
  const timeline = story({
    policy: { preset: 'collect', onMiss: 'stay-past-due', graceDays: 0 },
    promises: [
      {
        id: 'P',
        startDate: '2025-01-01',
        repeat: { firstDueDate: '2025-01-08', amountCents: 1000, every: 'week', count: 1200 },
      },
    ],
  });
  expect(timeline.entries.length).toBeLessThan(3_000);
  expect(timeline.entries.at(-1)?.sentence).toBe('The story goes on like this; it is told up to here.');
});

describe('test/facts', () => {
  const folder = join(__dirname, '../facts');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && !file.includes('.schema.'));

  test.each(files)('%s', (file) => {
    const scenario = parseScenario(JSON.parse(readFileSync(join(folder, file), 'utf8')), file);
    const { entries, promises } = timelineOf(scenario);
    expect(entries.map(({ atMs }) => atMs)).toEqual(entries.map(({ atMs }) => atMs).sort((a, b) => a - b));
    for (const { sentence } of entries) {
      expect(sentence).toMatch(/^[$A-Z].*\.$/);
      expect(sentence).not.toMatch(/undefined|NaN|null|\.\.|;;|: \./);
    }
    // What is told is what the rules say: the same outcomes, in the same order, with the same words.
    const lastMs = endOfDayMs(
      addDays(entries.at(-1)?.date ?? ('' as LocalDate), 1),
      scenario.tenant.timeZone,
    );
    const world = new World(scenario);
    world.advance(lastMs);
    for (const { promiseId, status, revision, verdicts } of promises) {
      const look = world.look(promiseId, lastMs, entries.at(-1)?.date ?? ('' as LocalDate));
      if (look === undefined) {
        expect(status).toBe('refused');
        continue;
      }
      expect({ status, revision }).toEqual({ status: look.life.status, revision: look.life.revision });
      const { outcomes } = evaluate(look.facts, lastMs);
      expect(verdicts.map((verdict) => `${verdict.revision} ${verdict.status} ${verdict.reason}`)).toEqual(
        outcomes.map((outcome) => `${outcome.revision} ${outcome.status} ${outcome.reason}`),
      );
      const told = entries.filter(
        (entry) => entry.promiseId === promiseId && /^(kept|broken|cancelled)$/.test(entry.kind),
      );
      expect(told.map(({ sentence }) => sentence)).toEqual(verdicts.map(({ sentence }) => sentence));
    }
  });
});
