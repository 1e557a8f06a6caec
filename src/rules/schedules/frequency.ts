import { WEEKDAYS, type Weekday } from '../business-days';

/** The frequencies with a name (R3). `half-month` means the 1st and the 15th; other days are named by `monthDays`. */
export const FREQUENCIES = ['once', 'weekly', 'two-weeks', 'half-month', 'monthly'] as const;

/** How often a promise is paid (R3). Months always keep the anchor day of the first due date. */
export type Frequency =
  | (typeof FREQUENCIES)[number]
  | { readonly everyDays: number }
  | { readonly everyMonths: number }
  /** Two or more days of the month; one that a month lacks is its last day. */
  | { readonly monthDays: readonly number[] }
  | { readonly weekdays: readonly Weekday[] };

const MAX_EVERY_DAYS = 999;
const MAX_EVERY_MONTHS = 99;
/** Of two days after this one, a February has both on its last day. */
const SAFE_MONTH_DAY = 27;

/** What to write for a frequency, for messages that refuse one. */
export const FREQUENCY_HINT =
  `must be one of ${FREQUENCIES.join(', ')}, "every 10 days", "every 3 months", "on mon,thu" or ` +
  '"on 5 and 20" (days of the month)';

/**
 * A frequency as files and the command line write it: `weekly`, `every 10 days`, `on mon,thu`, `on 5 and 20`.
 * @returns undefined when the text is none; say FREQUENCY_HINT.
 */
export function parseFrequency(text: string): Frequency | undefined {
  const clean = text.trim().toLowerCase().replace(/\s+/g, ' ');
  const named = FREQUENCIES.find((known) => known === clean);
  if (named !== undefined) return named;
  const every = /^every ([1-9]\d{0,2}) (day|month)s?$/.exec(clean);
  if (every !== null) return checked(everyOf(Number(every[1]), every[2] ?? ''));
  const on = /^on (.+)$/.exec(clean)?.[1];
  return on === undefined ? undefined : checked(daysOf(on.split(/ ?(?:,|\+| and ) ?(?:and )?/)));
}

/** A frequency as files and the command line write it; `parseFrequency` reads it back. */
export function formatFrequency(frequency: Frequency): string {
  if (typeof frequency === 'string') return frequency;
  const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
  if ('everyDays' in frequency) return `every ${plural(frequency.everyDays, 'day')}`;
  if ('everyMonths' in frequency) return `every ${plural(frequency.everyMonths, 'month')}`;
  if ('weekdays' in frequency) {
    return `on ${WEEKDAYS.filter((day) => frequency.weekdays.includes(day)).join(',')}`;
  }
  const days = [...frequency.monthDays].sort((a, b) => a - b);
  return `on ${days.slice(0, -1).join(', ')} and ${days.at(-1) ?? ''}`;
}

const SCENARIO_NAMES: Readonly<Record<string, Frequency>> = {
  week: 'weekly',
  'two-weeks': 'two-weeks',
  'half-month': 'half-month',
  month: 'monthly',
};

/**
 * A frequency as scenario files write it: `week`, `month`, `10-days`, `3-months`, `mon+thu`, `5+20`.
 * @returns undefined when the text is none.
 */
export function parseScenarioEvery(text: string): Frequency | undefined {
  if (Object.hasOwn(SCENARIO_NAMES, text)) return SCENARIO_NAMES[text];
  const every = /^([1-9]\d{0,2})-(day|month)s$/.exec(text);
  if (every !== null) return checked(everyOf(Number(every[1]), every[2] ?? ''));
  return checked(daysOf(text.split('+')));
}

function everyOf(count: number, unit: string): Exclude<Frequency, string> {
  return unit === 'day' ? { everyDays: count } : { everyMonths: count };
}

/** All of them weekdays or all of them days of the month, in rising order. */
function daysOf(words: readonly string[]): Exclude<Frequency, string> | undefined {
  if (words.every((word) => /^\d{1,2}$/.test(word))) {
    return { monthDays: words.map(Number).sort((a, b) => a - b) };
  }
  const weekdays = WEEKDAYS.filter((day) => words.includes(day));
  return weekdays.length === words.length ? { weekdays } : undefined;
}

function checked(frequency: Exclude<Frequency, string> | undefined): Frequency | undefined {
  return frequency === undefined || frequencyProblem(frequency) !== undefined ? undefined : frequency;
}

/** What is impossible about a frequency of one's own, and what to do; undefined when nothing is. */
export function frequencyProblem(frequency: Exclude<Frequency, string>): string | undefined {
  const isCount = (value: number, most: number): boolean =>
    Number.isInteger(value) && value >= 1 && value <= most;
  if ('everyDays' in frequency) {
    if (isCount(frequency.everyDays, MAX_EVERY_DAYS)) return undefined;
    return `every ${frequency.everyDays} days is no frequency; say 1 to ${MAX_EVERY_DAYS} days`;
  }
  if ('everyMonths' in frequency) {
    if (isCount(frequency.everyMonths, MAX_EVERY_MONTHS)) return undefined;
    return `every ${frequency.everyMonths} months is no frequency; say 1 to ${MAX_EVERY_MONTHS} months`;
  }
  if ('weekdays' in frequency) {
    const known = frequency.weekdays.every((day) => WEEKDAYS.includes(day));
    if (known && frequency.weekdays.length > 0 && isDistinct(frequency.weekdays)) return undefined;
    return `the weekdays "${frequency.weekdays.join(',')}" are no frequency; name different days such as mon,thu`;
  }
  const { monthDays } = frequency;
  if (monthDays.length < 2 || !isDistinct(monthDays) || !monthDays.every((day) => isCount(day, 31))) {
    return `the days "${monthDays.join(', ')}" are no frequency; name two or more different days from 1 to 31`;
  }
  if (monthDays.filter((day) => day > SAFE_MONTH_DAY).length < 2) return undefined;
  return (
    `the days "${monthDays.join(', ')}" would fall together on the last day of a February; ` +
    `name at most one day after the ${SAFE_MONTH_DAY}th`
  );
}

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}
