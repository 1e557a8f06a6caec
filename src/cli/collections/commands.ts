import type { Command } from 'commander';
import { registerOutside } from './outside';
import { registerTarget } from './target';

/** `troth collections …`: the group that all commands of collections belong to. */
export function registerCollections(program: Command): void {
  const group = program
    .command('collections')
    .description('where outcomes go, and what systems outside have received');
  registerTarget(group);
  registerOutside(group);
}
