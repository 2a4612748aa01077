import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { OtherMachine } from '../network/other-machine.ts';
import { TestAuthority, type LeafOptions } from '../samples/certificates.ts';
import type { Situation } from './situation.ts';
import type { WhyBed } from './why-bed.ts';

const otherKey = 'ab'.repeat(32);
const minuteMs = 60_000;
const noConnection = /^There is no connection to the relay .*: .*\.$/;

/** A relay with a certificate of an authority, which the egress edge asks for. */
async function certified(bed: WhyBed, leaf: LeafOptions): Promise<void> {
  const authority = await TestAuthority.create();
  const { certificatePem, privateKeyPem } = await authority.issue(leaf);
  const files = { ca: authority.certificate.certificatePem, certificate: certificatePem, key: privateKeyPem };
  for (const [name, text] of Object.entries(files)) await writeFile(join(bed.folder, name), text, { mode: 0o600 });
  const config = { tls_cert_path: join(bed.folder, 'certificate'), tls_key_path: join(bed.folder, 'key') };
  const { address } = await bed.relay({ config });
  // A CA vouches for a host name.
  const relay_addrs = [`localhost:${address.split(':')[1] ?? ''}`];
  await bed.edge('egress', {
    tunnel: { relay_addrs, relay_fingerprint: undefined, relay_ca_path: join(bed.folder, 'ca') },
  });
}

/** What keeps an edge from reaching its relay. */
export const situationsOfReach: readonly Situation[] = [
  {
    title: 'the relay does not run',
    isQuick: false,
    cause: async (bed) => {
      await bed.edge('egress', { tunnel: { relay_addrs: [`127.0.0.1:${await freePort()}`] } });
    },
    says: [{ at: 'egress', cause: noConnection, remedy: /^no relay listens at that address: start it/ }],
  },
  {
    title: 'nothing passes between an edge and the relay',
    rows: ['no UDP packet has reached this relay'],
    isQuick: false,
    cause: (bed) => bed.tunnel({ egress: null, faults: { partitioned: true } }),
    says: [
      { at: 'ingress', cause: noConnection, remedy: /^check that it runs, and that UDP to its port passes both ways/ },
      {
        at: 'relay',
        cause: /^No UDP packet has reached this relay at .* no edge gets through\.$/,
        remedy: /^let UDP in/,
      },
    ],
  },
  {
    title: 'only the way back from the relay is blocked',
    rows: ['connections were begun, and none was completed'],
    isQuick: false,
    cause: (bed) => bed.tunnel({ egress: null, faults: {}, blocked: 'down' }),
    says: [
      { at: 'ingress', cause: noConnection, remedy: /UDP to its port passes both ways/ },
      { at: 'relay', cause: /^\d+ connections were begun since it started, .* and none was completed\.$/, remedy: /./ },
    ],
  },
  {
    title: 'only the way to the relay is blocked, while the tunnel is in use',
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ faults: {} });
      await bed.isUp();
      await bed.sends(1000, 50);
      bed.network.partition('up');
    },
    says: [
      {
        at: 'ingress',
        cause: /^What is sent to the relay .* does not arrive; packets from it (do|did, and no new .*)\.$/,
        remedy: /^let UDP out/,
      },
    ],
  },
  {
    title: 'UDP 443 is blocked in front of the relay, and TCP 443 is not',
    isQuick: false,
    needsRoot: true,
    async cause(bed) {
      const provider = bed.use(OtherMachine.start());
      provider.drop('input', 'udp dport 443');
      await bed.relay({ machine: provider, config: { quic_addrs: [`${provider.address}:443`] } });
      await bed.edge('egress');
    },
    says: [
      { at: 'egress', cause: noConnection, remedy: /UDP to its port passes both ways/ },
      { at: 'relay', cause: /^No UDP packet has reached this relay at .*:443 /, remedy: /^let UDP in to that port/ },
    ],
  },
  {
    title: 'the firewall of the edge’s machine drops UDP',
    isQuick: false,
    needsRoot: true,
    async cause(bed) {
      const machine = bed.use(OtherMachine.start());
      machine.drop('output', 'meta l4proto udp');
      await bed.relay({ config: { quic_addrs: [`${machine.here}:0`] } });
      await bed.edge('egress', { machine });
    },
    says: [{ at: 'egress', cause: noConnection, remedy: /^this machine does not let UDP out: look at its firewall/ }],
  },
  {
    title: 'the machine of the edge has no route to the relay',
    isQuick: false,
    needsRoot: true,
    async cause(bed) {
      const machine = bed.use(OtherMachine.start());
      // For documentation (RFC 5737): only a default route would lead there, and that machine has none.
      await bed.edge('egress', { machine, tunnel: { relay_addrs: ['203.0.113.7:4433'] } });
    },
    says: [
      {
        at: 'egress',
        cause: /^There is no connection to the relay .*: this machine has no route there \(ENETUNREACH\)\.$/,
        remedy: /^this machine has no route to it: check its network and default gateway/,
      },
    ],
  },
  {
    title: 'the relay shows another certificate than the pinned one',
    rows: ['the relay did not prove who it is'],
    isQuick: false,
    cause: (bed) => bed.tunnel({ egress: null, ingress: { tunnel: { relay_fingerprint: otherKey } } }),
    says: [
      {
        at: 'ingress',
        cause: /the relay did not prove who it is: its certificate is not the one in relay_fingerprint\.$/,
        remedy: /^compare relay_fingerprint/,
      },
    ],
  },
  {
    title: 'the edges pin the old and the new certificate of a relay that was renewed',
    isQuick: false,
    async cause(bed) {
      const { pin } = await bed.relay();
      const tunnel = { relay_fingerprint: [[otherKey, pin]] };
      await Promise.all([bed.edge('egress', { tunnel }), bed.edge('ingress', { tunnel })]);
      await bed.isUp();
      await bed.sends(1000, 50);
    },
    says: [{ at: 'egress', level: 'good', cause: /^The tunnel is up through 127\.0\.0\.1:\d+\.$/, remedy: null }],
  },
  {
    title: 'the certificate of the relay has expired',
    isQuick: true,
    cause: (bed) =>
      certified(bed, { notBefore: new Date(Date.now() - 90 * minuteMs), notAfter: new Date(Date.now() - minuteMs) }),
    says: [{ at: 'egress', cause: /the relay did not prove who it is: .*expired/, remedy: /^renew the certificate/ }],
  },
  {
    title: 'a clock is ten minutes off: the certificate of the relay is not valid yet',
    isQuick: true,
    cause: (bed) => certified(bed, { notBefore: new Date(Date.now() + 10 * minuteMs) }),
    says: [{ at: 'egress', cause: /the relay did not prove who it is: .*not valid yet/, remedy: /^set the clock/ }],
  },
  {
    title: 'the certificate of the relay is for another name',
    isQuick: true,
    cause: (bed) => certified(bed, { dnsNames: ['relay.example'], ipAddresses: ['192.0.2.7'] }),
    says: [
      { at: 'egress', cause: /the relay did not prove who it is: its certificate is .*another name/, remedy: /host/ },
    ],
  },
  {
    title: 'the name of the relay has no address',
    isQuick: true,
    cause: async (bed) => {
      await bed.edge('egress', { tunnel: { relay_addrs: ['no-such-relay.invalid:4433'] } });
    },
    says: [
      {
        at: 'egress',
        cause: noConnection,
        remedy: /^the name no-such-relay\.invalid does not resolve|^no DNS server answers/,
      },
    ],
  },
  {
    title: 'the relay stands still (SIGSTOP)',
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.isUp();
      bed.stopRelay();
    },
    says: [
      { at: 'egress', cause: /^The relay .* has stopped answering|^There is no connection to the relay/, remedy: /./ },
      {
        at: 'relay',
        level: 'unanswered',
        cause: /^no answer from http:.* within 5 s: the program there stands still/,
        remedy: null,
      },
    ],
  },
];
