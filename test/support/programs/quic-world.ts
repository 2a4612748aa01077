import type { EdgeEngine } from '../../../src/quic/local-sockets.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import type {
  DialOptions,
  IncomingAttempt,
  IncomingDecision,
  ListenOptions,
  QuicConnection,
  QuicEngine,
  QuicListener,
  SocketAddress,
  TlsIdentity,
} from '../../../src/quic/types.ts';
import { createSelfSigned, type KeyKind } from '../samples/certificates.ts';
import { relayTransport } from '../samples/relay-transport.ts';
import { startEngine } from './engines.ts';
import { RecordedConnection } from '../peers/quic-peer.ts';
import { until } from '../until.ts';

export const testTransport: TransportSettings = {
  ...relayTransport,
  socketBufferBytes: 2 * 1024 * 1024,
};

export async function testIdentity(keyKind: KeyKind = 'ec'): Promise<TlsIdentity> {
  const made = await createSelfSigned({ keyKind, dnsNames: ['relay'] });
  return { certificate: made.certificatePem, privateKey: made.privateKeyPem };
}

export interface WorldOptions {
  readonly transport?: Partial<TransportSettings>;
  readonly clientTransport?: Partial<TransportSettings>;
  readonly listen?: Partial<ListenOptions>;
  readonly onIncoming?: (attempt: IncomingAttempt) => IncomingDecision;
}

/** A listener and an engine that dials it, both of the same kind. */
export class QuicWorld {
  readonly engine: QuicEngine;
  readonly clientEngine: EdgeEngine;
  readonly servers: RecordedConnection[] = [];
  readonly handshakeFailures: string[] = [];
  readonly attempts: IncomingAttempt[] = [];
  listener: QuicListener;
  readonly #options: WorldOptions;
  readonly #clientTransport: TransportSettings;

  private constructor(engines: readonly [QuicEngine, EdgeEngine], listener: QuicListener, options: WorldOptions) {
    [this.engine, this.clientEngine] = engines;
    this.listener = listener;
    this.#options = options;
    this.#clientTransport = { ...testTransport, ...options.clientTransport };
  }

  static async start(name: EngineName, options: WorldOptions = {}): Promise<QuicWorld> {
    const engines = [await startEngine(name), await startEngine(name)] as const;
    const handlers: { world: QuicWorld | null } = { world: null };
    const listener = await engines[0].listen(await listenOptions(options), {
      onIncoming: (attempt) => {
        handlers.world?.attempts.push(attempt);
        return options.onIncoming?.(attempt) ?? 'accept';
      },
      onConnection: (connection) => {
        const recorded = new RecordedConnection();
        recorded.attach(connection);
        handlers.world?.servers.push(recorded);
        return recorded;
      },
      onHandshakeFailed: (_remote, reason) => handlers.world?.handshakeFailures.push(reason),
      onFailed: (error) => {
        throw error;
      },
    });
    handlers.world = new QuicWorld(engines, listener, options);
    return handlers.world;
  }

  /** Settings of the listener, to start another like it. */
  listenOptions(): Promise<ListenOptions> {
    return listenOptions(this.#options);
  }

  async dial(
    options: Partial<DialOptions> & { readonly via?: SocketAddress } = {},
    handler = new RecordedConnection(),
  ): Promise<RecordedConnection> {
    const { via, ...rest } = options;
    const connection: QuicConnection = await this.clientEngine.dial(
      {
        remote: via ?? this.listener.address,
        serverName: 'relay',
        verify: { kind: 'none' },
        transport: this.#clientTransport,
        ...rest,
      },
      handler,
    );
    handler.attach(connection);
    return handler;
  }

  /** Both ends of a new connection. */
  async connect(via?: SocketAddress): Promise<{ client: RecordedConnection; server: RecordedConnection }> {
    const before = this.servers.length;
    const client = await this.dial(via === undefined ? {} : { via });
    const server = await until(() => this.servers[before] ?? null, { what: 'the listener hears of the connection' });
    return { client, server };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.clientEngine.close();
    await this.engine.close();
  }
}

async function listenOptions(options: WorldOptions): Promise<ListenOptions> {
  return {
    address: { ip: '127.0.0.1', port: 0 },
    tls: await testIdentity(),
    transport: { ...testTransport, ...options.transport },
    resetKey: new Uint8Array(32).fill(7),
    retryAfterHandshakesPerSec: 0,
    ...options.listen,
  };
}
