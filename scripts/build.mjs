// Compiles to dist/ and bundles the workflows once, so that workers start quickly and run what was built.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const require = createRequire(import.meta.url);

const filesBelow = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort()
    : [];

function compile() {
  const tsc = join(dirname(require.resolve('@typescript/native/package.json')), 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(1);
}

/** What was compiled from a source that is gone would still be found by require(). */
function removeOrphans() {
  for (const folder of ['src', 'workflows', 'activities']) {
    for (const file of filesBelow(join(dist, folder))) {
      const source = join(root, relative(dist, file)).replace(/\.js(\.map)?$/, '.ts');
      if (source.endsWith('.ts') && !existsSync(source)) rmSync(file);
    }
  }
}

/** Everything the bundle may be made of: our compiled code and the packages at their locked versions. */
function bundleKey() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const file of ['src', 'workflows'].flatMap((folder) => filesBelow(join(dist, folder))))
    if (file.endsWith('.js')) hash.update(relative(dist, file)).update(readFileSync(file));
  return hash.digest('hex');
}

async function bundle() {
  const target = join(dist, 'workflow-bundle.js');
  const keyFile = `${target}.key`;
  const key = bundleKey();
  if (existsSync(target) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return;
  const { bundleWorkflowCode } = require('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(dist, 'workflows', 'index.js'),
    // Travels inside the bundle; the worker names the same file for its own thread.
    payloadConverterPath: join(dist, 'workflows', 'payload-converter.js'),
    logger: quietLogger(),
  });
  // A worker that starts now must read the old bundle or the new one, never half of one.
  writeFileSync(`${target}.${process.pid}`, code);
  renameSync(`${target}.${process.pid}`, target);
  writeFileSync(keyFile, key);
}

function quietLogger() {
  const silent = () => undefined;
  const loud = (message, meta) => console.error(message, meta ?? '');
  const log = (level, message, meta) =>
    level === 'WARN' || level === 'ERROR' ? loud(message, meta) : undefined;
  return { log, trace: silent, debug: silent, info: silent, warn: loud, error: loud };
}

compile();
removeOrphans();
await bundle();
