import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { TrothError } from './errors';
import { projectRoot } from './root';

const port = z.coerce.number().int().min(1).max(65_535);
const blankIsAbsent = (value: unknown): unknown => (value === '' ? undefined : value);

/** Every setting that Troth reads from the environment; docs/operations.md has the same table in prose. */
const environment = z.object({
  DATABASE_URL: z.preprocess(
    blankIsAbsent,
    z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
      .optional(),
  ),
  TROTH_HOME: z.preprocess(blankIsAbsent, z.string().optional()),
  TROTH_CACHE_DIR: z.preprocess(blankIsAbsent, z.string().optional()),
  TROTH_API_PORT: z.preprocess(blankIsAbsent, port.optional()),
  TROTH_POSTGRES_PORT: z.preprocess(blankIsAbsent, port.optional()),
  TROTH_TEMPORAL_PORT: z.preprocess(blankIsAbsent, port.optional()),
  TROTH_TEMPORAL_UI_PORT: z.preprocess(blankIsAbsent, port.optional()),
  TROTH_TEMPORAL_UI_URL: z.preprocess(blankIsAbsent, z.url().optional()),
  TROTH_TASK_QUEUE: z.preprocess(blankIsAbsent, z.string().max(200).default('troth')),
  TROTH_STATUS_AT_END: z.preprocess(blankIsAbsent, z.enum(['auto', 'on', 'off']).default('auto')),
  TROTH_CONTACTS_DIR: z.preprocess(blankIsAbsent, z.string().max(1000).optional()),
  TROTH_DATABASE_POOL: z.preprocess(blankIsAbsent, z.coerce.number().int().min(2).max(200).default(16)),
  TROTH_LOG_LEVEL: z.preprocess(
    blankIsAbsent,
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  ),
  TROTH_LOG_FORMAT: z.preprocess(blankIsAbsent, z.enum(['json', 'pretty']).optional()),
});

export interface Config {
  /** The user's own PostgreSQL; undefined means the embedded one. */
  readonly databaseUrl: string | undefined;
  /** Where the embedded default keeps its data, ports and run file. */
  readonly home: string;
  /** Where one-time builds are kept, shared by every clone of this user. */
  readonly cacheDir: string;
  /** Ports the user insists on; undefined means the usual one or the next that is free. */
  readonly ports: {
    readonly api: number | undefined;
    readonly postgres: number | undefined;
    readonly temporal: number | undefined;
    readonly temporalUi: number | undefined;
  };
  /** Address of a Temporal UI that somebody else runs, for links. */
  readonly temporalUiUrl: string | undefined;
  readonly taskQueue: string;
  /**
   * Whether an ended promise's status is written to Temporal's search attributes: one action each, which is billed on
   * Temporal Cloud only; `auto` writes it everywhere else.
   */
  readonly statusAtEnd: 'auto' | 'on' | 'off';
  /** Folder in which a worker leaves the contacts that collections makes; undefined: they stay due. */
  readonly contactsDir: string | undefined;
  readonly databasePool: number;
  readonly logLevel: string;
  readonly logFormat: 'json' | 'pretty';
}

function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  if (platform() === 'win32') return join(env['LOCALAPPDATA'] ?? homedir(), 'troth', 'cache');
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Caches', 'troth');
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'troth');
}

/**
 * Reads the configuration from environment variables. How to reach Temporal is read elsewhere, by Temporal's own
 * rules (TEMPORAL_ADDRESS, TEMPORAL_PROFILE …).
 * @throws TrothError CONFIG_INVALID naming each variable that is wrong; values are not repeated, they may be secret.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new TrothError(
      'CONFIG_INVALID',
      `Wrong environment: ${problems.join('; ')}. See docs/operations.md.`,
    );
  }
  const values = parsed.data;
  return {
    databaseUrl: values.DATABASE_URL,
    home: resolve(values.TROTH_HOME ?? join(projectRoot(), '.troth')),
    cacheDir: resolve(values.TROTH_CACHE_DIR ?? defaultCacheDir(env)),
    ports: {
      api: values.TROTH_API_PORT,
      postgres: values.TROTH_POSTGRES_PORT,
      temporal: values.TROTH_TEMPORAL_PORT,
      temporalUi: values.TROTH_TEMPORAL_UI_PORT,
    },
    temporalUiUrl: values.TROTH_TEMPORAL_UI_URL,
    taskQueue: values.TROTH_TASK_QUEUE,
    statusAtEnd: values.TROTH_STATUS_AT_END,
    contactsDir: values.TROTH_CONTACTS_DIR === undefined ? undefined : resolve(values.TROTH_CONTACTS_DIR),
    databasePool: values.TROTH_DATABASE_POOL,
    logLevel: values.TROTH_LOG_LEVEL,
    logFormat: values.TROTH_LOG_FORMAT ?? (process.stderr.isTTY ? 'pretty' : 'json'),
  };
}
