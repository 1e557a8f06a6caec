/**
 * Goal: an amount in a file is read exactly or refused, never guessed; an amount in a sentence reads as people write it.
 * Method: tables of good and nasty inputs.
 */
import { cents, formatMoney, minorDigits, parseMoney, remaining, sum } from '../../src/rules';

test.each([
  ['0', 'USD', 0],
  ['0.01', 'USD', 1],
  ['1234.5', 'USD', 123450],
  ['1234.50', 'USD', 123450],
  ['1,234.50', 'USD', 123450],
  ['1,234,567', 'USD', 123456700],
  ['  12.00\t', 'USD', 1200],
  ['007', 'USD', 700],
  ['0.29', 'USD', 29], // 0.29 * 100 is 28.999999999999996
  ['1.005', 'KWD', 1005],
  ['1.5', 'OMR', 1500],
  ['1500', 'JPY', 1500],
  ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
])('%j %s is read as %d', (text, currency, amount) => {
  expect(parseMoney(text, currency)).toBe(amount);
});

const NO_AMOUNT = 'is not an amount; write 1234.50 or 1,234.50';
test.each([
  ['', 'USD', NO_AMOUNT],
  [' ', 'USD', NO_AMOUNT],
  ['.5', 'USD', NO_AMOUNT],
  ['5.', 'USD', NO_AMOUNT],
  ['1.2.3', 'USD', NO_AMOUNT],
  ['1,23', 'USD', NO_AMOUNT],
  ['12,34.50', 'USD', NO_AMOUNT],
  ['1234,567.00', 'USD', NO_AMOUNT],
  ['0,123', 'USD', NO_AMOUNT], // a decimal comma, surely
  ['1.234,50', 'USD', NO_AMOUNT],
  ['1 234.50', 'USD', NO_AMOUNT],
  ['1e3', 'USD', NO_AMOUNT],
  ['0x10', 'USD', NO_AMOUNT],
  ['+5', 'USD', NO_AMOUNT],
  ['$5', 'USD', NO_AMOUNT],
  ['(5.00)', 'USD', NO_AMOUNT],
  ['=5', 'USD', NO_AMOUNT],
  ['NaN', 'USD', NO_AMOUNT],
  ['Infinity', 'USD', NO_AMOUNT],
  ['١٢', 'USD', NO_AMOUNT],
  ['12\u0000', 'USD', NO_AMOUNT],
  ['-5.00', 'USD', 'must be more than zero, not negative'],
  ['1.005', 'USD', 'has more than 2 decimals'],
  ['1.5', 'JPY', 'has more than 0 decimals'],
  ['90071992547409.92', 'USD', 'is too large'],
  ['9'.repeat(400), 'USD', 'is too large'],
])('%j %s is refused: %s', (text, currency, message) => {
  expect(parseMoney(text, currency)).toBe(message);
});

test.each([
  [0, 'USD', '$0.00'],
  [5, 'USD', '$0.05'],
  [100, 'USD', '$1.00'],
  [123450, 'USD', '$1,234.50'],
  [123456789012, 'EUR', '€1,234,567,890.12'],
  [-6000, 'GBP', '-£60.00'],
  [1200, 'CAD', 'CAD 12.00'],
  [1234567, 'JPY', 'JPY 1,234,567'],
  [1005, 'KWD', 'KWD 1.005'],
  [0, 'JPY', 'JPY 0'],
])('%d %s is written %s', (amount, currency, text) => {
  expect(formatMoney(cents(amount), currency)).toBe(text);
});

test.each([
  ['USD', 2],
  ['JPY', 0],
  ['XOF', 0],
  ['OMR', 3],
  ['CLF', 4],
  ['constructor', 2],
])('%s has %d decimals', (currency, digits) => {
  expect(minorDigits(currency)).toBe(digits);
});

test.each([0.5, NaN, Infinity, 2 ** 53, -(2 ** 53)])('%d is not an amount', (value) => {
  expect(() => cents(value)).toThrow(RangeError);
});

test('sums and differences stay exact, and refuse what cannot be', () => {
  expect(sum([])).toBe(0);
  expect(sum([cents(1), cents(2), cents(3)])).toBe(6);
  expect(() => sum([cents(Number.MAX_SAFE_INTEGER), cents(1)])).toThrow(RangeError);
  expect(remaining(cents(5), cents(3))).toBe(2);
  expect(remaining(cents(3), cents(5))).toBe(0);
});
