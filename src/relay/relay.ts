import { join } from 'node:path';
import { EventHub } from '../admin/event-hub.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { settledWithin } from '../lib/settled-within.ts';
import { formatSocketAddress } from '../lib/socket-address.ts';
import { closeReason } from '../protocol/tunnel/close-code.ts';
import type { RelayHealth } from '../protocol/node/relay-telemetry.ts';
import type { QuicEngine, TlsIdentity } from '../quic/types.ts';
import { Admission } from './reception/admission.ts';
import { AuthorizationStore, type StoreFileSystem } from './authorization-store.ts';
import type { RelayConfig } from './config/relay-config.ts';
import { EdgeListeners } from './reception/edge-listeners.ts';
import { EdgeReception } from './reception/edge-reception.ts';
import { EventLimits } from './events/event-limits.ts';
import { eventText } from './events/event-text.ts';
import type { RelayEvent } from './events/relay-event.ts';
import { DropWatch } from './forwarding/drop-watch.ts';
import { Forwarder } from './forwarding/forwarder.ts';
import { RelayReport } from './report/relay-report.ts';
import * as settings from './relay-settings.ts';
import { SessionDirectory } from './session/session-directory.ts';
import { Switchboard } from './session/switchboard.ts';
import { TunnelControl } from './tunnel-control.ts';
import { BindPolicy } from './tunnels/bind-policy.ts';
import { RefusalLog } from './tunnels/refusal-log.ts';
import { TunnelRegistry } from './tunnels/tunnel-registry.ts';

export interface RelayDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Stays the caller's: `stop` closes the listeners, not the engine. */
  readonly engine: QuicEngine;
  readonly fileSystem: StoreFileSystem;
  readonly tls: TlsIdentity;
  /** 32 bytes, the same after a restart (see ListenOptions). */
  readonly resetKey: Uint8Array;
  readonly softwareVersion: string;
  /** IP literals of the host's interfaces, loopback left out. */
  hostAddresses(): readonly string[];
}

/** How often ledgers and limits are looked at. */
const tickMs = 1000;
/** How long the stop waits for a disk that hangs. */
const storeMs = 2000;

export function createRelay(config: RelayConfig, dependencies: RelayDependencies): Relay {
  return new Relay(config, dependencies);
}

/** The composition root: makes every part, connects them, and starts and stops them in order. */
export class Relay {
  readonly events: EventHub<RelayEvent>;
  readonly report: RelayReport;
  readonly control: TunnelControl;
  readonly policy: BindPolicy;
  readonly refusals: RefusalLog;
  readonly #config: RelayConfig;
  readonly #dependencies: RelayDependencies;
  readonly #registry: TunnelRegistry;
  readonly #sessions: SessionDirectory;
  readonly #forwarder: Forwarder;
  readonly #switchboard: Switchboard;
  readonly #admission: Admission;
  readonly #listeners: EdgeListeners;
  readonly #drops: DropWatch;
  readonly #limits: EventLimits;
  readonly #store: AuthorizationStore;
  #tick: Timer | null = null;
  #started = false;
  #restoring: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(config: RelayConfig, dependencies: RelayDependencies) {
    const { clock, logger, engine, fileSystem } = dependencies;
    this.#config = config;
    this.#dependencies = dependencies;
    this.events = new EventHub(clock, eventText);
    this.#limits = new EventLimits(clock, this.events, settings.eventLimitSettings(config));
    this.policy = new BindPolicy(settings.policySettings(config));
    this.policy.setStaticTunnels(settings.staticTunnels(config));
    this.#sessions = new SessionDirectory();
    this.#registry = new TunnelRegistry(settings.registrySettings(config));
    this.#forwarder = new Forwarder(
      {
        clock,
        engine,
        tunnel: (id) => this.#registry.get(id),
        connection: (id) => this.#sessions.get(id)?.connection ?? null,
      },
      settings.forwarderSettings(config),
    );
    this.refusals = new RefusalLog(config.limits.max_refusals_remembered);
    this.#switchboard = this.#createSwitchboard();
    this.#admission = new Admission(clock, settings.admissionSettings(config));
    this.#drops = new DropWatch(clock, this.#limits);
    this.#store = new AuthorizationStore(fileSystem, join(config.state_dir, 'authorizations.json'));
    this.report = new RelayReport({
      clock,
      registry: this.#registry,
      forwarder: this.#forwarder,
      sessions: this.#sessions,
      engine,
    });
    this.control = new TunnelControl({
      policy: this.policy,
      store: this.#store,
      switchboard: this.#switchboard,
      sessions: this.#sessions,
      logger,
    });
    const reception = this.#createReception();
    this.#listeners = new EdgeListeners({
      clock,
      engine,
      logger,
      hostAddresses: () => dependencies.hostAddresses(),
      handlerFor: (bindAddr) => reception.handlerFor(bindAddr),
    });
  }

  /** `ip:port` of each bound address. */
  get addresses(): readonly string[] {
    return this.#listeners.addresses.map(formatSocketAddress);
  }

  /** Addresses that were asked for and carry nothing, with the reason; for people. */
  get bindFailures(): readonly string[] {
    return this.#listeners.failures;
  }

  /** What the kernel granted to each bound socket, each way; null where the engine does not know. */
  get socketBufferBytes(): readonly (number | null)[] {
    return this.#listeners.socketBufferBytes;
  }

  /** Why new tunnels would not be accepted now, for people; empty when they would (conformance T3). */
  notReadyReasons(): readonly string[] {
    if (this.#stopping !== null) return ['the relay is shutting down'];
    if (!this.#started) return ['the relay has not started'];
    if (this.#listeners.listeners.length === 0) return ['no QUIC address is bound'];
    return this.#admission.isOpen() ? [] : ['the cap on connections is reached'];
  }

  health(): RelayHealth {
    return this.report.health({
      reasons: [...this.bindFailures, ...this.notReadyReasons()],
      version: this.#dependencies.softwareVersion,
      apiAddr: this.#config.api_addrs.join(','),
      quicAddr: this.addresses.join(','),
      publicQuicAddr: this.#config.public_quic_addr,
    });
  }

  /**
   * Call before the manager link starts: loading replaces the policy's state, so earlier commands would be lost.
   * Rejects like `start`.
   */
  restoreAuthorizations(): Promise<void> {
    this.#restoring ??= this.#store.load().then((state) => this.policy.restore(state));
    return this.#restoring;
  }

  /**
   * Rejects with AppError `io-failed` (the stored authorisations cannot be read), `address-unavailable` (no address
   * could be bound) or `tls-failed`; nothing is left open then.
   */
  async start(): Promise<void> {
    await this.restoreAuthorizations();
    const { tls, resetKey, clock } = this.#dependencies;
    const options = {
      tls,
      resetKey,
      transport: settings.transportSettings(this.#config),
      retryAfterHandshakesPerSec: this.#config.limits.retry_after_handshakes_per_sec,
    };
    try {
      await this.#listeners.open(settings.quicAddresses(this.#config), options);
    } catch (error) {
      await this.#listeners.close(closeReason.relayShuttingDown);
      throw error;
    }
    this.#started = true;
    this.#tick = clock.setInterval(() => {
      this.#onTick();
    }, tickMs);
  }

  /**
   * Refuses what is new, gives open streams `drain_timeout_secs` (or less) to finish, closes every connection and the
   * sockets (conformance L1). Idempotent: later calls wait for the first.
   */
  stop(drainTimeoutMs = this.#config.drain_timeout_secs * 1000): Promise<void> {
    this.#stopping ??= this.#stop(drainTimeoutMs);
    return this.#stopping;
  }

  /**
   * Puts in force what of a config that was read again needs no restart (see `planReload`), but for the certificate.
   */
  reload(config: RelayConfig): void {
    this.#admission.setSettings(settings.admissionSettings(config));
    this.control.setStaticTunnels(settings.staticTunnels(config));
  }

  /** New connections use this identity (conformance L3). Throws AppError `tls-failed` and keeps the old one. */
  setTls(tls: TlsIdentity): void {
    this.#listeners.setTls(tls);
  }

  async #stop(drainTimeoutMs: number): Promise<void> {
    this.#admission.stop();
    this.#listeners.stopAccepting();
    this.#sessions.drain();
    await this.#streamsFinished(drainTimeoutMs);
    this.#tick?.cancel();
    this.#switchboard.drain();
    this.#forwarder.stop();
    for (const session of this.#sessions.all()) session.close(closeReason.relayShuttingDown);
    await this.#listeners.close(closeReason.relayShuttingDown);
    await settledWithin(this.#dependencies.clock, this.#store.settled(), storeMs);
  }

  async #streamsFinished(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => resolve(undefined);
    const deadline = this.#dependencies.clock.setTimeout(done, timeoutMs);
    this.#forwarder.drain(done);
    await promise;
    deadline.cancel();
  }

  #onTick(): void {
    this.#drops.poll(this.#forwarder.ledgers());
    for (const refused of this.#forwarder.refusals.reports(this.#dependencies.clock.monotonicMs())) {
      this.#limits.emit({ kind: 'streams-refused', ...refused });
    }
    this.#forwarder.settleEnded();
    this.report.measure();
    this.#limits.sweep();
    this.#admission.sweep();
  }

  #createReception(): EdgeReception {
    const { clock, logger, random, softwareVersion } = this.#dependencies;
    return new EdgeReception(
      {
        clock,
        logger,
        random,
        admission: this.#admission,
        events: this.#limits,
        sessions: this.#sessions,
        switchboard: this.#switchboard,
        forwarder: this.#forwarder,
        registry: this.#registry,
      },
      settings.sessionSettings(this.#config, softwareVersion),
    );
  }

  #createSwitchboard(): Switchboard {
    return new Switchboard(
      {
        clock: this.#dependencies.clock,
        registry: this.#registry,
        policy: this.policy,
        forwarder: this.#forwarder,
        events: this.#limits,
        refusals: this.refusals,
        session: (id) => this.#sessions.get(id),
      },
      settings.switchboardSettings(this.#config),
    );
  }
}
