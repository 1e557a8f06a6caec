import { LIMIT_NAMES, OPTION_NAMES } from '../../enrollment/policy-options';
import type { Problem } from '../../platform/errors';

/** Overrides of a policy, as JSON files write them. */
export type Overrides = Readonly<Record<string, unknown>>;

const PAY_METHOD = /^graceDaysByPayMethod\.(.+)$/;
const NULLABLE: ReadonlySet<string> = new Set(['toleranceCents', 'tolerancePercent']);
const isLimit = (option: string): boolean => LIMIT_NAMES.some((known) => known === option);
const isOption = (option: string): boolean => OPTION_NAMES.some((known) => known === option);

/**
 * Overrides with settings of the command line put over them: `graceDays=5`, `maxInstallments=6` (with or without
 * `limits.`), `maxInstallments=none`, `graceDaysByPayMethod.autopay=5`. All of them at once, so that two limits that
 * need each other can be set in any order.
 * @param methods the pay methods of the policy to start from.
 * @returns the overrides, or every setting that is none. Values are not looked at here.
 */
export function withSettings(
  overrides: Overrides,
  settings: readonly string[],
  methods: Readonly<Record<string, number>>,
): { readonly overrides: Overrides } | { readonly problems: readonly Problem[] } {
  const problems = settings.flatMap(problemsIn);
  if (problems.length > 0) return { problems };
  const top = new Map<string, unknown>();
  const limits = new Map(Object.entries(objectOf(overrides['limits'])));
  const byMethod = new Map(Object.entries(objectOf(overrides['graceDaysByPayMethod'] ?? methods)));
  for (const setting of settings) {
    const [option, text] = splitSetting(setting);
    const value = valueOf(text);
    const method = PAY_METHOD.exec(option)?.[1];
    if (method !== undefined) setOrRemove(byMethod, method, value);
    else if (isLimit(option)) limits.set(option, value === 'none' ? null : value);
    else top.set(option, value === 'none' && NULLABLE.has(option) ? null : value);
  }
  const methodsSet = settings.some((setting) => PAY_METHOD.test(setting));
  const all = {
    ...overrides,
    ...(methodsSet ? { graceDaysByPayMethod: Object.fromEntries(byMethod) } : {}),
    ...Object.fromEntries(top),
    ...(limits.size > 0 ? { limits: Object.fromEntries(limits) } : {}),
  };
  return { overrides: all };
}

/** What is no object is left to the schema to refuse, unless a setting replaces it. */
function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function setOrRemove(map: Map<string, unknown>, key: string, value: unknown): void {
  if (value === 'none') map.delete(key);
  else map.set(key, value);
}

function valueOf(text: string): string | number | boolean {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

function splitSetting(setting: string): readonly [option: string, text: string] {
  const [, written = '', text = ''] = /^([^=]+)=(.*)$/.exec(setting) ?? [];
  return [written.trim().replace(/^limits\./, ''), text.trim()];
}

function problemsIn(setting: string): Problem[] {
  const [option] = splitSetting(setting);
  return PAY_METHOD.test(option) || isLimit(option) || isOption(option) ? [] : [noSetting(setting, option)];
}

function noSetting(setting: string, option: string): Problem {
  if (option === '') {
    return {
      field: '--set',
      value: setting,
      message: 'is no setting; write option=value, such as graceDays=5',
    };
  }
  const known = [...OPTION_NAMES, ...LIMIT_NAMES].join(', ');
  return { field: '--set', value: setting, message: `sets no option that Troth knows; there are ${known}` };
}
