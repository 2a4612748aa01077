import { describe, expect, it } from 'vitest';
import type { QuicStream } from '../../../src/quic/types.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { QuicWorld } from '../../support/programs/quic-world.ts';
import { until } from '../../support/until.ts';

describe.each(await builtEngines())('streams of the %s engine whose last packets are lost', (name) => {
  it('S1 carry a reset as a reset although its packet is lost, and nothing that looks like a clean end before it', async () => {
    await using world = await QuicWorld.start(name);
    // So far that the lost packet is sent again late.
    const faults = { delayMs: 100 };
    await using network = await FaultyNetwork.start({ target: world.listener.address, faults });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    near.stream.write(Buffer.from('half'));
    const far = await until(() => server.streams[0] ?? null);
    far.stream.finish();
    await until(() => near.end?.kind === 'finished');
    const { lost } = network.up;
    network.partition('up');
    near.stream.reset(7001);
    await until(() => network.up.lost > lost);
    network.heal();
    await until(() => far.end !== null);
    expect(far.end).toEqual({ kind: 'reset', code: 7001 });
  });

  it('S1 carry a FIN that was lost together with data before it', async () => {
    await using world = await QuicWorld.start(name);
    // So far that everything is on its way before the first acknowledgement shows the losses.
    const faults = { delayMs: 100 };
    await using network = await FaultyNetwork.start({ target: world.listener.address, faults });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    const send = async (isLost: boolean, action: () => void): Promise<void> => {
      const { packets } = network.up;
      network.set({ partitioned: isLost }, 'up');
      action();
      await until(() => network.up.packets > packets);
    };
    await send(false, () => near.stream.write(Buffer.from('first ')));
    const far = await until(() => server.streams[0] ?? null);
    await send(true, () => near.stream.write(Buffer.from('second ')));
    await send(false, () => near.stream.write(Buffer.from('third')));
    await send(true, () => near.stream.finish());
    await send(false, () => {
      for (let n = 0; n < 8; n++) client.connection.sendDatagram(Buffer.alloc(1000));
    });
    await until(() => far.end !== null);
    expect(far.text).toBe('first second third');
    expect(far.end).toEqual({ kind: 'finished' });
  });

  const ends = [
    ['FIN', (stream: QuicStream) => stream.finish(), { kind: 'finished' }],
    ['reset', (stream: QuicStream) => stream.reset(7001), { kind: 'reset', code: 7001 }],
  ] as const;

  it.each(ends)('S1 carry a %s that is lost when the other direction has ended before it', async (_, end, seen) => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address, faults: { delayMs: 100 } });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    near.stream.write(Buffer.from('first '));
    const far = await until(() => server.streams[0] ?? null);
    far.stream.finish();
    await until(() => near.end?.kind === 'finished');
    near.stream.write(Buffer.from('last'));
    // Its acknowledgement is on its way.
    await until(() => far.text === 'first last');
    const { lost } = network.up;
    network.partition('up');
    end(near.stream);
    await until(() => network.up.lost > lost);
    network.heal();
    await until(() => far.end !== null);
    expect(far.end).toEqual(seen);
  });

  it.each(ends)('S1 carry a %s that is lost while the other direction ends', async (_, end, seen) => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address, faults: { delayMs: 100 } });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    near.stream.write(Buffer.from('all'));
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.text === 'all');
    const { lost } = network.up;
    network.partition('up');
    end(near.stream);
    far.stream.write(Buffer.from('answer'));
    far.stream.finish();
    await until(() => network.up.lost > lost);
    network.heal();
    await until(() => near.end !== null && far.end !== null);
    expect(near.text).toBe('answer');
    expect(near.end).toEqual({ kind: 'finished' });
    expect(far.end).toEqual(seen);
  });

  it('S1 carry a FIN that arrives only together with data that has been read', async () => {
    await using world = await QuicWorld.start(name);
    await using network = await FaultyNetwork.start({ target: world.listener.address });
    const { client, server } = await world.connect(network.address);
    const near = client.open();
    network.partition('down');
    near.stream.write(Buffer.from('all'));
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.text === 'all');
    network.partition('up');
    const { lost } = network.up;
    near.stream.finish();
    await until(() => network.up.lost > lost);
    network.heal();
    await until(() => far.end !== null);
    expect(far.end).toEqual({ kind: 'finished' });
    expect(far.text).toBe('all');
  });
});
