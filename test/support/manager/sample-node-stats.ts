import type { AgentReport } from '../../../src/observer/admin/observer-schemas.ts';
import type { NodeView, TunnelView } from '../../../src/manager/fleet.ts';

/** Three processes that an observer watches: well, silent, and ended without a name. */
const agents = [
  sampleAgent({ pid: 4_242, label: 'relay', beats: 172_800 }),
  sampleAgent({ pid: 4_243, label: 'playout', status: 'Degraded', stalled: true, silent_ms: 92_000, stalls: 2 }),
  sampleAgent({ pid: 4_301, status: 'Critical', exited: true, origin: 'NetworkUnverified' }),
];

function sampleAgent(fields: Partial<AgentReport>): AgentReport {
  return {
    ...{ pid: 2, label: null, status: 'Ok', stalled: false, exited: false, payload: 0, nonce: '17', silent_ms: 240 },
    ...{ origin: 'KernelAttested', pid_ns_inode: '4026531836', beats: 17, stalls: 0 },
    ...fields,
  };
}

/**
 * The flow of the sample fleet, with one output that has no receiver most of the time. From the 75th report on five
 * packets are missing, in a moment when its bit rate is low.
 */
function sampleFlowStats(reports: number): object {
  const whole = reports >= 20 && reports < 75;
  const rate = 8_200_000 + Math.round(Math.sin(reports / 6) * 150_000);
  const bitrate_bps = reports >= 75 && reports < 78 ? 3_100_000 : rate;
  return {
    ...{ flow_id: 'flow-0', flow_name: 'Main stage', state: 'Running', health: whole ? 'Healthy' : 'Warning' },
    problem: null,
    input: { input_type: 'srt', state: 'connected', bitrate_bps },
    outputs: [
      { output_id: 'studio', output_type: 'srt', state: 'connected', bitrate_bps },
      whole
        ? { output_id: 'archive', output_type: 'srt', state: 'connected', bitrate_bps }
        : { output_id: 'archive', output_type: 'srt', state: 'connecting', bitrate_bps: 0 },
    ],
    tr101290: { continuity_errors: reports < 75 ? 17 : 22 },
  };
}

/** What the sample relay forwards between two reports: around 400 Mbit/s. */
const bytesForReport = 250_000_000;

/**
 * A stats frame of a relay, an edge or an observer, as docs/protocol/manager.md §3 and §9 have it, after so many others.
 */
export function sampleStats(node: NodeView, all: readonly TunnelView[], reports: number): unknown {
  if (node.kind === 'observer') {
    return { uptime_secs: 86_400, host: 'studio-fra-3', watched: agents.length, agents, counters: {}, recovery: {} };
  }
  if (node.kind === 'relay') {
    const listed = all.slice(0, 50).map(({ id, running }) => ({
      ...{ tunnel_id: id, status: relayStatus(running), drops: { no_peer: 12 } },
    }));
    const totals = { active_tunnels: 22, connected_edges: 31, total_bytes_forwarded: sampleTotal(reports) };
    return { uptime_secs: 263_400, ...totals, tunnels: listed };
  }
  const own = all.filter(
    ({ source_node_id, destination_node_id }) => source_node_id === node.id || destination_node_id === node.id,
  );
  const tunnels = own.map(({ id, source_node_id, running }) => {
    const isSource = source_node_id === node.id;
    const state = isSource ? running.source : running.destination;
    const [sent, back] = running.source === 'ready' && running.destination === 'ready' ? [8_200_000, 120_000] : [0, 0];
    const stats = { bitrate_in_bps: isSource ? back : sent, bitrate_out_bps: isSource ? sent : back };
    // A side that is down has no connection to measure.
    return { id, state, ...(state !== 'down' && { relay_rtt_ms: 12.4 }), stats };
  });
  return { uptime_secs: 86_400, tunnels, flows: [sampleFlowStats(reports)] };
}

/** The source binds as `egress`: a relay waits for the side that is not bound. */
function relayStatus({ source, destination }: TunnelView['running']): string {
  if (source === 'down') return 'waiting_egress';
  return destination === 'down' ? 'waiting_ingress' : 'active';
}

function sampleTotal(reports: number): number {
  return 1e12 + reports * bytesForReport + Math.round(Math.sin(reports / 9) * bytesForReport);
}
