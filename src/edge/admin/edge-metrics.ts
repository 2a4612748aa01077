import { Counter, Gauge, type Registry } from 'prom-client';
import type { EdgeTunnelStats } from '../../protocol/node/edge-telemetry.ts';
import { addFlowMetrics } from './flow-metrics.ts';
import type { EdgeRelayReport } from './edge-schemas.ts';
import type { EdgeAdminSource } from './edge-admin-source.ts';

const counters: Readonly<Partial<Record<keyof EdgeTunnelStats, readonly [name: string, help: string]>>> = {
  packets_sent: ['adit_edge_datagrams_sent_total', 'Datagrams passed from the local side towards the relay.'],
  packets_received: ['adit_edge_datagrams_received_total', 'Datagrams passed from the relay to the local side.'],
  bytes_sent: ['adit_edge_sent_bytes_total', 'Local payload bytes sent into the tunnel.'],
  bytes_received: ['adit_edge_received_bytes_total', 'Local payload bytes received from the tunnel.'],
  send_errors: ['adit_edge_local_errors_total', 'Local sockets that failed to take or give data.'],
  decrypt_errors: ['adit_edge_decrypt_errors_total', 'Payloads that the tunnel key does not open.'],
  connections_total: ['adit_edge_tcp_connections_total', 'Local TCP connections carried.'],
};

const directions = ['outgoing', 'incoming'] as const;
const relayLabels = ['tunnel_id', 'relay'] as const;

/** The edge, its tunnels and its flows; as many series as the configuration has of them. Read when scraped. */
export function addEdgeMetrics(registry: Registry, source: EdgeAdminSource): void {
  addProgramMetrics(registry, source);
  addTunnelMetrics(registry, source);
  addRelayMetrics(registry, source);
  addFlowMetrics(registry, source);
}

function addProgramMetrics(registry: Registry, source: EdgeAdminSource): void {
  const registers = [registry];
  new Gauge({
    name: 'adit_edge_info',
    help: 'Always 1; the version and the QUIC engine in force.',
    labelNames: ['version', 'engine'],
    registers,
    collect() {
      this.set({ version: source.health().report.version, engine: source.engine().name }, 1);
    },
  });
  new Gauge({
    name: 'adit_edge_healthy',
    help: '1 while /health says ok.',
    registers,
    collect() {
      this.set(source.health().report.status === 'ok' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'adit_edge_manager_connected',
    help: '1 while the link to the manager is up; no sample without a manager.',
    registers,
    collect() {
      const connected = source.managerConnected();
      if (connected === null) this.remove();
      else this.set(connected ? 1 : 0);
    },
  });
}

function addTunnelMetrics(registry: Registry, source: EdgeAdminSource): void {
  const registers = [registry];
  new Gauge({
    name: 'adit_edge_tunnel_state',
    help: '1 for the state that the tunnel is in.',
    labelNames: ['tunnel_id', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { id, state } of source.tunnels()) this.set({ tunnel_id: id, state }, 1);
    },
  });
  for (const [key, [name, help]] of Object.entries(counters)) {
    new Counter({
      name,
      help,
      labelNames: ['tunnel_id'],
      registers,
      collect() {
        this.reset();
        for (const { id, stats } of source.tunnels()) this.inc({ tunnel_id: id }, stats[key as keyof EdgeTunnelStats]);
      },
    });
  }
  new Gauge({
    name: 'adit_edge_tcp_connections_active',
    help: 'Local TCP connections open now.',
    labelNames: ['tunnel_id'],
    registers,
    collect() {
      this.reset();
      for (const { id, stats } of source.tunnels()) this.set({ tunnel_id: id }, stats.connections_active);
    },
  });
  addTroubles(registry, source);
  addRefusedConnections(registry, source);
  addLedgerMetrics(registry, source);
}

function addTroubles(registry: Registry, source: EdgeAdminSource): void {
  new Gauge({
    name: 'adit_edge_trouble',
    help:
      '1 for each fault of a tunnel that stands: local, machine, senders, key; far, far-machine, far-key (the same ' +
      'at the other edge).',
    labelNames: ['tunnel_id', 'kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { id, troubles } of source.tunnels()) {
        for (const { kind } of troubles) this.set({ tunnel_id: id, kind }, 1);
      }
    },
  });
}

function addRefusedConnections(registry: Registry, source: EdgeAdminSource): void {
  new Counter({
    name: 'adit_edge_refused_tcp_connections_total',
    help: 'TCP connections that were not carried, by reason.',
    labelNames: ['tunnel_id', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { id, refused_connections: refused } of source.tunnels()) {
        for (const [reason, count] of Object.entries(refused)) this.inc({ tunnel_id: id, reason }, count);
      }
    },
  });
}

/** What came in, by direction, and what of it did not go out. */
function addLedgerMetrics(registry: Registry, source: EdgeAdminSource): void {
  const registers = [registry];
  new Counter({
    name: 'adit_edge_datagrams_total',
    help: 'Datagrams that came: outgoing from local programs, incoming from relays. In = sent or received + dropped.',
    labelNames: ['tunnel_id', 'direction'],
    registers,
    collect() {
      this.reset();
      for (const tunnel of source.tunnels()) {
        for (const direction of directions) {
          this.inc({ tunnel_id: tunnel.id, direction }, tunnel[direction].datagrams_in);
        }
      }
    },
  });
  new Counter({
    name: 'adit_edge_dropped_datagrams_total',
    help: 'Datagrams dropped, by direction and reason.',
    labelNames: ['tunnel_id', 'direction', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const tunnel of source.tunnels()) {
        for (const direction of directions) {
          for (const [reason, count] of Object.entries(tunnel[direction].drops)) {
            this.inc({ tunnel_id: tunnel.id, direction, reason }, count);
          }
        }
      }
    },
  });
}

function isUp({ state, suspect }: EdgeRelayReport): boolean {
  return (state === 'ready' || state === 'waiting') && !suspect;
}

function addRelayMetrics(registry: Registry, source: EdgeAdminSource): void {
  const registers = [registry];
  new Gauge({
    name: 'adit_edge_relay_active',
    help: '1 for the relay that carries the traffic.',
    labelNames: relayLabels,
    registers,
    collect() {
      this.reset();
      for (const { id, relays, active_relay_idx: active } of source.tunnels()) {
        relays.forEach(({ relay_addr: relay }, index) => this.set({ tunnel_id: id, relay }, index === active ? 1 : 0));
      }
    },
  });
  new Gauge({
    name: 'adit_edge_relay_up',
    help: '1 while the tunnel holds its leg at the relay and the relay answers.',
    labelNames: relayLabels,
    registers,
    collect() {
      this.reset();
      for (const { id, relays, state } of source.tunnels()) {
        if (state === 'stopped') continue;
        for (const relay of relays) this.set({ tunnel_id: id, relay: relay.relay_addr }, isUp(relay) ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'adit_edge_relay_rtt_seconds',
    help: 'Smoothed round-trip time to the relay.',
    labelNames: relayLabels,
    registers,
    collect() {
      this.reset();
      for (const { id, relays } of source.tunnels()) {
        for (const { relay_addr: relay, path } of relays) {
          if (path !== null && path.rtt_ms !== null) this.set({ tunnel_id: id, relay }, path.rtt_ms / 1000);
        }
      }
    },
  });
  new Counter({
    name: 'adit_edge_relay_packets_lost_total',
    help: 'QUIC packets to the relay that were lost, on the present connection.',
    labelNames: relayLabels,
    registers,
    collect() {
      this.reset();
      for (const { id, relays } of source.tunnels()) {
        for (const { relay_addr: relay, path } of relays) this.inc({ tunnel_id: id, relay }, path?.packets_lost ?? 0);
      }
    },
  });
}
