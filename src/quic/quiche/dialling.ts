import { isIPv6 } from 'node:net';
import { AppError } from '../../lib/app-error.ts';
import { fitsPin } from '../../lib/pin.ts';
import type { CloseInfo } from '../connection-report.ts';
import type { ConnectionHandler, DialOptions, QuicConnection } from '../types.ts';
import { handshakeTooLong, isCertificateAlert } from './close-info.ts';
import type { QuicheConnection } from './connection.ts';
import { Endpoint } from './endpoint.ts';
import type { EngineParts } from './engine-parts.ts';
import { connectHandle, type QuicheHandle } from './binding.ts';
import { ownIdBytes } from './packet-header.ts';
import { clientConfig } from './tls-config.ts';

/** One dialled connection with a socket of its own, from the first packet to the end. */
export class Dialling {
  readonly #parts: EngineParts;
  readonly #options: DialOptions;
  readonly #handler: ConnectionHandler;
  readonly #onDone: () => void;
  readonly #endpoint: Endpoint;
  readonly #outcome = Promise.withResolvers<QuicConnection>();
  #connection: QuicheConnection | null = null;
  #aborted = false;
  #untrusted = false;
  #closing: Promise<void> | null = null;

  constructor(parts: EngineParts, options: DialOptions, handler: ConnectionHandler, onDone: () => void) {
    this.#parts = parts;
    this.#options = options;
    this.#handler = handler;
    this.#onDone = onDone;
    this.#endpoint = new Endpoint(parts, options.transport, {
      onLongHeader: () => false,
      // A stateless reset bears no id of ours (RFC 9000 §10.3.1), and the socket serves one connection.
      onUnknownConnection: (packet, from) => this.#connection?.onPacket(packet, from, parts.clock.monotonicMs()),
      onFailed: (error) => this.#connection?.close(0, `the socket failed: ${error.message}`),
    });
  }

  get connections(): number {
    return this.#endpoint.connections;
  }

  async connect(): Promise<QuicConnection> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#start();
      return await this.#outcome.promise;
    } catch (error) {
      await this.close('');
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the connection and frees the socket. Idempotent. */
  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    await this.#endpoint.close(reason);
    this.#onDone();
  }

  async #start(): Promise<void> {
    const { remote, serverName, verify, transport, signal } = this.#options;
    const config = clientConfig(verify, transport);
    await this.#endpoint.bind({ ip: isIPv6(remote.ip) ? '::' : '0.0.0.0', port: 0 });
    if (signal?.aborted === true) throw cancelled();
    const connectionId = this.#parts.random.bytes(ownIdBytes);
    const handle = connectHandle(connectionId, serverName, config);
    const connection = this.#endpoint.add({
      isServer: false,
      handle,
      connectionId,
      remote,
      firstId: null,
      onEstablished: () => this.#onEstablished(connection, handle),
      onFailed: (info) => this.#outcome.reject(this.#failure(info)),
    });
    this.#connection = connection;
  }

  #onEstablished(connection: QuicheConnection, handle: QuicheHandle): ConnectionHandler | string {
    if (!this.#isTrusted(handle)) {
      this.#untrusted = true;
      return 'the certificate has another fingerprint';
    }
    this.#outcome.resolve(connection);
    const handler = this.#handler;
    return {
      onStream: (stream) => handler.onStream(stream),
      onDatagram: (payload) => handler.onDatagram(payload),
      onAddressChange: (remote) => handler.onAddressChange(remote),
      onClosed: (info) => {
        handler.onClosed(info);
        void this.close('');
      },
    };
  }

  #isTrusted(handle: QuicheHandle): boolean {
    const { verify } = this.#options;
    if (verify.kind !== 'fingerprint') return true;
    const leaf = handle.peerCertChain()?.[0];
    return leaf !== undefined && fitsPin(leaf, verify.sha256);
  }

  #abort(): void {
    this.#aborted = true;
    this.#connection?.close(0, 'cancelled');
  }

  #failure(info: CloseInfo): AppError {
    const { ip, port } = this.#options.remote;
    if (this.#aborted || info.kind === 'local') return cancelled();
    if (this.#untrusted || isCertificateAlert(info.code)) {
      return new AppError('tls-failed', info.reason);
    }
    const late = info.kind === 'idle' || info.reason === handshakeTooLong;
    return new AppError(late ? 'timed-out' : 'connect-failed', `no connection to ${ip} port ${port}: ${info.reason}`);
  }
}

function cancelled(): AppError {
  return new AppError('cancelled', 'the connection attempt was cancelled');
}
