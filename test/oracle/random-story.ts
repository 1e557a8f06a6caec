/**
 * Seeded stories that aim at the boundaries: the first and last instant of the window, the judge time itself and one
 * millisecond beside it, DST nights (also where midnight is skipped), bounces of every kind, files that come days late.
 * The same seed is the same story, everywhere.
 */
import { endOfDay, localDate, plusDays, startOfDay } from './local-time';
import type { OraclePayment, OracleStory } from './oracle';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** zone and the dates of its clock changes; Havana and Beirut skip midnight, Lord Howe moves by half an hour */
const ZONES: readonly (readonly [string, readonly string[]])[] = [
  ['America/New_York', ['2025-11-02', '2026-03-08']],
  ['Europe/London', ['2025-10-26', '2026-03-29']],
  ['Australia/Lord_Howe', ['2025-10-05', '2026-04-05']],
  ['America/Havana', ['2025-11-02', '2026-03-08']],
  ['Asia/Beirut', ['2025-10-26', '2026-03-29']],
  ['Asia/Kolkata', ['2025-12-31', '2026-03-01']],
  ['Pacific/Auckland', ['2025-09-28', '2026-04-05']],
];

interface Dice {
  /** an integer from `low` to `high`, both included */
  int: (low: number, high: number) => number;
  pick: <T>(choices: readonly [T, ...T[]]) => T;
  chance: (percent: number) => boolean;
}

/** mulberry32: small, seeded, the same on every machine */
function dice(seed: number): Dice {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    int,
    pick: (choices) => choices[int(0, choices.length - 1)] ?? choices[0],
    chance: (percent) => next() * 100 < percent,
  };
}

interface Boundary {
  startMs: number;
  deadlineMs: number;
  judgeMs: number;
  isWilling: boolean;
}

/** A story from a seed. `received <= posted <= reversal posted`; a cancel never falls on a judge time. */
export function randomStory(seed: number): OracleStory {
  const die = dice(seed);
  const [timeZone, changes] = ZONES[die.int(0, ZONES.length - 1)] ?? ['America/New_York', ['2026-03-08']];
  const story: OracleStory = {
    timeZone,
    graceDays: die.pick([3, 3, 3, 0, 1, 7]),
    postingLagHours: die.pick([12, 12, 12, 0, 1, 36]),
    lateEvidence: die.pick(['rejudge', 'rejudge', 'rejudge', 'stay']),
    reversalAfterKept: die.pick(['reopen', 'reopen', 'reopen', 'stay-kept', 'break']),
    reversalGraceDays: die.pick([0, 0, 0, 2, 5]),
    toleranceCents: die.chance(12) ? die.int(1, 500) : 0,
    startDate: '',
    installments: [],
    payments: [],
  };
  if (die.chance(8)) story.windowStart = 'exclusive';
  addInstallments(die, story, changes[die.int(0, changes.length - 1)] ?? '2026-03-08');
  addPayments(die, story);
  if (die.chance(12)) addCancel(die, story);
  return story;
}

/** Due dates around the clock change, so that some last grace day is the short or the long one. */
function addInstallments(die: Dice, story: OracleStory, changeDate: string): void {
  const count = die.pick([1, 1, 2, 2, 3, 4]);
  const gap = die.pick([1, 3, 7, 14, 30]);
  const near = die.int(0, count - 1);
  const first = plusDays(changeDate, -story.graceDays - near * gap + die.int(-1, 1));
  const amount = die.pick([10000, 5000, 3333, 1, 12345]);
  for (let i = 0; i < count; i += 1) {
    const cents = die.chance(60) ? amount : die.int(1, 20000);
    story.installments.push({ dueDate: plusDays(first, i * gap), amountCents: cents });
  }
  story.startDate = plusDays(first, -die.pick([0, 1, 5, 20]));
}

function addPayments(die: Dice, story: OracleStory): void {
  const lagMs = story.postingLagHours * HOUR_MS;
  const total = story.installments.reduce((cents, part) => cents + part.amountCents, 0);
  const add = (amountCents: number, at: Boundary): void => {
    const id = `p${story.payments.length + 1}`;
    const payment = randomPayment(die, id, Math.max(1, amountCents), at, story.timeZone);
    story.payments.push(payment);
    if (payment.reversal !== undefined && die.chance(60)) {
      const again = payment.reversal.postedAtMs + die.pick([0, 1, HOUR_MS, 10 * HOUR_MS, DAY_MS, 4 * DAY_MS]);
      const receivedAtMs = again - die.pick([0, 0, HOUR_MS]);
      story.payments.push({ id: `${id}-again`, amountCents, receivedAtMs, postedAtMs: again });
    }
  };
  // most customers mean well: such a payment is the right amount in time, and only the ledger or the bank goes wrong
  const willing = die.pick([97, 90, 70, 20]);
  for (const part of story.installments) {
    const isWilling = die.chance(willing);
    if (!isWilling && die.chance(25)) continue;
    const deadlineMs = endOfDay(story.timeZone, plusDays(part.dueDate, story.graceDays));
    const startMs = startOfDay(story.timeZone, story.startDate);
    const at: Boundary = { startMs, deadlineMs, judgeMs: deadlineMs + lagMs, isWilling };
    const cents = part.amountCents;
    const amount = isWilling
      ? die.pick([cents, cents, cents, cents, cents + 1, total])
      : die.pick([cents, cents, cents - 1, cents + 1, Math.ceil(cents / 2), total]);
    add(amount, at);
    if (amount < cents && die.chance(70)) add(cents - amount, at);
    if (die.chance(8)) add(die.int(1, total), at);
  }
}

function randomPayment(
  die: Dice,
  id: string,
  amountCents: number,
  at: Boundary,
  zone: string,
): OraclePayment {
  const { startMs, deadlineMs, judgeMs } = at;
  const middayOfDue = deadlineMs - die.int(0, 6) * DAY_MS - 12 * HOUR_MS;
  const inTime = die.pick([
    Math.max(startMs, middayOfDue),
    Math.max(startMs, middayOfDue),
    Math.max(startMs, deadlineMs - 20 * DAY_MS),
    Math.max(startMs, deadlineMs - 20 * MINUTE_MS),
    deadlineMs - 1,
    startMs,
  ]);
  const outOfTime = die.pick([
    deadlineMs,
    deadlineMs + 2 * HOUR_MS,
    deadlineMs + die.int(1, 5) * DAY_MS,
    startMs - 1,
    judgeMs - 1,
  ]);
  const receivedAtMs = at.isWilling || die.chance(50) ? inTime : outOfTime;
  const promptly = die.pick([receivedAtMs, receivedAtMs, receivedAtMs + 10 * HOUR_MS, judgeMs - 1]);
  const slowly = die.pick([
    judgeMs,
    judgeMs + 1,
    judgeMs + die.int(1, 40) * DAY_MS,
    receivedAtMs + die.int(1, 5) * DAY_MS,
  ]);
  const posted = die.chance(80) ? promptly : slowly;
  const payment: OraclePayment = {
    id,
    amountCents,
    receivedAtMs,
    postedAtMs: Math.max(receivedAtMs, posted),
  };
  if (die.chance(22)) payment.reversal = randomReversal(die, payment, at, zone);
  return payment;
}

function randomReversal(
  die: Dice,
  payment: OraclePayment,
  at: Boundary,
  zone: string,
): { effectiveAtMs: number; postedAtMs: number } {
  const wanted = die.pick([
    payment.postedAtMs + die.pick([HOUR_MS, DAY_MS, 5 * DAY_MS, 30 * DAY_MS]),
    payment.postedAtMs + die.int(1, 10 * 24) * HOUR_MS,
    at.deadlineMs - HOUR_MS,
    at.deadlineMs + HOUR_MS,
    at.judgeMs - 1,
    at.judgeMs,
    at.judgeMs + 1,
    at.judgeMs + die.int(1, 20) * DAY_MS,
  ]);
  const postedAtMs = Math.max(payment.postedAtMs + 1, wanted);
  const dayMs = startOfDay(zone, localDate(zone, postedAtMs)) - die.int(1, 4) * DAY_MS + 12 * HOUR_MS;
  const effectiveAtMs = die.chance(15) ? Math.max(payment.receivedAtMs, dayMs) : postedAtMs;
  return { effectiveAtMs, postedAtMs };
}

/** At eleven minutes past an hour: judge times are not, so no race between a verdict and a cancel is left open. */
function addCancel(die: Dice, story: OracleStory): void {
  const last = story.installments.at(-1)?.dueDate ?? story.startDate;
  const fromMs = startOfDay(story.timeZone, story.startDate);
  const days = Math.round((startOfDay(story.timeZone, last) - fromMs) / DAY_MS);
  story.cancelAtMs = fromMs + die.int(0, days + story.graceDays + 2) * DAY_MS + 11 * MINUTE_MS;
  if (die.chance(30)) story.cancelReason = die.pick(['staff_error', 'account_closed', 'service_stopped']);
}
