import { parse } from 'csv-parse/sync';
import type { Problem } from '../platform/errors';
import { isLocalDate, type LocalDate } from '../rules/calendar';

/** A day on which a tenant is closed, with what it is called if the file says so. */
export interface ClosedDay {
  readonly date: LocalDate;
  readonly name: string | null;
}

const MOST_DAYS = 5000;
const MOST_NAME = 100;
const FIRST_YEAR = '2000';
const LAST_YEAR = '2199';

interface ParsedLine {
  readonly info: { readonly lines: number };
  readonly record: readonly string[];
}

/**
 * Reads closed days: one date a line, then a name if it has one. A header line that begins with `date`, empty lines
 * and lines that begin with # are passed over.
 * @returns the days in rising order, or every problem with its line.
 */
export function readClosedDays(content: Uint8Array): readonly ClosedDay[] | { readonly problems: Problem[] } {
  const parsed = linesOf(content);
  if ('problems' in parsed) return parsed;
  const days = new Map<LocalDate, ClosedDay & { readonly line: number }>();
  const problems: Problem[] = [];
  for (const [index, { info, record }] of parsed.lines.entries()) {
    const [date = '', name = ''] = record;
    if (index === 0 && date.toLowerCase() === 'date') continue;
    const fault = faultOf(record, days);
    if (fault !== undefined) problems.push({ field: `line ${info.lines}`, ...fault });
    else if (isLocalDate(date)) days.set(date, { date, name: name === '' ? null : name, line: info.lines });
  }
  if (days.size > MOST_DAYS) {
    problems.push({
      field: 'file',
      value: '',
      message: `holds ${days.size} days; ${MOST_DAYS} are the most`,
    });
  }
  if (problems.length > 0) return { problems };
  return [...days.values()]
    .map(({ date, name }) => ({ date, name }))
    .sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** What is wrong with a line, if anything is. */
function faultOf(
  record: readonly string[],
  before: ReadonlyMap<LocalDate, { readonly line: number }>,
): { readonly value: string; readonly message: string } | undefined {
  const [date = '', name = '', ...more] = record;
  if (!isLocalDate(date)) {
    return { value: date, message: 'is not a date; write one date a line, such as 2026-12-25,Christmas Day' };
  }
  if (date.slice(0, 4) < FIRST_YEAR || date.slice(0, 4) > LAST_YEAR) {
    return { value: date, message: `lies outside the years ${FIRST_YEAR} to ${LAST_YEAR}` };
  }
  const twin = before.get(date);
  if (twin !== undefined) {
    return { value: date, message: `stands on line ${twin.line} already; remove one of the two` };
  }
  if (more.some((cell) => cell !== '')) {
    const message = 'has more than a date and a name; put the name in quotes if it has a comma';
    return { value: record.join(','), message };
  }
  return name.length > MOST_NAME
    ? { value: name, message: `is longer than ${MOST_NAME} characters` }
    : undefined;
}

function linesOf(
  content: Uint8Array,
): { readonly lines: readonly ParsedLine[] } | { readonly problems: Problem[] } {
  const refuse = (field: string, message: string): { problems: Problem[] } => ({
    problems: [{ field, value: '', message }],
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return refuse('file', 'is not UTF-8 text; save it as UTF-8');
  }
  if (/^\s*BEGIN:VCALENDAR/i.test(text)) {
    return refuse('file', 'is an iCalendar file; write one date a line, such as 2026-12-25,Christmas Day');
  }
  try {
    const lines = parse(text, {
      bom: true,
      comment: '#',
      comment_no_infix: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as ParsedLine[];
    return { lines: lines.filter(({ record }) => record.some((cell) => cell !== '')) };
  } catch (error) {
    const { lines, message } = error as { lines?: number; message: string };
    return refuse(lines === undefined ? 'file' : `line ${lines}`, message);
  }
}
