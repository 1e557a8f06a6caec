/**
 * An independent judge for tests: slow, obvious, written from the rule book alone (preset `default` and a few of its
 * options) and sharing nothing with the engine, so that it can prove the engine wrong. It walks through every instant at
 * which something can happen – a posting, a reversal, a judge time, a cancel – and counts all money anew at each.
 *
 * Where the rule book is silent, this is what the oracle does:
 *  O1  Order within one instant: judge with what was posted before it, and whether that breaks the promise or completes
 *      it; then everything posted at it, all at once; then early completion; then the cancel. So a cancel at a judge
 *      time comes too late, money that completes wins, and a bounce posted at the last judge time comes after the kept.
 *  O2  A payment and a reversal posted at the same instant are seen together: a bounce replaced in the same batch
 *      leaves no hole, whatever their order in the file. A reversal posted at a judge time is too late for it, too.
 *  O3  A line keeps the deadline a bounce gave it, also when it is paid again before that.
 *  O4  A bounce posted after the judge time of the deadline it brings is judged when it is posted, with all money
 *      posted by then: no verdict is dated before the knowledge it rests on.
 *  O5  Every final outcome has a revision of its own (R33): `reversalAfterKept: break` makes revision 2, and so does a
 *      kept or broken that follows late evidence.
 *  O6  After `kept` a bounce matters only if it leaves a hole: money over the total, posted by then, fills it first.
 *  O7  Late evidence replays the story from the breaking judge time to now with the timely money as if posted in time.
 *      What happened in between happens again: bounces at their instants, judge times in order, each hearing all money
 *      effective by its own deadline and posted by now. A verdict found on the way is dated now. Money that has bounced
 *      by now is no evidence; money that bounced after it was counted was good at the judge time and bounces again, also
 *      where it was counted because it was evidence before.
 *  O8  Broken by `reversal` (reversalAfterKept: break) has no deadline that money could have met: never judged again.
 *  O9  What was counted is frozen with the verdict (later money, bounces after `broken` do not change it), and never
 *      more than the total.
 *  O10 With a tolerance: a line judged within it is satisfied as long as the shortfall of the judged lines stays so.
 *  O11 A promise is active from the beginning, also before its start date; nothing counts before it.
 */
import { endOfDay, localDate, plusDays, startOfDay } from './local-time';

export { randomStory } from './random-story';

export interface OraclePayment {
  id: string;
  amountCents: number;
  receivedAtMs: number;
  postedAtMs: number;
  reversal?: { effectiveAtMs: number; postedAtMs: number };
}

export interface OracleStory {
  timeZone: string;
  graceDays: number;
  postingLagHours: number;
  windowStart?: 'inclusive' | 'exclusive';
  lateEvidence: 'stay' | 'rejudge';
  reversalAfterKept: 'stay-kept' | 'reopen' | 'break';
  reversalGraceDays: number;
  toleranceCents: number;
  startDate: string;
  installments: { dueDate: string; amountCents: number }[];
  payments: OraclePayment[];
  cancelAtMs?: number;
  /** the reason code that goes with `cancelAtMs`; default `customer_request` */
  cancelReason?: string;
}

export interface OracleOutcome {
  revision: number;
  status: 'kept' | 'broken' | 'cancelled';
  reason: string;
  atMs: number;
}

export interface OracleAnswer {
  status: 'active' | 'kept' | 'broken' | 'cancelled';
  reason: string | null;
  decidedAtMs: number | null;
  countedCents: number;
  revision: number;
  /** every final outcome in order, also those undone later */
  outcomes: OracleOutcome[];
}

interface Line {
  amountCents: number;
  deadlineMs: number;
  /** its judge time has passed and it was not missed */
  judged: boolean;
}

/** The judgement that broke the promise: kept so that late evidence can be heard against it. */
interface Breaking {
  deadlineMs: number;
  /** the last instant whose postings it saw */
  seenToMs: number;
  atMs: number;
  linesBefore: Line[];
  /** What was heard at it, if it broke in a past that was judged again. */
  heard: Hearing | null;
}

/** Money received before an instant counts as if posted in time, if it was posted and good when it was heard. */
interface Hearing {
  atMs: number;
  beforeMs: number;
  earlier: Hearing | null;
}

/** What has become of the promise at `asOfMs`, with everything up to and including that instant. */
export function judge(story: OracleStory, asOfMs: number): OracleAnswer {
  const walk = new Walk(story);
  walk.until(asOfMs);
  return walk.answer(asOfMs);
}

class Walk {
  private readonly story: OracleStory;
  private readonly firstMs: number;
  private readonly totalCents: number;
  private readonly given: number[];
  private lines: Line[];
  private status: OracleAnswer['status'] = 'active';
  private revision = 1;
  private countedCents = 0;
  private outcomes: OracleOutcome[] = [];
  private breaking: Breaking | null = null;
  /** while replaying for late evidence: timely money posted by `atMs` counts as if posted in time */
  private hearing: Hearing | null = null;

  constructor(story: OracleStory) {
    this.story = story;
    const zone = story.timeZone;
    // R8: start inclusive by default
    const firstDay = story.windowStart === 'exclusive' ? plusDays(story.startDate, 1) : story.startDate;
    this.firstMs = startOfDay(zone, firstDay);
    // R4: the end of the last grace day; day g is fine, day g+1 is late
    this.lines = story.installments.map((part) => ({
      amountCents: part.amountCents,
      deadlineMs: endOfDay(zone, plusDays(part.dueDate, story.graceDays)),
      judged: false,
    }));
    this.totalCents = sum(story.installments.map((part) => part.amountCents));
    this.given = story.payments.flatMap((p) => [
      p.postedAtMs,
      ...(p.reversal ? [p.reversal.postedAtMs] : []),
    ]);
    if (story.cancelAtMs !== undefined) this.given.push(story.cancelAtMs);
  }

  until(asOfMs: number): void {
    for (let ms = this.nextAfter(-Infinity); ms <= asOfMs; ms = this.nextAfter(ms)) this.happen(ms);
  }

  answer(asOfMs: number): OracleAnswer {
    const last = this.outcomes.at(-1);
    const ended = this.status !== 'active' && last !== undefined;
    return {
      status: this.status,
      reason: ended ? last.reason : null,
      decidedAtMs: ended ? last.atMs : null,
      countedCents: ended ? this.countedCents : this.counted(asOfMs, this.windowEnd()),
      revision: this.revision,
      outcomes: this.outcomes,
    };
  }

  /** The next instant at which anything can happen. */
  private nextAfter(ms: number): number {
    const judgeTimes = this.lines.filter((line) => !line.judged).map((line) => this.judgeTime(line));
    return Math.min(...[...this.given, ...judgeTimes].filter((instant) => instant > ms));
  }

  /** Everything that happens at one instant, in the order of O1. */
  private happen(ms: number): void {
    if (this.status === 'active') this.judgeWhatIsDue(ms, ms - 1, ms);
    if (this.status === 'active') this.completeIfPaid(ms, ms - 1);
    if (this.status === 'kept') this.letJudgeTimesPass(ms);
    if (this.status === 'broken') this.hearLateEvidence(ms);
    else this.takeReversals(ms, ms);
    if (this.status === 'active') this.completeIfPaid(ms, ms);
    if (this.status === 'active' && ms === this.story.cancelAtMs) {
      this.end(
        'cancelled',
        this.story.cancelReason ?? 'customer_request',
        ms,
        this.counted(ms, this.windowEnd()),
      );
    }
  }

  /** R5: the judge time is the deadline plus the lag, in elapsed hours. */
  private judgeTime(line: Line): number {
    return line.deadlineMs + this.story.postingLagHours * 3_600_000;
  }

  /**
   * R8: the window ends at the deadline under judgement – the earliest one that still waits for its judge time, or the
   * last of all. After kept, any later money fills a hole (O6).
   */
  private windowEnd(): number {
    const waiting = this.lines.filter((line) => !line.judged);
    if (waiting.length > 0) return Math.min(...waiting.map((line) => line.deadlineMs));
    return this.status === 'kept' ? Infinity : Math.max(...this.lines.map((line) => line.deadlineMs));
  }

  /** R9, R19: is this money there, for one who has seen everything posted up to `seenToMs`? */
  private isThere(payment: OraclePayment, seenToMs: number): boolean {
    const postedBy = (ms: number): boolean =>
      payment.postedAtMs <= ms && !(payment.reversal !== undefined && payment.reversal.postedAtMs <= ms);
    if (postedBy(seenToMs)) return true;
    if (payment.reversal !== undefined && payment.reversal.postedAtMs <= seenToMs) return false;
    const heard: Hearing[] = [];
    for (let one = this.hearing; one !== null; one = one.earlier) heard.push(one);
    return heard.some(({ atMs, beforeMs }) => payment.receivedAtMs < beforeMs && postedBy(atMs));
  }

  /** R8: all money in the window, never more than the total. */
  private counted(seenToMs: number, windowEndMs: number): number {
    const inWindow = this.story.payments.filter(
      (p) => p.receivedAtMs >= this.firstMs && p.receivedAtMs < windowEndMs && this.isThere(p, seenToMs),
    );
    return Math.min(this.totalCents, sum(inWindow.map((p) => p.amountCents)));
  }

  /** R10 `pool`: earliest installment first, what is over flows on. */
  private shortfalls(countedCents: number): number[] {
    let left = countedCents;
    return this.lines.map((line) => {
      const taken = Math.min(left, line.amountCents);
      left -= taken;
      return line.amountCents - taken;
    });
  }

  /** R15, R12: nothing of the lines whose deadline has passed is missing beyond the tolerance. */
  private holds(deadlineMs: number, seenToMs: number): boolean {
    const short = this.shortfalls(this.counted(seenToMs, deadlineMs));
    const missing = sum(short.filter((_, i) => (this.lines[i]?.deadlineMs ?? Infinity) <= deadlineMs));
    return missing <= this.story.toleranceCents;
  }

  /** Judges, in the order of their deadlines, all lines whose judge time has come; a verdict is dated `decidedAtMs`. */
  private judgeWhatIsDue(ms: number, seenToMs: number, decidedAtMs: number): void {
    for (;;) {
      const due = this.lines.filter((line) => !line.judged && this.judgeTime(line) <= ms);
      if (due.length === 0) return;
      const deadlineMs = Math.min(...due.map((line) => line.deadlineMs));
      if (this.hearing !== null) this.hearing.beforeMs = Math.max(this.hearing.beforeMs, deadlineMs);
      if (!this.holds(deadlineMs, seenToMs)) {
        const heard = this.hearing === null ? null : { ...this.hearing };
        this.breaking = { deadlineMs, seenToMs, atMs: ms, linesBefore: copy(this.lines), heard };
        this.end('broken', 'installment_missed', decidedAtMs, this.counted(seenToMs, deadlineMs));
        return;
      }
      for (const line of due) if (line.deadlineMs === deadlineMs) line.judged = true;
    }
  }

  private letJudgeTimesPass(ms: number): void {
    for (const line of this.lines) if (this.judgeTime(line) <= ms) line.judged = true;
  }

  /** R14 `early`: kept as soon as the money is there. A tolerance helps only when all lines were judged. */
  private completeIfPaid(ms: number, seenToMs: number): void {
    const allJudged = this.lines.every((line) => line.judged);
    const counted = this.counted(seenToMs, this.windowEnd());
    if (counted === this.totalCents) this.end('kept', 'paid_in_full', ms, counted);
    else if (allJudged) this.end('kept', 'paid_within_tolerance', ms, counted);
  }

  /** R19: the lines that a bounce posted now leaves unsatisfied. */
  private linesBouncedAt(ms: number): Line[] {
    const satisfied = (seenToMs: number): boolean[] => {
      const short = this.shortfalls(this.counted(seenToMs, this.windowEnd()));
      const shortOfJudged = sum(short.filter((_, i) => this.lines[i]?.judged === true));
      const forgiven = shortOfJudged <= this.story.toleranceCents;
      return this.lines.map((line, i) => short[i] === 0 || (line.judged && forgiven));
    };
    const after = satisfied(ms);
    const before = this.status === 'kept' ? this.lines.map(() => true) : satisfied(ms - 1);
    return this.lines.filter((_, i) => before[i] === true && after[i] === false);
  }

  private takeReversals(ms: number, decidedAtMs: number): void {
    const bounced = this.story.payments.filter((p) => p.reversal?.postedAtMs === ms);
    if (bounced.length === 0 || (this.status !== 'active' && this.status !== 'kept')) return;
    const open = this.linesBouncedAt(ms);
    if (this.status === 'kept') {
      if (open.length === 0 || this.story.reversalAfterKept === 'stay-kept') return;
      const countedCents = this.counted(ms, this.windowEnd());
      this.revision += 1;
      this.status = 'active';
      if (this.story.reversalAfterKept === 'break') {
        this.breaking = null;
        this.end('broken', 'reversal', decidedAtMs, countedCents);
        return;
      }
    }
    const { timeZone, reversalGraceDays } = this.story;
    const reversedMs = Math.max(...bounced.map((p) => p.reversal?.effectiveAtMs ?? 0));
    const lastDay = plusDays(localDate(timeZone, reversedMs), reversalGraceDays);
    for (const line of open) {
      line.deadlineMs = Math.max(line.deadlineMs, endOfDay(timeZone, lastDay));
      line.judged = false;
    }
    this.judgeWhatIsDue(ms, ms, decidedAtMs);
  }

  /** R15, O7: timely money posted now, after the verdict. */
  private hearLateEvidence(ms: number): void {
    const breaking = this.breaking;
    if (this.story.lateEvidence === 'stay' || breaking === null) return;
    const isEvidence = (p: OraclePayment): boolean =>
      p.postedAtMs === ms &&
      p.postedAtMs > breaking.seenToMs &&
      p.receivedAtMs >= this.firstMs &&
      p.receivedAtMs < breaking.deadlineMs;
    if (!this.story.payments.some(isEvidence)) return;

    const linesAsBroken = this.lines;
    this.lines = copy(breaking.linesBefore);
    this.hearing = { atMs: ms, beforeMs: breaking.deadlineMs, earlier: breaking.heard };
    if (this.holds(breaking.deadlineMs, breaking.seenToMs)) {
      this.revision += 1;
      this.status = 'active';
      this.breaking = null;
      this.replay(breaking, ms);
    } else {
      this.lines = linesAsBroken;
    }
    this.hearing = null;
  }

  private replay(from: Breaking, toMs: number): void {
    for (const line of this.lines) if (line.deadlineMs <= from.deadlineMs) line.judged = true;
    if (from.seenToMs < from.atMs) this.takeReversals(from.atMs, toMs);
    for (let ms = this.nextAfter(from.atMs); ms <= toMs; ms = this.nextAfter(ms)) {
      if (this.status === 'active') this.judgeWhatIsDue(ms, ms - 1, toMs);
      if (this.status === 'active') this.takeReversals(ms, toMs);
    }
  }

  private end(status: OracleOutcome['status'], reason: string, atMs: number, countedCents: number): void {
    this.status = status;
    this.countedCents = countedCents;
    this.outcomes.push({ revision: this.revision, status, reason, atMs });
  }
}

function copy(lines: Line[]): Line[] {
  return lines.map((line) => ({ ...line }));
}

function sum(cents: number[]): number {
  return cents.reduce((total, each) => total + each, 0);
}
