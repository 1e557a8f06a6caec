import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { postPayment } from '../../src/ledger/payments';
import { addPolicyVersion } from '../../src/ledger/policies';
import { recordItem } from '../../src/ledger/transactions';
import { epochMs, localDate, localTimeMs } from '../../src/rules/calendar';
import { cents, type Cents } from '../../src/rules/money';
import type { PolicyOptions } from '../../src/rules/policy';
import { PRESETS } from '../../src/rules/presets';
import { TIME_ZONE, type Place } from '../cis/place';
import { commandLine, type Answer, type RunOptions } from './troth';

/** The command line on one sandbox, and short ways to fill it. */
export class Promised {
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
  readonly place: Place;
  readonly tenant: string;

  private constructor(place: Place, tenant: string) {
    this.place = place;
    this.tenant = tenant;
    const env = { DATABASE_URL: place.database.url, TROTH_TENANT: tenant, COLUMNS: '100' };
    this.run = commandLine(place.folder, env);
  }

  /** A sandbox on 5 January 2026, 08:00 in New York. */
  static async open(place: Place, tenant: string): Promise<Promised> {
    await place.sandbox(tenant);
    return new Promised(place, tenant);
  }

  /** A command that must succeed without a word on stderr. */
  async troth(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
    return out;
  }

  /** A command that must be refused. @returns what it says on stderr. */
  async refused(code: number, ...args: string[]): Promise<string> {
    const answer = await this.run(args);
    expect([args.join(' '), answer.code]).toEqual([args.join(' '), code]);
    return answer.err;
  }

  async json<T = object>(...args: string[]): Promise<T> {
    return JSON.parse(await this.troth(...args, '--json')) as T;
  }

  async policy(name: string, options: Partial<PolicyOptions>): Promise<void> {
    const policy = {
      ...{ name, options: { ...PRESETS.default, ...options }, actor: 'test', atMs: epochMs(0) },
    };
    await this.place.ledger.forTenant(this.tenant, (tx) => addPolicyVersion(tx, this.tenant, policy));
  }

  async account(
    accountId: string,
    customerId: string | null = null,
    ...debtClasses: string[]
  ): Promise<void> {
    const account = { accountId, customerId, premiseId: null, debtClasses: ['water', ...debtClasses] };
    await this.place.ledger.forTenant(this.tenant, (tx) => putAccounts(tx, this.tenant, [account]));
  }

  async item(transactionId: string, accountId: string, open: number, issued = '2026-01-01'): Promise<void> {
    await recordItem(this.place.ledger, this.tenant, {
      ...{ transactionId, accountId, debtClass: 'water' },
      ...{ amountCents: cents(open), openCents: cents(open) },
      ...{ issuedDate: localDate(issued), dueDate: localDate('2026-01-20') },
    });
  }

  /** Enrolls a promise under its own account, in parts such as `2026-02-15=5000`. */
  async promise(promiseId: string, parts: readonly string[], more: object = {}): Promise<void> {
    const installments = parts.map((part) => {
      const [dueDate = '', amount = '', transactionId] = part.split(/[=@]/);
      return {
        dueDate,
        amountCents: Number(amount),
        ...(transactionId === undefined ? {} : { transactionId }),
      };
    });
    const accountId = `A-${promiseId}`;
    await this.account(accountId, null, 'sewer');
    const enrollment = {
      tenantId: this.tenant,
      promiseId,
      accountId,
      debtClass: 'water',
      installments,
      ...more,
    };
    const answer = await enroll(this.place.ledger, enrollment, { actor: 'cli:enroller' });
    expect(answer).toMatchObject({ result: 'enrolled' });
  }

  async pay(
    paymentId: string,
    promiseId: string,
    amount: number,
    more: { on?: string; applied?: Record<string, Cents> } = {},
  ): Promise<void> {
    const { on = '2026-01-05', ...rest } = more;
    await postPayment(this.place.ledger, this.tenant, {
      ...{ paymentId, accountId: `A-${promiseId}`, debtClass: 'water', currency: 'USD' },
      amountCents: cents(amount),
      receivedAtMs: localTimeMs(`${on} 07:00`, TIME_ZONE) ?? epochMs(0),
      ...rest,
    });
  }
}

/** No line is wider than a terminal of 100 columns. */
export function expectNarrow(text: string): void {
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
}
