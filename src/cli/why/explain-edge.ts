import type { EdgeRelayReport, EdgeTunnelFacts, EdgeTunnelReport } from '../../edge/admin/edge-schemas.ts';
import { unprovenRelay } from '../../edge/uplink/relay-dialler.ts';
import { oppositeDirection } from '../../protocol/tunnel/leg.ts';
import { explainPath } from './explain-path.ts';
import { good, note, problem, type Finding } from './finding.ts';
import { largestPayloadWords } from './largest-payload.ts';
import { refusalRemedy } from './refusal-remedy.ts';

/** What an edge knows of one of its tunnels, asked twice a moment apart, in plain words; the most important first. */
export function explainAtEdge(before: EdgeTunnelFacts, after: EdgeTunnelFacts): readonly Finding[] {
  const { tunnel } = after;
  const findings = [
    ...stallFindings(after),
    ...stateFindings(after),
    ...tunnel.relays.flatMap((relay, index) => relayFindings(tunnel, before.tunnel.relays[index] ?? null, relay)),
    ...countFindings(before.tunnel, tunnel),
    ...trafficFindings(before.tunnel, tunnel),
  ];
  const order = { problem: 0, note: 1, good: 2 } as const;
  return findings.toSorted((a, b) => order[a.level] - order[b.level]);
}

/** What is late or lost on a machine that does not keep up is not the network's fault. */
function stallFindings({ stall }: EdgeTunnelFacts): Finding[] {
  if (stall === null) return [];
  return [problem(`This machine does not keep up: ${stall}.`, 'free CPU here: datagrams that wait for it are dropped')];
}

function stateFindings({ tunnel, events }: EdgeTunnelFacts): Finding[] {
  const peer = oppositeDirection(tunnel.direction);
  switch (tunnel.state) {
    case 'ready':
      return [good(`The tunnel is up through ${tunnel.active_relay_addr ?? 'a relay'}.`)];
    case 'waiting':
      return [problem(`The relay has our leg, and the ${peer} edge is not there.`, `look at the ${peer} edge`)];
    // Each relay gets its own finding.
    case 'connecting':
      return [];
    case 'stopped':
      return [problem('The tunnel is not running.', 'set enabled to true in the config of the edge')];
    case 'down': {
      const failed = events.findLast(({ kind }) => kind === 'tunnel-failed');
      if (failed === undefined) return [];
      return [problem(`${failed.message}.`, `free ${tunnel.local_addr}, or choose another local_addr`)];
    }
  }
}

function relayFindings(tunnel: EdgeTunnelReport, before: EdgeRelayReport | null, relay: EdgeRelayReport): Finding[] {
  const { relay_addr: address, state, last_problem: last } = relay;
  const findings: Finding[] = [];
  if (state === 'down') {
    const reason = last ?? 'no reason given';
    findings.push(problem(`The relay ${address} does not let us hold the leg: ${reason}.`, refusalRemedy(reason)));
  } else if (state === 'connecting') {
    const text = `There is no connection to the relay ${address}${last === null ? ' yet' : `: ${last}`}.`;
    findings.push(problem(text, connectRemedy(last)));
  }
  findings.push(...silenceFindings(relay));
  const isSecond = tunnel.active_relay_idx !== null && tunnel.active_relay_idx > 0;
  if (isSecond && address === tunnel.active_relay_addr) {
    findings.push(note(`Traffic runs through the second relay, ${address}.`));
  }
  if (relay.path === null) return findings;
  return [
    ...findings,
    ...explainPath({ name: `The path to ${address}`, before: before?.path ?? null, after: relay.path }),
  ];
}

/** What is sent to it does not come through, as far as this edge knows. */
function silenceFindings({ relay_addr: address, one_way: oneWay, suspect }: EdgeRelayReport): Finding[] {
  if (oneWay) {
    const remedy = 'let UDP out to its port: a firewall or NAT between here and the relay lets packets in only';
    return [problem(`What is sent to the relay ${address} does not arrive; packets from it do.`, remedy)];
  }
  return suspect ? [problem(`The relay ${address} has stopped answering.`, 'look at it: adit why there')] : [];
}

function connectRemedy(reason: string | null): string {
  if (reason?.startsWith(unprovenRelay) !== true)
    return 'check its address, that it runs, and that UDP to its port is let through both ways';
  return 'compare relay_fingerprint with the certificate_sha256 that the relay logs when it starts; if the relay has no new certificate, somebody else answers in its place';
}

function countFindings(before: EdgeTunnelReport, after: EdgeTunnelReport): Finding[] {
  const findings: Finding[] = [];
  const { decrypt_errors: sealed, send_errors: local } = after.stats;
  if (sealed > 0) {
    const text = `${sealed} payloads could not be opened (${sealed - before.stats.decrypt_errors} just now): the edges have different keys.`;
    findings.push(problem(text, 'give both edges the same tunnel_encryption_key'));
  }
  if (local > before.stats.send_errors) {
    const text = `Nothing takes what arrives for ${after.local_addr} (it failed ${local - before.stats.send_errors} times just now).`;
    findings.push(problem(text, 'start the program that this tunnel feeds, or mend local_addr'));
  }
  for (const [reason, total] of Object.entries(after.drops)) findings.push(dropFinding(reason, total, before, after));
  return findings;
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
  if (now === 0) return note(`${total} datagrams were dropped earlier (${reason}): ${words}.`);
  return problem(
    `${now} datagrams were dropped just now (${total} in all, ${reason}): ${words}.`,
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
function trafficFindings(before: EdgeTunnelReport, after: EdgeTunnelReport): Finding[] {
  // What does not reach the relay says nothing about the other edge or the programs here.
  if (after.state !== 'ready' || isCutOff(after)) return [];
  const grows = (key: 'bytes_sent' | 'bytes_received'): boolean => after.stats[key] > before.stats[key];
  const [sends, receives] = [grows('bytes_sent'), grows('bytes_received')];
  if (sends && receives) return [good('Traffic flows in both directions.')];
  if (sends) return [note('Data goes out from here, and nothing comes from the other edge.')];
  if (receives) return [note('Data comes from the other edge, and nothing goes out from here.')];
  // Something was offered, and why it was dropped is told by itself.
  const offered = Object.entries(after.drops).some(([reason, total]) => total > (before.drops[reason] ?? 0));
  if (offered) return [];
  const remedy = `look at what should send to ${after.local_addr}, here or at the other edge`;
  return [note('Nothing goes through it now, in either direction.', remedy)];
}
