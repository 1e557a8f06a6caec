/**
 * Goal: a policy is what a preset says and what was set over it; whatever is wrong is named, with what to do.
 * Method: the presets themselves, tables of refused options, every scenario's policy, and the bounds of the
 * scenario schema; no database.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  LIMIT_NAMES,
  OPTION_NAMES,
  policyFrom,
  policyOptionsSchema,
  policyOver,
} from '../../src/enrollment/policy-options';
import { POLICY_WORDS } from '../../src/enrollment/policy-words';
import { policyDifferences } from '../../src/rules/differences';
import type { PolicyOptions } from '../../src/rules/policy';
import { DEFAULT_POLICY_OPTIONS, PRESET_NAMES, PRESETS } from '../../src/rules/presets';

const FACTS = join(__dirname, '..', 'facts');
interface Field {
  readonly enum?: readonly string[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}
const scenarioSchema = JSON.parse(readFileSync(join(FACTS, 'scenario.schema.json'), 'utf8')) as {
  properties: {
    policy: { properties: Record<string, Field> & { limits: { properties: Record<string, Field> } } };
  };
};

function accepted(input: Record<string, unknown>): PolicyOptions {
  const answer = policyFrom({ preset: 'default', ...input });
  if (Array.isArray(answer)) throw new Error(JSON.stringify(answer));
  return answer;
}

function refused(input: Record<string, unknown>): { field: string; value: string; message: string }[] {
  const answer = policyFrom({ preset: 'default', ...input });
  if (!Array.isArray(answer)) throw new Error(`${JSON.stringify(input)} was accepted`);
  return answer;
}

test.each(PRESET_NAMES)('the preset %s is a policy as it stands', (preset) => {
  expect(policyFrom({ preset })).toEqual(PRESETS[preset]);
  expect(policyOptionsSchema.parse(JSON.parse(JSON.stringify(PRESETS[preset])))).toEqual(PRESETS[preset]);
});

test('options are put over those of the preset, limits one by one', () => {
  expect(accepted({})).toEqual(DEFAULT_POLICY_OPTIONS);
  const made = accepted({
    graceDays: 5,
    graceDaysByPayMethod: { autopay: 7 },
    tolerancePercent: 2.5,
    limits: { maxInstallments: 6, downPaymentPercent: 25 },
    downPaymentMissed: 'break',
  });
  expect(made).toEqual({
    ...DEFAULT_POLICY_OPTIONS,
    graceDays: 5,
    graceDaysByPayMethod: { autopay: 7 },
    tolerancePercent: 2.5,
    limits: { maxInstallments: 6, downPaymentPercent: 25, downPaymentMissed: 'break' },
  });
  const next = policyOver(made, {
    tolerancePercent: null,
    limits: { maxInstallments: null, lockOutDays: 30 },
  });
  expect(next).toMatchObject({
    graceDays: 5,
    tolerancePercent: null,
    limits: { downPaymentPercent: 25, downPaymentMissed: 'break', lockOutDays: 30 },
  });
  expect((next as PolicyOptions).limits).not.toHaveProperty('maxInstallments');
  expect(DEFAULT_POLICY_OPTIONS.limits).toEqual({});
});

test.each<[Record<string, unknown>, string, RegExp]>([
  [{ preset: 'sap' }, 'preset', /one of default, oracle-ccb, .*sap-fica/],
  [{ preset: undefined }, 'preset', /one of default/],
  [{ graceDay: 3 }, 'graceDay', /no option that Troth knows; there are graceDays, .*limits$/],
  [{ toString: 3 }, 'toString', /no option/],
  [{ maxInstallments: 3 }, 'maxInstallments', /is a limit; write it under "limits"/],
  [
    { limits: { maxInstalments: 3 } },
    'limits.maxInstalments',
    /no limit .* maxOpenPromises, maxInstallments/,
  ],
  [{ limits: { maxInstalments: null } }, 'limits.maxInstalments', /no limit/],
  [{ limits: null }, 'limits', /such as \{"maxInstallments": 6\}/],
  [{ limits: [6] }, 'limits.0', /no limit/],
  [{ graceDays: -1 }, 'graceDays', /whole number from 0 to 99/],
  [{ graceDays: 100 }, 'graceDays', /whole number from 0 to 99/],
  [{ graceDays: 1.5 }, 'graceDays', /whole number from 0 to 99/],
  [{ graceDays: '3' }, 'graceDays', /whole number from 0 to 99/],
  [{ graceDays: null }, 'graceDays', /whole number from 0 to 99/],
  [{ graceDaysByPayMethod: { autopay: -1 } }, 'graceDaysByPayMethod.autopay', /whole number from 0 to 99/],
  [{ graceDaysByPayMethod: 5 }, 'graceDaysByPayMethod', /\{"autopay": 5\}/],
  [{ postingLagHours: -0.5 }, 'postingLagHours', /hours from 0/],
  [{ postingLagHours: Infinity }, 'postingLagHours', /hours from 0/],
  [{ payor: 'someone' }, 'payor', /one of anyone, promise-payor, promise-payor-whole/],
  [{ toleranceCents: -1 }, 'toleranceCents', /whole number of cents, at least 0/],
  [{ tolerancePercent: 100.1 }, 'tolerancePercent', /from 0 to 100/],
  [{ tolerancePercent: 1.2345678 }, 'tolerancePercent', /at most 6 decimals/],
  [{ tolerancePercent: '5' }, 'tolerancePercent', /from 0 to 100/],
  [{ stayCurrent: 'yes' }, 'stayCurrent', /true or false/],
  [{ limits: { maxInstallments: 0 } }, 'limits.maxInstallments', /from 1/],
  [{ limits: { minInstallmentCents: 0 } }, 'limits.minInstallmentCents', /at least 1/],
  [{ limits: { minInstallmentCents: 2 ** 53 } }, 'limits.minInstallmentCents', /whole number of cents/],
  [{ limits: { maxBroken: 2 } }, 'limits.maxBroken', /needs maxBrokenWithinDays, too/],
  [{ limits: { maxBrokenWithinDays: 90 } }, 'limits.maxBrokenWithinDays', /needs maxBroken, too/],
  [{ limits: { approvalWithinDays: 3 } }, 'limits.approvalWithinDays', /needs approvalAboveCents/],
  [{ limits: { downPaymentUse: 'max' } }, 'limits.downPaymentUse', /needs a down payment/],
  [{ limits: { downPaymentWithinDays: 3 } }, 'limits.downPaymentWithinDays', /needs a down payment/],
  [{ limits: { downPaymentMissed: 'break' } }, 'limits.downPaymentMissed', /needs a down payment/],
  [{ downPaymentMissed: 'break' }, 'limits.downPaymentMissed', /needs a down payment/],
  [
    { downPaymentMissed: 'break', limits: { downPaymentCents: 100, downPaymentMissed: 'cancel' } },
    'downPaymentMissed',
    /write it once/,
  ],
])('%j is refused by name', (input, field, message) => {
  const [problem, ...more] = refused(input);
  expect(more).toEqual([]);
  expect(problem?.field).toBe(field);
  expect(problem?.message).toMatch(message);
});

test('everything wrong is told at once', () => {
  const fields = refused({ graceDays: -1, payor: 'x', nonsense: 1, limits: { maxBroken: -1, more: 2 } }).map(
    ({ field }) => field,
  );
  expect(fields.sort()).toEqual(['graceDays', 'limits.maxBroken', 'limits.more', 'nonsense', 'payor']);
});

test('a limit is allowed with its partner, a base may bring it', () => {
  expect(accepted({ limits: { maxBroken: 0, maxBrokenWithinDays: 0 } }).limits).toEqual({
    maxBroken: 0,
    maxBrokenWithinDays: 0,
  });
  const base = accepted({ limits: { downPaymentCents: 2500 } });
  expect(policyOver(base, { downPaymentMissed: 'break' })).toMatchObject({
    limits: { downPaymentCents: 2500, downPaymentMissed: 'break' },
  });
  expect(
    policyOver(accepted({ limits: { approvalAboveCents: 0, approvalWithinDays: 2 } }), {
      limits: { approvalAboveCents: null },
    }),
  ).toMatchObject([{ field: 'limits.approvalWithinDays' }]);
});

describe('the scenario schema', () => {
  const { limits, downPaymentMissed: _, preset, ...options } = scenarioSchema.properties.policy.properties;

  test('knows the options and presets that we know', () => {
    expect(preset?.enum).toEqual(PRESET_NAMES);
    expect(Object.keys(limits.properties).sort()).toEqual([...LIMIT_NAMES].sort());
    expect([...Object.keys(options), 'graceDaysByPayMethod'].sort()).toEqual([...OPTION_NAMES].sort());
  });

  /** Options that a limit of its own needs beside it. */
  const partners = { downPaymentCents: 100, approvalAboveCents: 100, maxBroken: 1, maxBrokenWithinDays: 1 };
  const fields = [
    ...Object.entries(options).map(([name, field]) => ({
      name,
      field,
      of: (value: unknown) => ({ [name]: value }),
    })),
    ...Object.entries(limits.properties).map(([name, field]) => ({
      name: `limits.${name}`,
      field,
      of: (value: unknown) => ({ limits: { ...partners, [name]: value } }),
    })),
  ];

  test.each(fields)('has the bounds of $name', ({ field, of }) => {
    if (field.enum !== undefined) {
      for (const word of field.enum)
        expect(policyFrom({ preset: 'default', ...of(word) })).not.toBeInstanceOf(Array);
      refused(of('nonsense'));
      return;
    }
    if (field.type === 'boolean') {
      for (const value of [true, false]) accepted(of(value));
      return;
    }
    accepted(of(field.minimum ?? NaN));
    refused(of((field.minimum ?? NaN) - 1));
    if (field.maximum !== undefined) {
      accepted(of(field.maximum));
      refused(of(field.maximum + 1));
    }
    if (field.type === 'integer') refused(of((field.minimum ?? NaN) + 0.5));
  });

  test('every scenario has a policy', () => {
    const files = readdirSync(FACTS).filter(
      (name) => name.endsWith('.json') && name !== 'scenario.schema.json',
    );
    expect(files.length).toBeGreaterThan(50);
    for (const file of files) {
      const { policy } = JSON.parse(readFileSync(join(FACTS, file), 'utf8')) as {
        policy: Record<string, unknown>;
      };
      expect([file, Array.isArray(policyFrom(policy))]).toEqual([file, false]);
    }
  });
});

test('every option has its words, and differences are told by their names', () => {
  const names = [...OPTION_NAMES, ...LIMIT_NAMES.map((limit) => `limits.${limit}`)];
  expect(Object.keys(POLICY_WORDS).sort()).toEqual([...names].sort());
  const other = accepted({ graceDays: 4, graceDaysByPayMethod: { card: 1 }, limits: { maxInstallments: 3 } });
  expect(policyDifferences(DEFAULT_POLICY_OPTIONS, other)).toEqual([
    { option: 'graceDays', before: 3, after: 4 },
    { option: 'graceDaysByPayMethod.card', before: null, after: 1 },
    { option: 'limits.maxInstallments', before: null, after: 3 },
  ]);
  expect(policyDifferences(other, other)).toEqual([]);
});
