/**
 * Goal: the small decisions of telling a system outside: how long to wait, and which workflow a message goes to.
 * Method: tables.
 */
import { lookAgainAfterMs, outsideWorkflowId, partsOf } from '../../src/rules/collections/outside';
import { retryAfterMs } from '../../src/platform/retry';

test.each([
  [1, 500],
  [2, 1000],
  [3, 2000],
  [7, 32_000],
  [8, 60_000],
  [1000, 60_000],
])('after attempt %i a message waits at most %i ms, and at least a half of it', (attempts, longestMs) => {
  expect(retryAfterMs(attempts, 0)).toBe(longestMs);
  expect(retryAfterMs(attempts, 1)).toBe(longestMs / 2);
});

test.each([
  [0, 1000],
  [10_000, 1000],
  [30_000, 3000],
  [3_600_000, 60_000],
])('having waited %i ms for an acknowledgement, it is looked for after %i ms', (waitedMs, againMs) => {
  expect(lookAgainAfterMs(waitedMs)).toBe(againMs);
});

test('a workflow id is its pattern with the message put in', () => {
  const message = { tenantId: 'riverton', accountId: '0010', debtClass: 'water', promiseId: 'P-1' };
  const pattern = 'dunning/{tenant}/{accountId}/{debtClass}/{promiseId}/{accountId}';
  expect(outsideWorkflowId(pattern, message)).toBe('dunning/riverton/0010/water/P-1/0010');
  expect(partsOf(pattern)).toEqual(['tenant', 'accountId', 'debtClass', 'promiseId', 'accountId']);
  // What an id holds is no pattern.
  expect(outsideWorkflowId('{tenant}/{accountId}', { ...message, accountId: '{debtClass}' })).toBe(
    'riverton/{debtClass}',
  );
});
