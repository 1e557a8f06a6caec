import { wakeClass } from '../../ledger/collections/case-views';
import { addProcessVersion } from '../../ledger/collections/processes';
import { tenantNow } from '../../ledger/tenants';
import { TrothError } from '../../platform/errors';
import { actorOfCli, type TenantContext } from '../context';
import { print, printJson } from '../output';
import { plural } from '../text';
import { processOfFile } from './check';

export interface SetOptions {
  readonly note?: string;
  readonly actor?: string;
  readonly wake?: true;
  readonly tenant?: string;
  readonly json?: true;
}

const CLASS = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** `troth process set` */
export async function set(
  { ledger, tenant }: TenantContext,
  [debtClass, file]: readonly [string, string],
  { note, actor, wake, json }: SetOptions,
): Promise<void> {
  const { tenantId } = tenant;
  const refusal = (problems: TrothError['problems']): TrothError =>
    new TrothError('INPUT_INVALID', `The process of "${debtClass}" was not set`, { problems });
  if (!CLASS.test(debtClass)) {
    const message = 'must be 1 to 40 small letters, digits or dashes';
    throw refusal([{ field: 'class', value: debtClass, message }]);
  }
  const definition = processOfFile(file);
  if (Array.isArray(definition)) throw refusal(definition);
  const { result, version, woken } = await ledger.forTenant(tenantId, async (tx) => {
    const added = await addProcessVersion(tx, tenantId, {
      ...{ debtClass, definition, actor: actor ?? actorOfCli(), note: note ?? null, atMs: tenantNow(tenant) },
    });
    return { ...added, woken: wake === true ? await wakeClass(tx, tenantId, debtClass) : null };
  });
  if (json === true) {
    printJson({ debtClass, result, version, woken });
    return;
  }
  if (result === 'unchanged')
    print(`Version ${version} of ${debtClass} says the same already; nothing was made.`);
  else {
    print(
      `Version ${version} of the process of ${debtClass} is made: ${plural(definition.steps.length, 'step')}.`,
    );
    print('Runs that are open keep their version; what starts from now on has this one.');
  }
  if (woken !== null) print(`${plural(woken, 'open case')} will look again.`);
  else if (result === 'created')
    print('Open cases look again when they are due; for all of them at once: the same with --wake');
}
