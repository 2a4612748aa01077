import { availableParallelism } from 'node:os';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { TableReporter } from './tools/conformance/table-reporter.ts';

/** Where .ci/run wants the counts of passed and failed tests, as vitest's JSON. */
const jsonReport = process.env['ADIT_TEST_REPORT'];

const pureFolders = ['src/protocol/**', 'src/relay/tunnels/**', 'src/relay/events/**', 'src/relay/session/session.ts'];

export default defineConfig({
  test: {
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
          // Reading all imports takes seconds, and much longer on a busy machine.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // A process of its own for each file: native QUIC objects do not live in worker threads.
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 60_000,
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
          testTimeout: 120_000,
          hookTimeout: 60_000,
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
