import { isatty } from 'node:tty';
import pc from 'picocolors';

/** Colours only where a person looks: on a terminal, unless NO_COLOR says no. */
const colours = pc.createColors(isatty(1) && (process.env['NO_COLOR'] ?? '') === '');

/** The colour of a promise's or installment's status. */
export function status(text: string): string {
  switch (text) {
    case 'kept':
      return colours.green(text);
    case 'broken':
      return colours.red(text);
    case 'cancelled':
    case 'excused':
      return colours.yellow(text);
    default:
      return colours.cyan(text);
  }
}

export const { bold, dim, green, red, yellow } = colours;

const ELLIPSIS = '…';
/** Where lines are cut when nobody can say how wide they may be. */
const DEFAULT_WIDTH = 120;
const MIN_WIDTH = 60;

/** How wide a table may be. */
export function terminalWidth(): number {
  // A terminal that does not know its width says 0.
  const shown = process.stdout.isTTY ? process.stdout.columns : 0;
  const given = Number(process.env['COLUMNS']);
  return Math.max(MIN_WIDTH, shown > 0 ? shown : given > 0 ? given : DEFAULT_WIDTH);
}

/**
 * Text of others, made safe to show: control characters can move the cursor or set the terminal's title, and
 * direction marks can make a text read as another one.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, ' ');
}

/** As `printable`, cut to a width. */
export function cut(text: string, width: number): string {
  const clean = printable(text);
  return clean.length > width ? `${clean.slice(0, Math.max(0, width - 1))}${ELLIPSIS}` : clean;
}

/** `1 promise`, `2 promises`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Text of others in lines that fit the terminal, each after an indent; words stay whole. */
export function wrapped(text: string, indent = ''): string {
  const lines = inLines(text, Math.min(100, terminalWidth()) - indent.length);
  return lines.map((line) => `${indent}${line}`).join('\n');
}

/** Text of others in lines of a width; a word that is longer has a line for itself. */
export function inLines(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
