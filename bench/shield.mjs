// How fast one pass tells what may be collected of every account of a tenant (R30): the pass alone in this process, then
// `troth shield --all` as the night runs it; debts a second, and the most memory that each held (peak RSS).
//   npm run build && DATABASE_URL=postgresql://… node bench/shield.mjs [accounts=1000000]
// The ledger is made by set-based statements in a scratch database, which is dropped afterwards; the role must be allowed to
// create databases, and must not be a superuser, whom row-level security would pass by. Nine debts in ten come from a debts
// file, the others are open items; one account in twenty has an active promise of three installments, of which the first is
// paid; every account has paid, one in thirty since the statement, and one payment in two hundred was taken back.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSandbox } from './sandbox.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const ours = (name) => require(join(root, 'dist', 'src', name));
const { Client, escapeIdentifier } = require('pg');
const ACCOUNTS = Number(process.argv[2] ?? 1_000_000);
const NOW = '2026-02-16 02:00';
const TICKS_A_SECOND = 100;

const STATED = "timestamptz '2026-02-15 22:00-05'";
const LINES = `lateral (values (1, date '2026-01-20'), (2, date '2026-02-20'), (3, date '2026-03-20')) l(seq, due)`;
const STATEMENTS = [
  `insert into account (tenant_id, account_id, debt_classes, created_at)
   select 'bench', 'A' || i, '{water}', now() from generate_series(1, :accounts) i`,
  `insert into debt (tenant_id, account_id, debt_class, parts, total_cents, oldest_due_date, as_of, posted_at)
   select 'bench', 'A' || i, 'water',
          case when i % 3 = 0 then '[{"dueDate": "2026-02-20", "cents": 7000}]'::jsonb
               else '[{"dueDate": "2026-01-10", "cents": 9000}, {"dueDate": "2026-02-10", "cents": 6000}]'::jsonb end,
          case when i % 3 = 0 then 7000 else 15000 end,
          case when i % 3 = 0 then date '2026-02-20' else date '2026-01-10' end, ${STATED}, ${STATED}
     from generate_series(1, :accounts) i where i % 10 <> 0`,
  `insert into transaction (tenant_id, account_id, transaction_id, debt_class, amount_cents, open_cents, due_date,
                            issued_date, posted_at, updated_at)
   select 'bench', 'A' || i, 'T' || n, 'water', 5000, case when n = 1 then 0 else 5000 end,
          date '2026-01-10' + 31 * (n - 2), date '2025-12-20' + 31 * (n - 2), ${STATED}, ${STATED}
     from generate_series(1, :accounts) i, generate_series(1, 3) n where i % 10 = 0`,
  `insert into promise (tenant_id, promise_id, account_id, debt_class, currency, start_date, policy_name, policy_version,
                        calendar_version, total_cents, status, next_judge_at, settled_as_of, workflow_id,
                        enrollment_hash, enrolled_at, enrolled_by, activated_at)
   select 'bench', 'P' || i, 'A' || i, 'water', 'USD', '2026-01-05', 'default', 1, 'bench', 12000, 'active',
          timestamptz '2026-02-24 12:00-05', timestamptz '2026-01-24 12:00-05', 'ptp/bench/P' || i, 'bench',
          timestamptz '2026-01-05 09:00-05', 'bench', timestamptz '2026-01-05 09:00-05'
     from generate_series(1, :accounts, 20) i`,
  `insert into promise_revision (tenant_id, promise_id, revision, schedule_no, cause, at)
   select tenant_id, promise_id, 1, 1, 'enrolled', enrolled_at from promise`,
  `insert into installment (tenant_id, promise_id, schedule_no, seq, due_date, amount_cents, last_day, deadline_at,
                            judge_at, status, counted_cents)
   select 'bench', 'P' || i, 1, l.seq, l.due, 4000, l.due + 3, (l.due + 4)::timestamp at time zone 'America/New_York',
          (l.due + 4)::timestamp at time zone 'America/New_York' + interval '12 hours',
          case l.seq when 1 then 'kept' else 'due' end, case l.seq when 1 then 4000 else 0 end
     from generate_series(1, :accounts, 20) i, ${LINES}`,
  `insert into payment (tenant_id, payment_id, account_id, debt_class, currency, amount_cents, received_at, effective_date,
                        posted_at)
   select 'bench', 'M' || i || '-' || n.n, 'A' || i, 'water', 'USD', 4000, n.at, n.at::date, n.at + interval '8 hours'
     from generate_series(1, :accounts) i,
          lateral (values (1, timestamptz '2026-01-12 10:00-05'), (2, timestamptz '2026-02-15 17:00-05')) n(n, at)
    where n.n = 1 or i % 30 = 1`,
  `insert into payment_tender (tenant_id, payment_id, seq, payor, tender_type, amount_cents)
   select tenant_id, payment_id, 1, 'self', 'check', amount_cents from payment`,
  `insert into payment_reversal (tenant_id, payment_id, effective_date, posted_at, reason)
   select 'bench', 'M' || i || '-1', date '2026-01-20', timestamptz '2026-01-21 02:00-05', 'nsf'
     from generate_series(7, :accounts, 200) i where i % 2000 <> 7
   union all
   select 'bench', 'M' || i || '-1', date '2026-02-15', timestamptz '2026-02-15 23:30-05', 'nsf'
     from generate_series(7, :accounts, 2000) i`,
  `insert into hold (tenant_id, hold_id, account_id, kind, from_date, reason, actor, placed_at)
   select 'bench', 'H' || i, 'A' || i, 'dispute', '2026-02-01', 'bench', 'bench', now()
     from generate_series(3, :accounts, 1000) i`,
];

const databaseUrl = process.env.DATABASE_URL;
if (databaseUrl === undefined) throw new Error('Give DATABASE_URL');
const database = `troth_bench_${randomBytes(4).toString('hex')}`;
const admin = new Client({ connectionString: databaseUrl });
await admin.connect();
await admin.query(`create database ${escapeIdentifier(database)}`);
const url = new URL(databaseUrl);
url.pathname = `/${database}`;
const out = join(tmpdir(), `${database}.csv`);
try {
  const began = performance.now();
  await makeLedger(url.href);
  console.error(`${ACCOUNTS} accounts made in ${seconds(performance.now() - began)}`);
  await measurePass(url.href);
  await measureCommand(['shield', '--all', '--out', out]);
  console.log(`  ${(statSync(out).size / 1e6).toFixed(1)} MB`);
  await measureCommand(['shield', '--all', '--shielded-only', '--json', '--out', out]);
} finally {
  rmSync(out, { force: true });
  if (process.env.TROTH_BENCH_KEEP === '1') console.error(`DATABASE_URL=${url.href}`);
  else await admin.query(`drop database ${escapeIdentifier(database)} with (force)`);
  await admin.end();
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** A sandbox whose clock stands a few hours after the statement. */
async function makeLedger(href) {
  await makeSandbox(href, NOW);
  const client = new Client({ connectionString: href });
  await client.connect();
  try {
    await client.query("select set_config('troth.tenant', 'bench', false)");
    for (const statement of STATEMENTS)
      await client.query(statement.replaceAll(':accounts', String(ACCOUNTS)));
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

async function measurePass(href) {
  const ledger = ours('ledger/connection').openLedger(href, { poolSize: 3 });
  const began = performance.now();
  const cpu = process.cpuUsage();
  const seen = { debts: 0, arrears: 0, shielded: 0, collectible: 0, reasons: {} };
  for await (const page of ours('collections/shield').shieldPass(ledger, 'bench')) {
    for (const { arrearsCents, shieldedCents, collectibleCents, reason } of page) {
      seen.debts += 1;
      seen.arrears += arrearsCents;
      seen.shielded += shieldedCents;
      seen.collectible += collectibleCents;
      seen.reasons[reason] = (seen.reasons[reason] ?? 0) + 1;
    }
  }
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  await ledger.close();
  tell('the pass', ms, Math.round(process.resourceUsage().maxRSS / 1024), (user + system) / 1e6, 0);
  console.log(`  ${JSON.stringify(seen)}`);
}

/** Runs the command as a user does, and asks the kernel what it held at most. */
async function measureCommand(args) {
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin', 'troth.js'), ...args], {
    env: { ...process.env, DATABASE_URL: url.href, TROTH_TENANT: 'bench' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let used = { peakMb: 0, cpu: 0 };
  const watch = setInterval(() => (used = usedBy(child.pid) ?? used), 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  tell(args.slice(0, -2).join(' '), performance.now() - began, used.peakMb, used.cpu, code);
}

function tell(name, ms, peakMb, cpu, code) {
  const rate = Math.round(ACCOUNTS / (ms / 1000));
  const held = peakMb === 0 ? 'memory unknown here' : `peak RSS ${peakMb} MB, ${cpu.toFixed(1)} s of CPU`;
  console.log(`${name}: ${seconds(ms)}, ${rate} debts/s, ${held}, exit ${code}`);
}

/** What a process held at most, and how long it computed; undefined when it is gone, or this is not Linux. */
function usedBy(pid) {
  try {
    const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]); // utime, stime
    return { peakMb: Math.round(peakKb / 1024), cpu: ticks / TICKS_A_SECOND };
  } catch {
    return undefined;
  }
}
