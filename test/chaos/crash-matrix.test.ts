/**
 * Goal: whatever is killed at whichever boundary – after a verdict was committed, an outcome claimed, signalled or received, a case
 * woken, a step committed, promises ended by a step, a contact made ready or handed over, a message claimed or sent outside –
 * outcomes and steps happen exactly once, and each contact is made once, though it is taken as soon as it is there.
 * Method: fault points in the product stop a real worker exactly there (TROTH_TEST_FAULTS); then the worker, Temporal or PostgreSQL is
 * killed with kill -9 and started again on the same data. Each time an account of its own lives through a debt, a broken promise,
 * the process that comes back, and a step; another tenant tells a system outside by files.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTarget } from '../../src/collections/outside/target';
import { rows } from '../../src/ledger/connection';
import { getTenant } from '../../src/ledger/tenants';
import { FAULT_POINTS, type FaultPoint } from '../../src/platform/faults';
import { CasePlace } from '../collections/case-place';
import { engineOn, eventually, makeTenant, moveTo, type Engine } from '../support/engine';
import { TestHome } from '../support/stack';
import { mortalPostgres, mortalTemporal, mortalWorker, type Mortal } from './place';

const BROKEN_AT = '2026-02-20 13:00';

jest.setTimeout(600_000);

let home: TestHome;
let folder: string;
let outside: string;
let contacts: string;
let engine: Engine;
let parts: { worker: Mortal; Temporal: Mortal; PostgreSQL: Mortal };

beforeAll(async () => {
  home = new TestHome('matrix');
  [folder, outside, contacts] = ['faults', 'outside', 'contacts'].map((name) => {
    const made = join(mkdtempSync(join(tmpdir(), 'troth-matrix-')), name);
    mkdirSync(made);
    return made;
  }) as [string, string, string];
  const postgres = await mortalPostgres(home);
  const temporal = await mortalTemporal(home, postgres.handle);
  const database = { url: postgres.handle.url, drop: () => Promise.resolve() };
  engine = await engineOn(database, temporal.address);
  const env = { ...engine.workerEnv, TROTH_TEST_FAULTS: folder, TROTH_CONTACTS_DIR: contacts };
  parts = { worker: await mortalWorker(home, env), Temporal: temporal, PostgreSQL: postgres };
}, 240_000);

afterAll(async () => {
  await parts.worker.stop();
  await engine.close();
  await parts.Temporal.stop();
  await parts.PostgreSQL.stop();
  home.remove();
  for (const made of [folder, outside, contacts]) rmSync(made, { recursive: true, force: true });
}, 120_000);

/** Stops the product at a point when it comes there next. */
function arm(point: FaultPoint): void {
  writeFileSync(join(folder, point), '');
}

/** Kills a part while the product stands at a point, and brings everything back. */
async function strike(point: FaultPoint, victim: Mortal): Promise<void> {
  const began = Date.now();
  const hit = join(folder, `${point}.hit`);
  await eventually(async () => existsSync(hit), `${point} is reached`, 60_000);
  await victim.kill();
  rmSync(hit);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await victim.revive();
  for (const part of [parts.PostgreSQL, parts.Temporal, parts.worker]) await part.revive();
  process.stderr.write(
    `  ${victim.name} was killed at ${point}, up again after ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
  );
}

const VICTIMS = ['worker', 'Temporal', 'PostgreSQL'] as const;
const OUTSIDE: readonly FaultPoint[] = ['outside-claimed', 'outside-sent'];
const INSIDE = FAULT_POINTS.filter((point) => !OUTSIDE.includes(point) && point !== 'promises-ended');
const CASES = INSIDE.flatMap((point) => VICTIMS.map((victim) => [point, victim] as const));

test.each(CASES)('%s: %s is killed', async (point, victim) => {
  const { ledger } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-26 08:00', accounts: [] });
  const at = new CasePlace(engine, tenantId);
  await at.process({});
  await at.account('A');
  const printed = printer(tenantId);
  // Without a promise the debt itself has its case woken.
  const isPromised = point !== 'case-woken';
  if (isPromised)
    await at.promise('P', 'A', { installments: [{ dueDate: '2026-02-15', amountCents: 7000 }] });
  else arm(point);
  await at.debt('A', { '2026-01-10': 8000 });
  if (!isPromised) await strike(point, parts[victim]);
  // The promise breaks, the outcome goes to the case, the process begins, its first step is done.
  else arm(point);
  // Who decides a verdict tells it; the relay claims what was left behind.
  if (point === 'outcome-claimed') arm('verdict-committed');
  await moveTo(ledger, tenantId, BROKEN_AT);
  if (point === 'outcome-claimed') await strike('verdict-committed', parts.worker);
  if (isPromised) await strike(point, parts[victim]);
  await eventually(async () => (await state(at)).step === 'done', 'the step is done', 90_000);
  await eventually(async () => (await state(at)).handed === 1, 'the contact is handed over', 60_000);
  if (isPromised)
    await eventually(async () => (await state(at)).outcomes !== null, 'the outcome is received', 90_000);
  // Once more, so that whatever was left in flight comes in.
  await moveTo(ledger, tenantId, '2026-03-03 10:00');
  await eventually(async () => (await at.steps('A')).length >= 2, 'the next step', 60_000);
  expect(await state(at)).toEqual({
    outcomes: isPromised ? ['P/1/broken'] : null,
    verdicts: isPromised ? 1 : 0,
    step: 'done',
    contacts: 2,
    handed: expect.any(Number),
  });
  expect(await at.steps('A')).toEqual(['2026-02-20 reminder done', '2026-03-03 final-notice done']);
  expect(await at.reviews('A')).toHaveLength(1);
  await eventually(async () => (await state(at)).handed === 2, 'both contacts are handed over', 60_000);
  expect((await printed()).sort()).toEqual(['A.water.1.final-notice', 'A.water.1.reminder']);
});

/** Takes each contact of a tenant as soon as it is there. @returns what it has taken, having stopped. */
function printer(tenantId: string): () => Promise<string[]> {
  const taken: string[] = [];
  const take = (): void => {
    const of = join(contacts, tenantId);
    for (const name of existsSync(of) ? readdirSync(of) : []) {
      if (!name.endsWith('.json')) continue;
      taken.push((JSON.parse(readFileSync(join(of, name), 'utf8')) as { contactId: string }).contactId);
      rmSync(join(of, name));
    }
  };
  const timer = setInterval(take, 20).unref();
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    clearInterval(timer);
    take();
    return taken;
  };
}

test.each(VICTIMS)('promises-ended: %s is killed', async (victim) => {
  const { ledger } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-26 08:00', accounts: [] });
  const at = new CasePlace(engine, tenantId);
  await at.process({
    steps: [{ id: 'reminder', kind: 'reminder', day: 0, cancelsPromises: true }],
  });
  await at.account('A');
  // Small enough that the process runs beside it.
  await at.promise('P', 'A', { installments: [{ dueDate: '2026-03-15', amountCents: 1000 }] });
  arm('promises-ended');
  await at.debt('A', { '2026-01-10': 8000 });
  await moveTo(ledger, tenantId, '2026-01-26 10:00');
  await strike('promises-ended', parts[victim]);
  await eventually(async () => (await state(at)).step === 'done', 'the step is done', 90_000);
  await eventually(async () => (await state(at)).outcomes !== null, 'the outcome is received', 90_000);
  await eventually(async () => (await waitingSteps(at)) === 0, 'the step has ended its promises', 60_000);
  expect(await state(at)).toMatchObject({ outcomes: ['P/1/cancelled'], verdicts: 1, contacts: 1 });
  expect(await at.steps('A')).toEqual(['2026-01-26 reminder done']);
});

async function waitingSteps(at: CasePlace): Promise<number> {
  const found = await engine.ledger.forTenant(at.tenantId, (tx) =>
    rows(tx, 'select 1 from collections_step where cancels_promises', {}),
  );
  return found.length;
}

const OUTSIDE_CASES = OUTSIDE.flatMap((point) => VICTIMS.map((victim) => [point, victim] as const));

test.each(OUTSIDE_CASES)('%s: %s is killed', async (point, victim) => {
  const { ledger } = engine;
  const tenantId = await makeTenant(ledger, { begins: '2026-01-26 08:00', accounts: [] });
  const at = new CasePlace(engine, tenantId);
  const tenant = await ledger.forTenant(tenantId, (tx) => getTenant(tx, tenantId));
  await setTarget(ledger, tenant, { kind: 'file', folder: outside, acknowledge: 'written' }, 'test');
  await at.account('A');
  await at.promise('P', 'A', { installments: [{ dueDate: '2026-02-15', amountCents: 7000 }] });
  arm(point);
  await moveTo(ledger, tenantId, BROKEN_AT);
  await strike(point, parts[victim]);
  const acknowledged = async (): Promise<number> => {
    const [found] = await ledger.forTenant(tenantId, (tx) =>
      rows<{ count: number }>(
        tx,
        'select count(*) as count from outside_message where acknowledged_at is not null',
        {},
      ),
    );
    return found?.count ?? 0;
  };
  // A system outside is told of the activation, too.
  await eventually(async () => (await acknowledged()) === 2, 'both are acknowledged', 120_000);
  const files = readdirSync(join(outside, tenantId)).filter((name) => name.endsWith('.json'));
  expect(files).toHaveLength(2);
});

async function state(at: CasePlace) {
  const [found] = await engine.ledger.forTenant(at.tenantId, (tx) =>
    rows<{
      outcomes: string[] | null;
      verdicts: number;
      step: string | null;
      contacts: number;
      handed: number;
    }>(
      tx,
      `select (select json_agg(outcome_id order by position) from collections_outcome where kind <> 'activated') as outcomes,
              (select count(*) from verdict) as verdicts,
              (select status from collections_step where step_id = 'reminder') as step,
              (select count(*) from contact) as contacts,
              (select count(*) from contact where handed_at is not null) as handed`,
      {},
    ),
  );
  return found ?? { outcomes: null, verdicts: 0, step: null, contacts: 0, handed: 0 };
}
