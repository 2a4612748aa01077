import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { createSelfSigned, TestAuthority, type Certificate } from '../../support/samples/certificates.ts';
import { portOf, startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge } from '../../support/programs/test-edge.ts';
import { until } from '../../support/until.ts';

const clock = new SystemClock();
const egressTunnel = { protocol: 'udp', direction: 'egress' } as const;
const ingressTunnel = { protocol: 'udp', direction: 'ingress' } as const;

describe.each(await builtEngines())('an edge over %s', (engineName) => {
  it('stays bound while its peer is away, is notified, and carries traffic again when it is back', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using sink = await LocalUdpSocket.open();
    await using source = await LocalUdpSocket.open();
    const ingress = { ...ingressTunnel, relay_addr: relay.address, local_addr: sink.addr };
    await using egress = await startTestEdge({ engine, tunnels: [{ ...egressTunnel, relay_addr: relay.address }] });
    await egress.reaches('waiting');
    const peer = await startTestEdge({ engine, tunnels: [ingress] });
    await egress.reaches('ready');
    await peer.edge.stop();
    await egress.reaches('waiting');
    await using again = await startTestEdge({ engine, tunnels: [ingress] });
    await egress.reaches('ready');
    await again.reaches('ready');
    await until(() => {
      source.send(Buffer.from('again'), egress.port());
      return sink.received.length > 0;
    });
    expect(egress.messages()).toEqual([
      `Tunnel 'test tunnel' started`,
      'Tunnel connected to relay',
      'Tunnel connected to relay',
      'Tunnel peer disconnected: peer disconnected',
      'Tunnel connected to relay',
    ]);
    expect(relay.eventsOf('edge-connected').length).toBe(3);
  });

  it('is active again within 5 s when the relay was killed and started again', async () => {
    await using engine = await openEngine(engineName);
    const relay = await startAuthorizedRelay(engineName);
    const port = portOf(relay);
    await using network = await FaultyNetwork.start({ target: { ip: '127.0.0.1', port } });
    const relayAddr = `127.0.0.1:${network.address.port}`;
    await using sink = await LocalUdpSocket.open();
    await using egress = await startTestEdge({ engine, tunnels: [{ ...egressTunnel, relay_addr: relayAddr }] });
    await using ingress = await startTestEdge({
      engine,
      tunnels: [{ ...ingressTunnel, relay_addr: relayAddr, local_addr: sink.addr }],
    });
    await egress.reaches('ready');
    await ingress.reaches('ready');
    // Its last words are lost, as with SIGKILL.
    network.partition();
    await relay[Symbol.asyncDispose]();
    await using restarted = await startAuthorizedRelay(engineName, { port });
    network.heal();
    const startedAtMs = clock.monotonicMs();
    await until(() => egress.messages().includes(lostByReset) && ingress.messages().includes(lostByReset));
    await egress.reaches('ready');
    await ingress.reaches('ready');
    await restarted.expectEvent('tunnel-active');
    const tookMs = clock.monotonicMs() - startedAtMs;
    process.stdout.write(`active again ${tookMs.toFixed(0)} ms after the relay was back\n`);
    // Long before the connections would end by silence.
    expect(tookMs).toBeLessThan(20_000);
  });

  it('is replaced by itself started again after it was killed, without its peer restarting', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using network = await FaultyNetwork.start({ target: { ip: '127.0.0.1', port: portOf(relay) } });
    await using sink = await LocalUdpSocket.open();
    await using source = await LocalUdpSocket.open();
    const ingress = { ...ingressTunnel, local_addr: sink.addr };
    await using egress = await startTestEdge({ engine, tunnels: [{ ...egressTunnel, relay_addr: relay.address }] });
    await using killed = await startTestEdge({
      engine,
      tunnels: [{ ...ingress, relay_addr: `127.0.0.1:${network.address.port}` }],
    });
    await killed.reaches('ready');
    network.partition();
    await using again = await startTestEdge({ engine, tunnels: [{ ...ingress, relay_addr: relay.address }] });
    await again.reaches('ready');
    await until(() => {
      source.send(Buffer.from('again'), egress.port());
      return sink.received.length > 0;
    });
    expect(egress.messages().some((message) => message.includes('disconnected'))).toBe(false);
  });

  it('connects to a relay whose certificate it knows by fingerprint or by CA, and to no other', async () => {
    const authority = await TestAuthority.create();
    const stranger = await TestAuthority.create('another CA');
    const leaf = await authority.issue({ dnsNames: ['relay.example.com'], ipAddresses: [] });
    await using engine = await openEngine(engineName);
    const tls = { certificate: leaf.certificatePem, privateKey: leaf.privateKeyPem };
    await using relay = await startAuthorizedRelay(engineName, { tls });
    const authorities: Record<string, string> = {
      '/ca.pem': authority.certificate.certificatePem,
      '/stranger.pem': stranger.certificate.certificatePem,
    };
    const start = (tunnel: object) =>
      startTestEdge({
        engine,
        tunnels: [{ ...egressTunnel, ...tunnel }],
        readTextFile: (path) => Promise.resolve(authorities[path] ?? ''),
      });
    const host = (name: string): string => `${name}:${portOf(relay)}`;

    await using byFingerprint = await start({ relay_addr: relay.address, relay_fingerprint: leaf.fingerprint });
    await byFingerprint.reaches('waiting');
    const pins = ['ab'.repeat(32), 'cd'.repeat(32), leaf.fingerprint];
    await using byOneOfSeveral = await start({ relay_addr: relay.address, relay_fingerprint: pins });
    await byOneOfSeveral.reaches('waiting');
    await using byCa = await start({ relay_addr: host('relay.example.com'), relay_ca_path: '/ca.pem' });
    await byCa.reaches('waiting');

    await using wrongFingerprint = await start({ relay_addr: relay.address, relay_fingerprint: 'ab'.repeat(32) });
    const keyOfAnother = stranger.certificate.keyPin;
    await using wrongKey = await start({ relay_addr: relay.address, relay_fingerprint: keyOfAnother });
    await using wrongCa = await start({ relay_addr: host('relay.example.com'), relay_ca_path: '/stranger.pem' });
    await using wrongName = await start({ relay_addr: host('elsewhere.example.com'), relay_ca_path: '/ca.pem' });
    for (const edge of [wrongFingerprint, wrongKey, wrongCa, wrongName]) {
      await until(() => edge.messages()[1]?.startsWith('Tunnel connection to relay failed: '));
      expect(edge.tunnel().state).toBe('connecting');
    }
  });

  it('goes on at a relay whose certificate was renewed with the key that it pins', async () => {
    const first = await createSelfSigned();
    const renewed = await createSelfSigned({ keys: first.keys });
    const identity = ({ certificatePem, privateKeyPem }: Certificate) => {
      return { certificate: certificatePem, privateKey: privateKeyPem };
    };
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName, { tls: identity(first) });
    const start = (pin: string) =>
      startTestEdge({ engine, tunnels: [{ ...egressTunnel, relay_addr: relay.address, relay_fingerprint: pin }] });
    await using before = await start(first.keyPin);
    await before.reaches('waiting');
    relay.relay.setTls(identity(renewed));
    await before.edge.stop();
    await using after = await start(first.keyPin);
    await after.reaches('waiting');
    await after.edge.stop();
    await using byCertificate = await start(first.fingerprint);
    await until(() => byCertificate.messages()[1]?.startsWith('Tunnel connection to relay failed: '));
  });

  it('reports a bind that the relay refuses once', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using edge = await startTestEdge({
      engine,
      tunnels: [{ ...egressTunnel, relay_addr: relay.address, tunnel_bind_secret: 'ff'.repeat(32) }],
    });
    await until(() => edge.log.messages('debug').includes('relay attempt failed again'));
    expect(edge.tunnel().state).toBe('down');
    expect(edge.messages()).toEqual([
      `Tunnel 'test tunnel' started`,
      'Tunnel bind rejected by relay: bind authentication failed',
    ]);
  });

  it('leaves nothing behind when it stops', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    const edge = await startTestEdge({ engine, tunnels: [{ ...egressTunnel, relay_addr: relay.address }] });
    await edge.reaches('waiting');
    await Promise.all([edge.edge.stop(), edge.edge.stop()]);
    expect(edge.tunnel().state).toBe('stopped');
    expect(edge.messages().at(-1)).toBe(`Tunnel 'test tunnel' stopped`);
    await until(() => relay.relay.health().connected_edges === 0);
  });
});

const lostByReset = 'Tunnel disconnected from relay: the relay does not know the connection any more (restarted)';
