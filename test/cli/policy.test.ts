/**
 * Goal: an operator can see every policy, compare two, and make the next version of one without touching a promise
 * that is under way; a wrong option makes nothing and says what to do.
 * Method: the built command line on a real PostgreSQL; what it wrote is read back by it and from the ledger.
 */
import { localDate } from '../../src/rules/calendar';
import { rows } from '../../src/ledger/connection';
import { addPolicyVersion, getPolicy } from '../../src/ledger/policies';
import { epochMs } from '../../src/rules/calendar';
import { DEFAULT_POLICY_OPTIONS, PRESET_NAMES, PRESETS } from '../../src/rules/presets';
import { Place } from '../cis/place';
import { commandLine, type Answer, type RunOptions } from './troth';

let place: Place;
let run: (args: readonly string[], options?: RunOptions) => Promise<Answer>;
beforeAll(async () => {
  place = await Place.open();
  run = commandLine(place.folder, { DATABASE_URL: place.database.url });
});
afterAll(() => place.close());

/** A command that must succeed. */
async function policy(tenant: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await run(['policy', ...args, '--tenant', tenant]);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  return out;
}

async function json<T>(tenant: string, ...args: string[]): Promise<T> {
  return JSON.parse(await policy(tenant, ...args, '--json')) as T;
}

/** A promise under a version of a policy, straight into the ledger. */
async function promiseUnder(
  tenantId: string,
  promiseId: string,
  version: number,
  status: string,
): Promise<void> {
  const ended = status === 'active' ? null : new Date();
  const reason = status === 'active' ? null : 'paid_in_full';
  await place.ledger.forTenant(tenantId, async (tx) => {
    await rows(
      tx,
      `insert into account (tenant_id, account_id, debt_classes, created_at) values (:tenantId, :promiseId, '{water}', :now)`,
      { tenantId, promiseId, now: new Date() },
    );
    await rows(
      tx,
      `insert into promise (tenant_id, promise_id, account_id, debt_class, payor, currency, start_date, policy_name,
                            policy_version, calendar_version, total_cents, status, next_judge_at, settled_as_of,
                            workflow_id, enrollment_hash, enrolled_at, enrolled_by, ended_at, reason)
       values (:tenantId, :promiseId, :promiseId, 'water', 'self', 'USD', :day, 'default', :version, 'test', 100,
               :status, :now, :now, :promiseId, 'x', :now, 'test', :ended, :reason)`,
      { tenantId, promiseId, version, status, ended, reason, day: localDate('2026-01-05'), now: new Date() },
    );
  });
}

test('a new tenant has version 1 of every preset, and default is its default', async () => {
  await place.sandbox('fresh');
  const list = await policy('fresh', 'list');
  for (const name of PRESET_NAMES) expect(list).toMatch(new RegExp(`^${name}@1 .* test$`, 'm'));
  expect(list).toMatch(/^default@1 +default +0 +0 +\d{4}-/m);
  expect(list).not.toMatch(/^collect@1 +default/m);
  for (const name of PRESET_NAMES) {
    const shown = await json<{ options: unknown; version: number }>('fresh', 'show', name);
    expect(shown).toMatchObject({ version: 1, options: PRESETS[name] });
    expect(await policy('fresh', 'diff', name, `preset:${name}`)).toContain('say the same');
  }
});

test('show tells value, meaning and rule of every option, and marks what differs from the preset default', async () => {
  const text = await policy('fresh', 'show', 'preset:collect');
  expect(text).toMatch(/^\* +overpayment +advance +what becomes of money over an installment \(R10\)$/m);
  expect(text).toMatch(/^ +graceDays +3 +days allowed after the due date \(R4\)$/m);
  expect(text).toMatch(/^ +toleranceCents +none /m);
  expect(text).toMatch(/^ +limits\.maxInstallments +none /m);
  expect(text).toContain('* differs from preset:default');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  expect(await policy('fresh', 'show', 'default')).toContain('Nothing differs from preset:default.');
  expect(await json('fresh', 'show', 'collect')).toMatchObject({
    policy: 'collect@1',
    differsFromDefault: ['postingLagHours', 'overpayment', 'lateEvidence', 'shield'],
  });
});

test('diff shows only what differs, side by side', async () => {
  const text = await policy('fresh', 'diff', 'default', 'preset:sap-fica');
  expect(text.trim().split('\n')).toHaveLength(5);
  expect(text).toMatch(/^Option +default@1 +preset:sap-fica +Rule$/m);
  expect(text).toMatch(/^graceDays +3 +2 +R4$/m);
  expect(text).toMatch(/^shield +net-amount +pause-all +R30$/m);
  expect(await json('fresh', 'diff', 'default@1', 'sap-fica')).toEqual({
    before: 'default@1',
    after: 'sap-fica@1',
    differences: expect.arrayContaining([{ option: 'graceDays', before: 3, after: 2 }]) as unknown,
  });
});

test('create makes the next version, says what changed, and open promises keep theirs', async () => {
  await place.sandbox('made');
  await promiseUnder('made', 'P-1', 1, 'active');
  await promiseUnder('made', 'P-2', 1, 'kept');
  const text = await policy(
    'made',
    'create',
    'default',
    '--set',
    'graceDays=5',
    '--set',
    'maxInstallments=6',
    '--note',
    'winter',
  );
  expect(text).toMatch(/^graceDays +3 +5 +R4$/m);
  expect(text).toMatch(/^limits\.maxInstallments +none +6 +R25$/m);
  expect(text).toContain('default@2 is made. One open promise keeps the version that it was made under.');
  expect(text).toContain('New promises get it');
  // From its own newest version, not from the preset.
  expect(await json('made', 'create', 'default', '--set', 'limits.maxInstallments=none')).toMatchObject({
    result: 'created',
    version: 3,
    against: 'default@2',
    differences: [{ option: 'limits.maxInstallments', before: 6, after: null }],
    keeping: 1,
  });
  expect(await json('made', 'show', 'default@2')).toMatchObject({
    note: 'winter',
    createdBy: expect.stringMatching(/^cli:/) as string,
  });
  expect(await policy('made', 'show', 'default@2')).toMatch(/^Made \d{4}-.* by cli:.*: winter$/m);
  const list = await policy('made', 'list');
  expect(list).toMatch(/^default@1 +2 +1 /m);
  expect(list).toMatch(/^default@2 +0 +0 /m);
  expect(list).toMatch(/^default@3 +default +0 +0 /m);
  expect(await place.count('made', "audit_event where action = 'policy.created'")).toBe(2);
});

test('a version that says the same as the newest is not made', async () => {
  const before = await place.count('made', 'policy');
  expect(await policy('made', 'create', 'default', '--set', 'graceDays=5')).toContain(
    'default@3 says the same already; no new version was made.',
  );
  expect(await json('made', 'create', 'default')).toMatchObject({ result: 'unchanged', version: 3 });
  expect(await place.count('made', 'policy')).toBe(before);
});

test('a new policy starts from a preset and a file, and becomes the default when told so', async () => {
  const file = place.write(
    'strict.json',
    '{"preset": "oracle-ccb", "graceDays": 4, "limits": {"maxBroken": 1}}',
  );
  const text = await policy(
    'made',
    'create',
    'strict',
    '--from-file',
    file,
    '--set',
    'maxBrokenWithinDays=365',
    '--set',
    'graceDays=1',
    '--set',
    'graceDaysByPayMethod.autopay=9',
    '--default',
  );
  expect(text).toMatch(/^Option +preset:default +strict@1 +Rule$/m);
  expect(text).toContain('strict@1 is made.');
  expect(text).toContain('New promises get it, for "strict" is the default policy.');
  const { options } = await place.ledger.forTenant('made', (tx) => getPolicy(tx, 'made', 'strict'));
  expect(options).toEqual({
    ...PRESETS['oracle-ccb'],
    graceDays: 1,
    graceDaysByPayMethod: { autopay: 9 },
    limits: { maxBroken: 1, maxBrokenWithinDays: 365 },
  });
  expect(await policy('made', 'list')).toMatch(/^strict@1 +default /m);
  expect(await place.count('made', "tenant where policy_name = 'strict'")).toBe(1);
  expect(await place.count('made', "audit_event where action = 'policy.made_default'")).toBe(1);
  // Back again without a new version.
  expect(await policy('made', 'create', 'default', '--default')).toContain('"default" is the default policy');
  expect(
    await policy(
      'made',
      'create',
      'strict',
      '--set',
      'graceDaysByPayMethod.autopay=none',
      '--set',
      'tolerancePercent=2.5',
      '--set',
      'shield=none',
      '--set',
      'stayCurrent=true',
    ),
  ).toContain('strict@2 is made');
  expect(
    (await place.ledger.forTenant('made', (tx) => getPolicy(tx, 'made', 'strict'))).options,
  ).toMatchObject({
    ...{ graceDaysByPayMethod: {}, tolerancePercent: 2.5, shield: 'none', stayCurrent: true, graceDays: 1 },
  });
});

test.each([
  ['an unknown option', ['--set', 'graceDay=3'], /--set "graceDay=3": sets no option .* graceDays/],
  ['no setting', ['--set', 'graceDays'], /--set "graceDays": is no setting; write option=value/],
  ['two that are none', ['--set', 'graceDay=3', '--set', 'x'], /"graceDay=3": sets.*\n.*"x": is no setting/],
  ['a wrong word', ['--set', 'payor=me'], /payor "me": must be one of anyone/],
  ['a wrong number', ['--set', 'graceDays=1e9'], /graceDays "1e9": must be a whole number from 0 to 99/],
  ['half of a pair', ['--set', 'maxBroken=2'], /limits\.maxBroken "2": needs maxBrokenWithinDays/],
  ['two wrong ones', ['--set', 'graceDays=-1', '--set', 'finalMiss=x'], /graceDays "-1".*\n.*finalMiss "x"/],
])('%s makes nothing: exit 65', async (_, args, message) => {
  const before = await place.count('made', 'policy');
  const { code, out, err } = await run(['policy', 'create', 'default', '--tenant', 'made', ...args]);
  expect({ code, out }).toEqual({ code: 65, out: '' });
  expect(err).toMatch(/^troth: Policy "default" was not made\n/);
  expect(err).toMatch(message);
  expect(await place.count('made', 'policy')).toBe(before);
});

test('names, files and versions that are not there say so', async () => {
  const failed = async (...args: string[]): Promise<[number | null, string]> => {
    const { code, err } = await run(['policy', ...args, '--tenant', 'made']);
    return [code, err];
  };
  expect(await failed('show', 'none')).toEqual([
    66,
    expect.stringContaining('There is no policy "none"; see: troth policy list'),
  ]);
  expect(await failed('show', 'default@99')).toEqual([
    66,
    expect.stringContaining('no version 99 of policy "default"'),
  ]);
  expect(await failed('show', 'preset:x')).toEqual([66, expect.stringContaining('presets are default')]);
  expect(await failed('diff', 'default', 'Default@x')).toEqual([65, expect.stringContaining('NAME@VERSION')]);
  expect(await failed('create', 'Winter')).toEqual([65, expect.stringContaining('small letters')]);
  expect(await failed('create', 'w', '--preset', 'x')).toEqual([
    64,
    expect.stringContaining('one of default'),
  ]);
  expect(await failed('create', 'w', '--from-file', `${place.folder}/none.json`)).toEqual([
    66,
    expect.stringContaining('There is no file'),
  ]);
  const broken = place.write('broken.json', '{"graceDays": 5');
  expect(await failed('create', 'w', '--from-file', broken)).toEqual([
    65,
    expect.stringContaining('holds no JSON object'),
  ]);
  const list = place.write('list.json', '[1]');
  expect(await failed('create', 'w', '--from-file', list)).toEqual([
    65,
    expect.stringContaining('holds no JSON object'),
  ]);
  const other = place.write('other.json', '{"preset": "collect"}');
  expect(await failed('create', 'w', '--from-file', other, '--preset', 'default')).toEqual([
    65,
    expect.stringContaining('name one of them'),
  ]);
  expect(await failed('create', 'w', '--from-file', place.write('sap.json', '{"preset": "sap"}'))).toEqual([
    65,
    expect.stringContaining('preset "sap": must be one of default'),
  ]);
});

test('a difference is told in the order of the options, also where the database has forgotten it', async () => {
  const limits = ['maxDaysToFirstPayment=30', 'minInstallmentCents=5000', 'maxHorizonDays=90'];
  await policy('made', 'create', 'limited', ...limits.flatMap((limit) => ['--set', limit]));
  const text = await policy('made', 'diff', 'limited', 'preset:default');
  expect(text.match(/limits\.\w+/g)).toEqual([
    'limits.maxDaysToFirstPayment',
    'limits.maxHorizonDays',
    'limits.minInstallmentCents',
  ]);
});

test('versions made at the same time are one after the other, and what was stored never changes', async () => {
  await place.sandbox('crowd');
  const add = (graceDays: number): Promise<{ version: number }> =>
    place.ledger.forTenant('crowd', (tx) =>
      addPolicyVersion(tx, 'crowd', {
        name: 'default',
        options: { ...DEFAULT_POLICY_OPTIONS, graceDays },
        actor: 'test',
        atMs: epochMs(0),
      }),
    );
  const made = await Promise.all([10, 11, 12, 13, 14].map(add));
  expect(made.map(({ version }) => version).sort()).toEqual([2, 3, 4, 5, 6]);
  await expect(
    place.ledger.forTenant('crowd', (tx) =>
      rows(tx, "update policy set options = '{}' where tenant_id = :tenantId", { tenantId: 'crowd' }),
    ),
  ).rejects.toThrow();
});
