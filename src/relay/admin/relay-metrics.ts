import { Counter, Gauge, type Registry } from 'prom-client';
import type { RelayAdminSource } from './relay-answers.ts';
import type { RelayStatsReport } from './relay-schemas.ts';

type Value = Exclude<keyof RelayStatsReport, 'manager'>;

const gauges: Readonly<Partial<Record<Value, readonly [name: string, help: string]>>> = {
  connected_edges: ['adit_relay_edges', 'Edges connected now.'],
  active_tunnels: ['adit_relay_tunnels_active', 'Tunnels with both legs bound.'],
  total_tunnels: ['adit_relay_tunnels', 'Tunnels with at least one leg bound.'],
  active_tcp_streams: ['adit_relay_streams_active', 'Streams being forwarded.'],
  total_bandwidth_bps: ['adit_relay_bandwidth_bps', 'Bits forwarded per second, in all tunnels.'],
  peak_tunnels: ['adit_relay_tunnels_peak', 'Most tunnels at one time.'],
  peak_edges: ['adit_relay_edges_peak', 'Most edges at one time.'],
};

const counters: Readonly<Partial<Record<Value, readonly [name: string, help: string]>>> = {
  connections_total: ['adit_relay_connections_total', 'QUIC connections accepted.'],
  total_bytes_forwarded: ['adit_relay_forwarded_bytes_total', 'Payload bytes that left towards the other leg.'],
  total_tcp_streams: ['adit_relay_streams_total', 'Streams forwarded.'],
  total_udp_datagrams: ['adit_relay_datagrams_total', 'Datagrams received from legs.'],
};

/** The relay as a whole. Read when scraped. */
export function addRelayMetrics(registry: Registry, source: RelayAdminSource): void {
  addTotals(registry, source);
  addUnboundSender(registry, source);
  addRefusedStreams(registry, source);
  addStateMetrics(registry, source);
}

/** Totals go over every tunnel, so they are read once a scrape: by the first metric, for all of them. */
function addTotals(registry: Registry, source: RelayAdminSource): void {
  const registers = [registry];
  const put: ((stats: RelayStatsReport) => void)[] = [];
  new Gauge({
    name: 'adit_relay_uptime_seconds',
    help: 'Time since the relay started.',
    registers,
    collect() {
      const stats = source.stats();
      this.set(stats.uptime_secs);
      for (const each of put) each(stats);
    },
  });
  for (const [key, [name, help]] of Object.entries(gauges)) {
    const metric = new Gauge({ name, help, registers });
    put.push((stats) => metric.set(stats[key as Value]));
  }
  for (const [key, [name, help]] of Object.entries(counters)) {
    const metric = new Counter({ name, help, registers });
    put.push((stats) => setCounter(metric, stats[key as Value]));
  }
  const received = new Counter({
    name: 'adit_relay_received_bytes_total',
    help: 'Payload bytes received, by the leg that sent them.',
    labelNames: ['direction'],
    registers,
  });
  put.push((stats) => {
    received.reset();
    received.inc({ direction: 'ingress' }, stats.total_bytes_ingress);
    received.inc({ direction: 'egress' }, stats.total_bytes_egress);
  });
  new Counter({
    name: 'adit_relay_dropped_datagrams_total',
    help: 'Datagrams dropped, by reason, in all tunnels that are or were.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(source.report.dropTotals())) this.inc({ reason }, count);
    },
  });
}

function addRefusedStreams(registry: Registry, source: RelayAdminSource): void {
  new Counter({
    name: 'adit_relay_refused_streams_total',
    help: 'Data streams (TCP connections) refused, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(source.report.refusedStreams(null))) this.inc({ reason }, count);
    },
  });
}

/** Streams are counted by the relay, datagrams by its engine. */
function addUnboundSender(registry: Registry, source: RelayAdminSource): void {
  new Counter({
    name: 'adit_relay_unbound_sender_total',
    help: 'Datagrams and streams from connections that hold no leg of the tunnel named.',
    registers: [registry],
    collect() {
      setCounter(this, source.report.unboundSender());
    },
  });
}

function setCounter(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}

function addStateMetrics(registry: Registry, source: RelayAdminSource): void {
  gauge(registry, 'adit_relay_healthy', '1 while /health says ok.', () =>
    source.health().report.status === 'ok' ? 1 : 0,
  );
  gauge(registry, 'adit_relay_ready', '1 while new tunnels would be accepted.', () =>
    source.notReadyReasons().length === 0 ? 1 : 0,
  );
  new Gauge({
    name: 'adit_relay_manager_connected',
    help: '1 while the link to the manager is up; no sample without a manager.',
    registers: [registry],
    collect() {
      const link = source.managerLink();
      if (link === null) this.remove();
      else this.set(link.connected ? 1 : 0);
    },
  });
  new Gauge({
    name: 'adit_relay_info',
    help: 'Always 1; the version and the QUIC engine in force.',
    labelNames: ['version', 'engine'],
    registers: [registry],
    collect() {
      this.set({ version: source.health().report.version, engine: source.engine().name }, 1);
    },
  });
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
