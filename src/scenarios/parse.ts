import { z } from 'zod';
import { policyFrom } from '../enrollment/policy-options';
import { problemsOf } from '../enrollment/enrollment';
import { TrothError, type Problem } from '../platform/errors';
import { DEFAULT_WEEKEND, WEEKDAYS } from '../rules/business-days';
import { isLocalDate, isTimeZone, localTimeMs } from '../rules/calendar';
import { CANCEL_REASONS, SELF } from '../rules/facts';
import { cents } from '../rules/money';
import type { PresetName } from '../rules/presets';
import type { Expectation, Scenario, ScenarioEvent, ScenarioPromise } from '../rules/scenario/scenario';
import { MAX_INSTALLMENTS, MAX_PERIODS, parseScenarioEvery } from '../rules/schedules/schedule';
import { idleMistakes, mixedMistakes, promiseMistakes, scheduleFaults, twinProblems } from './mistakes';

const DEFAULT_ZONE = 'America/New_York';
const MOST = 1000;

// Years that a story of money can be about; others are typing errors, and lead to dates that nothing can hold.
const isLikely = (text: string): boolean => text >= '1900' && text < '3000';
const LIKELY = { error: 'lies outside the years 1900 to 2999' };
const date = z
  .string()
  .refine(isLocalDate, { error: 'is not a date; write YYYY-MM-DD', abort: true })
  .refine(isLikely, LIKELY);
const moment = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?$/.test(text) && localTimeMs(text, 'UTC') !== undefined,
    {
      error: 'is not a date or a local time; write YYYY-MM-DD or YYYY-MM-DDTHH:MM',
      abort: true,
    },
  )
  .refine(isLikely, LIKELY);
const amount = z
  .int({ error: 'must be a whole number of cents' })
  .min(0, 'must not be negative')
  .transform((value) => cents(value));
const positive = z
  .int({ error: 'must be a whole number of cents' })
  .min(1, 'must be more than zero')
  .transform((value) => cents(value));
const name = z.string().min(1).max(64);
const optional = z.exactOptional;

const part = z.strictObject({ dueDate: date, amountCents: positive, transaction: optional(name) });
// An amount of nothing can be told of a promise, so that it can be seen refused.
const asked = part.extend({ amountCents: amount });

const repeat = z
  .strictObject({
    firstDueDate: date,
    amountCents: amount,
    every: z.string(),
    count: optional(z.int().min(1).max(MAX_PERIODS)),
    until: optional(date),
    autoManage: optional(z.boolean()),
  })
  .transform(({ every, count, until, autoManage, firstDueDate, amountCents }, context) => {
    const frequency = parseScenarioEvery(every);
    if (frequency === undefined) {
      const message =
        'is no frequency; write week, two-weeks, half-month, month, 10-days, 3-months, mon+thu or 5+20';
      context.addIssue({ code: 'custom', path: ['every'], message, input: every });
      return z.NEVER;
    }
    const ends = { count: count ?? null, untilDate: until ?? null };
    return { firstDueDate, amountCents, frequency, ...ends, autoManaged: autoManage ?? true };
  });

const promise = z
  .strictObject({
    id: name,
    payor: optional(name),
    startDate: date,
    installments: optional(z.array(asked).min(1).max(MAX_INSTALLMENTS)),
    repeat: optional(repeat),
    accepted: optional(z.boolean()),
    refusal: optional(z.string()),
  })
  .superRefine((told, context) => {
    for (const mistake of promiseMistakes(told)) context.addIssue({ code: 'custom', ...mistake });
  })
  .transform((told): ScenarioPromise => ({
    id: told.id,
    payor: told.payor ?? SELF,
    startDate: told.startDate,
    parts: (told.installments ?? []).map(partOf),
    repeat: told.repeat ?? null,
    accepted: told.accepted ?? true,
    refusal: told.refusal ?? null,
    faults: told.accepted === false ? scheduleFaults(told).map(({ refusal }) => refusal) : [],
  }));

function partOf({ dueDate, amountCents, transaction }: z.output<typeof asked>) {
  return { dueDate, amountCents, ...(transaction === undefined ? {} : { transactionId: transaction }) };
}

const EVENT_TYPES = [
  'payment',
  'reversal',
  'cancel',
  'amend',
  'approve',
  'reject',
  'balance-cleared',
  'service-stopped',
  'account-closed',
  'collection-event',
] as const;

const tender = z.strictObject({ payor: name, amountCents: positive });
const eventSchema = z.strictObject({
  at: moment,
  type: z.enum(EVENT_TYPES, { error: `must be one of ${EVENT_TYPES.join(', ')}` }),
  id: optional(name),
  amountCents: optional(positive),
  payor: optional(name),
  tenders: optional(z.array(tender).min(1).max(20)),
  postedAt: optional(moment),
  applied: optional(z.record(name, positive)),
  payment: optional(name),
  reason: optional(z.string().min(1).max(40)),
  promise: optional(name),
  installments: optional(z.array(part).min(1).max(MAX_INSTALLMENTS)),
  accepted: optional(z.boolean()),
  refusal: optional(z.string()),
});

/**
 * Which fields belong to which event; others beside them are a mistake that nobody would notice. A name and a reason may
 * stand at any: where the rules make nothing of them, they are for readers.
 */
const FIELDS_OF: Readonly<Record<(typeof EVENT_TYPES)[number], readonly string[]>> = {
  payment: ['amountCents', 'payor', 'tenders', 'postedAt', 'applied'],
  reversal: ['payment', 'postedAt'],
  cancel: ['promise', 'accepted', 'refusal'],
  amend: ['promise', 'installments', 'accepted', 'refusal'],
  approve: ['promise'],
  reject: ['promise'],
  'balance-cleared': [],
  'service-stopped': [],
  'account-closed': [],
  'collection-event': [],
};

const status = z.enum(['pending', 'active', 'kept', 'broken', 'cancelled']);
const expectation = z.strictObject({
  on: moment,
  promise: optional(name),
  status: optional(status),
  reason: optional(z.string()),
  unpaidCents: optional(amount),
  pastDueCents: optional(amount),
  nextDueDate: optional(date),
  collectibleCents: optional(amount),
  forgivenCents: optional(amount),
  installments: optional(
    z.array(
      z.strictObject({
        seq: z.int().min(1),
        status: optional(z.enum(['due', 'kept', 'broken', 'excused'])),
        countedCents: optional(amount),
      }),
    ),
  ),
});

const scenarioSchema = z.strictObject({
  $schema: optional(z.string()),
  id: z.string().regex(/^[A-Za-z0-9-]+$/, 'must be letters, digits and dashes'),
  title: z.string(),
  source: z.string(),
  rules: optional(z.array(z.string().regex(/^R\d+$/, 'must be rule numbers such as R15'))),
  tenant: optional(
    z.strictObject({
      timeZone: optional(
        z.string().refine(isTimeZone, 'is not a time zone; write one such as America/New_York'),
      ),
      closedDays: optional(z.array(date).max(5000)),
      weekend: optional(z.array(z.enum(WEEKDAYS)).max(6)),
      cutoff: optional(z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 17:00')),
    }),
  ),
  policy: z.looseObject({ preset: z.string() }),
  transactions: optional(
    z
      .array(z.strictObject({ id: name, amountCents: positive, dueDate: date, issued: optional(date) }))
      .max(MOST),
  ),
  arrears: optional(z.array(z.strictObject({ from: date, cents: amount })).max(MOST)),
  promises: z.array(promise).min(1).max(100),
  events: optional(z.array(eventSchema).max(MOST)),
  expect: optional(z.array(expectation).max(MOST)),
});

type Parsed = z.output<typeof scenarioSchema>;

/**
 * Reads a scenario.
 * @param input the parsed JSON.
 * @throws TrothError INPUT_INVALID with every problem: unknown fields, impossible dates, names that stand for nothing.
 */
export function parseScenario(input: unknown, label = 'The scenario'): Scenario {
  const parsed = scenarioSchema.safeParse(input);
  if (!parsed.success) throw invalid(label, [...problemsOf(parsed.error, input), ...policyProblems(input)]);
  const told = parsed.data;
  const policy = policyFrom(told.policy);
  const promises = new Map(told.promises.map((one) => [one.id, one]));
  const only = told.promises.length === 1 ? (told.promises[0]?.id ?? '') : '';
  const problems: Problem[] = [
    ...(Array.isArray(policy) ? policyProblems(input) : []),
    ...twinProblems('promises', 'id', told.promises),
    ...twinProblems('transactions', 'id', told.transactions),
    ...twinProblems('arrears', 'from', told.arrears),
    ...paymentIdProblems(told),
    ...itemProblems(told),
    ...promiseRefProblems(told, promises, only),
  ];
  const events = (told.events ?? []).flatMap((event, index) => eventOf(event, index, only, told, problems));
  if (problems.length > 0 || Array.isArray(policy)) throw invalid(label, problems);
  return {
    ...{ id: told.id, title: told.title, source: told.source },
    tenant: tenantOf(told),
    preset: told.policy.preset as PresetName,
    policy,
    transactions: (told.transactions ?? []).map(({ issued, ...one }) => ({ ...one, issued: issued ?? null })),
    arrears: told.arrears ?? null,
    promises: told.promises,
    events,
    expect: (told.expect ?? []).map((one): Expectation => ({ ...one, promise: one.promise ?? only })),
  };
}

function tenantOf({ tenant = {} }: Parsed): Scenario['tenant'] {
  const { timeZone = DEFAULT_ZONE, weekend = DEFAULT_WEEKEND, closedDays = [], cutoff = null } = tenant;
  return { timeZone, weekend, closedDays, cutoff };
}

/** What is wrong with the policy, however much is wrong with the rest. */
function policyProblems(input: unknown): Problem[] {
  const told: unknown =
    typeof input === 'object' && input !== null && 'policy' in input ? input.policy : undefined;
  if (typeof told !== 'object' || told === null || !('preset' in told)) return []; // said already
  const policy = policyFrom({ ...told });
  if (!Array.isArray(policy)) return [];
  return policy.map((problem) => ({ ...problem, field: `policy.${problem.field}` }));
}

function invalid(label: string, problems: readonly Problem[]): TrothError {
  return new TrothError('INPUT_INVALID', `${label} cannot be played`, { problems });
}

/** R24: where the story tells its open items, a promise pays one of them. */
function itemProblems({ transactions = [], promises }: Parsed): Problem[] {
  if (transactions.length === 0) return [];
  return promises.flatMap(({ parts }, index) =>
    parts.flatMap(({ transactionId }, at): Problem[] => {
      if (transactionId === undefined || transactions.some(({ id }) => id === transactionId)) return [];
      const field = `promises.${index}.installments.${at}.transaction`;
      return [{ field, value: transactionId, message: 'is not the id of a transaction of this scenario' }];
    }),
  );
}

function paymentIdProblems({ events = [] }: Parsed): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const [index, { type, id }] of events.entries()) {
    if (type !== 'payment' || id === undefined) continue;
    if (seen.has(id)) problems.push({ field: `events.${index}.id`, value: id, message: 'stands twice' });
    seen.add(id);
  }
  return problems;
}

function promiseRefProblems(
  { events = [], expect = [] }: Parsed,
  promises: ReadonlyMap<string, unknown>,
  only: string,
): Problem[] {
  const problems: Problem[] = [];
  const check = (field: string, promiseId: string | undefined): void => {
    if (promiseId === undefined && only !== '') return;
    if (promiseId !== undefined && promises.has(promiseId)) return;
    const message =
      promiseId === undefined ? 'is needed: there are several promises' : 'is not the id of a promise';
    problems.push({ field, value: promiseId ?? '', message });
  };
  for (const [index, event] of events.entries()) {
    if (FIELDS_OF[event.type].includes('promise')) check(`events.${index}.promise`, event.promise);
  }
  for (const [index, one] of expect.entries()) check(`expect.${index}.promise`, one.promise);
  return problems;
}

function eventOf(
  event: z.output<typeof eventSchema>,
  index: number,
  only: string,
  { events = [] }: Parsed,
  problems: Problem[],
): ScenarioEvent[] {
  const { type } = event;
  const base = baseOf(event);
  const problem = (field: string, value: string, message: string): [] => {
    problems.push({ field: `events.${index}.${field}`, value, message });
    return [];
  };
  const stray = strayField(event);
  if (stray !== undefined) return problem(stray, '', `does not belong to an event of type ${type}`);
  const [mistake] = [...idleMistakes(event), ...mixedMistakes(event)];
  if (mistake !== undefined) return problem(mistake.path.join('.'), '', mistake.message);
  const promiseId = event.promise ?? only;
  switch (type) {
    case 'payment':
      return paymentOf(event, index, base, problem);
    case 'reversal':
      return reversalOf(event, events, base, problem);
    case 'cancel':
      return cancelOf(event, promiseId, base, problem);
    case 'amend':
      return amendOf(event, promiseId, base, problem);
    case 'approve':
    case 'reject':
      return [{ ...base, type, promise: promiseId }];
    case 'balance-cleared':
    case 'service-stopped':
    case 'account-closed':
    case 'collection-event':
      return [{ ...base, type }];
  }
}

function baseOf({ at, accepted = true, refusal }: Told): Base {
  return { at, accepted, refusal: refusal ?? null };
}

/** A field that stands beside an event of another type: a mistake that nobody would notice. */
function strayField(event: Told): string | undefined {
  const known = ['at', 'type', 'id', 'reason', ...FIELDS_OF[event.type]];
  return Object.keys(event).find((field) => !known.includes(field));
}

type Told = z.output<typeof eventSchema>;
type Base = Pick<ScenarioEvent, 'at' | 'accepted' | 'refusal'>;
type Complain = (field: string, value: string, message: string) => [];

function paymentOf(event: Told, index: number, base: Base, problem: Complain): ScenarioEvent[] {
  const { amountCents, payor = SELF, postedAt = base.at } = event;
  if (amountCents === undefined) return problem('amountCents', '', 'is needed');
  if (event.payor !== undefined && event.tenders !== undefined) {
    return problem('payor', payor, 'is needed, or tenders, not both');
  }
  const tenders = event.tenders ?? [{ payor, amountCents }];
  const tendered = tenders.reduce((total, one) => total + one.amountCents, 0);
  if (tendered !== amountCents) {
    return problem('tenders', String(tendered), `must sum to the amount, ${amountCents}`);
  }
  const applied = Object.values(event.applied ?? {}).reduce<number>((total, one) => total + one, 0);
  if (applied > amountCents) {
    return problem('applied', String(applied), `must not sum to more than the amount, ${amountCents}`);
  }
  const id = event.id ?? `event-${String(index + 1).padStart(3, '0')}`;
  return [{ ...base, type: 'payment', id, amountCents, tenders, applied: event.applied ?? {}, postedAt }];
}

function amendOf({ installments }: Told, promise: string, base: Base, problem: Complain): ScenarioEvent[] {
  if (installments === undefined) return problem('installments', '', 'are needed: the remaining ones');
  return [{ ...base, type: 'amend', promise, parts: installments.map(partOf) }];
}

function cancelOf(
  { reason: told = 'customer_request' }: Told,
  promise: string,
  base: Base,
  problem: Complain,
): ScenarioEvent[] {
  const reason = CANCEL_REASONS.find((known) => known === told);
  if (reason === undefined) return problem('reason', told, `must be one of ${CANCEL_REASONS.join(', ')}`);
  return [{ ...base, type: 'cancel', promise, reason }];
}

function reversalOf(event: Told, events: readonly Told[], base: Base, problem: Complain): ScenarioEvent[] {
  const { payment, reason = 'other', postedAt = base.at } = event;
  if (payment === undefined) return problem('payment', '', 'is needed: the payment reversed');
  if (!events.some(({ type, id }) => type === 'payment' && id === payment)) {
    return problem('payment', payment, 'is not the id of a payment of this scenario');
  }
  return [{ ...base, type: 'reversal', payment, reason, postedAt }];
}
