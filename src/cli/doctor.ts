import type { Command } from 'commander';
import { type Check, examine } from '../local/doctor';
import { loadConfig } from '../platform/config';
import { green, red, yellow } from './text';

const MARKS = { ok: green('ok  '), warn: yellow('warn'), fail: red('FAIL') } as const;

/** `troth doctor`: looks at everything a start needs; exit code 1 when something would fail. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check this machine and say what a start would use')
    .option('--json', 'print the checks as JSON')
    .addHelpText('after', '\nExample:\n  troth doctor --json\n')
    .action(async (options: { json?: boolean }) => {
      const checks = await examine(loadConfig());
      console.log(options.json === true ? JSON.stringify(checks, undefined, 2) : render(checks));
      if (checks.some((check) => check.status === 'fail')) process.exitCode = 1;
    });
}

function render(checks: readonly Check[]): string {
  const width = Math.max(...checks.map((check) => check.name.length));
  return checks
    .map(({ name, status, detail, advice }) => {
      const line = `${MARKS[status]}  ${name.padEnd(width)}  ${detail}`;
      return advice === '' ? line : `${line}\n${' '.repeat(width + 8)}${advice}`;
    })
    .join('\n');
}
