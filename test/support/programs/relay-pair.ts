import type { TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';
import type { ScriptedEdge } from '../peers/scripted-edge.ts';
import type { StreamTap } from '../peers/stream-tap.ts';
import type { TestRelay } from './test-relay.ts';

/** The tunnel and secret of most relay tests. */
export const pairTunnel = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');
export const otherTunnel = knownTunnelId('00000000-0000-4000-8000-000000000001');
export const pairSecret = '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f';

export interface EdgePair {
  readonly ingress: ScriptedEdge;
  readonly egress: ScriptedEdge;
}

export interface PairOptions {
  readonly tunnelId?: TunnelId;
  readonly protocol?: TunnelProtocol;
  readonly features?: string[];
  readonly secret?: string;
}

/** Two edges that have bound both legs of a tunnel and know that it is ready. */
export async function bindPair(bed: TestRelay, options: PairOptions = {}): Promise<EdgePair> {
  const { tunnelId = pairTunnel, protocol = 'udp', features = [], secret } = options;
  const bind = { tunnelId, protocol, ...(secret !== undefined && { secret }) };
  const ingress = await bed.edge('in', features);
  ingress.bind({ ...bind, direction: 'ingress' });
  await ingress.expect('tunnel_waiting');
  const egress = await bed.edge('out', features);
  egress.bind({ ...bind, direction: 'egress' });
  await egress.expect('tunnel_ready');
  await ingress.expect('tunnel_ready');
  return { ingress, egress };
}

/** A stream that the egress edge opened, at both edges, header and `first` already across. */
export async function openStream(
  { ingress, egress }: EdgePair,
  first = 'first',
): Promise<{ readonly near: StreamTap; readonly far: StreamTap }> {
  const before = ingress.incoming.length;
  const near = egress.openData(pairTunnel);
  near.send(first);
  const far = await ingress.expectStream(before + 1);
  await far.expectText(first);
  far.drain();
  return { near, far };
}
