/**
 * Goal: a debt that nobody has promised is collected step by step, and a promised one is left alone (R30 to R33).
 * Method: a ledger with a process; its clock is moved and the case acted on as its workflow would, day by day.
 */
import { Place } from '../cis/place';
import { CasePlace } from './case-place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

test('a debt without a promise goes through its process', async () => {
  const at = await CasePlace.make(place, 'plain', '2026-01-20 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-15': 8000 });
  expect(await at.act('A1')).toMatchObject({
    status: 'open',
    sentence: expect.stringContaining('No process runs'),
  });
  await at.until('2026-03-20 12:00', 'A1');
  expect(await at.reviews('A1')).toEqual([
    'start: Started: $80.00 is past due and nothing of it is promised.',
  ]);
  expect(await at.steps('A1')).toEqual([
    '2026-01-26 reminder done',
    '2026-02-04 final-notice done',
    '2026-02-09 call done',
    '- shut-off awaiting-approval',
  ]);
});
