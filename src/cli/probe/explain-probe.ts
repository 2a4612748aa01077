import { rfc3339 } from '../../lib/clock.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import { SEAL_OVERHEAD_BYTES, TUNNEL_ID_BYTES } from '../../protocol/tunnel/limits.ts';
import type { AddressFacts, CertificateFacts, ProbeFacts } from '../../probe/probe-relay.ts';
import type { Visit, VisitFacts } from '../../probe/relay-visit.ts';
import type { UdpReach } from '../../probe/udp-reach.ts';
import { certificateWords } from '../why/certificate-words.ts';
import { good, note, problem, type Finding } from '../why/finding.ts';
import { srtPayload } from '../why/largest-payload.ts';

export interface Expectations {
  /** Bytes that a local program will put into one datagram. */
  readonly payloadBytes: number;
  /** How the relay had to prove its identity. */
  readonly verify: 'none' | 'ca' | 'fingerprint';
  readonly nowMs: number;
}

const badLoss = 0.01;
const slowMs = 150;
const dayMs = 86_400_000;
const soonDays = 14;

/** What was seen of a relay, and what to think of it. */
export interface ProbeAnswer {
  readonly facts: ProbeFacts;
  /** About its name. */
  readonly name: readonly Finding[];
  readonly addresses: readonly { readonly title: string; readonly findings: readonly Finding[] }[];
}

export function explainProbe(facts: ProbeFacts, expected: Expectations): ProbeAnswer {
  const works = ({ visit }: AddressFacts): boolean => visit?.kind === 'visited';
  const anyWorks = facts.addresses.some(works);
  const addresses = facts.addresses.map((address) => ({
    title: formatSocketAddress(address.address),
    findings: explainAddress(address, expected, anyWorks && !works(address)),
  }));
  return { facts, name: explainName(facts), addresses };
}

function explainName({ relay, name }: ProbeFacts): readonly Finding[] {
  switch (name.kind) {
    case 'literal':
      return [];
    case 'resolved':
      return [good(`${relay.host} resolves to ${name.addresses.join(', ')} (${name.tookMs.toFixed(0)} ms).`)];
    case 'failed':
      return [
        problem(
          `${relay.host} does not resolve: ${name.reason}.`,
          'check how the name is written, and the DNS server of this machine',
        ),
      ];
  }
}

/** `others`: another address of the relay works, so this one is not needed. */
function explainAddress(facts: AddressFacts, expected: Expectations, others: boolean): readonly Finding[] {
  const { udp, visit } = facts;
  const port = `UDP port ${facts.address.port} of ${facts.address.ip}`;
  const unreachable = (text: string, remedy: string): Finding => (others ? note(text, remedy) : problem(text, remedy));
  if (udp.kind === 'closed') {
    return [
      unreachable(
        `${port} is closed: that machine says that nothing listens there.`,
        'start the relay there, or mend the port; behind a NAT, forward the port to the relay',
      ),
    ];
  }
  if (udp.kind === 'unroutable') {
    return [unreachable(`There is no way to ${port} from here (${udp.code}).`, routeRemedy(udp.code))];
  }
  if (visit === null || visit.kind === 'failed') return [unreachable(...unanswered(port, udp, visit))];
  return [
    ...explainLoss(udp),
    ...explainRelay(visit.facts),
    ...explainCertificate(facts, expected),
    ...explainRoundTrip(visit.facts),
    ...explainSize(visit.facts, expected.payloadBytes),
  ];
}

function routeRemedy(code: string): string {
  if (code === 'ENETUNREACH' || code === 'EADDRNOTAVAIL') {
    return 'this machine has no route there, often no IPv6: see `ip route get`, or use the other address family';
  }
  if (code === 'EPERM' || code === 'EACCES') return 'the firewall of this machine forbids it: allow outgoing UDP';
  return 'a router or firewall on the way refuses it: ask who runs that network';
}

function unanswered(port: string, udp: UdpReach, visit: Visit | null): [text: string, remedy: string] {
  const reason = visit?.kind === 'failed' ? visit.reason : '';
  if (udp.kind === 'answered') {
    const isAlpn = /application.?protocol|ALPN/i.test(reason);
    return [
      `${port} speaks QUIC, but no connection came about: ${reason}.`,
      isAlpn ? 'that is another QUIC server, such as a web server: check the port' : 'see the log of the relay',
    ];
  }
  if (udp.kind === 'foreign') {
    return [`Something answers at ${port} that is no QUIC server.`, 'another program has the port: check it'];
  }
  return [
    `Nothing comes back from ${port}: ${reason === '' ? 'silence' : reason}.`,
    'let UDP through both ways, in the firewall here, there, and of the hosting provider; then see that the relay runs',
  ];
}

function explainLoss(udp: UdpReach): readonly Finding[] {
  if (udp.kind !== 'answered') {
    return [
      note(
        'UDP gets there and back. How much is lost cannot be measured: packets of an unknown QUIC version are ' +
          'not answered.',
      ),
    ];
  }
  const { sent, answered } = udp;
  const share = 1 - answered / sent;
  if (share <= badLoss) return [good(`UDP gets there and back: ${answered} of ${sent} packets were answered.`)];
  return [
    problem(
      `${(share * 100).toFixed(0)} % of ${sent} packets or of their answers were lost.`,
      'look at the network here first (Wi-Fi, mobile, an overloaded uplink), then at the relay’s',
    ),
  ];
}

function explainRelay({ greeting, handshakeMs, endedBy }: VisitFacts): readonly Finding[] {
  const ended =
    endedBy === null
      ? []
      : [problem(`The relay ended the connection: ${endedBy}.`, 'see `adit why` and the log there')];
  const took = `the handshake took ${handshakeMs.toFixed(0)} ms`;
  if (greeting === null) {
    return [...ended, note(`It takes connections of edges (${took}), and does not say its version: an old relay.`)];
  }
  const { software_version: software, protocol_version: protocol, features } = greeting;
  const extras = features.length === 0 ? '' : `, with ${features.join(', ')}`;
  return [...ended, good(`It is a relay, version ${software}, protocol ${protocol}${extras}; ${took}.`)];
}

function explainCertificate({ certificate, unproven }: AddressFacts, expected: Expectations): readonly Finding[] {
  if (unproven !== null) {
    // Of a pin, what the relay shows says more.
    const known = expected.verify === 'ca' ? certificateWords(unproven) : null;
    if (known !== null) {
      return [problem(`The relay did not prove that it is the one that was expected: ${known.text}.`, known.remedy)];
    }
    const shown = certificate === null ? unproven : `its certificate has SHA-256 ${certificate.sha256}`;
    return [
      problem(
        `The relay did not prove that it is the one that was expected: ${shown}.`,
        'compare with certificate_sha256 in the start-up line of the relay; if they differ, someone is in between',
      ),
    ];
  }
  const proof = { none: 'nothing was expected of it', ca: 'the CA vouches for it', fingerprint: 'the pin fits' };
  if (certificate === null) {
    return [
      expected.verify === 'none'
        ? note('Its certificate cannot be shown here: only the portable engine can read it. --pin compares it.')
        : good(`Its certificate is the one that was expected: ${proof[expected.verify]}.`),
    ];
  }
  const { sha256, subject, keyPin } = certificate;
  return [
    good(`Its certificate has SHA-256 ${sha256} (${subject}), and its key is ${keyPin}; ${proof[expected.verify]}.`),
    ...explainValidity(certificate, expected.nowMs),
  ];
}

/** A pinned certificate is valid beyond its time, so this matters with a CA, and on the day of renewal. */
function explainValidity({ validFromMs, validToMs }: CertificateFacts, nowMs: number): readonly Finding[] {
  const day = (ms: number): string => rfc3339(ms).slice(0, 10);
  if (nowMs < validFromMs) {
    return [note(`It is valid from ${day(validFromMs)} on.`, 'compare the clocks of this machine and the relay')];
  }
  const days = Math.floor((validToMs - nowMs) / dayMs);
  if (days > soonDays) return [];
  const text = days < 0 ? `It has expired on ${day(validToMs)}.` : `It expires on ${day(validToMs)}.`;
  return [note(text, 'renew it with the same key, or edges that pin the certificate need the new pin')];
}

function explainRoundTrip({ rttsMs, pings }: VisitFacts): readonly Finding[] {
  if (rttsMs.length === 0) return [note('The relay did not answer a ping, so the round trip is not known.')];
  const sorted = rttsMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  const range = `least ${at(0)}, largest ${at(1)}`;
  const text = `A round trip takes ${at(0.5)} ms (${range}, of ${rttsMs.length} pings in ${pings}).`;
  return [Number(at(0.5)) < slowMs ? good(text) : note(text, 'a relay nearer to both edges helps')];
}

function explainSize({ stats }: VisitFacts, wanted: number): readonly Finding[] {
  const largest = stats?.maxDatagramSize ?? null;
  if (largest === null) return [];
  const payload = largest - TUNNEL_ID_BYTES - SEAL_OVERHEAD_BYTES;
  const text = `Datagrams of up to ${payload} bytes fit (path MTU ${stats?.pathMtu ?? 'unknown'} bytes of UDP)`;
  if (payload >= wanted) return [good(`${text}; ${wanted} are wanted.`)];
  return [
    problem(
      `${text}, and ${wanted} are wanted: larger ones are dropped.`,
      `send smaller datagrams: for SRT, pkt_size (payloadsize) of at most ${srtPayload(payload)}`,
    ),
  ];
}
