import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { EngineReport } from '../engine-report.ts';
import type {
  ConnectionHandler,
  DialOptions,
  Ledger,
  ListenerHandler,
  ListenOptions,
  QuicConnection,
  QuicListener,
} from '../types.ts';
import type { EdgeEngine } from '../local-sockets.ts';
import { Incoming } from './accept/incoming.ts';
import { Dialling } from './dialling.ts';
import { Endpoint } from './endpoint.ts';
import { EngineParts } from './engine-parts.ts';
import { QuicheLedger } from './ledger.ts';
import { QuicheListener } from './accept/listener.ts';

/** What quiche and BoringSSL hold for an established connection, measured. */
const nativeBytesPerConnection = 40 * 1024;

/** Everything runs on the event loop of the thread that made the engine. */
export class QuicheEngine implements EdgeEngine {
  readonly name = 'quiche';
  readonly localSockets = null;
  readonly #parts: EngineParts;
  readonly #listeners = new Set<QuicheListener>();
  readonly #dials = new Set<Dialling>();
  #closed = false;

  constructor(dependencies: { readonly clock: Clock; readonly random: Random }) {
    this.#parts = new EngineParts(dependencies.clock, dependencies.random);
  }

  createLedger(): Ledger {
    return new QuicheLedger();
  }

  async listen(options: ListenOptions, handler: ListenerHandler): Promise<QuicListener> {
    this.#assertOpen();
    const incoming = new Incoming(this.#parts, options, handler);
    const endpoint = new Endpoint(this.#parts, options.transport, incoming);
    await endpoint.bind(options.address);
    incoming.attach(endpoint);
    const listener = new QuicheListener(endpoint, incoming, () => this.#listeners.delete(listener));
    this.#listeners.add(listener);
    if (this.#closed) await listener.close('');
    return listener;
  }

  async dial(options: DialOptions, handler: ConnectionHandler): Promise<QuicConnection> {
    this.#assertOpen();
    const dialling = new Dialling(this.#parts, options, handler, () => this.#dials.delete(dialling));
    this.#dials.add(dialling);
    return dialling.connect();
  }

  report(): EngineReport {
    let connections = 0;
    for (const listener of this.#listeners) connections += listener.connections;
    for (const dialling of this.#dials) connections += dialling.connections;
    return {
      name: this.name,
      counters: { ...this.#parts.counters },
      connections,
      nativeBytes: connections * nativeBytesPerConnection,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#listeners, ...this.#dials].map((part) => part.close(''));
    await Promise.all(closing);
  }

  #assertOpen(): void {
    if (this.#closed) throw new AppError('closed', 'the QUIC engine is closed');
  }
}
