/**
 * Goal: a Temporal of our own comes up anywhere, beside others, and again after kill -9; where none can be had, one
 * sentence lists the ways.
 * Method: real servers on the real PostgreSQL of the test.
 */
import { type Server, createServer } from 'node:http';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import type { PostgresHandle } from '../../src/local/postgres';
import { type TemporalHandle, planTemporal } from '../../src/local/temporal';
import { canDownload } from '../../src/local/temporal-cli';
import { embeddedTemporalDatabase, ownTemporalDatabase } from '../../src/local/temporal-server';
import { TestHome, bringPostgres, bringTemporal } from '../support/stack';

async function namespaces(address: string): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { namespaces: found } = await connection.workflowService.listNamespaces({});
    return (found ?? []).map(({ namespaceInfo }) => namespaceInfo?.name ?? '').sort();
  } finally {
    await connection.close();
  }
}

async function register(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const workflowExecutionRetentionPeriod = msToTs('1 day');
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  } finally {
    await connection.close();
  }
}

describe('startTemporal', () => {
  const homes = [new TestHome('temporal'), new TestHome('temporal')] as const;
  const running: { stop(): Promise<unknown> }[] = [];

  afterAll(async () => {
    for (const part of running.reverse()) await part.stop();
    for (const home of homes) home.remove();
  });

  const start = async (home: TestHome): Promise<{ postgres: PostgresHandle; temporal: TemporalHandle }> => {
    const postgres = await bringPostgres(home);
    running.push(postgres);
    const database = embeddedTemporalDatabase(postgres.superuserUrl('postgres'));
    const temporal = await bringTemporal(home, database, { ui: true });
    running.push(temporal);
    return { postgres, temporal };
  };

  test('two homes side by side do not see one another; UI serves; kill -9 loses nothing', async () => {
    const [one, two] = [await start(homes[0]), await start(homes[1])];
    await register(one.temporal.address, 'only-in-one');
    expect(await namespaces(one.temporal.address)).toContain('only-in-one');
    expect(await namespaces(two.temporal.address)).not.toContain('only-in-one');
    const page = await fetch(one.temporal.uiUrl ?? '');
    expect(await page.text()).toMatch(/<html/i);

    process.kill(one.temporal.pids.server ?? 0, 'SIGKILL');
    expect((await one.temporal.exited).signal).toBe('SIGKILL');
    await one.temporal.stop();
    const port = Number(one.temporal.address.split(':')[1]);
    const again = await bringTemporal(
      homes[0],
      embeddedTemporalDatabase(one.postgres.superuserUrl('postgres')),
      {
        port,
      },
    );
    running.push(again);
    expect(await namespaces(again.address)).toContain('only-in-one');
  }, 120_000);

  test('says what is missing when the role of DATABASE_URL may not create databases', async () => {
    const home = new TestHome('temporal');
    const postgres = await bringPostgres(home);
    try {
      await expect(bringTemporal(home, ownTemporalDatabase(postgres.url))).rejects.toThrow(
        /may not create the database "troth_temporal".*"troth_temporal_visibility".*CREATEDB/,
      );
    } finally {
      await postgres.stop();
      home.remove();
    }
  });
});

describe('planTemporal', () => {
  let silent: Server;
  let origin: string;
  const home = new TestHome('cache');
  const empty = home.path;

  beforeAll(async () => {
    // Takes the connection and never answers: what a firewall that drops looks like from here.
    silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });

  afterAll(() => {
    silent.closeAllConnections();
    silent.close();
    home.remove();
  });

  test('a download site that does not answer costs seconds', async () => {
    const startedAt = Date.now();
    expect(await canDownload({}, origin)).toBe(false);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });

  test('lists the four ways when the only allowed one is closed', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = empty;
    try {
      const plan = planTemporal({
        cacheDir: empty,
        progress: () => undefined,
        source: 'path',
        external: false,
      });
      await expect(plan).rejects.toThrow(
        /only "path".*1\. set TEMPORAL_ADDRESS.*2\. put the `temporal`.*3\. let Troth download.*4\. install Go/,
      );
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('refuses an unknown TROTH_TEMPORAL_SOURCE by name', async () => {
    const before = process.env['TROTH_TEMPORAL_SOURCE'];
    process.env['TROTH_TEMPORAL_SOURCE'] = 'moon';
    try {
      const plan = planTemporal({ cacheDir: empty, progress: () => undefined, external: false });
      await expect(plan).rejects.toThrow(
        /TROTH_TEMPORAL_SOURCE is "moon"; it must be one of auto, path, download, build/,
      );
    } finally {
      if (before === undefined) delete process.env['TROTH_TEMPORAL_SOURCE'];
      else process.env['TROTH_TEMPORAL_SOURCE'] = before;
    }
  });

  test('an external Temporal is taken as it is', async () => {
    process.env['TEMPORAL_ADDRESS'] = 'temporal.example:7233';
    process.env['TEMPORAL_NAMESPACE'] = 'billing';
    try {
      const plan = await planTemporal({ cacheDir: empty, progress: () => undefined });
      expect(plan).toEqual({ kind: 'external', address: 'temporal.example:7233', namespace: 'billing' });
    } finally {
      delete process.env['TEMPORAL_ADDRESS'];
      delete process.env['TEMPORAL_NAMESPACE'];
    }
  });
});
