/** A sandbox in which things happen day after day: what passes over a whole ledger are tried on. */
import { amendPromise } from '../../src/enrollment/amend';
import { cancelPromise } from '../../src/enrollment/cancel';
import { enroll } from '../../src/enrollment/enroll';
import { putAccounts } from '../../src/ledger/accounts';
import { rows, type Ledger } from '../../src/ledger/connection';
import { postPayment, postReversal } from '../../src/ledger/payments';
import { settlePromise } from '../../src/ledger/promises/debt-lock';
import { moveClock } from '../../src/ledger/tenants';
import { addDays, localDate, localTimeMs, type EpochMs, type LocalDate } from '../../src/rules/calendar';
import { cents } from '../../src/rules/money';
import { PRESET_NAMES } from '../../src/rules/presets';
import { type Place, TIME_ZONE } from '../cis/place';

export const FIRST_DAY = localDate('2026-01-05');

/** A local time of the sandbox's zone. */
export function local(time: string): EpochMs {
  const ms = localTimeMs(time, TIME_ZONE);
  if (ms === undefined) throw new Error(`${time} is no local time`);
  return ms;
}

/** Numbers from 0 to below 1 that are the same each time. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Something that happens to the ledger, on a day at a time of the sandbox. */
interface Event {
  readonly day: LocalDate;
  readonly time: string;
  readonly happen: (ledger: Ledger, tenantId: string) => Promise<unknown>;
}

const AMOUNT = 4000;

/** The events of a number of accounts; equal seeds give equal stories. */
function eventsOf(accounts: number, seed: number): Event[] {
  const roll = dice(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(roll() * values.length)] as T;
  const events: Event[] = [];
  const at = (day: LocalDate, time: string, happen: Event['happen']): void =>
    void events.push({ day, time, happen });
  for (let index = 1; index <= accounts; index += 1) {
    const [accountId, promiseId] = [`A${index}`, `P${index}`];
    const policy = PRESET_NAMES[index % PRESET_NAMES.length] ?? 'default';
    const start = addDays(FIRST_DAY, Math.floor(roll() * 6));
    const count = 1 + Math.floor(roll() * 3);
    const dues = Array.from({ length: count }, (_, line) =>
      addDays(start, 5 + line * 9 + Math.floor(roll() * 3)),
    );
    const installments = dues.map((dueDate) => ({ dueDate, amountCents: AMOUNT }));
    const schedule =
      index % 11 === 0
        ? { repeat: { amountCents: AMOUNT, frequency: 'weekly', firstDueDate: dues[0] ?? start } }
        : { installments };
    at(start, '09:00', (ledger, tenantId) =>
      enroll(
        ledger,
        { tenantId, promiseId, accountId, debtClass: 'water', policy, startDate: start, ...schedule },
        { actor: 'test' },
      ),
    );
    dues.forEach((due, line) => {
      const paymentId = `M${index}-${line + 1}`;
      const days = pick([0, 0, 0, -2, 1, 2, 3, 4, 6]);
      const received = addDays(due, days < 0 && addDays(due, days) < start ? 0 : days);
      const amountCents = cents(pick([AMOUNT, AMOUNT, AMOUNT, AMOUNT / 2, AMOUNT * 2]));
      const posted = addDays(received, pick([0, 0, 0, 1, 3, 6]));
      const receivedAtMs = local(`${received} 10:00`);
      at(posted, posted === received ? '10:30' : '06:00', (ledger, tenantId) =>
        postPayment(ledger, tenantId, {
          ...{ paymentId, accountId, debtClass: 'water', currency: 'USD', amountCents, receivedAtMs },
        }),
      );
      if (roll() < 0.15) {
        const back = addDays(posted, 1 + Math.floor(roll() * 6));
        at(back, '06:30', (ledger, tenantId) =>
          postReversal(ledger, tenantId, { paymentId, effectiveDate: back, reason: 'nsf' }),
        );
      }
    });
    const options = { actor: 'test', realNowMs: Date.now(), wakeWorkflow: false, relayAfterMs: 0 };
    if (index % 9 === 0) {
      at(addDays(start, 8), '15:00', (ledger, tenantId) =>
        cancelPromise(
          ledger,
          tenantId,
          promiseId,
          { reason: 'customer_request' },
          { ...options, realNowMs: Date.now() },
        ),
      );
    }
    if (index % 7 === 0) {
      const later = [{ dueDate: addDays(start, 30), amountCents: AMOUNT }];
      at(addDays(start, 4), '16:00', (ledger, tenantId) =>
        amendPromise(
          ledger,
          tenantId,
          promiseId,
          { installments: later },
          { ...options, realNowMs: Date.now() },
        ),
      );
    }
  }
  return events.sort((a, b) =>
    a.day + a.time < b.day + b.time ? -1 : a.day + a.time > b.day + b.time ? 1 : 0,
  );
}

/** Moves a sandbox's clock; unlike the command it tells no workflow. */
export function moveTo(ledger: Ledger, tenantId: string, time: string): Promise<unknown> {
  return ledger.forTenant(tenantId, (tx) => moveClock(tx, tenantId, local(time), 'test'));
}

/** What a worker would do now: settles what is due, and what it was told to look at. */
export async function settleDue(ledger: Ledger, tenantId: string, nowMs: EpochMs): Promise<void> {
  const due = await ledger.forTenant(tenantId, (tx) =>
    rows<{ promiseId: string }>(
      tx,
      `select promise_id as "promiseId" from promise p
        where tenant_id = :tenantId and (
          (status in ('pending', 'active') and next_judge_at <= :now) or exists (
            select 1 from outbox b where b.tenant_id = p.tenant_id and b.promise_id = p.promise_id
              and b.kind in ('start', 'review') and b.delivered_at is null))
        order by next_judge_at, promise_id`,
      { tenantId, now: new Date(nowMs) },
    ),
  );
  for (const { promiseId } of due) await settlePromise(ledger, tenantId, promiseId, Date.now());
  await ledger.forTenant(tenantId, (tx) =>
    rows(
      tx,
      "update outbox set delivered_at = now() where tenant_id = :tenantId and kind in ('start', 'review')",
      {
        tenantId,
      },
    ),
  );
}

export interface Told {
  readonly accounts: number;
  readonly seed: number;
  /** The last day that is told; the clock stands at its end then. */
  readonly until: string;
  /** Whether promises are settled as a worker would, at once; else nobody looks at them. */
  readonly settled: boolean;
  /** Called at 00:00 of each day, when what was due until then has been settled. */
  readonly eachNight?: (day: LocalDate) => Promise<void>;
}

/** Tells the story of a new sandbox. */
export async function tellLedger(place: Place, tenantId: string, told: Told): Promise<void> {
  const { ledger } = place;
  await place.sandbox(tenantId, `${FIRST_DAY} 00:30`);
  const accounts = Array.from({ length: told.accounts }, (_, index) => ({
    ...{ accountId: `A${index + 1}`, customerId: null, premiseId: null, debtClasses: ['water'] },
  }));
  await ledger.forTenant(tenantId, (tx) => putAccounts(tx, tenantId, accounts));
  const events = eventsOf(told.accounts, told.seed);
  const settle = async (time: string): Promise<void> => {
    if (told.settled) await settleDue(ledger, tenantId, local(time));
  };
  for (let day = FIRST_DAY; day <= told.until; day = addDays(day, 1)) {
    if (day > FIRST_DAY) {
      await moveTo(ledger, tenantId, `${day} 00:00`);
      await settle(`${day} 00:00`);
      await told.eachNight?.(day);
    }
    const todays = events.filter((event) => event.day === day);
    for (const event of todays.filter(({ time }) => time < '12:00')) await happen(event, day);
    await moveTo(ledger, tenantId, `${day} 12:00`);
    await settle(`${day} 12:00`);
    for (const event of todays.filter(({ time }) => time >= '12:00')) await happen(event, day);
  }
  await moveTo(ledger, tenantId, `${told.until} 23:00`);
  await settle(`${told.until} 23:00`);

  async function happen({ time, happen: act }: Event, day: LocalDate): Promise<void> {
    await moveTo(ledger, tenantId, `${day} ${time}`).catch(() => undefined); // two in one minute
    await act(ledger, tenantId);
    await settle(`${day} ${time}`);
  }
}

/** Changes what must never change, as only somebody with the keys of the database can. */
export async function tamper(
  ledger: Ledger,
  table: string,
  sql: string,
  values: Record<string, unknown>,
): Promise<void> {
  await ledger.forSystem(async (tx) => {
    await tx.raw(`alter table ${table} disable trigger user`);
    const changed = await rows(tx, `${sql} returning 1`, values);
    if (changed.length === 0) throw new Error(`Nothing was changed by: ${sql}`);
    await tx.raw(`alter table ${table} enable trigger user`);
  });
}
