import type { Ledger } from '../ledger/connection';
import {
  claimContacts,
  contactsHanded,
  contactsPrepared,
  postponeContact,
  type ClaimedContact,
} from '../ledger/collections/contacts';
import { withDeadline } from '../platform/deadline';
import { messageOf } from '../platform/errors';
import { faultPoint } from '../platform/faults';
import { startLoop, type Loop } from '../platform/loop';
import type { Log } from '../platform/log';
import type { ContactPort } from './contacts';

const BATCH = 100;
const CONCURRENT = 8;
const IDLE_MS = 500;
const AFTER_ERROR_MS = 1000;
/** Well within the lease of a claim. */
const DEADLINE_MS = 10_000;

interface HandingDeps {
  readonly ledger: Ledger;
  readonly port: ContactPort;
  readonly log: Log;
}

/**
 * Hands the contacts that are due to a port, for ever. Several workers share the work; each contact is handed over once,
 * whatever crashes.
 */
export function startHanding(deps: HandingDeps): Loop {
  const { log } = deps;
  const timing = { idleMs: IDLE_MS, afterErrorMs: AFTER_ERROR_MS };
  const round = async (): Promise<boolean> => (await handBatch(deps)) >= BATCH;
  return startLoop(round, { ...timing, log, onError: 'contacts wait for the ledger' });
}

/** Hands one batch over. @returns how many contacts were claimed. */
export async function handBatch({ ledger, port, log }: HandingDeps): Promise<number> {
  const claimed = await ledger.forSystem((tx) => claimContacts(tx, BATCH));
  if (claimed.length === 0) return 0;
  const failed: Failure[] = [];
  const ready = await inLanes(claimed, failed, async (contact) => ({
    ...contact,
    prepared: await port.prepare(contact, contact.prepared),
  }));
  if (ready.length > 0) await faultPoint('contact-prepared');
  const ours = await ledger.forSystem((tx) => contactsPrepared(tx, ready));
  const done = await inLanes(ours, failed, async (contact) => {
    await port.hand(contact, contact.prepared ?? '');
    return contact;
  });
  if (done.length > 0) await faultPoint('contact-handed');
  await ledger.forSystem(async (tx) => {
    await contactsHanded(tx, done);
    for (const { contact, error } of failed) await postponeContact(tx, contact, error);
  });
  if (failed.length > 0) {
    const [first] = failed;
    const { contactId, tenantId } = first?.contact ?? {};
    log.warn(
      { failed: failed.length, tenantId, contactId, error: first?.error },
      'contacts could not be handed over; tries again',
    );
  }
  return claimed.length;
}

interface Failure {
  readonly contact: ClaimedContact;
  readonly error: string;
}

/** Works on some contacts at once. A share that hangs must not hold up the others. @returns what became of those it went well for. */
async function inLanes<T>(
  contacts: readonly ClaimedContact[],
  failed: Failure[],
  work: (contact: ClaimedContact) => Promise<T>,
): Promise<T[]> {
  const waiting = [...contacts].reverse();
  const done: T[] = [];
  const lane = async (): Promise<void> => {
    for (let contact = waiting.pop(); contact !== undefined; contact = waiting.pop()) {
      try {
        done.push(await withDeadline(work(contact), DEADLINE_MS));
      } catch (error) {
        failed.push({ contact, error: messageOf(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT, contacts.length) }, lane));
  return done;
}
