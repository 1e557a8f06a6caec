import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contact } from '../ledger/collections/contacts';
import { syncFolder, writeWhole } from '../platform/whole-file';

/**
 * Where contacts go: a printer, a mail gateway, a dialer. In two moves, with a record in the ledger between them, so that a crash
 * at whichever moment makes no contact twice and forgets none. A port whose receiver knows a contact by its `contactId` (with the
 * tenant) and takes it once only has nothing to prepare.
 */
export interface ContactPort {
  /**
   * Makes a contact ready where nobody sees it yet.
   * @param prepared where it was made ready before, which is said again while it holds; null: not yet.
   * @returns where it lies ready.
   * @throws anything when it was not made ready for certain; it is tried again, later and later, for ever.
   */
  prepare(contact: Contact, prepared: string | null): Promise<string>;
  /**
   * Hands over what lies ready. Once more it must do nothing, also after the receiver has taken the contact.
   * @throws anything when it was not handed over for certain; it is tried again.
   */
  hand(contact: Contact, prepared: string): Promise<void>;
}

const MOST_READABLE = 120;
const READY = '.ready';

/**
 * Leaves each contact as one JSON file, `{folder}/{tenant}/{contact}.json`, there whole or not at all. It is written in a folder
 * beside and then moved, which is one step of the file system: a file that has been moved cannot be moved again, whoever has
 * taken it since.
 */
export class FileDrop implements ContactPort {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async prepare(contact: Contact, prepared: string | null): Promise<string> {
    const ready = join(this.#of(contact), READY);
    await mkdir(ready, { recursive: true });
    // Another folder under the same name, of a share that is not mounted, has another number.
    const place = `${(await stat(ready)).ino}/`;
    if (prepared?.startsWith(place) === true) return prepared;
    // Of this attempt alone: what a worker that is late writes is never moved in the place of what another one wrote.
    const name = randomUUID();
    await writeWhole(join(ready, name), contentOf(contact));
    return `${place}${name}`;
  }

  async hand(contact: Contact, prepared: string): Promise<void> {
    const folder = this.#of(contact);
    const ready = join(folder, READY);
    try {
      await rename(
        join(ready, prepared.slice(prepared.indexOf('/') + 1)),
        join(folder, fileNameOf(contact.contactId)),
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
      await access(ready); // moved before; unless the whole folder has gone
    }
    await syncFolder(folder);
  }

  #of({ tenantId }: Contact): string {
    return join(this.#folder, safe(tenantId));
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** The name of a contact's file: readable, and different for ids that a file system would take for one. */
export function fileNameOf(contactId: string): string {
  const hash = createHash('sha256').update(contactId).digest('hex').slice(0, 12);
  return `${safe(contactId).slice(0, MOST_READABLE)}-${hash}.json`;
}

function safe(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_');
}

// Nothing of the attempt is in it: the same contact is the same file, byte for byte.
function contentOf(contact: Contact): string {
  const { tenantId, contactId, accountId, debtClass, channel, reason, runNo, stepId, payload, dueAt } =
    contact;
  const content = {
    ...{ tenantId, contactId, accountId, debtClass, channel, reason, runNo, stepId },
    dueAt: dueAt.toISOString(),
    payload,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
