import { describe, expect, it } from 'vitest';
import type { ScriptedEdge } from '../../../support/peers/scripted-edge.ts';
import { MemoryRelay } from '../../../support/programs/memory-relay.ts';
import { pairSecret as secret, pairTunnel as id } from '../../../support/programs/relay-pair.ts';

async function start(): Promise<MemoryRelay> {
  return MemoryRelay.start({ config: { require_bind_auth: true, tunnels: [{ id, bind_secret: secret }] } });
}

function bound(bed: MemoryRelay, direction: 'ingress' | 'egress', features = ['tunnel_trouble']): ScriptedEdge {
  const edge = bed.edge(direction, features).bind({ tunnelId: id, direction, secret });
  bed.run();
  return edge;
}

function say(bed: MemoryRelay, edge: ScriptedEdge, ...troubles: string[]): void {
  edge.send({ type: 'tunnel_trouble', tunnel_id: id, troubles });
  bed.run();
}

const heard = (edge: ScriptedEdge): unknown[] => edge.ofType('tunnel_trouble').map(({ troubles }) => troubles);

describe('what an edge says of its own end', () => {
  it('reaches the other edge when it changes, and when that one binds later', async () => {
    const bed = await start();
    const ingress = bound(bed, 'ingress');
    say(bed, ingress, 'key');
    const egress = bound(bed, 'egress');
    say(bed, ingress, 'key', 'local');
    say(bed, ingress);
    expect(heard(egress)).toEqual([['key'], ['key', 'local'], []]);
    expect(heard(ingress)).toEqual([]);
    expect(bed.relay.report.tunnel(id)?.ingress.leg?.troubles).toEqual([]);
  });

  it('is over when another edge takes the leg', async () => {
    const bed = await start();
    const egress = bound(bed, 'egress');
    say(bed, bound(bed, 'ingress'), 'local');
    bound(bed, 'ingress');
    expect(heard(egress)).toEqual([['local'], []]);
  });

  it('is kept from edges that do not know it, and from those that hold no leg', async () => {
    const bed = await start();
    const old = bound(bed, 'egress', []);
    const ingress = bound(bed, 'ingress');
    say(bed, ingress, 'local');
    expect(heard(old)).toEqual([]);
    const stranger = bed.edge('stranger', ['tunnel_trouble']);
    say(bed, stranger, 'key');
    expect(bed.relay.report.tunnel(id)?.ingress.leg?.troubles).toEqual(['local']);
  });
});
