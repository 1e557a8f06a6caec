import { formatDate, type LocalDate } from '../calendar';
import type { PromiseStatus } from '../facts';
import { cents, formatMoney, sum, ZERO, type Cents } from '../money';
import { collectible, type Collectible, type Shielded, type ShieldingPromise } from './shield';
import { lessOldestFirst, type DebtOn, type DebtPart } from './debt';

/** An installment that is not fully paid. */
export interface UnpaidLine {
  readonly seq: number;
  readonly dueDate: LocalDate;
  readonly unpaidCents: Cents;
}

/** What one promise keeps out of collections, with what it rests on. */
export interface ExplainedShield extends Shielded {
  /** As of now; null where the promise cannot be judged. */
  readonly status: PromiseStatus | null;
  /** Of an active promise, in order of due date; of one without an end, up to the next. */
  readonly unpaidLines: readonly UnpaidLine[];
  /** R31: by how much the cap lowers the shield. */
  readonly capCents: Cents;
  /** R31: what is paid ahead and shields all the same, without a cap. */
  readonly aheadCents: Cents;
}

/** Why as much may be collected as may be, in one word. */
export type ShieldReason =
  /** The CIS has not said what is owed; the ledger's word, the rules always know a debt. */
  | 'not-stated'
  | 'nothing-past-due'
  | 'no-shield'
  | 'partly-shielded'
  | 'fully-shielded'
  | 'paused'
  | 'open-ended'
  | 'promise-unreadable';

/** R30: what of a debt may be collected today, and why not the rest. */
export interface CollectibleDebt extends Omit<Collectible, 'shielded'> {
  readonly debt: DebtOn;
  /** Arrears that must not be collected; with the collectible they are the arrears. */
  readonly shieldedCents: Cents;
  /** What may be collected, by due date: the shield is taken off the oldest parts first. */
  readonly collectibleParts: readonly DebtPart[];
  readonly promises: readonly ExplainedShield[];
  readonly reason: ShieldReason;
}

/**
 * R30, R31: what of a debt may be collected while some promises run on it; with everything that led to it.
 * @param promises those on the debt, judged as of now, of every payor; those that are not active shield nothing.
 * @param unreadable ids of open promises that cannot be judged; nothing is collected until somebody has looked.
 */
export function collectibleOf(
  debt: DebtOn,
  promises: readonly ShieldingPromise[],
  unreadable: readonly string[] = [],
): CollectibleDebt {
  const { arrearsCents, collectibleCents, shielded } = collectible(debt.arrearsCents, promises, unreadable);
  const shieldedCents = cents(arrearsCents - collectibleCents);
  const byId = new Map(promises.map((promise) => [promise.promiseId, promise]));
  return {
    debt,
    arrearsCents,
    collectibleCents,
    shieldedCents,
    collectibleParts: shieldedCents === 0 ? debt.parts : lessOldestFirst(debt.parts, shieldedCents),
    promises: shielded.map((one) => explained(one, byId.get(one.promiseId))),
    reason: reasonOf(arrearsCents, collectibleCents, shielded),
  };
}

function explained(shielded: Shielded, promise: ShieldingPromise | undefined): ExplainedShield {
  const none = { unpaidLines: [], capCents: ZERO, aheadCents: ZERO };
  if (promise === undefined) return { ...shielded, status: null, ...none };
  const { life } = promise;
  const { status } = life;
  if (status !== 'active') return { ...shielded, status, ...none };
  const unpaidLines = life.lines.flatMap(({ line, countedCents }): UnpaidLine[] => {
    const unpaidCents = cents(line.amountCents - countedCents);
    return unpaidCents === 0 ? [] : [{ seq: line.seq, dueDate: line.dueDate, unpaidCents }];
  });
  const capped = shielded.by === 'net-amount' ? shielded.cents : null;
  const less = capped === null ? 0 : life.unpaidCents - capped;
  const capCents = cents(Math.max(0, less));
  return { ...shielded, status, unpaidLines, capCents, aheadCents: cents(Math.max(0, -less)) };
}

function reasonOf(arrears: Cents, left: Cents, shielded: readonly Shielded[]): ShieldReason {
  if (arrears === 0) return 'nothing-past-due';
  if (left === arrears) return 'no-shield';
  if (left > 0) return 'partly-shielded';
  const by = (kind: Shielded['by']): boolean => shielded.some((one) => one.by === kind);
  if (by('unreadable')) return 'promise-unreadable';
  if (by('pause-all')) return 'paused';
  return by('open-ended') ? 'open-ended' : 'fully-shielded';
}

/** The same in plain sentences, such as "Promise P-7 shields $100.00: installments 2 and 3 are unpaid." */
export function shieldSentences(answer: CollectibleDebt, currency: string): string[] {
  const money = (amount: Cents): string => formatMoney(amount, currency);
  const { debt, arrearsCents, collectibleCents, collectibleParts } = answer;
  const [oldest] = debt.parts;
  const oldestLeft = collectibleParts[0];
  const since =
    oldestLeft === undefined || oldestLeft.dueDate === oldest?.dueDate
      ? ''
      : `, the oldest of it due ${formatDate(oldestLeft.dueDate)}`;
  return [
    oldest === undefined
      ? `Nothing is past due${debt.notDueCents > 0 ? `; ${money(debt.notDueCents)} is owed but not past due` : ''}.`
      : `Arrears ${money(arrearsCents)} (oldest due ${formatDate(oldest.dueDate)}).`,
    ...moneySentence(debt, money),
    ...answer.promises.map((one) => promiseSentence(one, money)),
    `Collectible: ${money(collectibleCents)}${since}.`,
  ];
}

function moneySentence(
  { paidSinceCents, returnedSinceCents }: DebtOn,
  money: (amount: Cents) => string,
): string[] {
  const paid = paidSinceCents > 0 ? `${money(paidSinceCents)} was paid` : null;
  const returned = returnedSinceCents > 0 ? `${money(returnedSinceCents)} of payments went back` : null;
  const both = [paid, returned].filter((text) => text !== null);
  return both.length === 0 ? [] : [`Since the statement ${both.join(' and ')}; that is reckoned in.`];
}

function promiseSentence(promise: ExplainedShield, money: (amount: Cents) => string): string {
  const { promiseId, by, status, unpaidLines, capCents, aheadCents } = promise;
  const unpaid = unpaidLines.length === 0 ? '' : `: ${unpaidText(unpaidLines, money)}`;
  switch (by) {
    case 'not-active':
      return `Promise ${promiseId} shields nothing: it is ${status ?? 'not active'}.`;
    case 'none':
      return `Promise ${promiseId} shields nothing: its policy has no shield.`;
    case 'unreadable':
      return `Promise ${promiseId} cannot be judged: nothing may be collected until somebody has looked at it.`;
    case 'pause-all':
      return `Promise ${promiseId} pauses all collections while it is active${unpaid}.`;
    case 'open-ended':
      return `Promise ${promiseId} has no end and shields everything${unpaid}.`;
    case 'net-amount': {
      const amount = money(promise.cents ?? ZERO);
      if (aheadCents > 0) {
        const ahead = `${money(aheadCents)} paid ahead shields on, for its policy has no cap`;
        return `Promise ${promiseId} shields ${amount}${unpaid === '' ? ': ' : `${unpaid}; `}${ahead}.`;
      }
      if (capCents === 0) return `Promise ${promiseId} shields ${amount}${unpaid}.`;
      const whole = money(sum(unpaidLines.map(({ unpaidCents }) => unpaidCents)));
      return (
        `Promise ${promiseId} shields ${amount}${unpaid}, ${whole} in all, ` +
        `of which the cap takes off ${money(capCents)}: money for it has come already.`
      );
    }
  }
}

const MOST_NAMED = 3;

/** `installments 2 and 3 are unpaid`, `$40.00 of installment 2 is unpaid`, `installments 2 to 12 are unpaid` */
function unpaidText(lines: readonly UnpaidLine[], money: (amount: Cents) => string): string {
  const seqs = lines.map(({ seq }) => seq);
  const [only] = lines;
  if (lines.length === 1 && only !== undefined) {
    return `${money(only.unpaidCents)} of installment ${only.seq}, due ${formatDate(only.dueDate)}, is unpaid`;
  }
  const [first, last] = [seqs[0] ?? 0, seqs.at(-1) ?? 0];
  const isRun = last - first === seqs.length - 1;
  if (seqs.length > MOST_NAMED && isRun) return `installments ${first} to ${last} are unpaid`;
  if (seqs.length > MOST_NAMED) return `${seqs.length} installments, ${first} to ${last}, are unpaid`;
  return `installments ${seqs.slice(0, -1).join(', ')} and ${last} are unpaid`;
}
