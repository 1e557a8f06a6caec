import { readRunFile } from '../local/runfile';
import type { Config } from '../platform/config';
import { TrothError } from '../platform/errors';
import type { TemporalTarget } from '../temporal/connection';

/** Where a command finds what it works with. */
export interface Endpoints {
  readonly databaseUrl: string;
  /** Undefined: by Temporal's own environment configuration. */
  readonly temporal: TemporalTarget | undefined;
  readonly temporalUiUrl: string | undefined;
}

/**
 * Finds the ledger and Temporal: what the environment names goes first, then what `troth up` runs in this clone.
 * @throws TrothError NOT_RUNNING when there is neither.
 */
export function resolveEndpoints(config: Config, env: NodeJS.ProcessEnv = process.env): Endpoints {
  const run = readRunFile(config.home);
  const databaseUrl = config.databaseUrl ?? run?.databaseUrl;
  if (databaseUrl === undefined) {
    throw new TrothError(
      'NOT_RUNNING',
      'Troth is not running here; start it with npm start, or set DATABASE_URL',
    );
  }
  const named = [env['TEMPORAL_ADDRESS'], env['TEMPORAL_PROFILE'], env['TEMPORAL_CONFIG_FILE']];
  const fromEnvironment = named.some((value) => value !== undefined && value !== '');
  const ours = run?.temporal?.external === false ? run.temporal : undefined;
  return {
    databaseUrl,
    temporal:
      fromEnvironment || ours === undefined
        ? undefined
        : { address: ours.address, namespace: ours.namespace },
    temporalUiUrl: config.temporalUiUrl ?? run?.temporalUiUrl,
  };
}
