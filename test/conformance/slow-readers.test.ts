import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { knownTunnelId } from '../support/samples/known-tunnel-id.ts';
import { roomyLimits } from '../support/load/cycles.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';
import { until } from '../support/until.ts';

const slow = knownTunnelId('33333333-3333-4333-8333-333333333333');
const brisk = knownTunnelId('44444444-4444-4444-8444-444444444444');
const mib = 1_048_576;
/** `limits.stream_window_bytes` as it is by default. */
const streamWindowBytes = 1_250_000;

describe.each(await builtEngines())('readers that stop, on a relay over %s', (engine) => {
  it('S2 hold the far writers back in bounded memory, and nobody else', async () => {
    await using relay = await RelayProcess.start({ engine, config: roomyLimits });
    const options = { remote: relay.address };
    await using reader = await HostileEdge.bound(options, { tunnelId: slow, direction: 'ingress', protocol: 'tcp' });
    await using writer = await HostileEdge.bound(options, { tunnelId: slow, direction: 'egress', protocol: 'tcp' });
    await using sink = await HostileEdge.bound(options, { tunnelId: brisk, direction: 'ingress', protocol: 'tcp' });
    await using source = await HostileEdge.bound(options, { tunnelId: brisk, direction: 'egress', protocol: 'tcp' });
    const before = await relay.snapshot();

    reader.connection.reading = false;
    const ids = Array.from({ length: 64 }, () => writer.openDataStream(slow));
    for (const id of ids) writer.connection.write(id, Buffer.alloc(2 * mib, 1));
    const blocked = () => ids.reduce((sum, id) => sum + writer.connection.streams.blockedBytes(id), 0);
    let last = -1;
    await until(
      () => {
        const now = blocked();
        const stands = now === last;
        last = now;
        return stands;
      },
      { what: 'the writer held back', pollMs: 300 },
    );
    expect(blocked()).toBeGreaterThan(10 * mib);

    const id = source.openDataStream(brisk);
    source.connection.write(id, Buffer.alloc(4 * mib, 2), true);
    await until(() => sink.connection.streams.endOf(1) === 'finished', { what: 'the other tunnel’s transfer' });
    expect(sink.connection.streams.receivedBytes(1)).toBe(4 * mib + 76);

    const during = await relay.snapshot();
    // On the native engine each stream brings its own window: those that nobody reads use up nothing of the others'.
    const mostBytes = engine === 'native' ? ids.length * streamWindowBytes + 32 * mib : 64 * mib;
    expect(during.rssBytes - before.rssBytes).toBeLessThan(mostBytes);

    reader.connection.reading = true;
    reader.connection.read();
    reader.connection.flush();
    await until(() => blocked() === 0, { what: 'everything through once the reader reads' });
  });
});
