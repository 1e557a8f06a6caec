import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TrothError, type ErrorCode } from '../platform/errors';
import { projectRoot } from '../platform/root';
import { assertSpace } from './machine/disk';
import { withFileLock } from './machine/file-lock';

/** Everything together; measured: 5 minutes on two cores from an empty cache. */
const LIMIT_MS = 60 * 60_000;
const BINARIES_BYTES = 500_000_000;
/** What Go's own build cache takes when nothing of it is there yet. */
export const GO_CACHE_BYTES = 4_000_000_000;
const PROGRESS_MS = 500;
const suffix = process.platform === 'win32' ? '.exe' : '';

const PROGRAMS = [
  { file: `temporal-server${suffix}`, of: 'Temporal server', path: 'go.temporal.io/server/cmd/server' },
  { file: `temporal-sql-tool${suffix}`, of: 'schema tool', path: 'go.temporal.io/server/cmd/tools/sql' },
  { file: `temporal-ui${suffix}`, of: 'Temporal UI', path: 'github.com/temporalio/ui-server/v2/cmd/server' },
] as const;

/** The built programs. */
export interface TemporalBinaries {
  readonly server: string;
  readonly sqlTool: string;
  readonly ui: string;
  /** Names this build: versions, what go.mod and go.sum pin, platform. */
  readonly key: string;
}

export interface BuildOptions {
  readonly cacheDir: string;
  /** Told what is going on, about twice a second. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal;
}

interface Pinned {
  readonly moduleDir: string;
  readonly key: string;
  /** Go version that go.mod asks for, e.g. `1.26.8`. */
  readonly go: string;
}

function readPinned(): Pinned {
  const moduleDir = join(projectRoot(), 'tools', 'temporal');
  const mod = readFileSync(join(moduleDir, 'go.mod'), 'utf8');
  const sum = readFileSync(join(moduleDir, 'go.sum'), 'utf8');
  const version = (path: string): string => new RegExp(`\\b${path} v(\\S+)`).exec(mod)?.[1] ?? 'unknown';
  const hash = createHash('sha256').update(mod).update(sum).digest('hex').slice(0, 8);
  const server = version('go\\.temporal\\.io/server');
  const ui = version('github\\.com/temporalio/ui-server/v2');
  return {
    moduleDir,
    key: `server-${server}-ui-${ui}-${hash}-${process.platform}-${process.arch}`,
    go: /^go (\S+)$/m.exec(mod)?.[1] ?? '1.26',
  };
}

function locate(cacheDir: string, key: string): TemporalBinaries {
  const folder = join(cacheDir, 'temporal', key);
  const [server, sqlTool, ui] = PROGRAMS;
  return {
    server: join(folder, server.file),
    sqlTool: join(folder, sqlTool.file),
    ui: join(folder, ui.file),
    key,
  };
}

/** The build that is in the cache already, if it is the one go.mod pins. */
export function findTemporalBinaries(cacheDir: string): TemporalBinaries | undefined {
  const binaries = locate(cacheDir, readPinned().key);
  return [binaries.server, binaries.sqlTool, binaries.ui].every((file) => existsSync(file))
    ? binaries
    : undefined;
}

/** The Go toolchain on PATH: its version, the one go.mod needs, and whether it will do. */
export function describeGo(): { found: string | undefined; needed: string; good: boolean } {
  const needed = readPinned().go;
  const result = spawnSync('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], { encoding: 'utf8' });
  if (result.status !== 0) return { found: undefined, needed, good: false };
  const [version = '', toolchain = ''] = result.stdout.trim().split('\n');
  const found = /^go(\d+\.\d+(?:\.\d+)?)/.exec(version)?.[1];
  // From 1.21 on, and unless switched off, Go fetches the newer toolchain that a module asks for by itself.
  const fetches = found !== undefined && !isOlder(found, '1.21') && /auto|path/.test(toolchain);
  return { found, needed, good: found !== undefined && (!isOlder(found, needed) || fetches) };
}

function isOlder(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * The production server, its schema tool and Temporal UI, built once from the pinned Go module into a cache that
 * every clone, start and test shares. Two builders wait for one another; an interrupted build leaves nothing usable.
 * @throws TrothError ENVIRONMENT (Go missing or too old, no disk, no network) or TIMEOUT.
 */
export async function ensureTemporalBinaries(options: BuildOptions): Promise<TemporalBinaries> {
  const ready = findTemporalBinaries(options.cacheDir);
  if (ready !== undefined) return ready;
  const go = describeGo();
  if (go.found === undefined)
    throw new TrothError('ENVIRONMENT', `No Go toolchain on PATH; building Temporal needs Go ${go.needed}.`);
  if (!go.good) {
    throw new TrothError(
      'ENVIRONMENT',
      `Go ${go.found} is too old to build Temporal, which needs ${go.needed}. Install a newer Go, or allow Go to ` +
        'fetch it (GOTOOLCHAIN=auto).',
    );
  }
  const pinned = readPinned();
  const lock = join(options.cacheDir, 'temporal', `${pinned.key}.lock`);
  const onWait = (pid: number): void => options.progress(`waiting for the build by process ${pid}`);
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return withFileLock(lock, { limitMs: LIMIT_MS, onWait, ...signal }, async () => {
    return findTemporalBinaries(options.cacheDir) ?? build(pinned, options);
  });
}

async function build(pinned: Pinned, options: BuildOptions): Promise<TemporalBinaries> {
  assertSpace(options.cacheDir, BINARIES_BYTES, 'building Temporal');
  const target = join(options.cacheDir, 'temporal', pinned.key);
  const temporary = `${target}.building`;
  // We hold the lock: whatever is there is of a build that was interrupted.
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const startedAt = Date.now();
  try {
    for (const [index, program] of PROGRAMS.entries()) {
      const say = (detail: string): void =>
        options.progress(
          `building ${program.of} (${index + 1} of ${PROGRAMS.length}), ${clock(startedAt)}: ${detail}`,
        );
      await goBuild(
        pinned,
        join(temporary, program.file),
        program.path,
        startedAt + LIMIT_MS,
        say,
        options.signal,
      );
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return locate(options.cacheDir, pinned.key);
}

function clock(startedAt: number): string {
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function goBuild(
  pinned: Pinned,
  output: string,
  path: string,
  deadline: number,
  say: (detail: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = ['build', '-C', pinned.moduleDir, '-v', '-trimpath', '-tags', 'disable_grpc_modules'];
  const child = spawn('go', [...args, '-ldflags', '-s -w', '-o', output, path], {
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' },
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own: the compilers that go starts end with it.
    detached: process.platform !== 'win32',
  });
  const counts = { downloaded: 0, compiled: 0 };
  let tail = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4_000);
    for (const line of text.split('\n')) {
      if (line.startsWith('go: downloading')) counts.downloaded += 1;
      else if (line.trim() !== '') counts.compiled += 1;
    }
  });
  return new Promise((resolve, reject) => {
    const end = (code: ErrorCode, why: string): void => {
      killGroup(child.pid);
      reject(new TrothError(code, `${why}; what Go has built so far is kept.`));
    };
    const timer = setInterval(() => {
      if (signal?.aborted === true) end('LOCAL_START', 'Building Temporal was stopped');
      else if (Date.now() > deadline) end('TIMEOUT', 'Building Temporal took longer than an hour');
      else say(`${counts.downloaded} modules fetched, ${counts.compiled} packages compiled`);
    }, PROGRESS_MS);
    child.once('error', (error) => reject(buildError(path, error.message)));
    child.once('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve();
      else reject(buildError(path, tail));
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function buildError(path: string, said: string): TrothError {
  if (/no space left/i.test(said)) {
    const message =
      'No room on the disk while building Temporal; Go needs about 4 GB once (see: go env GOCACHE).';
    return new TrothError('ENVIRONMENT', message);
  }
  if (/dial tcp|no such host|connection refused|i\/o timeout|TLS handshake/i.test(said))
    return new TrothError(
      'ENVIRONMENT',
      'Go could not fetch the modules of Temporal: no way to the module proxy (see: go env GOPROXY). ' +
        'Connect, or set TEMPORAL_ADDRESS to a Temporal that runs elsewhere.',
    );
  const end = said.trim().split('\n').slice(-6).join('\n');
  return new TrothError('ENVIRONMENT', `go build ${path} failed:\n${end}`);
}
