// How many promises `evaluate` judges per second on one core: 12 installments and 12 payments over a year, asked at the
// end of it, beside simpler and harder cases.
//   npm run build && node bench/evaluate.mjs [--profile]
// With --profile: `node --cpu-prof` writes a profile that Chromium's developer tools open.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
if (process.argv.includes('--profile')) {
  const { status } = spawnSync(process.execPath, ['--cpu-prof', here], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
const require = createRequire(import.meta.url);
const rules = require(join(dirname(dirname(here)), 'dist', 'src', 'rules'));
const { PRESETS, businessCalendar, deadlineOf, evaluate, explain, localDate, localTimeMs } = rules;
const ZONE = 'America/New_York';
const calendar = businessCalendar(ZONE);
const month = (index) => String(index + 1).padStart(2, '0');

/** A promise of some monthly parts, each paid on its due date but the last of a broken one. */
function facts(parts, preset, { paid = parts, bounced = false } = {}) {
  const policy = { name: preset, version: 1, ...PRESETS[preset] };
  const dates = Array.from({ length: parts }, (_, index) => localDate(`2025-${month(index)}-15`));
  return {
    promiseId: 'P1',
    debtClass: 'water',
    currency: 'USD',
    payor: 'self',
    startDate: localDate('2025-01-02'),
    timeZone: ZONE,
    calendarVersion: calendar.version,
    policy,
    lines: dates.map((dueDate, index) => ({
      seq: index + 1,
      dueDate,
      amountCents: 10000,
      ...deadlineOf(dueDate, policy, calendar),
    })),
    repeat: null,
    autoManaged: true,
    hasDownPayment: false,
    approval: null,
    amendments: [],
    clearings: [],
    bills: [],
    payments: dates.slice(0, paid).map((effectiveDate, index) => ({
      paymentId: `pay-${month(index)}`,
      debtClass: 'water',
      currency: 'USD',
      amountCents: 10000,
      effectiveDate,
      postedAtMs: localTimeMs(`${effectiveDate} 18:00`, ZONE),
      tenders: [{ payor: 'self', amountCents: 10000 }],
      spent: [],
      reversal:
        bounced && index === 3
          ? {
              effectiveDate: localDate('2025-04-15'),
              postedAtMs: localTimeMs('2025-04-16 09:00', ZONE),
              reason: 'nsf',
            }
          : null,
    })),
    rivals: [],
    cancellation: null,
  };
}

const CASES = [
  ['1 installment, 1 payment, kept', facts(1, 'default')],
  ['12 installments, 12 payments, kept (the figure)', facts(12, 'default')],
  ['the same, nothing paid, broken', facts(12, 'default', { paid: 0 })],
  ['the same, one bounces, broken', facts(12, 'default', { bounced: true })],
  ['the same by oracle-ccb-eu', facts(12, 'oracle-ccb-eu')],
];
const asOf = localTimeMs('2026-03-01', ZONE);
const ROUND_MS = 400;
const ROUNDS = 5;

// The processor's time, not the clock's: what else runs on the machine hardly changes the figure. Collecting garbage counts.
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function perSecond(work) {
  const rates = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    let count = 0;
    const began = cpuMs();
    while (cpuMs() - began < ROUND_MS) for (let times = 0; times < 200; times += 1, count += 1) work();
    if (round > 0) rates.push(count / ((cpuMs() - began) / 1000)); // the first one warms up
  }
  return rates.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

for (const [name, given] of CASES) {
  const rate = perSecond(() => evaluate(given, asOf));
  const { status } = evaluate(given, asOf);
  console.log(
    `${name.padEnd(50)} ${Math.round(rate).toLocaleString('en').padStart(9)}/s  ${(1e6 / rate).toFixed(1).padStart(6)} µs  ${status}`,
  );
}
const judged = CASES[1][1];
const [outcome] = evaluate(judged, asOf).outcomes;
const rate = perSecond(() => explain(judged, outcome, 'troth'));
console.log(
  `${'explain, the verdict with its sentence'.padEnd(50)} ${Math.round(rate).toLocaleString('en').padStart(9)}/s  ${(1e6 / rate).toFixed(1).padStart(6)} µs`,
);
