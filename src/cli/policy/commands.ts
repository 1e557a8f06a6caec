import type { Command } from 'commander';
import { PRESET_NAMES } from '../../rules/presets';
import { forTenantData, helpEnd, oneOf, withTenant } from '../context';
import { create, type CreateOptions } from './create';
import { diff, list, show } from './show';

interface Options {
  readonly tenant?: string;
  readonly json?: true;
}

const NO_SUCH = '66  there is no such policy or tenant';

/** `troth policy list | show | diff | create`. */
export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .description('look at and make policies: the rules that promises are made under');
  forTenantData(
    policy.command('list').description('list policies, their versions and how many promises each holds'),
  )
    .addHelpText('after', `\nWith --json one object a line.\n${helpEnd(['troth policy list --tenant demo'])}`)
    .action((options: Options) => withTenant(options, (context) => list(context, options)));
  forTenantData(
    policy
      .command('show <policy>')
      .description('show every option of a policy: NAME, NAME@VERSION or preset:NAME'),
  )
    .addHelpText(
      'after',
      helpEnd(['troth policy show default', 'troth policy show preset:collect'], [NO_SUCH]),
    )
    .action((name: string, options: Options) =>
      withTenant(options, (context) => show(context, name, options)),
    );
  forTenantData(
    policy
      .command('diff <a> <b>')
      .description('show what differs between two: NAME, NAME@VERSION or preset:NAME'),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth policy diff default@1 default', 'troth policy diff default preset:sap-fica'],
        [NO_SUCH],
      ),
    )
    .action((a: string, b: string, options: Options) =>
      withTenant(options, (context) => diff(context, [a, b], options)),
    );
  registerCreate(policy);
}

function registerCreate(policy: Command): void {
  forTenantData(
    policy
      .command('create <name>')
      .description('make the next version of a policy, or a new policy')
      .option(
        '--preset <preset>',
        `start from ${PRESET_NAMES.join(', ')} (default: the newest version, else default)`,
        oneOf(PRESET_NAMES),
      )
      .option('--from-file <file>', 'a JSON file with options, such as {"preset": "collect", "graceDays": 5}')
      .option(
        '--set <option=value>',
        'set one option; may be given again. Value none takes a limit away',
        (setting, before: readonly string[] | undefined) => [...(before ?? []), setting],
      )
      .option('--default', 'make it the policy of promises that name none')
      .option('--note <note>', 'why it is made, for those who come after'),
  )
    .addHelpText(
      'after',
      [
        '',
        'What --set says goes before the file, and the file before the preset. Promises keep the',
        'version that they were made under. docs/policies.md says what the options mean.',
        helpEnd(
          [
            'troth policy create default --set graceDays=5 --note "winter 2026"',
            'troth policy create strict --preset oracle-ccb --set maxInstallments=6 --default',
            'troth policy create strict --set maxInstallments=none',
          ],
          ['65  an option or a value is wrong; nothing was made', '66  there is no such tenant or file'],
        ),
      ].join('\n'),
    )
    .action((name: string, options: CreateOptions & { readonly tenant?: string }) =>
      withTenant(options, (context) => create(context, name, options)),
    );
}
