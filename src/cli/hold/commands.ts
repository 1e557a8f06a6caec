import type { Command } from 'commander';
import { HOLD_KINDS } from '../../rules/collections/process';
import { CLASS_OPTION } from '../case/commands';
import {
  actorText,
  dateText,
  forTenantData,
  helpEnd,
  noteText,
  oneOf,
  positive,
  withTenant,
} from '../context';
import { list, place, release, type ListOptions, type PlaceOptions, type ReleaseOptions } from './hold';

const DEFAULT_LIMIT = 200;
const MOST_LISTED = 10_000;

/** `troth hold place | release | list`. */
export function registerHold(program: Command): void {
  const hold = program
    .command('hold')
    .description('stop collections of an account for a reason such as a dispute or a breathing space');
  registerPlace(hold);
  forTenantData(
    hold
      .command('release <id>')
      .description('end a hold; deadlines that it moved come back as far as days are left')
      .option('--on <date>', 'the first day without it (default: today)', dateText)
      .option('--reason <text>', 'why it ends', noteText)
      .option('--actor <who>', 'who ends it (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth hold release H-7K3QX2MB --reason "dispute settled"'],
        ['65  it was released before on another day, or the day is wrong', '66  there is no such hold'],
      ),
    )
    .action((id: string, options: ReleaseOptions) =>
      withTenant(options, (context) => release(context, id, options)),
    );
  forTenantData(
    hold
      .command('list [account]')
      .description('list the holds that stand, of all accounts or of one')
      .option('--all', 'also those that have ended or have not begun')
      .option('--limit <count>', 'the most to list', positive(MOST_LISTED), DEFAULT_LIMIT),
  )
    .addHelpText(
      'after',
      `\nWith --json one object a line.\n${helpEnd(['troth hold list', 'troth hold list 0010040905 --all'], ['66  there is no such account'])}`,
    )
    .action((account: string | undefined, options: ListOptions) =>
      withTenant(options, (context) => list(context, account, options)),
    );
}

function registerPlace(hold: Command): void {
  forTenantData(
    hold
      .command('place <account>')
      .description('put a hold on an account, or on one debt class of it')
      .requiredOption('--kind <kind>', HOLD_KINDS.join(', '), oneOf(HOLD_KINDS))
      .requiredOption('--reason <text>', 'why the debt is left alone', noteText)
      .option(CLASS_OPTION, 'only this debt class (default: all of the account)')
      .option('--id <id>', 'its id, so that the same command again is known (default: one is made)')
      .option('--from <date>', 'its first day; may be up to a year ago (default: today)', dateText)
      .option('--until <date>', 'its last day (default: until it is released)', dateText)
      .option('--actor <who>', 'who places it (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      [
        '',
        'What a kind does is said by the process of the debt class; a breathing space lasts 60 days',
        'where nothing else is said. See docs/collections/holds.md.',
        helpEnd(
          [
            'troth hold place 0010040905 --kind dispute --class water --reason "bill 4711 contested"',
            'troth hold place 0010040905 --kind breathing-space --from 2026-03-02 --reason "Reg. 7"',
          ],
          ['65  something is wrong, or another hold has the id', '66  there is no such account'],
        ),
      ].join('\n'),
    )
    .action((account: string, options: PlaceOptions) =>
      withTenant(options, (context) => place(context, account, options)),
    );
}
