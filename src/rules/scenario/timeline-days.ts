import type { LocalDate } from '../calendar';
import type { JudgedLine } from '../judging/life';
import { ZERO } from '../money';
import { period } from '../schedules/periods';
import type { ScenarioTransaction } from './scenario';
import { isOpen, lineOf, type Change, type Told, type Words } from './timeline-words';

/** The lines of a promise; of one without an end the next period, too, which nobody owes before its date. */
export function withNextPeriod({ facts: { repeat }, life }: Told): readonly JudgedLine[] {
  const next = repeat !== null && life.isOpenEnded ? period(repeat, life.lines.length) : null;
  if (next === null) return life.lines;
  return [...life.lines, { line: next, status: 'due', countedCents: ZERO, takes: [] }];
}

/** R4, R5: the due date, the day after it, the last day in time, and the wait for the verdict. */
export function dateChanges(told: Told, dayBefore: LocalDate, words: Words): Change[] {
  if (!isOpen(told)) return [];
  return withNextPeriod(told).flatMap((judged) => {
    const isPaid = judged.countedCents === judged.line.amountCents;
    return [
      ...(judged.line.dueDate === words.today ? [dueChange(told, judged, words)] : []),
      ...(isPaid ? [] : lateChange(told, judged, dayBefore, words)),
    ];
  });
}

function dueChange(told: Told, judged: JudgedLine, words: Words): Change {
  const { line, countedCents } = judged;
  const what = `Due: ${lineOf(told, judged)}, ${words.money(line.amountCents)}`;
  if (countedCents === line.amountCents) return { kind: 'due', sentence: `${what}, paid already.` };
  const missing =
    countedCents === 0 ? '' : `, of which ${words.money(line.amountCents - countedCents)} is missing`;
  return { kind: 'due', sentence: `${what}${missing}${throughWords(judged, words)}.` };
}

function throughWords({ line }: JudgedLine, words: Words): string {
  if (line.lastDay === words.today) return line.lastDay === line.dueDate ? '; there is no grace' : '';
  if (line.lastDay > words.today) return `; still in time through ${words.day(line.lastDay)}`;
  return line.dueDate === words.today ? `; its last day was ${words.day(line.lastDay)}` : '';
}

function lateChange(told: Told, judged: JudgedLine, dayBefore: LocalDate, words: Words): Change[] {
  const { line, countedCents } = judged;
  const missing = words.money(line.amountCents - countedCents);
  const name = lineOf(told, judged);
  const { atMs } = words;
  const isWaiting = told.facts.autoManaged && line.judgeAtMs > atMs;
  const over =
    isWaiting && line.deadlineMs === atMs ? `the verdict comes ${words.instant(line.judgeAtMs)}` : '';
  const lastDay = line.lastDay === words.today && line.lastDay !== line.dueDate && isWaiting;
  if (line.dueDate === dayBefore) {
    const then = over === '' ? throughWords(judged, words) : `; ${over}`;
    const end = lastDay ? '; today is the last day of grace' : then;
    return [{ kind: 'past-due', sentence: `Past due: ${missing} of ${name}${end}.` }];
  }
  if (lastDay) {
    const grace = line.lastDay > line.dueDate ? 'Last day of grace' : 'Last day in time';
    return [{ kind: 'last-day', sentence: `${grace} for ${name}: ${missing} is missing.` }];
  }
  if (over === '') return [];
  return [
    { kind: 'deadline', sentence: `The last day for ${name} is over with ${missing} missing; ${over}.` },
  ];
}

/** R26: a bill of this day that a promise must stay current with. */
export function billChanges(
  told: Told,
  transactions: readonly ScenarioTransaction[],
  words: Words,
): Change[] {
  if (!isOpen(told) || !told.facts.policy.stayCurrent) return [];
  return told.facts.bills.flatMap((bill): Change[] => {
    const issued = transactions.find(({ id }) => id === bill.transactionId)?.issued;
    if (issued !== words.today) return [];
    const amount = `${words.money(bill.amountCents)}, due ${words.day(bill.dueDate)}`;
    const sentence = `A new bill, ${bill.transactionId}: ${amount}; the promise holds only if it is paid by ${words.day(bill.lastDay)} (stayCurrent).`;
    return [{ kind: 'bill', sentence }];
  });
}
