import type { Command } from 'commander';
import { MAX_RESEND_MINUTES, MAX_TIMEOUT_SECONDS, setTarget } from '../../collections/outside/target';
import { countUnacknowledged } from '../../ledger/collections/outside';
import { collectionsTarget } from '../../ledger/collections/targets';
import type { CollectionsTarget } from '../../rules/collections/outside';
import {
  actorOfCli,
  actorText,
  forTenantData,
  helpEnd,
  oneOf,
  positive,
  withTenant,
  type TenantContext,
} from '../context';
import { plainTable, print, printJson } from '../output';
import { plural, printable } from '../text';

interface Options {
  readonly tenant?: string;
  readonly json?: true;
  readonly actor?: string;
}

const REFUSED = '65  a setting is wrong; nothing was changed';

/** `troth collections target show | set`. */
export function registerTarget(group: Command): void {
  const target = group
    .command('target')
    .description("where outcomes go: to Troth's own collections, or to a system outside");
  forTenantData(target.command('show').description('show where outcomes go'))
    .addHelpText('after', helpEnd(['troth collections target show --tenant riverton']))
    .action((options: Options) => withTenant(options, (context) => show(context, options)));
  const set = target
    .command('set')
    .description('say where outcomes go from now on; what nobody has acknowledged goes there, too')
    .addHelpText('after', '\nWhat each kind is and how messages look: docs/collections/outside.md.');
  registerTroth(set);
  registerWebhook(set);
  registerFile(set);
  registerWorkflow(set);
}

function forSetting(command: Command): Command {
  return forTenantData(command).option('--actor <who>', 'who sets it (default: cli:<user>)', actorText);
}

function registerTroth(set: Command): void {
  forSetting(set.command('troth').description("Troth's own collections"))
    .addHelpText('after', helpEnd(['troth collections target set troth'], [REFUSED]))
    .action((options: Options) =>
      withTenant(options, (context) => change(context, { kind: 'troth' }, options)),
    );
}

function registerWebhook(set: Command): void {
  forSetting(
    set
      .command('webhook <url>')
      .description('a POST of JSON to a URL for each message')
      .option('--secret-env <name>', "the worker's environment variable with the key that signs messages")
      .option(
        '--timeout <seconds>',
        'how long to wait for an answer (default: 10)',
        positive(MAX_TIMEOUT_SECONDS),
      ),
  )
    .addHelpText(
      'after',
      [
        '',
        'The key itself is never given here: only the name of the variable is stored.',
        helpEnd(
          [
            'troth collections target set webhook https://collections.example/troth --secret-env TROTH_WEBHOOK_SECRET',
          ],
          [REFUSED],
        ),
      ].join('\n'),
    )
    .action((url: string, options: Options & { readonly secretEnv?: string; readonly timeout?: number }) => {
      const { secretEnv, timeout: timeoutSeconds } = options;
      return withTenant(options, (context) =>
        change(context, { kind: 'webhook', url, secretEnv, timeoutSeconds }, options),
      );
    });
}

function registerFile(set: Command): void {
  forSetting(
    set
      .command('file <folder>')
      .description('a JSON file for each message, in a folder of the machine that the worker runs on')
      .requiredOption(
        '--acknowledge <how>',
        'written: done once the file is there; by-file: once NAME.ack is there beside it',
        oneOf(['written', 'by-file']),
      )
      .option(
        '--resend-after <minutes>',
        'with by-file: write it again when no NAME.ack has come for so long (default: 60)',
        positive(MAX_RESEND_MINUTES),
      ),
  )
    .addHelpText(
      'after',
      helpEnd(['troth collections target set file /var/spool/troth --acknowledge by-file'], [REFUSED]),
    )
    .action(
      (
        folder: string,
        options: Options & { readonly acknowledge: string; readonly resendAfter?: number },
      ) => {
        const { acknowledge, resendAfter: resendAfterMinutes } = options;
        return withTenant(options, (context) =>
          change(context, { kind: 'file', folder, acknowledge, resendAfterMinutes }, options),
        );
      },
    );
}

interface WorkflowOptions extends Options {
  readonly type: string;
  readonly taskQueue: string;
  readonly id: string;
  readonly signal: string;
  readonly namespace?: string;
}

function registerWorkflow(set: Command): void {
  forSetting(
    set
      .command('workflow')
      .description('a signal to a workflow of your own for each message; it is started when it does not run')
      .requiredOption('--type <type>', 'the workflow type')
      .requiredOption('--task-queue <queue>', 'where its workers poll')
      .requiredOption('--id <pattern>', 'its id, with {tenant}, {accountId}, {debtClass}, {promiseId}')
      .requiredOption('--signal <name>', 'the signal')
      .option('--namespace <name>', "Temporal's namespace (default: that of Troth's worker)"),
  )
    .addHelpText(
      'after',
      helpEnd(
        [
          'troth collections target set workflow --type dunning --task-queue dunning \\',
          "    --id 'dunning/{tenant}/{accountId}/{debtClass}' --signal promiseOutcome",
        ],
        [REFUSED],
      ),
    )
    .action((options: WorkflowOptions) => {
      const { type: workflowType, taskQueue, id: workflowId, signal, namespace } = options;
      return withTenant(options, (context) =>
        change(
          context,
          { kind: 'workflow', workflowType, taskQueue, workflowId, signal, namespace },
          options,
        ),
      );
    });
}

async function change(
  { ledger, tenant }: TenantContext,
  settings: Readonly<Record<string, unknown>>,
  { actor, json }: Options,
): Promise<void> {
  const { result, version, redirected, target } = await setTarget(
    ledger,
    tenant,
    settings,
    actor ?? actorOfCli(),
  );
  if (json === true) {
    printJson({ tenantId: tenant.tenantId, result, version, redirected, target });
    return;
  }
  if (result === 'unchanged') {
    print(`Outcomes of ${tenant.tenantId} go there already: ${describe(target)}.`);
    return;
  }
  print(`Outcomes of ${tenant.tenantId} go to ${describe(target)} from now on (version ${version}).`);
  if (redirected > 0)
    print(
      `${plural(redirected, 'message')} that nobody had acknowledged ${redirected === 1 ? 'goes' : 'go'} there, too.`,
    );
  if (target.kind === 'webhook') {
    print(
      target.secretEnv === null
        ? 'Messages are not signed; --secret-env NAME has them signed.'
        : `The worker signs with the key in its environment variable ${target.secretEnv}.`,
    );
  }
}

async function show({ ledger, tenant }: TenantContext, { json }: Options): Promise<void> {
  const { tenantId } = tenant;
  const { stored, unacknowledged } = await ledger.forTenant(tenantId, async (tx) => ({
    stored: await collectionsTarget(tx, tenantId),
    unacknowledged: await countUnacknowledged(tx, tenantId),
  }));
  const { version, settings, createdAt, createdBy } = stored;
  if (json === true) {
    printJson({ tenantId, version, target: settings, createdAt, createdBy, unacknowledged });
    return;
  }
  print(`Outcomes of ${tenantId} go to ${describe(settings)}.`);
  const { kind: _, ...rest } = settings;
  const lines = Object.entries(rest).map(([name, value]) => [name, printable(String(value ?? '–'))]);
  if (lines.length > 0) print(plainTable(['Setting', 'Value'], lines));
  if (createdAt !== null)
    print(`Version ${version}, ${createdAt.toISOString()}, by ${printable(createdBy ?? '')}.`);
  if (settings.kind !== 'troth' || unacknowledged > 0)
    print(`${plural(unacknowledged, 'message')} not acknowledged; see: troth collections outside list`);
}

function describe(target: CollectionsTarget): string {
  switch (target.kind) {
    case 'troth':
      return "Troth's own collections";
    case 'webhook':
      return `the webhook ${printable(target.url)}`;
    case 'file':
      return `files in ${printable(target.folder)}`;
    case 'workflow':
      return `the workflow ${printable(target.workflowType)}, signal ${printable(target.signal)}`;
  }
}
