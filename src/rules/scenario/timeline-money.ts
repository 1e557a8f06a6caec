import { localDateAt } from '../calendar';
import type { Take } from '../judging/count';
import { SELF, type Payment } from '../facts';
import type { JudgedLine } from '../judging/life';
import {
  freshNotices,
  isOpen,
  lineName,
  listed,
  notCountedWords,
  type Change,
  type Told,
  type Words,
} from './timeline-words';

/** Money that the ledger has just learned of, and what it pays (R9, R10). */
export function paymentChange(was: Told, is: Told, paymentId: string, words: Words): Change[] {
  const payment = is.facts.payments.find((known) => known.paymentId === paymentId);
  if (payment === undefined) return [];
  const head = receivedWords(payment, is, words);
  if (!isOpen(was) && is.life.revision === was.life.revision) {
    return [{ kind: 'not-counted', sentence: `${head}; ${afterTheEnd(was, payment, words)}.` }];
  }
  const paid = is.life.lines.flatMap((line) =>
    line.takes.filter((take) => take.paymentId === paymentId).map((take) => takeWords(is, line, take, words)),
  );
  const rest = is.life.notCounted.filter((item) => item.paymentId === paymentId);
  const [only] = paid;
  const [other] = rest;
  let what: string;
  if (only !== undefined && paid.length === 1 && rest.length === 0) what = ` ${arrow(only)}`;
  else if (other !== undefined && paid.length === 0 && rest.length === 1) {
    what = `, ${notCountedWords(is, other, words)}`;
  } else {
    const left = rest.map((item) => `${words.money(item.cents)} ${notCountedWords(is, item, words)}`);
    what = `: ${[...paid, ...left].join('; ')}`;
  }
  const kind = paid.length > 0 ? 'payment' : 'not-counted';
  return [{ kind, sentence: `${head}${what}${nothingMissing(was, is, words)}.` }];
}

function receivedWords(payment: Payment, { facts }: Told, words: Words): string {
  const { amountCents, effectiveDate, postedAtMs, tenders } = payment;
  const isOwn = tenders.every(({ payor }) => payor === facts.payor);
  const from = isOwn ? '' : ` from ${listed(tenders.map(({ payor }) => payorWords(payor)))}`;
  const amount = words.money(amountCents);
  const postedOn = localDateAt(postedAtMs, facts.timeZone);
  if (effectiveDate < postedOn) return `${amount} of ${words.day(effectiveDate)}${from} is posted`;
  if (effectiveDate > postedOn) {
    return `${amount} received${from} after the cut-off (for ${words.day(effectiveDate)})`;
  }
  return `${amount} received${from}`;
}

function payorWords(payor: string): string {
  return payor === SELF ? 'the account itself' : payor;
}

/** `$60.00 → installment 1, now $60.00 of $100.00`. */
function takeWords(told: Told, line: JudgedLine, take: Pick<Take, 'cents'>, words: Words): string {
  const now = `now ${words.money(line.countedCents)} of ${words.money(line.line.amountCents)}`;
  return `${words.money(take.cents)} → ${lineName(told, line)}, ${now}`;
}

/** What `takeWords` says, without the amount. */
function arrow(text: string): string {
  return text.slice(text.indexOf('→'));
}

// R14: nothing is missing, but the policy waits.
function nothingMissing(was: Told, is: Told, words: Words): string {
  const { unpaidCents, nextJudgeAtMs, isOpenEnded } = is.life;
  if (unpaidCents > 0 || was.life.unpaidCents === 0 || isOpenEnded || !isOpen(is)) return '';
  const then = nextJudgeAtMs === null ? '' : `, next decided ${words.instant(nextJudgeAtMs)}`;
  return `; nothing is missing${then}`;
}

// R15: money after the end changes nothing, unless it is late evidence that is heard.
function afterTheEnd({ facts, life }: Told, { effectiveDate }: Payment, words: Words): string {
  const ended = life.outcomes.at(-1);
  const on = ended === undefined ? '' : ` on ${words.day(localDateAt(ended.atMs, facts.timeZone))}`;
  const nothing = `it changes nothing, the promise was ${life.status}${on}`;
  const lastDay = ended?.lastDay ?? null;
  const wasInTime = lastDay !== null && effectiveDate >= facts.startDate && effectiveDate <= lastDay;
  if (life.status !== 'broken' || !wasInTime) return nothing;
  return facts.policy.lateEvidence === 'stay'
    ? `${nothing} and stays so (lateEvidence: stay)`
    : `${nothing} and would have been with this money, too`;
}

/** R19: money that is gone, and the lines that it leaves open. */
export function reversalChange(was: Told, is: Told, paymentId: string, words: Words): Change[] {
  const payment = is.facts.payments.find((known) => known.paymentId === paymentId);
  if (payment?.reversal == null) return [];
  const { amountCents, effectiveDate, reversal } = payment;
  const asOf = reversal.effectiveDate === words.today ? '' : ` as of ${words.day(reversal.effectiveDate)}`;
  const head = `${words.money(amountCents)} of ${words.day(effectiveDate)} is reversed${asOf} (${reversal.reason})`;
  const change = (rest: string): Change[] => [{ kind: 'reversal', sentence: `${head}${rest}.` }];
  const isTold = freshNotices(was, is).some((notice) => notice.paymentId === paymentId);
  if (isOpen(was)) {
    const backs = backWords(was, is, words);
    if (backs.length > 0) return change(`: ${listed(backs)}`);
    return isTold ? change('') : []; // it did not count
  }
  if (!isTold) return [];
  const after = ` after the promise was ${was.life.status}`;
  if (is.life.revision > was.life.revision) return change(after);
  const stays = is.life.status === 'kept' && is.facts.policy.reversalAfterKept === 'stay-kept';
  return change(
    `${after}; it stays so${stays ? ' (reversalAfterKept: stay-kept)' : ''}, collections is told`,
  );
}

function backWords(was: Told, is: Told, words: Words): string[] {
  return is.life.lines.flatMap((line) => {
    const before = lineBefore(was, line);
    if (before === undefined || before.countedCents <= line.countedCents) return [];
    const { amountCents, lastDay } = line.line;
    const again = lastDay === before.line.lastDay ? '' : `, in time through ${words.day(lastDay)}`;
    const left = `${words.money(line.countedCents)} of ${words.money(amountCents)}`;
    return [`${lineName(is, line)} is back at ${left}${again}`];
  });
}

/** The same line as it was before. */
export function lineBefore({ life }: Told, { line }: JudgedLine): JudgedLine | undefined {
  return life.lines.find((one) => one.line.seq === line.seq);
}

/** Money known before that pays otherwise now: it waited, or an earlier payment came in its place. */
export function movedChanges(was: Told, is: Told, posted: readonly string[], words: Words): Change[] {
  const isSame = isOpen(was) && is.life.revision === was.life.revision;
  if (!isSame || is.life.status === 'broken' || is.life.status === 'cancelled') return [];
  return is.life.lines.flatMap((line) =>
    line.takes.flatMap((take): Change[] => {
      const { paymentId, effectiveDate } = take;
      if (posted.includes(paymentId)) return [];
      const before = lineBefore(was, line)?.takes.find((one) => one.paymentId === paymentId)?.cents ?? 0;
      if (take.cents <= before) return [];
      const amount = `${words.money(take.cents - before)} of ${words.day(effectiveDate)}`;
      return [
        {
          kind: 'payment',
          sentence: `${amount}${whereBefore(was, take)} ${arrow(takeWords(is, line, take, words))}.`,
        },
      ];
    }),
  );
}

function whereBefore({ life }: Told, { paymentId }: Take): string {
  const why = life.notCounted.find((item) => item.paymentId === paymentId)?.why;
  if (why === 'waiting') return ', which waited';
  if (why === 'too_late') return ', too late for the last verdict';
  const paid = life.lines.find(({ takes }) => takes.some((take) => take.paymentId === paymentId));
  return paid === undefined ? '' : `, which paid installment ${paid.line.seq} before`;
}
