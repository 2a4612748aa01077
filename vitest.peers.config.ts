import process from 'node:process';
import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the counts of passed and failed tests, as vitest's JSON. */
const jsonReport = process.env['ADIT_TEST_REPORT'];

/**
 * `npm run test:peers`: programs of others, which `.ci/install` installs, against ours. One file at a time: they keep
 * real time.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/support/test-run.ts'],
    include: ['test/peers/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // As many scenarios of one client at once: they mostly wait.
    maxConcurrency: 7,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    reporters: [
      'default',
      ...(jsonReport === undefined ? [] : [['json', { outputFile: jsonReport }] as ['json', object]]),
    ],
  },
});
