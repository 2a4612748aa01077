import { parseHostPort } from '../lib/host-port.ts';
import type { Random } from '../lib/random.ts';
import type { Direction, TunnelProtocol } from '../protocol/tunnel/leg.ts';
import { DEFAULT_QUIC_PORT } from '../protocol/tunnel/limits.ts';
import { parseTunnelId, tunnelIdFromBytes, type TunnelId } from '../protocol/tunnel/tunnel-id.ts';

/** What the two edges and the relay of one tunnel share; the relay never learns `encryptionKey`. */
export interface TunnelSecrets {
  readonly id: TunnelId;
  /** 64 hex digits; proves to the relay that an edge may bind. */
  readonly bindSecret: string;
  /** 64 hex digits; edge to edge. */
  readonly encryptionKey: string;
}

export interface TunnelPlan {
  readonly name: string;
  readonly protocol: TunnelProtocol;
  /** One or two `host:port`. */
  readonly relays: readonly string[];
  /** `ip:port` where the egress edge takes local traffic. */
  readonly listen: string;
  /** `ip:port` where the ingress edge sends it. */
  readonly forward: string;
  /** SHA-256 of the relay's certificate; without it the edges cannot detect an impostor. */
  readonly relayFingerprint?: string;
}

/** Three config files that fit together: ready for `adit relay -c` and `adit edge -c`. */
export interface TunnelKit {
  readonly relay: { readonly quic_addrs?: readonly string[]; readonly tunnels: readonly object[] };
  readonly egressEdge: EdgeFile;
  readonly ingressEdge: EdgeFile;
}

interface EdgeFile {
  readonly api_addr: string;
  readonly tunnels: readonly object[];
}

/** For `adit status` and `adit why` at the edge; not the same at both, so that they also run on one machine. */
const apiAddr = { egress: '127.0.0.1:4481', ingress: '127.0.0.1:4482' } as const;

/** Fresh secrets and a random (version 4) id. */
export function createTunnelSecrets(random: Random): TunnelSecrets {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const id = tunnelIdFromBytes(bytes);
  if (id === null || parseTunnelId(id) === null) throw new RangeError('16 bytes make a tunnel id');
  return { id, bindSecret: hex64(random), encryptionKey: hex64(random) };
}

/** Ready configs for a tunnel (docs/protocol/tunnel.md §8, docs/protocol/manager.md §6). */
export function createTunnelKit(plan: TunnelPlan, secrets: TunnelSecrets): TunnelKit {
  return {
    relay: {
      ...relayPorts(plan.relays),
      tunnels: [{ id: secrets.id, name: plan.name, bind_secret: secrets.bindSecret }],
    },
    egressEdge: edgeFile(plan, secrets, 'egress', plan.listen),
    ingressEdge: edgeFile(plan, secrets, 'ingress', plan.forward),
  };
}

/** The ports that the edges dial, where they are not what a relay takes by itself. Two relays share one file. */
function relayPorts(relays: readonly string[]): { quic_addrs?: readonly string[] } {
  const ports = new Set(relays.map((relay) => parseHostPort(relay)?.port ?? DEFAULT_QUIC_PORT));
  if (ports.size === 1 && ports.has(DEFAULT_QUIC_PORT)) return {};
  return { quic_addrs: [...ports].flatMap((port) => [`0.0.0.0:${port}`, `[::]:${port}`]) };
}

function edgeFile(plan: TunnelPlan, secrets: TunnelSecrets, direction: Direction, localAddr: string): EdgeFile {
  const tunnel = {
    id: secrets.id,
    name: plan.name,
    protocol: plan.protocol,
    direction,
    local_addr: localAddr,
    relay_addrs: plan.relays,
    ...(plan.relayFingerprint === undefined ? {} : { relay_fingerprint: plan.relayFingerprint }),
    tunnel_encryption_key: secrets.encryptionKey,
    tunnel_bind_secret: secrets.bindSecret,
  };
  return { api_addr: apiAddr[direction], tunnels: [tunnel] };
}

function hex64(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex');
}
