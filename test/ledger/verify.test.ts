/**
 * Goal: a ledger that nobody has touched is found in order, whatever has happened in it; and whoever changes a byte of it,
 * or removes a row, is found out: which promise, which revision, which field.
 * Method: a sandbox in which promises of all presets live through weeks of payments, late files, bounces, cancels and
 * amendments; then copies of it in which one thing each is tampered with by a role that may switch triggers off.
 */
import { decideApproval } from '../../src/enrollment/approve';
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { rows } from '../../src/ledger/connection';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import type { Which } from '../../src/ledger/passes/facts-batch';
import { NOTHING, verifyPromises, type Counts, type Difference } from '../../src/ledger/passes/verify';
import { addPolicyVersion } from '../../src/ledger/policies';
import { clearBalance } from '../../src/ledger/transactions';
import { verifyAudit } from '../../src/ledger/passes/verify-audit';
import { canonicalJson, firstDifference } from '../../src/ledger/canonical-json';
import { epochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import type { PolicyOptions } from '../../src/rules/policy';
import { PRESETS } from '../../src/rules/presets';
import { Place } from '../cis/place';
import { local, moveTo, settleDue, tamper, tellLedger } from './lively';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

interface Verdict {
  readonly counts: Counts;
  readonly differences: Difference[];
}

async function verify(tenantId: string, which: Which = { kind: 'all' }): Promise<Verdict> {
  const differences: Difference[] = [];
  let counts = NOTHING;
  const promiseId = which.kind === 'one' ? which.promiseId : undefined;
  for (const parts of [
    verifyPromises(place.ledger, tenantId, which),
    verifyAudit(place.ledger, tenantId, promiseId),
  ]) {
    for await (const part of parts) {
      differences.push(...part.differences);
      counts = Object.fromEntries(
        Object.entries(part.counts).map(([name, count]) => [
          name,
          Number(count) + counts[name as keyof Counts],
        ]),
      ) as unknown as Counts;
    }
  }
  return { counts, differences };
}

const STORY = { accounts: 24, seed: 7, until: '2026-02-20', settled: true };

test('weeks of a lively ledger are in order, and all ends were reached', async () => {
  await tellLedger(place, 'lively', STORY);
  const { counts, differences } = await verify('lively');
  expect(differences).toEqual([]);
  expect(counts.promises).toBe(24);
  expect(counts.verdicts).toBeGreaterThan(20);
  expect(counts.waiting).toBe(counts.verdicts); // nobody has delivered them yet
  const [reached] = await place.ledger.forTenant('lively', (tx) =>
    rows<Record<string, number>>(
      tx,
      `select count(*) filter (where status = 'kept') as kept, count(*) filter (where status = 'broken') as broken,
              count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where revision > 1) as again,
              count(*) filter (where schedule_no > 1) as amended
         from promise`,
      {},
    ),
  );
  for (const count of Object.values(reached ?? {})) expect(count).toBeGreaterThan(0);
}, 120_000);

test('the same ledger, with verdicts by older rules: compared, and counted apart', async () => {
  await tellLedger(place, 'older', SMALL);
  const { counts } = await verify('older');
  await tamper(
    place.ledger,
    'verdict',
    `update verdict set evidence = jsonb_set(evidence, '{codeVersion}', '"1"') where tenant_id = 'older'`,
    {},
  );
  const older = await verify('older');
  expect(older).toEqual({ counts: { ...counts, olderVerdicts: counts.verdicts }, differences: [] });
  await tamper(
    place.ledger,
    'verdict',
    `update verdict set evidence = jsonb_set(evidence, '{shortfallCents}', '77') where tenant_id = 'older' and promise_id = 'P1'`,
    {},
  );
  expect((await verify('older')).differences.map(({ kind, field }) => [kind, field])).toEqual([
    ['verdict', '$.shortfallCents'],
  ]);
});

test('verdicts that nobody, or another than who cancelled, decided', async () => {
  const { ledger } = place;
  await place.sandbox('decided', '2026-01-05 08:00');
  const policy = (name: string, options: Partial<PolicyOptions>): Promise<unknown> => {
    const whole = { ...PRESETS.default, ...options };
    return ledger.forTenant('decided', (tx) =>
      addPolicyVersion(tx, 'decided', { name, options: whole, actor: 'test', atMs: epochMs(0) }),
    );
  };
  await policy('four-eyes', { limits: { approvalAboveCents: cents(1), approvalWithinDays: 3 } });
  await policy('down', { limits: { downPaymentPercent: 20, downPaymentMissed: 'cancel' } });
  await policy('clears', { balanceCleared: 'cancel' });
  const promises = { REFUSED: 'four-eyes', FORGOTTEN: 'four-eyes', UNPAID: 'down', CLEARED: 'clears' };
  const options = { actor: 'clerk', realNowMs: Date.now(), wakeWorkflow: false, relayAfterMs: 0 };
  for (const [promiseId, name] of Object.entries(promises)) {
    const account = { accountId: promiseId, customerId: null, premiseId: null, debtClasses: ['water'] };
    await ledger.forTenant('decided', (tx) => putAccounts(tx, 'decided', [account]));
    const input = { tenantId: 'decided', promiseId, accountId: promiseId, debtClass: 'water', policy: name };
    const installments = ['2026-01-08', '2026-01-20'].map((dueDate) => ({ dueDate, amountCents: 5000 }));
    const answer = await enroll(ledger, { ...input, installments }, { actor: 'test' });
    expect(answer).toMatchObject({ result: 'enrolled' });
  }
  await decideApproval(ledger, 'decided', 'REFUSED', { approved: false, actor: 'boss' }, options);
  const cleared = { accountId: 'CLEARED', debtClass: 'water' };
  await clearBalance(ledger, 'decided', cleared, { actor: 'clerk', note: null });
  await moveTo(ledger, 'decided', '2026-02-10 09:00');
  for (const promiseId of Object.keys(promises)) {
    await settlePromise(ledger, 'decided', promiseId, Date.now());
  }
  const decided = await ledger.forTenant('decided', (tx) =>
    rows(
      tx,
      `select promise_id as "promiseId", status, reason, evidence ->> 'decidedBy' as "decidedBy"
         from verdict order by promise_id`,
      {},
    ),
  );
  expect(decided).toEqual([
    { promiseId: 'CLEARED', status: 'cancelled', reason: 'balance_cleared', decidedBy: 'troth' },
    { promiseId: 'FORGOTTEN', status: 'cancelled', reason: 'not_approved', decidedBy: 'troth' },
    { promiseId: 'REFUSED', status: 'cancelled', reason: 'not_approved', decidedBy: 'boss' },
    { promiseId: 'UNPAID', status: 'cancelled', reason: 'down_payment_missed', decidedBy: 'troth' },
  ]);
  expect((await verify('decided')).differences).toEqual([]);
});

const SMALL = { accounts: 8, seed: 3, until: '2026-02-06', settled: true };

/** One thing each that somebody does to a ledger, and what is found then. */
const TAMPERED: readonly (readonly [
  what: string,
  table: string,
  sql: string,
  found: readonly Partial<Difference>[],
])[] = [
  [
    'a byte of a verdict',
    'verdict',
    `update verdict set evidence = jsonb_set(evidence, '{installments,0,countedCents}', '3999')
      where tenant_id = :tenantId and promise_id = 'P1'`,
    [
      {
        kind: 'verdict',
        promiseId: 'P1',
        revision: 1,
        field: '$.installments[0].countedCents',
        stored: expect.stringContaining('"countedCents":3999'),
        recomputed: expect.stringContaining('"countedCents":2000'),
      },
    ],
  ],
  [
    'a verdict emptied',
    'verdict',
    `update verdict set evidence = 'null' where tenant_id = :tenantId and promise_id = 'P1'`,
    [{ kind: 'verdict', promiseId: 'P1', field: '$', byte: 0, stored: 'null' }],
  ],
  [
    'the name of the rules in a verdict',
    'verdict',
    `update verdict set evidence = evidence - 'codeVersion' where tenant_id = :tenantId and promise_id = 'P1'`,
    [{ kind: 'verdict', promiseId: 'P1', field: '$.codeVersion' }],
  ],
  [
    'the sentence beside a verdict',
    'verdict',
    `update verdict set sentence = 'Kept.' where tenant_id = :tenantId and promise_id = 'P1'`,
    [{ kind: 'verdict', promiseId: 'P1', field: 'sentence', byte: null, stored: 'Kept.' }],
  ],
  [
    'a verdict that is gone',
    'verdict',
    `delete from verdict where tenant_id = :tenantId and promise_id = 'P1'`,
    [{ kind: 'verdict_missing', promiseId: 'P1', revision: 1 }],
  ],
  [
    'a payment that is said to be smaller',
    'payment',
    `update payment set amount_cents = amount_cents - 1
      where tenant_id = :tenantId and payment_id = (select min(payment_id) from payment_use
        where tenant_id = :tenantId and promise_id = 'P1')`,
    [
      { kind: 'verdict', promiseId: 'P1', field: '$.countedCents', byte: 86 },
      {
        kind: 'verdict',
        promiseId: 'P1',
        field: 'sentence',
        recomputed: expect.stringContaining('$19.99 of $40.00'),
      },
      { kind: 'installment', promiseId: 'P1', stored: '2000', recomputed: '1999' },
      { kind: 'payment_use', promiseId: 'P1' },
    ],
  ],
  [
    "a promise's status",
    'promise',
    `update promise set status = 'kept', reason = 'paid_in_full'
      where tenant_id = :tenantId and promise_id = (select min(promise_id) from promise
        where tenant_id = :tenantId and status = 'broken')`,
    [
      { kind: 'promise', field: 'status', stored: 'kept', recomputed: 'broken' },
      { kind: 'promise', field: 'reason', stored: 'paid_in_full', recomputed: 'installment_missed' },
    ],
  ],
  [
    'what an installment has counted',
    'installment',
    `update installment set counted_cents = 1 where tenant_id = :tenantId and promise_id = 'P1' and seq = 1 and schedule_no = 1`,
    [
      {
        kind: 'installment',
        promiseId: 'P1',
        field: 'installment 1 counted_cents',
        stored: '1',
        recomputed: '2000',
      },
    ],
  ],
  [
    'what was counted of a payment',
    'payment_use',
    `update payment_use set cents = 3 where tenant_id = :tenantId and promise_id = 'P1'
        and payment_id = (select min(payment_id) from payment_use where tenant_id = :tenantId and promise_id = 'P1')`,
    [{ kind: 'payment_use', promiseId: 'P1', stored: expect.stringContaining('"cents":3,') }],
  ],
  [
    'what began a revision',
    'promise_revision',
    `update promise_revision set cause = 'reversal' where tenant_id = :tenantId and promise_id = 'P1' and revision = 1`,
    [{ kind: 'revision', promiseId: 'P1', stored: expect.stringContaining('reversal') }],
  ],
  [
    'an outcome that nobody will hear',
    'outbox',
    `delete from outbox where tenant_id = :tenantId and promise_id = 'P1' and kind = 'outcome'`,
    [
      {
        kind: 'outcome_untold',
        promiseId: 'P1',
        recomputed: expect.stringMatching(/^P1\/1\/(kept|broken)$/),
      },
    ],
  ],
  [
    'what an audit event says',
    'audit_event',
    `update audit_event set actor = 'somebody else' where tenant_id = :tenantId and promise_id = 'P2' and position = 1`,
    [{ kind: 'audit_changed', promiseId: 'P2', field: 'event 1, promise.enrolled' }],
  ],
  [
    'an audit event from the middle',
    'audit_event',
    `delete from audit_event where tenant_id = :tenantId and promise_id is null and position = 3`,
    [{ kind: 'audit_missing', promiseId: null, field: 'event 3' }],
  ],
  [
    'the end of an audit chain',
    'audit_event',
    `delete from audit_event where tenant_id = :tenantId and promise_id is null
        and position > (select max(position) - 2 from audit_event where tenant_id = :tenantId and promise_id is null)`,
    [{ kind: 'audit_tail', promiseId: null, field: expect.stringMatching(/^events \d+ to \d+$/) }],
  ],
  [
    'the head of an audit chain',
    'audit_head',
    `update audit_head set hash = sha256('x') where tenant_id = :tenantId and chain = 'P2'`,
    [{ kind: 'audit_head', promiseId: 'P2', stored: 'another hash' }],
  ],
  [
    'a head that is gone',
    'audit_head',
    `delete from audit_head where tenant_id = :tenantId and chain = 'P2'`,
    [{ kind: 'audit_head', promiseId: 'P2', stored: 'none' }],
  ],
  [
    'a whole audit chain but for its head',
    'audit_event',
    `delete from audit_event where tenant_id = :tenantId and promise_id = 'P1'`,
    [
      { kind: 'audit_missing', promiseId: 'P1', recomputed: 'promise.enrolled' },
      {
        kind: 'audit_missing',
        promiseId: 'P1',
        recomputed: expect.stringMatching(/^promise\.(kept|broken) 1$/),
      },
      { kind: 'audit_tail', promiseId: 'P1', stored: '0 events' },
    ],
  ],
  [
    'a tail that was cut off with the head changed to hide it: the verdict tells',
    'audit_event',
    `with gone as (delete from audit_event where tenant_id = :tenantId and promise_id = 'P1' and position > 1)
     update audit_head h set events = 1, hash = (select e.hash from audit_event e
        where e.tenant_id = :tenantId and e.promise_id = 'P1' and e.position = 1)
      where h.tenant_id = :tenantId and h.chain = 'P1'`,
    [
      {
        kind: 'audit_missing',
        promiseId: 'P1',
        recomputed: expect.stringMatching(/^promise\.(kept|broken) 1$/),
      },
    ],
  ],
];

describe('what was tampered with is found and named', () => {
  test.each(TAMPERED)('%s', async (what, table, sql, found) => {
    const tenantId = `t-${TAMPERED.findIndex(([one]) => one === what)}`;
    await tellLedger(place, tenantId, SMALL);
    expect((await verify(tenantId)).differences).toEqual([]);
    await tamper(place.ledger, table, sql, { tenantId });
    const { differences } = await verify(tenantId);
    for (const one of found) expect(differences).toContainEqual(expect.objectContaining(one));
    expect(differences).toHaveLength(found.length);
    // Other tenants are none of its business.
    expect(new Set(differences.map(({ promiseId }) => promiseId)).size).toBe(1);
    const [first] = differences;
    if (first?.promiseId == null) return;
    const one = await verify(tenantId, { kind: 'one', promiseId: first.promiseId });
    expect(one.differences).toEqual(differences);
    expect((await verify(tenantId, { kind: 'one', promiseId: 'P3' })).differences).toEqual([]);
  });
});

test('the facts of one promise cannot be: it is named, and all others are verified', async () => {
  await tellLedger(place, 'poison', SMALL);
  await tamper(
    place.ledger,
    'installment',
    `delete from installment where tenant_id = 'poison' and promise_id = 'P4'`,
    {},
  );
  const { counts, differences } = await verify('poison');
  expect(counts.promises).toBe(SMALL.accounts);
  expect(differences).toEqual([expect.objectContaining({ kind: 'unreadable', promiseId: 'P4' })]);
});

test('enrolled, and paid before a worker looked: nothing is wrong, it waits', async () => {
  await tellLedger(place, 'waiting', { ...SMALL, settled: false, until: '2026-01-12' });
  expect((await verify('waiting')).differences).toEqual([]);
  await settleDue(place.ledger, 'waiting', local('2026-01-12 23:00'));
  expect((await verify('waiting')).differences).toEqual([]);
});

test('pages do not matter: the same is found with two promises to a page', async () => {
  const { differences } = await verify('t-0');
  const found: Difference[] = [];
  for await (const part of verifyPromises(place.ledger, 't-0', { kind: 'all' }, 2))
    found.push(...part.differences);
  expect(found).toEqual(differences);
});

test('the first byte that differs, and where it stands', () => {
  expect(canonicalJson({ b: [1, { d: 'é', c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":"é"}]}');
  expect(firstDifference({ a: 1, b: 2 }, { b: 2, a: 1 })).toBeNull();
  const long = 'x'.repeat(100);
  expect(
    firstDifference({ a: 'é', b: [{ c: 1 }, { c: long }] }, { a: 'é', b: [{ c: 1 }, { c: `${long}y` }] }),
  ).toEqual({
    path: '$.b[1].c',
    byte: Buffer.byteLength(`{"a":"é","b":[{"c":1},{"c":"${long}`),
    stored: `…${'x'.repeat(24)}"}]}`,
    recomputed: `…${'x'.repeat(24)}y"}]}`,
  });
  expect(firstDifference({ a: [1] }, { a: [1, 2] })?.path).toBe('$.a[1]');
  expect(firstDifference({ a: 1 }, { a: 1, b: 2 })?.path).toBe('$.b');
});
