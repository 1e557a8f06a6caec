import { z } from 'zod';
import type { Problem } from '../platform/errors';
import { cents } from '../rules/money';
import type { PolicyOptions } from '../rules/policy';
import { PRESET_NAMES, PRESETS } from '../rules/presets';
import { problemsOf } from './enrollment';

const MAX_GRACE_DAYS = 99;
/** A hundred years: longer than any promise, short enough for every date. */
const MAX_DAYS = 36_525;
const MAX_LAG_HOURS = 24 * 366;
const MAX_PAY_METHODS = 50;
const PERCENT_DECIMALS = 6;

function whole(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function amount(least: number) {
  const error = `must be a whole number of cents, at least ${least}`;
  return z.int({ error }).min(least, { error }).transform(cents);
}

function words<const Words extends readonly string[]>(...known: Words) {
  return z.enum(known, { error: `must be one of ${known.join(', ')}` });
}

const percent = z
  .number({ error: 'must be a number from 0 to 100' })
  .min(0, 'must be a number from 0 to 100')
  .max(100, 'must be a number from 0 to 100')
  .refine((value) => Number(value.toFixed(PERCENT_DECIMALS)) === value, {
    error: `must have at most ${PERCENT_DECIMALS} decimals`,
  });

const graceDaysByPayMethod = z
  .record(z.string().min(1).max(40), whole(0, MAX_GRACE_DAYS), {
    error: 'must name pay methods with their days, such as {"autopay": 5}',
  })
  .refine((methods) => Object.keys(methods).length <= MAX_PAY_METHODS, {
    error: `must name at most ${MAX_PAY_METHODS} pay methods`,
  });

/** R25 */
const limitsShape = {
  maxOpenPromises: z.exactOptional(whole(1, 1000)),
  maxInstallments: z.exactOptional(whole(1, 1200)),
  maxDaysToFirstPayment: z.exactOptional(whole(0, MAX_DAYS)),
  maxHorizonDays: z.exactOptional(whole(0, MAX_DAYS)),
  minInstallmentCents: z.exactOptional(amount(1)),
  minInstallmentPercent: z.exactOptional(percent),
  downPaymentCents: z.exactOptional(amount(1)),
  downPaymentPercent: z.exactOptional(percent),
  downPaymentUse: z.exactOptional(words('max', 'min')),
  downPaymentWithinDays: z.exactOptional(whole(0, MAX_DAYS)),
  downPaymentMissed: z.exactOptional(words('cancel', 'break')),
  totalVersusArrears: z.exactOptional(words('equal', 'at-most', 'any')),
  lockOutDays: z.exactOptional(whole(0, MAX_DAYS)),
  maxBroken: z.exactOptional(whole(0, 1000)),
  maxBrokenWithinDays: z.exactOptional(whole(0, MAX_DAYS)),
  approvalAboveCents: z.exactOptional(amount(0)),
  approvalWithinDays: z.exactOptional(whole(0, MAX_DAYS)),
};

const optionsShape = {
  graceDays: whole(0, MAX_GRACE_DAYS),
  graceDaysByPayMethod,
  graceUnit: words('calendar', 'business'),
  dueDateRoll: words('none', 'following', 'modified-following', 'preceding'),
  postingLagHours: z
    .number({ error: `must be a number of hours from 0 to ${MAX_LAG_HOURS}` })
    .min(0, `must be a number of hours from 0 to ${MAX_LAG_HOURS}`)
    .max(MAX_LAG_HOURS, `must be a number of hours from 0 to ${MAX_LAG_HOURS}`),
  remainder: words('last', 'first', 'spread'),
  windowStart: words('inclusive', 'exclusive'),
  payor: words('anyone', 'promise-payor', 'promise-payor-whole'),
  overpayment: words('pool', 'current', 'advance', 'ignore-excess'),
  completion: words('early', 'after-last-due-date'),
  missesAllowed: whole(0, 1200),
  finalMiss: words('wait', 'break'),
  onMiss: words('break', 'stay-past-due'),
  lateEvidence: words('stay', 'rejudge'),
  toleranceCents: amount(0).nullable(),
  tolerancePercent: percent.nullable(),
  toleranceUse: words('max', 'min'),
  balanceCleared: words('keep', 'cancel', 'ignore'),
  cancelUntil: words('any-time', 'before-due'),
  reversalAfterKept: words('stay-kept', 'reopen', 'break'),
  reversalGraceDays: whole(0, MAX_DAYS),
  stayCurrent: z.boolean({ error: 'must be true or false' }),
  shield: words('net-amount', 'pause-all', 'none'),
  shieldCap: words('promise-remaining', 'none'),
  limits: z.strictObject(limitsShape, { error: 'must name limits, such as {"maxInstallments": 6}' }),
};

/** Names of the limits; in JSON they stand under `limits`. */
export const LIMIT_NAMES = Object.keys(limitsShape) as readonly (keyof typeof limitsShape)[];
/** Names of the other options. */
export const OPTION_NAMES = (Object.keys(optionsShape) as (keyof typeof optionsShape)[]).filter(
  (name) => name !== 'limits',
);

const wholePolicy = z.strictObject(optionsShape);
/** The options of a policy, every one of them, with what must go together. */
export const policyOptionsSchema = wholePolicy.superRefine((options, context) => {
  for (const [limit, message] of missingPartners(options.limits)) {
    context.addIssue({ code: 'custom', path: ['limits', limit], message });
  }
});
const someOptions = wholePolicy.partial();

/** R25: limits that say nothing without another one. */
function missingPartners(limits: PolicyOptions['limits']): [limit: string, message: string][] {
  const problems: [string, string][] = [];
  if ((limits.maxBroken === undefined) !== (limits.maxBrokenWithinDays === undefined)) {
    const [set, needed] =
      limits.maxBroken === undefined
        ? ['maxBrokenWithinDays', 'maxBroken']
        : ['maxBroken', 'maxBrokenWithinDays'];
    problems.push([set, `needs ${needed}, too: how many broken promises are too many in how many days`]);
  }
  if (limits.approvalWithinDays !== undefined && limits.approvalAboveCents === undefined) {
    problems.push([
      'approvalWithinDays',
      'needs approvalAboveCents: the amount above which approval is asked',
    ]);
  }
  if (limits.downPaymentCents === undefined && limits.downPaymentPercent === undefined) {
    for (const limit of ['downPaymentUse', 'downPaymentWithinDays', 'downPaymentMissed'] as const) {
      if (limits[limit] === undefined) continue;
      problems.push([limit, 'needs a down payment: set downPaymentCents or downPaymentPercent']);
    }
  }
  return problems;
}

/**
 * A policy from a preset and what differs from it, as scenarios and JSON files write it. A limit of null takes away
 * that of the preset; `downPaymentMissed` may stand beside `limits`, where scenarios have it.
 * @returns the options, or every problem found, by option.
 */
export function policyFrom(
  input: { readonly preset?: unknown } & Readonly<Record<string, unknown>>,
): PolicyOptions | Problem[] {
  const { preset, ...overrides } = input;
  const name = PRESET_NAMES.find((known) => known === preset);
  if (name !== undefined) return policyOver(PRESETS[name], overrides);
  const message = `must be one of ${PRESET_NAMES.join(', ')}`;
  return [{ field: 'preset', value: typeof preset === 'string' ? preset : '', message }];
}

/** As `policyFrom`, from the options of any other policy. */
export function policyOver(
  base: PolicyOptions,
  overrides: Readonly<Record<string, unknown>>,
): PolicyOptions | Problem[] {
  const twice = missedTwice(overrides);
  if (twice !== undefined) return [twice];
  const { input, removed } = tidied(overrides);
  const some = someOptions.safeParse(input);
  if (!some.success) return problemsIn(some.error, input);
  const { limits = {}, ...options } = some.data;
  const kept = Object.entries(base.limits).filter(([name]) => !removed.has(name));
  const merged = { ...base, ...options, limits: { ...Object.fromEntries(kept), ...limits } };
  const whole = policyOptionsSchema.safeParse(merged);
  return whole.success ? whole.data : problemsIn(whole.error, merged);
}

/** Overrides with `downPaymentMissed` where it belongs, and the names of limits that are to go. */
function tidied(overrides: Readonly<Record<string, unknown>>): {
  readonly input: Readonly<Record<string, unknown>>;
  readonly removed: ReadonlySet<string>;
} {
  const { downPaymentMissed, limits, ...rest } = overrides;
  const removed = new Set<string>();
  if (limits !== undefined && (typeof limits !== 'object' || limits === null)) {
    return { input: overrides, removed };
  }
  const kept = new Map(Object.entries(limits ?? {}) as [string, unknown][]);
  for (const [name, value] of kept) {
    if (value !== null || !Object.hasOwn(limitsShape, name)) continue;
    removed.add(name);
    kept.delete(name);
  }
  if (downPaymentMissed !== undefined) kept.set('downPaymentMissed', downPaymentMissed);
  return { input: kept.size === 0 ? rest : { ...rest, limits: Object.fromEntries(kept) }, removed };
}

function missedTwice({
  downPaymentMissed: beside,
  limits,
}: Readonly<Record<string, unknown>>): Problem | undefined {
  const within = (limits as { readonly downPaymentMissed?: unknown } | null | undefined)?.downPaymentMissed;
  if (beside === undefined || within === undefined || beside === within) return undefined;
  const message = 'says something else than limits.downPaymentMissed; write it once';
  return { field: 'downPaymentMissed', value: typeof beside === 'string' ? beside : '', message };
}

/** What zod found; an option that is not known is named, with those that are. */
function problemsIn(error: z.ZodError, input: unknown): Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return problemsOf(new z.ZodError([issue]), input);
    return issue.keys.map((key) => unknownOption(issue.path.map(String), key));
  });
}

function unknownOption(path: readonly string[], key: string): Problem {
  const field = [...path, key].join('.');
  if (path.length > 0) {
    return { field, value: '', message: `is no limit that Troth knows; there are ${LIMIT_NAMES.join(', ')}` };
  }
  if (Object.hasOwn(limitsShape, key)) {
    return { field, value: '', message: `is a limit; write it under "limits"` };
  }
  const known = [...OPTION_NAMES, 'limits'].join(', ');
  return { field, value: '', message: `is no option that Troth knows; there are ${known}` };
}
