import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { createEngine } from '../quic/engine.ts';
import { certificateFingerprint, keepSelfSigned, loadTlsIdentity } from '../quic/tls-material.ts';
import type { EngineName, TlsIdentity } from '../quic/types.ts';
import { realStoreFileSystem } from './authorization-store.ts';
import type { RelayConfig } from './config/relay-config.ts';
import { RelayObserver } from './relay-observer.ts';
import { createRelay } from './relay.ts';
import { keepResetKey } from './reset-key.ts';

export interface RelayProgramDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
}

export interface RelayProgramSettings {
  readonly config: RelayConfig;
  /** Where a self-signed certificate is kept when the config names none. */
  readonly certificateDir: string;
}

/** A relay that runs, with all that it needs of the machine. */
export interface RelayProgram {
  readonly engine: EngineName;
  /** `ip:port` of each bound QUIC address, with the real port. */
  readonly quicAddresses: readonly string[];
  /** `ip:port` of each address of the REST API, with the real port. */
  readonly apiAddresses: readonly string[];
  /** SHA-256 of the certificate: what an edge is given as `relay_fingerprint`. */
  readonly certificateFingerprint: string;
  /** Drains and ends everything (conformance L1). Idempotent. */
  stop(): Promise<void>;
}

/** Starts everything that a relay is made of; nothing is left behind when it rejects (AppError). */
export async function startRelayProgram(
  { config, certificateDir }: RelayProgramSettings,
  dependencies: RelayProgramDependencies,
): Promise<RelayProgram> {
  await using starting = new AsyncDisposableStack();
  const tls = await tlsIdentity(config, certificateDir, dependencies.clock);
  const resetKey = await keepResetKey(config.state_dir, dependencies.random);
  const engine = await createEngine(config.quic.engine, dependencies);
  starting.defer(() => engine.close());
  const relay = createRelay(config, { ...dependencies, engine, fileSystem: realStoreFileSystem, tls, resetKey });
  const observer = new RelayObserver(relay, config, { ...dependencies, engine, managerConnected: () => null });
  // Deferred before the relay's own stop, so that it tells of the drain to the end.
  starting.defer(() => observer.stop());
  starting.defer(() => relay.stop());
  await relay.start();
  await observer.start();
  const running = starting.move();
  return {
    engine: engine.name,
    quicAddresses: relay.addresses,
    apiAddresses: observer.addresses,
    certificateFingerprint: certificateFingerprint(tls.certificate),
    stop: () => running.disposeAsync(),
  };
}

function tlsIdentity(config: RelayConfig, certificateDir: string, clock: Clock): Promise<TlsIdentity> {
  const { tls_cert_path: certificate, tls_key_path: key } = config;
  return certificate === null || key === null
    ? keepSelfSigned(certificateDir, clock)
    : loadTlsIdentity(certificate, key);
}
