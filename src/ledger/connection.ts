import knexFactory, { type Knex } from 'knex';
import pg from 'pg';
import { invariant } from '../platform/errors';

/** A transaction that sees one tenant (or, for the relay and operators, all of them). */
export type Tx = Knex.Transaction;

/** A connection to the ledger. */
export interface Ledger {
  readonly knex: Knex;
  /** Runs in one transaction that sees the rows of one tenant only. */
  forTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Runs in one transaction that sees every tenant: relay, sweep, operators' commands. */
  forSystem<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface LedgerOptions {
  /** Connections kept at most. */
  readonly poolSize?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
}

const STATEMENT_TIMEOUT_MS = 30_000;
const ACQUIRE_TIMEOUT_MS = 10_000;

/**
 * bigint columns hold cents and ids: read as safe integers or not at all. Dates stay text; a Date has no place for a
 * day without a time.
 */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, safeInteger);
types.setTypeParser(pg.types.builtins.DATE, (text) => text);

function safeInteger(text: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), `The ledger holds ${text}, which is beyond the safe integers`);
  return value;
}

const silent = (): void => undefined;

/** Opens a pool of connections to the ledger; nothing connects before the first query. */
export function openLedger(databaseUrl: string, options: LedgerOptions = {}): Ledger {
  const connection: Knex.PgConnectionConfig = {
    connectionString: databaseUrl,
    application_name: options.applicationName ?? 'troth',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    types: types as Knex.PgCustomTypesConfig, // to knex, a format is any string
  };
  const knex = knexFactory({
    client: 'pg',
    connection,
    pool: { min: 0, max: options.poolSize ?? 8 },
    acquireConnectionTimeout: ACQUIRE_TIMEOUT_MS,
    // Errors reach logs, Temporal's history and the terminal: no values in them.
    compileSqlOnError: false,
    // knex would write of lost connections to stdout, which is a command's answer; whoever asks gets the error.
    log: { warn: silent, error: silent, deprecate: silent, debug: silent },
  });
  const scoped = <T>(scope: string, work: (tx: Tx) => Promise<T>): Promise<T> =>
    knex.transaction(async (tx) => {
      await tx.raw("select set_config('troth.tenant', ?, true)", [scope]);
      return work(tx);
    });
  return {
    knex,
    forTenant: (tenantId, work) => scoped(tenantId, work),
    forSystem: (work) => scoped('*', work),
    close: () => knex.destroy(),
  };
}

/** SQL: an instant as milliseconds since 1970. `column` is an expression of ours, never a value. */
export const MS = (column: string): string => `cast(extract(epoch from ${column}) * 1000 as bigint)`;

/** Runs a statement with named parameters (`:name`) and returns its rows. */
export async function rows<Row>(
  tx: Tx,
  sql: string,
  values: Record<string, unknown>,
  options: { readonly prepareAs?: string } = {},
): Promise<Row[]> {
  const statement = tx.raw<{ rows: Row[] }>(sql, values as Record<string, Knex.RawBinding>);
  // A statement that every promise runs is planned once for each connection, not each time.
  if (options.prepareAs !== undefined) void statement.options({ name: options.prepareAs });
  return (await statement).rows;
}

/** The first row of a statement, or undefined. */
export async function row<Row>(
  tx: Tx,
  sql: string,
  values: Record<string, unknown>,
  options: { readonly prepareAs?: string } = {},
): Promise<Row | undefined> {
  return (await rows<Row>(tx, sql, values, options))[0];
}
