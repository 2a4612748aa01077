import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../support/fakes/memory-file-system.ts';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';
import { otherTunnel, pairTunnel } from '../../support/programs/relay-pair.ts';
import type { ScriptedEdge } from '../../support/peers/scripted-edge.ts';

/** A relay with a tunnel that carries a stream, so that its drain lasts. */
async function busy(): Promise<{ readonly bed: MemoryRelay; readonly egress: ScriptedEdge }> {
  const bed = await MemoryRelay.start();
  const bind = { tunnelId: pairTunnel, protocol: 'tcp' } as const;
  bed.edge('in').bind({ ...bind, direction: 'ingress' });
  const egress = bed.edge('out').bind({ ...bind, direction: 'egress' });
  bed.run();
  egress.openData(pairTunnel).send('a stream that does not end');
  bed.run();
  expect(bed.relay.report.totals().active_tcp_streams).toBe(1);
  return { bed, egress };
}

describe('a relay that stops', () => {
  it('L1 takes no bind while its streams finish', async () => {
    const { bed, egress } = await busy();
    const idle = bed.edge('idle');
    const stopped = bed.relay.stop(5000);
    egress.bind({ tunnelId: otherTunnel, direction: 'egress' });
    idle.bind({ tunnelId: otherTunnel, direction: 'ingress' });
    bed.advance(4999);
    expect(bed.relay.report.totals().active_tcp_streams).toBe(1);
    expect(bed.relay.report.tunnels().map((tunnel) => tunnel.tunnel_id)).toEqual([pairTunnel]);
    expect(idle.messages.map(({ type }) => type)).toEqual(['hello_ack']);
    bed.advance(1);
    await stopped;
    bed.run();
    for (const edge of [egress, idle]) expect(edge.closed).toMatchObject({ code: 0, reason: 'relay shutting down' });
  });

  it('L1 takes no bind of an edge whose handshake was under way', async () => {
    const { bed } = await busy();
    const late = bed.dial();
    const stopped = bed.relay.stop(5000);
    late.greet();
    late.bind({ tunnelId: otherTunnel, direction: 'ingress' });
    bed.advance(1);
    expect(late.messages.map(({ type }) => type)).toEqual(['hello_ack']);
    bed.advance(5000);
    await stopped;
  });

  it('L1 is done when the last edge that had not said where its stream goes is gone', async () => {
    const bed = await MemoryRelay.start();
    const edge = bed.edge().bind({ tunnelId: pairTunnel, direction: 'egress', protocol: 'tcp' });
    edge.openData(Buffer.from([0, 0]));
    bed.run();
    const stopped = bed.relay.stop(60_000);
    bed.run();
    edge.close();
    bed.run();
    await stopped;
    expect(bed.clock.pendingTimers).toBe(0);
  });

  it('L1 does not wait for ever for a disk that hangs with authorisations', async () => {
    const fileSystem = new MemoryFileSystem();
    fileSystem.open = () => new Promise(() => undefined);
    const bed = await MemoryRelay.start({ fileSystem });
    void bed.relay.control.revoke(pairTunnel);
    const stopped = bed.relay.stop();
    await bed.clock.advanceAsync(2000);
    await stopped;
    expect(bed.clock.pendingTimers).toBe(0);
  });

  it('L4 leaves no timer behind', async () => {
    const { bed } = await busy();
    const stopped = bed.relay.stop(5000);
    bed.advance(5000);
    await stopped;
    bed.run();
    expect(bed.clock.pendingTimers).toBe(0);
  });
});
