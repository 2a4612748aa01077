import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import type { CloseInfo } from '../../../src/quic/connection-report.ts';
import type {
  ConnectionHandler,
  IncomingDecision,
  QuicConnection,
  QuicEngine,
  QuicListener,
  QuicStream,
  SocketAddress,
} from '../../../src/quic/types.ts';
import { createSelfSigned } from '../samples/certificates.ts';
import { relayTransport } from '../samples/relay-transport.ts';

/** The transport of a relay with its default limits, but datagrams come to the test. */
export const bareTransport: TransportSettings = {
  ...relayTransport,
  maxUniStreams: 8,
  unprovenBytes: 64 * 1024,
  uselessBytes: 1_048_576,
};

/** A connection to a bare listener: it echoes datagrams, keeps streams for the test, and remembers its end. */
export class BareConnection implements ConnectionHandler {
  readonly connection: QuicConnection;
  readonly streams: QuicStream[] = [];
  readonly addresses: SocketAddress[] = [];
  datagrams = 0;
  closed: CloseInfo | null = null;

  constructor(connection: QuicConnection) {
    this.connection = connection;
  }

  onStream(stream: QuicStream): void {
    this.streams.push(stream);
    stream.setHandler({ onReadable: () => {}, onWritable: () => {}, onStopped: () => {} });
  }

  onDatagram(payload: Uint8Array): void {
    this.datagrams += 1;
    this.connection.sendDatagram(payload);
  }

  onAddressChange(remote: SocketAddress): void {
    this.addresses.push(remote);
  }

  onClosed(info: CloseInfo): void {
    this.closed = info;
  }
}

export interface BareListenerOptions {
  readonly engine: QuicEngine;
  readonly transport?: Partial<TransportSettings>;
  readonly retryAfterHandshakesPerSec?: number;
  readonly decide?: () => IncomingDecision;
  readonly ip?: string;
}

/** An engine's listener with nothing behind it, for attacks on QUIC itself. */
export class BareListener implements AsyncDisposable {
  readonly connections: BareConnection[];
  readonly failures: string[];
  readonly #listener: QuicListener;

  private constructor(listener: QuicListener, connections: BareConnection[], failures: string[]) {
    this.#listener = listener;
    this.connections = connections;
    this.failures = failures;
  }

  static async start(options: BareListenerOptions): Promise<BareListener> {
    const {
      engine,
      transport = {},
      retryAfterHandshakesPerSec = 0,
      decide = () => 'accept',
      ip = '127.0.0.1',
    } = options;
    const certificate = await createSelfSigned();
    const connections: BareConnection[] = [];
    const failures: string[] = [];
    const listener = await engine.listen(
      {
        address: { ip, port: 0 },
        tls: { certificate: certificate.certificatePem, privateKey: certificate.privateKeyPem },
        transport: { ...bareTransport, ...transport },
        resetKey: Buffer.alloc(32, 7),
        retryAfterHandshakesPerSec,
      },
      {
        onIncoming: decide,
        onConnection: (connection) => {
          const bare = new BareConnection(connection);
          connections.push(bare);
          return bare;
        },
        onHandshakeFailed: (_remote, reason) => failures.push(reason),
        onFailed: (error) => failures.push(error.message),
      },
    );
    return new BareListener(listener, connections, failures);
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close('test over');
  }
}
