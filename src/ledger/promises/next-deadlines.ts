import type { LocalDate } from '../../rules/calendar';
import { rows, type Tx } from '../connection';

/** The next last day in time of each of some promises, as their newest schedules say; none where all is paid. */
export async function nextLastDays(
  tx: Tx,
  tenantId: string,
  promiseIds: readonly string[],
): Promise<ReadonlyMap<string, LocalDate>> {
  if (promiseIds.length === 0) return new Map();
  const found = await rows<{ promiseId: string; lastDay: LocalDate }>(
    tx,
    `select p.promise_id as "promiseId", min(i.last_day) as "lastDay"
       from promise p join installment i
         on i.tenant_id = p.tenant_id and i.promise_id = p.promise_id and i.schedule_no = p.schedule_no
      where p.tenant_id = :tenantId and p.promise_id = any(:promiseIds) and i.counted_cents < i.amount_cents
      group by p.promise_id`,
    { tenantId, promiseIds: [...promiseIds] },
  );
  return new Map(found.map(({ promiseId, lastDay }) => [promiseId, lastDay]));
}
