// The tests that mutation testing runs: those of the rules, and of the random stories only a few, without looking for the
// smallest one that fails, so that a mutant costs about a second.
import config from './jest.config.mjs';

process.env.TROTH_STORIES ??= '40';
process.env.TROTH_NO_SHRINK = '1';
const rules = config.projects.find(({ displayName }) => displayName === 'rules');

export default {
  ...rules,
  displayName: undefined,
  testTimeout: 60_000,
  testEnvironment: './test/mutation/stop-at-failure.cjs',
  testMatch: ['<rootDir>/test/mutation/rules.cjs'],
};
