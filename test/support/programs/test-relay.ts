import { SystemClock } from '../../../src/lib/clock.ts';
import type { Logger } from '../../../src/lib/logger.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { parseSocketAddress } from '../../../src/lib/socket-address.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { QuicEngine, SocketAddress, TlsIdentity } from '../../../src/quic/types.ts';
import type { StoreFileSystem } from '../../../src/relay/authorization-store.ts';
import { parseRelayConfig } from '../../../src/relay/config/relay-config.ts';
import { logEvents, type RaisedEvent } from '../../../src/admin/event-hub.ts';
import { subjectOf } from '../../../src/relay/events/event-text.ts';
import type { RelayEvent, RelayEventKind } from '../../../src/relay/events/relay-event.ts';
import { createRelay, type Relay } from '../../../src/relay/relay.ts';
import { createSelfSigned } from '../samples/certificates.ts';
import { startEngine } from './engines.ts';
import { MemoryFileSystem } from '../fakes/memory-file-system.ts';
import { ScriptedEdge } from '../peers/scripted-edge.ts';
import { silentLogger } from '../fakes/silent-logger.ts';
import { until } from '../until.ts';

export interface TestRelayOptions {
  readonly engine: EngineName;
  /** Keys of config.json. A free loopback port and permissive binding unless they say otherwise. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly logger?: Logger;
  readonly fileSystem?: StoreFileSystem;
  readonly tls?: TlsIdentity;
  readonly hostAddresses?: readonly string[];
  /** The same for a relay that takes another's place. */
  readonly resetKey?: Uint8Array;
}

/** A running relay on real sockets, and an engine of the same kind for the edges that a test lets connect to it. */
export class TestRelay implements AsyncDisposable {
  readonly relay: Relay;
  readonly engine: QuicEngine;
  readonly edgeEngine: QuicEngine;
  readonly events: RaisedEvent<RelayEvent>[] = [];

  constructor(relay: Relay, engine: QuicEngine, edgeEngine: QuicEngine) {
    this.relay = relay;
    this.engine = engine;
    this.edgeEngine = edgeEngine;
    relay.events.subscribe((raised) => this.events.push(raised));
  }

  /** `ip:port` of the first listen address. */
  get address(): string {
    const [address] = this.relay.addresses;
    if (address === undefined) throw new Error('the relay has no address');
    return address;
  }

  get remote(): SocketAddress {
    const remote = parseSocketAddress(this.address);
    if (remote === null) throw new Error(`no address: ${this.address}`);
    return remote;
  }

  /** An edge that is connected and has said nothing yet. */
  dial(): Promise<ScriptedEdge> {
    return ScriptedEdge.connect(this.edgeEngine, this.address);
  }

  /** An edge that has said hello and was answered. */
  async edge(edgeId = 'edge', features: string[] = []): Promise<ScriptedEdge> {
    const edge = (await this.dial()).greet(edgeId, features);
    await edge.expect('hello_ack');
    return edge;
  }

  eventsOf(kind: RelayEventKind): RaisedEvent<RelayEvent>[] {
    return this.events.filter(({ event }) => event.kind === kind);
  }

  async expectEvent(kind: RelayEventKind, count = 1): Promise<RaisedEvent<RelayEvent>> {
    await until(() => this.eventsOf(kind).length >= count, {
      what: `${count} ${kind}; so far ${this.events.map(({ event }) => event.kind).join(', ')}`,
    });
    const raised = this.eventsOf(kind)[count - 1];
    if (raised === undefined) throw new Error(`no ${kind}`);
    return raised;
  }

  /** Edges vanish as killed processes do: nothing is said. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay.stop(0);
    await this.engine.close();
    await this.edgeEngine.close();
  }
}

async function testIdentity(): Promise<TlsIdentity> {
  const { certificatePem, privateKeyPem } = await createSelfSigned();
  return { certificate: certificatePem, privateKey: privateKeyPem };
}

export async function startTestRelay(options: TestRelayOptions): Promise<TestRelay> {
  const parsed = parseRelayConfig(
    { quic_addrs: ['127.0.0.1:0'], require_bind_auth: false, ...options.config },
    '/nowhere',
  );
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  const engine = await startEngine(options.engine);
  const random = new SystemRandom();
  const relay = createRelay(parsed.config, {
    clock: new SystemClock(),
    random,
    logger: options.logger ?? silentLogger,
    engine,
    fileSystem: options.fileSystem ?? new MemoryFileSystem(),
    tls: options.tls ?? (await testIdentity()),
    resetKey: options.resetKey ?? random.bytes(32),
    softwareVersion: '0.0.0-test',
    hostAddresses: () => options.hostAddresses ?? [],
  });
  relay.events.subscribe(logEvents(options.logger ?? silentLogger, subjectOf));
  const bed = new TestRelay(relay, engine, await startEngine(options.engine));
  try {
    await relay.start();
  } catch (error) {
    await bed[Symbol.asyncDispose]();
    throw error;
  }
  return bed;
}
