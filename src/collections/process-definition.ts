import { z } from 'zod';
import {
  APPROVED_KINDS,
  CHANNELS,
  HOLD_EFFECTS,
  HOLD_KINDS,
  RESUMES,
  STEP_KINDS,
  USUALLY_PAUSES,
  type Channel,
  type ProcessDefinition,
  type ProcessStep,
  type StepKind,
} from '../rules/collections/process';
import { cents } from '../rules/money';
import { problemsOf } from '../enrollment/enrollment';
import type { Problem } from '../platform/errors';

const MOST_STEPS = 50;
const MOST_DAYS = 3650;
const ID = /^[a-z0-9][a-z0-9-]{0,39}$/;

function whole(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function amount() {
  const error = 'must be a whole number of cents, at least 0';
  return z.int({ error }).min(0, { error }).transform(cents);
}

function words<const Words extends readonly string[]>(known: Words) {
  return z.enum(known, { error: `must be one of ${known.join(', ')}` });
}

const flag = z.boolean({ error: 'must be true or false' });
const id = z.string({ error: 'is needed' }).regex(ID, 'must be 1 to 40 small letters, digits or dashes');
const monthDay = z
  .string({ error: 'must be a month and day such as 11-15' })
  .refine((text) => /^\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`2024-${text}T00:00:00Z`)), {
    error: 'must be a month and day such as 11-15',
  });

/** How a step usually reaches somebody. */
const USUAL_CHANNEL: Readonly<Record<StepKind, Channel>> = {
  reminder: 'letter',
  notice: 'letter',
  call: 'call',
  'field-visit': 'visit',
  'shut-off-request': 'task',
  'agency-referral': 'task',
  'write-off-proposal': 'task',
};

const stepSchema = z
  .strictObject({
    id,
    kind: words(STEP_KINDS),
    day: whole(0, MOST_DAYS),
    channel: words(CHANNELS).optional(),
    approval: flag.optional(),
    businessDays: flag.default(true),
    notBeforeClosedDay: flag.optional(),
    seasonal: flag.optional(),
    minCents: amount().default(cents(0)),
    notice: z
      .strictObject({
        step: id,
        days: whole(1, MOST_DAYS),
        unit: words(['calendar', 'business']).default('calendar'),
      })
      .nullable()
      .default(null),
    cancelsPromises: flag.default(false),
  })
  .transform((step, context): ProcessStep => {
    const mustBeApproved = APPROVED_KINDS.includes(step.kind);
    if (mustBeApproved && step.approval === false) {
      const message = `cannot be false: a ${step.kind} is never done without a person's approval`;
      context.addIssue({ code: 'custom', path: ['approval'], message });
    }
    const isShutOff = step.kind === 'shut-off-request';
    return {
      ...step,
      channel: step.channel ?? USUAL_CHANNEL[step.kind],
      approval: step.approval ?? mustBeApproved,
      notBeforeClosedDay: step.notBeforeClosedDay ?? isShutOff,
      seasonal: step.seasonal ?? isShutOff,
    };
  });

const STOP_ALL = Object.fromEntries(HOLD_KINDS.map((kind) => [kind, 'stop'])) as ProcessDefinition['holds'];

/** A collections process as JSON says it, with what it leaves out filled in. */
export const processSchema = z
  .strictObject({
    entry: z
      .array(z.strictObject({ minCents: amount(), minAgeDays: whole(0, MOST_DAYS) }), {
        error: 'must list what starts it, such as [{"minCents": 5000, "minAgeDays": 15}]',
      })
      .min(1, 'needs at least one criterion')
      .max(20, 'has more than 20 criteria'),
    cancelThresholdCents: amount().default(cents(0)),
    resume: words(RESUMES).default('continue'),
    steps: z
      .array(stepSchema, { error: 'must list the steps' })
      .min(1, 'needs a step')
      .max(MOST_STEPS, `has more than ${MOST_STEPS} steps`),
    seasons: z
      .array(z.strictObject({ name: z.string().min(1).max(60), from: monthDay, to: monthDay }))
      .max(12)
      .default([]),
    stepTime: z
      .string()
      .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time such as 09:00')
      .default('09:00'),
    reviewEveryDays: whole(1, 366).default(7),
    holds: z.partialRecord(words(HOLD_KINDS), words(HOLD_EFFECTS)).default({}),
    pausesPromises: z
      .array(words(HOLD_KINDS))
      .max(HOLD_KINDS.length)
      .default([...USUALLY_PAUSES]),
  })
  .transform((process): ProcessDefinition => ({ ...process, holds: { ...STOP_ALL, ...process.holds } }))
  .superRefine(({ steps }, context) => {
    const seen = new Map<string, number>();
    for (const [index, step] of steps.entries()) {
      const at = (field: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['steps', index, field], message });
      if (seen.has(step.id)) at('id', 'is the id of another step, too');
      const before = steps[index - 1];
      if (before !== undefined && step.day < before.day)
        at('day', `lies before day ${before.day} of the step before`);
      if (step.notice !== null && !seen.has(step.notice.step))
        at('notice', 'must name a step before this one');
      seen.set(step.id, index);
    }
  });

/** A definition read from JSON, or every problem found with it, by field. */
export function processFrom(input: unknown): ProcessDefinition | Problem[] {
  const parsed = processSchema.safeParse(input);
  return parsed.success ? parsed.data : problemsOf(parsed.error, input);
}
