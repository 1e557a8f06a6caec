/**
 * Goal: what needs a person is on the worklist with its reason and the command to type, in the right order; it leaves when it is
 * answered or marked as dealt with, and comes back when something new happens (R36).
 * Method: a sandbox in which each kind comes about; the built command line lists and marks; pages and tenants by the query itself.
 */
import { setCaseAttention } from '../../src/ledger/collections/runs';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { rows } from '../../src/ledger/connection';
import { addPolicyVersion } from '../../src/ledger/policies';
import { postReversal } from '../../src/ledger/payments';
import { worklist, type WorklistFilter, type WorklistItem } from '../../src/collections/worklist';
import { epochMs, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { PRESETS } from '../../src/rules/presets';
import { Place } from '../cis/place';
import { CasePlace } from '../collections/case-place';
import { moveTo } from '../ledger/lively';
import { commandLine, type Answer, type RunOptions } from './troth';

let place: Place;
let at: CasePlace;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url, COLUMNS: '100', TROTH_TENANT: 'work' });
  at = await CasePlace.make(place, 'work', '2026-01-20 08:00');
  for (const account of ['A1', 'A2', 'A3', 'A4', 'A5', 'A6']) await at.account(account);
  // What is delivered at once where a worker runs.
  await delivered();
});
afterAll(() => place.close());

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await run(['worklist', ...args]);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  for (const line of args.includes('--json') ? [] : out.split('\n'))
    expect(line.length).toBeLessThanOrEqual(100);
  return out;
}

async function items(filter: Partial<WorklistFilter> = {}, tenantId = 'work'): Promise<WorklistItem[]> {
  const found: WorklistItem[] = [];
  for await (const item of worklist(place.ledger, tenantId, { limit: 1000, ...filter })) found.push(item);
  return found;
}

const ids = async (filter: Partial<WorklistFilter> = {}, tenantId = 'work'): Promise<string[]> =>
  (await items(filter, tenantId)).map(({ itemId }) => itemId);

const change = (sql: string): Promise<unknown> => place.ledger.forTenant('work', (tx) => rows(tx, sql, {}));
const delivered = (): Promise<unknown> =>
  change('update outbox set delivered_at = now() where delivered_at is null');

async function broken(promiseId: string, accountId: string, amountCents: number): Promise<void> {
  const today = new Date(await at.now()).toISOString().slice(0, 10);
  await at.promise(promiseId, accountId, { installments: [{ dueDate: today, amountCents }] });
}

test('a broken promise is on the list until the debt is promised anew or the item is done', async () => {
  await broken('P1', 'A1', 4000);
  await broken('P2', 'A2', 9000);
  expect(await ok()).toBe('Nothing needs a person.\n');
  await moveTo(place.ledger, 'work', '2026-02-10 12:00');
  await settlePromise(place.ledger, 'work', 'P1', Date.now());
  await settlePromise(place.ledger, 'work', 'P2', Date.now());
  // Of the same age, the larger first.
  expect(await ids()).toEqual(['broken/P2/1', 'broken/P1/1']);
  const text = await ok();
  expect(text).toMatch(/^broken {2}\d+ days, \$90\.00, account A2, water, promise P2$/m);
  expect(text).toMatch(/Nothing is promised on the\s+debt now\./);
  expect(text).toContain('→ Reach the customer');
  expect(text).toContain('2 items; mark one as dealt with: troth worklist done ITEM');
  expect(await ok('--limit', '1')).toContain('There are more');
  await at.promise('P3', 'A2', { installments: [{ dueDate: '2026-03-10', amountCents: 9000 }] });
  expect(await ids()).toEqual(['broken/P1/1']);
  expect(await ok('done', 'broken/P1/1', '--note', 'called', '--actor', 'me')).toContain('Done;');
  expect(await ok('done', 'broken/P1/1')).toContain('before');
  expect(await ids()).toEqual([]);
  expect(await place.count('work', "worklist_note where actor = 'me' and note = 'called' and done")).toBe(1);
  // Another promise on the debt that is broken is another item.
  await broken('P4', 'A1', 2000);
  await moveTo(place.ledger, 'work', '2026-02-20 12:00');
  await settlePromise(place.ledger, 'work', 'P4', Date.now());
  expect(await ids({ accountId: 'A1' })).toEqual(['broken/P4/1']);
  expect(await ids({ kinds: ['broken'], accountId: 'A2' })).toEqual([]);
  // The CIS says that nothing is owed.
  await at.debt('A1', {});
  expect(await ids()).toEqual([]);
});

test('money taken back from a promise that stays kept is on the list', async () => {
  await place.ledger.forTenant('work', (tx) =>
    addPolicyVersion(tx, 'work', {
      name: 'stays',
      options: { ...PRESETS.default, reversalAfterKept: 'stay-kept' },
      ...{ actor: 'test', atMs: epochMs(0) },
    }),
  );
  await at.promise('P5', 'A3', {
    policy: 'stays',
    installments: [{ dueDate: '2026-02-25', amountCents: 3000 }],
  });
  const paymentId = await at.pay('A3', 3000);
  await moveTo(place.ledger, 'work', '2026-02-21 12:00');
  await settlePromise(place.ledger, 'work', 'P5', Date.now());
  await postReversal(place.ledger, 'work', {
    paymentId,
    effectiveDate: localDate('2026-02-21'),
    reason: 'nsf',
  });
  await moveTo(place.ledger, 'work', '2026-02-24 12:00');
  await settlePromise(place.ledger, 'work', 'P5', Date.now());
  expect(await items()).toMatchObject([
    {
      ...{ kind: 'reversed', accountId: 'A3', promiseId: 'P5', amountCents: 3000, amount: '$30.00' },
      reason: `Payment ${paymentId} was taken back after the promise was kept; it stays kept.`,
      next: expect.stringContaining('troth promise show P5'),
    },
  ]);
  const [item = ''] = await ids();
  await ok('done', item, '--note', 'asked for it');
  expect(await ids()).toEqual([]);
});

test('steps and promises that wait for a yes come with the command that gives it', async () => {
  await at.debt('A4', { '2026-01-05': 20_000 });
  await at.until('2026-04-10 12:00', 'A4');
  await change('update contact set handed_at = now()');
  const [step] = await items({ kinds: ['approval'] });
  expect(step).toMatchObject({
    ...{ itemId: 'approval/step/A4/water/1/shut-off', accountId: 'A4', amount: '$200.00' },
    reason: 'Awaits approval: shut-off request (shut-off) for $200.00.',
    next: expect.stringContaining('troth step approve A4 shut-off --class water --run 1 '),
  });
  const refused = await run(['worklist', 'done', 'approval/step/A4/water/1/shut-off']);
  expect([refused.code, refused.err]).toEqual([65, expect.stringContaining('is an approval')]);
  const [, command = ''] = /: (troth step approve .*?) \(/.exec(step?.next ?? '') ?? [];
  expect((await run(command.split(' ').slice(1))).code).toBe(0);
  expect(await ids({ kinds: ['approval'] })).toEqual([]);
  await place.ledger.forTenant('work', (tx) =>
    addPolicyVersion(tx, 'work', {
      name: 'second',
      options: {
        ...PRESETS.default,
        limits: { ...PRESETS.default.limits, approvalAboveCents: cents(5000), approvalWithinDays: 10 },
      },
      ...{ actor: 'test', atMs: epochMs(0) },
    }),
  );
  await at.promise('P6', 'A5', {
    policy: 'second',
    installments: [{ dueDate: '2026-05-10', amountCents: 6000 }],
  });
  expect(await items({ kinds: ['approval'] })).toMatchObject([
    {
      ...{ itemId: 'approval/promise/P6/1', promiseId: 'P6', ageDays: 0, amount: '$60.00' },
      reason: expect.stringMatching(
        /^The promise waits for a second person's yes until 2026-0\d-\d\d \d\d:\d\d\.$/,
      ),
      next: expect.stringContaining('troth approve P6'),
    },
  ]);
});

test('what is stuck comes first, and what keeps failing comes back another day', async () => {
  await change('update outbox set delivered_at = now() where delivered_at is null');
  const key = { tenantId: 'work', accountId: 'A4', debtClass: 'water' };
  await place.ledger.forTenant('work', (tx) => setCaseAttention(tx, key, 'the process has no steps'));
  await change("update promise set attention = 'unreadable', attention_at = now() where promise_id = 'P3'");
  await change(`update outbox set delivered_at = null, last_error = 'no Temporal', attempts = 9,
                  created_at = now() - interval '11 minutes' where promise_id = 'P6'`);
  await change(`update collections_case set wake_no = woken_no + 1, wake_try_at = now() - interval '11 minutes'
                 where account_id = 'A4'`);
  await change(`insert into outside_message (tenant_id, outcome_id, promise_id, account_id, debt_class, position, payload,
                                             created_at, next_try_at, attempts, last_error)
                select 'work', 'P6/' || n || '/broken', 'P6', 'A5', 'water', n, '{}', now() - n * interval '9 minutes', now(),
                       7, 'it answered 503' from generate_series(1, 2) n`);
  // One that lies there for the third time, one that lies there for the first time, and one that nobody has tried to send.
  await change(`insert into outside_message (tenant_id, outcome_id, promise_id, account_id, debt_class, position, payload,
                                             created_at, next_try_at, attempts, sent_at)
                select 'work', 'P5/' || n || '/broken', 'P5', 'A5', 'water', n, '{}', now() - interval '3 hours',
                       now() + case n when 3 then -1 else 1 end * interval '11 minutes', case n when 1 then 3 when 2 then 1 else 0 end,
                       case when n < 3 then now() end from generate_series(1, 3) n`);
  const stuck = await items({ kinds: ['stuck'] });
  expect(stuck.map(({ itemId }) => itemId.replace(/\d{9,}$/, 'N')).sort()).toEqual([
    'stuck/case/A4/water/N',
    'stuck/message/P6/2026-04-10',
    'stuck/outside/P5/1/broken/2026-04-10',
    'stuck/outside/P5/3/broken/2026-04-10',
    'stuck/outside/P6/2/broken/2026-04-10',
    'stuck/promise/P3/N',
    'stuck/waking/A4/water/2026-04-10',
  ]);
  expect(stuck.find(({ itemId }) => itemId.includes('/message/'))?.reason).toMatch(
    /^\d messages? of the promise could not be delivered: no Temporal\.$/,
  );
  const outside = (outcomeId: string) => stuck.find(({ itemId }) => itemId.includes(`/outside/${outcomeId}`));
  expect(outside('P5/1')?.reason).toBe(
    'The collections system outside has not acknowledged an outcome that was sent 3 times.',
  );
  expect(outside('P5/3')?.reason).toBe(
    'An outcome waits to be sent to the collections system outside, and no worker takes it.',
  );
  expect(outside('P6/2')).toMatchObject({
    ...{ accountId: 'A5', promiseId: 'P6' },
    reason: 'The collections system outside has not taken an outcome in 7 attempts: it answered 503.',
    next: expect.stringContaining('troth collections outside list'),
  });
  expect((await items())[0]?.kind).toBe('stuck');
  await ok('done', 'stuck/message/P6/2026-04-10', '--note', 'Temporal is being mended');
  expect(await ids({ kinds: ['stuck'] })).toHaveLength(6);
  await moveTo(place.ledger, 'work', '2026-04-11 12:00');
  expect(await ids({ kinds: ['stuck'] })).toContain('stuck/message/P6/2026-04-11');
});

test('pages hold every row once, tenants are apart, and what is not there says so', async () => {
  const all = await ids();
  expect(all.length).toBeGreaterThan(4);
  expect(new Set(all).size).toBe(all.length);
  expect(await ids({ limit: 2 })).toEqual(all.slice(0, 2));
  await CasePlace.make(place, 'alone', '2026-01-20 08:00');
  expect(await ids({}, 'alone')).toEqual([]);
  const foreign = await run(['worklist', 'done', all[0] ?? '', '--tenant', 'alone']);
  expect([foreign.code, foreign.err]).toEqual([66, expect.stringContaining('has no item')]);
  expect((await run(['worklist', '--kind', 'x'])).code).toBe(64);
  const [line = ''] = (await ok('--kind', 'approval', '--json')).split('\n');
  expect(JSON.parse(line)).toMatchObject({ kind: 'approval', accountId: expect.any(String) });
});
