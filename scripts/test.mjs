// Runs every test with jest (arguments are passed on) and ends with one line that says how many passed and failed.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
// Below the clone, where it is git-ignored: a kill -9 may leave it.
mkdirSync(join(root, 'dist'), { recursive: true });
const folder = mkdtempSync(join(root, 'dist', 'jest-'));
const results = join(folder, 'results.json');

const args = [
  '--config',
  join(root, 'jest.config.mjs'),
  '--json',
  `--outputFile=${results}`,
  ...process.argv.slice(2),
];
// With --json jest also prints the report on stdout; people read what it says on stderr.
const child = spawn(process.execPath, [jest, ...args], {
  cwd: root,
  stdio: ['inherit', 'ignore', 'inherit'],
});
// Ctrl-C reaches jest as well, which stops what it started; we only wait for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));

child.on('exit', (code, signal) => {
  process.exitCode = code ?? 1;
  try {
    const report = JSON.parse(readFileSync(results, 'utf8'));
    // A file that could not even be run counts as one failure: its tests are not in the numbers.
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    console.log(`${report.numPassedTests} passed, ${failed} failed`);
  } catch {
    console.log(`jest ended without a report (${signal ?? code})`);
    process.exitCode ||= 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
