import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { computeBindProof, computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import type { RelayMessage } from '../../../src/protocol/tunnel/control-message.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { ScriptedRelay } from '../../support/peers/scripted-relay.ts';
import { startTestEdge } from '../../support/programs/test-edge.ts';
import { until } from '../../support/until.ts';
import { bindVector, vectorTunnel } from '../../support/samples/vectors.ts';

const clock = new SystemClock();
const tunnelId = knownTunnelId(vectorTunnel.id);
const token = computeBindToken(bindVector.secret, tunnelId, 'egress');
const ready: RelayMessage = { type: 'tunnel_ready', tunnel_id: tunnelId };
const waiting: RelayMessage = { type: 'tunnel_waiting', tunnel_id: tunnelId };
const down = (reason: string): RelayMessage => ({ type: 'tunnel_down', tunnel_id: tunnelId, reason });
const helloAck: RelayMessage = { type: 'hello_ack', protocol_version: 2, software_version: '0.106.0', features: [] };

describe.each(await builtEngines())('an edge over %s, at a relay', (engineName) => {
  const udpTunnel = (relay: ScriptedRelay) =>
    ({ protocol: 'udp', direction: 'egress', relay_addr: relay.addr }) as const;

  it('introduces itself and proves its token when the relay offers a challenge', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'hello') session.say({ ...helloAck, bind_challenge: bindVector.challenge });
        if (message.type === 'tunnel_bind') session.say(waiting);
      },
    });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)], edgeId: 'edge-1' });
    await edge.reaches('waiting');
    const { messages } = await relay.session();
    expect(messages.map(({ type }) => type)).toEqual(['hello', 'identify', 'tunnel_bind']);
    expect(messages[2]).toEqual({
      type: 'tunnel_bind',
      tunnel_id: tunnelId,
      direction: 'egress',
      protocol: 'udp',
      bind_proof: computeBindProof(token, bindVector.challenge, tunnelId, 'egress'),
    });
    expect(edge.events.at(-1)).toMatchObject({
      message: 'Tunnel connected to relay',
      details: { relay_addr: relay.addr, peer: 'absent' },
    });
  });

  it('sends its token to one that answers hello without a challenge, and becomes ready on a uni stream', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'hello') session.say(helloAck);
        if (message.type === 'tunnel_bind') session.sayOnUniStream(ready);
      },
    });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)] });
    await edge.reaches('ready');
    const session = await relay.session();
    expect(await session.received('tunnel_bind')).toMatchObject({ bind_token: token });
    await session.received('ping');
  });

  it('sends its token to one that answers nothing, and waits without end for its peer', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({ engine });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)] });
    const session = await relay.session();
    expect(await session.received('tunnel_bind')).toMatchObject({ bind_token: token });
    session.say(ready);
    await edge.reaches('ready');
    expect(relay.sessions.length).toBe(1);
  });

  it('takes messages about its peer on uni streams for the whole life of the connection', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({ engine });
    await using edge = await startTestEdge({
      engine,
      tunnels: [{ ...udpTunnel(relay), tunnel_bind_secret: undefined }],
    });
    const session = await relay.session();
    await session.received('tunnel_bind');
    // More often than a relay has credit for uni streams: reading them gives it back.
    for (let i = 0; i < 300; i++) {
      session.sayOnUniStream(i % 2 === 0 ? ready : down('peer disconnected'));
      await edge.reaches(i % 2 === 0 ? 'ready' : 'waiting');
    }
    expect(relay.sessions.length).toBe(1);
    const gone = edge.messages().filter((message) => message === 'Tunnel peer disconnected: peer disconnected');
    expect(gone.length).toBe(150);
  });

  it('reads frames that come in pieces, and ignores what it does not know', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({ engine });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)] });
    const session = await relay.session();
    await session.received('tunnel_bind');
    const json = JSON.stringify({ ...ready, later: 1 });
    const frames = [
      '\u0000\u0000\u0000\u0015{"type":"from-later"}',
      '\u0000\u0000\u0000\u0003{x}',
      `\u0000\u0000\u0000${String.fromCharCode(json.length)}${json}`,
    ];
    for (const byte of Buffer.from(frames.join(''), 'latin1')) session.write(Buffer.of(byte));
    await edge.reaches('ready');
  });

  it('comes back after a second when the relay closes, and reports it once', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'hello') session.say(helloAck);
        if (message.type === 'tunnel_bind') session.say(ready);
      },
    });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)] });
    await edge.reaches('ready');
    const closedAtMs = clock.monotonicMs();
    (await relay.session()).connection.close(0, 'disconnected by manager');
    await relay.session(1);
    expect(clock.monotonicMs() - closedAtMs).toBeGreaterThan(700);
    await edge.reaches('ready');
    expect(edge.messages()).toEqual([
      `Tunnel 'test tunnel' started`,
      'Tunnel connected to relay',
      'Tunnel disconnected from relay: disconnected by manager',
      'Tunnel connected to relay',
    ]);
  });

  it('reports a refused bind once, as critical, and tries again with back-off', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'hello') session.say(helloAck);
        if (message.type === 'tunnel_bind') session.say(down('bind authentication failed'));
      },
    });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)] });
    await relay.session(2);
    expect(edge.tunnel().state).toBe('down');
    expect(edge.events.filter(({ severity }) => severity === 'critical')).toEqual([
      expect.objectContaining({ message: 'Tunnel bind rejected by relay: bind authentication failed' }),
    ]);
    expect(edge.log.lines.map(({ fields }) => JSON.stringify(fields)).join()).not.toContain(token);
  });

  it('shows no token to a relay without challenge when proof is required', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'hello') session.say(helloAck);
      },
    });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)], requireBindProof: true });
    const session = await relay.session();
    await until(() => session.closed);
    expect(session.messages.some(({ type }) => type === 'tunnel_bind')).toBe(false);
    expect(edge.messages().at(-1)).toContain('require_bind_proof');
  });

  it('stays connected and quiet when another connection took its leg', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'hello') session.say(helloAck);
        if (message.type === 'tunnel_bind') session.say(ready, down('replaced by a new connection'));
      },
    });
    await using edge = await startTestEdge({ engine, tunnels: [udpTunnel(relay)] });
    await edge.reaches('down');
    expect((await relay.session()).closed).toBeNull();
    expect(edge.messages().at(-1)).toBe('Tunnel disconnected from relay: replaced by a new connection');
  });

  it('starts anew when the relay ends its control stream or loses sync', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await ScriptedRelay.start({ engine });
    await using edge = await startTestEdge({
      engine,
      tunnels: [{ ...udpTunnel(relay), tunnel_bind_secret: undefined }],
    });
    const first = await relay.session();
    await first.received('tunnel_bind');
    first.say(ready);
    await edge.reaches('ready');
    first.endControlStream();
    const second = await relay.session(1);
    await second.received('tunnel_bind');
    second.write(Buffer.from('7fffffff', 'hex'));
    await relay.session(2);
    expect(edge.messages()).toContain('Tunnel disconnected from relay: the relay ended the control stream');
  });

  it('reports a relay that is not there once', async () => {
    await using engine = await openEngine(engineName);
    await using edge = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'udp', direction: 'egress', relay_addr: 'relay.example.com:4433' }],
      resolveHost: () => Promise.reject(new Error('getaddrinfo ENOTFOUND relay.example.com')),
    });
    await until(() => edge.log.messages('debug').includes('relay attempt failed again'));
    expect(edge.messages()).toEqual([
      `Tunnel 'test tunnel' started`,
      'Tunnel connection to relay failed: getaddrinfo ENOTFOUND relay.example.com',
    ]);
    expect(edge.tunnel().state).toBe('connecting');
  });

  it('reports by the words of the system that nothing listens at the address of its relay', async () => {
    await using engine = await openEngine(engineName);
    const tunnels = [{ protocol: 'udp', direction: 'egress', relay_addr: `127.0.0.1:${await freeUdpPort()}` } as const];
    await using edge = await startTestEdge({ engine, tunnels });
    await until(() =>
      edge
        .messages()
        .includes('Tunnel connection to relay failed: no connection: nothing listens there (ECONNREFUSED)'),
    );
  });
});
