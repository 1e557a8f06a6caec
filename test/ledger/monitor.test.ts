/**
 * Goal: a nightly run over the whole ledger decides what the worker decides, promise by promise: the same verdicts, the
 * same messages, nothing before its judge time; and it can be killed, run twice, or run beside a worker.
 * Method: the same weeks of a sandbox are told twice, once with a worker that settles at once, once with nothing but the
 * nightly run; then the two ledgers are compared. Small ledgers for the rest.
 */
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { row, rows } from '../../src/ledger/connection';
import { NO_COUNTS, nightOf, runNight, type NightPart } from '../../src/ledger/passes/monitor';
import { postPayment } from '../../src/ledger/payments';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { getTenant, type Tenant } from '../../src/ledger/tenants';
import { verifyPromises } from '../../src/ledger/passes/verify';
import { localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { Place } from '../cis/place';
import { local, moveTo, tamper, tellLedger } from './lively';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const tenant = (tenantId: string): Promise<Tenant> =>
  place.ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));

interface Ran extends Omit<NightPart, 'counts'> {
  readonly counts: Record<string, unknown>;
}

async function night(tenantId: string, date: string, dryRun = false): Promise<Ran> {
  const of = await tenant(tenantId);
  const total = { changes: [], skipped: [], failures: [] } as {
    [K in 'changes' | 'skipped' | 'failures']: NightPart[K][number][];
  };
  const counts: Record<string, number> = {};
  const options = { dryRun, actor: 'test' };
  for await (const part of runNight(place.ledger, of, nightOf(of, localDate(date), dryRun), options)) {
    total.changes.push(...part.changes);
    total.skipped.push(...part.skipped);
    total.failures.push(...part.failures);
    const { changed, ...others } = part.counts;
    for (const [name, count] of Object.entries({ ...others, ...changed }))
      counts[name] = (counts[name] ?? 0) + count;
  }
  return { ...total, counts: { ...NO_COUNTS, ...counts } };
}

/** Everything that was decided and told, with instants to the minute: two sandboxes tick apart by milliseconds. */
async function decided(tenantId: string): Promise<unknown[]> {
  const toMinute = (text: string): string => text.replace(/(T\d{2}:\d{2}):\d{2}(\.\d+)?(Z|\+00:00)/g, '$1');
  const found = await place.ledger.forTenant(tenantId, (tx) =>
    rows<{ told: unknown }>(
      tx,
      `select json_build_array(p.promise_id, p.status, p.reason, p.revision, p.decided_revision, p.next_judge_at, p.ended_at,
                (select json_agg(v.evidence order by v.revision) from verdict v
                  where v.tenant_id = p.tenant_id and v.promise_id = p.promise_id),
                (select json_agg(json_build_array(i.seq, i.status, i.counted_cents) order by i.schedule_no, i.seq)
                   from installment i where i.tenant_id = p.tenant_id and i.promise_id = p.promise_id),
                (select json_agg(b.payload - 'tenantId' order by b.payload ->> 'outcomeId') from outbox b
                  where b.tenant_id = p.tenant_id and b.promise_id = p.promise_id
                    and b.kind in ('outcome', 'notice', 'activated')),
                (select json_agg(json_build_array(u.payment_id, u.revision, u.cents) order by u.payment_id, u.revision)
                   from payment_use u where u.tenant_id = p.tenant_id and u.promise_id = p.promise_id),
                (select json_agg(json_build_array(e.action, e.actor, e.details, e.at) order by e.position)
                   from audit_event e where e.tenant_id = p.tenant_id and e.promise_id = p.promise_id)) as told
         from promise p where p.tenant_id = :tenantId order by p.promise_id`,
      { tenantId },
    ),
  );
  return found.map(({ told }) => JSON.parse(toMinute(JSON.stringify(told))) as unknown);
}

async function verified(tenantId: string): Promise<unknown[]> {
  const differences: unknown[] = [];
  for await (const part of verifyPromises(place.ledger, tenantId)) differences.push(...part.differences);
  return differences;
}

test('weeks with nothing but the nightly run: verdicts, messages and audit trail are those of a worker', async () => {
  const story = { accounts: 30, seed: 11, until: '2026-02-22' };
  await tellLedger(place, 'worker', { ...story, settled: true });
  const seen = { kept: 0, broken: 0, missed: 0, overdue: 0 };
  await tellLedger(place, 'batch', {
    ...story,
    settled: false,
    async eachNight(day) {
      await hearHints('batch');
      const { counts, failures } = await night('batch', day);
      expect(failures).toEqual([]);
      for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += Number(counts[name]);
    },
  });
  // The worker was at it until 23:00; the batch comes at midnight.
  await moveTo(place.ledger, 'batch', '2026-02-23 00:00');
  await hearHints('batch');
  await night('batch', '2026-02-23');
  expect(await decided('batch')).toEqual(await decided('worker'));
  expect(await verified('batch')).toEqual([]);
  expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
}, 180_000);

/** What becomes of a promise that has ended is not the batch's: its workflow is told, and looks (R15, R19). */
async function hearHints(tenantId: string): Promise<void> {
  const told = await place.ledger.forTenant(tenantId, (tx) =>
    rows<{ promiseId: string }>(
      tx,
      `select distinct p.promise_id as "promiseId" from promise p join outbox b using (tenant_id, promise_id)
        where b.kind = 'review' and p.status in ('kept', 'broken', 'cancelled')`,
      {},
    ),
  );
  for (const { promiseId } of told) await settlePromise(place.ledger, tenantId, promiseId, Date.now());
}

/** A sandbox with accounts X and Y. */
async function small(tenantId: string): Promise<string> {
  await place.sandbox(tenantId, '2026-01-05 08:00');
  const accounts = ['X', 'Y'].map((accountId) => ({
    accountId,
    customerId: null,
    premiseId: null,
    debtClasses: ['water'],
  }));
  await place.ledger.forTenant(tenantId, (tx) => putAccounts(tx, tenantId, accounts));
  return tenantId;
}

interface Small {
  readonly policy?: string;
  readonly payor?: string;
  readonly accountId?: string;
}

async function promised(
  tenantId: string,
  promiseId: string,
  dueDate: string,
  more: Small = {},
): Promise<void> {
  const input = { tenantId, promiseId, accountId: 'X', debtClass: 'water', startDate: '2026-01-05', ...more };
  const installments = [{ dueDate, amountCents: 100 }];
  const answer = await enroll(place.ledger, { ...input, installments }, { actor: 'test' });
  expect(answer).toMatchObject({ result: 'enrolled' });
}

async function paid(
  tenantId: string,
  paymentId: string,
  received: string,
  payor = 'self',
  accountId = 'X',
): Promise<void> {
  const amountCents = cents(100);
  await postPayment(place.ledger, tenantId, {
    ...{ paymentId, accountId, debtClass: 'water', currency: 'USD', amountCents },
    receivedAtMs: local(received),
    tenders: [{ payor, tenderType: 'check', amountCents }],
  });
}

async function statusOf(tenantId: string, promiseId: string): Promise<string | undefined> {
  const found = await place.ledger.forTenant(tenantId, (tx) =>
    row<{ status: string }>(tx, 'select status from promise where promise_id = :promiseId', { promiseId }),
  );
  return found?.status;
}

/** How many rows there are of everything that a settlement writes. */
async function written(tenantId: string): Promise<unknown> {
  return place.ledger.forTenant(tenantId, (tx) =>
    row(
      tx,
      `select (select count(*) from verdict) as verdicts, (select count(*) from outbox) as outbox,
              (select count(*) from audit_event) as audits, (select max(settled_as_of) from promise) as settled,
              (select count(*) from promise_notice) as notices, (select count(*) from payment_use) as uses`,
      {},
    ),
  );
}

test('a dry run says what is due and records nothing; the run itself records it once', async () => {
  const t = await small('dry');
  await promised(t, 'LATE', '2026-01-10');
  await promised(t, 'PAID', '2026-01-10', { accountId: 'Y' });
  await moveTo(place.ledger, t, '2026-01-09 10:00');
  await paid(t, 'M', '2026-01-09 09:00', 'self', 'Y');
  await moveTo(place.ledger, t, '2026-01-14 11:00'); // an hour before the judge time
  expect((await night(t, '2026-01-14', true)).changes).toMatchObject([{ kind: 'kept', promiseId: 'PAID' }]);
  await moveTo(place.ledger, t, '2026-01-15 03:00');
  const before = await written(t);
  const dry = await night(t, '2026-01-15', true);
  expect(dry.changes).toMatchObject([
    {
      kind: 'broken',
      promiseId: 'LATE',
      sentence: expect.stringMatching(/^Broken: nothing of/),
      atMs: local('2026-01-14 12:00'),
    },
    { kind: 'kept', promiseId: 'PAID' },
  ]);
  expect(dry.counts).toMatchObject({
    looked: 2,
    unchanged: 0,
    kept: 1,
    broken: 1,
    overdue: 2,
    due: 2,
    settled: 0,
  });
  expect(await written(t)).toEqual(before);
  expect(await night(t, '2026-01-15')).toMatchObject({
    counts: { settled: 2, recorded: 2 },
    changes: dry.changes,
  });
  expect([await statusOf(t, 'LATE'), await statusOf(t, 'PAID')]).toEqual(['broken', 'kept']);
  const after = await written(t);
  expect((await night(t, '2026-01-15')).counts).toMatchObject({ looked: 0, settled: 0 });
  expect(after).toMatchObject({ verdicts: 2 });
  // A worker that comes later finds the verdict made.
  const settled = await settlePromise(place.ledger, t, 'LATE', Date.now());
  expect(settled).toMatchObject({ status: 'broken', toTell: [] });
});

test('never before the judge time: at 00:00 of the day after the last day in time, minus and plus the lag', async () => {
  const t = await small('early');
  await promised(t, 'LAG', '2026-01-10'); // in time through the 13th, judged on the 14th at noon
  await promised(t, 'NONE', '2026-01-10', { policy: 'oracle-ccb', accountId: 'Y' }); // judged on the 14th at 00:00
  await moveTo(place.ledger, t, '2026-01-13 23:59');
  expect((await night(t, '2026-01-13')).counts).toMatchObject({ recorded: 0, broken: 0 });
  await moveTo(place.ledger, t, '2026-01-14 13:00'); // the night is 00:00, whenever it is run
  expect((await night(t, '2026-01-14')).changes).toMatchObject([{ promiseId: 'NONE', kind: 'broken' }]);
  expect(await statusOf(t, 'LAG')).toBe('active');
});

test('a skipped night forgives a late payer in such a batch, and not here (O12, O14)', async () => {
  const t = await small('skipped');
  await promised(t, 'O12', '2026-01-15', { policy: 'oracle-ccb' });
  await moveTo(place.ledger, t, '2026-01-21 10:00');
  await paid(t, 'M', '2026-01-21 09:00'); // two days late; the batch has not run since
  await moveTo(place.ledger, t, '2026-01-22 02:00');
  const { changes, skipped } = await night(t, '2026-01-22', true);
  expect(changes).toMatchObject([{ promiseId: 'O12', kind: 'broken', atMs: local('2026-01-19 00:00') }]);
  expect(skipped).toEqual([
    { promiseId: 'O12', accountId: 'X', engine: 'broken', batch: 'kept', atMs: local('2026-01-19 00:00') },
  ]);
  // Judged on its own night there is no such difference.
  const u = await small('punctual');
  await promised(u, 'O12', '2026-01-15', { policy: 'oracle-ccb' });
  await moveTo(place.ledger, u, '2026-01-19 02:00');
  expect(await night(u, '2026-01-19', true)).toMatchObject({ changes: [{ kind: 'broken' }], skipped: [] });
});

test('a past night: what the day before it changed, as it was known then', async () => {
  const t = await small('past');
  await promised(t, 'A', '2026-01-10');
  await moveTo(place.ledger, t, '2026-01-20 00:00');
  await settlePromise(place.ledger, t, 'A', Date.now());
  expect((await night(t, '2026-01-14', true)).changes).toEqual([]);
  const told = await night(t, '2026-01-15', true);
  expect(told.changes).toMatchObject([{ promiseId: 'A', kind: 'broken' }]);
  expect(told.counts).toMatchObject({ looked: 1 });
  expect((await night(t, '2026-01-16', true)).counts).toMatchObject({ looked: 0 });
});

test('nights that cannot be run say why', async () => {
  const t = await small('when');
  const of = await tenant(t);
  const live: Tenant = { ...of, sandbox: false, clockOffsetMs: 0 };
  expect(() => nightOf(of, localDate('2026-01-06'), false)).toThrow(
    /future .*troth clock --tenant when --to "2026-01-06 00:00"/,
  );
  expect(nightOf(of, localDate('2026-01-06'), true).when).toBe('future');
  expect(() => nightOf(of, localDate('2026-01-04'), false)).toThrow(/has passed .* --dry-run/);
  expect(nightOf(of, undefined, false)).toMatchObject({
    date: '2026-01-05',
    atMs: local('2026-01-05 00:00'),
    when: 'today',
  });
  for (const dryRun of [true, false]) {
    expect(() => nightOf(live, localDate('2999-01-01'), dryRun)).toThrow(
      /lies in the future .* once it has begun/,
    );
  }
});

describe('two promises on one debt: the one that is due first is judged first, whatever their ids', () => {
  test.each([
    ['A', 'B'],
    ['B', 'A'],
  ])('own promise %s, third party %s', async (own, other) => {
    const t = await small(`order-${own.toLowerCase()}`);
    await promised(t, own, '2026-01-20');
    await promised(t, other, '2026-01-10', { payor: 'church' });
    // Nobody has been at work. The third party's promise should have broken on the 14th, so that its money of the 20th is
    // anybody's: R9 counts it for the account's own promise.
    await moveTo(place.ledger, t, '2026-01-20 10:00');
    await paid(t, 'M', '2026-01-20 09:00', 'church');
    await moveTo(place.ledger, t, '2026-01-25 10:00');
    expect((await night(t, '2026-01-25')).counts).toMatchObject({ settled: 2, recorded: 2 });
    expect([await statusOf(t, own), await statusOf(t, other)]).toEqual(['kept', 'broken']);
    expect(await verified(t)).toEqual([]);
  });
});

test('a promise that somebody works on is settled after them, and holds nobody else up', async () => {
  const t = await small('busy');
  await promised(t, 'HELD', '2026-01-10');
  await promised(t, 'FREE', '2026-01-10', { accountId: 'Y' });
  await moveTo(place.ledger, t, '2026-01-15 03:00');
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const other = place.ledger.forTenant(t, async (tx) => {
    await rows(tx, "select 1 from promise where promise_id = 'HELD' for no key update", {});
    await held;
  });
  const running = night(t, '2026-01-15');
  for (let tries = 0; (await statusOf(t, 'FREE')) !== 'broken' && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect([await statusOf(t, 'FREE'), await statusOf(t, 'HELD')]).toEqual(['broken', 'active']);
  release();
  await other;
  expect((await running).counts).toMatchObject({ settled: 2 });
  expect(await statusOf(t, 'HELD')).toBe('broken');
});

test('one whose facts cannot be is named; all others are settled', async () => {
  const t = await small('poison');
  await promised(t, 'BAD', '2026-01-10');
  await promised(t, 'GOOD', '2026-01-10', { accountId: 'Y' });
  await tamper(
    place.ledger,
    'installment',
    "delete from installment where tenant_id = 'poison' and promise_id = 'BAD'",
    {},
  );
  await moveTo(place.ledger, t, '2026-01-15 03:00');
  const { failures, counts } = await night(t, '2026-01-15');
  expect(failures).toEqual([{ promiseId: 'BAD', message: 'Promise BAD has no installments' }]);
  expect(counts).toMatchObject({ looked: 2, settled: 1 });
  expect(await statusOf(t, 'GOOD')).toBe('broken');
});

test('paid, and the hint was lost: it is kept tonight, and its workflow, which sleeps on, is told', async () => {
  const t = await small('hint');
  await promised(t, 'P', '2026-03-10');
  await moveTo(place.ledger, t, '2026-01-09 10:00');
  await paid(t, 'M', '2026-01-09 09:00');
  const reviews = (): Promise<unknown[]> =>
    place.ledger.forTenant(t, (tx) =>
      rows(tx, "select 1 from outbox where kind = 'review' and delivered_at is null", {}),
    );
  await place.ledger.forTenant(t, (tx) =>
    rows(tx, "update outbox set delivered_at = now() where kind = 'review'", {}),
  );
  await moveTo(place.ledger, t, '2026-01-10 03:00');
  expect((await night(t, '2026-01-10')).counts).toMatchObject({
    kept: 1,
    overdue: 0,
    due: 1,
    settled: 1,
    recorded: 1,
  });
  expect(await statusOf(t, 'P')).toBe('kept');
  expect(await reviews()).toHaveLength(1);
});

test('a run is in the audit trail, with who ran it', async () => {
  const found = await place.ledger.forTenant('poison', (tx) =>
    rows<{ actor: string; details: unknown }>(
      tx,
      "select actor, details from audit_event where action = 'monitor.run'",
      {},
    ),
  );
  expect(found).toEqual([
    { actor: 'test', details: { night: '2026-01-15', settled: 1, recorded: 1, failed: 0 } },
  ]);
});
