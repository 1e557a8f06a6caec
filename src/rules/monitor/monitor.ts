import { addDays, deadlineAtEndOf, epochMs, startOfDayMs, type EpochMs, type LocalDate } from '../calendar';
import { currentFromMs, Purse, type Hearing, type Knowledge } from '../judging/count';
import { dayBook, type Entry } from './day-book';
import {
  hasOtherPromise,
  type Amendment,
  type Bill,
  type Line,
  type Payment,
  type PromiseFacts,
  type PromiseStatus,
  type Reason,
} from '../facts';
import { missedLines, unsatisfiedLines } from '../judging/misses';
import { linesThrough } from '../schedules/periods';
import { toleratedCents } from '../policy';

/** A line as the batch knows it. */
interface NightLine {
  readonly line: Line;
  readonly judged: boolean;
  /** Unpaid beyond the tolerance when lines were judged last. */
  readonly missed: boolean;
  /** When the ledger learned of its deadline, where an amendment or a reversal brought it (R18, R19). */
  readonly knownAtMs: number;
}

/** What the batch keeps of a promise from one night to the next. */
export interface NightState {
  readonly status: PromiseStatus;
  readonly reason: Reason | null;
  readonly revision: number;
  readonly lines: readonly NightLine[];
  /** Cents by line: now, or when the promise ended. */
  readonly counted: readonly number[];
  readonly isOpenEnded: boolean;
  readonly awaitsApproval: boolean;
  readonly awaitsDownPayment: boolean;
  readonly billsJudged: ReadonlySet<string>;
  /** How many entries of the day book have been read, and the latest instant that was looked at. */
  readonly read: number;
  readonly clockMs: number;
  /** Late evidence: what was posted up to that entry is known to the judge times before it (R15). */
  readonly hearing: (Hearing & { readonly read: number }) | null;
  /** What broke it, so that late evidence can be heard. */
  readonly broke: {
    readonly before: NightState;
    readonly judgeAtMs: EpochMs;
    readonly lastDay: LocalDate;
  } | null;
}

/** A promise before its first night. */
export function firstNight(facts: PromiseFacts): NightState {
  const { approval, hasDownPayment, repeat } = facts;
  const lines = linesThrough(facts, 0, epochMs(0)).map((line) => asNightLine(line, beganMs(facts)));
  return {
    status: approval !== null || hasDownPayment ? 'pending' : 'active',
    reason: null,
    revision: 1,
    lines,
    counted: lines.map(() => 0),
    isOpenEnded: repeat !== null && repeat.count === null && repeat.untilDate === null,
    awaitsApproval: approval !== null,
    awaitsDownPayment: hasDownPayment,
    billsJudged: new Set(),
    read: 0,
    clockMs: beganMs(facts),
    hearing: null,
    broke: null,
  };
}

/**
 * R16: one night of the batch that systems with a nightly monitor run (S3): select the money, let the lines consume it, and
 * see what is kept and what is broken. Payments cause nothing by themselves: what came since the last night is looked at
 * now. Run once every night it gives what `evaluate` gives; but a `kept` that a reversal undid before the next night was
 * never there.
 *
 * A line whose judge time lies within the last night is judged with what was posted before its judge time (R5). One whose
 * judge time lies further back was skipped: it is judged as S3 would, with everything that is known tonight, so that a
 * skipped night forgives a late payer (cases O12, O14).
 * @param before what the last run left; `firstNight` before the first one.
 * @param nightMs the night, usually 00:00 local. What was posted up to then is known.
 * @param previousNightMs the night before; null means that no night was skipped, however long ago the last one was.
 */
export function monitorNight(
  facts: PromiseFacts,
  before: NightState,
  nightMs: EpochMs,
  previousNightMs: EpochMs | null,
): NightState {
  return new Night(facts, before, nightMs, previousNightMs ?? -Infinity).run();
}

function beganMs({ enrolledAtMs }: PromiseFacts): number {
  return enrolledAtMs ?? -Infinity;
}

function asNightLine(line: Line, knownAtMs: number): NightLine {
  return { line, judged: false, missed: false, knownAtMs };
}

/** What a look at the money may see; at a judge time, the last day of the deadline under judgement, too. */
interface Look extends Pick<Knowledge, 'atMs' | 'inclusive'> {
  readonly lastDay?: LocalDate | null;
}

class Night {
  readonly #facts: PromiseFacts;
  readonly #purse: Purse;
  readonly #book: readonly Entry[];
  readonly #nightMs: EpochMs;
  readonly #previousMs: number;
  #now: NightState;

  constructor(facts: PromiseFacts, before: NightState, nightMs: EpochMs, previousMs: number) {
    this.#facts = facts;
    this.#purse = new Purse(facts);
    this.#book = dayBook(facts, nightMs);
    this.#nightMs = nightMs;
    this.#previousMs = previousMs;
    this.#now = before;
  }

  run(): NightState {
    this.#addPeriods();
    this.#readTheBook();
    this.#judgeSkipped();
    this.#keep({ atMs: this.#nightMs, inclusive: true });
    if (this.#isOpen)
      this.#set({ counted: this.#consume(this.#known({ atMs: this.#nightMs, inclusive: true })) });
    return this.#now;
  }

  get #isOpen(): boolean {
    return this.#now.status === 'active' || this.#now.status === 'pending';
  }

  /** R15: whether the nights since late evidence should have come are gone through again. */
  get #isAgain(): boolean {
    const { hearing, read } = this.#now;
    return hearing !== null && read < hearing.read;
  }

  #set(changes: Partial<NightState>): void {
    this.#now = { ...this.#now, ...changes };
  }

  // R22
  #addPeriods(): void {
    const { isOpenEnded, lines } = this.#now;
    if (!isOpenEnded) return;
    const all = linesThrough(this.#facts, this.#purse.most, this.#nightMs);
    const added = all.slice(lines.length).map((line) => asNightLine(line, beganMs(this.#facts)));
    if (added.length > 0) this.#set({ lines: [...lines, ...added] });
  }

  // What people did and what came back since the last night, and between them the judge times of the last night.
  #readTheBook(): void {
    for (;;) {
      const entry = this.#book[this.#now.read];
      const due = this.#nextDue();
      if (due !== null && due.atMs <= (entry?.atMs ?? this.#nightMs)) {
        this.#set({ clockMs: Math.max(this.#now.clockMs, due.atMs) });
        if (due.kind === 'approval') this.#refuse({ atMs: epochMs(this.#now.clockMs), inclusive: false });
        else this.#judge(due.atMs);
      } else if (entry !== undefined) {
        this.#set({ read: this.#now.read + 1, clockMs: Math.max(this.#now.clockMs, entry.atMs) });
        this.#take(entry);
      } else return;
    }
  }

  #nextDue(): { readonly kind: 'approval' | 'judge'; readonly atMs: EpochMs } | null {
    const { approval, autoManaged } = this.#facts;
    if (!this.#isOpen || !autoManaged) return null;
    const lines = this.#now.lines.filter((line) => !line.judged && !this.#isSkipped(line));
    const bills = this.#bills.filter((bill) => !this.#isSkippedAt(bill.judgeAtMs));
    const [linesMs, billsMs] = [lines.map(({ line }) => line), bills].map((due) =>
      Math.min(...due.map(({ judgeAtMs }) => judgeAtMs)),
    ) as [number, number];
    // R25: approved until its deadline, and never after the first verdict would have been due.
    const awaited = this.#now.awaitsApproval && approval !== null;
    const approvalMs = awaited ? Math.min(approval.deadlineMs, linesMs) : Infinity;
    const atMs = Math.min(approvalMs, linesMs, billsMs);
    if (atMs === Infinity) return null;
    return { kind: approvalMs === atMs ? 'approval' : 'judge', atMs: epochMs(atMs) };
  }

  #isSkipped({ line, knownAtMs }: NightLine): boolean {
    return this.#isSkippedAt(Math.max(line.judgeAtMs, knownAtMs));
  }

  #isSkippedAt(ms: number): boolean {
    return !this.#isAgain && ms <= this.#previousMs;
  }

  /** R26: bills that have not been judged. */
  get #bills(): readonly Bill[] {
    const { policy, bills } = this.#facts;
    if (!policy.stayCurrent) return [];
    return bills.filter(({ transactionId }) => !this.#now.billsJudged.has(transactionId));
  }

  #take(entry: Entry): void {
    const { atMs } = entry;
    switch (entry.kind) {
      case 'reversed':
        this.#reverse(entry.payments, atMs);
        return;
      case 'posted':
        this.#post(entry.payments, atMs);
        return;
      case 'cleared':
        this.#clear(atMs);
        return;
      case 'approved':
        if (!this.#isOpen || !this.#now.awaitsApproval) return;
        this.#set({ awaitsApproval: false });
        this.#activate();
        return;
      case 'refused':
        this.#refuse({ atMs, inclusive: true });
        return;
      case 'amended':
        this.#amend(entry.amendment);
        return;
      case 'cancelled':
        if (!this.#isOpen || this.#isAgain) return;
        this.#end('cancelled', entry.reason, this.#known({ atMs, inclusive: true }));
    }
  }

  /** S3: the lines and bills of one judge time, with what was posted before it (R5, R15). */
  #judge(judgeAtMs: EpochMs): void {
    const before = this.#now;
    const due = before.lines.filter(({ judged, line }) => !judged && line.judgeAtMs === judgeAtMs);
    const bills = this.#bills.filter((bill) => bill.judgeAtMs === judgeAtMs);
    const lastDay = due.length === 0 ? null : lastDayOf(due);
    const look = { ...this.#lookAt(judgeAtMs, Math.max(...due.map(({ knownAtMs }) => knownAtMs))), lastDay };
    const lateLook = this.#lookAt(judgeAtMs, before.clockMs > judgeAtMs ? before.clockMs : -Infinity);
    // What was all paid and could be kept before needs no bill.
    if (bills.length > 0 && this.#completionOpensMs() < judgeAtMs) this.#keep(lateLook);
    if (!this.#isOpen) return;
    const broken = this.#weigh(due, look, bills, lateLook);
    const { hearing } = this.#now;
    if (broken !== null) this.#set({ broke: { before: { ...before, hearing }, judgeAtMs, lastDay: broken } });
  }

  // A judge time that had passed when its deadline was learned of knows what was known then.
  #lookAt(judgeAtMs: EpochMs, knownAtMs: number): Look {
    const learnedLate = knownAtMs >= judgeAtMs;
    return { atMs: learnedLate ? epochMs(knownAtMs) : judgeAtMs, inclusive: learnedLate };
  }

  // What a skipped night left: S3 looks at everything that it knows tonight, whenever it came.
  #judgeSkipped(): void {
    if (!this.#isOpen || !this.#facts.autoManaged) return;
    const due = this.#now.lines.filter((line) => !line.judged && this.#isSkipped(line));
    const bills = this.#bills.filter(({ judgeAtMs }) => this.#isSkippedAt(judgeAtMs));
    const tonight = { atMs: this.#nightMs, inclusive: true };
    const endless = bills.map((bill) => ({ ...bill, lastDay: NO_LAST_DAY }));
    this.#weigh(due, { ...tonight, lastDay: null }, endless, tonight);
  }

  /** @returns the last day of the deadline that broke the promise; null when none did. */
  #weigh(
    due: readonly NightLine[],
    look: Look & { readonly lastDay: LocalDate | null },
    bills: readonly Bill[],
    billLook: Look,
  ): LocalDate | null {
    if (due.length > 0) this.#judgeLines(due, look);
    if (this.#now.status === 'broken') return look.lastDay;
    const bill = this.#judgeBills(bills, billLook, due.length > 0 ? look.lastDay : undefined);
    if (bill !== null) return bill.lastDay;
    if (due.length > 0 && this.#now.lines.every(({ judged }) => judged)) this.#keep(look);
    return null;
  }

  #judgeLines(due: readonly NightLine[], look: Look & { readonly lastDay: LocalDate | null }): void {
    const { policy } = this.#facts;
    this.#set({
      lines: this.#now.lines.map((line) => (due.includes(line) ? { ...line, judged: true } : line)),
    });
    this.#hearUpTo(look.lastDay);
    const known = { ...this.#known(look), lastDay: look.lastDay };
    const counted = this.#consume(known);
    const missed = missedLines(this.#facts, this.#now.lines, counted);
    this.#set({ lines: this.#now.lines.map((line) => ({ ...line, missed: missed.has(line.line.seq) })) });
    if (this.#now.awaitsDownPayment && this.#now.lines[0]?.judged === true && !this.#isDownPaid(counted)) {
      this.#end(
        policy.limits.downPaymentMissed === 'break' ? 'broken' : 'cancelled',
        'down_payment_missed',
        known,
      );
      return;
    }
    const isLast = this.#now.lines.every(({ judged }) => judged);
    const isTooMany = missed.size > policy.missesAllowed || (policy.finalMiss === 'break' && isLast);
    if (missed.size > 0 && policy.onMiss === 'break' && isTooMany)
      this.#end('broken', 'installment_missed', known);
  }

  // R25
  #isDownPaid(counted: readonly number[]): boolean {
    const [first] = this.#now.lines;
    const short = (first?.line.amountCents ?? 0) - (counted[0] ?? 0);
    if (
      first !== undefined &&
      short > 0 &&
      short > toleratedCents(this.#facts.policy, first.line.amountCents)
    ) {
      return false;
    }
    this.#set({ awaitsDownPayment: false });
    this.#activate();
    return true;
  }

  /** R26. @returns the bill that broke the promise; null when none did. */
  #judgeBills(bills: readonly Bill[], look: Look, linesLastDay?: LocalDate | null): Bill | null {
    if (!this.#isOpen || bills.length === 0) return null;
    const judged = bills.map(({ transactionId }) => transactionId);
    this.#set({ billsJudged: new Set([...this.#now.billsJudged, ...judged]) });
    for (const bill of bills) {
      if (bill.closedAtMs !== null && bill.closedAtMs < bill.judgeAtMs) continue;
      if (bill.lastDay !== NO_LAST_DAY) this.#hearUpTo(bill.lastDay);
      const known = this.#known(look);
      if (this.#purse.paidOn(bill, known) >= bill.amountCents) continue;
      const lastDay = linesLastDay === undefined ? known.lastDay : linesLastDay;
      this.#end('broken', 'current_bill_unpaid', { ...known, lastDay });
      return bill;
    }
    return null;
  }

  /** S3: all lines have been consumed, and completion is open (R14): kept; at the last judge time within R12, too. */
  #keep(look: Look): void {
    if (!this.#isOpen || !this.#facts.autoManaged || this.#isAgain) return;
    const known = this.#known(look);
    const knowledge = look.lastDay === undefined ? known : { ...known, lastDay: look.lastDay };
    const counted = this.#consume(knowledge);
    const { lines, isOpenEnded } = this.#now;
    const isShort = ({ line }: NightLine, index: number): boolean => (counted[index] ?? 0) < line.amountCents;
    const [first] = lines;
    if (this.#now.awaitsDownPayment && first !== undefined && !isShort(first, 0)) this.#isDownPaid(counted);
    if (isOpenEnded || this.#completionOpensMs() > look.atMs) return;
    if (!lines.some(isShort)) this.#end('kept', 'paid_in_full', knowledge);
    else if (lines.every(({ judged }) => judged) && this.#unsatisfied(counted).size === 0) {
      this.#end('kept', 'paid_within_tolerance', knowledge);
    }
  }

  #completionOpensMs(): number {
    const { policy, timeZone } = this.#facts;
    if (policy.completion === 'early') {
      if (policy.overpayment !== 'current') return -Infinity;
      // A roll backwards makes a line current with its deadline's last day.
      return Math.max(...this.#now.lines.map(({ line }) => currentFromMs(line, timeZone)));
    }
    const dueDates = this.#now.lines.map(({ line }) => line.dueDate).sort();
    return startOfDayMs(dueDates.at(-1) as LocalDate, timeZone);
  }

  /** R19: money of this promise that is gone. */
  #reverse(all: readonly Payment[], atMs: EpochMs): void {
    const reversed = all.filter((payment) => this.#purse.hasMoneyOf(payment));
    if (reversed.length === 0) return;
    if (this.#now.status === 'kept') {
      this.#reverseAfterKept(reversed, atMs);
      return;
    }
    if (!this.#isOpen) return;
    const before = this.#consume(this.#known({ atMs, inclusive: false }));
    if (this.#now.awaitsDownPayment && (before[0] ?? 0) >= (this.#now.lines[0]?.line.amountCents ?? 0)) {
      this.#isDownPaid(before); // it was there, if not on any night
    }
    const was = this.#unsatisfied(before);
    const is = this.#unsatisfied(this.#consume(this.#known({ atMs, inclusive: true })));
    this.#giveDays(new Set([...is].filter((seq) => !was.has(seq))), reversed, atMs);
  }

  #reverseAfterKept(reversed: readonly Payment[], atMs: EpochMs): void {
    const { policy, payor } = this.#facts;
    const { reversalAfterKept } = policy;
    if (reversalAfterKept === 'stay-kept' || this.#now.reason === 'balance_cleared') return;
    const kept = this.#now;
    const billsDue = this.#bills.filter(({ judgeAtMs }) => judgeAtMs <= atMs);
    this.#set({
      ...{ status: 'active', reason: null, broke: null, awaitsApproval: false, awaitsDownPayment: false },
      lines: kept.lines.map((line) => (line.line.judgeAtMs <= atMs ? { ...line, judged: true } : line)),
      billsJudged: new Set([...kept.billsJudged, ...billsDue.map(({ transactionId }) => transactionId)]),
      revision: kept.revision + 1,
    });
    const known = this.#known({ atMs, inclusive: true });
    const counted = this.#consume(known);
    const open = this.#unsatisfied(counted);
    const hasLost = total(counted) < total(this.#consume({ ...known, inclusive: false }));
    if (
      open.size === 0 ||
      !hasLost ||
      (reversalAfterKept === 'reopen' && hasOtherPromise(this.#facts, payor, atMs))
    ) {
      this.#now = kept;
    } else if (reversalAfterKept === 'break') this.#end('broken', 'reversal', known);
    else this.#giveDays(open, reversed, atMs);
  }

  #unsatisfied(counted: readonly number[]): ReadonlySet<number> {
    const open = unsatisfiedLines(this.#facts, this.#now.lines, counted);
    return new Set(open.map(({ line }) => line.seq));
  }

  #giveDays(bounced: ReadonlySet<number>, reversed: readonly Payment[], atMs: EpochMs): void {
    if (bounced.size === 0) return;
    const { policy, timeZone } = this.#facts;
    const dates = reversed.flatMap(({ reversal }) => reversal?.effectiveDate ?? []).sort();
    const lastDay = addDays(dates.at(-1) as LocalDate, policy.reversalGraceDays);
    const given = deadlineAtEndOf(lastDay, policy.postingLagHours, timeZone);
    const lines = this.#now.lines.map((state): NightLine => {
      const { line } = state;
      if (!bounced.has(line.seq)) return state;
      const moved = given.deadlineMs > line.deadlineMs ? { ...line, ...given } : line;
      return { line: moved, judged: false, missed: false, knownAtMs: atMs };
    });
    this.#set({ lines });
  }

  /** R15: money that was in time and came after the promise broke: the nights since are gone through again with it. */
  #post(posted: readonly Payment[], atMs: EpochMs): void {
    const { status, broke, hearing, read, revision, lines } = this.#now;
    if (this.#isOpen) {
      // What would have been decided at the last judge time is decided now, with the same tolerance.
      if (hearing === null || hearing.read !== read || !lines.every(({ judged }) => judged)) return;
      this.#keep({ atMs, inclusive: true, lastDay: hearing.lastDay });
      return;
    }
    if (status !== 'broken' || broke === null || this.#facts.policy.lateEvidence === 'stay') return;
    if (hearing !== null && read <= hearing.read) return;
    if (!posted.some((payment) => this.#isEvidence(payment, broke.lastDay, atMs))) return;
    if (hasOtherPromise(this.#facts, this.#facts.payor, atMs)) return;
    const broken = this.#now;
    const { before, lastDay } = broke;
    this.#now = {
      ...before,
      revision: revision + 1,
      hearing: { atMs, lastDay, read, earlier: before.hearing },
    };
    this.#addPeriods();
    this.#judge(broke.judgeAtMs);
    if (this.#now.status === 'broken') this.#now = broken;
  }

  // It was in time, and it has not bounced; on the promise, or on a bill that must be kept current (R26).
  #isEvidence(payment: Payment, lastDay: LocalDate, atMs: EpochMs): boolean {
    const { effectiveDate, reversal, applied } = payment;
    if (effectiveDate > lastDay || (reversal !== null && reversal.postedAtMs <= atMs)) return false;
    if (this.#purse.hasMoneyOf(payment)) return true;
    const { policy, bills } = this.#facts;
    return policy.stayCurrent && bills.some(({ transactionId }) => (applied?.[transactionId] ?? 0) > 0);
  }

  #hearUpTo(lastDay: LocalDate | null): void {
    const { hearing } = this.#now;
    if (hearing !== null && lastDay !== null && lastDay > hearing.lastDay)
      this.#set({ hearing: { ...hearing, lastDay } });
  }

  /** R13. What is all paid by then is kept for that. */
  #clear(atMs: EpochMs): void {
    const { balanceCleared } = this.#facts.policy;
    if (!this.#facts.autoManaged || balanceCleared === 'ignore') return;
    this.#keep({ atMs, inclusive: true });
    if (!this.#isOpen) return;
    this.#end(
      balanceCleared === 'keep' ? 'kept' : 'cancelled',
      'balance_cleared',
      this.#known({ atMs, inclusive: true }),
    );
  }

  // R25: by a person, or by nobody in time. What was all paid by then is kept for that.
  #refuse(look: Look): void {
    this.#keep(look);
    if (this.#isOpen && this.#now.awaitsApproval) this.#end('cancelled', 'not_approved', this.#known(look));
  }

  // R25
  #activate(): void {
    const { status, awaitsApproval, awaitsDownPayment } = this.#now;
    if (status === 'pending' && !awaitsApproval && !awaitsDownPayment) this.#set({ status: 'active' });
  }

  // R18: what was fully paid then stays.
  #amend({ atMs, lines }: Amendment): void {
    if (!this.#isOpen || this.#isAgain) return;
    const counted = this.#consume(this.#known({ atMs, inclusive: true }));
    const paid = this.#now.lines.filter(({ line }, index) => (counted[index] ?? 0) >= line.amountCents);
    const all = [...paid, ...lines.map((line) => asNightLine(line, atMs))].sort((a, b) =>
      compare(a.line.dueDate, b.line.dueDate),
    );
    const numbered = all.map((state, index) => ({ ...state, line: { ...state.line, seq: index + 1 } }));
    this.#set({ lines: numbered, isOpenEnded: false, revision: this.#now.revision + 1 });
  }

  #end(status: PromiseStatus, reason: Reason, knowledge: Knowledge): void {
    this.#set({ status, reason, counted: this.#consume(knowledge) });
  }

  /** S3: the past and current lines, or all of them (R10), consume the money: earliest first. */
  #consume(knowledge: Knowledge): readonly number[] {
    return this.#purse.tally(this.#now.lines, knowledge);
  }

  // R8: money effective after the earliest deadline that waits for its judge time is not counted yet.
  #known({ atMs, inclusive }: Look): Knowledge {
    const waiting = this.#now.lines.filter(({ judged }) => !judged).map(({ line }) => line.lastDay);
    return { atMs, inclusive, hearing: this.#now.hearing, lastDay: waiting.sort()[0] ?? null };
  }
}

/** Later than every date: as S3, which has no end of the window. */
const NO_LAST_DAY = '9999-12-31' as LocalDate;

function lastDayOf(lines: readonly NightLine[]): LocalDate {
  return lines.reduce((last, { line }) => (line.lastDay > last ? line.lastDay : last), '' as LocalDate);
}

function total(counted: readonly number[]): number {
  return counted.reduce((sum, cents) => sum + cents, 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
