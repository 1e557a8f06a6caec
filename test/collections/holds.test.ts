/**
 * Goal: a hold is placed once, taken off before or while it stands, and leaves nobody in the dark about deadlines that it should move.
 * Method: holds on a ledger with promises; the clock is moved between them.
 */
import { placeHold, releaseHold, type NewHold } from '../../src/collections/holds';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { Place } from '../cis/place';
import { moveTo } from '../ledger/lively';
import { CasePlace } from './case-place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

const BY = { actor: 'clerk' };
const hold = (holdId: string, rest: Partial<NewHold>): NewHold => ({
  ...{ holdId, accountId: 'A1', debtClass: null, kind: 'dispute' as const, reason: 'contested' },
  ...rest,
});

async function begin(tenantId: string, process: object = {}): Promise<CasePlace> {
  const at = await CasePlace.make(place, tenantId, '2026-01-20 08:00', process);
  await at.account('A1');
  return at;
}

test('the same command on another day changes nothing', async () => {
  await begin('again');
  const { ledger } = place;
  const wanted = hold('H1', { kind: 'breathing-space' });
  expect(await placeHold(ledger, 'again', wanted, BY)).toMatchObject({ result: 'placed' });
  await moveTo(ledger, 'again', '2026-01-23 08:00');
  expect(await placeHold(ledger, 'again', wanted, BY)).toMatchObject({
    result: 'known',
    hold: { from: '2026-01-20', until: '2026-03-20' },
  });
  await expect(placeHold(ledger, 'again', { ...wanted, from: '2026-01-23' }, BY)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

test('a hold that has not begun can be taken off: it never was', async () => {
  const at = await begin('future');
  const { ledger } = place;
  await at.debt('A1', { '2026-01-05': 8000 });
  await placeHold(ledger, 'future', hold('H1', { from: '2026-01-25' }), BY);
  const release = { ...BY, reason: null };
  await expect(
    releaseHold(ledger, 'future', 'H1', { ...release, on: '2026-01-20' as never }),
  ).rejects.toMatchObject({
    problems: [{ field: 'on', message: 'must be 2026-01-25, its first day, which is to come' }],
  });
  expect(await releaseHold(ledger, 'future', 'H1', release)).toMatchObject({ result: 'released' });
  await at.until('2026-01-31 12:00', 'A1');
  expect(await at.reviews('A1')).toEqual([
    'start: Started: $80.00 is past due and nothing of it is promised.',
  ]);
});

test('a hold that moves deadlines must say by how much', async () => {
  await begin('open-ended', { pausesPromises: ['medical'] });
  const { ledger } = place;
  await expect(placeHold(ledger, 'open-ended', hold('H1', { kind: 'medical' }), BY)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    problems: [{ field: 'until' }],
  });
  await placeHold(ledger, 'open-ended', hold('H1', { kind: 'medical', until: '2026-12-31' }), BY);
  await placeHold(ledger, 'open-ended', hold('H2', { kind: 'dispute' }), BY);
});

test('a promise that was broken while a backdated hold stood is named', async () => {
  const at = await begin('broken');
  const { ledger } = place;
  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-01-22', amountCents: 8000 }] });
  await moveTo(ledger, 'broken', '2026-02-10 12:00');
  expect(await settlePromise(ledger, 'broken', 'P1', Date.now())).toMatchObject({ status: 'broken' });
  const { promises } = await placeHold(
    ledger,
    'broken',
    hold('H1', { kind: 'breathing-space', from: '2026-01-21' }),
    BY,
  );
  expect(promises).toEqual([
    {
      ...{ promiseId: 'P1', result: 'left' },
      why: 'it was broken on 26 Jan 2026, while the hold stood; make a new promise if it should not count',
    },
  ]);
  // A dispute moves no deadline here, and a hold of later days has nothing to do with it.
  expect(await placeHold(ledger, 'broken', hold('H2', { from: '2026-01-21' }), BY)).toMatchObject({
    promises: [],
  });
  const later = hold('H3', { kind: 'breathing-space', from: '2026-02-01' });
  expect(await placeHold(ledger, 'broken', later, BY)).toMatchObject({ promises: [] });
});
