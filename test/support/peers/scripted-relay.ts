import {
  encodeRelayMessage,
  parseEdgeMessage,
  type EdgeMessage,
  type RelayMessage,
} from '../../../src/protocol/tunnel/control-message.ts';
import { FrameReader } from '../../../src/protocol/tunnel/frame.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../../src/protocol/tunnel/limits.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import type { CloseInfo } from '../../../src/quic/connection-report.ts';
import type {
  ConnectionHandler,
  QuicConnection,
  QuicEngine,
  QuicListener,
  QuicStream,
  TlsIdentity,
} from '../../../src/quic/types.ts';
import { createSelfSigned } from '../samples/certificates.ts';
import { relayTransport } from '../samples/relay-transport.ts';
import { until } from '../until.ts';

export interface ScriptedRelayOptions {
  readonly engine: QuicEngine;
  /** What the relay does with each message of an edge; it says nothing by itself. */
  readonly onMessage?: (message: EdgeMessage, session: ScriptedSession) => void;
  readonly tls?: TlsIdentity;
  readonly port?: number;
  readonly transport?: Partial<TransportSettings>;
}

/** One edge's connection to a scripted relay, and everything it did. */
export class ScriptedSession implements ConnectionHandler {
  readonly connection: QuicConnection;
  readonly messages: EdgeMessage[] = [];
  readonly datagrams: Buffer[] = [];
  /** Bidirectional streams that the edge opened after its control stream. */
  readonly streams: QuicStream[] = [];
  closed: CloseInfo | null = null;
  readonly #onMessage: (message: EdgeMessage, session: ScriptedSession) => void;
  #control: QuicStream | null = null;

  constructor(connection: QuicConnection, onMessage: (message: EdgeMessage, session: ScriptedSession) => void) {
    this.connection = connection;
    this.#onMessage = onMessage;
  }

  /** Sends on the control stream. */
  say(...messages: readonly RelayMessage[]): void {
    for (const message of messages) this.#control?.write(encodeRelayMessage(message));
  }

  /** Sends on a uni stream of its own, as old relays do. */
  sayOnUniStream(message: RelayMessage): void {
    const stream = this.connection.openUni();
    if (stream === null) throw new Error('the edge grants no uni stream');
    stream.write(encodeRelayMessage(message));
    stream.finish();
  }

  /** Bytes as they are on the control stream. */
  write(bytes: Uint8Array): void {
    this.#control?.write(bytes);
  }

  endControlStream(): void {
    this.#control?.finish();
  }

  /** The first message of a type, once it is there. */
  async received<Type extends EdgeMessage['type']>(type: Type): Promise<Extract<EdgeMessage, { type: Type }>> {
    const isIt = (message: EdgeMessage): message is Extract<EdgeMessage, { type: Type }> => message.type === type;
    return until(() => this.messages.find(isIt), { what: `a ${type} message` });
  }

  onStream(stream: QuicStream): void {
    if (this.#control === null) this.#readControl(stream);
    else this.streams.push(stream);
  }

  onDatagram(payload: Uint8Array): void {
    this.datagrams.push(Buffer.from(payload));
  }

  onAddressChange(): void {}

  onClosed(info: CloseInfo): void {
    this.closed = info;
  }

  #readControl(stream: QuicStream): void {
    this.#control = stream;
    const reader = new FrameReader(MAX_CONTROL_FRAME_BYTES);
    const onReadable = (): void => {
      for (let result = stream.read(65_536); result.kind === 'data'; result = stream.read(65_536)) {
        reader.push(result.bytes);
        for (let frame = reader.next(); frame.kind === 'frame'; frame = reader.next()) {
          const parsed = parseEdgeMessage(frame.payload);
          if (parsed.kind !== 'message') throw new Error(`an edge sent ${JSON.stringify(parsed)}`);
          this.messages.push(parsed.message);
          this.#onMessage(parsed.message, this);
        }
      }
    };
    stream.setHandler({ onReadable, onWritable: () => {}, onStopped: () => {} });
  }
}

/** A relay that does what a test says and nothing else: for the behaviours of old relays, and for bad ones. */
export class ScriptedRelay implements AsyncDisposable {
  readonly sessions: ScriptedSession[];
  readonly #listener: QuicListener;

  private constructor(listener: QuicListener, sessions: ScriptedSession[]) {
    this.#listener = listener;
    this.sessions = sessions;
  }

  static async start(options: ScriptedRelayOptions): Promise<ScriptedRelay> {
    const { engine, onMessage = () => {}, port = 0 } = options;
    const sessions: ScriptedSession[] = [];
    const certificate = await createSelfSigned();
    const tls = { certificate: certificate.certificatePem, privateKey: certificate.privateKeyPem };
    const listener = await engine.listen(
      {
        address: { ip: '127.0.0.1', port },
        tls: options.tls ?? tls,
        transport: { ...relayTransport, ...options.transport },
        resetKey: Buffer.alloc(32, 1),
        retryAfterHandshakesPerSec: 0,
      },
      {
        onIncoming: () => 'accept',
        onConnection: (connection) => {
          const session = new ScriptedSession(connection, onMessage);
          sessions.push(session);
          return session;
        },
        onHandshakeFailed: () => {},
        onFailed: (error) => {
          throw error;
        },
      },
    );
    return new ScriptedRelay(listener, sessions);
  }

  get addr(): string {
    return `127.0.0.1:${this.#listener.address.port}`;
  }

  /** The n-th connection since the start, once it is there. */
  session(index = 0): Promise<ScriptedSession> {
    return until(() => this.sessions[index], { what: `connection ${index} at the scripted relay` });
  }

  close(): Promise<void> {
    return this.#listener.close('relay shutting down');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
