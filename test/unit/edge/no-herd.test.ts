import { describe, expect, it } from 'vitest';
import { RelayClient } from '../../../src/edge/uplink/relay-client.ts';
import { settle } from '../../support/fakes/manual-clock.ts';
import { MemoryRelay } from '../../support/programs/memory-relay.ts';
import { tunnelNumber } from '../../support/samples/sample-relay.ts';
import { relayTransport } from '../../support/samples/relay-transport.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';

const edges = 20;

/** An edge of the relay, and when it has dialled. */
function startClient(bed: MemoryRelay, number: number): { readonly client: RelayClient; readonly dials: number[] } {
  const engine = bed.network.engine();
  const dials: number[] = [];
  const client = new RelayClient(
    {
      engine: {
        dial: (options, handler) => {
          dials.push(bed.clock.monotonicMs());
          return engine.dial(options, handler);
        },
      },
      clock: bed.clock,
      random: new SeededRandom(number),
      logger: silentLogger,
      resolveHost: async (host) => [host],
      readTextFile: async () => '',
      wayOut: async () => null,
      observer: {
        onChange: () => {},
        onDataStream: () => {},
        onDatagram: () => {},
        onLateDatagram: () => {},
        onConnectionStart: () => {},
        onConnectionEnd: () => {},
      },
    },
    {
      relay: { host: '127.0.0.1', port: 4433 },
      verification: { kind: 'none' },
      transport: relayTransport,
      binding: {
        tunnelId: tunnelNumber(number),
        direction: 'egress',
        protocol: 'udp',
        bindSecret: null,
        requireBindProof: false,
        edgeId: 'edge',
        softwareVersion: '0.0.0-test',
      },
      samplePeriodMs: 500,
    },
  );
  client.start();
  return { client, dials };
}

describe('edges that lose their relay at the same moment', () => {
  it('L6 dial it again each at its own time, at first and for as long as it stays away', async () => {
    const bed = await MemoryRelay.start();
    const started = Array.from({ length: edges }, (_, number) => startClient(bed, number));
    await settle();
    bed.run();
    expect(started.map(({ client }) => client.state)).toEqual(Array(edges).fill('waiting'));
    await bed.relay.stop(0);
    await bed.clock.advanceAsync(10_000);
    for (const [attempt, nominalMs] of [1000, 1000, 2000, 4000].entries()) {
      const waitsMs = started.map(({ dials }) => (dials[attempt + 1] ?? NaN) - (dials[attempt] ?? NaN));
      expect(new Set(waitsMs).size).toBeGreaterThan(edges / 2);
      expect(Math.max(...waitsMs) - Math.min(...waitsMs)).toBeGreaterThan(nominalMs / 4);
    }
    await Promise.all(started.map(({ client }) => client.stop()));
  });
});
