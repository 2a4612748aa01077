import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { Ledger, SpliceHandle } from '../../../src/quic/types.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import { RecordedStream, type RecordedConnection } from './quic-peer.ts';
import { QuicWorld } from '../programs/quic-world.ts';
import { until } from '../until.ts';

/** A stream of one client, spliced by the listener to a stream towards another client: what a relay does. */
export interface Spliced {
  /** The end that opened the stream. */
  readonly source: RecordedStream;
  /** The end that the relay opened a stream to. */
  readonly sink: RecordedStream;
  readonly handle: SpliceHandle;
  /** Bytes from `source`. */
  readonly forward: Ledger;
  /** Bytes from `sink`. */
  readonly backward: Ledger;
  ends: number;
}

export const lostCode = 3;

/** Two clients of one listener whose streams are spliced. */
export class SpliceWorld {
  readonly world: QuicWorld;
  readonly left: { readonly client: RecordedConnection; readonly server: RecordedConnection };
  readonly right: { readonly client: RecordedConnection; readonly server: RecordedConnection };

  private constructor(
    world: QuicWorld,
    left: { client: RecordedConnection; server: RecordedConnection },
    right: { client: RecordedConnection; server: RecordedConnection },
  ) {
    this.world = world;
    this.left = left;
    this.right = right;
  }

  static async start(name: EngineName, transport: Partial<TransportSettings> = {}): Promise<SpliceWorld> {
    const world = await QuicWorld.start(name, { transport });
    return new SpliceWorld(world, await world.connect(), await world.connect());
  }

  /** `first` is written by the source before the splice, `ahead` by the relay to the sink. */
  async splice(first = 'a', ahead = ''): Promise<Spliced> {
    const source = new RecordedStream(await until(() => this.left.client.connection.openBidi()));
    const arrived = this.left.server.streams.length;
    this.left.server.intercept = (stream) => {
      const recorded = new RecordedStream(stream);
      recorded.pause();
      this.left.server.streams.push(recorded);
      return false;
    };
    source.stream.write(Buffer.from(first));
    const from = await until(() => this.left.server.streams[arrived] ?? null);
    const to = await until(() => this.right.server.connection.openBidi());
    const engine = this.world.engine;
    const spliced = { ends: 0, forward: engine.createLedger(), backward: engine.createLedger() };
    if (ahead !== '') to.write(Buffer.from(ahead));
    const received = this.right.client.streams.length;
    const handle = from.stream.splice(to, {
      forward: spliced.forward,
      backward: spliced.backward,
      lostCode,
      onEnd: () => (spliced.ends += 1),
    });
    const sink = await until(() => this.right.client.streams[received] ?? null);
    return Object.assign(spliced, { source, sink, handle });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}
