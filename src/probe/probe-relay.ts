import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { edgeTransport, type EdgeQuicSettings } from '../edge/uplink/edge-transport.ts';
import { AppError, errorMessage } from '../lib/app-error.ts';
import type { HostPort } from '../lib/host-port.ts';
import { keyPinOf } from '../lib/pin.ts';
import { settledWithin } from '../lib/settled-within.ts';
import { certificateFingerprint } from '../quic/tls-material.ts';
import type { PeerVerification } from '../quic/peer-verification.ts';
import type { QuicEngine, SocketAddress } from '../quic/types.ts';
import { visitRelay, type Visit, type VisitDependencies } from './relay-visit.ts';
import { reachUdp, type ReachDependencies, type ReachSettings, type UdpReach } from './udp-reach.ts';

export interface ProbeTarget {
  readonly relay: HostPort;
  readonly verify: PeerVerification;
  /** Of certificates or keys that the relay may show as well, where `verify` is a fingerprint. */
  readonly otherPins?: readonly string[];
  readonly quic: EdgeQuicSettings;
  /** How long each address is pinged. */
  readonly durationMs: number;
}

export interface ProbeDependencies extends VisitDependencies, ReachDependencies {
  /** Can show a certificate; null where no such engine runs here. */
  readonly certificateEngine: Pick<QuicEngine, 'dial'> | null;
  /** Literal addresses of a host name; rejects when there is none. */
  readonly resolveHost: (host: string) => Promise<readonly string[]>;
}

export interface CertificateFacts {
  /** Either is what an edge's config has as `relay_fingerprint`. */
  readonly sha256: string;
  readonly keyPin: string;
  readonly subject: string;
  /** Of the Subject Alternative Name; empty without one. */
  readonly names: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What was seen at one address of the relay. */
export interface AddressFacts {
  readonly address: SocketAddress;
  readonly udp: UdpReach;
  /** Null: not tried, because nothing can answer there. */
  readonly visit: Visit | null;
  /** Why the relay is not the one that was expected; null when it is, or when none was expected. */
  readonly unproven: string | null;
  readonly certificate: CertificateFacts | null;
}

export interface ProbeFacts {
  readonly relay: HostPort;
  readonly name:
    | { readonly kind: 'literal' }
    | { readonly kind: 'resolved'; readonly addresses: readonly string[]; readonly tookMs: number }
    | { readonly kind: 'failed'; readonly reason: string };
  readonly addresses: readonly AddressFacts[];
}

const nameDeadlineMs = 6000;
const certificateVisitMs = 50;
/** 2 s of a packet's life at most, 100 packets in 1.5 s: a loss of 1 % shows as one packet. */
const reach: ReachSettings = { packets: 100, spacingMs: 15, patienceMs: 1500 };
/** A name with more addresses than this is a load balancer's; the first ones show enough. */
const mostAddresses = 4;

/** Looks at a relay from here as an edge would see it, without binding a tunnel. */
export async function probeRelay(target: ProbeTarget, dependencies: ProbeDependencies): Promise<ProbeFacts> {
  const { relay } = target;
  const name = await resolve(relay.host, dependencies);
  const literals = name.kind === 'literal' ? [relay.host] : name.kind === 'resolved' ? name.addresses : [];
  const addresses: AddressFacts[] = [];
  for (const ip of literals.slice(0, mostAddresses)) {
    addresses.push(await probeAddress({ ip, port: relay.port }, target, dependencies));
  }
  return { relay, name, addresses };
}

async function resolve(host: string, { clock, resolveHost }: ProbeDependencies): Promise<ProbeFacts['name']> {
  if (isIP(host) !== 0) return { kind: 'literal' };
  const startedAtMs = clock.monotonicMs();
  const addresses = resolveHost(host);
  try {
    if (!(await settledWithin(clock, addresses, nameDeadlineMs))) {
      return { kind: 'failed', reason: `no answer within ${nameDeadlineMs / 1000} s` };
    }
    return { kind: 'resolved', addresses: await addresses, tookMs: clock.monotonicMs() - startedAtMs };
  } catch (error) {
    return { kind: 'failed', reason: errorMessage(error) };
  }
}

async function probeAddress(
  remote: SocketAddress,
  target: ProbeTarget,
  dependencies: ProbeDependencies,
): Promise<AddressFacts> {
  const udp = await reachUdp(remote, reach, dependencies);
  if (udp.kind === 'closed' || udp.kind === 'unroutable') {
    return { address: remote, udp, visit: null, unproven: null, certificate: null };
  }
  const dial = {
    remote,
    serverName: target.verify.kind === 'ca' ? target.relay.host : 'relay',
    transport: edgeTransport(target.quic, 0),
  };
  const visit = (verify: PeerVerification, durationMs = target.durationMs): Promise<Visit> =>
    visitRelay({ ...dial, verify }, durationMs, dependencies);
  const asEdge = await visitAsEdge(target, visit);
  const isUntrusted = isUnproven(asEdge) && target.verify.kind !== 'none';
  const visited = isUntrusted ? await visit({ kind: 'none' }) : asEdge;
  return {
    address: remote,
    udp,
    visit: visited,
    unproven: isUntrusted ? asEdge.reason : null,
    certificate: await certificateOf(visited, dial, dependencies),
  };
}

/** As an edge dials: with each pin in turn, until the relay proves one. */
async function visitAsEdge(
  { verify, otherPins = [] }: ProbeTarget,
  visit: (verify: PeerVerification) => Promise<Visit>,
): Promise<Visit> {
  let visited = await visit(verify);
  for (const sha256 of otherPins) {
    if (isUnproven(visited)) visited = await visit({ kind: 'fingerprint', sha256 });
  }
  return visited;
}

function isUnproven(visit: Visit): visit is Extract<Visit, { kind: 'failed' }> {
  return visit.kind === 'failed' && visit.code === 'tls-failed';
}

async function certificateOf(
  visit: Visit,
  dial: Omit<Parameters<typeof visitRelay>[0], 'verify'>,
  dependencies: ProbeDependencies,
): Promise<CertificateFacts | null> {
  if (visit.kind !== 'visited') return null;
  if (visit.facts.certificate !== null) return readCertificate(visit.facts.certificate);
  if (dependencies.certificateEngine === null) return null;
  const engine = dependencies.certificateEngine;
  const again = await visitRelay({ ...dial, verify: { kind: 'none' } }, certificateVisitMs, {
    ...dependencies,
    engine,
  });
  const shown = again.kind === 'visited' ? again.facts.certificate : null;
  return shown === null ? null : readCertificate(shown);
}

function readCertificate(der: Uint8Array): CertificateFacts {
  try {
    const certificate = new X509Certificate(der);
    return {
      sha256: certificateFingerprint(certificate.toString()),
      keyPin: keyPinOf(der),
      subject: certificate.subject.replaceAll('\n', ', '),
      names: certificate.subjectAltName ?? '',
      validFromMs: certificate.validFromDate.getTime(),
      validToMs: certificate.validToDate.getTime(),
    };
  } catch (error) {
    throw new AppError('tls-failed', 'the relay shows a certificate that cannot be read', { cause: error });
  }
}
