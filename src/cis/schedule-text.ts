import { idSchema } from '../enrollment/enrollment';
import type { AgreedPart } from '../rules/agreement';
import { isLocalDate } from '../rules/calendar';
import { parseMoney, type Cents } from '../rules/money';
import { MAX_INSTALLMENTS } from '../rules/schedules/schedule';

const EXAMPLE = '2026-02-15=50.00;2026-03-15=50.00';

/**
 * A schedule as files and the command line write it: `2026-02-15=50.00;2026-03-15=50.00`, or with the open items that the
 * parts pay `2026-02-15=50.00@INV-1;2026-02-15=30.00@INV-2` (R24).
 * @returns the parts as they stand there, or a sentence that says what is wrong, without its subject.
 */
export function parseSchedule(text: string, currency: string): AgreedPart[] | string {
  const entries = entriesOf(text);
  if (entries.length > MAX_INSTALLMENTS) {
    return `has ${entries.length} parts; ${MAX_INSTALLMENTS} are the most`;
  }
  const parts: AgreedPart[] = [];
  for (const entry of entries) {
    const [dueDate, rest] = split(entry, '=');
    const [amount, item] = split(rest ?? '', '@');
    if (!isLocalDate(dueDate)) return `holds "${dueDate}", which is not a date; write ${EXAMPLE}`;
    const amountCents = parseMoney(amount, currency);
    if (typeof amountCents === 'string') return `holds for ${dueDate} an amount that ${amountCents}`;
    if (item === undefined) parts.push({ dueDate, amountCents });
    else if (isId(item)) parts.push({ dueDate, amountCents, transactionId: item });
    else return `holds for ${dueDate} the open item "${item}", which is no id`;
  }
  return parts.length === 0 ? `is empty; write ${EXAMPLE}` : parts;
}

/**
 * What a payment was applied to, as files write it: `INV-1=120.00;INV-2=80.00`.
 * @returns cents by open item, or a sentence that says what is wrong, without its subject.
 */
export function parseApplied(text: string, currency: string): Record<string, Cents> | string {
  const applied = new Map<string, Cents>();
  for (const entry of entriesOf(text)) {
    const [item, amount = ''] = split(entry, '=');
    if (!isId(item)) return `holds the open item "${item}", which is no id; write INV-1=120.00;INV-2=80.00`;
    const amountCents = parseMoney(amount, currency);
    if (typeof amountCents === 'string') return `holds for ${item} an amount that ${amountCents}`;
    if (amountCents === 0) return `holds for ${item} an amount that must be more than zero`;
    if (applied.has(item)) return `names ${item} twice; put the amounts together`;
    applied.set(item, amountCents);
  }
  return Object.fromEntries(applied);
}

function isId(text: string): boolean {
  return idSchema.safeParse(text).success;
}

function entriesOf(text: string): string[] {
  return text
    .split(';')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** What stands before the first separator, and after it if there is one. */
function split(text: string, separator: string): [before: string, after?: string] {
  const at = text.indexOf(separator);
  if (at === -1) return [text.trim()];
  return [text.slice(0, at).trim(), text.slice(at + separator.length).trim()];
}
