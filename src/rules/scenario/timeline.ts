import { addDays, epochMs, localDateAt, startOfDayMs } from '../calendar';
import type { EpochMs, LocalDate } from '../calendar';
import type { Verdict } from '../explain';
import type { PromiseStatus, Reason } from '../facts';
import type { Scenario, ScenarioEvent } from './scenario';
import type { Collectible } from '../collections/shield';
import { standingOf } from '../collections/standing';
import { changesOf, enrolledChange, newborn, standsWords, survivalChange } from './timeline-changes';
import { billChanges, dateChanges, withNextPeriod } from './timeline-days';
import { alone, broughtTo, NOTHING, saidBy, type Happenings, type Said } from './timeline-happenings';
import { reversalChange } from './timeline-money';
import {
  collectibleWords,
  isOpen,
  refusalWords,
  Words,
  type Change,
  type TimelineKind,
  type Told,
} from './timeline-words';
import { momentMs, postedMsOf } from './moments';
import { SCENARIO_CURRENCY, World, type Look, type Reply } from './world';

/** One thing that happened, in one plain sentence. */
export interface TimelineEntry {
  readonly atMs: EpochMs;
  /** Local to the tenant. */
  readonly date: LocalDate;
  readonly time: string;
  /** Null: it concerns the account. */
  readonly promiseId: string | null;
  readonly kind: TimelineKind;
  readonly sentence: string;
}

/** What became of a promise by the end of the story. */
export interface TimelineEnd {
  readonly promiseId: string;
  readonly status: PromiseStatus | 'refused';
  readonly reason: Reason | null;
  readonly revision: number;
  /** How it stands where it has not ended; null where a verdict says it. */
  readonly stands: string | null;
  readonly verdicts: readonly Verdict[];
}

/** The life of the promises of a scenario, day by day; days on which nothing happens are left out. */
export interface Timeline {
  readonly entries: readonly TimelineEntry[];
  readonly promises: readonly TimelineEnd[];
}

/**
 * Tells a scenario. Time goes from one instant at which something can happen to the next, and what is told is what the
 * rules answer otherwise after it than before it: nothing is told that they did not decide.
 */
export function timelineOf(scenario: Scenario): Timeline {
  return new Story(scenario).tell();
}

/** How much is told when the file has nothing more to say: some hundred periods of a promise that nobody ends. */
const MOST_STEPS_AFTER = 600;

class Story {
  readonly #scenario: Scenario;
  readonly #world: World;
  readonly #timeZone: string;
  /** What the file says, in order of time. */
  readonly #said: readonly Said[];
  #cursor = 0;
  /** After this everything that the file says is over. */
  readonly #saidToMs: number;
  /** Until when promises without an end are told of. */
  #untilMs: number | undefined;
  #looks = new Map<string, Look>();
  #collectible: Collectible | null = null;
  #replies = 0;
  readonly #entries: TimelineEntry[] = [];
  readonly #verdicts = new Map<string, Verdict[]>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#world = new World(scenario);
    this.#timeZone = scenario.tenant.timeZone;
    this.#said = saidBy(scenario);
    const asked = scenario.expect.map(({ on }) => momentMs(on, this.#timeZone));
    const begun = scenario.promises.map(({ startDate }) => startOfDayMs(startDate, this.#timeZone));
    this.#saidToMs = Math.max(this.#said.at(-1)?.atMs ?? -Infinity, ...asked, ...begun);
  }

  tell(): Timeline {
    let nowMs = epochMs(0);
    let nextMs = this.#nextMs(epochMs(Number.MIN_SAFE_INTEGER));
    let stepsAfter = 0;
    while (nextMs !== null && !this.#isOver(nextMs) && stepsAfter < MOST_STEPS_AFTER) {
      nowMs = nextMs;
      this.#step(nowMs);
      nextMs = this.#nextMs(nowMs);
      this.#tellCollectible(nowMs, nextMs);
      if (nowMs > this.#saidToMs) stepsAfter += 1;
    }
    const words = this.#wordsAt(nowMs);
    if (stepsAfter === MOST_STEPS_AFTER) {
      const sentence = 'The story goes on like this; it is told up to here.';
      this.#tellAll(null, [{ kind: 'event', sentence }], words);
    }
    return {
      entries: this.#entries,
      promises: this.#scenario.promises.map(({ id }) => this.#endOf(id, words)),
    };
  }

  #endOf(promiseId: string, words: Words): TimelineEnd {
    const look = this.#looks.get(promiseId);
    if (look === undefined) {
      return { promiseId, status: 'refused', reason: null, revision: 0, stands: null, verdicts: [] };
    }
    const { status, reason, revision } = look.life;
    const stands = isOpen(look) ? standsWords(look, standingOf(look.life, words.today), words) : null;
    return { promiseId, status, reason, revision, stands, verdicts: this.#verdicts.get(promiseId) ?? [] };
  }

  /** The next instant at which anything can happen: what is said, what time decides, and the days that matter to people. */
  #nextMs(nowMs: EpochMs): EpochMs | null {
    let next = Math.min(this.#world.nextMs() ?? Infinity, this.#said[this.#cursor]?.atMs ?? Infinity);
    for (const look of this.#looks.values()) {
      if (!isOpen(look)) continue;
      for (const { line } of withNextPeriod(look)) {
        for (const day of [line.dueDate, addDays(line.dueDate, 1), line.lastDay, addDays(line.lastDay, 1)]) {
          const atMs = startOfDayMs(day, this.#timeZone);
          if (atMs > nowMs && atMs < next) next = atMs;
        }
      }
    }
    return next === Infinity ? null : epochMs(next);
  }

  // R22: a promise without an end would be told for ever. When the file has nothing more to say, it is told up to its next
  // judge time.
  #isOver(nextMs: EpochMs): boolean {
    if (nextMs <= this.#saidToMs) return false;
    const open = [...this.#looks.values()].filter(isOpen);
    if (open.some(({ life }) => !life.isOpenEnded)) return false;
    if (this.#untilMs === undefined) {
      const judgeTimes = open.flatMap(({ life }) => life.lines.map(({ line }) => line.judgeAtMs as number));
      const later = judgeTimes.filter((atMs) => atMs > this.#saidToMs);
      this.#untilMs = later.length === 0 ? this.#saidToMs : Math.min(...later);
    }
    return nextMs > this.#untilMs;
  }

  #step(atMs: EpochMs): void {
    const words = this.#wordsAt(atMs);
    const said = this.#saidAt(atMs);
    if (said.length > 0 || !this.#isStill(atMs)) this.#happen(atMs, said, words);
    this.#tellDays(words);
  }

  /** Whether an instant is a mere date, on which no promise can look otherwise than before. */
  #isStill(atMs: EpochMs): boolean {
    if ((this.#world.nextMs() ?? Infinity) <= atMs) return false;
    return [...this.#looks.values()].every(
      (look) => !isOpen(look) || (look.facts.policy.overpayment !== 'current' && !look.life.isOpenEnded),
    );
  }

  #happen(atMs: EpochMs, said: readonly Said[], words: Words): void {
    const before = this.#looks;
    this.#world.advance(atMs);
    const replies = this.#world.replies.slice(this.#replies);
    this.#replies = this.#world.replies.length;
    const events = said.flatMap((one) => (one.kind === 'event' ? [one.event] : []));
    const isQuiet = events.length === 0 && replies.length === 0;
    this.#look(atMs, words.today);
    for (const one of said) if (one.kind === 'received') this.#tellReceived(one.event, words);
    // What time alone has decided at this instant comes before what happens at it (R5).
    const middle = isQuiet ? this.#looks : alone(before, atMs);
    for (const [promiseId, was] of before) {
      this.#tellAll(promiseId, changesOf(was, middle.get(promiseId) ?? was, NOTHING, words), words);
    }
    if (!isQuiet) this.#tellHappenings({ middle, events, replies }, words);
  }

  #saidAt(atMs: EpochMs): Said[] {
    const from = this.#cursor;
    while ((this.#said[this.#cursor]?.atMs ?? Infinity) <= atMs) this.#cursor += 1;
    return this.#said.slice(from, this.#cursor);
  }

  #look(atMs: EpochMs, today: LocalDate): void {
    const looks = new Map<string, Look>();
    for (const promiseId of this.#world.promiseIds) {
      const look = this.#world.look(promiseId, atMs, today);
      if (look !== undefined) looks.set(promiseId, look);
    }
    this.#looks = looks;
  }

  #tellHappenings(happenings: Happenings, words: Words): void {
    const { middle, events, replies } = happenings;
    this.#tellReplies(replies, words);
    for (const event of events) this.#tellEvent(event, happenings, words);
    for (const [promiseId, is] of this.#looks) {
      const was = middle.get(promiseId) ?? newborn(is);
      this.#tellAll(promiseId, changesOf(was, is, broughtTo(promiseId, is, happenings), words), words);
      for (const { type } of events) {
        const stays = survivalChange(is, type);
        if (stays !== null) this.#tellAll(promiseId, [stays], words);
      }
    }
  }

  #tellReplies(replies: readonly Reply[], words: Words): void {
    for (const { promiseId, what, refusals } of replies) {
      const look = this.#looks.get(promiseId);
      if (refusals.length > 0) {
        const why = refusals.map(refusalWords).join('; ');
        this.#tellAll(promiseId, [{ kind: 'refused', sentence: `${ASKED[what]} refused: ${why}.` }], words);
      } else if (what === 'enroll' && look !== undefined) {
        this.#tellAll(promiseId, [enrolledChange(newborn(look), words)], words);
      }
    }
  }

  /** What the file says that concerns the account, or that no promise answers to. */
  #tellEvent(event: ScenarioEvent, { middle }: Happenings, words: Words): void {
    const say = (kind: TimelineKind, sentence: string): void =>
      this.#tellAll(null, [{ kind, sentence }], words);
    switch (event.type) {
      case 'payment':
        if (this.#looks.size > 0) return;
        return say('not-counted', `${words.money(event.amountCents)} received: no promise has begun yet.`);
      case 'reversal':
        if (this.#isHeard(event.payment, middle, words)) return;
        return say(
          'not-counted',
          `Payment ${event.payment} is reversed (${event.reason}): no promise counted it.`,
        );
      case 'approve':
      case 'reject':
        if (middle.get(event.promise)?.life.awaitsApproval === true) return;
        return say(
          'event',
          `Promise ${event.promise} waits for no approval: to ${event.type} it changes nothing.`,
        );
      case 'cancel':
      case 'amend':
        return; // answered
      case 'balance-cleared':
        return say('event', 'The debt is gone, otherwise than by payment.');
      case 'service-stopped':
        return say('event', 'The last service of the debt class is stopped.');
      case 'account-closed':
        return say('event', 'The account is closed.');
      case 'collection-event':
        return say('event', "A collections step ends the account's promises.");
    }
  }

  /** Whether a promise has lost money by a reversal. */
  #isHeard(paymentId: string, middle: ReadonlyMap<string, Told>, words: Words): boolean {
    return [...this.#looks].some(([promiseId, is]) => {
      const was = middle.get(promiseId);
      return was !== undefined && reversalChange(was, is, paymentId, words).length > 0;
    });
  }

  // Money that the ledger will learn of on a later day only.
  #tellReceived(event: ScenarioEvent, words: Words): void {
    if (event.type !== 'payment') return;
    const posted = words.instant(postedMsOf(event, this.#timeZone));
    const sentence = `${words.money(event.amountCents)} received, but not posted before ${posted}.`;
    this.#tellAll(null, [{ kind: 'received', sentence }], words);
  }

  #tellDays(words: Words): void {
    const { today, atMs } = words;
    if (startOfDayMs(today, this.#timeZone) !== atMs) return;
    const dayBefore = addDays(today, -1);
    for (const [promiseId, look] of this.#looks) {
      this.#tellAll(promiseId, billChanges(look, this.#scenario.transactions, words), words);
      this.#tellAll(promiseId, dateChanges(look, dayBefore, words), words);
    }
  }

  // The file tells arrears by the day: where they change, what happens on that day comes first.
  #tellCollectible(nowMs: EpochMs, nextMs: EpochMs | null): void {
    const words = this.#wordsAt(nowMs);
    const isChanging = this.#scenario.arrears?.some(({ from }) => from === words.today) === true;
    if (isChanging && nextMs !== null && localDateAt(nextMs, this.#timeZone) === words.today) return;
    const now = this.#world.collectible(words.today);
    const before = this.#collectible;
    if (now === null || (before === null && now.arrearsCents === 0)) return;
    if (before?.collectibleCents === now.collectibleCents) return;
    this.#collectible = now;
    const sentence = collectibleWords(now, words, this.#scenario.promises.length === 1);
    this.#tellAll(null, [{ kind: 'collectible', sentence }], words);
  }

  #wordsAt(atMs: EpochMs): Words {
    return new Words(atMs, this.#timeZone, SCENARIO_CURRENCY);
  }

  #tellAll(promiseId: string | null, changes: readonly Change[], words: Words): void {
    const { atMs, today: date, time } = words;
    for (const { kind, sentence, verdict } of changes) {
      this.#entries.push({ atMs, date, time, promiseId, kind, sentence });
      if (verdict === undefined || promiseId === null) continue;
      const verdicts = this.#verdicts.get(promiseId) ?? [];
      this.#verdicts.set(promiseId, [...verdicts, verdict]);
    }
  }
}

/** What is asked of the world, by its name in `Reply`. */
const ASKED = { enroll: 'Enrollment', cancel: 'Cancel', amend: 'Amendment' } as const;
