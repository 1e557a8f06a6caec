import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CANCEL_REASONS, SELF } from '../rules/facts';
import { isLocalDate, type LocalDate } from '../rules/calendar';
import { cents, sum, type Cents } from '../rules/money';
import { equalSchedule, FREQUENCIES, MAX_INSTALLMENTS, type ScheduledPart } from '../rules/schedule';
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

/**
 * An enrollment as a CIS sends it: by file, by HTTP, or as the JSON payload of a workflow that it starts itself. The
 * schedule is either a list of installments or a total with a frequency.
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
    installments: z
      .array(z.strictObject({ dueDate: dateSchema, amountCents: amountSchema }))
      .min(1)
      .max(MAX_INSTALLMENTS)
      .optional(),
    totalCents: amountSchema.optional(),
    frequency: z.enum(FREQUENCIES, { error: `must be one of ${FREQUENCIES.join(', ')}` }).optional(),
    parts: z.number().int().min(1).max(MAX_INSTALLMENTS).optional(),
    firstDueDate: dateSchema.optional(),
    enrolledBy: z.string().min(1).max(200).optional(),
  })
  .superRefine((enrollment, context) => {
    const { installments, totalCents, frequency, parts, firstDueDate } = enrollment;
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
  return error.issues.map((issue) => ({
    field: issue.path.join('.') || '(whole)',
    value: shown(issue.path.reduce<unknown>(child, input)),
    message: issue.message,
  }));
}

function child(parent: unknown, key: PropertyKey): unknown {
  return typeof parent === 'object' && parent !== null
    ? (parent as Record<PropertyKey, unknown>)[key]
    : undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/**
 * The dated parts of an enrollment in order (R2, R3).
 * @returns the parts, or what is wrong with them.
 */
export function scheduleOf(enrollment: Enrollment, startDate: LocalDate): ScheduledPart[] | Problem {
  const parts = partsOf(enrollment);
  if ('message' in parts) return parts;
  const sorted = [...parts].sort((a, b) => (a.dueDate < b.dueDate ? -1 : a.dueDate > b.dueDate ? 1 : 0));
  const early = sorted.find((part) => part.dueDate < startDate);
  if (early !== undefined) {
    return {
      field: 'dueDate',
      value: early.dueDate,
      message: `lies before the promise's start date ${startDate}`,
    };
  }
  const twin = sorted.find((part, index) => index > 0 && part.dueDate === sorted[index - 1]?.dueDate);
  if (twin !== undefined) {
    return { field: 'dueDate', value: twin.dueDate, message: 'stands twice; put the amounts together' };
  }
  return sorted;
}

function partsOf(enrollment: Enrollment): ScheduledPart[] | Problem {
  if (enrollment.installments !== undefined) {
    return enrollment.installments.map(({ dueDate, amountCents }) => ({
      dueDate,
      amountCents: cents(amountCents),
    }));
  }
  const { totalCents = 0, frequency = 'once', parts = 1, firstDueDate } = enrollment;
  if (firstDueDate === undefined) return { field: 'firstDueDate', value: '', message: 'is needed' };
  try {
    return equalSchedule(cents(totalCents), frequency, parts, firstDueDate);
  } catch (error) {
    if (error instanceof RangeError)
      return { field: 'schedule', value: firstDueDate, message: error.message };
    throw error;
  }
}

/** The sum of a schedule. */
export function totalOf(parts: readonly ScheduledPart[]): Cents {
  return sum(parts.map((part) => part.amountCents));
}

/** A fingerprint of what was agreed: the same file twice, or a corrected one, can be told apart. */
export function enrollmentHash(
  enrollment: Enrollment,
  startDate: string,
  parts: readonly ScheduledPart[],
): string {
  const { accountId, debtClass, payor } = enrollment;
  const agreed = [
    accountId,
    debtClass,
    payor,
    startDate,
    parts.map((part) => [part.dueDate, part.amountCents]),
  ];
  return createHash('sha256').update(JSON.stringify(agreed)).digest('hex').slice(0, 32);
}
