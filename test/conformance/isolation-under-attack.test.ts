import { describe, expect, it } from 'vitest';
import { streamCode } from '../../src/protocol/tunnel/close-code.ts';
import { encodeStreamHeader } from '../../src/protocol/tunnel/stream-header.ts';
import { tunnelIdToBytes } from '../../src/protocol/tunnel/tunnel-id.ts';
import { tunnelDownReason } from '../../src/protocol/tunnel/tunnel-down-reason.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { AttackedRelay, ownSecret, victimTunnel } from '../support/hostile/attacked-relay.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { PacketForge } from '../support/hostile/packet-forge.ts';
import { frames } from '../support/hostile/quic-frames.ts';
import { until } from '../support/until.ts';

const evil = Buffer.from('evil bytes that nobody asked for');

/** Proves that everything sent before has been looked at: datagrams of one connection keep their order on loopback. */
async function nothingArrived(at: AttackedRelay, refused: number): Promise<void> {
  await until(() => at.unboundSender >= refused, { what: `${refused} refused datagrams` });
  at.egress.sendDatagram(victimTunnel, 'honest');
  await until(() => at.ingress.datagrams.length > 0);
  expect(at.ingress.datagrams.map(({ payload }) => payload.toString())).toEqual(['honest']);
  expect(at.egress.datagrams).toEqual([]);
}

describe.each(await builtEngines())('a tunnel of a relay over %s that is attacked', (engine) => {
  it('I1 gets no datagram of an unbound peer that has its id, bound elsewhere or not', async () => {
    await using at = await AttackedRelay.start(engine);
    await using stranger = await HostileEdge.connect({ remote: at.remote });
    await using tenant = await HostileEdge.bound({ remote: at.remote }, at.ownBind());
    for (let i = 0; i < 20; i++) {
      stranger.sendDatagram(victimTunnel, evil);
      tenant.sendDatagram(victimTunnel, evil);
    }
    await nothingArrived(at, 40);
    expect(at.unboundSender).toBe(40);
  });

  it('I1 gets no forged datagram, whichever form its frame has', async () => {
    await using at = await AttackedRelay.start(engine);
    await using forge = await PacketForge.connect({ remote: at.remote });
    const datagram = Buffer.concat([tunnelIdToBytes(victimTunnel), evil]);
    forge.send(frames.datagram(datagram));
    forge.send(frames.datagram(datagram), frames.datagram(datagram), frames.ping());
    await nothingArrived(at, 3);
  });

  it('I1 gets no stream of an unbound peer, which learns only that the leg is not its own', async () => {
    await using at = await AttackedRelay.start(engine, 'tcp');
    await using stranger = await HostileEdge.connect({ remote: at.remote });
    await using tenant = await HostileEdge.bound({ remote: at.remote }, at.ownBind('egress', 'tcp'));
    for (const attacker of [stranger, tenant]) {
      const id = attacker.openDataStream(victimTunnel);
      attacker.connection.write(id, evil);
      await until(() => attacker.connection.streams.endOf(id) !== null);
      expect(attacker.connection.streams.endOf(id)).toEqual({ reset: streamCode.notALeg });
    }
    expect(at.ingress.incoming).toEqual([]);
  });

  it('I1 is not opened by a wrong token, nor by a proof made for another connection', async () => {
    await using at = await AttackedRelay.start(engine);
    await using guess = await HostileEdge.connect({ remote: at.remote });
    guess.hello();
    const answer = await guess.bind({ ...at.victimBind(), secret: ownSecret });
    expect(answer).toMatchObject({ type: 'tunnel_down', reason: tunnelDownReason.bindAuthenticationFailed });
    expect(await guess.connection.closedByRelay()).toBe('bind refused');

    await using victim = await HostileEdge.connect({ remote: at.remote });
    await using thief = await HostileEdge.connect({ remote: at.remote });
    victim.hello();
    thief.hello();
    await victim.heard('hello_ack');
    // What the victim would send is sent by the thief instead, as by someone who read it on the way.
    victim.say = (message) => thief.say(message);
    await victim.sendBind({ ...at.victimBind(), prove: true });
    const refusal = await thief.heard('tunnel_down');
    expect(refusal.reason).toBe(tunnelDownReason.bindAuthenticationFailed);
    expect(at.ingress.closed).toBeNull();
  });

  it('I2 carries nothing more of a leg from the moment that another connection has taken it', async () => {
    await using at = await AttackedRelay.start(engine, 'tcp');
    await using old = await HostileEdge.bound({ remote: at.remote }, at.victimBind('egress', 'tcp'));
    const id = old.openDataStream(victimTunnel);
    old.connection.write(id, Buffer.from('before'));
    const [far] = await until(() => at.ingress.incoming.length > 0 && at.ingress.incoming);
    await until(() => far?.text.endsWith('before'));

    await using taker = await HostileEdge.bound({ remote: at.remote }, at.victimBind('egress', 'tcp'));
    old.connection.write(id, evil);
    await until(() => far?.ended);
    expect(far?.ended).toEqual({ kind: 'reset', code: streamCode.legGone });
    expect(far?.text).not.toContain('evil');
    const late = old.openDataStream(victimTunnel);
    await until(() => old.connection.streams.endOf(late) !== null);
    expect(old.connection.streams.endOf(late)).toEqual({ reset: streamCode.notALeg });
    expect(old.connection.isClosed).toBe(false);
    expect(taker.connection.isClosed).toBe(false);
  });

  it('I2 counts datagrams of an unbound leg as those of an unbound sender', async () => {
    await using at = await AttackedRelay.start(engine);
    await using leg = await HostileEdge.bound({ remote: at.remote }, at.victimBind());
    leg.sendDatagram(victimTunnel, Buffer.from('while bound'));
    await until(() => at.ingress.datagrams.length === 1);
    leg.say({ type: 'tunnel_unbind', tunnel_id: victimTunnel });
    leg.say({ type: 'ping' });
    await leg.heard('pong');
    for (let i = 0; i < 10; i++) leg.sendDatagram(victimTunnel, evil);
    await until(() => at.unboundSender === 10);
    expect(at.ingress.datagrams).toHaveLength(1);
  });

  it('I3 does not change hands for ever between two edges with one token', async () => {
    await using at = await AttackedRelay.start(engine);
    const edges: HostileEdge[] = [];
    const answers: string[] = [];
    try {
      for (let i = 0; i < 5; i++) {
        const edge = await HostileEdge.connect({ remote: at.remote });
        edges.push(edge);
        edge.hello();
        const answer = await edge.bind(at.victimBind());
        answers.push(answer.type === 'tunnel_down' ? answer.reason : answer.type);
      }
    } finally {
      for (const edge of edges) await edge[Symbol.asyncDispose]();
    }
    expect(answers).toEqual([
      'tunnel_ready',
      'tunnel_ready',
      ...Array.from({ length: 3 }, () => tunnelDownReason.replacedTooOften),
    ]);
  });

  it('I6 resets streams of the wrong direction or protocol, and streams that never say where to', async () => {
    await using at = await AttackedRelay.start(engine, 'tcp', { limits: { stream_header_timeout_secs: 0.2 } });
    await using ingress = await HostileEdge.bound({ remote: at.remote }, at.victimBind('ingress', 'tcp'));
    await using udp = await HostileEdge.bound({ remote: at.remote }, at.ownBind('egress', 'udp'));
    const cases = [
      [ingress, ingress.openDataStream(victimTunnel), streamCode.wrongProtocolOrDirection],
      [udp, udp.openDataStream(at.ownBind().tunnelId), streamCode.wrongProtocolOrDirection],
      [udp, openWith(udp, Buffer.from([0xff, 0xff, 0xff, 0xff])), streamCode.badStreamHeader],
      [udp, openWith(udp, Buffer.from('0000000a{"tunnel_i', 'latin1')), streamCode.badStreamHeader],
      [udp, openWith(udp, encodeStreamHeader(victimTunnel).subarray(0, 20)), streamCode.badStreamHeader],
    ] as const;
    for (const [edge, id, code] of cases) {
      await until(() => edge.connection.streams.endOf(id) !== null);
      expect(edge.connection.streams.endOf(id)).toEqual({ reset: code });
    }
    await until(() => at.bed.relay.report.totals().active_tcp_streams === 0);
  });
});

function openWith(edge: HostileEdge, bytes: Buffer): number {
  const id = edge.connection.streams.nextBidi();
  edge.connection.write(id, bytes);
  return id;
}
