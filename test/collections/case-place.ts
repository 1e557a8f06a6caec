/** A ledger with a collections process, accounts with debts, and promises: what tests of cases begin with. */
import { actOnCase, type CaseAct } from '../../src/collections/act';
import { processFrom } from '../../src/collections/process-definition';
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { rows, type Ledger } from '../../src/ledger/connection';
import { recordDebt } from '../../src/ledger/collections/debts';
import { postPayment } from '../../src/ledger/payments';
import { addProcessVersion } from '../../src/ledger/collections/processes';
import { epochMs, localDate, type EpochMs } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { type Place } from '../cis/place';
import { local, moveTo } from '../ledger/lively';

/** Reminder on day 0, notice on day 10, call on day 15, shut-off request 14 days after the notice, approved by a person. */
export const PROCESS = {
  entry: [{ minCents: 5000, minAgeDays: 10 }],
  cancelThresholdCents: 1000,
  resume: 'continue',
  steps: [
    { id: 'reminder', kind: 'reminder', day: 0 },
    { id: 'final-notice', kind: 'notice', day: 10 },
    { id: 'call', kind: 'call', day: 15 },
    {
      ...{ id: 'shut-off', kind: 'shut-off-request', day: 20, cancelsPromises: true },
      notice: { step: 'final-notice', days: 14 },
    },
  ],
  stepTime: '09:00',
};

export class CasePlace {
  readonly place: { readonly ledger: Ledger };
  readonly tenantId: string;
  #payments = 0;

  constructor(place: { readonly ledger: Ledger }, tenantId: string) {
    this.place = place;
    this.tenantId = tenantId;
  }

  /** A sandbox with the process (changed as wanted) for the debt class water. */
  static async make(
    place: Place,
    tenantId: string,
    begins: string,
    changes: object = {},
  ): Promise<CasePlace> {
    await place.sandbox(tenantId, begins);
    const made = new CasePlace(place, tenantId);
    await made.process(changes);
    return made;
  }

  async process(changes: object): Promise<void> {
    const definition = processFrom({ ...PROCESS, ...changes });
    if (Array.isArray(definition)) throw new Error(JSON.stringify(definition));
    await this.place.ledger.forTenant(this.tenantId, (tx) =>
      addProcessVersion(tx, this.tenantId, {
        ...{ debtClass: 'water', definition, actor: 'test', note: null, atMs: epochMs(0) },
      }),
    );
  }

  async account(accountId: string): Promise<void> {
    const account = { accountId, customerId: null, premiseId: null, debtClasses: ['water'] };
    await this.place.ledger.forTenant(this.tenantId, (tx) => putAccounts(tx, this.tenantId, [account]));
  }

  /** What the CIS says is owed now: parts by due date. */
  async debt(accountId: string, parts: Readonly<Record<string, number>>): Promise<void> {
    await recordDebt(this.place.ledger, this.tenantId, {
      ...{ accountId, debtClass: 'water', asOfMs: await this.now() },
      parts: Object.entries(parts).map(([dueDate, amount]) => ({
        dueDate: localDate(dueDate),
        cents: cents(amount),
      })),
    });
  }

  async promise(promiseId: string, accountId: string, rest: object): Promise<void> {
    const input = { tenantId: this.tenantId, promiseId, accountId, debtClass: 'water', ...rest };
    const answer = await enroll(this.place.ledger, input, { actor: 'test' });
    if (answer.result !== 'enrolled') throw new Error(JSON.stringify(answer));
  }

  async pay(accountId: string, amountCents: number): Promise<string> {
    this.#payments += 1;
    const paymentId = `M${this.#payments}`;
    await postPayment(this.place.ledger, this.tenantId, {
      ...{ paymentId, accountId, debtClass: 'water', currency: 'USD' },
      ...{ amountCents: cents(amountCents), receivedAtMs: await this.now() },
    });
    return paymentId;
  }

  async now(): Promise<EpochMs> {
    const [found] = await this.place.ledger.forTenant(this.tenantId, (tx) =>
      rows<{ offset: number }>(
        tx,
        'select clock_offset_ms as offset from tenant where tenant_id = :tenantId',
        {
          tenantId: this.tenantId,
        },
      ),
    );
    return epochMs(Date.now() + (found?.offset ?? 0));
  }

  /** Moves the clock and acts on a case, as its workflow would. */
  async at(time: string, accountId: string): Promise<CaseAct> {
    await moveTo(this.place.ledger, this.tenantId, time);
    return this.act(accountId);
  }

  act(accountId: string): Promise<CaseAct> {
    return actOnCase(
      this.place.ledger,
      { tenantId: this.tenantId, accountId, debtClass: 'water' },
      Date.now(),
    );
  }

  /** Acts on a case whenever it is due, up to a time; as its workflow's timer would. */
  async until(time: string, accountId: string): Promise<CaseAct> {
    let acted = await this.act(accountId);
    while (acted.nextActAtMs !== null && acted.nextActAtMs <= local(time)) {
      await this.place.ledger.forTenant(this.tenantId, (tx) =>
        rows(tx, `update tenant set clock_offset_ms = :offset where tenant_id = :tenantId`, {
          tenantId: this.tenantId,
          offset: Math.ceil((acted.nextActAtMs as number) - Date.now()) + 5,
        }),
      );
      acted = await this.act(accountId);
    }
    return this.at(time, accountId);
  }

  /** What was done, as `2026-02-02 final-notice done`. */
  async steps(accountId: string): Promise<string[]> {
    const found = await this.place.ledger.forTenant(this.tenantId, (tx) =>
      rows<{ line: string }>(
        tx,
        `select coalesce(cast(done_on as text), '-') || ' ' || step_id || ' ' || status || case when run_no > 1 then ' run ' || run_no else '' end as line
           from collections_step where account_id = :accountId order by run_no, at, due_on, step_id`,
        { accountId },
      ),
    );
    return found.map(({ line }) => line);
  }

  /** What was decided, as `start: Started: …`. */
  async reviews(accountId: string): Promise<string[]> {
    const found = await this.place.ledger.forTenant(this.tenantId, (tx) =>
      rows<{ line: string }>(
        tx,
        `select decision || ': ' || sentence as line from collections_review where account_id = :accountId order by review_no`,
        { accountId },
      ),
    );
    return found.map(({ line }) => line);
  }
}
