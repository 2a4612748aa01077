import { addressUnavailable } from '../../lib/address-unavailable.ts';
import { AppError } from '../../lib/app-error.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import type { EngineReport } from '../engine-report.ts';
import { GarbageHint } from '../garbage-hint.ts';
import type { EdgeEngine } from '../local-sockets.ts';
import type { CloseInfo } from '../connection-report.ts';
import type {
  ConnectionHandler,
  DialOptions,
  Ledger,
  ListenerHandler,
  ListenOptions,
  QuicConnection,
  QuicListener,
  SocketAddress,
} from '../types.ts';
import { loadAddon, type NativeAddon, type NativeBinding, type NativeDialOptions } from './addon.ts';
import { tellEvents, type DialFailure, type EventSink } from './event-batch.ts';
import { QuinnConnection } from './quinn-connection.ts';
import { appErrorOf } from './quinn-error.ts';
import { QuinnLedger } from './quinn-ledger.ts';
import { QuinnLocal } from './quinn-local.ts';
import { QuinnListener } from './quinn-listener.ts';
import type { SpliceEnds } from './quinn-stream.ts';
import { readReport } from './quinn-report.ts';

/** What JavaScript holds for a closed connection is a few KiB. */
const connectionsPerHint = 2000;

interface Dial {
  readonly handler: ConnectionHandler;
  readonly resolve: (connection: QuicConnection) => void;
  readonly reject: (error: AppError) => void;
}

/** Throws what `loadAddon` throws. */
export function createQuinnEngine(addon: NativeAddon = loadAddon()): EdgeEngine {
  return new QuinnEngine(addon);
}

class QuinnEngine implements EdgeEngine, EventSink, SpliceEnds {
  readonly name = 'native';
  readonly #addon: NativeAddon;
  readonly #listeners = new Map<number, QuinnListener>();
  readonly #connections = new Map<number, QuinnConnection>();
  readonly #dials = new Map<number, Dial>();
  readonly #splices = new Map<number, () => void>();
  readonly localSockets: QuinnLocal;
  readonly #garbage = new GarbageHint(connectionsPerHint);
  /** The engine's thread, from the first listen or dial on. It keeps the process alive. */
  #binding: NativeBinding | undefined;
  #lastReport: readonly number[] = [];
  #closing: PromiseWithResolvers<undefined> | undefined;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
    this.localSockets = new QuinnLocal({ addon, start: () => this.#start(), running: () => this.#binding });
  }

  createLedger(): Ledger {
    return new QuinnLedger(new this.#addon.NativeLedger());
  }

  // eslint asks for an await; the port asks for rejections instead of throws.
  async listen(options: ListenOptions, handler: ListenerHandler): Promise<QuicListener> {
    const { address, tls, transport, resetKey, retryAfterHandshakesPerSec } = options;
    const binding = this.#start();
    try {
      const listening = binding.listen({ ...address, ...tls, transport, resetKey, retryAfterHandshakesPerSec });
      const listener = new QuinnListener(binding, listening, handler);
      this.#listeners.set(listener.id, listener);
      return await Promise.resolve(listener);
    } catch (thrown) {
      const error = appErrorOf(thrown);
      if (error.code !== 'address-unavailable') throw error;
      throw addressUnavailable(`cannot listen on UDP ${formatSocketAddress(address)}`, error.cause);
    }
  }

  async dial(options: DialOptions, handler: ConnectionHandler): Promise<QuicConnection> {
    const { signal } = options;
    const cancelled = (): AppError => new AppError('cancelled', 'the dial was cancelled', { cause: signal?.reason });
    if (signal?.aborted === true) throw cancelled();
    const binding = this.#start();
    let id: number;
    try {
      id = binding.dial(nativeDialOptions(options)).connection;
    } catch (error) {
      throw appErrorOf(error);
    }
    const { promise, resolve, reject } = Promise.withResolvers<QuicConnection>();
    const abort = (): void => {
      this.#dials.delete(id);
      binding.close(id, 0, '');
      reject(cancelled());
      this.#settle();
    };
    this.#dials.set(id, { handler, resolve, reject });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  report(): EngineReport {
    return readReport(this.#binding?.report() ?? this.#lastReport);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<undefined>();
      for (const listener of this.#listeners.values()) void listener.close('engine closed');
      for (const connection of this.#connections.values()) connection.close(0, 'engine closed');
      for (const id of this.#dials.keys()) this.#binding?.close(id, 0, 'engine closed');
      this.localSockets.endAll();
      this.#settle();
    }
    return this.#closing.promise;
  }

  #start(): NativeBinding {
    if (this.#closing !== undefined) throw new AppError('closed', 'the QUIC engine is closed');
    this.#binding ??= new this.#addon.NativeEngine(() => this.#drainEvents());
    return this.#binding;
  }

  #drainEvents(): void {
    const binding = this.#binding;
    if (binding === undefined) return;
    try {
      tellEvents(binding.drain(), this);
    } finally {
      binding.answered();
      this.#settle();
    }
  }

  /** A closing engine ends when nothing is left that could still say something. */
  #settle(): void {
    if (this.#closing === undefined) return;
    if (this.#listeners.size > 0 || this.#connections.size > 0 || this.#dials.size > 0) return;
    if (!this.localSockets.isIdle) return;
    const binding = this.#binding;
    this.#binding = undefined;
    if (binding !== undefined) {
      binding.shutdown();
      this.#lastReport = binding.report();
    }
    this.#closing.resolve(undefined);
  }

  expect(splice: number, onEnd: () => void): void {
    this.#splices.set(splice, onEnd);
  }

  incoming(listener: number, attempt: number, validated: boolean, remote: SocketAddress): void {
    this.#listeners.get(listener)?.tellIncoming(attempt, validated, remote);
  }

  connected(listener: number, id: number, remote: SocketAddress, local: SocketAddress): void {
    const binding = this.#binding;
    const dial = this.#dials.get(id);
    const accepting = this.#listeners.get(listener);
    if (binding === undefined || (dial === undefined && accepting === undefined)) return;
    const connection = new QuinnConnection({ binding, splices: this }, id, remote, local);
    this.#connections.set(id, connection);
    if (dial !== undefined) {
      this.#dials.delete(id);
      connection.setHandler(dial.handler);
      dial.resolve(connection);
    } else if (accepting !== undefined) {
      connection.setHandler(accepting.handler.onConnection(connection));
    }
  }

  handshakeFailed(listener: number, remote: SocketAddress, reason: string): void {
    this.#listeners.get(listener)?.handler.onHandshakeFailed(remote, reason);
  }

  dialFailed(connection: number, failure: DialFailure, reason: string): void {
    const dial = this.#dials.get(connection);
    this.#dials.delete(connection);
    const code = this.#closing === undefined ? failure : 'closed';
    dial?.reject(new AppError(code, `no QUIC connection: ${reason}`));
  }

  closed(connection: number, info: CloseInfo): void {
    const ended = this.#connections.get(connection);
    this.#connections.delete(connection);
    this.#binding?.forget(connection);
    ended?.tellClosed(info);
    this.#garbage.onClosed();
  }

  streamOpened(connection: number, stream: number): void {
    this.#connections.get(connection)?.tellStream(stream);
  }

  readable(connection: number, stream: number): void {
    this.#connections.get(connection)?.stream(stream)?.tellReadable();
  }

  writable(connection: number, stream: number): void {
    this.#connections.get(connection)?.stream(stream)?.tellWritable();
  }

  stopped(connection: number, stream: number, code: number): void {
    this.#connections.get(connection)?.stream(stream)?.tellStopped(code);
  }

  spliceEnded(splice: number): void {
    const onEnd = this.#splices.get(splice);
    this.#splices.delete(splice);
    onEnd?.();
  }

  addressChanged(connection: number, remote: SocketAddress): void {
    this.#connections.get(connection)?.tellAddressChange(remote);
  }

  datagram(connection: number, payload: Uint8Array): void {
    this.#connections.get(connection)?.tellDatagram(payload);
  }

  listenerFailed(listener: number, reason: string): void {
    this.#listeners.get(listener)?.tellFailed(reason);
  }

  listenerClosed(listener: number): void {
    const closed = this.#listeners.get(listener);
    this.#listeners.delete(listener);
    closed?.tellClosed();
  }

  lateDatagrams(connection: number, count: number): void {
    for (let reported = 0; reported < count; reported++) this.#connections.get(connection)?.reportLateDatagram();
  }

  localAccepted(listener: number, socket: number): void {
    this.localSockets.tellAccepted(listener, socket);
  }

  localConnected(socket: number): void {
    this.localSockets.tellConnected(socket);
  }

  localFailed(socket: number, reason: string): void {
    this.localSockets.tellFailed(socket, reason);
  }

  localEnded(socket: number, reason: string): void {
    this.localSockets.tellEnded(socket, reason);
  }

  localUdpError(leg: number, reason: string): void {
    this.localSockets.tellUdpError(leg, reason);
  }

  localListenerError(listener: number, reason: string): void {
    this.localSockets.tellListenerError(listener, reason);
  }
}

function nativeDialOptions({ remote, serverName, verify, transport }: DialOptions): NativeDialOptions {
  const { kind, ...proof } = verify;
  return { ...remote, serverName, transport, verify: kind, ...proof };
}
