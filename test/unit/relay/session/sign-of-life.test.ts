import { describe, expect, it } from 'vitest';
import { MemoryRelay } from '../../../support/programs/memory-relay.ts';
import { otherTunnel, pairSecret as secret, pairTunnel as id } from '../../../support/programs/relay-pair.ts';
import type { BindOptions, ScriptedEdge } from '../../../support/peers/scripted-edge.ts';

const tunnels = [id, otherTunnel].map((tunnel) => ({ id: tunnel, bind_secret: secret }));

function start(): Promise<MemoryRelay> {
  return MemoryRelay.start({ config: { require_bind_auth: true, tunnels } });
}

function bound(bed: MemoryRelay, name: string, bind: Partial<BindOptions> = {}): ScriptedEdge {
  const edge = bed.edge(name).bind({ tunnelId: id, direction: 'egress', secret, ...bind });
  bed.run();
  return edge;
}

function answersTo(edge: ScriptedEdge): string[] {
  return edge.messages.slice(1).map((message) => (message.type === 'tunnel_down' ? message.reason : message.type));
}

describe('an authorised bind that a dead leg stands in the way of', () => {
  it('I3 waits a second for its sign of life, then has the place; the dead edge is closed, and events say so', async () => {
    const bed = await start();
    for (const direction of ['ingress', 'egress'] as const) bed.kill(bound(bed, `old ${direction}`, { direction }));
    bed.events.length = 0;
    const fresh = bound(bed, 'new', { protocol: 'tcp' });
    bed.advance(999);
    expect(answersTo(fresh)).toEqual([]);
    bed.advance(1);
    expect(answersTo(fresh)).toEqual(['tunnel_waiting']);
    expect(bed.events.map(({ report }) => [report.message, report.details?.['reason']])).toEqual([
      [expect.stringMatching('Edge connected'), undefined],
      ['Tunnel down: edge disconnected', undefined],
      ['Tunnel leg replaced by a new connection', undefined],
      [expect.stringMatching('Edge disconnected'), 'closed by the relay: no sign of life'],
    ]);
    const peer = bound(bed, 'new peer', { protocol: 'tcp', direction: 'ingress' });
    expect(answersTo(peer)).toEqual(['tunnel_ready']);
  });

  it('lets an edge that crashes all the time in, every time', async () => {
    const bed = await start();
    for (let life = 0; life < 8; life++) {
      const edge = bound(bed, `life ${life}`);
      bed.advance(1000);
      expect(answersTo(edge)).toEqual(['tunnel_waiting']);
      bed.kill(edge);
    }
    expect(bed.eventTexts('leg-held')).toEqual([]);
  });

  it('is decided as soon as the dead edge is closed for another bind', async () => {
    const bed = await start();
    const dead = bound(bed, 'dead', { direction: 'ingress' });
    dead.bind({ tunnelId: otherTunnel, direction: 'ingress', secret });
    bed.kill(dead);
    bound(bed, 'first', { protocol: 'tcp' });
    bed.advance(500);
    const second = bound(bed, 'second', { protocol: 'tcp', tunnelId: otherTunnel });
    bed.advance(500);
    bed.advance(50);
    expect(answersTo(second)).toEqual(['tunnel_waiting']);
  });
});

describe('an authorised bind that a live leg stands in the way of', () => {
  it('is refused as soon as that edge has answered, which goes on undisturbed', async () => {
    const bed = await start();
    const live = bound(bed, 'live', { direction: 'ingress' });
    bed.advance(3000);
    const other = bound(bed, 'other', { protocol: 'tcp' });
    bed.advance(50);
    expect(answersTo(other)).toEqual(['protocol mismatch']);
    bed.advance(2000);
    expect(answersTo(live)).toEqual(['tunnel_waiting']);
    expect(live.closed).toBeNull();
  });

  it('starts the block of that leg only once the edge has answered', async () => {
    const bed = await start();
    for (const name of ['a', 'b']) bed.kill(bound(bed, name));
    const third = bound(bed, 'c');
    const refused = bound(bed, 'd');
    bed.advance(50);
    expect(answersTo(refused)).toEqual(['leg is being replaced too often']);
    bed.kill(third);
    const blocked = bound(bed, 'e');
    bed.advance(1000);
    expect(answersTo(blocked)).toEqual(['tunnel_waiting']);
  });

  it('is bound when the leg is given up meanwhile', async () => {
    const bed = await start();
    const live = bound(bed, 'live', { direction: 'ingress' });
    const other = bound(bed, 'other', { protocol: 'tcp' });
    live.unbind(id);
    bed.advance(50);
    expect(answersTo(other)).toEqual(['tunnel_waiting']);
  });
});

describe('an edge whose bind waits', () => {
  /** A dead leg, and a bind that waits for its sign of life. */
  async function waiting(): Promise<{ bed: MemoryRelay; edge: ScriptedEdge; dead: ScriptedEdge }> {
    const bed = await start();
    const dead = bound(bed, 'dead', { direction: 'ingress' });
    bed.kill(dead);
    return { bed, dead, edge: bound(bed, 'edge', { protocol: 'tcp' }) };
  }

  it('is answered in order', async () => {
    const { bed, edge } = await waiting();
    edge.send({ type: 'ping' }).bind({ tunnelId: otherTunnel, direction: 'egress', secret });
    bed.advance(999);
    expect(answersTo(edge)).toEqual([]);
    bed.advance(1);
    expect(answersTo(edge)).toEqual(['tunnel_waiting', 'pong', 'tunnel_waiting']);
  });

  it('is not sent away for a bind that was refused before', async () => {
    const bed = await start();
    bed.kill(bound(bed, 'dead', { direction: 'ingress' }));
    const edge = bound(bed, 'edge', { tunnelId: otherTunnel, secret: 'f'.repeat(64) });
    edge.bind({ tunnelId: id, direction: 'egress', protocol: 'tcp', secret });
    bed.advance(2000);
    expect(answersTo(edge)).toEqual(['bind authentication failed', 'tunnel_waiting']);
    expect(edge.closed).toBeNull();
  });

  it('takes nothing when it has gone', async () => {
    const { bed, edge } = await waiting();
    const timers = bed.clock.pendingTimers;
    edge.close();
    bed.run();
    expect(bed.clock.pendingTimers).toBe(timers - 2);
    bed.advance(2000);
    expect(bed.relay.report.tunnels()).toMatchObject([{ status: 'waiting_egress', ingress_edge_id: 'dead' }]);
  });

  it('takes nothing when the relay stops', async () => {
    const { bed, edge } = await waiting();
    const stopped = bed.relay.stop(5000);
    bed.advance(2000);
    await stopped;
    bed.run();
    expect(answersTo(edge)).toEqual([]);
    expect(edge.closed).toMatchObject({ reason: 'relay shutting down' });
    expect(bed.clock.pendingTimers).toBe(0);
  });

  it('is refused when its tunnel is revoked meanwhile', async () => {
    const { bed, edge } = await waiting();
    await bed.relay.control.revoke(id);
    bed.advance(1000);
    expect(answersTo(edge)).toEqual(['tunnel revoked']);
  });
});

describe('in permissive mode, a leg in the way', () => {
  it('I3 of an edge that was silent for two keep-alives is taken away at once, otherwise it stays; nobody is asked', async () => {
    const bed = await MemoryRelay.start();
    const silent = bound(bed, 'silent', { direction: 'ingress' });
    bed.kill(silent);
    bed.advance(9999);
    const early = bound(bed, 'early', { protocol: 'tcp' });
    expect(answersTo(early)).toEqual(['protocol mismatch']);
    bed.advance(1);
    const late = bound(bed, 'late', { protocol: 'tcp' });
    expect(answersTo(late)).toEqual(['tunnel_waiting']);
    expect(bed.relay.report.edges().map((edge) => edge.edge_id)).toEqual(['early', 'late']);
  });
});

describe('a bind of a leg that is taken only if it is free', () => {
  it('leaves a live edge its leg, and may ask again on the same connection until that edge has gone', async () => {
    const bed = await start();
    const holder = bound(bed, 'holder');
    const patient = bound(bed, 'patient', { ifFree: true });
    bed.advance(50);
    expect(answersTo(patient)).toEqual(['leg held by a live edge']);
    for (let asked = 0; asked < 20; asked++) {
      bed.advance(5000);
      patient.bind({ tunnelId: id, direction: 'egress', secret, ifFree: true });
      bed.advance(50);
    }
    expect(patient.closed).toBeNull();
    expect(answersTo(patient)).toEqual(Array.from({ length: 21 }, () => 'leg held by a live edge'));
    expect(answersTo(holder)).toEqual(['tunnel_waiting']);
    holder.close();
    bed.run();
    patient.bind({ tunnelId: id, direction: 'egress', secret, ifFree: true });
    bed.run();
    expect(answersTo(patient).at(-1)).toBe('tunnel_waiting');
  });

  it('raises no event, however often it is asked', async () => {
    const bed = await start();
    bound(bed, 'holder');
    bed.events.length = 0;
    const patient = bound(bed, 'patient', { ifFree: true });
    bed.advance(50);
    patient.bind({ tunnelId: id, direction: 'egress', secret, ifFree: true });
    bed.advance(50);
    expect(bed.events.map(({ report }) => report.message)).toEqual([expect.stringMatching('Edge connected')]);
  });

  it('has the place of an edge that does not answer for a second', async () => {
    const bed = await start();
    bed.kill(bound(bed, 'dead'));
    const patient = bound(bed, 'patient', { ifFree: true });
    bed.advance(1000);
    expect(answersTo(patient)).toEqual(['tunnel_waiting']);
  });

  it('is decided by the credential: the wrong one is refused and sent away, as always', async () => {
    const bed = await start();
    bound(bed, 'holder');
    const stranger = bound(bed, 'stranger', { ifFree: true, secret: 'f'.repeat(64) });
    bed.advance(600);
    expect(answersTo(stranger)).toEqual(['bind authentication failed']);
    expect(stranger.closed).not.toBeNull();
  });

  it('on a tunnel that nobody authorised does not let an edge stay that shows nothing', async () => {
    const bed = await MemoryRelay.start({ config: { require_bind_auth: false } });
    bound(bed, 'holder');
    const stranger = bound(bed, 'stranger', { ifFree: true });
    bed.advance(600);
    expect(answersTo(stranger)).toEqual(['leg held by a live edge']);
    expect(stranger.closed).not.toBeNull();
  });
});
