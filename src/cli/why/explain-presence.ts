import type { PastEvent } from '../../admin/past-event.ts';
import { parseRfc3339 } from '../../lib/clock.ts';
import { DIRECTIONS, oppositeDirection, type Direction } from '../../protocol/tunnel/leg.ts';
import { tunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelFacts } from '../../relay/admin/relay-schemas.ts';
import { counted } from './counted.ts';
import { good, note, problem, type Finding } from './finding.ts';
import { agoWords, durationBetween, durationWords } from './time-words.ts';

/** Which legs are present, since when one is missing, and which edge took one. */
export function presenceFindings(facts: TunnelFacts): Finding[] {
  return [...presence(facts), ...takeOvers(facts)];
}

function presence(facts: TunnelFacts): Finding[] {
  const { tunnel } = facts;
  if (tunnel === null) {
    const findings = [...crowdedOut(facts), ...unreached(facts), ...sameSide(facts)];
    if (findings.length > 0) return findings;
    return [problem(`No edge holds a leg of it${lastWords(facts)}.`, 'look at both edges: adit why there shows more')];
  }
  const since = durationBetween(tunnel.status_since, facts.at);
  if (tunnel.status === 'active') return [good(`Both legs are there, for ${since}.`)];
  const missing = tunnel.status === 'waiting_ingress' ? 'ingress' : 'egress';
  const text =
    `The ${missing} leg has been missing for ${since}, while the ${oppositeDirection(missing)} edge ` +
    `waits${lastWords(facts, missing)}.`;
  return [
    ...crowdedOut(facts),
    ...sameSide(facts),
    problem(text, `start the ${missing} edge; if it runs, adit why there says what keeps it from the relay`),
  ];
}

/** An address that has all the connections that one may have: an edge of this tunnel may be behind it. */
function crowdedOut({ other_events: events, at }: TunnelFacts): Finding[] {
  const last = events.findLast(({ kind }) => kind === 'per-ip-cap-exceeded');
  if (last === undefined || parseRfc3339(at) - parseRfc3339(last.at) > recentlyMs) return [];
  const { remote_ip: ip, cap } = last.details;
  const text =
    `Connections from ${String(ip)} are refused: it has ${String(cap)} already, which is max_connections_per_ip ` +
    `(${agoWords(last.at, at)}). An edge of this tunnel may be behind that address.`;
  return [problem(text, "raise max_connections_per_ip in the relay's config: one for each tunnel of each edge there")];
}

/** Why no edge at all has got through, while none has. */
function unreached({ reached }: TunnelFacts): Finding[] {
  if (reached.connections > 0 || reached.quic_addrs.length === 0) return [];
  const { packets, handshakes, quic_addrs: addresses, uptime_secs: uptime } = reached;
  const during = `since it started, ${durationWords(uptime)} ago`;
  const places = addresses.join(' and ');
  if (packets === 0) {
    const remedy =
      'let UDP in to that port (firewall here, security group of the provider), and compare the address with ' +
      'relay_addrs of the edges';
    return [problem(`No UDP packet has reached this relay at ${places} ${during}: no edge gets through.`, remedy)];
  }
  if (handshakes === 0) {
    const text = `${packets} UDP packets came to ${places} ${during}, and none began a connection.`;
    return [
      problem(text, 'start the edges; if they run, something else sends to that port, or packets arrive changed'),
    ];
  }
  return [
    problem(
      `${counted(handshakes, 'connection')} begun ${during}, and none was completed.`,
      'run adit why at an edge: it names a certificate that it does not accept; if it gets no packet, let UDP out of ' +
        'this machine',
    ),
  ];
}

/** Two edges on one side and none on the other: they run one and the same file. */
function sameSide(facts: TunnelFacts): Finding[] {
  return DIRECTIONS.filter((direction) => isOnOneSide(facts, direction)).map((direction) => {
    const other = oppositeDirection(direction);
    const claim = `Two edges claim the ${direction} side, and none the ${other} side`;
    const text = `${claim}: one of them runs the other one’s file.`;
    return problem(text, `give one of the two the file whose direction is ${other}`);
  });
}

function isOnOneSide(facts: TunnelFacts, direction: Direction): boolean {
  const otherLeg = facts.tunnel?.[oppositeDirection(direction)].leg ?? null;
  return otherLeg === null && isClaimedTwice(facts, direction);
}

/** A refusal for which there is a finding of its own, with the remedy that helps. */
export function isExplainedBySide(facts: TunnelFacts, { direction, reason }: TunnelFacts['refusals'][number]): boolean {
  return claimReasons.has(reason) && isOnOneSide(facts, direction);
}

const claimReasons: ReadonlySet<string> = new Set([tunnelDownReason.legHeld, tunnelDownReason.replacedTooOften]);

function isClaimedTwice(facts: TunnelFacts, direction: Direction): boolean {
  const refused = facts.refusals.some((refusal) => refusal.direction === direction && claimReasons.has(refusal.reason));
  return refused || lastTakeOver(facts, direction) !== null;
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
function takeOvers(facts: TunnelFacts): Finding[] {
  return DIRECTIONS.flatMap((direction) => {
    const last = lastTakeOver(facts, direction);
    if (last === null) return [];
    const [before, after] = edgesOf(last);
    const text = `The ${direction} leg went from ${before} to ${after} (${agoWords(last.at, facts.at)}).`;
    return [note(text, 'if that was not meant, two edges have the same direction of this tunnel: stop one')];
  });
}

/** From one edge to another, lately. */
function lastTakeOver({ events, at }: TunnelFacts, direction: Direction): PastEvent | null {
  const last = events.findLast(({ kind, details }) => kind === 'leg-replaced' && details['direction'] === direction);
  if (last === undefined || parseRfc3339(at) - parseRfc3339(last.at) > recentlyMs) return null;
  const [before, after] = edgesOf(last);
  return before === after ? null : last;
}

function edgesOf({ details }: PastEvent): readonly [before: string, after: string] {
  const name = (which: string): string => String(details[`${which}_edge_id`] ?? details[`${which}_remote_addr`]);
  return [name('old'), name('new')];
}
