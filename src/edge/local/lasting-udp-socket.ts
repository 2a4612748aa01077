import type { Clock, Timer } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';

export interface LastingUdpSocketDependencies<Socket> {
  readonly clock: Pick<Clock, 'monotonicMs' | 'setTimeout'>;
  readonly logger: Logger;
  /** Rejects with AppError `address-unavailable`. */
  readonly open: (address: HostPort) => Promise<Socket>;
  readonly portOf: (socket: Socket) => number;
  /** Resolves when its address is free. */
  readonly close: (socket: Socket) => Promise<void>;
  /** Null: it is open again. An error: it could not be opened and is tried again. */
  readonly onRenewed: (error: unknown) => void;
}

/** Errors of a connected socket that concern the datagram or the program there, and not the socket. */
const ofTheOtherEnd: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EMSGSIZE']);
/** Errors of a bound socket that concern the socket; any other one concerns the destination. */
const ofTheSocket: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EBADF', 'EINVAL', 'ENETDOWN', 'ENODEV']);
/** Opening anew is of no use more often, and costs what waits in the old socket. */
const pauseMs = 1000;
/** A socket that worked for so long and fails now is news for the log. */
const steadyMs = 10_000;

/**
 * A local UDP socket that is opened anew when it stops working. A connected socket keeps the machine's address of the
 * time it was opened, and fails for ever once that address is gone.
 */
export class LastingUdpSocket<Socket> {
  readonly #dependencies: LastingUdpSocketDependencies<Socket>;
  readonly #mode: 'bind' | 'connect';
  /** A bound socket keeps the port that it got first. */
  #address: HostPort;
  #socket: Socket | null = null;
  #closed = false;
  #openedAtMs = 0;
  #warned = false;
  #timer: Timer | null = null;
  #renewing: Promise<void> = Promise.resolve();

  /** `address`: where to listen (port 0: any), or where to connect to. */
  constructor(dependencies: LastingUdpSocketDependencies<Socket>, mode: 'bind' | 'connect', address: HostPort) {
    this.#dependencies = dependencies;
    this.#mode = mode;
    this.#address = address;
  }

  /** Null while there is none: it is being opened anew, or closed. */
  get current(): Socket | null {
    return this.#socket;
  }

  /** Returns the address with the port that a bound socket got. Rejects as `open` of the dependencies does. */
  async open(): Promise<HostPort> {
    const socket = await this.#dependencies.open(this.#address);
    if (this.#mode === 'bind') this.#address = { ...this.#address, port: this.#dependencies.portOf(socket) };
    this.#socket = socket;
    this.#openedAtMs = this.#dependencies.clock.monotonicMs();
    return this.#address;
  }

  /** Call with each error of the socket. Opens it anew when the error is about the socket itself. */
  failed(error: Error): void {
    if (this.#closed || this.#timer !== null || !this.#isBroken(error)) return;
    const ageMs = this.#dependencies.clock.monotonicMs() - this.#openedAtMs;
    if (!this.#warned || ageMs >= steadyMs) {
      this.#dependencies.logger.warn({ error }, 'the local UDP socket does not work, opening it anew');
    }
    this.#warned = true;
    this.#renewIn(Math.max(0, pauseMs - ageMs));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#renewing;
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await this.#dependencies.close(socket);
  }

  /** For control flow across an await. */
  #isClosed(): boolean {
    return this.#closed;
  }

  #isBroken(error: Error): boolean {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    return this.#mode === 'connect' ? !ofTheOtherEnd.has(code) : ofTheSocket.has(code);
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#dependencies.clock.setTimeout(() => {
      this.#renewing = this.#renew();
    }, delayMs);
  }

  async #renew(): Promise<void> {
    const old = this.#socket;
    this.#socket = null;
    // First, because a bound socket holds the port.
    if (old !== null) await this.#dependencies.close(old);
    if (this.#closed) return;
    try {
      await this.open();
      this.#timer = null;
      this.#dependencies.logger.debug({}, 'the local UDP socket is open again');
      this.#dependencies.onRenewed(null);
    } catch (error) {
      this.#dependencies.logger.debug({ error }, 'the local UDP socket cannot be opened yet');
      this.#dependencies.onRenewed(error);
      if (!this.#isClosed()) this.#renewIn(pauseMs);
    }
  }
}
