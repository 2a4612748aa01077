import { rfc3339 } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import type { AddressFacts, CertificateFacts } from '../../probe/probe-relay.ts';
import type { Visit } from '../../probe/relay-visit.ts';
import { toPathReport } from '../../admin/path-report.ts';
import type { ProbeAnswer } from './explain-probe.ts';

/** What `adit probe --json` prints of one relay. */
export function probeJson({ facts, name, addresses }: ProbeAnswer): object {
  return {
    relay: formatHostPort(facts.relay),
    dns: facts.name,
    findings: name,
    addresses: facts.addresses.map((address, index) => ({
      ...addressJson(address),
      findings: addresses[index]?.findings ?? [],
    })),
  };
}

function addressJson({ address, udp, visit, unproven, certificate }: AddressFacts): object {
  return {
    address: formatSocketAddress(address),
    udp: udp.kind === 'answered' ? { kind: udp.kind, sent: udp.sent, answered: udp.answered } : udp,
    connection: visit === null ? null : visitJson(visit),
    unproven,
    certificate: certificate === null ? null : certificateJson(certificate),
  };
}

function visitJson(visit: Visit): object {
  if (visit.kind === 'failed') return { failure: visit.reason };
  const { greeting, stats, handshakeMs, rttsMs, endedBy } = visit.facts;
  return {
    failure: null,
    handshake_ms: handshakeMs,
    relay:
      greeting === null
        ? null
        : { version: greeting.software_version, protocol: greeting.protocol_version, features: greeting.features },
    round_trips_ms: rttsMs,
    path: stats === null ? null : toPathReport(stats),
    ended_by: endedBy,
  };
}

function certificateJson({ sha256, keyPin, subject, names, validFromMs, validToMs }: CertificateFacts): object {
  return { sha256, key_pin: keyPin, subject, names, valid_from: rfc3339(validFromMs), valid_to: rfc3339(validToMs) };
}
