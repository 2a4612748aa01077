import { networkInterfaces } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { logEvents, type EventListener, type RaisedEvent } from '../admin/event-hub.ts';
import { certificateEndsSoon, ProgramBeats, type BeatFacts } from '../beat-sender/program-beats.ts';
import type { Clock } from '../lib/clock.ts';
import type { ReloadOutcome } from '../config/config-reload.ts';
import type { LogFields, Logger } from '../lib/logger.ts';
import type { MachineProblem } from '../lib/machine-problem.ts';
import { withoutKeys } from '../lib/without-keys.ts';
import { keyPinOf } from '../lib/pin.ts';
import type { Random } from '../lib/random.ts';
import { exposedFiles } from '../config/exposed-secrets.ts';
import { managerSettings } from '../node-link/manager-config.ts';
import type { LinkStatus, NodeLink } from '../node-link/node-link.ts';
import type { RelayHealth } from '../protocol/node/relay-telemetry.ts';
import { createEngine } from '../quic/engine.ts';
import { certificateFingerprint, keepSelfSigned, loadTlsIdentity } from '../quic/tls-material.ts';
import type { EngineName } from '../quic/engine-report.ts';
import type { TlsIdentity } from '../quic/types.ts';
import { realStoreFileSystem } from './authorization-store.ts';
import { relaySecretFiles, type RelayConfig } from './config/relay-config.ts';
import { planReload } from './config/reload-plan.ts';
import type { RelayLinkDependencies } from './manager-link/relay-link.ts';
import { RelayConsole } from './relay-console.ts';
import { subjectOf } from './events/event-text.ts';
import type { RelayEvent } from './events/relay-event.ts';
import { createRelay, type Relay } from './relay.ts';
import { keepResetKey } from './reception/reset-key.ts';

export interface RelayProgramDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  /** What was wrong with the machine at the start; nothing unless it is given. */
  readonly machineProblems?: () => readonly MachineProblem[];
}

export interface RelayProgramSettings {
  readonly config: RelayConfig;
  /** Where a self-signed certificate is kept when the config names none. */
  readonly certificateDir: string;
  /** The file that the config was read from: what a manager gives the relay is kept in it. */
  readonly configPath: string;
  /** The environment lets a manager's certificate go unchecked, where the config asks for that too. */
  readonly allowInsecure: boolean;
}

/** A relay that runs, with all that it needs of the machine. */
export interface RelayProgram {
  readonly engine: EngineName;
  /** `ip:port` of each bound QUIC address, with the real port. */
  readonly quicAddresses: readonly string[];
  /** What the kernel granted to each UDP socket, each way; null where the engine does not know. */
  readonly socketBufferBytes: readonly (number | null)[];
  /** `ip:port` of each address of the REST API, with the real port. */
  readonly apiAddresses: readonly string[];
  /** SHA-256 of the certificate, and the pin of its key: either is what an edge is given as `relay_fingerprint`. */
  readonly certificateFingerprint: string;
  readonly keyPin: string;
  /**
   * Puts a config that was read again in force, as far as it can be without a restart. The certificate is read again
   * too (conformance L3). Rejects with AppError `tls-failed`, having changed nothing.
   */
  reload(next: RelayConfig): Promise<ReloadOutcome>;
  /** Drains and ends everything (conformance L1). Idempotent. */
  stop(): Promise<void>;
}

/** Starts everything that a relay is made of; nothing is left behind when it rejects (AppError). */
export async function startRelayProgram(
  programSettings: RelayProgramSettings,
  dependencies: RelayProgramDependencies,
): Promise<RelayProgram> {
  const { config, certificateDir, configPath } = programSettings;
  await using starting = new AsyncDisposableStack();
  const inForce: InForce = { config, tls: await tlsIdentity(config, certificateDir, dependencies.clock) };
  const resetKey = await keepResetKey(config.state_dir, dependencies.random);
  const engine = await createEngine(config.quic.engine, dependencies);
  starting.defer(() => engine.close());
  let beats: ProgramBeats | null = null;
  // It goes on while the relay drains.
  starting.defer(() => beats?.stop());
  const relay = createRelay(config, {
    ...dependencies,
    engine,
    fileSystem: realStoreFileSystem,
    tls: inForce.tls,
    resetKey,
    hostAddresses,
  });
  const linkStatus = (): LinkStatus | null => link?.status ?? null;
  const exposed = exposedIn(configPath, inForce);
  const adminConsole = new RelayConsole(relay, config, { ...dependencies, engine, linkStatus, exposedFiles: exposed });
  const health = (): RelayHealth => withoutKeys(adminConsole.answers.health().report, 'manager');
  const effectiveConfig = (): RelayConfig => inForce.config;
  const link = await openLink(relay, programSettings, { ...dependencies, health, effectiveConfig });
  for (const listener of listeners(adminConsole, link, dependencies.logger)) relay.events.subscribe(listener);
  // Deferred before the relay's own stop, so that they report the drain to the end.
  starting.defer(() => adminConsole.stop());
  starting.defer(() => link?.stop());
  starting.defer(() => relay.stop());
  await relay.restoreAuthorizations();
  // Before the relay, so that no event is raised before it can be kept.
  await link?.start();
  await relay.start();
  await adminConsole.start();
  beats = await startBeats(config, dependencies, () => ({
    health: health(),
    link: linkStatus(),
    certificate: inForce.tls.certificate,
  }));
  const running = starting.move();
  return {
    engine: engine.name,
    quicAddresses: relay.addresses,
    socketBufferBytes: relay.socketBufferBytes,
    apiAddresses: adminConsole.addresses,
    certificateFingerprint: certificateFingerprint(inForce.tls.certificate),
    keyPin: keyPinOf(inForce.tls.certificate),
    reload: (next) =>
      reload({ relay, link, ...dependencies }, inForce, next, (effective) =>
        tlsIdentity(effective, certificateDir, dependencies.clock),
      ),
    stop: () => running.disposeAsync(),
  };
}

/** Null without a manager in the config; such a relay does not load the code of the link. */
async function openLink(
  relay: Relay,
  { config, ...settings }: RelayProgramSettings,
  dependencies: RelayLinkDependencies,
): Promise<NodeLink | null> {
  if (!config.manager.enabled) return null;
  const { createRelayLink } = await import('./manager-link/relay-link.ts');
  return createRelayLink(relay, config, dependencies, settings);
}

/** All that take the relay's events, in the order in which they get each. */
function listeners(
  adminConsole: RelayConsole,
  link: NodeLink | null,
  logger: Logger,
): readonly EventListener<RelayEvent>[] {
  const subject = (raised: RaisedEvent<RelayEvent>): LogFields => {
    const { event } = raised;
    const name = 'tunnelId' in event && event.tunnelId !== null ? adminConsole.answers.nameOf(event.tunnelId) : null;
    return { ...(name !== null && { tunnel: name }), ...subjectOf(raised) };
  };
  return [logEvents(logger, subject), (raised) => adminConsole.take(raised), ({ report }) => link?.raise(report)];
}

/** Files with secrets that every user of this machine can read; looked at anew by each call. */
function exposedIn(configPath: string, inForce: InForce): () => readonly string[] {
  return () => exposedFiles(relaySecretFiles(configPath, inForce.config));
}

/** What a reload changes. */
interface InForce {
  config: RelayConfig;
  tls: TlsIdentity;
}

/** Rejects with AppError `tls-failed`, having changed nothing. */
async function reload(
  { relay, link, logger }: { readonly relay: Relay; readonly link: NodeLink | null; readonly logger: Logger },
  inForce: InForce,
  next: RelayConfig,
  readTls: (effective: RelayConfig) => Promise<TlsIdentity>,
): Promise<ReloadOutcome> {
  const { applied, needsRestart, effective } = planReload(inForce.config, next);
  const tls = await readTls(effective);
  const renewed = !isDeepStrictEqual(tls, inForce.tls);
  // First, because it is what can fail.
  if (renewed) {
    relay.setTls(tls);
    const { certificate } = tls;
    const pins = { certificate_sha256: certificateFingerprint(certificate), key_pin: keyPinOf(certificate) };
    logger.info(pins, 'certificate renewed');
  }
  Object.assign(inForce, { config: effective, tls });
  relay.reload(effective);
  link?.trust(managerSettings(effective.manager));
  return { applied: renewed ? [...applied, 'certificate'] : applied, needsRestart };
}

interface BeatSources {
  readonly health: RelayHealth;
  readonly link: LinkStatus | null;
  readonly certificate: string;
}

/** Null without an observer in the config. */
async function startBeats(
  config: RelayConfig,
  dependencies: RelayProgramDependencies,
  sources: () => BeatSources,
): Promise<ProgramBeats | null> {
  if (config.observer === undefined) return null;
  const facts = (): BeatFacts => {
    const { health, link, certificate } = sources();
    return {
      status: health.status === 'ok' ? 'Ok' : 'Degraded',
      managerConnected: link !== null && link.connectedUrl !== null,
      draining: health.reasons.includes(shuttingDown),
      certificateEndsSoon: certificateEndsSoon(certificate, dependencies.clock),
      diskFull: link?.problems.some((problem) => problem.includes('ENOSPC')) ?? false,
    };
  };
  const beats = new ProgramBeats('relay', config.observer, { ...dependencies, facts });
  await beats.start();
  return beats;
}

/** As the relay's health says it. */
const shuttingDown = 'the relay is shutting down';
/** Without the loopback addresses. */
function hostAddresses(): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return interfaces.filter(({ internal }) => !internal).map(({ address }) => address);
}

function tlsIdentity(config: RelayConfig, certificateDir: string, clock: Clock): Promise<TlsIdentity> {
  const { tls_cert_path: certificate, tls_key_path: key } = config;
  return certificate === null || key === null
    ? keepSelfSigned(certificateDir, clock)
    : loadTlsIdentity(certificate, key);
}
