import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { pause } from '../../support/pause.ts';
import type { RecordedConnection, RecordedStream } from '../../support/peers/quic-peer.ts';
import { QuicWorld } from '../../support/programs/quic-world.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';
import { until } from '../../support/until.ts';

const streams = 160;
const atOnce = 20;

/** Ends of many streams at once over one bad path. */
class Exchange {
  readonly #client: RecordedConnection;
  readonly #server: RecordedConnection;
  readonly #random = new SeededRandom(11);

  constructor(client: RecordedConnection, server: RecordedConnection) {
    this.#client = client;
    this.#server = server;
  }

  /** One stream: each end writes and ends its direction in its own time, one of them perhaps after the other. */
  async stream(): Promise<void> {
    const near = await this.#client.opened();
    near.stream.write(Buffer.from('>'));
    const far = await until(() => this.#server.streams.find(({ stream }) => stream.id === near.stream.id) ?? null);
    const waits = this.#random.float() < 0.5;
    await Promise.all([this.#direction(near, far, '>', false), this.#direction(far, near, '', waits)]);
  }

  async #direction(from: RecordedStream, to: RecordedStream, begun: string, waits: boolean): Promise<void> {
    if (waits) await until(() => from.end !== null);
    const pieces = Array.from({ length: Math.ceil(this.#random.float() * 3) }, () => this.#piece());
    for (const piece of pieces) {
      from.stream.write(Buffer.from(piece));
      await pause(this.#random.float() * 20);
    }
    if (this.#random.float() < 0.1) {
      from.stream.reset(7001);
      await until(() => to.end !== null);
      expect(to.end).toEqual({ kind: 'reset', code: 7001 });
      return;
    }
    from.stream.finish();
    await until(() => to.end !== null);
    expect(to.end).toEqual({ kind: 'finished' });
    expect(to.text === [begun, ...pieces].join('')).toBe(true);
  }

  #piece(): string {
    return String.fromCharCode(97 + this.#random.float() * 26).repeat(1 + this.#random.float() * 5000);
  }
}

describe.each(await builtEngines())('the %s engine over a path that loses one packet in fifty', (name) => {
  it('S1 carries every end of many streams as it was, with all the bytes before a clean one', async () => {
    await using world = await QuicWorld.start(name);
    const faults = { lossRate: 0.02, delayMs: 3, jitterMs: 4 };
    await using network = await FaultyNetwork.start({ target: world.listener.address, faults });
    const { client, server } = await world.connect(network.address);
    const exchange = new Exchange(client, server);
    let left = streams;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await exchange.stream();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  });
});
