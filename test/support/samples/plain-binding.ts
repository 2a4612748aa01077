import type { BindingSettings } from '../../../src/edge/uplink/binding.ts';
import { knownTunnelId } from './known-tunnel-id.ts';
import { vectorTunnel } from './vectors.ts';

/** A leg without a secret or proof. */
export const plainBinding: BindingSettings = {
  tunnelId: knownTunnelId(vectorTunnel.id),
  direction: 'egress',
  protocol: 'udp',
  bindSecret: null,
  requireBindProof: false,
  edgeId: 'edge-1',
  softwareVersion: '0.1.0',
};
