import type { Tx } from '../../ledger/connection';
import { getPolicy, type PolicyVersion } from '../../ledger/policies';
import { TrothError } from '../../platform/errors';
import type { PolicyOptions } from '../../rules/policy';
import { PRESET_NAMES, PRESETS } from '../../rules/presets';

const PRESET = 'preset:';

/** A policy as somebody named it on the command line. */
export interface Named {
  /** `default@2` or `preset:collect`. */
  readonly label: string;
  readonly options: PolicyOptions;
  /** Undefined for a preset, which belongs to no tenant. */
  readonly stored?: PolicyVersion;
}

/**
 * The policy that a text names: NAME (its newest version), NAME@VERSION, or `preset:NAME`.
 * @throws TrothError NOT_FOUND, or INPUT_INVALID when the text is none of these.
 */
export async function namedPolicy(tx: Tx, tenantId: string, text: string): Promise<Named> {
  if (text.startsWith(PRESET)) {
    const preset = PRESET_NAMES.find((name) => name === text.slice(PRESET.length));
    if (preset !== undefined) return { label: text, options: PRESETS[preset] };
    throw new TrothError('NOT_FOUND', `There is no "${text}"; presets are ${PRESET_NAMES.join(', ')}`);
  }
  const match = /^([a-z0-9][a-z0-9-]{0,39})(?:@([1-9]\d{0,8}))?$/.exec(text);
  if (match === null) {
    throw new TrothError(
      'INPUT_INVALID',
      `"${text}" names no policy; write NAME, NAME@VERSION or preset:NAME`,
    );
  }
  const [, name = '', version] = match;
  const stored = await getPolicy(tx, tenantId, name, version === undefined ? undefined : Number(version));
  return { label: `${stored.name}@${stored.version}`, options: stored.options, stored };
}
