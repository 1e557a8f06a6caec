import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CANCEL_REASONS, SELF } from '../rules/facts';
import { isLocalDate, type LocalDate } from '../rules/calendar';
import { cents } from '../rules/money';
import { inOrder, type AgreedPart } from '../rules/agreement';
import {
  downPaymentFirst,
  equalSchedule,
  FREQUENCY_HINT,
  MAX_INSTALLMENTS,
  MAX_PERIODS,
  nthDueDate,
  parseFrequency,
  type Remainder,
} from '../rules/schedules/schedule';
import type { Problem } from '../platform/errors';

const MAX_CENTS = 1_000_000_000_00;

export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores');
export const debtClassSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 small letters, digits or dashes');
const dateSchema = z.string().refine(isLocalDate, 'is not a date; write YYYY-MM-DD');
const amountSchema = z
  .number({ error: 'must be a whole number of cents' })
  .int('must be a whole number of cents')
  .min(1, 'must be more than zero')
  .max(MAX_CENTS, 'is too large');

const frequencySchema = z
  .string()
  .refine((text) => parseFrequency(text) !== undefined, { error: FREQUENCY_HINT });
export const partSchema = z.strictObject({
  dueDate: dateSchema,
  amountCents: amountSchema,
  /** R24: the open item that this part pays. */
  transactionId: idSchema.optional(),
});

/** R22: a promise that goes on, with or without an end. */
const repeatSchema = z
  .strictObject({
    amountCents: amountSchema,
    frequency: frequencySchema,
    firstDueDate: dateSchema,
    count: z.number().int().min(1).max(MAX_PERIODS).optional(),
    untilDate: dateSchema.optional(),
    /** Off: nothing changes by itself, and staff close it. */
    autoManaged: z.boolean().default(true),
  })
  .superRefine(({ frequency, firstDueDate, untilDate }, context) => {
    if (untilDate !== undefined && untilDate < firstDueDate) {
      context.addIssue({
        code: 'custom',
        path: ['untilDate'],
        message: `lies before the first due date ${firstDueDate}`,
      });
    }
    const parsed = parseFrequency(frequency);
    try {
      if (parsed === 'once') throw new RangeError('a promise that is paid once does not repeat');
      if (parsed !== undefined) nthDueDate(firstDueDate, parsed, 0);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', path: ['frequency'], message: `: ${error.message}` });
    }
  });

/** What stands beside a schedule of another kind, with what to do: one of them must go. */
function besides(enrollment: {
  readonly installments?: unknown;
  readonly repeat?: unknown;
  readonly totalCents?: unknown;
  readonly frequency?: unknown;
  readonly parts?: unknown;
  readonly firstDueDate?: unknown;
  readonly downPaymentCents?: unknown;
}): [field: string, message: string][] {
  const { installments, repeat, totalCents, frequency, parts, firstDueDate, downPaymentCents } = enrollment;
  const found: [string, string][] = [];
  if (repeat !== undefined) {
    const message = 'stands beside repeat, which has its own terms';
    const others = { totalCents, frequency, parts, firstDueDate, downPaymentCents };
    for (const [field, value] of Object.entries(others))
      if (value !== undefined) found.push([field, message]);
  }
  if (installments === undefined) return found;
  if (repeat !== undefined) found.push(['repeat', 'stands beside installments; send one of them']);
  if (downPaymentCents !== undefined) {
    found.push(['downPaymentCents', 'stands beside installments; the first of them is the down payment']);
  }
  return found;
}

/**
 * An enrollment as a CIS sends it: by file, by HTTP, or as the JSON payload of a workflow that it starts itself. The
 * schedule is a list of installments, a total with a frequency, or a repeating amount.
 */
export const enrollmentSchema = z
  .strictObject({
    /** The CIS's own reference; becomes the promise's id. */
    promiseId: idSchema.optional(),
    tenantId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be a tenant id'),
    accountId: idSchema,
    /** Recorded with the account when the CIS sends them. */
    customerId: z.string().min(1).max(64).optional(),
    premiseId: z.string().min(1).max(64).optional(),
    debtClass: debtClassSchema,
    payor: z.string().min(1).max(64).default(SELF),
    startDate: dateSchema.optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be a currency code such as USD')
      .optional(),
    /** The tenant's policy to make it under; default: the tenant's own. */
    policy: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be the name of a policy')
      .optional(),
    /** How it will be paid; some policies give some ways other days of grace. */
    payMethod: z.string().min(1).max(40).optional(),
    installments: z
      .array(partSchema)
      .min(1, 'must not be empty')
      .max(MAX_INSTALLMENTS, `must be ${MAX_INSTALLMENTS} at most`)
      .optional(),
    repeat: repeatSchema.optional(),
    totalCents: amountSchema.optional(),
    frequency: frequencySchema.optional(),
    parts: z.number().int().min(1).max(MAX_INSTALLMENTS).optional(),
    firstDueDate: dateSchema.optional(),
    /** R25: paid before the equal parts, on the start date unless told otherwise. */
    downPaymentCents: amountSchema.optional(),
    downPaymentDate: dateSchema.optional(),
    enrolledBy: z.string().min(1).max(200).optional(),
    /** What a colleague should know; kept in the audit trail. */
    note: z.string().min(1).max(1000, 'is longer than 1,000 characters').optional(),
  })
  .superRefine((enrollment, context) => {
    const { installments, totalCents, frequency, parts, firstDueDate, repeat } = enrollment;
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (enrollment.downPaymentDate !== undefined && enrollment.downPaymentCents === undefined) {
      issue('downPaymentDate', 'needs downPaymentCents');
    }
    for (const [field, message] of besides(enrollment)) issue(field, message);
    if (repeat !== undefined) return;
    if (installments !== undefined) {
      const total = installments.reduce((all, part) => all + part.amountCents, 0);
      if (totalCents !== undefined && totalCents !== total) {
        context.addIssue({
          code: 'custom',
          path: ['totalCents'],
          message: `must equal the sum of the installments, ${total}`,
        });
      }
      return;
    }
    const needed = {
      totalCents,
      frequency,
      parts: parts ?? (frequency === 'once' ? 1 : undefined),
      firstDueDate,
    };
    for (const [field, value] of Object.entries(needed)) {
      if (value === undefined) {
        context.addIssue({
          code: 'custom',
          path: [field],
          message: 'is needed where no installments are listed',
        });
      }
    }
    if (frequency === 'once' && parts !== undefined && parts !== 1) {
      context.addIssue({
        code: 'custom',
        path: ['parts'],
        message: 'must be 1 when the promise is paid once',
      });
    }
  });

export type Enrollment = z.output<typeof enrollmentSchema>;
/** An enrollment as it comes from outside. */
export type EnrollmentInput = z.input<typeof enrollmentSchema>;

/** A cancel as staff, a CIS or a script sends it (R17, R21). */
export const cancelSchema = z
  .strictObject({
    reason: z.enum(CANCEL_REASONS, { error: `must be one of ${CANCEL_REASONS.join(', ')}` }),
    note: z.string().min(1).max(1000).optional(),
    actor: z.string().min(1).max(200).optional(),
  })
  .refine(({ reason, note }) => reason !== 'other' || note !== undefined, {
    path: ['note'],
    message: 'is needed when the reason is "other"',
  });
export type Cancel = z.output<typeof cancelSchema>;

const MAX_SHOWN = 80;

/** What zod found, as problems that name field, value and what to do. */
export function problemsOf(error: z.ZodError, input: unknown): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const found = issue.path.reduce<unknown>(child, input);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: [...issue.path, key].join('.'),
        value: '', // it may be a secret that strayed
        message: 'is no field that Troth knows here',
      }));
    }
    const isMissing = issue.code === 'invalid_type' && found === undefined;
    const message = isMissing ? 'is needed' : issue.message;
    return [{ field: issue.path.join('.') || '(whole)', value: shown(found), message }];
  });
}

function child(parent: unknown, key: PropertyKey): unknown {
  return typeof parent === 'object' && parent !== null
    ? (parent as Record<PropertyKey, unknown>)[key]
    : undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : jsonOf(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

// What came from outside may be nested deeper than JSON.stringify can go.
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? '[…]' : '{…}';
  }
}

/**
 * The dated parts of an enrollment in order (R2, R3); of a repeating one its first period.
 * @returns the parts, or what is wrong with them.
 */
export function scheduleOf(
  enrollment: Enrollment,
  startDate: LocalDate,
  remainder: Remainder = 'last',
): AgreedPart[] | Problem {
  const parts = partsOf(enrollment, startDate, remainder);
  return 'message' in parts ? parts : orderedParts(parts, startDate);
}

/** Parts in order of due date, none before a day, none twice. @returns the parts, or what is wrong with them. */
export function orderedParts(parts: readonly AgreedPart[], startDate: LocalDate): AgreedPart[] | Problem {
  const sorted = inOrder(parts);
  const early = sorted.find((part) => part.dueDate < startDate);
  if (early !== undefined) {
    return {
      field: 'dueDate',
      value: early.dueDate,
      message: `lies before the promise's start date ${startDate}`,
    };
  }
  const seen = new Set<string>();
  for (const { dueDate, transactionId } of sorted) {
    const key = `${dueDate}/${transactionId ?? ''}`;
    if (seen.has(key)) {
      return { field: 'dueDate', value: dueDate, message: 'stands twice; put the amounts together' };
    }
    seen.add(key);
  }
  const named = sorted.filter(({ transactionId }) => transactionId !== undefined).length;
  if (named > 0 && named < sorted.length) {
    const message = 'is needed on every installment, or on none (R24)';
    return { field: 'transactionId', value: '', message };
  }
  return sorted;
}

/** Parts as a request names them, in cents that are known to be cents. */
export function agreedParts(parts: readonly z.output<typeof partSchema>[]): AgreedPart[] {
  return parts.map(({ dueDate, amountCents, transactionId }) => ({
    dueDate: dueDate,
    amountCents: cents(amountCents),
    ...(transactionId === undefined ? {} : { transactionId }),
  }));
}

function partsOf(enrollment: Enrollment, startDate: LocalDate, remainder: Remainder): AgreedPart[] | Problem {
  const { installments, repeat } = enrollment;
  if (installments !== undefined) return agreedParts(installments);
  if (repeat !== undefined) {
    return [{ dueDate: repeat.firstDueDate, amountCents: cents(repeat.amountCents) }];
  }
  const { totalCents = 0, parts = 1, firstDueDate, downPaymentCents } = enrollment;
  const frequency = parseFrequency(enrollment.frequency ?? 'once');
  if (firstDueDate === undefined) return { field: 'firstDueDate', value: '', message: 'is needed' };
  if (frequency === undefined) return { field: 'frequency', value: '', message: FREQUENCY_HINT };
  try {
    const first = firstDueDate;
    if (downPaymentCents === undefined) {
      return equalSchedule(cents(totalCents), frequency, parts, first, remainder);
    }
    const [down, ...rest] = downPaymentFirst(cents(totalCents), cents(downPaymentCents), parts, remainder);
    const downDate = (enrollment.downPaymentDate as LocalDate | undefined) ?? startDate;
    return [
      { dueDate: downDate, amountCents: down ?? cents(0) },
      ...rest.map((amountCents, index) => ({ dueDate: nthDueDate(first, frequency, index), amountCents })),
    ];
  } catch (error) {
    if (error instanceof RangeError)
      return { field: 'schedule', value: firstDueDate, message: error.message };
    throw error;
  }
}

/**
 * A fingerprint of what was agreed: the same file twice, or a corrected one, can be told apart. It says what was asked, not
 * what a policy makes of it.
 */
export function enrollmentHash(enrollment: Enrollment, startDate: LocalDate): string {
  const { accountId, debtClass, payor, repeat, policy, payMethod } = enrollment;
  const parts = scheduleOf(enrollment, startDate);
  const plain = 'message' in parts ? [] : parts;
  const items = plain.flatMap(({ transactionId }) => transactionId ?? []);
  const agreed = [
    ...[accountId, debtClass, payor, startDate],
    plain.map((part) => [part.dueDate, part.amountCents]),
    // What the first version did not know is left out where it is not used, so that its files stay known.
    ...(items.length > 0 || repeat !== undefined || policy !== undefined || payMethod !== undefined
      ? [items, repeat ?? null, policy ?? null, payMethod ?? null]
      : []),
  ];
  return createHash('sha256').update(JSON.stringify(agreed)).digest('hex').slice(0, 32);
}
