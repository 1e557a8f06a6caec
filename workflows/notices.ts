const MOST_NOTICES = 10;
const LONGEST = 300;

/** Keeps the newest messages that could not be understood; they are shown to operators and never fatal. */
export function addNotice(notices: string[], text: string): void {
  notices.push(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  if (notices.length > MOST_NOTICES) notices.shift();
}

/** A value from outside as short text. */
export function shown(value: unknown): string {
  try {
    return value === undefined ? 'nothing' : JSON.stringify(value);
  } catch {
    return 'something unreadable';
  }
}

/** Whether a value is an object with properties, not null and not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message of the innermost cause: an activity's failure wraps what really happened. */
export function innermost(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}

/** Lines for the details that Temporal UI shows as markdown. It takes text between two dollar signs for a formula. */
export function detailsOf(lines: readonly string[]): string {
  return lines.join('\n').replaceAll('$', '&#36;');
}
