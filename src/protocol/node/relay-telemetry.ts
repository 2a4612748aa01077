import type { TunnelProtocol } from '../tunnel/leg.ts';
import type { TunnelId } from '../tunnel/tunnel-id.ts';

/** Drop counts by reason (conformance S5); reasons that never happened may be left out. */
export type DropCounts = Readonly<Record<string, number>>;

/** Payload bytes and datagrams of one tunnel on a relay, named by the leg that sent them; none of them ever falls. */
export interface TunnelStats {
  readonly bytes_ingress: number;
  readonly bytes_egress: number;
  readonly tcp_streams_total: number;
  readonly tcp_streams_active: number;
  readonly udp_datagrams_total: number;
  readonly uptime_secs: number;
}

/** One tunnel in a relay's `stats`, its REST API and the answer to `list_tunnels` (docs/protocol/manager.md §3). */
export interface TunnelInfo {
  readonly tunnel_id: TunnelId;
  readonly protocol: TunnelProtocol;
  /** Names the side that is missing. */
  readonly status: 'active' | 'waiting_egress' | 'waiting_ingress';
  readonly ingress_edge_id: string | null;
  readonly egress_edge_id: string | null;
  readonly ingress_remote_addr: string | null;
  readonly egress_remote_addr: string | null;
  readonly stats: TunnelStats;
  readonly drops: DropCounts;
}

/** One connected edge in a relay's `stats` and the answer to `list_edges`. */
export interface EdgeInfo {
  readonly edge_id: string;
  /** ip:port */
  readonly remote_addr: string;
}

/** One entry of the answer to `list_authorized`. */
export interface AuthorizedTunnelInfo {
  readonly tunnel_id: TunnelId;
  /** `bindTokensDigest` of its tokens. */
  readonly digest: string;
}

/** A relay's `stats` payload, sent every second. Totals are lifetime totals: a tunnel's end takes nothing away. */
export interface RelayStats {
  readonly tunnels: readonly TunnelInfo[];
  readonly edges: readonly EdgeInfo[];
  readonly connected_edges: number;
  readonly active_tunnels: number;
  readonly total_tunnels: number;
  readonly total_bytes_ingress: number;
  readonly total_bytes_egress: number;
  readonly total_bytes_forwarded: number;
  readonly total_bandwidth_bps: number;
  readonly total_tcp_streams: number;
  readonly active_tcp_streams: number;
  readonly total_udp_datagrams: number;
  readonly peak_tunnels: number;
  readonly peak_edges: number;
  readonly connections_total: number;
  readonly uptime_secs: number;
  /** Present when only the busiest tunnels are listed, to keep the frame under 4 MiB. */
  readonly truncated?: true;
}

/** A relay's `health` payload, sent on connecting and every 15 s. */
export interface RelayHealth {
  readonly status: 'ok' | 'degraded';
  /** Why it is degraded; while ok, what of its config deserves attention. */
  readonly reasons: readonly string[];
  readonly version: string;
  readonly uptime_secs: number;
  readonly connected_edges: number;
  readonly active_tunnels: number;
  readonly total_tunnels: number;
  readonly total_bytes_forwarded: number;
  readonly peak_tunnels: number;
  readonly peak_edges: number;
  readonly connections_total: number;
  readonly api_addr: string;
  readonly quic_addr: string;
  readonly public_quic_addr: string | null;
  readonly capabilities: readonly string[];
}
