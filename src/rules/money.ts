// R1: money is whole minor units (cents) in a safe integer, one currency a promise.

declare const centsBrand: unique symbol;
/** An amount in minor units of its currency: a safe integer. */
export type Cents = number & { readonly [centsBrand]: true };

/** Brands a number as cents. @throws RangeError when it is not a safe integer. */
export function cents(value: number): Cents {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number of cents`);
  return value as Cents;
}

export const ZERO = cents(0);

/** The sum of some amounts. @throws RangeError beyond the safe integers. */
export function sum(amounts: Iterable<Cents>): Cents {
  let total = 0;
  for (const amount of amounts) total += amount;
  return cents(total);
}

/** `a - b`, but never below zero: how much of `a` is left after `b`. */
export function remaining(a: Cents, b: Cents): Cents {
  return a > b ? cents(a - b) : ZERO;
}

// ISO 4217: the currencies whose minor unit is not a hundredth.
const MINOR_DIGITS = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
    .split(' ')
    .map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
  ...'CLF UYW'.split(' ').map((code) => [code, 4] as const),
]);
const SYMBOLS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£' };

/** How many decimals a currency's amounts have. */
export function minorDigits(currency: string): number {
  return MINOR_DIGITS.get(currency) ?? 2;
}

/**
 * Plain US English money, as verdict sentences show it: `$1,234.50`, `CAD 12.00`. Written by hand and not by Intl,
 * since a verdict recomputed on another Node version must give the same bytes (R20).
 */
export function formatMoney(amount: Cents, currency: string): string {
  const digits = minorDigits(currency);
  const text = String(Math.abs(amount)).padStart(digits + 1, '0');
  const whole = (digits === 0 ? text : text.slice(0, -digits)).replace(/\B(?=(\d{3})+$)/g, ',');
  const fraction = digits === 0 ? '' : `.${text.slice(-digits)}`;
  const symbol = SYMBOLS[currency];
  return `${amount < 0 ? '-' : ''}${symbol ?? `${currency} `}${whole}${fraction}`;
}

/**
 * Parses an amount as a CIS writes it: `1234.5`, `1,234.50`. Thousands separators must stand where they belong; more
 * decimals than the currency has, a sign or any other character is refused, never rounded. Zero is an amount.
 * @returns the amount, or a sentence that says what is wrong with it.
 */
export function parseMoney(text: string, currency: string): Cents | string {
  const digits = minorDigits(currency);
  const match = /^([1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) {
    if (text.trim().startsWith('-')) return 'must be more than zero, not negative';
    return 'is not an amount; write 1234.50 or 1,234.50';
  }
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > digits) return `has more than ${digits} decimals`;
  const value = Number(whole.replaceAll(',', '') + fraction.padEnd(digits, '0'));
  return Number.isSafeInteger(value) ? cents(value) : 'is too large';
}
