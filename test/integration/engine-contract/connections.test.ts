import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { failureCode } from '../../support/failure-code.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { QuicWorld, testTransport } from '../../support/programs/quic-world.ts';
import { until } from '../../support/until.ts';

describe.each(await builtEngines())('connections of the %s engine', (name) => {
  it('know both addresses, have ids of their own and are counted', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const other = await world.connect();
    expect(client.connection.remote).toEqual(world.listener.address);
    expect(server.connection.local).toEqual(world.listener.address);
    expect(server.connection.remote.ip).toBe('127.0.0.1');
    expect(server.connection.remote.port).toBe(client.connection.local.port);
    expect(other.server.connection.id).not.toBe(server.connection.id);
    const report = world.engine.report();
    expect(report).toMatchObject({ name, connections: 2 });
    expect(report.counters.handshakesStarted).toBe(2);
    expect(report.counters.packetsReceived).toBeGreaterThan(2);
  });

  it('close with a code and words that the peer gets, once', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    server.connection.close(17, 'disconnected by manager');
    server.connection.close(18, 'again');
    expect(server.closed).toBeNull();
    await until(() => client.closed !== null && server.closed !== null);
    expect(client.closed).toEqual({ kind: 'peer-application', code: 17, reason: 'disconnected by manager' });
    expect(server.closed).toMatchObject({ kind: 'local', code: 17 });
    expect([client.closes, server.closes]).toEqual([1, 1]);
    expect(world.engine.report().connections).toBe(0);
  });

  it('cut words that are too long, and print none of the peer that are not text', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    client.connection.close(0, `bell\u0007 and ${'ä'.repeat(400)}`);
    await until(() => server.closed !== null);
    expect(server.closed?.reason.startsWith('bell and ää')).toBe(true);
    expect(server.closed?.reason.length).toBeLessThanOrEqual(256);
  });

  it('send what was written before the close', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const near = client.open();
    near.stream.write(Buffer.from('last words'));
    client.connection.close(0, 'bye');
    await until(() => server.closed !== null);
    expect(server.streams[0]?.text).toBe('last words');
  });

  it('live on keep-alives, and end when the peer is silent for the idle timeout', async () => {
    const transport = { idleTimeoutMs: 600, keepAliveMs: 150 };
    await using world = await QuicWorld.start(name, { transport, clientTransport: transport });
    const { client, server } = await world.connect();
    const sent = client.connection.stats().packetsSent ?? 0;
    await until(() => (client.connection.stats().packetsSent ?? 0) > sent + 6);
    expect(server.closed).toBeNull();
    await using quiet = await QuicWorld.start(name, {
      transport: { idleTimeoutMs: 400, keepAliveMs: 0 },
      clientTransport: { idleTimeoutMs: 400, keepAliveMs: 0 },
    });
    const pair = await quiet.connect();
    await until(() => pair.server.closed !== null && pair.client.closed !== null);
    expect(pair.server.closed?.kind).toBe('idle');
    expect(pair.client.closed?.kind).toBe('idle');
  });

  it('end when the peer falls silent, after twice the idle timeout at most, however slow the path was', async () => {
    const transport = { idleTimeoutMs: 1000, keepAliveMs: 200 };
    await using world = await QuicWorld.start(name, { transport, clientTransport: transport });
    await using network = await FaultyNetwork.start({
      target: world.listener.address,
      // Three probe timeouts of such a path come to some ten seconds.
      faults: { delayMs: 100, jitterMs: 600 },
    });
    const { server } = await world.connect(network.address);
    await until(() => (server.connection.stats().packetsReceived ?? 0) > 20);
    network.partition();
    await until(() => server.closed !== null);
    expect(server.closed?.kind).toBe('idle');
  });

  it('know how long the peer has been silent, and whether it is still there when they ping it', async () => {
    const calm = { keepAliveMs: 0 };
    await using world = await QuicWorld.start(name, { transport: calm, clientTransport: calm });
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { server } = await world.connect(network.address);
    const { connection } = server;
    await until(() => connection.silentMs > 300, { what: 'nobody has anything to say' });
    connection.ping();
    await until(() => connection.silentMs < 200, { what: 'the peer answers a ping' });
    network.partition();
    connection.ping();
    await until(() => connection.silentMs > 300, { what: 'a peer that is gone answers none' });
    connection.close(0, '');
    expect(connection.silentMs).toBe(Number.POSITIVE_INFINITY);
    connection.ping();
    await until(() => server.closed !== null);
    expect(connection.silentMs).toBe(Number.POSITIVE_INFINITY);
    connection.ping();
  });

  it('report what they know of their path', async () => {
    await using world = await QuicWorld.start(name);
    const { client } = await world.connect();
    const stats = client.connection.stats();
    expect(stats.rttMs).toBeGreaterThanOrEqual(0);
    expect(stats.packetsSent).toBeGreaterThan(0);
    expect(stats.bytesReceived).toBeGreaterThan(0);
    expect(stats.congestionWindow).toBeGreaterThan(0);
    expect(stats.queuedDatagrams).toBe(0);
    expect(stats.pathMtu).toBeGreaterThanOrEqual(1200);
  });

  it.each(['accept', 'refuse', 'ignore'] as const)(
    'are admitted only when the listener says so: %s',
    async (decision) => {
      await using world = await QuicWorld.start(name, {
        onIncoming: () => decision,
        clientTransport: { handshakeTimeoutMs: 500 },
      });
      const outcome = world.dial();
      if (decision === 'accept') await outcome;
      else expect(await failureCode(outcome)).toBe(decision === 'refuse' ? 'connect-failed' : 'timed-out');
      expect(world.attempts[0]).toMatchObject({ remote: { ip: '127.0.0.1' }, validated: false });
      expect(world.engine.report().counters.refusalsSent > 0).toBe(decision === 'refuse');
      expect(world.engine.report().counters.handshakesStarted).toBe(decision === 'accept' ? 1 : 0);
    },
  );

  it('A4 are admitted after a Retry proved the address', async () => {
    await using world = await QuicWorld.start(name, {
      onIncoming: ({ validated }) => (validated ? 'accept' : 'retry'),
    });
    const client = await world.dial();
    expect(world.attempts.map(({ validated }) => validated)).toEqual([false, true]);
    expect(world.engine.report().counters).toMatchObject({ retriesSent: 1, handshakesStarted: 1 });
    const near = client.open();
    near.stream.write(Buffer.from('after retry'));
    await until(() => world.servers[0]?.streams[0]?.text === 'after retry');
  });

  it('A4 are sent a Retry without asking anyone, above the rate', async () => {
    await using world = await QuicWorld.start(name, { listen: { retryAfterHandshakesPerSec: 5 } });
    await Promise.all(Array.from({ length: 12 }, () => world.dial()));
    expect(world.engine.report().counters.retriesSent).toBeGreaterThan(0);
    expect(world.attempts.some(({ validated }) => validated)).toBe(true);
    expect(world.attempts).toHaveLength(12);
  });

  it('are refused once the listener accepts no more, and the others live on', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    world.listener.stopAccepting();
    expect(await failureCode(world.dial())).toBe('connect-failed');
    client.open().stream.write(Buffer.from('still'));
    await until(() => server.streams[0]?.text === 'still');
  });

  it('need the same application protocol', async () => {
    await using world = await QuicWorld.start(name);
    const transport = { ...testTransport, alpn: 'h3' };
    expect(await failureCode(world.dial({ transport }))).toBe('connect-failed');
    await until(() => world.handshakeFailures.length === 1);
    expect(world.engine.report()).toMatchObject({ connections: 0, counters: { handshakesFailed: 1 } });
  });

  it('A2 that do not finish their handshake in time are given up', async () => {
    await using world = await QuicWorld.start(name, { transport: { handshakeTimeoutMs: 300 } });
    const silent = createSocket('udp4');
    const controller = new AbortController();
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    const hello = once(silent, 'message') as Promise<[Buffer]>;
    const dialling = failureCode(
      world.dial({ remote: { ip: '127.0.0.1', port: silent.address().port }, signal: controller.signal }),
    );
    const [packet] = await hello;
    silent.send(packet, world.listener.address.port, '127.0.0.1');
    await until(() => world.handshakeFailures.length === 1);
    controller.abort();
    expect(await dialling).toBe('cancelled');
    silent.close();
    expect(world.engine.report().connections).toBe(0);
  });

  it('that are under way end with their engine', async () => {
    await using world = await QuicWorld.start(name, { onIncoming: () => 'ignore' });
    const dialling = failureCode(world.dial());
    await until(() => world.attempts.length > 0);
    await world.clientEngine.close();
    expect(['cancelled', 'closed']).toContain(await dialling);
    expect(await failureCode(world.dial())).toBe('closed');
    expect(world.clientEngine.report().connections).toBe(0);
  });

  it('can be given up before they exist', async () => {
    await using world = await QuicWorld.start(name);
    expect(await failureCode(world.dial({ signal: AbortSignal.abort() }))).toBe('cancelled');
  });

  it('A3 are closed when the peer sends too much before it has proved itself', async () => {
    await using world = await QuicWorld.start(name, { transport: { unprovenBytes: 65_536 } });
    const proven = await world.connect();
    proven.server.connection.markProven();
    const unproven = await world.connect();
    for (const { client } of [proven, unproven]) client.open().stream.write(Buffer.alloc(400_000));
    await until(() => unproven.server.closed !== null);
    expect(unproven.server.closed?.kind).toBe('budget');
    await until(() => proven.server.streams[0]?.length === 400_000);
    expect(proven.server.closed).toBeNull();
  });
});
