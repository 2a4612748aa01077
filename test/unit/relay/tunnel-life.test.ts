import { describe, expect, it } from 'vitest';
import { computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';

const secret = '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f';

const id = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

async function pair(
  protocol: 'tcp' | 'udp',
  features: string[] = [],
): Promise<{ bed: MemoryRelay; ingress: ReturnType<MemoryRelay['edge']>; egress: ReturnType<MemoryRelay['edge']> }> {
  const bed = await MemoryRelay.start();
  const ingress = bed.edge('in', features).bind({ tunnelId: id, direction: 'ingress', protocol });
  bed.run();
  const egress = bed.edge('out', features).bind({ tunnelId: id, direction: 'egress', protocol });
  bed.run();
  return { bed, ingress, egress };
}

describe('a tunnel of two edges', () => {
  it('waits for its second leg and is then ready on both sides', async () => {
    const { bed, ingress, egress } = await pair('udp');
    expect(ingress.messages.map(({ type }) => type)).toEqual(['hello_ack', 'tunnel_waiting', 'tunnel_ready']);
    expect(egress.messages.map(({ type }) => type)).toEqual(['hello_ack', 'tunnel_ready']);
    expect(bed.eventTexts('tunnel-waiting')).toEqual(['Tunnel waiting: Ingress side bound']);
    expect(bed.eventTexts('tunnel-active')).toEqual(['Tunnel active (both sides bound)']);
    expect(bed.relay.report.tunnels()).toMatchObject([
      { tunnel_id: id, status: 'active', ingress_edge_id: 'in', egress_edge_id: 'out', protocol: 'udp' },
    ]);
  });

  it('carries datagrams both ways unchanged and counts them by the leg that sent them', async () => {
    const { bed, ingress, egress } = await pair('udp');
    egress.sendDatagram(id, 'from egress');
    ingress.sendDatagram(id, 'back');
    bed.run();
    expect(ingress.datagrams).toEqual([{ tunnelId: id, payload: Buffer.from('from egress') }]);
    expect(egress.datagrams).toEqual([{ tunnelId: id, payload: Buffer.from('back') }]);
    const [info] = bed.relay.report.tunnels();
    expect(info?.stats).toMatchObject({ bytes_egress: 11, bytes_ingress: 4, udp_datagrams_total: 2 });
  });

  it('carries a stream both ways, with the end of each direction on its own', async () => {
    const { bed, ingress, egress } = await pair('tcp');
    const near = egress.openData(id);
    near.send('request');
    near.finish();
    bed.run();
    const far = ingress.incoming[0];
    expect(far?.text.endsWith('request')).toBe(true);
    expect(far?.ended).toEqual({ kind: 'finished' });
    far?.send('answer');
    bed.run();
    expect(near.text).toBe('answer');
    expect(near.ended).toBeNull();
    far?.finish();
    bed.run();
    expect(near.ended).toEqual({ kind: 'finished' });
    const [info] = bed.relay.report.tunnels();
    expect(info?.stats).toMatchObject({
      bytes_egress: 7,
      bytes_ingress: 6,
      tcp_streams_total: 1,
      tcp_streams_active: 0,
    });
  });

  it('says nothing to an edge of the field whose peer dies, keeps its leg, and goes on when the peer is back', async () => {
    const { bed, ingress, egress } = await pair('udp');
    egress.close();
    bed.run();
    expect(bed.eventTexts('tunnel-down')).toEqual(['Tunnel down: edge disconnected']);
    ingress.sendDatagram(id, 'lost');
    bed.run();
    const back = bed.edge('out').bind({ tunnelId: id, direction: 'egress' });
    bed.run();
    ingress.sendDatagram(id, 'found');
    bed.run();
    expect(ingress.ofType('tunnel_down')).toEqual([]);
    expect(ingress.ofType('tunnel_ready')).toHaveLength(1);
    expect(back.datagrams.map(({ payload }) => payload.toString())).toEqual(['found']);
    expect(bed.relay.report.tunnels()[0]?.drops['no_peer']).toBe(1);
  });

  it('tells an edge that knows peer_state when its peer goes and when it is back', async () => {
    const { bed, ingress, egress } = await pair('udp', ['peer_state']);
    egress.unbind(id);
    bed.run();
    expect(ingress.ofType('tunnel_down')).toEqual([{ type: 'tunnel_down', tunnel_id: id, reason: 'peer unbound' }]);
    egress.bind({ tunnelId: id, direction: 'egress' });
    bed.run();
    expect(ingress.ofType('tunnel_ready')).toHaveLength(2);
    egress.close();
    bed.run();
    expect(ingress.ofType('tunnel_down')[1]?.reason).toBe('peer disconnected');
  });

  it('resets the streams of a leg that goes, and only then frees the tunnel', async () => {
    const { bed, ingress, egress } = await pair('tcp');
    const near = egress.openData(id);
    bed.run();
    ingress.unbind(id);
    bed.run();
    expect(near.ended).toEqual({ kind: 'reset', code: 3 });
    expect(near.stopped).toBe(3);
    expect(ingress.incoming[0]?.ended).toEqual({ kind: 'reset', code: 3 });
    egress.close();
    bed.run();
    expect(bed.relay.report.tunnels()).toEqual([]);
    bed.advance(3000);
    expect(bed.relay.report.totals().total_tcp_streams).toBe(1);
  });
});

describe('a bind', () => {
  it('is refused without authorisation, and the connection is closed when the edge has had time to read why', async () => {
    const bed = await MemoryRelay.start({ config: { require_bind_auth: true } });
    const edge = bed.edge().bind({ tunnelId: id, direction: 'ingress' });
    bed.run();
    expect(edge.ofType('tunnel_down')).toEqual([
      { type: 'tunnel_down', tunnel_id: id, reason: 'tunnel not authorised' },
    ]);
    bed.advance(499);
    expect(edge.closed).toBeNull();
    bed.advance(1);
    expect(edge.closed).toMatchObject({ kind: 'peer-application', code: 0 });
    expect(bed.events.find(({ event }) => event.kind === 'bind-rejected')?.report).toMatchObject({
      message: 'Tunnel bind rejected: invalid token',
      flowId: id,
      details: { direction: 'ingress', reason: 'not-authorised' },
    });
  });

  it('succeeds with the token or the proof of a static tunnel', async () => {
    const bed = await MemoryRelay.start({
      config: { require_bind_auth: true, tunnels: [{ id, bind_secret: secret }] },
    });
    bed.edge('in').bind({ tunnelId: id, direction: 'ingress', secret });
    bed.run();
    bed.edge('out').bind({ tunnelId: id, direction: 'egress', secret, prove: true });
    bed.run();
    expect(bed.relay.report.tunnels()).toMatchObject([{ status: 'active' }]);
  });

  it('after a refused one on the same connection keeps it open', async () => {
    const other = knownTunnelId('00000000-0000-4000-8000-000000000001');
    const bed = await MemoryRelay.start({
      config: { require_bind_auth: true, tunnels: [{ id, bind_secret: secret }] },
    });
    const edge = bed.edge().bind({ tunnelId: other, direction: 'ingress' });
    edge.bind({ tunnelId: id, direction: 'ingress', secret });
    bed.run();
    bed.advance(5000);
    expect(edge.closed).toBeNull();
  });

  it('replaces the leg of another connection when it is authorised, and tells who lost it', async () => {
    const bed = await MemoryRelay.start({ config: { tunnels: [{ id, bind_secret: secret }] } });
    const peer = bed.edge('peer', ['peer_state']).bind({ tunnelId: id, direction: 'ingress', secret });
    const old = bed.edge('old').bind({ tunnelId: id, direction: 'egress', secret });
    bed.run();
    const fresh = bed.edge('new').bind({ tunnelId: id, direction: 'egress', secret });
    bed.run();
    expect(old.ofType('tunnel_down')).toMatchObject([{ reason: 'replaced by a new connection' }]);
    expect(fresh.ofType('tunnel_ready')).toHaveLength(1);
    expect(peer.ofType('tunnel_down')).toEqual([]);
    old.sendDatagram(id, 'late');
    fresh.sendDatagram(id, 'new');
    bed.run();
    expect(peer.datagrams.map(({ payload }) => payload.toString())).toEqual(['new']);
    // As edges in the field do where a tunnel is down. One that was closed for it would come back for its leg.
    old.control.finish();
    bed.advance(20_000);
    expect(old.closed).toBeNull();
    expect(bed.eventTexts('leg-replaced')).toHaveLength(1);
    expect(bed.eventTexts('tunnel-active')).toHaveLength(1);
  });

  it('is refused for 30 s at the third replacement within 30 s', async () => {
    const bed = await MemoryRelay.start({ config: { tunnels: [{ id, bind_secret: secret }] } });
    const rivals = ['a', 'b', 'c', 'd'].map((name) => {
      const edge = bed.edge(name).bind({ tunnelId: id, direction: 'egress', secret });
      bed.advance(1000);
      return edge;
    });
    expect(rivals[3]?.ofType('tunnel_down')).toMatchObject([{ reason: 'leg is being replaced too often' }]);
    bed.advance(28_000);
    const early = bed.edge('e').bind({ tunnelId: id, direction: 'egress', secret });
    bed.advance(2000);
    expect(early.ofType('tunnel_down')).toHaveLength(1);
    const late = bed.edge('f').bind({ tunnelId: id, direction: 'egress', secret });
    bed.run();
    expect(late.ofType('tunnel_waiting')).toHaveLength(1);
  });

  it('is refused in permissive mode while the holder sends packets, and takes the leg when it is silent', async () => {
    const bed = await MemoryRelay.start();
    bed.edge('holder').bind({ tunnelId: id, direction: 'egress' });
    bed.advance(6000);
    const early = bed.edge('early').bind({ tunnelId: id, direction: 'egress' });
    bed.run();
    expect(early.ofType('tunnel_down')).toMatchObject([{ reason: 'leg held by a live edge' }]);
    bed.advance(10_000);
    const late = bed.edge('late').bind({ tunnelId: id, direction: 'egress' });
    bed.run();
    expect(late.ofType('tunnel_waiting')).toHaveLength(1);
  });
});

describe('a manager', () => {
  it('revokes a live tunnel, also in permissive mode, and authorises it again', async () => {
    const { bed, ingress, egress } = await pair('udp');
    const revoked = bed.relay.control.revoke(id);
    bed.run();
    expect(ingress.ofType('tunnel_down')).toMatchObject([{ reason: 'tunnel revoked' }]);
    ingress.sendDatagram(id, 'cut');
    bed.advance(500);
    expect([ingress.closed?.reason, egress.closed?.reason]).toEqual(['tunnel ended', 'tunnel ended']);
    expect(bed.engine.report().counters.unboundSender).toBe(1);
    const again = bed.edge().bind({ tunnelId: id, direction: 'ingress' });
    bed.run();
    expect(again.ofType('tunnel_down')).toMatchObject([{ reason: 'tunnel revoked' }]);
    await revoked;
    const tokens = {
      ingress: computeBindToken(secret, id, 'ingress'),
      egress: computeBindToken(secret, id, 'egress'),
    };
    expect(await bed.relay.control.authorize(id, tokens)).toBe('changed');
    const allowed = bed.edge().bind({ tunnelId: id, direction: 'ingress', secret });
    bed.run();
    expect(allowed.ofType('tunnel_waiting')).toHaveLength(1);
  });
});

describe('stopping', () => {
  it('closes every connection with its reason and no tunnel_down, and leaves no timer', async () => {
    const { bed, ingress, egress } = await pair('udp', ['peer_state']);
    await bed.relay.stop();
    bed.run();
    for (const edge of [ingress, egress]) {
      expect(edge.closed).toMatchObject({ code: 0, reason: 'relay shutting down' });
      expect(edge.ofType('tunnel_down')).toEqual([]);
    }
    expect(bed.eventTexts('tunnel-closed')).toEqual(['Tunnel closed: drained']);
    expect(bed.eventTexts('tunnel-down')).toEqual([]);
    expect(bed.eventTexts('edge-disconnected')).toHaveLength(2);
    expect(bed.clock.pendingTimers).toBe(0);
  });
});
