import type { Command } from 'commander';
import { decideApproval } from '../../enrollment/approve';
import type { Settlement } from '../../ledger/promises/settle';
import { epochMs, formatDate, formatLocalTime } from '../../rules/calendar';
import { formatMoney } from '../../rules/money';
import { actorText, forTenantData, helpEnd, noteText, withTenant, type TenantContext } from '../context';
import { print, printJson } from '../output';
import { printable } from '../text';
import { asked, done } from './answer';

interface Options {
  readonly note?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

const EXITS = ['65  refused: it waits for no approval, or you enrolled it', '66  there is no such promise'];

/** `troth approve` and `troth reject`: a second person's word on a promise that waits for it (R25). */
export function registerApproval(program: Command): void {
  forTenantData(
    program
      .command('approve <id>')
      .description('approve a promise that waits for a second person')
      .option('--note <text>', 'what a colleague should know', noteText)
      .option('--actor <who>', 'who approves; not who enrolled it (default: cli:<user>)', actorText),
  )
    .addHelpText('after', helpEnd(['troth approve E-10013 --note "income proof seen"'], EXITS))
    .action((id: string, options: Options) =>
      withTenant(options, (context) => decide(context, id, true, options)),
    );
  forTenantData(
    program
      .command('reject <id>')
      .description('refuse a promise that waits for approval; it ends as cancelled: not_approved')
      .requiredOption('--note <text>', 'why, for the colleague who made the promise', noteText)
      .option('--actor <who>', 'who refuses (default: cli:<user>)', actorText),
  )
    .addHelpText('after', helpEnd(['troth reject E-10013 --note "too long for this debt"'], EXITS))
    .action((id: string, options: Options) =>
      withTenant(options, (context) => decide(context, id, false, options)),
    );
}

async function decide(
  { ledger, tenant }: TenantContext,
  promiseId: string,
  approved: boolean,
  { note, actor, json }: Options,
): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const answer = await decideApproval(ledger, tenantId, promiseId, { approved, note, actor }, asked());
  const what = `Promise ${promiseId} was not ${approved ? 'approved' : 'refused'}`;
  const settlement = done(answer, what, { actor: '--actor', note: '--note' });
  const { status, revision, sentence, nextJudgeAtMs } = settlement;
  if (json === true) {
    const nextJudgeAt = nextJudgeAtMs === null ? null : new Date(nextJudgeAtMs).toISOString();
    printJson({ promiseId, approved, status, revision, nextJudgeAt, sentence });
  } else print(printable(sentence ?? approvedSentence(settlement, timeZone)));
}

function approvedSentence(
  { promiseId, status, evaluation, facts, nextJudgeAtMs }: Settlement,
  timeZone: string,
): string {
  const [first] = evaluation.lines;
  if (evaluation.awaitsDownPayment && first !== undefined) {
    const { amountCents, dueDate } = first.line;
    const down = `${formatMoney(amountCents, facts.currency)} due ${formatDate(dueDate)}`;
    return `Promise ${promiseId} is approved and waits for its down payment, ${down}.`;
  }
  const next =
    nextJudgeAtMs === null ? '' : `, next judged ${formatLocalTime(epochMs(nextJudgeAtMs), timeZone)}`;
  return `Promise ${promiseId} is approved and ${status}${next}.`;
}
