/**
 * Goal: only a target that can work is taken; a secret never gets into the ledger or onto the screen; and the commands
 * on messages say and do what they should.
 * Method: tables of settings, then the built command line on a real ledger without a worker, so that messages wait.
 */
import { readTarget } from '../../src/collections/outside/target';
import { fileNameOf } from '../../src/collections/outside/message';
import { rows } from '../../src/ledger/connection';
import { handOver } from '../../src/ledger/collections/outside';
import { Place } from '../cis/place';
import { Promised } from '../cli/promised';
import { promise } from './story';

const HOOK = { kind: 'webhook', url: 'https://collections.example/troth' };
const FILE = { kind: 'file', folder: '/var/spool/troth', acknowledge: 'written' };
const FLOW = {
  ...{ kind: 'workflow', workflowType: 'dunning', taskQueue: 'dunning', signal: 'promiseOutcome' },
  workflowId: 'dunning/{tenant}/{accountId}/{debtClass}',
};

test('settings are filled in', () => {
  expect(readTarget({ kind: 'troth' })).toEqual({ target: { kind: 'troth' } });
  expect(readTarget(HOOK)).toEqual({ target: { ...HOOK, secretEnv: null, timeoutSeconds: 10 } });
  expect(readTarget(FILE)).toEqual({ target: { ...FILE, resendAfterMinutes: 60 } });
  expect(readTarget(FLOW)).toEqual({ target: { ...FLOW, namespace: null } });
});

const parts = '{tenant}, {accountId}, {debtClass}, {promiseId}';
test.each<[object, string, RegExp | string]>([
  [{ kind: 'carrier-pigeon' }, 'kind', 'must be troth, webhook, file or workflow'],
  [{ ...HOOK, url: 'collections.example' }, 'url', /must be a whole URL/],
  [{ ...HOOK, url: 'ftp://collections.example' }, 'url', 'must begin with https:// or http://'],
  [{ ...HOOK, url: 'file:///etc/passwd' }, 'url', 'must begin with https:// or http://'],
  [{ ...HOOK, url: 'https://me:hunter2@collections.example' }, 'url', /must hold no user or password/],
  [{ ...HOOK, url: 'https://collections.example/#a' }, 'url', 'must have no #fragment'],
  [{ ...HOOK, url: `https://x.example/${'x'.repeat(2000)}` }, 'url', 'must have at most 2000 characters'],
  [{ ...HOOK, secretEnv: 'whsec_hunter2' }, 'secretEnv', /must be the NAME of an environment variable/],
  [{ ...HOOK, timeoutSeconds: 0 }, 'timeoutSeconds', 'must be a whole number of seconds from 1 to 60'],
  [{ ...HOOK, timeoutSeconds: 61 }, 'timeoutSeconds', 'must be a whole number of seconds from 1 to 60'],
  [{ ...HOOK, secret: 'hunter2' }, 'secret', 'is no field that Troth knows here'],
  [{ ...FILE, folder: 'spool/troth' }, 'folder', /must be a whole path/],
  [{ ...FILE, folder: '/spool\u0000' }, 'folder', 'must not have control characters'],
  [{ ...FILE, acknowledge: 'perhaps' }, 'acknowledge', 'must be written or by-file'],
  [{ ...FILE, resendAfterMinutes: 0 }, 'resendAfterMinutes', /from 1 to 43200/],
  [{ ...FLOW, workflowType: ' ' }, 'workflowType', 'must not be empty'],
  [{ ...FLOW, signal: '__troth' }, 'signal', /must not begin with __/],
  [{ ...FLOW, workflowId: 'dunning' }, 'workflowId', /must have \{tenant\} and \{accountId\}/],
  [{ ...FLOW, workflowId: 'dunning/{accountId}' }, 'workflowId', /must have \{tenant\} and \{accountId\}/],
  [{ ...FLOW, workflowId: '{tenant}/{accountId}/{name}' }, 'workflowId', `may have in braces only ${parts}`],
  [{ ...FLOW, workflowId: '{tenant}/{accountId}/{' }, 'workflowId', `may have in braces only ${parts}`],
  // "a-b" of c, or "a" of "b-c"?
  [
    { ...FLOW, workflowId: 'dunning-{tenant}-{accountId}' },
    'workflowId',
    /between \{tenant\} and \{accountId\}/,
  ],
  [{ ...FLOW, workflowId: '{tenant}{accountId}' }, 'workflowId', /between \{tenant\} and \{accountId\}/],
  [
    { ...FLOW, workflowId: '{tenant}/{accountId}.x.{debtClass}' },
    'workflowId',
    /between \{accountId\} and \{debt/,
  ],
  [{ ...FLOW, workflowId: 'ptp/{tenant}/{accountId}' }, 'workflowId', /Troth's own workflows/],
  [
    { ...FLOW, workflowId: 'collections/{tenant}/{accountId}/{debtClass}' },
    'workflowId',
    /Troth's own workflows/,
  ],
])('%j is refused: %s', (settings, field, message) => {
  const read = readTarget(settings);
  const [problem] = 'problems' in read ? read.problems : [];
  expect(problem).toMatchObject({
    field,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
  expect(JSON.stringify(read)).not.toContain('hunter2');
});

test('ids of workflows may have other signs between their parts', () => {
  for (const workflowId of [
    'dunning-{tenant}:{accountId}',
    'x-{accountId}@{tenant}',
    '{tenant} {accountId}-y',
  ]) {
    expect(readTarget({ ...FLOW, workflowId })).toMatchObject({ target: { workflowId } });
  }
});

test('names of files are safe, in order, and no two messages share one', () => {
  expect(fileNameOf(2, 'P-1/1/broken')).toBe('000002-P-1~1~broken.json');
  expect(fileNameOf(1, '../../etc/passwd')).toBe('000001-..~..~etc~passwd.json');
  expect(fileNameOf(1, 'a/b')).not.toBe(fileNameOf(1, 'a~b'));
  expect(fileNameOf(1, 'a\\b:\u0000ü')).toMatch(/^000001-[A-Za-z0-9=~._-]+\.json$/);
  const long = 'x'.repeat(400);
  expect(fileNameOf(1, `${long}1`).length).toBeLessThan(250);
  expect(fileNameOf(1, `${long}1`)).not.toBe(fileNameOf(1, `${long}2`));
});

describe('commands', () => {
  let place: Place;
  let on: Promised;
  let other: Promised;

  beforeAll(async () => {
    place = await Place.open();
    on = await Promised.open(place, 'riverton');
    other = await Promised.open(place, 'lakeside');
  }, 60_000);

  afterAll(() => place.close());

  const outside = (...args: string[]): Promise<string> => on.troth('collections', ...args);

  test('target show and set', async () => {
    expect(await outside('target', 'show')).toBe("Outcomes of riverton go to Troth's own collections.\n");
    const said = await outside('target', 'set', 'webhook', HOOK.url, '--secret-env', 'HOOK_KEY');
    expect(said).toContain('go to the webhook https://collections.example/troth from now on (version 1)');
    expect(said).toContain('The worker signs with the key in its environment variable HOOK_KEY.');
    expect(await outside('target', 'show')).toMatch(/secretEnv\s+HOOK_KEY\ntimeoutSeconds\s+10\nVersion 1, /);
    expect(await outside('target', 'set', 'webhook', HOOK.url, '--secret-env', 'HOOK_KEY')).toContain(
      'already',
    );
    await outside(
      'target',
      'set',
      'file',
      '/var/spool/troth',
      '--acknowledge',
      'by-file',
      '--resend-after',
      '5',
    );
    await outside(
      ...['target', 'set', 'workflow', '--type', 'dunning', '--task-queue', 'q', '--signal', 's'],
      ...['--id', 'dunning/{tenant}/{accountId}'],
    );
    expect(await on.json('collections', 'target', 'show')).toMatchObject({
      ...{ version: 3, unacknowledged: 0, createdBy: expect.stringMatching(/^cli:/) },
      target: { kind: 'workflow', namespace: null },
    });
    const audited = await place.ledger.forTenant('riverton', (tx) =>
      rows(
        tx,
        "select details from audit_event where action = 'collections.target_set' order by audit_id",
        {},
      ),
    );
    expect(audited).toMatchObject([
      { details: { version: 1, from: { kind: 'troth' }, to: { kind: 'webhook', secretEnv: 'HOOK_KEY' } } },
      { details: { version: 2, to: { kind: 'file', resendAfterMinutes: 5 } } },
      { details: { version: 3, from: { kind: 'file' }, to: { kind: 'workflow' } } },
    ]);
    // The other tenant has its own.
    expect(await other.troth('collections', 'target', 'show')).toContain("Troth's own collections");
  }, 60_000);

  test('bad settings are refused and change nothing', async () => {
    const refusals: [number, string[], string][] = [
      [65, ['webhook', 'ftp://x.example'], 'url: must begin with https:// or http://'],
      [65, ['webhook', 'https://me:hunter2@x.example'], 'url: must hold no user or password'],
      [65, ['webhook', HOOK.url, '--secret-env', 'hunter2'], 'secretEnv: must be the NAME'],
      [64, ['webhook', HOOK.url, '--timeout', '600'], 'whole number from 1 to 60'],
      [65, ['file', 'spool', '--acknowledge', 'written'], 'folder "spool": must be a whole path'],
      [64, ['file', '/spool', '--acknowledge', 'maybe'], 'It must be one of written, by-file'],
      [64, ['file', '/spool'], '--acknowledge'],
      [64, ['workflow', '--type', 'dunning'], 'required option'],
    ];
    for (const [code, args, message] of refusals) {
      const said = await on.refused(code, 'collections', 'target', 'set', ...args);
      expect(said).toContain(message);
      expect(said).not.toContain('hunter2');
    }
    expect(await on.json('collections', 'target', 'show')).toMatchObject({ version: 3 });
  }, 60_000);

  test('messages are listed, acknowledged by hand and sent again; other tenants have no part in them', async () => {
    await on.account('A-1');
    await promise(place.ledger, 'riverton', 'A-1');
    await place.ledger.forSystem((tx) => handOver(tx, [{ tenantId: 'riverton', promiseId: 'A-1' }]));
    const id = 'A-1/1/activated';
    expect(await outside('outside', 'list')).toMatch(/A-1\/1\/activated\s+A-1\s+\d+ s\s+0\s+waits/);
    expect(await on.json('collections', 'outside', 'list', '--unacknowledged')).toMatchObject({
      ...{ outcomeId: id, kind: 'activated', attempts: 0, lastError: null, acknowledgedAt: null },
      ageSeconds: expect.any(Number),
    });
    for (const command of ['ack', 'resend']) {
      expect(await other.refused(66, 'collections', command, id)).toContain(`There is no message "${id}"`);
    }
    expect(await on.refused(66, 'collections', 'ack', id, 'A-1/9/kept')).toContain('A-1/9/kept');
    expect(await outside('outside', 'list', '--unacknowledged')).toContain('waits');
    expect(await outside('ack', id, '--actor', 'maria')).toBe('1 message acknowledged.\n');
    expect(await outside('ack', id)).toContain(`${id} had been acknowledged before.`);
    expect(await outside('outside', 'list', '--unacknowledged')).toBe(
      'Every message has been acknowledged.\n',
    );
    expect(await outside('outside', 'list')).toContain('acknowledged: maria');
    expect(await outside('resend', id)).toBe(`${id} is sent once more.\n`);
    expect(await outside('outside', 'list', '--unacknowledged')).toContain('waits');
    const events = await place.ledger.forTenant('riverton', (tx) =>
      rows(
        tx,
        "select action, actor from audit_event where promise_id = 'A-1' and action like 'outcome.%' order by audit_id",
        {},
      ),
    );
    expect(events).toMatchObject([
      { action: 'outcome.acknowledged', actor: 'maria' },
      { action: 'outcome.resent' },
    ]);
  }, 60_000);
});
