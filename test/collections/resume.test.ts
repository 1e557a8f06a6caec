/**
 * Goal: the worked example of docs/collections/process.md is true: where a process goes on after a broken promise (R33).
 * Method: the same debt and promise under each `resume`, day by day on a real ledger; the steps that follow are compared.
 */
import { receiveOutcomes } from '../../src/ledger/collections/cases';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { collectionsWorkflowId } from '../../src/platform/ids';
import { Place } from '../cis/place';
import { moveTo } from '../ledger/lively';
import { CasePlace } from './case-place';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

/** The promise is judged, and its case hears of it as its workflow would. */
async function heard(tenantId: string): Promise<void> {
  const { status, revision } = await settlePromise(place.ledger, tenantId, 'P1', Date.now());
  expect(status).toBe('broken');
  const key = { tenantId, accountId: 'A1', debtClass: 'water' };
  const outcomeId = `P1/${revision}/broken`;
  const message = {
    outcomeId,
    promiseId: 'P1',
    revision,
    kind: 'broken' as const,
    at: '2026-02-14T17:05:00Z',
  };
  await place.ledger.forTenant(tenantId, (tx) =>
    receiveOutcomes(tx, key, collectionsWorkflowId(tenantId, 'A1', 'water'), [message]),
  );
}

const EXPECTED: readonly (readonly [resume: string, expected: readonly string[]])[] = [
  [
    'restart',
    ['2026-02-16 reminder done run 2', '2026-02-24 final-notice done run 2', '2026-03-02 call done run 2'],
  ],
  ['continue', ['- reminder skipped run 2', '- final-notice skipped run 2', '2026-02-16 call done run 2']],
  [
    'closest',
    [
      ...['- reminder skipped run 2', '- final-notice skipped run 2', '- call skipped run 2'],
      '- shut-off awaiting-approval run 2',
    ],
  ],
];

// Whoever comes first: the case that hears of the verdict, or one that looks by itself and has the promise judged.
const CASES = EXPECTED.flatMap(([resume, expected]) =>
  [true, false].map((hears) => ({ resume, expected, hears })),
);

test.each(CASES)('$resume, heard first: $hears', async ({ resume, expected, hears }) => {
  const at = await CasePlace.make(
    place,
    `resume-${resume}-${hears ? 'heard' : 'alone'}`,
    '2026-01-14 08:00',
    { resume },
  );
  await at.account('A1');
  await at.debt('A1', { '2026-01-05': 8000 });
  await at.until('2026-01-28 12:00', 'A1');
  await at.promise('P1', 'A1', { installments: [{ dueDate: '2026-02-10', amountCents: 8000 }] });
  await at.act('A1');
  expect((await at.reviews('A1')).at(-1)).toMatch(/^cancel: Cancelled: promises shield the debt/);
  await moveTo(place.ledger, at.tenantId, '2026-02-14 12:05');
  if (hears) await heard(at.tenantId);
  await at.act('A1');
  expect((await at.reviews('A1')).at(-1)).toMatch(/^start: /);
  await at.until('2026-03-02 12:00', 'A1');
  const steps = await at.steps('A1');
  expect(steps.slice(0, 2)).toEqual(['2026-01-15 reminder done', '2026-01-26 final-notice done']);
  expect(steps.slice(2, 2 + expected.length).sort()).toEqual([...expected].sort());
});
