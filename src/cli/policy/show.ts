import { LIMIT_NAMES, OPTION_NAMES } from '../../enrollment/policy-options';
import { POLICY_WORDS, type OptionName } from '../../enrollment/policy-words';
import { listPolicies, policyNote } from '../../ledger/policies';
import { formatLocalTime, epochMs } from '../../rules/calendar';
import { flatOptions, policyDifferences, type Difference, type OptionValue } from '../../rules/differences';
import type { PolicyOptions } from '../../rules/policy';
import { DEFAULT_POLICY_OPTIONS } from '../../rules/presets';
import type { TenantContext } from '../context';
import { plainTable, print, printJson } from '../output';
import { bold, dim, printable } from '../text';
import { namedPolicy } from './references';

interface Options {
  readonly json?: true;
}

/** An option's value as people read it. */
export function valueText(value: OptionValue): string {
  return value === null ? 'none' : String(value);
}

/** `troth policy list` */
export async function list({ ledger, tenant }: TenantContext, { json }: Options): Promise<void> {
  const policies = await ledger.forTenant(tenant.tenantId, (tx) => listPolicies(tx, tenant.tenantId));
  if (json === true) {
    for (const policy of policies) printJson(policy);
    return;
  }
  const rows = policies.flatMap(({ name, isDefault, versions }) =>
    versions.map(({ version, promises, openPromises, createdAt, createdBy }) => [
      `${name}@${version}`,
      isDefault && version === versions.at(-1)?.version ? 'default' : '',
      String(promises),
      String(openPromises),
      formatLocalTime(epochMs(createdAt.getTime()), tenant.timeZone),
      printable(createdBy),
    ]),
  );
  print(plainTable(['Policy', '', 'Promises', 'Open', 'Made', 'By'], rows));
  print('New promises get the newest version of the default policy, or of the one that they name.');
}

/** `troth policy show` */
export async function show(
  { ledger, tenant }: TenantContext,
  name: string,
  { json }: Options,
): Promise<void> {
  const { tenantId, policyName, timeZone } = tenant;
  const { named, note } = await ledger.forTenant(tenantId, async (tx) => {
    const found = await namedPolicy(tx, tenantId, name);
    const { stored } = found;
    return {
      named: found,
      note: stored === undefined ? null : await policyNote(tx, tenantId, stored.name, stored.version),
    };
  });
  const { label, options, stored } = named;
  const differs = policyDifferences(DEFAULT_POLICY_OPTIONS, options).map(({ option }) => option);
  if (json === true) {
    printJson({ policy: label, ...stored, options, note, differsFromDefault: differs });
    return;
  }
  print(`${bold(label)}${stored?.name === policyName ? ', the default policy' : ''}`);
  if (stored !== undefined) {
    const made = formatLocalTime(epochMs(stored.createdAt.getTime()), timeZone);
    print(`Made ${made} by ${printable(stored.createdBy)}${note === null ? '' : `: ${printable(note)}`}`);
  }
  print();
  print(plainTable(['', 'Option', 'Value', 'What it means'], optionRows(options, new Set(differs))));
  print();
  print(differs.length === 0 ? 'Nothing differs from preset:default.' : '* differs from preset:default');
}

function optionRows(options: PolicyOptions, differs: ReadonlySet<string>): string[][] {
  const values = flatOptions(options);
  const names: OptionName[] = [...OPTION_NAMES, ...LIMIT_NAMES.map((limit) => `limits.${limit}` as const)];
  return names.flatMap((name) => {
    const words = `${POLICY_WORDS[name].meaning} (${POLICY_WORDS[name].rule})`;
    // One row a pay method, one that says none where there are none.
    const inner = [...values.keys()].filter((key) => key.startsWith(`${name}.`));
    return (inner.length === 0 ? [name] : inner).map((key) => {
      const value = values.get(key) ?? null;
      const row = [printable(key), valueText(value), words];
      if (differs.has(key)) return [bold('*'), ...row.map((cell) => bold(cell))];
      return value === null ? ['', ...row.map((cell) => dim(cell))] : ['', ...row];
    });
  });
}

/** `troth policy diff` */
export async function diff(
  { ledger, tenant }: TenantContext,
  names: readonly [string, string],
  { json }: Options,
): Promise<void> {
  const { tenantId } = tenant;
  const { before, after } = await ledger.forTenant(tenantId, async (tx) => ({
    before: await namedPolicy(tx, tenantId, names[0]),
    after: await namedPolicy(tx, tenantId, names[1]),
  }));
  const differences = policyDifferences(before.options, after.options);
  if (json === true) {
    printJson({ before: before.label, after: after.label, differences });
    return;
  }
  if (differences.length === 0) print(`${before.label} and ${after.label} say the same.`);
  else print(differenceTable(differences, before.label, after.label));
}

/** Only what differs, side by side, in the order of the options: the database forgets that of the limits. */
export function differenceTable(differences: readonly Difference[], before: string, after: string): string {
  const sorted = [...differences].sort((a, b) => placeOf(a.option) - placeOf(b.option));
  const rows = sorted.map((difference) => [
    printable(difference.option),
    valueText(difference.before),
    valueText(difference.after),
    ruleOf(difference.option),
  ]);
  return plainTable(['Option', before, after, 'Rule'], rows);
}

const WORDS = Object.entries(POLICY_WORDS);

function placeOf(option: string): number {
  return WORDS.findIndex(([name]) => option === name || option.startsWith(`${name}.`));
}

function ruleOf(option: string): string {
  return WORDS[placeOf(option)]?.[1].rule ?? '';
}
