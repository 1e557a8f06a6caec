// A worker for the bare workflow, with the same slots, pollers and cache as the product's.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';

Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error } });
const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  namespace: 'default',
  taskQueue: process.env.TROTH_TASK_QUEUE,
  workflowsPath: createRequire(import.meta.url).resolve(
    fileURLToPath(new URL('./bare-workflow.cjs', import.meta.url)),
  ),
  buildId: 'bare-1',
  maxConcurrentWorkflowTaskExecutions: 200,
  maxCachedWorkflows: 2000,
  workflowTaskPollerBehavior: { type: 'autoscaling', initial: 5, minimum: 2, maximum: 50 },
});
const running = worker.run();
while (worker.getState() !== 'RUNNING') await new Promise((resolve) => setTimeout(resolve, 20));
process.stdout.write('worker ready\n');
await running;
