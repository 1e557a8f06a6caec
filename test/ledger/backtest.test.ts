/**
 * Goal: a utility that thinks of another policy sees which of its promises would have ended otherwise, which way, and why.
 * Method: a small ledger whose every promise is worked out by hand under several policies; what was recorded stays.
 */
import { amendPromise } from '../../src/enrollment/amend';
import { cancelPromise } from '../../src/enrollment/cancel';
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { BacktestTally, directionOf, replayAll, type Replay } from '../../src/ledger/passes/backtest';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { businessCalendar } from '../../src/rules/business-days';
import { epochMs, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import type { PolicyOptions } from '../../src/rules/policy';
import { DEFAULT_POLICY_OPTIONS, PRESETS } from '../../src/rules/presets';
import { Place, TIME_ZONE } from '../cis/place';
import { local, moveTo, settleDue, tamper } from './lively';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
  await tellTheLedger();
});
afterAll(() => place.close());

const T = 'hand';
const DAYS = [
  '2026-01-05',
  '2026-01-08',
  '2026-01-09',
  '2026-01-10',
  '2026-01-12',
  '2026-01-13',
  '2026-01-14',
];
const LATER_DAYS = [
  '2026-01-15',
  '2026-01-19',
  '2026-01-20',
  '2026-01-22',
  '2026-01-25',
  '2026-01-29',
  '2026-01-30',
];

/** Promise, due date, day of payment of all of it (or none). All start on 5 January under `default`: 3 days of grace. */
const PROMISES: readonly (readonly [id: string, due: string, paid: string | null, amountCents: number])[] = [
  ['IN-GRACE', '2026-01-10', '2026-01-12', 1000],
  ['LATE', '2026-01-10', '2026-01-15', 2000],
  ['NEVER', '2026-01-10', null, 3000],
  ['ON-TIME', '2026-01-10', '2026-01-09', 4000],
  ['CANCELLED', '2026-01-10', null, 5000],
  ['AMENDED', '2026-01-10', '2026-01-22', 6000],
  ['LAST', '2026-01-25', null, 7000],
  ['SATURDAY', '2026-01-10', '2026-01-12', 8000],
  ['BOUNCED', '2026-01-10', '2026-01-09', 9000],
];

async function tellTheLedger(): Promise<void> {
  const { ledger } = place;
  await place.sandbox(T, '2026-01-05 00:30');
  const accounts = PROMISES.map(([id]) => ({
    accountId: id,
    customerId: null,
    premiseId: null,
    debtClasses: ['water'],
  }));
  await ledger.forTenant(T, (tx) => putAccounts(tx, T, accounts));
  const options = () => ({ actor: 'test', realNowMs: Date.now(), wakeWorkflow: false, relayAfterMs: 0 });
  for (const day of [...DAYS, ...LATER_DAYS]) {
    await moveTo(ledger, T, `${day} 10:00`);
    for (const [id, due, paid, amountCents] of PROMISES) {
      if (day === '2026-01-05') {
        const input = { tenantId: T, promiseId: id, accountId: id, debtClass: 'water', startDate: day };
        const installments = [{ dueDate: due, amountCents }];
        expect(await enroll(ledger, { ...input, installments }, { actor: 'test' })).toMatchObject({
          result: 'enrolled',
        });
      }
      if (day === paid) {
        const of = { accountId: id, debtClass: 'water', currency: 'USD', amountCents: cents(amountCents) };
        await postPayment(ledger, T, { paymentId: `M-${id}`, ...of, receivedAtMs: local(`${day} 09:00`) });
      }
    }
    if (day === '2026-01-08')
      await cancelPromise(ledger, T, 'CANCELLED', { reason: 'customer_request' }, options());
    if (day === '2026-01-09') {
      const installments = [{ dueDate: '2026-01-20', amountCents: 6000 }];
      expect(await amendPromise(ledger, T, 'AMENDED', { installments }, options())).toMatchObject({
        result: 'done',
      });
    }
    if (day === '2026-01-12') {
      const reversal = { paymentId: 'M-BOUNCED', effectiveDate: localDate(day), reason: 'nsf' } as const;
      await postReversal(ledger, T, reversal);
    }
    await settleDue(ledger, T, local(`${day} 10:00`));
    await moveTo(ledger, T, `${day} 12:30`);
    await settleDue(ledger, T, local(`${day} 12:30`));
  }
}

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly closedDays?: readonly string[];
}

async function replayed(options: Partial<PolicyOptions>, asked: Asked = {}): Promise<Replay[]> {
  const { from = '2026-01-01 00:00', to = '2026-02-01 00:00', limit = 1000, closedDays = [] } = asked;
  const replays: Replay[] = [];
  const table = {
    version: 1,
    weekend: ['sat', 'sun'] as const,
    closedDays: closedDays.map(localDate),
    cutoff: null,
  };
  const parts = replayAll(place.ledger, {
    tenantId: T,
    policy: { ...DEFAULT_POLICY_OPTIONS, ...options, name: 'other', version: 1 },
    calendar: businessCalendar(TIME_ZONE, table),
    ...{ fromMs: local(from), toMs: local(to), nowMs: local('2026-01-30 12:30'), limit },
  });
  for await (const part of parts) {
    expect(part.failures).toEqual([]);
    replays.push(...part.replays);
  }
  return replays;
}

const flips = (replays: readonly Replay[]): string[] =>
  replays
    .filter((one) => directionOf(one) !== 'same')
    .map((one) => `${one.promiseId}: ${one.recorded.status} > ${one.replayed.status}, ${directionOf(one)}`);

test('what was recorded, by the rule book', async () => {
  const recorded = (await replayed({})).map(
    ({ promiseId, recorded: { status, reason } }) => `${promiseId} ${status} ${reason}`,
  );
  expect(recorded).toEqual([
    'AMENDED kept paid_in_full', // due 20 January, in time through the 23rd
    'BOUNCED broken installment_missed',
    'CANCELLED cancelled customer_request',
    'IN-GRACE kept paid_in_full',
    'LAST broken installment_missed', // due 25 January, judged on the 29th
    'LATE broken installment_missed',
    'NEVER broken installment_missed',
    'ON-TIME kept paid_in_full',
    'SATURDAY kept paid_in_full',
  ]);
});

test('under the policy that they were made under nothing flips', async () => {
  expect(flips(await replayed({}))).toEqual([]);
});

test('no days of grace, and kept is final: who paid in the days of grace breaks, whose payment bounced is kept', async () => {
  const replays = await replayed(PRESETS['oracle-collections']);
  expect(flips(replays)).toEqual([
    'AMENDED: kept > broken, against',
    'BOUNCED: broken > kept, in favor', // kept on the 9th; a bounce after that changes nothing there
    'IN-GRACE: kept > broken, against',
    'SATURDAY: kept > broken, against',
  ]);
  const amended = replays.find(({ promiseId }) => promiseId === 'AMENDED');
  expect(amended).toMatchObject({
    ...{ isAmended: true, promisedCents: 6000 },
    recorded: { sentence: expect.stringMatching(/^Kept: \$60\.00 due 20 Jan 2026 was received in full/) },
    replayed: {
      sentence: expect.stringMatching(
        /^Broken: nothing of the \$60\.00 due 20 Jan 2026 was received by 20 Jan/,
      ),
    },
  });
});

test('a week of grace: the late one would be kept, and the last one would be open still', async () => {
  const replays = await replayed({ graceDays: 7 });
  expect(flips(replays)).toEqual(['LAST: broken > open, in favor', 'LATE: broken > kept, in favor']);
  expect(replays.find(({ promiseId }) => promiseId === 'LAST')?.replayed).toEqual({
    ...{ status: 'open', reason: null },
    sentence: 'Still open: $0.00 of $70.00 counted; next judged 2026-02-02 12:00.',
  });
});

test('a roll: a Saturday paid on Monday is in time, unless the Monday is closed as well and the Tuesday is not', async () => {
  const rolled = { graceDays: 0, postingLagHours: 0, dueDateRoll: 'following' } as const;
  // 10 January 2026 is a Saturday.
  expect(flips(await replayed(rolled))).toEqual(['AMENDED: kept > broken, against']);
  expect(flips(await replayed({ ...rolled, dueDateRoll: 'none' }))).toContain(
    'SATURDAY: kept > broken, against',
  );
  const never = (await replayed(rolled, { closedDays: ['2026-01-12'] })).find(
    ({ promiseId }) => promiseId === 'NEVER',
  );
  expect(never?.replayed.sentence).toContain('was received by 13 Jan');
});

test('a policy that forgives: what was cancelled stays cancelled', async () => {
  expect(flips(await replayed({ onMiss: 'stay-past-due' }))).toEqual([
    'BOUNCED: broken > open, in favor',
    'LAST: broken > open, in favor',
    'LATE: broken > kept, in favor',
    'NEVER: broken > open, in favor',
  ]);
});

test('only those that ended in the span, to the instant, and no more than asked for', async () => {
  const ids = async (asked: Asked): Promise<string[]> =>
    (await replayed({}, asked)).map(({ promiseId }) => promiseId);
  expect(await ids({ from: '2026-01-29 12:00' })).toEqual(['LAST']);
  expect(await ids({ from: '2026-01-29 12:01' })).toEqual([]);
  expect(await ids({ to: '2026-01-08 10:00' })).toEqual([]);
  expect(await ids({ to: '2026-01-08 10:01' })).toEqual(['CANCELLED']);
  expect(await ids({ limit: 2 })).toEqual(['AMENDED', 'BOUNCED']);
});

test('the tally: cells, directions, reasons, cents', async () => {
  const tally = new BacktestTally();
  for (const one of await replayed(PRESETS['oracle-collections'])) tally.add(one);
  expect(tally.all).toEqual({ promises: 9, cents: 45_000 });
  expect(tally.amended).toBe(1);
  expect(tally.cell('kept', 'broken')).toEqual({ promises: 3, cents: 15_000 });
  expect(tally.cell('kept', 'kept')).toEqual({ promises: 1, cents: 4_000 });
  expect(tally.cell('broken', 'broken')).toEqual({ promises: 3, cents: 12_000 });
  expect(tally.cell('cancelled', 'cancelled')).toEqual({ promises: 1, cents: 5_000 });
  expect(tally.cell('broken', 'kept')).toEqual({ promises: 1, cents: 9_000 });
  expect(tally.cell('cancelled', 'open')).toEqual({ promises: 0, cents: 0 });
  expect(tally.towards('against')).toEqual({ promises: 3, cents: 15_000 });
  expect(tally.towards('in favor')).toEqual({ promises: 1, cents: 9_000 });
  expect(tally.towards('same')).toEqual({ promises: 5, cents: 21_000 });
  expect(tally.byReason).toEqual([
    {
      ...{ promises: 3, cents: 15_000 },
      recorded: { status: 'kept', reason: 'paid_in_full' },
      replayed: { status: 'broken', reason: 'installment_missed' },
    },
    {
      ...{ promises: 1, cents: 9_000 },
      recorded: { status: 'broken', reason: 'installment_missed' },
      replayed: { status: 'kept', reason: 'paid_in_full' },
    },
  ]);
});

test('one whose facts cannot be is named', async () => {
  await tamper(
    place.ledger,
    'installment',
    `delete from installment where tenant_id = '${T}' and promise_id = 'NEVER'`,
    {},
  );
  const test = {
    tenantId: T,
    policy: { ...DEFAULT_POLICY_OPTIONS, name: 'other', version: 1 },
    calendar: businessCalendar(TIME_ZONE),
    ...{ fromMs: epochMs(0), toMs: local('2026-02-01 00:00'), nowMs: local('2026-01-30 12:30'), limit: 1000 },
  };
  for await (const { replays, failures } of replayAll(place.ledger, test)) {
    expect(replays).toHaveLength(8);
    expect(failures).toEqual([{ promiseId: 'NEVER', message: 'Promise NEVER has no installments' }]);
  }
});
