/**
 * Goal: what a collections case decides – start, pause, resume, cancel, steps – follows from what is not shielded, and every
 * constraint on a step's day holds.
 * Method: small cases by hand, played day by day through the pure rules; each option of a process alone.
 */
import { processFrom } from '../../src/collections/process-definition';
import { businessCalendar } from '../../src/rules/business-days';
import { addDays, localDate, localTimeMs, type EpochMs } from '../../src/rules/calendar';
import { evaluateCase } from '../../src/rules/collections/case';
import type { CaseDebt, CaseFacts, CaseLife, Run, StepRecord } from '../../src/rules/collections/case-facts';
import type { Hold, ProcessDefinition } from '../../src/rules/collections/process';
import { cents } from '../../src/rules/money';

const ZONE = 'America/New_York';
const at = (time: string): EpochMs => {
  const ms = localTimeMs(time, ZONE);
  if (ms === undefined) throw new Error(time);
  return ms;
};

const STEPS = [
  { id: 'reminder', kind: 'reminder', day: 0 },
  { id: 'final-notice', kind: 'notice', day: 10 },
  { id: 'call', kind: 'call', day: 15 },
];

function processOf(changes: object = {}): ProcessDefinition {
  const definition = processFrom({
    ...{ entry: [{ minCents: 5000, minAgeDays: 10 }], cancelThresholdCents: 1000, steps: STEPS },
    ...changes,
  });
  if (Array.isArray(definition)) throw new Error(JSON.stringify(definition));
  return definition;
}

const debtOf = (collectible: number, arrears = collectible, dueDate = '2026-01-01'): CaseDebt => ({
  arrearsCents: cents(arrears),
  collectibleCents: cents(collectible),
  unshielded: collectible === 0 ? [] : [{ dueDate: localDate(dueDate), cents: cents(collectible) }],
});

/** A case that is acted on day after day; each act finds what the last one recorded. */
class Story {
  facts: CaseFacts;
  readonly said: string[] = [];
  readonly did: string[] = [];
  life: CaseLife | undefined;

  constructor(process: ProcessDefinition, debt: CaseDebt, more: Partial<CaseFacts> = {}) {
    const base: CaseFacts = {
      ...{ currency: 'USD', timeZone: ZONE, process: { version: 1, definition: process }, debt },
      calendar: businessCalendar(ZONE),
      ...{
        wasOpen: true,
        openPromises: 0,
        pausedBy: [],
        holds: [],
        run: null,
        steps: [],
        lastOutcome: null,
        overAtMs: null,
        reviewedCents: null,
      },
    };
    this.facts = { ...base, ...more };
  }

  /** Acts at an instant. @returns whether anything was decided. */
  act(time: string): CaseLife {
    const life = evaluateCase(this.facts, at(time));
    const run: Run | null = life.runs.at(-1) ?? this.facts.run;
    const isChanged = (one: StepRecord): boolean =>
      life.steps.some(({ runNo, stepId }) => runNo === one.runNo && stepId === one.stepId);
    const steps = [...this.facts.steps.filter((one) => !isChanged(one)), ...life.steps];
    const isOver = run?.endReason === 'paid' || life.reviews.some(({ decision }) => decision === 'close');
    const overAtMs = isOver ? at(time) : this.facts.overAtMs;
    const reviewedCents =
      life.reviews.length > 0 ? (this.facts.debt?.collectibleCents ?? null) : this.facts.reviewedCents;
    this.facts = { ...this.facts, run, steps, overAtMs, reviewedCents, wasOpen: life.status === 'open' };
    const day = time.slice(5, 10);
    this.said.push(...life.reviews.map(({ decision }) => `${day} ${decision}`));
    this.did.push(
      ...life.steps.map(
        ({ stepId, status, runNo }) => `${day} ${stepId} ${status}${runNo > 1 ? ` (${runNo})` : ''}`,
      ),
    );
    this.life = life;
    return life;
  }

  /** Acts at noon of every day of a span; after an act nothing may be left to do at that instant. */
  days(from: string, to: string): this {
    for (let day = localDate(from); day <= localDate(to); day = addDays(day, 1)) {
      this.act(`${day} 12:00`);
      const again = evaluateCase(this.facts, at(`${day} 12:00`));
      expect([again.reviews, again.steps, again.runs]).toEqual([[], [], []]);
    }
    return this;
  }

  set(changes: Partial<CaseFacts>): this {
    this.facts = { ...this.facts, ...changes };
    return this;
  }

  answer(stepId: string, approved: boolean): this {
    return this.set({
      steps: this.facts.steps.map((step) => (step.stepId === stepId ? { ...step, approved } : step)),
    });
  }
}

const hold = (kind: Hold['kind'], from: string, until: string | null): Hold => ({
  ...{ holdId: `H-${kind}`, kind, from: localDate(from) },
  until: until === null ? null : localDate(until),
});

describe('entry', () => {
  test.each([
    ['not old enough', 5000, '2026-01-01', '2026-01-10', 0],
    ['exactly old enough', 5000, '2026-01-01', '2026-01-11', 1],
    ['not enough', 4999, '2026-01-01', '2026-02-01', 0],
  ])('%s', (_, amount, due, today, starts) => {
    const story = new Story(processOf(), debtOf(amount, amount, due));
    expect(story.act(`${today} 12:00`).reviews.filter(({ decision }) => decision === 'start')).toHaveLength(
      starts,
    );
  });

  test('any criterion will do; the case looks again when time alone will make one hold', () => {
    const entry = [
      { minCents: 5000, minAgeDays: 30 },
      { minCents: 20000, minAgeDays: 5 },
    ];
    const small = new Story(processOf({ entry, reviewEveryDays: 60 }), debtOf(6000));
    expect(new Date(small.act('2026-01-12 12:00').nextActAtMs ?? 0).toISOString()).toBe(
      '2026-01-31T14:00:00.000Z',
    );
    expect(small.act('2026-01-31 09:00').reviews.map(({ decision }) => decision)).toEqual(['start']);
    expect(new Story(processOf({ entry }), debtOf(20000)).act('2026-01-06 12:00').reviews).toHaveLength(1);
  });

  test('old debt above the threshold but shielded does not start; what is not shielded counts by its own age', () => {
    const story = new Story(processOf(), debtOf(900, 50000));
    expect(story.act('2026-03-01 12:00')).toMatchObject({ reviews: [], status: 'open' });
  });
});

describe('steps', () => {
  test('each on its day, at most one a day, and then the process is complete', () => {
    const story = new Story(processOf(), debtOf(8000)).days('2026-01-12', '2026-02-10');
    expect(story.did).toEqual(['01-12 reminder done', '01-22 final-notice done', '01-27 call done']);
    expect(story.said).toEqual(['01-12 start', '01-27 complete']);
  });

  test('a worker that was away does one a day, not all at once', () => {
    const story = new Story(processOf(), debtOf(8000));
    story.act('2026-01-12 12:00');
    story.days('2026-03-02', '2026-03-05');
    expect(story.did).toEqual(['01-12 reminder done', '03-02 final-notice done', '03-03 call done']);
  });

  test('not before the step time of the day', () => {
    const story = new Story(processOf({ stepTime: '14:30' }), debtOf(8000));
    const life = story.act('2026-01-12 12:00');
    expect(new Date(life.nextActAtMs ?? 0).toISOString()).toBe('2026-01-12T19:30:00.000Z');
    expect(story.act('2026-01-12 14:29').steps).toEqual([]);
    expect(story.act('2026-01-12 14:30').steps).toHaveLength(1);
  });

  test('only on business days, where it is not said otherwise', () => {
    const closed = {
      closedDays: [localDate('2026-01-19')],
      version: 1,
      weekend: ['sat', 'sun'] as const,
      cutoff: null,
    };
    const calendar = businessCalendar(ZONE, closed);
    const anyDay = processOf({ steps: [{ ...STEPS[0], businessDays: false }] });
    expect(new Story(processOf(), debtOf(8000), { calendar }).days('2026-01-17', '2026-01-21').did).toEqual([
      '01-20 reminder done',
    ]);
    expect(new Story(anyDay, debtOf(8000), { calendar }).days('2026-01-17', '2026-01-21').did).toEqual([
      '01-17 reminder done',
    ]);
  });

  const SHUT_OFF = { id: 'shut-off', kind: 'shut-off-request', day: 0 };

  test('a shut-off is asked of a person, and not done before a weekend or a holiday', () => {
    const story = new Story(processOf({ steps: [SHUT_OFF] }), debtOf(8000));
    story.act('2026-01-15 12:00'); // a Thursday
    expect(story.did).toEqual(['01-15 shut-off awaiting-approval']);
    story.days('2026-01-15', '2026-01-15').answer('shut-off', true).days('2026-01-16', '2026-01-19');
    expect(story.did).toEqual(['01-15 shut-off awaiting-approval', '01-19 shut-off done']);
  });

  test('a person refuses, and the process goes on without it', () => {
    const steps = [SHUT_OFF, { id: 'agency', kind: 'agency-referral', day: 30 }];
    const story = new Story(processOf({ steps }), debtOf(8000))
      .days('2026-01-15', '2026-01-15')
      .answer('shut-off', false);
    story.days('2026-01-16', '2026-02-20');
    expect(story.did.slice(1)).toEqual(['01-16 shut-off refused', '02-16 agency awaiting-approval']);
  });

  test('what a person approved is not done when nothing may be collected any more', () => {
    const story = new Story(processOf({ steps: [SHUT_OFF] }), debtOf(8000)).days('2026-01-13', '2026-01-13');
    story
      .answer('shut-off', true)
      .set({ debt: debtOf(0, 8000), openPromises: 1 })
      .days('2026-01-14', '2026-01-20');
    expect(story.did).toEqual(['01-13 shut-off awaiting-approval']);
    expect(story.said).toEqual(['01-13 start', '01-14 cancel']);
  });

  test('what awaits a person follows the debt: its amount, and whether it is still enough', () => {
    const steps = [{ id: 'shut-off', kind: 'shut-off-request', day: 0, minCents: 6000 }];
    const story = new Story(processOf({ steps }), debtOf(8000)).days('2026-01-12', '2026-01-13');
    story.set({ debt: debtOf(7000) }).days('2026-01-14', '2026-01-15');
    expect(story.facts.steps).toMatchObject([
      { status: 'awaiting-approval', collectibleCents: 7000, atMs: at('2026-01-12 12:00') },
    ]);
    expect(story.life?.sentence).toBe('Awaits approval: shut-off request (shut-off) for $70.00.');
    // Approved on a Friday; on Monday too little is left.
    story.answer('shut-off', true).days('2026-01-16', '2026-01-18');
    story.set({ debt: debtOf(5999) }).days('2026-01-19', '2026-01-21');
    expect(story.did.at(-1)).toBe('01-19 shut-off skipped');
    expect(story.facts.steps[0]?.sentence).toBe('Left out: $59.99 may be collected, less than $60.00.');
  });

  test('many steps are left out at once', () => {
    const steps = Array.from({ length: 50 }, (_, day) => ({
      ...{ id: `s${day}`, kind: 'notice', day: 0 },
      minCents: day === 49 ? 0 : 9000,
    }));
    const story = new Story(processOf({ steps }), debtOf(8000));
    expect(story.act('2026-01-12 12:00').steps.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 49 }, () => 'skipped'),
      'done',
    ]);
  });

  test('approval cannot be switched off for steps that are never automatic', () => {
    for (const kind of ['shut-off-request', 'agency-referral', 'write-off-proposal']) {
      const problems = processFrom({
        entry: [{ minCents: 1, minAgeDays: 0 }],
        steps: [{ id: 'x', kind, day: 0, approval: false }],
      });
      expect(problems).toEqual([expect.objectContaining({ field: 'steps.0.approval' })]);
    }
  });

  test('notice times: calendar and business days after the step that announces', () => {
    const steps = (unit: string): object[] => [
      { id: 'notice', kind: 'notice', day: 0 },
      { ...SHUT_OFF, day: 1, notice: { step: 'notice', days: 10, unit } },
    ];
    const calendarDays = new Story(processOf({ steps: steps('calendar') }), debtOf(8000)).days(
      '2026-01-12',
      '2026-02-05',
    );
    expect(calendarDays.did).toEqual(['01-12 notice done', '01-22 shut-off awaiting-approval']);
    const businessDays = new Story(processOf({ steps: steps('business') }), debtOf(8000)).days(
      '2026-01-12',
      '2026-02-05',
    );
    expect(businessDays.did).toEqual(['01-12 notice done', '01-26 shut-off awaiting-approval']);
  });

  test('what its notice never announced is left out, and the process goes on', () => {
    const steps = [
      { id: 'notice', kind: 'notice', day: 0, minCents: 9000 },
      { ...SHUT_OFF, day: 1, notice: { step: 'notice', days: 10 } },
      { id: 'call', kind: 'call', day: 2 },
    ];
    const story = new Story(processOf({ steps }), debtOf(8000)).days('2026-01-12', '2026-01-16');
    expect(story.did).toEqual(['01-12 notice skipped', '01-12 shut-off skipped', '01-14 call done']);
    expect(story.facts.steps[1]?.sentence).toBe('Left out: step notice has not announced it and will not.');
  });

  test('seasons: nobody is shut off in winter, also over the new year', () => {
    const seasons = [{ name: 'winter', from: '11-15', to: '03-15' }];
    const story = new Story(processOf({ steps: [SHUT_OFF], seasons }), debtOf(8000));
    expect(story.act('2026-01-15 12:00').sentence).toContain('Started');
    expect(story.act('2026-01-16 12:00').sentence).toBe('Next: shut-off request (shut-off) on 16 Mar 2026.');
    story.days('2026-03-10', '2026-03-17');
    expect(story.did).toEqual(['03-16 shut-off awaiting-approval']);
  });

  test('a step for too little is left out', () => {
    const steps = [{ ...STEPS[0], minCents: 9000 }, STEPS[1]];
    expect(new Story(processOf({ steps }), debtOf(8000)).days('2026-01-12', '2026-01-22').did).toEqual([
      '01-12 reminder skipped',
      '01-22 final-notice done',
    ]);
  });
});

describe('shield and outcomes (R32, R33)', () => {
  const broken = (time: string) => ({
    ...{ kind: 'broken' as const, promiseId: 'P', reason: 'installment_missed' },
    atMs: at(time),
  });

  test('a promise that leaves no more than the threshold cancels the process; broken, it comes back as the class says', () => {
    const played = (resume: string): Story => {
      const story = new Story(processOf({ resume }), debtOf(8000)).days('2026-01-12', '2026-01-24');
      story.set({ debt: debtOf(1000, 8000), openPromises: 1 }).days('2026-01-25', '2026-02-20');
      story.set({ debt: debtOf(8000), openPromises: 0, lastOutcome: broken('2026-02-21 00:00') });
      return story.days('2026-02-21', '2026-03-12');
    };
    const before = ['01-12 reminder done', '01-22 final-notice done'];
    expect(played('continue').did).toEqual([
      ...before,
      '02-21 reminder skipped (2)',
      '02-21 final-notice skipped (2)',
      '02-23 call done (2)', // day 15 falls on 23 Feb: 13 days had passed on 25 Jan
    ]);
    expect(played('restart').did).toEqual([
      ...before,
      '02-23 reminder done (2)',
      '03-03 final-notice done (2)',
      '03-09 call done (2)',
    ]);
    // The debt is 51 days old, 41 more than it takes to begin: nearest is the call on day 15.
    expect(played('closest').did).toEqual([
      ...before,
      '02-21 reminder skipped (2)',
      '02-21 final-notice skipped (2)',
      '02-23 call done (2)',
    ]);
    expect(played('continue').said).toEqual(['01-12 start', '01-25 cancel', '02-21 start', '02-23 complete']);
  });

  test('closest never leaves out a notice that a later step needs and that was never given', () => {
    const steps = [
      { id: 'reminder', kind: 'reminder', day: 0 },
      { id: 'notice', kind: 'notice', day: 10 },
      { id: 'shut-off', kind: 'shut-off-request', day: 40, notice: { step: 'notice', days: 10 } },
    ];
    const story = new Story(processOf({ steps, resume: 'closest' }), debtOf(8000)).days(
      '2026-01-12',
      '2026-01-13',
    );
    story.set({ debt: debtOf(0, 8000), openPromises: 1 }).days('2026-01-14', '2026-03-01');
    story.set({ debt: debtOf(8000), openPromises: 0, lastOutcome: broken('2026-03-02 00:00') });
    story.days('2026-03-02', '2026-03-20');
    expect(story.did).toEqual([
      '01-12 reminder done',
      '03-02 reminder skipped (2)',
      '03-02 notice done (2)',
      '03-12 shut-off awaiting-approval (2)',
    ]);
  });

  test('new debt above the shield: the process goes on for the excess, where it was', () => {
    const story = new Story(processOf({ resume: 'restart' }), debtOf(8000)).days('2026-01-12', '2026-01-13');
    story.set({ debt: debtOf(0, 8000), openPromises: 1 }).days('2026-01-14', '2026-01-20');
    story.set({ debt: debtOf(6000, 14000) }).days('2026-01-21', '2026-02-01');
    expect(story.said).toEqual(['01-12 start', '01-14 cancel', '01-21 start']);
    expect(story.did).toEqual([
      '01-12 reminder done',
      '01-21 reminder skipped (2)',
      '01-29 final-notice done (2)',
    ]);
  });

  test('pause-all pauses, and a kept promise lets it go on where it was', () => {
    const story = new Story(processOf({ resume: 'restart' }), debtOf(8000)).days('2026-01-12', '2026-01-15');
    story.set({ debt: debtOf(0, 8000), openPromises: 1, pausedBy: ['P'] }).days('2026-01-16', '2026-02-10');
    story.set({
      debt: debtOf(5000),
      openPromises: 0,
      pausedBy: [],
      lastOutcome: { ...broken('2026-02-11 00:00'), kind: 'kept', reason: 'paid_in_full' },
    });
    story.days('2026-02-11', '2026-02-28');
    expect(story.said).toEqual(['01-12 start', '01-16 pause', '02-11 resume', '02-23 complete']);
    expect(story.did).toEqual(['01-12 reminder done', '02-17 final-notice done', '02-23 call done']);
  });

  test('pause-all, broken: it comes back as the class says', () => {
    const story = new Story(processOf({ resume: 'restart' }), debtOf(8000)).days('2026-01-12', '2026-01-15');
    story.set({ debt: debtOf(0, 8000), openPromises: 1, pausedBy: ['P'] }).days('2026-01-16', '2026-02-10');
    story.set({ debt: debtOf(8000), openPromises: 0, pausedBy: [], lastOutcome: broken('2026-02-11 00:00') });
    story.days('2026-02-11', '2026-02-13');
    expect(story.did).toEqual(['01-12 reminder done', '02-11 reminder done (2)']);
  });

  test('paid: cancelled, and closed once no promise is open', () => {
    const story = new Story(processOf(), debtOf(8000)).days('2026-01-12', '2026-01-13');
    expect(story.set({ debt: debtOf(0), openPromises: 0 }).act('2026-01-14 12:00')).toMatchObject({
      status: 'closed',
      nextActAtMs: null,
    });
    expect(story.said).toEqual(['01-12 start', '01-14 cancel', '01-14 close']);
  });

  test.each([
    ['customer_request', '02-20 reminder done (2)'],
    ['staff_error', '02-20 final-notice done (2)'],
    ['superseded', '02-20 final-notice done (2)'],
  ])('cancelled, %s: as the reason says', (reason, expected) => {
    const steps = STEPS.map((step) => ({ ...step, businessDays: false }));
    const story = new Story(processOf({ resume: 'restart', steps }), debtOf(8000));
    story.days('2026-01-12', '2026-01-21').set({ debt: debtOf(0, 8000), openPromises: 1 });
    story.days('2026-01-22', '2026-02-19');
    const lastOutcome = { ...broken('2026-02-20 11:00'), kind: 'cancelled' as const, reason };
    story.set({ debt: debtOf(8000), openPromises: 0, lastOutcome }).days('2026-02-20', '2026-02-21');
    expect(story.did.filter((line) => line.endsWith('done (2)'))).toEqual([expected]);
  });

  test('a pause by a hold in which a promise is made and broken ends as the class says; what stands is named', () => {
    const story = new Story(processOf({ resume: 'restart' }), debtOf(8000)).days('2026-01-12', '2026-01-14');
    story.set({ holds: [hold('dispute', '2026-01-15', '2026-01-20')] }).days('2026-01-15', '2026-01-16');
    story.set({ openPromises: 1, pausedBy: ['P'] }).days('2026-01-17', '2026-01-19');
    expect(story.life?.sentence).toBe('Paused: hold H-dispute stands through 20 Jan 2026.');
    story.set({ holds: [] }).days('2026-01-21', '2026-02-10');
    expect(story.life?.sentence).toBe('Paused: promise P lets nothing be collected while it is active.');
    story.set({ openPromises: 0, pausedBy: [], lastOutcome: broken('2026-02-11 00:00') });
    story.days('2026-02-11', '2026-02-11');
    expect(story.did).toEqual(['01-12 reminder done', '02-11 reminder done (2)']);
  });

  test('a run that goes on is explained when what may be collected has changed', () => {
    const story = new Story(processOf(), debtOf(8000)).days('2026-01-12', '2026-01-13');
    story.set({ debt: debtOf(6000, 14000), openPromises: 1 }).days('2026-01-14', '2026-01-15');
    expect(story.said).toEqual(['01-12 start', '01-14 continue']);
    const [review] = new Story(processOf(), debtOf(6000, 14000), {
      ...story.facts,
      reviewedCents: cents(1),
    }).act('2026-01-15 12:00').reviews;
    expect(review?.sentence).toBe('Goes on: $60.00 of $140.00 past due is not promised.');
    expect(story.life?.sentence).toBe('Next: notice (final-notice) on 22 Jan 2026.');
  });

  test('a completed process does not begin again for the same debt, but does for a broken promise', () => {
    const story = new Story(processOf(), debtOf(8000)).days('2026-01-12', '2026-03-30');
    expect(story.did).toHaveLength(3);
    story.set({ lastOutcome: broken('2026-03-31 00:00') }).days('2026-03-31', '2026-04-01');
    expect(story.did.at(-1)).toBe('03-31 reminder done (2)');
  });

  describe('a debt that is over', () => {
    const kept = (time: string) => ({ ...broken(time), kind: 'kept' as const, reason: 'paid_in_full' });
    const steps = [
      { id: 'reminder', kind: 'reminder', day: 0 },
      { id: 'notice', kind: 'notice', day: 10 },
      { id: 'visit', kind: 'field-visit', day: 20, notice: { step: 'notice', days: 5 } },
    ];
    const later = debtOf(9000, 9000, '2027-02-15');

    test.each(['restart', 'continue', 'closest'])(
      'promised and paid: another debt a year later begins at its beginning, with its own notice (%s)',
      (resume) => {
        const story = new Story(processOf({ steps, resume }), debtOf(8000)).days('2026-01-12', '2026-01-25');
        story.set({ debt: debtOf(0, 8000), openPromises: 1 }).days('2026-01-26', '2026-01-27');
        story.set({ debt: debtOf(0), openPromises: 0, lastOutcome: kept('2026-01-28 11:00') });
        expect(story.act('2026-01-28 12:00').status).toBe('closed');
        story.set({ debt: later }).days('2027-03-01', '2027-03-22');
        expect(story.did.slice(2)).toEqual([
          '03-01 reminder done (2)',
          '03-11 notice done (2)',
          '03-22 visit done (2)',
        ]);
      },
    );

    test('completed, and paid in the end: another debt has a process of its own', () => {
      const story = new Story(processOf(), debtOf(8000)).days('2026-01-12', '2026-03-30');
      expect(story.set({ debt: debtOf(0) }).act('2026-03-31 12:00').status).toBe('closed');
      story.set({ debt: later }).days('2027-03-01', '2027-03-02');
      expect(story.did.at(-1)).toBe('03-01 reminder done (2)');
    });

    test('its notice does not announce what is done about another debt', () => {
      const story = new Story(processOf({ steps, resume: 'closest' }), debtOf(8000));
      story
        .days('2026-01-12', '2026-01-25')
        .set({ debt: debtOf(0) })
        .days('2026-01-26', '2026-01-26');
      story.set({ debt: later }).days('2027-03-01', '2027-03-02');
      story.set({ debt: debtOf(0, 9000), openPromises: 1 }).days('2027-03-03', '2027-03-20');
      story.set({ debt: later, openPromises: 0, lastOutcome: broken('2027-03-21 00:00') });
      story.days('2027-03-21', '2027-03-30');
      expect(story.did.slice(2)).toEqual([
        '03-01 reminder done (2)',
        '03-21 reminder skipped (3)',
        '03-22 notice done (3)',
        '03-29 visit done (3)',
      ]);
    });
  });
});

describe('holds', () => {
  test('a hold stops the process for its days; it goes on where it was', () => {
    const story = new Story(processOf(), debtOf(8000), {
      holds: [hold('dispute', '2026-01-15', '2026-02-03')],
    });
    story.days('2026-01-12', '2026-02-28');
    expect(story.said).toEqual(['01-12 start', '01-15 pause', '02-04 resume', '02-16 complete']);
    expect(story.did).toEqual(['01-12 reminder done', '02-11 final-notice done', '02-16 call done']);
  });

  test('a process does not start while one stands', () => {
    const story = new Story(processOf(), debtOf(8000), { holds: [hold('deceased', '2026-01-01', null)] });
    expect(story.act('2026-01-15 12:00')).toMatchObject({
      reviews: [],
      sentence: 'Nothing is done: hold H-deceased stands until it is released.',
    });
  });

  test('a medical hold that only keeps away from the premises', () => {
    const steps = [{ id: 'visit', kind: 'field-visit', day: 0 }];
    const process = processOf({ steps, holds: { medical: 'no-site-steps' } });
    const story = new Story(process, debtOf(8000), { holds: [hold('medical', '2026-01-01', '2026-01-20')] });
    expect(story.days('2026-01-12', '2026-01-25').did).toEqual(['01-21 visit done']);
    // That somebody is ill is nothing for a sentence that Temporal keeps.
    const waiting = new Story(process, debtOf(8000), { holds: [hold('medical', '2026-01-01', null)] });
    expect(waiting.days('2026-01-12', '2026-01-13').life?.sentence).toBe(
      'Next: field visit (visit), but hold H-medical keeps it away from the premises.',
    );
    const calls = processOf({ steps: [STEPS[0]], holds: { medical: 'no-site-steps' } });
    expect(
      new Story(calls, debtOf(8000), story.facts.holds.length > 0 ? { holds: story.facts.holds } : {}).days(
        '2026-01-12',
        '2026-01-13',
      ).did,
    ).toEqual(['01-12 reminder done']);
  });
});

/**
 * Kill Bill, an open billing system: its overdue integration tests (TestOverdueIntegration, testOverdueStages1) have an invoice of 31 May
 * 2012 that is never paid and states at 30, 40 and 50 days since the earliest unpaid invoice; a second invoice of 30 June changes
 * nothing; once all is paid the account is clear. Their state OD3 comes on the 23rd where its queue is looked at, ours on its day.
 */
test("Kill Bill's stages by the age of the earliest unpaid invoice", () => {
  const steps = [
    { id: 'od1', kind: 'reminder', day: 0, businessDays: false },
    { id: 'od2', kind: 'notice', day: 10, businessDays: false },
    { id: 'od3', kind: 'call', day: 20, businessDays: false },
  ];
  const process = processOf({ entry: [{ minCents: 1, minAgeDays: 30 }], cancelThresholdCents: 0, steps });
  const invoice = (dueDate: string) => ({ dueDate: localDate(dueDate), cents: cents(24995) });
  const one: CaseDebt = { ...debtOf(24995), unshielded: [invoice('2012-05-31')] };
  const two: CaseDebt = { ...debtOf(49990), unshielded: [invoice('2012-05-31'), invoice('2012-06-30')] };
  const story = new Story(process, one).days('2012-06-08', '2012-06-30');
  story.set({ debt: two }).days('2012-07-01', '2012-07-22');
  expect(story.did).toEqual(['06-30 od1 done', '07-10 od2 done', '07-20 od3 done']);
  expect(story.set({ debt: debtOf(0) }).act('2012-07-23 12:00')).toMatchObject({ status: 'closed' });
});

test('a definition with mistakes names each', () => {
  const problems = processFrom({
    entry: [],
    steps: [
      { id: 'a', kind: 'letter', day: 3 },
      { id: 'b', kind: 'call', day: -1 },
    ],
    stepTime: '25:00',
    resume: 'sometimes',
    colour: 'red',
  });
  expect(Array.isArray(problems) ? problems.map(({ field }) => field).sort() : problems).toEqual([
    'colour',
    'entry',
    'resume',
    'stepTime',
    'steps.0.kind',
    'steps.1.day',
  ]);
  expect(
    processFrom({
      entry: [{ minCents: 1, minAgeDays: 1 }],
      steps: [
        { id: 'a', kind: 'call', day: 3, notice: { step: 'b', days: 1 } },
        { id: 'a', kind: 'call', day: 1 },
      ],
    }),
  ).toEqual([
    expect.objectContaining({ field: 'steps.0.notice' }),
    expect.objectContaining({ field: 'steps.1.id' }),
    expect.objectContaining({ field: 'steps.1.day' }),
  ]);
});
