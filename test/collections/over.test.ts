/**
 * Goal: a debt that is gone is over: its case is closed with a review, and another debt has a process and notices of its own; what a
 * case cannot do by itself is on the worklist; what is typed by hand harms no case (R33, R36).
 * Method: a ledger with a process, its clock moved over more than a year; the activities of a case are called as its workflow does.
 */
import { caseActivities } from '../../activities/collections';
import { answerStep } from '../../src/collections/approvals';
import { setTarget } from '../../src/collections/outside/target';
import { worklist } from '../../src/collections/worklist';
import { row, rows } from '../../src/ledger/connection';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { standingsOf } from '../../src/ledger/collections/standings';
import { getTenant } from '../../src/ledger/tenants';
import { Place, TIME_ZONE } from '../cis/place';
import { moveTo } from '../ledger/lively';
import { testLog } from '../support/stack';
import { CasePlace } from './case-place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const activities = (): ReturnType<typeof caseActivities> =>
  caseActivities({ ledger: place.ledger, log: testLog, taskQueue: 'none', statusAtEnd: false });
const keyOf = (at: CasePlace, accountId = 'A1') => ({ tenantId: at.tenantId, accountId, debtClass: 'water' });
const waking = async (at: CasePlace): Promise<number | undefined> => {
  const found = await place.ledger.forTenant(at.tenantId, (tx) =>
    row<{ behind: number }>(
      tx,
      'select cast(wake_no - woken_no as integer) as behind from collections_case',
      {},
    ),
  );
  return found?.behind;
};
const told = (at: CasePlace, promiseId: string, kind: 'kept' | 'broken' | 'activated', revision = 1) =>
  activities().receiveOutcome({
    ...{ key: keyOf(at), workflowId: 'w', realNowMs: Date.now() },
    outcome: {
      ...{ outcomeId: `${promiseId}/${revision}/${kind}`, promiseId, revision, kind },
      at: new Date(Date.now() + 10 * 365 * 86_400_000).toISOString(),
    },
  });

async function kinds(at: CasePlace): Promise<string[]> {
  const found: string[] = [];
  for await (const item of worklist(place.ledger, at.tenantId, { limit: 10 })) found.push(item.itemId);
  return found;
}

test('promised, paid and closed; a year later another debt begins at its beginning', async () => {
  const at = await CasePlace.make(place, 'year', '2026-01-20 08:00', { resume: 'continue' });
  await at.account('A1');
  await at.debt('A1', { '2026-01-10': 8000 });
  await at.until('2026-02-05 12:00', 'A1');
  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-02-20', amountCents: 8000 }] });
  await at.act('A1');
  await moveTo(place.ledger, at.tenantId, '2026-02-10 12:00');
  await at.pay('A1', 8000);
  await settlePromise(place.ledger, at.tenantId, 'P1', Date.now());
  expect(await told(at, 'P1', 'kept')).toMatchObject({ status: 'closed', keptCount: 1 });
  expect((await at.reviews('A1')).at(-1)).toBe(
    'close: Closed: no promise is open and nothing is left to collect.',
  );
  const [standing] = await place.ledger.forTenant(at.tenantId, (tx) =>
    standingsOf(tx, at.tenantId, 'A1', TIME_ZONE),
  );
  expect(standing?.lastClearAt).not.toBeNull();

  await moveTo(place.ledger, at.tenantId, '2027-03-01 08:00');
  await at.debt('A1', { '2027-02-15': 9000 });
  await at.until('2027-03-12 12:00', 'A1');
  expect((await at.steps('A1')).slice(3)).toEqual([
    '2027-03-01 reminder done run 2',
    '2027-03-11 final-notice done run 2',
  ]);
});

test('a case that is closed by hand says so, in the time of its tenant, and forgives nothing', async () => {
  const at = await CasePlace.make(place, 'hand', '2026-01-20 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-10': 8000 });
  await at.until('2026-01-22 12:00', 'A1');
  await activities().closeCase(keyOf(at));
  await activities().closeCase(keyOf(at));
  expect((await at.reviews('A1')).slice(1)).toEqual(['close: Closed by hand.']);
  const [run] = await place.ledger.forTenant(at.tenantId, (tx) =>
    rows<{ on: string; status: string }>(
      tx,
      `select status, cast(cast(ended_at as date) as text) as "on" from collections_run`,
      {},
    ),
  );
  expect(run).toEqual({ status: 'cancelled', on: '2026-01-22' });
  const [standing] = await place.ledger.forTenant(at.tenantId, (tx) =>
    standingsOf(tx, at.tenantId, 'A1', TIME_ZONE),
  );
  expect(standing).toMatchObject({ lastClearAt: null });
});

test('a step of a run that has ended can be approved no more', async () => {
  const at = await CasePlace.make(place, 'late-yes', '2026-01-20 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-10': 8000 });
  await at.until('2026-03-10 12:00', 'A1');
  expect((await at.steps('A1')).at(-1)).toBe('- shut-off awaiting-approval');
  expect(await kinds(at)).toEqual(['approval/step/A1/water/1/shut-off']);
  await at.pay('A1', 8000);
  await at.act('A1');
  const answer = { stepId: 'shut-off', approved: true, actor: 'boss', note: null };
  await expect(answerStep(place.ledger, keyOf(at), answer)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('what is typed by hand and names no promise of the debt is no outcome of its case', async () => {
  const at = await CasePlace.make(place, 'typed', '2026-01-20 08:00');
  await at.account('A1');
  await at.account('A2');
  await at.debt('A1', { '2026-01-10': 8000 });
  await at.promise('P2', 'A2', { installments: [{ dueDate: '2026-01-22', amountCents: 8000 }] });
  await moveTo(place.ledger, at.tenantId, '2026-02-01 12:00');
  await settlePromise(place.ledger, at.tenantId, 'P2', Date.now());
  for (const [promiseId, kind, revision] of [
    ['none', 'activated', 1],
    ['P2', 'broken', 1],
    ['P2', 'broken', 1.5],
    ['P2', 'activated', 1],
    ['P\u00002', 'broken', 1],
    ['P\ud800', 'broken', 1],
  ] as const)
    expect(await told(at, promiseId, kind, revision)).toMatchObject({ recorded: [], brokenCount: 0 });
  const input = { key: keyOf(at, 'A2'), workflowId: 'w', realNowMs: Date.now() };
  const outcome = {
    outcomeId: 'P2/1/activated',
    promiseId: 'P2',
    revision: 1,
    kind: 'activated' as const,
    at: '',
  };
  expect(await activities().receiveOutcome({ ...input, outcome })).toMatchObject({ recorded: [] });
  for (const when of ['+275760-09-13T00:00:00.000Z', 'next week']) {
    const odd = { ...outcome, at: when };
    expect(await activities().receiveOutcome({ ...input, outcome: odd })).toMatchObject({ recorded: [] });
  }
  const real = { ...outcome, outcomeId: 'P2/1/broken', kind: 'broken' as const };
  // One that cannot be read does not keep those beside it from being received.
  const bad = { ...real, outcomeId: 'P2/\udfff', promiseId: 'P2\ud800' };
  const old = { ...real, at: '-271821-04-20T00:00:00.000Z' };
  expect(await activities().receiveOutcomes({ ...input, outcomes: [bad, old, real] })).toMatchObject({
    ...{ brokenCount: 1, recorded: [{ outcomeId: 'P2/1/broken' }] },
    received: [bad.outcomeId, real.outcomeId, real.outcomeId],
  });
  // A year is an instant, too.
  const year = { ...outcome, at: '2026' };
  expect(await activities().receiveOutcome({ ...input, outcome: year })).toMatchObject({
    recorded: [{ outcomeId: 'P2/1/activated', at: '2026-01-01T00:00:00.000Z' }],
  });
});

test('a case that goes no further by itself is on the worklist until it does', async () => {
  const at = await CasePlace.make(place, 'stuck', '2026-01-20 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-10': 8000 });
  const act = () => activities().actOnCase({ key: keyOf(at), realNowMs: Date.now() });
  await act();
  expect(await kinds(at)).toEqual([]);
  const calendar = (weekend: string): Promise<unknown> =>
    place.ledger.forTenant(at.tenantId, (tx) =>
      rows(tx, `update tenant set time_zone = :weekend where tenant_id = :tenantId`, {
        weekend,
        tenantId: at.tenantId,
      }),
    );
  await calendar('No/Where');
  await expect(act()).rejects.toThrow(/no\/where/i);
  await calendar(TIME_ZONE);
  const items: string[] = [];
  for await (const { itemId, reason } of worklist(place.ledger, at.tenantId, { limit: 10 }))
    items.push(`${itemId.replace(/\d+$/, 'N')}: ${reason}`);
  expect(items).toEqual([
    expect.stringMatching(/^stuck\/case\/A1\/water\/N: The case goes no further: .*no\/where/i),
  ]);
  await act();
  expect(await kinds(at)).toEqual([]);
});

test('a debt that was not known is looked at when it is; a case that rested goes on when Troth collects again', async () => {
  const at = await CasePlace.make(place, 'rests', '2026-01-20 08:00');
  await at.account('A1');
  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-01-22', amountCents: 8000 }] });
  await moveTo(place.ledger, at.tenantId, '2026-02-01 12:00');
  await settlePromise(place.ledger, at.tenantId, 'P1', Date.now());
  expect(await told(at, 'P1', 'broken')).toMatchObject({ status: 'open' });
  const wakings = (await waking(at)) ?? 0;
  await at.debt('A1', { '2026-01-10': 8000 });
  expect(await waking(at)).toBe(wakings + 1);
  await at.until('2026-03-10 12:00', 'A1');
  expect(await kinds(at)).toContain('approval/step/A1/water/1/shut-off');

  const { ledger } = place;
  const tenant = await ledger.forTenant(at.tenantId, (tx) => getTenant(tx, at.tenantId));
  await setTarget(ledger, tenant, { kind: 'file', folder: place.folder, acknowledge: 'written' }, 'test');
  // Nobody is asked to approve what Troth would not do.
  expect(await kinds(at)).not.toContain('approval/step/A1/water/1/shut-off');
  const before = await waking(at);
  await setTarget(ledger, tenant, { kind: 'troth' }, 'test');
  expect(await waking(at)).toBe((before ?? 0) + 1);
  expect(await kinds(at)).toContain('approval/step/A1/water/1/shut-off');
});
