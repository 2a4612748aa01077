import { defineConfig } from 'vitest/config';

/** `npm run test:peers`: programs of others, which `.ci/packages` names, against ours. One at a time: they keep real time. */
export default defineConfig({
  test: {
    include: ['test/peers/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
