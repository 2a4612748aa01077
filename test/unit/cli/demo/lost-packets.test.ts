import { describe, expect, it } from 'vitest';
import { lostWhere, type Passage, type UdpPassages } from '../../../../src/cli/demo/lost-packets.ts';

function passage(came: number, left = came, drops: Passage['drops'] = {}): Passage {
  return { came, left, drops };
}

const nothing: UdpPassages = { egress: passage(0), relay: passage(0), ingress: passage(0) };

describe('where the UDP packets of the demo are that did not arrive', () => {
  it('names each place with what is missing from there on, and each reason of a drop', () => {
    const after: UdpPassages = {
      egress: passage(2990, 60, { expired: 2900, queue_full: 30, too_large: 0 }),
      relay: passage(55, 54, { no_peer: 1 }),
      ingress: passage(50, 48, { not_authentic: 2 }),
    };
    expect(lostWhere(nothing, after, 3000, 41)).toEqual([
      '      10 on the way to the egress edge, whose socket was full',
      '    2900 dropped by the egress edge: expired',
      '      30 dropped by the egress edge: queue_full',
      '       5 between the egress edge and the relay',
      '       1 dropped by the relay: no_peer',
      '       4 between the relay and the ingress edge',
      '       2 dropped by the ingress edge: not_authentic',
      '       7 on the way from the ingress edge, as this program did not read in time',
    ]);
  });

  it('leaves out what was lost of an earlier stream', () => {
    const before: UdpPassages = { ...nothing, egress: passage(100, 40, { expired: 60 }) };
    const after: UdpPassages = {
      egress: passage(200, 139, { expired: 61 }),
      relay: passage(99),
      ingress: passage(99),
    };
    expect(lostWhere(before, after, 100, 99)).toEqual(['       1 dropped by the egress edge: expired']);
  });
});
