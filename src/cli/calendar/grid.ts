import { weekdayOf, WEEKDAYS, type CalendarTable, type Weekday } from '../../rules/business-days';
import { addDays, localDate, type LocalDate } from '../../rules/calendar';
import { bold, dim, red } from '../text';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

const WEEKDAY_NAMES = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'] as const;

/** A cell is two digits and a mark. */
const CELL = 3;
const MONTH_WIDTH = WEEKDAYS.length * CELL;
const GAP = '  ';
/** Six weeks at most, below the month's name and the weekdays. */
const WEEKS = 6;

/** A year as twelve small months, as many beside one another as the width allows; `*` marks closed days. */
export function yearGrid(year: number, table: CalendarTable, width: number): string {
  const across = [4, 3, 2].find((count) => count * (MONTH_WIDTH + GAP.length) <= width) ?? 1;
  const closed = new Set(table.closedDays);
  const weekend = new Set(table.weekend);
  const months = MONTHS.map((name, index) => monthLines(year, index + 1, name, { closed, weekend }));
  const rows: string[] = [];
  for (let first = 0; first < months.length; first += across) {
    const beside = months.slice(first, first + across);
    const height = Math.max(...beside.map((lines) => lines.length));
    for (let line = 0; line < height; line += 1) {
      rows.push(
        beside
          .map((lines) => lines[line] ?? ' '.repeat(MONTH_WIDTH))
          .join(GAP)
          .trimEnd(),
      );
    }
    rows.push('');
  }
  return rows.join('\n').trimEnd();
}

interface Marks {
  readonly closed: ReadonlySet<LocalDate>;
  readonly weekend: ReadonlySet<Weekday>;
}

function monthLines(year: number, month: number, name: string, marks: Marks): string[] {
  const lines = [bold(name.padEnd(MONTH_WIDTH)), WEEKDAY_NAMES.map((day) => day.padEnd(CELL)).join('')];
  const first = localDate(`${String(year)}-${String(month).padStart(2, '0')}-01`);
  let day = addDays(first, -WEEKDAYS.indexOf(weekdayOf(first))); // the Monday on or before the 1st
  for (let week = 0; week < WEEKS; week += 1) {
    const cells = WEEKDAYS.map((_, index) => {
      const date = addDays(day, index);
      return date.slice(0, 7) === first.slice(0, 7) ? cellOf(date, marks) : ' '.repeat(CELL);
    });
    if (cells.some((cell) => cell.trim() !== '')) lines.push(cells.join(''));
    day = addDays(day, WEEKDAYS.length);
  }
  return lines;
}

function cellOf(date: LocalDate, { closed, weekend }: Marks): string {
  const number = String(Number(date.slice(8))).padStart(2);
  if (closed.has(date)) return red(`${number}*`);
  return weekend.has(weekdayOf(date)) ? dim(`${number} `) : `${number} `;
}
