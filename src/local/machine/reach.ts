import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { TrothError } from '../../platform/errors';

/** Whom a process runs as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Whether this process may do everything, and PostgreSQL will not run as it. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The system user `postgres`, or undefined when this machine has none. */
export function findPostgresUser(): SystemUser | undefined {
  const uid = numberFrom('id', ['-u', 'postgres']);
  const gid = numberFrom('id', ['-g', 'postgres']);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/**
 * The system user `postgres`, created when missing: PostgreSQL refuses to run as root.
 * @throws TrothError ENVIRONMENT when it cannot be created.
 */
export function ensurePostgresUser(): SystemUser {
  const existing = findPostgresUser();
  if (existing !== undefined) return existing;
  spawnSync('groupadd', ['--system', 'postgres']);
  spawnSync('useradd', ['--system', '--no-create-home', '--gid', 'postgres', 'postgres']);
  const created = findPostgresUser();
  if (created !== undefined) return created;
  throw new TrothError(
    'ENVIRONMENT',
    'PostgreSQL refuses to run as root, and the system user "postgres" could not be created. ' +
      'Create it (useradd --system postgres), start Troth as another user, or set DATABASE_URL.',
  );
}

function numberFrom(command: string, args: readonly string[]): number | undefined {
  const result = spawnSync(command, [...args], { encoding: 'utf8' });
  if (result.status !== 0) return undefined;
  const value = Number.parseInt(result.stdout, 10);
  return Number.isInteger(value) ? value : undefined;
}

const EXECUTE = 0o1;
const READ = 0o4;

function grants(path: string, user: SystemUser, bits: number): boolean {
  const stats = statSync(path);
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return (stats.mode & (bits << shift)) === bits << shift;
}

/**
 * The topmost of `folder` and its parents that bars `user` from passing, or undefined when nothing does. Mode bits
 * decide; we never change them, these folders are the person's own.
 */
export function barredBy(folder: string, user: SystemUser): string | undefined {
  let barrier: string | undefined;
  let current = realpathSync(folder);
  for (;;) {
    if (!grants(current, user, EXECUTE)) barrier = current;
    const parent = dirname(current);
    if (parent === current) return barrier;
    current = parent;
  }
}

/** Whether `user` may run the program at `path`, as far as mode bits tell. */
export function canRun(path: string, user: SystemUser): boolean {
  return barredBy(dirname(path), user) === undefined && grants(realpathSync(path), user, READ | EXECUTE);
}
