import {
  addDays,
  daysBetween,
  epochMs,
  formatDate,
  localDateAt,
  localTimeMs,
  startOfDayMs,
  type EpochMs,
  type LocalDate,
} from '../calendar';
import { formatMoney, type Cents } from '../money';
import type {
  CaseDebt,
  CaseFacts,
  CaseLife,
  Decision,
  LastOutcome,
  Review,
  Run,
  StepRecord,
} from './case-facts';
import { capital, countOf, kindWords, nameOf, stopWords, whyOf } from './case-words';
import {
  closestStep,
  entryAfter,
  entryOn,
  firstDayFor,
  obstacleOn,
  standsOn,
  type AgedPart,
  type ProcessDefinition,
  type ProcessStep,
  type Resume,
} from './process';

// A start, a resume, an end, and each step of a process (50 at most) left out: nothing takes more turns than this.
const MOST_TURNS = 100;

/**
 * Decides a collections case (R32, R33): whether its process starts, goes on, pauses or ends by what is not shielded, and
 * which step is done now. The answer depends on the facts and the instant only. At most one step is done a day, so that
 * what was delayed does not fall on a customer at once.
 */
export function evaluateCase(facts: CaseFacts, nowMs: EpochMs): CaseLife {
  const turn = new Turn(facts, nowMs);
  for (let turns = 0; turns < MOST_TURNS && turn.take(); turns += 1);
  return turn.life();
}

/**
 * Cancelled for these (R21), a promise has lost nothing: it never came into force, was recorded by mistake, made way for another
 * one, or there is nothing left to pay. Its process goes on where it was.
 */
const NO_LOSS: readonly string[] = [
  'not_approved',
  'down_payment_missed',
  'staff_error',
  'superseded',
  'balance_cleared',
];

/** R33: whether a promise was broken, or cancelled as good as broken. */
function isLoss(outcome: LastOutcome | null): outcome is LastOutcome {
  if (outcome?.kind === 'broken') return true;
  return outcome?.kind === 'cancelled' && !NO_LOSS.includes(outcome.reason ?? '');
}

class Turn {
  readonly #facts: CaseFacts;
  readonly #nowMs: EpochMs;
  readonly #today: LocalDate;
  #run: Run | null;
  readonly #runs = new Map<number, Run>();
  readonly #changed = new Map<string, StepRecord>();
  readonly #reviews: Review[] = [];
  #steps: readonly StepRecord[];
  #next: EpochMs[] = [];

  constructor(facts: CaseFacts, nowMs: EpochMs) {
    this.#facts = facts;
    this.#nowMs = nowMs;
    this.#today = localDateAt(nowMs, facts.timeZone);
    this.#run = facts.run;
    this.#steps = facts.steps;
  }

  /** Takes one decision. @returns whether there may be another. */
  take(): boolean {
    const { process, debt } = this.#facts;
    this.#next = [];
    if (process === null || debt === null) return false;
    return this.#isRunOpen ? this.#takeRun(process.definition, debt) : this.#takeNoRun(process, debt);
  }

  life(): CaseLife {
    const { process, debt } = this.#facts;
    const status = this.#isDone() ? 'closed' : 'open';
    if (status === 'closed' && this.#facts.wasOpen) {
      this.#say('close', 'Closed: no promise is open and nothing is left to collect.');
    }
    if (status === 'open' && process !== null && debt !== null) this.#planLooks(process.definition, debt);
    const sentence = this.#reviews.at(-1)?.sentence ?? this.#standing();
    if (debt !== null) this.#sayGoesOn(debt);
    const next = this.#next.filter((ms) => ms > this.#nowMs);
    return {
      status,
      runs: [...this.#runs.values()].sort((a, b) => a.runNo - b.runNo),
      steps: [...this.#changed.values()],
      reviews: this.#reviews,
      sentence,
      nextActAtMs: status === 'closed' || next.length === 0 ? null : epochMs(Math.min(...next)),
    };
  }

  /** R32: a run that goes on is explained, too, when what may be collected has changed. */
  #sayGoesOn(debt: CaseDebt): void {
    const { reviewedCents } = this.#facts;
    if (this.#run?.status !== 'running' || this.#reviews.length > 0 || reviewedCents === null) return;
    if (debt.collectibleCents !== reviewedCents)
      this.#say('continue', `Goes on: ${whyOf(debt, this.#facts.currency)}.`);
  }

  get #isRunOpen(): boolean {
    return this.#run?.status === 'running' || this.#run?.status === 'paused';
  }

  /** What keeps the process from going on: holds first, since a person or a law put them there. */
  get #stops(): string[] {
    const { holds, pausedBy, process } = this.#facts;
    const stopping = holds.filter(
      (hold) => process?.definition.holds[hold.kind] === 'stop' && standsOn(hold, this.#today),
    );
    return [
      ...stopping.map(({ holdId }) => `hold:${holdId}`),
      ...pausedBy.map((promiseId) => `promise:${promiseId}`),
    ];
  }

  #takeRun(process: ProcessDefinition, debt: CaseDebt): boolean {
    const run = this.#run as Run;
    const isPaused = this.#facts.pausedBy.length > 0;
    if (debt.collectibleCents <= process.cancelThresholdCents && !isPaused) {
      return this.#cancel(run, process, debt);
    }
    const [stop] = this.#stops;
    if (stop !== undefined) return this.#pause(run, stop);
    if (run.status === 'paused') return this.#resumeRun(run, process, debt);
    return this.#takeStep(run, process, debt);
  }

  // A promise that comes while a hold stands pauses the run, too: if it is lost, the run comes back as the class says (R33).
  #pause(run: Run, stop: string): boolean {
    const [promiseId] = this.#facts.pausedBy;
    const pausedWhy = promiseId === undefined ? stop : `promise:${promiseId}`;
    const isKnown =
      run.status === 'paused' && (run.pausedWhy?.startsWith('promise:') === true || promiseId === undefined);
    if (isKnown) return false;
    this.#setRun({ ...run, status: 'paused', pausedOn: run.pausedOn ?? this.#today, pausedWhy });
    this.#say(
      'pause',
      `Paused: ${stopWords(this.#facts.holds, run.status === 'paused' ? pausedWhy : stop)}.`,
    );
    return true;
  }

  #cancel(run: Run, process: ProcessDefinition, debt: CaseDebt): boolean {
    const isPaid = debt.arrearsCents <= process.cancelThresholdCents;
    const endReason = isPaid ? 'paid' : 'shielded';
    this.#setRun({
      ...run,
      ...{ status: 'cancelled', endedAtMs: this.#nowMs, endReason, pausedOn: null, pausedWhy: null },
    });
    const left = `${this.#money(debt.collectibleCents)} of ${this.#money(debt.arrearsCents)} past due may be collected`;
    const why = isPaid
      ? `${this.#money(debt.arrearsCents)} is past due`
      : `promises shield the debt: ${left}`;
    this.#say(
      'cancel',
      `Cancelled: ${why}, no more than the threshold of ${this.#money(process.cancelThresholdCents)}.`,
    );
    return true;
  }

  // R33: a promise that was not kept brings its process back as the debt class says; what a hold or a kept promise held up
  // goes on where it was.
  #resumeRun(run: Run, process: ProcessDefinition, debt: CaseDebt): boolean {
    const mode = run.pausedWhy?.startsWith('promise:') === true ? this.#resumeMode(run, process) : 'continue';
    const pausedOn = run.pausedOn ?? this.#today;
    if (mode === 'continue') {
      const days = daysBetween(pausedOn, this.#today);
      const dayZero = addDays(run.dayZero, days);
      this.#setRun({ ...run, status: 'running', pausedOn: null, pausedWhy: null, dayZero });
      this.#say(
        'resume',
        `Goes on where it was, ${countOf(days, 'day')} later: ${whyOf(debt, this.#facts.currency)}.`,
      );
      return true;
    }
    this.#setRun({
      ...run,
      ...{ status: 'cancelled', endedAtMs: this.#nowMs, endReason: 'restarted' },
      ...{ pausedOn: null, pausedWhy: null },
    });
    this.#begin(run.processVersion, process, debt, mode, run);
    return true;
  }

  #resumeMode(run: Run, process: ProcessDefinition): Resume {
    const { lastOutcome, timeZone } = this.#facts;
    const since = run.endedAtMs ?? (run.pausedOn === null ? 0 : startOfDayMs(run.pausedOn, timeZone));
    return isLoss(lastOutcome) && lastOutcome.atMs >= since ? process.resume : 'continue';
  }

  #takeNoRun({ version, definition }: NonNullable<CaseFacts['process']>, debt: CaseDebt): boolean {
    const last = this.#run;
    if (this.#stops.length > 0 || debt.collectibleCents <= definition.cancelThresholdCents) return false;
    if (entryOn(definition, pastDue(debt.unshielded, this.#today), this.#today) === null) return false;
    const isOver = last !== null && this.#isOver(last);
    if (last?.status === 'completed' && !isOver && !this.#isLostSince(last)) return false;
    const mode = last?.endReason === 'shielded' && !isOver ? this.#resumeMode(last, definition) : 'restart';
    this.#begin(version, definition, debt, mode, last);
    return true;
  }

  /** Whether the debt that a run was about has gone since: another debt has a process, and notices, of its own. */
  #isOver({ endedAtMs }: Run): boolean {
    return (this.#facts.overAtMs ?? -1) >= (endedAtMs ?? this.#nowMs);
  }

  #isLostSince({ endedAtMs }: Run): boolean {
    const { lastOutcome } = this.#facts;
    return isLoss(lastOutcome) && lastOutcome.atMs > (endedAtMs ?? 0);
  }

  /** Begins a run: from day 0, where the last one was, or at the step that the debt's age has come to. */
  #begin(version: number, process: ProcessDefinition, debt: CaseDebt, mode: Resume, last: Run | null): void {
    const run: Run = {
      ...{ runNo: (last?.runNo ?? 0) + 1, processVersion: version, status: 'running', dayZero: this.#today },
      ...{ startedAtMs: this.#nowMs, pausedOn: null, pausedWhy: null, endedAtMs: null, endReason: null },
    };
    if (mode === 'continue' && last !== null) this.#beginWhere(last, run, process, debt);
    else if (mode === 'closest' && last !== null) this.#beginClosest(run, process, debt);
    else {
      this.#setRun(run);
      this.#say('start', `Started: ${whyOf(debt, this.#facts.currency)}.`);
    }
  }

  #beginWhere(last: Run, run: Run, process: ProcessDefinition, debt: CaseDebt): void {
    const endedOn = last.pausedOn ?? localDateAt(last.endedAtMs ?? this.#nowMs, this.#facts.timeZone);
    const elapsed = Math.max(0, daysBetween(last.dayZero, endedOn));
    this.#setRun({ ...run, dayZero: addDays(this.#today, -elapsed) });
    for (const step of process.steps) {
      const before = this.#recordOf(last.runNo, step.id);
      if (before !== undefined && before.status !== 'awaiting-approval')
        this.#skip(step, debt, `Left out: ${before.status} in run ${last.runNo}.`);
    }
    this.#say(
      'start',
      `Started where run ${last.runNo} was, on day ${elapsed}: ${whyOf(debt, this.#facts.currency)}.`,
    );
  }

  #beginClosest(run: Run, process: ProcessDefinition, debt: CaseDebt): void {
    const closest = closestStep(process, pastDue(debt.unshielded, this.#today), this.#today);
    this.#setRun({ ...run, dayZero: addDays(this.#today, -(closest?.day ?? 0)) });
    const before = process.steps.slice(0, closest === undefined ? 0 : process.steps.indexOf(closest));
    for (const step of before) {
      // What a later step must have been announced by is not left out, unless it was done before.
      const announces = process.steps.some(({ notice }) => notice?.step === step.id);
      if (announces && this.#doneOn(step.id) === null) continue;
      this.#skip(step, debt, `Left out: the debt is older than day ${step.day} of the process.`);
    }
    this.#say(
      'start',
      `Started at step ${closest?.id ?? '-'}, by the age of the debt: ${whyOf(debt, this.#facts.currency)}.`,
    );
  }

  #takeStep(run: Run, process: ProcessDefinition, debt: CaseDebt): boolean {
    const waiting = this.#waiting(run);
    if (waiting !== undefined) return this.#takeAnswer(waiting, process, debt);
    const step = process.steps.find(({ id }) => this.#recordOf(run.runNo, id) === undefined);
    if (step === undefined) {
      this.#setRun({ ...run, status: 'completed', endedAtMs: this.#nowMs, endReason: 'completed' });
      const rest = `${this.#money(debt.collectibleCents)} is still to be collected`;
      this.#say('complete', `Completed: all steps of the process were done; ${rest}.`);
      return true;
    }
    const dueOn = addDays(run.dayZero, step.day);
    const unannounced = this.#unannounced(run, step);
    if (unannounced !== null) {
      this.#skip(step, debt, `Left out: ${unannounced} has not announced it and will not.`);
      return true;
    }
    const from = [dueOn, this.#today, this.#freeFrom(run)].sort().at(-1) as LocalDate;
    if (!this.#mayDo(step, from, process)) return false;
    if (debt.collectibleCents < step.minCents) {
      this.#skip(step, debt, this.#tooLittle(step, debt));
      return true;
    }
    if (step.approval) {
      this.#ask(this.#newRecord(step, dueOn, debt), step, debt);
      return true;
    }
    this.#do(this.#newRecord(step, dueOn, debt), step, debt);
    return true;
  }

  #takeAnswer(waiting: StepRecord, process: ProcessDefinition, debt: CaseDebt): boolean {
    const step = process.steps.find(({ id }) => id === waiting.stepId);
    if (step === undefined) return false;
    if (waiting.approved === false) {
      this.#setStep({ ...waiting, status: 'refused', sentence: `Refused: ${kindWords(waiting.kind)}.` });
      return true;
    }
    // Much may have been paid since it was asked, also since it was approved.
    if (debt.collectibleCents < step.minCents) {
      this.#skip(step, debt, this.#tooLittle(step, debt));
      return true;
    }
    if (waiting.approved === null) {
      if (waiting.collectibleCents === debt.collectibleCents) return false;
      this.#ask(waiting, step, debt);
      return true;
    }
    const from = [this.#today, this.#freeFrom(this.#run as Run)].sort().at(-1) as LocalDate;
    if (!this.#mayDo(step, from, process)) return false;
    this.#do({ ...waiting, atMs: this.#nowMs, collectibleCents: debt.collectibleCents }, step, debt);
    return true;
  }

  /** Whether a step may be done now; if only later, the case looks again then. */
  #mayDo(step: ProcessStep, from: LocalDate, process: ProcessDefinition): boolean {
    const day = firstDayFor(step, from, this.#days(step, process));
    if (day === null) return false;
    const atMs = this.#stepTime(day, process);
    if (atMs <= this.#nowMs) return true;
    this.#next.push(atMs);
    return false;
  }

  #waiting({ runNo }: Run): StepRecord | undefined {
    return this.#steps.find((one) => one.runNo === runNo && one.status === 'awaiting-approval');
  }

  /** Asks a person; whoever looks at it sees what may be collected now. */
  #ask(record: StepRecord, step: ProcessStep, debt: CaseDebt): void {
    const { collectibleCents } = debt;
    const sentence = `Awaits approval: ${nameOf(step)} for ${this.#money(collectibleCents)}.`;
    this.#setStep({ ...record, status: 'awaiting-approval', collectibleCents, sentence });
  }

  #tooLittle({ minCents }: ProcessStep, { collectibleCents }: CaseDebt): string {
    return `Left out: ${this.#money(collectibleCents)} may be collected, less than ${this.#money(minCents)}.`;
  }

  #do(record: StepRecord, step: ProcessStep, debt: CaseDebt): void {
    const sentence = `${capital(nameOf(step))}, for ${this.#money(debt.collectibleCents)} that is not promised.`;
    this.#setStep({ ...record, status: 'done', doneOn: this.#today, sentence });
  }

  #skip(step: ProcessStep, debt: CaseDebt, sentence: string): void {
    const run = this.#run as Run;
    const record = this.#newRecord(step, addDays(run.dayZero, step.day), debt);
    this.#setStep({ ...record, status: 'skipped', sentence });
  }

  #newRecord({ id, kind }: ProcessStep, dueOn: LocalDate, { collectibleCents }: CaseDebt): StepRecord {
    return {
      ...{ runNo: (this.#run as Run).runNo, stepId: id, kind, status: 'skipped', dueOn, doneOn: null },
      ...{ atMs: this.#nowMs, collectibleCents, sentence: '', approved: null },
    };
  }

  /** The step that should have announced another one, was left out or refused, and was never done before; else null. */
  #unannounced({ runNo }: Run, { notice }: ProcessStep): string | null {
    if (notice === null || this.#doneOn(notice.step) !== null) return null;
    const record = this.#recordOf(runNo, notice.step);
    return record?.status === 'skipped' || record?.status === 'refused' ? `step ${notice.step}` : null;
  }

  // One step a day.
  #freeFrom({ runNo }: Run): LocalDate {
    const done = this.#steps.filter((one) => one.runNo === runNo || one.doneOn === this.#today);
    const last = done
      .flatMap(({ doneOn }) => doneOn ?? [])
      .sort()
      .at(-1);
    return last === undefined ? this.#today : addDays(last, 1);
  }

  #days({ notice }: ProcessStep, process: ProcessDefinition) {
    const { calendar, holds } = this.#facts;
    return { calendar, process, holds, announcedOn: notice === null ? null : this.#doneOn(notice.step) };
  }

  /** When a step was last done about this debt; what was done about one that has gone since announces nothing. */
  #doneOn(stepId: string): LocalDate | null {
    const days = this.#steps.flatMap((one) =>
      one.stepId === stepId && one.doneOn !== null && one.atMs > (this.#facts.overAtMs ?? -1)
        ? [one.doneOn]
        : [],
    );
    return days.sort().at(-1) ?? null;
  }

  #recordOf(runNo: number, stepId: string): StepRecord | undefined {
    return this.#steps.find((one) => one.runNo === runNo && one.stepId === stepId);
  }

  /** When the case must be looked at again though nothing happens. */
  #planLooks(process: ProcessDefinition, debt: CaseDebt): void {
    const { holds, timeZone } = this.#facts;
    for (const { from, until } of holds) {
      for (const day of [from, until === null ? null : addDays(until, 1)]) {
        if (day !== null && day > this.#today) this.#next.push(startOfDayMs(day, timeZone));
      }
    }
    if (!this.#isRunOpen && this.#stops.length === 0) {
      const day = entryAfter(process, debt.unshielded, this.#today);
      if (day !== null) this.#next.push(this.#stepTime(day, process));
    }
    this.#next.push(this.#stepTime(addDays(this.#today, process.reviewEveryDays), process));
  }

  #isDone(): boolean {
    const { process, debt, openPromises } = this.#facts;
    if (process === null || debt === null || openPromises > 0 || this.#isRunOpen) return false;
    return (
      debt.collectibleCents <= process.definition.cancelThresholdCents &&
      debt.arrearsCents <= process.definition.cancelThresholdCents
    );
  }

  #setRun(run: Run): void {
    this.#run = run;
    this.#runs.set(run.runNo, run);
  }

  #setStep(step: StepRecord): void {
    const rest = this.#steps.filter((one) => one.runNo !== step.runNo || one.stepId !== step.stepId);
    this.#steps = [...rest, step];
    this.#changed.set(`${step.runNo}/${step.stepId}`, step);
  }

  #say(decision: Decision, sentence: string): void {
    this.#reviews.push({ decision, sentence });
  }

  #stepTime(day: LocalDate, { stepTime }: ProcessDefinition): EpochMs {
    const ms = localTimeMs(`${day} ${stepTime}`, this.#facts.timeZone);
    if (ms === undefined) throw new RangeError(`The step time "${stepTime}" is not a time; write 09:00`);
    return ms;
  }

  /** How the case stands where nothing was decided now. */
  #standing(): string {
    const { process, debt, openPromises } = this.#facts;
    if (process === null) return `${countOf(openPromises, 'promise')} open; this debt class has no process.`;
    if (debt === null) return `${countOf(openPromises, 'promise')} open; what is owed is not known.`;
    const run = this.#run;
    if (run?.status === 'paused')
      return `Paused: ${stopWords(this.#facts.holds, this.#stops[0] ?? run.pausedWhy ?? 'hold:')}.`;
    if (run?.status === 'running') {
      const waiting = this.#waiting(run);
      return waiting === undefined ? this.#nextWords(run, process.definition) : waiting.sentence;
    }
    const [stop] = this.#stops;
    if (stop !== undefined) return `Nothing is done: ${stopWords(this.#facts.holds, stop)}.`;
    return `No process runs: ${whyOf(debt, this.#facts.currency)}.`;
  }

  #nextWords(run: Run, process: ProcessDefinition): string {
    const step = process.steps.find(({ id }) => this.#recordOf(run.runNo, id) === undefined);
    if (step === undefined) return 'All steps are done.';
    const from = [addDays(run.dayZero, step.day), this.#today, this.#freeFrom(run)]
      .sort()
      .at(-1) as LocalDate;
    const days = this.#days(step, process);
    const day = firstDayFor(step, from, days);
    return day === null
      ? `Next: ${nameOf(step)}, but ${obstacleOn(step, from, days) ?? 'not within a year'}.`
      : `Next: ${nameOf(step)} on ${formatDate(day)}.`;
  }

  #money(amount: Cents): string {
    return formatMoney(amount, this.#facts.currency);
  }
}

/** What is past due on a day. */
export function pastDue(parts: readonly AgedPart[], today: LocalDate): AgedPart[] {
  return parts.filter(({ dueDate }) => dueDate < today);
}
