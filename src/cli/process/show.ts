import { countCases } from '../../ledger/collections/case-views';
import { findProcess, listProcesses } from '../../ledger/collections/processes';
import { TrothError } from '../../platform/errors';
import { epochMs, formatLocalTime } from '../../rules/calendar';
import { cents, formatMoney } from '../../rules/money';
import type { TenantContext } from '../context';
import { fittedTable, print, printJson } from '../output';
import { bold, printable } from '../text';
import { processLines } from './words';

export interface ShowOptions {
  readonly version?: number;
  readonly tenant?: string;
  readonly json?: true;
}

/** `troth process list` */
export async function list({ ledger, tenant }: TenantContext, { json }: ShowOptions): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const processes = await ledger.forTenant(tenantId, async (tx) => {
    const listed = [];
    for (const process of await listProcesses(tx, tenantId)) {
      listed.push({ ...process, openCases: (await countCases(tx, tenantId, process.debtClass)).open });
    }
    return listed;
  });
  if (json === true) {
    for (const process of processes) printJson(process);
    return;
  }
  if (processes.length === 0) {
    print('There is no process yet; set one: troth process set --help');
    return;
  }
  const rows = processes.map(({ debtClass, version, definition, openCases, createdAt, createdBy, note }) => [
    ...[debtClass, String(version), String(definition.steps.length), String(openCases)],
    formatLocalTime(epochMs(createdAt.getTime()), timeZone),
    printable(createdBy),
    printable(note ?? ''),
  ]);
  print(fittedTable(['Debt', 'Version', 'Steps', 'Open cases', 'Made', 'By', 'Note'], rows));
}

/** `troth process show` */
export async function show(
  { ledger, tenant }: TenantContext,
  debtClass: string,
  { version, json }: ShowOptions,
): Promise<void> {
  const { tenantId, timeZone, currency } = tenant;
  const process = await ledger.forTenant(tenantId, (tx) => findProcess(tx, tenantId, debtClass, version));
  if (process === undefined) {
    const which = version === undefined ? 'no process' : `no version ${version} of its process`;
    throw new TrothError('NOT_FOUND', `Debt class "${debtClass}" has ${which}; see: troth process list`);
  }
  if (json === true) {
    printJson(process);
    return;
  }
  const { definition, createdAt, createdBy, note } = process;
  print(`${bold(debtClass)}, version ${process.version} of its process`);
  const made = formatLocalTime(epochMs(createdAt.getTime()), timeZone);
  print(`Made ${made} by ${printable(createdBy)}${note === null ? '' : `: ${printable(note)}`}`);
  print();
  for (const line of processLines(definition, (amount) => formatMoney(cents(amount), currency))) print(line);
}
