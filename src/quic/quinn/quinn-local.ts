import { AppError, errorMessage } from '../../lib/app-error.ts';
import {
  localCountNames,
  type LocalCounts,
  type LocalSockets,
  type LocalTcpConnectHandler,
  type LocalTcpListener,
  type LocalTcpListenerHandler,
  type LocalTcpPipe,
  type LocalTcpPipeHandler,
  type LocalTcpSocket,
  type LocalTunnel,
  type LocalTunnelOptions,
  type LocalUdp,
  type LocalUdpOptions,
} from '../local-sockets.ts';
import type { QuicStream, SocketAddress } from '../types.ts';
import type { NativeAddon, NativeBinding, NativeTunnelBinding } from './addon.ts';
import { QuinnLedger } from './quinn-ledger.ts';
import { appErrorOf, socketError, systemWords } from './quinn-error.ts';
import { QuinnStream } from './quinn-stream.ts';
import { QuinnUdp } from './quinn-udp.ts';

export interface QuinnLocalDependencies {
  readonly addon: Pick<NativeAddon, 'NativeTunnel'>;
  /** Starts the engine's thread where it does not run. Throws AppError `closed` once the engine is closed. */
  readonly start: () => NativeBinding;
  /** Undefined while no thread runs: there is nothing then that could be ended. */
  readonly running: () => NativeBinding | undefined;
}

/** The handlers of the engine's local sockets, by their ids. */
export class QuinnLocal implements LocalSockets {
  readonly #dependencies: QuinnLocalDependencies;
  readonly #listeners = new Map<number, { readonly handler: LocalTcpListenerHandler; readonly tunnel: QuinnTunnel }>();
  readonly #connecting = new Map<number, LocalTcpConnectHandler>();
  readonly #pipes = new Map<number, LocalTcpPipeHandler>();
  readonly #udpErrors = new Map<number, (error: Error) => void>();
  /** The id of the next attempt to connect that the engine does not take; its own are above 0. */
  #nextFailed = -1;

  constructor(dependencies: QuinnLocalDependencies) {
    this.#dependencies = dependencies;
  }

  /** Nothing is left of which there could still be word. */
  get isIdle(): boolean {
    return this.#pipes.size === 0;
  }

  openTunnel(options: LocalTunnelOptions): LocalTunnel {
    return new QuinnTunnel(this, options);
  }

  newTunnel({ key, localResetCode, notAuthenticCode }: LocalTunnelOptions): NativeTunnelBinding {
    return new this.#dependencies.addon.NativeTunnel(key, localResetCode, notAuthenticCode);
  }

  listen({ ip, port }: SocketAddress, handler: LocalTcpListenerHandler, tunnel: QuinnTunnel): LocalTcpListener {
    try {
      const listening = this.#dependencies.start().listenTcp(ip, port);
      this.#listeners.set(listening.id, { handler, tunnel });
      const close = (): Promise<void> => {
        this.#closeListener(listening.id);
        return Promise.resolve();
      };
      return { port: listening.port, close };
    } catch (error) {
      throw error instanceof AppError ? error : appErrorOf(error);
    }
  }

  connect({ ip, port }: SocketAddress, handler: LocalTcpConnectHandler): number {
    let socket: number;
    try {
      socket = this.#dependencies.start().connectTcp(ip, port);
    } catch (error) {
      // Such as an address with a zone. The callers are handlers, which must not throw.
      socket = this.#nextFailed--;
      setImmediate(() => this.tellFailed(socket, errorMessage(error)));
    }
    this.#connecting.set(socket, handler);
    return socket;
  }

  join(socket: number, stream: QuicStream, handler: LocalTcpPipeHandler, tunnel: NativeTunnelBinding): void {
    if (!(stream instanceof QuinnStream)) throw new TypeError('a stream of another engine cannot be joined');
    this.#pipes.set(socket, handler);
    this.#dependencies.start().joinTcp(socket, stream.connection.id, stream.id, tunnel);
    stream.connection.forgetStream(stream.id);
  }

  abort(socket: number, code: number): void {
    this.#connecting.delete(socket);
    if (socket > 0) this.#dependencies.running()?.abortTcp(socket, code);
  }

  /** A leg of this tunnel, once it is opened; `onError` of the options is called from then on. */
  udp(tunnel: NativeTunnelBinding, { prefix, ledger, onError }: LocalUdpOptions): LocalUdp {
    return new QuinnUdp({
      ...this.#dependencies,
      add: (binding) => {
        const leg = binding.addUdp(tunnel, prefix, QuinnLedger.bindingOf(ledger));
        this.#udpErrors.set(leg, onError);
        return leg;
      },
      remove: (leg) => {
        this.#udpErrors.delete(leg);
        this.#dependencies.running()?.removeUdp(leg);
      },
    });
  }

  /** The engine closes: everything ends, and joined sockets say so. */
  endAll(): void {
    for (const listener of [...this.#listeners.keys()]) this.#closeListener(listener);
    for (const socket of [...this.#connecting.keys(), ...this.#pipes.keys()]) this.abort(socket, 0);
  }

  tellAccepted(listener: number, socket: number): void {
    const accepting = this.#listeners.get(listener);
    if (accepting === undefined) this.abort(socket, 0);
    else accepting.handler.onConnection(new QuinnTcpSocket(this, socket, accepting.tunnel));
  }

  tellConnected(socket: number): void {
    const handler = this.#connecting.get(socket);
    this.#connecting.delete(socket);
    handler?.onConnected();
  }

  tellFailed(socket: number, reason: string): void {
    const handler = this.#connecting.get(socket);
    this.#connecting.delete(socket);
    handler?.onFailed(new AppError('connect-failed', systemWords(reason)));
  }

  /** `reason` is empty where nothing failed. */
  tellEnded(socket: number, reason: string): void {
    const handler = this.#pipes.get(socket);
    this.#pipes.delete(socket);
    handler?.onEnd(reason === '' ? null : new AppError('closed', systemWords(reason)));
  }

  tellListenerError(listener: number, reason: string): void {
    this.#listeners.get(listener)?.handler.onError(new AppError('unavailable', systemWords(reason)));
  }

  tellUdpError(leg: number, reason: string): void {
    this.#udpErrors.get(leg)?.(socketError('udp', reason));
  }

  #closeListener(listener: number): void {
    this.#listeners.delete(listener);
    this.#dependencies.running()?.closeLocal(listener);
  }
}

class QuinnTunnel implements LocalTunnel {
  readonly #local: QuinnLocal;
  readonly binding: NativeTunnelBinding;

  constructor(local: QuinnLocal, options: LocalTunnelOptions) {
    this.#local = local;
    this.binding = local.newTunnel(options);
  }

  counts(): LocalCounts {
    const numbers = this.binding.counts();
    return Object.fromEntries(localCountNames.map((name, i) => [name, numbers[i] ?? 0])) as LocalCounts;
  }

  udp(options: LocalUdpOptions): LocalUdp {
    return this.#local.udp(this.binding, options);
  }

  // eslint asks for an await; the port asks for rejections instead of throws.
  async listen(address: SocketAddress, handler: LocalTcpListenerHandler): Promise<LocalTcpListener> {
    return Promise.resolve(this.#local.listen(address, handler, this));
  }

  connect(address: SocketAddress, handler: LocalTcpConnectHandler): LocalTcpSocket {
    return new QuinnTcpSocket(this.#local, this.#local.connect(address, handler), this);
  }
}

class QuinnTcpSocket implements LocalTcpSocket {
  readonly #local: QuinnLocal;
  readonly #id: number;
  readonly #tunnel: QuinnTunnel;

  constructor(local: QuinnLocal, id: number, tunnel: QuinnTunnel) {
    this.#local = local;
    this.#id = id;
    this.#tunnel = tunnel;
  }

  join(stream: QuicStream, handler: LocalTcpPipeHandler): LocalTcpPipe {
    this.#local.join(this.#id, stream, handler, this.#tunnel.binding);
    return { abort: (code) => this.#local.abort(this.#id, code) };
  }

  reset(): void {
    this.#local.abort(this.#id, 0);
  }
}
