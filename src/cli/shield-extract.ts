import { sentencesOf, type DebtShield } from '../collections/shield';
import { formatLocalTime } from '../rules/calendar';
import { minorDigits, type Cents } from '../rules/money';

/** The columns of the extract; docs/collections/shield.md tells what they mean. */
export const EXTRACT_HEADER =
  'account_id,debt_class,as_of,arrears,shielded,collectible,reason,promise_ids,hold_ids';

/** A row of the extract. Ids and words have no comma and no quote in them, so nothing is quoted. */
export function extractLine(shield: DebtShield): string {
  const amount = (value: Cents): string => plainAmount(value, shield.currency);
  const { accountId, debtClass, statedAtMs, timeZone, reason, promises, onHold } = shield;
  const asOf = statedAtMs === null ? '' : localTime(statedAtMs, timeZone);
  const { arrearsCents, shieldedCents, collectibleCents } = shield;
  const amounts = `${amount(arrearsCents)},${amount(shieldedCents)},${amount(collectibleCents)}`;
  return `${accountId},${debtClass},${asOf},${amounts},${reason},${shielding(promises)},${onHold
    .map(({ holdId }) => holdId)
    .join(';')}`;
}

/** The promises that keep something out of collections. */
function shielding(promises: DebtShield['promises']): string {
  if (promises.length === 0) return '';
  return promises
    .filter(({ cents }) => cents !== 0)
    .map(({ promiseId }) => promiseId)
    .join(';');
}

/** `1234.50`, as files write amounts. */
export function plainAmount(amount: Cents, currency: string): string {
  const digits = minorDigits(currency);
  if (digits === 0) return String(amount);
  const text = String(amount).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const known = { ms: Number.NaN, zone: '', text: '' };

/** Most debts of a file were stated at one time, and to tell the local time takes long. */
function localTime(ms: NonNullable<DebtShield['statedAtMs']>, zone: string): string {
  if (known.ms !== ms || known.zone !== zone) {
    Object.assign(known, { ms, zone, text: formatLocalTime(ms, zone) });
  }
  return known.text;
}

/** An answer as JSON: cents, dates, ISO instants, and the sentences. */
export function jsonOf(shield: DebtShield): object {
  const { atMs, statedAtMs, debt, onHold, timeZone, ...rest } = shield;
  return {
    ...rest,
    asOf: statedAtMs === null ? null : new Date(statedAtMs).toISOString(),
    at: new Date(atMs).toISOString(),
    timeZone,
    oldestDueDate: debt.parts[0]?.dueDate ?? null,
    arrearsParts: debt.parts,
    notDueCents: debt.notDueCents,
    paidSinceCents: debt.paidSinceCents,
    returnedSinceCents: debt.returnedSinceCents,
    onHold,
    sentences: sentencesOf(shield),
  };
}
