import type { Command } from 'commander';
import {
  acknowledgeByHand,
  listOutside,
  resendOutside,
  type ListedMessage,
} from '../../ledger/collections/outside';
import { tenantNow } from '../../ledger/tenants';
import { TrothError } from '../../platform/errors';
import {
  actorOfCli,
  actorText,
  forTenantData,
  helpEnd,
  positive,
  withTenant,
  type TenantContext,
} from '../context';
import { fittedTable, print, printJson } from '../output';
import { green, plural, printable, yellow } from '../text';

const MOST_LISTED = 10_000;
const DEFAULT_LIMIT = 200;
const MOST_ACKNOWLEDGED = 1000;
const NO_SUCH = '66  there is no such message; nothing was changed';

interface Options {
  readonly tenant?: string;
  readonly json?: true;
  readonly actor?: string;
}

interface ListOptions extends Options {
  readonly unacknowledged?: true;
  readonly limit: number;
}

/** `troth collections outside list`, `troth collections ack`, `troth collections resend`. */
export function registerOutside(group: Command): void {
  const outside = group.command('outside').description('messages to a collections system outside');
  forTenantData(
    outside
      .command('list')
      .description('list messages to the system outside, oldest first')
      .option('--unacknowledged', 'only those that it has not acknowledged')
      .option('--limit <count>', 'the most to list', positive(MOST_LISTED), DEFAULT_LIMIT),
  )
    .addHelpText(
      'after',
      `\nWith --json one object a line.\n${helpEnd(['troth collections outside list --unacknowledged'])}`,
    )
    .action((options: ListOptions) => withTenant(options, (context) => list(context, options)));
  const byWhom = ['--actor <who>', 'who says so (default: cli:<user>)'] as const;
  forTenantData(
    group
      .command('ack <outcome...>')
      .description('acknowledge messages by hand: the system outside has them')
      .option(...byWhom, actorText),
  )
    .addHelpText('after', helpEnd(['troth collections ack P-1/1/broken'], [NO_SUCH]))
    .action((outcomes: string[], options: Options) =>
      withTenant(options, (context) => acknowledge(context, outcomes, options)),
    );
  forTenantData(
    group
      .command('resend <outcome>')
      .description('send a message once more, also when it was acknowledged')
      .option(...byWhom, actorText),
  )
    .addHelpText('after', helpEnd(['troth collections resend P-1/1/broken'], [NO_SUCH]))
    .action((outcome: string, options: Options) =>
      withTenant(options, (context) => resend(context, outcome, options)),
    );
}

async function list(
  { ledger, tenant }: TenantContext,
  { unacknowledged, limit, json }: ListOptions,
): Promise<void> {
  const { tenantId } = tenant;
  const only = unacknowledged === true;
  const found = await ledger.forTenant(tenantId, (tx) =>
    listOutside(tx, tenantId, { unacknowledged: only, limit }),
  );
  const now = Date.now();
  if (json === true) {
    for (const one of found) printJson({ ...one, ageSeconds: ageSeconds(one, now) });
    return;
  }
  if (found.length === 0) {
    print(only ? 'Every message has been acknowledged.' : 'There is no message to a system outside.');
    return;
  }
  const lines = found.map((one) => [
    printable(one.outcomeId),
    printable(one.accountId),
    ageText(ageSeconds(one, now)),
    String(one.attempts),
    one.acknowledgedAt === null
      ? yellow(one.sentAt === null ? 'waits' : 'sent')
      : green(`acknowledged: ${printable(one.acknowledgedBy ?? '')}`),
    printable(one.lastError ?? ''),
  ]);
  print(fittedTable(['Outcome', 'Account', 'Age', 'Attempts', 'State', 'Last error'], lines));
  if (found.length === limit) print(`Only the ${limit} oldest are listed; --limit lists more.`);
}

function ageSeconds({ createdAt }: ListedMessage, nowMs: number): number {
  return Math.max(0, Math.round((nowMs - createdAt.getTime()) / 1000));
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

async function acknowledge(
  { ledger, tenant }: TenantContext,
  outcomes: readonly string[],
  { actor, json }: Options,
): Promise<void> {
  const { tenantId } = tenant;
  if (outcomes.length > MOST_ACKNOWLEDGED) {
    const message = `${outcomes.length} outcomes are more than the ${MOST_ACKNOWLEDGED} that one command takes`;
    throw new TrothError('INPUT_INVALID', message);
  }
  const by = { actor: actor ?? actorOfCli(), atMs: tenantNow(tenant) };
  // All or none: a mistyped id must not leave a half of them done.
  const done = await ledger.forTenant(tenantId, async (tx) => {
    const results: { outcomeId: string; result: 'acknowledged' | 'known' }[] = [];
    for (const outcomeId of outcomes) {
      const result = await acknowledgeByHand(tx, tenantId, outcomeId, by);
      if (result === 'unknown') throw noSuch(outcomeId);
      results.push({ outcomeId, result });
    }
    return results;
  });
  for (const { outcomeId, result } of done) {
    if (json === true) printJson({ outcomeId, result });
    else if (result === 'known') print(`${printable(outcomeId)} had been acknowledged before.`);
  }
  const fresh = done.filter(({ result }) => result === 'acknowledged').length;
  if (json !== true) print(`${plural(fresh, 'message')} acknowledged.`);
}

async function resend({ ledger, tenant }: TenantContext, outcomeId: string, options: Options): Promise<void> {
  const { tenantId } = tenant;
  const by = { actor: options.actor ?? actorOfCli(), atMs: tenantNow(tenant) };
  const found = await ledger.forTenant(tenantId, (tx) => resendOutside(tx, tenantId, outcomeId, by));
  if (!found) throw noSuch(outcomeId);
  if (options.json === true) printJson({ outcomeId, result: 'resent' });
  else print(`${printable(outcomeId)} is sent once more.`);
}

function noSuch(outcomeId: string): TrothError {
  return new TrothError(
    'NOT_FOUND',
    `There is no message "${outcomeId}" to a system outside; see: troth collections outside list`,
  );
}
