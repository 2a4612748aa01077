import type { HealthAnswer } from '../../../src/admin/admin-source.ts';
import { toPathReport } from '../../../src/admin/path-report.ts';
import type { ProgramFacts } from '../../../src/admin/program-facts.ts';
import type { EdgeAdminSource } from '../../../src/edge/admin/edge-admin-source.ts';
import type { EdgeTunnelFacts, EdgeTunnelReport } from '../../../src/edge/admin/edge-schemas.ts';
import type { EdgeHealth } from '../../../src/protocol/node/edge-telemetry.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import type { EngineReport } from '../../../src/quic/engine-report.ts';
import type { FlowFacts, FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import { SampleRelay, sampleStats } from './sample-relay.ts';

export function sampleEdgeTunnel(id: TunnelId, changes: Partial<EdgeTunnelReport> = {}): EdgeTunnelReport {
  return {
    id,
    name: 'camera 1',
    protocol: 'udp',
    mode: 'relay',
    direction: 'egress',
    local_addr: '127.0.0.1:5000',
    state: 'ready',
    relay_addrs: ['relay-a.example:4433', 'relay-b.example:4433'],
    active_relay_idx: 0,
    active_relay_addr: 'relay-a.example:4433',
    stats: {
      packets_sent: 10,
      packets_received: 20,
      bytes_sent: 1000,
      bytes_received: 2000,
      bitrate_in_bps: 8000,
      bitrate_out_bps: 4000,
      send_errors: 1,
      decrypt_errors: 2,
      connections_total: 3,
      connections_active: 1,
    },
    relay_rtt_ms: 21.5,
    path_mtu: 1452,
    drops: { too_large: 4 },
    outgoing: { datagrams_in: 14, datagrams_out: 10, drops: { too_large: 4 } },
    refused_connections: {},
    incoming: { datagrams_in: 22, datagrams_out: 20, drops: { not_authentic: 2 } },
    relays: [
      {
        relay_addr: 'relay-a.example:4433',
        state: 'ready',
        suspect: false,
        one_way: false,
        last_problem: null,
        path: toPathReport(sampleStats),
      },
      {
        relay_addr: 'relay-b.example:4433',
        state: 'connecting',
        suspect: false,
        one_way: false,
        last_problem: 'the relay no longer answers',
        path: null,
      },
    ],
    troubles: [],
    ...changes,
  };
}

/** An edge that says what the test gives it. */
export class SampleEdge implements EdgeAdminSource {
  manager: boolean | null = null;
  reasons: readonly string[] = [];
  program: Omit<ProgramFacts, 'program'> = { faults: [], machine: [], manager: null };
  readonly held: Map<TunnelId, EdgeTunnelReport>;
  flowList: readonly FlowStatsReport[] = [];
  readonly #relay = new SampleRelay();

  constructor(tunnels: readonly (readonly [TunnelId, EdgeTunnelReport])[] = []) {
    this.held = new Map(tunnels);
  }

  flows(): readonly FlowStatsReport[] {
    return this.flowList;
  }

  programFacts(): ProgramFacts {
    return { program: 'edge', ...this.program };
  }

  rtcDoor(): null {
    return null;
  }

  flowFacts(id: string): FlowFacts | null {
    const flow = this.flowList.find(({ flow_id }) => flow_id === id);
    return flow === undefined ? null : { flow, at: '2026-04-02T12:00:00.000Z', events: [] };
  }

  health(): HealthAnswer<EdgeHealth> {
    return {
      alive: true,
      report: {
        status: this.reasons.length === 0 ? 'ok' : 'degraded',
        reasons: this.reasons,
        version: '0.1.0',
        uptime_secs: 60,
        active_tunnels: 1,
        total_tunnels: 1,
        api_addr: '127.0.0.1:4481',
        capabilities: ['tunnels'],
      },
    };
  }

  notReadyReasons(): readonly string[] {
    return [];
  }

  tunnels(): readonly EdgeTunnelReport[] {
    return [...this.held.values()];
  }

  facts(id: TunnelId): EdgeTunnelFacts | null {
    const tunnel = this.held.get(id);
    if (tunnel === undefined) return null;
    const at = '2026-04-02T12:00:00.000Z';
    return {
      tunnel_id: id,
      at,
      edge_id: 'studio',
      edge_version: '0.1.0',
      tunnel,
      exposed_files: [],
      stall: null,
      loop_lag_ms: 0,
      descriptor_shortage: null,
      events: [],
    };
  }

  engine(): EngineReport {
    return this.#relay.engine();
  }

  managerConnected(): boolean | null {
    return this.manager;
  }
}
