import type { Agreed } from '../ledger/outbox';
import { formatDate, localDate } from '../rules/calendar';
import { formatMoney, sum } from '../rules/money';
import { gatesWords, repeatWords, termsWords, type Terms } from '../rules/terms';

/** What Temporal UI shows of a promise for as long as its workflow is there. */
export interface Described {
  readonly staticSummary: string;
  readonly staticDetails: string;
}

/** What was agreed, in a line for the list of workflows, and in full for the page of one. */
export function described(agreed: Agreed | null, judgeAtMs: number | null): Described {
  // Broken data is for its workflow to find, which parks it.
  if (agreed === null || agreed.parts.length === 0)
    return { staticSummary: 'No installments', staticDetails: '' };
  const terms: Terms = { ...agreed, repeat: agreed.repeatTerms };
  return {
    staticSummary: summaryOf(agreed, terms, judgeAtMs),
    staticDetails: asMarkdown([
      'As agreed:',
      '',
      ...termsWords(terms),
      ...gatesOf(agreed),
      '',
      ...partsOf(agreed),
    ]),
  };
}

/** Temporal UI takes text between two dollar signs for a formula. */
function asMarkdown(lines: readonly string[]): string {
  return lines.join('\n').replaceAll('$', '&#36;');
}

/** One line: `3 installments, 15 Jan 2026 to 15 Mar 2026, next judged 19 Jan 2026`. */
function summaryOf({ parts }: Agreed, terms: Terms, judgeAtMs: number | null): string {
  const [first, last = first] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined) return '';
  const dates =
    parts.length === 1
      ? `Due ${formatDate(first.dueDate)}`
      : `${parts.length} installments, ${formatDate(first.dueDate)} to ${formatDate(last.dueDate)}`;
  const what = terms.repeat === null ? dates : repeatWords(terms.repeat, terms);
  return judgeAtMs === null
    ? what
    : `${what}, next judged ${formatDate(localDate(new Date(judgeAtMs).toISOString().slice(0, 10)))}`;
}

function gatesOf({ currency, timeZone, approvalUntilMs, hasDownPayment, parts }: Agreed): string[] {
  const downPayment = hasDownPayment ? (parts[0] ?? null) : null;
  const gates = gatesWords({ currency, timeZone, approvalUntilMs, downPayment });
  return gates === null ? [] : [`Begins with ${gates}.`];
}

const MOST_PARTS = 6;

/** Of a promise that repeats the terms say it all. */
function partsOf({ parts, currency, repeatTerms }: Agreed): string[] {
  if (repeatTerms !== null) return [];
  const lines = parts.slice(0, MOST_PARTS).map(({ dueDate, amountCents, transactionId }, index) => {
    const item = transactionId === undefined ? '' : ` for ${transactionId}`;
    return `${index + 1}. ${formatDate(dueDate)}: ${formatMoney(amountCents, currency)}${item}`;
  });
  const rest = parts.length - lines.length;
  const total = formatMoney(sum(parts.map(({ amountCents }) => amountCents)), currency);
  return [...lines, ...(rest > 0 ? ['', `… and ${rest} more, ${total} in all`] : [])];
}
