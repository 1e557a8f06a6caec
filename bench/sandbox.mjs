// What the benches of a whole ledger begin with.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const ours = (name) => require(`../dist/src/${name}`);
const ZONE = 'America/New_York';

/** Brings a database's tables up to date and makes the sandbox `bench`, whose clock shows a local time of New York. */
export async function makeSandbox(databaseUrl, clock) {
  await ours('ledger/migrate').migrateLedger(databaseUrl);
  const ledger = ours('ledger/connection').openLedger(databaseUrl, { poolSize: 2 });
  const clockOffsetMs = ours('rules/calendar').localTimeMs(clock, ZONE) - Date.now();
  const tenant = { tenantId: 'bench', name: 'Bench', timeZone: ZONE, currency: 'USD' };
  await ledger.forTenant('bench', (tx) =>
    ours('ledger/tenants').createTenant(
      tx,
      { ...tenant, sandbox: true, clockOffsetMs, policyName: 'default' },
      'bench',
    ),
  );
  await ledger.close();
}
