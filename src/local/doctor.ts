import { accessSync, constants, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Config } from '../platform/config';
import { messageOf } from '../platform/errors';
import { projectRoot } from '../platform/root';
import { freeBytes, megabytes } from './machine/disk';
import { PREFERRED_PORTS, type PortName, isPortFree } from './ports';
import { describePlace } from './postgres-place';
import { readRunFile } from './runfile';
import { externalTemporal } from './temporal';
import { GO_CACHE_BYTES, describeGo, findTemporalBinaries } from './temporal-build';
import { canDownload, findDownloadedCli, findTemporalOnPath } from './temporal-cli';

const LOW_DISK_BYTES = 1_000_000_000;
const OLDEST_POSTGRES = 14;
const NEWEST_POSTGRES = 18;

/** One thing looked at. `advice` is empty when nothing is to be done. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly advice: string;
}

const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail, advice: '' });
const warn = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'warn',
  detail,
  advice,
});
const fail = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'fail',
  detail,
  advice,
});

/** Looks at everything a start needs, and changes nothing but making the home folder. Takes at most some seconds. */
export async function examine(config: Config): Promise<Check[]> {
  const checks: (() => Check | Check[] | Promise<Check | Check[]>)[] = [
    checkNode,
    checkDependencies,
    () => checkHome(config),
    () => checkDisk(config),
    () => checkRun(config),
    () => checkPorts(config),
    () => (config.databaseUrl === undefined ? checkEmbedded(config) : checkDatabase(config.databaseUrl)),
    () => checkTemporal(config),
    () => checkGo(config),
  ];
  const results: Check[] = [];
  for (const check of checks) {
    try {
      results.push(...[await check()].flat());
    } catch (error) {
      results.push(fail(check.name === '' ? 'check' : check.name, messageOf(error), 'See the message.'));
    }
  }
  return results;
}

function checkNode(): Check {
  const manifest = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  const detail = `${process.versions.node} (${process.platform}-${process.arch}); wanted ${manifest.engines.node}`;
  return good ? ok('Node', detail) : fail('Node', detail, 'Install one of the wanted versions.');
}

function checkDependencies(): Check {
  const modules = join(projectRoot(), 'node_modules');
  if (!existsSync(modules)) return fail('Dependencies', 'node_modules is missing', 'Run npm ci.');
  const installed = existsSync(join(modules, '.troth-lock-hash'));
  return installed
    ? ok('Dependencies', 'installed as package-lock.json says')
    : warn('Dependencies', 'installed by hand', 'npm start checks them against package-lock.json.');
}

function checkHome(config: Config): Check {
  try {
    mkdirSync(config.home, { recursive: true });
    accessSync(config.home, constants.W_OK | constants.R_OK | constants.X_OK);
    return ok('Home', config.home);
  } catch (error) {
    return fail(
      'Home',
      `${config.home} is not writable: ${messageOf(error)}`,
      'Choose another one in TROTH_HOME.',
    );
  }
}

function checkDisk(config: Config): Check[] {
  return [
    { name: 'Disk of the home', path: config.home },
    { name: 'Disk of the cache', path: config.cacheDir },
  ].map(({ name, path }) => {
    const free = freeBytes(path);
    const detail = `${megabytes(free)} free for ${path}`;
    return free < LOW_DISK_BYTES ? warn(name, detail, 'Make room; data grows with use.') : ok(name, detail);
  });
}

function checkRun(config: Config): Check {
  const run = readRunFile(config.home);
  if (run !== undefined) return ok('Running', `yes, process ${run.pid}, API ${run.apiUrl ?? 'not up yet'}`);
  return existsSync(join(config.home, 'run.json'))
    ? warn(
        'Running',
        'no, but an earlier run was killed',
        'The next start or "troth down" cleans up after it.',
      )
    : ok('Running', 'no');
}

async function checkPorts(config: Config): Promise<Check[]> {
  if (readRunFile(config.home) !== undefined) return [];
  const results: Check[] = [];
  for (const name of Object.keys(PREFERRED_PORTS) as PortName[]) {
    const { port: usual, variable, of } = PREFERRED_PORTS[name];
    const insisted = config.ports[name];
    const port = insisted ?? usual;
    if (await isPortFree(port)) results.push(ok(`Port of ${of}`, `${port} is free`));
    else if (insisted === undefined)
      results.push(ok(`Port of ${of}`, `${port} is taken; the next free one will do`));
    else results.push(fail(`Port of ${of}`, `${port} is taken`, `Change or unset ${variable}.`));
  }
  return results;
}

function checkEmbedded(config: Config): Check {
  const place = describePlace(join(config.home, 'postgres'));
  const link = lstatSync(place.dataDir, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const where =
    place.barrier === undefined && !link
      ? place.dataDir
      : `/var/lib/troth (linked from ${place.dataDir}), because the postgres user may not pass ${place.barrier ?? 'here'}`;
  return ok('PostgreSQL', `embedded ${place.version}, run as ${place.runsAs}, data in ${where}`);
}

async function checkDatabase(url: string): Promise<Check[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const found = await client.query<{ version: string; bypasses: boolean; role: string }>(
      `SELECT current_setting('server_version_num') AS version, current_user AS role,
              (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypasses`,
    );
    const row = found.rows[0];
    const major = Math.floor(Number(row?.version ?? 0) / 10_000);
    const supported = major >= OLDEST_POSTGRES && major <= NEWEST_POSTGRES;
    const range = `${OLDEST_POSTGRES} to ${NEWEST_POSTGRES}`;
    return [
      supported
        ? ok('PostgreSQL', `the one of DATABASE_URL, version ${major}`)
        : fail('PostgreSQL', `version ${major}`, `Use a PostgreSQL from ${range}.`),
      row?.bypasses === true
        ? warn(
            'PostgreSQL role',
            `${row.role} bypasses row-level security`,
            'Use a role that is no superuser.',
          )
        : ok('PostgreSQL role', `${row?.role ?? ''}, bound by row-level security`),
    ];
  } catch (error) {
    const advice = 'Start it, correct DATABASE_URL, or unset it to use the embedded one.';
    return [fail('PostgreSQL', `DATABASE_URL does not answer: ${messageOf(error)}`, advice)];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function checkTemporal(config: Config): Promise<Check> {
  const external = externalTemporal();
  if (external !== undefined)
    return ok('Temporal', `1. the one at ${external.address}, namespace ${external.namespace}`);
  const onPath = findTemporalOnPath();
  if (onPath !== undefined) return ok('Temporal', `2. the program on PATH, ${onPath}`);
  if (findDownloadedCli(config.cacheDir) !== undefined)
    return ok('Temporal', '3. the official CLI, downloaded earlier');
  const built = findTemporalBinaries(config.cacheDir);
  if (built !== undefined) return ok('Temporal', `4. the production server, built earlier (${built.key})`);
  if (await canDownload()) return ok('Temporal', '3. the official CLI, to be downloaded');
  if (describeGo().good)
    return ok('Temporal', '4. the production server, to be built with Go (once, some minutes)');
  return fail(
    'Temporal',
    'none: no TEMPORAL_ADDRESS, no program on PATH, no way to the download site, no fitting Go',
    'Open one of these four ways.',
  );
}

function checkGo(config: Config): Check {
  const { found, needed, good } = describeGo();
  const built = findTemporalBinaries(config.cacheDir) !== undefined;
  if (found === undefined) return ok('Go', `not found; needed (${needed}) only to build Temporal`);
  if (!good)
    return warn('Go', `${found}, too old to build Temporal`, `Install ${needed} or newer, if you need that.`);
  if (!built && freeBytes(config.cacheDir) < GO_CACHE_BYTES)
    return warn(
      'Go',
      found,
      `Building Temporal may take ${megabytes(GO_CACHE_BYTES)} of disk once; make room.`,
    );
  return ok('Go', `${found}${built ? ', build in cache' : ''}`);
}
