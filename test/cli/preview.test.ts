/**
 * Goal: what a customer on the telephone is told before saying yes: dates, amounts, last days, when it is judged, what
 * must be approved, and why it would be refused. Nothing is saved.
 * Method: the built command line on a real PostgreSQL; test/ledger/preview.test.ts compares previews with enrollments.
 */
import { cents } from '../../src/rules/money';
import { Place } from '../cis/place';
import { expectNarrow, Promised } from './promised';

let place: Place;
let clerk: Promised;
beforeAll(async () => {
  place = await Place.open();
  clerk = await Promised.open(place, 'preview');
  await clerk.account('A-1');
  await clerk.item('INV-1', 'A-1', 20000);
  await clerk.promise('OPEN', ['2026-02-15=5000']);
  await clerk.policy('gates', {
    ...{ dueDateRoll: 'following' },
    limits: {
      ...{ approvalAboveCents: cents(10000), approvalWithinDays: 5, downPaymentPercent: 10 },
      ...{ maxInstallments: 4, minInstallmentPercent: 20 },
    },
  });
});
afterAll(() => place.close());

const plan = (account: string, ...args: string[]): string[] => [
  ...['preview', '--account', account, '--debt-class', 'water', ...args],
];
const monthly = [
  '--total',
  '200.00',
  '--frequency',
  'monthly',
  '--installments',
  '4',
  '--first-due',
  '2026-01-31',
];

test('a plan that would be accepted, with its gates', async () => {
  const promises = await place.count('preview', 'promise');
  const text = await clerk.troth(...plan('A-1', ...monthly, '--policy', 'gates'));
  expectNarrow(text);
  expect(text).toMatch(/^ {2}Begins +5 Jan 2026$/m);
  expect(text).toMatch(/^ {2}Policy +gates@1$/m);
  expect(text).toMatch(/^ {2}Total +\$200\.00 in 4 installments$/m);
  expect(text).toMatch(/^ {2}Down +\$50\.00 by 31 Jan 2026, at least \$20\.00$/m);
  expect(text).toMatch(/^ {2}Approval +needed by 2026-01-11 00:00$/m);
  expect(text).toMatch(/^ +Due +Rolled to +Last day in time +Judged +Amount$/m);
  expect(text).toMatch(
    /^ {2}1 +31 Jan 2026 +2 Feb 2026 +2 Feb 2026 +2026-02-03 12:00 +\$50\.00 +down payment$/m,
  );
  expect(text).toMatch(/^ {2}3 +31 Mar 2026 +3 Apr 2026 +2026-04-04 12:00 +\$50\.00$/m);
  expect(text).toMatch(/^ {2}Arrears +\$200\.00$/m);
  expect(text).toMatch(/^ {2}Collectible +\$200\.00 today, \$0\.00 once it is active$/m);
  expect(text).toMatch(/^ {2}Open +none$/m);
  expect(text).toMatch(
    /^It would be accepted and wait for approval and its down payment\. Nothing was saved\.$/m,
  );
  expect(await place.count('preview', 'promise')).toBe(promises);
});

test('a plan that would be refused: every reason, by the words of the command line; exit 65', async () => {
  const args = [
    '--schedule',
    '2026-02-15=1.00;2026-02-16=1;2026-02-17=2;2026-02-18=1;2026-02-19=15',
    '--policy',
    'gates',
  ];
  const { code, out, err } = await clerk.run(plan('A-OPEN', ...args));
  expect([code, err]).toEqual([65, '']);
  expectNarrow(out.slice(0, out.indexOf('It would be refused')));
  expect(out).toContain('It would be refused. Nothing was saved.\n');
  expect(out).toMatch(/^ {2}the account has an active promise on this debt already, OPEN;/m);
  expect(out).toMatch(
    /^ {2}installments "5" are more than the 4 that the policy allows \(maxInstallments\)$/m,
  );
  expect(out).toMatch(
    /^ {2}amountCents "\$1\.00" is less than \$4\.00, 20 % of the total \(minInstallmentPercent\)$/m,
  );
  expect(out).toMatch(/^ {2}Open +1 promise, OPEN on this debt$/m);
  expect(out).toMatch(/^ {2}Arrears +not known/m);
  const json = await clerk.run([...plan('A-OPEN', ...args), '--json']);
  expect(json.code).toBe(65);
  expect(JSON.parse(json.out)).toMatchObject({
    ...{ result: 'refused', totalCents: 2000, timeZone: 'America/New_York' },
    problems: [{ limit: 'one active promise' }, { limit: 'maxInstallments', value: '5' }, {}, {}],
    installments: [
      { dueDate: '2026-02-15', rolledTo: '2026-02-16', judged: { local: '2026-02-17 12:00' } },
      {},
      {},
      {},
      {},
    ],
  });
});

test('open items, and promises without an end', async () => {
  const bound = await clerk.troth(...plan('A-1', '--schedule', '2026-02-15=120@INV-1;2026-03-15=80@INV-1'));
  expect(bound).toMatch(/^ {2}2 +15 Mar 2026 +18 Mar 2026 +2026-03-19 12:00 +INV-1 +\$80\.00$/m);
  const words = ['--repeat-amount', '25', '--frequency', 'on mon,thu', '--first-due', '2026-01-08'];
  const open = await clerk.troth(...plan('A-1', ...words, '--payor', 'C-7'));
  expect(open).toMatch(/^ {2}Total +without an end$/m);
  expect(open).toContain('… and so on: there is always a next one');
  const counted = await clerk.json<{ installments: object[] }>(
    ...plan('A-1', ...words, '--installments', '3'),
  );
  expect(counted.installments).toHaveLength(3);
});

test('an account that is not known is named', async () => {
  const { code, out } = await clerk.run(plan('A-NONE', ...monthly));
  expect(code).toBe(65);
  expect(out).toMatch(/^ {2}--account "A-NONE" is not a known account;/m);
});

test('a whole enrollment as JSON, of a file or standard input', async () => {
  const enrollment = {
    ...{ accountId: 'A-1', debtClass: 'water', totalCents: 9000, frequency: 'monthly', parts: 3 },
    firstDueDate: '2026-02-15',
  };
  const file = place.write(
    'enrollment.json',
    JSON.stringify({ enrollment: { tenantId: 'preview', ...enrollment } }),
  );
  expect(await clerk.troth('preview', '--json-file', file)).toContain('$90.00 in 3 installments');
  const stdin = await clerk.run(['preview', '--json-file', '-', '--json'], {
    input: JSON.stringify(enrollment),
  });
  expect(JSON.parse(stdin.out)).toMatchObject({ result: 'allowed', startDate: '2026-01-05' });
  const wrong = place.write('wrong.json', JSON.stringify({ ...enrollment, colour: 'red', parts: 0 }));
  expect(await clerk.refused(65, 'preview', '--json-file', wrong)).toMatch(
    /^troth: No promise can be worked out of that\n(.*\n)* {2}parts "0": /,
  );
  expect(await clerk.refused(65, 'preview', '--json-file', place.write('list.json', '[]'))).toContain(
    'no JSON object',
  );
  expect(await clerk.refused(66, 'preview', '--json-file', 'none.json')).toContain(
    'There is no file "none.json"',
  );
});

test('what cannot be worked out is named by option', async () => {
  const refused = async (words: string[], ...messages: RegExp[]): Promise<void> => {
    const err = await clerk.refused(65, ...plan('A-1', ...words));
    for (const message of messages) expect(err).toMatch(message);
  };
  await Promise.all([
    refused(
      ['--total', '30x', '--repeat-until', '2026-03-01'],
      /--total "30x": is not an amount/,
      /--repeat-until "2026-03-01": needs --repeat-amount/,
    ),
    refused(
      ['--total', '30'],
      /--frequency: is needed/,
      /--installments: is needed/,
      /--first-due: is needed/,
    ),
    refused(['--schedule', '2026-02-30=5'], /--schedule "2026-02-30=5": holds "2026-02-30"/),
    refused(
      ['--schedule', '2026-02-15=5', '--total', '6'],
      /--total "6": must equal the sum of --schedule, \$5\.00/,
    ),
    refused([...monthly, '--policy', 'none'], /--policy "none": is not a policy of this tenant/),
    refused(['--repeat-amount', '5', '--first-due', '2026-02-01'], /--frequency: must be one of/),
    refused(
      [...monthly, '--start', '2026-02-01'],
      /dueDate "2026-01-31": lies before the promise's start date/,
    ),
  ]);
  expect(await clerk.refused(64, 'preview', '--account', 'A-1')).toContain('say --account and --debt-class');
  expect(await clerk.refused(64, ...plan('A-1', '--json-file', 'x'))).toContain('cannot be used with');
});
