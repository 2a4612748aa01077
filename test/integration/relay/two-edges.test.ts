import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import type { ScriptedEdge } from '../../support/peers/scripted-edge.ts';
import { startTestRelay, type TestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

const id = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

interface Pair {
  readonly ingress: ScriptedEdge;
  readonly egress: ScriptedEdge;
}

async function pair(bed: TestRelay, protocol: 'tcp' | 'udp'): Promise<Pair> {
  const ingress = await bed.edge('in');
  ingress.bind({ tunnelId: id, direction: 'ingress', protocol });
  await ingress.expect('tunnel_waiting');
  const egress = await bed.edge('out');
  egress.bind({ tunnelId: id, direction: 'egress', protocol });
  await egress.expect('tunnel_ready');
  await ingress.expect('tunnel_ready');
  return { ingress, egress };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each(await builtEngines())('a relay over %s', (engine) => {
  it('carries datagrams of 1376 bytes between two edges, both ways', async () => {
    await using bed = await startTestRelay({ engine });
    const { ingress, egress } = await pair(bed, 'udp');
    const payloads = Array.from({ length: 50 }, (_, index) => Buffer.concat([Buffer.from([index]), randomBytes(1359)]));
    // One at a time: of a burst some would grow too old in the queues of a busy machine.
    for (const [index, payload] of payloads.entries()) {
      expect(egress.sendDatagram(id, payload)).toBe('queued');
      ingress.sendDatagram(id, payload);
      await until(() => ingress.datagrams.length > index && egress.datagrams.length > index, { pollMs: 1 });
    }
    expect(ingress.datagrams.map(({ payload }) => sha256(payload))).toEqual(payloads.map(sha256));
    const detail = bed.relay.report.tunnel(id);
    expect(detail?.egress.sent).toMatchObject({ datagramsIn: 50, datagramsOut: 50, datagramBytesIn: 50 * 1360 });
    expect(detail?.info.stats.udp_datagrams_total).toBe(100);
  });

  it('carries a stream of 8 MiB each way at once, and its ends', async () => {
    await using bed = await startTestRelay({ engine });
    const { ingress, egress } = await pair(bed, 'tcp');
    const up = randomBytes(8 << 20);
    const down = randomBytes(8 << 20);
    const near = egress.openData(id);
    near.send(up);
    near.finish();
    const far = await ingress.expectStream();
    far.send(down);
    far.finish();
    await until(() => near.ended !== null && far.ended !== null, { what: 'both ends' });
    expect(near.ended).toEqual({ kind: 'finished' });
    expect(sha256(near.received)).toBe(sha256(down));
    expect(sha256(far.received.subarray(76))).toBe(sha256(up));
    expect(bed.relay.report.tunnel(id)?.info.stats).toMatchObject({
      bytes_egress: up.length,
      bytes_ingress: down.length,
      tcp_streams_total: 1,
    });
  });
});
