import { DIRECTIONS } from '../../protocol/tunnel/leg.ts';
import type { RelayHealth } from '../../protocol/node/relay-telemetry.ts';
import type { RelayRefusals, RelayStatsReport, RelayTunnelReport } from '../../relay/admin/relay-schemas.ts';
import { durationBetween, durationWords } from '../why/time-words.ts';
import { renderTable, type Column } from './table.ts';
import { bitrateWords, bytesWords, dropWords, lossWords, mtuWords, queueWords, rttWords } from './units.ts';

export interface RelayStatus {
  readonly url: string;
  readonly health: RelayHealth;
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly stats: RelayStatsReport;
  readonly tunnels: readonly RelayTunnelReport[];
  readonly refusals: RelayRefusals['refusals'];
  /** RFC 3339, by this host's clock. */
  readonly at: string;
}

const columns: readonly Column[] = [
  { title: 'TUNNEL', shortest: 8 },
  { title: 'NAME' },
  { title: 'PROTOCOL', leaves: 4 },
  { title: 'STATE' },
  { title: 'LEG' },
  { title: 'EDGE' },
  { title: 'ADDRESS', leaves: 5 },
  { title: 'RTT' },
  { title: 'LOSS' },
  { title: 'QUEUE', leaves: 2 },
  { title: 'MTU', leaves: 1 },
  { title: 'SENT', leaves: 3 },
  { title: 'DROPPED' },
  { title: 'TROUBLE' },
];
const mostRefusals = 10;
const troubleWords: Readonly<Record<string, string>> = { local: 'program refuses', key: 'keys differ' };
const words = { active: 'active', waiting_egress: 'no egress', waiting_ingress: 'no ingress' } as const;

/**
 * A relay at a glance: one line about it, then two lines for each tunnel, a leg each, as wide as the terminal at most.
 */
export function renderRelayStatus(status: RelayStatus, width?: number): string {
  const { health, readiness, stats, tunnels, url } = status;
  const summary = [
    `relay ${health.version} at ${url}`,
    ...(health.status === 'ok' ? ['ok'] : []),
    ...health.reasons.map((reason) => `${health.status === 'ok' ? 'attention' : 'degraded'}: ${reason}`),
    readiness.ready ? 'ready' : `not ready: ${readiness.reasons.join(', ')}`,
    `up ${durationWords(health.uptime_secs)}`,
    `${stats.connected_edges} ${stats.connected_edges === 1 ? 'edge' : 'edges'}`,
    `${stats.active_tunnels} of ${stats.total_tunnels} tunnels active`,
    bitrateWords(stats.total_bandwidth_bps),
  ].join(', ');
  const rows = tunnels.flatMap((tunnel) => legRows(tunnel, status.at));
  const table = tunnels.length === 0 ? 'no edge has bound a tunnel\n' : renderTable(columns, rows, width);
  return `${summary}\n${table}${refusalLines(status)}`;
}

/** The latest few: also those of tunnels that no list has. */
function refusalLines({ refusals, at }: RelayStatus): string {
  const lines = refusals.slice(-mostRefusals).map((refusal) => {
    const { tunnel_id: id, name, direction, edge_id: edge, remote_addr: address, reason } = refusal;
    const who = edge === null ? address : `${edge}, ${address}`;
    const tunnel = name === null ? id : `${id} (${name})`;
    return `refused: ${tunnel} to the ${direction} edge (${who}): ${reason}, ${durationBetween(refusal.at, at)} ago\n`;
  });
  return lines.join('');
}

function legRows(tunnel: RelayTunnelReport, at: string): string[][] {
  const state = `${words[tunnel.status]} for ${durationBetween(tunnel.status_since, at)}`;
  return DIRECTIONS.map((direction, index) => {
    const { leg, sent } = tunnel[direction];
    const path = leg?.path ?? null;
    return [
      ...(index === 0 ? [tunnel.tunnel_id, tunnel.name ?? '', tunnel.protocol, state] : ['', '', '', '']),
      direction,
      leg === null ? 'missing' : (leg.edge_id ?? 'unnamed'),
      leg?.remote_addr ?? '',
      rttWords(path),
      lossWords(path),
      queueWords(path),
      mtuWords(path),
      bytesWords(sent.datagram_bytes_in + sent.stream_bytes),
      dropWords(sent.drops),
      (leg?.troubles ?? []).map((trouble) => troubleWords[trouble] ?? trouble).join(', '),
    ];
  });
}
