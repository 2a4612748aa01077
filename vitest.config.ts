import { availableParallelism } from 'node:os';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { TableReporter } from './tools/conformance/table-reporter.ts';

/** Where .ci/run wants the counts of passed and failed tests, as vitest's JSON. */
const jsonReport = process.env['ADIT_TEST_REPORT'];

/** A test that hangs ends here. What a machine takes that is slow and busy is far below it. */
const timeLimits = { testTimeout: 240_000, hookTimeout: 120_000 };

const pureFolders = ['src/protocol/**', 'src/relay/tunnels/**', 'src/relay/events/**', 'src/relay/session/session.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/test-run.ts'],
    maxWorkers: Math.max(1, Math.min(4, availableParallelism())),
    reporters: [
      'default',
      new TableReporter(),
      ...(jsonReport === undefined ? [] : [['json', { outputFile: jsonReport }] as ['json', object]]),
    ],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture/**/*.test.ts'],
          ...timeLimits,
        },
      },
      {
        // A process of its own for each file: native QUIC objects do not live in worker threads.
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          pool: 'forks',
          ...timeLimits,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          ...timeLimits,
        },
      },
      {
        // After the others and one file at a time: floods and storms would disturb them, and they each other's figures.
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          ...timeLimits,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: {
        lines: 85,
        ...Object.fromEntries(pureFolders.map((glob) => [glob, { lines: 95 }])),
      },
    },
  },
});
