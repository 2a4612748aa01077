import type { PastEvent } from '../../admin/past-event.ts';
import { parseRfc3339 } from '../../lib/clock.ts';
import { DIRECTIONS, oppositeDirection, type Direction } from '../../protocol/tunnel/leg.ts';
import type { RelayTunnelReport, TunnelFacts } from '../../relay/admin/relay-schemas.ts';
import { explainDrops } from './explain-drops.ts';
import { explainPath } from './explain-path.ts';
import { good, note, problem, type Finding } from './finding.ts';
import { refusalRemedy } from './refusal-remedy.ts';
import { agoWords, durationBetween } from './time-words.ts';

/** What a relay knows of a tunnel, asked twice a moment apart, in plain words; the most important first. */
export function explainAtRelay(before: TunnelFacts, after: TunnelFacts): readonly Finding[] {
  const findings = [...standing(after), ...presence(after), ...takeOvers(after), ...versions(after)];
  if (after.tunnel !== null) findings.push(...traffic(before.tunnel, after.tunnel));
  const order = { problem: 0, note: 1, good: 2 } as const;
  return findings.toSorted((a, b) => order[a.level] - order[b.level]);
}

/** Whether anybody may bind it, and what became of those who tried. */
function standing(facts: TunnelFacts): Finding[] {
  const findings = facts.not_ready_reasons.map((reason) =>
    problem(`The relay takes no new tunnels: ${reason}.`, 'wait for it, or look at its log'),
  );
  if (facts.authorisation === 'revoked') {
    findings.push(problem('The tunnel is revoked: nobody may bind it.', refusalRemedy('tunnel revoked')));
  } else if (facts.authorisation === 'unknown' && facts.require_bind_auth) {
    const text = 'The tunnel is not authorised on this relay: nobody may bind it.';
    findings.push(problem(text, refusalRemedy('tunnel not authorised')));
  }
  if (!facts.require_bind_auth) findings.push(permissive(facts));
  for (const { at, direction, reason, edge_id: edgeId, remote_addr: address } of facts.refusals) {
    const who = edgeId === null ? address : `${edgeId}, ${address}`;
    const when = agoWords(at, facts.at);
    findings.push(problem(`The ${direction} edge (${who}) was refused: ${reason} (${when}).`, refusalRemedy(reason)));
  }
  return findings;
}

function permissive({ authorisation }: TunnelFacts): Finding {
  const whose = authorisation === 'unknown' ? 'this tunnel' : 'a tunnel that nobody authorised';
  return note(
    `Anyone who reaches the relay may bind ${whose}: require_bind_auth is false.`,
    'write "require_bind_auth": true in the relay\'s config and restart it; authorise your tunnels first',
  );
}

/** Which legs are there, and since when not. */
function presence(facts: TunnelFacts): Finding[] {
  const { tunnel } = facts;
  if (tunnel === null) {
    return [problem(`No edge holds a leg of it${lastWords(facts)}.`, 'look at both edges: adit why there tells more')];
  }
  const since = durationBetween(tunnel.status_since, facts.at);
  if (tunnel.status === 'active') return [good(`Both legs are there, for ${since}.`)];
  const missing = tunnel.status === 'waiting_ingress' ? 'ingress' : 'egress';
  const text = `The ${missing} leg has been missing for ${since}, while the ${oppositeDirection(missing)} edge waits${lastWords(facts, missing)}.`;
  return [problem(text, `start the ${missing} edge, or run adit why there`)];
}

/** How the last time ended when the leg was there. */
function lastWords(facts: TunnelFacts, direction?: Direction): string {
  const ends = facts.events.filter(
    ({ kind, details }) =>
      ['tunnel-down', 'tunnel-unbound', 'tunnel-closed'].includes(kind) &&
      (direction === undefined || details['direction'] === undefined || details['direction'] === direction),
  );
  const last = ends.at(-1);
  return last === undefined ? '' : ` (last: ${last.message}, ${agoWords(last.at, facts.at)})`;
}

const recentlyMs = 600_000;

/** A leg that went from one edge to another: on purpose, or two edges that do not know of each other. */
function takeOvers({ events, at: now }: TunnelFacts): Finding[] {
  return DIRECTIONS.flatMap((direction) => {
    const last = events.findLast(({ kind, details }) => kind === 'leg-replaced' && details['direction'] === direction);
    if (last === undefined || parseRfc3339(now) - parseRfc3339(last.at) > recentlyMs) return [];
    const [before, after] = ['old', 'new'].map((name) => edgeName(last.details, name));
    if (before === after) return [];
    const text = `The ${direction} leg went from ${before} to ${after} (${agoWords(last.at, now)}).`;
    return [note(text, 'if that was not meant, two edges have the same direction of this tunnel: stop one')];
  });
}

function edgeName(details: PastEvent['details'], name: string): string {
  return String(details[`${name}_edge_id`] ?? details[`${name}_remote_addr`]);
}

function versions(facts: TunnelFacts): Finding[] {
  const old = DIRECTIONS.flatMap((direction) => {
    const leg = facts.tunnel?.[direction].leg ?? null;
    return leg === null || leg.protocol_version === facts.relay_protocol_version ? [] : [{ direction, leg }];
  });
  const bound = old.map(({ direction, leg }) =>
    note(
      `Version mismatch: the ${direction} edge speaks version ${leg.protocol_version} of the tunnel protocol, this relay ${facts.relay_protocol_version}; it carries traffic all the same.`,
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

function traffic(before: RelayTunnelReport | null, after: RelayTunnelReport): Finding[] {
  const findings = DIRECTIONS.flatMap((direction) => [
    ...legFindings(before, after, direction),
    ...explainDrops(before, after, direction),
  ]);
  if (after.status !== 'active' || before === null) return findings;
  const silent = DIRECTIONS.filter((direction) => sentBytes(after, direction) === sentBytes(before, direction));
  if (silent.length === 2)
    findings.push(note('Neither edge is sending anything now.', 'look at what feeds the edges, or run adit why there'));
  else if (silent.length === 1)
    findings.push(note(`Only the ${oppositeDirection(silent[0] ?? 'ingress')} edge is sending now.`));
  else findings.push(good('Traffic flows in both directions.'));
  return findings;
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
  // Another connection's counters say nothing about this one.
  const sameConnection = earlier?.bound_at === leg.bound_at && earlier.remote_addr === leg.remote_addr;
  return explainPath({ name, before: sameConnection ? earlier.path : null, after: leg.path });
}

function sentBytes(tunnel: RelayTunnelReport, direction: Direction): number {
  const { datagram_bytes_in: datagrams, stream_bytes: streams } = tunnel[direction].sent;
  return datagrams + streams;
}
