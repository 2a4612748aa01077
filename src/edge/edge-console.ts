import type { AdminServer } from '../admin/admin-server.ts';
import type { HealthAnswer } from '../admin/admin-source.ts';
import type { NodeConsoleDependencies } from '../admin/node-console-dependencies.ts';
import { EventHistory } from '../admin/event-history.ts';
import type { RaisedEvent } from '../admin/event-hub.ts';
import { managerFacts, type ProgramFacts } from '../admin/program-facts.ts';
import { createStructuredLog, type StructuredLog } from '../admin/structured-log.ts';
import { exposedReason } from '../config/exposed-secrets.ts';
import { rfc3339 } from '../lib/clock.ts';
import { DescriptorWatch } from '../lib/descriptor-watch.ts';
import { EventLoopWatch } from '../lib/event-loop-watch.ts';
import { formatHostPort } from '../lib/host-port.ts';
import type { EdgeHealth } from '../protocol/node/edge-telemetry.ts';
import type { TunnelId } from '../protocol/tunnel/tunnel-id.ts';
import type { EngineReport } from '../quic/engine-report.ts';
import type { EdgeAdminSource } from './admin/edge-admin-source.ts';
import type { EdgeTunnelFacts, EdgeTunnelReport } from './admin/edge-schemas.ts';
import type { FlowFacts, FlowStatsReport } from './admin/flow-schemas.ts';
import type { EdgeConfig } from './config/edge-config.ts';
import type { Edge } from './edge.ts';
import type { RtcDoorway } from './flows/rtc-doorway.ts';

/** Far more tunnels than an edge has; the rest keeps memory small. */
const historySettings = { maxTunnels: 1000, eventsPerTunnel: 12, otherEvents: 50 };

/**
 * Observes a running edge: the history of its events, structured log lines, the watches over event loop and file
 * descriptors. With an `api_addr` in the config also REST and metrics.
 */
export class EdgeConsole implements EdgeAdminSource {
  readonly #edge: Edge;
  readonly #history = new EventHistory(historySettings);
  readonly #edgeId: string;
  readonly #dependencies: NodeConsoleDependencies;
  readonly #loop: EventLoopWatch;
  readonly #descriptors: DescriptorWatch;
  readonly #log: StructuredLog | null;
  readonly #api: Pick<EdgeConfig, 'apiAddr' | 'apiToken'>;
  #server: AdminServer | null = null;

  constructor(edge: Edge, config: EdgeConfig, dependencies: NodeConsoleDependencies) {
    const { clock, softwareVersion } = dependencies;
    const { edgeId: id } = config;
    this.#edge = edge;
    this.#edgeId = id;
    this.#api = config;
    this.#dependencies = dependencies;
    this.#loop = new EventLoopWatch(clock);
    this.#descriptors = new DescriptorWatch(dependencies);
    this.#log = createStructuredLog(config.jsonLogTarget, { source: 'edge', id, softwareVersion }, dependencies);
  }

  /** `ip:port` of the REST API, with the real port; empty without one. */
  get addresses(): readonly string[] {
    return (this.#server?.addresses() ?? []).map(formatHostPort);
  }

  /** Keeps an event in the history and writes it to the structured log. */
  take({ event, report }: RaisedEvent): void {
    this.#history.add(event.kind, report);
    this.#log?.write(report);
  }

  async start(): Promise<void> {
    this.#loop.start();
    this.#descriptors.start();
    const { apiAddr: address, apiToken } = this.#api;
    if (address === null) return;
    const { createEdgeAdmin } = await import('./admin/edge-admin.ts');
    const { clock, logger } = this.#dependencies;
    const droppedLogLines = (): number => this.#log?.dropped ?? 0;
    this.#server = createEdgeAdmin(
      { clock, source: this, loop: this.#loop, logger, droppedLogLines },
      { address, apiToken },
    );
    await this.#server.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#loop.stop();
    this.#descriptors.stop();
    await this.#server?.stop();
    await this.#log?.stop();
  }

  health(): HealthAnswer<EdgeHealth> {
    const [address = null] = this.addresses;
    const machine = [this.#loop.stall(), this.#descriptors.shortage()];
    const reasons = [...this.#faults(), ...machine.filter((reason) => reason !== null)];
    const own = this.#edge.health(reasons);
    // Not degraded: monitors that ask for "ok" must not ring for how the operator keeps files.
    const exposed = this.#dependencies.exposedFiles().map(exposedReason);
    return { alive: true, report: { ...own, reasons: [...own.reasons, ...exposed], api_addr: address } };
  }

  programFacts(): ProgramFacts {
    const { linkStatus, machineProblems } = this.#dependencies;
    const machine = machineProblems?.() ?? [];
    return { program: 'edge', faults: this.#faults(), machine, manager: managerFacts(linkStatus()) };
  }

  notReadyReasons(): readonly string[] {
    return this.#edge.running ? [] : ['the edge is not running'];
  }

  tunnels(): readonly EdgeTunnelReport[] {
    return this.#edge.tunnelReports();
  }

  facts(id: TunnelId): EdgeTunnelFacts | null {
    const tunnel = this.tunnels().find((report) => report.id === id);
    if (tunnel === undefined) return null;
    return {
      tunnel_id: id,
      at: rfc3339(this.#dependencies.clock.now()),
      edge_id: this.#edgeId,
      edge_version: this.#dependencies.softwareVersion,
      tunnel,
      exposed_files: this.#dependencies.exposedFiles(),
      stall: this.#loop.stall(),
      descriptor_shortage: this.#descriptors.shortage(),
      loop_lag_ms: this.#loop.lag().worstMs,
      events: this.#history.ofTunnel(id),
    };
  }

  flows(): readonly FlowStatsReport[] {
    return this.#edge.flows.stats();
  }

  flowFacts(id: string): FlowFacts | null {
    const flow = this.flows().find(({ flow_id }) => flow_id === id);
    if (flow === undefined) return null;
    return { flow, at: rfc3339(this.#dependencies.clock.now()), events: this.#history.ofTunnel(id) };
  }

  rtcDoor(kind: 'whip' | 'whep', flowId: string, outputId: string | null): RtcDoorway | null {
    return this.#edge.flows.rtcDoor(kind, flowId, outputId);
  }

  engine(): EngineReport {
    return this.#dependencies.engine.report();
  }

  managerConnected(): boolean | null {
    const link = this.#dependencies.linkStatus();
    return link === null ? null : link.connectedUrl !== null;
  }

  /** What the edge wants and cannot have or do, tunnels and flows left aside. */
  #faults(): readonly string[] {
    return [...(this.#dependencies.linkStatus()?.problems ?? []), ...(this.#server?.problems() ?? [])];
  }
}
