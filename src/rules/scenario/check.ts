import { epochMs, localDateAt, type LocalDate } from '../calendar';
import { askedAt, instantsOf } from './moments';
import type { Expectation, Scenario } from './scenario';
import { World, type Look } from './world';

/** An expectation beside what the rules say, in the same shape. */
export interface Checked {
  readonly expected: Readonly<Record<string, unknown>>;
  readonly actual: Readonly<Record<string, unknown>>;
  readonly holds: boolean;
}

/** Plays a scenario and checks everything it expects, its refusals included. */
export function check(scenario: Scenario): Checked[] {
  const { timeZone } = scenario.tenant;
  const checks = scenario.expect.map((expectation): Checked => {
    const { atMs, seenToMs, today } = askedAt(expectation.on, timeZone);
    const world = new World(scenario, { fromMs: atMs, toMs: seenToMs });
    world.advance(atMs);
    return compare(expectation, world.look(expectation.promise, atMs, today));
  });
  return [...checks, ...checkReplies(scenario)];
}

/** An expectation beside what a look says. */
export function compare(expectation: Expectation, look: Look | undefined): Checked {
  const { on, promise, ...asked } = expectation;
  const expected = { on, promise, ...asked };
  if (look === undefined) return { expected, actual: { on, promise, enrolled: false }, holds: false };
  const all = answerOf(look, asked.installments?.map(({ seq }) => seq) ?? []);
  const actual: Record<string, unknown> = { on, promise };
  for (const name of Object.keys(asked)) actual[name] = all[name as keyof typeof all];
  if (asked.installments !== undefined) {
    actual['installments'] = asked.installments.map((one) => {
      const line = all.installments.find(({ seq }) => seq === one.seq);
      return Object.fromEntries(Object.keys(one).map((key) => [key, line?.[key as keyof typeof line]]));
    });
  }
  return { expected, actual, holds: JSON.stringify(sorted(expected)) === JSON.stringify(sorted(actual)) };
}

/** Everything that an expectation can ask of a promise. */
export function answerOf({ life, standing, collectible: shield }: Look, seqs?: readonly number[]) {
  const lines = seqs === undefined ? life.lines : life.lines.filter(({ line }) => seqs.includes(line.seq));
  return {
    status: life.status,
    reason: life.reason,
    unpaidCents: standing.unpaidCents,
    pastDueCents: standing.pastDueCents,
    nextDueDate: standing.nextDueDate,
    collectibleCents: shield?.collectibleCents ?? null,
    forgivenCents: life.status === 'kept' ? (life.outcomes.at(-1)?.forgivenCents ?? 0) : 0,
    installments: lines.map(({ line, status, countedCents }) => ({ seq: line.seq, status, countedCents })),
  };
}

function sorted(value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [
        key,
        Array.isArray(inner) ? inner.map((one) => sorted(one as Record<string, unknown>)) : inner,
      ]),
  );
}

function checkReplies(scenario: Scenario): Checked[] {
  const world = new World(scenario);
  world.advance(epochMs(Math.max(...instantsOf(scenario))));
  return world.replies.flatMap((reply): Checked[] => {
    const told =
      reply.event === null
        ? scenario.promises.find(({ id }) => id === reply.promiseId)
        : scenario.events[reply.event];
    if (told === undefined) return [];
    const on = localDateAt(reply.atMs, world.timeZone);
    return compareReply(told, { on, promise: reply.promiseId, what: reply.what }, reply.refusals);
  });
}

/**
 * What a file tells of an answer beside the answer: accepted, or refused for the reason it names. What is accepted as it
 * should be needs no line of its own.
 */
export function compareReply(
  told: { readonly accepted: boolean; readonly refusal: string | null },
  about: { readonly on: LocalDate; readonly promise: string; readonly what: string },
  refusals: readonly { readonly field: string; readonly value: string; readonly message: string }[],
): Checked[] {
  const accepted = refusals.length === 0;
  const said = refusals.map(({ field, value, message }) => `${field} ${value} ${message}`).join('; ');
  const holds =
    told.accepted === accepted &&
    (told.refusal === null || said.toLowerCase().includes(told.refusal.toLowerCase()));
  if (told.accepted && holds) return [];
  const refusal = told.refusal === null ? {} : { refusal: told.refusal };
  return [
    {
      expected: { ...about, accepted: told.accepted, ...refusal },
      actual: { ...about, accepted, ...(said === '' ? {} : { refusal: said }) },
      holds,
    },
  ];
}
