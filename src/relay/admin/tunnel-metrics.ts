import { Counter, Gauge, type Registry } from 'prom-client';
import type { PathReport } from '../../admin/path-report.ts';
import { DIRECTIONS } from '../../protocol/tunnel/leg.ts';
import type { RelayAdminSource } from './relay-answers.ts';
import type { RelayTunnelReport } from './relay-schemas.ts';

const legLabels = ['tunnel_id', 'direction'] as const;
type LegMetric = Gauge<(typeof legLabels)[number]> | Counter<(typeof legLabels)[number]>;

const pathGauges: Readonly<Partial<Record<keyof PathReport, readonly [name: string, help: string, perUnit: number]>>> =
  {
    rtt_ms: ['adit_leg_rtt_seconds', 'Smoothed round-trip time to the edge.', 1000],
    min_rtt_ms: ['adit_leg_min_rtt_seconds', 'Lowest round-trip time seen.', 1000],
    congestion_window_bytes: ['adit_leg_congestion_window_bytes', 'Congestion window towards the edge.', 1],
    bytes_in_flight: ['adit_leg_in_flight_bytes', 'Sent and not acknowledged.', 1],
    queued_datagrams: ['adit_leg_queued_datagrams', 'Datagrams that wait to be sent to the edge.', 1],
    queued_datagram_bytes: ['adit_leg_queued_datagram_bytes', 'Their bytes.', 1],
    path_mtu: ['adit_leg_path_mtu_bytes', 'Largest UDP payload that the path is known to carry.', 1],
  };

const pathCounters: Readonly<Partial<Record<keyof PathReport, readonly [name: string, help: string]>>> = {
  packets_sent: ['adit_leg_packets_sent_total', 'QUIC packets sent to the edge, of all its tunnels.'],
  packets_lost: ['adit_leg_packets_lost_total', 'QUIC packets to the edge that were lost.'],
};

/** The tunnels that one scrape lists; shared by all metrics of that scrape. */
export class ListedTunnels {
  readonly #source: RelayAdminSource;
  readonly #max: number;
  #listed: readonly RelayTunnelReport[] = [];
  #unlisted = 0;

  constructor(source: RelayAdminSource, max: number) {
    this.#source = source;
    this.#max = max;
  }

  get listed(): readonly RelayTunnelReport[] {
    return this.#listed;
  }

  /** Returns how many are left out: the quiet ones, so that the busy ones can be seen. */
  refresh(): number {
    const all = this.#source.tunnels();
    this.#unlisted = Math.max(0, all.length - this.#max);
    this.#listed = this.#unlisted === 0 ? all : all.toSorted((a, b) => traffic(b) - traffic(a)).slice(0, this.#max);
    return this.#unlisted;
  }
}

/** Each tunnel and leg (conformance T4); at most `maxTunnels` of them, or a big relay would drown its Prometheus. */
export function addTunnelMetrics(registry: Registry, source: RelayAdminSource, maxTunnels: number): void {
  const tunnels = new ListedTunnels(source, maxTunnels);
  // First, because metrics are collected in the order in which they were registered.
  new Gauge({
    name: 'adit_relay_tunnels_unlisted',
    help: 'Tunnels that have no metrics of their own, because there are too many.',
    registers: [registry],
    collect() {
      this.set(tunnels.refresh());
    },
  });
  addTrafficMetrics(registry, tunnels);
  addPathMetrics(registry, tunnels);
}

function addTrafficMetrics(registry: Registry, tunnels: ListedTunnels): void {
  const registers = [registry];
  new Gauge({
    name: 'adit_tunnel_active',
    help: '1 while both legs are bound, 0 while one is missing.',
    labelNames: ['tunnel_id', 'protocol'],
    registers,
    collect() {
      this.reset();
      for (const { tunnel_id, protocol, status } of tunnels.listed) {
        this.set({ tunnel_id, protocol }, status === 'active' ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'adit_tunnel_info',
    help: 'Always 1; joins the name that the config gives a tunnel to its other metrics.',
    labelNames: ['tunnel_id', 'name'],
    registers,
    collect() {
      this.reset();
      for (const { tunnel_id, name } of tunnels.listed) if (name !== null) this.set({ tunnel_id, name }, 1);
    },
  });
  new Counter({
    name: 'adit_tunnel_received_bytes_total',
    help: 'Payload bytes by the leg that sent them.',
    labelNames: legLabels,
    registers,
    collect() {
      this.reset();
      for (const { tunnel_id, stats } of tunnels.listed) {
        this.inc({ tunnel_id, direction: 'ingress' }, stats.bytes_ingress);
        this.inc({ tunnel_id, direction: 'egress' }, stats.bytes_egress);
      }
    },
  });
  new Counter({
    name: 'adit_tunnel_dropped_datagrams_total',
    help: 'Datagrams dropped, by the leg that sent them and by reason.',
    labelNames: [...legLabels, 'reason'],
    registers,
    collect() {
      this.reset();
      for (const tunnel of tunnels.listed) {
        for (const direction of DIRECTIONS) {
          for (const [reason, count] of Object.entries(tunnel[direction].sent.drops)) {
            if (count > 0) this.inc({ tunnel_id: tunnel.tunnel_id, direction, reason }, count);
          }
        }
      }
    },
  });
}

function addPathMetrics(registry: Registry, tunnels: ListedTunnels): void {
  const registers = [registry];
  for (const [key, [name, help, perUnit]] of Object.entries(pathGauges)) {
    new Gauge({
      name,
      help,
      labelNames: legLabels,
      registers,
      collect() {
        fill(this, tunnels, key as keyof PathReport, (labels, value) => this.set(labels, value / perUnit));
      },
    });
  }
  for (const [key, [name, help]] of Object.entries(pathCounters)) {
    new Counter({
      name,
      help,
      labelNames: legLabels,
      registers,
      collect() {
        fill(this, tunnels, key as keyof PathReport, (labels, value) => this.inc(labels, value));
      },
    });
  }
}

/** What the engine does not know has no sample. */
function fill(
  metric: LegMetric,
  tunnels: ListedTunnels,
  key: keyof PathReport,
  put: (labels: { tunnel_id: string; direction: string }, value: number) => void,
): void {
  metric.reset();
  for (const tunnel of tunnels.listed) {
    for (const direction of DIRECTIONS) {
      const value = tunnel[direction].leg?.path[key] ?? null;
      if (value !== null) put({ tunnel_id: tunnel.tunnel_id, direction }, value);
    }
  }
}

function traffic({ stats }: RelayTunnelReport): number {
  return stats.bytes_ingress + stats.bytes_egress;
}
