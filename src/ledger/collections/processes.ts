import { isDeepStrictEqual } from 'node:util';
import type { EpochMs } from '../../rules/calendar';
import type { ProcessDefinition } from '../../rules/collections/process';
import { audit } from '../audit';
import { row, rows, type Tx } from '../connection';
import { isToldOutside } from './targets';

/** One version of the collections process of a debt class. */
export interface ProcessVersion {
  readonly debtClass: string;
  readonly version: number;
  readonly definition: ProcessDefinition;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly note: string | null;
}

const COLUMNS = `debt_class as "debtClass", version, definition, created_at as "createdAt",
  created_by as "createdBy", note`;

/**
 * Adds the next version of a debt class's process. Runs that are open keep theirs; what starts from now on has the new one.
 * @returns `unchanged` when the newest version says the same.
 */
export async function addProcessVersion(
  tx: Tx,
  tenantId: string,
  process: {
    readonly debtClass: string;
    readonly definition: ProcessDefinition;
    readonly actor: string;
    readonly note: string | null;
    readonly atMs: EpochMs;
  },
): Promise<{ readonly result: 'created' | 'unchanged'; readonly version: number }> {
  const { debtClass, definition, actor, note, atMs } = process;
  // One at a time: the next version follows from the newest.
  await row(tx, 'select 1 from tenant where tenant_id = :tenantId for no key update', { tenantId });
  const newest = await findProcess(tx, tenantId, debtClass);
  if (newest !== undefined && isDeepStrictEqual(newest.definition, definition)) {
    return { result: 'unchanged', version: newest.version };
  }
  const version = (newest?.version ?? 0) + 1;
  await rows(
    tx,
    `insert into collections_process (tenant_id, debt_class, version, definition, created_at, created_by, note)
     values (:tenantId, :debtClass, :version, cast(:definition as jsonb), :at, :actor, :note)`,
    { tenantId, debtClass, version, definition: JSON.stringify(definition), at: new Date(), actor, note },
  );
  await audit(tx, tenantId, { action: 'process.created', actor, at: atMs, details: { debtClass, version } });
  return { result: 'created', version };
}

/** A version of a debt class's process, the newest one unless told otherwise. */
export async function findProcess(
  tx: Tx,
  tenantId: string,
  debtClass: string,
  version?: number,
): Promise<ProcessVersion | undefined> {
  return row<ProcessVersion>(
    tx,
    `select ${COLUMNS} from collections_process
      where tenant_id = :tenantId and debt_class = :debtClass and version = coalesce(cast(:version as integer), version)
      order by version desc limit 1`,
    { tenantId, debtClass, version: version ?? null },
  );
}

/** The newest process of each debt class. */
export async function listProcesses(tx: Tx, tenantId: string): Promise<ProcessVersion[]> {
  return rows<ProcessVersion>(
    tx,
    `select distinct on (debt_class) ${COLUMNS} from collections_process
      where tenant_id = :tenantId order by debt_class, version desc limit 1000`,
    { tenantId },
  );
}

/** Whether the tenant has a process for a debt class, and no collections system of its own. */
export async function collectsItself(tx: Tx, tenantId: string, debtClass: string): Promise<boolean> {
  const found = await row(
    tx,
    `select 1 from collections_process
      where tenant_id = :tenantId and debt_class = :debtClass and not ${isToldOutside(':tenantId')} limit 1`,
    { tenantId, debtClass },
  );
  return found !== undefined;
}
