/** Plays a scenario file of the rule book (section 8) through the engine, as far as the engine's options go. */
import { readFileSync } from 'node:fs';
import {
  cents,
  DEFAULT_POLICY_OPTIONS,
  endOfDayMs,
  epochMs,
  evaluate,
  localDate,
  type EpochMs,
  type Payment,
  type PolicyOptions,
  type PromiseFacts,
} from '../../src/rules';
import { at, NEW_YORK, payment, promise } from './build';

interface Happening {
  readonly at: string;
  readonly type: string;
  readonly id?: string;
  readonly payment?: string;
  readonly amountCents?: number;
  readonly postedAt?: string;
  readonly reason?: string;
}

/** What a scenario asks for on one day; only what it names is asked. */
interface Expectation {
  readonly on: string;
  readonly status?: string;
  readonly reason?: string;
  readonly unpaidCents?: number;
  readonly forgivenCents?: number;
  readonly installments?: readonly { seq: number; status?: string; countedCents?: number }[];
}

interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly tenant?: { readonly timeZone?: string };
  readonly policy: Partial<PolicyOptions> & { readonly preset: string };
  readonly promises: readonly {
    readonly startDate: string;
    readonly installments: readonly { readonly dueDate: string; readonly amountCents: number }[];
  }[];
  readonly events?: readonly Happening[];
  readonly expect: readonly Expectation[];
}

export function readScenario(file: string): Scenario {
  return JSON.parse(readFileSync(file, 'utf8')) as Scenario;
}

/** Each expectation of a scenario beside what the engine says, in the same shape, so that they can be compared. */
export function play(scenario: Scenario): { expected: object; actual: object }[] {
  const zone = scenario.tenant?.timeZone ?? NEW_YORK;
  const facts = factsOfScenario(scenario, zone);
  return scenario.expect.map((expectation) => {
    const { on, status, reason, unpaidCents, forgivenCents, installments } = expectation;
    const moment = momentOf(on, zone);
    const evaluation = evaluate(seenAt(facts, moment), moment.askedAtMs);
    const all = {
      status: evaluation.status,
      reason: evaluation.reason,
      unpaidCents: evaluation.unpaidCents,
      forgivenCents: evaluation.outcomes.at(-1)?.forgivenCents,
      installments: installments?.map((asked) => {
        const line = evaluation.lines.find((each) => each.line.seq === asked.seq);
        return onlyAsked(asked, { seq: asked.seq, status: line?.status, countedCents: line?.countedCents });
      }),
    };
    const asked = JSON.parse(
      JSON.stringify({ status, reason, unpaidCents, forgivenCents, installments }),
    ) as object;
    return { expected: { on, ...asked }, actual: { on, ...onlyAsked(asked, all) } };
  });
}

function onlyAsked(asked: object, all: object): object {
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in asked));
}

interface Moment {
  /** A judge time equal to the moment has not passed, so the engine is asked a millisecond earlier. */
  readonly askedAtMs: EpochMs;
  /** What was posted by then is seen: of a bare date, everything of that day. */
  readonly seenToMs: EpochMs;
}

function momentOf(on: string, zone: string): Moment {
  const moment = at(on, zone);
  const seenToMs = on.length === 10 ? epochMs(endOfDayMs(localDate(on), zone) - 1) : moment;
  return { askedAtMs: epochMs(moment - 1), seenToMs };
}

function seenAt(facts: PromiseFacts, { askedAtMs, seenToMs }: Moment): PromiseFacts {
  const seen = (postedAtMs: EpochMs): EpochMs =>
    postedAtMs > askedAtMs && postedAtMs <= seenToMs ? askedAtMs : postedAtMs;
  const payments = facts.payments.map((each) => ({
    ...each,
    postedAtMs: seen(each.postedAtMs),
    reversal: each.reversal && { ...each.reversal, postedAtMs: seen(each.reversal.postedAtMs) },
  }));
  return { ...facts, payments };
}

function factsOfScenario({ id, policy, promises, events = [] }: Scenario, timeZone: string): PromiseFacts {
  const { preset, ...overrides } = policy;
  for (const option of Object.keys(overrides)) {
    if (!(option in DEFAULT_POLICY_OPTIONS)) throw new Error(`${id}: the engine has no option ${option}`);
  }
  const [only, ...others] = promises;
  if (preset !== 'default' || only === undefined || others.length > 0)
    throw new Error(`${id} cannot be played`);
  return promise({
    start: only.startDate,
    parts: only.installments.map(({ dueDate, amountCents }) => [dueDate, amountCents]),
    timeZone,
    policy: overrides,
    payments: events
      .filter(({ type }) => type === 'payment')
      .map((event, index) => paymentOf(event, index, events, timeZone)),
  });
}

function paymentOf(event: Happening, index: number, events: readonly Happening[], zone: string): Payment {
  const bounced = events.find(({ type, payment: of }) => type === 'reversal' && of === event.id);
  return payment(event.id ?? `event-${index}`, event.at, cents(event.amountCents ?? 0), {
    postedAtMs: at(event.postedAt ?? event.at, zone),
    reversal:
      bounced === undefined || event.id === undefined
        ? null
        : {
            effectiveDate: localDate(bounced.at.slice(0, 10)),
            postedAtMs: at(bounced.postedAt ?? bounced.at, zone),
            reason: bounced.reason ?? 'other',
          },
  });
}
