import { AppError } from '../../../src/lib/app-error.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { formatSocketAddress } from '../../../src/lib/socket-address.ts';
import type { EngineReport } from '../../../src/quic/engine-report.ts';
import type {
  ConnectionHandler,
  DialOptions,
  Ledger,
  ListenerHandler,
  ListenOptions,
  QuicConnection,
  QuicListener,
  SocketAddress,
  TlsIdentity,
} from '../../../src/quic/types.ts';
import type { EdgeEngine } from '../../../src/quic/local-sockets.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryConnection, type MemoryCounters } from './memory-connection.ts';
import { MemoryLedger } from './memory-ledger.ts';

/**
 * A network without sockets or time: engines that keep the contract of quic/types.ts, for unit tests of what stands
 * above it. Nothing happens until `run` is called, and then everything that follows from it, in order.
 */
export class MemoryNetwork {
  readonly listeners = new Map<string, MemoryListener>();
  readonly #tasks: (() => void)[] = [];
  readonly clock: Pick<Clock, 'monotonicMs'>;
  #nextPort = 40_000;
  #nextId = 1;

  constructor(clock: Pick<Clock, 'monotonicMs'> = new ManualClock()) {
    this.clock = clock;
  }

  /** An engine whose dialled connections come from `ip`. */
  engine(ip = '192.0.2.1'): MemoryEngine {
    return new MemoryEngine(this, ip);
  }

  later(task: () => void): void {
    this.#tasks.push(task);
  }

  /** Runs everything that is due and what follows from it; stops with an error instead of going on for ever. */
  run(maxTasks = 1_000_000): void {
    for (let count = 0; count < maxTasks; count++) {
      const task = this.#tasks.shift();
      if (task === undefined) return;
      task();
    }
    throw new Error(`the network is not quiet after ${maxTasks} tasks`);
  }

  takePort(): number {
    return this.#nextPort++;
  }

  takeId(): number {
    return this.#nextId++;
  }
}

export class MemoryListener implements QuicListener {
  readonly address: SocketAddress;
  readonly socketReceiveBufferBytes = null;
  readonly socketSendBufferBytes = null;
  readonly options: ListenOptions;
  readonly handler: ListenerHandler;
  readonly engine: MemoryEngine;
  readonly connections = new Set<MemoryConnection>();
  tls: TlsIdentity;
  accepting = true;

  constructor(engine: MemoryEngine, address: SocketAddress, options: ListenOptions, handler: ListenerHandler) {
    this.engine = engine;
    this.address = address;
    this.options = options;
    this.handler = handler;
    this.tls = options.tls;
  }

  setTls(tls: TlsIdentity): void {
    this.tls = tls;
  }

  stopAccepting(): void {
    this.accepting = false;
  }

  async close(reason: string): Promise<void> {
    this.accepting = false;
    this.engine.network.listeners.delete(formatSocketAddress(this.address));
    for (const connection of this.connections) connection.close(0, reason);
    this.engine.network.run();
  }
}

export class MemoryEngine implements EdgeEngine {
  readonly name = 'quiche';
  readonly localSockets = null;
  readonly network: MemoryNetwork;
  readonly #ip: string;
  readonly #counters: MemoryCounters = { unboundSender: 0, malformed: 0 };
  readonly #listeners = new Set<MemoryListener>();

  constructor(network: MemoryNetwork, ip: string) {
    this.network = network;
    this.#ip = ip;
  }

  createLedger(): Ledger {
    return new MemoryLedger();
  }

  async listen(options: ListenOptions, handler: ListenerHandler): Promise<MemoryListener> {
    const { ip, port } = options.address;
    const address = { ip, port: port === 0 ? this.network.takePort() : port };
    const key = formatSocketAddress(address);
    if (this.network.listeners.has(key)) throw new AppError('address-unavailable', `${key} is in use`);
    const listener = new MemoryListener(this, address, options, handler);
    this.network.listeners.set(key, listener);
    this.#listeners.add(listener);
    return listener;
  }

  /** As the contract says, but the promise settles before `run`: there is no handshake to wait for. */
  async dial(options: DialOptions, handler: ConnectionHandler): Promise<QuicConnection> {
    return this.connect(options, handler);
  }

  /** `dial` for tests that hold no promise; throws what `dial` rejects with. */
  connect(options: DialOptions, handler: ConnectionHandler): MemoryConnection {
    const listener = this.network.listeners.get(formatSocketAddress(options.remote));
    const remote = { ip: this.#ip, port: this.network.takePort() };
    if (listener?.accepting !== true || !admits(listener.handler, remote)) {
      throw new AppError('connect-failed', 'connection refused');
    }
    const later = (task: () => void): void => {
      this.network.later(task);
    };
    const client = new MemoryConnection({
      id: this.network.takeId(),
      remote: options.remote,
      local: remote,
      role: 'client',
      transport: options.transport,
      counters: this.#counters,
      clock: this.network.clock,
      later,
    });
    const server = new MemoryConnection({
      id: this.network.takeId(),
      remote,
      local: listener.address,
      role: 'server',
      transport: listener.options.transport,
      counters: listener.engine.#counters,
      clock: this.network.clock,
      later,
    });
    client.peer = server;
    server.peer = client;
    client.handler = handler;
    listener.connections.add(server);
    later(() => {
      server.handler = listener.handler.onConnection(server);
    });
    return client;
  }

  report(): EngineReport {
    const zero = {
      strayPackets: 0,
      packetsReceived: 0,
      packetsSent: 0,
      bytesReceived: 0,
      bytesSent: 0,
      retriesSent: 0,
      resetsSent: 0,
      refusalsSent: 0,
      handshakesStarted: 0,
      handshakesFailed: 0,
      sendErrors: 0,
    };
    const connections = [...this.#listeners].flatMap((listener) => [...listener.connections]);
    const open = connections.filter((connection) => !connection.isEnded).length;
    return { name: this.name, counters: { ...zero, ...this.#counters }, connections: open, nativeBytes: null };
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) await listener.close('engine closed');
  }
}

function admits(handler: ListenerHandler, remote: SocketAddress): boolean {
  const decision = handler.onIncoming({ remote, validated: false });
  return (
    decision === 'accept' || (decision === 'retry' && handler.onIncoming({ remote, validated: true }) === 'accept')
  );
}
