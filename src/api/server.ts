import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Gauge, Registry } from 'prom-client';
import { openLedger, type Ledger } from '../ledger/connection';
import { outboxState } from '../ledger/outbox';
import { promiseState } from '../ledger/promises/open-promises';
import type { Config } from '../platform/config';
import { withDeadline } from '../platform/deadline';
import { messageOf, TrothError } from '../platform/errors';
import type { Log } from '../platform/log';

const CHECK_LIMIT_MS = 3000;

/**
 * Starts the HTTP port: health and metrics for now.
 * `GET /healthz` answers while the process lives, `GET /readyz` while it can reach the ledger, `GET /metrics` in
 * Prometheus' text format.
 * @throws TrothError LOCAL_START when the port is taken.
 */
export async function startApi(options: {
  databaseUrl: string;
  port: number;
  log: Log;
  config: Config;
  /** Default: this machine only. */
  host?: string;
}): Promise<{ url: string; close(): Promise<void> }> {
  const { databaseUrl, port, log, host = '127.0.0.1' } = options;
  const ledger = openLedger(databaseUrl, { poolSize: 4, applicationName: 'troth api' });
  const app = createApp(ledger, log);
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: host }, (info: AddressInfo) => {
      resolve({
        url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${info.port}`,
        close: () =>
          new Promise<void>((done) => {
            server.close(() => void ledger.close().then(done));
            if ('closeIdleConnections' in server) server.closeIdleConnections();
          }),
      });
    });
    server.once('error', (error: Error) => {
      void ledger.close();
      reject(
        new TrothError('LOCAL_START', `The API cannot listen on ${host}:${port}: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    });
  });
}

/** The HTTP application, without a port: tests call `app.request()`. */
export function createApp(ledger: Ledger, log: Log): Hono {
  const app = new Hono();
  const metrics = createMetrics(ledger);
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    try {
      await withDeadline(Promise.resolve(ledger.knex.raw('select 1')), CHECK_LIMIT_MS);
      return c.json({ status: 'ok', ledger: 'ok' });
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'not ready');
      return c.json({ status: 'unavailable', ledger: 'cannot be reached' }, 503);
    }
  });
  app.get('/metrics', async (c) => {
    c.header('Content-Type', metrics.contentType);
    return c.body(await withDeadline(metrics.metrics(), CHECK_LIMIT_MS));
  });
  app.notFound((c) =>
    c.json(
      { type: 'about:blank', title: 'Not found', status: 404, detail: `There is nothing at ${c.req.path}` },
      404,
      { 'Content-Type': 'application/problem+json' },
    ),
  );
  app.onError((error, c) => {
    log.error({ error: messageOf(error), path: c.req.path }, 'request failed');
    return c.json({ type: 'about:blank', title: 'Unavailable', status: 503 }, 503, {
      'Content-Type': 'application/problem+json',
    });
  });
  return app;
}

function createMetrics(ledger: Ledger): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const promises = gauge('troth_promises', 'Promises by status', ['status']);
  const overdue = gauge(
    'troth_promises_overdue',
    'Open promises past their judge time by more than a minute',
  );
  const attention = gauge('troth_promises_needing_attention', 'Open promises that need a person');
  const waiting = gauge('troth_outbox_waiting', 'Messages that wait to be delivered to Temporal');
  const oldest = gauge('troth_outbox_oldest_seconds', 'Age of the oldest waiting message, seconds');
  const failing = gauge('troth_outbox_failing', 'Waiting messages that were tried more than three times');
  registry.setDefaultLabels({});
  const collect = async (): Promise<void> => {
    const [state, outbox] = await ledger.forSystem(async (tx) => [
      await promiseState(tx, Date.now()),
      await outboxState(tx),
    ]);
    for (const [status, count] of Object.entries(state.byStatus)) promises.set({ status }, count);
    overdue.set(state.overdue);
    attention.set(state.attention);
    waiting.set(outbox.waiting);
    oldest.set(outbox.oldestSeconds);
    failing.set(outbox.failing);
  };
  const text = registry.metrics.bind(registry);
  registry.metrics = async () => {
    await collect();
    return text();
  };
  return registry;
}
