import type { EdgeRelayReport, EdgeTunnelFacts, EdgeTunnelReport } from '../../edge/admin/edge-schemas.ts';
import { oppositeDirection } from '../../protocol/tunnel/leg.ts';
import { counted } from './counted.ts';
import { explainPath } from './explain-path.ts';
import { good, note, problem, type Finding } from './finding.ts';
import { largestPayloadWords, narrowPathFindings } from './largest-payload.ts';
import { besideMachine, descriptorFindings, exposedFindings, latenessFindings } from './explain-machine.ts';
import { refusedAtEdge } from './explain-refused.ts';
import { troubleFindings } from './explain-troubles.ts';
import { uplinkFindings } from './explain-uplink.ts';

/** Explains a tunnel of an edge from two snapshots, a moment apart. The most important finding comes first. */
export function explainAtEdge(before: EdgeTunnelFacts, after: EdgeTunnelFacts): readonly Finding[] {
  const { tunnel } = after;
  const lateness = latenessFindings(after);
  const paths = tunnel.relays.flatMap((relay, index) => pathFindings(before.tunnel.relays[index] ?? null, relay));
  const findings = [
    ...descriptorFindings(after),
    ...lateness,
    ...stateFindings(after),
    ...tunnel.relays.flatMap((relay) => uplinkFindings(tunnel, relay)),
    ...troubleFindings(after),
    ...exposedFindings(after.exposed_files),
    ...refusedAtEdge(before.tunnel, tunnel),
    ...widthFindings(before.tunnel, tunnel),
    ...besideMachine(lateness, [...paths, ...dropFindings(before.tunnel, tunnel)]),
    ...trafficFindings(before.tunnel, after),
  ];
  const order = { problem: 0, note: 1, good: 2 } as const;
  return findings.toSorted((a, b) => order[a.level] - order[b.level]);
}

function stateFindings({ tunnel, events }: EdgeTunnelFacts): Finding[] {
  const peer = oppositeDirection(tunnel.direction);
  switch (tunnel.state) {
    case 'ready':
      return [good(`The tunnel is up through ${tunnel.active_relay_addr ?? 'a relay'}.`)];
    case 'waiting':
      return [
        problem(
          `The relay has our leg, and the ${peer} edge is not there.`,
          `start the ${peer} edge; if it runs, adit why there says what keeps it from the relay`,
        ),
      ];
    // Each relay gets its own finding.
    case 'connecting':
      return [];
    case 'stopped':
      return [problem('The tunnel is not running.', 'set enabled to true in the config of the edge')];
    case 'down': {
      const failed = events.findLast(({ kind }) => kind === 'tunnel-failed');
      if (failed === undefined) return [];
      const [what = '', ...remedy] = failed.message.split('; ');
      return [problem(`${what}.`, remedy.length > 0 ? remedy.join('; ') : 'look at its local_addr')];
    }
  }
}

function pathFindings(
  before: EdgeRelayReport | null,
  { relay_addr: address, path }: EdgeRelayReport,
): readonly Finding[] {
  if (path === null) return [];
  return explainPath({ name: `The path to ${address}`, before: before?.path ?? null, after: path });
}

function widthFindings(before: EdgeTunnelReport, { protocol, relays }: EdgeTunnelReport): Finding[] {
  if (protocol !== 'udp') return [];
  return relays.flatMap(({ relay_addr: address, path }, index) =>
    narrowPathFindings(address, before.relays[index]?.path ?? null, path),
  );
}

function dropFindings(before: EdgeTunnelReport, after: EdgeTunnelReport): Finding[] {
  return Object.entries(after.drops).map(([reason, total]) => dropFinding(reason, total, before, after));
}

const dropWords: Readonly<Record<string, string>> = {
  no_relay: 'the tunnel was not up',
  too_large: 'they do not fit a packet on the way to the relay',
  queue_full: 'more was sent than the path to the relay carries',
  expired: 'they waited too long: the path to the relay carries less than is sent, or this machine was too busy',
  congestion: 'the path to the relay carries less than is sent',
  closing: 'the connection to the relay ended while they waited for it',
  not_authentic: 'the other edge sealed them with another key',
  no_local_peer: 'nothing local has sent anything yet, so there is nobody to give them to',
  local_socket: 'the local socket had stopped working and was being opened anew',
  wrong_tunnel: 'they belong to no tunnel of this edge that carries udp',
};

function dropFinding(reason: string, total: number, before: EdgeTunnelReport, after: EdgeTunnelReport): Finding {
  const now = total - (before.drops[reason] ?? 0);
  const words = dropWords[reason] ?? reason;
  if (now === 0) return note(`${counted(total, 'datagram')} dropped earlier (${reason}): ${words}.`);
  return problem(
    `${counted(now, 'datagram')} dropped just now (${total} in all, ${reason}): ${words}.`,
    dropRemedy(reason, after),
  );
}

function dropRemedy(reason: string, tunnel: EdgeTunnelReport): string {
  switch (reason) {
    case 'too_large': {
      const active = tunnel.active_relay_idx === null ? undefined : tunnel.relays[tunnel.active_relay_idx];
      return `send smaller datagrams: ${largestPayloadWords(active?.path ?? null)}`;
    }
    case 'queue_full':
    case 'expired':
    case 'congestion':
      return 'lower the bit rate, or free the uplink of this edge';
    case 'no_local_peer':
      return `let the program here send first, to ${tunnel.local_addr}`;
    case 'not_authentic':
      return 'give both edges the same tunnel_encryption_key';
    case 'wrong_tunnel':
      return 'look at the other edge: it may carry tcp where this one carries udp';
    default:
      return 'nothing more: they go through once the tunnel is up';
  }
}

/** The relay in use does not answer: nothing behind it can be judged. */
function isCutOff({ relays, active_relay_idx: active }: EdgeTunnelReport): boolean {
  return active !== null && relays[active]?.suspect === true;
}

/** Whether anything moves, seen from here. */
function trafficFindings(before: EdgeTunnelReport, { tunnel: after }: EdgeTunnelFacts): Finding[] {
  // Packets that do not reach the relay prove nothing about the other edge or the programs here.
  if (after.state !== 'ready' || isCutOff(after)) return [];
  const grows = (key: 'bytes_sent' | 'bytes_received'): boolean => after.stats[key] > before.stats[key];
  const [sends, receives] = [grows('bytes_sent'), grows('bytes_received')];
  if (sends && receives) return [good('Traffic flows in both directions.')];
  if (sends) return [note('Data goes out from here, and nothing comes from the other edge.')];
  if (receives) return [note('Data comes from the other edge, and nothing goes out from here.')];
  // Datagrams were offered and dropped, for which there are findings of their own.
  const offered = Object.entries(after.drops).some(([reason, total]) => total > (before.drops[reason] ?? 0));
  // What stands in the way of the last try explains the silence.
  if (offered || after.troubles.length > 0) return [];
  const remedy = `look at what should send to ${after.local_addr}, here or at the other edge`;
  return [note('Nothing goes through it now, in either direction.', remedy)];
}
