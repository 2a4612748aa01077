import type { EdgeTunnelReport } from '../../edge/admin/edge-schemas.ts';
import type { EdgeHealth } from '../../protocol/node/edge-telemetry.ts';
import type { FlowStatsReport } from '../../edge/admin/flow-schemas.ts';
import { renderFlows } from './flow-status.ts';
import { durationWords } from '../why/time-words.ts';
import { renderTable, type Column } from './table.ts';
import { bitrateWords, bytesWords, dropWords, lossWords, mtuWords, rttWords } from './units.ts';

export interface EdgeStatus {
  readonly url: string;
  readonly health: EdgeHealth;
  readonly tunnels: readonly EdgeTunnelReport[];
  readonly flows: readonly FlowStatsReport[];
}

const columns: readonly Column[] = [
  { title: 'TUNNEL', shortest: 8 },
  { title: 'NAME' },
  { title: 'PROTOCOL', leaves: 4 },
  { title: 'DIRECTION', leaves: 5 },
  { title: 'LOCAL', leaves: 6 },
  { title: 'STATE' },
  { title: 'OUT', leaves: 7 },
  { title: 'IN', leaves: 8 },
  { title: 'SENT', leaves: 2 },
  { title: 'RECEIVED', leaves: 3 },
  { title: 'DROPPED' },
  { title: 'RELAY' },
  { title: '' },
  { title: 'RTT' },
  { title: 'LOSS' },
  { title: 'MTU', leaves: 1 },
];

/** An edge at a glance: one line about it, then a line for each tunnel and each of its relays. */
export function renderEdgeStatus({ url, health, tunnels, flows }: EdgeStatus, width?: number): string {
  const summary = [
    `edge ${health.version} at ${url}`,
    ...health.reasons.map((reason) => `${health.status === 'ok' ? 'attention' : 'degraded'}: ${reason}`),
    ...(health.status === 'ok' ? ['ok'] : []),
    `up ${durationWords(health.uptime_secs)}`,
    `${health.active_tunnels} of ${health.total_tunnels} tunnels active`,
  ].join(', ');
  const parts = [
    ...(tunnels.length === 0 ? [] : [renderTable(columns, tunnels.flatMap(relayRows), width)]),
    ...(flows.length === 0 ? [] : [renderFlows(flows, width)]),
  ];
  return `${summary}\n${parts.length === 0 ? 'it has no tunnel\n' : parts.join('\n')}`;
}

function relayRows(tunnel: EdgeTunnelReport): string[][] {
  const { stats } = tunnel;
  const own = [
    ...[tunnel.id, tunnel.name, tunnel.protocol, tunnel.direction, tunnel.local_addr, tunnel.state],
    ...[bitrateWords(stats.bitrate_out_bps), bitrateWords(stats.bitrate_in_bps)],
    ...[bytesWords(stats.bytes_sent), bytesWords(stats.bytes_received), dropWords(tunnel.drops)],
  ];
  return tunnel.relays.map(({ relay_addr: address, state, path }, index) => [
    ...(index === 0 ? own : own.map(() => '')),
    address,
    index === tunnel.active_relay_idx ? 'in use' : state,
    rttWords(path),
    lossWords(path),
    mtuWords(path),
  ]);
}
