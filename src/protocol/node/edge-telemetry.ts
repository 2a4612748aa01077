import type { Direction, TunnelProtocol } from '../tunnel/leg.ts';
import type { DropCounts } from './relay-telemetry.ts';
import type { TunnelId } from '../tunnel/tunnel-id.ts';

/** Where an edge's tunnel is. `waiting`: bound, its peer is not there; `down`: will not come up on this connection. */
export type EdgeTunnelState = 'connecting' | 'waiting' | 'ready' | 'down' | 'stopped';

/** Counts of one tunnel on an edge; bytes are of local payload, before sealing. */
export interface EdgeTunnelStats {
  readonly packets_sent: number;
  readonly packets_received: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly bitrate_in_bps: number;
  readonly bitrate_out_bps: number;
  readonly send_errors: number;
  readonly decrypt_errors: number;
  readonly connections_total: number;
  readonly connections_active: number;
}

/** One tunnel in an edge's `stats` and its answer to `list_tunnels` (docs/protocol/manager.md §9). */
export interface EdgeTunnelInfo {
  readonly id: TunnelId;
  readonly name: string;
  readonly protocol: TunnelProtocol;
  readonly mode: 'relay';
  readonly direction: Direction;
  readonly local_addr: string;
  readonly state: EdgeTunnelState;
  readonly relay_addrs: readonly string[];
  /** Index into `relay_addrs` of the relay that carries the traffic; null while none does. */
  readonly active_relay_idx: number | null;
  readonly active_relay_addr: string | null;
  readonly stats: EdgeTunnelStats;
  /** Null where the engine does not know, or without a connection. */
  readonly relay_rtt_ms: number | null;
  readonly path_mtu: number | null;
  readonly drops: DropCounts;
}

/** A media flow in `stats`; what it has beside is in docs/media-flows.md. */
export interface EdgeFlowStats {
  readonly flow_id: string;
  readonly flow_name: string;
  readonly state: 'Idle' | 'Running';
  readonly health: 'Healthy' | 'Warning' | 'Error' | 'Critical';
}

/** An edge's `stats` payload. */
export interface EdgeStats {
  readonly uptime_secs: number;
  readonly active_flows: number;
  readonly total_flows: number;
  readonly flows: readonly EdgeFlowStats[];
  readonly tunnels: readonly EdgeTunnelInfo[];
}

/** An edge's `health` payload. */
export interface EdgeHealth {
  readonly status: 'ok' | 'degraded';
  /** Why it is degraded; empty when ok. */
  readonly reasons: readonly string[];
  readonly version: string;
  readonly uptime_secs: number;
  readonly active_tunnels: number;
  readonly total_tunnels: number;
  readonly api_addr: string | null;
  readonly capabilities: readonly string[];
}
