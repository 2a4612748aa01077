import type { HealthAnswer } from '../admin/admin-source.ts';
import type { EventHistory } from '../admin/event-history.ts';
import { toPathReport } from '../admin/path-report.ts';
import { rfc3339, type Clock } from '../lib/clock.ts';
import type { EventLoopWatch } from '../lib/event-loop-watch.ts';
import { PROTOCOL_VERSION } from '../protocol/tunnel/limits.ts';
import type { RelayHealth } from '../protocol/node/relay-telemetry.ts';
import type { TunnelId } from '../protocol/tunnel/tunnel-id.ts';
import type { EngineReport, LedgerTotals } from '../quic/types.ts';
import type { RelayAdminSource } from './admin/relay-admin-source.ts';
import type {
  ManagerLinkReport,
  RelayEdgeReport,
  RelayHealthReport,
  RelayLedgerReport,
  RelayStatsReport,
  RelayTunnelReport,
  TunnelFacts,
} from './admin/relay-schemas.ts';
import type { EdgeDetail, LegDetail, RelayReport, SideDetail, TunnelDetail } from './report/relay-report.ts';
import type { TunnelControl } from './tunnel-control.ts';

/** The parts of a running relay that REST and metrics look at. */
export interface RelayAdminViewDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly report: Pick<
    RelayReport,
    'totals' | 'tunnel' | 'tunnelDetails' | 'edgeDetails' | 'dropTotals' | 'unboundSender'
  >;
  readonly control: Pick<
    TunnelControl,
    'deleteTunnel' | 'unrevoke' | 'isAuthorized' | 'isRevoked' | 'nameOf' | 'refusals'
  >;
  readonly history: EventHistory;
  readonly loop: EventLoopWatch;
  health(): RelayHealth;
  notReadyReasons(): readonly string[];
  /** The QUIC addresses that are bound now, `ip:port`. */
  boundAddresses(): readonly string[];
  engineReport(): EngineReport;
  managerLink(): ManagerLinkReport | null;
}

export interface RelayAdminViewSettings {
  readonly requireBindAuth: boolean;
  readonly softwareVersion: string;
}

/** The relay's own snapshots in the words of its REST API. */
export class RelayAdminView implements RelayAdminSource {
  readonly #dependencies: RelayAdminViewDependencies;
  readonly #settings: RelayAdminViewSettings;

  constructor(dependencies: RelayAdminViewDependencies, settings: RelayAdminViewSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  health(): HealthAnswer<RelayHealthReport> {
    const report = { ...this.#dependencies.health(), ...this.#manager() };
    const stall = this.#dependencies.loop.stall();
    const alive = this.#dependencies.boundAddresses().length > 0;
    if (stall === null) return { alive, report };
    return { alive, report: { ...report, status: 'degraded', reasons: [...report.reasons, stall] } };
  }

  notReadyReasons(): readonly string[] {
    return this.#dependencies.notReadyReasons();
  }

  stats(): RelayStatsReport {
    return { ...this.#dependencies.report.totals(), ...this.#manager() };
  }

  tunnels(): readonly RelayTunnelReport[] {
    return this.#dependencies.report.tunnelDetails().map((detail) => this.#toTunnelReport(detail));
  }

  tunnel(id: TunnelId): RelayTunnelReport | null {
    const detail = this.#dependencies.report.tunnel(id);
    return detail === null ? null : this.#toTunnelReport(detail);
  }

  edges(): readonly RelayEdgeReport[] {
    return this.#dependencies.report.edgeDetails().map(toEdgeReport);
  }

  facts(id: TunnelId): TunnelFacts {
    const { clock, control, history, loop } = this.#dependencies;
    return {
      tunnel_id: id,
      at: rfc3339(clock.now()),
      relay_version: this.#settings.softwareVersion,
      relay_protocol_version: PROTOCOL_VERSION,
      authorisation: this.#authorization(id),
      require_bind_auth: this.#settings.requireBindAuth,
      not_ready_reasons: this.notReadyReasons(),
      stall: loop.stall(),
      loop_lag_ms: loop.lag().worstMs,
      reached: this.#reached(),
      tunnel: this.tunnel(id),
      refusals: control
        .refusals()
        .filter(({ tunnelId }) => tunnelId === id)
        .map(({ direction, reason, edgeId, remoteAddr, atMs }) => {
          return { at: rfc3339(atMs), direction, reason, edge_id: edgeId, remote_addr: remoteAddr };
        }),
      events: history.ofTunnel(id),
      other_events: history.others(),
    };
  }

  deleteTunnel(id: TunnelId): Promise<number | null> {
    return this.#dependencies.control.deleteTunnel(id);
  }

  unrevoke(id: TunnelId): Promise<boolean> {
    return this.#dependencies.control.unrevoke(id);
  }

  engine(): EngineReport {
    return this.#dependencies.engineReport();
  }

  unboundSender(): number {
    return this.#dependencies.report.unboundSender();
  }

  dropTotals(): Readonly<Record<string, number>> {
    return this.#dependencies.report.dropTotals();
  }

  managerLink(): ManagerLinkReport | null {
    return this.#dependencies.managerLink();
  }

  #manager(): { readonly manager?: ManagerLinkReport } {
    const manager = this.managerLink();
    return manager === null ? {} : { manager };
  }

  #toTunnelReport({ info, statusSinceMs, ingress, egress }: TunnelDetail): RelayTunnelReport {
    const name = this.#dependencies.control.nameOf(info.tunnel_id);
    return { ...info, name, status_since: rfc3339(statusSinceMs), ingress: toSide(ingress), egress: toSide(egress) };
  }

  #reached(): TunnelFacts['reached'] {
    const { counters } = this.#dependencies.engineReport();
    const { connections_total: connections, uptime_secs } = this.#dependencies.report.totals();
    const { packetsReceived: packets, handshakesStarted: handshakes } = counters;
    return { quic_addrs: this.#dependencies.boundAddresses(), uptime_secs, packets, handshakes, connections };
  }

  #authorization(id: TunnelId): TunnelFacts['authorisation'] {
    const { control } = this.#dependencies;
    if (control.isRevoked(id)) return 'revoked';
    return control.isAuthorized(id) ? 'authorised' : 'unknown';
  }
}

function toSide({ leg, sent }: SideDetail): RelayTunnelReport['ingress'] {
  return { leg: leg === null ? null : toLeg(leg), sent: toLedger(sent) };
}

function toLeg({ boundAtMs, edge, troubles }: LegDetail): RelayTunnelReport['ingress']['leg'] {
  return {
    edge_id: edge.edgeId,
    remote_addr: edge.remoteAddr,
    bound_at: rfc3339(boundAtMs),
    protocol_version: edge.protocolVersion,
    software_version: edge.softwareVersion,
    troubles,
    path: toPathReport(edge.path),
  };
}

function toLedger(totals: LedgerTotals): RelayLedgerReport {
  return {
    datagrams_in: totals.datagramsIn,
    datagrams_out: totals.datagramsOut,
    datagram_bytes_in: totals.datagramBytesIn,
    datagram_bytes_out: totals.datagramBytesOut,
    stream_bytes: totals.streamBytes,
    drops: totals.drops,
  };
}

function toEdgeReport(edge: EdgeDetail): RelayEdgeReport {
  return {
    edge_id: edge.label,
    remote_addr: edge.remoteAddr,
    connected_at: rfc3339(edge.connectedAtMs),
    protocol_version: edge.protocolVersion,
    software_version: edge.softwareVersion,
    held_tunnels: edge.heldTunnels,
    path: toPathReport(edge.path),
  };
}
