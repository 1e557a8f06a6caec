/**
 * Goal: every contact that a step makes reaches the port once as a file, whatever crashes; and what cannot be handed over is tried
 * again and shows on the worklist.
 * Method: cases act on a real ledger; batches are handed to a real folder, to one that is none, and to a port that fails.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileDrop, fileNameOf, type ContactPort } from '../../src/collections/contacts';
import { handBatch, startHanding } from '../../src/collections/handing';
import { worklist, type WorklistItem } from '../../src/collections/worklist';
import { rows } from '../../src/ledger/connection';
import { loadConfig } from '../../src/platform/config';
import { createLog } from '../../src/platform/log';
import { Place } from '../cis/place';
import { CasePlace } from './case-place';

const log = createLog({ ...loadConfig({}), logLevel: 'silent' }, 'test');

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());
// Handing goes over all tenants.
beforeEach(() =>
  place.ledger.forSystem((tx) =>
    rows(tx, 'update contact set handed_at = now() where handed_at is null', {}),
  ),
);

/** A tenant with one contact due: a reminder of 26 January 2026. */
async function reminded(tenantId: string): Promise<CasePlace> {
  const at = await CasePlace.make(place, tenantId, '2026-01-26 08:00');
  await at.account('A1');
  await at.debt('A1', { '2026-01-15': 8000 });
  await at.at('2026-01-26 10:00', 'A1');
  expect(await at.steps('A1')).toEqual(['2026-01-26 reminder done']);
  return at;
}

/** Lets a contact that was put off be tried now. */
const again = (): Promise<unknown> =>
  place.ledger.forSystem((tx) =>
    rows(tx, 'update contact set next_try_at = now() where handed_at is null', {}),
  );

async function contactOf(
  tenantId: string,
): Promise<{ handed: boolean; attempts: number; error: string | null }> {
  const [found] = await place.ledger.forTenant(tenantId, (tx) =>
    rows<{ handed: boolean; attempts: number; error: string | null }>(
      tx,
      'select handed_at is not null as handed, attempts, last_error as error from contact',
      {},
    ),
  );
  if (found === undefined) throw new Error('no contact');
  return found;
}

async function stuckOf(tenantId: string): Promise<WorklistItem[]> {
  const items: WorklistItem[] = [];
  for await (const item of worklist(place.ledger, tenantId, { kinds: ['stuck'], limit: 100 }))
    items.push(item);
  return items;
}

/** What a printer finds. */
const filesIn = (folder: string, tenantId: string): string[] =>
  readdirSync(join(folder, tenantId)).filter((name) => name.endsWith('.json'));

test('a contact becomes one file, once', async () => {
  await reminded('once');
  const folder = join(place.folder, 'once');
  const deps = { ledger: place.ledger, port: new FileDrop(folder), log };
  expect(await handBatch(deps)).toBe(1);
  const [name, ...others] = filesIn(folder, 'once');
  expect(others).toEqual([]);
  expect(name).toBe(fileNameOf('A1.water.1.reminder'));
  expect(name).toMatch(/^A1\.water\.1\.reminder-[0-9a-f]{12}\.json$/);
  expect(JSON.parse(readFileSync(join(folder, 'once', name ?? ''), 'utf8'))).toMatchObject({
    ...{ tenantId: 'once', contactId: 'A1.water.1.reminder', accountId: 'A1', debtClass: 'water' },
    ...{ channel: 'letter', reason: 'step/1/reminder', runNo: 1, stepId: 'reminder' },
    payload: { kind: 'reminder', on: '2026-01-26', collectibleCents: 8000, currency: 'USD' },
  });
  expect(await contactOf('once')).toEqual({ handed: true, attempts: 1, error: null });
  expect(await handBatch(deps)).toBe(0);
});

test('a crash between the write and the mark leaves one file with the same content', async () => {
  await reminded('crash');
  const folder = join(place.folder, 'crash');
  const drop = new FileDrop(folder);
  await handBatch({ ledger: place.ledger, port: dying(drop, 'hand'), log });
  const names = filesIn(folder, 'crash');
  const before = readFileSync(join(folder, 'crash', names[0] ?? ''), 'utf8');
  expect(await contactOf('crash')).toMatchObject({ handed: false, error: 'the worker died' });
  await again();
  await handBatch({ ledger: place.ledger, port: drop, log });
  expect(filesIn(folder, 'crash')).toEqual(names);
  expect(names).toHaveLength(1);
  expect(readFileSync(join(folder, 'crash', names[0] ?? ''), 'utf8')).toBe(before);
  expect(await contactOf('crash')).toEqual({ handed: true, attempts: 2, error: null });
});

/** A port whose worker dies as soon as it has done one of its two moves. */
function dying(port: ContactPort, move: 'prepare' | 'hand'): ContactPort {
  const dies = (): never => {
    throw new Error('the worker died');
  };
  return {
    prepare: async (contact, prepared) => {
      const ready = await port.prepare(contact, prepared);
      return move === 'prepare' ? dies() : ready;
    },
    hand: (contact, prepared) => port.hand(contact, prepared).then(dies),
  };
}

test('a letter that was printed and thrown away before the crash is not printed again', async () => {
  await reminded('printed');
  const folder = join(place.folder, 'printed');
  const drop = new FileDrop(folder);
  await handBatch({ ledger: place.ledger, port: dying(drop, 'hand'), log });
  const [name = ''] = filesIn(folder, 'printed');
  rmSync(join(folder, 'printed', name));
  await again();
  await handBatch({ ledger: place.ledger, port: drop, log });
  expect(filesIn(folder, 'printed')).toEqual([]);
  expect(await contactOf('printed')).toEqual({ handed: true, attempts: 2, error: null });
});

test('a crash before anybody could see the contact leaves it to be made', async () => {
  await reminded('unseen');
  const folder = join(place.folder, 'unseen');
  const drop = new FileDrop(folder);
  await handBatch({ ledger: place.ledger, port: dying(drop, 'prepare'), log });
  expect(filesIn(folder, 'unseen')).toEqual([]);
  await again();
  await handBatch({ ledger: place.ledger, port: drop, log });
  expect(filesIn(folder, 'unseen')).toHaveLength(1);
});

test('a contact that lies ready in a folder that has gone is made ready in the one that is there', async () => {
  await reminded('moved');
  const folder = join(place.folder, 'moved');
  const drop = new FileDrop(folder);
  const stuck: ContactPort = {
    prepare: (contact, prepared) => drop.prepare(contact, prepared),
    hand: () => Promise.reject(new Error('the share has gone')),
  };
  await handBatch({ ledger: place.ledger, port: stuck, log });
  renameSync(folder, `${folder}-before`);
  await again();
  await handBatch({ ledger: place.ledger, port: drop, log });
  expect(filesIn(folder, 'moved')).toHaveLength(1);
});

test('a worker that is late hands nothing over that another has claimed since', async () => {
  await reminded('late');
  const folder = join(place.folder, 'late');
  const drop = new FileDrop(folder);
  const handed: string[] = [];
  const late: ContactPort = {
    async prepare(contact, prepared) {
      const ready = await drop.prepare(contact, prepared);
      await again();
      await handBatch({ ledger: place.ledger, port: drop, log }); // its lease is over, and another is faster
      return ready;
    },
    async hand(contact, prepared) {
      handed.push(contact.contactId);
      await drop.hand(contact, prepared);
    },
  };
  await handBatch({ ledger: place.ledger, port: late, log });
  expect(handed).toEqual([]);
  expect(filesIn(folder, 'late')).toHaveLength(1);
  expect(await contactOf('late')).toMatchObject({ handed: true, attempts: 2 });
});

test('ids that a file system takes for one get names of their own', () => {
  expect(fileNameOf('a1.water.1.x').toLowerCase()).not.toBe(fileNameOf('A1.water.1.x').toLowerCase());
  expect(fileNameOf('../../etc/passwd')).toMatch(/^_[^/]*$/);
  expect(fileNameOf('x'.repeat(200)).length).toBeLessThan(150);
});

test('a folder that cannot be written is tried again later, and shows on the worklist', async () => {
  const at = await reminded('away');
  const folder = join(place.folder, 'away');
  writeFileSync(folder, 'a file where the folder should be');
  const deps = { ledger: place.ledger, port: new FileDrop(folder), log };
  expect(await handBatch(deps)).toBe(1);
  // Not at once: it was put off.
  expect(await handBatch(deps)).toBe(0);
  expect(await contactOf('away')).toMatchObject({
    handed: false,
    attempts: 1,
    error: expect.stringMatching(/ENOTDIR|EEXIST/),
  });
  expect(await stuckOf('away')).toEqual([]);
  await at.at('2026-01-26 10:30', 'A1');
  expect(await stuckOf('away')).toMatchObject([
    {
      ...{
        itemId: 'stuck/contact/A1.water.1.reminder/2026-01-26',
        accountId: 'A1',
        debtClass: 'water',
        ageDays: 0,
      },
      reason: expect.stringMatching(
        /^The contact of step reminder could not be handed over in 1 attempt: .*\.$/,
      ),
      next: expect.stringContaining('TROTH_CONTACTS_DIR'),
    },
  ]);
  rmSync(folder);
  mkdirSync(folder);
  await again();
  const handing = startHanding(deps);
  for (let tries = 0; tries < 100 && !(await contactOf('away')).handed; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await handing.stop();
  expect(await contactOf('away')).toEqual({ handed: true, attempts: 2, error: null });
  expect(await stuckOf('away')).toEqual([]);
});

test('contacts that nobody takes are counted on the worklist', async () => {
  const at = await reminded('nobody');
  await at.at('2026-01-28 10:00', 'A1');
  expect(await stuckOf('nobody')).toEqual([]);
  await place.ledger.forTenant('nobody', (tx) =>
    rows(tx, "update contact set next_try_at = now() - interval '11 minutes'", {}),
  );
  expect(await stuckOf('nobody')).toMatchObject([
    {
      ...{ itemId: 'stuck/contacts/2026-01-28', accountId: null, ageDays: 2 },
      reason: '1 contact waits to be handed over, and no worker takes them.',
    },
  ]);
  // Another tenant sees nothing of it.
  expect(await stuckOf('once')).toEqual([]);
});

test('two workers hand a contact over once each at most, and a claim ends', async () => {
  await reminded('two');
  const handed: string[] = [];
  const port: ContactPort = {
    prepare: () => Promise.resolve('known by its id'),
    async hand({ contactId }) {
      handed.push(contactId);
    },
  };
  const deps = { ledger: place.ledger, port, log };
  const claimed = await Promise.all([handBatch(deps), handBatch(deps)]);
  expect(claimed.sort()).toEqual([0, 1]);
  expect(handed).toEqual(['A1.water.1.reminder']);
});
