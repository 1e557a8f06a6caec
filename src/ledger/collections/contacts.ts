import { retryAfterMs } from '../../platform/retry';
import { rows, type Tx } from '../connection';

/** A contact that collections owes somebody: a letter, a call, a task; with what a step knew when it was done. */
export interface Contact {
  readonly tenantId: string;
  readonly contactId: string;
  readonly accountId: string;
  readonly debtClass: string;
  readonly channel: 'letter' | 'email' | 'sms' | 'call' | 'visit' | 'task';
  /** Why it is made, once: `step/RUN/STEP`. */
  readonly reason: string;
  readonly runNo: number;
  readonly stepId: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** In the tenant's time. */
  readonly dueAt: Date;
}

/** A contact that one worker has claimed. */
export interface ClaimedContact extends Contact {
  readonly attempts: number;
  /** Where it lies ready, as the port calls it; null: nowhere yet. */
  readonly prepared: string | null;
}

const LEASE_MS = 30_000;

/** Claims contacts that wait to be handed over, of all tenants, for one worker; a claim is a lease of 30 seconds. */
export async function claimContacts(tx: Tx, limit: number): Promise<ClaimedContact[]> {
  const now = Date.now();
  return rows<ClaimedContact>(
    tx,
    `update contact c set next_try_at = :lease, attempts = c.attempts + 1
      where (c.tenant_id, c.contact_id) in (
        select tenant_id, contact_id from contact where handed_at is null and next_try_at <= :now
         order by next_try_at limit :limit for no key update skip locked)
     returning c.tenant_id as "tenantId", c.contact_id as "contactId", c.account_id as "accountId",
               c.debt_class as "debtClass", c.channel, c.reason, c.run_no as "runNo", c.step_id as "stepId", c.payload,
               c.due_at as "dueAt", c.attempts, c.prepared`,
    { lease: new Date(now + LEASE_MS), now: new Date(now), limit },
  );
}

/**
 * Records where contacts lie ready to be handed over.
 * @returns those that the worker may hand over: the others have been claimed by somebody else since.
 */
export async function contactsPrepared(
  tx: Tx,
  contacts: readonly ClaimedContact[],
): Promise<ClaimedContact[]> {
  if (contacts.length === 0) return [];
  const keys = contacts.map(({ tenantId, contactId, attempts, prepared }) => ({
    ...{ tenantId, contactId, attempts, prepared },
  }));
  const ours = await rows<ContactKey>(
    tx,
    `update contact c set prepared = k.prepared
       from json_to_recordset(cast(:keys as json)) as k("tenantId" text, "contactId" text, attempts integer, prepared text)
      where c.tenant_id = k."tenantId" and c.contact_id = k."contactId" and c.attempts = k.attempts and c.handed_at is null
     returning c.tenant_id as "tenantId", c.contact_id as "contactId"`,
    { keys: JSON.stringify(keys) },
  );
  const known = new Set(ours.map(({ tenantId, contactId }) => `${tenantId}/${contactId}`));
  return contacts.filter(({ tenantId, contactId }) => known.has(`${tenantId}/${contactId}`));
}

type ContactKey = Pick<Contact, 'tenantId' | 'contactId'>;

/** Marks contacts as handed over; one that was marked before keeps its time. */
export async function contactsHanded(tx: Tx, contacts: readonly ContactKey[]): Promise<void> {
  if (contacts.length === 0) return;
  await rows(
    tx,
    `update contact c set handed_at = :now, last_error = null
       from json_to_recordset(cast(:contacts as json)) as k("tenantId" text, "contactId" text)
      where c.tenant_id = k."tenantId" and c.contact_id = k."contactId" and c.handed_at is null`,
    { contacts: keysOf(contacts), now: new Date() },
  );
}

/** Puts a contact off that could not be handed over, with a growing, jittered delay of a minute at most. */
export async function postponeContact(
  tx: Tx,
  { tenantId, contactId, attempts }: ClaimedContact,
  error: string,
): Promise<void> {
  await rows(
    tx,
    `update contact set next_try_at = :at, last_error = :error
      where tenant_id = :tenantId and contact_id = :contactId and handed_at is null`,
    {
      ...{ tenantId, contactId, error: error.slice(0, 500) },
      at: new Date(Date.now() + retryAfterMs(attempts + 1, Math.random())),
    },
  );
}

function keysOf(contacts: readonly ContactKey[]): string {
  return JSON.stringify(contacts.map(({ tenantId, contactId }) => ({ tenantId, contactId })));
}

/** A contact with what became of it. */
export interface ContactState extends Pick<
  Contact,
  'contactId' | 'channel' | 'reason' | 'runNo' | 'stepId' | 'dueAt'
> {
  readonly handedAt: Date | null;
  readonly attempts: number;
  readonly lastError: string | null;
}

/** The contacts of a case, oldest first. */
export async function contactsOfCase(
  tx: Tx,
  key: { readonly tenantId: string; readonly accountId: string; readonly debtClass: string },
  limit: number,
): Promise<ContactState[]> {
  const { tenantId, accountId, debtClass } = key;
  return rows<ContactState>(
    tx,
    `select contact_id as "contactId", channel, reason, run_no as "runNo", step_id as "stepId", due_at as "dueAt",
            handed_at as "handedAt", attempts, last_error as "lastError"
       from contact where tenant_id = :tenantId and account_id = :accountId and debt_class = :debtClass
      order by due_at, contact_id limit :limit`,
    { tenantId, accountId, debtClass, limit },
  );
}
