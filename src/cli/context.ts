import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import { openLedger, type Ledger } from '../ledger/connection';
import { errorCodeOf, isAway, reasonOf } from '../ledger/database-errors';
import { getTenant, listTenants, type Tenant } from '../ledger/tenants';
import { loadConfig, type Config } from '../platform/config';
import { TrothError } from '../platform/errors';
import { isLocalDate, type LocalDate } from '../rules/calendar';
import { resolveEndpoints } from './endpoints';

/** What a command that works with the ledger is given. */
export interface Context {
  readonly config: Config;
  readonly ledger: Ledger;
}

/** As `Context`, with the tenant that is meant. */
export interface TenantContext extends Context {
  readonly tenant: Tenant;
}

/** Connections of one command: enough for a load, few enough for a small PostgreSQL. */
const POOL_SIZE = 10;
const FALLBACK_TENANT = 'demo';
const UNDEFINED_TABLE = '42P01';

/**
 * Runs `work` with the ledger of DATABASE_URL, or of the Troth that runs here, and always closes it.
 * @throws TrothError NOT_RUNNING when there is neither, UNAVAILABLE when the database is away.
 */
export async function withLedger<T>(work: (context: Context) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const { databaseUrl } = resolveEndpoints(config);
  const ledger = openLedger(databaseUrl, { poolSize: POOL_SIZE, applicationName: 'troth cli' });
  try {
    return await work({ config, ledger });
  } catch (error) {
    throw explained(error);
  } finally {
    await ledger.close();
  }
}

/** As `withLedger`, for one tenant: `--tenant`, else TROTH_TENANT, else the only one, else `demo`. */
export async function withTenant<T>(
  options: { readonly tenant?: string },
  work: (context: TenantContext) => Promise<T>,
): Promise<T> {
  return withLedger(async (context) =>
    work({ ...context, tenant: await chosenTenant(context.ledger, options.tenant) }),
  );
}

async function chosenTenant(ledger: Ledger, asked: string | undefined): Promise<Tenant> {
  const named = asked ?? (process.env['TROTH_TENANT'] || undefined);
  if (named !== undefined) return ledger.forTenant(named, (tx) => getTenant(tx, named));
  const tenants = await ledger.forSystem(listTenants);
  const tenant =
    tenants.length === 1 ? tenants[0] : tenants.find(({ tenantId }) => tenantId === FALLBACK_TENANT);
  if (tenant !== undefined) return tenant;
  if (tenants.length === 0) {
    throw new TrothError('NOT_FOUND', 'There is no tenant yet; make one: troth tenant create --help');
  }
  const some = tenants.slice(0, 10).map(({ tenantId }) => tenantId);
  throw new TrothError(
    'INPUT_INVALID',
    `There are ${tenants.length} tenants; name one with --tenant: ${some.join(', ')}`,
  );
}

/** What a database error means to somebody at a terminal. */
function explained(error: unknown): unknown {
  if (error instanceof TrothError) return error;
  if (errorCodeOf(error) === UNDEFINED_TABLE) {
    return new TrothError('UNAVAILABLE', 'The ledger has no tables yet; run: troth migrate', {
      cause: error,
    });
  }
  if (!isAway(error)) return error;
  return new TrothError('UNAVAILABLE', `The database cannot be reached: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** Who types, for the audit trail. */
export function actorOfCli(): string {
  return `cli:${userName()}`.slice(0, 200);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a container's user id without a name
  }
}

/** The options of every command that works with a tenant's data. */
export function forTenantData(command: Command): Command {
  return command
    .option('--tenant <id>', 'tenant (default: TROTH_TENANT, else the only tenant, else demo)')
    .option('--json', 'answer as JSON, for machines');
}

/** The end of a command's `--help`: an example and the exit codes. */
export function helpEnd(examples: readonly string[], exits: readonly string[] = []): string {
  const codes = ['0   done', ...exits, '64  wrong usage', '69  Troth or its database is not running'];
  return [
    '',
    `Example${examples.length > 1 ? 's' : ''}:`,
    ...examples.map((line) => `  ${line}`),
    '',
    'Exit codes:',
  ]
    .concat(codes.map((line) => `  ${line}`))
    .join('\n');
}

/** A whole number of at least 1, as an option's value. */
export function positive(most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > most)
      throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
    return value;
  };
}

/** A text of limited length, as an option's value. */
export function shortText(most: number): (text: string) => string {
  return (text) => {
    if (text.trim() !== '' && text.length <= most) return text;
    throw new InvalidArgumentError(`It must have 1 to ${most} characters.`);
  };
}

/** Who does something, as an option's value. */
export const actorText = shortText(200);
/** What a colleague should know, as an option's value. */
export const noteText = shortText(1000);

/** A date, as an option's value. */
export function dateText(text: string): LocalDate {
  if (isLocalDate(text)) return text;
  throw new InvalidArgumentError('It must be a date, written YYYY-MM-DD.');
}

/** One of some words, as an option's value. */
export function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    if (!words.includes(text)) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
    return text;
  };
}
