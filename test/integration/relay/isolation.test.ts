import { describe, expect, it } from 'vitest';
import { computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import { encodeStreamHeader } from '../../../src/protocol/tunnel/stream-header.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { HostileEdge, type HostileBind } from '../../support/hostile/hostile-edge.ts';
import { MemoryFileSystem } from '../../support/fakes/memory-file-system.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { bindPair, openStream, otherTunnel, pairSecret, pairTunnel } from '../../support/programs/relay-pair.ts';
import { startTestRelay, type TestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

const authorized = { require_bind_auth: true, tunnels: [{ id: pairTunnel, bind_secret: pairSecret }] };

/** An edge that has bound and is then killed: it says nothing any more, not even goodbye. */
async function killedEdge(bed: TestRelay, bind: HostileBind): Promise<void> {
  const edge = await HostileEdge.bound({ remote: bed.remote }, bind);
  edge.connection.vanish();
  await edge[Symbol.asyncDispose]();
}

const resetByRelay = (code: number): unknown => ({ kind: 'reset', code });

describe.each(await builtEngines())('isolation over %s', (engine) => {
  it('I1 a connection without a leg gets nothing into a tunnel, by datagram or stream, and is counted', async () => {
    await using bed = await startTestRelay({ engine });
    const udp = await bindPair(bed);
    const tcp = await bindPair(bed, { tunnelId: otherTunnel, protocol: 'tcp' });
    const stranger = await bed.edge('stranger');
    for (let n = 0; n < 20; n++) stranger.sendDatagram(pairTunnel, 'strange');
    const stream = stranger.openData(otherTunnel);
    stream.send('strange');
    expect(await stream.expectEnd()).toEqual(resetByRelay(2));
    expect(await stream.expectStopped()).toBe(2);
    await until(() => bed.engine.report().counters.unboundSender === 20, { what: '20 counted datagrams' });
    udp.egress.sendDatagram(pairTunnel, 'own');
    await until(() => udp.ingress.datagrams.length > 0, { what: 'the datagram of the leg' });
    expect(udp.ingress.datagrams.map(({ payload }) => payload.toString())).toEqual(['own']);
    expect(tcp.ingress.incoming).toEqual([]);
    expect(bed.relay.report.unboundSender()).toBe(21);
  });

  it('I1 a datagram under 16 bytes is counted as malformed', async () => {
    await using bed = await startTestRelay({ engine });
    const edge = await bed.edge();
    edge.connection.sendDatagram(Buffer.alloc(15));
    await until(() => bed.engine.report().counters.malformed === 1, { what: 'the malformed datagram' });
  });

  it.each(['unbound', 'replaced', 'revoked', 'closed'] as const)(
    'I2 a leg that was %s is cut off at once',
    async (how) => {
      await using bed = await startTestRelay({ engine, config: authorized });
      const pair = await bindPair(bed, { protocol: 'tcp', secret: pairSecret });
      const { near, far } = await openStream(pair);
      if (how === 'unbound') pair.egress.unbind(pairTunnel);
      if (how === 'revoked') await bed.relay.control.revoke(pairTunnel);
      if (how === 'closed') bed.relay.control.closeTunnel(pairTunnel);
      if (how === 'replaced') {
        const next = await bed.edge('next');
        next.bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp', secret: pairSecret });
        await next.expect('tunnel_ready');
      }
      expect(await near.expectEnd()).toEqual(resetByRelay(3));
      expect(await far.expectEnd()).toEqual(resetByRelay(3));
      const late = pair.egress.openData(pairTunnel);
      expect(await late.expectEnd()).toEqual(resetByRelay(2));
      pair.egress.sendDatagram(pairTunnel, 'late');
      await until(() => bed.engine.report().counters.unboundSender === 1, { what: 'the late datagram' });
    },
  );

  it('I3 a bind with a valid token replaces a live leg, which gets a message; its connection stays open', async () => {
    await using bed = await startTestRelay({ engine, config: authorized });
    const pair = await bindPair(bed, { secret: pairSecret, features: ['peer_state'] });
    const next = await bed.edge('next');
    next.bind({ tunnelId: pairTunnel, direction: 'egress', secret: pairSecret });
    await next.expect('tunnel_ready');
    expect((await pair.egress.expect('tunnel_down')).reason).toBe('replaced by a new connection');
    const { report } = await bed.expectEvent('leg-replaced');
    expect(report).toMatchObject({
      severity: 'warning',
      flowId: pairTunnel,
      details: { direction: 'egress', old_edge_id: 'out', new_edge_id: 'next' },
    });
    next.sendDatagram(pairTunnel, 'new');
    await until(() => pair.ingress.datagrams.length === 1, { what: 'a datagram of the new leg' });
    expect(pair.ingress.ofType('tunnel_down')).toEqual([]);
    pair.egress.send({ type: 'ping' });
    await pair.egress.expect('pong');
  });

  it('I3 the third replacement within 30 s is refused', async () => {
    await using bed = await startTestRelay({ engine, config: authorized });
    const bind = { tunnelId: pairTunnel, direction: 'egress', secret: pairSecret } as const;
    for (let n = 0; n < 3; n++) await (await bed.edge(`edge ${n}`)).bind(bind).expect('tunnel_waiting');
    const fourth = (await bed.edge('fourth')).bind(bind);
    expect((await fourth.expect('tunnel_down')).reason).toBe('leg is being replaced too often');
    expect((await bed.expectEvent('leg-held')).report.details).toMatchObject({ reason: 'replaced-too-often' });
  });

  it('I3 an edge that is killed again and again has its leg back each time', async () => {
    await using bed = await startTestRelay({ engine, config: authorized });
    const bind = { tunnelId: pairTunnel, direction: 'egress', protocol: 'udp', secret: pairSecret } as const;
    for (let life = 0; life < 5; life++) await killedEdge(bed, bind);
    const last = (await bed.edge('last')).bind(bind);
    await last.expect('tunnel_waiting');
    expect(bed.eventsOf('leg-held')).toEqual([]);
    const ends = bed.eventsOf('edge-disconnected').map(({ report }) => report.details?.['reason']);
    expect(ends).toEqual(['closed by the relay: no sign of life']);
  });

  it('I3 without authorisation a live holder keeps its leg, and may bind it again itself', async () => {
    await using bed = await startTestRelay({ engine });
    const holder = await bed.edge('holder');
    holder.bind({ tunnelId: pairTunnel, direction: 'egress' });
    await holder.expect('tunnel_waiting');
    const rival = await bed.edge('rival');
    rival.bind({ tunnelId: pairTunnel, direction: 'egress' });
    expect((await rival.expect('tunnel_down')).reason).toBe('leg held by a live edge');
    expect((await bed.expectEvent('leg-held')).report.details).toMatchObject({ holder_edge_id: 'holder' });
    holder.bind({ tunnelId: pairTunnel, direction: 'egress' });
    await holder.expect('tunnel_waiting', 2);
  });

  it('I4 revoke and authorise act on live legs, and a revoked tunnel stays refused in permissive mode', async () => {
    await using bed = await startTestRelay({ engine });
    const pair = await bindPair(bed);
    await bed.relay.control.revoke(pairTunnel);
    expect((await pair.ingress.expect('tunnel_down')).reason).toBe('tunnel revoked');
    await Promise.all([pair.ingress.expectClosed(), pair.egress.expectClosed()]);
    const refused = (await bed.edge()).bind({ tunnelId: pairTunnel, direction: 'ingress' });
    expect((await refused.expect('tunnel_down')).reason).toBe('tunnel revoked');
    const tokens = (secret: string): { ingress: string; egress: string } => ({
      ingress: computeBindToken(secret, pairTunnel, 'ingress'),
      egress: computeBindToken(secret, pairTunnel, 'egress'),
    });
    await bed.relay.control.authorize(pairTunnel, tokens(pairSecret));
    const again = await bindPair(bed, { secret: pairSecret });
    await bed.relay.control.authorize(pairTunnel, tokens(pairSecret));
    again.egress.sendDatagram(pairTunnel, 'undisturbed');
    await until(() => again.ingress.datagrams.length === 1, { what: 'a datagram after identical tokens' });
    await bed.relay.control.authorize(pairTunnel, tokens('f'.repeat(64)));
    expect((await again.egress.expect('tunnel_down')).reason).toBe('bind authentication failed');
    await again.egress.expectClosed();
  });

  it('I5 authorisations and revocations survive a restart', async () => {
    const fileSystem = new MemoryFileSystem();
    const tokens = { ingress: 'a'.repeat(64), egress: 'b'.repeat(64) };
    {
      await using first = await startTestRelay({ engine, config: authorized, fileSystem });
      await first.relay.control.authorize(otherTunnel, tokens);
      await first.relay.control.revoke(pairTunnel);
    }
    expect([...fileSystem.files.values()].map(({ mode }) => mode)).toEqual([0o600]);
    await using second = await startTestRelay({ engine, config: authorized, fileSystem });
    const edge = await second.edge();
    edge.bind({ tunnelId: otherTunnel, direction: 'egress', token: tokens.egress });
    await edge.expect('tunnel_waiting');
    edge.bind({ tunnelId: pairTunnel, direction: 'egress', secret: pairSecret });
    expect((await edge.expect('tunnel_down')).reason).toBe('tunnel revoked');
  });

  it('I6 protocol and direction are enforced', async () => {
    await using bed = await startTestRelay({ engine });
    const udp = await bindPair(bed, { protocol: 'udp' });
    const tcp = await bindPair(bed, { tunnelId: otherTunnel, protocol: 'tcp' });
    expect(await udp.egress.openData(pairTunnel).expectEnd()).toEqual(resetByRelay(5));
    expect(await tcp.ingress.openData(otherTunnel).expectEnd()).toEqual(resetByRelay(5));
    const uni = tcp.egress.connection.openUni();
    uni?.write(encodeStreamHeader(otherTunnel));
    tcp.egress.sendDatagram(otherTunnel, 'not for streams');
    const drops = (): unknown => bed.relay.report.tunnel(otherTunnel)?.info.drops['wrong_protocol'];
    await until(() => drops() === 1, { what: 'the drop' });
    expect(tcp.ingress.datagrams).toEqual([]);
    expect(tcp.ingress.incoming).toEqual([]);
  });

  it('I6 legs of different protocols do not pair, and one connection never holds both', async () => {
    await using bed = await startTestRelay({ engine });
    const holder = await bed.edge('holder');
    holder.bind({ tunnelId: pairTunnel, direction: 'ingress', protocol: 'udp' });
    await holder.expect('tunnel_waiting');
    const other = (await bed.edge('other')).bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    expect((await other.expect('tunnel_down')).reason).toBe('protocol mismatch');
    holder.bind({ tunnelId: pairTunnel, direction: 'egress' });
    expect((await holder.expect('tunnel_down')).reason).toBe('both legs on one connection');
    expect(bed.relay.report.tunnels()).toMatchObject([{ status: 'waiting_egress' }]);
  });

  it('I6 a leg of another protocol keeps nobody out when its edge is dead', async () => {
    await using bed = await startTestRelay({ engine, config: authorized });
    const bind = { tunnelId: pairTunnel, secret: pairSecret } as const;
    await killedEdge(bed, { ...bind, direction: 'ingress', protocol: 'udp' });
    await killedEdge(bed, { ...bind, direction: 'egress', protocol: 'udp' });
    await bindPair(bed, { protocol: 'tcp', secret: pairSecret });
  });

  it('I7 no token, proof or secret is logged, raised or reported', async () => {
    const logger = new RecordingLogger();
    await using bed = await startTestRelay({ engine, config: authorized, logger });
    const token = computeBindToken(pairSecret, pairTunnel, 'ingress');
    await bindPair(bed, { secret: pairSecret });
    const bad = (await bed.edge()).bind({ tunnelId: pairTunnel, direction: 'ingress', token: 'f'.repeat(64) });
    await bad.expect('tunnel_down');
    const prover = (await bed.edge()).bind({
      tunnelId: pairTunnel,
      direction: 'ingress',
      secret: pairSecret,
      prove: true,
    });
    await prover.expect('tunnel_ready');
    const shown = JSON.stringify([
      logger.lines,
      bed.events,
      bed.relay.report.totals(),
      bed.relay.report.tunnelDetails(),
      bed.relay.policy.authorizedTunnels(),
      bed.relay.refusals.list(),
    ]);
    for (const secret of [pairSecret, token, 'f'.repeat(64), prover.challenge]) expect(shown).not.toContain(secret);
  });
});
