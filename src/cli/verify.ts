import type { Command } from 'commander';
import {
  DIFFERENCES,
  NOTHING,
  verifyPromises,
  type Counts,
  type Difference,
  type Verified,
} from '../ledger/passes/verify';
import { hasChain, verifyAudit } from '../ledger/passes/verify-audit';
import type { Tenant } from '../ledger/tenants';
import { TrothError } from '../platform/errors';
import { helpEnd } from './context';
import { isOutputClosed, plainTable, print, printJson } from './output';
import { bold, cut, dim, green, printable, red, terminalWidth } from './text';
import { counted, createCounter, forWholeLedger, withTenants, type LedgerContext } from './whole-ledger';

interface VerifyOptions {
  readonly tenant?: string;
  readonly promise?: string;
  readonly json?: true;
}

/** Nobody reads a longer table; `--json` has them all. */
const MOST_SHOWN = 100;
const FOUND = 1;

/** `troth verify`: judges everything again and compares it with what was recorded; walks the audit trail. */
export function registerVerify(program: Command): void {
  forWholeLedger(
    program
      .command('verify')
      .description('judge every promise again and compare with what was recorded; walk the audit trail')
      .option('--promise <id>', 'only this promise and its audit trail; give --tenant, too'),
  )
    .addHelpText(
      'after',
      [
        '',
        'Compares verdicts byte by byte, the rows of promises and installments, what was counted of',
        'which payment, and that collections was told of each outcome. It changes nothing. With --json',
        'one object a line: each difference, then the summary. docs/checks.md tells what each one means.',
        helpEnd(
          [
            'troth verify',
            'troth verify --tenant riverton --promise E-10001',
            'troth verify --json | jq .kind',
          ],
          ['1   there are differences', '66  there is no such tenant or promise'],
        ),
      ].join('\n'),
    )
    .action((options: VerifyOptions) => withTenants(options, (context) => verify(context, options)));
}

interface Found extends Difference {
  readonly tenantId: string;
}

/** What was found in all, and as much of it as a table shows. */
class Findings {
  readonly #asJson: boolean;
  readonly shown: Found[] = [];
  readonly byKind = new Map<Difference['kind'], number>();
  counts: Counts = NOTHING;

  constructor(asJson: boolean) {
    this.#asJson = asJson;
  }

  get total(): number {
    return [...this.byKind.values()].reduce((sum, one) => sum + one, 0);
  }

  add(tenantId: string, { counts, differences }: Verified): void {
    this.counts = added(this.counts, counts);
    for (const difference of differences) {
      this.byKind.set(difference.kind, (this.byKind.get(difference.kind) ?? 0) + 1);
      if (this.#asJson) printJson({ tenantId, ...difference });
      else if (this.shown.length < MOST_SHOWN) this.shown.push({ tenantId, ...difference });
    }
  }
}

function added(a: Counts, b: Counts): Counts {
  return {
    promises: a.promises + b.promises,
    verdicts: a.verdicts + b.verdicts,
    olderVerdicts: a.olderVerdicts + b.olderVerdicts,
    waiting: a.waiting + b.waiting,
    auditEvents: a.auditEvents + b.auditEvents,
  };
}

async function verify(context: LedgerContext, options: VerifyOptions): Promise<void> {
  const findings = new Findings(options.json === true);
  await assertPromise(context, options.promise);
  const counter = createCounter();
  try {
    for (const { tenantId } of context.tenants) {
      for await (const part of partsOf(context, tenantId, options.promise)) {
        findings.add(tenantId, part);
        if (isOutputClosed()) return;
        const { promises, auditEvents } = findings.counts;
        counter.show(`${counted(promises, 'promise')}, ${counted(auditEvents, 'audit event')} verified`);
      }
    }
  } finally {
    counter.stop();
  }
  if (options.json === true) {
    const { counts, byKind, total } = findings;
    printJson({ kind: 'summary', ...counts, differences: total, byKind: Object.fromEntries(byKind) });
  } else printFindings(findings, context.tenants);
  if (findings.total > 0) process.exitCode = FOUND;
}

async function* partsOf(
  { ledger }: LedgerContext,
  tenantId: string,
  promiseId: string | undefined,
): AsyncGenerator<Verified, void, void> {
  yield* verifyPromises(
    ledger,
    tenantId,
    promiseId === undefined ? { kind: 'all' } : { kind: 'one', promiseId },
  );
  yield* verifyAudit(ledger, tenantId, promiseId);
}

async function assertPromise(
  { ledger, tenants }: LedgerContext,
  promiseId: string | undefined,
): Promise<void> {
  if (promiseId === undefined) return;
  const [tenant, other] = tenants;
  if (tenant === undefined || other !== undefined) {
    throw new TrothError('INPUT_INVALID', 'A promise belongs to a tenant; name it with --tenant');
  }
  const { tenantId } = tenant;
  if (await ledger.forTenant(tenantId, (tx) => hasChain(tx, tenantId, promiseId))) return;
  throw new TrothError(
    'NOT_FOUND',
    `Tenant "${tenantId}" has no promise "${promiseId}"; see: troth promise list`,
  );
}

function printFindings({ counts, byKind, shown, total }: Findings, tenants: readonly Tenant[]): void {
  if (total > 0) {
    print(tableOf(shown, tenants.length > 1));
    if (shown.length < total) print(dim(`… and ${total - shown.length} more; --json has them all`));
    print();
  }
  const older = counts.olderVerdicts === 0 ? '' : ` (${counts.olderVerdicts} of them by older rules)`;
  print(
    `Verified ${counted(counts.promises, 'promise')}, ${counted(counts.verdicts, 'verdict')}${older} and ` +
      `${counted(counts.auditEvents, 'audit event')}${inTenants(tenants)}.`,
  );
  if (counts.waiting > 0) print(`${counted(counts.waiting, 'outcome')} on the way to collections.`);
  if (total === 0) {
    print(green('Everything is as its facts say.'));
    return;
  }
  print(red(`${counted(total, 'difference')}:`));
  for (const [kind, count] of byKind)
    print(`  ${String(count).padStart(6)}  ${bold(kind.padEnd(15))}  ${DIFFERENCES[kind]}`);
}

function inTenants(tenants: readonly Tenant[]): string {
  const [only] = tenants;
  return only !== undefined && tenants.length === 1
    ? ` of ${only.tenantId}`
    : ` of ${counted(tenants.length, 'tenant')}`;
}

const HEAD = ['Promise', 'What', 'Where', 'Stored', 'By the facts'];
const SPACES = 2;

function tableOf(shown: readonly Found[], withTenant: boolean): string {
  const cells = shown.map((one) => {
    const promise = one.promiseId ?? '(tenant)';
    const revision = one.revision === null || one.revision === 1 ? '' : ` rev. ${one.revision}`;
    const where = `${printable(one.field)}${one.byte === null ? '' : `, byte ${one.byte}`}`;
    return [
      `${withTenant ? `${one.tenantId} ` : ''}${printable(promise)}${revision}`,
      one.kind,
      where,
      one.stored,
      one.recomputed,
    ];
  });
  const widths = [0, 1, 2].map((column) =>
    Math.max((HEAD[column] ?? '').length, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const left = terminalWidth() - widths.reduce((sum, width) => sum + width + SPACES, 0) - SPACES;
  const value = Math.max(16, Math.floor(left / 2));
  return plainTable(
    HEAD,
    cells.map((row) => row.map((cell, column) => (column < 3 ? cell : cut(cell, value)))),
  );
}
