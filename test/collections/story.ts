import { setTarget } from '../../src/collections/outside/target';
import { enroll } from '../../src/enrollment/enroll';
import { rows, type Ledger } from '../../src/ledger/connection';
import { listOutside, type ListedMessage } from '../../src/ledger/collections/outside';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { getTenant } from '../../src/ledger/tenants';
import type { TargetSet } from '../../src/ledger/collections/targets';
import { localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { eventually, local } from '../support/engine';

export const BEGINS = '2026-01-05 08:00';
const AMOUNT = cents(10_000);

export async function aim(ledger: Ledger, tenantId: string, target: object): Promise<TargetSet> {
  const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
  return setTarget(ledger, tenant, target, 'test');
}

/** A promise of 100.00 of an account of the same name: its system hears that it is `activated`. */
export async function promise(ledger: Ledger, tenantId: string, id: string): Promise<void> {
  const installments = [{ dueDate: '2026-01-15', amountCents: AMOUNT }];
  const input = { promiseId: id, tenantId, accountId: id, debtClass: 'water', installments };
  expect(await enroll(ledger, input, { actor: 'test' })).toMatchObject({ result: 'enrolled' });
}

/** Pays a promise in full: `kept`. */
export async function pay(
  ledger: Ledger,
  tenantId: string,
  id: string,
  paymentId = `M-${id}`,
): Promise<void> {
  await postPayment(ledger, tenantId, {
    ...{ paymentId, accountId: id, debtClass: 'water', amountCents: AMOUNT, currency: 'USD' },
    receivedAtMs: local(BEGINS),
  });
}

/** The money bounces: `reversed`. */
export async function bounce(
  ledger: Ledger,
  tenantId: string,
  id: string,
  paymentId = `M-${id}`,
): Promise<void> {
  await postReversal(ledger, tenantId, { paymentId, effectiveDate: localDate('2026-01-05'), reason: 'nsf' });
}

/** What is told of a whole story. */
export const STORY = ['activated', 'kept', 'reversed', 'reopened'];

/** A promise is made, kept and, its money having bounced, open again; told without any workflow. */
export async function wholeStory(ledger: Ledger, tenantId: string, id: string): Promise<void> {
  await promise(ledger, tenantId, id);
  await pay(ledger, tenantId, id);
  await settlePromise(ledger, tenantId, id, Date.now());
  await bounce(ledger, tenantId, id);
  await settlePromise(ledger, tenantId, id, Date.now());
}

/** The kinds of outcome ids, in their order. */
export function kindsOf(outcomeIds: readonly string[]): string[] {
  return outcomeIds.map(
    (id) =>
      /(activated|missed|kept|broken|cancelled|amended|reopened|reversed)/.exec(
        id.slice(id.indexOf('/')),
      )?.[0] ?? id,
  );
}

export function messages(ledger: Ledger, tenantId: string, unacknowledged = false): Promise<ListedMessage[]> {
  return ledger.forTenant(tenantId, (tx) => listOutside(tx, tenantId, { unacknowledged, limit: 10_000 }));
}

/** Waits until so many messages have been acknowledged, and none waits. */
export async function untilAcknowledged(
  ledger: Ledger,
  tenantId: string,
  count: number,
  limitMs = 60_000,
): Promise<void> {
  const state = async (): Promise<string> => {
    const all = await messages(ledger, tenantId);
    return `${all.filter((one) => one.acknowledgedAt !== null).length} of ${all.length}`;
  };
  await eventually(
    async () => (await state()) === `${count} of ${count}`,
    `${count} are acknowledged`,
    limitMs,
  ).catch(async (error: unknown) => {
    throw new Error(
      `${String(error)}: ${await state()}; ${JSON.stringify(await messages(ledger, tenantId, true))}`,
    );
  });
}

/** Makes all messages of a tenant that were sent older, and has them looked at now. */
export async function age(ledger: Ledger, tenantId: string, minutes: number): Promise<void> {
  await ledger.forTenant(tenantId, (tx) =>
    rows(
      tx,
      `update outside_message set sent_at = sent_at - make_interval(mins => :minutes), next_try_at = :now
        where tenant_id = :tenantId and acknowledged_at is null`,
      { tenantId, minutes, now: new Date() },
    ),
  );
}
