import type { ConfiguredVerification } from '../../quic/peer-verification.ts';
import type { TransportSettings } from '../../quic/transport-settings.ts';
import type { TunnelSettings } from '../config/tunnel-config.ts';
import type { RelayClientSettings } from '../uplink/relay-client.ts';

export interface EdgeTunnelSettings {
  readonly tunnel: TunnelSettings;
  readonly transport: TransportSettings;
  readonly edgeId: string;
  readonly softwareVersion: string;
  /** TCP connections at once. */
  readonly maxConnections: number;
}

/** An engine keeps table space for each stream that a relay may open. */
const fewStreams = 16;

/** What the client of a tunnel's relay with this index needs. Throws RangeError for an index that it does not have. */
export function relayClientSettings(
  { tunnel, transport, edgeId, softwareVersion }: EdgeTunnelSettings,
  index: number,
  samplePeriodMs: number,
): RelayClientSettings {
  const relay = tunnel.relays[index];
  if (relay === undefined) throw new RangeError('no such relay');
  const { id: tunnelId, direction, protocol, bindSecret, requireBindProof } = tunnel;
  return {
    relay,
    verification: verificationFor(tunnel, index),
    transport: carriesStreams(tunnel) ? transport : { ...transport, maxBidiStreams: fewStreams },
    binding: { tunnelId, direction, protocol, bindSecret, requireBindProof, edgeId, softwareVersion },
    samplePeriodMs,
  };
}

/** How the relay with this index proves itself. Throws RangeError for an index that the tunnel does not have. */
export function verificationFor({ verifications }: TunnelSettings, index: number): ConfiguredVerification {
  const verification = verifications[index];
  if (verification === undefined) throw new RangeError('no such relay');
  return verification;
}

/** Only a TCP tunnel's ingress edge has streams opened by its relay; what others are sent by mistake is reset. */
function carriesStreams({ direction, protocol }: TunnelSettings): boolean {
  return protocol === 'tcp' && direction === 'ingress';
}
