/**
 * Goal: every fault of the files in examples/bad is reported with line, column, value and a word of the reason, as the
 * tables beside them say, and the good rows go on.
 * Method: each file is loaded on its own after accounts.csv into a sandbox of its own on a real PostgreSQL.
 */
import { join } from 'node:path';
import { loadAccounts } from '../../src/cis/accounts';
import { loadEnrollments } from '../../src/cis/enrollments';
import type { LoadResult } from '../../src/cis/load';
import { loadPayments } from '../../src/cis/payments';
import { EXAMPLES, Place, table } from './place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const BAD = join(EXAMPLES, 'bad');
const expectedCounts = table(join(BAD, 'expected-counts.csv'));
const expectedRejects = table(join(BAD, 'expected-rejects.csv'));
const OPTIONS = { actor: 'test' };

async function load(file: string): Promise<LoadResult> {
  const payments = file.startsWith('payments');
  const tenant = await place.sandbox(
    file.replace('.csv', ''),
    payments ? '2026-06-30 18:00' : '2026-01-05 08:00',
  );
  await loadAccounts(place.ledger, tenant, join(EXAMPLES, 'accounts.csv'), OPTIONS);
  const loader = payments ? loadPayments : loadEnrollments;
  return loader(place.ledger, tenant, join(BAD, file), OPTIONS);
}

test.each(expectedCounts)(
  '$file',
  async ({ file = '', rows = '', taken = '', already_known = '', rejected = '' }) => {
    const result = await load(file);
    const expected = expectedRejects.filter((reject) => reject['file'] === file);
    expect(result.rejects.map(({ line, column, value }) => ({ line: String(line), column, value }))).toEqual(
      expected.map(({ line, column, value }) => ({ line, column, value })),
    );
    for (const [index, { message }] of result.rejects.entries()) {
      expect(message.toLowerCase()).toContain((expected[index]?.['message_contains'] ?? '').toLowerCase());
    }
    expect(result.rejected).toBe(Number(rejected));
    expect(result.alreadyKnown).toBe(Number(already_known));
    // A file that is at fault as a whole is read up to the fault only.
    const whole = result.complete;
    if (whole) expect(result).toMatchObject({ rows: Number(rows), taken: Number(taken) });
    expect(whole).toBe(taken !== '' && result.rejects.every(({ row }) => row !== ''));
  },
);

test('a rejected row says how it stood in the file, within bounds', async () => {
  const tenant = await place.sandbox('bounds');
  const result = await loadEnrollments(place.ledger, tenant, join(BAD, 'enrollments-bad.csv'), OPTIONS);
  const long = result.rejects.find(({ line }) => line === 22);
  expect(long?.row).toContain('E-999');
  const file = place.write(
    'long.csv',
    `enrollment_id,account_id,debt_class,total_amount\n${'x'.repeat(60_000)},1,water,1.00\n`,
  );
  const bounded = await loadEnrollments(place.ledger, tenant, file, OPTIONS);
  expect(bounded.rejects[0]?.value.length).toBeLessThan(600);
  expect(bounded.rejects[0]?.row.length).toBeLessThan(5_000);
});
