import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';
import { tunnelNumber } from '../../support/samples/sample-relay.ts';

function ipNumber(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/** Bytes of the heap that are in use, garbage collected first. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('what a relay remembers of unauthenticated peers', () => {
  it('A1 of a source that has left, nothing, however many there were', async () => {
    const bed = await MemoryRelay.start();
    const [listener] = bed.network.listeners.values();
    const before = heapBytes();
    for (let source = 0; source < 50_000; source++) {
      const remote = { ip: ipNumber(source), port: 1 };
      listener?.handler.onIncoming({ remote, validated: true });
      listener?.handler.onHandshakeFailed(remote, 'gone');
    }
    const during = heapBytes() - before;
    expect(during).toBeGreaterThan(50_000 * 100);
    bed.advance(60_000);
    expect((heapBytes() - before) / during).toBeLessThan(0.2);
  });

  it('A1 of refused binds, the latest of as many legs as its config says', async () => {
    const bed = await MemoryRelay.start({
      config: { require_bind_auth: true, limits: { max_refusals_remembered: 3 } },
    });
    const edge = bed.edge();
    for (let n = 1; n <= 10; n++) edge.bind({ tunnelId: tunnelNumber(n), direction: 'ingress' });
    bed.run();
    expect(edge.ofType('tunnel_down')).toHaveLength(10);
    expect(bed.relay.refusals.list().map(({ tunnelId }) => tunnelId)).toEqual([8, 9, 10].map(tunnelNumber));
  });

  it('A1 of sources whose events it counts, as many as its config says; the others share one account', async () => {
    const bed = await MemoryRelay.start({ config: { limits: { max_event_sources: 3, rejection_events_per_min: 1 } } });
    const [listener] = bed.network.listeners.values();
    for (let source = 1; source <= 100; source++) {
      listener?.handler.onHandshakeFailed({ ip: ipNumber(source), port: 1 }, 'gone');
    }
    expect(bed.eventTexts('accept-failed')).toHaveLength(3 + 1);
    bed.advance(60_000);
    expect(bed.events.at(-1)?.report.details).toMatchObject({ suppressed: 95 });
  });
});
