import type { Logger } from '../../../src/lib/logger.ts';
import { parseRelayConfig } from '../../../src/relay/config/relay-config.ts';
import type { StoreFileSystem } from '../../../src/relay/authorization-store.ts';
import { logEvents, type RaisedEvent } from '../../../src/admin/event-hub.ts';
import { subjectOf } from '../../../src/relay/events/event-text.ts';
import type { RelayEvent } from '../../../src/relay/events/relay-event.ts';
import { createRelay, type Relay } from '../../../src/relay/relay.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryConnection } from '../fakes/memory-connection.ts';
import { MemoryFileSystem } from '../fakes/memory-file-system.ts';
import { MemoryNetwork, type MemoryEngine } from '../fakes/memory-quic.ts';
import { edgeDialOptions, ScriptedEdge } from '../peers/scripted-edge.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { silentLogger } from '../fakes/silent-logger.ts';

const relayAddress = '127.0.0.1:4433';

export interface MemoryRelayOptions {
  /** Keys of config.json beside those that the test bed sets. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly fileSystem?: StoreFileSystem;
  readonly logger?: Logger;
  readonly hostAddresses?: readonly string[];
}

/** A whole relay over the in-memory engine and a manual clock: nothing happens but by `run` and `advance`. */
export class MemoryRelay {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly engine: MemoryEngine;
  readonly relay: Relay;
  readonly events: RaisedEvent<RelayEvent>[] = [];

  private constructor(options: MemoryRelayOptions) {
    const { config = {}, fileSystem = new MemoryFileSystem(), logger = silentLogger } = options;
    this.engine = this.network.engine();
    const parsed = parseRelayConfig({ quic_addrs: [relayAddress], require_bind_auth: false, ...config }, '/nowhere');
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
    this.relay = createRelay(parsed.config, {
      clock: this.clock,
      random: new SeededRandom(),
      logger,
      engine: this.engine,
      fileSystem,
      tls: { certificate: '', privateKey: '' },
      resetKey: new Uint8Array(32),
      softwareVersion: '0.0.0-test',
      hostAddresses: () => options.hostAddresses ?? [],
    });
    this.relay.events.subscribe(logEvents(logger, subjectOf));
    this.relay.events.subscribe((raised) => this.events.push(raised));
  }

  static async start(options: MemoryRelayOptions = {}): Promise<MemoryRelay> {
    const bed = new MemoryRelay(options);
    await bed.relay.start();
    return bed;
  }

  /** Messages of the events so far, or of those of one kind. */
  eventTexts(kind?: RaisedEvent<RelayEvent>['event']['kind']): string[] {
    return this.events
      .filter(({ event }) => kind === undefined || event.kind === kind)
      .map(({ report }) => report.message);
  }

  /** An edge that is connected from `ip`, and nothing more. */
  dial(ip = '192.0.2.1', transport: Partial<TransportSettings> = {}): ScriptedEdge {
    const edge = new ScriptedEdge();
    edge.attach(this.network.engine(ip).connect(edgeDialOptions(relayAddress, transport), edge));
    return edge;
  }

  /** An edge that has said hello. */
  edge(edgeId = 'edge', features: string[] = []): ScriptedEdge {
    const edge = this.dial().greet(edgeId, features);
    this.run();
    return edge;
  }

  /** The edge's process is killed, and from the next millisecond on the relay hears nothing of it. */
  kill(edge: ScriptedEdge): void {
    this.run();
    memoryConnection(edge).vanish();
    this.advance(1);
  }

  run(): void {
    this.network.run();
  }

  /** As `advance`, second by second, with the turns that promises of the relay need in between. */
  async pass(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1000) {
      this.advance(Math.min(1000, durationMs - passedMs));
      await new Promise(setImmediate);
    }
  }

  /** Lets the network do what is due, moves time on, and lets it do what follows. */
  advance(durationMs: number): void {
    this.run();
    this.clock.advance(durationMs);
    this.run();
  }
}

function memoryConnection({ connection }: ScriptedEdge): MemoryConnection {
  if (connection instanceof MemoryConnection) return connection;
  throw new Error('the edge is on another network');
}
