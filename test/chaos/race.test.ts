/**
 * Goal: payments, reversals, cancels and verdicts of one promise that come at the same instant never cross.
 * Method: a verdict is held open just before its commit while money that came a moment earlier is posted or reversed.
 * And seeded stories of the oracle, told several happenings at once, each beside settlements of its promise that run in
 * parallel with the worker's. In the end every verdict must be what the postings make of it, to the byte.
 */
import type { Ledger } from '../../src/ledger/connection';
import { lockPromise } from '../../src/ledger/promises/facts';
import { postPayment, postReversal, type Posted } from '../../src/ledger/payments';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { settleLocked } from '../../src/ledger/promises/settle';
import { epochMs, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { createEngine, local, makeTenant, moveTo } from '../support/engine';
import { TestHome } from '../support/stack';
import { complaints, unlikeTheEvidence, untilQuiet } from './check';
import { AMOUNT_CENTS, openPromise, settleSilently } from './one-promise';
import { mortalWorker } from './place';
import { beginning, happeningsOf, storiesOf, Teller, whateverComes, type Happening } from './stories';

const SEED = Number(process.env['TROTH_CHAOS_SEED'] ?? 1);
const PROMISES = 40;
const AT_ONCE = 8;
const RIVALS = 3;

jest.setTimeout(120_000);

/** Settles a promise and commits only when `meanwhile` has had time to come in between, if it can. */
async function settleSlowly(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  let other: Promise<unknown> = Promise.resolve();
  await ledger.forTenant(tenantId, async (tx) => {
    const promise = await lockPromise(tx, tenantId, promiseId);
    if (promise === undefined) throw new Error(`${promiseId} is not there`);
    await settleLocked(tx, tenantId, promise, epochMs(Date.now() + promise.clockOffsetMs));
    other = meanwhile();
    await Promise.race([other, new Promise((resolve) => setTimeout(resolve, 1_000))]);
  });
  await other;
}

test('money that came a moment before a verdict waits for it, and is recorded as come after it', async () => {
  const engine = await createEngine();
  const { ledger } = engine;
  try {
    const tenantId = await makeTenant(ledger, { begins: '2026-01-02 09:00', accounts: ['A1', 'A2'] });
    await openPromise(ledger, tenantId, 'P1', 'A1');
    await openPromise(ledger, tenantId, 'P2', 'A2', '2026-02-15');
    await moveTo(ledger, tenantId, '2026-01-20 09:00');
    const postedAtMs = epochMs(local('2026-01-19 12:00') - 1);
    const money = { debtClass: 'water', amountCents: cents(AMOUNT_CENTS), currency: 'USD', postedAtMs };
    const receivedAtMs = local('2026-01-18 12:00');
    const pay = (paymentId: string, accountId: string): Promise<Posted> =>
      postPayment(ledger, tenantId, { ...money, paymentId, accountId, receivedAtMs });
    // P1 is broken; the payment that crosses it is late evidence and makes revision 2.
    await settleSlowly(ledger, tenantId, 'P1', () => pay('M1', 'A1'));
    expect((await settleSilently(ledger, tenantId, 'P1')).revision).toBe(2);
    // P2 is kept; the bounce that crosses it opens revision 2.
    await pay('M2', 'A2');
    const effectiveDate = localDate('2026-01-19');
    const bounce = { paymentId: 'M2', effectiveDate, reason: 'nsf' as const, postedAtMs };
    await settleSlowly(ledger, tenantId, 'P2', () => postReversal(ledger, tenantId, bounce));
    expect((await settleSilently(ledger, tenantId, 'P2')).revision).toBe(2);
    expect(await ledger.forTenant(tenantId, (tx) => unlikeTheEvidence(tx, tenantId))).toEqual([]);
  } finally {
    await engine.close();
  }
});

test('postings and verdicts at the same instant do not cross', async () => {
  const home = new TestHome('chaos');
  const engine = await createEngine();
  const { ledger, client } = engine;
  const worker = await mortalWorker(home, engine.workerEnv);
  try {
    const stories = storiesOf(PROMISES, 1 + (SEED + 20) * 100_000);
    const happenings = happeningsOf(stories);
    const begins = beginning(happenings);
    const tenantId = await makeTenant(ledger, {
      begins: new Date(begins).toISOString().slice(0, 16),
      accounts: stories.map(({ accountId }) => accountId),
    });
    const teller = new Teller(ledger, client, tenantId, begins - Date.now());
    const enrolled = new Set<string>();
    const beside = ({ told: { promiseId } }: Happening): Promise<unknown>[] =>
      Array.from({ length: enrolled.has(promiseId) ? RIVALS : 0 }, () =>
        whateverComes(() => settlePromise(ledger, tenantId, promiseId, Date.now())),
      );
    for (const now of together(happenings)) {
      await teller.moveTo(now.at(-1)?.atMs ?? 0);
      // Money is there before it is reversed.
      for (const kind of ['enroll', 'pay', 'reverse', 'cancel'])
        await Promise.all(
          now
            .filter((one) => one.kind === kind)
            .flatMap((one) => [...beside(one), teller.tell(one), ...beside(one)]),
        );
      for (const { kind, told } of now) if (kind === 'enroll') enrolled.add(told.promiseId);
    }
    await teller.moveTo((happenings.at(-1)?.atMs ?? 0) + 60 * 86_400_000);
    await untilQuiet(ledger, tenantId);
    expect(await complaints(ledger, tenantId, stories, teller)).toEqual([]);
  } finally {
    await worker.stop();
    await engine.close();
    home.remove();
  }
});

/** Neighbors in time; a promise is enrolled alone, since it must be there before money comes. */
function together(happenings: readonly Happening[]): Happening[][] {
  const groups: Happening[][] = [];
  for (const happening of happenings) {
    const last = groups.at(-1);
    const fits = last !== undefined && last.length < AT_ONCE && last[0]?.kind !== 'enroll';
    if (fits && happening.kind !== 'enroll') last.push(happening);
    else groups.push([happening]);
  }
  return groups;
}
