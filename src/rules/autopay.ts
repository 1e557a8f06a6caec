import { addDays, type EpochMs, type LocalDate } from './calendar';
import type { Cents } from './money';

/**
 * R28: an installment with a stored pay method is charged on its due date. This is the state machine and the port that
 * it speaks to; the money comes in as a payment like any other, and a return of it is a reversal (R19). Who moves the money
 * is not decided here.
 */

/** When a declined or returned charge is tried again. */
export interface RetryRules {
  /** Charges in all, the first one included. */
  readonly maxAttempts: number;
  /** Days from a failed charge to the next one; the last value stands for all further ones. */
  readonly retryAfterDays: readonly number[];
}

export const DEFAULT_RETRY_RULES: RetryRules = { maxAttempts: 3, retryAfterDays: [2, 3] };

/** Where the charge of one installment stands. */
export type Charge =
  | { readonly state: 'scheduled'; readonly onDate: LocalDate; readonly attempt: number }
  /** Sent; whether it arrived is not known until the provider answers. Asked again with the same key, never sent anew. */
  | { readonly state: 'sent'; readonly key: string; readonly amountCents: Cents; readonly attempt: number }
  | { readonly state: 'paid'; readonly paymentId: string; readonly attempt: number }
  | { readonly state: 'given-up'; readonly why: GivenUp; readonly attempt: number }
  | { readonly state: 'stopped'; readonly attempt: number };

/** Why no further charge is made: a person has to look at it. */
export type GivenUp = 'attempts' | 'refused' | 'too_late';

/** What happens to the charge of an installment. */
export type ChargeEvent =
  /** Its day has come, or a day on which it is looked at again. */
  | { readonly type: 'day'; readonly today: LocalDate; readonly unpaidCents: Cents }
  | { readonly type: 'accepted'; readonly key: string; readonly paymentId: string }
  /** `final`: trying again cannot help, such as a closed account. */
  | { readonly type: 'declined'; readonly key: string; readonly today: LocalDate; readonly final: boolean }
  /** An accepted charge came back; its payment is reversed by R19. */
  | {
      readonly type: 'returned';
      readonly paymentId: string;
      readonly today: LocalDate;
      readonly final: boolean;
    }
  /** The promise ended, or the installment was replaced (R18). */
  | { readonly type: 'stopped' };

/** What is known of the installment that is charged. */
export interface ChargedLine {
  readonly promiseId: string;
  readonly revision: number;
  readonly seq: number;
  readonly dueDate: LocalDate;
  /**
   * The last day on which money is in time: no charge is made after it, since it could keep nothing. Null where a promise
   * lives on after a miss and takes the money at any time.
   */
  readonly lastDay: LocalDate | null;
}

/** The charge of an installment on the day it is agreed. */
export function scheduleCharge({ dueDate }: ChargedLine): Charge {
  return { state: 'scheduled', onDate: dueDate, attempt: 1 };
}

/**
 * The next state of a charge. The same event again changes nothing, and one of another charge is ignored: providers repeat
 * themselves and answer late.
 */
export function nextCharge(
  charge: Charge,
  event: ChargeEvent,
  line: ChargedLine,
  rules: RetryRules = DEFAULT_RETRY_RULES,
): Charge {
  const { attempt } = charge;
  switch (event.type) {
    case 'day':
      return charge.state === 'scheduled' && charge.onDate <= event.today
        ? send(charge, event.today, event.unpaidCents, line)
        : charge;
    case 'accepted':
      return isOf(charge, event.key) ? { state: 'paid', paymentId: event.paymentId, attempt } : charge;
    case 'declined':
      return isOf(charge, event.key) ? tryAgain(attempt, event, line, rules) : charge;
    case 'returned':
      return isOf(charge, event.paymentId) ? tryAgain(attempt, event, line, rules) : charge;
    case 'stopped':
      // What was sent cannot be called back; its answer still arrives, and its money is money.
      return charge.state === 'scheduled' ? { state: 'stopped', attempt } : charge;
  }
}

function send({ attempt }: Charge, today: LocalDate, unpaidCents: Cents, line: ChargedLine): Charge {
  if (unpaidCents === 0) return { state: 'stopped', attempt }; // paid by other means meanwhile
  if (isTooLate(today, line)) return { state: 'given-up', why: 'too_late', attempt };
  return { state: 'sent', key: chargeKey(line, attempt), amountCents: unpaidCents, attempt };
}

function tryAgain(
  attempt: number,
  { today, final }: { readonly today: LocalDate; readonly final: boolean },
  line: ChargedLine,
  { maxAttempts, retryAfterDays }: RetryRules,
): Charge {
  if (final) return { state: 'given-up', why: 'refused', attempt };
  if (attempt >= maxAttempts) return { state: 'given-up', why: 'attempts', attempt };
  const days = retryAfterDays[attempt - 1] ?? retryAfterDays.at(-1) ?? 1;
  const onDate = addDays(today, days);
  if (isTooLate(onDate, line)) return { state: 'given-up', why: 'too_late', attempt };
  return { state: 'scheduled', onDate, attempt: attempt + 1 };
}

/** Whether an answer is about this charge: by its key while it is under way, by its payment once it was paid. */
function isOf(charge: Charge, id: string): boolean {
  if (charge.state === 'sent') return charge.key === id;
  return charge.state === 'paid' && charge.paymentId === id;
}

function isTooLate(day: LocalDate, { lastDay }: ChargedLine): boolean {
  return lastDay !== null && day > lastDay;
}

/** The one name of an attempt: sent twice, a provider charges once. */
export function chargeKey({ promiseId, revision, seq }: ChargedLine, attempt: number): string {
  return `${promiseId}/${revision}/${seq}/${attempt}`;
}

/**
 * What a payment provider is asked to do. It must honor the key: the same one charges at most once.
 * @public the port of R28; its first adapter comes with the movement of money
 */
export interface PaymentProvider {
  charge(request: ChargeRequest): Promise<ChargeAnswer>;
  /** What became of a charge whose answer was lost; null when it never arrived. */
  find(key: string): Promise<ChargeAnswer | null>;
}

export interface ChargeRequest {
  readonly key: string;
  readonly tenantId: string;
  readonly accountId: string;
  /** The provider's own reference of the stored pay method: never a card or account number. */
  readonly payMethodRef: string;
  readonly amountCents: Cents;
  readonly currency: string;
  readonly requestedAtMs: EpochMs;
}

export type ChargeAnswer =
  | { readonly result: 'accepted'; readonly paymentId: string }
  | { readonly result: 'declined'; readonly final: boolean; readonly reason: string }
  | { readonly result: 'pending' };
