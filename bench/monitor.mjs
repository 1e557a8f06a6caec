// How fast the nightly monitor goes over a whole ledger: a dry run, then a real run that settles what is due, then
// `troth verify` of the same ledger; promises a second, and the most memory that each process held (peak RSS).
//   npm run build && node bench/monitor.mjs [promises=100000]
// The ledger is made by a few set-based statements in a scratch database, which is dropped afterwards: in the
// PostgreSQL of DATABASE_URL (its role must be allowed to create databases), else in an embedded one in a folder of its
// own. One promise in twenty is due in the last night; half of those have been paid.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSandbox } from './sandbox.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const ours = (name) => require(join(root, 'dist', 'src', name));
const { Client, escapeIdentifier } = require('pg');
const PROMISES = Number(process.argv[2] ?? 100_000);
const NIGHT = '2026-02-16';
const TICKS_A_SECOND = 100;
const say = (line) => console.error(line);

// Each promise has three installments of $40. The first was due and paid in January and has been judged; the second is due
// so that its judge time lies in the last night for one promise in twenty, and later for the others.
const STATEMENTS = [
  `create function second_due(i integer) returns date language sql immutable as
   $$ select case when i % 20 = 0 then date '2026-02-11' else date '2026-02-14' + i % 9 end $$`,
  `create function at_noon_after(day date) returns timestamptz language sql stable as
   $$ select (day + 1)::timestamp at time zone 'America/New_York' + interval '12 hours' $$`,
  `insert into account (tenant_id, account_id, debt_classes, created_at)
   select 'bench', 'A' || i, '{water}', now() from generate_series(1, :promises) i`,
  `insert into promise (tenant_id, promise_id, account_id, debt_class, currency, start_date, policy_name, policy_version,
                        calendar_version, total_cents, status, next_judge_at, settled_as_of, workflow_id,
                        enrollment_hash, enrolled_at, enrolled_by, activated_at)
   select 'bench', 'P' || i, 'A' || i, 'water', 'USD', '2026-01-05', 'default', 1, 'bench', 12000, 'active',
          at_noon_after(second_due(i) + 3), at_noon_after(date '2026-01-23'), 'ptp/bench/P' || i, 'bench',
          timestamptz '2026-01-05 09:00-05', 'bench', timestamptz '2026-01-05 09:00-05'
     from generate_series(1, :promises) i`,
  `insert into promise_revision (tenant_id, promise_id, revision, schedule_no, cause, at)
   select tenant_id, promise_id, 1, 1, 'enrolled', enrolled_at from promise`,
  `insert into installment (tenant_id, promise_id, schedule_no, seq, due_date, amount_cents, last_day, deadline_at,
                            judge_at, status, counted_cents)
   select 'bench', 'P' || i, 1, l.seq, l.due, 4000, l.due + 3, at_noon_after(l.due + 3) - interval '12 hours',
          at_noon_after(l.due + 3), case l.seq when 1 then 'kept' else 'due' end, case l.seq when 1 then 4000 else 0 end
     from generate_series(1, :promises) i,
          lateral (values (1, date '2026-01-20'), (2, second_due(i)), (3, second_due(i) + 30)) l(seq, due)`,
  // Everybody has paid in January; of those who are due every second has paid again, and of the others every third.
  `insert into payment (tenant_id, payment_id, account_id, debt_class, currency, amount_cents, received_at, effective_date,
                        posted_at)
   select 'bench', 'M' || i || '-' || n.n, 'A' || i, 'water', 'USD', 4000, n.at, n.at::date, n.at + interval '8 hours'
     from generate_series(1, :promises) i,
          lateral (values (1, timestamptz '2026-01-19 10:00-05'), (2, timestamptz '2026-02-10 10:00-05')) n(n, at)
    where n.n = 1 or case when i % 20 = 0 then i % 40 = 0 else i % 3 = 0 end`,
  `insert into payment_tender (tenant_id, payment_id, seq, payor, tender_type, amount_cents)
   select tenant_id, payment_id, 1, 'self', 'check', amount_cents from payment`,
  `insert into audit_event (tenant_id, promise_id, account_id, action, actor, details, at, recorded_at)
   select tenant_id, promise_id, account_id, 'promise.enrolled', 'bench', '{"installments": 3}', enrolled_at, enrolled_at
     from promise order by promise_id`,
];

const home = mkdtempSync(join(tmpdir(), 'troth-bench-'));
const server = await bringServer();
try {
  const began = Date.now();
  await makeLedger(server.databaseUrl);
  say(`${PROMISES} promises made in ${seconds(Date.now() - began)}`);
  if (process.env.TROTH_BENCH_KEEP === '1') say(`DATABASE_URL=${server.databaseUrl}`);
  const monitor = ['monitor', '--as-of', NIGHT, '--json'];
  await measure('monitor --dry-run', [...monitor, '--dry-run']);
  await measure('monitor', monitor);
  await measure('verify', ['verify', '--json']);
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function bringServer() {
  const database = `troth_bench_${randomBytes(4).toString('hex')}`;
  const given = process.env.DATABASE_URL;
  const embedded = given === undefined ? await startEmbedded() : undefined;
  const admin = new Client({ connectionString: given ?? embedded.superuserUrl('postgres') });
  await admin.connect();
  const url = new URL(given ?? embedded.url);
  const owner = embedded === undefined ? '' : ` owner ${escapeIdentifier(url.username)}`;
  await admin.query(`create database ${database}${owner}`);
  url.pathname = `/${database}`;
  return {
    databaseUrl: url.href,
    async stop() {
      if (process.env.TROTH_BENCH_KEEP !== '1') await admin.query(`drop database ${database} with (force)`);
      await admin.end();
      await embedded?.stop();
      if (embedded !== undefined) ours('local/postgres-place').removeData(join(home, 'postgres'));
    },
  };
}

async function startEmbedded() {
  const { startPostgres } = ours('local/postgres');
  const { chooseInternalPorts } = ours('local/ports');
  const ports = await chooseInternalPorts(home, ['PG']);
  const log = require('pino')({ level: 'silent' });
  return startPostgres({ dataDir: join(home, 'postgres'), port: ports.PG, log });
}

/** A sandbox whose clock stands two hours after the night of the run. */
async function makeLedger(databaseUrl) {
  await makeSandbox(databaseUrl, `${NIGHT} 02:00`);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("select set_config('troth.tenant', 'bench', false)");
  for (const statement of STATEMENTS) await client.query(statement.replaceAll(':promises', String(PROMISES)));
  await client.query('vacuum analyze');
  await client.end();
}

/** Runs the command as a user does, and asks the kernel what it held at most. */
async function measure(name, args) {
  const began = Date.now();
  const child = spawn(process.execPath, [join(root, 'bin', 'troth.js'), ...args], {
    env: { ...process.env, DATABASE_URL: server.databaseUrl, TROTH_TENANT: 'bench' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk) => (out = (out + chunk).slice(-20_000)));
  let used = { peakMb: 0, cpu: 0 };
  const watch = setInterval(() => (used = usedBy(child.pid) ?? used), 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  const ms = Date.now() - began;
  const rate = Math.round(PROMISES / (ms / 1000));
  const { peakMb, cpu } = used;
  const held = peakMb === 0 ? 'memory unknown here' : `peak RSS ${peakMb} MB, ${cpu.toFixed(1)} s of CPU`;
  console.log(`${name.padEnd(18)}  ${seconds(ms).padStart(7)}  ${rate}/s  ${held}  exit ${code}`);
  console.log(`  ${out.trim().split('\n').at(-1)}`);
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
