/**
 * Goal: a preview says what an enrollment would come to, everything that stands against it, and writes nothing.
 * Method: previews on a real PostgreSQL, each compared with what the enrollment itself then answers; the rows of every
 * table are counted before and after.
 */
import { enroll } from '../../src/enrollment/enroll';
import type { EnrollmentInput } from '../../src/enrollment/enrollment';
import { previewEnrollment, type PreviewAnswer } from '../../src/enrollment/preview';
import { together } from '../../src/enrollment/together';
import { putAccounts } from '../../src/ledger/accounts';
import { rows } from '../../src/ledger/connection';
import { addPolicyVersion } from '../../src/ledger/policies';
import { recordItem } from '../../src/ledger/transactions';
import { epochMs, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import type { Limits } from '../../src/rules/policy';
import { PRESETS } from '../../src/rules/presets';
import { Place } from '../cis/place';

const TENANT = 'previews';
let place: Place;
beforeAll(async () => {
  place = await Place.open();
  await place.sandbox(TENANT);
  const account = (accountId: string) => ({
    ...{ accountId, customerId: null, premiseId: null, debtClasses: ['water'] },
  });
  await place.ledger.forTenant(TENANT, async (tx) => {
    await putAccounts(tx, TENANT, ['FREE', 'BUSY', 'OWES', 'BROKE'].map(account));
    const make = (name: string, limits: Limits, options = {}) =>
      addPolicyVersion(tx, TENANT, {
        ...{ name, options: { ...PRESETS.default, ...options, limits }, actor: 'test', atMs: epochMs(0) },
      });
    await make('gates', { downPaymentPercent: 20, approvalAboveCents: cents(20000), approvalWithinDays: 5 });
    await make('strict', {
      ...{
        maxInstallments: 3,
        maxDaysToFirstPayment: 20,
        maxHorizonDays: 90,
        minInstallmentCents: cents(2500),
      },
      ...{ lockOutDays: 30, maxOpenPromises: 1, totalVersusArrears: 'at-most' },
    });
    await make('rolls', {}, { dueDateRoll: 'following', graceUnit: 'business' });
    await make('lenient', {}, { missesAllowed: 1, finalMiss: 'wait' });
  });
  await recordItem(place.ledger, TENANT, {
    ...{ transactionId: 'INV-1', accountId: 'OWES', debtClass: 'water' },
    ...{ amountCents: cents(9000), openCents: cents(9000) },
    ...{ dueDate: localDate('2026-01-02'), issuedDate: localDate('2026-01-01') },
  });
  await enroll(place.ledger, { ...plan('BUSY'), promiseId: 'OPEN' }, { actor: 'test' });
  await place.ledger.forTenant(TENANT, (tx) =>
    rows(
      tx,
      `insert into promise (tenant_id, promise_id, account_id, debt_class, currency, start_date, policy_name,
                            policy_version, calendar_version, total_cents, status, reason, settled_as_of, workflow_id,
                            enrollment_hash, enrolled_at, enrolled_by, ended_at)
       values ('${TENANT}', 'LOST', 'BROKE', 'water', 'USD', '2025-12-01', 'default', 1, 'x', 100, 'broken',
               'installment_missed', now(), 'LOST', 'x', now(), 'test', '2025-12-20T12:00:00Z')`,
      {},
    ),
  );
});
afterAll(() => place.close());

function plan(accountId: string, more: Partial<EnrollmentInput> = {}): EnrollmentInput {
  const total = { totalCents: 9000, frequency: 'monthly', parts: 3, firstDueDate: localDate('2026-01-20') };
  const isListed = more.installments !== undefined || more.repeat !== undefined;
  return { tenantId: TENANT, accountId, debtClass: 'water', ...(isListed ? {} : total), ...more };
}

async function everything(): Promise<Record<string, number>> {
  return place.ledger.forTenant(TENANT, async (tx) => {
    const tables = await rows<{ name: string }>(
      tx,
      "select table_name as name from information_schema.tables where table_schema = 'public'",
      {},
    );
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      if (name.startsWith('knex_')) continue;
      const [found] = await rows<{ count: number }>(tx, `select count(*) as count from ${name}`, {});
      counts[name] = found?.count ?? -1;
    }
    return counts;
  });
}

type Shown = Exclude<PreviewAnswer, { result: 'impossible' }>;

async function preview(input: EnrollmentInput): Promise<Shown> {
  const answer = await previewEnrollment(place.ledger, input);
  if (answer.result === 'impossible') throw new Error(JSON.stringify(answer.problems));
  return answer;
}

const REPEAT = { amountCents: 2500, frequency: 'monthly', firstDueDate: localDate('2026-01-31') };
const LISTED = { dueDate: localDate('2026-01-20'), amountCents: 5000 };

/** Plans, and the fields that are at fault. */
const PLANS: [what: string, input: EnrollmentInput, faults: string[]][] = [
  ['a plain plan', plan('FREE'), []],
  ['gates', plan('FREE', { policy: 'gates', totalCents: 30000 }), []],
  ['a down payment that is too small', plan('FREE', { policy: 'gates', parts: 12 }), ['amountCents']],
  [
    'too many installments',
    plan('OWES', { policy: 'strict', parts: 4 }),
    ['amountCents', 'dueDate', 'installments'],
  ],
  [
    'too late a first payment',
    plan('OWES', { policy: 'strict', firstDueDate: localDate('2026-02-01') }),
    ['dueDate'],
  ],
  [
    'many things at once',
    plan('BUSY', { policy: 'strict', parts: 10, firstDueDate: localDate('2026-03-01') }),
    ['accountId', 'amountCents', 'dueDate', 'installments'],
  ],
  ['more than the arrears', plan('OWES', { policy: 'strict', totalCents: 9001 }), ['totalCents']],
  ['exactly the arrears', plan('OWES', { policy: 'strict' }), []],
  ['a lock-out', plan('BROKE', { policy: 'strict' }), ['accountId']],
  ['an open promise', plan('BUSY'), ['accountId']],
  ['another payor', plan('BUSY', { payor: 'C-7' }), []],
  ['an unknown account', plan('NONE'), ['accountId']],
  ['an unknown account that tells of itself', plan('NEW', { customerId: 'C-1' }), []],
  ['a wrong debt class', plan('FREE', { debtClass: 'gas' }), ['debtClass']],
  ['another currency', plan('FREE', { currency: 'EUR' }), ['currency']],
  ['an open item', plan('OWES', { installments: [{ ...LISTED, transactionId: 'INV-1' }] }), []],
  [
    'too much of an item',
    plan('OWES', { installments: [{ ...LISTED, amountCents: 9001, transactionId: 'INV-1' }] }),
    ['transactionId'],
  ],
  [
    'an unknown item',
    plan('OWES', { installments: [{ ...LISTED, transactionId: 'INV-2' }] }),
    ['transactionId'],
  ],
  ['a start long ago', plan('FREE', { startDate: localDate('2024-01-01') }), ['startDate']],
  ['a due date far ahead', plan('FREE', { firstDueDate: localDate('2036-02-01') }), ['dueDate']],
  [
    'dates that have passed',
    plan('FREE', { startDate: localDate('2025-12-01'), firstDueDate: localDate('2025-12-02') }),
    ['dueDate'],
  ],
  [
    'one allowed miss',
    plan('FREE', {
      policy: 'lenient',
      startDate: localDate('2025-12-01'),
      firstDueDate: localDate('2025-12-20'),
    }),
    [],
  ],
  ['without an end', plan('FREE', { repeat: REPEAT }), []],
  ['without an end, approved first', plan('FREE', { repeat: REPEAT, policy: 'gates' }), []],
  [
    'without an end, limited',
    plan('OWES', { repeat: REPEAT, policy: 'strict' }),
    ['dueDate', 'installments'],
  ],
  ['counted', plan('FREE', { repeat: { ...REPEAT, count: 12 } }), []],
  ['counted beyond ten years', plan('FREE', { repeat: { ...REPEAT, count: 1200 } }), ['dueDate']],
  ['an id that is taken', plan('FREE', { promiseId: 'OPEN' }), ['promiseId']],
];

test.each(PLANS)(
  '%s: the enrollment itself answers as the preview said, which wrote nothing',
  async (_, input, faults) => {
    const before = await everything();
    const seen = await preview(input);
    expect([...new Set(seen.problems.map(({ field }) => field))].sort()).toEqual(faults);
    expect(await everything()).toEqual(before);
    const { answer, lines } = await together(place.ledger, TENANT, async (inside) => {
      const given = await enroll(inside, input, { actor: 'test' });
      const stored = await inside.forTenant(TENANT, (tx) =>
        rows<object>(
          tx,
          `select seq, due_date as "dueDate", amount_cents as "amountCents", last_day as "lastDay",
                cast(extract(epoch from judge_at) * 1000 as bigint) as "judgeAtMs"
           from installment where promise_id = :id order by seq`,
          { id: given.result === 'refused' ? 'none' : given.promiseId },
        ),
      );
      return { keep: false, value: { answer: given, lines: stored } };
    });
    expect(seen.result).toBe(answer.result === 'refused' ? 'refused' : 'allowed');
    if (answer.result === 'refused') {
      const told = seen.problems.map(({ field, message }) => [field, message]);
      for (const { field, message } of answer.problems) {
        expect(told).toContainEqual(field === 'promiseId' ? [field, expect.any(String)] : [field, message]);
      }
    } else {
      const shown = seen.preview.isOpenEnded ? seen.preview.lines.slice(0, lines.length) : seen.preview.lines;
      expect(shown).toMatchObject(lines);
      expect(shown).toHaveLength(lines.length);
    }
  },
);

test('it names the policy, the gates, and what is known of the account', async () => {
  const seen = await preview(plan('FREE', { policy: 'gates', totalCents: 30000 }));
  expect(seen).toMatchObject({
    ...{ result: 'allowed', startDate: '2026-01-05', policy: { name: 'gates', version: 1 } },
    account: { arrearsCents: null, openPromises: 0, openOnDebt: null, brokenOn: [] },
    preview: {
      ...{ status: 'pending', totalCents: 30000, shield: null },
      downPayment: { amountCents: 10000, leastCents: 6000, dueDate: '2026-01-20' },
      // Through 10 January, five days from the start, by the clock of New York.
      approvalUntilMs: Date.parse('2026-01-11T05:00:00Z'),
    },
  });
  const [down, next] = seen.preview.lines;
  expect(down).toMatchObject({ isDownPayment: true, dueDate: '2026-01-20', lastDay: '2026-01-20' });
  expect(next).toMatchObject({ isDownPayment: false, lastDay: '2026-02-23', rolledTo: null });
});

test('every limit that would refuse is named, with its value', async () => {
  const { problems } = await preview(
    plan('BUSY', { policy: 'strict', parts: 10, firstDueDate: localDate('2026-03-01') }),
  );
  expect(problems.map(({ limit, value }) => [limit, value])).toEqual([
    ['one active promise', 'OPEN'],
    ['maxInstallments', '10'],
    ['maxHorizonDays', '2026-12-01'],
    ['minInstallmentCents', '$9.00'],
    ['maxDaysToFirstPayment', '2026-03-01'],
    ['maxOpenPromises', '1'],
  ]);
});

test('a rolled due date and what is shielded', async () => {
  const installments = [{ dueDate: localDate('2026-01-31'), amountCents: 4000 }];
  const seen = await preview(plan('OWES', { policy: 'rolls', installments }));
  expect(seen.preview).toMatchObject({
    lines: [{ dueDate: '2026-01-31', rolledTo: '2026-02-02', lastDay: '2026-02-05' }],
    shield: { arrearsCents: 9000, collectibleCents: 9000, thenCents: 5000, hiddenCents: 4000 },
  });
  expect(seen.account).toMatchObject({ arrearsCents: 9000 });
  expect((await preview(plan('BROKE'))).account.brokenOn).toEqual(['2025-12-20']);
});

test.each<[string, unknown, string]>([
  ['nonsense', { tenantId: TENANT }, 'accountId'],
  ['no schedule', { ...plan('FREE'), parts: undefined }, 'parts'],
  ['an unknown policy', plan('FREE', { policy: 'none' }), 'policy'],
  ['a due date before the start', plan('FREE', { startDate: localDate('2026-02-01') }), 'dueDate'],
  ['dates beyond the calendar', plan('FREE', { firstDueDate: localDate('9999-12-31'), parts: 1 }), 'dueDate'],
])('%s cannot be worked out', async (_, input, field) => {
  const answer = await previewEnrollment(place.ledger, input);
  expect(answer.result).toBe('impossible');
  expect(answer.problems.map((problem) => problem.field)).toContain(field);
});
