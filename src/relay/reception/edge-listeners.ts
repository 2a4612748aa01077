import { AppError, errorMessage } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import type {
  ListenerHandler,
  ListenOptions,
  QuicEngine,
  QuicListener,
  SocketAddress,
  TlsIdentity,
} from '../../quic/types.ts';

export interface EdgeListenersDependencies {
  readonly clock: Pick<Clock, 'setInterval'>;
  readonly engine: QuicEngine;
  readonly logger: Logger;
  /** IP literals of the host's interfaces, loopback left out. */
  hostAddresses(): readonly string[];
  /** What answers for one listen address. */
  handlerFor(bindAddr: string): Omit<ListenerHandler, 'onFailed'>;
}

type Options = Omit<ListenOptions, 'address'>;

/** How often an address that could not be had, or whose socket failed, is tried again. */
const retryMs = 5_000;

/**
 * The UDP addresses on which edges connect. If one cannot be opened while another one works, that is a warning. It is
 * tried again: an interface may come up later, and a socket that failed must not stay closed.
 */
export class EdgeListeners {
  readonly #dependencies: EdgeListenersDependencies;
  /** By the address that was asked for. */
  readonly #open = new Map<string, QuicListener>();
  readonly #failures = new Map<string, { readonly address: SocketAddress; readonly reason: string }>();
  #options: Options | null = null;
  #retry: Timer | null = null;
  #trying: Promise<void> = Promise.resolve();

  constructor(dependencies: EdgeListenersDependencies) {
    this.#dependencies = dependencies;
  }

  /** Bound addresses, with their real ports. */
  get addresses(): readonly SocketAddress[] {
    return this.listeners.map((listener) => listener.address);
  }

  get listeners(): readonly QuicListener[] {
    return [...this.#open.values()];
  }

  get socketBufferBytes(): readonly (number | null)[] {
    return this.listeners.flatMap((listener) => [listener.socketReceiveBufferBytes, listener.socketSendBufferBytes]);
  }

  /** Addresses that were asked for and carry nothing, with the reason; for people. */
  get failures(): readonly string[] {
    return [...this.#failures].map(([address, { reason }]) =>
      reason.includes(address) ? reason : `${address}: ${reason}`,
    );
  }

  /**
   * Rejects with AppError `address-unavailable` when no address could be bound, `tls-failed` when the identity is no
   * good.
   */
  async open(addresses: readonly SocketAddress[], options: Options): Promise<void> {
    this.#options = options;
    for (const address of addresses) await this.#listen(address, options);
    if (this.#open.size > 0) {
      this.#retry = this.#dependencies.clock.setInterval(() => {
        this.#trying = this.#trying.then(() => this.#tryAgain());
      }, retryMs);
      return;
    }
    throw new AppError('address-unavailable', `no QUIC address could be bound: ${this.failures.join('\n')}`);
  }

  /** Throws AppError `tls-failed`; what came before is in force then. */
  setTls(tls: TlsIdentity): void {
    for (const listener of this.listeners) listener.setTls(tls);
    if (this.#options !== null) this.#options = { ...this.#options, tls };
  }

  stopAccepting(): void {
    this.#options = null;
    this.#retry?.cancel();
    for (const listener of this.listeners) listener.stopAccepting();
  }

  async close(reason: string): Promise<void> {
    this.#options = null;
    this.#retry?.cancel();
    await this.#trying;
    const { listeners } = this;
    this.#open.clear();
    await Promise.all(listeners.map((listener) => listener.close(reason)));
  }

  async #tryAgain(): Promise<void> {
    for (const { address } of [...this.#failures.values()]) {
      if (this.#options === null) return;
      try {
        await this.#listen(address, this.#options);
      } catch (error) {
        this.#failed(address, error);
      }
    }
  }

  async #listen(address: SocketAddress, options: Options): Promise<void> {
    const { engine, logger } = this.#dependencies;
    const text = formatSocketAddress(address);
    try {
      const onFailed = (error: Error): void => {
        const failed = this.#open.get(text);
        this.#open.delete(text);
        this.#failed(address, error);
        // Its socket has the address still.
        this.#trying = this.#trying.then(() => failed?.close('the socket failed'));
      };
      const listener = await engine.listen(
        { ...options, address },
        { ...this.#dependencies.handlerFor(text), onFailed },
      );
      this.#open.set(text, listener);
      // A certificate that came while the address was taken.
      if (this.#options !== null && this.#options.tls !== options.tls) listener.setTls(this.#options.tls);
      this.#failures.delete(text);
      this.#warnOfWildcard(address);
      logger.info({ address: formatSocketAddress(listener.address), engine: engine.name }, 'listening for edges');
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'address-unavailable') throw error;
      this.#failed(address, error);
    }
  }

  /** Edges that come in by one of several addresses are answered from whichever the system picks, and drop that. */
  #warnOfWildcard({ ip, port }: SocketAddress): void {
    if (ip !== '0.0.0.0') return;
    const addresses = this.#dependencies.hostAddresses().filter((host) => !host.includes(':'));
    if (addresses.length < 2) return;
    const remedy = `set quic_addrs to ${addresses.map((host) => `${host}:${port}`).join(', ')}`;
    this.#dependencies.logger.warn({ addresses, remedy }, 'the host has several addresses behind 0.0.0.0');
  }

  #failed(address: SocketAddress, error: unknown): void {
    const text = formatSocketAddress(address);
    const reason = errorMessage(error);
    if (this.#failures.get(text)?.reason === reason) return;
    this.#failures.set(text, { address, reason });
    const retry = `it is tried again every ${retryMs / 1000} s`;
    this.#dependencies.logger.warn({ address: text, reason, retry }, 'QUIC address is not available');
  }
}
