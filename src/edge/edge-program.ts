import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { logEvents } from '../admin/event-hub.ts';
import { ProgramBeats, type BeatFacts } from '../beat-sender/program-beats.ts';
import type { Clock } from '../lib/clock.ts';
import type { ReloadOutcome } from '../config/config-reload.ts';
import type { Logger } from '../lib/logger.ts';
import type { MachineProblem } from '../lib/machine-problem.ts';
import type { Random } from '../lib/random.ts';
import { exposedFiles } from '../config/exposed-secrets.ts';
import type { LinkStatus, NodeLink } from '../node-link/node-link.ts';
import type { EdgeHealth } from '../protocol/node/edge-telemetry.ts';
import { startMediaHost } from '../media/flow/media-host.ts';
import { createEngine } from '../quic/engine.ts';
import type { EngineName } from '../quic/engine-report.ts';
import type { SocketAddress } from '../quic/types.ts';
import { edgeSecretFiles, type EdgeConfig } from './config/edge-config.ts';
import { createEdge } from './edge.ts';
import { EdgeConsole } from './edge-console.ts';
import { subjectOf } from './events/edge-event.ts';
import { pinsAfter, reloadEdge } from './edge-reload.ts';
import type { EdgeLinkDependencies } from './manager-link/edge-link.ts';
import { wayOut } from './uplink/way-out.ts';

export interface EdgeProgramDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  /** What was wrong with the machine at the start; nothing unless it is given. */
  readonly machineProblems?: () => readonly MachineProblem[];
}

export interface EdgeProgramSettings {
  readonly config: EdgeConfig;
  /** The file that the config was read from: a manager changes the tunnels in it. */
  readonly configPath: string;
  /** The environment lets a manager's certificate go unchecked, where the config asks for that too. */
  readonly allowInsecure: boolean;
}

/** An edge that runs, with all that it needs of the machine. */
export interface EdgeProgram {
  readonly engine: EngineName;
  /** `ip:port` of the REST API, with the real port; empty without one. */
  readonly apiAddresses: readonly string[];
  /** Puts a config that was read again in force, as far as it can be without a restart (see `reloadEdge`). */
  reload(next: EdgeConfig): Promise<ReloadOutcome>;
  /** Resets what is open and frees sockets and addresses. Idempotent. */
  stop(): Promise<void>;
}

/** Starts everything that an edge is made of; nothing is left behind when it rejects (AppError). */
export async function startEdgeProgram(
  programSettings: EdgeProgramSettings,
  dependencies: EdgeProgramDependencies,
): Promise<EdgeProgram> {
  const { config, configPath } = programSettings;
  let inForce = config;
  await using starting = new AsyncDisposableStack();
  const engine = await createEngine(config.quic.engine, dependencies);
  starting.defer(() => engine.close());
  const health = (): EdgeHealth => adminConsole.health().report;
  const ways = { wayOut: (remote: SocketAddress) => wayOut(remote, dependencies.clock) };
  const edge = createEdge(config, { ...dependencies, ...machine, ...ways, engine });
  const link = await openLink(programSettings, { ...dependencies, edge, health });
  const linkStatus = (): LinkStatus | null => link?.status ?? null;
  const exposed = (): readonly string[] => exposedFiles(edgeSecretFiles(configPath, inForce));
  const adminConsole = new EdgeConsole(edge, config, {
    ...dependencies,
    engine,
    linkStatus,
    exposedFiles: exposed,
  });
  // All that take the edge's events, in the order in which they get each.
  const { events } = edge;
  events.subscribe(logEvents(dependencies.logger, subjectOf));
  events.subscribe((raised) => adminConsole.take(raised));
  events.subscribe(({ report }) => link?.raise(report));
  starting.defer(() => adminConsole.stop());
  starting.defer(() => link?.stop());
  starting.defer(() => edge.stop());
  // The link first: what the tunnels report from their first moment on is kept for the manager.
  await link?.start();
  await edge.start();
  await adminConsole.start();
  const beats = await startBeats(config, dependencies, health, linkStatus);
  starting.defer(() => beats?.stop());
  const running = starting.move();
  return {
    engine: engine.name,
    apiAddresses: adminConsole.addresses,
    async reload(next) {
      const outcome = await reloadEdge(edge, inForce, next);
      const pins = pinsAfter(inForce, next);
      link?.trust({ certFingerprints: pins });
      const manager = config.manager === null ? null : { ...config.manager, certFingerprints: pins };
      inForce = { ...config, manager, logLevel: next.logLevel };
      return outcome;
    },
    stop: () => running.disposeAsync(),
  };
}

/** Null without a manager in the config; such an edge does not load the code of the link. */
async function openLink(
  { config, ...settings }: EdgeProgramSettings,
  dependencies: EdgeLinkDependencies,
): Promise<NodeLink | null> {
  if (config.manager?.enabled !== true) return null;
  const { createEdgeLink } = await import('./manager-link/edge-link.ts');
  return createEdgeLink(config, config.manager, dependencies, settings);
}

/** Null without an observer in the config. */
async function startBeats(
  config: EdgeConfig,
  dependencies: EdgeProgramDependencies,
  health: () => EdgeHealth,
  linkStatus: () => LinkStatus | null,
): Promise<ProgramBeats | null> {
  if (config.observer === null) return null;
  const facts = (): BeatFacts => {
    const link = linkStatus();
    return {
      status: health().status === 'ok' ? 'Ok' : 'Degraded',
      managerConnected: link !== null && link.connectedUrl !== null,
      draining: false,
      certificateEndsSoon: false,
      diskFull: link?.problems.some((problem) => problem.includes('ENOSPC')) ?? false,
    };
  };
  const beats = new ProgramBeats('edge', config.observer, { ...dependencies, facts });
  await beats.start();
  return beats;
}

const machine = {
  startMediaHost,
  resolveHost,
  readTextFile: (path: string) => readFile(path, 'utf8'),
};

async function resolveHost(host: string): Promise<readonly string[]> {
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address);
}
