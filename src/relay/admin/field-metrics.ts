import { Counter, Gauge, type Registry } from 'prom-client';
import type { RelayAdminSource } from './relay-answers.ts';
import type { RelayStatsReport, RelayTunnelReport } from './relay-schemas.ts';
import { ListedTunnels } from './tunnel-metrics.ts';

type Kind = 'gauge' | 'counter';

/** `bilbycast_relay_` and the name; 0 for what this relay does not carry, as in a field relay without it. */
const totals: readonly (readonly [name: string, kind: Kind, read: (stats: RelayStatsReport) => number])[] = [
  ['uptime_seconds', 'gauge', (stats) => stats.uptime_secs],
  ['edges_connected', 'gauge', (stats) => stats.connected_edges],
  ['tunnels_total', 'gauge', (stats) => stats.total_tunnels],
  ['tunnels_active', 'gauge', (stats) => stats.active_tunnels],
  ['bytes_forwarded_total', 'counter', (stats) => stats.total_bytes_forwarded],
  ['bytes_ingress_total', 'counter', (stats) => stats.total_bytes_ingress],
  ['bytes_egress_total', 'counter', (stats) => stats.total_bytes_egress],
  ['tcp_streams_total', 'counter', (stats) => stats.total_tcp_streams],
  ['tcp_streams_active', 'gauge', (stats) => stats.active_tcp_streams],
  ['udp_datagrams_total', 'counter', (stats) => stats.total_udp_datagrams],
  ['connections_total', 'counter', (stats) => stats.connections_total],
  ['peak_tunnels', 'gauge', (stats) => stats.peak_tunnels],
  ['peak_edges', 'gauge', (stats) => stats.peak_edges],
  ['udp_sessions_total', 'gauge', () => 0],
  ['udp_sessions_active', 'gauge', () => 0],
  ['udp_bytes_forwarded_total', 'counter', () => 0],
  ['udp_datagrams_forwarded_total', 'counter', () => 0],
];

const tunnelTotals: readonly (readonly [
  name: string,
  kind: Kind,
  read: (stats: RelayTunnelReport['stats']) => number,
])[] = [
  ['tunnel_bytes_ingress', 'counter', (stats) => stats.bytes_ingress],
  ['tunnel_bytes_egress', 'counter', (stats) => stats.bytes_egress],
  ['tunnel_tcp_streams_total', 'counter', (stats) => stats.tcp_streams_total],
  ['tunnel_tcp_streams_active', 'gauge', (stats) => stats.tcp_streams_active],
  ['tunnel_udp_datagrams_total', 'counter', (stats) => stats.udp_datagrams_total],
  ['tunnel_uptime_seconds', 'gauge', (stats) => stats.uptime_secs],
];

const prefix = 'bilbycast_relay_';
const help = 'As field relays have it; docs/operations.md names the metric of this program.';

/** The metrics under the names of field relays, for dashboards and alerts that were made for those. */
export function addFieldMetrics(registry: Registry, source: RelayAdminSource, maxTunnels: number): void {
  addTotals(registry, source);
  addTunnelTotals(registry, new ListedTunnels(source, maxTunnels));
  addManagerLink(registry, source);
}

/** Totals go over every tunnel, so they are read once a scrape: by the first metric, for all of them. */
function addTotals(registry: Registry, source: RelayAdminSource): void {
  const registers = [registry];
  const put: ((stats: RelayStatsReport) => void)[] = [];
  new Gauge({
    name: `${prefix}info`,
    help,
    labelNames: ['version'],
    registers,
    collect() {
      this.set({ version: source.health().report.version }, 1);
      const stats = source.stats();
      for (const each of put) each(stats);
    },
  });
  for (const [name, kind, read] of totals) {
    const metric = make(kind, { name: `${prefix}${name}`, help, registers });
    put.push((stats) => {
      metric.reset();
      metric.inc(read(stats));
    });
  }
}

function addTunnelTotals(registry: Registry, tunnels: ListedTunnels): void {
  for (const [index, [name, kind, read]] of tunnelTotals.entries()) {
    const collect = (metric: Gauge | Counter): void => {
      if (index === 0) tunnels.refresh();
      metric.reset();
      for (const { tunnel_id, protocol, stats } of tunnels.listed) metric.inc({ tunnel_id, protocol }, read(stats));
    };
    const labelNames = ['tunnel_id', 'protocol'];
    make(kind, { name: `${prefix}${name}`, help, labelNames, registers: [registry] }, collect);
  }
}

/** No sample without a manager, as in the field. */
function addManagerLink(registry: Registry, source: RelayAdminSource): void {
  const add = (
    name: string,
    read: (link: NonNullable<ReturnType<RelayAdminSource['managerLink']>>) => number,
  ): void => {
    make('gauge', { name: `${prefix}${name}`, help, registers: [registry] }, (metric) => {
      const link = source.managerLink();
      if (link === null) metric.remove();
      else (metric as Gauge).set(read(link));
    });
  };
  add('manager_connected', ({ connected }) => (connected ? 1 : 0));
  add('manager_disconnected_seconds', ({ disconnected_secs: seconds }) => seconds);
}

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: string[];
  readonly registers: Registry[];
}

function make(kind: Kind, definition: Definition, collect?: (metric: Gauge | Counter) => void): Gauge | Counter {
  const whole = {
    ...definition,
    ...(collect !== undefined && {
      collect(this: Gauge | Counter) {
        collect(this);
      },
    }),
  };
  return kind === 'gauge' ? new Gauge(whole) : new Counter(whole);
}
