import type { Checked } from '../../rules/scenario/check';
import { SCENARIO_CURRENCY } from '../../rules/scenario/world';
import { cents, formatMoney } from '../../rules/money';
import { plainTable } from '../output';
import { green, printable, red } from '../text';
import { width, wrapped } from './story';

/** One thing that came out otherwise than expected. */
interface Miss {
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** `✔ 4 of 4 expectations hold`, or a table of what came out otherwise. */
export function expectationLines(checks: readonly Checked[]): string[] {
  if (checks.length === 0) return [];
  const failed = checks.filter(({ holds }) => !holds);
  const words = `${checks.length - failed.length} of ${checks.length} ${checks.length === 1 ? 'expectation holds' : 'expectations hold'}`;
  if (failed.length === 0) return [green(`✔ ${words}`)];
  const lines = [...tableOf(failed), ...failed.flatMap(replyLines)];
  return [red(`✘ ${words}`), ...lines.map((line) => `  ${line}`)];
}

function tableOf(failed: readonly Checked[]): string[] {
  const rows = failed.flatMap((check) => {
    const { on, promise } = check.expected;
    return missesOf(check).map(({ what, expected, actual }, index) =>
      [index === 0 ? text(on) : '', index === 0 ? text(promise) : '', what, expected, actual].map(printable),
    );
  });
  if (rows.length === 0) return [];
  return plainTable(['On', 'Promise', 'What', 'Expected', 'Actual'], rows).split('\n');
}

function missesOf({ expected, actual }: Checked): Miss[] {
  if (isReply(expected)) return [];
  if (actual['enrolled'] === false) {
    return [{ what: 'promise', expected: 'enrolled', actual: 'refused, or not begun by then' }];
  }
  return Object.keys(expected).flatMap((name): Miss[] => {
    const [wanted, got] = [expected[name], actual[name]];
    if (name === 'on' || name === 'promise' || JSON.stringify(wanted) === JSON.stringify(got)) return [];
    return name === 'installments'
      ? installmentMisses(wanted, got)
      : [{ what: name, expected: valueOf(name, wanted), actual: valueOf(name, got) }];
  });
}

/** Whether a check is about an answer of Troth: to an enrollment, a cancel, an amendment. */
function isReply(expected: Fields): boolean {
  return 'accepted' in expected;
}

const REPLIES: Readonly<Record<string, string>> = {
  enroll: 'enrollment',
  cancel: 'cancel',
  amend: 'amendment',
};

function replyLines({ expected, actual }: Checked): string[] {
  if (!isReply(expected)) return [];
  const what = `the ${REPLIES[text(expected['what'])] ?? text(expected['what'])} should be`;
  const words = expected['refusal'] === undefined ? '' : ` with "${text(expected['refusal'])}"`;
  const should = expected['accepted'] === true ? 'accepted' : `refused${words}`;
  const was = actual['accepted'] === true ? 'it was accepted' : `it was refused: ${text(actual['refusal'])}`;
  const line = `${text(expected['on'])}  ${text(expected['promise'])}  ${what} ${should}; ${was}`;
  return wrapped(printable(line), width() - 2, 2);
}

type Fields = Readonly<Record<string, unknown>>;

function installmentMisses(wanted: unknown, got: unknown): Miss[] {
  const [all, others] = [wanted, got] as [readonly Fields[], readonly Fields[]];
  return all.flatMap((line, index) => {
    const name = `installment ${text(line['seq'])}`;
    const other = others[index] ?? {};
    if (other['seq'] === undefined) return [{ what: name, expected: 'there', actual: 'no such installment' }];
    return Object.keys(line).flatMap((key): Miss[] =>
      other[key] === line[key]
        ? []
        : [{ what: `${name} ${key}`, expected: valueOf(key, line[key]), actual: valueOf(key, other[key]) }],
    );
  });
}

/** `4000 ($40.00)` for cents, so that it is found in the file and understood. */
function valueOf(name: string, value: unknown): string {
  if (!name.endsWith('Cents') || typeof value !== 'number') return text(value);
  return `${value} (${formatMoney(cents(value), SCENARIO_CURRENCY)})`;
}

function text(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
