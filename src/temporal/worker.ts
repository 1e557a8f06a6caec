import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type ActivityDeps } from '../../activities';
import { projectRoot } from '../platform/root';
import { TrothError } from '../platform/errors';

const BUILD_ID = '1';
const SLOTS = 200;
const CACHED_WORKFLOWS = 2000;

/**
 * A worker for promises, cases and the sweep. Pollers scale by themselves; the slots and the cache are as large as a
 * burst of judge times needs.
 * @throws TrothError ENVIRONMENT when the workflows were not bundled.
 */
export async function createWorker(options: {
  connection: NativeConnection;
  namespace: string;
  activities: ActivityDeps;
  /** Local activities at a time: the ledger's connections. */
  localActivities: number;
  /** Tests say where their own bundle is. */
  bundlePath?: string;
}): Promise<Worker> {
  const bundlePath = options.bundlePath ?? join(projectRoot(), 'dist', 'workflow-bundle.js');
  if (!existsSync(bundlePath)) {
    throw new TrothError('ENVIRONMENT', 'The workflows have not been bundled; run: npm run build');
  }
  const workerOptions: WorkerOptions = {
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: options.activities.taskQueue,
    // Stands in three events of every history; the default is a hash of 64 digits.
    workerDeploymentOptions: {
      useWorkerVersioning: false,
      version: { deploymentName: 'troth', buildId: BUILD_ID },
    },
    workflowBundle: { codePath: bundlePath },
    dataConverter: { payloadConverterPath: require.resolve('../../workflows/payload-converter') },
    activities: createActivities(options.activities),
    // As many as have a connection: one that waits for it would use up its own time limit.
    maxConcurrentLocalActivityExecutions: options.localActivities,
    maxConcurrentWorkflowTaskExecutions: SLOTS,
    maxConcurrentActivityTaskExecutions: 20,
    maxCachedWorkflows: CACHED_WORKFLOWS,
    workflowTaskPollerBehavior: { type: 'autoscaling', initial: 5, minimum: 2, maximum: 50 },
    activityTaskPollerBehavior: { type: 'autoscaling', initial: 1, minimum: 1, maximum: 5 },
    // After kill -9 the tasks of its sticky queue wait this long for it before others get them.
    stickyQueueScheduleToStartTimeout: '5s',
    shutdownGraceTime: '15s',
  };
  return Worker.create(workerOptions);
}
