import { describe, expect, it } from 'vitest';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';
import { pairSecret, pairTunnel } from '../../support/programs/relay-pair.ts';

const kinds = ['tunnel-waiting', 'tunnel-active', 'tunnel-unbound', 'tunnel-down'] as const;
const limits = { stranger_events_per_min: 5 };

/** An edge that binds and unbinds a tunnel of two edges, and comes back after each time. */
function flicker(bed: MemoryRelay, times: number, secret?: string): void {
  const bind = { tunnelId: pairTunnel, ...(secret !== undefined && { secret }) };
  bed.edge('peer').bind({ ...bind, direction: 'egress' });
  bed.run();
  const edge = bed.edge('flickering');
  for (let n = 0; n < times; n++) edge.bind({ ...bind, direction: 'ingress' }).unbind(pairTunnel);
  bed.run();
  for (let n = 0; n < times; n++) {
    const short = bed.edge('short').bind({ ...bind, direction: 'ingress' });
    bed.run();
    short.close();
    bed.run();
  }
}

describe('an edge that binds and unbinds all the time', () => {
  it('A1 does not flood the manager where anyone may bind, and what was held back is counted', async () => {
    const bed = await MemoryRelay.start({ config: { limits } });
    flicker(bed, 20);
    expect(kinds.map((kind) => bed.eventTexts(kind).length)).toEqual([1, 5, 5, 5]);
    bed.advance(60_000);
    const suppressed = bed.events.slice(-3).map(({ event, report }) => [event.kind, report.details?.['suppressed']]);
    expect(suppressed).toEqual([
      ['tunnel-active', 34],
      ['tunnel-unbound', 14],
      ['tunnel-down', 14],
    ]);
  });

  it('is told of each time where it needs a credential', async () => {
    const tunnels = [{ id: pairTunnel, bind_secret: pairSecret }];
    const bed = await MemoryRelay.start({ config: { limits, tunnels, require_bind_auth: true } });
    flicker(bed, 20, pairSecret);
    expect(kinds.map((kind) => bed.eventTexts(kind).length)).toEqual([1, 40, 20, 20]);
  });
});
