// How many scenario files `troth simulate` plays per second on one core: copies of test/facts under other names.
//   npm run build && node bench/simulate.mjs [files=1000] [rounds=3]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const facts = join(root, 'test', 'facts');
const troth = process.env.TROTH_BIN ?? join(root, 'bin', 'troth.js');
const [FILES, ROUNDS] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 3)];

const names = readdirSync(facts).filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'));
const folder = mkdtempSync(join(tmpdir(), 'troth-simulate-'));
try {
  for (let index = 0; index < FILES; index += 1) {
    const scenario = JSON.parse(readFileSync(join(facts, names[index % names.length]), 'utf8'));
    const id = `${scenario.id}-${index}`;
    writeFileSync(join(folder, `${id}.json`), JSON.stringify({ ...scenario, id }));
  }
  for (const [what, options] of [
    ['checked and told as JSON', ['--json']],
    ['one line a file', []],
  ]) {
    const seconds = Array.from({ length: ROUNDS }, () => timed(options)).sort((a, b) => a - b);
    const median = seconds[Math.floor(ROUNDS / 2)];
    const perSecond = (FILES / median).toFixed(0);
    console.log(
      `${FILES} files, ${what}: ${median.toFixed(2)} s, ${perSecond} files/s (start-up included, median of ${ROUNDS})`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function timed(options) {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [troth, 'simulate', folder, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1024 * 1024,
  });
  if (status !== 0) throw new Error(`troth simulate ended with ${status}: ${stderr}`);
  return (performance.now() - startedAt) / 1000;
}
