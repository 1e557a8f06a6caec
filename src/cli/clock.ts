import { InvalidArgumentError, Option, type Command } from 'commander';
import { Temporal } from 'temporal-polyfill';
import { enqueueClock } from '../ledger/outbox';
import { moveClock, tenantNow, type Tenant } from '../ledger/tenants';
import { TrothError } from '../platform/errors';
import { epochMs, formatLocalTime, localTimeMs, type EpochMs } from '../rules/calendar';
import { actorOfCli, forTenantData, helpEnd, withTenant, type TenantContext } from './context';
import { print, printJson } from './output';

/** A length of time; days and weeks are those of the calendar, so that 10d keeps the hour over a clock change. */
type Advance = { readonly minutes: number } | { readonly hours: number } | { readonly days: number };

interface ClockOptions {
  readonly to?: string;
  readonly advance?: Advance;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth clock`: shows a tenant's clock, or moves a sandbox's forward. */
export function registerClock(program: Command): void {
  forTenantData(
    program
      .command('clock')
      .description("show a tenant's clock, or move that of a sandbox forward")
      .addOption(
        new Option(
          '--to <time>',
          'date or time in the tenant\'s zone: 2026-03-01, "2026-03-01 08:30"',
        ).conflicts('advance'),
      )
      .addOption(new Option('--advance <length>', 'how far: 90m, 12h, 10d or 2w').argParser(advanceOf)),
  )
    .addHelpText(
      'after',
      [
        '',
        'A bare date means its noon, as everywhere in Troth. The clock moves forward only, and',
        'only that of a sandbox; a live tenant lives in real time.',
        helpEnd(
          [
            'troth clock --tenant demo',
            'troth clock --tenant demo --to 2026-03-01',
            'troth clock --tenant demo --advance 10d',
          ],
          ['65  not a sandbox, or the time has passed'],
        ),
      ].join('\n'),
    )
    .action((options: ClockOptions) => withTenant(options, (context) => clock(context, options)));
}

async function clock({ ledger, tenant }: TenantContext, options: ClockOptions): Promise<void> {
  const toMs = targetOf(tenant, options);
  if (toMs === undefined) {
    tell(tenant, tenantNow(tenant), undefined, options.json);
    return;
  }
  const told = await ledger.forTenant(tenant.tenantId, async (tx) => {
    await moveClock(tx, tenant.tenantId, toMs, actorOfCli());
    return enqueueClock(tx, tenant.tenantId);
  });
  tell(tenant, toMs, told, options.json);
}

function targetOf(tenant: Tenant, { to, advance }: ClockOptions): EpochMs | undefined {
  if (advance !== undefined) {
    const now = Temporal.Instant.fromEpochMilliseconds(tenantNow(tenant)).toZonedDateTimeISO(tenant.timeZone);
    return epochMs(now.add(advance).epochMilliseconds);
  }
  if (to === undefined) return undefined;
  const toMs = localTimeMs(to, tenant.timeZone);
  if (toMs === undefined) {
    throw new TrothError(
      'INPUT_INVALID',
      `"${to}" is not a date or time; write 2026-03-01 or "2026-03-01 08:30"`,
    );
  }
  return toMs;
}

function tell(tenant: Tenant, nowMs: EpochMs, told: number | undefined, json: true | undefined): void {
  const { tenantId, timeZone, sandbox } = tenant;
  if (json === true) {
    printJson({
      tenantId,
      sandbox,
      now: new Date(nowMs).toISOString(),
      local: formatLocalTime(nowMs, timeZone),
      told,
    });
    return;
  }
  const kind = sandbox ? 'sandbox' : 'live';
  print(`${formatLocalTime(nowMs, timeZone)}  ${timeZone}  (${tenantId}, ${kind})`);
  if (told !== undefined) {
    const promises = told === 1 ? '1 open promise is' : `${told} open promises are`;
    print(`${promises} told; the worker judges those that are due.`);
  }
}

const LENGTH = /^(\d{1,5})([mhdw])$/;

function advanceOf(text: string): Advance {
  const [, digits = '', unit = ''] = LENGTH.exec(text) ?? [];
  const count = Number(digits);
  if (digits === '' || count === 0)
    throw new InvalidArgumentError('Write a length such as 90m, 12h, 10d or 2w.');
  if (unit === 'm') return { minutes: count };
  if (unit === 'h') return { hours: count };
  return { days: unit === 'w' ? 7 * count : count };
}
