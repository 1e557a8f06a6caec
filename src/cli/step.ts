import type { Command } from 'commander';
import { answerStep } from '../collections/approvals';
import { CLASS_OPTION } from './case/commands';
import {
  actorOfCli,
  actorText,
  forTenantData,
  helpEnd,
  noteText,
  positive,
  withTenant,
  type TenantContext,
} from './context';
import { print, printJson } from './output';
import { printable } from './text';

interface Options {
  readonly debtClass: string;
  readonly run?: number;
  readonly note?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const MOST_RUNS = 1_000_000;
const EXITS = ['65  it was answered otherwise before', '66  no such step awaits approval'];

/** `troth step approve` and `troth step refuse`: a person's word on a step that is never automatic. */
export function registerStep(program: Command): void {
  const step = program.command('step').description('answer steps of collections that wait for a person');
  for (const [name, approved] of [
    ['approve', true],
    ['refuse', false],
  ] as const) {
    forTenantData(
      step
        .command(`${name} <account> <step>`)
        .description(
          approved
            ? 'approve a step; the case does it on the first day on which it may be done'
            : 'refuse a step; the case goes on without it',
        )
        .requiredOption(CLASS_OPTION, 'the debt class, such as water')
        .option('--run <number>', 'the run (default: the newest in which it waits)', positive(MOST_RUNS))
        .option('--note <text>', 'what a colleague should know', noteText)
        .option('--actor <who>', 'who answers (default: cli:<user>)', actorText),
    )
      .addHelpText(
        'after',
        helpEnd([`troth step ${name} 0010040905 shut-off --class water --note "seen the file"`], EXITS),
      )
      .action((account: string, stepId: string, options: Options) =>
        withTenant(options, (context) => answer(context, [account, stepId], approved, options)),
      );
  }
}

async function answer(
  { ledger, tenant }: TenantContext,
  [accountId, stepId]: readonly [string, string],
  approved: boolean,
  { debtClass, run, note, actor, json }: Options,
): Promise<void> {
  const key = { tenantId: tenant.tenantId, accountId, debtClass };
  const { runNo } = await answerStep(ledger, key, {
    ...{ stepId, approved, actor: actor ?? actorOfCli(), note: note ?? null },
    ...(run === undefined ? {} : { runNo: run }),
  });
  if (json === true) {
    printJson({ accountId, debtClass, runNo, stepId, approved });
    return;
  }
  const what = `Step ${printable(stepId)} of account ${printable(accountId)}, ${printable(debtClass)}, run ${runNo}`;
  print(`${what}, is ${approved ? 'approved' : 'refused'}.`);
  print(
    approved
      ? 'The case does it on the first day on which it may be done, if enough is still to be collected.'
      : 'The case goes on without it.',
  );
}
