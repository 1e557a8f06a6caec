/** Plays a story by the rules of production and by the independent interpreter, and says where they differ. */
import { startOfDayMs, type EpochMs } from '../../src/rules/calendar';
import { type Scenario } from '../../src/rules/scenario/scenario';
import { answerOf } from '../../src/rules/scenario/check';
import { askedAt, postedMsOf } from '../../src/rules/scenario/moments';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';
import { momentsOf } from '../interpreter/arbitrary';
import { interpret, type Played } from '../interpreter/interpret';
import { type Moment, type Scenario as Story, type ScenarioFile } from '../interpreter/scenario';

export interface Difference {
  /** Null where they differ about what was accepted. */
  readonly on: Moment | null;
  readonly about: string;
  readonly engine: unknown;
  readonly interpreter: unknown;
}

type Asked = { readonly on: Moment } & ReturnType<typeof askedAt>;

/** The first thing, in order of time, that the two sides tell differently; undefined where they agree. */
export function firstDifference(story: Story): Difference | undefined {
  const played = interpret(story);
  const engine = new EngineSide(parseScenario(story));
  for (const asked of engine.inOrder(momentsOf(story))) {
    const world = engine.worldAt(asked);
    if (world === null) continue;
    for (const { id } of story.promises) {
      const ours = saidByEngine(world, asked, id);
      const theirs = saidByInterpreter(played, asked, id);
      if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
      return { on: asked.on, about: id, engine: ours, interpreter: theirs };
    }
  }
  return engine.replies(played).find((reply) => reply.engine !== reply.interpreter);
}

/** The rules of production, asked as `check` asks them. */
class EngineSide {
  readonly #scenario: Scenario;
  /** Its time goes forward as moments are asked in order. */
  readonly #world: World;
  /** When something happens that the file tells. */
  readonly #told: readonly EpochMs[];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#world = new World(scenario);
    const { promises, events, tenant } = scenario;
    this.#told = [
      ...promises.map(({ startDate }) => startOfDayMs(startDate, tenant.timeZone)),
      ...events.map((event) => postedMsOf(event, tenant.timeZone)),
    ];
  }

  inOrder(moments: readonly Moment[]): Asked[] {
    return moments
      .map((on) => ({ on, ...askedAt(on, this.#world.timeZone) }))
      .sort((a, b) => a.atMs - b.atMs);
  }

  /**
   * The world at a moment. Null where the moment shows a state that never was: it sees something posted at (on a bare date,
   * after) a judge time that it says has not passed, or at a midnight whose day has not begun.
   */
  worldAt({ atMs, seenToMs, today }: Asked): World | null {
    this.#world.advance(atMs);
    const seenAhead = this.#told.filter((ms) => ms > atMs && ms <= seenToMs);
    if (seenAhead.length === 0) return this.#world;
    if (seenAhead.includes(startOfDayMs(today, this.#world.timeZone))) return null;
    const ticks = this.#world.promiseIds.map(
      (id) => this.#world.look(id, atMs, today)?.life.nextJudgeAtMs ?? Infinity,
    );
    if (Math.min(...ticks) <= Math.max(...seenAhead)) return null;
    const world = new World(this.#scenario, { fromMs: atMs, toMs: seenToMs });
    world.advance(atMs);
    return world;
  }

  /** What was accepted and refused in the end. */
  replies(played: Played): Difference[] {
    this.#world.advance(Math.max(...this.#told) as EpochMs);
    return this.#world.replies.map(({ promiseId, what, event, refusals }) => ({
      on: null,
      about: event === null ? `${what} ${promiseId}` : `${what} ${promiseId}, event ${event}`,
      engine: refusals.length === 0,
      interpreter: event === null ? played.refusals.get(promiseId) === null : played.accepted.get(event),
    }));
  }
}

function saidByEngine(world: World, asked: Asked, promiseId: string): object | null {
  const look = world.look(promiseId, asked.atMs, asked.today);
  if (look === undefined) return null;
  const { status, reason, ...rest } = answerOf(look);
  const { revision, outcomes } = look.life;
  return {
    ...{ status, reason, revision },
    ...rest,
    outcomes: outcomes.map((one) => toldOf(one, asked)),
  };
}

function saidByInterpreter(played: Played, asked: Asked, promiseId: string): object | null {
  const answer = played.answer(asked.on, promiseId);
  if (answer === null) return null;
  const { status, reason, revision, unpaidCents, pastDueCents, nextDueDate, collectibleCents } = answer;
  const { forgivenCents, installments, outcomes } = answer;
  return {
    ...{ status, reason, revision, unpaidCents, pastDueCents, nextDueDate, collectibleCents },
    ...{ forgivenCents, installments },
    outcomes: outcomes.map((one) => toldOf(one, asked)),
  };
}

/** What a bare date sees ahead of its noon is decided now. */
const AHEAD_MS = 1000;

function toldOf(
  { revision, status, reason, atMs }: { revision: number; status: string; reason: string; atMs: number },
  asked: Asked,
): string {
  return `${revision} ${status} ${reason} ${atMs >= asked.atMs - AHEAD_MS ? 'now' : atMs}`;
}

/** A story as a file for `troth simulate`, expecting what the interpreter says at the moment of a difference. */
export function asFile(story: Story, { on }: Difference): ScenarioFile {
  const played = interpret(story);
  const promises = story.promises.map((promise) =>
    played.refusals.get(promise.id) === null ? promise : { ...promise, accepted: false },
  );
  const events = story.events?.map((event, index) =>
    played.accepted.get(index) === false ? { ...event, accepted: false } : event,
  );
  const moment = on ?? momentsOf(story).at(-1) ?? '';
  const expectations = story.promises.flatMap(({ id }): ScenarioFile['expect'] => {
    const answer = played.answer(moment, id);
    if (answer === null) return [];
    const { revision: _1, outcomes: _2, ...told } = answer;
    const isSaid = ([, value]: [string, unknown]): boolean => value !== null;
    return [{ on: moment, promise: id, ...Object.fromEntries(Object.entries(told).filter(isSaid)) }];
  });
  return { ...story, promises, ...(events === undefined ? {} : { events }), expect: expectations };
}
