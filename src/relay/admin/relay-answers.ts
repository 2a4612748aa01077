import type { AdminSource, HealthAnswer } from '../../admin/admin-source.ts';
import type { EventHistory } from '../../admin/event-history.ts';
import { toPathReport } from '../../admin/path-report.ts';
import type { ProgramFacts } from '../../admin/program-facts.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { DescriptorWatch } from '../../lib/descriptor-watch.ts';
import type { EventLoopWatch } from '../../lib/event-loop-watch.ts';
import type { RelayHealth } from '../../protocol/node/relay-telemetry.ts';
import { PROTOCOL_VERSION } from '../../protocol/tunnel/limits.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { EngineReport } from '../../quic/engine-report.ts';
import type { LedgerTotals } from '../../quic/types.ts';
import type { EdgeDetail, LegDetail, RelayReport, SideDetail, TunnelDetail } from '../report/relay-report.ts';
import type { TunnelControl } from '../tunnel-control.ts';
import type { BindPolicy } from '../tunnels/bind-policy.ts';
import type { Refusal, RefusalLog } from '../tunnels/refusal-log.ts';
import type {
  ManagerLinkReport,
  RelayAuthorized,
  RelayEdgeReport,
  RelayHealthReport,
  RelayLedgerReport,
  RelayRefusals,
  RelayStatsReport,
  RelayTunnelReport,
  TunnelFacts,
} from './relay-schemas.ts';

/** The parts of a running relay that REST and metrics read, and `control`, by which REST changes it. */
export interface RelayAnswersDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly report: Pick<
    RelayReport,
    'totals' | 'tunnel' | 'tunnelDetails' | 'edgeDetails' | 'dropTotals' | 'unboundSender' | 'refusedStreams'
  >;
  readonly control: Pick<TunnelControl, 'deleteTunnel' | 'unrevoke'>;
  readonly policy: Pick<BindPolicy, 'authorizedTunnels' | 'isAuthorized' | 'isRevoked' | 'nameOf'>;
  readonly refusals: Pick<RefusalLog, 'list'>;
  readonly history: EventHistory;
  readonly loop: EventLoopWatch;
  readonly descriptors: Pick<DescriptorWatch, 'shortage'>;
  readonly health: () => RelayHealth;
  /** Files with secrets that every user of this machine can read now. */
  readonly exposedFiles: () => readonly string[];
  readonly notReadyReasons: () => readonly string[];
  /** The QUIC addresses that are bound now, `ip:port`. */
  readonly boundAddresses: () => readonly string[];
  readonly engineReport: () => EngineReport;
  /** Null without a manager in the configuration. */
  readonly managerLink: () => ManagerLinkReport | null;
  /** What is wrong with the program itself. */
  readonly programFacts: () => ProgramFacts;
}

export interface RelayAnswersSettings {
  readonly requireBindAuth: boolean;
  readonly softwareVersion: string;
}

/** What routes and metrics use of `RelayAnswers`. */
export type RelayAdminSource = Pick<RelayAnswers, keyof RelayAnswers>;

/** The relay's own snapshots in the shapes of `relay-schemas.ts`. Each answer is a snapshot of now. */
export class RelayAnswers implements AdminSource<RelayHealthReport> {
  readonly control: RelayAnswersDependencies['control'];
  readonly report: Pick<RelayReport, 'dropTotals' | 'unboundSender' | 'refusedStreams'>;
  readonly notReadyReasons: () => readonly string[];
  readonly engine: () => EngineReport;
  readonly managerLink: () => ManagerLinkReport | null;
  readonly programFacts: () => ProgramFacts;
  readonly #dependencies: RelayAnswersDependencies;
  readonly #settings: RelayAnswersSettings;

  constructor(dependencies: RelayAnswersDependencies, settings: RelayAnswersSettings) {
    this.control = dependencies.control;
    this.report = dependencies.report;
    this.notReadyReasons = dependencies.notReadyReasons;
    this.engine = dependencies.engineReport;
    this.managerLink = dependencies.managerLink;
    this.programFacts = dependencies.programFacts;
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

  stats(): RelayStatsReport {
    return { ...this.#dependencies.report.totals(), ...this.#manager() };
  }

  tunnels(): readonly RelayTunnelReport[] {
    return this.#dependencies.report.tunnelDetails().map((detail) => this.#toTunnelReport(detail));
  }

  /** Null when no edge holds a leg of it. */
  tunnel(id: TunnelId): RelayTunnelReport | null {
    const detail = this.#dependencies.report.tunnel(id);
    return detail === null ? null : this.#toTunnelReport(detail);
  }

  edges(): readonly RelayEdgeReport[] {
    return this.#dependencies.report.edgeDetails().map(toEdgeReport);
  }

  /** Of all tunnels. */
  refusals(): RelayRefusals {
    const { refusals, policy } = this.#dependencies;
    const named = refusals.list().map((refusal) => {
      return { ...toRefusal(refusal), tunnel_id: refusal.tunnelId, name: policy.nameOf(refusal.tunnelId) };
    });
    return { refusals: named };
  }

  /** Held or not. */
  authorized(): RelayAuthorized {
    const tunnels = this.#dependencies.policy
      .authorizedTunnels()
      .map(({ tunnelId, source }) => ({ tunnel_id: tunnelId, name: this.nameOf(tunnelId), source }));
    return { tunnels };
  }

  /** What the config, else the manager, calls a tunnel; null without a name. */
  nameOf(id: TunnelId): string | null {
    return this.#dependencies.policy.nameOf(id);
  }

  /** Also of a tunnel that nobody holds or authorised. */
  facts(id: TunnelId): TunnelFacts {
    const { clock, refusals, history, loop, descriptors } = this.#dependencies;
    return {
      tunnel_id: id,
      at: rfc3339(clock.now()),
      relay_version: this.#settings.softwareVersion,
      relay_protocol_version: PROTOCOL_VERSION,
      authorisation: this.#authorization(id),
      require_bind_auth: this.#settings.requireBindAuth,
      not_ready_reasons: this.notReadyReasons(),
      exposed_files: this.#dependencies.exposedFiles(),
      stall: loop.stall(),
      descriptor_shortage: descriptors.shortage(),
      loop_lag_ms: loop.lag().worstMs,
      reached: this.#reached(),
      tunnel: this.tunnel(id),
      refused_streams: { tunnel: this.report.refusedStreams(id), relay: this.report.refusedStreams(null) },
      refusals: refusals
        .list()
        .filter(({ tunnelId }) => tunnelId === id)
        .map(toRefusal),
      events: history.ofTunnel(id),
      other_events: history.others(),
    };
  }

  #manager(): { readonly manager?: ManagerLinkReport } {
    const manager = this.managerLink();
    return manager === null ? {} : { manager };
  }

  #toTunnelReport({ info, statusSinceMs, ingress, egress }: TunnelDetail): RelayTunnelReport {
    const name = this.nameOf(info.tunnel_id);
    return { ...info, name, status_since: rfc3339(statusSinceMs), ingress: toSide(ingress), egress: toSide(egress) };
  }

  #reached(): TunnelFacts['reached'] {
    const { counters } = this.engine();
    const { connections_total: connections, uptime_secs } = this.#dependencies.report.totals();
    const { packetsReceived: packets, handshakesStarted: handshakes } = counters;
    return { quic_addrs: this.#dependencies.boundAddresses(), uptime_secs, packets, handshakes, connections };
  }

  #authorization(id: TunnelId): TunnelFacts['authorisation'] {
    const { policy } = this.#dependencies;
    if (policy.isRevoked(id)) return 'revoked';
    return policy.isAuthorized(id) ? 'authorised' : 'unknown';
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

function toRefusal({ direction, reason, edgeId, remoteAddr, atMs }: Refusal): TunnelFacts['refusals'][number] {
  return { at: rfc3339(atMs), direction, reason, edge_id: edgeId, remote_addr: remoteAddr };
}
