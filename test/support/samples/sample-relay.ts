import type { HealthAnswer } from '../../../src/admin/admin-source.ts';
import { toPathReport } from '../../../src/admin/path-report.ts';
import type { ProgramFacts } from '../../../src/admin/program-facts.ts';
import type { RelayHealth } from '../../../src/protocol/node/relay-telemetry.ts';
import { parseTunnelId, type TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import type { EngineReport } from '../../../src/quic/engine-report.ts';
import type { ConnectionStats } from '../../../src/quic/connection-report.ts';
import type { RelayAdminSource } from '../../../src/relay/admin/relay-answers.ts';
import type {
  ManagerLinkReport,
  RelayAuthorized,
  RelayEdgeReport,
  RelayRefusals,
  RelayStatsReport,
  RelayTunnelReport,
  TunnelFacts,
} from '../../../src/relay/admin/relay-schemas.ts';

const at = '2026-04-02T12:00:00.000Z';

/** A tunnel id for each number. */
export function tunnelNumber(number: number): TunnelId {
  const id = parseTunnelId(number.toString(16).padStart(32, '0'));
  if (id === null) throw new Error('not a tunnel id');
  return id;
}

export const sampleStats: ConnectionStats = {
  rttMs: 21.5,
  minRttMs: 20,
  packetsSent: 1000,
  packetsReceived: 900,
  packetsLost: 7,
  bytesSent: 1_000_000,
  bytesReceived: 900_000,
  congestionWindow: 14_720,
  bytesInFlight: 1200,
  queuedDatagrams: 3,
  queuedDatagramBytes: 4128,
  pathMtu: 1452,
  maxDatagramSize: 1392,
};

const sampleDrops = {
  no_peer: 1,
  queue_full: 10,
  congestion: 0,
  expired: 0,
  too_large: 0,
  closing: 0,
  wrong_protocol: 0,
};

const sent = {
  datagrams_in: 100,
  datagrams_out: 95,
  datagram_bytes_in: 100_000,
  datagram_bytes_out: 95_000,
  stream_bytes: 0,
  drops: { no_peer: 0, queue_full: 5 },
};

function leg(edgeId: string, remoteAddr: string): RelayTunnelReport['ingress']['leg'] {
  return {
    edge_id: edgeId,
    remote_addr: remoteAddr,
    bound_at: at,
    protocol_version: 2,
    software_version: '0.1.0',
    troubles: [],
    path: toPathReport(sampleStats),
  };
}

export function sampleTunnel(id: TunnelId, changes: Partial<RelayTunnelReport> = {}): RelayTunnelReport {
  return {
    tunnel_id: id,
    name: null,
    protocol: 'udp',
    status: 'active',
    ingress_edge_id: 'camera',
    egress_edge_id: 'studio',
    ingress_remote_addr: '198.51.100.4:40000',
    egress_remote_addr: '203.0.113.9:50000',
    stats: {
      bytes_ingress: 100_000,
      bytes_egress: 100_000,
      tcp_streams_total: 0,
      tcp_streams_active: 0,
      udp_datagrams_total: 200,
      uptime_secs: 60,
    },
    drops: { queue_full: 10 },
    status_since: at,
    ingress: { leg: leg('camera', '198.51.100.4:40000'), sent },
    egress: { leg: leg('studio', '203.0.113.9:50000'), sent },
    ...changes,
  };
}

const totals = {
  connected_edges: 2,
  active_tunnels: 1,
  total_tunnels: 1,
  total_bytes_forwarded: 190_000,
  peak_tunnels: 4,
  peak_edges: 5,
  connections_total: 17,
  uptime_secs: 3600,
};

/** A relay that says what the test gives it. */
export class SampleRelay implements RelayAdminSource {
  alive = true;
  reasons: readonly string[] = [];
  notReady: readonly string[] = [];
  program: Omit<ProgramFacts, 'program'> = { faults: [], machine: [], manager: null };
  manager: boolean | null = null;
  nativeBytes: number | null = null;
  refused: RelayRefusals['refusals'] = [];
  authorizedTunnels: RelayAuthorized['tunnels'] = [];
  readonly held: Map<TunnelId, RelayTunnelReport>;
  readonly revoked = new Set<TunnelId>();
  readonly control = {
    unrevoke: async (id: TunnelId): Promise<boolean> => this.revoked.delete(id),
    deleteTunnel: async (id: TunnelId): Promise<number | null> => (this.held.delete(id) ? 2 : null),
  };
  readonly report = { unboundSender: () => 3, dropTotals: () => sampleDrops, refusedStreams: () => ({ edge_full: 4 }) };

  constructor(tunnels: readonly (readonly [TunnelId, RelayTunnelReport])[] = []) {
    this.held = new Map(tunnels);
  }

  health(): HealthAnswer<RelayHealth> {
    return {
      alive: this.alive,
      report: {
        ...totals,
        status: this.reasons.length === 0 ? 'ok' : 'degraded',
        reasons: this.reasons,
        version: '0.1.0',
        api_addr: '127.0.0.1:4480',
        quic_addr: '0.0.0.0:4433',
        public_quic_addr: null,
        capabilities: [],
      },
    };
  }

  programFacts(): ProgramFacts {
    return { program: 'relay', ...this.program };
  }

  notReadyReasons(): readonly string[] {
    return this.notReady;
  }

  stats(): RelayStatsReport {
    return {
      ...totals,
      total_bytes_ingress: 100_000,
      total_bytes_egress: 100_000,
      total_bandwidth_bps: 1_000_000,
      total_tcp_streams: 0,
      active_tcp_streams: 0,
      total_udp_datagrams: 200,
    };
  }

  tunnels(): readonly RelayTunnelReport[] {
    return [...this.held.values()];
  }

  tunnel(id: TunnelId): RelayTunnelReport | null {
    return this.held.get(id) ?? null;
  }

  edges(): readonly RelayEdgeReport[] {
    return [
      {
        edge_id: 'camera',
        remote_addr: '198.51.100.4:40000',
        connected_at: at,
        protocol_version: 2,
        software_version: null,
        held_tunnels: 1,
        path: toPathReport(sampleStats),
      },
    ];
  }

  authorized(): RelayAuthorized {
    return { tunnels: this.authorizedTunnels };
  }

  refusals(): RelayRefusals {
    return { refusals: this.refused };
  }

  nameOf(): null {
    return null;
  }

  facts(id: TunnelId): TunnelFacts {
    return {
      tunnel_id: id,
      at,
      relay_version: '0.1.0',
      relay_protocol_version: 2,
      authorisation: 'authorised',
      require_bind_auth: true,
      not_ready_reasons: this.notReady,
      exposed_files: [],
      stall: null,
      loop_lag_ms: 0,
      descriptor_shortage: null,
      reached: { quic_addrs: ['192.0.2.1:4433'], uptime_secs: 60, packets: 100, handshakes: 2, connections: 2 },
      tunnel: this.tunnel(id),
      refused_streams: { tunnel: {}, relay: {} },
      refusals: [],
      events: [],
      other_events: [],
    };
  }

  engine(): EngineReport {
    const counters = {
      unboundSender: 1,
      malformed: 2,
      strayPackets: 3,
      packetsReceived: 4,
      packetsSent: 5,
      bytesReceived: 6,
      bytesSent: 7,
      retriesSent: 8,
      resetsSent: 9,
      refusalsSent: 10,
      handshakesStarted: 11,
      handshakesFailed: 12,
      sendErrors: 13,
    };
    return { name: 'quiche', counters, connections: 2, nativeBytes: this.nativeBytes };
  }

  managerLink(): ManagerLinkReport | null {
    return this.manager === null
      ? null
      : { connected: this.manager, disconnected_secs: this.manager ? 0 : 7, reconnecting: !this.manager };
  }
}
