import type { RelayStats, TunnelInfo } from '../../../src/protocol/node/relay-telemetry.ts';
import { knownTunnelId } from './known-tunnel-id.ts';

export const sampleTotals: Omit<RelayStats, 'tunnels' | 'edges'> = {
  connected_edges: 1,
  active_tunnels: 1,
  total_tunnels: 1,
  total_bytes_ingress: 1,
  total_bytes_egress: 1,
  total_bytes_forwarded: 2,
  total_bandwidth_bps: 1,
  total_tcp_streams: 1,
  active_tcp_streams: 1,
  total_udp_datagrams: 1,
  peak_tunnels: 1,
  peak_edges: 1,
  connections_total: 1,
  uptime_secs: 1,
};

/** The tunnel number `index`, over which so many bytes have gone. */
export function sampleTunnelInfo(index: number, bytes: number): TunnelInfo {
  return {
    tunnel_id: knownTunnelId(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`),
    protocol: 'udp',
    status: 'active',
    ingress_edge_id: 'edge-in',
    egress_edge_id: 'edge-out',
    ingress_remote_addr: '198.51.100.1:1000',
    egress_remote_addr: '198.51.100.2:1000',
    stats: {
      bytes_ingress: bytes,
      bytes_egress: 0,
      tcp_streams_total: 0,
      tcp_streams_active: 0,
      udp_datagrams_total: 1,
      uptime_secs: 1,
    },
    drops: {},
  };
}
