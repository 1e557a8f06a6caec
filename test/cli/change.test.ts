/**
 * Goal: staff can change what was promised – amend, approve, reject, say that a debt is gone or an account closed – and
 * see at once what became of it; what is refused says why and changes nothing.
 * Method: the built command line on a real PostgreSQL without a worker; what it wrote is looked at in the ledger.
 */
import { cents } from '../../src/rules/money';
import { Place } from '../cis/place';
import { expectNarrow, Promised } from './promised';

let place: Place;
let staff: Promised;
beforeAll(async () => {
  place = await Place.open();
  staff = await Promised.open(place, 'changes');
});
afterAll(() => place.close());

const MONTHS = ['2026-01-31=5000', '2026-02-28=5000', '2026-03-31=5000'];

describe('amend', () => {
  test('new installments: both schedules side by side, in a new revision; paid ones stay', async () => {
    await staff.promise('M-1', MONTHS);
    await staff.pay('P-1', 'M-1', 7000);
    const schedule = '2026-02-28=40.00;2026-04-15=60.00';
    const text = await staff.troth('amend', 'M-1', '--installments', schedule, '--note', 'less income');
    expectNarrow(text);
    expect(text).toMatch(/^Due +Before +Counted +│ +After +Counted +Last day in time$/m);
    expect(text).toMatch(/^31 Jan 2026 +1 +\$50\.00 +\$50\.00 +│ +1 +\$50\.00 +\$50\.00 +3 Feb 2026$/m);
    expect(text).toMatch(/^28 Feb 2026 +2 +\$50\.00 +\$20\.00 +│ +2 +\$40\.00 +\$20\.00 +3 Mar 2026$/m);
    expect(text).toMatch(/^31 Mar 2026 +3 +\$50\.00 +\$0\.00 +│ +replaced$/m);
    expect(text).toMatch(/^15 Apr 2026 +│ +3 +\$60\.00 +\$0\.00 +18 Apr 2026$/m);
    expect(text).toMatch(/^Total +\$150\.00 +\$70\.00 +│ +\$150\.00 +\$70\.00$/m);
    expect(text).toMatch(/^Promise M-1 is active in revision 2, next judged 2026-02-04 12:00\.$/m);
    const shown = await staff.troth('promise', 'show', 'M-1');
    expect(shown).toMatch(/2 {2}2026-01-05 08:0\d {2}cli:\w+ +amended/);
    expect(shown).toContain('“less income”');
  });

  test('one installment: its date, or its amount with the difference where it is wanted', async () => {
    await staff.promise('M-2', MONTHS);
    await staff.troth('amend', 'M-2', '--change', '2', '--due', '2026-03-15', '--actor', 'mlopez');
    const answer = await staff.json<{ after: { dueDate: string; amountCents: number }[] }>(
      ...['amend', 'M-2', '--change', '1', '--amount', '30.00', '--absorb', 'spread'],
    );
    expect(answer).toMatchObject({ promiseId: 'M-2', saved: true, status: 'active', revision: 3 });
    expect(answer.after.map(({ dueDate, amountCents }) => [dueDate, amountCents])).toEqual([
      ['2026-01-31', 3000],
      ['2026-03-15', 6000],
      ['2026-03-31', 6000],
    ]);
    expect(await place.count(staff.tenant, "amendment where actor = 'mlopez'")).toBe(1);
    expect(await place.count(staff.tenant, "outbox where kind = 'review' and promise_id = 'M-2'")).toBe(2);
  });

  test('a preview saves nothing', async () => {
    await staff.promise('M-3', MONTHS);
    const counted = async (): Promise<number[]> =>
      Promise.all(
        ['amendment', 'installment', 'audit_event', 'outbox', 'promise_revision'].map((table) =>
          place.count(staff.tenant, table),
        ),
      );
    const before = await counted();
    const text = await staff.troth('amend', 'M-3', '--installments', '2026-05-01=150.00', '--preview');
    expect(text).toContain(
      'It would be active in revision 2, next judged 2026-05-05 12:00. Nothing was saved.',
    );
    expect(await staff.json('amend', 'M-3', '--change', '1', '--amount', '10', '--preview')).toMatchObject({
      ...{
        saved: false,
        revision: 2,
        before: [{ amountCents: 5000 }, {}, {}],
        after: [{ amountCents: 1000 }, {}, {}],
      },
    });
    expect(await counted()).toEqual(before);
  });

  test('open items are named on new installments of a promise that is bound to them', async () => {
    await staff.account('A-M-4');
    await staff.item('INV-1', 'A-M-4', 10000);
    await staff.promise('M-4', ['2026-02-15=10000@INV-1']);
    const text = await staff.troth(
      'amend',
      'M-4',
      '--installments',
      '2026-02-20=40@INV-1;2026-03-20=60@INV-1',
    );
    expect(text).toMatch(/^15 Feb 2026 +INV-1 +1 +\$100\.00 +\$0\.00 +│ +replaced$/m);
    expect(text).toMatch(/^20 Mar 2026 +INV-1 +│ +2 +\$60\.00 +\$0\.00 +23 Mar 2026$/m);
    expect(await staff.refused(65, 'amend', 'M-4', '--installments', '2026-03-20=100')).toMatch(
      /transactionId: is needed: this promise pays named open items/,
    );
  });

  test('what is refused names the option, the value and what to do', async () => {
    await staff.policy('two', { limits: { maxInstallments: 2 } });
    await staff.promise('M-5', MONTHS.slice(0, 2), { policy: 'two' });
    const amend = (...args: string[]): Promise<string> => staff.refused(65, 'amend', 'M-5', ...args);
    const words: [string[], RegExp][] = [
      [
        ['--installments', '2026-03-32=1'],
        /^troth: Promise M-5 was not amended\n {2}--installments "2026-03-32=1": holds "2026-03-32", which is not a date/,
      ],
      [['--installments', '2026-03-01=1;2026-03-01=2'], /dueDate "2026-03-01": stands twice/],
      [
        ['--installments', '2026-03-01=1;2026-03-02=2;2026-03-03=3'],
        /--installments "3": are more than the 2 that the policy allows/,
      ],
      [['--installments', '2026-01-04=100'], /dueDate "2026-01-04": lies before/],
      [
        ['--change', '3', '--amount', '5'],
        /--change "3": is not the number of an installment that is still open/,
      ],
      [['--change', '2', '--amount', '5'], /--amount "500": Installment 2 is the last one/],
      [['--change', '1', '--amount', '5x'], /--amount "5x": is not an amount/],
      [['--change', '1', '--amount', '0'], /--amount "0": must be more than zero/],
      [['--change', '1', '--due', '2026-02-28'], /dueDate "2026-02-28": stands twice/],
    ];
    await Promise.all(words.map(async ([args, message]) => expect(await amend(...args)).toMatch(message)));
    expect(await staff.refused(66, 'amend', 'NONE', '--change', '1', '--amount', '5')).toContain(
      'no promise "NONE"',
    );
    await staff.troth('cancel', 'M-5', '--reason', 'customer_request', '--note', 'moved away');
    expect(await amend('--change', '1', '--due', '2026-02-01')).toMatch(
      /^troth: Promise M-5 was not amended\. Cancelled on 5 Jan 2026: .*\n.*has ended: it is cancelled/,
    );
    expect(await staff.troth('promise', 'show', 'M-5')).toContain('“moved away”');
    expect(await place.count(staff.tenant, "amendment where promise_id = 'M-5'")).toBe(0);
  });

  test.each([
    ['neither of both', [], /say --installments, or --change/],
    ['a change of nothing', ['--change', '1'], /say --installments, or --change with --due or --amount/],
    ['a date of nothing', ['--installments', '2026-03-01=1', '--due', '2026-03-02'], /need --change/],
    ['both', ['--installments', '2026-03-01=1', '--change', '1'], /cannot be used with/],
    ['no date', ['--change', '1', '--due', 'tomorrow'], /must be a date, written YYYY-MM-DD/],
    ['nobody to absorb', ['--change', '1', '--amount', '5', '--absorb', 'first'], /last, next, spread, none/],
    ['an empty note', ['--change', '1', '--amount', '5', '--note', ' '], /1 to 1000 characters/],
  ])('%s is wrong usage', async (_, args, message) => {
    expect(await staff.refused(64, 'amend', 'M-3', ...args)).toMatch(message);
  });
});

describe('approve and reject', () => {
  beforeAll(async () => {
    await staff.policy('four-eyes', { limits: { approvalAboveCents: cents(10000), approvalWithinDays: 5 } });
  });

  test('a second person approves; whoever enrolled it cannot', async () => {
    await staff.promise('B-1', MONTHS, { policy: 'four-eyes' });
    expect(await staff.troth('promise', 'show', 'B-1')).toMatch(/Waits for {2}approval by 2026-01-11 00:00/);
    expect(await staff.refused(65, 'approve', 'B-1', '--actor', 'cli:enroller')).toMatch(
      /^troth: Promise B-1 was not approved\n {2}--actor "cli:enroller": enrolled this promise; a second person/,
    );
    const text = await staff.troth('approve', 'B-1', '--note', 'proof seen');
    expect(text).toBe('Promise B-1 is approved and active, next judged 2026-02-04 12:00.\n');
    expect(await staff.json('approve', 'B-1')).toMatchObject({
      approved: true,
      status: 'active',
      sentence: null,
    });
    const shown = await staff.troth('promise', 'show', 'B-1');
    expect(shown).toMatch(/approved {2}cli:\w+\n +“proof seen”\n.*active from now on/);
    expect(await place.count(staff.tenant, "audit_event where action = 'promise.approved'")).toBe(1);
    expect(await staff.refused(65, 'reject', 'B-1', '--note', 'x')).toContain(
      'waits for no approval: it is active',
    );
  });

  test('a refused one ends as not approved; a reason is needed', async () => {
    await staff.promise('B-2', MONTHS, { policy: 'four-eyes' });
    expect(await staff.refused(64, 'reject', 'B-2')).toContain("required option '--note <text>'");
    const text = await staff.troth('reject', 'B-2', '--note', 'too long');
    expect(text).toMatch(
      /^Cancelled on 5 Jan 2026: it was not approved; nothing of \$150\.00 had been received\.$/m,
    );
    expect(await staff.refused(65, 'approve', 'B-2')).toMatch(
      /^troth: Promise B-2 was not approved\. Cancelled on/,
    );
    expect(await staff.refused(66, 'approve', 'NONE')).toContain('no promise "NONE"');
  });

  test('an approved one may still wait for its down payment', async () => {
    const limits = { approvalAboveCents: cents(10000), downPaymentPercent: 20 };
    await staff.policy('both', { limits });
    await staff.promise('B-3', MONTHS, { policy: 'both' });
    expect(await staff.troth('approve', 'B-3')).toBe(
      'Promise B-3 is approved and waits for its down payment, $50.00 due 31 Jan 2026.\n',
    );
  });
});

describe('balance-cleared', () => {
  test('keeps, cancels or leaves the promises on the debt, as each policy says', async () => {
    await staff.policy('cancels', { balanceCleared: 'cancel' });
    await staff.policy('ignores', { balanceCleared: 'ignore' });
    await staff.promise('C-1', MONTHS);
    await staff.promise('C-2', MONTHS, { accountId: 'A-C-1', payor: 'C-7', policy: 'cancels' });
    await staff.promise('C-3', MONTHS, { accountId: 'A-C-1', payor: 'C-8', policy: 'ignores' });
    await staff.promise('C-4', MONTHS, { accountId: 'A-C-1', debtClass: 'sewer' });
    const text = await staff.troth(
      'balance-cleared',
      'A-C-1',
      '--debt-class',
      'water',
      '--note',
      'leak credit',
    );
    expectNarrow(text);
    expect(text).toMatch(/^The water debt of account A-C-1 is recorded as cleared\.$/m);
    expect(text).toMatch(/^C-1 +kept +Kept on 5 Jan 2026: nothing is left to collect/m);
    expect(text).toMatch(/^C-2 +cancelled +Cancelled on 5 Jan 2026: nothing is left to collect/m);
    expect(text).toMatch(/^C-3 +active +stays as it is/m);
    expect(text).not.toContain('C-4');
    expect(await place.count(staff.tenant, "balance_clearing where note = 'leak credit'")).toBe(1);
    expect(await staff.json('balance-cleared', 'A-C-1', '--debt-class', 'sewer')).toMatchObject({
      promises: [{ promiseId: 'C-4', status: 'kept' }],
    });
    expect(await staff.troth('balance-cleared', 'A-M-1', '--debt-class', 'sewer')).toContain(
      'No promise on it is open.',
    );
  });

  test('an account or debt that is not known is refused', async () => {
    expect(await staff.refused(66, 'balance-cleared', 'NONE', '--debt-class', 'water')).toContain(
      'not a known account',
    );
    expect(await staff.refused(65, 'balance-cleared', 'A-C-1', '--debt-class', 'gas')).toMatch(
      /"gas".*has water, sewer/,
    );
    expect(await staff.refused(64, 'balance-cleared', 'A-C-1')).toContain('--debt-class');
  });
});

describe('account-event', () => {
  test('a table of what became of each promise; collections spare those of third parties', async () => {
    await staff.promise('D-1', MONTHS);
    await staff.promise('D-2', MONTHS, { accountId: 'A-D-1', payor: 'C-7' });
    await staff.promise('D-3', MONTHS, { accountId: 'A-D-1', debtClass: 'sewer' });
    await staff.promise('D-4', ['2026-01-06=500'], { accountId: 'A-D-1', payor: 'C-8' });
    const event = (...args: string[]): Promise<string> =>
      staff.troth('account-event', 'A-D-1', '--event', ...args);
    const text = await event('collection-event', '--debt-class', 'water', '--actor', 'dunning');
    expectNarrow(text);
    expect(text).toMatch(/^D-1 +cancelled +Cancelled on 5 Jan 2026: a collections step ended it/m);
    expect(text).toMatch(/^D-2 +active +Goes on: C-7, a third party, pays it\.$/m);
    expect(text).not.toContain('D-3');
    expect(
      await place.count(staff.tenant, "promise where promise_id = 'D-1' and cancel_actor = 'dunning'"),
    ).toBe(1);
    expect(await event('service-stopped', '--debt-class', 'sewer')).toMatch(
      /^D-3 +cancelled +.*last service was stopped/m,
    );
    const closed = JSON.parse(await event('account-closed', '--json')) as object;
    expect(closed).toMatchObject({
      ...{ accountId: 'A-D-1', event: 'account-closed' },
      promises: [
        { promiseId: 'D-2', result: 'cancelled', status: 'cancelled' },
        { promiseId: 'D-4', result: 'cancelled' },
      ],
    });
    expect(await event('account-closed')).toBe('Account A-D-1 has no open promise.\n');
    expect(await event('account-closed', '--debt-class', 'water')).toBe(
      'Account A-D-1 has no open promise on water.\n',
    );
  });

  test('an account, debt or event that is not known is refused', async () => {
    expect(await staff.refused(66, 'account-event', 'NONE', '--event', 'account-closed')).toContain(
      'no account "NONE"',
    );
    expect(
      await staff.refused(65, 'account-event', 'A-D-1', '--event', 'account-closed', '--debt-class', 'gas'),
    ).toMatch(/--debt-class "gas"/);
    expect(await staff.refused(64, 'account-event', 'A-D-1', '--event', 'moved')).toMatch(
      /service-stopped, account-closed, collection-event/,
    );
  });
});
