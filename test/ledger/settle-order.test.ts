/**
 * Goal: promises on one debt decide about one another's money; what becomes of them depends on what happened, never on the
 * order in which they are settled, nor on how late (R9, R11, R15). And settling them side by side never locks up.
 * Method: seeded stories of an account's own promise and those of third parties, all told to the ledger while no worker runs;
 * then settled in every order, each order on an account of its own, and all at once. The pure rules, which play the same
 * story forward in time, say what must come of it.
 */
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { rows } from '../../src/ledger/connection';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { verifyPromises } from '../../src/ledger/passes/verify';
import { addDays, localDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { World } from '../../src/rules/scenario/world';
import { parseScenario } from '../../src/scenarios/parse';
import { Place, TIME_ZONE } from '../cis/place';
import { dice, local, moveTo } from './lively';

const START = localDate('2026-01-02');
const END = '2026-02-20 12:00';
const STORIES = Number(process.env['TROTH_STORIES'] ?? 24);
const SEED = Number(process.env['TROTH_SEED'] ?? 1);

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.close());

interface Money {
  readonly id: string;
  readonly at: string;
  readonly postedAt: string;
  readonly payor: string;
  readonly amountCents: number;
  readonly bouncesAt: string | null;
}

interface Story {
  readonly promises: readonly {
    readonly id: string;
    readonly payor: string;
    readonly installments: readonly { readonly dueDate: string; readonly amountCents: number }[];
  }[];
  readonly money: readonly Money[];
}

// An account's own promise due on the 20th; the church's on the 10th, not kept; then the church pays.
const RECIPE: Story = {
  promises: [
    { id: 'A', payor: 'self', installments: [{ dueDate: '2026-01-20', amountCents: 5000 }] },
    { id: 'B', payor: 'church', installments: [{ dueDate: '2026-01-10', amountCents: 3000 }] },
  ],
  money: [
    {
      ...{ id: 'M', at: '2026-01-20T10:00', postedAt: '2026-01-20T10:00', payor: 'church' },
      ...{ amountCents: 5000, bouncesAt: null },
    },
  ],
};

function storyOf(seed: number): Story {
  const roll = dice(seed);
  const upTo = (most: number): number => Math.floor(roll() * (most + 1));
  const payors = roll() < 0.4 ? ['self', 'church', 'agency'] : ['self', 'church'];
  const promises = payors.map((payor, index) => {
    const count = 1 + upTo(2);
    const installments = Array.from({ length: count }, (_, line) => ({
      dueDate: addDays(START, 4 + upTo(4) + line * 8),
      amountCents: 1000 * (1 + upTo(3)),
    }));
    return { id: 'ABC'.charAt(index), payor, installments };
  });
  const money = Array.from({ length: 2 + upTo(5) }, (_, index): Money => {
    const day = addDays(START, 1 + upTo(30));
    const posted = addDays(day, roll() < 0.7 ? 0 : upTo(6));
    const at = `${day}T10:${10 + index}`;
    const postedAt = `${posted}T11:${10 + index}`;
    const payor = roll() < 0.3 ? 'self' : (payors[upTo(payors.length - 1)] ?? 'self');
    const bouncesAt = roll() < 0.25 ? `${addDays(posted, 1 + upTo(8))}T09:${10 + index}` : null;
    return { id: `M${index}`, at, postedAt, payor, amountCents: 1000 * (1 + upTo(4)), bouncesAt };
  });
  return { promises, money };
}

interface End {
  readonly status: string;
  readonly decided: readonly string[];
}

const sentenceOf = (revision: number, status: string, reason: string, atMs: number): string =>
  `${revision} ${status} ${reason} ${new Date(atMs).toISOString()}`;

/** What the pure rules make of a story. */
function expected({ promises, money }: Story): Map<string, End> {
  const scenario = parseScenario({
    ...{ id: 'settle-order', title: 'Promises on one debt', source: 'generated', rules: ['R9'] },
    tenant: { timeZone: TIME_ZONE },
    policy: { preset: 'default' },
    promises: promises.map((promise) => ({ ...promise, startDate: START })),
    events: [
      ...money.map(({ id, at, postedAt, payor, amountCents }) => ({
        ...{ type: 'payment', id, at, postedAt, amountCents, payor },
      })),
      ...money.flatMap(({ id, bouncesAt }) =>
        bouncesAt === null ? [] : [{ type: 'reversal', payment: id, at: bouncesAt, reason: 'nsf' }],
      ),
    ],
    expect: [{ on: START, promise: 'A', status: 'active' }],
  });
  const world = new World(scenario);
  const nowMs = local(END);
  world.advance(nowMs);
  return new Map(
    promises.map(({ id }): [string, End] => {
      const life = world.look(id, nowMs, localDate(END.slice(0, 10)))?.life;
      const decided = (life?.outcomes ?? []).map(({ revision, status, reason, atMs }) =>
        sentenceOf(revision, status, reason, atMs),
      );
      return [id, { status: life?.status ?? 'refused', decided }];
    }),
  );
}

/** Enrolls the promises of a story, with nobody there to settle anything. */
async function agree(tenantId: string, accountId: string, { promises }: Story): Promise<void> {
  const { ledger } = place;
  await ledger.forTenant(tenantId, (tx) =>
    putAccounts(tx, tenantId, [{ accountId, customerId: null, premiseId: null, debtClasses: ['water'] }]),
  );
  const of = { tenantId, accountId, debtClass: 'water' };
  for (const { id, ...promise } of promises) {
    const answer = await enroll(
      ledger,
      { ...of, ...promise, promiseId: `${accountId}-${id}`, startDate: START },
      { actor: 'test' },
    );
    expect(answer).toMatchObject({ result: 'enrolled' });
  }
}

/** Posts the money of a story, and takes back what bounces, in the order in which the ledger learns of it. */
async function pay(tenantId: string, accountId: string, { money }: Story): Promise<void> {
  const { ledger } = place;
  const happenings = money.flatMap(({ id, at, postedAt, payor, amountCents, bouncesAt }) => {
    const paymentId = `${accountId}-${id}`;
    const ms = (time: string): ReturnType<typeof local> => local(time.replace('T', ' '));
    const posting = {
      postedAtMs: ms(postedAt),
      happen: () =>
        postPayment(ledger, tenantId, {
          ...{ paymentId, accountId, debtClass: 'water', currency: 'USD', amountCents: cents(amountCents) },
          ...{ receivedAtMs: ms(at), postedAtMs: ms(postedAt) },
          tenders: [{ payor, tenderType: 'check', amountCents: cents(amountCents) }],
        }),
    };
    if (bouncesAt === null) return [posting];
    const bounce = {
      postedAtMs: ms(bouncesAt),
      happen: () =>
        postReversal(ledger, tenantId, {
          ...{ paymentId, effectiveDate: localDate(bouncesAt.slice(0, 10)), reason: 'nsf' as const },
          postedAtMs: ms(bouncesAt),
        }),
    };
    return [posting, bounce];
  });
  for (const { happen } of happenings.sort((a, b) => a.postedAtMs - b.postedAtMs)) await happen();
}

async function found(tenantId: string, accountId: string, story: Story): Promise<Map<string, End>> {
  const stored = await place.ledger.forTenant(tenantId, (tx) =>
    rows<{ promiseId: string; status: string; decided: string[] | null }>(
      tx,
      `select p.promise_id as "promiseId", p.status,
              (select json_agg(v.revision || ' ' || v.status || ' ' || v.reason || ' ' ||
                 to_char(v.decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') order by v.revision)
                 from verdict v where v.tenant_id = p.tenant_id and v.promise_id = p.promise_id) as decided
         from promise p where p.account_id = :accountId`,
      { accountId },
    ),
  );
  return new Map(
    story.promises.map(({ id }): [string, End] => {
      const one = stored.find(({ promiseId }) => promiseId === `${accountId}-${id}`);
      return [id, { status: one?.status ?? 'none', decided: one?.decided ?? [] }];
    }),
  );
}

function ordersOf<T>(all: readonly T[]): T[][] {
  if (all.length <= 1) return [[...all]];
  return all.flatMap((one, index) => ordersOf(all.toSpliced(index, 1)).map((rest) => [one, ...rest]));
}

async function play(tenantId: string, story: Story): Promise<void> {
  const { ledger } = place;
  const must = expected(story);
  const orders = ordersOf(story.promises.map(({ id }) => id));
  await place.sandbox(tenantId, `${START} 00:00`);
  const accounts = [...orders.map((order) => order.join('')), 'at-once'];
  for (const account of accounts) await agree(tenantId, account, story);
  await moveTo(ledger, tenantId, END);
  for (const account of accounts) await pay(tenantId, account, story);
  const settle = (account: string, id: string): Promise<unknown> =>
    settlePromise(ledger, tenantId, `${account}-${id}`, Date.now());
  for (const order of orders) {
    for (const id of order) await settle(order.join(''), id);
    expect([order.join(''), await found(tenantId, order.join(''), story)]).toEqual([order.join(''), must]);
  }
  const all = story.promises.map(({ id }) => id);
  await Promise.all([...all, ...all].map((id) => settle('at-once', id)));
  expect(['at-once', await found(tenantId, 'at-once', story)]).toEqual(['at-once', must]);
  await expectVerified(tenantId);
}

test("a third party's broken promise is settled before it has a say in the account's own", async () => {
  await play('recipe', RECIPE);
  expect(expected(RECIPE).get('A')?.status).toBe('kept');
  expect(expected(RECIPE).get('B')?.status).toBe('broken');
});

test('stories end the same in whatever order they are settled', async () => {
  for (let index = 0; index < STORIES; index += 1) {
    const seed = SEED * 10_000 + index;
    const story = storyOf(seed);
    try {
      await play(`story-${seed}`, story);
    } catch (error) {
      throw new Error(`seed ${seed}: ${JSON.stringify(story)}`, { cause: error });
    }
  }
}, 240_000);

/** Enrolls a promise due on the 20th and pays, on the clock as it stands; nobody settles anything. */
const promise = (
  tenantId: string,
  promiseId: string,
  payor: string,
  amountCents: number,
  realNowMs = Date.now(),
): Promise<unknown> =>
  enroll(
    place.ledger,
    {
      ...{ tenantId, accountId: 'A1', debtClass: 'water', promiseId, payor, startDate: START },
      installments: [{ dueDate: '2026-01-20', amountCents }],
    },
    { actor: 'test', realNowMs },
  );
const money = (tenantId: string, paymentId: string, by: Readonly<Record<string, number>>): Promise<unknown> =>
  postPayment(place.ledger, tenantId, {
    ...{
      paymentId,
      accountId: 'A1',
      debtClass: 'water',
      currency: 'USD',
      receivedAtMs: local(`${START} 09:00`),
    },
    amountCents: cents(Object.values(by).reduce((total, each) => total + each, 0)),
    tenders: Object.entries(by).map(([payor, amountCents]) => ({
      ...{ payor, tenderType: 'check', amountCents: cents(amountCents) },
    })),
  });
const settledAs = async (tenantId: string, promiseId: string, realNowMs = Date.now()): Promise<string> =>
  (await settlePromise(place.ledger, tenantId, promiseId, realNowMs)).status;
const account = (tenantId: string): Promise<unknown> =>
  place.ledger.forTenant(tenantId, (tx) =>
    putAccounts(tx, tenantId, [
      { accountId: 'A1', customerId: null, premiseId: null, debtClasses: ['water'] },
    ]),
  );

/**
 * The church paid 30 before it promised anything, so both promises may count it (R9); then one payment of both completes both
 * at one instant. The church's own promise has its 30, the account's does without (R11).
 */
test.each(['AB', 'BA'])(
  'R11: no cent counts twice for promises that end at one instant, settled %s',
  async (order) => {
    const tenantId = `one-instant-${order.toLowerCase()}`;
    await place.sandbox(tenantId, `${START} 10:00`);
    await account(tenantId);
    await promise(tenantId, 'A', 'self', 5000);
    await money(tenantId, 'M1', { church: 3000 });
    await moveTo(place.ledger, tenantId, `${START} 11:00`);
    await promise(tenantId, 'B', 'church', 6000);
    await moveTo(place.ledger, tenantId, `${START} 12:00`);
    await money(tenantId, 'M2', { church: 3000, self: 2000 });
    const ends: Record<string, string> = {};
    for (const id of order) ends[id] = await settledAs(tenantId, id);
    expect(ends).toEqual({ A: 'active', B: 'kept' });
    await expectVerified(tenantId);
  },
);

/** Two machines' clocks may say the same; what was decided of the debt comes first all the same. */
test('a promise begins after what was decided of others on its debt, and takes nothing from them', async () => {
  const tenantId = 'begins-after';
  await place.sandbox(tenantId, `${START} 10:00`);
  await account(tenantId);
  await money(tenantId, 'M1', { church: 3000 });
  const now = Date.now();
  await promise(tenantId, 'A', 'self', 3000, now);
  expect(await settledAs(tenantId, 'A', now)).toBe('kept');
  await promise(tenantId, 'B', 'church', 3000, now);
  expect(await settledAs(tenantId, 'B', now)).toBe('active');
  expect(await settledAs(tenantId, 'A')).toBe('kept');
  await expectVerified(tenantId);
});

async function expectVerified(tenantId: string): Promise<void> {
  for await (const { differences } of verifyPromises(place.ledger, tenantId, { kind: 'all' })) {
    expect(differences).toEqual([]);
  }
}
