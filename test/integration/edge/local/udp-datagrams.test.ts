import { describe, expect, it } from 'vitest';
import { PayloadCipher } from '../../../../src/edge/local/payload-cipher.ts';
import { SystemRandom } from '../../../../src/lib/random.ts';
import type { Direction } from '../../../../src/protocol/tunnel/leg.ts';
import { tunnelIdToBytes } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import type { EngineName } from '../../../../src/quic/engine-report.ts';
import { LocalUdpSocket } from '../../../support/peers/local-udp.ts';
import { ScriptedRelay, type ScriptedSession } from '../../../support/peers/scripted-relay.ts';
import { builtEngines } from '../../../support/programs/engines.ts';
import { openEngine } from '../../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../../support/programs/test-edge.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { sealVector, vectorTunnel } from '../../../support/samples/vectors.ts';
import { until } from '../../../support/until.ts';

const tunnelId = knownTunnelId(vectorTunnel.id);
const prefix = tunnelIdToBytes(tunnelId);
const cipher = new PayloadCipher(new SystemRandom(), Buffer.from(sealVector.keyHex, 'hex'), prefix);

interface Scene extends AsyncDisposable {
  readonly edge: TestEdge;
  readonly session: ScriptedSession;
  /** Sends to the egress edge, or listens where the ingress edge forwards to. */
  readonly program: LocalUdpSocket;
}

async function openScene(engineName: EngineName, direction: Direction): Promise<Scene> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(engineName));
  const program = opening.use(await LocalUdpSocket.open());
  const relay = opening.use(
    await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'tunnel_bind') session.say({ type: 'tunnel_ready', tunnel_id: tunnelId });
      },
    }),
  );
  const local = direction === 'ingress' ? { local_addr: program.addr } : {};
  const tunnel = {
    protocol: 'udp',
    direction,
    relay_addr: relay.addr,
    tunnel_bind_secret: undefined,
    ...local,
  } as const;
  const edge = opening.use(await startTestEdge({ engine, tunnels: [tunnel] }));
  await edge.reaches('ready');
  const session = await relay.session();
  const stack = opening.move();
  return { edge, session, program, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function incoming({ edge }: TestEdge) {
  const [report] = edge.tunnelReports();
  if (report === undefined) throw new Error('the edge has no tunnel');
  return report.incoming;
}

function sealed(text: string): Buffer {
  return Buffer.from(cipher.sealDatagram(Buffer.from(text)));
}

function changedAt(datagram: Buffer, at: number): Buffer {
  const changed = Buffer.from(datagram);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}

describe.each(await builtEngines())('the datagrams of an edge over %s', (engineName) => {
  it('bear the tunnel id and are sealed, each with a nonce of its own', async () => {
    await using scene = await openScene(engineName, 'egress');
    const { edge, session, program } = scene;
    for (const text of ['same', 'same', '']) program.send(Buffer.from(text), edge.port());
    await until(() => session.datagrams.length === 3);
    const opened = session.datagrams.map((datagram) => Buffer.from(cipher.openDatagram(datagram) ?? 'none').toString());
    expect(opened).toEqual(['same', 'same', '']);
    expect(session.datagrams.every((datagram) => datagram.subarray(0, 16).equals(prefix))).toBe(true);
    const nonces = session.datagrams.map((datagram) => datagram.subarray(16, 28).toString('hex'));
    expect(new Set(nonces).size).toBe(3);
    expect(edge.tunnel().stats).toMatchObject({ packets_sent: 3, bytes_sent: 8 });
  });

  it('that a relay sends are delivered when they are the tunnel’s and sealed with its key, and counted when not', async () => {
    await using scene = await openScene(engineName, 'ingress');
    const { edge, session, program } = scene;
    const good = sealed('good');
    const bad = [
      changedAt(good, 0),
      good.subarray(0, 16),
      good.subarray(0, 16 + 27),
      changedAt(good, 16),
      changedAt(good, 28),
      changedAt(good, good.length - 1),
      Buffer.concat([good, Buffer.alloc(1)]),
      Buffer.concat([prefix, Buffer.alloc(1000)]),
    ];
    for (const datagram of [good, ...bad, sealed(''), sealed('last')]) session.connection.sendDatagram(datagram);
    await until(() => program.received.length === 3);
    expect(program.received.map(String)).toEqual(['good', '', 'last']);
    expect(incoming(edge)).toEqual({
      datagrams_in: 11,
      datagrams_out: 3,
      drops: { wrong_tunnel: 1, not_authentic: 7 },
    });
    expect(edge.tunnel().stats).toMatchObject({ packets_received: 3, bytes_received: 8, decrypt_errors: 7 });
  });

  it('that come before a local program has sent anything are counted, and the program is answered once it has', async () => {
    await using scene = await openScene(engineName, 'egress');
    const { edge, session, program } = scene;
    session.connection.sendDatagram(sealed('early'));
    await until(() => incoming(edge).drops['no_local_peer'] === 1);
    program.send(Buffer.from('hello'), edge.port());
    await until(() => session.datagrams.length === 1);
    session.connection.sendDatagram(sealed('answer'));
    await until(() => program.received.length === 1);
    expect(program.received.map(String)).toEqual(['answer']);
    expect(incoming(edge)).toEqual({ datagrams_in: 2, datagrams_out: 1, drops: { no_local_peer: 1 } });
  });

  it('are counted while no relay has the peer, and leave again when one has', async () => {
    await using scene = await openScene(engineName, 'egress');
    const { edge, session, program } = scene;
    session.say({ type: 'tunnel_down', tunnel_id: tunnelId, reason: 'peer disconnected' });
    await edge.reaches('waiting');
    for (let sent = 0; sent < 5; sent++) program.send(Buffer.from('lost'), edge.port());
    await until(() => edge.tunnel().drops['no_relay'] === 5);
    session.say({ type: 'tunnel_ready', tunnel_id: tunnelId });
    await edge.reaches('ready');
    program.send(Buffer.from('found'), edge.port());
    await until(() => session.datagrams.length === 1);
    expect(edge.tunnel().stats.packets_sent).toBe(1);
  });

  it('wait for no local address that is taken: the tunnel says so and starts when it is free', async () => {
    await using engine = await openEngine(engineName);
    const taken = await LocalUdpSocket.open();
    const tunnel = { protocol: 'udp', direction: 'egress', relay_addr: '127.0.0.1:9', local_addr: taken.addr } as const;
    await using edge = await startTestEdge({ engine, tunnels: [tunnel] });
    expect(edge.messages()[0]).toMatch(/^Tunnel 'test tunnel' failed: cannot bind UDP .*EADDRINUSE/u);
    await taken[Symbol.asyncDispose]();
    await edge.reaches('connecting');
  });
});
