/**
 * Goal: the standing of an account says how its promises have ended, how many were broken since the debt was last clear, and what
 * was taken back (R34).
 * Method: promises are told to a sandbox's ledger, its clock is moved, and the one query is asked; its plan, too.
 */
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { postReversal } from '../../src/ledger/payments';
import { row, rows } from '../../src/ledger/connection';
import { standingsOf, type DebtStanding } from '../../src/ledger/collections/standings';
import { clearBalance } from '../../src/ledger/transactions';
import { localDate } from '../../src/rules/calendar';
import { Place, TIME_ZONE } from '../cis/place';
import { moveTo } from '../ledger/lively';
import { CasePlace } from './case-place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const standing = (tenantId: string, accountId = 'A1'): Promise<DebtStanding[]> =>
  place.ledger.forTenant(tenantId, (tx) => standingsOf(tx, tenantId, accountId, TIME_ZONE));

test('counts, level, last broken day and reversals follow the life of the promises', async () => {
  const at = await CasePlace.make(place, 'life', '2026-01-05 08:00');
  const { ledger } = place;
  await at.account('A1');
  const empty = { kept: 0, broken: 0, cancelled: 0, open: 0, level: 0, reversedAfterKept: 0 };
  expect(await standing('life')).toEqual([
    { debtClass: 'water', ...empty, lastBrokenOn: null, lastClearAt: null },
  ]);
  const promised = async (promiseId: string, dueDate: string): Promise<void> =>
    at.promise(promiseId, 'A1', { installments: [{ dueDate, amountCents: 4000 }] });
  const settledAt = async (promiseId: string, time: string): Promise<void> => {
    await moveTo(ledger, 'life', time);
    await settlePromise(ledger, 'life', promiseId, Date.now());
  };
  await promised('P1', '2026-01-10');
  await settledAt('P1', '2026-01-20 12:00');
  await promised('P2', '2026-01-25');
  await settledAt('P2', '2026-02-05 12:00');
  expect(await standing('life')).toMatchObject([
    { ...empty, broken: 2, level: 2, lastBrokenOn: '2026-01-29' },
  ]);
  // A clear debt forgives the level, not the count.
  await clearBalance(ledger, 'life', { accountId: 'A1', debtClass: 'water' }, { actor: 'test', note: null });
  expect(await standing('life')).toMatchObject([
    { ...empty, broken: 2, level: 0, lastClearAt: expect.any(Date) },
  ]);
  await moveTo(ledger, 'life', '2026-02-10 12:00');
  await promised('P3', '2026-02-12');
  const paymentId = await at.pay('A1', 4000);
  await settledAt('P3', '2026-02-20 12:00');
  expect(await standing('life')).toMatchObject([{ ...empty, broken: 2, kept: 1 }]);
  await postReversal(ledger, 'life', { paymentId, effectiveDate: localDate('2026-02-20'), reason: 'nsf' });
  await settlePromise(ledger, 'life', 'P3', Date.now());
  expect(await standing('life')).toMatchObject([{ reversedAfterKept: 1 }]);
  // Reopened by the reversal, it is broken when nobody pays again (R19).
  await settledAt('P3', '2026-03-20 12:00');
  expect(await standing('life')).toMatchObject([
    {
      ...empty,
      broken: 3,
      level: 1,
      reversedAfterKept: 1,
      lastBrokenOn: expect.stringMatching(/^2026-0[23]/),
    },
  ]);
});

test('a debt stated as nothing is clear', async () => {
  const at = await CasePlace.make(place, 'stated', '2026-01-05 08:00');
  await at.account('A1');
  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-01-10', amountCents: 4000 }] });
  await moveTo(place.ledger, 'stated', '2026-01-20 12:00');
  await settlePromise(place.ledger, 'stated', 'P1', Date.now());
  expect(await standing('stated')).toMatchObject([{ broken: 1, level: 1 }]);
  await at.debt('A1', {});
  expect(await standing('stated')).toMatchObject([{ broken: 1, level: 0 }]);
});

test('tenants are apart, and the query goes by the account', async () => {
  await CasePlace.make(place, 'other', '2026-01-05 08:00');
  expect(await standing('other')).toEqual([]);
  const foreign = await place.ledger.forTenant('other', (tx) => standingsOf(tx, 'life', 'A1', TIME_ZONE));
  expect(foreign).toEqual([]);
  const index = await place.ledger.forTenant('life', async (tx) => {
    await rows(tx, 'set local enable_seqscan = off', {});
    return row<{ 'QUERY PLAN': string }>(
      tx,
      "explain select 1 from promise where tenant_id = 'life' and account_id = 'A1' and debt_class = 'water'",
      {},
    );
  });
  expect(index?.['QUERY PLAN']).toMatch(/promise_account|promise_one_active|promise_ended/);
});
