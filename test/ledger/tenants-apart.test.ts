/**
 * Goal: no table, of today or added later, shows one tenant's rows to another's session, or any to one that names no tenant.
 * Method: PostgreSQL's own catalog says what protects each table; then sessions of three kinds look at a real message.
 */
import { Client } from 'pg';
import { rows } from '../../src/ledger/connection';
import { Place } from '../cis/place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

test('every table has tenants, and forced row-level security that binds reading and writing', async () => {
  const tables = await place.ledger.forSystem((tx) =>
    rows<{ name: string; protection: string }>(
      tx,
      `select c.relname as name,
              concat_ws(' ', case when c.relrowsecurity then 'enabled' end, case when c.relforcerowsecurity then 'forced' end,
                        case when a.attnotnull then 'tenant_id' end,
                        (select string_agg(concat_ws(' ', cast(p.polcmd as text), pg_get_expr(p.polqual, c.oid),
                                                     pg_get_expr(p.polwithcheck, c.oid)), ';')
                           from pg_policy p where p.polrelid = c.oid)) as protection
         from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and c.relname not in ('troth_migration', 'troth_migration_lock') order by name`,
      {},
    ),
  );
  expect(tables.length).toBeGreaterThan(30);
  const scope =
    "((current_setting('troth.tenant'::text, true) = tenant_id) OR (current_setting('troth.tenant'::text, true) = '*'::text))";
  const full = `enabled forced tenant_id * ${scope} ${scope}`;
  expect(tables.filter(({ protection }) => protection !== full)).toEqual([]);
});

test('a session sees and writes the rows of its tenant only, and none without one', async () => {
  await place.sandbox('riverton');
  await place.sandbox('lakeside');
  const target = `insert into collections_target (tenant_id, version, settings, created_at, created_by)
                  values ('riverton', 1, '{}', now(), 'test')`;
  await expect(place.ledger.forTenant('lakeside', (tx) => rows(tx, target, {}))).rejects.toThrow(
    /row-level security/,
  );
  await place.ledger.forTenant('riverton', (tx) => rows(tx, target, {}));
  expect(await place.count('riverton', 'collections_target')).toBe(1);
  expect(await place.count('lakeside', 'collections_target')).toBe(0);
  const client = new Client({ connectionString: place.database.url });
  await client.connect();
  try {
    expect((await client.query('select 1 from collections_target')).rows).toEqual([]);
    expect((await client.query('select 1 from tenant')).rows).toEqual([]);
  } finally {
    await client.end();
  }
});
