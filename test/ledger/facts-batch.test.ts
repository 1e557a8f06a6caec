/**
 * Goal: a pass over a whole ledger has, of each promise, exactly the facts that a settlement loads; each page shows one
 * instant, in bounded memory, and nobody else's promises.
 * Method: a lively sandbox beside another one; every page size; writers that come in between.
 */
import { rows } from '../../src/ledger/connection';
import { loadFacts } from '../../src/ledger/promises/facts';
import {
  inSnapshot,
  promisePages,
  type LoadedPromise,
  type Which,
} from '../../src/ledger/passes/facts-batch';
import { Place } from '../cis/place';
import { local, tellLedger } from './lively';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
  await tellLedger(place, 'one', { accounts: 22, seed: 21, until: '2026-02-03', settled: true });
  await tellLedger(place, 'other', { accounts: 3, seed: 22, until: '2026-01-12', settled: true });
}, 120_000);
afterAll(() => place.close());

async function nothing(): Promise<null> {
  return null;
}

async function all(which: Which, pageSize?: number): Promise<LoadedPromise[]> {
  const found: LoadedPromise[] = [];
  for await (const { promises } of promisePages(place.ledger, 'one', which, { also: nothing, pageSize })) {
    expect(promises.length).toBeLessThanOrEqual(pageSize ?? 1000);
    found.push(...promises);
  }
  return found;
}

test('the facts of every promise are those that a settlement loads, whatever the size of the page', async () => {
  const promises = await all({ kind: 'all' });
  expect(promises).toHaveLength(22);
  for (const { stored, facts } of promises) {
    const loaded = await place.ledger.forTenant('one', (tx) => loadFacts(tx, 'one', stored.promiseId));
    expect(facts).toEqual(loaded);
  }
  for (const pageSize of [1, 5, 11, 22, 23]) expect(await all({ kind: 'all' }, pageSize)).toEqual(promises);
});

test('which promises: open, open between, ended between, one', async () => {
  const promises = await all({ kind: 'all' });
  const idsOf = (found: readonly LoadedPromise[]): string[] => found.map(({ stored }) => stored.promiseId);
  const [fromMs, toMs] = [local('2026-01-20 00:00'), local('2026-01-25 00:00')];
  const ended = (at: number | null): boolean => at !== null && at >= fromMs && at < toMs;
  const expected = {
    open: promises.filter(({ stored }) => stored.endedAtMs === null),
    ended: promises.filter(({ stored }) => ended(stored.endedAtMs)),
    between: promises.filter(({ stored }) => stored.endedAtMs === null || stored.endedAtMs > fromMs),
  };
  for (const some of Object.values(expected)) expect(some.length).toBeGreaterThan(0);
  expect(idsOf(await all({ kind: 'open' }))).toEqual(idsOf(expected.open));
  expect(idsOf(await all({ kind: 'ended', fromMs, toMs }, 2))).toEqual(idsOf(expected.ended));
  expect(idsOf(await all({ kind: 'open-between', fromMs, toMs }, 3))).toEqual(idsOf(expected.between));
  expect(idsOf(await all({ kind: 'one', promiseId: 'P3' }))).toEqual(['P3']);
  expect(await all({ kind: 'one', promiseId: 'nobody' })).toEqual([]);
});

test('who stops early leaves nothing behind', async () => {
  for await (const { promises } of promisePages(
    place.ledger,
    'one',
    { kind: 'all' },
    { also: nothing, pageSize: 2 },
  )) {
    expect(promises).toHaveLength(2);
    break;
  }
  // afterAll would say that a connection is still at work.
});

test('what a reader throws comes out, also from the page that is read ahead', async () => {
  let pages = 0;
  const also = async (): Promise<null> => {
    pages += 1;
    if (pages === 2) throw new Error('no second page');
    return null;
  };
  const read = async (): Promise<void> => {
    for await (const page of promisePages(place.ledger, 'one', { kind: 'all' }, { also, pageSize: 5 }))
      expect(page.promises).toHaveLength(5);
  };
  await expect(read()).rejects.toThrow('no second page');
});

test('a snapshot shows one instant, of one tenant, and changes nothing', async () => {
  const count = 'select count(*) as count from account';
  const seen = await inSnapshot(place.ledger, 'one', async (tx) => {
    const before = await rows<{ count: number }>(tx, count, {});
    await place.ledger.forTenant('one', (other) =>
      rows(
        other,
        `insert into account (tenant_id, account_id, debt_classes, created_at) values ('one', 'NEW', '{water}', now())`,
        {},
      ),
    );
    return [...before, ...(await rows<{ count: number }>(tx, count, {}))];
  });
  expect(seen).toEqual([{ count: 22 }, { count: 22 }]);
  expect(await inSnapshot(place.ledger, 'one', (tx) => rows(tx, count, {}))).toEqual([{ count: 23 }]);
  const write = inSnapshot(place.ledger, 'one', (tx) =>
    rows(tx, "delete from account where account_id = 'NEW'", {}),
  );
  await expect(write).rejects.toThrow(/read-only transaction/);
});
