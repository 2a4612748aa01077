import { parseRfc3339 } from '../../lib/clock.ts';
import { DIRECTIONS, oppositeDirection, type Direction } from '../../protocol/tunnel/leg.ts';
import type { RelayTunnelReport, TunnelFacts } from '../../relay/admin/relay-schemas.ts';
import { explainDrops } from './explain-drops.ts';
import { besideMachine, descriptorFindings, exposedFindings, latenessFindings } from './explain-machine.ts';
import { isExplainedBySide, presenceFindings } from './explain-presence.ts';
import { explainPath } from './explain-path.ts';
import { good, note, problem, type Finding } from './finding.ts';
import { refusalRemedy } from './refusal-remedy.ts';
import { refusedFindings } from './explain-refused.ts';
import { agoWords } from './time-words.ts';

/** Explains a tunnel of a relay from two snapshots, a moment apart. The most important finding comes first. */
export function explainAtRelay(before: TunnelFacts, after: TunnelFacts): readonly Finding[] {
  const lateness = latenessFindings(after);
  const machine = [...descriptorFindings(after), ...lateness];
  const findings = [...machine, ...standing(after), ...presenceFindings(after), ...versions(after)];
  if (after.tunnel !== null) {
    findings.push(
      ...toldByEdges(after.tunnel),
      ...refusedFindings(after.tunnel, before.refused_streams, after.refused_streams),
      ...besideMachine(lateness, ways(before.tunnel, after.tunnel)),
      ...traffic(before.tunnel, after.tunnel),
    );
  }
  const order = { problem: 0, note: 1, good: 2 } as const;
  return findings.toSorted((a, b) => order[a.level] - order[b.level]);
}

/** An edge that is refused tries again within 75 s: after twice that it has given up, or was mended. */
const tryingMs = 150_000;
const forgottenMs = 3_600_000;

/** Whether any edge may bind it, and the result of the attempts. */
function standing(facts: TunnelFacts): Finding[] {
  const findings = facts.not_ready_reasons.map((reason) =>
    problem(`The relay takes no new tunnels: ${reason}.`, notReadyRemedy(reason)),
  );
  if (facts.authorisation === 'revoked') {
    findings.push(problem('The tunnel is revoked: nobody may bind it.', refusalRemedy('tunnel revoked')));
  } else if (facts.authorisation === 'unknown' && facts.require_bind_auth) {
    const text = 'The tunnel is not authorised on this relay: nobody may bind it.';
    findings.push(problem(text, refusalRemedy('tunnel not authorised')));
  }
  if (!facts.require_bind_auth) findings.push(permissive(facts));
  findings.push(...exposedFindings(facts.exposed_files));
  const refusals = facts.refusals.filter((refusal) => !isExplainedBySide(facts, refusal));
  for (const { at, direction, reason, edge_id: edgeId, remote_addr: address } of refusals) {
    const who = edgeId === null ? address : `${edgeId}, ${address}`;
    const text = `The ${direction} edge (${who}) was refused: ${reason} (${agoWords(at, facts.at)}).`;
    const ageMs = parseRfc3339(facts.at) - parseRfc3339(at);
    if (ageMs <= tryingMs) findings.push(problem(text, refusalRemedy(reason)));
    else if (ageMs <= forgottenMs) findings.push(note(`${text} It has not tried since.`));
  }
  return findings;
}

function notReadyRemedy(reason: string): string {
  if (reason.includes('cap on connections')) return "raise limits.max_connections in the relay's config";
  if (reason.includes('shutting down')) return 'start it again once it has ended';
  return reason.includes('bound') ? 'give it an address in quic_addrs that it can have' : 'wait until it has started';
}

function permissive({ authorisation }: TunnelFacts): Finding {
  const whose = authorisation === 'unknown' ? 'this tunnel' : 'a tunnel that nobody authorised';
  return note(
    `Anyone who reaches the relay may bind ${whose}: require_bind_auth is false.`,
    'write "require_bind_auth": true in the relay\'s config and restart it; authorise your tunnels first',
  );
}

function versions(facts: TunnelFacts): Finding[] {
  const old = DIRECTIONS.flatMap((direction) => {
    const leg = facts.tunnel?.[direction].leg ?? null;
    return leg === null || leg.protocol_version === facts.relay_protocol_version ? [] : [{ direction, leg }];
  });
  const bound = old.map(({ direction, leg }) =>
    note(
      `Version mismatch: the ${direction} edge speaks version ${leg.protocol_version} of the tunnel protocol, ` +
        `this relay ${facts.relay_protocol_version}; it carries traffic all the same.`,
    ),
  );
  const isBound = (address: unknown): boolean => old.some(({ leg }) => leg.remote_addr === address);
  const others = facts.other_events
    .filter(({ kind, details }) => kind === 'version-mismatch' && !isBound(details['remote_addr']))
    .slice(-1)
    .map(({ message, at, details }) =>
      note(
        `${message} with ${String(details['remote_addr'])}, ${agoWords(at, facts.at)}; it may be about this tunnel.`,
      ),
    );
  return [...bound, ...others];
}

const toldTroubles: Readonly<Record<string, readonly [text: string, remedy: string]>> = {
  local: ['nothing takes what arrives for its local_addr', 'start the program there, or mend local_addr of that edge'],
  machine: ['its machine has no way to the program there', 'look at its addresses and routes: adit why there'],
  senders: ['several programs send to its local_addr at once', 'give each of them a tunnel of its own'],
  key: [
    'it cannot open what the other edge sends: the edges have different keys',
    'give both edges the same tunnel_encryption_key',
  ],
};

/** Faults that edges report of their own ends, which a relay cannot see. */
function toldByEdges(tunnel: RelayTunnelReport): Finding[] {
  return DIRECTIONS.flatMap((direction) => {
    const { leg } = tunnel[direction];
    return (leg?.troubles ?? []).map((trouble) => {
      const [text, remedy] = toldTroubles[trouble] ?? [trouble, 'adit why there shows more'];
      return problem(`The ${direction} edge (${leg?.edge_id ?? 'unnamed'}) says: ${text}.`, remedy);
    });
  });
}

/** The way to each edge, and what did not get through. */
function ways(before: RelayTunnelReport | null, after: RelayTunnelReport): Finding[] {
  return DIRECTIONS.flatMap((direction) => [
    ...legFindings(before, after, direction),
    ...explainDrops(before, after, direction),
  ]);
}

function traffic(before: RelayTunnelReport | null, after: RelayTunnelReport): Finding[] {
  if (after.status !== 'active' || before === null) return [];
  const silent = DIRECTIONS.filter((direction) => sentBytes(after, direction) === sentBytes(before, direction));
  const [first, second] = silent;
  if (first === undefined) return [good('Traffic flows in both directions.')];
  if (second === undefined) return [note(`Only the ${oppositeDirection(first)} edge is sending now.`)];
  return [note('Neither edge is sending anything now.', 'look at what feeds the edges, or run adit why there')];
}

function legFindings(
  before: RelayTunnelReport | null,
  after: RelayTunnelReport,
  direction: Direction,
): readonly Finding[] {
  const leg = after[direction].leg;
  if (leg === null) return [];
  const earlier = before?.[direction].leg ?? null;
  const name = `The ${direction} leg (${leg.edge_id ?? 'unnamed edge'}, ${leg.remote_addr})`;
  // Another connection's counters prove nothing about this one.
  const sameConnection = earlier?.bound_at === leg.bound_at && earlier.remote_addr === leg.remote_addr;
  return explainPath({ name, before: sameConnection ? earlier.path : null, after: leg.path });
}

function sentBytes(tunnel: RelayTunnelReport, direction: Direction): number {
  const { datagram_bytes_in: datagrams, stream_bytes: streams } = tunnel[direction].sent;
  return datagrams + streams;
}
