import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const throughClock = 'Take time from the injected Clock (src/lib/clock.ts).';
const throughRandom = 'Take randomness from the injected Random (src/lib/random.ts).';

const clockGlobals = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'];
const throughNodeHttp = 'Use nodeHttp (src/lib/node-http.ts): an import costs 6 MB. Types may be imported.';
const clockModules = ['node:timers', 'timers', 'node:timers/promises', 'timers/promises', 'node:perf_hooks'];

export default defineConfig(
  { ignores: ['node_modules/', 'coverage/', 'native/', 'state/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', 12],
      'max-lines': ['error', { max: 300, skipComments: true, skipBlankLines: true }],
      'max-lines-per-function': ['error', 60],
      'no-console': 'error',
      eqeqeq: 'error',
      'no-restricted-globals': ['error', ...clockGlobals.map((name) => ({ name, message: throughClock }))],
      'no-restricted-imports': ['error', { paths: clockModules.map((name) => ({ name, message: throughClock })) }],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: 'node:http', message: throughNodeHttp, allowTypeImports: true }] },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: throughRandom },
        { object: 'process', property: 'hrtime', message: throughClock },
        ...clockGlobals.map((property) => ({ object: 'globalThis', property, message: throughClock })),
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // What a `using` declares does its work by its end.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreUsingDeclarations: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    // The doors to real time and randomness, and what measures or waits in real time by design.
    files: [
      ...['src/lib/clock.ts', 'src/lib/random.ts', 'src/quic/quiche/**', 'web/src/data/time.ts'],
      ...['test/support/**', 'bench/**', 'src/lib/monotonic-ns.ts'],
    ],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },
  {
    // What runs for a moment may import what it likes.
    files: ['test/**', 'bench/**', 'tools/**', 'web/**'],
    rules: { '@typescript-eslint/no-restricted-imports': 'off' },
  },
  {
    // A view is one tree of elements: its conditions and lines are its shape. Props are plain functions.
    files: ['web/**/*.ts', 'web/**/*.tsx'],
    rules: {
      complexity: ['error', 18],
      'max-lines-per-function': ['error', 90],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // A describe callback holds many short tests; and a fake may be async or empty where its interface says so.
    files: ['test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'crypto', 'performance', 'setTimeout'].map((name) => [name, 'readonly']),
      ),
    },
  },
);
