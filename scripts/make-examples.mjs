#!/usr/bin/env node
/**
 * Writes `examples/`: the files of a made-up utility, and what must become of every promise in them.
 *
 *   node scripts/make-examples.mjs            write the files and print the cases
 *   node scripts/make-examples.mjs --check    exit 1 if the files on disk are not what would be written
 *
 * Nothing here evaluates anything: each case is a little story whose outcome its author derived from the rule book
 * (R-numbers) and states next to it. The only arithmetic is on calendar days and on cents, so that the engine can be
 * compared with it. Policy `default`: 3 days of grace, 12 hours posting lag, zone America/New_York.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXAMPLES = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples');
const STORY_START = '2026-01-05 08:00';
const STORY_END = '2026-06-30 18:00';
const ACCOUNTS = 200;

// ---------------------------------------------------------------- chance, days, cents

/** mulberry32: the same numbers on every machine */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = seeded(20260105);
const int = (low, high) => low + Math.floor(random() * (high - low + 1));
const pick = (choices) => choices[int(0, choices.length - 1)];
const shuffled = (things) => {
  const out = [...things];
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = int(0, i);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
};

const DAY_MS = 86_400_000;
const plusDays = (date, days) =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
const pad = (n, width = 2) => String(n).padStart(width, '0');
const time = (fromHour, toHour) => `${pad(int(fromHour, toHour))}:${pad(int(0, 59))}`;

/** R3: the month changes, the anchor day stays, a short month takes its last day */
function plusMonths(date, months) {
  const [year, month, day] = date.split('-').map(Number);
  const lastDay = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, lastDay))).toISOString().slice(0, 10);
}

/** R3: the 1st and the 15th */
function plusHalfMonths(date, count) {
  const starts15 = date.endsWith('-15') ? 1 : 0;
  const month = plusMonths(`${date.slice(0, 8)}01`, Math.floor((count + starts15) / 2));
  return (count + starts15) % 2 === 1 ? `${month.slice(0, 8)}15` : month;
}

const STEP = {
  once: (first) => first,
  weekly: (first, i) => plusDays(first, 7 * i),
  'two-weeks': (first, i) => plusDays(first, 14 * i),
  'half-month': plusHalfMonths,
  monthly: plusMonths,
};

const money = (cents) => `${Math.trunc(cents / 100)}.${pad(cents % 100)}`;
const sum = (numbers) => numbers.reduce((total, n) => total + n, 0);
const oddAmount = (low, high) => int(low * 100, high * 100);
const roundAmount = (low, high) => int(low / 5, high / 5) * 500;

/** R2: equal parts, the remainder on the last */
function equalParts(total, count) {
  const part = Math.trunc(total / count);
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? part : total - part * (count - 1)));
}

/** R4: the last day on which money is in time */
const lastGraceDay = (due) => plusDays(due, 3);

/**
 * R5: twelve elapsed hours after the end of the last good day – noon of the next day; 13:00 on 8 March 2026, when the
 * clocks go forward at 02:00 and noon is only eleven hours after midnight.
 */
function judgeTimeAfter(lastGoodDay) {
  const next = plusDays(lastGoodDay, 1);
  return `${next} ${next === '2026-03-08' ? '13:00' : '12:00'}`;
}
const judgeTime = (due) => judgeTimeAfter(lastGraceDay(due));

// ---------------------------------------------------------------- the utility

const accounts = [];
const promises = [];
const payments = [];
const cancellations = [];

/** 200 accounts; every sixth customer has two premises, and some premises have seen two customers */
function makeAccounts() {
  for (let i = 0; i < ACCOUNTS; i += 1) {
    const account = {
      id: `0010${pad(40017 + i * 37, 6)}`,
      customer: `C-${50100 + (i % 6 === 5 ? i - 1 : i)}`,
      premise: `P-${7000 + (i % 9 === 8 ? i - 2 : i)}`,
      classes: ['water'],
    };
    accounts.push(account);
  }
  // accounts taken over from a CIS that knows only customers, and from one that knows only premises
  for (const i of [40, 81, 122]) accounts[i].premise = '';
  for (const i of [55, 96, 137]) accounts[i].customer = '';
}
makeAccounts();

/** who is for what: 20 accounts with two debt classes, 2 without a promise that pay all the same, 18 for bad/ */
const dealt = shuffled(accounts);
const both = dealt.slice(0, 20);
const promiseless = dealt.slice(20, 22);
const free = dealt.slice(22, 40).sort((a, b) => a.id.localeCompare(b.id));
const single = dealt.slice(40);
for (const account of [...both, ...promiseless]) account.classes = ['water', 'sewer'];
for (const account of single.slice(0, 30)) account.classes = ['sewer'];
const pairs = both.slice(0, 8);
const slots = shuffled([
  ...single.map((account) => ({ account, debtClass: account.classes[0] })),
  ...both.slice(8).flatMap((account) => account.classes.map((debtClass) => ({ account, debtClass }))),
]);

function nextSlot() {
  const slot = slots.shift();
  if (slot === undefined) throw new Error('no account left: reduce a count');
  return slot;
}

// ---------------------------------------------------------------- words to tell a story with

/** An enrollment of equal parts. */
function plan(frequency, start, first, total, count = 1, { slot = nextSlot(), note = '' } = {}) {
  const parts = equalParts(total, count).map((cents, i) => ({ due: STEP[frequency](first, i), cents }));
  const row = { total: money(total), frequency, installments: String(count), first, schedule: '', note };
  return add({ ...slot, start, parts, row });
}

/** A single promise. */
const once = (start, due, total, options) => plan('once', start, due, total, 1, options);

/** An enrollment with its parts spelled out; `agreeing` also states the total, which then must agree. */
function listed(start, parts, { agreeing = false, note = '' } = {}) {
  const schedule = parts.map(({ due, cents }) => `${due}=${money(cents)}`).join(';');
  const total = agreeing ? money(sum(parts.map((part) => part.cents))) : '';
  const row = { total, frequency: '', installments: '', first: '', schedule, note };
  return add({ ...nextSlot(), start, parts, row });
}

function add(promise) {
  const whole = { ...promise, total: sum(promise.parts.map((part) => part.cents)) };
  promises.push(whole);
  return whole;
}

/**
 * Money: received on `day`, and known to the ledger when its channel says so. `web` at once; `counter` in the evening
 * run at 19:30; `bank` and `lockbox` with the file of the next morning, 06:15 (a lockbox gives only the day).
 */
function pay(promise, cents, day, channel = pick(['web', 'web', 'counter', 'counter', 'bank', 'lockbox'])) {
  const nextMorning = `${plusDays(day, 1)} 06:15`;
  const at = `${day} ${time(9, 17)}`;
  const how = {
    web: { received: at.replace(' ', 'T'), posted: at, tender: 'card' },
    counter: { received: at, posted: `${day} 19:30`, tender: 'cash' },
    bank: { received: at, posted: nextMorning, tender: 'ach' },
    lockbox: { received: day, posted: nextMorning, tender: 'check' },
  };
  return record(promise, cents, how[channel]);
}

/** Money with both times given. */
function record(promise, cents, { received, posted, tender }) {
  const payment = {
    kind: 'payment',
    account: promise.account,
    debtClass: promise.debtClass,
    cents,
    received,
    posted,
    tender,
  };
  payments.push(payment);
  return payment;
}

/** A bounce: dated the day of its posting. */
function bounce(payment, day, { at = '09:05', reason = 'nsf' } = {}) {
  payments.push({ ...payment, kind: 'reversal', of: payment, received: day, posted: `${day} ${at}`, reason });
}

function cancel(
  promise,
  at,
  reason,
  { note = '', actor = pick(['mlopez', 'tchen', 'dwright']), refused = null } = {},
) {
  cancellations.push({ promise, at, reason, note, actor, refused });
}

const kept = (promise, at, why, revision = 1) =>
  end(promise, { outcome: 'kept', reason: 'paid_in_full', at, counted: promise.total, revision, why });
const broken = (promise, at, counted, why, revision = 1) =>
  end(promise, { outcome: 'broken', reason: 'installment_missed', at, counted, revision, why });
const cancelled = (promise, at, reason, counted, why) =>
  end(promise, { outcome: 'cancelled', reason, at, counted, revision: 1, why });
function end(promise, expected) {
  if (promise.expected !== undefined) throw new Error('a promise ends once');
  promise.expected = expected;
}

/** start days: most enrollments are of the first two weeks */
const earlyStart = () => plusDays('2026-01-05', int(0, 11));
const soonAfter = (start, low, high) => plusDays(start, int(low, high));

/** Pays each part around its due date, never so late that a grace day passes; answers the last payment. */
function payAll(promise, from = 0) {
  return promise.parts
    .slice(from)
    .map((part) => pay(promise, part.cents, soonAfter(part.due, -2, 1)))
    .at(-1);
}

// ---------------------------------------------------------------- the cases

const CASES = [
  {
    name: 'single-on-time',
    count: 10,
    story: 'one date, paid in full before it',
    rules: 'R14',
    // R14 `completion: early`: decided at the moment the money is posted, here days before the due date
    build: (i) => {
      const start = i % 4 === 3 ? plusDays('2026-03-02', int(0, 26)) : earlyStart();
      const p = once(start, soonAfter(start, 14, 30), i % 2 ? oddAmount(40, 420) : roundAmount(40, 420));
      const last = pay(p, p.total, plusDays(p.parts[0].due, -int(1, 6)));
      kept(p, last.posted, 'R14: all the money is there when it is posted, before the due date');
    },
  },
  {
    name: 'single-early',
    count: 6,
    story: 'paid on the day of the promise or the day after, weeks early',
    rules: 'R8 R14',
    // R8: the start date itself is inside the window (inclusive); R14: kept at once
    build: (i) => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 25, 60), roundAmount(60, 300));
      const last = pay(p, p.total, plusDays(start, i % 2));
      kept(p, last.posted, 'R8, R14: money of the start date on counts; kept as soon as it is posted');
    },
  },
  {
    name: 'paid-on-due-date',
    count: 6,
    story: 'paid on the due date itself',
    rules: 'R4 R14',
    build: () => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 10, 45), oddAmount(30, 250));
      const last = pay(p, p.total, p.parts[0].due);
      kept(p, last.posted, 'R14: paid on the due date');
    },
  },
  {
    name: 'overpaid',
    count: 3,
    story: 'more is paid than was promised: the rest is not counted',
    rules: 'R10 R14',
    // there is no later installment for the excess to flow to: counted is the total
    build: () => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 12, 30), roundAmount(50, 150));
      const last = pay(p, p.total + roundAmount(10, 50), plusDays(p.parts[0].due, -2));
      kept(p, last.posted, 'R10: nothing is left for the excess to cover; the total is counted');
    },
  },
  {
    name: 'last-grace-evening',
    count: 7,
    story: 'received at 23:40 on the last grace day, posted 06:15 the next morning',
    rules: 'R4 R5',
    // R4: due + 3 is fine. R5: posted before the judge time (noon), so it counts; kept when posted (R14)
    build: () => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 10, 40), oddAmount(45, 380));
      const day = lastGraceDay(p.parts[0].due);
      const last = record(p, p.total, {
        received: `${day} 23:40`,
        posted: `${plusDays(day, 1)} 06:15`,
        tender: 'ach',
      });
      kept(p, last.posted, 'R4, R5: the third grace day is in time and the file comes before the judge time');
    },
  },
  {
    name: 'one-day-late',
    count: 7,
    story: 'the full amount arrives on the day after the last grace day',
    rules: 'R4 R8 R15',
    // R4: due + 4 is late, also when the money is posted before the judge time at noon: nothing counts (R8)
    build: (i) => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 10, 40), oddAmount(45, 380));
      const day = plusDays(p.parts[0].due, 4);
      if (i % 2) pay(p, p.total, day, 'lockbox');
      else record(p, p.total, { received: `${day} 09:05`, posted: `${day} 09:05`, tender: 'card' });
      broken(p, judgeTime(p.parts[0].due), 0, 'R4: day 3 is fine, day 4 is late; late money is not counted');
    },
  },
  {
    name: 'never-paid',
    count: 6,
    story: 'no payment at all',
    rules: 'R5 R15',
    build: (i) => {
      const start = earlyStart();
      const first = soonAfter(start, 10, 40);
      const p = i % 3 ? once(start, first, oddAmount(45, 380)) : plan('monthly', start, first, 24000, 3);
      broken(p, judgeTime(first), 0, 'R5, R15: unpaid twelve hours after the end of the last grace day');
    },
  },
  {
    name: 'partial-only',
    count: 6,
    story: 'a part with odd cents, the rest never comes',
    rules: 'R15',
    // a partial payment is a fact, not an end (chapter 2): the verdict waits for the judge time and counts the cents
    build: (i) => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 14, 40), oddAmount(100, 400));
      const parts = [oddAmount(20, 40), oddAmount(10, 30)].slice(0, 1 + (i % 2));
      parts.forEach((cents, n) => pay(p, cents, plusDays(p.parts[0].due, -4 + 3 * n)));
      broken(p, judgeTime(p.parts[0].due), sum(parts), 'R15: a part is counted but does not save the line');
    },
  },
  {
    name: 'two-parts-in-grace',
    count: 6,
    story: 'one part before, the rest within the grace days',
    rules: 'R4 R10 R14',
    build: () => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 12, 40), oddAmount(100, 400));
      const part = oddAmount(30, 70);
      pay(p, part, plusDays(p.parts[0].due, -3));
      const last = pay(p, p.total - part, plusDays(p.parts[0].due, int(1, 3)));
      kept(p, last.posted, 'R4, R14: the second part completes it before the grace ends');
    },
  },
  {
    name: 'monthly-3-paid',
    count: 6,
    story: 'three monthly installments, all paid',
    rules: 'R3 R14',
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), roundAmount(90, 600), 3);
      kept(p, payAll(p).posted, 'R14: kept when the last of three installments is posted');
    },
  },
  {
    name: 'monthly-4-paid',
    count: 5,
    story: 'four monthly installments, all paid',
    rules: 'R3 R14',
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), oddAmount(120, 800), 4);
      kept(p, payAll(p).posted, 'R14: kept when the last of four installments is posted');
    },
  },
  {
    name: 'monthly-6-paid',
    count: 5,
    story: 'six monthly installments, all paid, into June',
    rules: 'R2 R3 R14',
    // the last date is in June at the latest and its grace ends before the story does
    build: (i) => {
      const start = plusDays('2026-01-05', i);
      const p = plan('monthly', start, plusDays('2026-01-15', i), i ? oddAmount(300, 1500) : 20300, 6);
      kept(p, payAll(p).posted, 'R2, R14: six parts that sum to the total; kept with the last');
    },
  },
  {
    name: 'second-missed',
    count: 6,
    story: 'the first installment is paid, the second is not',
    rules: 'R15',
    // R15 `missesAllowed: 0`: the first miss breaks; what was counted is the first part
    build: (i) => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), oddAmount(120, 600), 3 + (i % 2));
      pay(p, p.parts[0].cents, plusDays(p.parts[0].due, -1));
      broken(
        p,
        judgeTime(p.parts[1].due),
        p.parts[0].cents,
        'R15: no miss is allowed and the second line is unpaid',
      );
    },
  },
  {
    name: 'two-weeks-paid',
    count: 5,
    story: 'four installments every two weeks, all paid',
    rules: 'R3 R14',
    build: () => {
      const start = earlyStart();
      const p = plan('two-weeks', start, soonAfter(start, 7, 14), roundAmount(80, 400), 4);
      kept(p, payAll(p).posted, 'R3, R14: every two weeks, kept with the fourth part');
    },
  },
  {
    name: 'two-weeks-last-missed',
    count: 5,
    story: 'every two weeks; the last one is not paid, or only in part',
    rules: 'R15',
    build: (i) => {
      const start = earlyStart();
      const p = plan('two-weeks', start, soonAfter(start, 7, 14), oddAmount(160, 400), 4);
      for (const part of p.parts.slice(0, 3)) pay(p, part.cents, soonAfter(part.due, -2, 1));
      const rest = i % 2 ? 1234 : 0;
      if (rest > 0) pay(p, rest, p.parts[3].due);
      const counted = sum(p.parts.slice(0, 3).map((part) => part.cents)) + rest;
      broken(
        p,
        judgeTime(p.parts[3].due),
        counted,
        'R15: three of four are not enough; what came is counted',
      );
    },
  },
  {
    name: 'weekly-and-half-month',
    count: 4,
    story: 'five weekly parts, or the 1st and the 15th of the month',
    rules: 'R3 R14',
    build: (i) => {
      const start = earlyStart();
      const first = i % 4 === 1 ? '2026-01-15' : '2026-02-01';
      const p =
        i % 2
          ? plan('half-month', start, first, oddAmount(150, 500), 4)
          : plan('weekly', start, soonAfter(start, 7, 12), oddAmount(100, 300), 5);
      kept(p, payAll(p).posted, i % 2 ? 'R3, R14: the 1st and the 15th' : 'R3, R14: five weeks, five parts');
    },
  },
  {
    name: 'overpayment-flows-on',
    count: 5,
    story: 'the second payment covers all later installments',
    rules: 'R10 R14',
    // R10 `pool`: money over an installment covers the later ones early, and early completion is final
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), oddAmount(200, 700), 4);
      pay(p, p.parts[0].cents, p.parts[0].due);
      const last = pay(p, p.total - p.parts[0].cents, plusDays(p.parts[1].due, -int(3, 8)));
      kept(p, last.posted, 'R10, R14: the excess flows on to the last line: complete two months early');
    },
  },
  {
    name: 'prepaid-first-day',
    count: 4,
    story: 'all installments are paid on the first day',
    rules: 'R8 R10 R14',
    build: (i) => {
      const start = earlyStart();
      const p = plan(
        i % 2 ? 'two-weeks' : 'monthly',
        start,
        soonAfter(start, 10, 25),
        roundAmount(90, 450),
        3,
      );
      kept(
        p,
        pay(p, p.total, start).posted,
        'R8, R10, R14: the start date counts and the pool covers every line',
      );
    },
  },
  {
    name: 'too-early',
    count: 4,
    story: 'the money was received before the promise began',
    rules: 'R8 R15',
    // R8: effective before the start date is outside the window, whenever it was posted
    build: (i) => {
      const start = plusDays('2026-01-10', int(0, 6));
      const p = once(start, soonAfter(start, 14, 30), roundAmount(60, 200));
      if (i % 2) pay(p, p.total, plusDays(start, -int(2, 4)));
      else
        record(p, p.total, {
          received: `${plusDays(start, -1)} 16:20`,
          posted: `${start} 06:15`,
          tender: 'ach',
        });
      broken(p, judgeTime(p.parts[0].due), 0, 'R8: received before the start date, so not counted');
    },
  },
  {
    name: 'too-early-then-paid',
    count: 2,
    story: 'an early payment that does not count, and the promised one that does',
    rules: 'R8 R14',
    build: () => {
      const start = plusDays('2026-01-10', int(0, 6));
      const p = once(start, soonAfter(start, 14, 30), roundAmount(60, 200));
      pay(p, roundAmount(20, 50), plusDays(start, -2));
      kept(
        p,
        pay(p, p.total, p.parts[0].due).posted,
        'R8, R14: the early money does not count, the promised money does',
      );
    },
  },
  {
    name: 'bounced-before-due-repaid',
    count: 4,
    story: 'the first installment bounces before its due date and is paid again in time',
    rules: 'R19 R14',
    // R19: while active the money is simply gone; the later of own deadline and reversal date is the own one
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 20, 28), oddAmount(150, 400), 2);
      const [one, two] = p.parts;
      bounce(pay(p, one.cents, plusDays(one.due, -12), 'lockbox'), plusDays(one.due, -6));
      pay(p, one.cents, plusDays(one.due, 2), 'web');
      const last = pay(p, two.cents, two.due);
      kept(p, last.posted, 'R19: gone while active, paid again within the grace; goes on and ends kept');
    },
  },
  {
    name: 'bounced-before-due-unpaid',
    count: 4,
    story: 'the first installment bounces before its due date and is not paid again',
    rules: 'R19 R15',
    build: (i) => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 20, 28), oddAmount(150, 400), 2);
      const reason = i % 2 ? 'cancelled' : 'nsf';
      bounce(
        pay(p, p.parts[0].cents, plusDays(p.parts[0].due, -12), 'lockbox'),
        plusDays(p.parts[0].due, -6),
        { reason },
      );
      broken(
        p,
        judgeTime(p.parts[0].due),
        0,
        'R19, R15: the money is gone; its own judge time finds the line unpaid',
      );
    },
  },
  {
    name: 'bounced-after-deadline-unpaid',
    count: 5,
    story: 'a met installment bounces after its deadline and is not paid again',
    rules: 'R19 R5 R15',
    // R19: its deadline is now the end of the reversal date (reversalGraceDays 0), judged twelve hours later
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), oddAmount(150, 400), 3);
      const day = plusDays(p.parts[0].due, int(8, 12));
      bounce(pay(p, p.parts[0].cents, p.parts[0].due, 'lockbox'), day);
      broken(
        p,
        judgeTimeAfter(day),
        0,
        'R19, R5: the deadline is the end of the reversal date, judged at noon after it',
      );
    },
  },
  {
    name: 'bounced-after-deadline-repaid',
    count: 5,
    story: 'a met installment bounces after its deadline and is paid again the same day',
    rules: 'R19 R14',
    build: (i) => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), oddAmount(150, 400), 2);
      const [one, two] = p.parts;
      const day = plusDays(one.due, int(8, 12));
      bounce(pay(p, one.cents, one.due, 'lockbox'), day, { reason: i % 2 ? 'nsf' : 'transferred' });
      pay(p, one.cents, day, i % 2 ? 'web' : 'counter');
      kept(
        p,
        pay(p, two.cents, two.due).posted,
        'R19: paid again by the end of the reversal date; ends kept',
      );
    },
  },
  {
    name: 'reopened-and-repaid',
    count: 5,
    story: 'kept, then the payment bounces: open again, and paid again in time',
    rules: 'R19 R14',
    // R19 `reopen`: before the deadline the own deadline stands; after it the end of the reversal date does
    build: (i) => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 20, 30), oddAmount(60, 300));
      const { due } = p.parts[0];
      const first = pay(p, p.total, plusDays(due, -10), 'lockbox');
      const beforeDeadline = i % 2 === 0;
      const day = beforeDeadline ? plusDays(due, -4) : plusDays(due, 9);
      bounce(first, day);
      const again = pay(p, p.total, beforeDeadline ? plusDays(due, 1) : day, 'web');
      kept(p, again.posted, `R19 reopen: revision 2 since the bounce on ${day}; paid again in time`, 2);
    },
  },
  {
    name: 'reopened-not-repaid',
    count: 5,
    story: 'kept, then the payment bounces and nobody pays again',
    rules: 'R19 R5 R15',
    build: (i) => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 20, 30), oddAmount(60, 300));
      const { due } = p.parts[0];
      const first = pay(p, p.total, plusDays(due, -10), 'lockbox');
      const day = i % 2 === 0 ? plusDays(due, -4) : plusDays(due, 9);
      bounce(first, day);
      const at = i % 2 === 0 ? judgeTime(due) : judgeTimeAfter(day);
      broken(p, at, 0, `R19 reopen: revision 2 since the bounce on ${day}; unpaid at its judge time`, 2);
    },
  },
  {
    name: 'late-evidence',
    count: 5,
    story: 'received in time, posted days after the verdict: judged again',
    rules: 'R15',
    // R15 `rejudge`: broken at the judge time, active again when the file comes. One line: kept at that moment
    build: (i) => {
      const start = earlyStart();
      const first = soonAfter(start, 10, 20);
      const p =
        i % 2
          ? plan('monthly', start, first, oddAmount(150, 400), 2)
          : once(start, first, oddAmount(60, 300));
      const posted = `${plusDays(first, 8)} 08:00`;
      const late = record(p, p.parts[0].cents, { received: plusDays(first, 2), posted, tender: 'check' });
      const last = i % 2 ? pay(p, p.parts[1].cents, p.parts[1].due) : late;
      const why = `R15 late evidence: broken at ${judgeTime(first)}, revision 2 since ${posted}; then kept`;
      kept(p, last.posted, why, 2);
    },
  },
  {
    name: 'late-money',
    count: 4,
    story: 'received after the deadline and posted after the verdict: no evidence',
    rules: 'R15',
    build: (i) => {
      const start = earlyStart();
      const first = soonAfter(start, 10, 20);
      const p =
        i % 2
          ? plan('monthly', start, first, oddAmount(150, 400), 2)
          : once(start, first, oddAmount(60, 300));
      record(p, p.total, {
        received: plusDays(first, 4),
        posted: `${plusDays(first, 9)} 08:00`,
        tender: 'check',
      });
      broken(p, judgeTime(first), 0, 'R15: money received after the deadline is no late evidence');
    },
  },
  {
    name: 'paid-while-awaiting-judgement',
    count: 2,
    story: 'the next installment is paid between a deadline and its judge time',
    rules: 'R8 R14',
    // R8: money effective after the deadline under judgement is not counted until the judge time, then at once
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), roundAmount(100, 300), 2);
      const [one, two] = p.parts;
      pay(p, one.cents, one.due, 'counter');
      const day = plusDays(one.due, 4);
      record(p, two.cents, { received: `${day} 08:40`, posted: `${day} 08:40`, tender: 'card' });
      kept(
        p,
        judgeTime(one.due),
        'R8: counted only from the judge time of the first line on, and then complete',
      );
    },
  },
  {
    name: 'cancelled-by-customer',
    count: 5,
    story: 'the customer asks to end it',
    rules: 'R17 R21',
    build: () => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 15, 25), oddAmount(150, 400), 3);
      const at = `${plusDays(start, int(3, 8))} ${time(9, 16)}`;
      cancel(p, at, 'customer_request', {
        note: pick(['moved away, pays at once', 'called, cannot pay', '']),
      });
      cancelled(p, at, 'customer_request', 0, 'R17: any time while active');
    },
  },
  {
    name: 'cancelled-staff-error',
    count: 3,
    story: 'entered by mistake, cancelled before anything happened',
    rules: 'R17 R21',
    build: () => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 20, 30), oddAmount(60, 300));
      const at = `${plusDays(start, 1)} ${time(9, 16)}`;
      cancel(p, at, 'staff_error', { note: 'wrong account, entered again' });
      cancelled(p, at, 'staff_error', 0, 'R17: cancelled before anything was due or paid');
    },
  },
  {
    name: 'cancelled-after-one-part',
    count: 4,
    story: 'one installment was paid, then it is cancelled',
    rules: 'R17 R21',
    // the paid part stays counted; the second line was not yet judged (it is before its due date)
    build: (i) => {
      const start = earlyStart();
      const p = plan('monthly', start, soonAfter(start, 8, 20), oddAmount(150, 400), 3);
      pay(p, p.parts[0].cents, p.parts[0].due);
      const at = `${plusDays(p.parts[1].due, -int(4, 9))} ${time(9, 16)}`;
      const reason = i % 2 ? 'service_stopped' : 'other';
      cancel(p, at, reason, { note: i % 2 ? '' : 'replaced by a payment arrangement, see letter' });
      cancelled(p, at, reason, p.parts[0].cents, 'R17: what was paid stays counted');
    },
  },
  {
    name: 'cancel-too-late',
    count: 4,
    story: 'a cancel for a promise that has ended is refused',
    rules: 'R18',
    // R18: "a cancel or amend of a promise that has ended is refused": the outcome stays
    build: (i) => {
      const start = earlyStart();
      const p = once(start, soonAfter(start, 14, 30), oddAmount(60, 300));
      const { due } = p.parts[0];
      const at = `${plusDays(due, int(6, 12))} ${time(9, 16)}`;
      cancel(p, at, 'customer_request', {
        note: 'asked after the end',
        refused: i === 3 ? 'broken' : 'kept',
      });
      if (i === 3) broken(p, judgeTime(due), 0, 'R18: the cancel came after the verdict and is refused');
      else kept(p, pay(p, p.total, due).posted, 'R18: the cancel came after the end and is refused');
    },
  },
  {
    name: 'split-with-remainder',
    count: 4,
    story: '203.00 in 6 and 100.00 in 3: the remainder is on the last part',
    rules: 'R2 R14',
    // 203.00 = 5 x 33.83 + 33.85; 100.00 = 2 x 33.33 + 33.34. A customer who pays 33.83 six times is 2 cents short
    build: (i) => {
      const start = earlyStart();
      const first = soonAfter(start, 8, 12);
      const p = i % 2 ? plan('monthly', start, first, 10000, 3) : plan('two-weeks', start, first, 20300, 6);
      const equal = p.parts[0].cents;
      if (i < 2) {
        kept(p, payAll(p).posted, 'R2: the last part takes the remainder; all paid to the cent');
        return;
      }
      for (const part of p.parts) pay(p, equal, part.due);
      const due = p.parts.at(-1).due;
      broken(
        p,
        judgeTime(due),
        equal * p.parts.length,
        'R2, R12: the remainder of the last part is missing, no tolerance',
      );
    },
  },
  {
    name: 'explicit-schedule',
    count: 4,
    story: 'unequal dated parts, spelled out in the file',
    rules: 'R2 R14',
    build: (i) => {
      const start = earlyStart();
      const first = soonAfter(start, 8, 14);
      const amounts = [oddAmount(50, 90), oddAmount(20, 40), oddAmount(10, 20)];
      const parts = amounts.map((cents, n) => ({ due: plusDays(first, [0, 17, 45][n]), cents }));
      const p = listed(start, parts, {
        agreeing: i % 2 === 1,
        note: i ? '' : 'as agreed by phone, "first the big one"',
      });
      kept(p, payAll(p).posted, 'R14: three unequal parts, all paid');
    },
  },
  {
    name: 'month-end-anchor',
    count: 4,
    story: 'monthly from 31 January: 28 February, 31 March, 30 April',
    rules: 'R3 R4',
    // R3: the anchor is the 31st. Every part is paid on the last grace day, so a wrong date would show
    build: (i) => {
      const p = plan('monthly', earlyStart(), '2026-01-31', i % 2 ? 40000 : 31111, 4);
      const days = ['2026-02-03', '2026-03-03', '2026-04-03', '2026-05-03'];
      const paidParts = i === 3 ? 2 : 4;
      const posted = days.slice(0, paidParts).map((day, n) => pay(p, p.parts[n].cents, day).posted);
      if (i < 3)
        kept(p, posted[3], 'R3, R4: each part on the third day after 31 Jan, 28 Feb, 31 Mar, 30 Apr');
      // the third part is due on 31 March, good to 3 April, judged on 4 April at noon; it comes that very day
      else {
        pay(p, p.parts[2].cents, '2026-04-04', 'counter');
        broken(p, '2026-04-04 12:00', p.parts[0].cents * 2, 'R3, R4: due 31 March, 4 April is one day late');
      }
    },
  },
  {
    name: 'clock-forward-night',
    count: 6,
    story: 'the grace ends at, or on, the short day 8 March 2026',
    rules: 'R4 R5',
    build: (i) => {
      const start = plusDays('2026-02-12', int(0, 8));
      // due 4 March: good through 7 March, deadline 8 March 00:00 EST, judged 12 elapsed hours later: 13:00 EDT
      if (i < 3) {
        const p = once(start, '2026-03-04', oddAmount(60, 200));
        if (i === 0) {
          broken(p, '2026-03-08 13:00', 0, 'R5: twelve elapsed hours after midnight are 13:00 that day');
          return;
        }
        // posted at 12:30: after noon and before the judge time
        const posted = i === 1 ? '2026-03-08 12:30' : '2026-03-08 06:15';
        record(p, p.total, { received: '2026-03-07 23:40', posted, tender: 'ach' });
        kept(
          p,
          posted,
          'R4, R5: received on the last grace day, posted before 13:00, the judge time of that day',
        );
        return;
      }
      // due 5 March: good through 8 March, which has 23 hours; deadline 9 March 00:00 EDT, judged at 12:00
      const p = once(start, '2026-03-05', oddAmount(60, 200));
      if (i === 3) {
        record(p, p.total, { received: '2026-03-08 23:40', posted: '2026-03-09 06:15', tender: 'ach' });
        kept(p, '2026-03-09 06:15', 'R4: the short day is a grace day to its end');
      } else if (i === 4) {
        record(p, p.total, { received: '2026-03-09 00:10', posted: '2026-03-09 00:10', tender: 'card' });
        broken(p, '2026-03-09 12:00', 0, 'R4: ten minutes into 9 March is one day late');
      } else {
        broken(p, '2026-03-09 12:00', 0, 'R4, R5: deadline 9 March 00:00, judged at 12:00');
      }
    },
  },
  {
    name: 'february-without-29',
    count: 3,
    story: 'due 28 February 2026: the grace ends on 3 March',
    rules: 'R4',
    build: (i) => {
      const start = plusDays('2026-01-28', int(0, 8));
      const p = once(start, '2026-02-28', oddAmount(60, 200));
      const last = pay(p, p.total, i === 2 ? '2026-03-04' : '2026-03-03');
      if (i === 2) broken(p, '2026-03-04 12:00', 0, 'R4: 1, 2, 3 March are grace; 4 March is late');
      else kept(p, last.posted, 'R4: 3 March is the third grace day');
    },
  },
  {
    name: 'two-debt-classes',
    count: 8,
    story: 'water and sewer promises of one account: water is paid, sewer is not',
    rules: 'R9 R15',
    promisesPerCase: 2,
    // R9: money of the other class does not count, not even the excess that would have been enough for both
    build: (i) => {
      const account = pairs[i];
      const start = earlyStart();
      const due = soonAfter(start, 14, 30);
      const water = once(start, due, roundAmount(60, 200), { slot: { account, debtClass: 'water' } });
      const sewer = once(start, due, roundAmount(30, 90), { slot: { account, debtClass: 'sewer' } });
      const last = pay(water, water.total + (i % 2 ? sewer.total : 0), plusDays(due, -1));
      kept(water, last.posted, 'R9, R14: paid as water');
      broken(sewer, judgeTime(due), 0, 'R9: money paid as water does not count for sewer');
    },
  },
];

for (const each of CASES) {
  for (let i = 0; i < each.count; i += 1) {
    const before = promises.length;
    each.build(i);
    for (const promise of promises.slice(before)) promise.case = each.name;
  }
}
/** money of accounts that have promised nothing: recorded, counts for nothing */
promiseless.forEach((account, i) =>
  pay(
    { account, debtClass: account.classes[i] },
    oddAmount(30, 90),
    plusDays('2026-01-20', 9 * i),
    'lockbox',
  ),
);

// ---------------------------------------------------------------- numbers, order, checks

const byText = (key) => (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);

function numberEverything() {
  promises.sort(byText((p) => p.start));
  promises.forEach((p, i) => (p.id = `E-${10001 + i}`));
  payments.sort(byText((p) => p.posted));
  payments.filter((p) => p.kind === 'payment').forEach((p, i) => (p.id = `R${260000 + i * 3}`));
  for (const p of payments) if (p.kind === 'reversal') p.id = p.of.id;
  cancellations.sort(byText((c) => c.at));
}
numberEverything();

/** What the files promise about themselves. */
function checkStory() {
  const fail = (text) => {
    throw new Error(`examples: ${text}`);
  };
  const seen = new Set();
  for (const p of promises) {
    const key = `${p.account.id} ${p.debtClass}`;
    if (seen.has(key)) fail(`two promises for ${key}`);
    seen.add(key);
    if (p.expected === undefined) fail(`${p.id} has no end`);
    if (p.start < '2026-01-05' || p.start > '2026-03-31') fail(`${p.id} starts ${p.start}`);
    if (p.expected.at <= STORY_START || p.expected.at >= STORY_END) fail(`${p.id} ends ${p.expected.at}`);
    if (judgeTime(p.parts.at(-1).due) >= STORY_END) fail(`${p.id} is judged after the story`);
  }
  for (const p of payments) {
    if (p.posted < STORY_START) fail(`${p.id} posted ${p.posted}`);
    const received = p.received.replace('T', ' ');
    if ((received.length === 10 && p.kind === 'payment' ? `${received} 12:00` : received) > p.posted)
      fail(`${p.id} order`);
  }
  if (slots.length > 0) fail(`${slots.length} accounts have no promise: raise a count`);
}
checkStory();

// ---------------------------------------------------------------- files

const cell = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const csv = (header, rows, eol = '\n') =>
  [header, ...rows].map((row) => row.map((value) => cell(String(value))).join(',') + eol).join('');

const ENROLLMENT = [
  'enrollment_id',
  'account_id',
  'debt_class',
  'start_date',
  'total_amount',
  'frequency',
  'installments',
  'first_due_date',
  'schedule',
  'note',
];
const PAYMENT = [
  'record_type',
  'payment_id',
  'account_id',
  'debt_class',
  'amount',
  'received_at',
  'posted_at',
  'tender',
  'reason',
];
const REJECT = ['file', 'line', 'column', 'value', 'message_contains'];

const files = new Map();

files.set(
  'accounts.csv',
  csv(
    ['account_id', 'customer_id', 'premise_id', 'debt_classes'],
    accounts.map((a) => [a.id, a.customer, a.premise, a.classes.join(';')]),
  ),
);
files.set(
  'enrollments.csv',
  csv(
    ENROLLMENT,
    promises.map(({ id, account, debtClass, start, row }) => [
      ...[id, account.id, debtClass, start, row.total],
      ...[row.frequency, row.installments, row.first, row.schedule, row.note],
    ]),
  ),
);
files.set(
  'payments.csv',
  csv(
    PAYMENT,
    payments.map((p) =>
      p.kind === 'payment'
        ? ['payment', p.id, p.account.id, p.debtClass, money(p.cents), p.received, p.posted, p.tender, '']
        : ['reversal', p.id, p.account.id, p.debtClass, '', p.received, p.posted, '', p.reason],
    ),
  ),
);
files.set(
  'cancellations.csv',
  csv(
    ['enrollment_id', 'cancelled_at', 'reason', 'note', 'actor'],
    cancellations.map((c) => [c.promise.id, c.at, c.reason, c.note, c.actor]),
  ),
);
files.set(
  'expected.csv',
  csv(
    ['enrollment_id', 'case', 'outcome', 'reason', 'decided_at', 'counted', 'total', 'revision', 'why'],
    promises.map(({ id, case: name, total, expected: e }) => [
      ...[id, name, e.outcome, e.reason, e.at],
      ...[money(e.counted), money(total), e.revision, e.why],
    ]),
  ),
);
files.set(
  'expected-rejects.csv',
  csv(
    REJECT,
    cancellations.flatMap((c, i) =>
      c.refused === null ? [] : [['cancellations.csv', i + 2, 'enrollment_id', c.promise.id, c.refused]],
    ),
  ),
);

// ---------------------------------------------------------------- bad files

const rejects = [];
const counts = [];

/**
 * A file of rows, each with the place and the words of what must be reported about it (or `known`: the row repeats an
 * earlier one word for word, which is no fault). Rows are one physical line each; the header is line 1.
 */
function badFile(name, header, rows, { eol = '\n', bom = '' } = {}) {
  files.set(
    `bad/${name}`,
    bom +
      csv(
        header,
        rows.map((row) => row.cells),
        eol,
      ),
  );
  const faults = rows.flatMap((row, i) => (row.fault ? [[name, i + 2, ...row.fault]] : []));
  rejects.push(...faults);
  const known = rows.filter((row) => row.known).length;
  counts.push([name, rows.length, rows.length - faults.length - known, known, faults.length]);
}

function makeBadEnrollments() {
  let next = 90001;
  // the rows that must fail share one account: taken for good by mistake, a row is the second promise on it
  const victim = free[0].id;
  const at = (column) => ENROLLMENT.indexOf(column);
  const row = (changes = {}, fault, account = victim) => {
    const cells = [
      `E-${next}`,
      account,
      'water',
      '2026-01-12',
      '120.00',
      'monthly',
      '3',
      '2026-01-31',
      '',
      '',
    ];
    next += 1;
    for (const [column, value] of Object.entries(changes)) cells[at(column)] = value;
    return { cells, fault };
  };
  /** a row whose fault is the very cell that was changed */
  const bad = (column, value, words, others = {}) =>
    row({ ...others, [column]: value }, [column, value, words]);
  const good = (account, changes = {}) => row(changes, undefined, account);
  const scheduled = { frequency: '', installments: '', first_due_date: '' };
  const first = good(free[1].id);
  badFile('enrollments-bad.csv', ENROLLMENT, [
    first,
    bad('total_amount', '-50.00', 'amount'),
    bad('total_amount', '0.00', 'amount'),
    bad('first_due_date', '2026-02-30', 'date'),
    bad('first_due_date', '31/01/2026', 'date'),
    good(free[2].id, { total_amount: '1,234.50', note: 'amount with a thousands separator, quoted' }),
    bad('account_id', '0099999999', 'account'),
    row({ enrollment_id: 'E-90001' }, ['enrollment_id', 'E-90001', 'already'], free[3].id),
    { cells: first.cells, known: true },
    row({ total_amount: '75.00' }, ['account_id', free[1].id, 'active'], free[1].id),
    bad('frequency', 'fortnightly-ish', 'frequency'),
    bad('installments', '0', 'installments'),
    bad('installments', '2.5', 'installments'),
    good(free[4].id, { ...scheduled, total_amount: '', schedule: '2026-02-15=50.00;2026-03-15=50.00' }),
    bad('total_amount', '100.00', 'schedule', {
      ...scheduled,
      schedule: '2026-02-15=50.00;2026-03-15=45.00',
    }),
    bad('schedule', '2026-02-15=50.00;2026-02-30=50.00', 'date', { ...scheduled, total_amount: '' }),
    bad('total_amount', '10.005', 'amount'),
    bad('total_amount', '1.234,50', 'amount'),
    bad('total_amount', '99999999999999999.00', 'amount'),
    bad('enrollment_id', '=CMD()', 'id'),
    bad('enrollment_id', `E-${'9'.repeat(300)}`, 'id'),
    bad('debt_class', 'gas', 'class'),
    bad('first_due_date', '2026-01-02', 'start'),
    good(free[5].id, { frequency: 'once', installments: '1', note: 'a good row at the end' }),
  ]);

  const whole = free.slice(6, 11).map((account, i) => ({
    ...good(account.id, { enrollment_id: `E-${95001 + i}`, note: i ? '' : 'Müller, façade' }),
  }));
  badFile('enrollments-bom-crlf.csv', ENROLLMENT, whole, { eol: '\r\n', bom: '\ufeff' });

  const narrow = ENROLLMENT.filter((column) => column !== 'total_amount' && column !== 'schedule');
  const cells = narrow.map(
    (column) => row({ enrollment_id: 'E-96001' }, undefined, free[11].id).cells[at(column)],
  );
  files.set('bad/missing-column.csv', csv(narrow, [cells]));
  rejects.push(['missing-column.csv', 1, 'total_amount', '', 'column']);
  counts.push(['missing-column.csv', 1, 0, 0, 1]);

  files.set('bad/header-only.csv', csv(ENROLLMENT, []));
  counts.push(['header-only.csv', 0, 0, 0, 0]);
  files.set('bad/empty.csv', '');
  rejects.push(['empty.csv', 1, '', '', 'empty']);
  counts.push(['empty.csv', 0, 0, 0, 1]);

  makeUnreadableFiles(row);
}

/** Whole-file faults: how many rows before the fault were taken is left open (a stream may have taken them). */
function makeUnreadableFiles(row) {
  const three = (from, accounts3, note) =>
    accounts3.map(
      (a, i) => row({ enrollment_id: `E-${from + i}`, note: i === 1 ? note : '' }, undefined, a.id).cells,
    );
  const latin1 = Buffer.from(
    csv(ENROLLMENT, three(97001, free.slice(11, 14), 'caf\u00e9 on the corner')),
    'latin1',
  );
  files.set('bad/latin1.csv', latin1);
  rejects.push(['latin1.csv', 3, '', '', 'UTF-8']);
  counts.push(['latin1.csv', 3, '', 0, 1]);

  const quoted = csv(ENROLLMENT, three(98001, free.slice(14, 17), 'QUOTE'));
  files.set('bad/wrong-quotes.csv', quoted.replace('QUOTE', '"called on 12 Jan, will pay'));
  rejects.push(['wrong-quotes.csv', 3, '', '', 'quote']);
  counts.push(['wrong-quotes.csv', 3, '', 0, 1]);
}
makeBadEnrollments();

function makeBadPayments() {
  const [a, b] = free;
  const row = (id, changes = {}, more = {}) => {
    const cells = ['payment', id, a.id, 'water', '60.00', '2026-01-20 10:15', '2026-01-20 19:30', 'cash', ''];
    for (const [column, value] of Object.entries(changes)) cells[PAYMENT.indexOf(column)] = value;
    return { cells, ...more };
  };
  const bad = (id, column, value, words, others = {}) =>
    row(id, { ...others, [column]: value }, { fault: [column, value, words] });
  const reversal = { record_type: 'reversal', amount: '', tender: '', reason: 'nsf' };
  const later = { received_at: '2026-01-23', posted_at: '2026-01-23 19:30' };
  badFile('payments-bad.csv', PAYMENT, [
    row('R990001'),
    bad('R990002', 'account_id', '0099999999', 'account'),
    row('R990001', {}, { known: true }),
    row('R990001', { amount: '61.00' }, { fault: ['payment_id', 'R990001', 'already'] }),
    row('R999999', { ...reversal, ...later }, { fault: ['payment_id', 'R999999', 'unknown'] }),
    bad('R990003', 'amount', '-60.00', 'amount'),
    bad('R990004', 'amount', '0', 'amount'),
    bad('R990005', 'posted_at', '2026-01-19 19:30', 'received'),
    bad('R990006', 'debt_class', 'gas', 'class'),
    bad('R990007', 'received_at', '2026-02-30', 'date'),
    bad('R990008', 'record_type', 'refund', 'record_type'),
    row('R990009', { account_id: b.id, amount: '1,060.00' }),
    bad('R990009', 'reason', 'because', 'reason', { ...reversal, ...later, account_id: b.id }),
    row('R990009', { ...reversal, ...later, account_id: b.id }),
    row('R990009', { ...reversal, ...later, account_id: b.id }, { known: true }),
  ]);
}
makeBadPayments();

files.set('bad/expected-rejects.csv', csv(REJECT, rejects));
files.set('bad/expected-counts.csv', csv(['file', 'rows', 'taken', 'already_known', 'rejected'], counts));

// ---------------------------------------------------------------- README

/** A Markdown table as prettier leaves it. */
function table(header, rows) {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const line = (row) => `| ${row.map((text, i) => text.padEnd(widths[i])).join(' | ')} |\n`;
  return line(header) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}

const summary = CASES.map((each) => {
  const mine = promises.filter((p) => p.case === each.name);
  const outcomes = ['kept', 'broken', 'cancelled']
    .map((outcome) => [mine.filter((p) => p.expected.outcome === outcome).length, outcome])
    .filter(([n]) => n > 0)
    .map(([n, outcome]) => (n === mine.length ? outcome : `${n} ${outcome}`));
  return [each.name, String(mine.length), outcomes.join(', '), each.rules.replaceAll(' ', ', '), each.story];
});
const count = (outcome) => promises.filter((p) => p.expected.outcome === outcome).length;
const reversals = payments.filter((p) => p.kind === 'reversal').length;

files.set(
  'README.md',
  `# Examples: half a year of a utility

The files that \`troth up\` loads into the sandbox tenant \`demo\` (America/New_York, US dollars, policy \`default\`), and what
must become of every promise in them. The story begins on ${STORY_START} and is over by ${STORY_END}: ${promises.length} promises on
${ACCOUNTS} accounts, ${count('kept')} kept, ${count('broken')} broken, ${count('cancelled')} cancelled. The whole enrollment file is loaded at the beginning; start
dates may lie ahead of the clock. Everything is made by \`node scripts/make-examples.mjs\`, always the same; \`--check\`
compares. The expected outcomes are derived by hand from the rule book in that script, not by any engine.

## Files

${table(
  ['file', 'rows', 'columns'],
  [
    [
      '`accounts.csv`',
      accounts.length,
      '`account_id, customer_id, premise_id, debt_classes` (`water;sewer`; either id may be empty)',
    ],
    ['`enrollments.csv`', promises.length, `\`${ENROLLMENT.join(', ')}\``],
    ['`payments.csv`', payments.length, `\`${PAYMENT.join(', ')}\``],
    ['`cancellations.csv`', cancellations.length, '`enrollment_id, cancelled_at, reason, note, actor`'],
    [
      '`expected.csv`',
      promises.length,
      '`enrollment_id, case, outcome, reason, decided_at, counted, total, revision, why`',
    ],
    [
      '`expected-rejects.csv`',
      cancellations.filter((c) => c.refused).length,
      `\`${REJECT.join(', ')}\`: cancels that must be refused`,
    ],
  ].map((row) => row.map(String)),
)}
- UTF-8, comma, header line, RFC 4180 quotes. Ids are text: account ids begin with zeros.
- Amounts are dollars with two decimals. Dates are \`YYYY-MM-DD\`, times \`YYYY-MM-DD HH:MM\` (or \`T\` between), local to the
  tenant; a bare date where a time may be is noon.
- An enrollment is either \`total_amount\`, \`frequency\` (\`once\`, \`weekly\`, \`two-weeks\`, \`half-month\`, \`monthly\`), \`installments\` and
  \`first_due_date\` – equal parts, the remainder on the last (R2), months keep their day (R3) – or a \`schedule\`
  \`2026-02-15=50.00;2026-03-15=50.00\`; then the others are empty or agree with it.
- \`payments.csv\` is sorted by \`posted_at\`. A \`reversal\` (${reversals} of them) names the payment it reverses in \`payment_id\`, its date in
  \`received_at\`, why in \`reason\` (\`nsf\`, \`cancelled\`, \`transferred\`); its amount is empty.
- \`decided_at\` is local: the posting that completes (kept), the judge time (broken), the cancel (cancelled). \`counted\` is the
  money counted by then. \`revision\` is 2 where the promise was open again after an end; \`why\` says since when.
- \`expected-rejects.csv\`: \`line\` is the line in the file (header = 1), \`message_contains\` a word of the report, in any case.

## Cases

${table(['case', 'promises', 'outcome', 'rules', 'story'], summary)}
Two payments belong to accounts that have promised nothing: they are recorded and count for nothing.

## Bad files

In \`bad/\`, so that the demo stays readable. \`bad/expected-rejects.csv\` lists what must be reported, \`bad/expected-counts.csv\`
what happens to the rows of each file loaded on its own after \`accounts.csv\` (\`taken\` is empty where a whole-file fault comes
after good rows: a reader may have taken them or not).

${table(
  ['file', 'what is wrong'],
  [
    [
      '`enrollments-bad.csv`',
      'one fault a row, good rows in between; a quoted `1,234.50` and a row repeated word for word are fine',
    ],
    ['`enrollments-bom-crlf.csv`', 'nothing: a byte order mark, CRLF line ends and letters beyond ASCII'],
    ['`missing-column.csv`', 'neither `total_amount` nor `schedule`'],
    [
      '`payments-bad.csv`',
      'unknown account, id used twice, reversal of an unknown payment, posted before received, …',
    ],
    ['`latin1.csv`', 'not UTF-8 (line 3)'],
    ['`wrong-quotes.csv`', 'a quote that is never closed (line 3)'],
    ['`empty.csv`', 'no bytes at all'],
    ['`header-only.csv`', 'nothing: no rows, nothing to do'],
  ],
)}`,
);

// ---------------------------------------------------------------- write or check

function writeAll() {
  mkdirSync(join(EXAMPLES, 'bad'), { recursive: true });
  for (const [name, content] of files) writeFileSync(join(EXAMPLES, name), content);
  for (const row of summary) console.log(`${row[0].padEnd(32)}${row[1].padStart(4)}  ${row[2]}`);
  console.log(
    `${'all'.padEnd(32)}${String(promises.length).padStart(4)}  ${count('kept')} kept, ${count('broken')} broken, ${count('cancelled')} cancelled`,
  );
  console.log(
    `${files.size} files, ${payments.length} payment rows (${reversals} reversals), ${cancellations.length} cancellations`,
  );
}

function checkAll() {
  const differing = [...files].filter(([name, content]) => {
    try {
      return !readFileSync(join(EXAMPLES, name)).equals(Buffer.from(content));
    } catch {
      return true;
    }
  });
  for (const [name] of differing)
    console.error(`examples/${name} is not what scripts/make-examples.mjs writes`);
  if (differing.length > 0) process.exitCode = 1;
  else console.log(`examples: ${files.size} files are as generated`);
}

if (process.argv.includes('--check')) checkAll();
else writeAll();
