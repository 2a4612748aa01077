import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { tunnelIdToBytes } from '../../protocol/tunnel/tunnel-id.ts';
import type { EdgeEngine, LocalTunnel } from '../../quic/local-sockets.ts';
import type { TunnelSettings } from '../config/tunnel-config.ts';
import { EngineUdpEnd } from '../local/engine-udp-end.ts';
import { FlowEnd } from '../local/flow-end.ts';
import type { FlowGates } from '../local/flow-gates.ts';
import { edgeStreamCode, type LocalEnd, type LocalEndDependencies } from '../local/local-end.ts';
import type { LocalUdpDependencies } from '../local/local-udp-socket.ts';
import { createLookUp, type LookUpDependencies } from '../local/look-up.ts';
import { NodeTcp } from '../local/node-tcp.ts';
import { PayloadCipher } from '../local/payload-cipher.ts';
import { TcpEgress } from '../local/tcp-egress.ts';
import { TcpIngress } from '../local/tcp-ingress.ts';
import { UdpEnd } from '../local/udp-end.ts';

export interface LocalEndParts extends Omit<LocalEndDependencies, 'cipher' | 'logger'> {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly stalls: LocalUdpDependencies['stalls'];
  readonly resolveHost: LookUpDependencies['resolveHost'];
  readonly gates: FlowGates;
  /** Of `openEngineLocal`; null where Node moves the bytes. */
  readonly engineLocal: LocalTunnel | null;
  /** TCP connections at once. */
  readonly maxConnections: number;
}

/** The local sockets of the engine for a tunnel; null where it has none, and for a tunnel that ends in a flow. */
export function openEngineLocal(
  { localSockets }: Pick<EdgeEngine, 'localSockets'>,
  { encryptionKey, endsInFlow }: TunnelSettings,
): LocalTunnel | null {
  if (localSockets === null || endsInFlow) return null;
  const { localReset: localResetCode, notAuthentic: notAuthenticCode } = edgeStreamCode;
  return localSockets.openTunnel({ key: Buffer.from(encryptionKey, 'hex'), localResetCode, notAuthenticCode });
}

/** The local end for a tunnel's settings, not open yet. */
export function createLocalEnd(parts: LocalEndParts, settings: TunnelSettings): LocalEnd {
  const { id, name, direction, protocol, localAddr, endsInFlow, encryptionKey } = settings;
  const { random, gates, engineLocal: local, maxConnections } = parts;
  const prefix = tunnelIdToBytes(id);
  const cipher = new PayloadCipher(random, Buffer.from(encryptionKey, 'hex'), prefix);
  const dependencies = { ...parts, cipher, lookUp: createLookUp(parts) };
  if (endsInFlow) return new FlowEnd(dependencies, gates, { tunnelId: id, name, prefix });
  if (protocol === 'udp') {
    const udp = { direction, prefix, localAddr };
    return local === null ? new UdpEnd(dependencies, udp) : new EngineUdpEnd({ ...dependencies, local }, udp);
  }
  const tcp = local ?? new NodeTcp(dependencies);
  const tcpSettings = { tunnelId: id, localAddr, maxConnections };
  return direction === 'egress'
    ? new TcpEgress({ ...dependencies, tcp }, tcpSettings)
    : new TcpIngress({ ...dependencies, tcp }, tcpSettings);
}
