import type { QuicListener, SocketAddress, TlsIdentity } from '../../types.ts';
import type { Acceptor } from './acceptor.ts';
import type { Endpoint } from '../endpoint.ts';

export class QuicheListener implements QuicListener {
  readonly address: SocketAddress;
  readonly socketReceiveBufferBytes: number;
  readonly socketSendBufferBytes: number;
  readonly #endpoint: Endpoint;
  readonly #acceptor: Acceptor;
  readonly #onClosed: () => void;
  #closing: Promise<void> | null = null;

  constructor(endpoint: Endpoint, acceptor: Acceptor, onClosed: () => void) {
    this.#endpoint = endpoint;
    this.#acceptor = acceptor;
    this.#onClosed = onClosed;
    this.address = endpoint.socket.address;
    this.socketReceiveBufferBytes = endpoint.socket.receiveBufferBytes;
    this.socketSendBufferBytes = endpoint.socket.sendBufferBytes;
  }

  get connections(): number {
    return this.#endpoint.connections;
  }

  setTls(tls: TlsIdentity): void {
    this.#acceptor.setTls(tls);
  }

  stopAccepting(): void {
    this.#acceptor.stopAccepting();
  }

  close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.#acceptor.stopAccepting();
    await this.#endpoint.close(reason);
    this.#onClosed();
  }
}
