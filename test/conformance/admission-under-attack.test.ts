import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { closeReason, streamCode } from '../../src/protocol/tunnel/close-code.ts';
import { tunnelDownReason } from '../../src/protocol/tunnel/tunnel-down-reason.ts';
import { parseLongHeader } from '../../src/quic/quiche/packet-header.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { AttackedRelay, ownTunnel } from '../support/hostile/attacked-relay.ts';
import { HostileConnection } from '../support/hostile/hostile-connection.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { knownTunnelId } from '../support/samples/known-tunnel-id.ts';
import { startTestRelay } from '../support/programs/test-relay.ts';
import { until } from '../support/until.ts';

function length(bytes: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(bytes);
  return prefix;
}

function numbered(n: number) {
  return knownTunnelId(n.toString(16).padStart(32, '0'));
}

describe.each(await builtEngines())('a relay over %s with hostile clients', (engine) => {
  it('A1 lets one address have no more connections than its cap, reports it, and lets it in again later', async () => {
    await using at = await AttackedRelay.start(engine, 'udp', { max_connections_per_ip: 5 });
    const guests = await Promise.all(Array.from({ length: 3 }, () => HostileConnection.connect({ remote: at.remote })));
    await using excess = await HostileConnection.start({ remote: at.remote });
    expect(await excess.closedByRelay()).toBe(closeReason.perIpCap);
    expect((await at.bed.expectEvent('per-ip-cap-exceeded')).event).toMatchObject({ cap: 5, activeConnections: 5 });
    await using elsewhere = await HostileConnection.connect({ remote: at.remote, localIp: '127.0.0.9' });
    expect(elsewhere.isClosed).toBe(false);
    for (const guest of guests) await guest[Symbol.asyncDispose]();
    await until(async () => {
      await using again = await HostileConnection.start({ remote: at.remote });
      return (await again.outcome()) === 'open';
    });
  });

  it('A1 lets one connection hold no more tunnels than its cap', async () => {
    await using bed = await startTestRelay({ engine, config: { max_tunnels_per_connection: 10 } });
    await using edge = await HostileEdge.connect({ remote: addressOf(bed.address) });
    edge.hello();
    for (let n = 0; n < 200; n++) {
      await edge.sendBind({ tunnelId: numbered(n), direction: 'egress', protocol: 'udp' });
    }
    await until(() => {
      edge.hear();
      return edge.messages.filter(({ type }) => type === 'tunnel_down' || type === 'tunnel_waiting').length === 200;
    });
    const refusals = edge.messages.filter((message) => message.type === 'tunnel_down');
    expect(refusals).toHaveLength(190);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set([tunnelDownReason.perConnectionLimit]));
    expect(bed.relay.report.totals().total_tunnels).toBe(10);
  });

  it('A1 opens no more streams than its cap, and answers the rest', async () => {
    await using at = await AttackedRelay.start(engine, 'udp', { limits: { max_open_streams: 50 } });
    await using ingress = await HostileEdge.bound({ remote: at.remote }, at.ownBind('ingress', 'tcp'));
    await using egress = await HostileEdge.bound({ remote: at.remote }, at.ownBind('egress', 'tcp'));
    const ids = Array.from({ length: 120 }, () => egress.openDataStream(ownTunnel));
    await until(() => ids.filter((id) => egress.connection.streams.endOf(id) !== null).length === 70);
    const ends = ids.map((id) => egress.connection.streams.endOf(id)).filter((end) => end !== null);
    expect(new Set(ends.map((end) => JSON.stringify(end)))).toEqual(
      new Set([JSON.stringify({ reset: streamCode.overload })]),
    );
    expect(ingress.connection.streams.ofRelay).toHaveLength(50);
  });

  it('A1 survives thousands of streams that are opened and thrown away in every order', async () => {
    await using at = await AttackedRelay.start(engine, 'tcp');
    await using ingress = await HostileEdge.bound({ remote: at.remote }, at.ownBind('ingress', 'tcp'));
    await using egress = await HostileEdge.bound({ remote: at.remote }, at.ownBind('egress', 'tcp'));
    const { connection } = egress;
    for (let n = 0; n < 3000; n++) {
      await until(() => connection.native.peerStreamsLeftBidi() > 8, { what: 'credit for streams' });
      const id = egress.openDataStream(ownTunnel);
      if (n % 5 === 1) connection.reset(id, n);
      if (n % 5 === 2) connection.stop(id, n);
      if (n % 5 >= 3) connection.write(id, Buffer.alloc(100, n), n % 5 === 4);
      connection.stop(id, 1);
      connection.reset(id, 2);
    }
    await until(() => at.bed.relay.report.totals().active_tcp_streams === 0, { what: 'all streams gone' });
    expect(ingress.connection.isClosed).toBe(false);
    expect(connection.isClosed).toBe(false);
  });

  it('A2 closes a connection that never opens its control stream, and one that never binds', async () => {
    await using at = await AttackedRelay.start(engine, 'udp', {
      limits: { control_stream_timeout_secs: 0.3, first_bind_timeout_secs: 0.3 },
    });
    await using silent = await HostileConnection.connect({ remote: at.remote });
    await using talker = await HostileEdge.connect({ remote: at.remote });
    talker.hello();
    expect(await silent.closedByRelay()).toBe(closeReason.noControlStream);
    expect(await talker.connection.closedByRelay()).toBe(closeReason.noBind);
  });

  it('A2 is not fooled by frames that come a byte at a time', async () => {
    await using at = await AttackedRelay.start(engine, 'udp', { limits: { first_bind_timeout_secs: 0.3 } });
    await using slow = await HostileEdge.connect({ remote: at.remote });
    slow.sayBytes(length(1000));
    const drip = new SystemClock().setInterval(() => slow.sayBytes(Buffer.from(' ')), 20);
    expect(await slow.connection.closedByRelay().finally(() => drip.cancel())).toBe(closeReason.noBind);
  });

  it('A2 forgets handshakes that stop half way', async () => {
    await using at = await AttackedRelay.start(engine, 'udp', { limits: { handshake_timeout_secs: 0.5 } });
    const before = at.bed.engine.report();
    const halves = await Promise.all(
      Array.from({ length: 20 }, () => HostileConnection.start({ remote: at.remote, incoming: () => false })),
    );
    await until(() => at.bed.engine.report().counters.handshakesStarted === before.counters.handshakesStarted + 20);
    for (const half of halves) half.vanish();
    await until(() => at.bed.engine.report().counters.handshakesFailed === before.counters.handshakesFailed + 20);
    expect(at.bed.engine.report().connections).toBe(before.connections);
    for (const half of halves) await half[Symbol.asyncDispose]();
  });

  it('A3 ends a session for a length that it would have to keep, before and after the first bind', async () => {
    await using at = await AttackedRelay.start(engine);
    await using unproven = await HostileEdge.connect({ remote: at.remote });
    unproven.sayBytes(length(16_385));
    expect(await unproven.connection.closedByRelay()).toBe(closeReason.frameTooLarge);
    await using proven = await HostileEdge.bound({ remote: at.remote }, at.ownBind());
    proven.sayBytes(Buffer.concat([length(16_385), Buffer.alloc(16_385, 0x20)]));
    proven.say({ type: 'ping' });
    await proven.heard('pong');
    proven.sayBytes(length(1_048_577));
    expect(await proven.connection.closedByRelay()).toBe(closeReason.frameTooLarge);
  });

  it('A3 takes no more than 64 KiB from an unauthenticated peer, on any streams', async () => {
    await using at = await AttackedRelay.start(engine);
    await using stranger = await HostileConnection.connect({ remote: at.remote });
    for (let n = 0; n < 8; n++) stranger.write(stranger.streams.nextBidi(), Buffer.alloc(16_000));
    await stranger.closedByRelay();
    expect(at.bed.engine.report().counters.bytesReceived).toBeLessThan(200_000);
  });

  it('A4 has peers under load prove their address, keeps nothing for them, and lets them in then', async () => {
    await using bed = await startTestRelay({
      engine,
      config: { limits: { retry_after_handshakes_per_sec: 10, accept_rate_per_ip_per_sec: 0 } },
    });
    const remote = addressOf(bed.address);
    const spoofed = await Promise.all(
      Array.from({ length: 60 }, () => HostileConnection.start({ remote, incoming: () => false })),
    );
    for (const one of spoofed) one.vanish();
    await until(() => bed.engine.report().counters.retriesSent >= 40, { what: 'retries' });
    expect(bed.engine.report().connections).toBeLessThanOrEqual(20);
    await using honest = await HostileConnection.connect({ remote });
    expect(honest.isClosed).toBe(false);
    for (const one of spoofed) await one[Symbol.asyncDispose]();
  });

  it('A4 believes a token only from the address that it was given to', async () => {
    await using bed = await startTestRelay({ engine, config: { limits: { always_retry: true } } });
    const remote = addressOf(bed.address);
    const bare: Buffer[] = [];
    const proving: Buffer[] = [];
    await using owner = await HostileConnection.start({
      remote,
      outgoing: (packet) => {
        const hasToken = (parseLongHeader(packet)?.token.length ?? 0) > 0;
        (hasToken ? proving : bare).push(packet);
        return hasToken ? [] : [packet];
      },
    });
    await until(() => proving.length > 0, { what: 'a token' });
    const { retriesSent } = bed.engine.report().counters;
    await using thief = await HostileConnection.start({ remote, localIp: '127.0.0.8', outgoing: () => [] });
    for (const packet of [...proving, ...bare]) thief.sendPacket(packet);
    await until(() => bed.engine.report().counters.retriesSent > retriesSent, { what: 'the thief is read' });
    expect(bed.engine.report().counters.handshakesStarted).toBe(0);
    owner.outgoing = (packet) => [packet];
    for (const packet of proving) owner.sendPacket(packet);
    await owner.established();
  });

  it('A4 answers who may be a victim with less than three times what came in his name', async () => {
    await using bed = await startTestRelay({ engine, config: { limits: { handshake_timeout_secs: 2 } } });
    const remote = addressOf(bed.address);
    let sent = 0;
    await using victim = await HostileConnection.start({
      remote,
      incoming: () => true,
      outgoing: (packet) => {
        if (sent > 0) return [];
        sent = packet.length;
        return [packet];
      },
    });
    await until(() => victim.packetsReceived > 0);
    await until(() => bed.engine.report().connections === 0, { what: 'the end of the handshake' });
    expect(victim.bytesReceived).toBeGreaterThan(0);
    expect(victim.bytesReceived).toBeLessThanOrEqual(3 * sent);
  });
});

function addressOf(text: string) {
  const [ip = '', port = ''] = text.split(':');
  return { ip, port: Number(port) };
}
