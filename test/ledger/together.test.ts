/**
 * Goal: use cases that open transactions of their own can be done together, and stay together or not at all.
 * Method: `together` on a real PostgreSQL around use cases that write, fail, and lose.
 */
import { together } from '../../src/enrollment/together';
import { findAccount, putAccounts } from '../../src/ledger/accounts';
import type { Ledger } from '../../src/ledger/connection';
import { Place } from '../cis/place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
  await place.sandbox('t');
});
afterAll(() => place.close());

const put = (ledger: Ledger, accountId: string): Promise<unknown> =>
  ledger.forTenant('t', (tx) =>
    putAccounts(tx, 't', [{ accountId, customerId: null, premiseId: null, debtClasses: ['water'] }]),
  );
const isThere = async (accountId: string): Promise<boolean> =>
  (await place.ledger.forTenant('t', (tx) => findAccount(tx, 't', accountId))) !== undefined;

test('what is to stay stays; what was done before sees it', async () => {
  const seen = await together(place.ledger, 't', async (inside) => {
    await put(inside, 'STAYS');
    const found = await inside.forTenant('t', (tx) => findAccount(tx, 't', 'STAYS'));
    expect(await isThere('STAYS')).toBe(false);
    return { keep: true, value: found?.accountId };
  });
  expect(seen).toBe('STAYS');
  expect(await isThere('STAYS')).toBe(true);
});

test('what is not to stay is gone, with its answer kept', async () => {
  const value = await together(place.ledger, 't', async (inside) => {
    await put(inside, 'GOES');
    return { keep: false, value: 42 };
  });
  expect([value, await isThere('GOES')]).toEqual([42, false]);
});

test('an error within is undone alone when it is caught, and everything when it is not', async () => {
  const fail = async (inside: Ledger): Promise<void> => {
    await inside.forTenant('t', async (tx) => {
      await put({ ...inside, forTenant: (_, work) => work(tx) }, 'HALF');
      await tx.raw('select 1 / 0');
    });
  };
  await together(place.ledger, 't', async (inside) => {
    await put(inside, 'BEFORE');
    await expect(fail(inside)).rejects.toThrow('division by zero');
    await put(inside, 'AFTER');
    return { keep: true, value: null };
  });
  expect([await isThere('BEFORE'), await isThere('HALF'), await isThere('AFTER')]).toEqual([
    true,
    false,
    true,
  ]);
  await expect(
    together(place.ledger, 't', async (inside) => {
      await put(inside, 'LOST');
      await fail(inside);
      return { keep: true, value: null };
    }),
  ).rejects.toThrow('division by zero');
  expect(await isThere('LOST')).toBe(false);
});
