import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { z } from 'zod';
import { TrothError } from '../platform/errors';
import type { PostgresPlace } from './postgres-place';

const PASSWORD_BYTES = 24;

const credentialsSchema = z.object({ postgres: z.string().min(20), troth: z.string().min(20) });

/** Passwords of the two roles; they never leave the machine. */
export type Credentials = z.infer<typeof credentialsSchema>;

/**
 * Makes a new cluster. The passwords are set in single-user mode before the server listens for the first time:
 * that needs no password file which the postgres user could read, and no moment without a password.
 */
export function initCluster(place: PostgresPlace, home: string): Credentials {
  run(place, 'initdb', [
    `--pgdata=${place.dataDir}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    // PostgreSQL's own UTF-8 collation: the same order on every machine, whatever its locales.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
  ]);
  writeFileSync(
    join(place.dataDir, 'pg_hba.conf'),
    '# Written by Troth: passwords only, this machine only.\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  if (place.user !== undefined) chownSync(join(place.dataDir, 'pg_hba.conf'), place.user.uid, place.user.gid);
  return newCredentials(place, home);
}

/** The passwords kept beside the data; when that file was lost, new ones are set. The server must not run. */
export function readCredentials(place: PostgresPlace, home: string): Credentials {
  const file = credentialsFile(home);
  if (!existsSync(file)) return newCredentials(place, home);
  const parsed = credentialsSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new TrothError('LOCAL_START', `${file} is damaged. Delete it; the next start sets new passwords.`);
}

function credentialsFile(home: string): string {
  return join(home, 'postgres-credentials.json');
}

function newCredentials(place: PostgresPlace, home: string): Credentials {
  const credentials: Credentials = { postgres: newPassword(), troth: newPassword() };
  const statements = [
    `ALTER ROLE postgres PASSWORD '${credentials.postgres}'`,
    // The app's role must not be able to bypass row-level security, so it is neither superuser nor owner of more
    // than its database. Single-user mode has no IF NOT EXISTS for roles: a repeated CREATE only prints an error.
    'CREATE ROLE troth LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS',
    `ALTER ROLE troth PASSWORD '${credentials.troth}'`,
  ];
  run(place, 'postgres', ['--single', '-D', place.dataDir, 'postgres'], `${statements.join(';\n')};\n`);
  const file = credentialsFile(home);
  writeFileSync(`${file}.new`, `${JSON.stringify(credentials)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return credentials;
}

function newPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('base64url');
}

function run(place: PostgresPlace, program: string, args: readonly string[], input = ''): void {
  const result = spawnSync(join(place.binDir, program), [...args], {
    input,
    encoding: 'utf8',
    cwd: place.dataDir,
    env: { ...process.env, LC_ALL: 'C' },
    ...place.user,
  });
  if (result.status === 0) return;
  const said = (result.error?.message ?? result.stderr).trim();
  if (said.includes('No space left'))
    throw new TrothError('ENVIRONMENT', `No room on the disk for PostgreSQL in ${place.dataDir}. Make room.`);
  throw new TrothError(
    'LOCAL_START',
    `PostgreSQL's ${program} failed: ${said.split('\n').slice(-5).join(' ')}`,
  );
}

/** Makes Troth's own database when it is missing. */
export async function ensureAppDatabase(superuserUrl: string): Promise<void> {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const found = await client.query("SELECT FROM pg_database WHERE datname = 'troth'");
    if (found.rowCount === 0) await client.query('CREATE DATABASE troth OWNER troth');
  } finally {
    await client.end();
  }
}
