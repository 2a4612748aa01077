import type { Clock } from '../../lib/clock.ts';
import type { EdgeInfo, RelayHealth, RelayStats, TunnelInfo } from '../../protocol/node/relay-telemetry.ts';
import type { Direction } from '../../protocol/tunnel/leg.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { ConnectionStats } from '../../quic/connection-report.ts';
import type { LedgerTotals, QuicEngine } from '../../quic/types.ts';
import type { Forwarder, TunnelReport } from '../forwarding/forwarder.ts';
import type { DropTotals } from '../forwarding/traffic-totals.ts';
import type { SessionDirectory } from '../session/session-directory.ts';
import type { SessionRunner } from '../session/session-runner.ts';
import { sessionLabel } from '../tunnels/session-id.ts';
import type { TunnelRegistry } from '../tunnels/tunnel-registry.ts';
import type { Leg, TunnelView } from '../tunnels/tunnel.ts';

/** A connected edge, with its path (conformance T4). Times are wall clock, milliseconds since the epoch. */
export interface EdgeDetail {
  readonly edgeId: string | null;
  /** How the edge is listed: its id, or what stands for a connection without one. */
  readonly label: string;
  readonly remoteAddr: string;
  readonly connectedAtMs: number;
  /** 0 for an edge that has not said hello. */
  readonly protocolVersion: number;
  readonly softwareVersion: string | null;
  readonly heldTunnels: number;
  readonly path: ConnectionStats;
}

export interface LegDetail {
  readonly boundAtMs: number;
  readonly edge: EdgeDetail;
  readonly troubles: readonly string[];
}

/** One side of a tunnel: who holds it, and what it has sent since the tunnel came to be. */
export interface SideDetail {
  readonly leg: LegDetail | null;
  readonly sent: LedgerTotals;
}

export interface TunnelDetail extends Readonly<Record<Direction, SideDetail>> {
  readonly info: TunnelInfo;
  /** Since when it is active, or waits. */
  readonly statusSinceMs: number;
}

export type RelayTotals = Omit<RelayStats, 'tunnels' | 'edges' | 'truncated'>;

export interface RelayReportDependencies {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly registry: TunnelRegistry;
  readonly forwarder: Forwarder;
  readonly sessions: SessionDirectory;
  readonly engine: Pick<QuicEngine, 'report'>;
}

/** What does not change while the relay runs, or is known elsewhere. */
export interface HealthFacts {
  readonly reasons: readonly string[];
  readonly version: string;
  readonly apiAddr: string;
  readonly quicAddr: string;
  readonly publicQuicAddr: string | null;
}

/** Snapshots of the relay for the manager and for REST (docs/protocol/manager.md §3). */
export class RelayReport {
  readonly #dependencies: RelayReportDependencies;
  readonly #startedAtMs: number;
  #bandwidth = { bytes: 0, atMs: 0, bps: 0 };

  constructor(dependencies: RelayReportDependencies) {
    this.#dependencies = dependencies;
    this.#startedAtMs = dependencies.clock.monotonicMs();
    this.#bandwidth.atMs = this.#startedAtMs;
  }

  /** To be called about once a second: the bandwidth is that of the time between the last two calls. */
  measure(): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const bytes = this.#dependencies.forwarder.bytesForwarded;
    const seconds = (nowMs - this.#bandwidth.atMs) / 1000;
    if (seconds <= 0) return;
    const bps = Math.max(0, Math.round(((bytes - this.#bandwidth.bytes) * 8) / seconds));
    this.#bandwidth = { bytes, atMs: nowMs, bps };
  }

  tunnels(): TunnelInfo[] {
    return [...this.eachTunnel()];
  }

  /** As `tunnels`, one by one: between two of many tunnels other work can have a turn. */
  eachTunnel(): Generator<TunnelInfo> {
    return this.#each((view, traffic) => this.#info(view, traffic));
  }

  /** Null when no edge holds a leg of it. */
  tunnel(id: TunnelId): TunnelDetail | null {
    const view = this.#dependencies.registry.get(id);
    const traffic = this.#dependencies.forwarder.report(id);
    return view === null || traffic === null ? null : this.#detail(view, traffic);
  }

  tunnelDetails(): TunnelDetail[] {
    return [...this.#each((view, traffic) => this.#detail(view, traffic))];
  }

  edges(): EdgeInfo[] {
    return this.#dependencies.sessions.edges().map((session) => ({
      edge_id: label(session),
      remote_addr: session.remoteAddr,
    }));
  }

  edgeDetails(): EdgeDetail[] {
    return this.#dependencies.sessions.edges().map((session) => this.#edge(session));
  }

  /** Datagrams and streams from connections that hold no leg of the tunnel that they name. */
  unboundSender(): number {
    return this.#dependencies.engine.report().counters.unboundSender + this.#dependencies.forwarder.unboundStreams;
  }

  /** The numbers of `stats` without its lists. */
  totals(): RelayTotals {
    const { registry, forwarder, sessions } = this.#dependencies;
    const totals = forwarder.totals();
    return {
      connected_edges: sessions.edges().length,
      active_tunnels: registry.activeTunnels,
      total_tunnels: registry.size,
      total_bytes_ingress: totals.bytesIngress,
      total_bytes_egress: totals.bytesEgress,
      total_bytes_forwarded: totals.bytesForwarded,
      total_bandwidth_bps: this.#bandwidth.bps,
      total_tcp_streams: totals.streams,
      active_tcp_streams: forwarder.streamsActive,
      total_udp_datagrams: totals.datagrams,
      peak_tunnels: registry.peakTunnels,
      peak_edges: sessions.peak,
      connections_total: sessions.total,
      uptime_secs: this.#uptimeSecs(),
    };
  }

  /** Data streams refused, by reason: of one tunnel since it has a leg, or of all. */
  refusedStreams(tunnelId: TunnelId | null): Readonly<Record<string, number>> {
    const { refusals } = this.#dependencies.forwarder;
    return tunnelId === null ? refusals.all : refusals.ofTunnel(tunnelId);
  }

  /** Datagrams dropped by reason, in all tunnels that are or were. */
  dropTotals(): DropTotals {
    return this.#dependencies.forwarder.totals().drops;
  }

  health(facts: HealthFacts): RelayHealth {
    const { registry, forwarder, sessions } = this.#dependencies;
    return {
      status: facts.reasons.length === 0 ? 'ok' : 'degraded',
      reasons: facts.reasons,
      version: facts.version,
      uptime_secs: this.#uptimeSecs(),
      connected_edges: sessions.edges().length,
      active_tunnels: registry.activeTunnels,
      total_tunnels: registry.size,
      total_bytes_forwarded: forwarder.bytesForwarded,
      peak_tunnels: registry.peakTunnels,
      peak_edges: sessions.peak,
      connections_total: sessions.total,
      api_addr: facts.apiAddr,
      quic_addr: facts.quicAddr,
      public_quic_addr: facts.publicQuicAddr,
      capabilities: [],
    };
  }

  *#each<Item>(make: (view: TunnelView, traffic: TunnelReport) => Item): Generator<Item> {
    for (const view of this.#dependencies.registry.tunnels()) {
      const traffic = this.#dependencies.forwarder.report(view.id);
      if (traffic !== null) yield make(view, traffic);
    }
  }

  #info(view: TunnelView, { totals, streamsActive }: TunnelReport): TunnelInfo {
    const ingress = this.#holder(view.ingress);
    const egress = this.#holder(view.egress);
    return {
      tunnel_id: view.id,
      protocol: view.protocol,
      status: statusOf(view),
      ingress_edge_id: ingress?.edgeId ?? null,
      egress_edge_id: egress?.edgeId ?? null,
      ingress_remote_addr: ingress?.remoteAddr ?? null,
      egress_remote_addr: egress?.remoteAddr ?? null,
      stats: {
        bytes_ingress: totals.bytesIngress,
        bytes_egress: totals.bytesEgress,
        tcp_streams_total: totals.streams,
        tcp_streams_active: streamsActive,
        udp_datagrams_total: totals.datagrams,
        uptime_secs: wholeSeconds(this.#dependencies.clock.monotonicMs() - view.createdAtMs),
      },
      drops: totals.drops,
    };
  }

  #detail(view: TunnelView, traffic: TunnelReport): TunnelDetail {
    return {
      info: this.#info(view, traffic),
      statusSinceMs: this.#wallMs(view.statusSinceMs),
      ingress: { leg: this.#leg(view.ingress), sent: traffic.ledgers.ingress.totals() },
      egress: { leg: this.#leg(view.egress), sent: traffic.ledgers.egress.totals() },
    };
  }

  #leg(leg: Leg | null): LegDetail | null {
    const session = this.#holder(leg);
    if (leg === null || session === null) return null;
    return { boundAtMs: this.#wallMs(leg.boundAtMs), edge: this.#edge(session), troubles: leg.troubles };
  }

  #edge(session: SessionRunner): EdgeDetail {
    return {
      edgeId: session.edgeId,
      label: label(session),
      remoteAddr: session.remoteAddr,
      connectedAtMs: session.connectedAtMs,
      protocolVersion: session.protocolVersion,
      softwareVersion: session.softwareVersion,
      heldTunnels: this.#dependencies.registry.heldBinds(session.id),
      path: session.connection.stats(),
    };
  }

  #holder(leg: Leg | null): SessionRunner | null {
    return leg === null ? null : this.#dependencies.sessions.get(leg.sessionId);
  }

  #wallMs(monotonicMs: number): number {
    const { clock } = this.#dependencies;
    return clock.now() - (clock.monotonicMs() - monotonicMs);
  }

  #uptimeSecs(): number {
    return wholeSeconds(this.#dependencies.clock.monotonicMs() - this.#startedAtMs);
  }
}

function label(session: SessionRunner): string {
  return session.edgeId ?? sessionLabel(session.id);
}

function statusOf(view: TunnelView): TunnelInfo['status'] {
  if (view.ingress === null) return 'waiting_ingress';
  return view.egress === null ? 'waiting_egress' : 'active';
}

function wholeSeconds(durationMs: number): number {
  return Math.floor(durationMs / 1000);
}
