import type { EdgeRelayReport, EdgeTunnelReport } from '../../edge/admin/edge-schemas.ts';
import { unprovenRelay } from '../../edge/uplink/relay-dialler.ts';
import { oppositeDirection } from '../../protocol/tunnel/leg.ts';
import { certificateWords, compareFingerprints } from './certificate-words.ts';
import { note, problem, type Finding } from './finding.ts';
import { refusalRemedy } from './refusal-remedy.ts';

/** How the bind at one relay of a tunnel is; nothing while it is as it should be. */
export function uplinkFindings(tunnel: EdgeTunnelReport, relay: EdgeRelayReport): Finding[] {
  const findings = relay.one_way ? [oneWay(relay)] : [...bindFindings(tunnel, relay), ...silenceFindings(relay)];
  return [...findings, ...choiceFindings(tunnel, relay)];
}

function bindFindings(tunnel: EdgeTunnelReport, relay: EdgeRelayReport): Finding[] {
  const { relay_addr: address, state, last_problem: last } = relay;
  if (state === 'down') {
    const reason = last ?? 'no reason given';
    return [problem(`The relay ${address} does not let us hold the leg: ${reason}.`, refusalRemedy(reason))];
  }
  if (state === 'connecting') {
    return [noConnection(relay)];
  }
  if (state === 'waiting' && tunnel.state === 'ready') {
    const peer = oppositeDirection(tunnel.direction);
    const text = `There is no fail-over: the ${peer} edge is not at the relay ${address}.`;
    return [problem(text, `list that relay in relay_addrs of the ${peer} edge, or look why it cannot reach it`)];
  }
  return [];
}

function noConnection(relay: EdgeRelayReport): Finding {
  const { relay_addr: address, last_problem: last } = relay;
  const text = `There is no connection to the relay ${address}`;
  const certificate = last?.startsWith(unprovenRelay) === true ? certificateWords(last) : null;
  if (certificate !== null) return problem(`${text}: ${unprovenRelay}: ${certificate.text}.`, certificate.remedy);
  // The engines begin so, too.
  const reason = last?.replace(/^no (QUIC )?connection( to \S+ port \d+)?: /, '');
  return problem(`${text}${reason === undefined ? ' yet' : `: ${reason}`}.`, connectRemedy(relay));
}

/** A connection that ended for this reason cannot be made anew, and by then nothing comes back either. */
function oneWay({ relay_addr: address, state }: EdgeRelayReport): Finding {
  const others = state === 'connecting' ? 'did, and no new connection can be made' : 'do';
  return problem(
    `What is sent to the relay ${address} does not arrive; packets from it ${others}.`,
    'let UDP out to its port: a firewall or NAT between here and the relay lets packets in only',
  );
}

/** As far as this edge knows, its packets do not reach the relay. */
function silenceFindings({ relay_addr: address, suspect }: EdgeRelayReport): Finding[] {
  return suspect ? [problem(`The relay ${address} has stopped answering.`, 'look at it: adit why there')] : [];
}

function choiceFindings(tunnel: EdgeTunnelReport, { relay_addr: address }: EdgeRelayReport): Finding[] {
  const isSecond = tunnel.active_relay_idx !== null && tunnel.active_relay_idx > 0;
  if (!isSecond || address !== tunnel.active_relay_addr) return [];
  return [note(`Traffic runs through the second relay, ${address}.`)];
}

/** By words of the reason, first match first: those of the system, the TLS library or the edge itself. */
const remedies: readonly (readonly [pattern: RegExp, remedy: (host: string) => string])[] = [
  [new RegExp(`^${unprovenRelay}`), () => compareFingerprints],
  [
    /ENOTFOUND|has no address|ENODATA/,
    (host) => `the name ${host} does not resolve: correct it in relay_addrs, or make the DNS entry`,
  ],
  [
    /EAI_AGAIN|ECONNREFUSED.*53|getaddrinfo/,
    (host) => `no DNS server answers for ${host}: check the network and /etc/resolv.conf of this machine`,
  ],
  [/ENETUNREACH|EHOSTUNREACH/, () => 'this machine has no route to it: check its network and default gateway'],
  [/EPERM|EACCES/, () => 'this machine does not let UDP out: look at its firewall rules'],
  [/ECONNREFUSED/, () => 'no relay listens at that address: start it, or correct the port'],
  // By QUIC, so something listens there.
  [/refused/, () => 'raise limits.max_connections of the relay, or wait until it has started: it takes no connections'],
  [/ENOENT|no such file/, () => 'the file of relay_ca_path is not there or cannot be read'],
  [/require_bind_proof/, () => 'update the relay, or set require_bind_proof of this edge to false'],
  [/connection cap/, () => 'raise max_connections_per_ip of the relay: too many connections come from this address'],
];

function connectRemedy({ relay_addr: address, last_problem: reason }: EdgeRelayReport): string {
  const host = address.replace(/:\d+$/, '');
  const found = remedies.find(([pattern]) => pattern.test(reason ?? ''));
  return (
    found?.[1](host) ??
    `check that it runs, and that UDP to its port passes both ways: adit probe ${address} shows how far packets get`
  );
}
