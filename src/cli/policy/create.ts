import { policyOver } from '../../enrollment/policy-options';
import type { Tx } from '../../ledger/connection';
import {
  addPolicyVersion,
  findPolicy,
  holdPolicies,
  listPolicies,
  setDefaultPolicy,
  type AddedPolicy,
} from '../../ledger/policies';
import { tenantNow, type Tenant } from '../../ledger/tenants';
import { TrothError } from '../../platform/errors';
import { policyDifferences, type Difference } from '../../rules/differences';
import type { PolicyOptions } from '../../rules/policy';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../rules/presets';
import { actorOfCli, type TenantContext } from '../context';
import { readJsonObject } from '../json-file';
import { print, printJson } from '../output';
import { withSettings } from './settings';
import { differenceTable } from './show';

export interface CreateOptions {
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly fromFile?: string;
  readonly default?: true;
  readonly note?: string;
  readonly json?: true;
}

const POLICY_FILE = { noun: 'a policy', example: '{"preset": "default", "graceDays": 5}' };
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const MOST_NOTE = 1000;

/** What was made, and against what it is told. */
interface Made extends AddedPolicy {
  readonly against: string;
  readonly differences: readonly Difference[];
  readonly isDefault: boolean;
  readonly keeping: number;
}

/** `troth policy create` */
export async function create(context: TenantContext, name: string, options: CreateOptions): Promise<void> {
  const { ledger, tenant } = context;
  if (!NAME.test(name)) {
    const message = 'must be 1 to 40 small letters, digits or dashes';
    throw refusal(name, [{ field: 'name', value: name, message }]);
  }
  if ((options.note?.length ?? 0) > MOST_NOTE) {
    const message = `must have at most ${MOST_NOTE} characters`;
    throw refusal(name, [{ field: 'note', value: '', message }]);
  }
  const file = options.fromFile === undefined ? {} : readJsonObject(options.fromFile, POLICY_FILE);
  const made = await ledger.forTenant(tenant.tenantId, (tx) => make(tx, tenant, { name, file, options }));
  tell(name, made, options);
}

interface Asked {
  readonly name: string;
  readonly file: Readonly<Record<string, unknown>>;
  readonly options: CreateOptions;
}

async function make(tx: Tx, tenant: Tenant, { name, file, options }: Asked): Promise<Made> {
  const { tenantId } = tenant;
  await holdPolicies(tx, tenantId);
  const newest = await findPolicy(tx, tenantId, name);
  const preset = presetOf(name, file, options);
  const base = preset === undefined ? (newest?.options ?? presetCalled(name)) : PRESETS[preset];
  const made = optionsOf(base, { name, file, options });
  const by = { actor: actorOfCli(), atMs: tenantNow(tenant) };
  const { note } = options;
  const added = await addPolicyVersion(tx, tenantId, {
    ...{ name, options: made, ...by },
    ...(note === undefined ? {} : { note }),
  });
  if (options.default === true) await setDefaultPolicy(tx, tenantId, name, by);
  const policies = await listPolicies(tx, tenantId);
  const policy = policies.find((known) => known.name === name);
  const earlier = policy?.versions.filter(({ version }) => version < added.version) ?? [];
  return {
    ...added,
    against: newest === undefined ? 'preset:default' : `${name}@${newest.version}`,
    differences: policyDifferences(newest?.options ?? PRESETS.default, made),
    isDefault: policy?.isDefault ?? false,
    keeping: earlier.reduce((all, { openPromises }) => all + openPromises, 0),
  };
}

/** A new policy with a preset's name starts from that one. */
function presetCalled(name: string): PolicyOptions {
  return PRESETS[PRESET_NAMES.find((preset) => preset === name) ?? 'default'];
}

/** The base, then what the file says, then what --set says. */
function optionsOf(base: PolicyOptions, { name, file, options }: Asked): PolicyOptions {
  const { preset: _, ...inFile } = file;
  const settled = withSettings(inFile, options.set ?? [], base.graceDaysByPayMethod);
  if ('problems' in settled) throw refusal(name, settled.problems);
  const made = policyOver(base, settled.overrides);
  if (Array.isArray(made)) throw refusal(name, made);
  return made;
}

/** The preset to start from: that of the command line, else that of the file, else none. */
function presetOf(
  name: string,
  { preset: inFile }: Asked['file'],
  { preset }: CreateOptions,
): PresetName | undefined {
  const named = preset ?? inFile;
  if (named === undefined) return undefined;
  if (preset !== undefined && inFile !== undefined && inFile !== preset) {
    const message = `says ${JSON.stringify(inFile)}, but --preset says ${preset}; name one of them`;
    throw refusal(name, [{ field: 'preset', value: '', message }]);
  }
  const known = PRESET_NAMES.find((each) => each === named);
  if (known !== undefined) return known;
  const message = `must be one of ${PRESET_NAMES.join(', ')}`;
  const value = typeof named === 'string' ? named : JSON.stringify(named);
  throw refusal(name, [{ field: 'preset', value, message }]);
}

function refusal(name: string, problems: TrothError['problems']): TrothError {
  return new TrothError('INPUT_INVALID', `Policy "${name}" was not made`, { problems });
}

function tell(name: string, made: Made, options: CreateOptions): void {
  const { result, version, against, differences, isDefault, keeping } = made;
  if (options.json === true) {
    printJson({ policy: `${name}@${version}`, name, ...made });
    return;
  }
  if (result === 'unchanged') print(`${against} says the same already; no new version was made.`);
  else {
    if (differences.length === 0) print(`It says the same as ${against}.`);
    else print(differenceTable(differences, against, `${name}@${version}`));
    print();
    print(`${name}@${version} is made.${keeping === 0 ? '' : ` ${kept(keeping)}`}`);
  }
  if (isDefault) print(`New promises get it, for "${name}" is the default policy.`);
  else print(`New promises get it when they name it; for all of them: troth policy create ${name} --default`);
}

function kept(count: number): string {
  if (count === 1) return 'One open promise keeps the version that it was made under.';
  return `${count} open promises keep the versions that they were made under.`;
}
