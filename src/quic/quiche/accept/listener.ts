import type { QuicListener, SocketAddress, TlsIdentity } from '../../types.ts';
import type { Incoming } from './incoming.ts';
import type { Endpoint } from '../endpoint.ts';

export class QuicheListener implements QuicListener {
  readonly address: SocketAddress;
  readonly socketReceiveBufferBytes: number;
  readonly socketSendBufferBytes: number;
  readonly #endpoint: Endpoint;
  readonly #incoming: Incoming;
  readonly #onClosed: () => void;
  #closing: Promise<void> | null = null;

  constructor(endpoint: Endpoint, incoming: Incoming, onClosed: () => void) {
    this.#endpoint = endpoint;
    this.#incoming = incoming;
    this.#onClosed = onClosed;
    this.address = endpoint.socket.address;
    this.socketReceiveBufferBytes = endpoint.socket.receiveBufferBytes;
    this.socketSendBufferBytes = endpoint.socket.sendBufferBytes;
  }

  get connections(): number {
    return this.#endpoint.connections;
  }

  setTls(tls: TlsIdentity): void {
    this.#incoming.setTls(tls);
  }

  stopAccepting(): void {
    this.#incoming.stopAccepting();
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.#incoming.stopAccepting();
    await this.#endpoint.close(reason);
    this.#onClosed();
  }
}
