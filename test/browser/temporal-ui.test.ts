/**
 * Goal: an operator who opens Temporal UI finds the promise, reads how it stands, and can filter by its status.
 * Method: the real Temporal UI on the tests' Temporal, looked at with a real Chromium. Skipped where there is no
 * Chromium or no Temporal UI of ours, except in CI, where it must run.
 */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { chooseInternalPorts } from '../../src/local/ports';
import { findTemporalBinaries } from '../../src/local/temporal-build';
import { startTemporalUi } from '../../src/local/temporal-ui';
import { loadConfig } from '../../src/platform/config';
import {
  createEngine,
  eventually,
  makeTenant,
  startWorker,
  type Engine,
  type WorkerProcess,
} from '../support/engine';
import { TestHome } from '../support/stack';

const CHROMIUM = process.env['TROTH_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const QUIET = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const binaries = findTemporalBinaries(loadConfig().cacheDir);
const possible = existsSync(CHROMIUM) && binaries !== undefined;
const look = possible || process.env['CI'] === 'true' ? test : test.skip;
const LONG_MS = 60_000;
const STOP_LIMIT_MS = 5000;

let engine: Engine;
let worker: WorkerProcess;
let home: TestHome;
let ui: Awaited<ReturnType<typeof startTemporalUi>>;
let browser: Browser;
let page: Page;
let url: string;
let tenantId: string;

beforeAll(async () => {
  if (!possible) return;
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
  home = new TestHome('ui');
  const { TEST_UI_PORT: port } = await chooseInternalPorts(home.path, ['TEST_UI_PORT']);
  url = `http://127.0.0.1:${port}/namespaces/default/workflows`;
  ui = await startTemporalUi({
    program: binaries.ui,
    home: home.path,
    port,
    temporalAddress: process.env['TROTH_TEST_TEMPORAL_ADDRESS'] ?? '',
    namespace: 'default',
  });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  page = await browser.newPage({ viewport: { width: 1500, height: 1000 } });
  tenantId = await makeTenant(engine.ledger, { begins: '2026-01-05 08:00', accounts: ['A1'] });
  const handle = await engine.client.workflow.start('promiseToPay', {
    taskQueue: engine.taskQueue,
    workflowId: `ptp/${tenantId}/UI-1`,
    args: [
      {
        enrollment: {
          tenantId,
          accountId: 'A1',
          debtClass: 'water',
          installments: [
            { dueDate: '2026-02-15', amountCents: 5000 },
            { dueDate: '2026-03-15', amountCents: 7050 },
          ],
        },
      },
    ],
  });
  await handle.signal('cancel', { oops: true });
  await eventually(async () => {
    const view = await handle.query<{ notices: string[]; status: string }>('status');
    return view.notices.length === 1 && view.status === 'active';
  }, 'enrolled, and the malformed cancel noticed');
}, LONG_MS);

afterAll(async () => {
  if (!possible) return;
  await browser.close();
  await ui.stop('SIGTERM', STOP_LIMIT_MS);
  await worker.stop();
  await engine.close();
  home.remove();
}, LONG_MS);

/** All that is on the page; Temporal UI shows markdown in frames of its own. */
async function pageText(): Promise<string> {
  const texts = await Promise.all(
    page.frames().map((frame) =>
      frame
        .locator('body')
        .innerText({ timeout: 1000 })
        .catch(() => ''),
    ),
  );
  return texts.join('\n');
}

look(
  'the details say how the promise stands, in money that reads as money',
  async () => {
    await page.goto(`${url}/${encodeURIComponent(`ptp/${tenantId}/UI-1`)}`, { waitUntil: 'load' });
    await page.getByText('User Metadata').first().click();
    const text = await eventually(async () => {
      const shown = await pageText();
      return shown.includes('Next judged') ? shown : undefined;
    }, 'details');
    expect(text).toContain('Next judged 2026-02-19 17:00 UTC');
    expect(text).toContain('15 Feb 2026: $0.00 of $50.00, due');
    expect(text).toContain('15 Mar 2026: $0.00 of $70.50, due');
    expect(text).toMatch(/.cancel. needs/);
  },
  LONG_MS,
);

look(
  'the list can be filtered by tenant and status',
  async () => {
    const query = encodeURIComponent(`TrothTenant = "${tenantId}" AND TrothStatus = "active"`);
    await page.goto(`${url}?query=${query}`, { waitUntil: 'load' });
    await page.getByText(`ptp/${tenantId}/UI-1`).first().waitFor();
  },
  LONG_MS,
);
