import type { Command } from 'commander';
import { finishItem, worklist, type WorklistItem } from '../collections/worklist';
import { WORKLIST_KINDS, type WorklistKind } from '../ledger/collections/worklist';
import {
  actorOfCli,
  actorText,
  forTenantData,
  helpEnd,
  noteText,
  oneOf,
  positive,
  withTenant,
  type TenantContext,
} from './context';
import { isOutputClosed, print, printJson } from './output';
import { bold, dim, plural, printable, red, wrapped, yellow } from './text';

interface ListOptions {
  readonly kind?: WorklistKind;
  readonly account?: string;
  readonly limit: number;
  readonly tenant?: string;
  readonly json?: true;
}

interface DoneOptions {
  readonly note: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const DEFAULT_LIMIT = 50;
const MOST_LISTED = 1_000_000;

/** `troth worklist` and `troth worklist done`: what needs a person (R36). */
export function registerWorklist(program: Command): void {
  const command = forTenantData(
    program
      .command('worklist')
      .description('list what needs a person: stuck things, approvals, broken promises, reversed payments')
      .option('--kind <kind>', `only ${WORKLIST_KINDS.join(', ')}`, oneOf(WORKLIST_KINDS))
      .option('--account <id>', 'only what concerns an account')
      .option('--limit <count>', 'the most to list', positive(MOST_LISTED), DEFAULT_LIMIT),
  )
    .addHelpText(
      'after',
      [
        '',
        'Stuck things come first, then approvals; the oldest and largest of each kind first.',
        'With --json one object a line. docs/collections/worklist.md says what the kinds mean.',
        helpEnd(['troth worklist --tenant demo', 'troth worklist --kind approval --json | jq -r .next']),
      ].join('\n'),
    )
    .action((options: ListOptions) => withTenant(options, (context) => list(context, options)));
  forTenantData(
    command
      .command('done <item>')
      .description('mark an item as dealt with; it comes back when something new happens')
      .option('--note <text>', 'what was done, for a colleague', noteText, 'done')
      .option('--actor <who>', 'who did it (default: cli:<user>)', actorText),
  )
    .addHelpText(
      'after',
      helpEnd(
        ['troth worklist done broken/E-10024/1 --note "called; pays on Friday"'],
        ['65  an approval: answer it instead', '66  there is no such item'],
      ),
    )
    // What the parent command takes, too, Commander gives to it.
    .action((item: string, _: DoneOptions, self: Command) => {
      const options = self.optsWithGlobals<DoneOptions>();
      return withTenant(options, (context) => done(context, item, options));
    });
}

async function list({ ledger, tenant }: TenantContext, options: ListOptions): Promise<void> {
  const { kind, account, limit, json } = options;
  const filter = {
    ...(kind === undefined ? {} : { kinds: [kind] }),
    ...(account === undefined ? {} : { accountId: account }),
    // One more says whether there are more.
    limit: json === true ? limit : limit + 1,
  };
  let count = 0;
  for await (const item of worklist(ledger, tenant.tenantId, filter)) {
    if (isOutputClosed()) return;
    count += 1;
    if (json === true) printJson(item);
    else if (count <= limit) tell(item, count > 1);
  }
  if (json === true) return;
  if (count === 0) print('Nothing needs a person.');
  else {
    print();
    print(`${plural(Math.min(count, limit), 'item')}; mark one as dealt with: troth worklist done ITEM`);
    if (count > limit) print(dim('There are more; --limit lists them.'));
  }
}

function tell(item: WorklistItem, after: boolean): void {
  const { itemId, kind, accountId, debtClass, promiseId, ageDays, amount, reason, next } = item;
  if (after) print();
  const colour = kind === 'stuck' ? red : kind === 'approval' ? yellow : bold;
  const parts = [
    ageDays === 0 ? 'today' : plural(ageDays, 'day'),
    ...[amount, accountId === null ? null : `account ${accountId}`, debtClass],
    promiseId === null ? null : `promise ${promiseId}`,
  ];
  print(`${colour(kind)}  ${printable(parts.filter((part) => part !== null).join(', '))}`);
  print(wrapped(reason, '  '));
  print(wrapped(next, '  → ').replaceAll('\n  → ', '\n    '));
  print(dim(`  ${printable(itemId)}`));
}

async function done({ ledger, tenant }: TenantContext, itemId: string, options: DoneOptions): Promise<void> {
  const { note, actor, json } = options;
  const { result, item } = await finishItem(ledger, tenant.tenantId, itemId, {
    ...{ note, actor: actor ?? actorOfCli() },
  });
  if (json === true) printJson({ itemId, result, item });
  else if (result === 'known') print('It was marked as dealt with before.');
  else print('Done; it comes back when something new happens.');
}
