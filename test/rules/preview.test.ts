/**
 * Goal: a preview says what an enrollment would make: schedule, deadlines, gates, refusals and what the shield would hide.
 * Method: previews with every value that they must have; and for every promise of test/facts, the preview beside the
 * promise that the rules make of it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  businessCalendar,
  cents,
  DEFAULT_POLICY_OPTIONS,
  epochMs,
  formatLocalTime,
  localDate,
  SELF,
  startOfDayMs,
  type LocalDate,
  type PolicyOptions,
} from '../../src/rules';
import { previewOf, type Preview, type PreviewAccount, type PreviewAsked } from '../../src/rules/preview';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';
import { at, NEW_YORK } from './build';

const START = localDate('2025-05-12');
const NOW = at('2025-05-12 09:00');
/** Memorial Day. */
const CALENDAR = businessCalendar(NEW_YORK, {
  version: 1,
  weekend: ['sat', 'sun'],
  closedDays: [localDate('2025-05-26')],
  cutoff: null,
});
const NOBODY: PreviewAccount = {
  openOnDebt: null,
  openPromises: 0,
  brokenOn: [],
  arrearsCents: null,
  shielding: [],
};

type Part = readonly [dueDate: string, amountCents: number];

function asked(parts: readonly Part[], more: Partial<PreviewAsked> = {}): PreviewAsked {
  return {
    ...{ startDate: START, currency: 'USD', payor: SELF, payMethod: null, repeat: null },
    parts: parts.map(([due, amount]) => ({ dueDate: localDate(due), amountCents: cents(amount) })),
    ...more,
  };
}

function preview(
  plan: PreviewAsked,
  policy: Partial<PolicyOptions> = {},
  account: Partial<PreviewAccount> = {},
): Preview {
  const options = { ...DEFAULT_POLICY_OPTIONS, ...policy, name: 'test', version: 1 };
  return previewOf(plan, options, CALENDAR, { ...NOBODY, ...account }, NOW);
}

function rows({ lines }: Preview): string[] {
  return lines.map(({ seq, dueDate, rolledTo, lastDay, judgeAtMs, amountCents }) =>
    [seq, dueDate, rolledTo ?? '-', lastDay, formatLocalTime(judgeAtMs, NEW_YORK), amountCents].join(' '),
  );
}

test('a plan: in order of date, rolled over a holiday, with grace and judge time', () => {
  const plan = asked([
    ['2025-06-24', 7500],
    ['2025-05-24', 5000],
  ]);
  const result = preview(plan, { dueDateRoll: 'following' });
  expect(rows(result)).toEqual([
    '1 2025-05-24 2025-05-27 2025-05-30 2025-05-31 12:00 5000',
    '2 2025-06-24 - 2025-06-27 2025-06-28 12:00 7500',
  ]);
  expect(result).toMatchObject({
    totalCents: 12500,
    isOpenEnded: false,
    downPayment: null,
    approvalUntilMs: null,
    status: 'active',
    refusals: [],
    shield: null,
  });
});

test('a pay method has days of grace of its own', () => {
  const plan = asked([['2025-06-02', 5000]], { payMethod: 'autopay' });
  const policy = { graceDaysByPayMethod: { autopay: 10 } };
  expect(preview(plan, policy).lines[0]?.lastDay).toBe('2025-06-12');
});

test('a down payment without grace, and an approval: both are waited for', () => {
  const policy: Partial<PolicyOptions> = {
    limits: { downPaymentPercent: 25, approvalAboveCents: cents(10000), approvalWithinDays: 2 },
  };
  const result = preview(asked([['2025-05-16', 4000], ['2025-06-16', 8000]]), policy); // prettier-ignore
  expect(result.downPayment).toEqual({ amountCents: 4000, leastCents: 3000, dueDate: '2025-05-16' });
  expect(result.lines.map(({ isDownPayment, lastDay }) => [isDownPayment, lastDay])).toEqual([
    [true, '2025-05-16'],
    [false, '2025-06-19'],
  ]);
  expect(result.status).toBe('pending');
  expect(formatLocalTime(result.approvalUntilMs ?? epochMs(0), NEW_YORK)).toBe('2025-05-15 00:00');
});

test('every refusal is told, with its limit and value', () => {
  const policy: Partial<PolicyOptions> = {
    limits: {
      maxInstallments: 2,
      minInstallmentCents: cents(2000),
      maxDaysToFirstPayment: 10,
      maxHorizonDays: 60,
      totalVersusArrears: 'at-most',
      lockOutDays: 30,
      maxOpenPromises: 1,
    },
  };
  const plan = asked([
    ['2025-06-02', 1000],
    ['2025-07-02', 5000],
    ['2025-08-02', 5000],
  ]);
  const result = preview(plan, policy, {
    openOnDebt: 'OLD',
    openPromises: 1,
    brokenOn: [localDate('2025-05-01')],
    arrearsCents: cents(9000),
  });
  expect(result.refusals.map(({ limit, value }) => [limit, value])).toEqual([
    ['one active promise', 'OLD'],
    ['maxInstallments', '3'],
    ['maxHorizonDays', '2025-08-02'],
    ['minInstallmentCents', '$10.00'],
    ['maxDaysToFirstPayment', '2025-06-02'],
    ['totalVersusArrears', '$110.00'],
    ['maxOpenPromises', '1'],
    ['lockOutDays', '2025-05-01'],
  ]);
});

test('what the shield would hide', () => {
  const plan = asked([['2025-06-02', 10000]]);
  const shield = (policy: Partial<PolicyOptions>, more: Partial<PreviewAccount> = {}): Preview['shield'] =>
    preview(plan, policy, { arrearsCents: cents(15000), ...more }).shield;
  const open = { arrearsCents: 15000, collectibleCents: 15000 };
  expect(shield({})).toEqual({ ...open, thenCents: 5000, hiddenCents: 10000, by: 'net-amount' });
  expect(shield({ shield: 'none' })).toEqual({ ...open, thenCents: 15000, hiddenCents: 0, by: 'none' });
  expect(shield({ shield: 'pause-all' })).toEqual({
    ...open,
    thenCents: 0,
    hiddenCents: 15000,
    by: 'pause-all',
  });
  // Beside another promise, and no more than there is.
  const [other] = shieldingOf([['2025-06-10', 9000]]);
  expect(shield({}, { shielding: other === undefined ? [] : [other] })).toEqual({
    arrearsCents: 15000,
    collectibleCents: 6000,
    thenCents: 0,
    hiddenCents: 6000,
    by: 'net-amount',
  });
});

/** A promise of an agency that is active already. */
function shieldingOf(parts: readonly Part[]): PreviewAccount['shielding'] {
  const installments = parts.map(([dueDate, amountCents]) => ({ dueDate, amountCents }));
  const scenario = parseScenario({
    ...{ id: 'other', title: '', source: '', policy: { preset: 'default' } },
    promises: [{ id: 'Q', payor: 'agency', startDate: START, installments }],
  });
  const world = new World(scenario);
  world.advance(NOW);
  const look = world.look('Q', NOW, START);
  return look === undefined ? [] : [{ promiseId: 'Q', policy: look.facts.policy, life: look.life }];
}

test('a promise without an end: its first periods, no total, and it hides everything', () => {
  const repeat = {
    amountCents: cents(5000),
    frequency: 'monthly' as const,
    firstDueDate: localDate('2025-05-31'),
    count: null,
    untilDate: null,
  };
  const result = preview(asked([], { repeat }), {}, { arrearsCents: cents(70000) });
  expect(result.lines.map(({ dueDate }) => dueDate)).toEqual([
    '2025-05-31',
    '2025-06-30',
    '2025-07-31',
    '2025-08-31',
    '2025-09-30',
    '2025-10-31',
  ]);
  expect(result).toMatchObject({
    isOpenEnded: true,
    totalCents: null,
    shield: { hiddenCents: 70000, by: 'open-ended' },
  });
  const counted = preview(asked([], { repeat: { ...repeat, count: 3 } }));
  expect([counted.lines.length, counted.totalCents]).toEqual([3, 15000]);
});

test('a start in the past: lines whose verdict would be made at once are marked', () => {
  const plan = asked([['2025-05-07', 100], ['2025-05-09', 100]], { startDate: localDate('2025-05-01') }); // prettier-ignore
  expect(preview(plan).lines.map(({ isOver }) => isOver)).toEqual([true, false]);
});

describe('as enrolled: test/facts', () => {
  const folder = join(__dirname, '../facts');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && !file.includes('.schema.'));

  test.each(files)('%s', (file) => {
    const scenario = parseScenario(JSON.parse(readFileSync(join(folder, file), 'utf8')), file);
    const { timeZone, weekend, closedDays, cutoff } = scenario.tenant;
    const calendar = businessCalendar(timeZone, { version: 1, weekend, closedDays, cutoff });
    const policy = { ...scenario.policy, name: scenario.preset, version: 1 };
    // What no enrollment can be does not come so far.
    const told = scenario.promises.find(({ faults }) => faults.length === 0);
    if (told === undefined) throw new Error('no promise');
    const nowMs = startOfDayMs(told.startDate, timeZone);
    const arrears = scenario.arrears?.filter(({ from }) => from <= told.startDate).at(-1)?.cents ?? null;
    const plan = { ...asked([]), ...told, currency: 'USD', payMethod: null };
    const result = previewOf(plan, policy, calendar, { ...NOBODY, arrearsCents: arrears }, nowMs);
    const world = new World(scenario);
    world.advance(nowMs);
    const reply = world.replies.find(({ promiseId }) => promiseId === told.id);
    expect(result.refusals).toEqual(reply?.refusals);
    const look = world.look(told.id, nowMs, told.startDate);
    if (look === undefined) return;
    const enrolled = look.life.lines.map(({ line }) => line);
    expect(result.lines.slice(0, enrolled.length)).toMatchObject(enrolled);
    expect(result.isOpenEnded || result.lines.length === enrolled.length).toBe(true);
    expect(result.status).toBe(look.life.status);
    const isOnly = scenario.promises.filter(
      ({ startDate }: { startDate: LocalDate }) => startDate <= told.startDate,
    );
    // A pending promise shields nothing yet; the preview tells what it will.
    if (arrears !== null && isOnly.length === 1 && look.life.status === 'active') {
      expect(result.shield?.thenCents).toBe(look.collectible?.collectibleCents);
    }
  });
});
