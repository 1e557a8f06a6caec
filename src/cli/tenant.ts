import type { Command } from 'commander';
import { z } from 'zod';
import { createTenant, listTenants, tenantNow, type Tenant } from '../ledger/tenants';
import { TrothError } from '../platform/errors';
import { formatLocalTime, isTimeZone, localTimeMs } from '../rules/calendar';
import { actorOfCli, helpEnd, withLedger } from './context';
import { plainTable, print, printJson } from './output';
import { printable } from './text';

interface CreateOptions {
  readonly name?: string;
  readonly zone: string;
  readonly currency: string;
  readonly sandbox?: true;
  readonly clock?: string;
  readonly json?: true;
}

/** `troth tenant create` and `troth tenant list`. */
export function registerTenant(program: Command): void {
  const tenant = program
    .command('tenant')
    .description('make and list tenants: utilities, or test copies of them');
  tenant
    .command('create <id>')
    .description('make a tenant with version 1 of a policy for each preset; new promises get "default"')
    .option('--name <name>', 'its name (default: the id)')
    .requiredOption('--zone <zone>', 'its time zone, such as America/New_York')
    .option('--currency <code>', 'its currency', 'USD')
    .option('--sandbox', 'a test copy, whose clock can be moved')
    .option('--clock <time>', "what a sandbox's clock shows at first, in its zone (default: the real time)")
    .option('--json', 'answer as JSON, for machines')
    .addHelpText(
      'after',
      helpEnd(
        [
          'troth tenant create riverton --name "Riverton Water" --zone America/Chicago',
          'troth tenant create try --zone America/Chicago --sandbox --clock "2026-01-05 08:00"',
        ],
        ['65  the id is taken, or an option is wrong'],
      ),
    )
    .action(create);
  tenant
    .command('list')
    .description('list the tenants with their clocks')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', helpEnd(['troth tenant list']))
    .action(list);
}

async function create(tenantId: string, options: CreateOptions): Promise<void> {
  const tenant = tenantOf(tenantId, options);
  await withLedger(({ ledger }) =>
    ledger.forTenant(tenantId, (tx) => createTenant(tx, tenant, actorOfCli())),
  );
  if (options.json === true) printJson(tenant);
  else print(`Tenant ${tenantId} is made. Next: troth accounts FILE.csv --tenant ${tenantId}`);
}

const tenantSchema = z.object({
  tenantId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 small letters, digits or dashes'),
  name: z.string().min(1).max(200),
  zone: z.string().refine(isTimeZone, 'is not a time zone; write one such as America/New_York'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency code such as USD'),
});

function tenantOf(tenantId: string, options: CreateOptions): Tenant {
  const { name = tenantId, zone, currency, sandbox = false, clock } = options;
  const input = { tenantId, name, zone, currency };
  const parsed = tenantSchema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => {
      const field = String(path[0] ?? '');
      return { field, value: input[field as keyof typeof input], message };
    });
    throw new TrothError('INPUT_INVALID', 'The tenant cannot be made', { problems });
  }
  return {
    ...{ tenantId, name, timeZone: zone, currency, sandbox },
    clockOffsetMs: clock === undefined ? 0 : offsetOf(clock, zone, sandbox),
    policyName: 'default',
  };
}

function offsetOf(clock: string, zone: string, sandbox: boolean): number {
  if (!sandbox) throw new TrothError('NOT_A_SANDBOX', 'Only a sandbox has a clock of its own; add --sandbox');
  const atMs = localTimeMs(clock, zone);
  if (atMs === undefined) {
    throw new TrothError('INPUT_INVALID', `"${clock}" is not a time; write "2026-01-05 08:00"`);
  }
  return atMs - Date.now();
}

async function list(options: { json?: true }): Promise<void> {
  const tenants = await withLedger(({ ledger }) => ledger.forSystem(listTenants));
  const now = (tenant: Tenant): string => formatLocalTime(tenantNow(tenant), tenant.timeZone);
  if (options.json === true) {
    for (const tenant of tenants) printJson({ ...tenant, now: new Date(tenantNow(tenant)).toISOString() });
    return;
  }
  if (tenants.length === 0) {
    print('There is no tenant yet; make one: troth tenant create --help');
    return;
  }
  const rows = tenants.map((tenant) => [
    tenant.tenantId,
    printable(tenant.name),
    tenant.timeZone,
    tenant.currency,
    tenant.sandbox ? 'sandbox' : 'live',
    now(tenant),
  ]);
  print(plainTable(['Tenant', 'Name', 'Zone', 'Currency', 'Kind', 'Its clock'], rows));
}
