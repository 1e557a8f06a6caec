import { randomInt } from 'node:crypto';
import { placeHold, releaseHold, type HoldAnswer, type MovedPromise } from '../../collections/holds';
import { findAccount } from '../../ledger/accounts';
import { listHolds, type HoldRow } from '../../ledger/collections/holds';
import { nextLastDays } from '../../ledger/promises/next-deadlines';
import { tenantNow } from '../../ledger/tenants';
import { TrothError } from '../../platform/errors';
import { formatDate, localDateAt, type LocalDate } from '../../rules/calendar';
import type { HoldKind } from '../../rules/collections/process';
import { actorOfCli, type TenantContext } from '../context';
import { fittedTable, print, printJson } from '../output';
import { printable } from '../text';
import { named } from '../change/answer';

/** What each command takes. */
export interface PlaceOptions {
  readonly kind: HoldKind;
  readonly debtClass?: string;
  readonly id?: string;
  readonly from?: LocalDate;
  readonly until?: LocalDate;
  readonly reason: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

export interface ReleaseOptions {
  readonly on?: LocalDate;
  readonly reason?: string;
  readonly actor?: string;
  readonly tenant?: string;
  readonly json?: true;
}

export interface ListOptions {
  readonly all?: true;
  readonly limit: number;
  readonly tenant?: string;
  readonly json?: true;
}

/** Crockford's base 32: no letter that can be taken for another one or for a digit. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_LETTERS = 8;

/** A new id, such as `H-7K3QX2MB`: short enough to say on the telephone, one of 10^12. */
function newHoldId(): string {
  const letters = Array.from({ length: RANDOM_LETTERS }, () => LETTERS[randomInt(LETTERS.length)] ?? '0');
  return `H-${letters.join('')}`;
}

const FIELDS: Readonly<Record<string, string>> = {
  holdId: '--id',
  debtClass: '--class',
  kind: '--kind',
  from: '--from',
  until: '--until',
  reason: '--reason',
  accountId: 'account',
  on: '--on',
};

/** `troth hold place` */
export async function place(context: TenantContext, accountId: string, options: PlaceOptions): Promise<void> {
  const { kind, debtClass = null, id = newHoldId(), from, until, reason, actor, json } = options;
  const days = { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
  const answer = await byOptions(() =>
    placeHold(
      context.ledger,
      context.tenant.tenantId,
      { holdId: id, accountId, debtClass, kind, reason, ...days },
      { actor: actor ?? actorOfCli() },
    ),
  );
  await tell(context, answer, json);
}

/** `troth hold release` */
export async function release(
  context: TenantContext,
  holdId: string,
  options: ReleaseOptions,
): Promise<void> {
  const { on, reason, actor, json } = options;
  const answer = await byOptions(() =>
    releaseHold(context.ledger, context.tenant.tenantId, holdId, {
      ...{ actor: actor ?? actorOfCli(), reason: reason ?? null },
      ...(on === undefined ? {} : { on }),
    }),
  );
  await tell(context, answer, json);
}

/** Says problems by the names that their fields have on the command line. */
async function byOptions<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TrothError) || error.problems.length === 0) throw error;
    throw new TrothError(error.code, error.message, {
      cause: error,
      problems: named(error.problems, FIELDS),
    });
  }
}

async function tell(
  { ledger, tenant }: TenantContext,
  answer: HoldAnswer,
  json: true | undefined,
): Promise<void> {
  const { result, promises } = answer;
  const { holdId, accountId, debtClass, kind, from, until } = answer.hold;
  const { tenantId } = tenant;
  const ids = promises.map(({ promiseId }) => promiseId);
  const ends = await ledger.forTenant(tenantId, (tx) => nextLastDays(tx, tenantId, ids));
  const told = promises.map((one) => ({ ...one, nextLastDay: ends.get(one.promiseId) ?? null }));
  if (json === true) {
    printJson({ result, holdId, accountId, debtClass, kind, from, until, promises: told });
    return;
  }
  const where = `on ${debtClass === null ? 'all debts' : `the ${printable(debtClass)} debt`} of account ${printable(accountId)}`;
  const what = `${kind} hold ${holdId} ${where}`;
  const span = `from ${formatDate(from)} ${until === null ? 'until it is released' : `through ${formatDate(until)}`}`;
  if (result === 'known')
    print(`Nothing changed: ${what} was ${'releasedOn' in answer.hold ? 'released' : 'placed'} before.`);
  else if (result === 'released') print(`Released: ${what}.`);
  else print(`Placed: ${what}, ${span}.`);
  if (result === 'known') return;
  if (told.length === 0) print('No promise is open there.');
  else {
    print();
    print(
      fittedTable(
        ['Promise', 'Its deadlines'],
        told.map((one) => [one.promiseId, deadlineWords(one)]),
      ),
    );
  }
}

function deadlineWords({
  result,
  why,
  nextLastDay,
}: MovedPromise & { nextLastDay: LocalDate | null }): string {
  const next = nextLastDay === null ? '' : `; the next one is ${formatDate(nextLastDay)}`;
  if (result === 'moved') return `moved${next}`;
  if (result === 'unchanged') return `stay as they were${next}`;
  return `left alone: ${printable(why ?? '')}`;
}

/** `troth hold list` */
export async function list(
  { ledger, tenant }: TenantContext,
  accountId: string | undefined,
  { all, limit, json }: ListOptions,
): Promise<void> {
  const { tenantId, timeZone } = tenant;
  const today = localDateAt(tenantNow(tenant), timeZone);
  const holds = await ledger.forTenant(tenantId, async (tx) => {
    if (accountId !== undefined && (await findAccount(tx, tenantId, accountId)) === undefined)
      throw new TrothError('NOT_FOUND', `There is no account "${accountId}"`);
    return listHolds(tx, tenantId, {
      ...(accountId === undefined ? {} : { accountId }),
      ...{ today, standingOnly: all !== true, limit },
    });
  });
  if (json === true) {
    for (const hold of holds) printJson({ ...hold, state: stateOf(hold, today) });
    return;
  }
  if (holds.length === 0)
    print(all === true ? 'There is no hold.' : 'No hold stands today; --all lists the others, too.');
  else print(tableOf(holds, today));
  if (holds.length === limit) print('There may be more; --limit lists them.');
}

function tableOf(holds: readonly HoldRow[], today: LocalDate): string {
  const rows = holds.map((hold) => [
    ...[hold.holdId, hold.kind, hold.accountId, hold.debtClass ?? '(all)', formatDate(hold.from)],
    hold.until === null ? '' : formatDate(hold.until),
    stateOf(hold, today),
    printable(hold.reason),
  ]);
  return fittedTable(['Hold', 'Kind', 'Account', 'Debt', 'From', 'Until', 'State', 'Reason'], rows);
}

function stateOf(
  { from, until, releasedOn }: HoldRow,
  today: LocalDate,
): 'stands' | 'to come' | 'ended' | 'released' {
  if (releasedOn !== null) return 'released';
  if (today < from) return 'to come';
  return until !== null && until < today ? 'ended' : 'stands';
}
