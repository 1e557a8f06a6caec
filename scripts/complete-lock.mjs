// Adds to package-lock.json the optional packages of other platforms that the registry used to make it did not have.
// npm leaves those out, and "npm ci" then refuses everywhere. Run it after "npm install" where that is so:
//   node scripts/complete-lock.mjs
// The added entries have a version but no integrity hash: only a registry that has the package could tell it.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));

const SYSTEMS = [
  'darwin',
  'linux',
  'win32',
  'windows',
  'freebsd',
  'android',
  'openharmony',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
];
const CPUS = {
  x64: 'x64',
  arm64: 'arm64',
  ia32: 'ia32',
  arm: 'arm',
  ppc64: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
  wasm32: 'wasm32',
  loong64: 'loong64',
  mips64el: 'mips64el',
  x86: 'ia32',
};

/** For which platform a package is, as far as its name tells; that is how all of them are named. */
function platformOf(name) {
  const parts = name.split('/').at(-1).split('-');
  const system = SYSTEMS.find((known) => parts.includes(known));
  const cpu = Object.keys(CPUS).find((known) => parts.includes(known));
  const libc = parts.includes('musl')
    ? 'musl'
    : parts.includes('gnu') && system === 'linux'
      ? 'glibc'
      : undefined;
  return {
    ...(cpu === undefined ? {} : { cpu: [CPUS[cpu]] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
    ...(system === undefined ? {} : { os: [system === 'windows' ? 'win32' : system] }),
  };
}

/** Where Node would find `name` from the package at `path`, or undefined. */
function resolved(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (lock.packages[candidate] !== undefined) return candidate;
    if (folder === '') return undefined;
  }
}

const added = {};
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolved(path, name) !== undefined) continue;
    const exact = /^\d+\.\d+\.\d+[^ ]*$/.test(version) ? version : undefined;
    const platform = platformOf(name);
    if (exact === undefined || platform.os === undefined) {
      console.log(`left out: ${name}@${version} of ${path || 'the project'}`);
      continue;
    }
    const dev = entry.dev === true ? { dev: true } : {};
    const at = `node_modules/${name}`;
    if (added[at] !== undefined && added[at].version !== exact) {
      console.log(`left out: ${name}@${version} of ${path}, another version is at the top already`);
      continue;
    }
    added[at] = { version: exact, ...platform, ...dev, optional: true };
  }
}
const [root, ...others] = Object.entries({ ...lock.packages, ...added });
lock.packages = Object.fromEntries([root, ...others.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${Object.keys(added).length} packages of other platforms added`);
