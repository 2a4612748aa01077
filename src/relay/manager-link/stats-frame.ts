import { MAX_STATS_FRAME_BYTES } from '../../protocol/node/limits.ts';
import type { EdgeInfo, RelayStats, TunnelInfo } from '../../protocol/node/relay-telemetry.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

/** More than one entry of either list takes, so that short lists need no measuring. */
const maxEntryBytes = 2048;
/** The numbers beside the lists, and the envelope. */
const restBytes = 4096;
/** Of edges a manager can have the whole list by `list_edges`; tunnels matter more here. */
const maxEdgesShare = 0.25;

/** Keeps `stats` below the size that managers accept: past it, only the tunnels that carry most are listed. */
export class StatsFrame {
  #carried = new Map<TunnelId, number>();

  fit(stats: RelayStats): RelayStats {
    const entries = stats.tunnels.length + stats.edges.length;
    if (entries * maxEntryBytes + restBytes <= MAX_STATS_FRAME_BYTES) return stats;
    const busiestFirst = this.#byTraffic(stats.tunnels);
    const room = MAX_STATS_FRAME_BYTES - restBytes;
    const edges = takeWhileFitting<EdgeInfo>(stats.edges, room * maxEdgesShare);
    const tunnels = takeWhileFitting<TunnelInfo>(busiestFirst, room - edges.bytes);
    if (edges.items.length === stats.edges.length && tunnels.items.length === stats.tunnels.length) return stats;
    return { ...stats, edges: edges.items, tunnels: tunnels.items, truncated: true };
  }

  /** Those first that carried most since the last look. */
  #byTraffic(tunnels: readonly TunnelInfo[]): TunnelInfo[] {
    const before = this.#carried;
    this.#carried = new Map(tunnels.map((tunnel) => [tunnel.tunnel_id, bytesOf(tunnel)]));
    const recent = (tunnel: TunnelInfo): number => bytesOf(tunnel) - (before.get(tunnel.tunnel_id) ?? 0);
    return tunnels.toSorted((one, other) => recent(other) - recent(one));
  }
}

function bytesOf({ stats }: TunnelInfo): number {
  return stats.bytes_ingress + stats.bytes_egress;
}

function takeWhileFitting<Item>(items: readonly Item[], room: number): { items: readonly Item[]; bytes: number } {
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes + size > room) return { items: items.slice(0, index), bytes };
    bytes += size;
  }
  return { items, bytes };
}
