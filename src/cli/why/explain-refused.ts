import type { EdgeTunnelReport } from '../../edge/admin/edge-schemas.ts';
import type { RelayTunnelReport, TunnelFacts } from '../../relay/admin/relay-schemas.ts';
import { counted } from './counted.ts';
import { note, problem, type Finding } from './finding.ts';

type Counts = Readonly<Record<string, number>>;
type Words = Readonly<Record<string, readonly [text: string, remedy: string]>>;

/** At a relay: a data stream is a TCP connection of a local program. */
const ofTunnel: Words = {
  edge_full: [
    'the ingress edge takes no more at once',
    "raise max_connections_per_tunnel in that edge's config, or close connections that nobody uses",
  ],
  no_peer: ['the ingress edge was not there', 'look why it is missing'],
  wrong_protocol: [
    'the edge that opened them says tcp, this tunnel udp, or it has the wrong side',
    'compare the edges',
  ],
};
const ofRelay: Words = {
  relay_full: [
    'so many are open in all tunnels as limits.max_open_streams allows',
    'raise limits.max_open_streams in the config of this relay',
  ],
};

/** TCP connections that the relay refused in one tunnel, and for want of room in all of them. */
export function refusedFindings(
  { protocol }: RelayTunnelReport,
  before: TunnelFacts['refused_streams'],
  after: TunnelFacts['refused_streams'],
): Finding[] {
  if (protocol !== 'tcp') return [];
  return [...findings(ofTunnel, before.tunnel, after.tunnel), ...findings(ofRelay, before.relay, after.relay)];
}

/** At an edge. */
const ofEdge: Words = {
  no_relay: ['the tunnel was not up', 'see what is wrong with the tunnel'],
  too_many: [
    'so many are open as max_connections_per_tunnel allows',
    "raise max_connections_per_tunnel in the configs of both edges, and the relay's limits.max_bidi_streams above it",
  ],
  no_stream: [
    'the relay granted no stream for them within a second',
    "raise the relay's limits.max_bidi_streams; if it is not reached, the path to the relay is too slow",
  ],
  not_accepted: [
    'the system did not hand them over',
    'look at the log: most often file descriptors are used up (raise LimitNOFILE)',
  ],
};

/** TCP connections of local programs, or for one, that the edge refused. */
export function refusedAtEdge(before: EdgeTunnelReport, after: EdgeTunnelReport): Finding[] {
  return findings(ofEdge, before.refused_connections, after.refused_connections);
}

function findings(words: Words, before: Counts, after: Counts): Finding[] {
  return Object.entries(words).flatMap(([reason, [text, remedy]]) => {
    const total = after[reason] ?? 0;
    const now = total - (before[reason] ?? 0);
    if (total === 0) return [];
    if (now > 0) {
      return [
        problem(`${counted(now, 'TCP connection')} refused just now (${total} in all, ${reason}): ${text}.`, remedy),
      ];
    }
    return [note(`${counted(total, 'TCP connection')} refused earlier (${reason}): ${text}.`, remedy)];
  });
}
