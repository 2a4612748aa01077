import { isDeepStrictEqual } from 'node:util';
import { errorMessage } from '../../lib/app-error.ts';
import type { StallWatch } from '../../lib/stall-watch.ts';
import { liveLogger } from '../../lib/live-logger.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Timer } from '../../lib/clock.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EdgeTunnelInfo, EdgeTunnelState } from '../../protocol/node/edge-telemetry.ts';
import type { EdgeEngine } from '../../quic/local-sockets.ts';
import type { QuicConnection } from '../../quic/types.ts';
import type { EdgeTunnelReport } from '../admin/edge-schemas.ts';
import type { EdgeEvent, TunnelRef } from '../events/edge-event.ts';
import type { LocalEnd } from '../local/local-end.ts';
import { createLocalEnd, openEngineLocal } from './create-local-end.ts';
import { PathWidth } from './path-width.ts';
import { TunnelWatch } from './tunnel-watch.ts';
import { relayChangeEvent } from './relay-change-event.ts';
import { chooseRelay } from './relay-choice.ts';
import { relayClientSettings, verificationFor, type EdgeTunnelSettings } from './relay-client-settings.ts';
import type { RelayChange } from '../uplink/bind-outcome.ts';
import { RelayClient, type RelayClientDependencies } from '../uplink/relay-client.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import type { FlowGates } from '../local/flow-gates.ts';
import type { TunnelSettings } from '../config/tunnel-config.ts';
import { TunnelCounters } from '../local/tunnel-counters.ts';
import { isCurrent } from './tunnel-problems.ts';
import { FarTroubles } from '../local/far-troubles.ts';
import { Troubles } from '../local/troubles.ts';

export interface EdgeTunnelDependencies extends Omit<RelayClientDependencies, 'observer'> {
  readonly engine: Pick<EdgeEngine, 'dial' | 'createLedger' | 'localSockets'>;
  readonly stalls: Pick<StallWatch, 'waitedMs'>;
  /** Must not throw. */
  readonly raise: (event: EdgeEvent) => void;
  /** Where tunnels that end in media flows lead to. */
  readonly gates: FlowGates;
}

/** With two relays bound, how soon a dead one is noticed depends on it (see `Liveness`). */
const failOverSamplePeriodMs = 50;
const samplePeriodMs = 250;
/**
 * How long a relay may be silent before it is dialled anew. QUIC's own probes come ever more seldom and would find a
 * restarted relay late; but open TCP connections outlive a silence, and not a new connection.
 */
const patienceMs = { withoutStreams: 5000, withStreams: 15_000 };
const openRetry = { initialMs: 1000, maxMs: 60_000, jitterRatio: 0.25 };

/** One tunnel of the edge: its local end, its one or two relays, and the choice between them. */
export class EdgeTunnel {
  #settings: TunnelSettings;
  readonly #dependencies: EdgeTunnelDependencies;
  readonly #logger: Logger;
  readonly #troubles: Troubles;
  readonly #farTroubles: FarTroubles;
  readonly #counters: TunnelCounters;
  readonly #watch: TunnelWatch;
  readonly #width = new PathWidth();
  readonly #openRetry: Backoff;
  readonly #samplePeriodMs: number;
  readonly #localEnd: LocalEnd;
  readonly #clients: readonly RelayClient[];
  #phase: 'stopped' | 'opening' | 'open' = 'stopped';
  #opening: Promise<string | null> | null = null;
  #localAddr: HostPort;
  #retryTimer: Timer | null = null;
  #sampleTimer: Timer | null = null;
  #openFailed = false;
  #lastActive: number | null = null;
  /** The relay that the local end uses now. */
  #toldRelay: RelayConnection | null = null;

  constructor(dependencies: EdgeTunnelDependencies, settings: EdgeTunnelSettings) {
    const { tunnel } = settings;
    this.#settings = tunnel;
    this.#dependencies = dependencies;
    const engineLocal = openEngineLocal(dependencies.engine, tunnel);
    this.#troubles = new Troubles(dependencies.clock);
    this.#farTroubles = new FarTroubles(dependencies.clock);
    this.#counters = new TunnelCounters(
      dependencies.engine.createLedger(),
      this.#troubles,
      engineLocal === null ? undefined : () => engineLocal.counts(),
    );
    this.#logger = liveLogger(dependencies.logger, () => ({ tunnel: this.#settings.name, tunnel_id: tunnel.id }));
    this.#openRetry = new Backoff(dependencies.random, openRetry);
    this.#samplePeriodMs = tunnel.relays.length > 1 ? failOverSamplePeriodMs : samplePeriodMs;
    this.#localAddr = tunnel.localAddr;
    const activeRelay = (): RelayConnection | null => this.#activeRelay();
    const [counters, logger] = [this.#counters, this.#logger];
    const listens = tunnel.direction === 'egress' && !tunnel.endsInFlow;
    const { raise } = dependencies;
    const watched = { counters, troubles: this.#troubles, raise };
    this.#watch = new TunnelWatch(watched, listens ? tunnel.localAddr.host : null);
    const { maxConnections } = settings;
    this.#localEnd = createLocalEnd(
      { ...dependencies, activeRelay, counters, logger, engineLocal, maxConnections },
      tunnel,
    );
    this.#clients = tunnel.relays.map((_relay, index) => this.#createClient(index, settings));
  }

  get settings(): TunnelSettings {
    return this.#settings;
  }

  /**
   * Takes settings over without a restart, so that nothing is cut: another name, or other proofs of its relays, which
   * count from the next connection on. Returns false, having changed nothing, when more than that is different.
   */
  adopt(next: TunnelSettings): boolean {
    const { name, verifications } = this.#settings;
    if (!isDeepStrictEqual({ ...next, name, verifications }, this.#settings)) return false;
    // Media flows know their tunnel by its name.
    if (next.endsInFlow && next.name !== name) return false;
    this.#settings = next;
    for (const [index, client] of this.#clients.entries()) client.trust(verificationFor(next, index));
    return true;
  }

  /** Where the tunnel is; the best that any of its relays has. */
  get state(): EdgeTunnelState {
    if (this.#phase !== 'open') return this.#phase === 'stopped' ? 'stopped' : 'down';
    const states = new Set(this.#clients.map((client) => client.state));
    const best = (['ready', 'waiting', 'connecting'] as const).find((state) => states.has(state));
    return best ?? 'down';
  }

  /**
   * Opens the local end, then binds at the relays. Returns null, or why the local end could not be opened; it is then
   * tried again with back-off until `stop`.
   */
  async start(): Promise<string | null> {
    this.#phase = 'opening';
    this.#opening = this.#open();
    return this.#opening;
  }

  /** Idempotent; final. */
  async stop(): Promise<void> {
    if (this.#phase === 'stopped') return;
    const wasOpen = this.#phase === 'open';
    this.#phase = 'stopped';
    this.#retryTimer?.cancel();
    this.#sampleTimer?.cancel();
    await this.#opening;
    await this.#localEnd.close();
    await Promise.all(this.#clients.map((client) => client.stop()));
    if (wasOpen) this.#dependencies.raise({ kind: 'tunnel-stopped', tunnel: this.#ref });
  }

  get #ref(): TunnelRef {
    return { id: this.#settings.id, name: this.#settings.name };
  }

  info(): EdgeTunnelInfo {
    const { id, name, protocol, direction, relays } = this.settings;
    const active = chooseRelay(this.#clients);
    return {
      id,
      name,
      protocol,
      mode: 'relay',
      direction,
      local_addr: this.settings.endsInFlow ? 'flow' : formatHostPort(this.#localAddr),
      state: this.state,
      relay_addrs: relays.map(formatHostPort),
      active_relay_idx: active,
      active_relay_addr: active === null ? null : (this.#clients[active]?.relayAddr ?? null),
      stats: this.#counters.stats(),
      ...this.#pathInfo(this.#clients[active ?? 0]),
      drops: this.#counters.drops(),
    };
  }

  #pathInfo(client: RelayClient | undefined): Pick<EdgeTunnelInfo, 'relay_rtt_ms' | 'path_mtu'> {
    const stats = client?.connection?.stats();
    return { relay_rtt_ms: stats?.rttMs ?? null, path_mtu: stats?.pathMtu ?? null };
  }

  /** As `info`, with each of its relays. */
  report(): EdgeTunnelReport {
    const relays = this.#clients.map((client) => client.report());
    const troubles = [...this.#troubles.report(), ...this.#farTroubles.report()];
    const [outgoing, incoming] = [this.#counters.outgoing(), this.#counters.incoming()];
    const refused_connections = this.#counters.refusedConnections();
    return { ...this.info(), outgoing, incoming, refused_connections, relays, troubles };
  }

  async #open(): Promise<string | null> {
    try {
      this.#localAddr = await this.#localEnd.open();
    } catch (error) {
      return this.#onOpenFailed(errorMessage(error));
    }
    // `stop` may have come meanwhile; it closes what was opened.
    if (this.#phase !== 'opening') return null;
    this.#phase = 'open';
    this.#openFailed = false;
    this.#dependencies.raise({ kind: 'tunnel-started', tunnel: this.#ref, setup: this.info() });
    for (const client of this.#clients) client.start();
    this.#sampleTimer = this.#dependencies.clock.setInterval(() => this.#sample(), this.#samplePeriodMs);
    return null;
  }

  #onOpenFailed(error: string): string {
    if (this.#phase === 'opening') {
      if (!this.#openFailed) this.#dependencies.raise({ kind: 'tunnel-failed', tunnel: this.#ref, error });
      this.#openFailed = true;
      const retry = (): void => {
        this.#opening = this.#open();
      };
      this.#retryTimer = this.#dependencies.clock.setTimeout(retry, this.#openRetry.nextDelayMs());
    }
    return error;
  }

  #sample(): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const patience = this.#counters.connectionsActive > 0 ? patienceMs.withStreams : patienceMs.withoutStreams;
    for (const client of this.#clients) client.sample(nowMs, patience);
    this.#counters.sampleRates(nowMs);
    this.#counters.sampleEngine();
    this.#watch.sample(nowMs, this.#ref, formatHostPort(this.#localAddr));
    this.#sampleWidth(nowMs);
    this.#exchangeTroubles();
    this.#noteActive();
  }

  #sampleWidth(nowMs: number): void {
    if (this.#settings.protocol !== 'udp') return;
    const client = this.#clients[chooseRelay(this.#clients) ?? 0];
    const narrow = this.#width.sample(nowMs, client?.connection?.stats() ?? null);
    if (narrow !== null) this.#dependencies.raise({ kind: 'narrow-path', tunnel: this.#ref, ...narrow });
  }

  /** The two edges of a tunnel know of each other what only one of them can see. */
  #exchangeTroubles(): void {
    const nowMs = this.#dependencies.clock.now();
    const own = this.#troubles.report().filter((trouble) => isCurrent(trouble, nowMs));
    for (const { connection } of this.#clients) connection?.tellTroubles(own.map(({ kind }) => kind));
    this.#farTroubles.update(this.#clients.flatMap(({ peerTroubles }) => peerTroubles));
  }

  /** Gives the active relay to the local end. Logs when the traffic moves to another one. */
  #noteActive(): void {
    const active = chooseRelay(this.#clients);
    const to = active === null ? undefined : this.#clients[active];
    const relay = to?.connection ?? null;
    if (relay !== this.#toldRelay) {
      this.#toldRelay = relay;
      this.#localEnd.onActiveRelay?.(relay);
    }
    if (active === this.#lastActive) return;
    const from = this.#lastActive === null ? undefined : this.#clients[this.#lastActive];
    this.#lastActive = active;
    if (from === undefined || to === undefined) return;
    const silent = from.suspect;
    this.#logger.warn({ from: from.relayAddr, to: to.relayAddr, silent }, 'traffic moved to another relay');
  }

  #activeRelay(): RelayConnection | null {
    const active = chooseRelay(this.#clients);
    return active === null ? null : (this.#clients[active]?.connection ?? null);
  }

  #onRelayChange(change: RelayChange, relayAddr: string): void {
    this.#dependencies.raise(relayChangeEvent(change, this.#ref, relayAddr));
    this.#noteActive();
  }

  #onLateDatagram(): void {
    this.#counters.datagramArrived();
    this.#counters.notDelivered('expired');
  }

  #createClient(index: number, settings: EdgeTunnelSettings): RelayClient {
    const observer = {
      onChange: (change: RelayChange, client: RelayClient) => this.#onRelayChange(change, client.relayAddr),
      onDataStream: this.#localEnd.onDataStream.bind(this.#localEnd),
      onDatagram: this.#localEnd.onDatagram.bind(this.#localEnd),
      onLateDatagram: () => this.#onLateDatagram(),
      onConnectionStart: (connection: RelayConnection, quic: QuicConnection) =>
        this.#localEnd.onConnectionStart?.(connection, quic),
      onConnectionEnd: (connection: RelayConnection) => {
        this.#localEnd.onConnectionEnd(connection);
        this.#noteActive();
      },
    };
    return new RelayClient(
      { ...this.#dependencies, logger: this.#logger, observer },
      relayClientSettings(settings, index, this.#samplePeriodMs),
    );
  }
}
