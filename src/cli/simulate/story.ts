import type { Played } from '../../scenarios/play';
import { dayOfWeek, formatDate } from '../../rules/calendar';
import { policyDifferences, type OptionValue } from '../../rules/differences';
import { PRESETS } from '../../rules/presets';
import type { TimelineEntry } from '../../rules/scenario/timeline';
import { bold, dim, green, printable, red, terminalWidth, yellow } from '../text';

type Paint = (text: string) => string;
const plain: Paint = (text) => text;

/** Wider lines are hard to read. */
const MAX_WIDTH = 132;
const MAX_ID = 14;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** The mark before an entry, and how its sentence is painted. */
const LOOKS: Readonly<
  Record<TimelineEntry['kind'], readonly [mark: string, markPaint: Paint, paint: Paint]>
> = {
  enrolled: ['+', bold, plain],
  refused: ['✘', yellow, yellow],
  approved: ['✔', plain, plain],
  activated: ['▸', plain, plain],
  due: ['○', plain, plain],
  'past-due': ['!', red, red],
  'last-day': ['○', plain, plain],
  deadline: ['○', dim, dim],
  received: ['·', dim, dim],
  payment: ['→', green, plain],
  'not-counted': ['→', dim, plain],
  reversal: ['←', yellow, yellow],
  judged: ['✓', green, plain],
  missed: ['!', red, red],
  kept: ['✔', green, green],
  broken: ['✘', red, red],
  cancelled: ['–', yellow, yellow],
  reopened: ['↻', bold, plain],
  amended: ['±', bold, plain],
  event: ['·', plain, plain],
  bill: ['○', plain, plain],
  collectible: ['$', dim, dim],
};

/** Id, title, and what it is played under: the policy with what differs from its preset, the zone, the calendar. */
export function headerOf({ scenario }: Played): string[] {
  const { id, title, preset, policy, tenant } = scenario;
  const differs = policyDifferences(PRESETS[preset], policy).map(
    ({ option, before, after }) =>
      `${option.replace('limits.', '')} ${valueOf(after)} (not ${valueOf(before)})`,
  );
  const calendar = [
    ...(tenant.cutoff === null ? [] : [`cut-off ${tenant.cutoff}`]),
    ...(tenant.closedDays.length === 0 ? [] : [closedWords(tenant.closedDays.map((day) => formatDate(day)))]),
  ];
  const policyWords = `policy ${preset}${differs.length === 0 ? '' : ` with ${differs.join(', ')}`}`;
  const facts = [policyWords, tenant.timeZone, ...calendar].join(' · ');
  return [
    ...wrapped(printable(id), width(), 0).map(bold),
    ...wrapped(printable(title), width(), 0),
    ...wrapped(printable(facts), width(), 2).map(dim),
  ];
}

function valueOf(value: OptionValue): string {
  return value === null ? 'none' : String(value);
}

const MOST_CLOSED = 3;

function closedWords(days: readonly string[]): string {
  return days.length <= MOST_CLOSED ? `closed ${days.join(', ')}` : `${days.length} closed days`;
}

/** How wide a story may be. */
export function width(): number {
  return Math.min(terminalWidth(), MAX_WIDTH);
}

/** The timeline, the lines of each day together. */
export function daysOf({ timeline, scenario }: Played): string[][] {
  const ids = scenario.promises.map(({ id }) => id);
  const idWidth = ids.length === 1 ? 0 : Math.min(MAX_ID, Math.max(...ids.map(({ length }) => length)));
  const days: string[][] = [];
  let last: TimelineEntry | undefined;
  for (const entry of timeline.entries) {
    const lines = linesOf(entry, last, idWidth);
    const day = days.at(-1);
    if (day === undefined || entry.date !== last?.date) days.push(lines);
    else day.push(...lines);
    last = entry;
  }
  return days;
}

/** `Wed 15 Jan 2025  12:00  → $60.00 received …`, without what the line above says already. */
function linesOf(entry: TimelineEntry, last: TimelineEntry | undefined, idWidth: number): string[] {
  const { date, time, promiseId, kind, sentence } = entry;
  const isSameDay = date === last?.date;
  const day = `${WEEKDAYS[dayOfWeek(date) - 1] ?? ''} ${formatDate(date).padStart(11)}`;
  const when = `${isSameDay ? ' '.repeat(day.length) : day}  ${isSameDay && time === last.time ? '     ' : time}`;
  const id =
    idWidth === 0
      ? ''
      : `${printable(promiseId ?? '')
          .slice(0, idWidth)
          .padEnd(idWidth)}  `;
  const [mark, markPaint, paint] = LOOKS[kind];
  const indent = when.length + 2 + id.length + 2;
  const [first = '', ...more] = wrapped(printable(sentence), width() - indent, 0);
  return [
    `${dim(when)}  ${id}${markPaint(mark)} ${paint(first)}`,
    ...more.map((line) => `${' '.repeat(indent)}${paint(line)}`),
  ];
}

/** How the promises stand that no verdict has ended. */
export function endsOf({ timeline, scenario }: Played): string[] {
  const isOnly = scenario.promises.length === 1;
  return timeline.promises.flatMap(({ promiseId, stands }) =>
    stands === null ? [] : wrapped(`${isOnly ? '' : `${printable(promiseId)}: `}${stands}`, width(), 2),
  );
}

const BOUND = /(\d) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: (\d{4}))?(?!\w)/g;
const STAY = '\u00a0';

/** Breaks a text between words, never within a date. @param hanging how far lines after the first are indented. */
export function wrapped(text: string, most: number, hanging: number): string[] {
  const lines: string[] = [];
  const bound = text.replace(BOUND, (date) => date.replaceAll(' ', STAY));
  let line = '';
  for (const word of bound.split(' ')) {
    const room = lines.length === 0 ? most : most - hanging;
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((one, index) => `${index === 0 ? '' : ' '.repeat(hanging)}${one.replaceAll(STAY, ' ')}`);
}
