import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { bindPair, openStream, otherTunnel, pairTunnel } from '../../support/programs/relay-pair.ts';
import { startTestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

const mib = 1_048_576;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each(await builtEngines())('streams over %s', (engine) => {
  it.each(['egress', 'ingress'] as const)(
    'S1 FIN of the %s side crosses and leaves the other direction open',
    async (who) => {
      await using bed = await startTestRelay({ engine });
      const { near, far } = await openStream(await bindPair(bed, { protocol: 'tcp' }));
      const [one, other] = who === 'egress' ? [near, far] : [far, near];
      one.send('request');
      one.finish();
      await other.expectText('request');
      expect(await other.expectEnd()).toEqual({ kind: 'finished' });
      other.send('answer');
      await one.expectText('answer');
      other.finish();
      expect(await one.expectEnd()).toEqual({ kind: 'finished' });
    },
  );

  it.each(['egress', 'ingress'] as const)(
    'S1 RESET of the %s side crosses with its code on an idle stream',
    async (who) => {
      await using bed = await startTestRelay({ engine });
      const { near, far } = await openStream(await bindPair(bed, { protocol: 'tcp' }));
      const [one, other] = who === 'egress' ? [near, far] : [far, near];
      one.stream.reset(4711);
      await until(() => other.ended !== null);
      expect(other.ended).toEqual({ kind: 'reset', code: 4711 });
      other.send('still open');
      await one.expectText('still open');
    },
  );

  it.each(['egress', 'ingress'] as const)(
    'S1 STOP_SENDING of the %s side crosses with its code on an idle stream',
    async (who) => {
      await using bed = await startTestRelay({ engine });
      const { near, far } = await openStream(await bindPair(bed, { protocol: 'tcp' }));
      const [one, other] = who === 'egress' ? [near, far] : [far, near];
      one.stream.stop(815);
      await until(() => other.stopped !== null);
      expect(other.stopped).toBe(815);
      one.send('still open');
      await other.expectText('still open');
    },
  );

  it('S1 a transfer that its sender gives up never looks complete', async () => {
    await using bed = await startTestRelay({ engine });
    const { near, far } = await openStream(await bindPair(bed, { protocol: 'tcp' }));
    near.send(randomBytes(4 * mib));
    await until(() => far.receivedBytes > 0);
    near.stream.reset(9);
    expect(await far.expectEnd()).toEqual({ kind: 'reset', code: 9 });
  });

  it('S1 a truncated transfer never looks complete', async () => {
    await using bed = await startTestRelay({ engine });
    const pair = await bindPair(bed, { protocol: 'tcp' });
    const { near, far } = await openStream(pair);
    near.send(randomBytes(4 * mib));
    near.finish();
    await until(() => far.receivedBytes > 0);
    pair.egress.close();
    const end = await far.expectEnd();
    if (far.receivedBytes < 4 * mib) expect(end).toEqual({ kind: 'reset', code: 3 });
  });

  it('S1 a stream without a peer is reset with a code and not ended cleanly', async () => {
    await using bed = await startTestRelay({ engine });
    const egress = await bed.edge();
    egress.bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    await egress.expect('tunnel_waiting');
    const stream = egress.openData(pairTunnel);
    expect(await stream.expectEnd()).toEqual({ kind: 'reset', code: 1 });
    expect(await stream.expectStopped()).toBe(1);
  });

  it('S2 a reader that stops makes the far writer stop, and slows no other stream or tunnel', async () => {
    await using bed = await startTestRelay({ engine });
    const pair = await bindPair(bed, { protocol: 'tcp' });
    const blocked = await openStream(pair);
    blocked.far.pause();
    blocked.near.send(Buffer.alloc(32 * mib));
    let unsent = Infinity;
    await until(
      () => {
        const before = unsent;
        unsent = blocked.near.unsentBytes;
        return unsent < 32 * mib && unsent === before;
      },
      { pollMs: 300, what: 'the writer stops' },
    );
    expect(32 * mib - unsent).toBeLessThan(8 * mib);
    const free = await openStream(pair);
    const data = randomBytes(4 * mib);
    free.near.send(data);
    free.near.finish();
    await free.far.expectEnd();
    expect(sha256(free.far.received)).toBe(sha256(data));
    blocked.far.resume();
    await until(() => blocked.far.receivedBytes >= 32 * mib, { what: 'the blocked stream goes on' });
  });

  it('S3 when a leg dies the streams of its tunnels are reset within 1 s; traffic resumes after it', async () => {
    await using bed = await startTestRelay({ engine });
    const pair = await bindPair(bed, { protocol: 'tcp', features: ['peer_state'] });
    const streams = [await openStream(pair), await openStream(pair)];
    pair.egress.close();
    await until(() => streams.every(({ far }) => far.ended !== null && far.stopped !== null));
    expect(streams.map(({ far }) => far.ended)).toEqual(streams.map(() => ({ kind: 'reset', code: 3 })));
    expect((await pair.ingress.expect('tunnel_down')).reason).toBe('peer disconnected');
    const egress = await bed.edge('back');
    egress.bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    await pair.ingress.expect('tunnel_ready', 2);
    const { near, far } = await openStream({ ingress: pair.ingress, egress });
    near.finish();
    expect(await far.expectEnd()).toEqual({ kind: 'finished' });
    far.finish();
    await until(() => bed.relay.report.totals().active_tcp_streams === 0, { what: 'all state of streams is freed' });
  });

  it('S3 an edge that does not know peer_state gets no message, keeps its leg, goes on', async () => {
    await using bed = await startTestRelay({ engine });
    const { ingress, egress } = await bindPair(bed);
    egress.close();
    await bed.expectEvent('tunnel-down');
    const back = await bed.edge('back');
    back.bind({ tunnelId: pairTunnel, direction: 'egress' });
    await back.expect('tunnel_ready');
    ingress.sendDatagram(pairTunnel, 'on');
    await until(() => back.datagrams.length === 1, { what: 'the datagram' });
    ingress.send({ type: 'ping' });
    await ingress.expect('pong');
    expect(ingress.messages.map(({ type }) => type)).toEqual(['hello_ack', 'tunnel_waiting', 'tunnel_ready', 'pong']);
    expect(ingress.uniMessages).toEqual([]);
  });

  it('S4 1376-byte datagrams pass by default, and what does not fit is counted and reported', async () => {
    await using bed = await startTestRelay({ engine, config: { quic: { max_udp_payload: 1452 } } });
    const { ingress, egress } = await bindPair(bed);
    egress.sendDatagram(pairTunnel, Buffer.alloc(1360));
    await until(() => ingress.datagrams.length === 1, { what: 'the datagram of 1376 bytes' });
    const room = egress.connection.stats().maxDatagramSize ?? 1434;
    egress.sendDatagram(pairTunnel, Buffer.alloc(room - 16));
    const drops = (): number => bed.relay.report.tunnel(pairTunnel)?.info.drops['too_large'] ?? 0;
    await until(() => drops() === 1, { what: 'the drop' });
    expect((await bed.expectEvent('datagrams-dropped')).report).toMatchObject({
      message: 'Datagrams dropped: too_large',
      flowId: pairTunnel,
      details: { reason: 'too_large', count: 1, from_egress: 1 },
    });
  });

  it('S5 what came in is what went out plus what was dropped, by reason', async () => {
    await using bed = await startTestRelay({ engine });
    const { ingress, egress } = await bindPair(bed);
    const count = 400;
    for (let n = 0; n < count; n++) {
      egress.sendDatagram(pairTunnel, Buffer.alloc(100 + n * 3));
      if (n === count / 2) {
        ingress.unbind(pairTunnel);
        await until(() => bed.relay.report.tunnel(pairTunnel)?.ingress.leg === null, { what: 'the leg is gone' });
      }
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const sent = (): NonNullable<ReturnType<typeof bed.relay.report.tunnel>>['egress']['sent'] | undefined =>
      bed.relay.report.tunnel(pairTunnel)?.egress.sent;
    await until(() => sent()?.datagramsIn === count, { what: 'all datagrams are in' });
    const sum = (): number => Object.values(sent()?.drops ?? {}).reduce((a, b) => a + b, sent()?.datagramsOut ?? 0);
    await until(() => sum() === count, { what: 'nothing waits any more' });
    expect(sent()?.drops.no_peer).toBeGreaterThan(0);
  });

  it('S6 the queue towards a leg is short and drops the oldest', async () => {
    await using bed = await startTestRelay({ engine, config: { limits: { datagram_queue_bytes: 16_384 } } });
    const { ingress, egress } = await bindPair(bed);
    const count = 3000;
    for (let n = 0; n < count; n++) {
      const payload = Buffer.alloc(1300);
      payload.writeUInt32BE(n);
      egress.sendDatagram(pairTunnel, payload);
    }
    const sent = (): NonNullable<ReturnType<typeof bed.relay.report.tunnel>>['egress']['sent'] | undefined =>
      bed.relay.report.tunnel(pairTunnel)?.egress.sent;
    await until(() => (sent()?.datagramsIn ?? 0) > 0);
    await until(() => ingress.datagrams.length > 0 && ingress.datagrams.length === sent()?.datagramsOut, {
      what: 'what went out has arrived',
    });
    const numbers = ingress.datagrams.map(({ payload }) => payload.readUInt32BE());
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it('A tunnel of its own is not touched by another', async () => {
    await using bed = await startTestRelay({ engine });
    const one = await bindPair(bed);
    const two = await bindPair(bed, { tunnelId: otherTunnel });
    one.egress.close();
    await bed.expectEvent('tunnel-down');
    two.egress.sendDatagram(otherTunnel, 'untouched');
    await until(() => two.ingress.datagrams.length === 1, { what: 'the other tunnel carries on' });
  });
});
