import type { BindingSettings } from '../../../src/edge/uplink/binding.ts';
import type { RelayChange } from '../../../src/edge/uplink/bind-outcome.ts';
import { RelayClient } from '../../../src/edge/uplink/relay-client.ts';
import { AppError } from '../../../src/lib/app-error.ts';
import {
  encodeRelayMessage,
  parseEdgeMessage,
  type EdgeMessage,
  type MessageOf,
  type RelayMessage,
} from '../../../src/protocol/tunnel/control-message.ts';
import { FrameReader } from '../../../src/protocol/tunnel/frame.ts';
import type { CloseInfo } from '../../../src/quic/connection-report.ts';
import type { ConnectionHandler, DialOptions, QuicConnection, QuicStream } from '../../../src/quic/types.ts';
import { ManualClock, settle } from '../fakes/manual-clock.ts';
import { MemoryNetwork } from '../fakes/memory-quic.ts';
import { plainBinding } from '../samples/plain-binding.ts';
import { relayTransport } from '../samples/relay-transport.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { silentLogger } from '../fakes/silent-logger.ts';

export const { tunnelId } = plainBinding;
export const ready: RelayMessage = { type: 'tunnel_ready', tunnel_id: tunnelId };
const address = { ip: '192.0.2.9', port: 4433 };

/** The relay's end of one connection: what it heard, and a way to answer. */
class RelayEnd implements ConnectionHandler {
  readonly connection: QuicConnection;
  readonly heard: string[] = [];
  readonly binds: MessageOf<EdgeMessage, 'tunnel_bind'>[] = [];
  closed: CloseInfo | null = null;
  #control: QuicStream | null = null;

  constructor(connection: QuicConnection) {
    this.connection = connection;
  }

  say(message: RelayMessage): void {
    this.#control?.write(encodeRelayMessage(message));
  }

  onStream(stream: QuicStream): void {
    this.#control = stream;
    const reader = new FrameReader(65_536);
    const onReadable = (): void => {
      for (let result = stream.read(65_536); result.kind === 'data'; result = stream.read(65_536)) {
        reader.push(result.bytes);
        for (let frame = reader.next(); frame.kind === 'frame'; frame = reader.next()) {
          const parsed = parseEdgeMessage(frame.payload);
          this.heard.push(parsed.kind === 'message' ? parsed.message.type : parsed.kind);
          if (parsed.kind === 'message' && parsed.message.type === 'tunnel_bind') this.binds.push(parsed.message);
        }
      }
    };
    stream.setHandler({ onReadable, onWritable: () => {}, onStopped: () => {} });
  }

  onDatagram(): void {}
  onAddressChange(): void {}
  onClosed(info: CloseInfo): void {
    this.closed = info;
  }
}

/** A client in a world where time and packets move only by `pass`. */
export class RelayClientWorld {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly relayEnds: RelayEnd[] = [];
  readonly changes: RelayChange[] = [];
  readonly client: RelayClient;
  /** Packets of new connections get no answer. */
  isSilent = false;

  constructor(changes: Partial<BindingSettings> = {}) {
    const engine = this.network.engine();
    this.client = new RelayClient(
      {
        engine: {
          dial: (options, handler) => (this.isSilent ? unanswered(options) : engine.dial(options, handler)),
        },
        clock: this.clock,
        random: new SeededRandom(),
        logger: silentLogger,
        resolveHost: async () => [address.ip],
        readTextFile: async () => '',
        wayOut: async () => null,
        observer: {
          onChange: (change) => this.changes.push(change),
          onDataStream: () => {},
          onDatagram: () => {},
          onLateDatagram: () => {},
          onConnectionStart: () => {},
          onConnectionEnd: () => {},
        },
      },
      {
        relay: { host: address.ip, port: address.port },
        verification: { kind: 'none' },
        transport: relayTransport,
        binding: { ...plainBinding, ...changes },
        samplePeriodMs: 500,
      },
    );
  }

  async listen(): Promise<void> {
    await this.network.engine(address.ip).listen(
      {
        address,
        tls: { certificate: '', privateKey: '' },
        transport: relayTransport,
        resetKey: new Uint8Array(32),
        retryAfterHandshakesPerSec: 0,
      },
      {
        onIncoming: () => 'accept',
        onConnection: (connection) => {
          const end = new RelayEnd(connection);
          this.relayEnds.push(end);
          return end;
        },
        onHandshakeFailed: () => {},
        onFailed: () => {},
      },
    );
  }

  /** Lets what follows from the last call happen, then time pass, then what follows from that. */
  async pass(durationMs = 0): Promise<void> {
    await this.#calm();
    for (let leftMs = durationMs; leftMs > 0; leftMs -= 100) {
      this.clock.advance(Math.min(100, leftMs));
      await this.#calm();
    }
  }

  get relayEnd(): RelayEnd {
    const end = this.relayEnds.at(-1);
    if (end === undefined) throw new Error('nobody has connected');
    return end;
  }

  async #calm(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await settle();
      this.network.run();
    }
  }
}

function unanswered({ signal }: DialOptions): Promise<never> {
  return new Promise((_, reject) =>
    signal?.addEventListener('abort', () => reject(new AppError('cancelled', 'cancelled'))),
  );
}

export async function openRelayClientWorld(changes: Partial<BindingSettings> = {}): Promise<RelayClientWorld> {
  const world = new RelayClientWorld(changes);
  await world.listen();
  world.client.start();
  await world.pass();
  return world;
}
