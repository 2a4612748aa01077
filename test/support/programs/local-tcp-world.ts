import { once } from 'node:events';
import type { Socket } from 'node:net';
import { edgeStreamCode } from '../../../src/edge/local/local-end.ts';
import { NodeTcp } from '../../../src/edge/local/node-tcp.ts';
import { PayloadCipher } from '../../../src/edge/local/payload-cipher.ts';
import { Troubles } from '../../../src/edge/local/troubles.ts';
import { TunnelCounters } from '../../../src/edge/local/tunnel-counters.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import type { LocalTcp, LocalTcpPipe } from '../../../src/quic/local-sockets.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { silentLogger } from '../fakes/silent-logger.ts';
import { dialLocal } from '../peers/local-tcp.ts';
import type { RecordedConnection, RecordedStream } from '../peers/quic-peer.ts';
import { until } from '../until.ts';
import { QuicWorld } from './quic-world.ts';

export const localTcpKey = new Uint8Array(32).fill(7);
/** What a stream brings to its peer before anything else, so that the peer knows of it. */
const header = 'header';

/** A local connection that is joined with a stream, its local program, and the stream's other end. */
export interface Joined {
  readonly program: Socket;
  readonly pipe: LocalTcpPipe;
  readonly peer: RecordedStream;
  /** What `onEnd` was called with, each time. */
  readonly ends: (Error | null)[];
}

/** The local TCP sockets of an edge with this engine, joined with streams whose other end a test plays. */
export class LocalTcpWorld implements AsyncDisposable {
  readonly tcp: LocalTcp;
  readonly counters: TunnelCounters;
  readonly cipher = new PayloadCipher(new SystemRandom(), localTcpKey, new Uint8Array(16));
  readonly client: RecordedConnection;
  readonly server: RecordedConnection;
  readonly #world: QuicWorld;

  private constructor(world: QuicWorld, ends: { client: RecordedConnection; server: RecordedConnection }) {
    const engine = world.clientEngine;
    this.#world = world;
    this.client = ends.client;
    this.server = ends.server;
    const { localReset: localResetCode, notAuthentic: notAuthenticCode } = edgeStreamCode;
    const local = engine.localSockets?.openTunnel({ key: localTcpKey, localResetCode, notAuthenticCode }) ?? null;
    this.counters = new TunnelCounters(
      engine.createLedger(),
      new Troubles(new SystemClock()),
      local === null ? undefined : () => local.counts(),
    );
    this.tcp = local ?? new NodeTcp({ cipher: this.cipher, counters: this.counters, logger: silentLogger });
  }

  static async start(name: EngineName): Promise<LocalTcpWorld> {
    const world = await QuicWorld.start(name);
    return new LocalTcpWorld(world, await world.connect());
  }

  /** Listens, connects a local program, and joins the two. */
  async join(): Promise<Joined> {
    const accepted = Promise.withResolvers<Omit<Joined, 'program' | 'peer'>>();
    const listener = await this.tcp.listen(
      { ip: '127.0.0.1', port: 0 },
      {
        onConnection: (socket) => {
          const stream = this.client.connection.openBidi();
          if (stream === null) throw new Error('no stream is granted');
          stream.write(Buffer.from(header));
          const ends: (Error | null)[] = [];
          const pipe = socket.join(stream, { onSent: () => {}, onEnd: (error) => ends.push(error) });
          accepted.resolve({ pipe, ends });
        },
        onError: accepted.reject,
      },
    );
    const before = this.server.streams.length;
    const program = dialLocal(listener.port);
    await once(program, 'connect');
    const joined = await accepted.promise;
    void listener.close();
    const peer = await until(() => this.server.streams[before], { what: 'the stream at its other end' });
    await until(() => peer.length >= header.length);
    return { program, peer, ...joined };
  }

  /** What the peer of a stream has received and can open, as text; null when the key does not open it. */
  opened(peer: RecordedStream): string | null {
    let [text, rest] = ['', peer.bytes.subarray(header.length)];
    while (rest.length >= 4) {
      const end = 4 + rest.readUInt32BE();
      const chunk = this.cipher.open(rest.subarray(4, end));
      if (chunk === null) return null;
      text += Buffer.from(chunk).toString('latin1');
      rest = rest.subarray(end);
    }
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }
}
