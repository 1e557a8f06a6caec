import { audit } from '../ledger/audit';
import type { Ledger } from '../ledger/connection';
import { inSnapshot } from '../ledger/passes/facts-batch';
import { getTenant, tenantNow, type Tenant } from '../ledger/tenants';
import {
  insertWorklistNote,
  isItemDone,
  WORKLIST_KINDS,
  worklistRows,
  type WorklistKind,
  type WorklistMatter,
  type WorklistPage,
  type WorklistRow,
} from '../ledger/collections/worklist';
import { TrothError } from '../platform/errors';
import { daysBetween, epochMs, formatLocalTime, localDateAt, type EpochMs } from '../rules/calendar';
import { formatMoney } from '../rules/money';

/** Something that needs a person (R36): why it is there and what to do. */
export interface WorklistItem {
  readonly itemId: string;
  readonly kind: WorklistKind;
  /** Null: it concerns the tenant as a whole. */
  readonly accountId: string | null;
  readonly debtClass: string | null;
  readonly promiseId: string | null;
  readonly ageDays: number;
  readonly amountCents: number | null;
  /** As people read it; null where no money is meant. */
  readonly amount: string | null;
  /** One sentence. */
  readonly reason: string;
  /** One sentence with the command to type. */
  readonly next: string;
}

export interface WorklistFilter {
  readonly kinds?: readonly WorklistKind[];
  readonly accountId?: string;
  /** The most items. */
  readonly limit: number;
}

/** What has failed or waited for longer than this is a person's business. */
const LATE_MS = 600_000;
const PAGE = 500;

/**
 * The worklist of a tenant, the collections part (R36): what is stuck first, then approvals, broken promises and reversed money;
 * within a kind the oldest first, of equal age the largest. Read a page at a time.
 * @throws TrothError NOT_FOUND (tenant).
 */
export async function* worklist(
  ledger: Ledger,
  tenantId: string,
  { kinds = WORKLIST_KINDS, accountId, limit }: WorklistFilter,
): AsyncGenerator<WorklistItem, void, void> {
  let left = limit;
  for (const kind of WORKLIST_KINDS.filter((known) => kinds.includes(known))) {
    let after: WorklistRow | undefined;
    while (left > 0) {
      const size = Math.min(PAGE, left);
      const page = {
        ...(accountId === undefined ? {} : { accountId }),
        ...(after === undefined ? {} : { after }),
        limit: size,
      };
      const { found, tenant } = await rowsOf(ledger, tenantId, kind, page);
      for (const row of found) yield itemOf(kind, row, tenant);
      left -= found.length;
      after = found.at(-1);
      if (found.length < size) break;
    }
  }
}

function rowsOf(
  ledger: Ledger,
  tenantId: string,
  kind: WorklistKind,
  page: Pick<WorklistPage, 'accountId' | 'itemId' | 'after' | 'limit'>,
): Promise<{ readonly found: WorklistRow[]; readonly tenant: Tenant }> {
  return inSnapshot(ledger, tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    const nowMs = tenantNow(tenant);
    const found = await worklistRows(tx, tenantId, kind, {
      ...page,
      today: localDateAt(nowMs, tenant.timeZone),
      late: new Date(Date.now() - LATE_MS),
      tenantLate: new Date(nowMs - LATE_MS),
    });
    return { found, tenant };
  });
}

/**
 * Notes that a person has dealt with an item: it leaves the worklist until something new happens. The same again is `known`.
 * @param note what was done, 1 to 1000 characters.
 * @throws TrothError NOT_FOUND (no such item now), INPUT_INVALID (an approval, which leaves when it is answered).
 */
export async function finishItem(
  ledger: Ledger,
  tenantId: string,
  itemId: string,
  { note, actor }: { readonly note: string; readonly actor: string },
): Promise<{ readonly result: 'done' | 'known'; readonly item: WorklistItem | null }> {
  const kind = WORKLIST_KINDS.find((known) => itemId.startsWith(`${known}/`));
  const { found, tenant } =
    kind === undefined
      ? { found: [], tenant: undefined }
      : await rowsOf(ledger, tenantId, kind, { itemId, limit: 1 });
  const [row] = found;
  if (kind === undefined || tenant === undefined || row === undefined) {
    if (await ledger.forTenant(tenantId, (tx) => isItemDone(tx, tenantId, itemId)))
      return { result: 'known', item: null };
    throw new TrothError('NOT_FOUND', `The worklist has no item "${itemId}"; see: troth worklist`);
  }
  const item = itemOf(kind, row, tenant);
  if (kind === 'approval') {
    const message = `leaves the worklist when it is answered. ${item.next}`;
    throw new TrothError('INPUT_INVALID', `"${itemId}" is an approval`, {
      problems: [{ field: 'item', value: itemId, message }],
    });
  }
  await ledger.forTenant(tenantId, async (tx) => {
    await insertWorklistNote(tx, tenantId, { itemId, note, done: true, actor, at: new Date() });
    const { accountId, promiseId } = item;
    await audit(tx, tenantId, {
      ...{ action: 'worklist.done', actor, at: tenantNow(tenant), details: { itemId, note } },
      ...(accountId === null ? {} : { accountId }),
      ...(promiseId === null ? {} : { promiseId }),
    });
  });
  return { result: 'done', item };
}

/** Of these the ledger keeps real time also in a sandbox: deliveries. */
const REAL_TIME: readonly WorklistMatter[] = [
  'promise-attention',
  'case-attention',
  'message',
  'waking',
  'outside',
];

function itemOf(kind: WorklistKind, row: WorklistRow, tenant: Tenant): WorklistItem {
  const { itemId, accountId, debtClass, promiseId, amountCents, since, matter } = row;
  const { timeZone, currency } = tenant;
  const nowMs = REAL_TIME.includes(matter) ? epochMs(Date.now()) : tenantNow(tenant);
  const sinceMs = epochMs(since.getTime());
  return {
    ...{ itemId, kind, accountId, debtClass, promiseId, amountCents },
    ageDays: Math.max(0, daysBetween(localDateAt(sinceMs, timeZone), localDateAt(nowMs, timeZone))),
    amount: amountCents === null ? null : formatMoney(amountCents, currency),
    ...WORDS[matter]({ ...row, sinceMs, timeZone }),
  };
}

interface Told extends WorklistRow {
  readonly sinceMs: EpochMs;
  readonly timeZone: string;
}

type Words = Pick<WorklistItem, 'reason' | 'next'>;

const WORDS: Readonly<Record<WorklistMatter, (row: Told) => Words>> = {
  'promise-attention': ({ promiseId, said }) => ({
    reason: `The promise cannot be judged: ${ended(said)}`,
    next: `Mend what it says, then send its workflow the update retry: troth promise show ${promiseId ?? ''}`,
  }),
  'case-attention': ({ accountId, debtClass, said }) => ({
    reason: `The case goes no further: ${ended(said)}`,
    next: `Mend what it says, then: troth case wake ${accountId ?? ''} --class ${debtClass ?? ''}`,
  }),
  contact: ({ stepId, count, said }) => ({
    reason: `The contact of step ${stepId ?? ''} could not be handed over in ${times(count)}: ${ended(said)}`,
    next: 'Mend the folder that TROTH_CONTACTS_DIR names; the worker tries again by itself, once a minute at least.',
  }),
  'contacts-waiting': ({ count }) => ({
    reason: `${count === 1 ? '1 contact waits' : `${count ?? 0} contacts wait`} to be handed over, and no worker takes them.`,
    next: 'Set TROTH_CONTACTS_DIR for the worker and start it: troth worker',
  }),
  message: ({ promiseId, count, said }) => ({
    reason: `${count === 1 ? '1 message' : `${count ?? 0} messages`} of the promise could not be delivered${
      said === null ? ': no worker takes them.' : `: ${ended(said)}`
    }`,
    next: `See whether worker and Temporal run (troth doctor), then: troth promise show ${promiseId ?? ''}`,
  }),
  waking: ({ accountId, debtClass, said }) => ({
    reason: `The case was asked to look again and could not be reached${
      said === null ? ': no worker takes it.' : `: ${ended(said)}`
    }`,
    next: `See whether worker and Temporal run (troth doctor), then: troth case wake ${accountId ?? ''} --class ${debtClass ?? ''}`,
  }),
  outside: ({ promiseId, count, said }) => ({
    reason: outsideReason(count ?? 0, said),
    next: `Mend the way to it; it is sent again by itself: troth collections outside list (promise ${promiseId ?? ''})`,
  }),
  step: ({ accountId, debtClass, runNo, stepId, said }) => {
    const rest = `${accountId ?? ''} ${stepId ?? ''} --class ${debtClass ?? ''} --run ${runNo ?? ''}`;
    return {
      reason: said ?? '',
      next: `Look at the case, then approve it: troth step approve ${rest} (or refuse it: troth step refuse …)`,
    };
  },
  promise: ({ promiseId, said, timeZone }) => ({
    reason: `The promise waits for a second person's yes until ${formatLocalTime(epochMs(Number(said)), timeZone)}.`,
    next: `Approve it: troth approve ${promiseId ?? ''} (or refuse it: troth reject ${promiseId ?? ''} --note …)`,
  }),
  broken: ({ accountId, said }) => ({
    reason: `${ended(said ?? 'The promise was broken')} Nothing is promised on the debt now.`,
    next: `Reach the customer, then promise anew: troth preview --account ${accountId ?? ''} …, or mark it as done`,
  }),
  reversed: ({ promiseId, said }) => ({
    reason: `Payment ${said ?? ''} was taken back after the promise was kept; it stays kept.`,
    next: `See what is owed again, and ask for the money: troth promise show ${promiseId ?? ''}`,
  }),
};

function outsideReason(attempts: number, said: string | null): string {
  if (said !== null) {
    return `The collections system outside has not taken an outcome in ${times(attempts)}: ${ended(said)}`;
  }
  return attempts > 1
    ? `The collections system outside has not acknowledged an outcome that was sent ${attempts} times.`
    : 'An outcome waits to be sent to the collections system outside, and no worker takes it.';
}

function ended(sentence: string | null): string {
  const text = (sentence ?? 'the reason is not known').trim();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function times(count: number | null): string {
  return count === 1 ? '1 attempt' : `${count ?? 0} attempts`;
}
