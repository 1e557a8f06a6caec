/**
 * Goal: whoever looks at promises sees how each stands today: what is past due, what comes next, what it waits for, how it
 * came to be as it is – also as people know it who come from Oracle Advanced Collections.
 * Method: the built command line on a real PostgreSQL; one sandbox whose clock moves, settled by hand where a worker
 * would.
 */
import { postReversal } from '../../src/ledger/payments';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { moveClock } from '../../src/ledger/tenants';
import { localDate, localTimeMs, type EpochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { Place, TIME_ZONE } from '../cis/place';
import { expectNarrow, Promised } from './promised';

const TENANT = 'looks';
let place: Place;
let clerk: Promised;
beforeAll(async () => {
  place = await Place.open();
  clerk = await Promised.open(place, TENANT);
});
afterAll(() => place.close());

const clockTo = (time: string): Promise<unknown> =>
  place.ledger.forTenant(TENANT, (tx) =>
    moveClock(tx, TENANT, localTimeMs(time, TIME_ZONE) as EpochMs, 'test'),
  );
const settle = (id: string): Promise<unknown> => settlePromise(place.ledger, TENANT, id, Date.now());
const show = (id: string, ...args: string[]): Promise<string> => clerk.troth('promise', 'show', id, ...args);
const list = (...args: string[]): Promise<string> => clerk.troth('promise', 'list', ...args);

test('what a pending promise waits for', async () => {
  const limits = { approvalAboveCents: cents(5000), approvalWithinDays: 3, downPaymentCents: cents(2000) };
  await clerk.policy('gates', { limits });
  await clerk.promise('PENDING', ['2026-01-20=3000', '2026-02-20=3000'], { policy: 'gates' });
  const waits = 'approval by 2026-01-09 00:00 and down payment of $30.00 by 20 Jan 2026';
  expect(await show('PENDING')).toContain(`\n  Waits for  ${waits}\n`);
  const text = await list('--account', 'A-PENDING');
  expectNarrow(text);
  expect(text).toMatch(
    /^PENDING +A-PENDING +water +20 Jan 2026 +1\/2 +\$0\.00 of \$60\.00 +pending +approval by/m,
  );
  expect(await clerk.json('promise', 'show', 'PENDING')).toMatchObject({
    ...{ status: 'pending', waitsFor: waits, oracleView: { status: '', state: 'Promise' } },
  });
  await clerk.troth('cancel', 'PENDING', '--reason', 'customer_request');
});

test('a repeating promise in words, and one that is managed by hand', async () => {
  const repeat = { amountCents: 2500, frequency: 'on 5 and 20', firstDueDate: '2026-01-20' };
  await clerk.promise('REPEATS', [], { installments: undefined, repeat });
  await clerk.promise('BY-HAND', [], {
    ...{ installments: undefined, payor: 'C-7', policy: 'collect', payMethod: 'autopay' },
    repeat: { ...repeat, frequency: 'monthly', count: 3, autoManaged: false },
  });
  const repeats = await show('REPEATS');
  expect(repeats).toMatch(/^ {2}Repeats +\$25\.00 on 5 and 20 from 20 Jan 2026, until the debt is paid$/m);
  expect(repeats).toMatch(/^ {2}Amount +\$0\.00 counted$/m);
  expect(repeats).toContain('… and so on: there is always a next one');
  expect(repeats).toMatch(/^ {2}Policy +default@1$/m);
  const byHand = await show('BY-HAND');
  expect(byHand).toMatch(/^ {2}Payor +C-7, a third party$/m);
  expect(byHand).toMatch(/^ {2}Paid by +autopay$/m);
  expect(byHand).toMatch(/^ {2}Repeats +\$25\.00 monthly from 20 Jan 2026, 3 times$/m);
  expect(byHand).toMatch(/^ {2}By hand +nothing changes by itself/m);
  expect(byHand).toMatch(/^ {2}Policy +collect@1$/m);
  expect(await list('--account', 'A-BY-HAND')).toMatch(/^BY-HAND .* active +managed by hand$/m);
  expect(await clerk.json('promise', 'show', 'BY-HAND')).toMatchObject({
    ...{ payor: 'C-7', autoManaged: false, payMethod: 'autopay' },
    repeat: { amountCents: 2500, frequency: 'monthly', count: 3, untilDate: null },
  });
});

test('past due, the next due date, a miss that is allowed; and the same as Oracle shows it', async () => {
  await clerk.policy('lenient', { missesAllowed: 1, finalMiss: 'wait' });
  await clerk.promise('LATE', ['2026-01-07=4000', '2026-02-07=4000'], { policy: 'lenient' });
  await clerk.pay('L-1', 'LATE', 1500);
  const oracle = async (): Promise<unknown> =>
    (await clerk.json<Record<string, unknown>>('promise', 'show', 'LATE'))['oracleView'];
  expect(await oracle()).toEqual({ status: '', state: 'Promise' });
  await clockTo('2026-01-07 09:00');
  expect(await oracle()).toEqual({ status: 'Collectible', state: 'Promise' });
  expect(await show('LATE')).not.toContain('Past due');
  await clockTo('2026-01-12 09:00');
  await settle('LATE');
  const text = await show('LATE', '--oracle-view');
  expect(text).toMatch(/^Promise LATE {2}active {2}Oracle: status Collectible, state Promise$/m);
  expect(text).toMatch(/^ {2}Past due +\$25\.00$/m);
  expect(text).toMatch(/^ {2}Due +7 Jan 2026 next$/m);
  expect(text).toMatch(
    /2026-01-11 12:00 {2}installment 1 missed; the policy lets the promise go on {2}troth/,
  );
  expect(await clerk.json('promise', 'show', 'LATE')).toMatchObject({
    ...{ pastDueCents: 2500, nextDueDate: '2026-01-07', unpaidCents: 6500 },
    notices: [{ kind: 'missed', seq: 1 }],
  });
  const listed = await list('--account', 'A-LATE');
  expect(listed).toMatch(
    /^LATE +A-LATE +water +7 Jan 2026 +1\/2 +\$15\.00 of \$80\.00 +active +\$25\.00 past due; judged/m,
  );
  const asOracle = await list('--account', 'A-LATE', '--oracle-view');
  expectNarrow(asOracle);
  expect(asOracle).toMatch(/^Promise .* Status +State +Why$/m);
  expect(asOracle).toMatch(/^LATE .* Collectible +Promise +\$25\.00 past due/m);
});

test('what Oracle says of promises that have ended', async () => {
  await clerk.promise('KEPT', ['2026-02-15=500']);
  await clerk.pay('K-1', 'KEPT', 500, { on: '2026-01-12' });
  await settle('KEPT');
  const words = JSON.parse(`[${(await list('--json')).trim().split('\n').join(',')}]`) as {
    promiseId: string;
    oracleView: object;
  }[];
  const viewOf = (id: string): object | undefined =>
    words.find(({ promiseId }) => promiseId === id)?.oracleView;
  expect(viewOf('KEPT')).toEqual({ status: 'Fulfilled', state: 'Promise' });
  expect(viewOf('PENDING')).toEqual({ status: 'Canceled', state: 'Promise' });
  expect(viewOf('LATE')).toEqual({ status: 'Collectible', state: 'Promise' });
});

test('revisions with their causes: enrolled, amended by whom, reopened by a reversal; payments that were reversed', async () => {
  await clerk.promise('LIVELY', ['2026-02-01=4000', '2026-03-01=4000']);
  await clerk.troth('amend', 'LIVELY', '--change', '2', '--due', '2026-02-20', '--actor', 'mlopez');
  await clerk.pay('V-1', 'LIVELY', 8000, { on: '2026-01-12' });
  await settle('LIVELY');
  await clockTo('2026-01-14 09:00');
  await postReversal(place.ledger, TENANT, {
    ...{ paymentId: 'V-1', effectiveDate: localDate('2026-01-14'), reason: 'nsf' },
  });
  await settle('LIVELY');
  const text = await show('LIVELY');
  expectNarrow(text.slice(0, text.indexOf('Verdict')));
  expect(text).toMatch(
    /^Revisions\n +Since +By +Because\n {2}1 .*cli:enroller +enrolled\n {2}2 .*mlopez +amended\n {2}3 .*troth +reversal of payment V-1$/m,
  );
  expect(text).toMatch(
    /payment V-1 reversed {2}troth\n.* open again in revision 3: reversal, payment V-1 {2}troth/,
  );
  expect(text).toMatch(
    /^Schedule until .*\n +Due +Amount\n {2}1 +1 Feb 2026 +\$40\.00\n {2}2 +1 Mar 2026 +\$40\.00\n$/m,
  );
  expect(text).toMatch(/amended to 2 installments, revision 2 {2}mlopez/);
  expect(await clerk.json('promise', 'show', 'LIVELY')).toMatchObject({
    revisions: [
      { revision: 1, cause: 'enrolled', by: 'cli:enroller' },
      { revision: 2, cause: 'amended', by: 'mlopez' },
      { revision: 3, cause: 'reversal of payment V-1', by: 'troth' },
    ],
    notices: expect.arrayContaining([expect.objectContaining({ kind: 'reversed', paymentId: 'V-1' })]),
    pastSchedules: [
      { installments: [{ dueDate: '2026-02-01' }, { dueDate: '2026-03-01', amountCents: 4000 }] },
    ],
  });
});

test('the open items that a promise pays, and the current bills that it watches', async () => {
  await clerk.policy('current', { stayCurrent: true });
  await clerk.account('A-BOUND');
  await clerk.item('OLD-1', 'A-BOUND', 3000);
  await clerk.item('OLD-2', 'A-BOUND', 2000);
  await clerk.promise('BOUND', ['2026-02-15=3000@OLD-1', '2026-02-15=2000@OLD-2'], { policy: 'current' });
  await clockTo('2026-01-16 09:00');
  await clerk.item('NEW-1', 'A-BOUND', 4500, '2026-01-15');
  await clerk.pay('B-1', 'BOUND', 2500, {
    ...{ on: '2026-01-16', applied: { 'OLD-2': cents(2000), 'NEW-1': cents(500) } },
  });
  const text = await show('BOUND');
  expect(text).toMatch(/^ {2}Bills +new ones must be paid, too$/m);
  expectNarrow(text);
  expect(text).toMatch(/^ {2}1 +15 Feb 2026 +18 Feb 2026 +OLD-1 +\$30\.00 +\$0\.00 +due$/m);
  expect(text).toMatch(/^ {2}2 +15 Feb 2026 +18 Feb 2026 +OLD-2 +\$20\.00 +\$20\.00 +due$/m);
  expect(text).toMatch(
    /^Current bills, to be paid, too\n.*Bill +Due +Last day in time +Amount +Paid\n {2}NEW-1 +20 Jan 2026 +23 Jan 2026 +\$45\.00 +\$5\.00$/m,
  );
  expect(await clerk.json('promise', 'show', 'BOUND')).toMatchObject({
    installments: [{ transactionId: 'OLD-1' }, { transactionId: 'OLD-2', countedCents: 2000 }],
    currentBills: [{ transactionId: 'NEW-1', amountCents: 4500, paidCents: 500, isClosed: false }],
  });
});

test('the list fits a terminal of 100 columns, whatever the ids', async () => {
  const text = await list();
  expectNarrow(text);
  expect(text).toMatch(/^KEPT +A-KEPT +water +15 Feb 2026 +\$5\.00 of \$5\.00 +kept +Kept: \$5\.00/m);
  expect(text).toMatch(/^BY-HAND .* 20 Jan 2026 +1\/3 /m);
  expect(text).toMatch(/^REPEATS .* 20 Jan 2026 +1\/… +\$0\.00 +active /m);
  await clockTo('2026-03-20 09:00');
  expect(await list('--account', 'A-LATE')).toMatch(/^LATE .* active +by now broken; the/m);
});
