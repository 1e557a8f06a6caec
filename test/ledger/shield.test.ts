/**
 * Goal: what may be collected of a live account is what is past due now less what its active promises shield now, whether or not
 * money came since the CIS said what is owed and whether or not anybody has settled the promises; and the pass over a whole
 * tenant says the same of every account.
 * Method: debts, open items, promises and money in a real PostgreSQL while no worker runs. For the pass a drawn ledger, on which
 * the arrears are reckoned a second time here, with loops over the plain rows.
 */
import { sentencesOf, shieldOf, shieldPass, type DebtShield } from '../../src/collections/shield';
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { rows } from '../../src/ledger/connection';
import { recordDebt } from '../../src/ledger/collections/debts';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { addPolicyVersion } from '../../src/ledger/policies';
import { clearBalance, recordItem } from '../../src/ledger/transactions';
import { addDays, epochMs, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import type { PolicyOptions } from '../../src/rules/policy';
import { PRESETS } from '../../src/rules/presets';
import { Place } from '../cis/place';
import { dice, local, moveTo, tamper, tellLedger } from './lively';

const STORIES = Number(process.env['TROTH_STORIES'] ?? 30);

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

/** A sandbox on 5 January 2026, 08:00, with short ways to fill it. */
class Utility {
  readonly tenantId: string;
  #payments = 0;

  constructor(tenantId: string) {
    this.tenantId = tenantId;
  }

  static async open(tenantId: string): Promise<Utility> {
    await place.sandbox(tenantId);
    return new Utility(tenantId);
  }

  async accounts(...accountIds: string[]): Promise<void> {
    const accounts = accountIds.map((accountId) => ({
      ...{ accountId, customerId: null, premiseId: null, debtClasses: ['sewer', 'water'] },
    }));
    await place.ledger.forTenant(this.tenantId, (tx) => putAccounts(tx, this.tenantId, accounts));
  }

  async policy(name: string, options: Partial<PolicyOptions>): Promise<void> {
    const policy = { name, options: { ...PRESETS.default, ...options }, actor: 'test', atMs: epochMs(0) };
    await place.ledger.forTenant(this.tenantId, (tx) => addPolicyVersion(tx, this.tenantId, policy));
  }

  /** Parts such as `2025-12-15=5000`. */
  owes(accountId: string, asOf: string, ...parts: string[]): Promise<unknown> {
    return recordDebt(place.ledger, this.tenantId, {
      ...{ accountId, debtClass: 'water', asOfMs: local(asOf) },
      parts: parts.map((text) => {
        const [dueDate = '', amount] = text.split('=');
        return { dueDate: localDate(dueDate), cents: cents(Number(amount)) };
      }),
    });
  }

  item(accountId: string, transactionId: string, open: number, dueDate: string): Promise<unknown> {
    return recordItem(place.ledger, this.tenantId, {
      ...{ accountId, transactionId, debtClass: 'water', openCents: cents(open), amountCents: cents(20_000) },
      ...{ dueDate: localDate(dueDate), issuedDate: localDate('2025-11-01') },
    });
  }

  async promise(
    promiseId: string,
    accountId: string,
    parts: readonly string[],
    more: object = {},
  ): Promise<void> {
    const installments = parts.map((text) => {
      const [dueDate, amount] = text.split('=');
      return { dueDate, amountCents: Number(amount) };
    });
    const enrollment = {
      tenantId: this.tenantId,
      promiseId,
      accountId,
      debtClass: 'water',
      installments,
      ...more,
    };
    expect(await enroll(place.ledger, enrollment, { actor: 'test' })).toMatchObject({ result: 'enrolled' });
  }

  async pay(accountId: string, amount: number, at: string, payor = 'self'): Promise<string> {
    this.#payments += 1;
    const paymentId = `M${this.#payments}`;
    await postPayment(place.ledger, this.tenantId, {
      ...{ paymentId, accountId, debtClass: 'water', currency: 'USD', amountCents: cents(amount) },
      ...{ receivedAtMs: local(at), postedAtMs: local(at) },
      tenders: [{ payor, tenderType: 'check', amountCents: cents(amount) }],
    });
    return paymentId;
  }

  bounce(paymentId: string, at: string): Promise<unknown> {
    const effectiveDate = localDate(at.slice(0, 10));
    return postReversal(place.ledger, this.tenantId, {
      ...{ paymentId, effectiveDate, reason: 'nsf', postedAtMs: local(at) },
    });
  }

  moveTo(time: string): Promise<unknown> {
    return moveTo(place.ledger, this.tenantId, time);
  }

  async water(accountId: string): Promise<DebtShield> {
    const [shield] = await shieldOf(place.ledger, this.tenantId, accountId, 'water');
    if (shield === undefined) throw new Error('no answer');
    return shield;
  }

  /** Arrears, shielded, collectible in cents. */
  async three(accountId: string): Promise<number[]> {
    const { arrearsCents, shieldedCents, collectibleCents } = await this.water(accountId);
    return [arrearsCents, shieldedCents, collectibleCents];
  }

  async pass(pageSize?: number): Promise<DebtShield[]> {
    const all: DebtShield[] = [];
    const options = pageSize === undefined ? {} : { pageSize };
    for await (const page of shieldPass(place.ledger, this.tenantId, options)) all.push(...page);
    return all;
  }
}

const timeless = ({ atMs: _, ...shield }: DebtShield): object => shield;

describe('one account', () => {
  test('money after the statement lowers arrears and shield alike; money that goes back raises both', async () => {
    const utility = await Utility.open('money');
    await utility.accounts('A');
    await utility.owes('A', '2026-01-05 07:00', '2025-12-15=15000');
    await utility.promise('P-7', 'A', ['2026-01-10=5000', '2026-01-20=5000']);
    expect(await utility.three('A')).toEqual([15_000, 10_000, 5000]);
    await utility.moveTo('2026-01-06 12:00');
    const paid = await utility.pay('A', 4000, '2026-01-06 10:00');
    expect(await utility.three('A')).toEqual([11_000, 6000, 5000]);
    expect(sentencesOf(await utility.water('A'))).toEqual([
      'Arrears $110.00 (oldest due 15 Dec 2025).',
      'The CIS stated the debt as of 2026-01-05 07:00.',
      'Since the statement $40.00 was paid; that is reckoned in.',
      'Promise P-7 shields $60.00: installments 1 and 2 are unpaid.',
      'Collectible: $50.00.',
    ]);
    await utility.moveTo('2026-01-07 12:00');
    await utility.bounce(paid, '2026-01-07 09:00');
    expect(await utility.three('A')).toEqual([15_000, 10_000, 5000]);
    // The CIS knows of a payment, and it is taken back after that.
    const known = await utility.pay('A', 5000, '2026-01-07 10:00');
    await utility.owes('A', '2026-01-07 11:00', '2025-12-15=10000');
    expect(await utility.three('A')).toEqual([10_000, 5000, 5000]);
    await utility.moveTo('2026-01-08 12:00');
    await utility.bounce(known, '2026-01-08 09:00');
    expect(await utility.three('A')).toEqual([15_000, 10_000, 5000]);
    expect((await utility.water('A')).debt).toMatchObject({ paidSinceCents: 0, returnedSinceCents: 5000 });
  });

  test('promises of two payors; a cap; pause-all; none', async () => {
    const utility = await Utility.open('policies');
    await utility.policy('uncapped', { overpayment: 'current', shieldCap: 'none' });
    await utility.policy('capped', { overpayment: 'current' });
    await utility.policy('paused', { shield: 'pause-all' });
    await utility.policy('bare', { shield: 'none' });
    const accounts = ['two', 'uncapped', 'capped', 'paused', 'bare'];
    await utility.accounts(...accounts);
    for (const account of accounts) await utility.owes(account, '2026-01-05 07:30', '2025-12-15=30000');
    const parts = ['2026-01-06=5000', '2026-01-20=5000', '2026-02-20=5000'];
    await utility.promise('T-1', 'two', parts);
    await utility.promise('T-2', 'two', ['2026-01-31=2500'], { payor: 'church' });
    for (const policy of accounts.slice(1)) await utility.promise(`P-${policy}`, policy, parts, { policy });
    expect(await utility.three('two')).toEqual([30_000, 17_500, 12_500]);
    await utility.moveTo('2026-01-06 12:00');
    for (const account of accounts) await utility.pay(account, 8000, '2026-01-06 09:00');
    // $30.00 of it wait for the second installment; or, of two payors, are on it already.
    expect(await utility.three('two')).toEqual([22_000, 9500, 12_500]);
    expect(await utility.three('uncapped')).toEqual([22_000, 10_000, 12_000]);
    expect(await utility.three('capped')).toEqual([22_000, 7000, 15_000]);
    expect((await utility.water('capped')).promises[0]).toMatchObject({ by: 'net-amount', capCents: 3000 });
    expect(await utility.three('paused')).toEqual([22_000, 22_000, 0]);
    expect(await utility.three('bare')).toEqual([22_000, 0, 22_000]);
    expect(await utility.water('bare')).toMatchObject({ reason: 'no-shield', promises: [{ by: 'none' }] });
    await utility.pay('two', 2500, '2026-01-06 10:00', 'church');
    expect(await utility.three('two')).toEqual([19_500, 7000, 12_500]);
  });

  test('a promise that is overdue shields no more, though nobody has settled it; late evidence brings it back', async () => {
    const utility = await Utility.open('worker-down');
    await utility.accounts('A');
    await utility.owes('A', '2026-01-05 07:00', '2025-12-15=15000');
    await utility.promise('P', 'A', ['2026-01-10=5000', '2026-02-10=5000']);
    await utility.moveTo('2026-01-13 10:00');
    expect(await utility.three('A')).toEqual([15_000, 10_000, 5000]);
    await utility.moveTo('2026-01-15 10:00');
    expect(await utility.three('A')).toEqual([15_000, 0, 15_000]);
    expect((await utility.water('A')).promises).toMatchObject([{ by: 'not-active', status: 'broken' }]);
    await settlePromise(place.ledger, utility.tenantId, 'P', Date.now());
    expect(await utility.three('A')).toEqual([15_000, 0, 15_000]);
    // Received in time, and posted after the promise had been settled as broken.
    await utility.moveTo('2026-01-15 11:00');
    await postPayment(place.ledger, utility.tenantId, {
      ...{ paymentId: 'LATE', accountId: 'A', debtClass: 'water', currency: 'USD', amountCents: cents(5000) },
      ...{ receivedAtMs: local('2026-01-09 10:00'), postedAtMs: local('2026-01-15 10:30') },
    });
    expect(await utility.three('A')).toEqual([10_000, 5000, 5000]);
    expect(timeless((await utility.pass())[0] as DebtShield)).toEqual(timeless(await utility.water('A')));
  });

  test('open items speak where no newer debts file does; a cleared balance leaves nothing', async () => {
    const utility = await Utility.open('items');
    await utility.accounts('A', 'B');
    await utility.item('A', 'INV-1', 3000, '2025-12-10');
    await utility.item('A', 'INV-2', 4000, '2025-12-10');
    await utility.item('A', 'INV-3', 9000, '2026-02-10');
    expect(await utility.water('A')).toMatchObject({
      ...{ source: 'transactions', arrearsCents: 7000, statedAtMs: expect.any(Number) },
      debt: { parts: [{ dueDate: '2025-12-10', cents: 7000 }], notDueCents: 9000 },
    });
    await utility.moveTo('2026-01-06 08:00');
    await utility.owes('A', '2026-01-05 07:00', '2025-12-10=100'); // older than the items
    expect(await utility.water('A')).toMatchObject({ source: 'transactions', arrearsCents: 7000 });
    await utility.owes('A', '2026-01-06 07:00', '2025-12-10=200');
    expect(await utility.water('A')).toMatchObject({ source: 'debts', arrearsCents: 200 });
    await utility.item('A', 'INV-1', 0, '2025-12-10'); // newer than the file
    expect(await utility.water('A')).toMatchObject({ source: 'transactions', arrearsCents: 4000 });
    await utility.moveTo('2026-01-06 09:00');
    await utility.pay('A', 1500, '2026-01-06 08:30');
    expect(await utility.three('A')).toEqual([2500, 0, 2500]);
    await clearBalance(
      place.ledger,
      utility.tenantId,
      { accountId: 'A', debtClass: 'water' },
      { actor: 'test', note: null },
    );
    await utility.moveTo('2026-01-06 10:00');
    expect(await utility.water('A')).toMatchObject({ source: 'balance-cleared', arrearsCents: 0 });
    // What the CIS says after that is true again.
    await utility.owes('A', '2026-01-06 09:59', '2025-12-10=300');
    expect(await utility.water('A')).toMatchObject({ source: 'debts', arrearsCents: 300 });
    expect(await utility.pass()).toHaveLength(1); // of B nothing was said
  });

  test('promises of several payors: the answer is the same before and after they are settled', async () => {
    const wrong: number[] = [];
    for (let seed = 1; seed <= STORIES; seed += 1) {
      const roll = dice(seed);
      const upTo = (most: number): number => Math.floor(roll() * (most + 1));
      const utility = await Utility.open(`rivals-${seed}`);
      await utility.accounts('A');
      await utility.owes('A', '2026-01-05 07:00', '2025-12-15=50000');
      const payors = ['self', 'church', 'agency'].slice(0, 2 + upTo(1));
      for (const [index, payor] of payors.entries()) {
        const parts = Array.from({ length: 1 + upTo(2) }, (_, line) => {
          const due = addDays(localDate('2026-01-08'), upTo(4) + line * 8);
          return `${due}=${1000 * (1 + upTo(3))}`;
        });
        await utility.promise(`P${index}`, 'A', parts, { payor });
      }
      await utility.moveTo('2026-01-25 12:00');
      const days = Array.from({ length: 2 + upTo(4) }, () => upTo(16)).sort((a, b) => a - b);
      for (const [index, day] of days.entries()) {
        const at = `${addDays(localDate('2026-01-06'), day)} 10:${10 + index}`;
        await utility.pay('A', 1000 * (1 + upTo(4)), at, payors[upTo(payors.length - 1)]);
      }
      const before = await utility.water('A');
      for (const index of payors.keys()) {
        await settlePromise(place.ledger, utility.tenantId, `P${index}`, Date.now());
      }
      const after = await utility.water('A');
      const told = ({ collectibleCents, promises }: DebtShield): unknown[] => [
        collectibleCents,
        promises.filter(({ cents: amount }) => amount !== 0),
      ];
      if (JSON.stringify(told(before)) !== JSON.stringify(told(after))) wrong.push(seed);
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  test('nothing was stated: nothing may be collected, and that is said; errors name what is wrong', async () => {
    const utility = await Utility.open('unknown');
    await utility.accounts('A');
    const answers = await shieldOf(place.ledger, utility.tenantId, 'A');
    expect(
      answers.map(({ debtClass, reason, collectibleCents }) => [debtClass, reason, collectibleCents]),
    ).toEqual([
      ['sewer', 'not-stated', 0],
      ['water', 'not-stated', 0],
    ]);
    expect(answers.flatMap(sentencesOf)[0]).toMatch(/^The CIS has not said what is owed/);
    await expect(shieldOf(place.ledger, utility.tenantId, 'NO')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(shieldOf(place.ledger, utility.tenantId, 'NO', 'water')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(shieldOf(place.ledger, utility.tenantId, 'A', 'gas')).rejects.toMatchObject({
      ...{ code: 'INPUT_INVALID', message: expect.stringContaining('which has sewer, water') },
    });
    await expect(shieldOf(place.ledger, 'nobody', 'A')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('holds in force are told; they change no amount', async () => {
    const utility = await Utility.open('holds');
    await utility.accounts('A');
    await utility.owes('A', '2026-01-05 07:00', '2025-12-15=15000');
    await place.ledger.forTenant(utility.tenantId, (tx) =>
      rows(
        tx,
        `insert into hold (tenant_id, hold_id, account_id, debt_class, kind, from_date, until_date, reason, actor, placed_at,
                           released_on, released_at, released_by)
         select 'holds', h.id, 'A', h.class, 'dispute', h.from_date, h.until_date, 'test', 'test', now(), h.released,
                case when h.released is not null then now() end, case when h.released is not null then 'test' end
           from (values ('all', null, date '2026-01-01', cast(null as date), cast(null as date)), ('today', 'water', '2026-01-05', '2026-01-05', null),
                        ('sewer', 'sewer', '2026-01-01', null, null), ('past', 'water', '2025-12-01', '2026-01-04', null),
                        ('future', 'water', '2026-01-06', null, null),
                        ('released', 'water', '2026-01-01', null, date '2026-01-05')
                ) h(id, class, from_date, until_date, released)`,
        {},
      ),
    );
    const answer = await utility.water('A');
    expect(answer).toMatchObject({ collectibleCents: 15_000 });
    expect(answer.onHold).toEqual([
      { holdId: 'all', kind: 'dispute', from: '2026-01-01', until: null },
      { holdId: 'today', kind: 'dispute', from: '2026-01-05', until: '2026-01-05' },
    ]);
    expect(sentencesOf(answer).slice(-2)).toEqual([
      'Hold all (dispute) is in force from 1 Jan 2026.',
      'Hold today (dispute) is in force from 5 Jan 2026 to 5 Jan 2026.',
    ]);
    expect((await utility.pass()).map(timeless)).toEqual([timeless(answer)]);
  });

  test('a promise that cannot be judged keeps its debt out of collections, and no other', async () => {
    const utility = await Utility.open('poison');
    await utility.accounts('A', 'B');
    for (const account of ['A', 'B']) {
      await utility.owes(account, '2026-01-05 07:00', '2025-12-15=15000');
      await utility.promise(`P-${account}`, account, ['2026-01-10=5000']);
    }
    const sql = "delete from installment where tenant_id = 'poison' and promise_id = 'P-A'";
    await tamper(place.ledger, 'installment', sql, {});
    expect((await utility.pass()).map(({ collectibleCents, reason }) => [collectibleCents, reason])).toEqual([
      [0, 'promise-unreadable'],
      [10_000, 'partly-shielded'],
    ]);
  });

  test("another tenant's debts, promises, money and holds are not seen", async () => {
    const [mine, other] = [await Utility.open('mine'), await Utility.open('other')];
    for (const utility of [mine, other]) {
      await utility.accounts('A');
      await utility.owes('A', '2026-01-05 07:00', '2025-12-15=15000');
    }
    await other.promise('P', 'A', ['2026-01-10=5000']);
    await other.pay('A', 1000, '2026-01-05 07:30');
    await other.owes('B', '2026-01-05 07:00', '2025-12-15=1').catch(() => undefined);
    expect(await mine.three('A')).toEqual([15_000, 0, 15_000]);
    expect(await other.three('A')).toEqual([14_000, 4000, 10_000]);
    expect(await mine.pass()).toHaveLength(1);
    expect((await mine.pass()).map(timeless)).toEqual([timeless(await mine.water('A'))]);
  });
});

describe('the whole tenant', () => {
  interface Raw {
    readonly accountId: string;
    readonly cents: number;
    readonly postedMs: number;
    readonly backMs: number | null;
  }

  const ACCOUNTS = 60;

  /** Debts stated at all times of the story, by file or by items or by both; some accounts have none. */
  async function stateDebts(tenantId: string, seed: number): Promise<void> {
    const roll = dice(seed);
    const utility = new Utility(tenantId);
    for (let index = 1; index <= ACCOUNTS; index += 1) {
      const account = `A${index}`;
      const how = roll();
      const day = `2026-01-${String(5 + Math.floor(roll() * 26)).padStart(2, '0')}`;
      const parts = ['2025-12-10', '2026-01-12', '2026-02-20']
        .filter(() => roll() < 0.7)
        .map((due) => `${due}=${1000 * (1 + Math.floor(roll() * 9))}`);
      if (how < 0.65) await utility.owes(account, `${day} 09:59`, ...parts);
      if (how > 0.5 && how < 0.9) {
        await utility.item(account, 'INV-1', 2000, '2025-12-20');
        await utility.item(account, 'INV-2', roll() < 0.5 ? 0 : 3000, '2026-01-20');
        await place.ledger.forSystem((tx) =>
          rows(
            tx,
            `update transaction set updated_at = :at where tenant_id = :tenantId and account_id = :account`,
            { tenantId, account, at: new Date(local(`${day} 15:00`) - Math.floor(roll() * 3) * 86_400_000) },
          ),
        );
      }
    }
  }

  async function money(tenantId: string): Promise<Raw[]> {
    return place.ledger.forTenant(tenantId, (tx) =>
      rows<Raw>(
        tx,
        `select p.account_id as "accountId", p.amount_cents as cents,
                cast(extract(epoch from p.posted_at) * 1000 as bigint) as "postedMs",
                cast(extract(epoch from r.posted_at) * 1000 as bigint) as "backMs"
           from payment p left join payment_reversal r on r.tenant_id = p.tenant_id and r.payment_id = p.payment_id`,
        {},
      ),
    );
  }

  async function stated(tenantId: string): Promise<Map<string, { atMs: number; cents: number }>> {
    const found = await place.ledger.forTenant(tenantId, (tx) =>
      rows<{ accountId: string; atMs: number; cents: number; rank: number }>(
        tx,
        `select account_id as "accountId", cast(extract(epoch from as_of) * 1000 as bigint) as "atMs",
                total_cents as cents, 2 as rank from debt
          union all
         select account_id, max(cast(extract(epoch from updated_at) * 1000 as bigint)),
                cast(sum(open_cents) as bigint), 1 from transaction group by account_id`,
        {},
      ),
    );
    found.sort((a, b) => a.atMs - b.atMs || a.rank - b.rank);
    return new Map(found.map(({ accountId, atMs, cents: owed }) => [accountId, { atMs, cents: owed }]));
  }

  test.each([
    ['settled', 11],
    ['not settled', 12],
  ])(
    'promises %s: the pass says of every account what the single query says',
    async (how, seed) => {
      const tenantId = `pass-${seed}`;
      const told = { accounts: ACCOUNTS, seed, until: '2026-01-31', settled: how === 'settled' };
      await tellLedger(place, tenantId, told);
      await stateDebts(tenantId, seed);
      const utility = new Utility(tenantId);
      const pass = await utility.pass();
      const debts = await stated(tenantId);
      expect(pass.map(({ accountId }) => accountId).sort()).toEqual([...debts.keys()].sort());
      const [payments, seen] = [await money(tenantId), new Set<string>()];
      for (const shield of pass) {
        const { accountId, statedAtMs, debt, reason } = shield;
        expect(timeless(await utility.water(accountId))).toEqual(timeless(shield));
        let owed = debts.get(accountId)?.cents ?? 0;
        expect(statedAtMs).toBe(debts.get(accountId)?.atMs);
        for (const one of payments.filter((payment) => payment.accountId === accountId)) {
          const isKnown = one.postedMs <= (statedAtMs ?? 0);
          if (!isKnown && one.backMs === null) owed -= one.cents;
          if (isKnown && one.backMs !== null && one.backMs > (statedAtMs ?? 0)) owed += one.cents;
        }
        expect([accountId, debt.arrearsCents + debt.notDueCents]).toEqual([accountId, Math.max(0, owed)]);
        seen.add(reason);
        if (debt.returnedSinceCents > 0) seen.add('returned');
        if (debt.paidSinceCents > 0) seen.add('paid');
      }
      // The story has some of everything that matters here.
      expect([...seen]).toEqual(
        expect.arrayContaining([
          'nothing-past-due',
          'no-shield',
          'partly-shielded',
          'fully-shielded',
          'returned',
          'paid',
        ]),
      );
      for (const pageSize of [1, 7, 59])
        expect((await utility.pass(pageSize)).map(timeless)).toEqual(pass.map(timeless));
    },
    120_000,
  );

  test('a pass that is left early leaves nothing behind; a tenant without debts has none', async () => {
    const utility = await Utility.open('early');
    expect(await utility.pass()).toEqual([]);
    await utility.accounts('A', 'B', 'C');
    for (const account of ['A', 'B', 'C'])
      await utility.owes(account, '2026-01-05 07:00', '2025-12-15=15000');
    for await (const page of shieldPass(place.ledger, 'early', { pageSize: 1 })) {
      expect(page).toHaveLength(1);
      break;
    }
    await expect(shieldPass(place.ledger, 'nobody').next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
