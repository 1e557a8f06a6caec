/**
 * Goal: the engine – ledger, Temporal, workflows, clock – does what the pure rules do: every scenario file comes out on it as
 * it says, and every outcome reaches collections once.
 * Method: each file of test/facts plays in a sandbox tenant of its own through a worker of the product, several side by side.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkOnEngine } from '../../src/scenarios/engine';
import { parseScenario } from '../../src/scenarios/parse';
import { createEngine, startWorker, type Engine, type WorkerProcess } from '../support/engine';

const FOLDER = join(__dirname, '../facts');
const SIDE_BY_SIDE = 6;
const LIMIT_MS = 600_000;
const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json') && !file.startsWith('scenario.'))
  .filter((file) => file.includes(process.env['TROTH_FACTS'] ?? ''));

let engine: Engine;
let worker: WorkerProcess;

beforeAll(async () => {
  engine = await createEngine();
  worker = await startWorker(engine.workerEnv);
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await engine.close();
}, 60_000);

test(
  'every scenario file holds on the engine',
  async () => {
    const began = Date.now();
    const waiting = [...files];
    const failed: object[] = [];
    const play = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        const scenario = parseScenario(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')), file);
        try {
          const checks = await checkOnEngine(scenario, {
            ledger: engine.ledger,
            client: engine.client.workflow,
          });
          expect(checks.length).toBeGreaterThan(0);
          failed.push(...checks.filter(({ holds }) => !holds).map((check) => ({ file, ...check })));
        } catch (error) {
          failed.push({ file, error: String(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, play));
    process.stderr.write(
      `${files.length} scenarios on the engine in ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
    );
    expect(failed).toEqual([]);
  },
  LIMIT_MS,
);
