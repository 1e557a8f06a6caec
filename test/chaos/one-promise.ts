import { enroll } from '../../src/enrollment/enroll';
import { rows, type Ledger } from '../../src/ledger/connection';
import type { OutcomeMessage } from '../../src/ledger/outbox';
import { postPayment } from '../../src/ledger/payments';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import type { Settlement } from '../../src/ledger/promises/settle';
import type { SweepReport } from '../../activities';
import { cents } from '../../src/rules/money';
import { local, type Engine } from '../support/engine';

export const AMOUNT_CENTS = 100_00;

/** Enrolls a promise of 100.00; due on 15 Jan 2026 it is judged on 19 Jan at noon. */
export async function openPromise(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
  accountId: string,
  dueDate = '2026-01-15',
): Promise<void> {
  const answer = await enroll(
    ledger,
    {
      ...{ tenantId, promiseId, accountId },
      debtClass: 'water',
      startDate: '2026-01-02',
      installments: [{ dueDate, amountCents: AMOUNT_CENTS }],
    },
    { actor: 'test' },
  );
  if (answer.result !== 'enrolled') throw new Error(JSON.stringify(answer));
}

/** Posts the whole amount of a promise, received at a local time. */
export async function payInFull(
  ledger: Ledger,
  tenantId: string,
  accountId: string,
  paymentId: string,
  received: string,
): Promise<void> {
  const posted = await postPayment(ledger, tenantId, {
    ...{ paymentId, accountId },
    debtClass: 'water',
    amountCents: cents(AMOUNT_CENTS),
    currency: 'USD',
    receivedAtMs: local(received),
  });
  if (posted.result !== 'posted') throw new Error(JSON.stringify(posted));
}

/** Settles as the workflow would, and tells nobody. */
export function settleSilently(ledger: Ledger, tenantId: string, promiseId: string): Promise<Settlement> {
  return settlePromise(ledger, tenantId, promiseId, Date.now());
}

/** What a case has received, in its order: `1 kept` means revision 1. */
export async function received(ledger: Ledger, tenantId: string, accountId: string): Promise<string[]> {
  const found = await ledger.forTenant(tenantId, (tx) =>
    rows<{ revision: number; kind: string }>(
      tx,
      `select revision, kind from collections_outcome
        where tenant_id = :tenantId and account_id = :accountId order by position`,
      { tenantId, accountId },
    ),
  );
  return found.map(({ revision, kind }) => `${revision} ${kind}`);
}

/** How often a case was told of what: doubled outcomes would show here first. */
export async function countsOf(ledger: Ledger, tenantId: string, accountId: string): Promise<unknown> {
  const [found] = await ledger.forTenant(tenantId, (tx) =>
    rows(
      tx,
      `select status, kept_count as kept, broken_count as broken, cancelled_count as cancelled
         from collections_case where tenant_id = :tenantId and account_id = :accountId`,
      { tenantId, accountId },
    ),
  );
  return found;
}

/** The outcomes that wait to be told of a promise, by revision. */
export async function outcomesToTell(
  ledger: Ledger,
  tenantId: string,
  promiseId: string,
): Promise<OutcomeMessage[]> {
  const found = await ledger.forTenant(tenantId, (tx) =>
    rows<{ payload: OutcomeMessage }>(
      tx,
      `select payload from outbox where tenant_id = :tenantId and promise_id = :promiseId and kind = 'outcome'
        order by outbox_id`,
      { tenantId, promiseId },
    ),
  );
  return found.map(({ payload }) => payload);
}

/** Marks everything that waits as delivered, though nobody was told; as long ago as the sweep waits for. */
export async function lose(ledger: Ledger, tenantId: string): Promise<void> {
  await ledger.forTenant(tenantId, (tx) =>
    rows(tx, 'update outbox set delivered_at = coalesce(delivered_at, :now) where tenant_id = :tenantId', {
      tenantId,
      now: new Date(),
    }),
  );
  await letTimePass(ledger, tenantId);
}

/** Makes what was delivered and opened two minutes older: the sweep leaves fresh things alone. */
export async function letTimePass(ledger: Ledger, tenantId: string): Promise<void> {
  await ledger.forTenant(tenantId, async (tx) => {
    const statements = [
      `update outbox set delivered_at = delivered_at - interval '2 minutes' where tenant_id = :tenantId`,
      `update collections_case set opened_at = opened_at - interval '2 minutes' where tenant_id = :tenantId`,
    ];
    for (const statement of statements) await rows(tx, statement, { tenantId });
  });
}

/** Has everything that was delivered delivered once more. */
export async function deliverAgain(ledger: Ledger, tenantId: string): Promise<void> {
  await ledger.forTenant(tenantId, (tx) =>
    rows(tx, 'update outbox set delivered_at = null, next_try_at = :now where tenant_id = :tenantId', {
      tenantId,
      now: new Date(),
    }),
  );
}

let sweeps = 0;

/** Runs the product's sweep now; the schedule would in a minute. */
export function sweepNow({ client, taskQueue }: Engine): Promise<SweepReport> {
  sweeps += 1;
  return client.workflow.execute<() => Promise<SweepReport>>('sweep', {
    taskQueue,
    workflowId: `sweep-now/${taskQueue}/${sweeps}`,
  });
}
