import { expect, it } from 'vitest';
import { GarbageHint } from '../../../src/quic/garbage-hint.ts';
import { until } from '../../support/until.ts';

it('V8 collects again and again while connections close, although it does not see what they held', async () => {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().filter(isFullCollection).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const garbage = new GarbageHint(400);
  for (let round = 1; round <= 5; round++) {
    for (let closed = 0; closed < 400; closed++) garbage.onClosed();
    await until(() => collections >= round, { what: `${round} collections; so far ${collections}` });
  }
  observer.disconnect();
  expect(collections).toBeGreaterThanOrEqual(5);
});

/** NODE_PERFORMANCE_GC_MAJOR of node:perf_hooks. */
const majorKind = 4;

function isFullCollection(entry: object): boolean {
  return 'detail' in entry && (entry.detail as { readonly kind?: number }).kind === majorKind;
}
