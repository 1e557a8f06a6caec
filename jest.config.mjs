/** Folders of tests that need no server. */
const PURE = ['<rootDir>/test/rules/', '<rootDir>/test/interpreter/', '<rootDir>/test/enrollment/'];

// Two projects: `rules` is pure and starts at once; `engine` has a PostgreSQL and a Temporal of its own
// (test/support/global-setup.ts). One of them alone: npm test -- --selectProjects rules
const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023', keepClassNames: true },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Packages that exist as ES modules only; jest's CommonJS needs them translated.
  transformIgnorePatterns: [
    '/node_modules/(?!(temporal-polyfill|temporal-utils|listr2)/)',
    '<rootDir>/dist/',
  ],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.troth/'],
};

export default {
  // Two cores: the engine's own processes need one of them.
  maxWorkers: process.env.TROTH_TEST_WORKERS ?? 2,
  testTimeout: 60_000,
  projects: [
    {
      ...shared,
      displayName: 'rules',
      testMatch: PURE.map((folder) => `${folder}**/*.test.ts`),
      setupFiles: ['<rootDir>/test/support/seed.ts'],
    },
    {
      ...shared,
      displayName: 'engine',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...PURE],
      globalSetup: '<rootDir>/test/support/global-setup.ts',
      globalTeardown: '<rootDir>/test/support/global-teardown.ts',
    },
  ],
};
