import { describe, expect, it } from 'vitest';
import { encodeStreamHeader } from '../../../src/protocol/tunnel/stream-header.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { bindPair, openStream, otherTunnel, pairTunnel } from '../../support/programs/relay-pair.ts';
import type { ScriptedEdge } from '../../support/peers/scripted-edge.ts';
import { startTestRelay, type TestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

const deadlines = {
  control_stream_timeout_secs: 0.2,
  first_bind_timeout_secs: 0.4,
  stream_header_timeout_secs: 0.2,
};

/** A length prefix and as much of the frame as `sent` says. */
function frame(length: number, sent = 0): Buffer {
  const bytes = Buffer.alloc(4 + sent, ' ');
  bytes.writeUInt32BE(length);
  return bytes;
}

async function dialMany(bed: TestRelay, count: number): Promise<ScriptedEdge[]> {
  const edges: ScriptedEdge[] = [];
  for (let n = 0; n < count; n++) edges.push(await bed.dial());
  return edges;
}

describe.each(await builtEngines())('admission over %s', (engine) => {
  it('A1 by default connection 65 of one address is refused with its reason, and reported once', async () => {
    await using bed = await startTestRelay({ engine });
    const edges = await dialMany(bed, 65);
    const refused = edges.at(-1);
    expect(await refused?.expectClosed()).toMatchObject({ code: 0, reason: 'per-ip connection cap exceeded' });
    expect(edges.slice(0, 64).every(({ closed }) => closed === null)).toBe(true);
    const { report } = await bed.expectEvent('per-ip-cap-exceeded');
    expect(report).toMatchObject({
      message: 'Connection rejected: per-IP cap exceeded (64 active from 127.0.0.1)',
      details: { error_code: 'relay_dos_suspect', remote_ip: '127.0.0.1', active_connections: 64, cap: 64 },
    });
    edges[0]?.close();
    await until(() => bed.relay.report.totals().connections_total >= 64);
    await until(async () => (await bed.dial()).closed === null, { what: 'a place that was given back' });
  });

  it('A1 the total of connections, binds and streams is capped', async () => {
    const limits = { max_connections: 3, max_bidi_streams: 4, max_open_streams: 2 };
    await using bed = await startTestRelay({ engine, config: { max_tunnels_per_connection: 1, limits } });
    const pair = await bindPair(bed, { protocol: 'tcp' });
    pair.egress.bind({ tunnelId: otherTunnel, direction: 'egress' });
    expect((await pair.egress.expect('tunnel_down')).reason).toBe('per-connection tunnel limit exceeded');
    expect((await bed.expectEvent('bind-cap-exceeded')).report.details).toMatchObject({ active_binds: 1, cap: 1 });
    await openStream(pair);
    await openStream(pair);
    expect(await pair.egress.openData(pairTunnel).expectEnd()).toEqual({ kind: 'reset', code: 7 });
    await bed.dial();
    await expect(bed.dial()).rejects.toMatchObject({ code: 'connect-failed' });
    expect(bed.relay.notReadyReasons()).toEqual(['the cap on connections is reached']);
  });

  it('A1 an edge that does not read its answers is not read any further, and loses nothing', async () => {
    await using bed = await startTestRelay({ engine });
    const edge = await bed.edge();
    edge.bind({ tunnelId: pairTunnel, direction: 'ingress' });
    await edge.expect('tunnel_waiting');
    // Small questions with large answers: those fill the edge's window, and then the questions that of the relay.
    const questions = 10_000;
    const question = JSON.stringify({ type: 'hello', protocol_version: 2, software_version: ' '.repeat(440) });
    const thousand = Buffer.concat(
      Array.from({ length: 1000 }, () => [frame(question.length), Buffer.from(question)]).flat(),
    );
    edge.control.pause();
    for (let n = 0; n < questions / 1000; n++) edge.sendRaw(thousand);
    let unsent = -1;
    await until(() => unsent === (unsent = edge.control.unsentBytes), {
      pollMs: 500,
      what: 'the edge can send no more',
    });
    expect(unsent).toBeGreaterThan(0);
    edge.control.resume();
    const answers = (): number => edge.ofType('hello_ack').length;
    await until(() => answers() === questions + 1, { pollMs: 200, what: 'every answer' });
  });

  it('A2 a connection without a control stream is closed with a reason, and never was an edge', async () => {
    await using bed = await startTestRelay({ engine, config: { limits: deadlines } });
    const edge = await bed.dial();
    expect(await edge.expectClosed()).toMatchObject({ reason: 'control stream not opened in time' });
    const { report } = await bed.expectEvent('edge-connection-failed');
    expect(report.message).toMatch(/^Edge connection failed: control stream error from 127\.0\.0\.1:\d+$/);
    expect(bed.eventsOf('edge-connected')).toEqual([]);
  });

  it.each(['nothing', 'refused binds'] as const)(
    'A2 a connection with %s instead of a bind is closed',
    async (what) => {
      const config = { limits: deadlines, require_bind_auth: true };
      await using bed = await startTestRelay({ engine, config });
      const edge = (await bed.dial()).greet();
      await until(
        () => {
          if (what === 'refused binds' && edge.closed === null)
            edge.bind({ tunnelId: pairTunnel, direction: 'ingress' });
          return edge.closed !== null;
        },
        { pollMs: 50 },
      );
      expect(edge.closed?.reason).toBe(what === 'nothing' ? 'no tunnel bound in time' : 'bind refused');
      await bed.expectEvent('edge-disconnected');
      expect(bed.eventsOf('edge-connected')).toHaveLength(1);
    },
  );

  it('A2 a data stream without its header in time is reset, the connection lives', async () => {
    await using bed = await startTestRelay({ engine, config: { limits: deadlines } });
    const { egress } = await bindPair(bed, { protocol: 'tcp' });
    const slow = egress.openData(encodeStreamHeader(pairTunnel).subarray(0, 20));
    expect(await slow.expectEnd()).toEqual({ kind: 'reset', code: 4 });
    egress.send({ type: 'ping' });
    await egress.expect('pong');
  });

  it.each([
    ['of 1025 bytes', frame(1025, 1025)],
    ['that is no JSON', frame(3, 3)],
    ['of another type', Buffer.from('\0\0\0\x18{"stream_type":"sctp"}  ')],
  ])('A3 a stream header %s is refused with its code', async (_, header) => {
    await using bed = await startTestRelay({ engine });
    const { egress } = await bindPair(bed, { protocol: 'tcp' });
    const stream = egress.openData(header);
    expect(await stream.expectEnd()).toEqual({ kind: 'reset', code: 4 });
    expect(await stream.expectStopped()).toBe(4);
  });

  it('A3 the length of a frame is looked at before anything is kept for it', async () => {
    await using bed = await startTestRelay({ engine });
    const stranger = await bed.edge('stranger');
    stranger.sendRaw(frame(16_385));
    expect((await stranger.expectClosed()).reason).toBe('control frame too large');
    const bound = await bed.edge('bound');
    bound.bind({ tunnelId: pairTunnel, direction: 'ingress' });
    await bound.expect('tunnel_waiting');
    bound.sendRaw(frame(1_048_576, 1_048_576)).send({ type: 'ping' });
    await bound.expect('pong');
    bound.sendRaw(frame(1_048_577));
    expect((await bound.expectClosed()).reason).toBe('control frame too large');
  });

  it('A3 an unauthenticated peer that sends more than its budget is closed', async () => {
    await using bed = await startTestRelay({ engine });
    const edge = await bed.edge();
    // On the control stream, since data streams of a stranger are stopped before they bring much.
    for (let n = 0; n < 5; n++) edge.sendRaw(frame(16_384, 16_384));
    expect((await edge.expectClosed()).kind).not.toBe('local');
    const { report } = await bed.expectEvent('edge-disconnected');
    expect(report.details?.['reason']).toMatch(/^sent more than an unproven connection may/);
  });

  it('A3 messages that are unknown or malformed are ignored, and the connection lives', async () => {
    await using bed = await startTestRelay({ engine });
    const edge = await bed.edge();
    for (const text of ['{}', 'null', '[', '{"type":"tunnel_dance"}', '{"type":"tunnel_bind","tunnel_id":"x"}']) {
      const body = Buffer.from(text);
      edge.sendRaw(Buffer.concat([frame(body.length), body]));
    }
    edge
      .sendRaw(frame(2, 0))
      .sendRaw(Buffer.from([0xff, 0xfe]))
      .send({ type: 'ping' });
    await edge.expect('pong');
  });

  it('A4 under load new connections prove their address by a Retry', async () => {
    const limits = { always_retry: true };
    await using bed = await startTestRelay({ engine, config: { limits } });
    await bindPair(bed);
    expect(bed.engine.report().counters.retriesSent).toBeGreaterThanOrEqual(2);
  });

  it('A4 more refusals than may carry a reason are refused in the Initial', async () => {
    const limits = { cap_refusals_per_sec: 1 };
    await using bed = await startTestRelay({ engine, config: { max_connections_per_ip: 1, limits } });
    const holder = await bed.dial();
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => bed.dial()));
    const refused = attempts.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(3);
    expect(holder.closed).toBeNull();
    expect(bed.engine.report().counters.refusalsSent).toBeGreaterThanOrEqual(3);
  });
});
