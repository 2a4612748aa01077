import { describe, expect, it } from 'vitest';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';
import { pairTunnel } from '../../support/programs/relay-pair.ts';

describe('the totals of a relay', () => {
  it('T2 never fall: they keep what a tunnel has carried, from its end on', async () => {
    const bed = await MemoryRelay.start();
    for (let life = 1; life <= 3; life++) {
      const ingress = bed.edge('in').bind({ tunnelId: pairTunnel, direction: 'ingress' });
      const egress = bed.edge('out').bind({ tunnelId: pairTunnel, direction: 'egress' });
      bed.run();
      egress.sendDatagram(pairTunnel, Buffer.alloc(100));
      ingress.sendDatagram(pairTunnel, Buffer.alloc(10));
      for (const edge of [ingress, egress]) edge.close();
      for (let second = 0; second < 5; second++) {
        bed.advance(1000);
        expect(bed.relay.report.totals()).toMatchObject({
          total_bytes_egress: 100 * life,
          total_bytes_ingress: 10 * life,
          total_bytes_forwarded: 110 * life,
          total_udp_datagrams: 2 * life,
          total_tunnels: 0,
        });
      }
    }
  });
});
