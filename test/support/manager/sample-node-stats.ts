import type { NodeView, TunnelView } from '../../../src/manager/fleet.ts';

/** A stats frame of a relay or an edge, as docs/protocol/manager.md §3 and §9 have it. */
export function sampleStats(node: NodeView, all: readonly TunnelView[]): unknown {
  if (node.kind === 'relay') {
    const listed = all.slice(0, 50).map(({ id }) => ({ tunnel_id: id, status: 'active', drops: { waiting_side: 12 } }));
    const totals = { active_tunnels: 22, connected_edges: 31, total_bytes_forwarded: 1e12 };
    return { uptime_secs: 263_400, ...totals, tunnels: listed };
  }
  const own = all.filter(
    ({ source_node_id, destination_node_id }) => source_node_id === node.id || destination_node_id === node.id,
  );
  const tunnels = own.map(({ id, source_node_id, running }) => ({
    ...{ id, state: source_node_id === node.id ? running.source : running.destination, relay_rtt_ms: 12.4 },
    stats: { bitrate_in_bps: 120_000, bitrate_out_bps: 8_200_000 },
  }));
  return { uptime_secs: 86_400, tunnels };
}
