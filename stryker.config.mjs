// Mutation testing of the rules: each small change to them must fail a test.
//   npm run mutate                                          all of src/rules; two to three hours on two cores
//   TROTH_MUTATE_SAMPLE=6 npm run mutate                    every sixth line
//   npm run mutate -- --mutate src/rules/judging/count.ts   one file
// Tests that take long and have nothing to say of a part can be left out: see test/mutation/rules.cjs.
export default {
  testRunner: 'jest',
  jest: { configFile: 'jest.mutate.config.mjs', enableFindRelatedTests: false },
  mutate: ['src/rules/**/*.ts', '!src/rules/index.ts', '!src/rules/scenario/scenario.ts'],
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.TROTH_MUTATE_WORKERS ?? 2),
  // Ample: a mutant that is only slow would count as found. Endless loops are cut by the count of hits.
  timeoutMS: 20_000,
  timeoutFactor: 2,
  // Types are checked by `npm run check`; a mutant that does not compile is killed by nothing and would only cost time.
  checkers: [],
  ignoreStatic: true,
  plugins: ['@stryker-mutator/jest-runner', './test/mutation/sample.mjs'],
  ignorers: ['sample'],
  incremental: false,
  reporters: ['progress', 'clear-text', 'json', 'html'],
  jsonReporter: { fileName: 'coverage/mutation.json' },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: false },
  tempDirName: 'coverage/stryker',
  thresholds: { high: 90, low: 85, break: 85 },
};
