import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/app-error.ts';
import { formatSocketAddress, parseSocketAddress } from '../../../src/lib/socket-address.ts';
import { createSelfSigned } from '../../support/samples/certificates.ts';
import { builtEngines, startEngine } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { bindPair, openStream, pairTunnel } from '../../support/programs/relay-pair.ts';
import { edgeDialOptions, ScriptedEdge } from '../../support/peers/scripted-edge.ts';
import { startTestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

describe.each(await builtEngines())('the life of a relay over %s', (engine) => {
  it('L1 stopping refuses what is new, lets open streams finish, closes with code 0 and no tunnel_down', async () => {
    await using bed = await startTestRelay({ engine, config: { drain_timeout_secs: 10 } });
    const pair = await bindPair(bed, { protocol: 'tcp', features: ['peer_state'] });
    const { near, far } = await openStream(pair);
    const stopped = bed.relay.stop();
    expect(bed.relay.notReadyReasons()).toEqual(['the relay is shutting down']);
    await expect(bed.dial()).rejects.toMatchObject({ code: 'connect-failed' });
    expect(await pair.egress.openData(pairTunnel).expectEnd()).toEqual({ kind: 'reset', code: 6 });
    pair.ingress.bind({ tunnelId: pairTunnel, direction: 'ingress', protocol: 'tcp' });
    near.send('last words');
    near.finish();
    await far.expectText('last words');
    far.finish();
    await stopped;
    for (const edge of [pair.ingress, pair.egress]) {
      expect(await edge.expectClosed()).toMatchObject({ code: 0, reason: 'relay shutting down' });
      expect(edge.ofType('tunnel_down')).toEqual([]);
    }
    expect(near.ended).toEqual({ kind: 'finished' });
    expect(bed.eventsOf('tunnel-closed').map(({ report }) => report.message)).toEqual(['Tunnel closed: drained']);
    expect(bed.eventsOf('tunnel-down')).toEqual([]);
  });

  it('L1 a stream that does not finish is ended when the time to drain is over', async () => {
    await using bed = await startTestRelay({ engine });
    const { near } = await openStream(await bindPair(bed, { protocol: 'tcp' }));
    await bed.relay.stop(200);
    await until(() => near.ended !== null || near.stream.queuedBytes === 0);
    expect(near.ended).not.toEqual({ kind: 'finished' });
  });

  it('L1 edges get the end at once, also in the middle of a bulk transfer', async () => {
    await using bed = await startTestRelay({ engine });
    const pair = await bindPair(bed, { protocol: 'tcp' });
    const { near, far } = await openStream(pair);
    near.send(Buffer.alloc(64 * 1_048_576));
    await until(() => far.receivedBytes > 1_048_576, { what: 'the transfer is under way' });
    await bed.relay.stop(0);
    await until(() => pair.egress.closed !== null && pair.ingress.closed !== null);
    expect(pair.egress.closed).toMatchObject({ code: 0, reason: 'relay shutting down' });
    expect(pair.ingress.closed).toMatchObject({ code: 0, reason: 'relay shutting down' });
  });

  it('L2 no address at all is an error with its remedy, one among several a warning', async () => {
    await using first = await startTestRelay({ engine });
    const taken = first.address;
    const failure = startTestRelay({ engine, config: { quic_addrs: [taken] } });
    await expect(failure).rejects.toMatchObject({ code: 'address-unavailable' });
    await failure.catch((error: unknown) => {
      expect(error).toBeInstanceOf(AppError);
      expect(String(error)).toContain(taken);
      expect(String(error)).toContain('another program has it (EADDRINUSE); stop that one');
    });
    const logger = new RecordingLogger();
    await using second = await startTestRelay({ engine, config: { quic_addrs: [taken, '127.0.0.1:0'] }, logger });
    expect(logger.messages('warn')).toEqual(['QUIC address is not available']);
    expect(second.relay.health()).toMatchObject({ status: 'degraded' });
    expect(second.relay.health().reasons[0]).toContain(taken);
    await bindPair(second);
  });

  it('L3 new connections see a new certificate, existing ones live on', async () => {
    await using bed = await startTestRelay({ engine });
    const old = await bed.edge();
    const next = await createSelfSigned();
    bed.relay.setTls({ certificate: next.certificatePem, privateKey: next.privateKeyPem });
    const pinned = new ScriptedEdge();
    const verify = { kind: 'fingerprint', sha256: next.fingerprint } as const;
    pinned.attach(await bed.edgeEngine.dial({ ...edgeDialOptions(bed.address), verify }, pinned));
    pinned.greet();
    await pinned.expect('hello_ack');
    old.send({ type: 'ping' });
    await old.expect('pong');
    expect(() => {
      bed.relay.setTls({ certificate: 'no', privateKey: 'no' });
    }).toThrow(AppError);
    await bed.edge();
  });

  it('L4 stopping twice is one stop, and leaves the address free for the next relay', async () => {
    await using bed = await startTestRelay({ engine });
    await bindPair(bed);
    const { address } = bed;
    const stops = [bed.relay.stop(0), bed.relay.stop()];
    expect(stops[0]).toBe(stops[1]);
    await Promise.all(stops);
    await until(() => bed.engine.report().connections === 0, { what: 'no connection is left' });
    await using next = await startTestRelay({ engine, config: { quic_addrs: [address] } });
    await bindPair(next);
  });

  it('L4 a relay that cannot start leaves nothing behind', async () => {
    await using bed = await startTestRelay({ engine });
    const tls = { certificate: 'no', privateKey: 'no' };
    await expect(startTestRelay({ engine, tls })).rejects.toMatchObject({ code: 'tls-failed' });
    await bed.relay.stop();
  });

  it('L6 after a restart without a word edges get a stateless reset at once', async () => {
    const resetKey = new Uint8Array(32).fill(7);
    const first = await startTestRelay({ engine, resetKey });
    const { address } = first;
    const target = parseSocketAddress(address);
    if (target === null) throw new Error(address);
    await using network = await FaultyNetwork.start({ target });
    const edgeEngine = await startEngine(engine);
    try {
      const edge = (await ScriptedEdge.connect(edgeEngine, formatSocketAddress(network.address))).greet();
      edge.bind({ tunnelId: pairTunnel, direction: 'ingress' });
      await edge.expect('tunnel_waiting');
      // A killed process says nothing: the words of this one's end are lost.
      network.partition();
      await first[Symbol.asyncDispose]();
      network.heal();
      await using second = await startTestRelay({ engine, resetKey, config: { quic_addrs: [address] } });
      edge.send({ type: 'ping' });
      expect((await edge.expectClosed()).kind).toBe('reset');
      await bindPair(second);
    } finally {
      await edgeEngine.close();
    }
  });
});

describe.each(await builtEngines())('the truth over %s', (engine) => {
  it('T1 the events of a tunnel’s life, each once and in order', async () => {
    await using bed = await startTestRelay({ engine });
    const { ingress, egress } = await bindPair(bed);
    ingress.bind({ tunnelId: pairTunnel, direction: 'ingress' });
    await ingress.expect('tunnel_ready', 2);
    egress.close();
    await bed.expectEvent('tunnel-down');
    ingress.unbind(pairTunnel);
    await bed.expectEvent('tunnel-unbound');
    ingress.close();
    await bed.expectEvent('edge-disconnected', 2);
    expect(bed.events.map(({ report }) => report.message.replace(/127\.0\.0\.1:\d+/, 'ADDR'))).toEqual([
      'Edge connected from ADDR',
      'Tunnel waiting: Ingress side bound',
      'Edge connected from ADDR',
      'Tunnel active (both sides bound)',
      'Tunnel down: edge disconnected',
      'Edge disconnected from ADDR',
      'Tunnel unbound by edge',
      'Edge disconnected from ADDR',
    ]);
  });

  it('T1 an edge of another version is reported and carries on', async () => {
    await using bed = await startTestRelay({ engine });
    const edge = (await bed.dial()).openControl();
    edge.send({ type: 'hello', protocol_version: 1, software_version: 'old', features: [] });
    expect((await edge.expect('hello_ack')).protocol_version).toBe(2);
    expect((await bed.expectEvent('version-mismatch')).report).toMatchObject({
      message: 'Protocol version mismatch (edge=1, relay=2)',
      details: { edge_version: 1, relay_version: 2 },
    });
    edge.bind({ tunnelId: pairTunnel, direction: 'ingress' });
    await edge.expect('tunnel_waiting');
  });

  it('T2 the totals keep what a tunnel has carried after its end', async () => {
    await using bed = await startTestRelay({ engine });
    const { ingress, egress } = await bindPair(bed);
    for (let n = 0; n < 10; n++) egress.sendDatagram(pairTunnel, Buffer.alloc(100));
    await until(() => ingress.datagrams.length === 10, { what: 'ten datagrams' });
    const before = bed.relay.report.totals();
    expect(before).toMatchObject({ total_bytes_egress: 1000, total_bytes_forwarded: 1000, total_udp_datagrams: 10 });
    ingress.close();
    egress.close();
    await until(() => bed.relay.report.totals().total_tunnels === 0, { what: 'the tunnel is gone' });
    const settledSecs = bed.relay.report.totals().uptime_secs + 3;
    await until(() => bed.relay.report.totals().uptime_secs >= settledSecs, { what: 'two looks at the ledgers' });
    expect(bed.relay.report.totals()).toMatchObject({
      total_bytes_egress: 1000,
      total_bytes_forwarded: 1000,
      total_udp_datagrams: 10,
      peak_tunnels: 1,
      peak_edges: 2,
      connections_total: 2,
      connected_edges: 0,
    });
  });

  it('T3 ready only while it would accept, ok only while its sockets are bound', async () => {
    await using bed = await startTestRelay({ engine });
    expect(bed.relay.notReadyReasons()).toEqual([]);
    expect(bed.relay.health()).toMatchObject({ status: 'ok', reasons: [], quic_addr: bed.address });
    await bed.relay.stop();
    expect(bed.relay.health().status).toBe('degraded');
  });

  it('T4 both paths of a tunnel are visible', async () => {
    await using bed = await startTestRelay({ engine });
    await bindPair(bed);
    const detail = bed.relay.report.tunnel(pairTunnel);
    for (const side of [detail?.ingress, detail?.egress]) {
      expect(side?.leg?.edge.path.rttMs).toBeGreaterThanOrEqual(0);
      expect(side?.leg?.edge.path.pathMtu).toBeGreaterThanOrEqual(1200);
      expect(side?.leg?.edge).toMatchObject({ protocolVersion: 2, softwareVersion: 'scripted', heldTunnels: 1 });
    }
    expect(detail?.info.status).toBe('active');
  });
});
