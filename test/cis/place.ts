import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { openLedger, rows, type Ledger } from '../../src/ledger/connection';
import { createTenant } from '../../src/ledger/tenants';
import { localTimeMs } from '../../src/rules/calendar';
import { createTestDatabase, type TestDatabase } from '../support/database';

export const TIME_ZONE = 'America/New_York';
export const EXAMPLES = join(__dirname, '..', '..', 'examples');

/** A ledger of one test file, a folder for its CSV files, and tenants whose clocks stand where a test wants them. */
export class Place {
  readonly database: TestDatabase;
  readonly ledger: Ledger;
  readonly folder = mkdtempSync(join(tmpdir(), 'troth-cis-'));

  private constructor(database: TestDatabase) {
    this.database = database;
    this.ledger = openLedger(database.url, { poolSize: 10 });
  }

  static async open(): Promise<Place> {
    return new Place(await createTestDatabase());
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async sandbox(tenantId: string, clock = '2026-01-05 08:00'): Promise<string> {
    const clockOffsetMs = (localTimeMs(clock, TIME_ZONE) ?? 0) - Date.now();
    const tenant = {
      tenantId,
      name: tenantId,
      timeZone: TIME_ZONE,
      currency: 'USD',
      sandbox: true,
      clockOffsetMs,
    };
    await this.ledger.forTenant(tenantId, (tx) =>
      createTenant(tx, { ...tenant, policyName: 'default' }, 'test'),
    );
    return tenantId;
  }

  /** How many rows of a table a tenant's own session sees. */
  async count(tenantId: string, table: string): Promise<number> {
    const [found] = await this.ledger.forTenant(tenantId, (tx) =>
      rows<{ count: number }>(tx, `select count(*) as count from ${table}`, {}),
    );
    return found?.count ?? -1;
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }
}

/** A CSV table of facts. */
export function table(path: string): Record<string, string>[] {
  return parse(readFileSync(path), { columns: true, bom: true });
}

export const ENROLLMENT_HEADER =
  'enrollment_id,account_id,debt_class,start_date,total_amount,frequency,installments,first_due_date,schedule,note';
export const PAYMENT_HEADER =
  'record_type,payment_id,account_id,debt_class,amount,received_at,posted_at,tender,reason';
