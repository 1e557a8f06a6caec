import { addBusinessDays, isBusinessDay, type BusinessCalendar } from '../business-days';
import { addDays, daysBetween, type LocalDate } from '../calendar';
import type { Cents } from '../money';

/** What a step of a collections process does. The last three are proposals: a person approves each (never automatic). */
export const STEP_KINDS = [
  'reminder',
  'notice',
  'call',
  'field-visit',
  'shut-off-request',
  'agency-referral',
  'write-off-proposal',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** Steps that nothing does without a person's approval, whatever the process says. */
export const APPROVED_KINDS: readonly StepKind[] = [
  'shut-off-request',
  'agency-referral',
  'write-off-proposal',
];

/** Steps at the customer's premises: what a medical hold or a season keeps away. */
export const SITE_KINDS: readonly StepKind[] = ['field-visit', 'shut-off-request'];

export const CHANNELS = ['letter', 'email', 'sms', 'call', 'visit', 'task'] as const;
export type Channel = (typeof CHANNELS)[number];

/** R33: where a process goes on after a promise that kept it away was broken or cancelled. */
export const RESUMES = ['restart', 'continue', 'closest'] as const;
export type Resume = (typeof RESUMES)[number];

export const HOLD_KINDS = [
  'dispute',
  'hardship',
  'medical',
  'bankruptcy',
  'deceased',
  'breathing-space',
] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

/** What a hold does to a process: stops it, or keeps it away from the premises only. */
export const HOLD_EFFECTS = ['stop', 'no-site-steps'] as const;
export type HoldEffect = (typeof HOLD_EFFECTS)[number];

/** Days that must pass between a step and another one that announced it. */
export interface NoticeTime {
  /** The id of the step that announces. */
  readonly step: string;
  readonly days: number;
  readonly unit: 'calendar' | 'business';
}

export interface ProcessStep {
  readonly id: string;
  readonly kind: StepKind;
  /** Days after day 0 of the process. */
  readonly day: number;
  readonly channel: Channel;
  readonly approval: boolean;
  /** Only on a business day (R7); on another day it waits for the next one. */
  readonly businessDays: boolean;
  /** Not on a day before one that is no business day: nobody could restore service. */
  readonly notBeforeClosedDay: boolean;
  /** Not within the process's closed seasons. */
  readonly seasonal: boolean;
  /** Left out when less than this is collectible. */
  readonly minCents: Cents;
  readonly notice: NoticeTime | null;
  /** R17: ends the open promises of the debt; those of third parties are spared (R27). */
  readonly cancelsPromises: boolean;
}

/** A part of the year in which seasonal steps rest, such as winter: `from` and `to` are `MM-DD`, both included. */
export interface Season {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** The collections process of a debt class, as data. */
export interface ProcessDefinition {
  /** It starts when any of them holds: at least so much is at least so many days past due, and not shielded. */
  readonly entry: readonly { readonly minCents: Cents; readonly minAgeDays: number }[];
  /** R32: with no more than this left to collect, it is cancelled. */
  readonly cancelThresholdCents: Cents;
  readonly resume: Resume;
  readonly steps: readonly ProcessStep[];
  readonly seasons: readonly Season[];
  /** Local `HH:MM` at which steps are done. */
  readonly stepTime: string;
  /** An open case is looked at again after so many days at the latest. */
  readonly reviewEveryDays: number;
  readonly holds: Readonly<Record<HoldKind, HoldEffect>>;
  /** Holds that also stop the clock of promises: their deadlines move by what a hold takes of each installment's window. */
  readonly pausesPromises: readonly HoldKind[];
}

/** Of a debt class without a process: the law's breathing space stops the clock of promises. */
export const USUALLY_PAUSES: readonly HoldKind[] = ['breathing-space'];

/** A stop that a law, a policy or a person has put on collecting a debt. */
export interface Hold {
  readonly holdId: string;
  readonly kind: HoldKind;
  readonly from: LocalDate;
  /** Its last day; null: until it is released. */
  readonly until: LocalDate | null;
}

/** Whether a hold stands on a day. */
export function standsOn({ from, until }: Hold, day: LocalDate): boolean {
  return from <= day && (until === null || day <= until);
}

/** Whether a day lies in a season, also in one that goes over the new year. */
export function inSeason({ from, to }: Season, day: LocalDate): boolean {
  const monthDay = day.slice(5);
  return from <= to ? from <= monthDay && monthDay <= to : monthDay >= from || monthDay <= to;
}

/** What a step's day depends on. */
export interface StepDays {
  readonly calendar: BusinessCalendar;
  readonly process: ProcessDefinition;
  readonly holds: readonly Hold[];
  /** When the step that announces this one was last done; null: never. */
  readonly announcedOn: LocalDate | null;
}

/** Why a step cannot be done on a day; null when it can. */
export function obstacleOn(step: ProcessStep, day: LocalDate, days: StepDays): string | null {
  const { calendar, process, holds, announcedOn } = days;
  if (step.notice !== null) {
    const { step: announced, days: wait, unit } = step.notice;
    if (announcedOn === null) return `step ${announced} has not announced it`;
    const from =
      unit === 'business' ? addBusinessDays(announcedOn, wait, calendar) : addDays(announcedOn, wait);
    if (day < from) return `${wait} ${unit} days must pass after step ${announced}`;
  }
  if (step.businessDays && !isBusinessDay(day, calendar)) return 'it is no business day';
  if (step.notBeforeClosedDay && !isBusinessDay(addDays(day, 1), calendar))
    return 'the day after is no business day';
  if (step.seasonal) {
    const season = process.seasons.find((one) => inSeason(one, day));
    if (season !== undefined) return `it rests in the season "${season.name}"`;
  }
  if (SITE_KINDS.includes(step.kind)) {
    const hold = holds.find((one) => process.holds[one.kind] === 'no-site-steps' && standsOn(one, day));
    if (hold !== undefined) return `hold ${hold.holdId} keeps it away from the premises`;
  }
  return null;
}

/** A season may last most of a year, and a search must end. */
const MOST_DAYS_AHEAD = 400;

/** The first day from `from` on which a step can be done; null when there is none within 400 days. */
export function firstDayFor(step: ProcessStep, from: LocalDate, days: StepDays): LocalDate | null {
  for (let ahead = 0; ahead <= MOST_DAYS_AHEAD; ahead += 1) {
    const day = addDays(from, ahead);
    if (obstacleOn(step, day, days) === null) return day;
  }
  return null;
}

/** A part of a debt: what fell due on a day and is neither paid nor promised. */
export interface AgedPart {
  readonly dueDate: LocalDate;
  readonly cents: Cents;
}

/** Whether a process starts for a debt on a day: the criterion that holds, or null. */
export function entryOn(
  { entry }: ProcessDefinition,
  parts: readonly AgedPart[],
  day: LocalDate,
): ProcessDefinition['entry'][number] | null {
  return entry.find((criterion) => agedCents(parts, day, criterion.minAgeDays) >= criterion.minCents) ?? null;
}

function agedCents(parts: readonly AgedPart[], day: LocalDate, minAgeDays: number): number {
  let total = 0;
  for (const { dueDate, cents } of parts) if (daysBetween(dueDate, day) >= minAgeDays) total += cents;
  return total;
}

/** The first day after `today` on which time alone starts a process for a debt; null when it never does. */
export function entryAfter(
  process: ProcessDefinition,
  parts: readonly AgedPart[],
  today: LocalDate,
): LocalDate | null {
  const days = process.entry
    .flatMap(({ minAgeDays }) => parts.map(({ dueDate }) => addDays(dueDate, minAgeDays)))
    .filter((day) => day > today)
    .sort();
  return days.find((day) => entryOn(process, parts, day) !== null) ?? null;
}

/**
 * R33 `closest`: the step that a debt of this age would have come to, had its process begun when the debt was old enough; of
 * two that are equally close the earlier one.
 */
export function closestStep(
  { steps, entry }: ProcessDefinition,
  parts: readonly AgedPart[],
  today: LocalDate,
): ProcessStep | undefined {
  const [oldest] = [...parts].map(({ dueDate }) => dueDate).sort();
  const youngest = Math.min(...entry.map(({ minAgeDays }) => minAgeDays));
  const elapsed = oldest === undefined ? 0 : daysBetween(oldest, today) - youngest;
  let closest: ProcessStep | undefined;
  for (const step of steps) {
    if (closest === undefined || Math.abs(step.day - elapsed) < Math.abs(closest.day - elapsed))
      closest = step;
  }
  return closest;
}
