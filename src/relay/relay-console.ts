import { hostname } from 'node:os';
import type { AdminServer } from '../admin/admin-server.ts';
import type { NodeConsoleDependencies } from '../admin/node-console-dependencies.ts';
import { EventHistory } from '../admin/event-history.ts';
import type { EventListener, RaisedEvent } from '../admin/event-hub.ts';
import { managerFacts } from '../admin/program-facts.ts';
import { createStructuredLog, type StructuredLog } from '../admin/structured-log.ts';
import { exposedReason } from '../config/exposed-secrets.ts';
import { AppError } from '../lib/app-error.ts';
import { DescriptorWatch } from '../lib/descriptor-watch.ts';
import { EventLoopWatch } from '../lib/event-loop-watch.ts';
import { formatHostPort, parseHostPort } from '../lib/host-port.ts';
import type { LinkStatus } from '../node-link/node-link.ts';
import type { RelayHealth } from '../protocol/node/relay-telemetry.ts';
import { createRelayAdmin } from './admin/relay-admin.ts';
import type { ManagerLinkReport } from './admin/relay-schemas.ts';
import type { RelayConfig } from './config/relay-config.ts';
import { RelayAnswers } from './admin/relay-answers.ts';
import type { Relay } from './relay.ts';

/**
 * Field relays write the key as false into every file that they change, so it may be there without an operator's wish.
 */
const permissiveReason =
  'require_bind_auth is false: anyone who reaches the relay may bind a tunnel that nobody authorised; ' +
  'write "require_bind_auth": true and restart the relay';

/** A few kilobytes a tunnel at most; enough to explain what happened to each of a big relay's tunnels. */
const historySettings = { maxTunnels: 5000, eventsPerTunnel: 12, otherEvents: 50 };
const maxTunnelsInMetrics = 500;

/**
 * Observes a running relay: the history of its events, structured log lines, the watches over event loop and file
 * descriptors, REST and metrics.
 */
export class RelayConsole {
  readonly answers: RelayAnswers;
  readonly #history = new EventHistory(historySettings);
  readonly #loop: EventLoopWatch;
  readonly #descriptors: DescriptorWatch;
  readonly #log: StructuredLog | null;
  readonly #requireBindAuth: boolean;
  readonly #server: AdminServer;
  readonly #countEvent: EventListener;

  constructor(relay: Relay, config: RelayConfig, dependencies: NodeConsoleDependencies) {
    const { clock, logger, engine, softwareVersion, linkStatus, exposedFiles, machineProblems } = dependencies;
    this.#loop = new EventLoopWatch(clock);
    this.#descriptors = new DescriptorWatch(dependencies);
    this.#requireBindAuth = config.require_bind_auth;
    const id = config.manager.node_id ?? hostname();
    this.#log = createStructuredLog(config.logging.json_target, { source: 'relay', id, softwareVersion }, dependencies);
    this.answers = new RelayAnswers(
      {
        clock,
        report: relay.report,
        control: relay.control,
        policy: relay.policy,
        refusals: relay.refusals,
        history: this.#history,
        loop: this.#loop,
        descriptors: this.#descriptors,
        health: () => this.#health(relay, linkStatus(), exposedFiles()),
        exposedFiles,
        notReadyReasons: () => relay.notReadyReasons(),
        boundAddresses: () => relay.addresses,
        engineReport: () => engine.report(),
        managerLink: () => toManagerLink(linkStatus()),
        programFacts: () => ({
          program: 'relay',
          faults: [...relay.bindFailures, ...this.#faults(linkStatus())],
          machine: machineProblems?.() ?? [],
          manager: managerFacts(linkStatus()),
        }),
      },
      { requireBindAuth: config.require_bind_auth, softwareVersion },
    );
    const { server, countEvent } = createRelayAdmin(
      {
        clock,
        source: this.answers,
        loop: this.#loop,
        logger,
        droppedLogLines: () => this.#log?.dropped ?? 0,
      },
      {
        addresses: config.api_addrs.map(toAddress),
        apiToken: config.api_token,
        fieldMetrics: config.field_metrics,
        maxTunnelsInMetrics,
      },
    );
    this.#server = server;
    this.#countEvent = countEvent;
  }

  /** `ip:port` of each address of the REST API, with the real port. */
  get addresses(): readonly string[] {
    return this.#server.addresses().map(formatHostPort);
  }

  /** Keeps an event in the history, writes it to the structured log and counts it. */
  take(raised: RaisedEvent): void {
    this.#history.add(raised.event.kind, raised.report);
    this.#log?.write(raised.report);
    this.#countEvent(raised);
  }

  async start(): Promise<void> {
    this.#loop.start();
    this.#descriptors.start();
    await this.#server.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#loop.stop();
    this.#descriptors.stop();
    await this.#server.stop();
    await this.#log?.stop();
  }

  /** What is wrong around the relay. */
  #faults(link: LinkStatus | null): readonly string[] {
    return [...(link?.problems ?? []), ...this.#server.problems()];
  }

  #health(relay: Relay, link: LinkStatus | null, exposed: readonly string[]): RelayHealth {
    const own = relay.health();
    const shortage = this.#descriptors.shortage();
    const problems = [...own.reasons, ...this.#faults(link), ...(shortage === null ? [] : [shortage])];
    const status = problems.length === 0 ? 'ok' : 'degraded';
    // Chosen by the operator, so it is no fault; monitors that ask for "ok" must not ring for it.
    const reasons = [...problems, ...(this.#requireBindAuth ? [] : [permissiveReason]), ...exposed.map(exposedReason)];
    return { ...own, status, reasons, api_addr: this.addresses.join(',') };
  }
}

function toManagerLink(link: LinkStatus | null): ManagerLinkReport | null {
  if (link === null) return null;
  const connected = link.connectedUrl !== null;
  return { connected, disconnected_secs: Math.floor(link.downMs / 1000), reconnecting: !connected };
}

function toAddress(text: string): { readonly host: string; readonly port: number } {
  const address = parseHostPort(text);
  if (address === null) throw new AppError('bug', `the config let ${text} through`);
  return address;
}
