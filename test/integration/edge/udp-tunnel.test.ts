import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { pause } from '../../support/pause.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import { until } from '../../support/until.ts';

/** An SRT packet: 1316 bytes of transport stream and its 16-byte header. Sealed and with its id it is 1376 bytes. */
const srtPacketBytes = 1316 + 16;

interface UdpTunnel extends AsyncDisposable {
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
  /** Sends into the egress edge. */
  readonly source: LocalUdpSocket;
  /** Where the ingress edge forwards to. */
  readonly sink: LocalUdpSocket;
}

async function openTunnel(engineName: EngineName, ingressChanges: object = {}): Promise<UdpTunnel> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(engineName));
  const source = opening.use(await LocalUdpSocket.open());
  const sink = opening.use(await LocalUdpSocket.open());
  const relay = opening.use(await startAuthorizedRelay(engineName));
  const common = { protocol: 'udp', relay_addr: relay.address } as const;
  const egress = opening.use(await startTestEdge({ engine, tunnels: [{ ...common, direction: 'egress' }] }));
  const ingress = opening.use(
    await startTestEdge({
      engine,
      tunnels: [{ ...common, direction: 'ingress', local_addr: sink.addr, ...ingressChanges }],
    }),
  );
  await egress.reaches('ready');
  await ingress.reaches('ready');
  const stack = opening.move();
  return { egress, ingress, source, sink, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function packet(number: number, bytes = srtPacketBytes): Buffer {
  const payload = Buffer.alloc(bytes, number);
  payload.writeUInt32BE(number);
  return payload;
}

/** Sends numbered packets, few at a time: what has not arrived holds back what follows, so that no queue overflows. */
async function sendPaced(count: number, send: (payload: Buffer) => void, arrived: Buffer[]): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    send(packet(sent));
    await until(() => arrived.length > sent - 16, { what: `packet ${sent - 16} of ${count}; ${arrived.length} came` });
  }
  await until(() => arrived.length === count, { what: `all ${count} packets; ${arrived.length} came` });
}

describe.each(await builtEngines())('a UDP tunnel over %s', (engineName) => {
  it('carries packets of SRT size both ways at the default configuration', async () => {
    await using tunnel = await openTunnel(engineName);
    const { egress, ingress, source, sink } = tunnel;
    await sendPaced(500, (payload) => source.send(payload, egress.port()), sink.received);
    expect(sink.received.map((payload) => payload.readUInt32BE())).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(sink.received.every((payload, i) => payload.equals(packet(i)))).toBe(true);
    await sendPaced(500, (payload) => sink.reply(payload), source.received);
    const sent = { packets_sent: 500, bytes_sent: 500 * srtPacketBytes, send_errors: 0, decrypt_errors: 0 };
    const received = { packets_received: 500, bytes_received: 500 * srtPacketBytes };
    expect(egress.tunnel()).toMatchObject({ stats: { ...sent, ...received }, drops: {} });
    expect(ingress.tunnel()).toMatchObject({ stats: { ...sent, ...received }, drops: {} });
  });

  it('counts and reports a packet that does not fit', async () => {
    await using tunnel = await openTunnel(engineName);
    const { egress, source, sink } = tunnel;
    source.send(packet(1, 1500), egress.port());
    source.send(packet(2), egress.port());
    await until(() => sink.received.length === 1);
    expect(egress.tunnel().drops).toEqual({ too_large: 1 });
    await until(() => egress.messages().includes('Datagrams dropped: too_large'));
    expect(egress.events.at(-1)).toMatchObject({
      severity: 'warning',
      details: { reason: 'too_large', count: 1, window: 60 },
    });
  });

  it('answers whoever sent last', async () => {
    await using tunnel = await openTunnel(engineName);
    const { egress, source, sink } = tunnel;
    await using second = await LocalUdpSocket.open();
    source.send(packet(1), egress.port());
    await until(() => sink.received.length === 1);
    sink.reply(packet(2));
    await until(() => source.received.length === 1);
    second.send(packet(3), egress.port());
    await until(() => sink.received.length === 2);
    sink.reply(packet(4));
    await until(() => second.received.length === 1);
    expect(source.received.length).toBe(1);
  });

  it('reports that several programs send to its port, and that it is over, but nothing of one that moved', async () => {
    await using tunnel = await openTunnel(engineName);
    const { egress, source } = tunnel;
    await using second = await LocalUdpSocket.open();
    source.send(packet(1), egress.port());
    second.send(packet(2), egress.port());
    const words = `several programs send to 127.0.0.1:${egress.port()}: answers go to the one that sent last`;
    const reasons = (): string => egress.edge.health().reasons.join('\n');
    await until(() => egress.tunnel().stats.packets_sent === 2);
    await pause(600);
    expect(reasons()).toBe('');
    await until(() => {
      source.send(packet(3), egress.port());
      second.send(packet(4), egress.port());
      return reasons().includes(words);
    });
    const event = `Several programs send to 127.0.0.1:${egress.port()}: answers go to the one that sent last`;
    expect(egress.messages().filter((message) => message === event)).toHaveLength(1);
    await until(() => reasons() === '', { what: 'ten seconds with one sender' });
  });

  it('drops what is not sealed with its key, and reports it', async () => {
    await using tunnel = await openTunnel(engineName, { tunnel_encryption_key: 'ff'.repeat(32) });
    const { egress, ingress, source, sink } = tunnel;
    source.send(packet(1), egress.port());
    await until(() => ingress.tunnel().stats.decrypt_errors === 1);
    await until(() => ingress.messages().includes('Datagrams dropped: not_authentic'));
    expect(sink.received).toEqual([]);
  });

  it('goes on when nobody listens at the local address for a while', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    const gone = await LocalUdpSocket.open();
    const { addr: goneAddr } = gone;
    await gone[Symbol.asyncDispose]();
    await using source = await LocalUdpSocket.open();
    const common = { protocol: 'udp', relay_addr: relay.address } as const;
    await using egress = await startTestEdge({ engine, tunnels: [{ ...common, direction: 'egress' }] });
    await using ingress = await startTestEdge({
      engine,
      tunnels: [{ ...common, direction: 'ingress', local_addr: goneAddr }],
    });
    await egress.reaches('ready');
    await until(() => {
      source.send(packet(1), egress.port());
      return ingress.tunnel().stats.send_errors > 0;
    });
    expect(ingress.tunnel().state).toBe('ready');
  });

  it('counts what is sent while the peer is away', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using source = await LocalUdpSocket.open();
    await using egress = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'udp', direction: 'egress', relay_addr: relay.address }],
    });
    await egress.reaches('waiting');
    source.send(packet(1), egress.port());
    await until(() => egress.tunnel().drops['no_relay'] === 1);
    expect(egress.tunnel().stats.packets_sent).toBe(0);
  });
});
