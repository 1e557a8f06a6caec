// Mutation testing of the rules: each small change to them must fail a test.
//   npm run mutate            all of src/rules; an hour on two cores
//   npm run mutate -- --mutate src/rules/judging/count.ts
export default {
  testRunner: 'jest',
  jest: { configFile: 'jest.mutate.config.mjs', enableFindRelatedTests: false },
  mutate: ['src/rules/**/*.ts', '!src/rules/index.ts', '!src/rules/scenario/scenario.ts'],
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.TROTH_MUTATE_WORKERS ?? 2),
  timeoutMS: 10_000,
  // Types are checked by `npm run check`; a mutant that does not compile is killed by nothing and would only cost time.
  checkers: [],
  ignoreStatic: true,
  incremental: false,
  reporters: ['progress', 'clear-text', 'json', 'html'],
  jsonReporter: { fileName: 'coverage/mutation.json' },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: false },
  tempDirName: 'coverage/stryker',
  thresholds: { high: 90, low: 85, break: 85 },
};
