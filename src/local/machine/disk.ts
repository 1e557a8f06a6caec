import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { TrothError } from '../../platform/errors';

/** Free bytes on the disk that holds `path` (or the nearest folder above it that exists). */
export function freeBytes(path: string): number {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const stats = statfsSync(folder);
  return stats.bavail * stats.bsize;
}

/** @throws TrothError ENVIRONMENT when less than `neededBytes` is free where `path` lies. */
export function assertSpace(path: string, neededBytes: number, purpose: string): void {
  const free = freeBytes(path);
  if (free >= neededBytes) return;
  throw new TrothError(
    'ENVIRONMENT',
    `The disk that holds ${path} has ${megabytes(free)} free, ${purpose} needs ${megabytes(neededBytes)}. ` +
      'Make room, or choose another place with TROTH_HOME and TROTH_CACHE_DIR.',
  );
}

/** `512 MB` */
export function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1_000_000)} MB`;
}
