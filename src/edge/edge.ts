import { isDeepStrictEqual } from 'node:util';
import { EventHub } from '../admin/event-hub.ts';
import { AppError } from '../lib/app-error.ts';
import { StallWatch } from '../lib/stall-watch.ts';
import { formatHostPort } from '../lib/host-port.ts';
import { TurnQueue } from '../lib/turn-queue.ts';
import type { EdgeHealth, EdgeStats, EdgeTunnelState } from '../protocol/node/edge-telemetry.ts';
import type { TunnelId } from '../protocol/tunnel/tunnel-id.ts';
import type { EdgeTunnelReport } from './admin/edge-schemas.ts';
import type { EdgeConfig } from './config/edge-config.ts';
import { edgeEventText, type EdgeEvent } from './events/edge-event.ts';
import { Flows, type FlowsDependencies } from './flows/flows.ts';
import { FlowGates } from './local/flow-gates.ts';
import { EdgeTunnel, type EdgeTunnelDependencies } from './tunnel/edge-tunnel.ts';
import { tunnelProblems } from './tunnel/tunnel-problems.ts';
import { findPortConflict } from './config/port-conflict.ts';
import { edgeTransport } from './uplink/edge-transport.ts';
import type { TunnelSettings } from './config/tunnel-config.ts';

export interface EdgeDependencies extends Omit<EdgeTunnelDependencies, 'raise' | 'stalls' | 'gates'> {
  /** Starts the worker that carries media. */
  readonly startMediaHost: FlowsDependencies['startHost'];
  readonly softwareVersion: string;
}

/** What became of a tunnel that was put in place. Only `applied` changed anything. */
export type PutTunnelOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'unchanged' }
  /** Its local address is another tunnel's or another program's. */
  | { readonly kind: 'port-conflict'; readonly error: string };

export interface Edge {
  /** Between `start` and `stop`. */
  readonly running: boolean;
  /** Starts every enabled tunnel. One whose address is taken is reported and tried again. */
  start(): Promise<void>;
  /** Resets what is open, closes the relay connections, frees the addresses. Idempotent. The engine stays. */
  stop(): Promise<void>;
  /**
   * Adds a tunnel or changes the one with its id, and starts it when it is enabled. Rejects once the edge has stopped.
   */
  putTunnel(tunnel: TunnelSettings): Promise<PutTunnelOutcome>;
  /** As `putTunnel` for several at once, which may take each other's addresses; the outcomes in the same order. */
  putTunnels(tunnels: readonly TunnelSettings[]): Promise<readonly PutTunnelOutcome[]>;
  /** Stops and forgets a tunnel. Returns its settings, null for an unknown one. Rejects once the edge has stopped. */
  removeTunnel(id: TunnelId): Promise<TunnelSettings | null>;
  /** All tunnels as they are now, stopped ones included. */
  tunnels(): readonly TunnelSettings[];
  /** The payload of `stats` (docs/protocol/manager.md §9). */
  stats(): EdgeStats;
  /** All tunnels with each of their relays. */
  tunnelReports(): readonly EdgeTunnelReport[];
  /** The media flows. */
  readonly flows: Flows;
  /** The payload of `health`; `otherReasons` are what is wrong around the edge. */
  health(otherReasons?: readonly string[]): EdgeHealth;
  /** Where its tunnels, flows and manager link raise their events. */
  readonly events: EventHub<EdgeEvent>;
}

/** An edge, not started yet. */
export function createEdge(config: EdgeConfig, dependencies: EdgeDependencies): Edge {
  return new RunningEdge(config, dependencies);
}

interface TunnelPlan {
  readonly tunnel: TunnelSettings;
  /** Stopped before any tunnel starts. */
  readonly replaces: EdgeTunnel | null;
  readonly outcome: PutTunnelOutcome | null;
}

class RunningEdge implements Edge {
  readonly events: EventHub<EdgeEvent>;
  readonly #config: EdgeConfig;
  readonly #dependencies: EdgeDependencies;
  readonly #tunnels = new Map<TunnelId, EdgeTunnel>();
  /** Used while the edge runs. */
  readonly #stalls: StallWatch;
  #watching: Disposable | null = null;
  readonly #gates = new FlowGates();
  readonly flows: Flows;
  readonly #turns = new TurnQueue();
  #startedAtMs: number;
  #phase: 'new' | 'running' | 'stopped' = 'new';

  constructor(config: EdgeConfig, dependencies: EdgeDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#stalls = new StallWatch(dependencies.clock, setImmediate);
    this.#startedAtMs = dependencies.clock.monotonicMs();
    this.events = new EventHub(dependencies.clock, edgeEventText);
    const raise = (event: EdgeEvent): void => this.events.emit(event);
    const { startMediaHost: startHost } = dependencies;
    this.flows = new Flows({ ...dependencies, gates: this.#gates, startHost, raise }, config.flows);
    for (const tunnel of config.tunnels) this.#tunnels.set(tunnel.id, this.#createTunnel(tunnel));
  }

  get running(): boolean {
    return this.#phase === 'running';
  }

  async start(): Promise<void> {
    if (this.#phase !== 'new') return;
    this.#phase = 'running';
    this.#watching = this.#stalls.use();
    this.#startedAtMs = this.#dependencies.clock.monotonicMs();
    await this.#turns.run(() => Promise.all([...this.#tunnels.values()].map((tunnel) => startIfEnabled(tunnel))));
    await this.flows.start();
  }

  async stop(): Promise<void> {
    this.#phase = 'stopped';
    await this.flows.stop();
    this.#watching?.[Symbol.dispose]();
    await this.#turns.run(() => Promise.all([...this.#tunnels.values()].map((tunnel) => tunnel.stop())));
  }

  async putTunnel(tunnel: TunnelSettings): Promise<PutTunnelOutcome> {
    const [outcome] = await this.putTunnels([tunnel]);
    if (outcome === undefined) throw new AppError('bug', 'a tunnel has no outcome');
    return outcome;
  }

  putTunnels(tunnels: readonly TunnelSettings[]): Promise<readonly PutTunnelOutcome[]> {
    return this.#turns.run(async () => {
      this.#assertRunning();
      const others = this.tunnels().filter(({ id }) => !tunnels.some((tunnel) => tunnel.id === id));
      const plans = tunnels.map((tunnel) => this.#plan(tunnel, [...others, ...tunnels]));
      // All give their addresses up before any takes one: they may have exchanged them.
      await Promise.all(plans.flatMap(({ replaces }) => (replaces === null ? [] : [replaces.stop()])));
      const outcomes: PutTunnelOutcome[] = [];
      for (const { tunnel, replaces, outcome } of plans)
        outcomes.push(outcome ?? (await this.#start(tunnel, replaces)));
      return outcomes;
    });
  }

  /** What becomes of a tunnel beside all that there will be; without an outcome it is to be started. */
  #plan(tunnel: TunnelSettings, all: readonly TunnelSettings[]): TunnelPlan {
    const previous = this.#tunnels.get(tunnel.id) ?? null;
    if (previous !== null && isDeepStrictEqual(previous.settings, tunnel)) {
      return { tunnel, replaces: null, outcome: { kind: 'unchanged' } };
    }
    const conflict = findPortConflict(tunnel, all);
    if (conflict !== null) return { tunnel, replaces: null, outcome: { kind: 'port-conflict', error: conflict } };
    if (previous?.adopt(tunnel) === true) return { tunnel, replaces: null, outcome: { kind: 'applied' } };
    return { tunnel, replaces: previous, outcome: null };
  }

  removeTunnel(id: TunnelId): Promise<TunnelSettings | null> {
    return this.#turns.run(async () => {
      this.#assertRunning();
      const tunnel = this.#tunnels.get(id);
      if (tunnel === undefined) return null;
      this.#tunnels.delete(id);
      await tunnel.stop();
      return tunnel.settings;
    });
  }

  tunnels(): readonly TunnelSettings[] {
    return [...this.#tunnels.values()].map(({ settings }) => settings);
  }

  stats(): EdgeStats {
    const tunnels = [...this.#tunnels.values()].map((tunnel) => tunnel.info());
    const flows = this.flows.stats();
    const active = flows.filter(({ state }) => state === 'Running').length;
    return { uptime_secs: this.#uptimeSecs(), active_flows: active, total_flows: flows.length, flows, tunnels };
  }

  tunnelReports(): readonly EdgeTunnelReport[] {
    return [...this.#tunnels.values()].map((tunnel) => tunnel.report());
  }

  health(otherReasons: readonly string[] = []): EdgeHealth {
    const { apiAddr } = this.#config;
    const tunnels = [...this.#tunnels.values()];
    const names = (state: EdgeTunnelState): string =>
      tunnels.flatMap((tunnel) => (tunnel.state === state ? [tunnel.settings.name] : [])).join(', ');
    const [down, connecting] = [names('down'), names('connecting')];
    const reasons = [
      ...(this.#phase === 'running' ? [] : ['the edge is not running']),
      ...(down === '' ? [] : [`tunnels that are down: ${down}`]),
      ...(connecting === '' ? [] : [`tunnels without a relay: ${connecting}`]),
      ...this.#tunnelProblems(),
      ...otherReasons,
    ];
    return {
      status: reasons.length === 0 ? 'ok' : 'degraded',
      reasons,
      version: this.#dependencies.softwareVersion,
      uptime_secs: this.#uptimeSecs(),
      active_tunnels: tunnels.filter(({ state }) => state === 'ready').length,
      total_tunnels: tunnels.length,
      api_addr: apiAddr === null ? null : formatHostPort(apiAddr),
      capabilities: ['tunnels', 'flows', 'srt', 'rtmp', 'rtsp', 'hls', 'webrtc'],
    };
  }

  /**
   * Starts a tunnel whose predecessor has stopped. When its address is taken, the predecessor starts again; if another
   * tunnel has taken that one's address meanwhile, it is tried again until the address is free.
   */
  async #start(tunnel: TunnelSettings, previous: EdgeTunnel | null): Promise<PutTunnelOutcome> {
    const next = this.#createTunnel(tunnel);
    const error = await startIfEnabled(next);
    if (error === null) {
      this.#tunnels.set(tunnel.id, next);
      return { kind: 'applied' };
    }
    await next.stop();
    if (previous !== null) {
      const restored = this.#createTunnel(previous.settings);
      this.#tunnels.set(tunnel.id, restored);
      await startIfEnabled(restored);
    }
    return { kind: 'port-conflict', error };
  }

  #createTunnel(tunnel: TunnelSettings): EdgeTunnel {
    const stalls = this.#stalls;
    const gates = this.#gates;
    const dependencies = { ...this.#dependencies, stalls, gates, raise: (event: EdgeEvent) => this.events.emit(event) };
    const { softwareVersion } = this.#dependencies;
    const { edgeId, quic, maxConnectionsPerTunnel: maxConnections } = this.#config;
    const transport = edgeTransport(quic, maxConnections);
    return new EdgeTunnel(dependencies, { tunnel, transport, edgeId, softwareVersion, maxConnections });
  }

  #tunnelProblems(): string[] {
    const nowMs = this.#dependencies.clock.now();
    const running = this.tunnelReports().filter(({ state }) => state !== 'stopped');
    return running.flatMap((tunnel) => tunnelProblems(tunnel, nowMs).map((text) => `tunnel ${tunnel.name}: ${text}`));
  }

  #assertRunning(): void {
    if (!this.running) throw new AppError('closed', 'the edge is not running');
  }

  #uptimeSecs(): number {
    return Math.floor((this.#dependencies.clock.monotonicMs() - this.#startedAtMs) / 1000);
  }
}

async function startIfEnabled(tunnel: EdgeTunnel): Promise<string | null> {
  return tunnel.settings.enabled ? tunnel.start() : null;
}
