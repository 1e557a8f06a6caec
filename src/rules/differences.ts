import type { PolicyOptions } from './policy';

/** A single option's value; null is none, such as a limit that is not set. */
export type OptionValue = string | number | boolean | null;

/** One option in which two policies differ. */
export interface Difference {
  /** As JSON names it: `graceDays`, `limits.maxInstallments`, `graceDaysByPayMethod.autopay`. */
  readonly option: string;
  readonly before: OptionValue;
  readonly after: OptionValue;
}

/** Every option of a policy by its name, one value each: limits and pay methods by their path. */
export function flatOptions(options: PolicyOptions): ReadonlyMap<string, OptionValue> {
  const flat = new Map<string, OptionValue>();
  for (const [option, value] of Object.entries(options) as [string, OptionValue | object][]) {
    if (value === null || typeof value !== 'object') flat.set(option, value);
    else
      for (const [name, inner] of Object.entries(value) as [string, OptionValue][])
        flat.set(`${option}.${name}`, inner);
  }
  return flat;
}

/** The options in which two policies differ, in the order of the options. */
export function policyDifferences(before: PolicyOptions, after: PolicyOptions): Difference[] {
  const [was, is] = [flatOptions(before), flatOptions(after)];
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names]
    .map((option) => ({ option, before: was.get(option) ?? null, after: is.get(option) ?? null }))
    .filter((difference) => difference.before !== difference.after);
}
