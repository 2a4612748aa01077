import type { z } from 'zod';
import type { NodeRow } from '../../manager/views/nodes.ts';
import type { TunnelRow } from '../../manager/views/tunnels.ts';
import type { Overview } from '../../manager/views/watching.ts';
import type { managerHealthSchema } from '../../manager/views/health.ts';
import { renderTable, type Column } from './table.ts';

export interface ManagerStatus {
  readonly url: string;
  readonly health: z.output<typeof managerHealthSchema>;
  readonly readiness: { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly overview: Overview;
  readonly nodes: readonly NodeRow[];
  readonly tunnels: readonly TunnelRow[];
}

const nodeColumns: readonly Column[] = [
  { title: 'NODE' },
  { title: 'KIND' },
  { title: 'STATE' },
  { title: 'LEGS', leaves: 4 },
  { title: 'DRIFT', leaves: 3 },
  { title: 'VERSION', leaves: 1 },
  { title: 'ADDRESS', leaves: 2 },
];

const tunnelColumns: readonly Column[] = [
  { title: 'TUNNEL' },
  { title: 'ID', shortest: 8, leaves: 3 },
  { title: 'CONFIG' },
  { title: 'TRAFFIC' },
  { title: 'SOURCE', leaves: 5 },
  { title: 'RELAYS', leaves: 4 },
  { title: 'DESTINATION', leaves: 5 },
  { title: 'ERROR', leaves: 2 },
];

/** A manager at a glance: one line about it, then its nodes and its tunnels, those with trouble first. */
export function renderManagerStatus(status: ManagerStatus, width?: number): string {
  const { url, health, readiness, overview, nodes, tunnels } = status;
  const known = Object.values(overview.nodes).reduce((sum, count) => sum + count, 0);
  const summary = [
    `manager ${health.version} at ${url}`,
    readiness.ready ? 'ready' : `not ready: ${readiness.reasons.join(', ')}`,
    `${overview.nodes.online} of ${known} nodes online`,
    `${overview.legs.failed} of ${Object.values(overview.legs).reduce((sum, count) => sum + count, 0)} legs failed`,
    `${overview.drift_open} differences`,
    `${overview.critical_unacknowledged} critical events`,
  ].join(', ');
  const nodeTable = renderTable(nodeColumns, nodes.toSorted(troubledNodes).map(nodeCells), width);
  const tunnelTable = renderTable(tunnelColumns, tunnels.toSorted(troubledTunnels).map(tunnelCells), width);
  return [
    `${summary}\n`,
    nodes.length === 0 ? 'no node was added yet\n' : nodeTable,
    ...(tunnels.length === 0 ? [] : ['\n', tunnelTable]),
  ].join('');
}

function troubledNodes(a: NodeRow, b: NodeRow): number {
  return Number(a.state === 'online') - Number(b.state === 'online') || (a.name < b.name ? -1 : 1);
}

function troubledTunnels(a: TunnelRow, b: TunnelRow): number {
  return Number(a.status === 'active') - Number(b.status === 'active') || (a.name < b.name ? -1 : 1);
}

function nodeCells({ name, kind, state, legs, drift_open, software_version, remote_addr }: NodeRow): string[] {
  const all = legs.pending + legs.pushing + legs.pushed + legs.failed;
  const pushed = all === 0 ? '' : `${legs.pushed}/${all}`;
  return [
    name,
    kind,
    state,
    pushed,
    drift_open === 0 ? '' : String(drift_open),
    software_version ?? '',
    remote_addr ?? '',
  ];
}

function tunnelCells({ name, id, status, running, source, relays, destination, push_error }: TunnelRow): string[] {
  const traffic = running.source === running.destination ? running.source : `${running.source}/${running.destination}`;
  return [
    ...[name, id, status, traffic, source.node_name],
    ...[relays.map(({ node_name: relay }) => relay).join(' '), destination.node_name, push_error ?? ''],
  ];
}
