/**
 * The random stories of a run follow from one seed, which a failure names. On a developer's machine each run has another one
 * and so finds more; in CI it is always the same, so that a change is judged by what it changed. TROTH_SEED sets it.
 */
import fc from 'fast-check';

const CI_SEED = '20261122';

process.env['TROTH_SEED'] ??= process.env['CI'] === undefined ? String(Date.now() % 2 ** 31) : CI_SEED;
fc.configureGlobal({ seed: Number(process.env['TROTH_SEED']) });
