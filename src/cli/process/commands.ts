import type { Command } from 'commander';
import { forTenantData, helpEnd, noteText, actorText, positive, withTenant } from '../context';
import { check, type CheckOptions } from './check';
import { set, type SetOptions } from './set';
import { list, show, type ShowOptions } from './show';

const MOST_VERSION = 999_999_999;

/** `troth process list | show | check | set`. */
export function registerProcess(program: Command): void {
  const process = program
    .command('process')
    .description('look at and set collections processes: what is done about a debt that nobody has promised');
  forTenantData(
    process.command('list').description('list the process of each debt class, and how many cases are open'),
  )
    .addHelpText(
      'after',
      `\nWith --json one object a line.\n${helpEnd(['troth process list --tenant demo'])}`,
    )
    .action((options: ShowOptions) => withTenant(options, (context) => list(context, options)));
  forTenantData(
    process
      .command('show <class>')
      .description('show the process of a debt class: what starts it, its steps, seasons and holds')
      .option('--version <number>', 'an earlier version (default: the newest)', positive(MOST_VERSION)),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth process show water', 'troth process show water --version 2 --json | jq .definition'],
        ['66  the debt class has no process, or not that version'],
      ),
    )
    .action((debtClass: string, options: ShowOptions) =>
      withTenant(options, (context) => show(context, debtClass, options)),
    );
  registerChanges(process);
}

function registerChanges(process: Command): void {
  process
    .command('check <file>')
    .description('check a process file and list everything that is wrong with it; needs no database')
    .option('--json', 'answer as JSON, for machines')
    .addHelpText(
      'after',
      [
        '',
        'A file of - is standard input. docs/collections/process.md says what each field means.',
        '',
        'Example:',
        '  troth process check examples/process-water.json',
        '',
        'Exit codes:',
        '  0   it is a process',
        '  64  wrong usage',
        '  65  something is wrong with it',
        '  66  there is no such file',
      ].join('\n'),
    )
    .action((file: string, options: CheckOptions) => check(file, options));
  forTenantData(
    process
      .command('set <class> <file>')
      .description('make the next version of the process of a debt class from a JSON file')
      .option('--note <text>', 'why it is made, for those who come after', noteText)
      .option('--actor <who>', 'who makes it (default: cli:<user>)', actorText)
      .option('--wake', 'have all open cases of the class look again at once'),
  )
    .addHelpText(
      'after',
      [
        '',
        'Runs that are open keep their version; what starts from now on has the new one.',
        helpEnd(
          [
            'troth process set water examples/process-water.json --note "winter 2026"',
            'troth process set water process.json --wake',
          ],
          ['65  something is wrong with the file; nothing was made', '66  there is no such file or tenant'],
        ),
      ].join('\n'),
    )
    .action((debtClass: string, file: string, options: SetOptions) =>
      withTenant(options, (context) => set(context, [debtClass, file], options)),
    );
}
