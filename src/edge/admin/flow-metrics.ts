import { Counter, Gauge, type Registry } from 'prom-client';
import type { EdgeAdminSource } from './edge-admin-source.ts';
import type { FlowStatsReport } from './flow-schemas.ts';

type Value = (flow: FlowStatsReport) => number | null;

const gauges: readonly (readonly [name: string, help: string, value: Value])[] = [
  ['adit_edge_flow_running', '1 while the flow runs.', ({ state }) => (state === 'Running' ? 1 : 0)],
  ['adit_edge_flow_input_bits_per_second', 'Media that comes in.', ({ input }) => input?.bitrate_bps ?? 0],
];

const counters: readonly (readonly [name: string, help: string, value: Value])[] = [
  ['adit_edge_flow_input_bytes_total', 'Media bytes that came in.', ({ input }) => input?.bytes_received ?? null],
  ['adit_edge_flow_input_packets_total', 'Media packets that came in.', ({ input }) => input?.packets_received ?? null],
  ['adit_edge_flow_input_lost_packets_total', 'Packets that never came.', ({ input }) => input?.packets_lost ?? null],
];

/** The media flows; as many series as the configuration has flows and outputs. Read when scraped. */
export function addFlowMetrics(registry: Registry, source: EdgeAdminSource): void {
  const registers = [registry];
  for (const [name, help, value] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['flow_id'],
      registers,
      collect() {
        this.reset();
        for (const flow of source.flows()) this.set({ flow_id: flow.flow_id }, value(flow) ?? 0);
      },
    });
  }
  for (const [name, help, value] of counters) {
    new Counter({
      name,
      help,
      labelNames: ['flow_id'],
      registers,
      collect() {
        this.reset();
        for (const flow of source.flows()) this.inc({ flow_id: flow.flow_id }, value(flow) ?? 0);
      },
    });
  }
  addOutputMetrics(registry, source);
}

function addOutputMetrics(registry: Registry, source: EdgeAdminSource): void {
  const registers = [registry];
  const labelNames = ['flow_id', 'output_id'] as const;
  const values = [
    ['adit_edge_flow_output_bytes_total', 'Media bytes that an output sent.', 'bytes_sent'],
    ['adit_edge_flow_output_dropped_packets_total', 'Packets that an output dropped.', 'packets_dropped'],
  ] as const;
  for (const [name, help, key] of values) {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { flow_id, outputs } of source.flows()) {
          for (const output of outputs) this.inc({ flow_id, output_id: output.output_id }, output[key]);
        }
      },
    });
  }
  new Counter({
    name: 'adit_edge_flow_ts_errors_total',
    help: 'Errors of the transport stream, by check of TR 101 290.',
    labelNames: ['flow_id', 'check'],
    registers,
    collect() {
      this.reset();
      for (const { flow_id, tr101290 = {} } of source.flows()) {
        for (const [check, errors] of Object.entries(tr101290)) this.inc({ flow_id, check }, errors);
      }
    },
  });
}
