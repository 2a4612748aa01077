import { Backoff } from '../../src/lib/backoff.ts';
import type { Random } from '../../src/lib/random.ts';
import { encodeEdgeMessage, parseRelayMessage, type RelayMessage } from '../../src/protocol/tunnel/control-message.ts';
import { FrameReader } from '../../src/protocol/tunnel/frame.ts';
import type { Direction, TunnelProtocol } from '../../src/protocol/tunnel/leg.ts';
import { MAX_CONTROL_FRAME_BYTES, PING_INTERVAL_MS, PROTOCOL_VERSION } from '../../src/protocol/tunnel/limits.ts';
import { encodeStreamHeader } from '../../src/protocol/tunnel/stream-header.ts';
import { tunnelIdToBytes, type TunnelId } from '../../src/protocol/tunnel/tunnel-id.ts';
import type { CloseInfo } from '../../src/quic/connection-report.ts';
import type { ConnectionHandler, QuicConnection, QuicEngine, QuicStream } from '../../src/quic/types.ts';
import { edgeTransport, socketAddress } from './edge-transport.ts';
import type { Path, PathGroup } from './path-group.ts';

export interface BenchEdgeSettings {
  readonly relay: string;
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  readonly keepBound: boolean;
}

export interface BenchEdgeDependencies {
  readonly engine: QuicEngine;
  readonly random: Random;
  readonly group: PathGroup;
}

/** As our edge does after a lost connection, and after a failed try (docs/protocol/tunnel.md §7). */
const pauseAfterLossMs = 1000;
const retry = { initialMs: 1000, maxMs: 60_000, jitterRatio: 0.2 };

/** An edge with one leg on a connection of its own, as existing edges have it; data is left to whoever drives the benchmark. */
export class BenchEdge implements Path, ConnectionHandler {
  readonly prefix: Uint8Array;
  readonly #dependencies: BenchEdgeDependencies;
  readonly #settings: BenchEdgeSettings;
  readonly #backoff: Backoff;
  #connection: QuicConnection | null = null;
  #pings: NodeJS.Timeout | null = null;
  #answer = Promise.withResolvers<undefined>();
  #isReady = false;
  #generation = 0;

  constructor(dependencies: BenchEdgeDependencies, settings: BenchEdgeSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.prefix = tunnelIdToBytes(settings.tunnelId);
    this.#backoff = new Backoff(dependencies.random, retry);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Resolves when the relay has answered the bind with ready or waiting. Rejects when it did not, unless it is to be tried again. */
  async start(): Promise<void> {
    try {
      await this.#dial();
      await this.#answer.promise;
    } catch (error) {
      if (!this.#settings.keepBound) throw error;
      // What fails after the handshake comes to `onClosed`, too.
      if (this.#generation === 0) this.#retryLater();
    }
  }

  close(): void {
    this.#connection?.close(0, '');
  }

  send(datagram: Uint8Array): void {
    this.#connection?.sendDatagram(datagram);
  }

  openStream(): QuicStream {
    const stream = this.#connection?.openBidi() ?? null;
    if (stream === null) throw new Error('the relay grants no stream');
    stream.write(encodeStreamHeader(this.#settings.tunnelId));
    return stream;
  }

  onDatagram(datagram: Uint8Array): void {
    this.#dependencies.group.receiver.onDatagram(datagram, this);
  }

  onStream(stream: QuicStream): void {
    if (stream.bidirectional) this.#dependencies.group.receiver.onStream(stream);
    else this.#readMessages(stream);
  }

  onAddressChange(): void {
    // Its own address cannot change on loopback.
  }

  onClosed(info: CloseInfo): void {
    this.#isReady = false;
    this.#connection = null;
    if (this.#pings !== null) clearInterval(this.#pings);
    this.#answer.reject(new Error(`the connection ended: ${info.reason} (${info.kind})`));
    if (this.#settings.keepBound) setTimeout(() => void this.#reconnect(), this.#spread(pauseAfterLossMs));
  }

  async #dial(): Promise<void> {
    const remote = socketAddress(this.#settings.relay);
    this.#answer = Promise.withResolvers();
    // A reply that nothing waits for may fail: `onClosed` handles what follows.
    this.#answer.promise.catch(() => undefined);
    const verify = { kind: 'none' } as const;
    const options = { remote, serverName: 'relay', verify, transport: edgeTransport };
    this.#connection = await this.#dependencies.engine.dial(options, this);
    this.#generation += 1;
    this.#openControl(this.#connection);
  }

  #openControl(connection: QuicConnection): void {
    const { tunnelId, direction, protocol } = this.#settings;
    const control = connection.openBidi();
    if (control === null) {
      connection.close(0, 'no stream for the control stream');
      return;
    }
    this.#readMessages(control);
    control.write(
      Buffer.concat([
        encodeEdgeMessage({
          type: 'hello',
          protocol_version: PROTOCOL_VERSION,
          software_version: 'bench',
          features: ['peer_state'],
        }),
        encodeEdgeMessage({ type: 'identify', edge_id: 'bench' }),
        encodeEdgeMessage({ type: 'tunnel_bind', tunnel_id: tunnelId, direction, protocol }),
      ]),
    );
    const ping = encodeEdgeMessage({ type: 'ping' });
    this.#pings = setInterval(() => control.write(ping), PING_INTERVAL_MS);
  }

  #readMessages(stream: QuicStream): void {
    const frames = new FrameReader(MAX_CONTROL_FRAME_BYTES);
    stream.setHandler({
      onReadable: () => {
        for (let read = stream.read(65_536); read.kind === 'data'; read = stream.read(65_536)) frames.push(read.bytes);
        for (let frame = frames.next(); frame.kind === 'frame'; frame = frames.next()) {
          const parsed = parseRelayMessage(frame.payload);
          if (parsed.kind === 'message') this.#handle(parsed.message);
        }
      },
      onWritable: () => undefined,
      onStopped: () => undefined,
    });
  }

  #handle(message: RelayMessage): void {
    if (message.type === 'tunnel_down') {
      this.#isReady = false;
      this.#answer.reject(new Error(`the relay refused: ${message.reason}`));
    } else if (message.type === 'tunnel_ready' || message.type === 'tunnel_waiting') {
      this.#isReady = message.type === 'tunnel_ready';
      this.#backoff.reset();
      this.#answer.resolve(undefined);
    }
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#dial();
    } catch {
      // The relay is not back yet.
      this.#retryLater();
    }
  }

  #retryLater(): void {
    setTimeout(() => void this.#reconnect(), this.#backoff.nextDelayMs());
  }

  #spread(ms: number): number {
    return ms * (1 + retry.jitterRatio * (2 * this.#dependencies.random.float() - 1));
  }
}
