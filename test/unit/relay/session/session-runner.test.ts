import { describe, expect, it } from 'vitest';
import { MemoryRelay } from '../../../support/programs/memory-relay.ts';
import { otherTunnel, pairTunnel } from '../../../support/programs/relay-pair.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

function frame(text: string): Buffer {
  const bytes = Buffer.alloc(4 + Buffer.byteLength(text));
  bytes.writeUInt32BE(Buffer.byteLength(text));
  bytes.write(text, 4);
  return bytes;
}

describe('the session of an edge', () => {
  it('answers pipelined messages in order', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.dial().greet();
    edge.bind({ tunnelId: pairTunnel, direction: 'ingress' }).send({ type: 'ping' });
    bed.run();
    expect(edge.messages.map(({ type }) => type)).toEqual(['hello_ack', 'tunnel_waiting', 'pong']);
  });

  it('reads frames however they are cut', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.dial().openControl();
    for (const byte of frame('{"type":"ping"}')) {
      edge.sendRaw(Buffer.from([byte]));
      bed.run();
    }
    expect(edge.messages).toEqual([{ type: 'pong' }]);
  });

  it('does waiting work in turns, so that a flood of one edge does not keep another waiting', async () => {
    const bed = await MemoryRelay.start();
    const busy = bed.edge('busy');
    busy.sendRaw(Buffer.concat(Array.from({ length: 1000 }, () => frame('{"type":"ping"}'))));
    bed.run();
    expect(busy.ofType('pong').length).toBeLessThan(1000);
    for (let turn = 0; turn < 20; turn++) bed.advance(0);
    expect(busy.ofType('pong')).toHaveLength(1000);
  });

  it('is closed when it does not take what it is sent', async () => {
    const bed = await MemoryRelay.start({ config: { limits: { control_queue_bytes: 65_536 } } });
    const edge = bed.edge('deaf', ['peer_state']);
    edge.bind({ tunnelId: pairTunnel, direction: 'ingress' });
    bed.run();
    edge.control.pause();
    // Twice what its window and the queue hold, in notices that nobody asks the deaf edge about.
    for (let n = 0; n < 8000 && edge.closed === null; n++) {
      const peer = bed.dial(`198.51.${n >> 8}.${n & 255}`).greet();
      peer.bind({ tunnelId: pairTunnel, direction: 'egress' }).unbind(pairTunnel);
      bed.run();
      peer.close();
      bed.advance(0);
    }
    expect(edge.closed).toMatchObject({ reason: 'control stream not read' });
  });

  it('ends alone when something in it throws', async () => {
    const logger = new RecordingLogger();
    const bed = await MemoryRelay.start({ logger });
    const other = bed.edge('other');
    const edge = bed.edge('unlucky');
    bed.relay.events.subscribe(({ event }) => {
      if (event.kind === 'tunnel-waiting') throw new Error('a bug');
    });
    edge.bind({ tunnelId: pairTunnel, direction: 'ingress' });
    bed.run();
    expect(edge.closed).toMatchObject({ reason: 'internal error' });
    expect(logger.messages('error')).toEqual(['session failed']);
    expect(bed.relay.report.tunnels()).toEqual([]);
    other.send({ type: 'ping' });
    bed.run();
    expect(other.ofType('pong')).toHaveLength(1);
  });

  it('keeps the legs of an edge that ends its half of the control stream', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.edge().bind({ tunnelId: pairTunnel, direction: 'ingress' });
    edge.control.finish();
    bed.run();
    bed.advance(60_000);
    expect(edge.closed).toBeNull();
    expect(bed.relay.report.tunnels()).toHaveLength(1);
    const idle = bed.edge('idle');
    idle.control.finish();
    bed.run();
    expect(idle.closed).toMatchObject({ reason: 'control stream ended' });
  });

  it('goes on under a new address', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.edge('moving').bind({ tunnelId: pairTunnel, direction: 'ingress' });
    bed.run();
    const [listener] = [...bed.network.listeners.values()];
    for (const connection of listener?.connections ?? []) {
      connection.handler?.onAddressChange({ ip: '203.0.113.9', port: 9 });
    }
    expect(bed.relay.report.edges()).toEqual([{ edge_id: 'moving', remote_addr: '203.0.113.9:9' }]);
    edge.close();
    bed.run();
    expect(bed.eventTexts('edge-disconnected')).toEqual(['Edge disconnected from 203.0.113.9:9']);
  });

  it('of an edge without a name is listed, and disconnected, by its label', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.dial().openControl().send({ type: 'ping' });
    bed.run();
    const [listed] = bed.relay.report.edges();
    expect(listed?.edge_id).toMatch(/^connection-\d+$/);
    expect(bed.relay.control.disconnectEdge('nobody')).toBe(0);
    expect(bed.relay.control.disconnectEdge(listed?.edge_id ?? '')).toBe(1);
    bed.run();
    expect(edge.closed).toMatchObject({ code: 0, reason: 'disconnected by manager' });
  });

  it('hears about a closed tunnel, and is closed when it holds no other', async () => {
    const bed = await MemoryRelay.start();
    const one = bed.edge('one').bind({ tunnelId: pairTunnel, direction: 'ingress' });
    const two = bed.edge('two').bind({ tunnelId: pairTunnel, direction: 'egress' });
    two.bind({ tunnelId: otherTunnel, direction: 'egress' });
    bed.run();
    expect(bed.relay.control.closeTunnel(pairTunnel)).toBe(true);
    expect(bed.relay.control.closeTunnel(pairTunnel)).toBe(false);
    bed.advance(500);
    for (const edge of [one, two]) {
      expect(edge.ofType('tunnel_down')).toMatchObject([{ reason: 'tunnel closed by manager' }]);
    }
    expect(one.closed).toMatchObject({ reason: 'tunnel ended' });
    expect(two.closed).toBeNull();
    expect(bed.eventTexts('tunnel-closed')).toEqual(['Tunnel closed: closed by manager']);
  });

  it('says who was refused what, until a bind of that leg succeeds', async () => {
    const bed = await MemoryRelay.start({ config: { limits: { max_refusals_remembered: 2 } } });
    await bed.relay.control.revoke(pairTunnel);
    bed.edge('x').bind({ tunnelId: pairTunnel, direction: 'ingress' });
    bed.run();
    expect(bed.relay.refusals.list()).toMatchObject([
      { tunnelId: pairTunnel, direction: 'ingress', reason: 'tunnel revoked', edgeId: 'x' },
    ]);
    expect(await bed.relay.control.unrevoke(pairTunnel)).toBe(true);
    expect(await bed.relay.control.unrevoke(pairTunnel)).toBe(false);
    bed.edge('x').bind({ tunnelId: pairTunnel, direction: 'ingress' });
    bed.run();
    expect(bed.relay.refusals.list()).toEqual([]);
  });
});

describe('data streams', () => {
  it('are refused by code: no leg, wrong side, no peer, too many, while stopping', async () => {
    const bed = await MemoryRelay.start({ config: { limits: { max_open_streams: 1 } } });
    const ingress = bed.edge('in').bind({ tunnelId: pairTunnel, direction: 'ingress', protocol: 'tcp' });
    const egress = bed.edge('out').bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    const lonely = bed.edge('lonely').bind({ tunnelId: otherTunnel, direction: 'egress', protocol: 'tcp' });
    bed.run();
    const code = (edge: typeof ingress, id: typeof pairTunnel): unknown => {
      const tap = edge.openData(id);
      bed.run();
      return tap.ended;
    };
    expect(code(egress, otherTunnel)).toEqual({ kind: 'reset', code: 2 });
    expect(code(ingress, pairTunnel)).toEqual({ kind: 'reset', code: 5 });
    expect(code(lonely, otherTunnel)).toEqual({ kind: 'reset', code: 1 });
    expect(code(egress, pairTunnel)).toBeNull();
    expect(code(egress, pairTunnel)).toEqual({ kind: 'reset', code: 7 });
    const stopped = bed.relay.stop(1000);
    expect(code(egress, pairTunnel)).toEqual({ kind: 'reset', code: 6 });
    bed.advance(1000);
    await stopped;
  });

  it('A1 of an edge that holds no leg take no place of those that do', async () => {
    const bed = await MemoryRelay.start({ config: { limits: { max_open_streams: 1 } } });
    bed.edge('in').bind({ tunnelId: pairTunnel, direction: 'ingress', protocol: 'tcp' });
    const egress = bed.edge('out').bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    const withoutHeader = bed.edge('stranger').openData(Buffer.from([0, 0]));
    bed.run();
    expect(withoutHeader.ended).toEqual({ kind: 'reset', code: 2 });
    expect(bed.relay.report.unboundSender()).toBe(1);
    const stream = egress.openData(pairTunnel);
    bed.run();
    expect(stream.ended).toBeNull();
  });

  it('whose header is late or cut short are refused, and their timers do not outlive the connection', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.edge().bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    const late = edge.openData(Buffer.from([0, 0]));
    const short = edge.openData(Buffer.from([0, 0, 0, 9, 1]));
    short.finish();
    bed.run();
    expect(short.ended).toEqual({ kind: 'reset', code: 4 });
    bed.advance(5000);
    expect(late.ended).toEqual({ kind: 'reset', code: 4 });
    edge.openData(Buffer.from([0, 0]));
    bed.run();
    const before = bed.clock.pendingTimers;
    edge.close();
    bed.run();
    expect(bed.clock.pendingTimers).toBe(before - 1);
  });
});
