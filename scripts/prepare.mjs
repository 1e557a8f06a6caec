// Makes a clone ready: right Node, dependencies as package-lock.json says, everything built. Runs before `npm start`,
// `npm test` and `npm run check`, so it uses nothing but Node itself and is quick when nothing is to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK_LIMIT_MS = 15 * 60_000;
const lockHashFile = join(root, 'node_modules', '.troth-lock-hash');
const stampFile = join(root, 'dist', '.sources-hash');
const say = (line) => console.log(`troth: ${line}`);

class Failure extends Error {}

const hashOf = (...texts) => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  return hash.digest('hex');
};

function checkNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  const have = process.versions.node.split('.').map(Number);
  const atLeast = (text) => {
    const want = text.split('.').map(Number);
    const i = [0, 1, 2].find((index) => have[index] !== want[index]);
    return i === undefined || have[i] > want[i];
  };
  // Two forms are enough here: ^20.19.0 (this major, from there on) and >=24.0.0.
  const good = wanted.split('||').some((range) => {
    const version = range.trim().replace(/^(\^|>=)/, '');
    return atLeast(version) && (!range.trim().startsWith('^') || have[0] === Number(version.split('.')[0]));
  });
  if (good) return;
  throw new Failure(
    `Node ${process.versions.node} will not do; Troth needs ${wanted}. Install one of these.`,
  );
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Whether node_modules is what package-lock.json says; npm's own list in it tells when we have not installed it. */
function dependenciesCurrent() {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const hash = hashOf(lockText);
  if (readIfThere(lockHashFile) === hash) return true;
  const installedText = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  if (installedText === undefined) return false;
  const installed = JSON.parse(installedText).packages;
  const wanted = Object.entries(JSON.parse(lockText).packages).filter(([path]) => path !== '');
  const same = wanted.every(([path, entry]) => {
    const found = installed[path];
    return found === undefined
      ? entry.optional === true || entry.peer === true
      : found.version === entry.version;
  });
  if (same) writeFileSync(lockHashFile, hash);
  return same;
}

function install() {
  const startedAt = Date.now();
  say('installing dependencies (npm ci)');
  let said = npm('ci');
  if (
    said !== undefined &&
    /can only install packages when your package.json and package-lock.json/.test(said)
  ) {
    // A lock made where the registry lacks packages of other platforms; see scripts/complete-lock.mjs.
    say('package-lock.json is not complete; installing what it has (npm install)');
    said = npm('install', '--no-save');
  }
  if (said !== undefined) throw new Failure(installFailure(said));
  writeFileSync(lockHashFile, hashOf(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  say(`dependencies installed in ${seconds(startedAt)}`);
}

/** Runs npm; answers undefined when it went well, else what it said. */
function npm(...command) {
  // Development packages build Troth, so they are needed even where NODE_ENV says production.
  const args = [...command, '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const viaNpm = process.env.npm_execpath?.endsWith('npm-cli.js') === true;
  const [program, all] = viaNpm ? [process.execPath, [process.env.npm_execpath, ...args]] : ['npm', args];
  const shell = !viaNpm && process.platform === 'win32';
  const result = spawnSync(program, all, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    shell,
  });
  return result.status === 0 ? undefined : (result.error?.message ?? result.stderr);
}

function installFailure(said) {
  if (/ENOSPC|no space left/i.test(said))
    return 'No room on the disk for the dependencies (about 800 MB). Make room.';
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|network/i.test(said))
    return 'npm cannot reach its registry. Check the network, or name a registry with "npm config set registry".';
  if (/ENOENT/.test(said) && /npm/.test(said) && !/npm error/.test(said))
    return 'There is no npm on PATH. Install it (it comes with Node).';
  return `npm failed:\n${said.trim().split('\n').slice(0, 12).join('\n')}`;
}

function seconds(startedAt) {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}

/** Hash of everything the build reads; undefined counts as never built. */
function sourcesHash() {
  const files = ['package-lock.json', 'tsconfig.json', join('scripts', 'build.mjs')];
  for (const folder of ['src', 'workflows', 'activities']) {
    const names = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of names)
      if (entry.isFile()) files.push(join(entry.parentPath ?? entry.path, entry.name));
  }
  const hash = createHash('sha256');
  for (const file of files.map((name) => (name.startsWith(root) ? name : join(root, name))).sort())
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

const builtFrom = () =>
  existsSync(join(root, 'dist', 'src', 'cli', 'main.js')) ? readIfThere(stampFile) : undefined;

function build(hash) {
  const startedAt = Date.now();
  say('building');
  const result = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) throw new Failure('The build failed; what is wrong is said above.');
  writeFileSync(stampFile, hash);
  say(`built in ${seconds(startedAt)}`);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** One at a time in a clone: a second `npm ci` would pull the packages from under the first. */
async function withLock(work) {
  const lock = join(root, 'dist', '.prepare-lock');
  mkdirSync(dirname(lock), { recursive: true });
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  const deadline = Date.now() + LOCK_LIMIT_MS;
  let told = false;
  try {
    for (;;) {
      try {
        linkSync(mine, lock);
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = Number(readIfThere(lock));
      if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
      else if (Date.now() > deadline)
        throw new Failure(`Process ${holder} has been preparing this clone for too long. End it.`);
      else await sleep(100);
      if (!told && holder > 0 && isAlive(holder))
        say(`waiting for process ${holder}, which prepares this clone`);
      told = true;
    }
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function main() {
  checkNode();
  const installOnly = process.argv.includes('--install-only');
  const done = () => dependenciesCurrent() && (installOnly || builtFrom() === sourcesHash());
  if (done()) return;
  await withLock(() => {
    // Looked at again: whoever held the lock has probably done the work.
    if (!dependenciesCurrent()) install();
    if (installOnly) return;
    const hash = sourcesHash();
    if (builtFrom() !== hash) build(hash);
  });
}

try {
  await main();
} catch (error) {
  if (error?.code === 'ENOSPC') console.error('troth: No room on the disk. Make room and try again.');
  else console.error(error instanceof Failure ? `troth: ${error.message}` : error);
  process.exitCode = 1;
}
