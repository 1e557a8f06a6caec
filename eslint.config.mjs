import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Dependencies point one way: cli, api, cis -> enrollment -> ledger -> rules, and nothing of ours below rules and
// platform. What a folder may import, by the folder's name; `types` may be imported as types only.
const DIRECTIONS = {
  'src/platform': { values: [], types: [] },
  'src/ledger': { values: ['rules', 'platform'], types: [] },
  'src/enrollment': { values: ['ledger', 'rules', 'platform'], types: [] },
  'src/collections': { values: ['enrollment', 'ledger', 'rules', 'platform'], types: [] },
  'src/scenarios': {
    values: ['collections', 'enrollment', 'ledger', 'rules', 'platform'],
    types: ['workflows'],
  },
  'src/local': { values: ['platform'], types: ['temporal'] },
  'src/temporal': {
    values: ['collections', 'ledger', 'enrollment', 'rules', 'platform'],
    types: ['workflows'],
  },
  'src/cis': {
    values: ['collections', 'enrollment', 'ledger', 'rules', 'platform', 'temporal', 'local'],
    types: [],
  },
  'src/api': {
    values: ['collections', 'enrollment', 'ledger', 'rules', 'platform', 'temporal', 'local'],
    types: [],
  },
  'src/cli': {
    values: [
      'api',
      'cis',
      'collections',
      'scenarios',
      'enrollment',
      'ledger',
      'rules',
      'platform',
      'temporal',
      'local',
    ],
    types: [],
  },
  activities: {
    values: ['collections', 'ledger', 'enrollment', 'rules', 'temporal', 'platform'],
    types: ['workflows'],
  },
};

/** Our folders that another folder's file can name: `../ledger/…`, `../../src/ledger/…`; `up`: how far up it must go. */
const outside = (except, up = 1) =>
  `^(?:\\.\\./){${up},}(?:src/)?(?!(?:${['src', ...except].join('|')})(?:/|$))(?:${OURS})(?:/|$)`;
const OURS =
  'rules|scenarios|collections|ledger|enrollment|cis|api|cli|console|local|temporal|platform|workflows|activities';

const noImports = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

// From a folder inside one of ours, `../collections/…` is its neighbour, and only `../../collections/…` is outside.
const DEPTHS = [
  { files: '*.ts', up: 1 },
  { files: '*/**/*.ts', up: 2 },
];

const directions = Object.entries(DIRECTIONS).flatMap(([folder, { values, types }]) =>
  DEPTHS.map(({ files, up }) => ({
    files: [`${folder}/${files}`],
    rules: noImports(
      {
        regex: outside([...values, ...types], up),
        message: `Of ours, ${folder} may import: ${values.join(', ') || 'nothing'}.`,
      },
      ...(types.length === 0
        ? []
        : [
            {
              regex: `^(?:\\.\\./){${up},}(?:src/)?(?:${types.join('|')})(?:/|$)`,
              allowTypeImports: true,
              message: `Of ${types.join(', ')}, ${folder} may import types only.`,
            },
          ]),
    ),
  })),
);

export default defineConfig([
  globalIgnores(['dist/', 'node_modules/', '.troth/', 'coverage/', 'tools/']),
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'URLSearchParams',
          'AbortController',
          'AbortSignal',
          'fetch',
          'performance',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'structuredClone',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: Object.fromEntries(
        ['__dirname', '__filename', 'exports', 'module', 'require'].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A function that an interface asks to be async need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      // `return refuse(…)` says that nothing comes after it; `() => refuse(…)` is only brief.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Interfaces of Temporal have such type parameters, and who implements them must repeat them.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Clashes with `noPropertyAccessFromIndexSignature` of the compiler, which wants the brackets.
      '@typescript-eslint/dot-notation': 'off',
      complexity: ['error', 15],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      complexity: 'off',
      // What beforeAll sets is not set when beforeAll failed, and afterAll still runs.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // jest's asymmetric matchers (expect.any, expect.stringMatching) are any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  ...directions,
  {
    // The worker is where everything meets: it registers the activities.
    files: ['src/temporal/worker.ts'],
    rules: noImports({
      regex: outside([...DIRECTIONS['src/temporal'].values, 'workflows', 'activities']),
      message: 'The worker may import activities beside what src/temporal may import.',
    }),
  },
  {
    files: ['src/rules/**/*.ts'],
    rules: noImports({
      regex: '^(?!\\./|temporal-polyfill$)',
      message: 'The rules are pure: they import one another and temporal-polyfill, nothing else.',
    }),
  },
  {
    files: ['src/rules/*/**/*.ts'],
    rules: noImports({
      regex: '^(?!\\.\\.?/[^.]|temporal-polyfill$)',
      message: 'The rules are pure: they import one another and temporal-polyfill, nothing else.',
    }),
  },
  {
    files: ['workflows/**/*.ts'],
    rules: noImports(
      {
        regex: '^(?!\\.|@temporalio/(?:workflow|common)$)',
        message: 'Workflows import no package but @temporalio/workflow and @temporalio/common.',
      },
      {
        regex: '^(?:\\.\\./)+(?!src/platform/ids$)',
        allowTypeImports: true,
        message:
          'Workflow code is replayed: of ours it imports types, one another and src/platform/ids only.',
      },
    ),
  },
]);
