import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TrothError } from '../platform/errors';
import { withFileLock } from './machine/file-lock';
import { birthOf, isSameProcess, stopStranger } from './machine/processes';

const CLAIM_LIMIT_MS = 60_000;
const ORPHAN_GRACE_MS = 20_000;

const processSchema = z.object({ pid: z.number().int().positive(), birth: z.string() });

const runSchema = processSchema.extend({
  startedAt: z.string(),
  /** False until everything is up; commands must not use it before. */
  ready: z.boolean(),
  databaseUrl: z.string().optional(),
  temporal: z.object({ address: z.string(), namespace: z.string(), external: z.boolean() }).optional(),
  apiUrl: z.string().optional(),
  temporalUiUrl: z.string().optional(),
  children: z.array(processSchema.extend({ name: z.string() })),
});

/**
 * What `troth up` tells other commands about itself, in `<home>/run.json`. The file holds the database's password and
 * is readable by its owner only.
 */
export type RunFile = z.infer<typeof runSchema>;

function pathOf(home: string): string {
  return join(home, 'run.json');
}

function readAny(home: string): RunFile | undefined {
  try {
    return runSchema.parse(JSON.parse(readFileSync(pathOf(home), 'utf8')));
  } catch {
    // Absent, or left by another version: nothing that we could stop or use.
    return undefined;
  }
}

/** The run file, if the `troth up` that wrote it still runs (that very process, not another with its number). */
export function readRunFile(home: string): RunFile | undefined {
  const run = readAny(home);
  return run !== undefined && isSameProcess(run) ? run : undefined;
}

/** Writes atomically: a reader sees the old file or the new one. */
export function writeRunFile(home: string, run: RunFile): void {
  const temporary = `${pathOf(home)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(run, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, pathOf(home));
}

/**
 * Makes this process the one that runs in `home`. Children left by a run that was killed are stopped first.
 * @returns the names of the orphans that were stopped
 * @throws TrothError CONFLICT when another `troth up` runs there.
 */
export async function claimHome(home: string): Promise<{ run: RunFile; orphans: readonly string[] }> {
  mkdirSync(home, { recursive: true });
  return withFileLock(join(home, 'claim.lock'), { limitMs: CLAIM_LIMIT_MS }, async () => {
    const other = readRunFile(home);
    if (other !== undefined) throw alreadyRuns(other);
    const orphans = await stopOrphans(home);
    const self = { pid: process.pid, birth: birthOf(process.pid) };
    const run: RunFile = { ...self, startedAt: new Date().toISOString(), ready: false, children: [] };
    writeRunFile(home, run);
    return { run, orphans };
  });
}

function alreadyRuns(run: RunFile): TrothError {
  const at = [run.apiUrl && `API ${run.apiUrl}`, run.temporalUiUrl && `Temporal UI ${run.temporalUiUrl}`];
  const addresses = at.filter((part) => part !== undefined && part !== '').join(', ');
  return new TrothError(
    'CONFLICT',
    `Troth already runs here as process ${run.pid}${addresses === '' ? '' : ` (${addresses})`}. ` +
      'Use that one, or stop it with "troth down" (npm run troth -- down).',
  );
}

/**
 * Stops what a killed run left behind, in the order in which a clean stop would: consumers first, PostgreSQL last.
 * A process that only inherited the number is told by its birth and left alone.
 * @throws TrothError LOCAL_START naming a process that will not go.
 */
export async function stopOrphans(home: string): Promise<readonly string[]> {
  const run = readAny(home);
  if (run === undefined || isSameProcess(run)) return [];
  const stopped: string[] = [];
  for (const child of run.children.toReversed()) {
    // Without a birth there is no telling whose it is by now.
    if (child.birth === '' || !isSameProcess(child)) continue;
    const signal = child.name === 'postgres' ? 'SIGINT' : 'SIGTERM';
    if (!(await stopStranger(child, signal, ORPHAN_GRACE_MS)))
      throw new TrothError(
        'LOCAL_START',
        `${child.name} of an earlier start (process ${child.pid}) does not end. End it.`,
      );
    stopped.push(child.name);
  }
  removeRunFile(home);
  return stopped;
}

/** Forgets what runs in a home. */
export function removeRunFile(home: string): void {
  rmSync(pathOf(home), { force: true });
}
