import type { TransportSettings } from '../../quic/types.ts';
import type { TunnelSettings } from '../config/tunnel-config.ts';
import type { RelayClientSettings } from '../uplink/relay-client.ts';
import type { RelayIdentity } from '../uplink/relay-dialler.ts';

export interface EdgeTunnelSettings {
  readonly tunnel: TunnelSettings;
  readonly transport: TransportSettings;
  readonly edgeId: string;
  readonly softwareVersion: string;
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
    identity: identityOf(tunnel, index),
    transport: carriesStreams(tunnel) ? transport : { ...transport, maxBidiStreams: fewStreams },
    binding: { tunnelId, direction, protocol, bindSecret, requireBindProof, edgeId, softwareVersion },
    samplePeriodMs,
  };
}

/** How the relay with this index proves itself. Throws RangeError where the settings have no fingerprint for it. */
export function identityOf({ verification }: TunnelSettings, index: number): RelayIdentity {
  if (verification.kind !== 'fingerprint') return verification;
  const sha256 = verification.sha256[index];
  if (sha256 === undefined) throw new RangeError('no fingerprint for this relay');
  return { kind: 'fingerprint', sha256 };
}

/** Only a TCP tunnel's ingress edge has streams opened by its relay; what others are sent by mistake is reset. */
function carriesStreams({ direction, protocol }: TunnelSettings): boolean {
  return protocol === 'tcp' && direction === 'ingress';
}
